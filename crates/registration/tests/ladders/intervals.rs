//! 423 Interval Too Brief, and what was granted (RFC 3261 §10.2.8, §10.3).

use sip_registration::Goal;

use crate::peer::{BOUND, CHALLENGE};
use crate::setup::Setup;
use crate::world::World;

const TOO_BRIEF: &str = "423 Interval Too Brief";

fn registering(expires: u32) -> World {
    let mut world = World::new(Setup::kept().account(|account| account.expires = expires));
    world.register();
    world
}

#[test]
fn a_longer_interval_is_asked_for_at_once_and_remembered() {
    let mut world = registering(60);
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply(TOO_BRIEF, &["Min-Expires: 120"]);
    world.reply("200 OK", &["Contact: {contact};expires=120"]);
    world.register();
    world.reply("200 OK", &["Contact: {contact};expires=120"]);
    world.is_as_stored();
}

#[test]
fn a_minimum_that_rises_is_followed_twice() {
    let mut world = registering(60);
    for minimum in ["120", "180", "240"] {
        world.reply(TOO_BRIEF, &[&format!("Min-Expires: {minimum}")]);
    }
    world.is_as_stored();
}

#[test]
fn a_minimum_that_is_not_more_than_we_asked_for_leads_nowhere() {
    let mut world = registering(60);
    world.reply(TOO_BRIEF, &["Min-Expires: 60"]);
    world.is_as_stored();
}

#[test]
fn a_minimum_beyond_all_reason_is_not_obeyed() {
    let mut world = registering(60);
    world.reply(TOO_BRIEF, &["Min-Expires: 4294967295"]);
    world.is_as_stored();
}

#[test]
fn no_minimum_leads_nowhere() {
    let mut world = registering(60);
    world.reply(TOO_BRIEF, &["Min-Expires: soon"]);
    world.is_as_stored();
}

#[test]
fn a_registrar_with_one_time_nonces_challenges_again_after_the_interval() {
    let mut world = registering(60);
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply(TOO_BRIEF, &["Min-Expires: 120"]);
    world.reply("401 Unauthorized", &[&CHALLENGE.replace("n1", "n2")]);
    world.reply("200 OK", &["Contact: {contact};expires=120"]);
    world.is_as_stored();
}

#[test]
fn an_un_register_never_turns_into_a_register() {
    let mut world = registering(60);
    world.reply("200 OK", &[BOUND]);
    world.order(Goal::Unregister);
    world.reply(TOO_BRIEF, &["Min-Expires: 120"]);
    world.is_as_stored();
}

#[test]
fn what_was_granted_is_not_what_is_asked_for_next() {
    let mut world = registering(600);
    world.reply("200 OK", &["Contact: {contact};expires=90"]);
    world.register();
    world.reply("200 OK", &["Contact: {contact};expires=7200"]);
    world.register();
    world.reply("200 OK", &["Contact: {contact};expires=600"]);
    world.is_as_stored();
}
