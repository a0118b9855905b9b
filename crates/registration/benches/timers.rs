//! What a refresh costs in deadlines, at a thousand, a hundred thousand and a million registrations: the next deadline is looked up and
//! its registration taken out, set to a retransmission in half a second, and moved to the next refresh when the reply is there. Beside
//! the structure of the core, which is included as it is, stand those that were not chosen.
//! `cargo bench -p sip-registration --bench timers`.

#[path = "../src/timers/heap.rs"]
mod heap;
#[path = "timers/lazy.rs"]
mod lazy;
#[path = "../../../benches/processor_time/mod.rs"]
mod processor_time;
#[path = "timers/tree.rs"]
mod tree;
#[path = "timers/wheel.rs"]
mod wheel;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use processor_time::ProcessorTime;

/// The core's key, for its timers to be included without the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// RFC 3261 §17.1.1.1.
const T1: Duration = Duration::from_millis(500);
/// How many requests are out before the first of them has its reply: a round trip of some ten milliseconds at a million.
const IN_FLIGHT: usize = 16;

/// The four structures, behind what the core asks of its timers.
trait Timers {
    fn set(&mut self, key: Key, at: Option<Instant>);
    fn next(&mut self) -> Option<Instant>;
    fn pop_expired(&mut self, now: Instant) -> Option<Key>;
}

macro_rules! timers {
    ($($structure:ty),*) => {$(
        impl Timers for $structure {
            fn set(&mut self, key: Key, at: Option<Instant>) {
                self.set(key, at);
            }

            fn next(&mut self) -> Option<Instant> {
                <$structure>::next(self)
            }

            fn pop_expired(&mut self, now: Instant) -> Option<Key> {
                self.pop_expired(now)
            }
        }
    )*};
}

timers!(heap::Timers, lazy::Lazy, tree::Tree, wheel::Wheel);

/// Registrations that are refreshed after 50 to 90 per cent of an hour.
struct Hour<T> {
    timers: T,
    now: Instant,
    in_flight: VecDeque<Key>,
    drawn: u64,
}

impl<T: Timers> Hour<T> {
    fn begin(began: Instant, timers: T, registrations: u32) -> Self {
        let mut hour = Self {
            timers,
            now: began,
            in_flight: VecDeque::with_capacity(IN_FLIGHT + 1),
            drawn: 1,
        };
        for index in 0..registrations {
            hour.confirm(Key { index, generation: 0 });
        }
        // Past the first hour, in which everybody began at once.
        for _ in 0..2 * registrations {
            hour.refresh();
        }
        hour
    }

    /// Goes to the next deadline and refreshes who is due.
    fn refresh(&mut self) {
        let key = loop {
            self.now = self.now.max(self.timers.next().expect("everybody has a deadline"));
            if let Some(key) = self.timers.pop_expired(self.now) {
                break key;
            }
        };
        self.timers.set(key, Some(self.now + T1));
        self.in_flight.push_back(key);
        if self.in_flight.len() > IN_FLIGHT
            && let Some(key) = self.in_flight.pop_front()
        {
            self.confirm(key);
        }
    }

    fn confirm(&mut self, key: Key) {
        // xorshift: a draw that costs next to nothing.
        self.drawn ^= self.drawn << 13;
        self.drawn ^= self.drawn >> 7;
        self.drawn ^= self.drawn << 17;
        let wait = Duration::from_secs(1800) + Duration::from_nanos(self.drawn % 1_440_000_000_000);
        self.timers.set(key, Some(self.now + wait));
    }
}

fn measure<T: Timers>(criterion: &mut Criterion<ProcessorTime>, name: &str, registrations: u32, began: Instant, timers: T) {
    let mut hour = Hour::begin(began, timers, registrations);
    criterion.bench_function(&format!("timers per refresh, {registrations}: {name}"), |bencher| {
        bencher.iter(|| hour.refresh());
    });
}

fn timers(criterion: &mut Criterion<ProcessorTime>) {
    #[expect(clippy::disallowed_methods, reason = "a moment to count from; its value does not matter")]
    let began = Instant::now();
    for registrations in [1_000, 100_000, 1_000_000] {
        measure(criterion, "heap", registrations, began, heap::Timers::default());
        measure(criterion, "lazy heap", registrations, began, lazy::Lazy::default());
        measure(criterion, "tree", registrations, began, tree::Tree::default());
        measure(criterion, "wheel", registrations, began, wheel::Wheel::new(began));
    }
}

criterion_group!(name = benches; config = processor_time::criterion(); targets = timers);
criterion_main!(benches);
