//! Which state OpenSIPS itself would show for the same exchange (its module `uac_registrant`, registrant.c), so that a difference
//! between a provider's report and ours can be explained. A pure function; it decides nothing.

use crate::{Cause, Goal, State};

/// What OpenSIPS would have seen of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// What the exchange was for.
    pub goal: Goal,
    /// Why it failed for us; `None` when it did not.
    pub cause: Option<Cause>,
    /// The last final status.
    pub status: Option<u16>,
    /// What a 2xx listed.
    pub listed: Listed,
    /// Whether a 3xx came, followed or not; OpenSIPS follows none.
    pub redirected: bool,
    /// Whether a target answered 503, be it that another one served; OpenSIPS takes it for the registrar's word.
    pub overloaded: bool,
    /// Whether a 401 or 407 came after a challenge had been answered, for whatever reason; OpenSIPS answers one.
    pub challenged_again: bool,
    /// Whether a 423 named a Min-Expires.
    pub usable_min_expires: bool,
}

/// The Contacts in a 2xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// None.
    Nothing,
    /// Some, ours or not.
    Something,
}

/// The state that OpenSIPS shows.
#[must_use]
pub fn opensips_state(outcome: &Outcome) -> State {
    let has_a_like = matches!(outcome.goal, Goal::Register | Goal::Unregister | Goal::Clear);
    if let Some(state) = stopped_earlier(outcome).filter(|_| has_a_like) {
        return state;
    }
    match outcome.cause {
        // It looks at no proof of the server, and at no Contact but to read its expires.
        None | Some(Cause::ServerNotAuthenticated | Cause::BindingNotConfirmed | Cause::GrantedZero) => after_success(outcome),
        Some(Cause::Redirected | Cause::RejectedWithoutChallenge) => State::InternalError,
        // It goes on asking with the registrar's Min-Expires, without end.
        Some(Cause::IntervalTooBrief) if outcome.usable_min_expires => State::Registering,
        Some(Cause::IntervalTooBrief) => State::RegistrarError,
        // It looks at no realm, wants no algorithm rather than another, and answers.
        Some(cause @ (Cause::RealmMismatch | Cause::DigestTooWeak)) => match outcome.goal {
            Goal::Register => State::Authenticating,
            Goal::Unregister | Goal::Clear => State::AuthenticatingUnregister,
            Goal::Fetch | Goal::Ping | Goal::Locate => cause.state(),
        },
        // It waits for its own timer, whatever the network says.
        Some(Cause::Unreachable | Cause::ConnectionRefused | Cause::ConnectTimeout | Cause::ConnectionLost) => State::RegisterTimeout,
        Some(Cause::TlsHandshake | Cause::CertificateExpired | Cause::CertificateUntrusted | Cause::CertificateNameMismatch) => {
            State::RegisterTimeout
        }
        Some(
            cause @ (Cause::CredentialsMissing
            | Cause::MalformedChallenge
            | Cause::UnsupportedAlgorithm
            | Cause::StaleLoop
            | Cause::WrongCredentials
            | Cause::Forbidden
            | Cause::UnknownUser
            | Cause::Replied408
            | Cause::NoReply
            | Cause::OnlyProvisional
            | Cause::Overloaded
            | Cause::ServerError
            | Cause::GlobalFailure
            | Cause::Rejected
            | Cause::DnsNotFound
            | Cause::DnsFailed
            | Cause::MalformedReply),
        ) => cause.state(),
    }
}

/// Where OpenSIPS had stopped before our exchange ended.
const fn stopped_earlier(outcome: &Outcome) -> Option<State> {
    if outcome.overloaded {
        Some(State::RegistrarError)
    } else if outcome.redirected {
        Some(State::InternalError)
    } else if outcome.challenged_again && !matches!(outcome.cause, Some(Cause::RejectedWithoutChallenge)) {
        Some(State::WrongCredentials)
    } else {
        None
    }
}

/// Only a 200 succeeds: any other 2xx falls through to its error branch. What a 200 lists, it takes for its own.
fn after_success(outcome: &Outcome) -> State {
    match (outcome.goal, outcome.listed) {
        (Goal::Fetch | Goal::Ping | Goal::Locate, _) => State::NotRegistered,
        _ if outcome.status != Some(200) => State::RegistrarError,
        (Goal::Register | Goal::Unregister | Goal::Clear, Listed::Something) => State::Registered,
        (Goal::Register, Listed::Nothing) => State::InternalError,
        (Goal::Unregister | Goal::Clear, Listed::Nothing) => State::NotRegistered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(cause: Option<Cause>, status: Option<u16>, listed: Listed) -> State {
        opensips_state(&Outcome {
            goal: Goal::Register,
            cause,
            status,
            listed,
            redirected: false,
            overloaded: false,
            challenged_again: false,
            usable_min_expires: status == Some(423),
        })
    }

    #[test]
    fn the_rows_in_which_opensips_differs_from_us() {
        assert_eq!(state(None, Some(200), Listed::Something), State::Registered);
        assert_eq!(state(None, Some(202), Listed::Something), State::RegistrarError);
        assert_eq!(
            state(Some(Cause::BindingNotConfirmed), Some(200), Listed::Nothing),
            State::InternalError
        );
        assert_eq!(
            state(Some(Cause::BindingNotConfirmed), Some(200), Listed::Something),
            State::Registered
        );
        assert_eq!(state(Some(Cause::GrantedZero), Some(200), Listed::Something), State::Registered);
        assert_eq!(state(Some(Cause::Redirected), Some(302), Listed::Nothing), State::InternalError);
        assert_eq!(
            state(Some(Cause::RejectedWithoutChallenge), Some(401), Listed::Nothing),
            State::InternalError
        );
        assert_eq!(state(Some(Cause::IntervalTooBrief), Some(423), Listed::Nothing), State::Registering);
        assert_eq!(state(Some(Cause::ConnectionRefused), None, Listed::Nothing), State::RegisterTimeout);
        assert_eq!(
            state(Some(Cause::ServerNotAuthenticated), Some(200), Listed::Something),
            State::Registered
        );
    }

    #[test]
    fn a_stale_nonce_is_wrong_credentials_to_opensips() {
        let outcome = Outcome {
            goal: Goal::Register,
            cause: None,
            status: Some(200),
            listed: Listed::Something,
            redirected: false,
            overloaded: false,
            challenged_again: true,
            usable_min_expires: false,
        };
        assert_eq!(opensips_state(&outcome), State::WrongCredentials);
    }

    #[test]
    fn elsewhere_both_agree() {
        for (cause, status, expected) in [
            (Cause::CredentialsMissing, Some(401), State::WrongCredentials),
            (Cause::WrongCredentials, Some(401), State::WrongCredentials),
            (Cause::Forbidden, Some(403), State::RegistrarError),
            (Cause::Replied408, Some(408), State::RegisterTimeout),
            (Cause::NoReply, None, State::RegisterTimeout),
            (Cause::DnsNotFound, None, State::InternalError),
            (Cause::MalformedReply, None, State::InternalError),
        ] {
            assert_eq!(state(Some(cause), status, Listed::Nothing), expected, "{cause}");
        }
    }
}
