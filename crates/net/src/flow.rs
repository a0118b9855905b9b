//! What the tasks of a registrar's connections tell it. Not for our own flows as a client: see `world`. Not for SIP: bytes pass through
//! unread.

use std::net::SocketAddr;
use std::time::Instant;

use sip_registration::FlowId;

use crate::stream::Outbox;

/// Something that happened outside, and when.
#[derive(Debug)]
pub(crate) struct Fact {
    pub(crate) at: Instant,
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum What {
    /// The flow can be written to, this way.
    Opened(FlowId, Outbox),
    /// The flow is gone, or at least the peer's direction of it.
    Closed(FlowId),
    /// One datagram, or a piece of a stream.
    Received(FlowId, SocketAddr, Vec<u8>),
}

impl Fact {
    /// Something that happened just now.
    pub(crate) fn now(what: What) -> Self {
        Self { at: Instant::now(), what }
    }
}

/// How many facts may wait for the registrar before the tasks have to wait too; the kernel's buffers hold what comes meanwhile.
pub(crate) const INBOX: usize = 256;
