//! What was noticed and did not decide. Each note is a reason that another verdict could have had. Pure.

use super::case::Case;
use super::clock::{Skew, magnitude};
use super::series::Settled;
use super::stale::contradicting;
use super::words::{conflict, contacts, seen};
use super::{Note, Reason};
use crate::{Role, Sight};

/// The notes, at most one of a kind, and none of the kind that decided.
pub(super) fn notes(case: &Case<'_>, settled: &Settled<'_>) -> Vec<Note> {
    let all = [
        wire_trouble(case, settled),
        others_bound(case, settled),
        source_conflict(case, settled),
        clock_skew(case, settled),
        open_registrar(settled),
    ];
    all.into_iter().flatten().filter(|note| note.reason != settled.reason).collect()
}

/// Why the wire could say nothing, when the verdict has its reason elsewhere. A wire that nobody could look at has no trouble.
fn wire_trouble(case: &Case<'_>, settled: &Settled<'_>) -> Option<Note> {
    let reason = settled.view.column.trouble().filter(|_| !case.observations.is_empty())?;
    let detail = format!("On the wire {}.", seen(settled));
    Some(Note { reason, detail })
}

fn others_bound(case: &Case<'_>, settled: &Settled<'_>) -> Option<Note> {
    let others = &settled.view.others;
    let known = settled.view.column.shows_bound().is_some();
    (known && !others.is_empty() && case.claim.source.role() == Role::Client).then(|| Note {
        reason: Reason::Displaced,
        detail: format!("Not the provider's, and {} bound to the same AOR.", contacts(others)),
    })
}

fn source_conflict(case: &Case<'_>, settled: &Settled<'_>) -> Option<Note> {
    contradicting(case, settled.sandwich.answer, settled.row).next()?;
    Some(Note {
        reason: Reason::SourceConflict,
        detail: format!("{} contradicts itself: {}.", case.claim.source.provider(), conflict(case, settled)),
    })
}

fn clock_skew(case: &Case<'_>, settled: &Settled<'_>) -> Option<Note> {
    let skew = Skew::of(settled.sandwich.answer, case.expectation);
    let ahead = skew.ahead.filter(|_| skew.is_too_much())?;
    let direction = if ahead.is_negative() { "behind" } else { "ahead of" };
    Some(Note {
        reason: Reason::ClockSkew,
        detail: format!(
            "{}'s clock is {} s {direction} ours; its times were not compared.",
            case.claim.source.provider(),
            magnitude(ahead).as_secs()
        ),
    })
}

fn open_registrar(settled: &Settled<'_>) -> Option<Note> {
    let open = settled
        .sandwich
        .looks()
        .find(|look| matches!(look.sight, Sight::Bindings { challenged: false, .. }))?;
    Some(Note {
        reason: Reason::RegistrarOpen,
        detail: format!(
            "The registrar{} asked nobody for credentials.",
            open.server.as_deref().map_or_else(String::new, |server| format!(" at {server}"))
        ),
    })
}
