//! What one shard counted, and how the counts of several become one. Recording costs two histogram entries a registration and
//! nothing else; words are made of it in `report`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use sip_registration::Cause;

/// Everything that was counted.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    /// Orders that fell due.
    pub(crate) offered: u64,
    /// Orders that were given.
    pub(crate) given: u64,
    /// Those of them that had to wait for a free user or for an open exchange to end.
    pub(crate) held_back: u64,
    /// Ordered registrations that were confirmed.
    pub(crate) registered: u64,
    /// Tries that failed.
    pub(crate) failed: u64,
    /// Ordered exchanges that had no end when the time was over, or when Ctrl-C came.
    pub(crate) unfinished: u64,
    /// Why tries failed, with the SIP code of the last reply.
    pub(crate) causes: BTreeMap<(Cause, Option<u16>), u64>,
    /// Requests, retransmissions not counted.
    pub(crate) requests: u64,
    /// Requests sent again.
    pub(crate) retransmissions: u64,
    /// From when each registration was sent to its end.
    pub(crate) service: Latency,
    /// The parts of the time, by when an order fell due.
    pub(crate) slices: Vec<Slice>,
    /// What became of kept registrations.
    pub(crate) keeping: Keeping,
    /// From the beginning of a storm to the moment that a user was back.
    pub(crate) back: Latency,
    /// How the bindings were removed.
    pub(crate) removal: Removal,
    /// From the beginning to the last confirmation of an ordered registration.
    pub(crate) confirmed_by: Duration,
    /// From the beginning to the end of the registrations.
    pub(crate) took: Duration,
}

/// One part of the time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slice {
    /// Orders given.
    pub(crate) given: u64,
    /// Confirmed.
    pub(crate) registered: u64,
    /// Failed.
    pub(crate) failed: u64,
    /// Requests sent again.
    pub(crate) retransmissions: u64,
    /// From when a registration was due to its end.
    pub(crate) latency: Latency,
}

/// What became of registrations that were kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keeping {
    /// Refreshes that were confirmed, in windows of [`Keeping::WINDOW`].
    pub(crate) refreshes: Vec<u64>,
    /// Bindings that ran out before they were refreshed.
    pub(crate) lapses: u64,
    /// Bindings that stood at the end.
    pub(crate) held: u64,
    /// The longest time that a binding was granted for.
    pub(crate) granted: Duration,
    /// How long refreshes took.
    pub(crate) service: Latency,
}

/// How bindings were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Removal {
    /// Bindings that were there, or may have been.
    pub(crate) bound: u64,
    /// Confirmed to be gone.
    pub(crate) removed: u64,
    /// Tried in vain.
    pub(crate) failed: u64,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Keeping {
    /// How long one window is.
    pub(crate) const WINDOW: Duration = Duration::from_secs(10);

    /// Counts a refresh at this moment after the start.
    pub(crate) fn refreshed(&mut self, at: Duration, took: Duration) {
        let window = usize::try_from(at.as_secs() / Self::WINDOW.as_secs()).unwrap_or_default();
        if self.refreshes.len() <= window {
            self.refreshes.resize(window + 1, 0);
        }
        if let Some(count) = self.refreshes.get_mut(window) {
            *count += 1;
        }
        self.service.record(took);
    }

    /// The refreshes of the whole windows between two moments after the start.
    pub(crate) fn between(&self, from: Duration, to: Duration) -> &[u64] {
        let window = Self::WINDOW.as_millis();
        let place = |windows: u128| usize::try_from(windows).unwrap_or(usize::MAX);
        let first = place(from.as_millis().div_ceil(window));
        let end = place(to.as_millis() / window).min(self.refreshes.len());
        self.refreshes.get(first..end).unwrap_or_default()
    }
}

impl Tally {
    /// Nothing yet, for a time in so many parts.
    pub(crate) fn new(slices: usize) -> Self {
        Self {
            offered: 0,
            given: 0,
            held_back: 0,
            registered: 0,
            failed: 0,
            unfinished: 0,
            causes: BTreeMap::new(),
            requests: 0,
            retransmissions: 0,
            service: Latency::default(),
            slices: vec![Slice::default(); slices.max(1)],
            keeping: Keeping::default(),
            back: Latency::default(),
            removal: Removal::default(),
            confirmed_by: Duration::ZERO,
            took: Duration::ZERO,
        }
    }

    /// Counts a try that failed.
    pub(crate) fn failed(&mut self, cause: Cause, code: Option<u16>) {
        self.failed += 1;
        *self.causes.entry((cause, code)).or_default() += 1;
    }

    /// From when each registration was due to its end, all parts of the time together.
    pub(crate) fn latency(&self) -> Latency {
        let mut all = Latency::default();
        self.slices.iter().for_each(|slice| all.join(&slice.latency));
        all
    }

    /// Adds what another shard counted.
    pub(crate) fn join(&mut self, other: Self) {
        self.offered += other.offered;
        self.given += other.given;
        self.held_back += other.held_back;
        self.registered += other.registered;
        self.failed += other.failed;
        self.unfinished += other.unfinished;
        for (cause, count) in other.causes {
            *self.causes.entry(cause).or_default() += count;
        }
        self.requests += other.requests;
        self.retransmissions += other.retransmissions;
        self.service.join(&other.service);
        for (mine, others) in self.slices.iter_mut().zip(&other.slices) {
            mine.join(others);
        }
        self.keeping.join(&other.keeping);
        self.back.join(&other.back);
        self.removal = Removal {
            bound: self.removal.bound + other.removal.bound,
            removed: self.removal.removed + other.removal.removed,
            failed: self.removal.failed + other.removal.failed,
            took: self.removal.took.max(other.removal.took),
        };
        self.confirmed_by = self.confirmed_by.max(other.confirmed_by);
        self.took = self.took.max(other.took);
    }
}

impl Slice {
    fn join(&mut self, other: &Self) {
        self.given += other.given;
        self.registered += other.registered;
        self.failed += other.failed;
        self.retransmissions += other.retransmissions;
        self.latency.join(&other.latency);
    }
}

impl Keeping {
    fn join(&mut self, other: &Self) {
        if self.refreshes.len() < other.refreshes.len() {
            self.refreshes.resize(other.refreshes.len(), 0);
        }
        for (mine, others) in self.refreshes.iter_mut().zip(&other.refreshes) {
            *mine += others;
        }
        self.lapses += other.lapses;
        self.held += other.held;
        self.granted = self.granted.max(other.granted);
        self.service.join(&other.service);
    }
}

/// How long things took, in microseconds with three digits.
#[derive(Debug, Clone)]
pub(crate) struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        Self(Histogram::new(3).expect("three digits are allowed"))
    }
}

impl Latency {
    /// Counts a time, at most an hour.
    pub(crate) fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).min(HOUR);
        // It grows as far as this value needs.
        let _ = self.0.record(micros.max(1));
    }

    /// Counts the time from one moment to another.
    pub(crate) fn record_between(&mut self, from: Instant, to: Instant) {
        self.record(to.saturating_duration_since(from));
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that this share of all, from 0 to 1, did not exceed; `None` when there are none.
    pub(crate) fn quantile(&self, share: f64) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.value_at_quantile(share)))
    }

    /// The time within which so many of them were through; `None` when there are fewer.
    pub(crate) fn until(&self, count: u64) -> Option<Duration> {
        if count == 0 || count > self.count() {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let share = count as f64 / self.count() as f64;
        self.quantile(share)
    }

    /// The longest.
    pub(crate) fn longest(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.max()))
    }

    fn join(&mut self, other: &Self) {
        self.0.add(&other.0).expect("a histogram that may grow takes everything");
    }
}

/// An hour in microseconds: no exchange takes so long.
const HOUR: u64 = 3_600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn latency(millis: impl IntoIterator<Item = u32>) -> Latency {
        let mut latency = Latency::default();
        millis.into_iter().for_each(|millis| latency.record(millis * MS));
        latency
    }

    /// Three digits are kept.
    fn near(found: Option<Duration>, millis: u32) -> bool {
        found.is_some_and(|found| found.abs_diff(millis * MS) <= millis * MS / 500)
    }

    #[test]
    fn percentiles_are_those_of_everything_recorded() {
        let all = latency(1..=1000);
        assert!(near(all.quantile(0.5), 500) && near(all.quantile(0.99), 990) && near(all.longest(), 1000));
        assert!(near(all.until(1), 1) && near(all.until(900), 900) && near(all.until(1000), 1000));
        assert_eq!((all.until(0), all.until(1001)), (None, None));
        assert_eq!((Latency::default().quantile(0.5), Latency::default().longest()), (None, None));
        let mut extreme = latency([]);
        extreme.record(Duration::MAX);
        extreme.record(Duration::ZERO);
        assert_eq!(extreme.count(), 2);
    }

    #[test]
    fn the_counts_of_shards_add_up() {
        let shard = |millis: u32| {
            let mut tally = Tally::new(2);
            (tally.offered, tally.given, tally.registered) = (10, 9, 8);
            tally.failed(Cause::NoReply, None);
            tally.failed(Cause::Rejected, Some(480 + u16::try_from(millis).unwrap()));
            tally.slices[1].latency.record(millis * MS);
            tally.slices[1].registered += 1;
            tally.keeping.refreshed(millis * 10_000 * MS, MS);
            tally.removal.bound = 3;
            tally.removal.took = millis * MS;
            (tally.took, tally.confirmed_by) = (millis * MS, millis * MS);
            tally
        };
        let mut all = shard(1);
        all.join(shard(2));
        assert_eq!((all.offered, all.given, all.registered, all.failed), (20, 18, 16, 4));
        assert_eq!(all.causes.values().copied().collect::<Vec<_>>(), [2, 1, 1]);
        assert_eq!((all.latency().count(), all.slices[1].registered), (2, 2));
        assert_eq!(all.keeping.refreshes, [0, 1, 1]);
        assert_eq!(
            (all.removal.bound, all.removal.took, all.took, all.confirmed_by),
            (6, 2 * MS, 2 * MS, 2 * MS)
        );
    }

    #[test]
    fn only_whole_windows_count_as_steady() {
        let mut keeping = Keeping::default();
        for window in 0..6_u32 {
            (0..=window).for_each(|_| keeping.refreshed(Duration::from_secs((window * 10).into()), MS));
        }
        let seconds = Duration::from_secs;
        assert_eq!(keeping.between(seconds(15), seconds(55)), [3, 4, 5]);
        assert_eq!(keeping.between(seconds(0), seconds(60)), [1, 2, 3, 4, 5, 6]);
        assert_eq!(keeping.between(seconds(0), seconds(600)).len(), 6);
        assert!(keeping.between(seconds(40), seconds(45)).is_empty() && keeping.between(seconds(90), seconds(600)).is_empty());
    }
}
