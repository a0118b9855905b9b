//! Many registrations on several cores: shards that share nothing. Each is a thread of its own with a runtime, a
//! [`Registrant`](sip_registration::Registrant), a [`Driver`](crate::Driver) and sockets; an account belongs to one of them by a
//! hash of its AOR. No lock and no shared value lies on the road of a message. Not for what a registration does, which is the core's.
//!
//! [`run`] runs a loop of the caller's own inside each shard and is the fastest way; a [`Fleet`] takes orders and tells events from
//! outside, in batches.

mod crew;
mod link;
mod orders;
mod shard;

use std::num::NonZeroUsize;

use sip_registration::Policy;

use crate::driver::Network;

pub use link::{Fleet, Member};
pub use shard::{Shard, shard_of};

use crew::Crew;

/// Why a fleet cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// A thread or its runtime cannot be had; the system's words.
    #[error("shard {shard} cannot be started: {why}")]
    Start {
        /// Which shard, from 0.
        shard: usize,
        /// The system's words.
        why: String,
    },
    /// A shard ended before its time: its code panicked.
    #[error("shard {shard} panicked")]
    Panicked {
        /// Which shard, from 0.
        shard: usize,
    },
    /// One local port cannot be shared by several shards.
    #[error("local port {port} cannot be shared by {shards} shards")]
    OnePort {
        /// The port that was asked for.
        port: u16,
        /// How many shards would have to use it.
        shards: usize,
    },
}

/// Runs `drive` in every shard, each with a driver of its own, and returns what they return, in the order of the shards. The future is
/// made and polled inside its shard and need not be `Send`. When the returned future is dropped, the shards are dropped at their next
/// pause. The limits of the policy hold for all shards together; there are fewer than asked for where the limits have no part for
/// each ([`sip_registration::Admission::dealt`]).
///
/// # Errors
/// See [`FleetError`]. The first shard that fails ends the others.
///
/// ```
/// use std::num::NonZeroUsize;
/// use sip_net::Network;
/// use sip_net::fleet::{self, Shard};
/// use sip_registration::Policy;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let shards = NonZeroUsize::new(2).ok_or("none")?;
/// let counts: Vec<usize> = fleet::run(shards, &Policy::default(), &Network::default(), |mut shard: Shard| async move {
///     let users = (0..100).map(|number| format!("sip:user{number}@pbx.example.test"));
///     let ours = users.filter(|aor| shard.holds(aor)).count();
///     // Here each of them would be added to the driver's registrant, and `shard.driver.next()` called in a loop.
///     let (_registrant, _now) = shard.driver.registrant();
///     ours
/// })
/// .await?;
/// assert_eq!(counts.iter().sum::<usize>(), 100);
/// # Ok(())
/// # }
/// ```
pub async fn run<T, F, Drive>(shards: NonZeroUsize, policy: &Policy, network: &Network, drive: F) -> Result<Vec<T>, FleetError>
where
    T: Send + 'static,
    F: Fn(Shard) -> Drive + Clone + Send + 'static,
    Drive: Future<Output = T>,
{
    let mut crew = Crew::default();
    for shard in shard::plan(shards, policy, network)? {
        crew.hire(shard, drive.clone())?;
    }
    crew.finish().await
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn two() -> NonZeroUsize {
        NonZeroUsize::new(2).unwrap()
    }

    #[tokio::test]
    async fn each_shard_runs_its_own_future_which_need_not_be_send() {
        let ran = run(two(), &Policy::default(), &Network::default(), |shard| async move {
            let index = Rc::new(shard.index);
            tokio::task::yield_now().await;
            (*index, shard.of.get())
        })
        .await;
        assert_eq!(ran.unwrap(), [(0, 2), (1, 2)]);
    }

    #[tokio::test]
    async fn a_shard_that_panics_ends_the_run_although_the_others_would_go_on_for_ever() {
        let ran = run(two(), &Policy::default(), &Network::default(), |mut shard| async move {
            assert_ne!(shard.index, 1, "on purpose");
            shard.driver.next().await;
        })
        .await;
        assert_eq!(ran, Err(FleetError::Panicked { shard: 1 }));
    }

    #[tokio::test]
    async fn several_shards_cannot_have_one_port_and_a_single_one_can() {
        let network = Network {
            local: Some("127.0.0.1:5099".parse().unwrap()),
            ..Network::default()
        };
        let refused = run(two(), &Policy::default(), &network, |_| async {}).await;
        assert_eq!(refused, Err(FleetError::OnePort { port: 5099, shards: 2 }));
        let single = run(NonZeroUsize::MIN, &Policy::default(), &network, |_| async {}).await;
        assert_eq!(single, Ok(vec![()]));
    }
}
