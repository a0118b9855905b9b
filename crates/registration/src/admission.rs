//! How fast, and how many at once, exchanges may start at one registrar. Values only: who waits and who goes is decided in `gates`.

pub(crate) mod gates;

use std::num::NonZeroU32;
use std::time::Duration;

/// The bounds on the exchanges that a registrant starts at one registrar, so that neither an order for everybody nor an outage makes it
/// a flood.
///
/// A registrar is a next hop: the outbound proxy, or else the registrar's URI, by host, port and transport. Whatever starts an exchange
/// keeps to the bounds: orders, refreshes, retries, reconnects. Who has to wait keeps the state that it had
/// ([`crate::Status::waits_for_admission`]) and starts in this order:
///
/// 1. Removals, in the order in which they were asked for: whoever leaves is in a hurry.
/// 2. Registrations that hold a binding, the one that ends first before the others: what is there is kept before more is made.
/// 3. All others, in the order in which they were asked for.
///
/// A pace that is too small for the bindings that it has to keep cannot keep them. Each that ends while its refresh waits is told as
/// [`crate::Event::Changed`] and counted ([`crate::Counters::lapsed_waiting`]).
///
/// The default bounds nothing and puts nothing off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// The time between two starts at a steady pace; zero for no pace.
    pub interval: Duration,
    /// How many may start at once when none has started for a while. A caller that wakes up late loses no start as long as `burst`
    /// intervals are longer than it is late.
    pub burst: NonZeroU32,
    /// How many exchanges may be under way at once; `None` for any number.
    pub most_in_flight: Option<NonZeroU32>,
    /// An order waits a random part of this before it asks to start. Removals do not; refreshes and retries have a spread of their own.
    pub jitter: Duration,
}

/// How late a caller may wake up without losing starts of [`Admission::paced`].
const LATE: Duration = Duration::from_millis(20);

impl Admission {
    /// No bound and no jitter.
    pub const UNLIMITED: Self = Self {
        interval: Duration::ZERO,
        burst: NonZeroU32::MIN,
        most_in_flight: None,
        jitter: Duration::ZERO,
    };

    /// So many starts each `time`, evenly; as many as fall into 20 ms, and one at least, may come at once.
    #[must_use]
    pub fn paced(starts: NonZeroU32, time: Duration) -> Self {
        let interval = time / starts.get();
        let burst = LATE.as_nanos().checked_div(interval.as_nanos()).unwrap_or(0);
        Self {
            interval,
            burst: NonZeroU32::new(u32::try_from(burst).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN),
            ..Self::UNLIMITED
        }
    }

    /// What each of `shards` registrants may do so that all of them together keep to these bounds. One start at once and one exchange
    /// under way is the least, so that more shards than that exceed them.
    #[must_use]
    pub fn divided_by(self, shards: NonZeroU32) -> Self {
        let part = |whole: NonZeroU32| NonZeroU32::new(whole.get() / shards).unwrap_or(NonZeroU32::MIN);
        Self {
            interval: self.interval.saturating_mul(shards.get()),
            burst: part(self.burst),
            most_in_flight: self.most_in_flight.map(part),
            jitter: self.jitter,
        }
    }

    /// Whether anybody may ever have to wait for others.
    pub(crate) const fn is_limited(&self) -> bool {
        !self.interval.is_zero() || self.most_in_flight.is_some()
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self::UNLIMITED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn a_pace_allows_at_once_what_falls_into_a_late_wake_up() {
        let fast = Admission::paced(number(20_000), Duration::from_secs(1));
        assert_eq!((fast.interval, fast.burst), (Duration::from_micros(50), number(400)));
        let slow = Admission::paced(number(30), Duration::from_secs(60));
        assert_eq!((slow.interval, slow.burst), (Duration::from_secs(2), number(1)));
        assert!(slow.is_limited() && !Admission::default().is_limited());
    }

    #[test]
    fn the_parts_of_a_bound_never_exceed_it_while_there_is_one_for_each() {
        let whole = Admission {
            most_in_flight: Some(number(10)),
            ..Admission::paced(number(1000), Duration::from_secs(1))
        };
        let part = whole.divided_by(number(4));
        assert_eq!(part.interval, Duration::from_millis(4));
        assert_eq!((part.burst, part.most_in_flight), (number(5), Some(number(2))));
        let least = whole.divided_by(number(64));
        assert_eq!((least.burst, least.most_in_flight), (number(1), Some(number(1))));
    }
}
