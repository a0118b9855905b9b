//! Streams: opening, TLS, framing, a connection that is lost while bound, and flows that several registrations share (RFC 5626 §4).

use std::sync::Arc;
use std::time::Duration;

use sip_registration::{Action, Closed, Event, Goal, Input, Opened, Registrant, State, TlsFailure, Transport};

use crate::peer::{self, BOUND, CHALLENGE};
use crate::setup::Setup;
use crate::world::{Door, World};

fn over(transport: Transport) -> World {
    let mut world = World::new(Setup::kept().transport(transport));
    world.register();
    world.wait(Duration::from_millis(10));
    world
}

#[test]
fn tcp_and_tls_phases_are_told_apart() {
    let mut world = over(Transport::Tls);
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
    let phases = world.attempt().phases;
    assert_eq!(
        (phases.connect, phases.tls),
        (Some(Duration::from_millis(2)), Some(Duration::from_millis(3)))
    );
    assert!(world.attempt().tls.as_ref().is_some_and(|tls| tls.verified));
}

#[test]
fn a_reply_may_come_byte_by_byte_and_behind_keep_alives() {
    let mut world = over(Transport::Tcp);
    let request = world.last_request().clone();
    let mut stream = b"\r\n\r\n".to_vec();
    stream.extend(peer::reply(&request.bytes, "100 Trying", &[]));
    stream.extend(peer::reply(&request.bytes, "200 OK", &[BOUND]));
    let source = world.flows[&request.flow].endpoint.remote;
    for byte in stream {
        let bytes = &[byte];
        world.registrant.handle_input(
            world.now,
            Input::Received {
                flow: request.flow,
                source,
                bytes,
            },
        );
    }
    world.settle();
    assert_eq!(world.state(), State::Registered);
}

#[test]
fn two_messages_in_one_read_are_two() {
    let mut world = over(Transport::Tcp);
    let request = world.last_request().clone();
    let mut both = peer::reply(&request.bytes, "401 Unauthorized", &[CHALLENGE]);
    both.extend(peer::reply(&request.bytes, "401 Unauthorized", &[CHALLENGE]));
    world.deliver(request.flow, &both);
    assert_eq!(world.registrant.counters().strays, 1);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_stream_that_cannot_be_framed_is_closed() {
    let mut world = over(Transport::Tcp);
    let flow = world.last_request().flow;
    world.deliver(flow, b"SIP/2.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
    world.is_as_stored();
    assert!(!world.flows[&flow].is_open);
}

#[test]
fn an_endless_header_is_cut_off() {
    let mut world = over(Transport::Tcp);
    let flow = world.last_request().flow;
    let source = world.flows[&flow].endpoint.remote;
    let bytes = vec![b'x'; 4096];
    for _ in 0..64 {
        world.registrant.handle_input(
            world.now,
            Input::Received {
                flow,
                source,
                bytes: &bytes,
            },
        );
        world.settle();
    }
    assert_eq!(world.attempts.len(), 1);
    assert!(!world.flows[&flow].is_open);
    world.is_as_stored();
}

#[test]
fn a_connection_lost_while_bound_is_made_again_within_two_seconds() {
    let mut world = over(Transport::Tcp);
    world.reply("200 OK", &[BOUND]);
    world.wait(Duration::from_secs(100));
    world.close(world.last_request().flow, Closed::Ended);
    assert!(world.next_in().unwrap() <= Duration::from_secs(2));
    assert_eq!(world.state(), State::Registered);
    world.wait(Duration::from_secs(3));
    assert_eq!(world.wire.len(), 2);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_removal_after_the_address_changed_removes_both_contacts() {
    let mut world = over(Transport::Tcp);
    world.reply("200 OK", &[BOUND]);
    world.close(world.last_request().flow, Closed::Ended);
    world.wait(Duration::from_secs(3));
    world.reply("500 Oops", &[]);
    world.order(Goal::Unregister);
    world.reply("200 OK", &[]);
    world.is_as_stored();
}

#[test]
fn a_removal_after_a_refresh_from_another_address_removes_the_contact_before_it_too() {
    let mut world = over(Transport::Tcp);
    let contacts = |world: &World| {
        let text = String::from_utf8(world.last_request().bytes.clone()).unwrap();
        let contacts = text.lines().filter(|line| line.starts_with("Contact: "));
        contacts.map(|line| line.split(';').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let former = contacts(&world);
    world.reply("200 OK", &[BOUND]);
    world.close(world.last_request().flow, Closed::Ended);
    world.wait(Duration::from_secs(3));
    let present = contacts(&world);
    assert_ne!(former, present);
    world.reply("200 OK", &[BOUND]);
    world.order(Goal::Unregister);
    assert_eq!(contacts(&world), [present.clone(), former].concat());
    world.reply("200 OK", &[]);
    world.order(Goal::Register);
    world.reply("200 OK", &[BOUND]);
    world.order(Goal::Unregister);
    assert_eq!(contacts(&world), present, "what is removed is not removed again");
}

#[test]
fn a_removal_that_leaves_the_former_contact_is_not_confirmed() {
    let mut world = over(Transport::Tcp);
    world.reply("200 OK", &[BOUND]);
    world.close(world.last_request().flow, Closed::Ended);
    world.wait(Duration::from_secs(3));
    world.reply("500 Oops", &[]);
    world.order(Goal::Unregister);
    world.reply("200 OK", &["Contact: <sip:alice@198.51.100.1:40000;transport=tcp>;expires=3000"]);
    assert_eq!(world.attempt().ending.cause(), Some(sip_registration::Cause::BindingNotConfirmed));
}

#[test]
fn a_connection_lost_during_a_look_is_made_again_too() {
    let mut world = over(Transport::Tcp);
    world.reply("200 OK", &[BOUND]);
    world.order(Goal::Fetch);
    world.close(world.last_request().flow, Closed::Reset);
    assert!(world.next_in().unwrap() <= Duration::from_secs(2));
    assert_eq!(world.state(), State::Registered);
}

#[test]
fn a_connection_that_delivers_no_reply_is_given_up() {
    let mut world = over(Transport::Tcp);
    let first = world.last_request().flow;
    world.wait(Duration::from_secs(33));
    assert_eq!(world.state(), State::RegisterTimeout);
    assert!(!world.flows[&first].is_open);
    world.wait(Duration::from_secs(31));
    assert_ne!(world.last_request().flow, first, "the next try is on another connection");
}

#[test]
fn a_refresh_stays_on_the_connection() {
    let mut world = over(Transport::Tcp);
    world.reply("200 OK", &[BOUND]);
    world.register();
    assert_eq!(world.wire[0].flow, world.wire[1].flow);
    assert_eq!(world.flows.len(), 1);
}

#[test]
fn a_connection_that_does_not_open_is_given_up_and_closed() {
    let mut world = World::new(Setup::probe().transport(Transport::Tcp));
    world.doors.push(("192.0.2.10:5060".parse().unwrap(), Door::Silent));
    world.register();
    world.wait_for_the_end();
    world.is_as_stored();
}

#[test]
fn the_certificate_that_was_refused_is_reported() {
    let mut world = World::new(Setup::probe().transport(Transport::Tls));
    let names = vec!["other.test".into(), "\u{1b}[31mred".into()];
    let closed = Closed::Tls(TlsFailure::NameMismatch(names), None);
    world.doors.push(("192.0.2.10:5061".parse().unwrap(), Door::Shut(closed)));
    world.register();
    world.wait_for_the_end();
    world.is_as_stored();
}

#[test]
fn removing_the_registration_closes_its_flow() {
    let mut world = over(Transport::Tcp);
    world.reply("200 OK", &[BOUND]);
    world.remove();
    world.reply("200 OK", &[]);
    assert!(world.removed && world.flows.values().all(|flow| !flow.is_open));
    assert_eq!(world.registrant.poll_timeout(), None);
    world.is_as_stored();
}

/// Two accounts at one registrar: one connection, closed when the last of them leaves; lost for both at once.
#[test]
fn registrations_at_one_registrar_share_its_connection() {
    let world = World::new(Setup::kept().transport(Transport::Tcp));
    let (mut registrant, now) = (Registrant::new([1; 32], world.setup.policy.clone()), world.origin);
    let account = world.setup.shared_account();
    let keys = [registrant.add(now, Arc::clone(&account)), registrant.add(now, account)];
    keys.iter().for_each(|key| registrant.register(now, *key));
    let actions: Vec<Action> = std::iter::from_fn(|| registrant.poll_action()).collect();
    let [Action::Open(flow, endpoint)] = actions.as_slice() else {
        panic!("one connection for both: {actions:?}")
    };
    let opened = Opened {
        local: "198.51.100.1:40000".parse().unwrap(),
        connected_at: Some(now),
        tls: None,
    };
    registrant.handle_input(now, Input::Opened(*flow, opened));
    let mut bytes = Vec::new();
    let mut requests = Vec::new();
    while registrant.poll_transmit(&mut bytes).is_some() {
        requests.push(bytes.clone());
    }
    assert_eq!(requests.len(), 2);
    for request in &requests {
        let reply = peer::reply(request, "200 OK", &[BOUND]);
        registrant.handle_input(
            now,
            Input::Received {
                flow: *flow,
                source: endpoint.remote,
                bytes: &reply,
            },
        );
    }
    assert!(keys.iter().all(|key| registrant.status(*key).unwrap().state == State::Registered));
    registrant.handle_input(now, Input::Closed(*flow, Closed::Ended));
    for key in keys {
        assert!(registrant.status(key).unwrap().next_at.unwrap() <= now + Duration::from_secs(2));
    }
    while registrant.poll_event().is_some_and(|(_, event)| !matches!(event, Event::Removed)) {}
    assert_eq!(registrant.poll_action(), None, "a flow that is gone is not closed again");
}

/// Four accounts on a connection that has no room: what waits stays with the core, keeps its order, and is not sent once it is given up.
#[test]
fn requests_for_a_congested_flow_wait_and_those_given_up_are_never_sent() {
    let world = World::new(Setup::kept().transport(Transport::Tcp));
    let (mut registrant, now) = (Registrant::new([1; 32], world.setup.policy.clone()), world.origin);
    let account = world.setup.shared_account();
    let keys = [(); 4].map(|()| registrant.add(now, Arc::clone(&account)));
    keys.iter().for_each(|key| registrant.register(now, *key));
    let Some(Action::Open(flow, _)) = registrant.poll_action() else {
        panic!("a connection is wanted")
    };
    let opened = Opened {
        local: "198.51.100.1:40000".parse().unwrap(),
        connected_at: Some(now),
        tls: None,
    };
    registrant.handle_input(now, Input::Opened(flow, opened));
    let mut bytes = Vec::new();
    registrant.handle_input(now, Input::Congested(flow));
    assert_eq!(registrant.poll_transmit(&mut bytes), None);
    registrant.forget(now, keys[1]);
    registrant.handle_input(now, Input::Relieved(flow));
    assert_eq!(registrant.poll_transmit(&mut bytes).map(|transmit| transmit.flow), Some(flow));
    let first = bytes.clone();
    registrant.handle_input(now, Input::Congested(flow));
    assert_eq!(registrant.poll_transmit(&mut bytes), None, "congested again");
    registrant.handle_input(now, Input::Relieved(flow));
    let mut requests = vec![first];
    while registrant.poll_transmit(&mut bytes).is_some() {
        requests.push(bytes.clone());
    }
    requests.sort();
    requests.dedup();
    assert_eq!(requests.len(), 3, "each once, but for the one that is gone");
    registrant.unregister(now, keys[0]);
    registrant.handle_input(now, Input::Congested(flow));
    registrant.handle_input(now, Input::Closed(flow, Closed::Ended));
    assert_eq!(registrant.poll_transmit(&mut bytes), None, "nothing goes to a flow that is gone");
}

#[test]
fn a_request_that_is_due_again_while_there_is_no_room_waits_once() {
    let world = World::new(Setup::kept().transport(Transport::Udp));
    let (mut registrant, mut now) = (Registrant::new([5; 32], world.setup.policy.clone()), world.origin);
    let key = registrant.add(now, world.setup.shared_account());
    registrant.register(now, key);
    let Some(Action::Open(flow, _)) = registrant.poll_action() else {
        panic!("a socket is wanted")
    };
    let opened = Opened {
        local: "198.51.100.1:40000".parse().unwrap(),
        connected_at: None,
        tls: None,
    };
    registrant.handle_input(now, Input::Opened(flow, opened));
    registrant.handle_input(now, Input::Congested(flow));
    let mut bytes = Vec::new();
    for _ in 0..4 {
        assert_eq!(registrant.poll_transmit(&mut bytes), None);
        now = registrant.poll_timeout().unwrap();
        registrant.handle_timeout(now);
    }
    registrant.handle_input(now, Input::Relieved(flow));
    assert!(registrant.poll_transmit(&mut bytes).is_some());
    assert_eq!(registrant.poll_transmit(&mut bytes), None, "the same request again");
}
