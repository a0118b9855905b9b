//! A registration that is kept allocates nothing: ten thousand refreshes, each drained of everything that it puts out. In a test
//! program of its own, because it counts every allocation.

mod registrar;

use std::sync::Arc;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use registrar::{GRANTED, Registrar, account};
use sip_registration::{Ending, Event, Policy, Registrant};

const REGISTRATIONS: usize = 100;
const CYCLES: usize = 10_000;

/// Registrations on one flow, and their time.
struct Line {
    registrant: Registrant,
    registrar: Registrar,
    now: Instant,
    request: Vec<u8>,
    reply: Vec<u8>,
    succeeded: usize,
}

impl Line {
    fn registered() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a moment to count from; its value does not matter")]
        let now = Instant::now();
        let mut registrant = Registrant::new([7; 32], Policy::default());
        for user in 0..REGISTRATIONS {
            let key = registrant.add(now, Arc::new(account(user)));
            registrant.register(now, key);
        }
        let mut line = Self {
            registrar: Registrar::reached_by(&mut registrant, now),
            registrant,
            now,
            request: Vec::with_capacity(2048),
            reply: Vec::with_capacity(2048),
            succeeded: 0,
        };
        line.answer_all();
        assert_eq!(line.succeeded, REGISTRATIONS);
        line
    }

    /// Goes from deadline to deadline until so many exchanges more have succeeded.
    fn run(&mut self, exchanges: usize) {
        let until = self.succeeded + exchanges;
        while self.succeeded < until {
            self.now = self.registrant.poll_timeout().expect("a kept registration has a deadline");
            self.registrant.handle_timeout(self.now);
            self.answer_all();
        }
    }

    /// Answers each request and takes everything that comes out.
    fn answer_all(&mut self) {
        while self.registrant.poll_transmit(&mut self.request).is_some() {
            self.registrar.reply(&self.request, &mut self.reply);
            self.registrant.handle_input(self.now, self.registrar.received(&self.reply));
        }
        assert_eq!(self.registrant.poll_action(), None);
        while let Some((_, event)) = self.registrant.poll_event() {
            match event {
                Event::Attempt(attempt) => {
                    assert_eq!(attempt.ending, Ending::Succeeded);
                    self.succeeded += 1;
                    self.registrant.recycle(attempt);
                }
                Event::Changed(_) | Event::Request(_) | Event::Removed => {}
            }
        }
    }
}

#[test]
fn ten_thousand_refreshes_allocate_nothing() {
    let mut line = Line::registered();
    // Buffers grow to their size in the first rounds.
    line.run(2 * REGISTRATIONS);
    let began_at = line.now;
    let allocated = measure(|| line.run(CYCLES));
    assert_eq!((allocated.count_total, allocated.bytes_current), (0, 0), "{allocated:?}");
    // They were refreshes, each when at least half and at most nine tenths of the granted time were over, not one exchange after another.
    let rounds = u32::try_from(CYCLES / REGISTRATIONS).unwrap();
    let granted = Duration::from_secs(GRANTED.into());
    let taken = line.now - began_at;
    assert!(
        taken > (rounds - 1) * granted / 2 && taken < (rounds + 1) * granted * 9 / 10,
        "{taken:?}"
    );
}

#[test]
fn the_count_would_show_an_allocation() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1_u8]))).count_total, 1);
}
