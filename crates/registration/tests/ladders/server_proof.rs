//! Authentication-Info: the server's own proof and the next nonce (RFC 7616 §3.5).

use crate::peer::{self, BOUND, CHALLENGE};
use crate::setup::Setup;
use crate::world::World;

fn authenticating() -> World {
    let mut world = World::new(Setup::kept());
    world.register();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world
}

#[test]
fn a_right_proof_authenticates_the_server() {
    let mut world = authenticating();
    let proof = peer::proof(&world.last_request().bytes, None);
    world.reply("200 OK", &[BOUND, &proof]);
    assert_eq!(world.attempt().auth.server_authenticated, Some(true));
    world.is_as_stored();
}

#[test]
fn a_wrong_proof_is_no_registration() {
    let mut world = authenticating();
    world.reply("200 OK", &[BOUND, &format!("Authentication-Info: rspauth=\"{}\"", "0".repeat(64))]);
    assert_eq!(world.attempt().auth.server_authenticated, Some(false));
    assert!(world.attempt().may_be_bound);
    world.is_as_stored();
}

#[test]
fn an_info_without_proof_proves_nothing_and_hurts_nobody() {
    let mut world = authenticating();
    world.reply("200 OK", &[BOUND, "Authentication-Info: nc=00000077, cnonce=\"other\""]);
    assert_eq!(world.attempt().auth.server_authenticated, None);
    world.is_as_stored();
}

#[test]
fn the_next_nonce_is_used_by_the_next_request() {
    let mut world = authenticating();
    let proof = peer::proof(&world.last_request().bytes, Some(b"n9"));
    world.reply("200 OK", &[BOUND, &proof]);
    world.register();
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_next_nonce_without_proof_is_used_too() {
    let mut world = authenticating();
    world.reply("200 OK", &[BOUND, "Authentication-Info: nextnonce=\"n9\""]);
    world.register();
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.attempt().auth.server_authenticated, None);
    world.is_as_stored();
}
