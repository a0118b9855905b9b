//! One deadline a registration, in order. Not for what is due: the registration knows.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::Key;

/// The deadlines of all registrations.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeSet<(Instant, Key)>);

impl Timers {
    /// Moves a registration's deadline from `old` to `new`.
    pub(crate) fn set(&mut self, key: Key, old: Option<Instant>, new: Option<Instant>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.0.remove(&(old, key));
        }
        if let Some(new) = new {
            self.0.insert((new, key));
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes out one registration whose deadline has come.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<Key> {
        let due = self.0.first().filter(|(at, _)| *at <= now).copied()?;
        self.0.remove(&due);
        Some(due.1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn deadlines_come_out_in_order_and_move() {
        let (start, mut timers) = (crate::tests::origin(), Timers::default());
        let key = |index| Key { index, generation: 0 };
        let at = |seconds| start + Duration::from_secs(seconds);
        timers.set(key(1), None, Some(at(3)));
        timers.set(key(2), None, Some(at(2)));
        timers.set(key(1), Some(at(3)), Some(at(1)));
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.pop_expired(start), None);
        assert_eq!(timers.pop_expired(at(2)), Some(key(1)));
        assert_eq!(timers.pop_expired(at(2)), Some(key(2)));
        assert_eq!(timers.next(), None);
    }
}
