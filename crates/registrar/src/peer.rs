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

    /// How many replies are held, and their bytes.
    #[cfg(test)]
    pub(crate) fn held(&self) -> (usize, usize) {
        (self.ready.len() + self.delayed.len(), self.bytes)
    }

    /// When the next delayed reply is due.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.delayed.first_key_value().map(|((due, _), _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::start;

    #[test]
    fn replies_come_out_in_the_order_in_which_they_are_due() {
        let mut outbox = Outbox::new(Limits::default());
        let peer = Peer {
            flow: 1,
            source: "192.0.2.1:5060".parse().unwrap(),
            reliable: false,
        };
        let reply = Reply {
            peer,
            then: AfterReply::KeepOpen,
        };
        let later = |milliseconds| start() + Duration::from_millis(milliseconds);
        for (due, bytes) in [(later(20), b"c"), (start(), b"a"), (later(10), b"b"), (later(20), b"d")] {
            assert!(outbox.push(start(), due, reply, bytes[..].into()));
        }
        let mut out = Vec::new();
        for moment in [start(), later(10), later(20)] {
            outbox.release(moment);
            out.extend(std::iter::from_fn(|| outbox.pop()).flat_map(|(_, bytes)| bytes.to_vec()));
            out.push(b'|');
        }
        assert_eq!(out, b"a|b|cd|");
        assert_eq!((outbox.held(), outbox.next_at()), ((0, 0), None));
    }
}
