//! Whom credentials are given to: the pinned realm, or the first that was answered, by a digest that is strong enough; and what a
//! registrar that asks for less than before makes of itself.

use std::sync::Arc;
use std::time::Duration;

use sip_digest::Algorithm;
use sip_registration::{Account, Cause, ChallengeRules, DnsError, Ending, FindingId, Goal, RecordKind, Records, Report, Srv, State};

use crate::peer::{BOUND, CHALLENGE, PROXY_CHALLENGE};
use crate::setup::Setup;
use crate::world::World;

const UNAUTHORIZED: &str = "401 Unauthorized";
const PROXY: &str = "407 Proxy Authentication Required";
/// Another realm, with a digest that looks better.
const OTHER: &str = "WWW-Authenticate: Digest realm=\"other\", nonce=\"o1\", algorithm=SHA-512-256, qop=\"auth\"";
const MD5: &str = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"m1\", algorithm=MD5, qop=\"auth\"";
const BARE_SHA: &str = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"b1\", algorithm=SHA-256";

fn registering(setup: Setup) -> World {
    let mut world = World::new(setup);
    world.register();
    world
}

fn pinned(realm: &str) -> Setup {
    Setup::probe().account(|account| pin(account, Some(realm)))
}

fn at_least(min_digest: Algorithm) -> Setup {
    Setup::probe().account(|account| want(account, min_digest))
}

fn pin(account: &mut Account, realm: Option<&str>) {
    account.challenges = realm.map(|realm| {
        Arc::new(ChallengeRules {
            realm: Some(realm.into()),
            ..ChallengeRules::ANY
        })
    });
}

fn want(account: &mut Account, min_digest: Algorithm) {
    account.challenges = Some(Arc::new(ChallengeRules {
        min_digest,
        ..ChallengeRules::ANY
    }));
}

/// Bound, and challenged anew at the next refresh.
fn refreshed_with(setup: Setup, challenges: &[&str]) -> World {
    let mut world = World::new(setup);
    world.bind();
    world.register();
    world.reply(UNAUTHORIZED, challenges);
    world
}

fn report(world: &World) -> Report {
    crate::picture::report(&world.setup, world.attempt())
}

fn finds(world: &World, id: FindingId) -> bool {
    report(world).findings.iter().any(|finding| finding.id == id)
}

/// How many requests carried credentials.
fn answers(world: &World) -> usize {
    let has = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("uthorization: Digest");
    world.wire.iter().filter(|sent| has(&sent.bytes)).count()
}

fn failed(world: &World) -> Option<Cause> {
    world.attempt().ending.cause()
}

#[test]
fn the_pinned_realm_is_answered() {
    let mut world = registering(pinned("example.test"));
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    let report = report(&world);
    assert!(report.registered && report.auth.realm_pinned);
    assert_eq!(report.auth.realm.as_deref(), Some("example.test"));
}

#[test]
fn another_realm_than_the_pinned_one_gets_nothing() {
    let mut world = registering(pinned("example.test"));
    world.reply(UNAUTHORIZED, &[OTHER]);
    world.is_as_stored();
    assert_eq!((answers(&world), failed(&world)), (0, Some(Cause::RealmMismatch)));
    let report = report(&world);
    assert_eq!(report.state, State::InternalError);
    let finding = report
        .findings
        .iter()
        .find(|finding| finding.id == FindingId::ForeignRealm)
        .unwrap();
    for text in [&report.detail, &finding.message] {
        assert!(text.contains("\"example.test\"") && text.contains("\"other\""), "{text}");
    }
}

#[test]
fn realms_are_shown_escaped() {
    let mut world = registering(pinned("exämple\u{202e}.test"));
    world.reply(UNAUTHORIZED, &[&OTHER.replace("other", "ot\x1b[2Jher\u{202e}")]);
    let report = report(&world);
    assert!(
        !report.detail.contains(['\x1b', '\u{202e}']) && report.detail.contains("\\x1b[2J"),
        "{}",
        report.detail
    );
}

#[test]
fn the_pinned_realm_is_answered_although_another_offers_more() {
    let mut world = registering(pinned("example.test"));
    world.reply(UNAUTHORIZED, &[OTHER, MD5]);
    assert!(String::from_utf8_lossy(&world.last_request().bytes).contains("realm=\"example.test\""));
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.attempt().ending, Ending::Succeeded);
    assert!(!finds(&world, FindingId::ForeignRealm));
}

#[test]
fn a_pin_holds_for_a_proxy_too() {
    let mut world = registering(pinned("example.test"));
    world.reply(PROXY, &[PROXY_CHALLENGE]);
    assert_eq!((answers(&world), failed(&world)), (0, Some(Cause::RealmMismatch)));
}

#[test]
fn without_a_pin_registrar_and_proxy_have_a_first_realm_each() {
    let mut world = World::new(Setup::kept());
    world.register();
    world.reply(PROXY, &[PROXY_CHALLENGE]);
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    assert!(!report(&world).auth.realm_pinned);
    world.register();
    world.reply(PROXY, &[&PROXY_CHALLENGE.replace("p1", "p2")]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.attempt().ending, Ending::Succeeded);
    // The registrar's realm is not the proxy's.
    world.register();
    let answered = answers(&world);
    world.reply(PROXY, &[&PROXY_CHALLENGE.replace("proxy.test", "example.test")]);
    assert_eq!((answers(&world), failed(&world)), (answered, Some(Cause::RealmMismatch)));
}

#[test]
fn a_refresh_in_another_realm_gets_nothing_and_the_binding_is_held_until_it_lapses() {
    let mut world = refreshed_with(Setup::kept(), &[OTHER]);
    world.is_as_stored();
    assert_eq!(failed(&world), Some(Cause::RealmMismatch));
    assert!(finds(&world, FindingId::ForeignRealm) && world.status().valid_until.is_some());
    // It is tried again, and asked in the old realm it succeeds.
    let answered = answers(&world);
    world.wait(world.next_in().unwrap());
    world.reply(UNAUTHORIZED, &[OTHER]);
    assert_eq!((answers(&world), failed(&world)), (answered, Some(Cause::RealmMismatch)));
    world.wait(world.next_in().unwrap());
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.state(), State::Registered);
}

#[test]
fn a_realm_that_changes_within_an_exchange_gets_nothing() {
    for stale in ["", ", stale=true"] {
        let mut world = registering(Setup::probe());
        world.reply(UNAUTHORIZED, &[CHALLENGE]);
        world.reply(UNAUTHORIZED, &[&(OTHER.to_owned() + stale)]);
        assert_eq!((answers(&world), failed(&world)), (1, Some(Cause::RealmMismatch)), "{stale}");
    }
}

#[test]
fn a_renewed_account_answers_its_new_pin_or_whoever_asks_first() {
    for realm in [Some("new.test"), None] {
        let mut world = refreshed_with(Setup::kept(), &[&CHALLENGE.replace("example.test", "new.test")]);
        assert_eq!(failed(&world), Some(Cause::RealmMismatch));
        world.renew(|account| pin(account, realm));
        world.reply(UNAUTHORIZED, &[&CHALLENGE.replace("example.test", "new.test")]);
        world.reply("200 OK", &[BOUND]);
        assert_eq!(world.attempt().ending, Ending::Succeeded, "{realm:?}");
    }
}

#[test]
fn an_empty_realm_gets_something_only_when_it_is_pinned() {
    let empty = CHALLENGE.replace("example.test", "");
    let mut world = registering(Setup::probe());
    world.reply(UNAUTHORIZED, &[&empty]);
    world.is_as_stored();
    assert_eq!((answers(&world), failed(&world)), (0, Some(Cause::RealmMismatch)));
    let mut world = registering(pinned(""));
    world.reply(UNAUTHORIZED, &[&empty]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.attempt().ending, Ending::Succeeded);
}

#[test]
fn a_ping_that_another_realm_answers_has_been_answered() {
    let mut world = World::new(pinned("example.test"));
    world.order(Goal::Ping);
    world.reply(UNAUTHORIZED, &[OTHER]);
    assert_eq!((answers(&world), world.attempt().ending), (0, Ending::Succeeded));
    assert!(finds(&world, FindingId::ForeignRealm));
}

#[test]
fn a_digest_that_is_too_weak_gets_nothing() {
    let mut world = registering(at_least(Algorithm::Sha256));
    world.reply(UNAUTHORIZED, &[MD5, "WWW-Authenticate: Basic realm=\"example.test\""]);
    world.is_as_stored();
    assert_eq!((answers(&world), failed(&world)), (0, Some(Cause::DigestTooWeak)));
    let report = report(&world);
    assert!(
        report.detail.contains("MD5, Basic") && report.detail.contains("SHA-256"),
        "{}",
        report.detail
    );
    assert_eq!(report.auth.min_digest, "SHA-256");
}

#[test]
fn a_digest_that_is_strong_enough_is_answered() {
    for (min_digest, registers) in [(Algorithm::Md5, true), (Algorithm::Sha256, true), (Algorithm::Sha512_256, false)] {
        let mut world = registering(at_least(min_digest));
        world.reply(UNAUTHORIZED, &[MD5, CHALLENGE]);
        assert_eq!(answers(&world) == 1, registers, "{min_digest}");
    }
}

#[test]
fn a_registrar_that_takes_sha_256_back_is_told_of_and_answered() {
    let mut world = refreshed_with(Setup::kept(), &[MD5]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
    assert_eq!(world.attempt().ending, Ending::Succeeded);
    assert!(finds(&world, FindingId::DigestDowngraded));
    // Again and again, because what is remembered does not shrink.
    world.register();
    world.reply(UNAUTHORIZED, &[&MD5.replace("m1", "m2")]);
    world.reply("200 OK", &[BOUND]);
    assert!(finds(&world, FindingId::DigestDowngraded));
    // And no more when it offers both as before.
    world.register();
    world.reply(UNAUTHORIZED, &[&MD5.replace("m1", "m3"), &CHALLENGE.replace("n1", "n3")]);
    world.reply("200 OK", &[BOUND]);
    assert!(!finds(&world, FindingId::DigestDowngraded));
}

#[test]
fn another_realm_that_offers_less_has_taken_nothing_back() {
    let elsewhere = MD5.replace("example.test", "other");
    let mut world = refreshed_with(Setup::kept(), &[&elsewhere, &CHALLENGE.replace("n1", "n2")]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.attempt().ending, Ending::Succeeded);
    assert!(!finds(&world, FindingId::DigestDowngraded));
}

#[test]
fn a_registrar_that_takes_sha_256_back_gets_nothing_when_it_is_wanted() {
    let kept = Setup::kept().account(|account| want(account, Algorithm::Sha256));
    let mut world = refreshed_with(kept, &[]);
    let answered = answers(&world);
    world.reply(UNAUTHORIZED, &[MD5]);
    assert_eq!((answers(&world), failed(&world)), (answered, Some(Cause::DigestTooWeak)));
    assert!(finds(&world, FindingId::DigestDowngraded));
}

#[test]
fn a_quality_of_protection_that_is_taken_back_is_told_of() {
    let mut world = refreshed_with(Setup::kept(), &[BARE_SHA]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.attempt().ending, Ending::Succeeded);
    let report = report(&world);
    let finding = report.findings.iter().find(|finding| finding.id == FindingId::DigestDowngraded);
    assert!(
        finding.is_some_and(|finding| finding.message.contains("qop")),
        "{:?}",
        report.findings
    );
}

#[test]
fn a_registrar_that_never_offered_more_has_taken_nothing_back() {
    let mut world = World::new(Setup::kept());
    for _ in 0..2 {
        world.register();
        let nonce = format!("m{}", world.wire.len());
        world.reply(UNAUTHORIZED, &[&MD5.replace("m1", &nonce)]);
        world.reply("200 OK", &[BOUND]);
        assert!(!finds(&world, FindingId::DigestDowngraded));
    }
}

/// The registrar of the account's domain, named by an SRV record for this service only.
fn named_by(world: &mut World, service: &'static str) {
    const SERVICES: [&str; 3] = ["_sip._udp.example.test", "_sip._tcp.example.test", "_sips._tcp.example.test"];
    let record = Srv {
        priority: 1,
        weight: 1,
        port: 5099,
        target: "192-0-2-10.example.test".into(),
    };
    world.zone.clear();
    for name in SERVICES {
        let records = if name == service {
            Ok(Records::Srv(vec![record.clone()]))
        } else {
            Err(DnsError::NoRecords)
        };
        world.zone.push((name, RecordKind::Srv, records));
    }
    let addresses = Records::Addresses(vec!["192.0.2.10".parse().unwrap()]);
    world.zone.push(("192-0-2-10.example.test", RecordKind::A, Ok(addresses)));
}

#[test]
fn who_was_answered_over_tls_is_asked_nothing_in_the_clear_whatever_dns_says_later() {
    let mut world = World::new(Setup::kept().registrar("sip:example.test"));
    named_by(&mut world, "_sips._tcp.example.test");
    world.register();
    world.wait(Duration::from_millis(20));
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(report(&world).transport, Some("tls"));
    let sent = world.wire.len();
    named_by(&mut world, "_sip._udp.example.test");
    world.register();
    world.wait(Duration::from_millis(20));
    assert_eq!((world.wire.len(), failed(&world)), (sent, Some(Cause::DnsNotFound)));
    assert!(report(&world).detail.contains("TLS"), "{}", report(&world).detail);
    assert!(world.status().valid_until.is_some());
    // Renewed by the user, who may have wanted that.
    world.renew(|_| {});
    world.wait(Duration::from_millis(20));
    world.reply(UNAUTHORIZED, &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!(report(&world).transport, Some("udp"));
}
