//! The non-INVITE client transaction on the wire: Timers E, F and K (RFC 3261 §17.1.2, Table 4).

use std::time::Duration;

use sip_registration::Transport;

use crate::peer::{self, BOUND, CHALLENGE};
use crate::setup::Setup;
use crate::world::World;

fn patient() -> Setup {
    Setup::probe().policy(|policy| policy.timeout = Duration::from_secs(32))
}

#[test]
fn a_request_without_reply_is_sent_eleven_times_in_32_seconds() {
    let mut world = World::new(patient());
    world.register();
    world.wait_for_the_end();
    world.is_as_stored();
}

#[test]
fn after_a_provisional_reply_the_request_is_sent_every_four_seconds() {
    let mut world = World::new(patient());
    world.register();
    world.reply("100 Trying", &[]);
    world.wait_for_the_end();
    assert_eq!(world.attempt().provisionals, 1);
    world.is_as_stored();
}

#[test]
fn a_stream_sends_once_and_waits_as_long() {
    let mut world = World::new(patient().transport(Transport::Tcp));
    world.register();
    world.wait_for_the_end();
    world.is_as_stored();
}

#[test]
fn the_timeout_of_the_probe_bounds_the_whole_exchange() {
    let mut world = World::new(Setup::probe());
    world.register();
    world.wait(Duration::from_secs(9));
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.wait_for_the_end();
    world.is_as_stored();
}

#[test]
fn a_lost_request_and_a_lost_reply_cost_time_and_nothing_else() {
    let mut world = World::new(Setup::probe());
    world.register();
    world.wait(Duration::from_millis(1600));
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.wait(Duration::from_millis(600));
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_reply_that_comes_twice_is_absorbed() {
    let mut world = World::new(Setup::probe());
    world.register();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply_to(0, "401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!((world.attempt().strays, world.registrant.counters().strays), (1, 2));
    world.is_as_stored();
}

#[test]
fn a_reply_after_its_transaction_is_late() {
    let mut world = World::new(Setup::probe().policy(|policy| policy.timeout = Duration::from_secs(64)));
    world.register();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.wait(Duration::from_secs(6));
    world.reply_to(0, "401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_reply_of_another_method_or_number_is_none() {
    let mut world = World::new(Setup::probe());
    world.register();
    let request = world.last_request().clone();
    let reply = String::from_utf8(peer::reply(&request.bytes, "200 OK", &[BOUND])).unwrap();
    world.deliver(request.flow, reply.replace("CSeq: 1 REGISTER", "CSeq: 2 REGISTER").as_bytes());
    world.deliver(request.flow, reply.replace("CSeq: 1 REGISTER", "CSeq: 1 INVITE").as_bytes());
    world.deliver(
        request.flow,
        reply.replace("Via: ", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, ").as_bytes(),
    );
    assert!(world.attempts.is_empty());
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_reply_with_another_branch_is_none() {
    let mut world = World::new(Setup::probe());
    world.register();
    let request = world.last_request().clone();
    let reply = String::from_utf8(peer::reply(&request.bytes, "200 OK", &[BOUND])).unwrap();
    let at = reply.find("z9hG4bK").unwrap() + "z9hG4bK0-0.".len();
    let mut other = reply;
    other.replace_range(at..=at, if other[at..].starts_with('0') { "1" } else { "0" });
    world.deliver(request.flow, other.as_bytes());
    assert_eq!((world.attempts.len(), world.registrant.counters().strays), (0, 1));
}

#[test]
fn a_flood_of_junk_hides_nothing() {
    let mut world = World::new(Setup::probe());
    world.register();
    for _ in 0..300 {
        world.deliver(world.last_request().flow, b"\x16\x03\x01 what is this?\r\n");
    }
    world.reply("200 OK", &[BOUND]);
    let attempt = world.attempt();
    assert_eq!(attempt.strays, 300);
    assert!(attempt.steps.len() < 20, "{}", attempt.steps.len());
    assert_eq!(attempt.steps.last().unwrap().note(), "bound for 3600 s");
}

#[test]
fn a_flood_of_provisional_replies_hides_nothing() {
    let mut world = World::new(Setup::probe().policy(|policy| policy.timeout = Duration::from_secs(32)));
    world.register();
    for _ in 0..300 {
        world.reply("183 Hold On", &[]);
    }
    world.reply("200 OK", &[BOUND]);
    let attempt = world.attempt();
    assert_eq!(attempt.provisionals, 300);
    assert!(attempt.steps.len() < 20, "{}", attempt.steps.len());
    assert_eq!(attempt.steps.last().unwrap().note(), "bound for 3600 s");
}
