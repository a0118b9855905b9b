//! What was ordered while an exchange was under way: each goal once, in order, in a few bytes, because every registration has these.

use crate::Goal;

/// Goals that wait for their turn, the next one first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Orders([Option<Goal>; Self::MOST]);

impl Orders {
    /// There are no more goals than that.
    const MOST: usize = 6;

    /// Whether this goal waits.
    pub(super) fn contains(&self, goal: Goal) -> bool {
        self.0.contains(&Some(goal))
    }

    /// Puts a goal behind the others, unless it waits already.
    pub(super) fn push(&mut self, goal: Goal) {
        let place = self.0.iter_mut().find(|place| place.is_none() || **place == Some(goal));
        if let Some(place) = place {
            *place = Some(goal);
        }
    }

    /// Takes out the next one.
    pub(super) const fn pop(&mut self) -> Option<Goal> {
        let next = self.0[0].take();
        self.0.rotate_left(1);
        next
    }

    /// Nothing waits any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_goal_waits_once_and_they_come_out_in_order() {
        let all = [Goal::Ping, Goal::Fetch, Goal::Clear, Goal::Locate, Goal::Register, Goal::Unregister];
        let mut orders = Orders::default();
        for _ in 0..2 {
            all.into_iter().chain(all).for_each(|goal| orders.push(goal));
            assert!(all.into_iter().all(|goal| orders.contains(goal)));
            assert_eq!(std::iter::from_fn(|| orders.pop()).collect::<Vec<_>>(), all);
            assert_eq!(orders, Orders::default());
        }
        orders.push(Goal::Fetch);
        orders.clear();
        assert!(!orders.contains(Goal::Fetch));
        assert_eq!(orders.pop(), None);
    }
}
