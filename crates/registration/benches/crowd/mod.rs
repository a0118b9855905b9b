//! Registrations of one registrant, and a registrar that takes everything, so that what is measured is the core alone. Neither socket
//! nor clock: time is moved by hand, and the registrar's own work can be left out of what is timed.

#[path = "../../tests/registrar/mod.rs"]
mod registrar;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_registration::{Ending, Event, Goal, Key, Policy, Registrant};

use self::registrar::{GRANTED, Registrar, account};
use crate::processor_time::ProcessorTime;

/// A registrant with its registrations, on one UDP flow to one registrar.
pub(crate) struct Crowd {
    registrant: Registrant,
    keys: Vec<Key>,
    registrar: Registrar,
    now: Instant,
    /// The requests that are out, and the replies to them. Buffers are kept.
    requests: Vec<Vec<u8>>,
    replies: Vec<Vec<u8>>,
    waiting: usize,
    succeeded: usize,
}

impl Crowd {
    /// So many registrations, all of them registered.
    pub(crate) fn registered(count: usize, policy: Policy) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a moment to count from; its value does not matter")]
        let now = Instant::now();
        let mut registrant = Registrant::new([7; 32], policy);
        let keys: Vec<Key> = (0..count).map(|user| registrant.add(now, Arc::new(account(user)))).collect();
        let first = *keys.first().expect("a crowd has somebody in it");
        registrant.order(now, first, Goal::Register);
        let mut crowd = Self {
            registrar: Registrar::reached_by(&mut registrant, now),
            registrant,
            keys,
            now,
            requests: vec![Vec::with_capacity(1024); count],
            replies: vec![Vec::with_capacity(1024); count],
            waiting: 0,
            succeeded: 0,
        };
        crowd.register();
        assert_eq!(crowd.succeeded, count, "the registrar takes everybody");
        crowd
    }

    /// Orders a registration of everybody and lets it end. Returns the processor time that the core took for it.
    pub(crate) fn register(&mut self) -> Duration {
        self.now += Duration::from_millis(1);
        let started_at = ProcessorTime::now();
        for key in &self.keys {
            self.registrant.order(self.now, *key, Goal::Register);
        }
        self.send();
        let ordered = ProcessorTime::now() - started_at;
        ordered + self.finish()
    }

    /// Lets the time come at which everybody has to be refreshed, and lets the refreshes end. Returns the processor time that
    /// the core took.
    pub(crate) fn refresh(&mut self) -> Duration {
        self.now += Duration::from_secs(u64::from(GRANTED) * 9 / 10);
        let started_at = ProcessorTime::now();
        self.registrant.handle_timeout(self.now);
        self.send();
        let begun = ProcessorTime::now() - started_at;
        assert_eq!(
            self.waiting,
            self.keys.len(),
            "everybody is refreshed when nine tenths of the time are over"
        );
        begun + self.finish()
    }

    /// Replies until nothing is asked any more.
    fn finish(&mut self) -> Duration {
        let mut taken = Duration::ZERO;
        while self.waiting > 0 {
            self.reply();
            let started_at = ProcessorTime::now();
            self.receive();
            self.send();
            taken += ProcessorTime::now() - started_at;
        }
        taken
    }

    fn send(&mut self) {
        self.waiting = 0;
        while let Some(buffer) = self.requests.get_mut(self.waiting) {
            if self.registrant.poll_transmit(buffer).is_none() {
                break;
            }
            self.waiting += 1;
        }
    }

    fn reply(&mut self) {
        for (request, reply) in self.requests.iter().zip(&mut self.replies).take(self.waiting) {
            self.registrar.reply(request, reply);
        }
    }

    fn receive(&mut self) {
        for bytes in self.replies.iter().take(self.waiting) {
            self.registrant.handle_input(self.now, self.registrar.received(bytes));
        }
        self.drain();
    }

    /// Takes what there is to tell.
    fn drain(&mut self) {
        while let Some((_, event)) = self.registrant.poll_event() {
            match event {
                Event::Attempt(attempt) => {
                    assert_eq!(attempt.ending, Ending::Succeeded);
                    self.succeeded += 1;
                }
                Event::Changed(_) | Event::Request(_) | Event::Removed => {}
            }
        }
    }
}
