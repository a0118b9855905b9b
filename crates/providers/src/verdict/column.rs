//! The columns of the matrix: what a sandwich of two looks shows about the provider's binding. Pure.

use super::Reason;
use super::case::{Case, Sandwich, expected, listed};
use super::matching::{Marks, Owners};
use super::row::Row;
use crate::{Observation, SeenBinding, Sight};
use sip_registration::Cause;

/// A column of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// The expected binding is there, before and after.
    Bound,
    /// Only others are bound.
    Others,
    /// Nothing is bound.
    Unbound,
    /// The registrar refused the credentials, with 401 or 407.
    Refused(u16),
    /// It refused the account.
    Rejected(u16),
    /// It answered 5xx.
    Sick(u16),
    /// It gave no answer.
    Silent,
    /// It is there, and what it answers cannot be used: by its certificate, or for want of a challenge or a reply that can be read.
    Unusable,
    /// It does not say which bindings there are, and answered this.
    NotSupported(u16),
    /// It refuses the probe, or drops what it sends, and is alive.
    Blocked(Option<u16>),
    /// It asked for credentials, and there are none to compare with.
    NoCredentials,
    /// It lists nothing, and may hide what is bound.
    Hidden,
    /// Something is bound, and nothing says whose it is.
    Unmatchable {
        /// The times would have said it, if the clocks agreed.
        skewed: bool,
    },
    /// What was seen before the answer is not what was seen after it.
    Moved,
    /// It asked nobody for credentials, and was not asked again.
    Open,
    /// Nobody looked before the answer, or after it.
    NotSeen,
}

impl Column {
    /// The reason that this column has for saying nothing, whatever the provider says; `None` when the row decides.
    pub(super) const fn trouble(self) -> Option<Reason> {
        match self {
            Self::NotSupported(_) => Some(Reason::FetchNotSupported),
            Self::Blocked(_) => Some(Reason::ProbeVantageBlocked),
            Self::NoCredentials => Some(Reason::ProbeNoCredentials),
            Self::Hidden => Some(Reason::RegistrarMayHideBindings),
            Self::Unmatchable { skewed: false } => Some(Reason::ContactUnmatchable),
            Self::Unmatchable { skewed: true } => Some(Reason::ClockSkew),
            Self::Moved => Some(Reason::RefreshRace),
            Self::Open => Some(Reason::RegistrarOpen),
            Self::Silent | Self::Unusable | Self::NotSeen => Some(Reason::ProbeUnreachable),
            Self::Sick(_) => Some(Reason::RegistrarSick),
            Self::Bound | Self::Others | Self::Unbound | Self::Refused(_) | Self::Rejected(_) => None,
        }
    }

    /// Whether the expected binding is seen to be there (true), seen not to be there (false), or neither.
    pub(super) const fn shows_bound(self) -> Option<bool> {
        match self {
            Self::Bound => Some(true),
            Self::Others | Self::Unbound => Some(false),
            Self::Refused(_)
            | Self::Rejected(_)
            | Self::Sick(_)
            | Self::Silent
            | Self::Unusable
            | Self::NotSupported(_)
            | Self::Blocked(_)
            | Self::NoCredentials
            | Self::Hidden
            | Self::Unmatchable { .. }
            | Self::Moved
            | Self::Open
            | Self::NotSeen => None,
        }
    }

    /// As it stands in the rule of a verdict and in docs/verdict-matrix.md.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bound => "expected binding there",
            Self::Others => "only others bound",
            Self::Unbound => "nothing bound",
            Self::Refused(_) => "credentials refused",
            Self::Rejected(_) => "account refused",
            Self::Sick(_) => "5xx",
            Self::Silent => "silence",
            Self::Unusable => "unusable reply",
            Self::NotSupported(_) => "fetch not supported",
            Self::Blocked(_) => "probe blocked",
            Self::NoCredentials => "no credentials",
            Self::Hidden => "nothing listed, may hide",
            Self::Unmatchable { .. } => "owner unknown",
            Self::Moved => "changed meanwhile",
            Self::Open => "open registrar",
            Self::NotSeen => "not looked",
        }
    }
}

/// What a sandwich shows.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) column: Column,
    /// The bindings that are the provider's, of both looks.
    pub(super) expected: Vec<&'a SeenBinding>,
    /// The others, of the last look; our own is not among them.
    pub(super) others: Vec<&'a SeenBinding>,
    /// Whether what is expected is the probe's own binding: then it is the registrar's table that is verified.
    pub(super) own: bool,
    /// Whether every look that listed bindings had been asked for credentials.
    pub(super) challenged: bool,
}

impl<'a> View<'a> {
    pub(super) fn of(case: &Case<'a>, sandwich: &Sandwich<'a>) -> Self {
        let marks = case.marks(sandwich.answer);
        let owners = |look: Option<&'a Observation>| look.and_then(|look| Some(marks.owners(listed(look)?, look.ended_at)));
        let (before, after) = (owners(sandwich.before), owners(sandwich.after));
        let expected = expected([before.as_ref(), after.as_ref()].map(|owners| owners.unwrap_or(&Owners::Nobody)));
        let last = sandwich.looks().rev().find_map(listed).unwrap_or_default();
        let is_expected = |binding: &SeenBinding| expected.contains(&binding);
        Self {
            column: column(case, sandwich, before.as_ref(), after.as_ref()),
            others: others(&marks, last).filter(|binding| !is_expected(binding)).collect(),
            challenged: sandwich
                .looks()
                .all(|look| matches!(look.sight, Sight::Bindings { challenged: true, .. })),
            own: !expected.is_empty() && expected.iter().all(|binding| marks.is_own(binding)),
            expected,
        }
    }
}

fn others<'a>(marks: &Marks<'_>, bindings: &'a [SeenBinding]) -> impl Iterator<Item = &'a SeenBinding> {
    bindings.iter().filter(|binding| marks.counts(binding) && !marks.is_own(binding))
}

fn column(case: &Case<'_>, sandwich: &Sandwich<'_>, before: Option<&Owners<'_>>, after: Option<&Owners<'_>>) -> Column {
    let one = |look: Option<&Observation>, owners| look.map(|look| of_look(case, look, owners));
    match (one(sandwich.before, before), one(sandwich.after, after)) {
        (Some(first), Some(second)) => both(first, second),
        (Some(_), None) if sandwich.before.is_some_and(is_open) => Column::Open,
        // What is no answer before is none after; only bindings have to be seen twice, and only beside a claim.
        (Some(only), None) | (None, Some(only)) if before.or(after).is_none() || says_nothing(sandwich) => only,
        (Some(_), None) | (None, Some(_)) | (None, None) => Column::NotSeen,
    }
}

/// Two looks that do not show the same: what is no usable answer speaks first, then the change.
fn both(first: Column, second: Column) -> Column {
    if std::mem::discriminant(&first) == std::mem::discriminant(&second) {
        return second;
    }
    let is_no_answer = |column: &Column| matches!(column, Column::Silent | Column::Unusable | Column::Sick(_) | Column::Blocked(_));
    [second, first].into_iter().find(is_no_answer).unwrap_or(Column::Moved)
}

fn says_nothing(sandwich: &Sandwich<'_>) -> bool {
    matches!(Row::of(sandwich.answer), Row::Nothing(_))
}

fn is_open(look: &Observation) -> bool {
    matches!(look.sight, Sight::Bindings { challenged: false, .. })
}

fn of_look(case: &Case<'_>, look: &Observation, owners: Option<&Owners<'_>>) -> Column {
    match &look.sight {
        Sight::Bindings { .. } => match owners {
            Some(Owners::Expected(_)) => Column::Bound,
            Some(Owners::Others) => Column::Others,
            Some(Owners::Unknown { skewed }) => Column::Unmatchable { skewed: *skewed },
            Some(Owners::Nobody) | None if case.lists() => Column::Unbound,
            Some(Owners::Nobody) | None => Column::Hidden,
        },
        Sight::Challenged { .. } => Column::NoCredentials,
        // The refusal of another secret than the provider's says nothing about the provider's.
        Sight::Refused { code } if case.expectation.same_secret => Column::Refused(*code),
        Sight::Refused { .. } => Column::NoCredentials,
        Sight::Rejected { code, authenticated, .. } => rejected(case, *code, *authenticated),
        Sight::ServerError {
            code: code @ (501 | 505 | 513),
            ..
        } => Column::NotSupported(*code),
        Sight::ServerError { code, .. } => Column::Sick(*code),
        Sight::Silent { cause, .. } if is_unusable(*cause) => Column::Unusable,
        Sight::Silent { .. } if case.is_alive() => Column::Blocked(None),
        Sight::Silent { .. } => Column::Silent,
        Sight::Alive { .. } | Sight::Reached { .. } | Sight::NotReached { .. } => Column::NotSeen,
    }
}

/// Whether there was something to hear. Who is silent to a provider and who shows the probe a certificate need not have the same
/// trouble.
const fn is_unusable(cause: Cause) -> bool {
    match cause {
        Cause::StaleLoop
        | Cause::MalformedChallenge
        | Cause::UnsupportedAlgorithm
        | Cause::RealmMismatch
        | Cause::DigestTooWeak
        | Cause::TlsHandshake
        | Cause::CertificateExpired
        | Cause::CertificateUntrusted
        | Cause::CertificateNameMismatch
        | Cause::MalformedReply
        | Cause::ServerNotAuthenticated => true,
        Cause::NoReply
        | Cause::OnlyProvisional
        | Cause::Replied408
        | Cause::DnsNotFound
        | Cause::DnsFailed
        | Cause::Unreachable
        | Cause::ConnectionRefused
        | Cause::ConnectTimeout
        | Cause::ConnectionLost
        | Cause::CredentialsMissing
        | Cause::WrongCredentials
        | Cause::RejectedWithoutChallenge
        | Cause::Redirected
        | Cause::BindingNotConfirmed
        | Cause::GrantedZero
        | Cause::IntervalTooBrief
        | Cause::Forbidden
        | Cause::UnknownUser
        | Cause::Rejected
        | Cause::GlobalFailure
        | Cause::Overloaded
        | Cause::ServerError => false,
    }
}

/// A refusal is about the account, about the form of the request or its way, or about where it came from. 403 before anybody asked
/// for credentials is about the place, unless another place got it too; after credentials it may be about them.
fn rejected(case: &Case<'_>, code: u16, authenticated: bool) -> Column {
    let forbidden = |look: &Observation| matches!(look.sight, Sight::Rejected { code: 403, .. });
    match code {
        // FreeSWITCH says 400 "Missing Contact Header" to a fetch; a 3xx says that the bindings are elsewhere.
        300..=399 | 400 | 405 | 406 | 413..=423 | 430 | 440 | 481..=483 | 491 | 493 | 494 => Column::NotSupported(code),
        403 if authenticated && !case.expectation.same_secret => Column::NoCredentials,
        403 if !authenticated && !case.looks_from_elsewhere().any(forbidden) => Column::Blocked(Some(code)),
        _ => Column::Rejected(code),
    }
}
