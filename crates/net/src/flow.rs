//! What flows of every transport have in common: the facts that their tasks tell the driver, and the way out to the wire.
//! Not for SIP: bytes pass through unread.

use std::net::SocketAddr;
use std::time::Instant;

use crate::stream::Outbox;
use sip_registration::{Closed, DnsError, FlowId, Opened, QueryId, Records};

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
    Opened(FlowId, Outlet, Opened),
    /// The flow did not open, or is gone.
    Closed(FlowId, Closed),
    /// One datagram, or a piece of a stream.
    Received(FlowId, SocketAddr, Vec<u8>),
    /// DNS answered.
    Answer(QueryId, Result<Records, DnsError>),
}

impl Fact {
    /// Something that happened just now.
    pub(crate) fn now(what: What) -> Self {
        Self { at: Instant::now(), what }
    }
}

/// The way out of an open flow.
#[derive(Debug)]
pub(crate) enum Outlet {
    /// Bytes for the task that owns the connection.
    Stream(Outbox),
}

/// How many facts may wait for the driver before the tasks have to wait too; the kernel's buffers hold what comes meanwhile.
pub(crate) const INBOX: usize = 256;
