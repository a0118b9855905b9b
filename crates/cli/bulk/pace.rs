//! How fast rows begin in all (`--rate`), and how many of them at once. What each registrar is given is the core's business.
//!
//! Rows begin in bundles, so that each system call carries many messages: as soon as a bundle is full, or else some milliseconds after
//! the one before it. A row that comes alone does not wait.

use std::time::{Duration, Instant};

/// A pace, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// From one row to the next; zero for no pace.
    interval: Duration,
    next_at: Instant,
    /// When the next bundle goes out, if it is not full before.
    bundle_at: Instant,
}

impl Pace {
    /// One row each `interval`.
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            next_at: now,
            bundle_at: now,
        }
    }

    /// When rows may begin that wait for others to go with them.
    pub(super) fn next_at(&self) -> Instant {
        self.next_at.max(self.bundle_at)
    }

    /// How many rows may begin now, when there is `room` for so many and so many are `full` enough for a bundle.
    pub(super) fn bundle(&self, now: Instant, room: usize, full: usize) -> usize {
        let count = self.due(now).min(room).min(LARGEST);
        if now >= self.bundle_at || count >= full.min(LARGEST) {
            count
        } else {
            0
        }
    }

    /// How many rows are due by the pace alone.
    fn due(&self, now: Instant) -> usize {
        if now < self.next_at {
            return 0;
        }
        let late = now.duration_since(self.next_at).min(LATE).as_nanos();
        let more = late.checked_div(self.interval.as_nanos()).unwrap_or(u128::MAX);
        usize::try_from(more).unwrap_or(usize::MAX).saturating_add(1)
    }

    /// A row began. Who was kept from beginning for a moment makes up for that moment, and for no more.
    pub(super) fn begun(&mut self, now: Instant) {
        let earliest = now.checked_sub(LATE).unwrap_or(now);
        self.next_at = self.next_at.max(earliest) + self.interval;
        self.bundle_at = now + APART;
    }
}

/// How late a row may begin without making the next ones later.
const LATE: Duration = Duration::from_millis(20);
/// From one bundle to the next, unless that one is full before.
const APART: Duration = Duration::from_millis(2);
/// The most rows of a bundle: the kernel takes no more datagrams at once.
const LARGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn begun_within(pace: &mut Pace, from: Instant, until: Instant) -> usize {
        let mut begun = 0;
        while pace.next_at() <= until && begun < 10_000 {
            let now = pace.next_at().max(from);
            let bundle = pace.bundle(now, usize::MAX, usize::MAX);
            assert!((1..=LARGEST).contains(&bundle), "{bundle}");
            (0..bundle).for_each(|_| pace.begun(now));
            begun += bundle;
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
    fn without_an_interval_only_room_bounds_a_bundle() {
        let start = Instant::now();
        let mut pace = Pace::new(Duration::ZERO, start);
        assert_eq!(pace.bundle(start, 17, 20), 17);
        assert_eq!(pace.bundle(start, 10_000, 20), LARGEST);
        pace.begun(start);
        assert_eq!(pace.bundle(start, 19, 20), 0, "it waits for one more");
        assert_eq!(pace.bundle(start, 20, 20), 20);
        assert_eq!(pace.bundle(start, 10_000, 10_000), LARGEST, "no bundle is fuller");
        assert_eq!(pace.bundle(pace.next_at(), 19, 20), 19, "or goes without it");
    }

    #[test]
    fn rows_at_a_high_rate_go_some_milliseconds_worth_at_a_time() {
        let start = Instant::now();
        let mut pace = Pace::new(Duration::from_micros(50), start);
        assert_eq!(pace.bundle(start, usize::MAX, usize::MAX), 1, "the first does not wait");
        pace.begun(start);
        let next = pace.next_at();
        assert_eq!(next, start + APART);
        assert_eq!(pace.bundle(start + APART / 2, usize::MAX, usize::MAX), 0);
        assert_eq!(pace.bundle(next, usize::MAX, usize::MAX), 40);
    }

    #[test]
    fn rows_at_a_low_rate_begin_when_they_are_due() {
        let start = Instant::now();
        let mut pace = Pace::new(Duration::from_millis(50), start);
        pace.begun(start);
        assert_eq!(pace.next_at(), start + Duration::from_millis(50));
        assert_eq!(pace.bundle(start + Duration::from_millis(49), 9, 1), 0);
        assert_eq!(pace.bundle(pace.next_at(), 9, 1), 1);
    }
}
