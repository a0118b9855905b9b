//! How fast rows begin in all (`--rate`). What each registrar is given is the core's business.

use std::time::{Duration, Instant};

/// A pace, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// From one row to the next; zero for no pace.
    interval: Duration,
    next_at: Instant,
}

impl Pace {
    /// One row each `interval`.
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self { interval, next_at: now }
    }

    /// When the next row may begin.
    pub(super) const fn next_at(&self) -> Instant {
        self.next_at
    }

    /// A row began. Who was kept from beginning for a moment makes up for that moment, and for no more.
    pub(super) fn begun(&mut self, now: Instant) {
        let earliest = now.checked_sub(LATE).unwrap_or(now);
        self.next_at = self.next_at.max(earliest) + self.interval;
    }
}

/// How late a row may begin without making the next ones later.
const LATE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn begun_within(pace: &mut Pace, from: Instant, until: Instant) -> usize {
        let mut begun = 0;
        while pace.next_at() <= until && begun < 10_000 {
            let now = pace.next_at().max(from);
            pace.begun(now);
            begun += 1;
        }
        begun
    }

    #[test]
    fn a_second_has_as_many_rows_as_were_asked_for() {
        let start = Instant::now();
        let mut pace = Pace::new(Duration::from_millis(2), start);
        assert_eq!(begun_within(&mut pace, start, start + Duration::from_millis(999)), 500);
    }

    #[test]
    fn a_long_pause_is_not_made_up_for_at_once() {
        let start = Instant::now();
        let mut pace = Pace::new(Duration::from_millis(2), start);
        pace.begun(start);
        let later = start + Duration::from_secs(60);
        assert_eq!(begun_within(&mut pace, later, later), 11);
    }

    #[test]
    fn without_an_interval_there_is_no_pace() {
        let start = Instant::now();
        let mut pace = Pace::new(Duration::ZERO, start);
        assert_eq!(begun_within(&mut pace, start, start), 10_000);
    }
}
