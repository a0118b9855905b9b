//! The matrix: a row, a column, and the reason where they meet. The cells stand in docs/verdict-matrix.md, which a test holds to this
//! file. Pure.

use super::column::Column;
use super::row::Row;
use super::{Outcome, Reason};

/// What beside row and column makes a difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Circumstances {
    /// The binding was seen to be refreshed.
    pub(super) refreshed: bool,
    /// The source was registered so lately that it can be refreshing.
    pub(super) was_registered: bool,
    /// The source has been registering for longer than that can take.
    pub(super) stuck: bool,
    /// The probe's secret is the provider's, and the registrar took it.
    pub(super) secret_works: bool,
    /// Another vantage got no answer either.
    pub(super) silent_elsewhere: bool,
}

/// What is in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// The reason.
    pub(super) reason: Reason,
    /// How long it has to be seen before it counts.
    pub(super) hold: Hold,
}

/// How long something has to be seen before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// At once.
    No,
    /// In two sandwiches with the grace in between.
    Grace,
    /// For the grace and 64·T1 more: a REGISTER can be on its way as long.
    GraceAndTimer,
}

impl Cell {
    pub(super) const fn now(reason: Reason) -> Self {
        Self { reason, hold: Hold::No }
    }

    pub(super) const fn twice(reason: Reason) -> Self {
        Self { reason, hold: Hold::Grace }
    }
}

/// A contradiction has to be seen twice, everything else counts at once.
fn settled(reason: Reason) -> Cell {
    match reason.outcome() {
        Outcome::Disagree => Cell::twice(reason),
        Outcome::Agree | Outcome::Stale | Outcome::Inconclusive => Cell::now(reason),
    }
}

/// The cell. Inconclusive before everything: a row that says nothing, then a column that says nothing to this row.
pub(super) fn cell(row: Row, column: Column, now: Circumstances) -> Cell {
    match row {
        Row::Nothing(reason) => Cell::now(reason),
        Row::Registered => settled(registered(column, now)),
        Row::InProgress => in_progress(column, now),
        Row::Unregistering => settled(unregistering(column, now)),
        Row::WrongCredentials => settled(wrong_credentials(column, now)),
        Row::Timeout => settled(unheard(column, now)),
        Row::InternalError => settled(internal_error(column, now)),
        Row::RegistrarError(code) => settled(registrar_error(code, column, now)),
        // A failure without its reason is compared by what it comes to.
        Row::Failed | Row::NotRegistered => settled(not_registered(column, now)),
    }
}

fn registered(column: Column, now: Circumstances) -> Reason {
    match column {
        Column::Bound => Reason::Registered,
        Column::Others => Reason::Displaced,
        Column::Unbound => Reason::FalsePositiveUnbound,
        Column::Refused(_) => Reason::CredentialsRejectedWhileRegistered,
        Column::Rejected(_) => Reason::RegistrarRejects,
        Column::Silent if now.silent_elsewhere => Reason::UnreachableFromTwoVantages,
        Column::Sick(_)
        | Column::Silent
        | Column::Unusable
        | Column::NotSupported(_)
        | Column::Blocked(_)
        | Column::NoCredentials
        | Column::Hidden
        | Column::Unmatchable { .. }
        | Column::Moved
        | Column::Open
        | Column::NotSeen => column.trouble().unwrap_or(Reason::ProbeUnreachable),
    }
}

/// While it registers, what the registrar says to the probe only says what to expect: 6 after a refusal of the credentials, 7 after
/// one of the account, 4 or 5 after silence.
fn in_progress(column: Column, now: Circumstances) -> Cell {
    let hold = if now.stuck { Hold::No } else { Hold::GraceAndTimer };
    match column {
        Column::Bound if !now.stuck && (now.refreshed || now.was_registered) => Cell::now(Reason::RefreshInProgress),
        Column::Bound => Cell {
            reason: left_behind(now),
            hold,
        },
        Column::Unbound => Cell {
            reason: Reason::StuckInProgress,
            hold,
        },
        Column::Others | Column::Refused(_) | Column::Rejected(_) | Column::Sick(_) | Column::Silent | Column::Unusable => {
            Cell::now(Reason::ApiInProgress)
        }
        Column::NotSupported(_)
        | Column::Blocked(_)
        | Column::NoCredentials
        | Column::Hidden
        | Column::Unmatchable { .. }
        | Column::Moved
        | Column::Open
        | Column::NotSeen => Cell::now(column.trouble().unwrap_or(Reason::ApiInProgress)),
    }
}

/// A table without the binding shows that it is done; anything else does not show that it is not under way.
fn unregistering(column: Column, now: Circumstances) -> Reason {
    match column {
        Column::Bound if now.refreshed => Reason::FalseNegativeBound,
        Column::Others | Column::Unbound => Reason::Down,
        Column::Bound
        | Column::Hidden
        | Column::Refused(_)
        | Column::Rejected(_)
        | Column::Sick(_)
        | Column::Silent
        | Column::Unusable
        | Column::Blocked(_) => Reason::ApiInProgress,
        Column::NotSupported(_) | Column::NoCredentials | Column::Unmatchable { .. } | Column::Moved | Column::Open | Column::NotSeen => {
            column.trouble().unwrap_or(Reason::ApiInProgress)
        }
    }
}

fn wrong_credentials(column: Column, now: Circumstances) -> Reason {
    match column {
        Column::Bound => left_behind(now),
        Column::Unbound | Column::Hidden if now.secret_works => Reason::ReasonMismatch,
        Column::Others | Column::Unbound | Column::Hidden => Reason::Down,
        Column::Refused(_) => Reason::ReasonMatches,
        Column::Rejected(_) => Reason::ReasonMismatch,
        Column::Sick(_)
        | Column::Silent
        | Column::Unusable
        | Column::NotSupported(_)
        | Column::Blocked(_)
        | Column::NoCredentials
        | Column::Unmatchable { .. }
        | Column::Moved
        | Column::Open
        | Column::NotSeen => column.trouble().unwrap_or(Reason::ProbeUnreachable),
    }
}

/// OpenSIPS' state 5 is what a 3xx or a reply that cannot be used brings about, and a 5xx does not.
fn internal_error(column: Column, now: Circumstances) -> Reason {
    match column {
        Column::NotSupported(300..=399) | Column::Unusable => Reason::ReasonMatches,
        Column::Sick(_) => Reason::RegistrarSick,
        Column::Bound
        | Column::Others
        | Column::Unbound
        | Column::Hidden
        | Column::Refused(_)
        | Column::Rejected(_)
        | Column::Silent
        | Column::Blocked(_)
        | Column::NotSupported(_)
        | Column::NoCredentials
        | Column::Unmatchable { .. }
        | Column::Moved
        | Column::Open
        | Column::NotSeen => unheard(column, now),
    }
}

/// A timeout or an error of its own: the provider heard nothing that it could use. A registrar that answers us points at the path.
fn unheard(column: Column, now: Circumstances) -> Reason {
    match column {
        Column::Bound => left_behind(now),
        Column::Others => Reason::Down,
        Column::Unbound | Column::Hidden | Column::Refused(_) | Column::Rejected(_) => Reason::ReasonMismatch,
        // What is dropped from us as well was not answered to the provider either, and a 5xx is of the same class as no answer.
        Column::Sick(_) | Column::Silent | Column::Blocked(None) => Reason::ReasonMatches,
        Column::Unusable
        | Column::NotSupported(_)
        | Column::Blocked(Some(_))
        | Column::NoCredentials
        | Column::Unmatchable { .. }
        | Column::Moved
        | Column::Open
        | Column::NotSeen => column.trouble().unwrap_or(Reason::ProbeUnreachable),
    }
}

fn registrar_error(claimed: Option<u16>, column: Column, now: Circumstances) -> Reason {
    let same = |code: u16| claimed.is_none_or(|claimed| claimed == code);
    match column {
        Column::Bound => left_behind(now),
        Column::Others => Reason::Down,
        Column::Rejected(code) if same(code) => Reason::ReasonMatches,
        Column::NotSupported(code) | Column::Blocked(Some(code)) if claimed == Some(code) => Reason::ReasonMatches,
        Column::Sick(code) if claimed.is_none_or(|claimed| claimed / 100 == code / 100) => Reason::ReasonMatches,
        Column::Unbound | Column::Hidden | Column::Refused(_) | Column::Rejected(_) => Reason::ReasonMismatch,
        Column::Sick(_)
        | Column::Silent
        | Column::Unusable
        | Column::NotSupported(_)
        | Column::Blocked(_)
        | Column::NoCredentials
        | Column::Unmatchable { .. }
        | Column::Moved
        | Column::Open
        | Column::NotSeen => column.trouble().unwrap_or(Reason::ProbeUnreachable),
    }
}

/// Nothing that the registrar says or withholds speaks against not being registered, except the binding itself.
fn not_registered(column: Column, now: Circumstances) -> Reason {
    match column {
        Column::Bound => left_behind(now),
        Column::Others
        | Column::Unbound
        | Column::Hidden
        | Column::Refused(_)
        | Column::Rejected(_)
        | Column::Sick(_)
        | Column::Silent
        | Column::Unusable
        | Column::Blocked(_) => Reason::Down,
        Column::NotSupported(_) | Column::NoCredentials | Column::Unmatchable { .. } | Column::Moved | Column::Open | Column::NotSeen => {
            column.trouble().unwrap_or(Reason::ProbeUnreachable)
        }
    }
}

/// A binding that the provider says it does not have: alive when it is refreshed, else left over until it lapses.
const fn left_behind(now: Circumstances) -> Reason {
    if now.refreshed {
        Reason::FalseNegativeBound
    } else {
        Reason::OrphanBinding
    }
}
