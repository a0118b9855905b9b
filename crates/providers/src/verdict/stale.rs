//! Whether the provider's own data show that they are older than they may be, or that they are new. A time without its zone proves
//! nothing here, and none does when the clocks differ too much. Pure.

use jiff::SignedDuration;

use super::case::{Case, Sandwich, TIMER_F, ends};
use super::clock::{Skew, apart, comparable, seconds, signed};
use super::column::{Column, View};
use super::matrix::Cell;
use super::row::Row;
use super::{Freshness, Moment, Reason};
use crate::{Answer, SourceKind};

/// The smallest difference of two ends of a binding that is worth a word.
const SMALLEST_MISMATCH: SignedDuration = SignedDuration::from_secs(30);

/// Whether `refreshed_at` moves with every refresh. FreeSWITCH's `uptime`, which Telnyx passes on, is when it came up first, and
/// Bitrix24's `LAST_UPDATED` moves when it likes.
pub(super) const fn shows_refreshes(source: SourceKind) -> bool {
    match source {
        SourceKind::TelnyxUac | SourceKind::Freeswitch | SourceKind::Bitrix24 | SourceKind::Bitrix24Stored => false,
        SourceKind::TelnyxUacStored
        | SourceKind::TelnyxTelephonyCredential
        | SourceKind::TelnyxCredentialConnection
        | SourceKind::TelnyxCredentialCheck
        | SourceKind::Telzino
        | SourceKind::Opensips
        | SourceKind::Kamailio
        | SourceKind::Asterisk => true,
    }
}

/// Whether `updated_at` is when the source looked.
const fn shows_updates(source: SourceKind) -> bool {
    match source {
        SourceKind::Bitrix24 | SourceKind::Bitrix24Stored => false,
        SourceKind::TelnyxUac
        | SourceKind::TelnyxUacStored
        | SourceKind::TelnyxTelephonyCredential
        | SourceKind::TelnyxCredentialConnection
        | SourceKind::TelnyxCredentialCheck
        | SourceKind::Telzino
        | SourceKind::Opensips
        | SourceKind::Kamailio
        | SourceKind::Freeswitch
        | SourceKind::Asterisk => true,
    }
}

/// What a cell becomes by the times and by the provider's other sources. Tests that need the clocks are left out when those differ.
pub(super) fn reconsider(case: &Case<'_>, sandwich: &Sandwich<'_>, row: Row, view: &View<'_>, cell: Cell) -> Cell {
    let times = Times::of(case, sandwich.answer, view);
    let comparable = !times.skew.is_too_much();
    let speaks_against = contradicts_registered(cell.reason);
    let bound = row == Row::Registered && view.column == Column::Bound;
    if comparable && times.has_expired() && (speaks_against || bound) {
        return Cell::now(Reason::ExpiredClaim);
    }
    if comparable && times.is_overdue(speaks_against) && (speaks_against || cell.reason == Reason::FalseNegativeBound) {
        return Cell::now(Reason::NotRefreshed);
    }
    if bound && is_unchanged(case, sandwich, view, times.lifetime) {
        return Cell::now(Reason::PayloadUnchanged);
    }
    if is_outdated_field(case, sandwich.answer, row, view.column) {
        return Cell::twice(Reason::StoredFieldOutdated);
    }
    if contradicting(case, sandwich.answer, row).next().is_some() && view.column.trouble().is_some() {
        return Cell::now(Reason::SourceConflict);
    }
    if comparable && bound && times.ends_otherwise(sandwich, view) {
        return Cell::twice(Reason::ExpiryMismatch);
    }
    cell
}

const fn contradicts_registered(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::FalsePositiveUnbound | Reason::Displaced | Reason::CredentialsRejectedWhileRegistered | Reason::RegistrarRejects
    )
}

/// The times of an answer, and by how much they may be off.
#[derive(Debug)]
struct Times<'a> {
    answer: &'a Answer,
    skew: Skew,
    lifetime: u32,
    /// The clocks' difference and a tenth of the lifetime.
    allowed: SignedDuration,
}

impl<'a> Times<'a> {
    fn of(case: &Case<'_>, answer: &'a Answer, view: &View<'_>) -> Self {
        let skew = Skew::of(answer, case.expectation);
        let lifetime = case.lifetime(answer, &view.expected);
        Self {
            answer,
            skew,
            lifetime,
            allowed: skew.tolerance().saturating_add(seconds(lifetime / 10)),
        }
    }

    /// The end that it names itself is over.
    fn has_expired(&self) -> bool {
        comparable(self.answer.expires_at).is_some_and(|end| self.answer.answered_at.since(end) > self.allowed)
    }

    /// Its last sign of life is older than what was granted then.
    fn is_overdue(&self, says_registered: bool) -> bool {
        let source = self.answer.source;
        let refreshed = comparable(self.answer.refreshed_at).filter(|_| says_registered && shows_refreshes(source));
        let updated = comparable(self.answer.updated_at).filter(|_| shows_updates(source));
        let granted = seconds(self.lifetime).saturating_add(self.allowed);
        refreshed
            .max(updated)
            .is_some_and(|last| self.answer.answered_at.since(last) > granted)
    }

    /// It names another end than the registrar does, before and after.
    fn ends_otherwise(&self, sandwich: &Sandwich<'_>, view: &View<'_>) -> bool {
        let seen: Vec<_> = sandwich.looks().flat_map(|look| ends(&view.expected, look)).collect();
        let allowed = self.mismatch();
        comparable(self.answer.expires_at).is_some_and(|end| !seen.is_empty() && seen.iter().all(|at| apart(*at, end) > allowed))
    }

    fn mismatch(&self) -> SignedDuration {
        self.skew.tolerance().max(seconds(self.lifetime / 10)).max(SMALLEST_MISMATCH)
    }
}

/// From which difference on two ends of the same binding are not the same.
pub(super) fn mismatch(case: &Case<'_>, answer: &Answer, view: &View<'_>) -> SignedDuration {
    Times::of(case, answer, view).mismatch()
}

/// Whether the registrar saw a refresh in a time in which the data would have had to change, and did not.
fn is_unchanged(case: &Case<'_>, sandwich: &Sandwich<'_>, view: &View<'_>, lifetime: u32) -> bool {
    let answer = sandwich.answer;
    let long_enough = seconds(lifetime.saturating_add(lifetime / 5));
    let earlier = case
        .answers
        .iter()
        .filter(|other| answer.asked_at.since(other.answered_at) >= long_enough);
    names_a_moving_time(answer)
        && earlier.into_iter().any(|other| {
            (&other.word, &other.said) == (&answer.word, &answer.said)
                && times_of(other) == times_of(answer)
                && case.is_refreshed(&view.expected, other.asked_at..=sandwich.ended_at())
        })
}

/// Whether it names any time that a refresh has to change.
fn names_a_moving_time(answer: &Answer) -> bool {
    answer.expires_at.is_some()
        || answer.next_action_at.is_some()
        || (answer.refreshed_at.is_some() && shows_refreshes(answer.source))
        || (answer.updated_at.is_some() && shows_updates(answer.source))
}

fn times_of(answer: &Answer) -> [Option<crate::ClaimedTime>; 4] {
    [answer.expires_at, answer.next_action_at, answer.refreshed_at, answer.updated_at]
}

/// The other sources of the same provider that say the opposite, each by its last answer. They are asked once for all looks, so what
/// they said four graces ago still counts.
pub(super) fn contradicting<'a>(case: &Case<'a>, answer: &'a Answer, row: Row) -> impl Iterator<Item = &'a Answer> {
    let window = signed(case.expectation.grace).max(TIMER_F).saturating_mul(4);
    let claim = case.claim;
    let is_last = move |other: &&Answer| {
        let same = claim.corroborating().filter(|another| another.source == other.source);
        same.max_by_key(|another| another.answered_at)
            .is_some_and(|last| std::ptr::eq(last, *other))
    };
    let others = claim
        .corroborating()
        .filter(move |other| apart(other.answered_at, answer.answered_at) <= window);
    let says = row.says_up();
    others
        .filter(is_last)
        .filter(move |other| says.is_some() && Row::of(other).says_up() == says.map(|up| !up))
}

/// Whether it is a stored value that a live source of the same provider contradicts, and the registrar too.
fn is_outdated_field(case: &Case<'_>, answer: &Answer, row: Row, column: Column) -> bool {
    let seen = column.shows_bound();
    let mut live = contradicting(case, answer, row).filter(|other| other.source.is_live());
    !answer.source.is_live() && seen.is_some() && seen == row.says_up().map(|up| !up) && live.next().is_some()
}

/// Whether the data themselves show that they are new: the source looked just now, or the time that it names for a refresh or for an
/// end is one that only a recent refresh can have made.
pub(super) fn freshness(case: &Case<'_>, answer: &Answer, view: &View<'_>) -> Freshness {
    let times = Times::of(case, answer, view);
    let allowed = times.skew.tolerance();
    let is_new = |at: Option<Moment>, longest: SignedDuration| {
        at.is_some_and(|at| answer.answered_at.since(at) <= longest.saturating_add(allowed) && at.since(answer.answered_at) <= allowed)
    };
    let looked = comparable(answer.updated_at).filter(|_| shows_updates(answer.source));
    let refreshed = comparable(answer.refreshed_at).filter(|_| shows_refreshes(answer.source));
    let holds = comparable(answer.expires_at).is_some_and(|end| end > answer.answered_at);
    let registered = Row::of(answer) == Row::Registered;
    let fresh = is_new(looked, signed(case.expectation.grace)) || (registered && (holds || is_new(refreshed, seconds(times.lifetime))));
    if fresh && !times.skew.is_too_much() {
        Freshness::Fresh
    } else {
        Freshness::Unknown
    }
}
