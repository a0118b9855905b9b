//! What who looks on is told: every message once, with what was decided about it (`Registrant::tap`).

use std::time::Duration;

use sip_registration::{Closed, Direction, Tapped, Transport};

use crate::peer::{self, BOUND, CHALLENGE};
use crate::setup::Setup;
use crate::world::World;

/// A world in which somebody looks on, with a REGISTER on its way.
fn watched(setup: Setup) -> World {
    let mut world = World::new(setup);
    world.registrant.tap();
    world.register();
    world.wait(Duration::from_millis(10));
    world
}

fn tapped(world: &mut World) -> Vec<Tapped> {
    std::iter::from_fn(|| world.registrant.poll_tapped()).collect()
}

/// Which way each went, and its decision.
fn decisions(world: &mut World) -> Vec<String> {
    let arrow = |direction| match direction {
        Direction::Sent => '→',
        Direction::Received => '←',
    };
    let tapped = tapped(world).into_iter();
    tapped
        .map(|tapped| format!("{} {}", arrow(tapped.direction), tapped.decision))
        .collect()
}

#[test]
fn nothing_is_kept_before_somebody_looks_on() {
    let mut world = World::new(Setup::probe());
    world.bind();
    assert_eq!(tapped(&mut world), []);
}

#[test]
fn each_message_is_told_with_its_bytes_its_ends_and_what_came_of_it() {
    let mut world = watched(Setup::probe());
    world.reply("100 Trying", &[]);
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    let (first, second) = (world.wire[0].bytes.clone(), world.wire[1].bytes.clone());
    let tapped = tapped(&mut world);
    assert!(tapped.iter().all(|tapped| tapped.transport == Transport::Udp
        && tapped.remote == "192.0.2.10:5060".parse().unwrap()
        && tapped.local.port() != 0));
    let sent: Vec<_> = tapped
        .iter()
        .filter(|tapped| tapped.direction == Direction::Sent)
        .map(|tapped| &tapped.bytes)
        .collect();
    assert_eq!(sent, [&first, &second]);
    assert!(tapped[1].bytes.starts_with(b"SIP/2.0 100 Trying\r\n"));
    let words: Vec<_> = tapped.iter().map(|tapped| tapped.decision.as_str()).collect();
    assert_eq!(words[0], "register: REGISTER 1, without credentials");
    assert_eq!(words[1], "100 Trying; provisional: waits on");
    assert!(
        words[2].starts_with("401 Unauthorized: Digest ") && words[2].contains("; next: REGISTER 2: answering "),
        "{}",
        words[2]
    );
    assert!(
        words[3].starts_with("register: REGISTER 2, answering ") && words[3].contains(" · realm "),
        "{}",
        words[3]
    );
    assert!(
        words[4].starts_with("200 OK: bound for ") && words[4].ends_with("; register succeeded"),
        "{}",
        words[4]
    );
    assert_eq!(words.len(), 5);
}

#[test]
fn a_retransmission_is_told_by_its_number() {
    let mut world = watched(Setup::probe());
    world.wait(Duration::from_millis(1600));
    assert_eq!(
        decisions(&mut world),
        [
            "→ register: REGISTER 1, without credentials",
            "→ register: REGISTER 1, retransmission 1, sent again after 500 ms",
            "→ register: REGISTER 1, retransmission 2, sent again after 1500 ms",
        ]
    );
}

#[test]
fn what_is_passed_over_is_told_with_the_reason() {
    let mut world = watched(Setup::probe());
    let sent = world.last_request().clone();
    let reply = String::from_utf8(peer::reply(&sent.bytes, "401 Unauthorized", &[CHALLENGE])).unwrap();
    let elsewhere = "198.51.100.9:5060".parse().unwrap();
    world.deliver_from(elsewhere, sent.flow, reply.as_bytes());
    world.deliver(sent.flow, reply.replace("CSeq: 1 ", "CSeq: 9 ").as_bytes());
    world.deliver(sent.flow, reply.replace("branch=z9hG4bK", "branch=z9hG4bKx").as_bytes());
    world.deliver(sent.flow, b"\r\n\r\n");
    world.deliver(sent.flow, b"NOT SIP AT ALL");
    world.deliver(sent.flow, b"OPTIONS sip:x SIP/2.0\r\n\r\n");
    world.deliver(sent.flow, reply.as_bytes());
    world.deliver(sent.flow, reply.as_bytes());
    let received: Vec<_> = decisions(&mut world).into_iter().filter(|words| words.starts_with('←')).collect();
    assert_eq!(
        received[..6],
        [
            "← ignored: a challenge from where no request went",
            "← ignored: its Via or CSeq is not that of the request that waits",
            "← ignored: its branch is none of ours",
            "← the other side keeps the flow alive: ignored",
            "← not SIP: NOT SIP AT ALL",
            "← ignored: a request without what an answer has to repeat",
        ]
    );
    assert!(received[6].starts_with("← 401 Unauthorized: "));
    assert_eq!(received[7..], ["← ignored: it came a second time"]);
}

#[test]
fn a_reply_to_a_transaction_that_is_over_is_told_as_such() {
    let mut world = watched(Setup::probe());
    world.reply("401 Unauthorized", &[CHALLENGE]);
    // RFC 3261 §17.1.2.2: timer K lets the first one go after five seconds.
    world.wait(Duration::from_secs(6));
    world.reply_to(0, "401 Unauthorized", &[CHALLENGE]);
    assert_eq!(decisions(&mut world).pop().unwrap(), "← ignored: its transaction is over");
}

#[test]
fn a_request_of_the_other_side_is_told_with_its_answer() {
    let mut world = World::new(Setup::kept());
    world.bind();
    world.registrant.tap();
    let flow = world.last_request().flow;
    let asked = peer::ask("OPTIONS", "sip:alice@198.51.100.1:40000", "1", &[]);
    world.deliver(flow, &asked);
    world.deliver_from("203.0.113.9:5060".parse().unwrap(), flow, &asked);
    let received: Vec<_> = decisions(&mut world).into_iter().filter(|words| words.starts_with('←')).collect();
    assert_eq!(received, ["← OPTIONS: answered 200 OK", "← OPTIONS: not answered"]);
}

#[test]
fn a_stream_is_told_message_by_message_and_what_is_left_of_it_too() {
    let mut world = watched(Setup::probe().transport(Transport::Tcp));
    let sent = world.last_request().clone();
    let trying = peer::reply(&sent.bytes, "100 Trying", &[]);
    let source = world.flows[&sent.flow].endpoint.remote;
    world.deliver_from(
        source,
        sent.flow,
        &[&b"\r\n\r\n"[..], &trying, &trying, &b"SIP/2.0 200 O"[..]].concat(),
    );
    world.close(sent.flow, Closed::Ended);
    let received: Vec<_> = tapped(&mut world)
        .into_iter()
        .filter(|tapped| tapped.direction == Direction::Received)
        .collect();
    let bytes: Vec<&[u8]> = received.iter().map(|tapped| tapped.bytes.as_slice()).collect();
    assert_eq!(bytes, [&b"\r\n\r\n"[..], &trying, &trying, b"SIP/2.0 200 O"]);
    assert!(received[3].decision.starts_with("incomplete: "));
}

#[test]
fn what_cannot_be_cut_into_messages_is_told_whole() {
    let mut world = watched(Setup::probe().transport(Transport::Tcp));
    let sent = world.last_request().clone();
    let trying = peer::reply(&sent.bytes, "100 Trying", &[]);
    let rest = b"SIP/2.0 200 OK\r\nContent-Length: 99999999999\r\n\r\nbody";
    let (start, end) = rest.split_at(9);
    let source = world.flows[&sent.flow].endpoint.remote;
    world.deliver_from(source, sent.flow, &[&trying[..], start].concat());
    world.deliver_from(source, sent.flow, end);
    let last = tapped(&mut world).pop().unwrap();
    assert_eq!(last.bytes, rest);
    assert!(last.decision.starts_with("malformed: "), "{}", last.decision);
    assert_eq!(world.registrant.counters().unreadable, 1);
}
