//! 3xx (RFC 3261 §8.1.3.4): reported always, followed when asked, once, and never with credentials to another host.

use std::time::Duration;

use sip_registration::{Goal, Transport};

use crate::peer::{BOUND, CHALLENGE};
use crate::setup::Setup;
use crate::world::World;

const MOVED: &str = "302 Moved Temporarily";
const ELSEWHERE: &str = "Contact: <sip:alice@192.0.2.20:5080>";

fn registering(setup: Setup) -> World {
    let mut world = World::new(setup);
    world.register();
    world
}

fn following() -> World {
    registering(Setup::probe().follow_redirects())
}

#[test]
fn a_redirect_is_reported_and_not_followed() {
    let mut world = registering(Setup::probe());
    world.reply(MOVED, &[ELSEWHERE, "Contact: \"Bob\" <sip:192.0.2.30>;q=0.5"]);
    world.is_as_stored();
}

#[test]
fn a_redirect_is_followed_when_asked() {
    let mut world = following();
    world.reply(MOVED, &[ELSEWHERE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_second_redirect_is_not_followed() {
    let mut world = following();
    world.reply(MOVED, &[ELSEWHERE]);
    world.reply(MOVED, &["Contact: <sip:192.0.2.30>"]);
    world.is_as_stored();
}

#[test]
fn another_host_gets_no_credentials() {
    let mut world = following();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply(MOVED, &[ELSEWHERE]);
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.is_as_stored();
}

#[test]
fn the_same_host_at_another_port_gets_credentials() {
    let mut world = following();
    world.reply(MOVED, &["Contact: <sip:192.0.2.10:5090;transport=tcp>"]);
    world.wait(Duration::from_millis(10));
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_redirect_to_nowhere_is_not_followed() {
    let mut world = following();
    world.reply(MOVED, &["Contact: <tel:+4930123456>", "Contact: nonsense"]);
    world.is_as_stored();
}

#[test]
fn a_redirect_to_a_name_that_does_not_exist() {
    let mut world = following();
    world.reply(MOVED, &["Contact: <sip:gone.example.test:5060>"]);
    world.wait_for_the_end();
    world.is_as_stored();
}

#[test]
fn sips_is_not_left_for_sip() {
    let mut world = registering(Setup::probe().registrar("sips:192.0.2.10").follow_redirects());
    world.wait(Duration::from_millis(10));
    world.reply(MOVED, &["Contact: <sip:192.0.2.10>"]);
    world.is_as_stored();
}

#[test]
fn who_asked_for_tls_is_redirected_over_tls() {
    let mut world = registering(Setup::probe().transport(Transport::Tls).follow_redirects());
    world.wait(Duration::from_millis(10));
    world.reply(MOVED, &["Contact: <sip:192.0.2.20;transport=udp>"]);
    world.wait(Duration::from_millis(10));
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn the_outbound_proxy_stays_the_next_hop() {
    let mut world = registering(Setup::probe().proxy("sip:192.0.2.99;lr").follow_redirects());
    world.reply(MOVED, &[ELSEWHERE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_removal_goes_to_where_the_binding_was_made() {
    let mut world = following();
    world.reply(MOVED, &[ELSEWHERE]);
    world.reply("200 OK", &[BOUND]);
    world.order(Goal::Unregister);
    world.reply("200 OK", &[]);
    world.is_as_stored();
}

#[test]
fn a_removal_by_itself_is_redirected_like_a_registration() {
    let mut world = World::new(Setup::probe().follow_redirects());
    world.order(Goal::Unregister);
    world.reply(MOVED, &[ELSEWHERE]);
    world.reply("200 OK", &[]);
    world.is_as_stored();
}

#[test]
fn a_removal_at_another_host_gets_no_credentials_either() {
    let mut world = World::new(Setup::kept().follow_redirects());
    world.bind();
    world.register();
    world.reply(MOVED, &[ELSEWHERE]);
    world.order(Goal::Unregister);
    world.reply("200 OK", &[]);
    world.is_as_stored();
}
