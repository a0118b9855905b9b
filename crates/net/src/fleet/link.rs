//! A fleet from outside: orders go in and events come out, both in batches. Not for what a shard does with them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use sip_registration::{Account, Attempt, Event, Goal, Policy, Status};
use tokio::sync::{mpsc, oneshot};

use super::crew::Crew;
use super::orders::{self, AT_ONCE, Command};
use super::{FleetError, shard, shard_of};
use crate::driver::Network;

/// Registrations spread over several threads, given orders and heard from one place.
///
/// Orders leave in batches: when some hundred of them wait for a shard, and whenever [`Fleet::next`] or [`Fleet::flush`] is called.
/// Giving an order waits only while its shard has not yet taken those before it, which it does even when nobody hears it; so a caller
/// may give any number of orders before it asks for the first event.
///
/// Events are never lost. A caller that does not ask for them stops the fleet, as it would a [`crate::Driver`]: once some thousand
/// events wait, a shard neither sends nor reads nor refreshes until one of its batches has been taken, and memory does not grow.
///
/// ```
/// use std::num::NonZeroUsize;
/// use std::sync::Arc;
/// use sip_net::{Listener, Network, serve};
/// use sip_net::fleet::Fleet;
/// use sip_registrar::{Config, Registrar};
/// use sip_registration::{Account, ContactPlan, Event, Goal, Policy};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let any_user = Some(sip_digest::Secret::Password("secret".into()));
/// # let registrar = Registrar::new(Config { any_user, ..Config::default() }, rand::random());
/// # let listener = Listener::udp("127.0.0.1:0".parse()?).await?;
/// # let uri = format!("sip:{}", listener.address());
/// # tokio::spawn(serve(vec![listener], registrar, drop, std::future::pending()));
/// let shards = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
/// let mut fleet = Fleet::start(shards, &Policy::default(), &Network::default())?;
/// for number in 0..20 {
///     let account = Account {
///         aor: format!("sip:user{number}@example.test").parse()?,
///         registrar: uri.parse()?,
///         contact: ContactPlan::Automatic { user: format!("user{number}").into() },
///         secret: Some(sip_digest::Secret::Password("secret".into())),
///         challenges: None,
///         # outbound_proxy: None, transport: None, target: None, auth_user: None, advertise: None, instance: None, reg_id: None,
///         # expires: 300, user_agent: "example".into(),
///     };
///     let member = fleet.add(Arc::new(account)).await;
///     fleet.order(member, Goal::Register).await;
/// }
/// let mut registered = 0;
/// while registered < 20 {
///     if let (member, Event::Attempt(attempt)) = fleet.next().await? {
///         assert_eq!(attempt.ending, sip_registration::Ending::Succeeded);
///         fleet.recycle(member, attempt).await;
///         registered += 1;
///     }
/// }
/// fleet.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Fleet {
    crew: Crew<()>,
    doors: Vec<Door>,
    told: mpsc::Receiver<Vec<(Member, Event)>>,
    /// What is left of the batch that was taken last.
    heard: std::vec::IntoIter<(Member, Event)>,
    next_number: u64,
}

/// One registration of a [`Fleet`]. Never used again after its registration is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    number: u64,
    shard: u32,
}

/// The way to one shard.
#[derive(Debug)]
struct Door {
    commands: mpsc::Sender<Vec<Command>>,
    waiting: Vec<Command>,
}

impl Fleet {
    /// Starts the shards. Has to be called within a tokio runtime, which the shards do not use. The limits of the policy hold for all
    /// shards together; there are fewer than asked for where the limits have no part for each ([`sip_registration::Admission::dealt`]).
    ///
    /// # Errors
    /// [`FleetError::Start`], [`FleetError::OnePort`].
    pub fn start(shards: NonZeroUsize, policy: &Policy, network: &Network) -> Result<Self, FleetError> {
        let (tell, told) = mpsc::channel(BATCHES * shards.get());
        let (mut crew, mut doors) = (Crew::default(), Vec::new());
        for planned in shard::plan(shards, policy, network)? {
            let (commands, given) = mpsc::channel(BATCHES);
            let tell = tell.clone();
            crew.hire(planned, move |shard| orders::obey(shard.driver, given, tell))?;
            doors.push(Door {
                commands,
                waiting: Vec::new(),
            });
        }
        Ok(Self {
            crew,
            doors,
            told,
            heard: Vec::new().into_iter(),
            next_number: 0,
        })
    }

    /// Takes an account in. Nothing is sent before the first order.
    pub async fn add(&mut self, account: Arc<Account>) -> Member {
        let shards = NonZeroUsize::new(self.doors.len()).unwrap_or(NonZeroUsize::MIN);
        let shard = u32::try_from(shard_of(account.aor.as_str(), shards)).unwrap_or_default();
        let member = Member {
            number: self.next_number,
            shard,
        };
        self.next_number += 1;
        self.give(member, Command::Add(member, account)).await;
        member
    }

    /// Orders an exchange.
    pub async fn order(&mut self, member: Member, goal: Goal) {
        self.give(member, Command::Order(member, goal)).await;
    }

    /// Gives a registration other values for the same binding; see [`sip_registration::Registrant::renew`].
    pub async fn renew(&mut self, member: Member, account: Arc<Account>) {
        self.give(member, Command::Renew(member, account)).await;
    }

    /// Stops everything of a registration until the next order; see [`sip_registration::Registrant::interrupt`].
    pub async fn interrupt(&mut self, member: Member) {
        self.give(member, Command::Interrupt(member)).await;
    }

    /// Removes the binding, if there is one, and then the registration; [`Event::Removed`] tells when.
    pub async fn remove(&mut self, member: Member) {
        self.give(member, Command::Remove(member)).await;
    }

    /// Takes an attempt of this member back that was looked at, for its buffers: see [`sip_registration::Registrant::recycle`].
    pub async fn recycle(&mut self, member: Member, attempt: Box<Attempt>) {
        self.give(member, Command::Recycle(attempt)).await;
    }

    /// Where a registration stands; `None` when it is gone.
    ///
    /// # Errors
    /// [`FleetError::Panicked`].
    pub async fn status(&mut self, member: Member) -> Result<Option<Status>, FleetError> {
        let (answer, answered) = oneshot::channel();
        self.give(member, Command::Status(member, answer)).await;
        self.flush().await;
        tokio::select! {
            biased;
            Ok(status) = answered => Ok(status),
            ended = self.crew.done() => ended.map(|()| None),
        }
    }

    /// Lets every order go that still waits for others to go with.
    pub async fn flush(&mut self) {
        for door in &mut self.doors {
            door.flush().await;
        }
    }

    /// The next thing to tell. Waits for ever when nothing was ordered. May be dropped and called again: nothing is lost.
    ///
    /// # Errors
    /// [`FleetError::Panicked`]: the registrations of that shard are lost, and the others go on as long as the fleet is held.
    pub async fn next(&mut self) -> Result<(Member, Event), FleetError> {
        loop {
            if let Some(told) = self.heard.next() {
                return Ok(told);
            }
            self.flush().await;
            tokio::select! {
                biased;
                Some(batch) = self.told.recv() => self.heard = batch.into_iter(),
                ended = self.crew.done() => {
                    ended?;
                    // Shards end in peace only after `close`, which nothing follows.
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// The next thing to tell, if it is here already.
    pub fn try_next(&mut self) -> Option<(Member, Event)> {
        if self.heard.len() == 0
            && let Ok(batch) = self.told.try_recv()
        {
            self.heard = batch.into_iter();
        }
        self.heard.next()
    }

    /// Closes every flow in good manners and ends the shards: bindings stay where they are, and what was not yet told is lost. Takes half a
    /// second at most.
    ///
    /// # Errors
    /// [`FleetError::Panicked`].
    pub async fn close(mut self) -> Result<(), FleetError> {
        self.flush().await;
        // A shard ends when no more orders can come.
        self.doors.clear();
        self.crew.finish().await.map(drop)
    }

    async fn give(&mut self, member: Member, command: Command) {
        if let Some(door) = self.doors.get_mut(member.shard as usize) {
            door.waiting.push(command);
            if door.waiting.len() >= AT_ONCE {
                door.flush().await;
            }
        }
    }
}

impl Door {
    /// May be dropped while it waits: what waits then goes the next time.
    async fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        match self.commands.reserve().await {
            Ok(room) => room.send(std::mem::take(&mut self.waiting)),
            // The shard has panicked, which `next` tells.
            Err(_) => self.waiting.clear(),
        }
    }
}

/// How many batches may wait on either side of each shard.
const BATCHES: usize = 4;

#[cfg(test)]
mod tests {
    use sip_registration::ContactPlan;

    use super::*;

    /// An account whose registrar is never reached, because every exchange is interrupted or times out.
    fn account(number: u32) -> Arc<Account> {
        Arc::new(Account {
            aor: format!("sip:user{number}@example.test").parse().unwrap(),
            registrar: "sip:127.0.0.1:9".parse().unwrap(),
            outbound_proxy: None,
            transport: None,
            target: None,
            auth_user: None,
            secret: None,
            challenges: None,
            contact: ContactPlan::Automatic { user: "user".into() },
            advertise: None,
            instance: None,
            reg_id: None,
            expires: 300,
            user_agent: "test".into(),
        })
    }

    fn fleet() -> Fleet {
        Fleet::start(NonZeroUsize::new(2).unwrap(), &Policy::one_shot(), &Network::default()).unwrap()
    }

    /// Each order makes events; many more than fit into the channels wait when the caller asks for the first.
    #[tokio::test]
    async fn a_caller_that_hears_nothing_for_long_may_order_what_it_likes_and_loses_nothing() {
        let mut fleet = fleet();
        let mut members = Vec::new();
        for number in 0..4000 {
            let member = fleet.add(account(number)).await;
            fleet.order(member, Goal::Locate).await;
            members.push(member);
        }
        for member in &members {
            fleet.order(*member, Goal::Locate).await;
        }
        let mut ended = 0;
        while ended < 8000 {
            let (_, event) = fleet.next().await.unwrap();
            ended += usize::from(matches!(event, Event::Attempt(_)));
        }
        fleet.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_member_that_was_removed_is_gone_and_orders_for_it_are_nothing() {
        let mut fleet = fleet();
        let (gone, stays) = (fleet.add(account(1)).await, fleet.add(account(2)).await);
        assert!(fleet.status(gone).await.unwrap().is_some());
        fleet.remove(gone).await;
        let (told, event) = fleet.next().await.unwrap();
        assert!(told == gone && matches!(event, Event::Removed), "{event:?}");
        fleet.order(gone, Goal::Register).await;
        fleet.interrupt(gone).await;
        assert!(fleet.status(gone).await.unwrap().is_none());
        assert!(fleet.status(stays).await.unwrap().is_some());
        assert!(fleet.try_next().is_none());
        fleet.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_shard_that_panics_is_an_error_and_no_silence() {
        let mut fleet = fleet();
        let member = fleet.add(account(1)).await;
        fleet.give(member, Command::Panic).await;
        let shard = member.shard as usize;
        for _ in 0..2 {
            assert_eq!(fleet.next().await.err(), Some(FleetError::Panicked { shard }));
        }
        fleet.order(member, Goal::Register).await;
        assert_eq!(fleet.status(member).await, Err(FleetError::Panicked { shard }));
        assert_eq!(fleet.close().await, Err(FleetError::Panicked { shard }));
    }
}
