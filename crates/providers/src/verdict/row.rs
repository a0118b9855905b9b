//! The rows of the matrix: what the provider says, as far as it makes a difference to the verdict. Pure.

use super::Reason;
use crate::{Answer, ApiTrouble, Unknown, Word};

/// A row of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// Registered.
    Registered,
    /// Registering or authenticating.
    InProgress,
    /// An un-REGISTER is on its way.
    Unregistering,
    /// Failed: the credentials were refused.
    WrongCredentials,
    /// Failed: no reply in time.
    Timeout,
    /// Failed: not sent, or the reply not used.
    InternalError,
    /// Failed: refused with this code, where it is given.
    RegistrarError(Option<u16>),
    /// Failed, and nobody says why.
    Failed,
    /// Not registered, switched off, or run out.
    NotRegistered,
    /// Nothing that could be held against the wire, and why.
    Nothing(Reason),
}

impl Row {
    /// The row of an answer. A failure without its reason is taken for what the claimed SIP reply makes of it.
    pub(super) fn of(answer: &Answer) -> Self {
        match &answer.word {
            Word::Registered => Self::Registered,
            Word::Registering | Word::Authenticating => Self::InProgress,
            Word::Unregistering => Self::Unregistering,
            Word::WrongCredentials => Self::WrongCredentials,
            Word::Timeout => Self::Timeout,
            Word::InternalError => Self::InternalError,
            Word::RegistrarError { code } => Self::RegistrarError(code.or_else(|| refusal(answer))),
            Word::Failed => match refusal(answer) {
                Some(401 | 407) => Self::WrongCredentials,
                Some(408) => Self::Timeout,
                Some(code) => Self::RegistrarError(Some(code)),
                None => Self::Failed,
            },
            Word::NotRegistered | Word::Disabled | Word::Lapsed => Self::NotRegistered,
            Word::NotFound => Self::Nothing(Reason::ApiNotFound),
            Word::Unknown(unknown) => Self::Nothing(of_unknown(unknown)),
            Word::Unavailable(trouble) => Self::Nothing(of_trouble(*trouble)),
        }
    }

    /// Whether it says that a binding is there (true), that none is (false), or neither.
    pub(super) const fn says_up(self) -> Option<bool> {
        match self {
            Self::Registered => Some(true),
            Self::WrongCredentials | Self::Timeout | Self::InternalError | Self::RegistrarError(_) | Self::Failed | Self::NotRegistered => {
                Some(false)
            }
            Self::InProgress | Self::Unregistering | Self::Nothing(_) => None,
        }
    }

    /// As it stands in the rule of a verdict and in docs/verdict-matrix.md.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::InProgress => "in progress",
            Self::Unregistering => "un-registering",
            Self::WrongCredentials => "failed, wrong credentials",
            Self::Timeout => "failed, timeout",
            Self::InternalError => "failed, internal error",
            Self::RegistrarError(_) => "failed, registrar error",
            Self::Failed => "failed, no reason given",
            Self::NotRegistered => "not registered or disabled",
            Self::Nothing(_) => "no usable answer",
        }
    }
}

fn refusal(answer: &Answer) -> Option<u16> {
    answer
        .response
        .as_ref()
        .map(|response| response.code)
        .filter(|code| (300..=699).contains(code))
}

const fn of_unknown(unknown: &Unknown) -> Reason {
    match unknown {
        Unknown::SaysSo => Reason::ApiUnknown,
        Unknown::NewValue { .. } => Reason::ApiNewValue,
        Unknown::SelfContradiction { .. } => Reason::ApiSelfContradiction,
        Unknown::WrongObject { .. } => Reason::ApiWrongObject,
        Unknown::Contract { .. } => Reason::ApiContract,
    }
}

/// A request that the API does not take any more is a change of its contract, as an answer in another shape is.
const fn of_trouble(trouble: ApiTrouble) -> Reason {
    match trouble {
        ApiTrouble::Unreachable
        | ApiTrouble::Timeout
        | ApiTrouble::Tls
        | ApiTrouble::Server
        | ApiTrouble::Redirected
        | ApiTrouble::Other => Reason::ApiUnreachable,
        ApiTrouble::Unauthorized | ApiTrouble::Forbidden => Reason::ApiAuth,
        ApiTrouble::NotFound => Reason::ApiNotFound,
        ApiTrouble::Gone => Reason::ApiGone,
        ApiTrouble::RateLimited | ApiTrouble::Conflict => Reason::ApiRateLimited,
        ApiTrouble::BadRequest | ApiTrouble::Unprocessable | ApiTrouble::TooLarge | ApiTrouble::Contract => Reason::ApiContract,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClaimedResponse, Moment, Outcome, SourceKind};

    fn answer(word: Word, code: Option<u16>) -> Answer {
        let at = Moment::from_unix(0).unwrap();
        Answer {
            word,
            response: code.map(|code| ClaimedResponse {
                code,
                reason: String::new(),
            }),
            ..Answer::blank(SourceKind::TelnyxUac, at, at)
        }
    }

    #[test]
    fn a_failure_without_reason_is_read_from_the_claimed_reply() {
        let row = |code| Row::of(&answer(Word::Failed, code));
        assert_eq!(row(Some(407)), Row::WrongCredentials);
        assert_eq!(row(Some(408)), Row::Timeout);
        assert_eq!(row(Some(503)), Row::RegistrarError(Some(503)));
        assert_eq!((row(Some(200)), row(None)), (Row::Failed, Row::Failed));
        let refused = answer(Word::RegistrarError { code: None }, Some(403));
        assert_eq!(Row::of(&refused), Row::RegistrarError(Some(403)));
    }

    #[test]
    fn what_says_nothing_has_an_inconclusive_reason() {
        for trouble in ApiTrouble::ALL {
            let Row::Nothing(reason) = Row::of(&answer(Word::Unavailable(trouble), None)) else {
                panic!("{trouble:?}")
            };
            assert_eq!(reason.outcome(), Outcome::Inconclusive, "{trouble:?}");
        }
    }
}
