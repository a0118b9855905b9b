//! What people read: the words say what was seen, and no more.

use super::*;
use crate::{About, ApiTrouble, ContactPattern, Held, Said, Service};

fn scene() -> Scene {
    Scene::of(SourceKind::TelnyxUac)
}

fn says(text: Option<&str>, words: &str) {
    assert!(text.is_some_and(|text| text.contains(words)), "{text:?}: {words}");
}

fn unmarked() -> Scene {
    let mut scene = scene();
    scene.expectation.contact = ContactPattern::default();
    scene
}

#[test]
fn a_registrar_that_nobody_named_is_not_said_to_be_in_trouble() {
    for trouble in [ApiTrouble::Unauthorized, ApiTrouble::NotFound, ApiTrouble::Unreachable] {
        let verdict = scene().says(Word::Unavailable(trouble)).verdict();
        assert!(
            verdict
                .detail
                .ends_with("The registrar was not asked, because Telnyx did not say where it is."),
            "{}",
            verdict.detail
        );
        assert_eq!(verdict.notes, []);
    }
    // One look is enough beside no claim.
    let looked = scene()
        .says(Word::Unavailable(ApiTrouble::Unauthorized))
        .fetches(bound(&[(GATEWAY, 60)]));
    let verdict = looked.is(Reason::ApiAuth);
    assert!(verdict.detail.contains("On the wire sip:gw-7@"), "{}", verdict.detail);
    assert_eq!((verdict.service, &*verdict.notes), (Service::Up, &[][..]));
    let silence = scene().says(Word::Unavailable(ApiTrouble::Unauthorized)).fetches(silent());
    assert_eq!(silence.verdict().notes[0].reason, Reason::ProbeUnreachable);
}

#[test]
fn a_line_is_not_said_to_be_down_where_bindings_may_be_hidden() {
    let mut hidden = scene().twice(bound(&[]), Word::RegistrarError { code: Some(403) });
    assert_eq!(hidden.is(Reason::ReasonMismatch).service, Service::Down);
    for listing in [Listing::Unknown, Listing::Undecided, Listing::Hides] {
        hidden.expectation.listing = listing;
        let verdict = hidden.is(Reason::ReasonMismatch);
        assert_eq!(verdict.service, Service::Unknown);
        assert!(
            !verdict.advice.as_deref().unwrap().contains("No call arrives"),
            "{:?}",
            verdict.advice
        );
        says(
            Some(&verdict.detail),
            "the probe gets a 200, though the registrar at 192.0.2.1:5060 lists nothing",
        );
    }
}

#[test]
fn what_was_tried_is_not_advised() {
    let mut hidden = scene().sandwich(bound(&[]), Word::Registered);
    let mut advice = |listing| {
        hidden.expectation.listing = listing;
        hidden.is(Reason::RegistrarMayHideBindings).advice.unwrap()
    };
    says(Some(&advice(Listing::Unknown)), "`--mode register`");
    for (listing, shown) in [
        (Listing::Undecided, "was not seen to be bound"),
        (Listing::Hides, "was bound and not listed"),
    ] {
        let advice = advice(listing);
        says(Some(&advice), shown);
        assert!(!advice.contains("--mode register"), "{advice}");
    }
}

#[test]
fn a_mark_for_the_first_binding_can_be_copied() {
    let advice = |contacts: &[(&str, u32)]| {
        let verdict = unmarked().sandwich(bound(contacts), Word::Registered);
        verdict.is(Reason::ContactUnmatchable).advice.unwrap()
    };
    says(
        Some(&advice(&[("sip:alice@127.0.0.1:63959", 60)])),
        "If sip:alice@127.0.0.1:63959 is Telnyx's: `--expect-host 127.0.0.1`.",
    );
    let neighbours = [("sip:alice@[2001:db8::7]:5062", 60), ("sip:alice@[2001:db8::7]:5064", 60)];
    says(Some(&advice(&neighbours)), "`--expect-host [2001:db8::7]:5062`.");
    says(
        Some(&advice(&[("sip:alice@pbx.example.test:5070", 60)])),
        "`--expect-host pbx.example.test`.",
    );
    let unreadable = advice(&[("<<<", 60)]);
    assert!(unreadable.ends_with("or `--expect-instance`."), "{unreadable}");
}

#[test]
fn a_displaced_binding_is_told_by_marks_that_are_named() {
    let mut scene = scene().twice(bound(&[(PHONE, 60)]), Word::Registered);
    scene.expectation.contact = ContactPattern {
        users: vec!["alice".into()],
        hosts: vec![
            HostPattern::Network("192.0.2.0/24".parse().unwrap()),
            HostPattern::Address("192.0.3.1".parse().unwrap(), Some(5080)),
        ],
        instances: Vec::new(),
    };
    says(
        Some(&scene.is(Reason::Displaced).detail),
        "which is not the provider's (expected: host 192.0.2.0/24 or 192.0.3.1:5080, user alice).",
    );
    let named = |scene: Scene| {
        let scene = scene.fetches(bound(&[(PHONE, 60)]));
        scene
            .says_with(Word::Registered, |answer| answer.contact = contact(Some("gw-7"), "192.0.2.7", None))
            .fetches(bound(&[(PHONE, 60)]))
    };
    let verdict = named(named(unmarked()).after(70)).is(Reason::Displaced);
    says(Some(&verdict.detail), "(Telnyx names user gw-7, host 192.0.2.7).");
}

#[test]
fn a_password_of_the_probes_own_that_is_refused_is_not_called_none() {
    let mut scene = scene().sandwich(Sight::Refused { code: 401 }, Word::Registered);
    scene.expectation.same_secret = false;
    let verdict = scene.is(Reason::ProbeNoCredentials);
    says(
        Some(&verdict.detail),
        "refuses the probe's own password (401), which says nothing about Telnyx's",
    );
    says(verdict.advice.as_deref(), "a password that the registrar takes");
    let verdict = self::scene().sandwich(Sight::Challenged { code: 401 }, Word::Registered).verdict();
    says(Some(&verdict.detail), "asks for credentials, and the probe has none");
}

#[test]
fn a_stored_status_is_called_one() {
    let conflict = |stored, live| {
        let scene = Scene::of(live).other_says(stored, Word::NotRegistered, |_| {});
        scene.sandwich(silent(), Word::Registered).verdict().detail
    };
    says(
        Some(&conflict(SourceKind::TelnyxUacStored, SourceKind::TelnyxUac)),
        "while the stored status of the connection says not registered",
    );
    says(
        Some(&conflict(SourceKind::Bitrix24Stored, SourceKind::Bitrix24)),
        "while the stored status of the line says not registered",
    );
}

#[test]
fn a_reply_that_nobody_named_or_nobody_got_is_not_confirmed() {
    let line = |sight: Sight, value: &str| {
        let scene = scene().fetches(sight.clone());
        let scene = scene.says_with(Word::Registered, |answer| {
            answer.response = Some(crate::ClaimedResponse {
                code: 200,
                reason: String::new(),
            });
            answer.said = vec![Said {
                field: "ERROR_MESSAGE".into(),
                value: value.into(),
                about: About::Response,
            }];
        });
        let mut verdict = scene.fetches(sight).verdict();
        verdict.lines.remove(0)
    };
    let there = || bound(&[(GATEWAY, 60)]);
    assert_eq!(line(there(), "200 OK").standing, Held::Confirmed);
    for empty in ["", "null"] {
        let line = line(there(), empty);
        assert_eq!((line.standing, &*line.seen), (Held::Unproven, "nothing"));
    }
    let silence = line(silent(), "200 OK");
    assert_eq!(
        (silence.standing, &*silence.seen),
        (Held::Unproven, "no reply that the probe can use (No reply within 32 s)")
    );
}
