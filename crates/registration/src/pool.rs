//! Buffers of exchanges that are over, kept for those that begin: a registration that is refreshed for ever asks the allocator for
//! nothing. Bounded, so that a crowd that comes at once leaves nothing behind for good.

use std::time::Instant;

use crate::Goal;
use crate::attempt::Attempt;

/// Attempts that were given back.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    #[expect(clippy::vec_box, reason = "the box is what is kept: it goes out and comes back as one")]
    attempts: Vec<Box<Attempt>>,
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
