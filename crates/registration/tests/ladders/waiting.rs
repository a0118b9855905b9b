//! Between the exchanges: refresh, retry, Retry-After, lapse, and the guard against locked accounts.

use std::time::Duration;

use sip_registration::{Goal, State};

use crate::peer::{ANOTHER_NONCE, BOUND, CHALLENGE};
use crate::setup::Setup;
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn bound() -> World {
    let mut world = World::new(Setup::kept());
    world.bind();
    world
}

/// How long until the next try, after the peer has answered with this.
fn after(world: &mut World, status: &str, headers: &[&str]) -> Option<u64> {
    world.reply(status, headers);
    world.next_in().map(|wait| wait.as_secs())
}

#[test]
fn a_binding_is_refreshed_in_time_and_stays_registered() {
    let mut world = bound();
    let refresh = world.next_in().unwrap();
    assert!((1800..=3240).contains(&refresh.as_secs()), "{refresh:?}");
    world.wait(refresh);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_reply_that_takes_longer_than_it_grants_is_no_binding_any_more() {
    let mut world = World::new(Setup::kept());
    world.register();
    world.wait(2 * SECOND);
    world.reply("200 OK", &["Contact: {contact};expires=1"]);
    assert_eq!((world.state(), world.status().valid_until), (State::NotRegistered, None));
    assert_eq!(world.next_in(), Some(Duration::ZERO));
}

#[test]
fn a_failed_refresh_keeps_the_binding_until_it_lapses() {
    let mut world = bound();
    world.wait(world.next_in().unwrap());
    world.reply("500 Oops", &[]);
    assert!(world.status().valid_until.is_some());
    for _ in 0..2400 {
        world.wait(SECOND);
        if world.state() == State::Registering {
            world.reply("500 Oops", &[]);
        }
    }
    assert!(world.status().valid_until.is_none());
    assert_eq!(world.state(), State::RegistrarError);
}

#[test]
fn a_binding_that_nobody_refreshes_lapses() {
    let mut world = World::new(Setup::probe());
    world.bind();
    world.wait(Duration::from_secs(3599));
    assert_eq!(world.state(), State::Registered);
    world.wait(2 * SECOND);
    world.is_as_stored();
}

#[test]
fn a_machine_that_slept_through_the_lapse_registers_again_at_once() {
    let mut world = bound();
    world.sleep_through(Duration::from_secs(86_400));
    world.wait(SECOND);
    assert_eq!(world.state(), State::Authenticating);
    world.reply("401 Unauthorized", &[ANOTHER_NONCE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn whatever_comes_first_after_the_lapse_nobody_is_told_of_a_binding() {
    let mut world = bound();
    let flow = world.last_request().flow;
    world.sleep_through(Duration::from_secs(3601));
    let before = world.statuses.len();
    world.registrant.handle_input(
        world.now,
        sip_registration::Input::Received {
            flow,
            source: "192.0.2.10:5060".parse().unwrap(),
            bytes: b"junk",
        },
    );
    world.order(Goal::Ping);
    assert!(world.statuses[before..].iter().all(|(_, status)| status.state != State::Registered));
    assert_eq!(world.state(), State::NotRegistered);
}

#[test]
fn waits_double_with_jitter_up_to_half_an_hour() {
    let mut world = World::new(Setup::kept());
    world.register();
    for least in [15, 30, 60, 120, 240, 480, 900, 900, 900] {
        let wait = after(&mut world, "500 Oops", &[]).unwrap();
        assert!((least - 1..=2 * least).contains(&wait), "{wait} of {least}");
        world.wait(Duration::from_secs(wait + 1));
    }
}

#[test]
fn every_retry_is_another_dialog_and_a_success_forgets_the_failures() {
    let mut world = World::new(Setup::kept());
    world.register();
    world.reply("500 Oops", &[]);
    world.wait(31 * SECOND);
    world.reply("500 Oops", &[]);
    world.wait(61 * SECOND);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.status().failures, 0);
    world.is_as_stored();
}

#[test]
fn retry_after_is_obeyed() {
    let mut world = World::new(Setup::kept());
    world.register();
    let wait = after(&mut world, "503 Service Unavailable", &["Retry-After: 600 (maintenance)"]).unwrap();
    assert!((600..=660).contains(&wait), "{wait}");
    world.wait(world.next_in().unwrap());
    let wait = after(&mut world, "503 Service Unavailable", &["Retry-After: 4294967295"]).unwrap();
    assert!((86_400..=95_040).contains(&wait), "{wait}");
    world.wait(world.next_in().unwrap());
    let wait = after(&mut world, "503 Service Unavailable", &["Retry-After: 0"]).unwrap();
    assert!(wait >= 59, "zero is no invitation to hammer: {wait}");
    world.is_as_stored();
}

#[test]
fn refused_credentials_wait_for_the_operator() {
    let mut world = World::new(Setup::kept());
    world.register();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("401 Unauthorized", &[CHALLENGE]);
    assert!(world.status().waits_for_operator);
    assert_eq!(world.registrant.poll_timeout(), None);
    world.wait(Duration::from_secs(86_400));
    assert_eq!(world.wire.len(), 2);
    world.register();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_403_after_credentials_waits_for_the_operator_and_one_before_does_not() {
    let mut world = World::new(Setup::kept());
    world.register();
    assert!(after(&mut world, "403 Forbidden", &[]).is_some());
    assert!(!world.status().waits_for_operator);
    world.register();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    assert!(after(&mut world, "403 Forbidden", &[]).is_none());
    assert!(world.status().waits_for_operator);
}

#[test]
fn credentials_are_tried_as_often_as_the_policy_allows() {
    let mut world = World::new(Setup::kept().policy(|policy| policy.credential_attempts = 3));
    world.register();
    for attempt in 1..=3 {
        world.reply("401 Unauthorized", &[CHALLENGE]);
        world.reply("401 Unauthorized", &[CHALLENGE]);
        assert_eq!(world.status().waits_for_operator, attempt == 3);
        world.wait(world.next_in().unwrap_or_default());
    }
    assert_eq!(world.attempts.len(), 3);
}

#[test]
fn a_probe_does_nothing_by_itself_and_waits_for_nobody() {
    let mut world = World::new(Setup::probe());
    world.register();
    world.reply("500 Oops", &[]);
    let status = world.status();
    assert_eq!((status.next_at, status.waits_for_operator), (None, false));
    assert_eq!(world.registrant.poll_timeout(), None);
}

#[test]
fn a_look_at_the_bindings_changes_nothing_about_the_next_try() {
    let mut world = World::new(Setup::kept());
    world.register();
    world.reply("500 Oops", &[]);
    let due = world.status().next_at;
    world.order(Goal::Fetch);
    assert_eq!(world.state(), State::RegistrarError);
    world.reply("200 OK", &[]);
    assert_eq!(world.status().next_at, due);
    world.wait(31 * SECOND);
    assert_eq!(world.state(), State::Registering);
    world.is_as_stored();
}

#[test]
fn a_failed_removal_is_told_and_not_repeated() {
    let mut world = bound();
    world.order(Goal::Unregister);
    world.reply("500 Oops", &[]);
    assert_eq!(world.status().next_at, None);
    assert!(world.status().valid_until.is_some());
    world.wait(Duration::from_secs(4000));
    world.is_as_stored();
}
