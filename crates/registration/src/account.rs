//! What to register, and by which rules. Values only: made once by the caller, shared by reference.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use sip_digest::Secret;
use sip_message::OwnedUri;

use crate::locate::Target;

/// One account. Immutable; a changed account is another account.
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
    pub target: Option<Target>,
    /// The user name for digest; the AOR's user part when `None`.
    pub auth_user: Option<String>,
    /// What to answer challenges with.
    pub secret: Option<Secret>,
    /// What to bind.
    pub contact: ContactPlan,
    /// The address that Via and an automatic Contact show instead of the flow's own.
    pub advertise: Option<Advertised>,
    /// `+sip.instance`, such as `urn:uuid:...` (RFC 5626 §4.1).
    pub instance: Option<String>,
    /// `reg-id` (RFC 5626 §4.2); goes out only together with an instance.
    pub reg_id: Option<NonZeroU32>,
    /// How many seconds to ask for.
    pub expires: u32,
    /// The User-Agent header.
    pub user_agent: String,
}

/// The Contact to bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactPlan {
    /// This user part at the flow's local address.
    Automatic {
        /// The user part; stable from run to run, so that probes do not fill an AOR.
        user: String,
    },
    /// Exactly this URI.
    Fixed(OwnedUri),
}

/// A host and port to show instead of the local ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertised {
    /// The host: a name, an IPv4 address, or an IPv6 address in brackets.
    pub host: String,
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

/// Which address families may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Families {
    /// IPv4 and IPv6.
    #[default]
    Both,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl Families {
    /// True when this address may be used.
    #[must_use]
    pub const fn allow(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Both, _) | (Self::V4, IpAddr::V4(_)) | (Self::V6, IpAddr::V6(_)) => true,
            (Self::V4, IpAddr::V6(_)) | (Self::V6, IpAddr::V4(_)) => false,
        }
    }
}

/// `HOST:PORT:ADDR`: what a name means, without asking DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The host name, compared without case.
    pub host: String,
    /// The port for which it holds.
    pub port: u16,
    /// The address to use.
    pub address: IpAddr,
}

/// The numbers and choices that hold for every account of a registrant.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Round-trip estimate (RFC 3261 §17.1.1.1): 500 ms.
    pub t1: Duration,
    /// The longest retransmission interval (RFC 3261 §17.1.2.2): 4 s.
    pub t2: Duration,
    /// How long a message can stay in the network (RFC 3261 §17.1.2.2): 5 s.
    pub t4: Duration,
    /// How long one exchange may take, from the look-up to the final reply. 64·T1 is the RFC's Timer F.
    pub timeout: Duration,
    /// How often a 423 is obeyed in one exchange: 2.
    pub brief_retries: u32,
    /// How often a stale nonce is replaced in one exchange: 1.
    pub stale_retries: u32,
    /// Whether a 3xx is followed, once.
    pub follow_redirects: bool,
    /// The largest request that goes by UDP when the target also offers TCP, in bytes (RFC 3261 §18.1.1): 1300.
    pub udp_request_limit: usize,
    /// Which addresses may be used.
    pub families: Families,
    /// Names that are not looked up.
    pub overrides: Vec<Override>,
    /// Whether whole messages are kept for the report, secrets redacted.
    pub trace: bool,
    /// Whether a registration is refreshed and retried by itself. A one-shot probe does not.
    pub maintain: bool,
    /// The part of the granted time after which a refresh is due, in percent; the moment is drawn between the two: 50 to 90.
    pub refresh_percent: (u32, u32),
    /// The first wait after a failure, and what doubles from there (RFC 5626 §4.5): 30 s.
    pub retry_base: Duration,
    /// The longest wait after a failure (RFC 5626 §4.5): 30 min.
    pub retry_cap: Duration,
    /// The longest Retry-After that is obeyed: 24 h.
    pub retry_after_cap: Duration,
    /// How many exchanges in a row may end in wrong credentials before the operator has to act: 1.
    pub credential_attempts: u32,
    /// How often a request from the other side is answered, one each interval for every registration on its flow: 250 ms. A registrar
    /// that asks after its bindings does so every few seconds at most.
    pub answer_interval: Duration,
    /// How many of them are answered at once before that: 8.
    pub answer_burst: u32,
    /// From how few days left on a certificate is worth a warning: 30.
    pub certificate_warning_days: i64,
}

impl Default for Policy {
    /// The RFCs' numbers, for registrations that are kept.
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            timeout: Duration::from_secs(32),
            brief_retries: 2,
            stale_retries: 1,
            follow_redirects: false,
            udp_request_limit: 1300,
            families: Families::Both,
            overrides: Vec::new(),
            trace: false,
            maintain: true,
            refresh_percent: (50, 90),
            retry_base: Duration::from_secs(30),
            retry_cap: Duration::from_secs(1800),
            retry_after_cap: Duration::from_secs(86_400),
            credential_attempts: 1,
            answer_interval: Duration::from_millis(250),
            answer_burst: 8,
            certificate_warning_days: 30,
        }
    }
}

impl Policy {
    /// The numbers for one probe: ten seconds, nothing by itself afterwards.
    #[must_use]
    pub fn one_shot() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            maintain: false,
            ..Self::default()
        }
    }
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
