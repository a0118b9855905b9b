//! Times: what is refreshed, what has run out, and what does not move.

use super::*;
use crate::{ContactPattern, Freshness, Held, Level, Line, Said, Service};

fn scene() -> Scene {
    Scene::of(SourceKind::Telzino)
}

#[test]
fn a_binding_whose_time_rises_is_refreshed() {
    let scene = scene().sandwich(bound(&[(GATEWAY, 50)]), Word::Registered).after(30);
    assert_eq!(
        scene
            .clone()
            .sandwich(bound(&[(GATEWAY, 20)]), Word::Registered)
            .is(Reason::Registered)
            .evidence,
        Level::E3
    );
    assert_eq!(
        scene
            .clone()
            .sandwich(bound(&[(GATEWAY, 58)]), Word::Registered)
            .is(Reason::Registered)
            .evidence,
        Level::E4
    );
    // It was refreshed although it has less time left than before.
    assert_eq!(
        scene
            .clone()
            .sandwich(bound(&[(GATEWAY, 45)]), Word::Registered)
            .is(Reason::Registered)
            .evidence,
        Level::E4
    );
    // A fixed binding always has the same time left, and nobody behind it.
    assert_eq!(
        scene
            .sandwich(bound(&[(GATEWAY, 50)]), Word::Registered)
            .is(Reason::Registered)
            .evidence,
        Level::E3
    );
}

#[test]
fn a_binding_that_is_refreshed_is_no_orphan() {
    let scene = scene().sandwich(bound(&[(GATEWAY, 50)]), Word::NotRegistered);
    let verdict = scene.is(Reason::OrphanBinding);
    assert_eq!(verdict.contradiction.unwrap().reason, Reason::FalseNegativeBound);
    assert!(verdict.advice.unwrap().contains("right"));
    let scene = scene.after(40);
    let verdict = scene
        .clone()
        .sandwich(bound(&[(GATEWAY, 57)]), Word::NotRegistered)
        .is(Reason::FalseNegativeBound);
    assert_eq!((verdict.service, verdict.evidence), (Service::Up, Level::E4));
    let verdict = scene
        .sandwich(bound(&[(GATEWAY, 7)]), Word::NotRegistered)
        .is(Reason::OrphanBinding);
    assert_eq!(verdict.contradiction, None);
}

fn with_times(scene: Scene, sight: Sight, with: impl Fn(&mut Answer)) -> Scene {
    scene.fetches(sight.clone()).says_with(Word::Registered, with).fetches(sight)
}

#[test]
fn an_end_that_is_over_makes_the_claim_stale() {
    let expired = |end: i64| with_times(scene(), bound(&[]), |answer| answer.expires_at = claimed(end));
    // A tenth of the usual hour, and the clocks' 5 s, are allowed.
    let verdict = expired(-400).is(Reason::ExpiredClaim);
    assert_eq!((verdict.service, verdict.contradiction), (Service::Down, None));
    expired(-300).is(Reason::WithinGrace);
    let verdict = with_times(scene(), bound(&[(GATEWAY, 1800)]), |answer| answer.expires_at = claimed(-400)).is(Reason::ExpiredClaim);
    assert_eq!(verdict.service, Service::Up);
}

#[test]
fn a_time_without_its_zone_or_by_another_clock_makes_nothing_stale() {
    let scene = || with_times(scene(), bound(&[]), |answer| answer.expires_at = claimed(-40_000));
    let mut zoneless = scene();
    zoneless.claim.answers[0].expires_at.as_mut().unwrap().zone_known = false;
    zoneless.is(Reason::WithinGrace);
    let mut skewed = scene();
    skewed.claim.answers[0].server_date = Some(at(-30));
    let verdict = skewed.is(Reason::WithinGrace);
    assert!(
        verdict
            .notes
            .iter()
            .any(|note| note.reason == Reason::ClockSkew && note.detail.contains("behind")),
        "{:?}",
        verdict.notes
    );
}

#[test]
fn a_last_refresh_before_the_lifetime_makes_the_claim_stale() {
    let refreshed = |source, seconds: i64| {
        with_times(Scene::of(source), bound(&[]), move |answer| {
            answer.lifetime_s = Some(600);
            answer.refreshed_at = claimed(-seconds);
        })
    };
    refreshed(SourceKind::Telzino, 700).is(Reason::NotRefreshed);
    refreshed(SourceKind::Telzino, 650).is(Reason::WithinGrace);
    // When it came up first says nothing about its last refresh.
    refreshed(SourceKind::TelnyxUac, 700_000).is(Reason::WithinGrace);
    // Bound all the same: the age of the data harms nobody.
    let bound = with_times(scene(), bound(&[(GATEWAY, 300)]), |answer| answer.refreshed_at = claimed(-40_000));
    bound.is(Reason::Registered);
}

#[test]
fn an_old_look_of_the_source_makes_a_denial_stale() {
    let denies = |scene: Scene, left| {
        let sight = bound(&[(GATEWAY, left)]);
        let scene = scene.fetches(sight.clone());
        scene
            .says_with(Word::NotRegistered, |answer| answer.updated_at = claimed(-9000))
            .fetches(sight)
    };
    denies(denies(Scene::of(SourceKind::TelnyxUacStored), 500).after(60), 540).is(Reason::NotRefreshed);
    // Bitrix24's LAST_UPDATED is no such time.
    denies(denies(Scene::of(SourceKind::Bitrix24), 500).after(60), 540).is(Reason::FalseNegativeBound);
}

#[test]
fn an_old_refresh_says_nothing_for_who_says_not_registered() {
    let denies = |scene: Scene, left| {
        let sight = bound(&[(GATEWAY, left)]);
        let scene = scene.fetches(sight.clone());
        scene
            .says_with(Word::NotRegistered, |answer| answer.refreshed_at = claimed(-9000))
            .fetches(sight)
    };
    denies(denies(scene(), 500).after(60), 540).is(Reason::FalseNegativeBound);
}

#[test]
fn data_that_do_not_move_over_a_refresh_are_stale() {
    let told = |scene: Scene, left, next| {
        let sight = bound(&[(GATEWAY, left)]);
        with_times(scene, sight, move |answer| {
            answer.lifetime_s = Some(60);
            answer.next_action_at = next;
        })
    };
    let unchanged = |wait, next, later| told(told(scene(), 50, next).after(wait), 40, later);
    unchanged(75, claimed(40), claimed(40)).is(Reason::PayloadUnchanged);
    unchanged(75, claimed(40), claimed(110)).is(Reason::Registered);
    unchanged(65, claimed(40), claimed(40)).is(Reason::Registered);
    // Data without any time have nothing that could move.
    unchanged(75, None, None).is(Reason::Registered);
}

#[test]
fn a_refresh_before_both_answers_moves_no_data_between_them() {
    let told = |scene: Scene| {
        let next = |answer: &mut Answer| {
            answer.lifetime_s = Some(60);
            answer.next_action_at = claimed(40);
        };
        with_times(scene, bound(&[(GATEWAY, 50)]), next)
    };
    // It rose before the first answer, and has always had the same time left since.
    let scene = told(told(scene().fetches(bound(&[(GATEWAY, 10)]))).after(75));
    assert_eq!(scene.is(Reason::Registered).evidence, Level::E4);
}

#[test]
fn an_end_that_one_of_the_looks_shows_is_the_registrars() {
    let scene = scene().fetches(bound(&[(GATEWAY, 10)]));
    let scene = scene.says_with(Word::Registered, |answer| answer.expires_at = claimed(603));
    scene.fetches(bound(&[(GATEWAY, 600)])).is(Reason::Registered);
}

#[test]
fn another_end_than_the_registrars_is_a_disagreement() {
    let told = |scene: Scene, end: i64| with_times(scene, bound(&[(GATEWAY, 500)]), |answer| answer.expires_at = claimed(end));
    let once = told(scene(), 1000);
    assert_eq!(once.is(Reason::WithinGrace).contradiction.unwrap().reason, Reason::ExpiryMismatch);
    let verdict = told(once.after(60), 1060).is(Reason::ExpiryMismatch);
    assert_eq!((verdict.service, verdict.evidence), (Service::Up, Level::E3));
    told(told(scene(), 540).after(60), 600).is(Reason::Registered);
}

#[test]
fn a_stored_field_gives_way_to_the_live_source_and_the_wire() {
    let told = |scene: Scene, sight: Sight, live: Word| {
        let scene = scene.fetches(sight.clone()).other_says(SourceKind::TelnyxUac, live, |_| {});
        scene.says(Word::NotRegistered).fetches(sight)
    };
    let stored = || Scene::of(SourceKind::TelnyxUacStored);
    let there = || bound(&[(GATEWAY, 50)]);
    let once = told(stored(), there(), Word::Registered);
    assert_eq!(
        once.is(Reason::WithinGrace).contradiction.unwrap().reason,
        Reason::StoredFieldOutdated
    );
    let verdict = told(once.after(60), there(), Word::Registered).is(Reason::StoredFieldOutdated);
    assert!(verdict.detail.contains("telnyx_uac says registered"), "{}", verdict.detail);
    told(stored(), there(), Word::NotRegistered).is(Reason::OrphanBinding);
    told(stored(), silent(), Word::Registered).is(Reason::SourceConflict);
    let verdict = told(stored(), bound(&[]), Word::Registered).is(Reason::Down);
    assert!(
        verdict.notes.iter().any(|note| note.reason == Reason::SourceConflict),
        "{:?}",
        verdict.notes
    );
}

#[test]
fn another_source_that_was_asked_once_counts_for_both_looks() {
    let live = |scene: Scene| scene.other_says(SourceKind::TelnyxUac, Word::Registered, |_| {});
    let told = |wait| {
        let scene = live(Scene::of(SourceKind::TelnyxUacStored)).sandwich(bound(&[(GATEWAY, 500)]), Word::NotRegistered);
        scene
            .after(wait)
            .sandwich(bound(&[(GATEWAY, 497 - u32::try_from(wait).unwrap())]), Word::NotRegistered)
    };
    told(60).is(Reason::StoredFieldOutdated);
    told(200).is(Reason::OrphanBinding);
}

#[test]
fn a_live_source_is_not_outdated_by_another() {
    let told = |scene: Scene, left| {
        let scene = scene.fetches(bound(&[(GATEWAY, left)]));
        let scene = scene.other_says(SourceKind::TelnyxCredentialCheck, Word::Registered, |_| {});
        scene.says(Word::NotRegistered).fetches(bound(&[(GATEWAY, left)]))
    };
    let verdict = told(told(Scene::of(SourceKind::TelnyxUac), 50).after(60), 57).is(Reason::FalseNegativeBound);
    assert!(
        verdict.notes.iter().any(|note| note.reason == Reason::SourceConflict),
        "{:?}",
        verdict.notes
    );
}

#[test]
fn a_refresh_is_no_failure() {
    let scene = scene().sandwich(bound(&[(GATEWAY, 50)]), Word::Registered).after(60);
    scene
        .clone()
        .sandwich(bound(&[(GATEWAY, 3)]), Word::Registering)
        .is(Reason::RefreshInProgress);
    scene
        .sandwich(bound(&[(GATEWAY, 3)]), Word::Authenticating)
        .is(Reason::RefreshInProgress);
    let dated = |source| {
        let mut scene = Scene::of(source).sandwich(bound(&[(GATEWAY, 50)]), Word::Registering);
        scene.is(Reason::WithinGrace);
        scene.claim.answers[0].refreshed_at = claimed(-3000);
        scene.claim.answers[0].lifetime_s = Some(3600);
        scene
    };
    dated(SourceKind::TelnyxUac).is(Reason::RefreshInProgress);
    // When it sent a REGISTER last does not say that it was ever registered, and the end of what it was does.
    for source in [SourceKind::Telzino, SourceKind::Opensips] {
        let mut scene = dated(source);
        scene.is(Reason::WithinGrace);
        scene.claim.answers[0].expires_at = claimed(50);
        scene.is(Reason::RefreshInProgress);
    }
}

#[test]
fn an_answer_that_came_late_is_no_refresh() {
    // The reply of before once more, after it was lost: the binding seems to end later by as long as it took.
    let slow = |took: u64| {
        let mut scene = scene().sandwich(bound(&[(GATEWAY, 900)]), Word::NotRegistered).after(67);
        scene = scene.fetches(bound(&[(GATEWAY, 830)])).says(Word::NotRegistered);
        let started_at = scene.now;
        scene = scene.after(took - 1).fetches(bound(&[(GATEWAY, 828)]));
        scene.observations.last_mut().unwrap().started_at = started_at;
        scene
    };
    slow(1).is(Reason::OrphanBinding);
    slow(8).is(Reason::OrphanBinding);
}

#[test]
fn registering_for_ever_is_a_disagreement() {
    let tries = |wait| {
        scene()
            .sandwich(bound(&[]), Word::Registering)
            .after(wait)
            .sandwich(bound(&[]), Word::Authenticating)
    };
    let verdict = tries(60).is(Reason::WithinGrace);
    let contradiction = verdict.contradiction.unwrap();
    // The grace and 64·T1.
    assert_eq!(
        (contradiction.reason, contradiction.counts_from),
        (Reason::StuckInProgress, at(2 + 64))
    );
    tries(62).is(Reason::StuckInProgress);
    // An answer that is none does not begin the count anew.
    let scene = scene().sandwich(bound(&[(GATEWAY, 900)]), Word::Registered).after(1);
    let scene = scene.sandwich(bound(&[(GATEWAY, 896)]), Word::Registering).after(40);
    scene.is(Reason::RefreshInProgress);
    let scene = scene.sandwich(bound(&[(GATEWAY, 853)]), Word::NotFound).after(40);
    scene
        .sandwich(bound(&[(GATEWAY, 810)]), Word::Registering)
        .is(Reason::OrphanBinding);
    let scene = self::scene;
    let left = |left| {
        scene()
            .sandwich(bound(&[(GATEWAY, 90)]), Word::Registering)
            .after(62)
            .sandwich(bound(&[(GATEWAY, left)]), Word::Registering)
    };
    left(25).is(Reason::OrphanBinding);
    left(85).is(Reason::FalseNegativeBound);
}

#[test]
fn data_are_fresh_when_they_show_it() {
    let fresh = |with: fn(&mut Answer)| with_times(scene(), bound(&[(GATEWAY, 50)]), with).verdict().freshness;
    assert_eq!(fresh(|_| {}), Freshness::Unknown);
    assert_eq!(fresh(|answer| answer.updated_at = claimed(0)), Freshness::Fresh);
    assert_eq!(fresh(|answer| answer.updated_at = claimed(-60)), Freshness::Unknown);
    assert_eq!(fresh(|answer| answer.expires_at = claimed(50)), Freshness::Fresh);
    assert_eq!(fresh(|answer| answer.refreshed_at = claimed(-20)), Freshness::Fresh);
    let by_another_clock = |answer: &mut Answer| {
        answer.updated_at = claimed(0);
        answer.server_date = Some(at(600));
    };
    assert_eq!(fresh(by_another_clock), Freshness::Unknown);
    // A time that is still to come is no sign of life.
    assert_eq!(fresh(|answer| answer.refreshed_at = claimed(200)), Freshness::Unknown);
}

fn line(scene: &Scene, about: crate::About) -> Line {
    let verdict = scene.verdict();
    verdict
        .lines
        .into_iter()
        .find(|line| line.about == about)
        .expect("the field was said")
}

fn said(about: crate::About, value: &str) -> Said {
    Said {
        field: "field".into(),
        value: value.into(),
        about,
    }
}

#[test]
fn each_field_stands_beside_what_was_seen() {
    use crate::About;
    let scene = |with: fn(&mut Answer)| {
        let mut scene = scene();
        scene.expectation.user = Some("alice".into());
        scene.expectation.contact = ContactPattern {
            users: vec!["gw-7".into()],
            ..ContactPattern::default()
        };
        with_times(scene, bound(&[("sip:gw-7@192.0.2.7:5080;transport=tcp", 580)]), with)
    };
    let held = |about: About, with: fn(&mut Answer)| {
        let mut told = scene(with);
        told.claim.answers[0].said = vec![said(about, "TCP")];
        line(&told, about).standing
    };
    assert_eq!(held(About::State, |_| {}), Held::Confirmed);
    assert_eq!(held(About::Expiry, |answer| answer.expires_at = claimed(582)), Held::Confirmed);
    assert_eq!(held(About::Expiry, |answer| answer.expires_at = claimed(2000)), Held::Contradicted);
    assert_eq!(held(About::Expiry, |_| {}), Held::Unproven);
    assert_eq!(
        held(About::NextAction, |answer| answer.next_action_at = claimed(400)),
        Held::Unproven
    );
    assert_eq!(
        held(About::NextAction, |answer| answer.next_action_at = claimed(2000)),
        Held::Contradicted
    );
    let refreshed = |answer: &mut Answer| {
        answer.lifetime_s = Some(600);
        answer.refreshed_at = claimed(-18);
    };
    assert_eq!(held(About::Refresh, refreshed), Held::Confirmed);
    assert_eq!(held(About::Refresh, |answer| answer.refreshed_at = claimed(-900)), Held::Unproven);
    assert_eq!(held(About::Lifetime, |answer| answer.lifetime_s = Some(600)), Held::Confirmed);
    assert_eq!(held(About::Lifetime, |answer| answer.lifetime_s = Some(3600)), Held::Unproven);
    assert_eq!(held(About::Lifetime, |answer| answer.lifetime_s = Some(60)), Held::Contradicted);
    assert_eq!(
        held(About::Contact, |answer| answer.contact = contact(None, "192.0.2.7", None)),
        Held::Confirmed
    );
    assert_eq!(held(About::Contact, |_| {}), Held::Unproven);
    assert_eq!(
        held(About::Username, |answer| answer.username = Some("alice".into())),
        Held::Confirmed
    );
    assert_eq!(
        held(About::Username, |answer| answer.username = Some("bob".into())),
        Held::Contradicted
    );
    assert_eq!(held(About::Transport, |_| {}), Held::Confirmed);
    assert_eq!(held(About::Update, |answer| answer.updated_at = claimed(0)), Held::Unproven);
    for about in [About::Enabled, About::Identity, About::Other] {
        assert_eq!(held(about, |_| {}), Held::Unproven);
    }
}

#[test]
fn the_times_of_a_binding_that_is_gone_confirm_nothing() {
    let gone = scene().fetches(bound(&[(GATEWAY, 900)])).says_with(Word::Registered, |answer| {
        answer.expires_at = claimed(901);
        answer.refreshed_at = claimed(1);
        answer.lifetime_s = Some(900);
        answer.said = vec![
            said(crate::About::Expiry, "901"),
            said(crate::About::Refresh, "1"),
            said(crate::About::Lifetime, "900"),
        ];
    });
    let held = |scene: &Scene| scene.verdict().lines.iter().map(|line| line.standing).collect::<Vec<_>>();
    let there = gone.clone().fetches(bound(&[(GATEWAY, 898)]));
    assert_eq!(held(&there), [Held::Confirmed; 3]);
    let gone = gone.fetches(bound(&[]));
    gone.is(Reason::RefreshRace);
    assert_eq!(held(&gone), [Held::Unproven; 3]);
}

#[test]
fn a_state_is_contradicted_only_when_the_verdict_is_settled() {
    use crate::About;
    let mut once = scene().sandwich(bound(&[]), Word::Registered);
    once.claim.answers[0].said = vec![said(About::State, "REGISTERED_STATE")];
    assert_eq!(line(&once, About::State).standing, Held::Unproven);
    let mut twice = once.after(70).sandwich(bound(&[]), Word::Registered);
    twice.claim.answers[1].said = vec![said(About::State, "REGISTERED_STATE")];
    let line = line(&twice, About::State);
    assert_eq!((line.standing, line.said.as_str()), (Held::Contradicted, "REGISTERED_STATE"));
    assert_eq!(line.seen, "nothing is bound at 192.0.2.1:5060");
}

#[test]
fn a_refresh_under_way_is_shown_by_the_binding() {
    use crate::About;
    let scene = scene().sandwich(bound(&[(GATEWAY, 50)]), Word::Registered).after(30);
    let mut scene = scene.sandwich(bound(&[(GATEWAY, 17)]), Word::Registering);
    scene.is(Reason::RefreshInProgress);
    scene.claim.answers[1].said = vec![said(About::State, "trying")];
    assert_eq!(line(&scene, About::State).standing, Held::Confirmed);
}

#[test]
fn a_reply_is_held_against_the_probes_own() {
    use crate::{About, ClaimedResponse};
    let held = |word: Word, code: u16, sight: Sight| {
        let tell = |answer: &mut Answer| {
            answer.response = Some(ClaimedResponse {
                code,
                reason: String::new(),
            });
            answer.said = vec![said(About::Response, "reply")];
        };
        let once = |scene: Scene| scene.fetches(sight.clone()).says_with(word.clone(), tell).fetches(sight.clone());
        line(&once(once(scene()).after(70)), About::Response).standing
    };
    assert_eq!(held(Word::WrongCredentials, 401, Sight::Refused { code: 401 }), Held::Confirmed);
    assert_eq!(held(Word::WrongCredentials, 401, rejected(404, true)), Held::Contradicted);
    assert_eq!(held(Word::Registered, 200, bound(&[(GATEWAY, 50)])), Held::Confirmed);
    assert_eq!(held(Word::Registered, 200, bound(&[])), Held::Unproven);
}
