//! One scene for each reason: that there is one shows that every reason can be met.

use std::collections::BTreeSet;

use super::grid::open;
use super::*;
use crate::{ApiTrouble, ContactPattern, Unknown};

/// Each reason with a scene that ends in it, in the order of the reasons.
pub(super) fn gallery() -> Vec<(Reason, Scene)> {
    let mut gallery = agreements();
    gallery.extend(disagreements());
    gallery.extend(stale());
    gallery.extend(without_claim());
    gallery.extend(without_sight());
    gallery
}

fn scene() -> Scene {
    Scene::of(SourceKind::TelnyxUac)
}

fn there() -> Sight {
    bound(&[(GATEWAY, 300)])
}

fn agreements() -> Vec<(Reason, Scene)> {
    vec![
        (Reason::Registered, scene().sandwich(there(), Word::Registered)),
        (Reason::Down, scene().sandwich(bound(&[]), Word::Disabled)),
        (
            Reason::RefreshInProgress,
            scene()
                .sandwich(there(), Word::Registered)
                .after(60)
                .sandwich(bound(&[(GATEWAY, 235)]), Word::Registering),
        ),
        (
            Reason::ReasonMatches,
            scene().sandwich(Sight::Refused { code: 401 }, Word::WrongCredentials),
        ),
    ]
}

fn disagreements() -> Vec<(Reason, Scene)> {
    let ends = |scene: Scene, end| {
        let scene = scene.fetches(there());
        scene
            .says_with(Word::Registered, |answer| answer.expires_at = claimed(end))
            .fetches(there())
    };
    let mut two_vantages = scene().twice(silent(), Word::Registered).fetches(silent());
    two_vantages.observations[4].vantage = Some("frankfurt".into());
    vec![
        (Reason::FalsePositiveUnbound, scene().twice(bound(&[]), Word::Registered)),
        (Reason::Displaced, scene().twice(bound(&[(PHONE, 300)]), Word::Registered)),
        (
            Reason::FalseNegativeBound,
            scene()
                .sandwich(there(), Word::NotRegistered)
                .after(60)
                .sandwich(bound(&[(GATEWAY, 310)]), Word::NotRegistered),
        ),
        (Reason::ReasonMismatch, scene().twice(bound(&[]), Word::WrongCredentials)),
        (
            Reason::CredentialsRejectedWhileRegistered,
            scene().twice(Sight::Refused { code: 401 }, Word::Registered),
        ),
        (Reason::RegistrarRejects, scene().twice(rejected(404, true), Word::Registered)),
        (Reason::ExpiryMismatch, ends(ends(scene(), 1000).after(60), 1060)),
        (Reason::StuckInProgress, scene().twice(bound(&[]), Word::Registering)),
        (Reason::UnreachableFromTwoVantages, two_vantages),
    ]
}

fn stale() -> Vec<(Reason, Scene)> {
    let saying = |scene: Scene, sight: Sight, with: fn(&mut Answer)| {
        let scene = scene.fetches(sight.clone());
        scene.says_with(Word::Registered, with).fetches(sight)
    };
    let next = |answer: &mut Answer| {
        answer.lifetime_s = Some(60);
        answer.next_action_at = claimed(40);
    };
    let stored = |scene: Scene| {
        let scene = scene.fetches(there()).other_says(SourceKind::TelnyxUac, Word::Registered, |_| {});
        scene.says(Word::NotRegistered).fetches(there())
    };
    vec![
        (
            Reason::ExpiredClaim,
            saying(Scene::of(SourceKind::Kamailio), bound(&[]), |answer| {
                answer.expires_at = claimed(-900)
            }),
        ),
        (
            Reason::NotRefreshed,
            saying(Scene::of(SourceKind::Telzino), bound(&[]), |answer| {
                answer.refreshed_at = claimed(-9000)
            }),
        ),
        (
            Reason::PayloadUnchanged,
            saying(
                saying(scene(), bound(&[(GATEWAY, 50)]), next).after(75),
                bound(&[(GATEWAY, 40)]),
                next,
            ),
        ),
        (
            Reason::StoredFieldOutdated,
            stored(stored(Scene::of(SourceKind::TelnyxUacStored)).after(60)),
        ),
    ]
}

fn without_claim() -> Vec<(Reason, Scene)> {
    let unavailable = |trouble| scene().sandwich(there(), Word::Unavailable(trouble));
    let unknown = |unknown| scene().sandwich(there(), Word::Unknown(unknown));
    vec![
        (
            Reason::RefreshRace,
            scene().fetches(there()).says(Word::Registered).fetches(bound(&[])),
        ),
        (Reason::WithinGrace, scene().sandwich(bound(&[]), Word::Registered)),
        (Reason::ApiUnreachable, unavailable(ApiTrouble::Timeout)),
        (Reason::ApiAuth, unavailable(ApiTrouble::Unauthorized)),
        (Reason::ApiRateLimited, unavailable(ApiTrouble::RateLimited)),
        (Reason::ApiNotFound, scene().sandwich(there(), Word::NotFound)),
        (Reason::ApiGone, unavailable(ApiTrouble::Gone)),
        (
            Reason::ApiContract,
            unknown(Unknown::Contract {
                problem: "registered is missing".into(),
            }),
        ),
        (
            Reason::ApiNewValue,
            unknown(Unknown::NewValue {
                field: "sip_registration_status".into(),
                value: "pondering".into(),
            }),
        ),
        (
            Reason::ApiSelfContradiction,
            unknown(Unknown::SelfContradiction {
                one: "sip_registration_status registered".into(),
                other: "registered false".into(),
            }),
        ),
        (
            Reason::ApiWrongObject,
            unknown(Unknown::WrongObject {
                field: "connection_id".into(),
                asked: "1".into(),
                answered: "2".into(),
            }),
        ),
        (Reason::ApiUnknown, unknown(Unknown::SaysSo)),
        (
            Reason::ApiInProgress,
            scene().sandwich(Sight::Refused { code: 401 }, Word::Registering),
        ),
        (
            Reason::SourceConflict,
            scene()
                .fetches(silent())
                .other_says(SourceKind::TelnyxUacStored, Word::NotRegistered, |_| {})
                .says(Word::Registered)
                .fetches(silent()),
        ),
    ]
}

fn without_sight() -> Vec<(Reason, Scene)> {
    let mut hiding = scene();
    hiding.expectation.listing = Listing::Unknown;
    let mut unmarked = scene();
    unmarked.expectation.contact = ContactPattern::default();
    let mut other_user = scene();
    other_user.expectation.user = Some("alice".into());
    let skewed = unmarked.clone().fetches(there()).says_with(Word::Registered, |answer| {
        answer.expires_at = claimed(302);
        answer.server_date = Some(at(600));
    });
    vec![
        (Reason::ProbeUnreachable, scene().sandwich(silent(), Word::Registered)),
        (
            Reason::ProbeNoCredentials,
            scene().sandwich(Sight::Challenged { code: 401 }, Word::Registered),
        ),
        (
            Reason::ProbeVantageBlocked,
            scene().sandwich(rejected(403, false), Word::Registered),
        ),
        (Reason::RegistrarSick, scene().sandwich(sick(500), Word::Registered)),
        (Reason::FetchNotSupported, scene().sandwich(rejected(400, true), Word::Registered)),
        (Reason::RegistrarMayHideBindings, hiding.sandwich(bound(&[]), Word::Registered)),
        (Reason::RegistrarOpen, scene().fetches(open(&[])).says(Word::Registered)),
        (Reason::ContactUnmatchable, unmarked.sandwich(there(), Word::Registered)),
        (Reason::OrphanBinding, scene().sandwich(there(), Word::Timeout)),
        (Reason::ClockSkew, skewed.fetches(there())),
        (
            Reason::IdentityMismatch,
            other_user
                .fetches(there())
                .says_with(Word::Registered, |answer| answer.username = Some("bob".into()))
                .fetches(there()),
        ),
    ]
}

#[test]
fn every_reason_can_be_met() {
    let met: BTreeSet<_> = gallery().iter().map(|(reason, scene)| scene.is(*reason).reason).collect();
    let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !met.contains(reason)).collect();
    assert!(missing.is_empty(), "no scene ends in {missing:?}");
}

#[test]
fn every_verdict_says_what_happened_and_what_to_do() {
    for (reason, scene) in gallery() {
        let verdict = scene.verdict();
        assert!(
            verdict.detail.ends_with('.') && verdict.detail.len() > 20,
            "{}: {}",
            reason.name(),
            verdict.detail
        );
        assert!(
            verdict.detail.contains(scene.claim.source.provider()),
            "{}: {}",
            reason.name(),
            verdict.detail
        );
        let nothing_to_do = matches!(reason, Reason::Registered | Reason::RefreshInProgress);
        assert_eq!(verdict.advice.is_none(), nothing_to_do, "{}", reason.name());
        assert!(verdict.advice.is_none_or(|advice| advice.ends_with('.')), "{}", reason.name());
        assert!(verdict.rule.contains('×'), "{}: {}", reason.name(), verdict.rule);
        assert!(
            verdict.notes.iter().all(|note| note.reason != reason && note.detail.ends_with('.')),
            "{}",
            reason.name()
        );
    }
}
