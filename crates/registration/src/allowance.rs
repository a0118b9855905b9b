//! How often something may happen: the generic cell rate algorithm, which is a token bucket that keeps one instant. For what the other
//! side can make us do.

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
}
