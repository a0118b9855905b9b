//! How often something may happen: the generic cell rate algorithm, which is a token bucket that keeps one instant. For what the other
//! side can make us do, and for the pace of what we start.

use std::time::{Duration, Instant};

/// Lets so many through at once and one more every interval.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowance {
    /// When everything that was let through is made up for.
    even_at: Option<Instant>,
}

impl Allowance {
    /// Lets one through, or not: true as long as what was let through is made up for within `horizon`, at one each `interval`.
    pub(crate) fn take(&mut self, now: Instant, interval: Duration, horizon: Duration) -> bool {
        let since = self.even_at.map_or(now, |even_at| even_at.max(now));
        let Some(even_at) = since
            .checked_add(interval)
            .filter(|even_at| even_at.saturating_duration_since(now) <= horizon)
        else {
            return false;
        };
        self.even_at = Some(even_at);
        true
    }

    /// When everything that was let through is made up for, so that it is as if nothing had been.
    pub(crate) const fn even_at(&self) -> Option<Instant> {
        self.even_at
    }

    /// From when on [`Self::take`] lets the next one through; `now` when it does already.
    pub(crate) fn ready_at(&self, now: Instant, interval: Duration, horizon: Duration) -> Instant {
        let ready_at = self.even_at.and_then(|even_at| (even_at + interval).checked_sub(horizon));
        ready_at.map_or(now, |ready_at| ready_at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::origin;

    #[test]
    fn a_burst_goes_through_at_once_and_then_one_each_interval() {
        let (mut allowance, interval) = (Allowance::default(), Duration::from_millis(250));
        let start = origin();
        let mut through = |at: u64, tries: usize| {
            let now = start + Duration::from_millis(at);
            (0..tries).filter(|_| allowance.take(now, interval, interval * 4)).count()
        };
        assert_eq!(through(0, 100), 4);
        assert_eq!(through(249, 100), 0);
        assert_eq!(through(250, 100), 1);
        assert_eq!(through(1000, 100), 3);
        assert_eq!(through(1_000_000, 100), 4);
    }

    #[test]
    fn the_next_one_goes_through_when_it_is_said_to_and_not_before() {
        let (mut allowance, interval) = (Allowance::default(), Duration::from_millis(250));
        let now = origin();
        for burst in [1, 4] {
            let horizon = interval * burst;
            while allowance.take(now, interval, horizon) {}
            let ready_at = allowance.ready_at(now, interval, horizon);
            assert_eq!(ready_at, now + interval);
            assert!(!allowance.clone().take(ready_at - Duration::from_nanos(1), interval, horizon));
            assert!(allowance.clone().take(ready_at, interval, horizon));
            assert_eq!(allowance.ready_at(ready_at, interval, horizon), ready_at);
        }
    }
}
