//! How flows are kept open, and how the loss of one is noticed before anything is sent on it (RFC 5626 §4.4). Values only; when each
//! flow is pinged is decided in `flows/pulse.rs`.

use std::time::Duration;

use crate::Transport;

/// What is sent on flows that nothing else is sent on, each flow for itself however many registrations share it.
///
/// Only flows of registrations that are kept ([`crate::Policy::maintain`]) are kept alive. What comes of it is counted
/// ([`crate::Counters`]). Each time is shortened by up to a fifth at random, so that flows do not beat together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// The time between two pings on a TCP or TLS flow: a double CRLF, which the peer answers with a CRLF (RFC 5626 §4.4.1). `None`
    /// or zero for none.
    ///
    /// A flow whose peer does not answer in time is given up, and its registrations come back on another one. We differ: not before the
    /// peer has answered a ping. RFC 5626 lets nobody ping who does not know that the peer answers; by an unanswered ping to one that
    /// does not, a NAT in between still knows that the flow is in use.
    pub streams: Option<Duration>,
    /// What is sent on UDP flows.
    pub datagrams: DatagramPing,
    /// How long a ping waits for its answer (RFC 5626 §4.4.1): 10 s.
    pub answer_time: Duration,
}

/// What keeps a UDP flow alive; a time of zero is none. RFC 5626 §4.4.2 asks for STUN, which hardly any registrar speaks on its SIP port; and for no more than
/// 24 to 29 s between two, because NATs forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatagramPing {
    /// Nothing.
    Off,
    /// A double CRLF so often. Nobody answers it: it keeps NATs open and notices nothing.
    Crlf(Duration),
    /// An OPTIONS so often, by one of the flow's registrations, outside of any exchange. Whatever answers it is alive; two in a row
    /// without an answer, and the registrations of the flow are refreshed, spread like a crowd that comes back.
    Options(Duration),
}

impl KeepAlive {
    /// Nothing on any flow.
    pub const OFF: Self = Self {
        streams: None,
        datagrams: DatagramPing::Off,
        answer_time: Duration::from_secs(10),
    };
    /// How often a stream is pinged (RFC 5626 §4.4.1 has 95 to 120 s).
    pub const STREAM_INTERVAL: Duration = Duration::from_secs(120);
    /// How often a UDP flow is, at most (RFC 5626 §4.4.2).
    pub const DATAGRAM_INTERVAL: Duration = Duration::from_secs(29);

    /// The time between two pings on a flow of this transport; `None` when there are none.
    pub(crate) const fn interval(&self, transport: Transport) -> Option<Duration> {
        let interval = match (transport, self.datagrams) {
            (Transport::Tcp | Transport::Tls, _) => self.streams,
            (Transport::Udp, DatagramPing::Off) => None,
            (Transport::Udp, DatagramPing::Crlf(interval) | DatagramPing::Options(interval)) => Some(interval),
        };
        match interval {
            // A flow that is always due would be the only thing to be looked after.
            Some(Duration::ZERO) | None => None,
            Some(interval) => Some(interval),
        }
    }
}

impl Default for KeepAlive {
    /// Streams are pinged, datagrams are not sent unasked.
    fn default() -> Self {
        Self {
            streams: Some(Self::STREAM_INTERVAL),
            ..Self::OFF
        }
    }
}
