//! The series of sandwiches: what was seen once may be on its way, what was seen twice with the grace in between is so, and what
//! cannot be said takes nothing back. Pure.

use super::case::{Case, Sandwich, TIMER_F};
use super::clock::signed;
use super::column::{Column, View};
use super::matrix::{Cell, Circumstances, Hold, cell};
use super::row::Row;
use super::stale;
use super::{Contradiction, Moment, Outcome, Reason};
use crate::{Answer, Standing};

/// What the last answer of a series comes to.
#[derive(Debug)]
pub(super) struct Settled<'a> {
    pub(super) sandwich: Sandwich<'a>,
    pub(super) row: Row,
    pub(super) view: View<'a>,
    pub(super) now: Circumstances,
    /// The reason of the verdict.
    pub(super) reason: Reason,
    /// What another look could settle.
    pub(super) contradiction: Option<Contradiction>,
    /// A disagreement found before that this did not clear.
    pub(super) standing: Option<Standing>,
}

impl Settled<'_> {
    /// Whether the wire showed what the verdict agrees to; silence, a 5xx, and a list that may be incomplete show nothing.
    pub(super) const fn is_shown(&self) -> bool {
        is_shown(self.reason, self.view.column)
    }

    /// Whether the registrar refused the provider's credentials and took the same ones from the probe.
    pub(super) fn takes_the_secret(&self) -> bool {
        self.row == Row::WrongCredentials && self.now.secret_works && matches!(self.view.column, Column::Unbound | Column::Hidden)
    }
}

const fn is_shown(reason: Reason, column: Column) -> bool {
    match column {
        Column::Bound | Column::Others | Column::Unbound => true,
        Column::Refused(_) | Column::Rejected(_) | Column::NotSupported(_) => matches!(reason, Reason::ReasonMatches),
        Column::Sick(_)
        | Column::Silent
        | Column::Unusable
        | Column::Blocked(_)
        | Column::NoCredentials
        | Column::Hidden
        | Column::Unmatchable { .. }
        | Column::Moved
        | Column::Open
        | Column::NotSeen => false,
    }
}

/// Contradictions that go on into each other: a provider that says registered is no less wrong for a displaced binding than for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SaysUp,
    SaysDown,
    Registers,
    OtherReason,
    OtherEnd,
    Outdated,
}

const fn kind(reason: Reason, row: Row) -> Kind {
    match (reason, row) {
        (Reason::ReasonMismatch, _) => Kind::OtherReason,
        (Reason::ExpiryMismatch, _) => Kind::OtherEnd,
        (Reason::StoredFieldOutdated, _) => Kind::Outdated,
        (_, Row::InProgress) => Kind::Registers,
        (_, Row::Registered) => Kind::SaysUp,
        (_, _) => Kind::SaysDown,
    }
}

/// A contradiction that goes on.
#[derive(Debug, Clone, Copy)]
struct Lasting {
    kind: Kind,
    since: Moment,
}

/// Goes through the answers in order; `None` without any.
pub(super) fn settle<'a>(case: &Case<'a>) -> Option<Settled<'a>> {
    let mut series = Series {
        lasting: None,
        standing: case.expectation.previous.filter(|standing| is_disagreement(standing.reason)),
    };
    let mut last = None;
    for answer in &case.answers {
        last = Some(series.take(case, answer));
    }
    last
}

const fn is_disagreement(reason: Reason) -> bool {
    matches!(reason.outcome(), Outcome::Disagree | Outcome::Stale)
}

struct Series {
    lasting: Option<Lasting>,
    standing: Option<Standing>,
}

impl Series {
    fn take<'a>(&mut self, case: &Case<'a>, answer: &'a Answer) -> Settled<'a> {
        let sandwich = case.sandwich(answer);
        let view = View::of(case, &sandwich);
        let row = row(case, answer);
        let now = circumstances(case, &sandwich, &view);
        let cell = stale::reconsider(case, &sandwich, row, &view, cell(row, view.column, now));
        let (reason, contradiction) = self.hold(case, answer, row, cell);
        if is_disagreement(reason) {
            let seen_at = answer.answered_at;
            self.standing = Some(Standing { reason, seen_at });
        } else if reason.outcome() == Outcome::Agree && is_shown(reason, view.column) {
            (self.lasting, self.standing) = (None, None);
        }
        Settled {
            sandwich,
            row,
            view,
            now,
            reason,
            contradiction,
            standing: self.standing.filter(|_| !is_disagreement(reason)),
        }
    }

    /// What a cell comes to by how long it has been so.
    fn hold(&mut self, case: &Case<'_>, answer: &Answer, row: Row, cell: Cell) -> (Reason, Option<Contradiction>) {
        let needed = match (cell.hold, cell.reason) {
            // An orphan is known for one at once. The next look can show that it is none.
            (Hold::No, Reason::OrphanBinding) => signed(case.expectation.grace),
            // What is under way will have come to something then, and says nothing about what went before it.
            (Hold::No, Reason::RefreshRace | Reason::ApiInProgress) => return (cell.reason, Some(under_way(case, answer, cell.reason))),
            (Hold::No, _) => return (cell.reason, None),
            (Hold::Grace, _) => signed(case.expectation.grace),
            (Hold::GraceAndTimer, _) => signed(case.expectation.grace).saturating_add(TIMER_F),
        };
        let kind = kind(cell.reason, row);
        let before = self.lasting.filter(|lasting| lasting.kind == kind);
        let since = before.map_or(answer.answered_at, |lasting| lasting.since);
        self.lasting = Some(Lasting { kind, since });
        let counts_from = since.after(needed.unsigned_abs());
        if before.is_some() && answer.asked_at >= counts_from {
            return (cell.reason, None);
        }
        let (reason, becomes) = match (cell.hold, cell.reason) {
            (Hold::No, reason) => (reason, Reason::FalseNegativeBound),
            (Hold::Grace | Hold::GraceAndTimer, reason) => (Reason::WithinGrace, reason),
        };
        let contradiction = Contradiction {
            reason: becomes,
            since,
            counts_from,
        };
        (reason, Some(contradiction))
    }
}

fn under_way(case: &Case<'_>, answer: &Answer, reason: Reason) -> Contradiction {
    Contradiction {
        reason,
        since: answer.answered_at,
        counts_from: answer.answered_at.after(case.expectation.grace),
    }
}

/// The row of an answer. One about another user than was looked at says nothing about this one.
fn row(case: &Case<'_>, answer: &Answer) -> Row {
    let row = Row::of(answer);
    match case.other_user(answer) {
        Some(_) if !matches!(row, Row::Nothing(_)) => Row::Nothing(Reason::IdentityMismatch),
        Some(_) | None => row,
    }
}

fn circumstances(case: &Case<'_>, sandwich: &Sandwich<'_>, view: &View<'_>) -> Circumstances {
    let answer = sandwich.answer;
    let too_long = signed(case.expectation.grace).saturating_add(TIMER_F);
    let started = case.in_progress_since(answer);
    Circumstances {
        refreshed: case.is_refreshed(&view.expected, Moment::BEGINNING..=sandwich.ended_at()),
        was_registered: case.was_registered(answer, &view.expected),
        stuck: started.is_some_and(|since| answer.asked_at.since(since) >= too_long),
        secret_works: case.expectation.same_secret && view.challenged,
        silent_elsewhere: case.is_silent_elsewhere(),
    }
}
