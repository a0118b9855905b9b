//! What is seen once, twice, between, and after.

use super::*;
use crate::{ApiTrouble, Standing};

fn scene() -> Scene {
    Scene::of(SourceKind::TelnyxUac)
}

#[test]
fn a_contradiction_seen_once_may_be_on_its_way() {
    let verdict = scene().sandwich(bound(&[]), Word::Registered).is(Reason::WithinGrace);
    let contradiction = verdict.contradiction.expect("another look settles it");
    assert_eq!(contradiction.reason, Reason::FalsePositiveUnbound);
    assert_eq!((contradiction.since, contradiction.counts_from), (at(2), at(34)));
    assert_eq!(contradiction.wait(at(3)), Duration::from_secs(31));
    assert_eq!(contradiction.wait(at(40)), Duration::ZERO);
    assert!(verdict.advice.unwrap().starts_with("Look again in 32 s"));
    assert_eq!(verdict.standing, None);
}

#[test]
fn a_contradiction_counts_when_the_grace_lies_between_two_looks() {
    let after = |seconds| {
        scene()
            .sandwich(bound(&[]), Word::Registered)
            .after(seconds)
            .sandwich(bound(&[]), Word::Registered)
    };
    // Answered at 2; asked again at 3 + 30 + 1.
    let verdict = after(30).is(Reason::FalsePositiveUnbound);
    assert_eq!((verdict.contradiction, verdict.standing), (None, None));
    let verdict = after(29).is(Reason::WithinGrace);
    assert_eq!(verdict.contradiction.unwrap().since, at(2));
}

#[test]
fn without_any_grace_two_looks_are_needed_all_the_same() {
    let mut scene = scene();
    scene.expectation.grace = Duration::ZERO;
    // The API took a second, which is more than the grace; what was seen around it counts all the same.
    let once = scene.sandwich(bound(&[]), Word::Registered);
    once.is(Reason::WithinGrace);
    let mut at_once = once.clone();
    at_once.claim.answers[0].asked_at = at_once.claim.answers[0].answered_at;
    at_once.is(Reason::WithinGrace);
    once.sandwich(bound(&[]), Word::Registered).is(Reason::FalsePositiveUnbound);
}

#[test]
fn one_contradiction_may_go_on_into_another_of_its_kind() {
    let scene = scene().sandwich(bound(&[]), Word::Registered).after(60);
    scene
        .clone()
        .sandwich(bound(&[(PHONE, 300)]), Word::Registered)
        .is(Reason::Displaced);
    scene.sandwich(rejected(404, true), Word::Registered).is(Reason::RegistrarRejects);
}

#[test]
fn an_agreement_in_between_begins_the_count_anew() {
    let scene = scene()
        .sandwich(bound(&[]), Word::Registered)
        .after(60)
        .sandwich(bound(&[(GATEWAY, 100)]), Word::Registered);
    scene.is(Reason::Registered);
    scene.after(60).sandwich(bound(&[]), Word::Registered).is(Reason::WithinGrace);
}

#[test]
fn what_cannot_be_said_in_between_does_not_begin_the_count_anew() {
    let scene = scene().sandwich(bound(&[]), Word::Registered).after(60);
    let scene = scene.sandwich(bound(&[]), Word::Unavailable(ApiTrouble::Timeout));
    scene.is(Reason::ApiUnreachable);
    scene
        .after(60)
        .sandwich(bound(&[]), Word::Registered)
        .is(Reason::FalsePositiveUnbound);
}

#[test]
fn what_cannot_be_said_takes_nothing_back() {
    let scene = scene().twice(bound(&[]), Word::Registered);
    let seen_at = scene.claim.answers[1].answered_at;
    let standing = Some(Standing {
        reason: Reason::FalsePositiveUnbound,
        seen_at,
    });
    let scene = scene.after(60);
    assert_eq!(
        scene
            .clone()
            .sandwich(silent(), Word::Registered)
            .is(Reason::ProbeUnreachable)
            .standing,
        standing
    );
    assert_eq!(
        scene
            .clone()
            .sandwich(bound(&[]), Word::Unavailable(ApiTrouble::Gone))
            .is(Reason::ApiGone)
            .standing,
        standing
    );
    assert_eq!(
        scene
            .sandwich(bound(&[(GATEWAY, 60)]), Word::Registered)
            .is(Reason::Registered)
            .standing,
        None
    );
}

#[test]
fn what_an_earlier_run_found_stands_until_the_wire_shows_otherwise() {
    let mut scene = scene();
    let standing = Some(Standing {
        reason: Reason::FalseNegativeBound,
        seen_at: at(-3600),
    });
    scene.expectation.previous = standing;
    assert_eq!(
        scene
            .clone()
            .sandwich(silent(), Word::Registered)
            .is(Reason::ProbeUnreachable)
            .standing,
        standing
    );
    // Silence does not speak against the claim, and does not bear it out either.
    assert_eq!(
        scene.clone().sandwich(silent(), Word::NotRegistered).is(Reason::Down).standing,
        standing
    );
    assert_eq!(
        scene.clone().sandwich(bound(&[]), Word::NotRegistered).is(Reason::Down).standing,
        None
    );
    assert_eq!(scene.verdict().standing, standing);
    scene.expectation.previous = Some(Standing {
        reason: Reason::Registered,
        seen_at: at(-3600),
    });
    assert_eq!(scene.verdict().standing, None);
}

#[test]
fn who_was_never_asked_claims_nothing() {
    let verdict = scene().fetches(bound(&[(GATEWAY, 60)])).is(Reason::ApiUnreachable);
    assert_eq!(verdict.detail, "Telnyx was never asked.");
}

#[test]
fn bindings_that_change_meanwhile_decide_nothing() {
    let scene = scene().fetches(bound(&[(GATEWAY, 60)])).says(Word::Registered).fetches(bound(&[]));
    let verdict = scene.is(Reason::RefreshRace);
    assert!(
        verdict.detail.contains(GATEWAY) && verdict.detail.contains("nothing is bound"),
        "{}",
        verdict.detail
    );
    assert_eq!(verdict.contradiction.unwrap().counts_from, at(34));
}

#[test]
fn a_look_of_an_hour_ago_lies_around_nothing() {
    let scene = scene()
        .fetches(bound(&[(GATEWAY, 60)]))
        .after(3600)
        .says(Word::Registered)
        .fetches(bound(&[(GATEWAY, 60)]));
    scene.is(Reason::ProbeUnreachable);
}

#[test]
fn what_is_under_way_is_worth_another_look_and_takes_nothing_from_the_count() {
    let scene = scene().sandwich(bound(&[]), Word::Registered).after(60);
    let scene = scene.sandwich(bound(&[(PHONE, 60)]), Word::Registering);
    let under_way = scene.is(Reason::ApiInProgress).contradiction.unwrap();
    assert_eq!((under_way.reason, under_way.since), (Reason::ApiInProgress, at(65)));
    let scene = scene
        .after(60)
        .fetches(bound(&[]))
        .says(Word::Registered)
        .fetches(bound(&[(GATEWAY, 60)]));
    assert_eq!(scene.is(Reason::RefreshRace).contradiction.unwrap().reason, Reason::RefreshRace);
    scene
        .after(60)
        .sandwich(bound(&[]), Word::Registered)
        .is(Reason::FalsePositiveUnbound);
}

#[test]
fn a_look_whose_beginning_is_cut_to_the_millisecond_follows_its_answer() {
    let mut scene = scene().sandwich(bound(&[(GATEWAY, 60)]), Word::Registered);
    let micro = Duration::from_micros(700);
    scene.claim.answers[0].answered_at = scene.claim.answers[0].answered_at.after(micro);
    scene.is(Reason::Registered);
    scene.claim.answers[0].answered_at = scene.claim.answers[0].answered_at.after(micro);
    scene.is(Reason::ProbeUnreachable);
}

#[test]
fn one_contradiction_does_not_count_for_its_opposite() {
    let scene = scene().sandwich(bound(&[]), Word::Registered).after(60);
    let scene = scene
        .fetches(bound(&[(GATEWAY, 20)]))
        .says(Word::NotRegistered)
        .fetches(bound(&[(GATEWAY, 60)]));
    let contradiction = scene.is(Reason::WithinGrace).contradiction.unwrap();
    assert_eq!((contradiction.reason, contradiction.since), (Reason::FalseNegativeBound, at(65)));
}

#[test]
fn what_is_no_answer_in_one_of_the_looks_speaks_for_both() {
    let scene = scene().fetches(bound(&[(GATEWAY, 60)])).says(Word::Registered).fetches(silent());
    scene.is(Reason::ProbeUnreachable);
    scene
        .sees(Question::Ping, Sight::Alive { code: 200 })
        .is(Reason::ProbeVantageBlocked);
}

#[test]
fn of_two_refusals_the_later_one_is_compared() {
    let scene = scene().fetches(rejected(410, true)).says(Word::RegistrarError { code: Some(404) });
    scene.fetches(rejected(404, true)).is(Reason::ReasonMatches);
}
