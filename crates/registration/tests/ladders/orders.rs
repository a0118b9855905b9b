//! The user's orders: in the middle of an exchange, one after the other, taken back, and the way out.

use std::time::Duration;

use sip_registration::{Ending, Goal, State};

use crate::peer::{ANOTHER_NONCE, BOUND, CHALLENGE};
use crate::setup::{PASSWORD, Setup, password};
use crate::world::World;

fn bound() -> World {
    let mut world = World::new(Setup::kept());
    world.bind();
    world
}

#[test]
fn an_order_waits_for_its_turn() {
    let mut world = World::new(Setup::probe());
    world.register();
    world.order(Goal::Ping);
    world.order(Goal::Fetch);
    world.order(Goal::Ping);
    world.reply("200 OK", &[BOUND]);
    world.reply("200 OK", &[]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
    let goals: Vec<Goal> = world.attempts.iter().map(|attempt| attempt.goal).collect();
    assert_eq!(goals, [Goal::Register, Goal::Ping, Goal::Fetch]);
}

#[test]
fn a_removal_interrupts_a_registration() {
    let mut world = World::new(Setup::probe());
    world.register();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.order(Goal::Unregister);
    // The reply to the REGISTER comes too late.
    world.reply_to(1, "200 OK", &[BOUND]);
    world.reply("401 Unauthorized", &[ANOTHER_NONCE]);
    world.reply("200 OK", &[]);
    world.is_as_stored();
    assert!(world.attempts[0].may_be_bound);
}

#[test]
fn the_last_word_is_the_removal() {
    let mut world = bound();
    world.order(Goal::Unregister);
    world.register();
    world.order(Goal::Unregister);
    world.reply("200 OK", &[]);
    world.wait(Duration::from_secs(4000));
    assert_eq!(world.state(), State::NotRegistered);
    world.is_as_stored();
}

#[test]
fn a_registration_ordered_during_the_removal_follows_it() {
    let mut world = bound();
    world.order(Goal::Unregister);
    world.register();
    world.reply("200 OK", &[]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.state(), State::Registered);
    world.is_as_stored();
}

#[test]
fn an_interrupted_registration_is_over() {
    let mut world = World::new(Setup::kept());
    world.register();
    world.order(Goal::Fetch);
    world.interrupt();
    world.wait(Duration::from_secs(4000));
    world.is_as_stored();
    assert_eq!(world.attempts.len(), 1);
}

#[test]
fn an_interrupted_refresh_does_not_begin_again_by_itself() {
    let mut world = bound();
    world.wait(world.next_in().unwrap());
    world.interrupt();
    world.wait(Duration::from_secs(4000));
    world.is_as_stored();
    assert_eq!(world.attempts.len(), 1);
}

#[test]
fn interrupting_nothing_is_nothing() {
    let mut world = World::new(Setup::probe());
    world.interrupt();
    assert!(world.attempts.is_empty() && world.statuses.is_empty());
}

/// Whether it comes during the refresh, before it, or during a look in between: after an interrupt nothing begins by itself.
#[test]
fn an_interrupt_stops_what_was_to_come_whatever_the_moment() {
    type Moment = fn(&mut World);
    let moments: [Moment; 3] = [
        |_| {},
        |world| world.order(Goal::Fetch),
        |world| world.wait(world.next_in().unwrap()),
    ];
    for moment in moments {
        let mut world = bound();
        moment(&mut world);
        world.interrupt();
        assert_eq!(world.status().next_at, None);
        let sent = world.wire.len();
        world.wait(Duration::from_secs(40_000));
        assert_eq!(world.wire.len(), sent);
        // The binding has ended meanwhile, which is told, and the next order is obeyed.
        assert_eq!(world.state(), State::NotRegistered);
        world.register();
        world.reply("200 OK", &[BOUND]);
        assert!(world.state() == State::Registered && world.status().next_at.is_some());
    }
}

#[test]
fn an_interrupt_stops_the_next_try_and_keeps_what_failed() {
    let mut world = World::new(Setup::kept());
    world.register();
    world.reply("500 Server Internal Error", &[]);
    assert!(world.status().next_at.is_some());
    world.interrupt();
    assert_eq!((world.status().next_at, world.state()), (None, State::RegistrarError));
    let sent = world.wire.len();
    world.wait(Duration::from_secs(40_000));
    assert_eq!(world.wire.len(), sent);
}

#[test]
fn removing_un_registers_first_and_answers_the_challenge() {
    let mut world = bound();
    world.remove();
    world.reply("401 Unauthorized", &[ANOTHER_NONCE]);
    world.reply("200 OK", &[]);
    world.is_as_stored();
    assert!(world.registrant.status(world.key).is_none());
}

#[test]
fn removing_what_is_not_bound_is_done_at_once() {
    let mut world = World::new(Setup::kept());
    world.remove();
    assert!(world.removed && world.wire.is_empty());
    assert_eq!(world.registrant.poll_timeout(), None);
}

#[test]
fn removing_during_a_registration_removes_what_it_may_have_bound() {
    let mut world = World::new(Setup::kept());
    world.register();
    world.remove();
    world.remove();
    world.reply("200 OK", &[]);
    world.is_as_stored();
}

#[test]
fn removing_ends_even_when_the_registrar_is_silent() {
    let mut world = bound();
    world.remove();
    world.wait(Duration::from_secs(33));
    world.is_as_stored();
}

#[test]
fn who_is_leaving_takes_no_more_orders_and_can_be_hurried() {
    let mut world = bound();
    world.remove();
    world.register();
    world.interrupt();
    assert!(world.removed);
    assert!(world.registrant.status(world.key).is_none());
    world.register();
    assert_eq!(world.registrant.poll_timeout(), None);
    world.is_as_stored();
}

#[test]
fn a_look_up_sends_nothing() {
    let mut world = World::new(Setup::probe());
    world.order(Goal::Locate);
    assert!(world.wire.is_empty() && world.flows.is_empty());
    world.is_as_stored();
}

#[test]
fn the_removal_removes_what_was_bound_and_not_what_was_looked_from() {
    let mut world = bound();
    let contact = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.lines()
            .find(|line| line.starts_with("Contact"))
            .map(|line| line.split_once('>').unwrap().0.to_owned())
    };
    let registered = contact(&world.last_request().bytes);
    world.close(
        world.last_request().flow,
        sip_registration::Closed::Unreachable(sip_registration::Obstacle::NoRoute),
    );
    world.order(Goal::Ping);
    world.reply("200 OK", &[]);
    world.order(Goal::Unregister);
    assert_eq!(contact(&world.last_request().bytes), registered);
}

#[test]
fn new_values_refresh_the_binding_at_once_and_do_not_remove_it() {
    let mut world = bound();
    let before = world.wire.len();
    world.renew(|account| account.expires = 120);
    let request = String::from_utf8(world.last_request().bytes.clone()).unwrap();
    assert!(
        request.starts_with("REGISTER ") && request.contains("Expires: 120\r\n"),
        "{request}"
    );
    // Credentials that were accepted may not be this account's any more.
    assert!(!request.contains("Authorization: "), "{request}");
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!((world.wire.len() - before, world.state()), (2, State::Registered));
    let call_ids: std::collections::BTreeSet<_> = world.wire.iter().map(|wire| line(&wire.bytes, "Call-ID: ")).collect();
    assert_eq!(call_ids.len(), 1, "a refresh keeps its Call-ID");
}

fn line(bytes: &[u8], name: &str) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    text.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
}

#[test]
fn a_new_password_is_tried_by_who_waits_for_the_operator() {
    let mut world = World::new(Setup::kept().secret(password("wrong")));
    world.register();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("401 Unauthorized", &[ANOTHER_NONCE]);
    assert!(world.status().waits_for_operator);
    world.renew(|account| account.secret = password(PASSWORD));
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.state(), State::Registered);
}

#[test]
fn new_values_stop_a_registration_that_speaks_with_the_old_ones_and_nothing_else() {
    let mut world = World::new(Setup::kept());
    world.register();
    world.renew(|account| account.expires = 120);
    assert_eq!(world.attempts[0].ending, Ending::Interrupted);
    assert_eq!(line(&world.last_request().bytes, "Expires: "), "Expires: 120");
    world.reply("200 OK", &[BOUND]);
    world.order(Goal::Fetch);
    world.renew(|account| account.expires = 240);
    world.reply("200 OK", &[BOUND]);
    assert_eq!((world.attempts[2].goal, world.attempts[2].ending), (Goal::Fetch, Ending::Succeeded));
    assert_eq!(line(&world.last_request().bytes, "Expires: "), "Expires: 240");
    // Who leaves takes nothing new.
    world.remove();
    let leaving = world.wire.len();
    world.renew(|account| account.expires = 480);
    assert_eq!(world.wire.len(), leaving);
}

/// RFC 3261 §17.1.2.2: what goes out again is the same request, although the account behind it is another one by now.
#[test]
fn new_values_do_not_change_a_request_that_goes_out_again() {
    let mut world = bound();
    world.order(Goal::Fetch);
    let first = world.last_request().bytes.clone();
    world.renew(|account| {
        account.user_agent = "another/2".into();
        account.secret = password("another password");
    });
    world.wait(Duration::from_secs(2));
    let sent: Vec<&[u8]> = world.wire.iter().map(|wire| &*wire.bytes).rev().take(3).collect();
    assert_eq!(sent, [&*first; 3], "{}", String::from_utf8_lossy(sent[0]));
    // The challenge is answered by whom the request is from.
    world.reply("401 Unauthorized", &[ANOTHER_NONCE]);
    assert_eq!(line(&world.last_request().bytes, "User-Agent: "), line(&first, "User-Agent: "));
    // What follows is the new account's, and takes over no credentials.
    world.reply("200 OK", &[BOUND]);
    let next = String::from_utf8(world.last_request().bytes.clone()).unwrap();
    assert!(
        next.starts_with("REGISTER ") && next.contains("User-Agent: another/2\r\n"),
        "{next}"
    );
    assert!(next.contains("Contact: ") && !next.contains("Authorization: "), "{next}");
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.state(), State::Registered);
}
