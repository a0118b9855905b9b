//! Buffers of exchanges that are over, kept for those that begin: a registration that is refreshed for ever asks the allocator for
//! nothing. Bounded, so that a crowd that comes at once leaves nothing behind for good.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use sip_digest::Offers;

use crate::Goal;
use crate::attempt::Attempt;
use crate::exchange::{Address, Exchange, Server};

/// Attempts that were given back, exchanges that are over, and what exchanges share.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    #[expect(clippy::vec_box, reason = "the box is what is kept: it goes out and comes back as one")]
    attempts: Vec<Box<Attempt>>,
    #[expect(clippy::vec_box, reason = "the box is what is kept: it goes out and comes back as one")]
    exchanges: Vec<Box<Exchange>>,
    /// Whom the last REGISTERs went to, the latest first.
    pub(crate) servers: VecDeque<Arc<Server>>,
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
        attempt.begin_again(now, goal);
        attempt
    }

    /// Any attempt, whatever is in it, for an exchange that is over.
    pub(crate) fn any_attempt(&mut self, now: Instant, goal: Goal) -> Box<Attempt> {
        self.attempts.pop().unwrap_or_else(|| Box::new(Attempt::begin(now, goal)))
    }

    /// The place of an exchange that is over.
    pub(crate) fn exchange(&mut self) -> Option<Box<Exchange>> {
        self.exchanges.pop()
    }

    /// Takes an exchange that is over.
    pub(crate) fn put_exchange(&mut self, exchange: Box<Exchange>) {
        if self.exchanges.len() < Self::MOST {
            self.exchanges.push(exchange);
        }
    }

    /// Takes an attempt back.
    pub(crate) fn put(&mut self, attempt: Box<Attempt>) {
        if self.attempts.len() < Self::MOST {
            self.attempts.push(attempt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::Notice;

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
    fn no_more_than_a_bound_are_kept() {
        let now = crate::tests::origin();
        let mut pool = Pool::default();
        (0..2 * Pool::MOST).for_each(|_| pool.put(Box::new(Attempt::begin(now, Goal::Register))));
        assert_eq!(pool.attempts.len(), Pool::MOST);
    }
}
