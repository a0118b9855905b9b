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
    /// How often we replaced a stale nonce after credentials; OpenSIPS never does.
    pub stale_retries: u32,
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
    if outcome.stale_retries > 0 {
        // OpenSIPS takes any second challenge for a refusal of its credentials.
        return State::WrongCredentials;
    }
    match outcome.cause {
        None => without_failure(outcome),
        Some(Cause::ServerNotAuthenticated) => by_success_status(outcome),
        Some(Cause::BindingNotConfirmed | Cause::GrantedZero) => match outcome.listed {
            Listed::Something => by_success_status(outcome),
            Listed::Nothing => State::InternalError,
        },
        Some(Cause::Redirected | Cause::RejectedWithoutChallenge) => State::InternalError,
        // It goes on asking with the registrar's Min-Expires, without end.
        Some(Cause::IntervalTooBrief) => State::Registering,
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

fn without_failure(outcome: &Outcome) -> State {
    match outcome.goal {
        Goal::Register => by_success_status(outcome),
        Goal::Unregister | Goal::Clear | Goal::Fetch | Goal::Ping | Goal::Locate => State::NotRegistered,
    }
}

/// Only a 200 registers: any other 2xx falls through to its error branch.
fn by_success_status(outcome: &Outcome) -> State {
    if outcome.status == Some(200) {
        State::Registered
    } else {
        State::RegistrarError
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
            stale_retries: 0,
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
            stale_retries: 1,
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
