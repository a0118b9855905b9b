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
    pub(crate) fn registered(&mut self, key: Key, attempt: &Attempt, again: bool) -> Option<Ended> {
        let user = self.users.get_mut(key.place())?;
        let before = user.valid_until;
        match attempt.ending {
            Ending::Succeeded => {
                user.valid_until = attempt.binding.as_ref().map(|bound| bound.valid_until);
                user.bound = true;
            }
            Ending::Failed(_) | Ending::Interrupted => user.bound |= attempt.may_be_bound,
        }
        let due_at = self.close(key, again);
        Some(Ended {
            due_at,
            first: before.is_none(),
            lapsed: before.is_some_and(|until| attempt.ending == Ending::Succeeded && until < attempt.ended_at),
        })
    }

    /// Takes the end of a removal.
    pub(crate) fn removed(&mut self, key: Key, attempt: &Attempt) {
        if let Some(user) = self.users.get_mut(key.place()) {
            user.bound &= attempt.ending != Ending::Succeeded;
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
