//! One shard: which accounts it holds, and its share of what the policy allows. Not for its thread.

use std::num::{NonZeroU32, NonZeroUsize};

use sip_registration::{Policy, Registrant};

use super::FleetError;
use crate::descriptors::allow_descriptors;
use crate::driver::{Driver, Network};

/// What runs on one thread of a fleet.
#[derive(Debug)]
pub struct Shard {
    /// Which one it is, from 0.
    pub index: usize,
    /// How many there are.
    pub of: NonZeroUsize,
    /// Its registrations and their sockets. The registrant has a random seed of its own.
    pub driver: Driver,
}

impl Shard {
    /// True when the account with this AOR is this shard's.
    #[must_use]
    pub fn holds(&self, aor: &str) -> bool {
        shard_of(aor, self.of) == self.index
    }
}

/// The shard that an AOR belongs to, from 0: FNV-1a over its bytes, the same in every run.
#[must_use]
pub fn shard_of(aor: &str, shards: NonZeroUsize) -> usize {
    let hash = aor
        .bytes()
        .fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    // The high bits of FNV are the better mixed ones.
    let mixed = hash ^ (hash >> 32);
    usize::try_from(mixed % shards.get() as u64).unwrap_or_default()
}

/// A shard that has yet to get its thread: a driver is made where it runs.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) index: usize,
    of: NonZeroUsize,
    policy: Policy,
    network: Network,
}

/// All shards, each with its part of the policy's limits: as many as asked for, or as the limits have parts for.
///
/// # Errors
/// [`FleetError::OnePort`].
pub(super) fn plan(shards: NonZeroUsize, policy: &Policy, network: &Network) -> Result<Vec<Planned>, FleetError> {
    let policies = policy.dealt(NonZeroU32::try_from(shards).unwrap_or(NonZeroU32::MAX));
    let of = NonZeroUsize::new(policies.len()).unwrap_or(NonZeroUsize::MIN);
    let port = network.local.map_or(0, |local| local.port());
    if port != 0 && of > NonZeroUsize::MIN {
        return Err(FleetError::OnePort { port, shards: of.get() });
    }
    let flows = u64::from(policy.flows_per_target.get());
    if flows > FEW_FLOWS {
        // Each flow of each of a few targets, and what else the process holds open. Who gets fewer is told when there are none left.
        let _ = allow_descriptors(flows.saturating_mul(4).saturating_add(FEW_FLOWS));
    }
    let planned = policies.into_iter().enumerate().map(|(index, policy)| Planned {
        index,
        of,
        policy: with_own_flows(policy, index, of),
        network: network.clone(),
    });
    Ok(planned.collect())
}

impl Planned {
    /// The shard with its driver; within its own runtime.
    pub(super) fn make(self) -> Shard {
        let registrant = Registrant::new(rand::random(), self.policy);
        Shard {
            index: self.index,
            of: self.of,
            driver: Driver::new(registrant, self.network),
        }
    }
}

/// One shard's part of the flows to a target: one at least.
fn with_own_flows(policy: Policy, index: usize, of: NonZeroUsize) -> Policy {
    let flows = part(policy.flows_per_target.get() as usize, index, of);
    Policy {
        flows_per_target: u32::try_from(flows).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN),
        ..policy
    }
}

/// The part of a whole that one shard gets; the first ones get what does not divide evenly.
fn part(whole: usize, index: usize, of: NonZeroUsize) -> usize {
    whole / of + usize::from(index < whole % of)
}

/// Up to so many flows to a target there are always enough descriptors.
const FEW_FLOWS: u64 = 200;

/// The constants of FNV-1a with 64 bits.
const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

#[cfg(test)]
mod tests {
    use sip_registration::Admission;

    use super::*;

    #[test]
    fn accounts_are_dealt_evenly_and_for_ever_the_same() {
        for shards in [1, 2, 3, 8].map(|shards| NonZeroUsize::new(shards).unwrap()) {
            let mut held = vec![0_usize; shards.get()];
            for number in 0..8000 {
                held[shard_of(&format!("sip:user{number}@example.test"), shards)] += 1;
            }
            let even = 8000 / shards;
            assert!(held.iter().all(|held| held.abs_diff(even) < even / 10), "{held:?}");
        }
        let eight = NonZeroUsize::new(8).unwrap();
        assert_eq!(shard_of("sip:alice@example.test", eight), shard_of("sip:alice@example.test", eight));
    }

    fn policies(shards: usize, admission: Admission) -> Vec<Policy> {
        let policy = Policy {
            flows_per_target: NonZeroU32::new(3).unwrap(),
            admission,
            ..Policy::default()
        };
        let planned = plan(NonZeroUsize::new(shards).unwrap(), &policy, &Network::default()).unwrap();
        let of = planned.len();
        assert!(
            planned
                .iter()
                .enumerate()
                .all(|(at, shard)| (shard.index, shard.of.get()) == (at, of))
        );
        planned.into_iter().map(|shard| shard.policy).collect()
    }

    fn in_flight(most: u32) -> Admission {
        Admission {
            most_in_flight: NonZeroU32::new(most),
            ..Admission::default()
        }
    }

    #[test]
    fn what_the_policy_allows_is_divided_and_each_shard_has_a_flow() {
        let four = policies(4, in_flight(100));
        assert_eq!(four.len(), 4);
        assert!(four.iter().all(|policy| policy.flows_per_target == NonZeroU32::MIN));
        assert!(four.iter().all(|policy| policy.admission == in_flight(25)));
    }

    #[test]
    fn no_shard_is_started_that_could_start_nothing() {
        assert_eq!(policies(4, in_flight(1)).len(), 1);
        let three = policies(4, in_flight(3));
        assert!(three.len() == 3 && three.iter().all(|policy| policy.admission == in_flight(1)));
        // One start every two seconds is no more than that with as many shards.
        let slow = Admission::paced(NonZeroU32::new(30).unwrap(), std::time::Duration::from_secs(60));
        assert_eq!(
            policies(4, slow).into_iter().map(|policy| policy.admission).collect::<Vec<_>>(),
            [slow]
        );
    }

    #[test]
    fn the_parts_add_up_to_the_whole() {
        for (whole, of) in [(10, 3), (7, 2), (1, 4), (0, 2)] {
            let of = NonZeroUsize::new(of).unwrap();
            assert_eq!((0..of.get()).map(|index| part(whole, index, of)).sum::<usize>(), whole);
        }
    }
}
