//! When to refresh and when to try again (RFC 3261 §10.2.4, RFC 5626 §4.5). Pure arithmetic over a seeded generator.

use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;

use crate::Policy;

/// The moment to refresh a binding that was granted `granted` from `now` on: drawn evenly from the policy's part of it.
pub(crate) fn refresh_at(now: Instant, granted: Duration, policy: &Policy, rng: &mut ChaCha12Rng) -> Instant {
    let (least, most) = policy.refresh_percent;
    now + between(granted * least / 100, granted * most / 100, rng)
}

/// The moment to try again after `failures` failures in a row (at least one), for one of a `crowd` of registrations that
/// have failed there.
///
/// The wait doubles from the base up to the cap, and 50 to 100 % of it is taken (RFC 5626 §4.5). A Retry-After replaces it: never
/// sooner, and up to a tenth later. One of zero seconds says nothing. Where that is too short a time for the whole crowd, it takes the
/// time of [`spread`], so that it does not come back at once.
pub(crate) fn retry_at(
    now: Instant,
    failures: u32,
    retry_after: Option<Duration>,
    crowd: u32,
    policy: &Policy,
    rng: &mut ChaCha12Rng,
) -> Instant {
    let (least, most) = match retry_after.filter(|asked| !asked.is_zero()) {
        Some(asked) => {
            let wait = asked.min(policy.retry_after_cap);
            (wait, wait + wait / 10)
        }
        None => {
            let doubled = 1_u32
                .checked_shl(failures.saturating_sub(1))
                .and_then(|factor| policy.retry_base.checked_mul(factor));
            let wait = doubled.map_or(policy.retry_cap, |wait| wait.min(policy.retry_cap));
            (wait / 2, wait)
        }
    };
    now + between(least, most.max(least + spread(crowd, policy)), rng)
}

/// A moment soon, for a binding whose flow is gone: within two seconds, or within [`spread`] when the crowd is too large for that.
pub(crate) fn reconnect_at(now: Instant, crowd: u32, policy: &Policy, rng: &mut ChaCha12Rng) -> Instant {
    now + between(Duration::ZERO, RECONNECT.max(spread(crowd, policy)), rng)
}

/// The moment for one of a crowd that the way is open for at last: within [`spread`].
pub(crate) fn comeback_at(now: Instant, crowd: u32, policy: &Policy, rng: &mut ChaCha12Rng) -> Instant {
    now + between(Duration::ZERO, spread(crowd, policy), rng)
}

/// Within what a registration comes back whose flow is gone, unless it is one of very many.
const RECONNECT: Duration = Duration::from_secs(2);

/// The time that a crowd takes to come back: so much for each of them, at the pace that the registrar's admission allows, and never
/// longer than the longest wait after a failure.
fn spread(crowd: u32, policy: &Policy) -> Duration {
    let each = policy.comeback_interval.max(policy.admission.interval);
    each.saturating_mul(crowd).min(policy.retry_cap)
}

fn between(least: Duration, most: Duration, rng: &mut ChaCha12Rng) -> Duration {
    if most <= least { least } else { rng.random_range(least..=most) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;

    use super::*;

    proptest! {
        #[test]
        fn a_refresh_falls_between_half_and_nine_tenths(seed: u64, granted in 1_u32..=u32::MAX) {
            let (now, granted) = (crate::tests::origin(), Duration::from_secs(granted.into()));
            let wait = refresh_at(now, granted, &Policy::default(), &mut ChaCha12Rng::seed_from_u64(seed)) - now;
            prop_assert!(wait >= granted / 2 && wait <= granted * 9 / 10);
        }

        #[test]
        fn a_retry_doubles_within_its_jitter_and_stays_under_the_cap(seed: u64, failures in 1_u32..200) {
            let (now, policy) = (crate::tests::origin(), Policy::default());
            let wait = retry_at(now, failures, None, 1, &policy, &mut ChaCha12Rng::seed_from_u64(seed)) - now;
            let full = Duration::from_secs(30_u64.saturating_mul(1 << (failures - 1).min(20))).min(policy.retry_cap);
            prop_assert!(wait >= full / 2 && wait <= full, "{wait:?} of {full:?}");
        }

        #[test]
        fn a_retry_after_of_zero_is_no_invitation_to_hammer(seed: u64) {
            let (now, policy) = (crate::tests::origin(), Policy::default());
            let wait = retry_at(now, 1, Some(Duration::ZERO), 1, &policy, &mut ChaCha12Rng::seed_from_u64(seed)) - now;
            prop_assert!(wait >= policy.retry_base / 2);
        }

        #[test]
        fn retry_after_is_never_undercut_and_is_capped(seed: u64, failures in 1_u32..200, asked: u32) {
            let (now, policy) = (crate::tests::origin(), Policy::default());
            let asked = Duration::from_secs(asked.max(1).into());
            let wait = retry_at(now, failures, Some(asked), 1, &policy, &mut ChaCha12Rng::seed_from_u64(seed)) - now;
            let obeyed = asked.min(policy.retry_after_cap);
            prop_assert!(wait >= obeyed && wait <= obeyed * 11 / 10);
        }

        #[test]
        fn a_crowd_takes_its_time_and_comes_back_within_it(seed: u64, crowd in 1_u32..2_000_000, failures in 1_u32..20) {
            let (now, policy) = (crate::tests::origin(), Policy::default());
            let rng = &mut ChaCha12Rng::seed_from_u64(seed);
            let most = (policy.comeback_interval * crowd).min(policy.retry_cap);
            prop_assert!(reconnect_at(now, crowd, &policy, rng) - now <= most.max(Duration::from_secs(2)));
            let wait = retry_at(now, failures, None, crowd, &policy, rng) - now;
            let alone = Duration::from_secs(30 << (failures - 1).min(6)).min(policy.retry_cap);
            prop_assert!(wait >= alone / 2 && wait <= alone.max(alone / 2 + most), "{wait:?}");
        }
    }

    #[test]
    fn ten_thousand_that_lost_one_flow_come_back_evenly() {
        let (now, rng) = (crate::tests::origin(), &mut ChaCha12Rng::seed_from_u64(1));
        let admission = crate::Admission::paced(std::num::NonZeroU32::new(100).unwrap(), Duration::from_secs(1));
        for (policy, seconds) in [
            (Policy::default(), 20),
            (
                Policy {
                    admission,
                    ..Policy::default()
                },
                100,
            ),
        ] {
            let mut arrivals = vec![0_usize; seconds];
            for _ in 0..10_000 {
                let wait = reconnect_at(now, 10_000, &policy, rng) - now;
                arrivals[(wait.as_secs() as usize).min(seconds - 1)] += 1;
            }
            let even = 10_000 / seconds;
            assert!(
                arrivals.iter().all(|count| (even * 2 / 3..even * 3 / 2).contains(count)),
                "{arrivals:?}"
            );
        }
    }
}
