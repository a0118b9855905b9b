//! When each order of a load is due, counted from its start. Open loop: a slow registrar changes nothing about it. Pure; who gives
//! the orders is `engine`'s business.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::values::Rate;

/// How many orders fall due, and when.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    shape: Shape,
    /// From the first order to the end of all.
    duration: Duration,
    /// There are no more orders than this.
    most: u64,
}

/// How the rate changes over time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// It does not.
    Constant(Rate),
    /// Evenly from one to another.
    Linear(Rate, Rate),
    /// Each for an equal part of the time.
    Steps(Vec<Rate>),
    /// All at once, or each at a moment drawn from this span.
    AtOnce(Duration),
}

impl Schedule {
    /// Orders of this shape for so long, at most so many.
    pub(crate) const fn new(shape: Shape, duration: Duration, most: u64) -> Self {
        Self { shape, duration, most }
    }

    /// From the first order to the end of all.
    pub(crate) const fn duration(&self) -> Duration {
        self.duration
    }

    /// The time within which orders fall due.
    pub(crate) fn span(&self) -> Duration {
        match &self.shape {
            Shape::Constant(rate) => {
                let needed = whole_as_float(self.total()) / rate.per_second();
                Duration::try_from_secs_f64(needed).map_or(self.duration, |needed| needed.min(self.duration))
            }
            Shape::Linear(..) | Shape::Steps(_) => self.duration,
            Shape::AtOnce(jitter) => *jitter,
        }
    }

    /// The time within which the first tries of a storm are spread.
    pub(crate) const fn jitter(&self) -> Duration {
        match &self.shape {
            Shape::AtOnce(jitter) => *jitter,
            Shape::Constant(_) | Shape::Linear(..) | Shape::Steps(_) => Duration::ZERO,
        }
    }

    /// How many orders fall due.
    pub(crate) fn total(&self) -> u64 {
        self.until(self.duration).min(self.most)
    }

    /// How many of the orders without limit fall due before this moment.
    fn until(&self, at: Duration) -> u64 {
        let seconds = at.as_secs_f64();
        let orders = match &self.shape {
            Shape::Constant(rate) => rate.per_second() * seconds,
            Shape::Linear(from, to) => {
                let growth = (to.per_second() - from.per_second()) / self.duration.as_secs_f64();
                (growth / 2.0).mul_add(seconds, from.per_second()) * seconds
            }
            Shape::Steps(rates) => {
                let step = self.step(rates.len());
                let parts = rates.iter().enumerate().map(|(at, rate)| {
                    let spent = (seconds - step * as_float(at)).clamp(0.0, step);
                    rate.per_second() * spent
                });
                parts.sum()
            }
            Shape::AtOnce(_) => return self.most,
        };
        // Rounding may not add an order at the very end.
        whole((orders - 1e-6).ceil())
    }

    /// The length of one step, in seconds.
    fn step(&self, steps: usize) -> f64 {
        self.duration.as_secs_f64() / as_float(steps)
    }

    /// When order `number` falls due.
    fn due(&self, number: u64) -> Duration {
        let before = whole_as_float(number);
        let seconds = match &self.shape {
            Shape::Constant(rate) => before / rate.per_second(),
            Shape::Linear(from, to) => {
                let (from, to) = (from.per_second(), to.per_second());
                let growth = (to - from) / self.duration.as_secs_f64();
                // The root of `growth / 2 · t² + from · t = before`, in the form that stands a growth of 0.
                2.0 * before / (from + (2.0 * growth).mul_add(before, from * from).max(0.0).sqrt())
            }
            Shape::Steps(rates) => self.due_in_steps(rates, before),
            Shape::AtOnce(_) => 0.0,
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(self.duration)
    }

    fn due_in_steps(&self, rates: &[Rate], before: f64) -> f64 {
        let step = self.step(rates.len());
        let mut left = before;
        for (at, rate) in rates.iter().enumerate() {
            let within = rate.per_second() * step;
            if left < within {
                return step.mul_add(as_float(at), left / rate.per_second());
            }
            left -= within;
        }
        self.duration.as_secs_f64()
    }

    /// The moments of every `of`-th order, beginning with order `index`.
    pub(crate) fn dues(&self, index: usize, of: usize, seed: u64) -> Dues {
        let (index, of) = (index as u64, of.max(1) as u64);
        let count = self.total().saturating_sub(index).div_ceil(of);
        Dues {
            schedule: self.clone(),
            next: index,
            step: of,
            left: count,
            drawn: 0.0,
            rng: StdRng::seed_from_u64(seed.wrapping_add(index)),
        }
    }

    /// The parts of the time that are looked at one by one: steps as they are, anything else in ten.
    pub(crate) fn slices(&self) -> usize {
        match &self.shape {
            Shape::Steps(rates) => rates.len(),
            Shape::Constant(_) | Shape::Linear(..) => 10,
            Shape::AtOnce(_) => 1,
        }
    }
}

/// The moments at which the orders of one shard fall due; they never go backwards.
#[derive(Debug)]
pub(crate) struct Dues {
    schedule: Schedule,
    next: u64,
    step: u64,
    left: u64,
    /// How much of the jitter has gone by, from 0 to 1.
    drawn: f64,
    rng: StdRng,
}

impl Iterator for Dues {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.left == 0 {
            return None;
        }
        let due = match self.schedule.shape {
            Shape::AtOnce(jitter) => jitter.mul_f64(self.draw()),
            Shape::Constant(_) | Shape::Linear(..) | Shape::Steps(_) => self.schedule.due(self.next),
        };
        self.next += self.step;
        self.left -= 1;
        Some(due)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Dues {}

impl Dues {
    /// The next of the moments that would be drawn evenly from 0 to 1, in order: the smallest of the `left` that remain is a draw of
    /// its own.
    fn draw(&mut self) -> f64 {
        let uniform: f64 = self.rng.random();
        self.drawn = (1.0 - self.drawn).mul_add(1.0 - (1.0 - uniform).powf(whole_as_float(self.left).recip()), self.drawn);
        self.drawn.clamp(0.0, 1.0)
    }
}

/// Orders and seconds are far below 2⁵³, where a float stops counting.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
const fn whole_as_float(number: u64) -> f64 {
    number as f64
}

const fn as_float(number: usize) -> f64 {
    whole_as_float(number as u64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
const fn whole(number: f64) -> u64 {
    number.clamp(0.0, 1e15) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::rate;

    const SECOND: Duration = Duration::from_secs(1);

    fn per_second(count: u32) -> Rate {
        rate(&count.to_string()).unwrap()
    }

    fn all(schedule: &Schedule) -> Vec<Duration> {
        schedule.dues(0, 1, 7).collect()
    }

    fn within(dues: &[Duration], from: f64, to: f64) -> usize {
        dues.iter().filter(|due| (from..to).contains(&due.as_secs_f64())).count()
    }

    #[test]
    fn a_constant_rate_is_one_order_each_interval_from_the_first_moment_on() {
        let schedule = Schedule::new(Shape::Constant(per_second(4)), 2 * SECOND, u64::MAX);
        let millis: Vec<_> = all(&schedule).iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [0, 250, 500, 750, 1000, 1250, 1500, 1750]);
        let few = Schedule::new(Shape::Constant(per_second(4)), 2 * SECOND, 3);
        assert_eq!((few.total(), few.span()), (3, 3 * SECOND / 4));
        assert_eq!((schedule.span(), schedule.jitter()), (2 * SECOND, Duration::ZERO));
        let slow = Schedule::new(Shape::Constant(rate("1/h").unwrap()), SECOND, u64::MAX);
        assert_eq!(all(&slow), [Duration::ZERO]);
    }

    #[test]
    fn a_ramp_grows_and_falls_evenly() {
        for (from, to) in [(100, 900), (900, 100), (500, 500)] {
            let dues = all(&Schedule::new(
                Shape::Linear(per_second(from), per_second(to)),
                10 * SECOND,
                u64::MAX,
            ));
            assert_eq!(dues.len(), 5000);
            // In each second the mean of the rates at its two ends.
            for second in 0..10_u32 {
                let at = |second: f64| (f64::from(to) - f64::from(from)).mul_add(second / 10.0, f64::from(from));
                let expected = at(f64::from(second) + 0.5);
                let found = within(&dues, f64::from(second), f64::from(second) + 1.0);
                assert!((as_float(found) - expected).abs() <= 2.0, "{from}..{to}: {second}: {found}");
            }
        }
    }

    #[test]
    fn steps_last_equally_long() {
        let rates = [10, 100, 50].map(per_second).to_vec();
        let schedule = Schedule::new(Shape::Steps(rates), 3 * SECOND, u64::MAX);
        let dues = all(&schedule);
        assert_eq!((dues.len(), schedule.slices()), (160, 3));
        let counts = [0.0, 1.0, 2.0].map(|from| within(&dues, from - 1e-9, from + 1.0 - 1e-9));
        assert_eq!(counts, [10, 100, 50]);
    }

    #[test]
    fn a_storm_comes_at_once_or_spread_by_its_jitter() {
        let storm = |jitter| Schedule::new(Shape::AtOnce(jitter), 10 * SECOND, 10_000);
        assert!(all(&storm(Duration::ZERO)).iter().all(Duration::is_zero));
        let dues = all(&storm(5 * SECOND));
        assert_eq!(dues.len(), 10_000);
        for second in 0..5_u32 {
            let found = within(&dues, f64::from(second), f64::from(second) + 1.0);
            // Six standard deviations around 2000.
            assert!((1760..=2240).contains(&found), "{second}: {found}");
        }
    }

    proptest! {
        #[test]
        fn shards_share_the_orders_among_them(shards in 1_usize..7, from in 1_u32..500, to in 1_u32..500, millis in 1_u64..5000, kind in 0..4) {
            let (from, to) = (per_second(from), per_second(to));
            let shape = match kind {
                0 => Shape::Constant(from),
                1 => Shape::Linear(from, to),
                2 => Shape::Steps(vec![from, to, from]),
                _ => Shape::AtOnce(SECOND),
            };
            let schedule = Schedule::new(shape, Duration::from_millis(millis), 1000);
            let shares: Vec<Vec<Duration>> = (0..shards).map(|index| schedule.dues(index, shards, 1).collect()).collect();
            prop_assert_eq!(shares.iter().map(Vec::len).sum::<usize>() as u64, schedule.total());
            for dues in &shares {
                prop_assert!(dues.is_sorted());
                // A microsecond for what floats round.
                prop_assert!(kind == 3 || dues.iter().all(|due| *due <= schedule.duration() + Duration::from_micros(1)));
            }
            if kind != 3 {
                let mut together: Vec<_> = shares.concat();
                together.sort();
                prop_assert_eq!(together, all(&schedule));
            }
        }
    }
}
