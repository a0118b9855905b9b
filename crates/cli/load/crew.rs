//! The users of one shard: who is free for an order, who has an exchange open, whose binding stands. Pure; orders are given and
//! attempts read by `engine`.

use std::collections::VecDeque;
use std::time::Instant;

use sip_registration::{Attempt, Ending, Key};

/// All users of a shard.
#[derive(Debug, Default)]
pub(crate) struct Crew {
    /// By the place of their keys.
    users: Vec<User>,
    /// Those who wait for an order, the longest first.
    free: VecDeque<u32>,
    open: usize,
}

/// One user.
#[derive(Debug)]
struct User {
    key: Key,
    /// When the order was due whose exchange is open.
    due_at: Option<Instant>,
    /// Until when the binding that was confirmed last stands.
    valid_until: Option<Instant>,
    /// The registrar has a binding, or may have one.
    bound: bool,
}

/// How an exchange ended, as far as its user is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    ending: Ending,
    at: Instant,
    /// Until when the binding stands that was confirmed.
    valid_until: Option<Instant>,
    may_be_bound: bool,
}

impl From<&Attempt> for End {
    fn from(attempt: &Attempt) -> Self {
        Self {
            ending: attempt.ending,
            at: attempt.ended_at,
            valid_until: attempt.binding.as_ref().map(|bound| bound.valid_until),
            may_be_bound: attempt.may_be_bound,
        }
    }
}

/// What the end of an exchange meant to its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// When it was due, if it was ordered; `None` for what the core did by itself.
    pub(crate) due_at: Option<Instant>,
    /// The user has not been registered before in this run.
    pub(crate) first: bool,
    /// The binding before it had run out.
    pub(crate) lapsed: bool,
}

impl Crew {
    /// Takes a user in whose registration was added last.
    pub(crate) fn hire(&mut self, key: Key) {
        let place = u32::try_from(self.users.len()).expect("a registrant holds fewer");
        debug_assert_eq!(key.place(), self.users.len(), "registrations are added in the order of the users");
        self.users.push(User {
            key,
            due_at: None,
            valid_until: None,
            bound: false,
        });
        self.free.push_back(place);
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.users.len()
    }

    /// How many exchanges are open that were ordered.
    pub(crate) const fn open(&self) -> usize {
        self.open
    }

    /// Whether somebody waits for an order.
    pub(crate) fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// Gives an order that was due at this moment to the user who has waited longest; `None` when nobody is free.
    pub(crate) fn order(&mut self, due_at: Instant) -> Option<Key> {
        let place = self.free.pop_front()?;
        let user = self.users.get_mut(place as usize)?;
        user.due_at = Some(due_at);
        self.open += 1;
        Some(user.key)
    }

    /// Takes the end of a registration. `again`: the user may get another order.
    pub(crate) fn registered(&mut self, key: Key, end: End, again: bool) -> Option<Ended> {
        let user = self.users.get_mut(key.place())?;
        let before = user.valid_until;
        match end.ending {
            Ending::Succeeded => {
                user.valid_until = end.valid_until;
                user.bound = true;
            }
            Ending::Failed(_) | Ending::Interrupted => user.bound |= end.may_be_bound,
        }
        let due_at = self.close(key, again);
        Some(Ended {
            due_at,
            first: before.is_none(),
            lapsed: before.is_some_and(|until| end.ending == Ending::Succeeded && until < end.at),
        })
    }

    /// Takes the end of a removal.
    pub(crate) fn removed(&mut self, key: Key, end: End) {
        if let Some(user) = self.users.get_mut(key.place()) {
            user.bound &= end.ending != Ending::Succeeded;
            user.valid_until = None;
        }
        self.close(key, false);
    }

    fn close(&mut self, key: Key, again: bool) -> Option<Instant> {
        let due_at = self.users.get_mut(key.place())?.due_at.take()?;
        self.open -= 1;
        if again {
            self.free.push_back(u32::try_from(key.place()).ok()?);
        }
        Some(due_at)
    }

    /// How many bindings stand at this moment, and how many ran out although they were to be kept.
    pub(crate) fn held(&self, now: Instant) -> (u64, u64) {
        let standing = self.users.iter().filter_map(|user| user.valid_until);
        standing.fold(
            (0, 0),
            |(held, lapsed), until| {
                if until > now { (held + 1, lapsed) } else { (held, lapsed + 1) }
            },
        )
    }

    /// Goes over to removing bindings: whoever may have one is free for that order, and nobody else. What is still open is given up.
    /// How many may have one.
    pub(crate) fn turn(&mut self) -> u64 {
        self.open = 0;
        self.free.clear();
        for (place, user) in (0..).zip(&mut self.users) {
            // What is open may bind us yet.
            if user.due_at.take().is_some() || user.bound {
                self.free.push_back(place);
            }
        }
        self.free.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use sip_registration::{Cause, Policy, Registrant};

    use super::*;
    use crate::load::samples::job;

    const SECOND: Duration = Duration::from_secs(1);

    /// So many users, with their keys.
    fn crew(count: u64, now: Instant) -> (Crew, Vec<Key>) {
        let job = job("u{n}@10.0.0.1 --users 10");
        let mut registrant = Registrant::new([7; 32], Policy::one_shot());
        let keys: Vec<Key> = (0..count).map(|place| registrant.add(now, Arc::new(job.account(place)))).collect();
        let mut crew = Crew::default();
        keys.iter().for_each(|&key| crew.hire(key));
        (crew, keys)
    }

    fn success(at: Instant, valid_until: Instant) -> End {
        End {
            ending: Ending::Succeeded,
            at,
            valid_until: Some(valid_until),
            may_be_bound: false,
        }
    }

    fn failure(at: Instant, may_be_bound: bool) -> End {
        End {
            ending: Ending::Failed(Cause::NoReply),
            at,
            valid_until: None,
            may_be_bound,
        }
    }

    #[test]
    fn users_take_turns_and_who_is_busy_is_left_out() {
        let now = Instant::now();
        let (mut crew, keys) = crew(3, now);
        let first: Vec<_> = (0..3).map(|_| crew.order(now)).collect();
        assert_eq!(first, keys.iter().copied().map(Some).collect::<Vec<_>>());
        assert_eq!((crew.order(now), crew.open(), crew.has_free()), (None, 3, false));
        let due_at = crew.registered(keys[1], success(now, now + SECOND), true).unwrap().due_at;
        assert_eq!((due_at, crew.open()), (Some(now), 2));
        assert_eq!(crew.order(now), Some(keys[1]));
        crew.registered(keys[2], failure(now, false), true);
        crew.registered(keys[0], failure(now, false), true);
        assert_eq!((crew.order(now), crew.order(now)), (Some(keys[2]), Some(keys[0])));
        crew.registered(keys[0], success(now, now + SECOND), false);
        assert!(!crew.has_free(), "who registers once gets no second order");
    }

    #[test]
    fn what_the_core_does_by_itself_was_not_ordered() {
        let now = Instant::now();
        let (mut crew, keys) = crew(1, now);
        crew.order(now);
        let first = crew.registered(keys[0], success(now, now + SECOND), false).unwrap();
        let refresh = crew.registered(keys[0], success(now, now + SECOND), false).unwrap();
        assert_eq!(
            (first.due_at, first.first, refresh.due_at, refresh.first),
            (Some(now), true, None, false)
        );
        assert_eq!(crew.open(), 0);
    }

    #[test]
    fn a_binding_that_ran_out_before_its_refresh_has_lapsed() {
        let now = Instant::now();
        let (mut crew, keys) = crew(2, now);
        let ended = |crew: &mut Crew, end| crew.registered(keys[0], end, false).unwrap().lapsed;
        assert!(!ended(&mut crew, success(now, now + SECOND)));
        assert!(!ended(&mut crew, success(now + SECOND, now + 2 * SECOND)), "just in time");
        assert!(!ended(&mut crew, failure(now + 3 * SECOND, false)), "it is not back yet");
        assert_eq!(crew.held(now + SECOND), (1, 0));
        assert_eq!(crew.held(now + 3 * SECOND), (0, 1));
        assert!(ended(&mut crew, success(now + 3 * SECOND, now + 9 * SECOND)));
        assert_eq!(crew.held(now + 3 * SECOND), (1, 0));
    }

    #[test]
    fn whoever_is_bound_or_may_be_is_removed_and_nobody_else() {
        let now = Instant::now();
        let (mut crew, keys) = crew(5, now);
        (0..4).for_each(|_| assert!(crew.order(now).is_some()));
        crew.registered(keys[0], success(now, now + SECOND), true);
        crew.registered(keys[1], failure(now, true), true);
        crew.registered(keys[2], failure(now, false), true);
        // The fourth has an exchange open, the fifth was never asked.
        assert_eq!((crew.turn(), crew.open()), (3, 0));
        let removed: Vec<_> = std::iter::from_fn(|| crew.order(now)).collect();
        assert_eq!(removed, [keys[0], keys[1], keys[3]]);
        crew.removed(keys[0], failure(now, true));
        crew.removed(keys[1], success(now, now));
        assert_eq!((crew.open(), crew.turn()), (1, 2));
    }
}
