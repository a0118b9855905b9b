//! One moment by both clocks: the monotonic one that durations are counted by, and the wall clock that people read. No clock of its own.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// One moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// By the monotonic clock.
    pub(crate) at: Instant,
    /// By the wall clock.
    pub(crate) wall: Timestamp,
}

impl Moment {
    /// This moment.
    pub(crate) fn now() -> Self {
        Self {
            at: Instant::now(),
            wall: Timestamp::now(),
        }
    }

    /// What the wall clock shows at another moment, if it is not set in between; whole milliseconds.
    pub(crate) fn wall_at(&self, other: Instant) -> Timestamp {
        let signed = |duration: Duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let shown = if other >= self.at {
            self.wall.checked_add(signed(other - self.at)).unwrap_or(Timestamp::MAX)
        } else {
            self.wall.checked_sub(signed(self.at - other)).unwrap_or(Timestamp::MIN)
        };
        Timestamp::from_millisecond(shown.as_millisecond()).unwrap_or(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_goes_along_both_ways() {
        let moment = Moment {
            at: Instant::now(),
            wall: "2026-01-31T09:00:00.5Z".parse().unwrap(),
        };
        let second = Duration::from_secs(1);
        assert_eq!(moment.wall_at(moment.at + second).to_string(), "2026-01-31T09:00:01.5Z");
        assert_eq!(moment.wall_at(moment.at - second).to_string(), "2026-01-31T08:59:59.5Z");
    }
}
