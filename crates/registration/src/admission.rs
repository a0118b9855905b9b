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

    /// What each of several registrants may do so that all of them together keep to these bounds: the parts add up to the whole, and the
    /// first ones get what does not divide evenly. There are `shards` of them, or fewer: no more than exchanges may be under way at once,
    /// and no more than may start at once where there is a pace, because a registrant that may start nothing would leave its
    /// registrations waiting for ever. So a pace of [`Self::paced`] has a part for each 50 starts a second, and one in any case.
    #[must_use]
    pub fn dealt(self, shards: NonZeroU32) -> Vec<Self> {
        let at_once = (!self.interval.is_zero()).then_some(self.burst);
        let parts = at_once.into_iter().chain(self.most_in_flight).fold(shards, NonZeroU32::min);
        let part = |whole: NonZeroU32, index: u32| {
            let more = u32::from(index < whole.get() % parts);
            // Nothing is divided by more than itself but a burst that no pace makes use of.
            NonZeroU32::new(whole.get() / parts + more).unwrap_or(NonZeroU32::MIN)
        };
        let deal = |index| Self {
            interval: self.interval.saturating_mul(parts.get()),
            burst: part(self.burst, index),
            most_in_flight: self.most_in_flight.map(|most| part(most, index)),
            jitter: self.jitter,
        };
        (0..parts.get()).map(deal).collect()
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
    use proptest::prelude::*;

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
    fn what_does_not_divide_evenly_goes_to_the_first() {
        let whole = Admission {
            most_in_flight: Some(number(10)),
            ..Admission::paced(number(1000), Duration::from_secs(1))
        };
        let parts = whole.dealt(number(4));
        assert!(parts.iter().all(|part| part.interval == Duration::from_millis(4)));
        assert_eq!(parts.iter().map(|part| part.burst.get()).collect::<Vec<_>>(), [5; 4]);
        let in_flight: Vec<_> = parts.iter().filter_map(|part| part.most_in_flight).map(NonZeroU32::get).collect();
        assert_eq!(in_flight, [3, 3, 2, 2]);
        assert_eq!(Admission::UNLIMITED.dealt(number(4)), [Admission::UNLIMITED; 4]);
    }

    proptest! {
        /// However small the bounds are and however many would share them: all together start as fast and as many as one would.
        #[test]
        fn the_parts_add_up_to_the_whole(interval in 0_u64..100, burst in 1_u32..40, most in 0_u32..40, shards in 1_u32..40) {
            let whole = Admission {
                interval: Duration::from_millis(interval),
                burst: number(burst),
                most_in_flight: NonZeroU32::new(most),
                jitter: Duration::from_secs(1),
            };
            let parts = whole.dealt(number(shards));
            let count = u32::try_from(parts.len()).unwrap();
            prop_assert!((1..=shards).contains(&count));
            prop_assert!(parts.iter().all(|part| part.interval == whole.interval * count && part.jitter == whole.jitter));
            if interval > 0 {
                prop_assert_eq!(parts.iter().map(|part| part.burst.get()).sum::<u32>(), burst);
            }
            prop_assert_eq!(parts.iter().filter_map(|part| part.most_in_flight).map(NonZeroU32::get).sum::<u32>(), most);
            // Nobody is left out who could have had a part.
            let bounds = [(interval > 0).then_some(burst), (most > 0).then_some(most), Some(shards)];
            prop_assert_eq!(Some(count), bounds.into_iter().flatten().min());
        }
    }
}
