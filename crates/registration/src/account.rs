//! What to register, and by which rules. Values only: made once by the caller, shared by reference.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use sip_digest::{Algorithm, Secret};
use sip_message::OwnedUri;

use crate::locate::Target;

/// One account. Immutable; a changed account is another account. What is equal in many accounts can be shared by them: clone it from one
/// to the next instead of making it anew.
#[derive(Debug, Clone)]
pub struct Account {
    /// The address-of-record: From and To.
    pub aor: OwnedUri,
    /// The Request-URI of REGISTER: the domain without user (RFC 3261 §10.2). For [`Goal::Ping`] the URI that is asked.
    pub registrar: OwnedUri,
    /// Where requests go instead of the registrar; becomes a preloaded Route (RFC 3261 §8.1.2, §20.34).
    pub outbound_proxy: Option<OwnedUri>,
    /// The transport, or `None` to let RFC 3263 decide.
    pub transport: Option<Transport>,
    /// One target to use without looking anything up.
    pub target: Option<Arc<Target>>,
    /// The user name for digest; the AOR's user part when `None`.
    pub auth_user: Option<Arc<str>>,
    /// What to answer challenges with.
    pub secret: Option<Secret>,
    /// Which challenges are answered; `None` for the usual rules.
    pub challenges: Option<Arc<ChallengeRules>>,
    /// What to bind.
    pub contact: ContactPlan,
    /// The address that Via and an automatic Contact show instead of the flow's own.
    pub advertise: Option<Advertised>,
    /// `+sip.instance`, such as `urn:uuid:...` (RFC 5626 §4.1).
    pub instance: Option<Arc<str>>,
    /// `reg-id` (RFC 5626 §4.2); goes out only together with an instance.
    pub reg_id: Option<NonZeroU32>,
    /// How many seconds to ask for.
    pub expires: u32,
    /// The User-Agent header.
    pub user_agent: Arc<str>,
}

/// Which challenges an account answers. By default any realm, which then binds for as long as the registration lives, and any algorithm
/// that is supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeRules {
    /// The only realm that is answered, without the escapes of a quoted string. With `None` the first one that is answered decides, one
    /// for the registrar and one for a proxy, and an empty one is not answered at all.
    pub realm: Option<Arc<str>>,
    /// The weakest algorithm that is answered; a session variant is as strong as its hash.
    pub min_digest: Algorithm,
}

impl ChallengeRules {
    /// The usual rules.
    pub const ANY: Self = Self {
        realm: None,
        min_digest: Algorithm::Md5,
    };

    /// Whether this secret can answer any challenge that these rules let through: an HA1 answers by its own hash only.
    #[must_use]
    pub fn can_be_met_with(&self, secret: &Secret) -> bool {
        match secret {
            Secret::Password(_) => true,
            Secret::Ha1(ha1) => ha1.algorithm() >= self.min_digest.plain(),
        }
    }
}

impl Account {
    /// Which challenges are answered.
    #[must_use]
    pub fn challenge_rules(&self) -> &ChallengeRules {
        static ANY: ChallengeRules = ChallengeRules::ANY;
        self.challenges.as_deref().unwrap_or(&ANY)
    }
}

/// The Contact to bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactPlan {
    /// This user part at the flow's local address.
    Automatic {
        /// The user part; stable from run to run, so that probes do not fill an AOR.
        user: Arc<str>,
    },
    /// Exactly this URI.
    Fixed(OwnedUri),
}

/// A host and port to show instead of the local ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertised {
    /// The host: a name, an IPv4 address, or an IPv6 address in brackets.
    pub host: Box<str>,
    /// The port; the flow's own when `None`.
    pub port: Option<u16>,
}

/// A SIP transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl Transport {
    /// The word in reports and URIs: `udp`, `tcp`, `tls`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// The word in Via.
    #[must_use]
    pub const fn via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// The port without a better one (RFC 3261 §19.1.2).
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }

    /// True when the transport itself delivers, so that nothing is retransmitted (RFC 3261 §17.1.2.1).
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp | Self::Tls => true,
        }
    }
}

/// What an exchange is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Goal {
    /// Make or refresh our binding.
    Register,
    /// Remove our own binding (RFC 3261 §10.2.2).
    Unregister,
    /// Remove every binding of the AOR: `Contact: *`.
    Clear,
    /// Read the bindings: neither Contact nor Expires (RFC 3261 §10.2.3).
    Fetch,
    /// OPTIONS (RFC 3261 §11).
    Ping,
    /// Look up the targets and send nothing.
    Locate,
}

/// An address with its port as a SIP URI or Via shows it.
#[must_use]
pub fn host_port(address: SocketAddr) -> String {
    // SocketAddr already writes IPv6 in brackets; a zone never goes on the wire.
    match address {
        SocketAddr::V4(address) => address.to_string(),
        SocketAddr::V6(address) => format!("[{}]:{}", address.ip(), address.port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ha1_meets_what_its_own_hash_may_answer_and_a_password_everything() {
        let rules = |min_digest| ChallengeRules {
            min_digest,
            ..ChallengeRules::ANY
        };
        let sha_256 = Secret::ha1(Algorithm::Sha256, &"0".repeat(64)).unwrap();
        for wanted in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha256Sess] {
            assert!(rules(wanted).can_be_met_with(&sha_256), "{wanted}");
        }
        assert!(!rules(Algorithm::Sha512_256).can_be_met_with(&sha_256));
        assert!(rules(Algorithm::Sha512_256Sess).can_be_met_with(&Secret::Password("x".into())));
    }
}
