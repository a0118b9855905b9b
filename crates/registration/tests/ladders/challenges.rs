//! Answering challenges: first ones, stale ones, several at once, those of a refused password, and credentials sent ahead.

use std::time::Duration;

use sip_digest::{Algorithm, Secret};
use sip_registration::{Cause, Ending, FindingId, Goal};

use crate::peer::{ANOTHER_NONCE, BOUND, CHALLENGE, PROXY_CHALLENGE, STALE};
use crate::setup::{PASSWORD, Setup, password};
use crate::world::World;

const UNAUTHORIZED: &str = "401 Unauthorized";

fn registering(setup: Setup) -> World {
    let mut world = World::new(setup);
    world.register();
    world
}

/// Bound, and refreshing with credentials sent ahead.
fn refreshing() -> World {
    let mut world = World::new(Setup::kept());
    world.bind();
    world.register();
    world
}

#[test]
fn the_right_password_registers() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_registrar_without_challenge_registers_at_once() {
    let mut world = registering(Setup::probe());
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_wrong_password_is_tried_once() {
    let mut world = registering(Setup::probe().secret(password("wrong")));
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.wait(Duration::from_secs(3600));
    world.is_as_stored();
}

#[test]
fn a_refusal_with_a_new_nonce_is_no_other_than_with_the_old_one() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply(UNAUTHORIZED, &[ANOTHER_NONCE]);
    world.is_as_stored();
}

#[test]
fn a_stale_nonce_is_replaced_once() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply(UNAUTHORIZED, &[STALE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_nonce_that_is_always_stale_ends_in_a_stale_loop() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply(UNAUTHORIZED, &[STALE]);
    world.reply(UNAUTHORIZED, &[&STALE.replace("n2", "n3")]);
    world.is_as_stored();
}

#[test]
fn a_stale_challenge_of_a_weaker_algorithm_is_not_answered() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply(UNAUTHORIZED, &[&STALE.replace("SHA-256", "MD5")]);
    let attempt = world.attempt();
    assert_eq!((attempt.ending, attempt.requests), (Ending::Failed(Cause::WrongCredentials), 2));
    let report = crate::picture::report(&world.setup, attempt);
    let ids: Vec<_> = report.findings.iter().map(|finding| finding.id).collect();
    assert!(
        ids.contains(&FindingId::ChallengeChanged) && ids.contains(&FindingId::DigestDowngraded),
        "{ids:?}"
    );
}

#[test]
fn a_refusal_without_challenge_says_so() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply(UNAUTHORIZED, &[]);
    world.is_as_stored();
}

#[test]
fn a_refusal_with_a_challenge_that_nobody_can_answer_is_a_refusal() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply(
        UNAUTHORIZED,
        &["WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n2\", algorithm=AKAv1-MD5"],
    );
    world.is_as_stored();
}

#[test]
fn a_forbidden_after_credentials_makes_them_suspect() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("403 Forbidden (Bad auth)", &[]);
    world.is_as_stored();
    let report = crate::picture::report(&world.setup, world.attempt());
    assert!(
        report.advice.unwrap().contains("password"),
        "the advice says to suspect the credentials"
    );
}

#[test]
fn no_password_and_a_challenge_is_missing_credentials() {
    let mut world = registering(Setup::probe().secret(None));
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.is_as_stored();
}

#[test]
fn the_strongest_of_several_challenges_is_answered() {
    let mut world = registering(Setup::probe());
    let md5 = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"m1\", algorithm=MD5, qop=\"auth\"";
    let aka = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"a1\", algorithm=AKAv1-MD5";
    let broken = "WWW-Authenticate: Digest realm=\"";
    world.reply(UNAUTHORIZED, &[md5, aka, broken, CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn only_md5_is_answered_and_called_weak() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &["WWW-Authenticate: Digest realm=\"example.test\", nonce=\"m1\""]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn integrity_protection_is_used_when_it_is_the_only_one_offered() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[&CHALLENGE.replace("\"auth\"", "\"auth-int\"")]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn nothing_that_can_be_answered_lists_what_was_offered() {
    let mut world = registering(Setup::probe());
    world.reply(
        UNAUTHORIZED,
        &[
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=AKAv2-SHA-256",
            "WWW-Authenticate: Basic realm=\"r\"",
        ],
    );
    world.is_as_stored();
}

#[test]
fn proxy_and_registrar_both_challenge() {
    let mut world = registering(Setup::probe());
    world.reply("407 Proxy Authentication Required", &[PROXY_CHALLENGE]);
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn one_reply_with_the_challenges_of_both_is_answered_at_once() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[PROXY_CHALLENGE, CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_precomputed_ha1_answers_its_own_hash_only() {
    let secret = Secret::ha1(Algorithm::Md5, "0123456789abcdef0123456789abcdef").unwrap();
    let mut world = registering(Setup::probe().secret(Some(secret)));
    let md5 = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"m1\", algorithm=MD5, qop=\"auth\"";
    world.reply(UNAUTHORIZED, &[CHALLENGE, md5]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_precomputed_ha1_of_another_hash_cannot_answer() {
    let secret = Secret::ha1(Algorithm::Md5, "0123456789abcdef0123456789abcdef").unwrap();
    let mut world = registering(Setup::probe().secret(Some(secret)));
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.is_as_stored();
}

#[test]
fn another_user_for_authentication_is_named_in_the_credentials() {
    let mut world = registering(Setup::probe().account(|account| account.auth_user = Some("trunk-17".into())));
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    assert!(String::from_utf8_lossy(&world.last_request().bytes).contains("username=\"trunk-17\""));
    world.is_as_stored();
}

#[test]
fn a_refresh_sends_the_credentials_ahead_and_counts_on() {
    let mut world = refreshing();
    world.reply("200 OK", &[BOUND]);
    world.register();
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_policy_without_credentials_ahead_begins_each_exchange_without_any() {
    let mut world = World::new(Setup::kept().policy(|policy| policy.credentials_ahead = false));
    world.bind();
    for _ in 0..2 {
        world.register();
        let first = String::from_utf8_lossy(&world.last_request().bytes).into_owned();
        assert!(!first.contains("Authorization"), "{first}");
        world.reply(UNAUTHORIZED, &[CHALLENGE]);
        let second = String::from_utf8_lossy(&world.last_request().bytes).into_owned();
        assert!(
            second.contains("nc=00000001"),
            "the nonce is counted from its challenge on: {second}"
        );
        world.reply("200 OK", &[BOUND]);
        assert_eq!((world.attempt().requests, world.attempt().auth.challenged), (2, true));
    }
}

#[test]
fn credentials_sent_ahead_meet_a_new_nonce() {
    let mut world = refreshing();
    world.reply(UNAUTHORIZED, &[ANOTHER_NONCE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn credentials_sent_ahead_meet_a_stale_nonce_that_does_not_count_as_a_retry() {
    let mut world = refreshing();
    world.reply(UNAUTHORIZED, &[STALE]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.attempt().auth.stale_retries, 0);
    world.is_as_stored();
}

#[test]
fn credentials_sent_ahead_that_are_forbidden_give_way_to_a_bare_request() {
    let mut world = refreshing();
    world.reply("403 Forbidden", &[]);
    world.reply(UNAUTHORIZED, &[ANOTHER_NONCE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn credentials_sent_ahead_that_are_refused_without_challenge_give_way_to_a_bare_request() {
    let mut world = refreshing();
    world.reply(UNAUTHORIZED, &[]);
    world.reply(UNAUTHORIZED, &[ANOTHER_NONCE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_bare_request_that_is_forbidden_too_is_forbidden() {
    let mut world = refreshing();
    world.reply("403 Forbidden", &[]);
    world.reply("403 Forbidden", &[]);
    world.is_as_stored();
}

#[test]
fn the_password_was_changed_behind_our_back() {
    let mut world = refreshing();
    world.reply(UNAUTHORIZED, &[ANOTHER_NONCE]);
    world.reply(UNAUTHORIZED, &[&ANOTHER_NONCE.replace("n2", "n3")]);
    world.wait(Duration::from_secs(1800));
    world.is_as_stored();
}

#[test]
fn a_count_that_an_interrupted_request_used_is_not_used_again() {
    let mut world = refreshing();
    world.order(Goal::Unregister);
    world.reply("200 OK", &[]);
    world.is_as_stored();
}

#[test]
fn an_un_register_answers_its_own_challenge() {
    let mut world = World::new(Setup::kept());
    world.bind();
    world.order(Goal::Unregister);
    world.reply(UNAUTHORIZED, &[ANOTHER_NONCE]);
    world.reply("200 OK", &[]);
    world.is_as_stored();
}

#[test]
fn an_un_register_from_scratch_passes_through_states_8_and_9() {
    let mut world = World::new(Setup::probe());
    world.order(Goal::Unregister);
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("200 OK", &[]);
    world.is_as_stored();
}

#[test]
fn a_challenge_from_another_address_is_never_answered() {
    let mut world = registering(Setup::probe());
    let request = world.last_request().clone();
    let challenge = crate::peer::reply(&request.bytes, UNAUTHORIZED, &[CHALLENGE]);
    world.deliver_from("203.0.113.66:5060".parse().unwrap(), request.flow, &challenge);
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn the_password_itself_is_nowhere_on_the_wire() {
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    for sent in &world.wire {
        assert!(!String::from_utf8_lossy(&sent.bytes).contains(PASSWORD));
    }
}
