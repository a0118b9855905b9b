//! Where a message came from, and the replies that wait to go back. Not for what they say.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::Limits;

/// Where a message came from, and so where its reply goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// The caller's own name for the socket or connection; opaque here.
    pub flow: u64,
    /// The address that the message came from; in a [`Reply`], the address that it goes to.
    pub source: SocketAddr,
    /// True for TCP and TLS: nothing is retransmitted, and the flow can be closed.
    pub reliable: bool,
}

/// A reply to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Where it goes.
    pub peer: Peer,
    /// What becomes of the flow once the bytes are sent.
    pub then: AfterReply,
}

/// What becomes of a flow after a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterReply {
    /// It stays.
    KeepOpen,
    /// It is closed; there may have been no bytes to send.
    Close,
}

/// Replies that wait to be polled, and those that wait for their time. Both are bounded.
#[derive(Debug)]
pub(crate) struct Outbox {
    ready: VecDeque<Queued>,
    delayed: BTreeMap<(Instant, u64), Queued>,
    serial: u64,
    bytes: usize,
    limits: Limits,
}

#[derive(Debug)]
struct Queued {
    reply: Reply,
    bytes: Arc<[u8]>,
}

impl Outbox {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self {
            ready: VecDeque::new(),
            delayed: BTreeMap::new(),
            serial: 0,
            bytes: 0,
            limits,
        }
    }

    /// Queues a reply for `due`, at once when that has come. False when there was no room and it is lost.
    pub(crate) fn push(&mut self, now: Instant, due: Instant, reply: Reply, bytes: Arc<[u8]>) -> bool {
        let full = self.ready.len() + self.delayed.len() >= self.limits.replies;
        if full || self.bytes.saturating_add(bytes.len()) > self.limits.reply_bytes {
            return false;
        }
        self.bytes += bytes.len();
        let queued = Queued { reply, bytes };
        if due <= now {
            self.ready.push_back(queued);
        } else {
            self.serial += 1;
            self.delayed.insert((due, self.serial), queued);
        }
        true
    }

    /// Moves the delayed replies whose time has come.
    pub(crate) fn release(&mut self, now: Instant) {
        while let Some(first) = self.delayed.first_entry() {
            if first.key().0 > now {
                return;
            }
            self.ready.push_back(first.remove());
        }
    }

    pub(crate) fn pop(&mut self) -> Option<(Reply, Arc<[u8]>)> {
        let queued = self.ready.pop_front()?;
        self.bytes -= queued.bytes.len();
        Some((queued.reply, queued.bytes))
    }

    /// When the next delayed reply is due.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.delayed.first_key_value().map(|((due, _), _)| *due)
    }
}
