//! One deadline a registration, in order. Not for what is due: the registration knows.
//!
//! What is promised: a deadline is never early, not by a nanosecond; they come out in order, those of one moment in the order of their
//! keys; `next` is exact.

mod heap;

pub(crate) use heap::Timers;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;
    use crate::Key;

    fn key(index: u32) -> Key {
        Key { index, generation: 0 }
    }

    #[test]
    fn deadlines_come_out_in_order_and_move() {
        let (start, mut timers) = (crate::tests::origin(), Timers::default());
        let at = |seconds| start + Duration::from_secs(seconds);
        timers.set(key(1), Some(at(3)));
        timers.set(key(2), Some(at(2)));
        timers.set(key(1), Some(at(1)));
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.pop_expired(start), None);
        assert_eq!(timers.pop_expired(at(2)), Some(key(1)));
        assert_eq!(timers.pop_expired(at(2)), Some(key(2)));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_deadline_is_not_early_by_a_nanosecond() {
        let (start, mut timers) = (crate::tests::origin(), Timers::default());
        let at = start + Duration::from_secs(1);
        timers.set(key(1), Some(at));
        assert_eq!(timers.pop_expired(at - Duration::from_nanos(1)), None);
        assert_eq!(timers.pop_expired(at), Some(key(1)));
    }

    /// The simple structure whose answers are right: an ordered set.
    #[derive(Debug, Default)]
    struct Model(BTreeSet<(Instant, Key)>);

    impl Model {
        fn set(&mut self, key: Key, at: Option<Instant>) {
            self.0.retain(|(_, other)| other.index != key.index);
            self.0.extend(at.map(|at| (at, key)));
        }

        fn next(&self) -> Option<Instant> {
            self.0.first().map(|(at, _)| *at)
        }

        fn pop_expired(&mut self, now: Instant) -> Option<Key> {
            self.0.first().filter(|(at, _)| *at <= now)?;
            self.0.pop_first().map(|(_, key)| key)
        }
    }

    /// What is done to timers. Few registrations and few moments, so that equal deadlines and moves are common.
    #[derive(Debug, Clone)]
    enum Deed {
        Set(u32, u32, Option<u64>),
        PopUntil(u64),
    }

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![
            4 => (0_u32..40, 0_u32..2, prop::option::weighted(0.9, 0_u64..50)).prop_map(|(index, generation, at)| Deed::Set(index, generation, at)),
            1 => (0_u64..50).prop_map(Deed::PopUntil),
        ]
    }

    proptest! {
        #[test]
        fn the_same_comes_out_in_the_same_order_as_of_an_ordered_set(deeds in prop::collection::vec(deed(), 0..400)) {
            let (start, mut timers, mut model) = (crate::tests::origin(), Timers::default(), Model::default());
            let moment = |at| start + Duration::from_nanos(at);
            for deed in deeds {
                match deed {
                    Deed::Set(index, generation, at) => {
                        timers.set(Key { index, generation }, at.map(moment));
                        model.set(Key { index, generation }, at.map(moment));
                    }
                    Deed::PopUntil(now) => while let Some(key) = model.pop_expired(moment(now)) {
                        prop_assert_eq!(timers.pop_expired(moment(now)), Some(key));
                    }
                }
                prop_assert_eq!(timers.next(), model.next());
            }
            while let Some(key) = model.pop_expired(moment(u64::from(u32::MAX))) {
                prop_assert_eq!(timers.pop_expired(moment(u64::from(u32::MAX))), Some(key));
            }
            prop_assert_eq!(timers.pop_expired(moment(u64::from(u32::MAX))), None);
        }
    }
}
