//! Which of the Contacts in a 2xx is ours, and what it was granted (RFC 3261 §10.2.4, RFC 5626 §4.2.1).

use sip_registration::{Cause, Ending, Goal, Notice};

use crate::peer::{self, BOUND};
use crate::setup::{INSTANCE, Setup};
use crate::world::World;

/// Registers and answers with these headers.
fn listed(setup: Setup, headers: &[&str]) -> World {
    let mut world = World::new(setup);
    world.register();
    world.reply("200 OK", headers);
    world
}

fn granted(world: &World) -> Option<u32> {
    world.attempt().binding.as_ref().map(|bound| bound.granted)
}

#[test]
fn the_contacts_own_expires_goes_before_the_header() {
    let world = listed(Setup::probe(), &["Expires: 60", "Contact: {contact};expires=1800"]);
    assert_eq!(granted(&world), Some(1800));
    let world = listed(Setup::probe(), &["Expires: 60", "Contact: {contact}"]);
    assert_eq!(granted(&world), Some(60));
    let world = listed(Setup::probe(), &["Contact: {contact}"]);
    assert_eq!(granted(&world), Some(3600), "nothing said is as asked");
    let world = listed(Setup::probe(), &["Contact: {contact};expires=nonsense", "Expires: 61"]);
    assert_eq!(granted(&world), Some(61));
}

#[test]
fn ours_is_found_among_others() {
    let world = listed(
        Setup::probe(),
        &[
            "Contact: <sip:alice@203.0.113.9:5060>;expires=60;q=0.5, \"Alice\" {contact};expires=900",
            "m: <sip:bob@203.0.113.8>;+sip.instance=\"<urn:uuid:1>\";expires=70",
        ],
    );
    world.is_as_stored();
    assert_eq!((granted(&world), world.attempt().other_bindings.len()), (Some(900), 2));
}

#[test]
fn an_equivalent_uri_is_ours() {
    for contact in [
        "SIP:alice@198.51.100.1:40000",
        "sip:%61lice@198.51.100.1:40000",
        "sip:alice@198.51.100.1:40000;ob",
        "sip:alice@198.51.100.1:40000;x=y",
    ] {
        let world = listed(Setup::probe(), &[&format!("Contact: <{contact}>;expires=900")]);
        assert_eq!(granted(&world), Some(900), "{contact}");
        assert!(world.attempt().notices.is_empty(), "{contact}");
    }
}

#[test]
fn ours_without_a_parameter_that_registrars_drop_is_ours_and_rewritten() {
    let setup = Setup::probe().transport(sip_registration::Transport::Tcp);
    let mut world = World::new(setup);
    world.register();
    world.wait(std::time::Duration::from_millis(10));
    world.reply("200 OK", &["Contact: <sip:alice@198.51.100.1:40000>;expires=900"]);
    assert_eq!(granted(&world), Some(900));
    assert!(matches!(world.attempt().notices.as_slice(), [Notice::ContactRewritten { .. }]));
}

#[test]
fn the_address_that_the_registrar_sees_is_ours() {
    let mut world = World::new(Setup::probe());
    world.register();
    let request = world.last_request().clone();
    let reply = peer::reply(&request.bytes, "200 OK", &["Contact: <sip:alice@203.0.113.77:6060>;expires=900"]);
    let reply = peer::with_via_param(&reply, &peer::seen_from("203.0.113.77:6060".parse().unwrap()));
    world.deliver(request.flow, &reply);
    world.is_as_stored();
    assert_eq!(granted(&world), Some(900));
}

#[test]
fn another_user_or_address_is_not_ours() {
    for contact in [
        "sip:bob@198.51.100.1:40000",
        "sip:alice@198.51.100.1:40001",
        "sip:alice@198.51.100.2:40000",
        "tel:+49301234",
    ] {
        let world = listed(Setup::probe(), &[&format!("Contact: <{contact}>;expires=900")]);
        assert_eq!(world.attempt().ending, Ending::Failed(Cause::BindingNotConfirmed), "{contact}");
    }
}

#[test]
fn with_an_instance_the_instance_decides() {
    let ours = format!("Contact: <sip:rewritten@203.0.113.1>;+sip.instance=\"<{INSTANCE}>\";reg-id=1;expires=900");
    let world = listed(Setup::probe().instance(1), &[&ours]);
    assert_eq!(granted(&world), Some(900));
    let other_flow = ours.replace("reg-id=1", "reg-id=2");
    let world = listed(Setup::probe().instance(1), &[&other_flow]);
    assert_eq!(granted(&world), None);
    let other_device = "Contact: {contact};+sip.instance=\"<urn:uuid:1>\";expires=900";
    let world = listed(Setup::probe().instance(1), &[other_device]);
    assert_eq!(granted(&world), None);
}

#[test]
fn of_two_with_our_instance_the_one_with_our_uri_is_ours() {
    let world = listed(
        Setup::probe().instance(1),
        &[
            &format!("Contact: <sip:alice@198.51.100.1:39999>;+sip.instance=\"<{INSTANCE}>\";expires=17"),
            &format!("Contact: {{contact}};+sip.instance=\"<{INSTANCE}>\";expires=900"),
        ],
    );
    assert_eq!((granted(&world), world.attempt().other_bindings.len()), (Some(900), 1));
    assert!(world.attempt().notices.is_empty());
}

#[test]
fn ours_is_found_behind_a_crowd_and_the_crowd_is_cut() {
    let crowd: Vec<String> = (0..500).map(|at| format!("Contact: <sip:u{at}@203.0.113.9>;expires=60")).collect();
    let mut headers: Vec<&str> = crowd.iter().map(String::as_str).collect();
    headers.truncate(200);
    headers.push(BOUND);
    let world = listed(Setup::probe(), &headers);
    assert_eq!((granted(&world), world.attempt().other_bindings.len()), (Some(3600), 64));
}

#[test]
fn a_star_or_a_broken_contact_is_nobodys() {
    let world = listed(Setup::probe(), &["Contact: *", "Contact: <sip:broken", BOUND]);
    assert_eq!((granted(&world), world.attempt().other_bindings.len()), (Some(3600), 0));
}

#[test]
fn a_grant_beyond_all_reason_breaks_no_clock() {
    let mut world = listed(Setup::kept(), &["Contact: {contact};expires=4294967295"]);
    assert_eq!(granted(&world), Some(u32::MAX));
    assert!(world.next_in().is_some());
    world.is_as_stored();
    world.order(Goal::Unregister);
    world.reply("200 OK", &[]);
}

#[test]
fn a_removal_that_is_still_listed_is_not_confirmed() {
    let mut world = listed(Setup::probe(), &[BOUND]);
    world.order(Goal::Unregister);
    world.reply("200 OK", &["Contact: {contact};expires=3590"]);
    world.is_as_stored();
}

#[test]
fn a_removal_with_others_left_is_confirmed() {
    let mut world = listed(Setup::probe(), &[BOUND]);
    world.order(Goal::Unregister);
    world.reply("200 OK", &["Contact: <sip:bob@203.0.113.8>;expires=70"]);
    world.is_as_stored();
}

#[test]
fn clearing_leaves_nobody() {
    let mut world = listed(Setup::probe(), &[BOUND]);
    world.order(Goal::Clear);
    world.reply("200 OK", &[]);
    world.order(Goal::Clear);
    world.reply("200 OK", &["Contact: <sip:bob@203.0.113.8>;expires=70"]);
    world.is_as_stored();
}

#[test]
fn fetching_touches_nothing_and_lists_everybody() {
    let mut world = World::new(Setup::probe());
    world.order(Goal::Fetch);
    world.reply("401 Unauthorized", &[peer::CHALLENGE]);
    world.reply(
        "200 OK",
        &["Contact: <sip:alice@198.51.100.1:40000>;expires=70;q=0.7, <sip:b@203.0.113.8>;expires=80"],
    );
    world.is_as_stored();
    let listed = &world.attempt().other_bindings;
    assert_eq!(listed.len(), 2);
    assert_eq!((listed[0].q.as_deref(), listed[0].expires_s), (Some("0.7"), Some(70)));
}

#[test]
fn a_ping_is_answered_by_any_sign_of_life() {
    let mut world = World::new(Setup::probe());
    for status in [
        "200 OK",
        "404 Not Found",
        "405 Method Not Allowed",
        "486 Busy Here",
        "603 Decline",
        "302 Moved",
    ] {
        world.order(Goal::Ping);
        world.reply(status, &[]);
        assert_eq!(world.attempt().ending, Ending::Succeeded, "{status}");
    }
    world.is_as_stored();
}
