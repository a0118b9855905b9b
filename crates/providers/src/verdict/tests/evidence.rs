//! Levels of evidence, vantages, and registrars with ways of their own.

use super::grid::open;
use super::*;
use crate::{ContactPattern, Level, Service};

fn scene() -> Scene {
    Scene::of(SourceKind::TelnyxUac)
}

fn level(scene: &Scene) -> Level {
    scene.verdict().evidence
}

#[test]
fn each_level_is_what_was_proved_and_no_more() {
    let after = |sight| level(&scene().sandwich(sight, Word::Registered));
    assert_eq!(after(silent()), Level::None);
    let cut_off = Sight::Silent {
        cause: Cause::NoReply,
        detail: String::new(),
        answered: true,
    };
    for sight in [
        cut_off,
        rejected(403, true),
        sick(500),
        Sight::Refused { code: 401 },
        Sight::Challenged { code: 401 },
        open(&[]),
    ] {
        assert_eq!(after(sight.clone()), Level::E0, "{sight:?}");
    }
    assert_eq!(after(bound(&[])), Level::E1);
    assert_eq!(after(bound(&[(PHONE, 60)])), Level::E2);
    assert_eq!(after(bound(&[(PHONE, 60), (GATEWAY, 60)])), Level::E3);
    assert_eq!(after(open(&[(GATEWAY, 60)])), Level::E3);
}

#[test]
fn an_answer_to_options_shows_that_somebody_is_there() {
    let scene = scene().sandwich(silent(), Word::Registered);
    let told = scene.clone().sees(Question::Ping, Sight::Alive { code: 404 });
    assert_eq!(level(&told), Level::E0);
    let not_reached = |code| Sight::NotReached {
        code,
        detail: String::new(),
    };
    assert_eq!(level(&scene.clone().sees(Question::Inbound, not_reached(Some(480)))), Level::E0);
    assert_eq!(level(&scene.sees(Question::Inbound, not_reached(None))), Level::None);
}

#[test]
fn a_binding_is_reached_only_when_nobody_else_can_have_answered() {
    let reached = |at_our_contact| Sight::Reached {
        code: Some(200),
        at_our_contact,
    };
    let told = |listed: &[(&str, u32)], sight| {
        let mut scene = scene().sandwich(bound(listed), Word::Registered).sees(Question::Inbound, sight);
        scene.observations.iter_mut().for_each(|seen| seen.own_contact = Some(PROBE.into()));
        level(&scene)
    };
    assert_eq!(told(&[(GATEWAY, 60)], reached(false)), Level::E5);
    assert_eq!(told(&[(GATEWAY, 60), (PHONE, 60)], reached(false)), Level::E3);
    assert_eq!(told(&[(GATEWAY, 60), (PROBE, 60)], reached(false)), Level::E3);
    // At our own Contact: the registrar forwards, and the provider's binding is not proved by it.
    assert_eq!(told(&[(GATEWAY, 60), (PROBE, 60)], reached(true)), Level::E3);
    assert_eq!(
        told(
            &[(GATEWAY, 60)],
            Sight::NotReached {
                code: Some(480),
                detail: String::new()
            }
        ),
        Level::E3
    );
}

#[test]
fn our_own_contact_at_the_providers_edge_is_reached_by_itself() {
    let mut scene = Scene::of(SourceKind::TelnyxTelephonyCredential);
    scene.expectation.contact = ContactPattern::default();
    let reached = Sight::Reached {
        code: None,
        at_our_contact: true,
    };
    let mut scene = scene
        .sandwich(bound(&[(PROBE, 60)]), Word::Registered)
        .sees(Question::Inbound, reached);
    scene.observations.iter_mut().for_each(|seen| seen.own_contact = Some(PROBE.into()));
    assert_eq!(scene.is(Reason::Registered).evidence, Level::E5);
}

#[test]
fn the_wire_says_what_works_when_the_provider_says_nothing() {
    let service = |sight| scene().sandwich(sight, Word::NotFound).is(Reason::ApiNotFound).service;
    assert_eq!(service(bound(&[(GATEWAY, 60)])), Service::Up);
    assert_eq!(service(bound(&[])), Service::Down);
    assert_eq!(service(bound(&[(PHONE, 60)])), Service::Down);
    assert_eq!(service(silent()), Service::Unknown);
}

fn elsewhere(mut scene: Scene, sight: Sight) -> Scene {
    scene = scene.fetches(sight);
    scene.observations.last_mut().unwrap().vantage = Some("frankfurt".into());
    scene
}

#[test]
fn silence_counts_when_it_is_heard_in_two_places() {
    let scene = elsewhere(scene().twice(silent(), Word::Registered), silent());
    assert_eq!(scene.is(Reason::UnreachableFromTwoVantages).service, Service::Down);
    let scene = elsewhere(self::scene().twice(silent(), Word::Registered), bound(&[(GATEWAY, 60)]));
    scene.is(Reason::ProbeVantageBlocked);
}

#[test]
fn a_403_before_any_question_is_about_the_place_unless_two_places_get_it() {
    let scene = scene().twice(rejected(403, false), Word::Registered);
    scene.is(Reason::ProbeVantageBlocked);
    elsewhere(scene, rejected(403, false)).is(Reason::RegistrarRejects);
    self::scene()
        .twice(rejected(403, true), Word::Registered)
        .is(Reason::RegistrarRejects);
}

#[test]
fn a_403_to_another_secret_says_nothing_about_the_providers() {
    let mut scene = scene().twice(rejected(403, true), Word::Registered);
    let verdict = scene.is(Reason::RegistrarRejects);
    assert!(verdict.advice.unwrap().contains("--other-secret"));
    scene.expectation.same_secret = false;
    scene.is(Reason::ProbeNoCredentials);
}

#[test]
fn a_refusal_of_the_way_is_none_of_the_account() {
    for code in [406, 420, 482, 483, 494] {
        scene().twice(rejected(code, true), Word::Registered).is(Reason::FetchNotSupported);
        let same = Word::RegistrarError { code: Some(code) };
        scene().twice(rejected(code, true), same).is(Reason::ReasonMatches);
    }
    for code in [402, 404, 410, 480, 603] {
        scene().twice(rejected(code, true), Word::Registered).is(Reason::RegistrarRejects);
    }
}

#[test]
fn products_that_list_are_known_by_their_name() {
    let told = |product: Option<&str>| {
        let mut scene = scene().twice(bound(&[]), Word::Registered);
        scene.expectation.listing = Listing::Unknown;
        scene
            .observations
            .iter_mut()
            .for_each(|seen| seen.product = product.map(str::to_owned));
        scene.verdict().reason
    };
    for product in [
        "kamailio (5.8.2 (x86_64/linux))",
        "Asterisk PBX 20.5",
        "FreeSWITCH-mod_sofia/1.10.11",
        "regprobe/0.3.0",
    ] {
        assert_eq!(told(Some(product)), Reason::FalsePositiveUnbound, "{product}");
    }
    for product in [Some("OpenSIPS (3.4.2)"), Some("Some SBC in front of Kamailio"), None] {
        assert_eq!(told(product), Reason::RegistrarMayHideBindings, "{product:?}");
    }
}

#[test]
fn a_registrar_that_listed_once_lists() {
    let mut scene = scene()
        .fetches(bound(&[(PHONE, 60)]))
        .after(100)
        .twice(bound(&[]), Word::Registered);
    scene.expectation.listing = Listing::Unknown;
    scene.is(Reason::FalsePositiveUnbound);
    // But not when it answers our own REGISTER with our own Contact: that much every registrar lists.
    scene.observations[0].question = Question::Register;
    scene.is(Reason::RegistrarMayHideBindings);
    scene.observations[0].question = Question::Fetch;
    scene.expectation.listing = Listing::Hides;
    scene.is(Reason::RegistrarMayHideBindings);
}

#[test]
fn the_answer_to_our_own_register_is_a_look_too() {
    let told = |question| {
        let scene = scene().sees(question, bound(&[(GATEWAY, 60), (PROBE, 60)])).says(Word::Registered);
        scene.fetches(bound(&[(GATEWAY, 60)])).verdict().reason
    };
    assert_eq!(told(Question::Register), Reason::Registered);
    assert_eq!(told(Question::Unregister), Reason::Registered);
    // A refusal of our own Contact says nothing about the table, and OPTIONS lists nothing.
    let refused = scene()
        .sees(Question::Register, sick(503))
        .says(Word::Registered)
        .fetches(bound(&[(GATEWAY, 60)]));
    refused.is(Reason::ProbeUnreachable);
}

#[test]
fn an_open_registrar_that_was_asked_twice_is_only_noted() {
    let verdict = scene().sandwich(open(&[(GATEWAY, 60)]), Word::Registered).is(Reason::Registered);
    assert!(
        verdict.notes.iter().any(|note| note.reason == Reason::RegistrarOpen),
        "{:?}",
        verdict.notes
    );
    let once = scene()
        .fetches(open(&[(GATEWAY, 60)]))
        .says(Word::Registered)
        .is(Reason::RegistrarOpen);
    assert_eq!((once.evidence, once.service), (Level::E3, Service::Unknown));
}

#[test]
fn a_contact_without_end_ends_in_a_sentence() {
    let long = format!("sip:gw-7@192.0.2.7:5080;x={}", "y".repeat(20_000));
    let verdict = scene().sandwich(bound(&[(&long, 60)]), Word::Registered).is(Reason::Registered);
    assert!(verdict.detail.len() < 500, "{}", verdict.detail.len());
    assert!(verdict.detail.contains("yyy… (60 s left) is bound"), "{}", verdict.detail);
}

#[test]
fn another_user_than_was_asked_for_is_another_registration() {
    let mut scene = scene();
    scene.expectation.user = Some("alice".into());
    let named = |name: &'static str| {
        let scene = scene.clone().fetches(bound(&[]));
        scene
            .says_with(Word::Registered, |answer| answer.username = Some(name.into()))
            .fetches(bound(&[]))
    };
    let verdict = named("bob").is(Reason::IdentityMismatch);
    assert!(
        verdict.detail.contains("bob") && verdict.detail.contains("alice"),
        "{}",
        verdict.detail
    );
    named("alice").is(Reason::WithinGrace);
    named("sip:alice@example.test").is(Reason::WithinGrace);
    named("sips:%61lice@example.test").is(Reason::WithinGrace);
    named("Alice").is(Reason::IdentityMismatch);
    scene.expectation.user = Some("alice%40pbx".into());
    let named = |name: &'static str| {
        let scene = scene.clone().fetches(bound(&[]));
        scene.says_with(Word::Registered, |answer| answer.username = Some(name.into()))
    };
    named("alice@pbx").is(Reason::ProbeUnreachable);
    named("alice").is(Reason::IdentityMismatch);
}

#[test]
fn settings_of_another_user_are_about_another_registration() {
    let configured = |users: &[&str], asked: &str| {
        let mut scene = Scene::of(SourceKind::TelnyxUac);
        scene.expectation.user = Some(asked.into());
        scene.expectation.registered_users = users.iter().map(|user| (*user).to_owned()).collect();
        scene
    };
    let twice = |users: &[&str], asked: &str| configured(users, asked).twice(bound(&[]), Word::Registered);
    let verdict = twice(&["alice"], "bob").is(Reason::IdentityMismatch);
    assert!(
        verdict.detail.starts_with("Telnyx registers alice, and the probe asked for bob"),
        "{}",
        verdict.detail
    );
    assert!(verdict.contradiction.is_none(), "another look shows no other user");
    twice(&["Alice"], "alice").is(Reason::IdentityMismatch);
    twice(&["alice%40pbx"], "alice@pbx").is(Reason::FalsePositiveUnbound);
    twice(&["trunk", "alice"], "alice").is(Reason::FalsePositiveUnbound);
    twice(&[], "alice").is(Reason::FalsePositiveUnbound);
    // The settings name both, and the answer the other one of them.
    let answering = |users: &[&str], claimed: &'static str| {
        let scene = configured(users, "alice").fetches(bound(&[]));
        scene
            .says_with(Word::Registered, |answer| answer.username = Some(claimed.into()))
            .fetches(bound(&[]))
    };
    answering(&["alice", "trunk"], "trunk").is(Reason::WithinGrace);
    answering(&["alice", "trunk"], "bob").is(Reason::IdentityMismatch);
    let verdict = answering(&["bob"], "alice").is(Reason::IdentityMismatch);
    assert!(verdict.detail.starts_with("Telnyx registers bob"), "{}", verdict.detail);
}

#[test]
fn others_beside_the_provider_are_noted() {
    let verdict = scene()
        .sandwich(bound(&[(GATEWAY, 60), (PHONE, 60)]), Word::Registered)
        .is(Reason::Registered);
    let note = verdict.notes.iter().find(|note| note.reason == Reason::Displaced).expect("a note");
    assert!(note.detail.contains(PHONE) && !note.detail.contains(GATEWAY), "{}", note.detail);
}
