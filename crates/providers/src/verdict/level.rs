//! What the wire by itself has proved, and what that means for the one who pays for the line. Pure.

use super::case::{Case, listed};
use super::column::Column;
use super::row::Row;
use super::series::Settled;
use super::{Level, Outcome, Reason, Service};
use crate::{Observation, Question, Sight};

/// The highest level that the looks around the answer prove, together with what was seen before of the same binding.
pub(super) fn level(case: &Case<'_>, settled: &Settled<'_>) -> Level {
    let last = settled.sandwich.looks().rev().find(|look| listed(look).is_some());
    let Some((look, bindings)) = last.and_then(|look| Some((look, listed(look)?))) else {
        return without_answer(case);
    };
    let is_expected = |contact: &str| settled.view.expected.iter().any(|binding| binding.contact == contact);
    let expected_there = bindings.iter().any(|binding| is_expected(&binding.contact));
    if expected_there && is_reached(case, settled) {
        Level::E5
    } else if expected_there && settled.now.refreshed {
        Level::E4
    } else if expected_there {
        Level::E3
    } else if !settled.view.others.is_empty() {
        Level::E2
    } else if matches!(look.sight, Sight::Bindings { challenged: true, .. }) {
        Level::E1
    } else {
        Level::E0
    }
}

/// Whether anything answered at all.
pub(super) fn without_answer(case: &Case<'_>) -> Level {
    if case.observations.iter().any(|seen| is_answered(seen)) {
        Level::E0
    } else {
        Level::None
    }
}

const fn is_answered(seen: &Observation) -> bool {
    match &seen.sight {
        Sight::Silent { answered, .. } => *answered,
        Sight::NotReached { code, .. } => code.is_some(),
        Sight::Bindings { .. }
        | Sight::Challenged { .. }
        | Sight::Refused { .. }
        | Sight::Rejected { .. }
        | Sight::ServerError { .. }
        | Sight::Alive { .. }
        | Sight::Reached { .. } => true,
    }
}

/// Whether the last OPTIONS to the AOR reached the expected binding: our own when that is the expected one, else the only one there
/// is. An answer from one of several may be from any of them.
fn is_reached(case: &Case<'_>, settled: &Settled<'_>) -> bool {
    let marks = case.marks(settled.sandwich.answer);
    let expected = &settled.view.expected;
    let own_is_expected = expected.iter().any(|binding| marks.is_own(binding));
    let own_is_bound = settled
        .sandwich
        .looks()
        .rev()
        .find_map(listed)
        .is_some_and(|bindings| bindings.iter().any(|binding| marks.is_own(binding)));
    let last = case.observations.iter().rev().find(|seen| seen.question == Question::Inbound);
    match last.map(|seen| &seen.sight) {
        Some(Sight::Reached { at_our_contact: true, .. }) => own_is_expected,
        Some(Sight::Reached { at_our_contact: false, .. }) => settled.view.others.is_empty() && (own_is_expected || !own_is_bound),
        Some(_) | None => false,
    }
}

/// What the verdict means for calls. Where nothing is settled, only what the wire shows by itself is said.
pub(super) const fn service(settled: &Settled<'_>) -> Service {
    let column = settled.view.column;
    match settled.reason {
        Reason::Registered | Reason::RefreshInProgress | Reason::FalseNegativeBound | Reason::ExpiryMismatch => Service::Up,
        // Another reason than the provider's, and a list in which nothing need be missing.
        Reason::ReasonMismatch if matches!(column, Column::Hidden) => Service::Unknown,
        Reason::Down
        | Reason::ReasonMatches
        | Reason::ReasonMismatch
        | Reason::FalsePositiveUnbound
        | Reason::Displaced
        | Reason::StuckInProgress
        | Reason::UnreachableFromTwoVantages => Service::Down,
        Reason::CredentialsRejectedWhileRegistered | Reason::RegistrarRejects => Service::AtRisk,
        // A binding that nobody refreshes serves calls until it lapses, if anybody is still behind it.
        Reason::OrphanBinding if matches!(settled.row, Row::NotRegistered | Row::Unregistering) => Service::Unknown,
        Reason::OrphanBinding => Service::AtRisk,
        Reason::WithinGrace | Reason::RefreshRace | Reason::IdentityMismatch => Service::Unknown,
        other => match (column, other.outcome()) {
            (Column::Bound, _) => Service::Up,
            (Column::Others | Column::Unbound, _) => Service::Down,
            (Column::Refused(_) | Column::Rejected(_), Outcome::Stale) => Service::AtRisk,
            (_, _) => Service::Unknown,
        },
    }
}
