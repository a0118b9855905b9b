//! The public vocabulary: OpenSIPS' ten states and our causes (OpenSIPS module `uac_registrant`, reg_records.h). Words, no behaviour.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// A registration's state, with OpenSIPS' numeric codes and names.
///
/// ```text
///  0 NOT_REGISTERED ──► 1 REGISTERING ──► 2 AUTHENTICATING ──► 3 REGISTERED ──► 8 UNREGISTERING ──► 9 ──► 0
///                            └───────────────┴──► 4 TIMEOUT, 5 INTERNAL, 6 WRONG_CREDENTIALS, 7 REGISTRAR_ERROR ──► 1
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// Nothing sent yet, or cleanly un-registered.
    NotRegistered = 0,
    /// REGISTER without credentials sent, waiting.
    Registering = 1,
    /// REGISTER with credentials sent, waiting.
    Authenticating = 2,
    /// The registrar confirmed our binding.
    Registered = 3,
    /// No final reply in time, or a 408.
    RegisterTimeout = 4,
    /// The request could not be sent, or the reply could not be used.
    InternalError = 5,
    /// Challenged again after credentials were sent, or no credentials to answer with.
    WrongCredentials = 6,
    /// Any other failure reply.
    RegistrarError = 7,
    /// Un-REGISTER sent, waiting.
    Unregistering = 8,
    /// Un-REGISTER with credentials sent, waiting.
    AuthenticatingUnregister = 9,
}

impl State {
    /// Every state in the order of the codes.
    pub const ALL: [Self; 10] = [
        Self::NotRegistered,
        Self::Registering,
        Self::Authenticating,
        Self::Registered,
        Self::RegisterTimeout,
        Self::InternalError,
        Self::WrongCredentials,
        Self::RegistrarError,
        Self::Unregistering,
        Self::AuthenticatingUnregister,
    ];

    /// OpenSIPS' numeric code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// OpenSIPS' name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotRegistered => "NOT_REGISTERED_STATE",
            Self::Registering => "REGISTERING_STATE",
            Self::Authenticating => "AUTHENTICATING_STATE",
            Self::Registered => "REGISTERED_STATE",
            Self::RegisterTimeout => "REGISTER_TIMEOUT_STATE",
            Self::InternalError => "INTERNAL_ERROR_STATE",
            Self::WrongCredentials => "WRONG_CREDENTIALS_STATE",
            Self::RegistrarError => "REGISTRAR_ERROR_STATE",
            Self::Unregistering => "UNREGISTERING_STATE",
            Self::AuthenticatingUnregister => "AUTHENTICATING_UNREGISTER_STATE",
        }
    }
}

/// Why a registration is not there: the last column of docs/states.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A 2xx that does not list our Contact.
    BindingNotConfirmed,
    /// A 2xx that lists our Contact with `expires=0`.
    GrantedZero,
    /// A 3xx.
    Redirected,
    /// Challenged, and there is no password.
    CredentialsMissing,
    /// Challenged without a readable challenge.
    MalformedChallenge,
    /// Challenged with algorithms that we (or a precomputed HA1) cannot answer.
    UnsupportedAlgorithm,
    /// Challenged in another realm than the pinned one, or than the one that was answered first, or in none.
    RealmMismatch,
    /// Challenged only with algorithms weaker than the account wants.
    DigestTooWeak,
    /// `stale=true` again and again.
    StaleLoop,
    /// Challenged again after credentials were sent.
    WrongCredentials,
    /// 401 or 407 after credentials, without a challenge.
    RejectedWithoutChallenge,
    /// 403.
    Forbidden,
    /// 404.
    UnknownUser,
    /// 423 again after its Min-Expires was obeyed, or 423 without a usable Min-Expires.
    IntervalTooBrief,
    /// 408 on the wire.
    Replied408,
    /// No reply at all.
    NoReply,
    /// Only provisional replies.
    OnlyProvisional,
    /// 503 from every target.
    Overloaded,
    /// Another 5xx.
    ServerError,
    /// A 6xx.
    GlobalFailure,
    /// Another 4xx.
    Rejected,
    /// The name does not exist, or has no usable address.
    DnsNotFound,
    /// DNS answered with an error, or not at all.
    DnsFailed,
    /// ICMP unreachable, or no route.
    Unreachable,
    /// TCP refused.
    ConnectionRefused,
    /// TCP, or TLS on it, did not open in time.
    ConnectTimeout,
    /// The peer closed or reset the connection before the final reply.
    ConnectionLost,
    /// The TLS handshake failed.
    TlsHandshake,
    /// The certificate is not valid at this time.
    CertificateExpired,
    /// The certificate's issuer is not trusted.
    CertificateUntrusted,
    /// The certificate is for another name.
    CertificateNameMismatch,
    /// A reply that matches and cannot be read.
    MalformedReply,
    /// Authentication-Info holds a wrong `rspauth`.
    ServerNotAuthenticated,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 33] = [
        Self::BindingNotConfirmed,
        Self::GrantedZero,
        Self::Redirected,
        Self::CredentialsMissing,
        Self::MalformedChallenge,
        Self::UnsupportedAlgorithm,
        Self::RealmMismatch,
        Self::DigestTooWeak,
        Self::StaleLoop,
        Self::WrongCredentials,
        Self::RejectedWithoutChallenge,
        Self::Forbidden,
        Self::UnknownUser,
        Self::IntervalTooBrief,
        Self::Replied408,
        Self::NoReply,
        Self::OnlyProvisional,
        Self::Overloaded,
        Self::ServerError,
        Self::GlobalFailure,
        Self::Rejected,
        Self::DnsNotFound,
        Self::DnsFailed,
        Self::Unreachable,
        Self::ConnectionRefused,
        Self::ConnectTimeout,
        Self::ConnectionLost,
        Self::TlsHandshake,
        Self::CertificateExpired,
        Self::CertificateUntrusted,
        Self::CertificateNameMismatch,
        Self::MalformedReply,
        Self::ServerNotAuthenticated,
    ];

    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BindingNotConfirmed => "binding_not_confirmed",
            Self::GrantedZero => "granted_zero",
            Self::Redirected => "redirected",
            Self::CredentialsMissing => "credentials_missing",
            Self::MalformedChallenge => "malformed_challenge",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::RealmMismatch => "realm_mismatch",
            Self::DigestTooWeak => "digest_too_weak",
            Self::StaleLoop => "stale_loop",
            Self::WrongCredentials => "wrong_credentials",
            Self::RejectedWithoutChallenge => "rejected_without_challenge",
            Self::Forbidden => "forbidden",
            Self::UnknownUser => "unknown_user",
            Self::IntervalTooBrief => "interval_too_brief",
            Self::Replied408 => "replied_408",
            Self::NoReply => "no_reply",
            Self::OnlyProvisional => "only_provisional",
            Self::Overloaded => "overloaded",
            Self::ServerError => "server_error",
            Self::GlobalFailure => "global_failure",
            Self::Rejected => "rejected",
            Self::DnsNotFound => "dns_not_found",
            Self::DnsFailed => "dns_failed",
            Self::Unreachable => "unreachable",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectionLost => "connection_lost",
            Self::TlsHandshake => "tls_handshake",
            Self::CertificateExpired => "certificate_expired",
            Self::CertificateUntrusted => "certificate_untrusted",
            Self::CertificateNameMismatch => "certificate_name_mismatch",
            Self::MalformedReply => "malformed_reply",
            Self::ServerNotAuthenticated => "server_not_authenticated",
        }
    }

    /// The state that this cause ends in.
    #[must_use]
    pub const fn state(self) -> State {
        match self {
            Self::CredentialsMissing | Self::StaleLoop | Self::WrongCredentials | Self::RejectedWithoutChallenge => State::WrongCredentials,
            Self::Replied408 | Self::NoReply | Self::OnlyProvisional | Self::ConnectTimeout => State::RegisterTimeout,
            Self::MalformedChallenge
            | Self::UnsupportedAlgorithm
            | Self::RealmMismatch
            | Self::DigestTooWeak
            | Self::DnsNotFound
            | Self::DnsFailed
            | Self::Unreachable
            | Self::ConnectionRefused
            | Self::ConnectionLost
            | Self::TlsHandshake
            | Self::CertificateExpired
            | Self::CertificateUntrusted
            | Self::CertificateNameMismatch
            | Self::MalformedReply
            | Self::ServerNotAuthenticated => State::InternalError,
            Self::BindingNotConfirmed
            | Self::GrantedZero
            | Self::Redirected
            | Self::Forbidden
            | Self::UnknownUser
            | Self::IntervalTooBrief
            | Self::Overloaded
            | Self::ServerError
            | Self::GlobalFailure
            | Self::Rejected => State::RegistrarError,
        }
    }
}

/// Something worth knowing beside the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingId {
    /// Only MD5 was offered.
    WeakDigest,
    /// Credentials and calls travel in the clear.
    PlaintextTransport,
    /// The nonce changed between the challenge and the refusal.
    NonceRotated,
    /// The registrar sees another address than our own.
    NatDetected,
    /// What the registrar echoes is not what was sent.
    SipAlgSuspected,
    /// The registrar stored another Contact than ours.
    ContactRewritten,
    /// Fewer seconds were granted than asked.
    ExpiresShortened,
    /// More seconds were granted than asked.
    ExpiresLengthened,
    /// Others are bound to the same AOR.
    OtherBindingsPresent,
    /// A reply came from another address than the request went to.
    ReplyFromOtherAddress,
    /// The server's certificate ends soon.
    CertificateExpiresSoon,
    /// Datagrams were lost on the way.
    RetransmissionsNeeded,
    /// A reply came after its transaction had ended.
    LateReply,
    /// A 2xx whose phrase says the opposite.
    FailurePhraseIn200,
    /// An earlier target failed.
    FailedOver,
    /// A 403 after credentials.
    CredentialsSuspect,
    /// An algorithm that we do not know was offered.
    UnknownAlgorithmOffered,
    /// A 423 was obeyed.
    IntervalRaised,
    /// The registrar says how long to wait.
    RetryAfter,
    /// The registrar sent a Warning.
    WarningReceived,
    /// The challenge weakened its algorithm under way.
    ChallengeChanged,
    /// A challenge of another realm than ours was not answered.
    ForeignRealm,
    /// The registrar offers less protection than it did before.
    DigestDowngraded,
    /// A binding of ours that was to go may still be there.
    MayBeBound,
    /// The registrar saw us at two addresses one after the other.
    NatRebound,
    /// A target said nothing after it got the credentials that it had asked for.
    SilentAfterChallenge,
    /// A request went by UDP that is too large for it.
    LargeRequest,
}

impl FindingId {
    /// Every finding.
    pub const ALL: [Self; 27] = [
        Self::WeakDigest,
        Self::PlaintextTransport,
        Self::NonceRotated,
        Self::NatDetected,
        Self::SipAlgSuspected,
        Self::ContactRewritten,
        Self::ExpiresShortened,
        Self::ExpiresLengthened,
        Self::OtherBindingsPresent,
        Self::ReplyFromOtherAddress,
        Self::CertificateExpiresSoon,
        Self::RetransmissionsNeeded,
        Self::LateReply,
        Self::FailurePhraseIn200,
        Self::FailedOver,
        Self::CredentialsSuspect,
        Self::UnknownAlgorithmOffered,
        Self::IntervalRaised,
        Self::RetryAfter,
        Self::WarningReceived,
        Self::ChallengeChanged,
        Self::ForeignRealm,
        Self::DigestDowngraded,
        Self::MayBeBound,
        Self::NatRebound,
        Self::SilentAfterChallenge,
        Self::LargeRequest,
    ];

    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WeakDigest => "weak_digest",
            Self::PlaintextTransport => "plaintext_transport",
            Self::NonceRotated => "nonce_rotated",
            Self::NatDetected => "nat_detected",
            Self::SipAlgSuspected => "sip_alg_suspected",
            Self::ContactRewritten => "contact_rewritten",
            Self::ExpiresShortened => "expires_shortened",
            Self::ExpiresLengthened => "expires_lengthened",
            Self::OtherBindingsPresent => "other_bindings_present",
            Self::ReplyFromOtherAddress => "reply_from_other_address",
            Self::CertificateExpiresSoon => "certificate_expires_soon",
            Self::RetransmissionsNeeded => "retransmissions_needed",
            Self::LateReply => "late_reply",
            Self::FailurePhraseIn200 => "failure_phrase_in_200",
            Self::FailedOver => "failed_over",
            Self::CredentialsSuspect => "credentials_suspect",
            Self::UnknownAlgorithmOffered => "unknown_algorithm_offered",
            Self::IntervalRaised => "interval_raised",
            Self::RetryAfter => "retry_after",
            Self::WarningReceived => "warning_received",
            Self::ChallengeChanged => "challenge_changed",
            Self::ForeignRealm => "foreign_realm",
            Self::DigestDowngraded => "digest_downgraded",
            Self::MayBeBound => "may_be_bound",
            Self::NatRebound => "nat_rebound",
            Self::SilentAfterChallenge => "silent_after_challenge",
            Self::LargeRequest => "large_request",
        }
    }
}

/// A word of ours is written in JSON, shown and described in the schema by its name.
macro_rules! named {
    ($type:ident, $description:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $description, "enum": Self::ALL.map(Self::name).as_slice() })
            }
        }
    };
}

named!(State, "The registration state, in OpenSIPS' names");
named!(Cause, "Why the account is not registered");
named!(FindingId, "What was noticed");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_positions_and_names_are_unique() {
        for (code, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(state.code()), code);
        }
        let unique = |names: Vec<&str>| names.iter().collect::<std::collections::BTreeSet<_>>().len() == names.len();
        assert!(unique(State::ALL.map(State::name).to_vec()));
        assert!(unique(Cause::ALL.map(Cause::name).to_vec()));
        assert!(unique(FindingId::ALL.map(FindingId::name).to_vec()));
    }

    #[test]
    fn every_cause_ends_in_one_of_the_four_failure_states() {
        for cause in Cause::ALL {
            assert!((4..=7).contains(&cause.state().code()), "{cause}");
        }
    }
}
