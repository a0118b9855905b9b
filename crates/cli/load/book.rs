//! The books of one shard: which user gets which order, and what the end of each exchange counts for. Pure: what is due when is
//! `phase`'s to say, and `engine` hands orders and events to and fro.

use std::time::{Duration, Instant};

use sip_registration::{Attempt, Ending, Event, Goal, Key};

use crate::load::crew::Crew;
use crate::load::job::{Job, Mode};
use crate::load::live::Counts;
use crate::load::tally::{Slice, Tally};

/// Users and counts of one shard.
#[derive(Debug)]
pub(crate) struct Book {
    crew: Crew,
    tally: Tally,
    mode: Mode,
    /// What is being ordered.
    goal: Goal,
    /// When the first order was due.
    began_at: Instant,
    /// The length of one part of the time, in microseconds.
    slice_micros: u64,
}

impl Book {
    /// An empty book for registrations.
    pub(crate) fn new(crew: Crew, job: &Job, began_at: Instant) -> Self {
        let slices = job.schedule.slices();
        let span = u64::try_from(job.schedule.span().as_micros()).unwrap_or(u64::MAX);
        Self {
            crew,
            tally: Tally::new(slices),
            mode: job.mode,
            goal: Goal::Register,
            began_at,
            slice_micros: (span / slices.max(1) as u64).max(1),
        }
    }

    /// How many exchanges are open that were ordered.
    pub(crate) const fn open(&self) -> usize {
        self.crew.open()
    }

    /// Whether somebody waits for an order.
    pub(crate) fn has_free(&self) -> bool {
        self.crew.has_free()
    }

    /// Every user of a storm is back.
    pub(crate) fn all_are_back(&self) -> bool {
        self.tally.back.count() >= self.crew.len() as u64
    }

    /// Who gets the order that is due at this moment; `None` when nobody is free. `late`: it had to wait for that.
    pub(crate) fn order(&mut self, due_at: Instant, late: bool) -> Option<Key> {
        let key = self.crew.order(due_at)?;
        if self.goal == Goal::Register {
            self.tally.given += 1;
            self.tally.held_back += u64::from(late);
            if let Some(slice) = self.slice(due_at) {
                slice.given += 1;
            }
        }
        Some(key)
    }

    /// Takes what happened, and gives back what was read of it.
    pub(crate) fn take(&mut self, key: Key, event: Event) -> Option<Box<Attempt>> {
        match event {
            Event::Attempt(attempt) => {
                match (self.goal, attempt.goal) {
                    (Goal::Register, Goal::Register) => self.registered(key, &attempt),
                    (Goal::Unregister, Goal::Unregister) => self.removed(key, &attempt),
                    // What was cut off when the phase before this one ended.
                    (_, Goal::Register | Goal::Unregister | Goal::Clear | Goal::Fetch | Goal::Ping | Goal::Locate) => {}
                }
                Some(attempt)
            }
            Event::Changed(_) | Event::Request(_) | Event::Removed => None,
        }
    }

    fn registered(&mut self, key: Key, attempt: &Attempt) {
        let again = self.mode == Mode::Cycle;
        let Some(ended) = self.crew.registered(key, attempt.into(), again) else {
            return;
        };
        self.tally.requests += u64::from(attempt.requests);
        self.tally.keeping.lapses += u64::from(ended.lapsed);
        if attempt.retransmissions > 0 {
            self.count_retransmissions(u64::from(attempt.retransmissions), ended.due_at);
        }
        match attempt.ending {
            Ending::Succeeded => self.count_success(attempt, ended.due_at, ended.first),
            Ending::Failed(cause) => {
                let code = attempt.last_reply.as_ref().map(|reply| reply.code);
                self.tally.failed(cause, code);
                if let Some(slice) = ended.due_at.and_then(|due_at| self.slice(due_at)) {
                    slice.failed += 1;
                }
            }
            Ending::Interrupted => self.tally.unfinished += u64::from(ended.due_at.is_some()),
        }
    }

    fn count_retransmissions(&mut self, count: u64, due_at: Option<Instant>) {
        self.tally.retransmissions += count;
        if let Some(slice) = due_at.and_then(|due_at| self.slice(due_at)) {
            slice.retransmissions += count;
        }
    }

    fn count_success(&mut self, attempt: &Attempt, due_at: Option<Instant>, first: bool) {
        let since_start = attempt.ended_at.saturating_duration_since(self.began_at);
        let took = attempt.ended_at.saturating_duration_since(attempt.started_at);
        if let Some(due_at) = due_at {
            self.tally.registered += 1;
            self.tally.confirmed_by = self.tally.confirmed_by.max(since_start);
            self.tally.service.record(took);
            if let Some(slice) = self.slice(due_at) {
                slice.registered += 1;
                // What was sent a little early counts from when it was sent.
                slice.latency.record_between(due_at.min(attempt.started_at), attempt.ended_at);
            }
        }
        match self.mode {
            Mode::Cycle => {}
            Mode::KeepAlive => {
                let granted = attempt.binding.as_ref().map_or(0, |bound| bound.granted);
                self.tally.keeping.granted = self.tally.keeping.granted.max(Duration::from_secs(granted.into()));
                if due_at.is_none() {
                    self.tally.keeping.refreshed(since_start, took);
                }
            }
            Mode::Storm if first => self.tally.back.record(since_start),
            Mode::Storm => {}
        }
    }

    fn removed(&mut self, key: Key, attempt: &Attempt) {
        self.crew.removed(key, attempt.into());
        match attempt.ending {
            Ending::Succeeded => self.tally.removal.removed += 1,
            Ending::Failed(_) => self.tally.removal.failed += 1,
            Ending::Interrupted => {}
        }
    }

    /// The part of the time that an order belongs to.
    fn slice(&mut self, due_at: Instant) -> Option<&mut Slice> {
        let due = due_at.saturating_duration_since(self.began_at).as_micros();
        let at = u64::try_from(due).unwrap_or(u64::MAX) / self.slice_micros;
        let last = self.tally.slices.len().checked_sub(1)?;
        self.tally.slices.get_mut(usize::try_from(at).unwrap_or(usize::MAX).min(last))
    }

    /// Closes the book on registrations, of which so many fell due and were not ordered.
    pub(crate) fn conclude(&mut self, now: Instant, not_given: u64) {
        self.tally.offered = self.tally.given + not_given;
        self.tally.unfinished += self.crew.open() as u64;
        self.tally.took = now.saturating_duration_since(self.began_at);
        if self.mode == Mode::KeepAlive {
            let (held, lapsed) = self.crew.held(now);
            self.tally.keeping.held = held;
            self.tally.keeping.lapses += lapsed;
        }
    }

    /// Goes over to removals; how many there are to be.
    pub(crate) fn turn(&mut self) -> u64 {
        self.goal = Goal::Unregister;
        self.tally.removal.bound = self.crew.turn();
        self.tally.removal.bound
    }

    /// The counts for the live line.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            given: self.tally.given,
            registered: self.tally.registered + self.tally.keeping.service.count(),
            failed: self.tally.failed,
            retransmissions: self.tally.retransmissions,
            open: self.crew.open() as u64,
        }
    }

    /// Everything that was counted; removing took so long.
    pub(crate) fn close(mut self, removing: Duration) -> Tally {
        self.tally.removal.took = removing;
        self.tally
    }
}
