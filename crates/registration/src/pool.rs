//! Buffers of exchanges that are over, kept for those that begin: a registration that is refreshed for ever asks the allocator for
//! nothing. Bounded, so that a crowd that comes at once leaves nothing behind for good.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use sip_digest::Offers;

use crate::Goal;
use crate::attempt::Attempt;
use crate::exchange::{Address, Exchange, Known, Server};

/// Attempts that were given back, exchanges that are over, and what exchanges share.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    #[expect(clippy::vec_box, reason = "the box is what is kept: it goes out and comes back as one")]
    attempts: Vec<Box<Attempt>>,
    #[expect(clippy::vec_box, reason = "the box is what is kept: it goes out and comes back as one")]
    exchanges: Vec<Box<Exchange>>,
    /// Whom the last REGISTERs went to, the latest first.
    pub(crate) servers: VecDeque<Arc<Server>>,
    /// What was learnt from challenges lately, the latest first.
    pub(crate) known: VecDeque<Arc<Known>>,
    /// The last next hop that was an address.
    pub(crate) address: Option<Address>,
    /// Room for reading challenges.
    pub(crate) offers: Offers,
    /// Room for writing a URI.
    pub(crate) text: String,
}

impl Pool {
    /// How many are kept: as many exchanges as go on at once where thousands begin in a second.
    const MOST: usize = 1024;

    /// An empty attempt, in buffers that were used before if there are any.
    pub(crate) fn attempt(&mut self, now: Instant, goal: Goal) -> Box<Attempt> {
        let Some(mut attempt) = self.attempts.pop() else {
            return Box::new(Attempt::begin(now, goal));
        };
        (attempt.started_at, attempt.ended_at, attempt.goal) = (now, now, goal);
        attempt
    }

    /// The place of an exchange that is over.
    pub(crate) fn exchange(&mut self) -> Option<Box<Exchange>> {
        self.exchanges.pop()
    }

    /// Takes an exchange that is over, without what it learnt from the wire.
    pub(crate) fn put_exchange(&mut self, mut exchange: Box<Exchange>) {
        if self.exchanges.len() < Self::MOST {
            exchange.empty();
            self.exchanges.push(exchange);
        }
    }

    /// Takes an attempt back, without what it showed: traced messages may be large and are nobody's business any more.
    pub(crate) fn put(&mut self, mut attempt: Box<Attempt>) {
        if self.attempts.len() < Self::MOST {
            attempt.empty();
            self.attempts.push(attempt);
        }
    }

    /// Takes an attempt back that was never used.
    pub(crate) fn put_unused(&mut self, attempt: Box<Attempt>) {
        if self.attempts.len() < Self::MOST {
            self.attempts.push(attempt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::{Happening, Notice, TracedMessage};
    use crate::report::Direction;

    #[test]
    fn nothing_of_an_attempt_stays_in_the_next_but_its_buffers() {
        let now = crate::tests::origin();
        let mut pool = Pool::default();
        let mut used = pool.attempt(now, Goal::Fetch);
        used.notice(Notice::LateReply);
        used.requests = 7;
        "words".clone_into(&mut used.words);
        let capacity = used.notices.capacity();
        pool.put(used);
        let again = pool.attempt(now, Goal::Register);
        assert_eq!(format!("{again:?}"), format!("{:?}", Attempt::begin(now, Goal::Register)));
        assert_eq!(again.notices.capacity(), capacity);
    }

    #[test]
    fn what_an_attempt_showed_is_gone_as_soon_as_it_is_given_back() {
        let now = crate::tests::origin();
        let mut pool = Pool::default();
        let text: Arc<str> = "a text from the wire".into();
        let mut used = pool.attempt(now, Goal::Register);
        for _ in 0..Attempt::MAX_STEPS {
            let traced = TracedMessage {
                direction: Direction::Received,
                peer: ([192, 0, 2, 10], 5060).into(),
                text: "x".repeat(60_000),
            };
            used.traced_step(now, Happening::Following(Arc::clone(&text)), Some(traced));
        }
        used.notice(Notice::FailurePhrase(Arc::clone(&text)));
        used.product = Some(Arc::clone(&text));
        "words".clone_into(&mut used.words);
        let shown = Arc::downgrade(&text);
        drop(text);
        pool.put(used);
        assert!(shown.upgrade().is_none());
        let kept = pool.attempts.first().unwrap();
        assert!(kept.steps.is_empty() && kept.steps.capacity() <= Attempt::KEPT && kept.words.capacity() == 0);
    }

    #[test]
    fn no_more_than_a_bound_are_kept() {
        let now = crate::tests::origin();
        let mut pool = Pool::default();
        (0..2 * Pool::MOST).for_each(|_| pool.put(Box::new(Attempt::begin(now, Goal::Register))));
        assert_eq!(pool.attempts.len(), Pool::MOST);
    }
}
