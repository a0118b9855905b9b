//! Non-INVITE server transactions on unreliable transports (RFC 3261 §17.2.2): a retransmission gets the same reply again.
//! Not for TCP and TLS, where nothing is retransmitted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_message::{Echo, Name, Request};

use crate::Limits;

/// What makes two requests the same transaction (RFC 3261 §17.2.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TransactionKey(Vec<u8>);

/// The replies of one transaction.
#[derive(Debug, Clone)]
pub(crate) struct Replies {
    /// A 1xx that was sent before the final reply.
    pub(crate) provisional: Option<Arc<[u8]>>,
    /// The final reply and when it is sent; `None` when there never is one.
    pub(crate) last: Option<(Instant, Arc<[u8]>)>,
}

/// What a retransmission gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It is no retransmission.
    New,
    /// Nothing: the first one is still being worked on, or was answered with nothing.
    Nothing,
    /// These bytes once more.
    Bytes(Arc<[u8]>),
}

/// The transactions that are remembered, for 64·T1 each (Timer J). The oldest are forgotten first.
#[derive(Debug)]
pub(crate) struct Transactions {
    known: BTreeMap<TransactionKey, Replies>,
    order: VecDeque<(Instant, TransactionKey)>,
    bytes: usize,
    limits: Limits,
}

/// Timer J: 64·T1 with T1 = 500 ms. We differ: it runs from the request and not from the final reply, since by the time that
/// it ends the client's Timer F has ended as well.
const TIMER_J: Duration = Duration::from_secs(32);

impl TransactionKey {
    pub(crate) fn of(request: &Request<'_>, echo: &Echo<'_>) -> Self {
        let branch = echo.top.branch().unwrap_or_default();
        let mut key = Vec::new();
        let mut add = |part: &[u8]| {
            key.extend_from_slice(part);
            key.push(0);
        };
        add(request.method.as_bytes());
        if branch.get(..COOKIE.len()).is_some_and(|cookie| cookie.eq_ignore_ascii_case(COOKIE)) {
            add(branch);
            add(format!("{}:{:?}", echo.top.host, echo.top.port).to_ascii_lowercase().as_bytes());
        } else {
            // RFC 2543 clients have no unique branch; these together are.
            add(request.uri);
            add(echo.top_element);
            for name in [Name::To, Name::From, Name::CallId, Name::CSeq] {
                add(request.headers.first(name).unwrap_or_default());
            }
        }
        Self(key)
    }

    /// What it takes, in bytes: it stands in the map and in the queue.
    const fn size(&self) -> usize {
        2 * self.0.len()
    }
}

const COOKIE: &[u8] = b"z9hG4bK";

impl Transactions {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self {
            known: BTreeMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            limits,
        }
    }

    /// What a request with this key gets, if it is a retransmission.
    pub(crate) fn repeat(&self, now: Instant, key: &TransactionKey) -> Repeat {
        let Some(replies) = self.known.get(key) else {
            return Repeat::New;
        };
        let sent = replies.last.as_ref().filter(|(due, _)| *due <= now).map(|(_, bytes)| bytes);
        match sent.or(replies.provisional.as_ref()) {
            Some(bytes) => Repeat::Bytes(Arc::clone(bytes)),
            None => Repeat::Nothing,
        }
    }

    pub(crate) fn insert(&mut self, now: Instant, key: TransactionKey, replies: Replies) {
        let size = replies.size() + key.size();
        if size > self.limits.reply_bytes || self.known.contains_key(&key) {
            return;
        }
        while self.order.len() >= self.limits.transactions.max(1) || self.bytes + size > self.limits.reply_bytes {
            self.forget_oldest();
        }
        self.bytes += size;
        self.order.push_back((now, key.clone()));
        self.known.insert(key, replies);
    }

    /// Drops the transactions whose time is over.
    pub(crate) fn expire(&mut self, now: Instant) {
        while self.next_at().is_some_and(|due| due <= now) {
            self.forget_oldest();
        }
    }

    /// How many transactions are held, and their bytes.
    #[cfg(test)]
    pub(crate) fn held(&self) -> (usize, usize) {
        (self.order.len(), self.bytes)
    }

    /// When the next transaction ends.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.order.front().map(|(since, _)| *since + TIMER_J)
    }

    fn forget_oldest(&mut self) {
        let Some((_, key)) = self.order.pop_front() else {
            return;
        };
        if let Some(replies) = self.known.remove(&key) {
            self.bytes -= replies.size() + key.size();
        }
    }
}

impl Replies {
    fn size(&self) -> usize {
        self.provisional.as_ref().map_or(0, |bytes| bytes.len()) + self.last.as_ref().map_or(0, |(_, bytes)| bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use sip_message::Message;

    use super::*;
    use crate::testing::start;

    fn key(message: &str) -> TransactionKey {
        let Message::Request(request) = Message::parse(message.as_bytes()).unwrap() else {
            panic!("{message}")
        };
        TransactionKey::of(&request, &Echo::read(&request).unwrap())
    }

    fn limits(transactions: usize, reply_bytes: usize) -> Limits {
        Limits {
            transactions,
            reply_bytes,
            ..Limits::default()
        }
    }

    fn replies(bytes: &[u8]) -> Replies {
        Replies {
            provisional: None,
            last: Some((start(), bytes.into())),
        }
    }

    #[test]
    fn branch_sent_by_and_method_make_the_transaction() {
        let one = key("REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP H:5060;branch=z9hG4bKx\r\nCSeq: 1 REGISTER\r\n\r\n");
        let same = key("REGISTER sip:b SIP/2.0\r\nv: SIP/2.0/UDP h:5060;rport;branch=z9hG4bKx\r\nCSeq: 2 REGISTER\r\n\r\n");
        let other_port = key("REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h:5061;branch=z9hG4bKx\r\n\r\n");
        let other_method = key("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h:5060;branch=z9hG4bKx\r\n\r\n");
        assert_eq!(one, same);
        assert_ne!(one, other_port);
        assert_ne!(one, other_method);
    }

    #[test]
    fn without_the_cookie_the_whole_request_counts() {
        let request = |cseq: u32| format!("REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=1\r\nCSeq: {cseq} REGISTER\r\n\r\n");
        assert_eq!(key(&request(1)), key(&request(1)));
        assert_ne!(key(&request(1)), key(&request(2)));
    }

    #[test]
    fn the_final_reply_is_repeated_once_it_was_sent() {
        let mut transactions = Transactions::new(limits(10, 1000));
        let key = TransactionKey(b"k".to_vec());
        assert_eq!(transactions.repeat(start(), &key), Repeat::New);
        let due = start() + Duration::from_secs(1);
        let both = Replies {
            provisional: Some(b"100"[..].into()),
            last: Some((due, b"200"[..].into())),
        };
        transactions.insert(start(), key.clone(), both);
        assert_eq!(transactions.repeat(start(), &key), Repeat::Bytes(b"100"[..].into()));
        assert_eq!(transactions.repeat(due, &key), Repeat::Bytes(b"200"[..].into()));
        transactions.expire(start() + TIMER_J);
        assert_eq!(transactions.repeat(due, &key), Repeat::New);
        assert_eq!((transactions.bytes, transactions.next_at()), (0, None));
    }

    #[test]
    fn the_oldest_transaction_makes_room() {
        let mut transactions = Transactions::new(limits(2, 30));
        for name in [b"a", b"b", b"c"] {
            transactions.insert(start(), TransactionKey(name.to_vec()), replies(b"0123456789"));
        }
        assert_eq!(transactions.known.len(), 2);
        transactions.insert(start(), TransactionKey(b"d".to_vec()), replies(&[0; 25]));
        assert_eq!((transactions.known.len(), transactions.bytes), (1, 27));
        transactions.insert(start(), TransactionKey(b"e".to_vec()), replies(&[0; 29]));
        assert_eq!(transactions.known.len(), 1);
    }
}
