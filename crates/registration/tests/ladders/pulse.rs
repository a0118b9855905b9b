//! Keep-alives (RFC 5626 §4.4): what is sent while nothing else is, what its answer shows, and what its absence does.

use std::time::Duration;

use sip_registration::{DatagramPing, KeepAlive, Policy, State, Transport};

use crate::peer::BOUND;
use crate::setup::Setup;
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn bound_over(transport: Transport, keep_alive: KeepAlive) -> World {
    let mut world = World::new(Setup::kept().transport(transport).policy(|policy| policy.keep_alive = keep_alive));
    world.register();
    world.wait(SECOND / 100);
    world.reply("200 OK", &[BOUND]);
    world
}

fn datagrams(datagrams: DatagramPing) -> KeepAlive {
    KeepAlive {
        datagrams,
        ..KeepAlive::OFF
    }
}

/// Sent, answered, missed.
fn counted(world: &World) -> (u64, u64, u64) {
    let counters = world.registrant.counters();
    (
        counters.keep_alives_sent,
        counters.keep_alives_answered,
        counters.keep_alives_missed,
    )
}

/// Waits for the next keep-alive that is no request.
fn wait_for_ping(world: &mut World) {
    let before = world.pings.len();
    for _ in 0..1300 {
        world.wait(SECOND / 10);
        if world.pings.len() > before {
            return;
        }
    }
    panic!("nothing keeps the flow alive");
}

#[test]
fn a_stream_whose_peer_answered_once_is_given_up_when_it_answers_no_more() {
    let mut world = bound_over(Transport::Tcp, KeepAlive::default());
    let flow = world.last_request().flow;
    for _ in 0..2 {
        wait_for_ping(&mut world);
        world.deliver(flow, b"\r\n");
    }
    assert_eq!(counted(&world), (2, 2, 0));
    wait_for_ping(&mut world);
    world.wait(13 * SECOND);
    world.is_as_stored();
    assert_eq!(counted(&world), (3, 2, 1));
    assert!(!world.flows[&flow].is_open);
    assert_ne!(world.last_request().flow, flow, "it comes back on another connection");
}

#[test]
fn the_silence_of_a_peer_that_never_answered_proves_nothing() {
    let mut world = bound_over(Transport::Tls, KeepAlive::default());
    let flow = world.last_request().flow;
    for _ in 0..5 {
        wait_for_ping(&mut world);
    }
    world.wait(11 * SECOND);
    assert_eq!(counted(&world), (5, 0, 5));
    assert!(world.flows[&flow].is_open);
    assert_eq!((world.state(), world.wire.len()), (State::Registered, 1));
    for pair in world.pings.windows(2) {
        // The time that the answer was waited for, and 80 to 100 % of two minutes.
        let wait = (pair[1] - pair[0]).as_secs();
        assert!((106..=130).contains(&wait), "{wait} s");
    }
}

#[test]
fn a_line_end_keeps_a_datagram_flow_open_and_waits_for_nothing() {
    let mut world = bound_over(Transport::Udp, datagrams(DatagramPing::Crlf(KeepAlive::DATAGRAM_INTERVAL)));
    let flow = world.last_request().flow;
    world.wait(300 * SECOND);
    let (sent, answered, missed) = counted(&world);
    assert!((10..=13).contains(&sent), "{sent}");
    assert_eq!((answered, missed), (0, 0));
    // Some send the like back, or zeros of their own.
    for echo in [&b"\r\n\r\n"[..], b"\0\0\0\0"] {
        world.deliver(flow, echo);
    }
    assert_eq!(world.registrant.counters().unreadable, 0);
    assert_eq!((world.state(), world.wire.len()), (State::Registered, 1));
}

#[test]
fn whatever_answers_an_options_is_alive_and_two_that_nobody_answers_make_it_refresh() {
    let mut world = bound_over(Transport::Udp, datagrams(DatagramPing::Options(29 * SECOND)));
    for status in ["200 OK", "404 Not Found", "403 Forbidden"] {
        let before = world.wire.len();
        while world.wire.len() == before {
            world.wait(SECOND / 10);
        }
        assert!(world.last_request().bytes.starts_with(b"OPTIONS "));
        world.reply(status, &[]);
    }
    assert_eq!(counted(&world), (3, 3, 0));
    assert_eq!(world.attempts.len(), 1, "a keep-alive is no exchange");
    assert_eq!((world.registrant.counters().strays, world.state()), (0, State::Registered));
    world.wait(29 * SECOND + 2 * 10 * SECOND + 3 * SECOND);
    assert_eq!(counted(&world), (5, 3, 2));
    assert!(world.last_request().bytes.starts_with(b"REGISTER "));
    world.is_as_stored();
}

#[test]
fn a_time_of_zero_between_two_is_none() {
    let none = KeepAlive {
        streams: Some(Duration::ZERO),
        answer_time: Duration::ZERO,
        ..KeepAlive::OFF
    };
    for (transport, keep_alive) in [
        (Transport::Udp, datagrams(DatagramPing::Crlf(Duration::ZERO))),
        (Transport::Udp, datagrams(DatagramPing::Options(Duration::ZERO))),
        (Transport::Tcp, none),
    ] {
        let mut world = bound_over(transport, keep_alive);
        world.wait(100 * SECOND);
        assert_eq!(counted(&world), (0, 0, 0));
    }
}

#[test]
fn a_probe_keeps_nothing_alive_whatever_the_policy_says() {
    let mut world = World::new(
        Setup::probe()
            .policy(|policy| policy.keep_alive = KeepAlive::default())
            .transport(Transport::Tcp),
    );
    world.register();
    world.wait(SECOND / 100);
    world.reply("200 OK", &[BOUND]);
    world.wait(1000 * SECOND);
    assert_eq!(counted(&world), (0, 0, 0));
    assert_eq!(Policy::one_shot().keep_alive, KeepAlive::OFF);
}
