//! From one target to the next (RFC 3263 §4.3): what leads on, what does not, and what the report says of each.

use std::time::Duration;

use sip_registration::{Closed, DnsError, Goal, Obstacle, RecordKind, Records, Srv, TlsFailure, Transport};

use crate::peer::{BOUND, CHALLENGE};
use crate::picture;
use crate::setup::Setup;
use crate::world::{Door, World};

const NAME: &str = "pbx.example.test";

/// A registrar with three addresses, asked for by one name with a port.
fn three(setup: Setup) -> World {
    let mut world = World::new(setup.registrar("sip:pbx.example.test:5060"));
    let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|address| address.parse().unwrap());
    world.zone.push((NAME, RecordKind::A, Ok(Records::Addresses(addresses.to_vec()))));
    world.zone.push((NAME, RecordKind::Aaaa, Err(DnsError::NoRecords)));
    world
}

/// The order is given and DNS has answered.
fn registering(mut world: World) -> World {
    world.register();
    world.wait(Duration::from_millis(10));
    world
}

#[test]
fn a_silent_target_gets_its_share_of_the_time_and_the_next_one_registers() {
    let mut world = registering(three(Setup::probe()));
    world.wait(Duration::from_secs(4));
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn all_targets_silent_share_the_whole_timeout() {
    let mut world = registering(three(Setup::probe()));
    world.wait_for_the_end();
    world.is_as_stored();
}

#[test]
fn an_overloaded_target_leads_to_the_next_one() {
    let mut world = registering(three(Setup::probe()));
    world.reply("503 Service Unavailable", &["Retry-After: 60"]);
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.attempt().retry_after, None);
    world.is_as_stored();
}

/// Only who refuses says when to come back.
#[test]
fn a_retry_after_beside_a_success_is_not_told() {
    let notes = |status| {
        let mut world = World::new(Setup::probe());
        world.register();
        world.reply(status, &[BOUND, "Retry-After: 77"]);
        let ladder = picture::report(&world.setup, world.attempt()).ladder;
        ladder.iter().filter(|step| step.note.contains("77")).count()
    };
    assert_eq!((notes("200 OK"), notes("480 Temporarily Unavailable")), (0, 1));
}

#[test]
fn the_word_of_an_overloaded_target_counts_more_than_the_silence_of_others() {
    let mut world = registering(three(Setup::kept()));
    world.reply("503 Service Unavailable", &["Retry-After: 120"]);
    world.wait_for_the_end();
    let wait = world.next_in().unwrap();
    assert!((120..=132).contains(&wait.as_secs()), "{wait:?}");
    world.is_as_stored();
}

#[test]
fn all_targets_overloaded() {
    let mut world = registering(three(Setup::probe()));
    for _ in 0..3 {
        world.reply("503 Service Unavailable", &[]);
    }
    world.is_as_stored();
}

#[test]
fn an_unreachable_target_leads_to_the_next_one_at_once() {
    let mut world = registering(three(Setup::probe()));
    world.close(world.last_request().flow, Closed::Unreachable(Obstacle::NobodyListens));
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_refused_connection_leads_to_the_next_one_at_once() {
    let mut world = three(Setup::probe().transport(Transport::Tcp));
    world.doors.push(("192.0.2.1:5060".parse().unwrap(), Door::Shut(Closed::Refused)));
    world.doors.push(("192.0.2.2:5060".parse().unwrap(), Door::Silent));
    let mut world = registering(world);
    world.wait(Duration::from_secs(6));
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_connection_that_dies_before_the_reply_leads_to_the_next_one() {
    let mut world = registering(three(Setup::probe().transport(Transport::Tcp)));
    world.close(world.last_request().flow, Closed::Reset);
    world.wait(Duration::from_millis(10));
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_wrong_certificate_leads_to_the_next_target() {
    let mut world = three(Setup::probe().transport(Transport::Tls));
    world.doors.push((
        "192.0.2.1:5060".parse().unwrap(),
        Door::Shut(Closed::Tls(TlsFailure::Untrusted, None)),
    ));
    let mut world = registering(world);
    world.wait(Duration::from_millis(10));
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_refusal_is_final_and_asks_nobody_else() {
    let mut world = registering(three(Setup::probe()));
    world.reply("403 Forbidden", &[]);
    world.is_as_stored();
}

#[test]
fn the_next_target_is_asked_without_the_credentials_of_the_last_one() {
    let mut world = registering(three(Setup::probe()));
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("503 Service Unavailable", &[]);
    world.reply("401 Unauthorized", &[&CHALLENGE.replace("n1", "n7")]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_late_reply_of_the_last_target_is_noticed_while_the_next_one_is_asked() {
    let mut world = registering(three(Setup::probe()));
    world.wait(Duration::from_secs(4));
    world.reply_to(0, "200 OK", &[BOUND]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_port_that_a_silent_flow_holds_is_given_back_for_the_next_target() {
    let mut world = three(Setup::probe());
    let in_use = Closed::Local("Address already in use".into());
    world.doors.push(("192.0.2.2:5060".parse().unwrap(), Door::Shut(in_use)));
    let mut world = registering(world);
    world.wait(Duration::from_millis(3328));
    world.doors.clear();
    world.wait(Duration::from_millis(10));
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn every_goal_goes_to_the_next_target() {
    for goal in [Goal::Unregister, Goal::Clear, Goal::Fetch, Goal::Ping] {
        let mut world = three(Setup::probe());
        world.order(goal);
        world.wait(Duration::from_millis(10));
        world.reply("503 Service Unavailable", &[]);
        world.reply("200 OK", &[]);
        assert_eq!(world.attempt().ending, sip_registration::Ending::Succeeded, "{goal:?}");
    }
}

#[test]
fn srv_records_are_tried_by_priority() {
    let mut world = World::new(Setup::probe().registrar("sip:example.test").transport(Transport::Udp));
    let srv = |priority, target: &str| Srv {
        priority,
        weight: 0,
        port: 5080,
        target: target.into(),
    };
    let records = Records::Srv(vec![srv(20, "b.example.test"), srv(10, "a.example.test")]);
    world.zone.push(("_sip._udp.example.test", RecordKind::Srv, Ok(records)));
    for (name, address) in [("a.example.test", "192.0.2.1"), ("b.example.test", "192.0.2.2")] {
        world
            .zone
            .push((name, RecordKind::A, Ok(Records::Addresses(vec![address.parse().unwrap()]))));
    }
    let mut world = registering(world);
    world.reply("503 Service Unavailable", &[]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn an_answer_to_an_earlier_search_is_not_taken_for_one_to_this() {
    let mut world = World::new(Setup::kept().registrar("sip:pbx.example.test:5060"));
    world.dns_is_silent = true;
    world.register();
    let late = sip_registration::QueryId(0);
    world.wait_for_the_end();
    world.register();
    let addresses = Records::Addresses(vec!["203.0.113.66".parse().unwrap()]);
    world
        .registrant
        .handle_input(world.now, sip_registration::Input::Answer(late, Ok(addresses.clone())));
    world.registrant.handle_input(
        world.now,
        sip_registration::Input::Answer(sip_registration::QueryId(1), Ok(addresses)),
    );
    world.settle();
    assert!(world.wire.is_empty(), "nobody asked the address of the late answer");
    world.is_as_stored();
}
