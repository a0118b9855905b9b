//! What the core and the world say to each other: inputs, actions, transmissions. Values only; `sip-net` carries them out.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use crate::Transport;

/// One registration of a [`crate::Registrant`]. Never used again after its registration is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl Key {
    /// Before every other.
    pub(crate) const FIRST: Self = Self { index: 0, generation: 0 };
    /// After every other.
    pub(crate) const LAST: Self = Self {
        index: u32::MAX,
        generation: u32::MAX,
    };

    /// Its place among the registrations of its registrant: counted from 0 in the order in which they were added, taken again by
    /// another when its own is gone. For tables beside the registrant.
    #[must_use]
    pub const fn place(self) -> usize {
        self.index as usize
    }
}

/// One way to one peer: a UDP socket with its remote address, or a TCP or TLS connection. Never used again after it closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);

/// One question to DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

/// A fact of the world.
#[derive(Debug)]
pub enum Input<'a> {
    /// Answers [`Action::Query`].
    Answer(QueryId, Result<Records, DnsError>),
    /// Answers [`Action::Open`]: the flow can be written to.
    Opened(FlowId, Opened),
    /// The flow is gone, or an error came back on it.
    Closed(FlowId, Closed),
    /// Nothing more can be written to the flow for now: requests for it wait here, and need not be sent any more when they are given up.
    Congested(FlowId),
    /// The flow can be written to again.
    Relieved(FlowId),
    /// Bytes exactly as read: one datagram, or any piece of a stream. Framing belongs to the core.
    Received {
        /// The flow that they came in on.
        flow: FlowId,
        /// Who sent them; on a stream, the peer.
        source: SocketAddr,
        /// The bytes.
        bytes: &'a [u8],
    },
}

/// Something to do in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask DNS and answer with [`Input::Answer`].
    Query(QueryId, Question),
    /// Open a flow and answer with [`Input::Opened`] or [`Input::Closed`].
    Open(FlowId, Endpoint),
    /// Close a flow. Nothing is expected back.
    Close(FlowId),
}

/// Whom to connect to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// How.
    pub transport: Transport,
    /// Where.
    pub remote: SocketAddr,
    /// The name or address that a TLS certificate has to be for (RFC 5922 §7.1): the host of the URI, not of the SRV record.
    pub server_name: Arc<str>,
}

/// Bytes to send, in the buffer that was handed to `poll_transmit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    /// The flow to send them on.
    pub flow: FlowId,
    /// Where a datagram goes: the flow's remote address for our own requests, and for an answer the one that its request came from
    /// (RFC 3261 §18.2.2). A stream has but one other end.
    pub to: SocketAddr,
}

/// A flow that opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Our own address on it; never the unspecified address.
    pub local: SocketAddr,
    /// When the TCP connection stood, before TLS; `None` for UDP.
    pub connected_at: Option<Instant>,
    /// What the TLS handshake showed.
    pub tls: Option<TlsFacts>,
}

/// Why a flow did not open or is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The peer's host refuses: TCP reset on connect.
    Refused,
    /// ICMP unreachable (port, host, network), or no route.
    Unreachable(Obstacle),
    /// The connection did not open in time; an open one: the peer has acknowledged nothing for long.
    TimedOut,
    /// The peer closed an open connection.
    Ended,
    /// The peer or the network reset an open connection.
    Reset,
    /// TLS failed before the flow was open.
    Tls(TlsFailure, Option<TlsFacts>),
    /// Our own side could not (no such local address, out of descriptors, ...): the system's words.
    Local(String),
}

/// What stands between us and a peer that cannot be reached, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Our own system: it has no route there, or the link that leads there is down.
    NoRoute,
    /// The peer's host, by ICMP: nobody listens on that port.
    NobodyListens,
    /// Whoever gets no further, by ICMP: a router, or our own host when it does not find the peer on its own network.
    NoWay(Option<IpAddr>),
    /// A firewall, by ICMP: it is forbidden (RFC 1812 §5.2.7.1, RFC 4443 §3.1).
    Forbidden(Option<IpAddr>),
}

impl fmt::Display for Obstacle {
    /// A clause behind "cannot be reached".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = |by: &Option<IpAddr>| by.map_or_else(|| "the network says".to_owned(), |by| format!("{by} says"));
        match self {
            Self::NoRoute => f.write_str("this machine has no route there, or its link is down"),
            Self::NobodyListens => f.write_str("its host says that nobody listens on that port"),
            Self::NoWay(by) => write!(f, "{} that there is no way to it", says(by)),
            Self::Forbidden(by) => write!(f, "{} that it is forbidden", says(by)),
        }
    }
}

/// Why TLS failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFailure {
    /// The certificate is past its end or before its beginning.
    Expired,
    /// The issuer is not among the trusted ones.
    Untrusted,
    /// The certificate is for other names; these.
    NameMismatch(Vec<String>),
    /// Anything else, in words.
    Handshake(String),
}

/// What a TLS handshake showed about the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.3`, `TLSv1.2`; empty when the handshake did not get that far.
    pub version: String,
    /// The cipher suite's name; empty when the handshake did not get that far.
    pub cipher: String,
    /// The name that was asked for and verified.
    pub server_name: String,
    /// The certificate's subject.
    pub subject: String,
    /// The certificate's issuer.
    pub issuer: String,
    /// The end of the certificate's life, in seconds since 1970-01-01 UTC.
    pub not_after: i64,
    /// Whole days from now to that end; negative when it is over.
    pub days_left: i64,
    /// Whether chain and name were verified.
    pub verified: bool,
}

/// A question to DNS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The name, absolute, without the final dot.
    pub name: String,
    /// What is asked for.
    pub kind: RecordKind,
}

/// A DNS record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// RFC 3403.
    Naptr,
    /// RFC 2782.
    Srv,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

/// What DNS answered. Never empty: no records is [`DnsError::NoRecords`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Records {
    /// NAPTR records.
    Naptr(Vec<Naptr>),
    /// SRV records.
    Srv(Vec<Srv>),
    /// A or AAAA records.
    Addresses(Vec<IpAddr>),
}

/// One NAPTR record (RFC 3403 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naptr {
    /// Lower first.
    pub order: u16,
    /// Among equals, lower first.
    pub preference: u16,
    /// `s` for an SRV name, `a` for a host, any case.
    pub flags: String,
    /// `SIP+D2U`, `SIP+D2T`, `SIPS+D2T`, ..., any case.
    pub service: String,
    /// The next name; empty or `.` when a regular expression would have to be applied.
    pub replacement: String,
}

/// One SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srv {
    /// Lower first.
    pub priority: u16,
    /// The share among equals.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host; `.` when the service is not offered.
    pub target: String,
}

/// Why DNS has no records for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DnsError {
    /// NXDOMAIN.
    NoSuchName,
    /// The name exists and has no record of this type.
    NoRecords,
    /// SERVFAIL, FORMERR, NOTIMP, or an answer that makes no sense.
    ServerFailure,
    /// REFUSED.
    Refused,
    /// No answer.
    Timeout,
}
