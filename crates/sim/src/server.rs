//! A registrar in the simulated world: where it listens, its connections, its outages. Not what it replies.

use std::net::SocketAddr;
use std::time::Duration;

use sip_message::Framer;
use sip_registrar::{Config, Registrar};
use sip_registration::{FlowId, Transport};

use crate::agent::AgentId;

/// One registrar of a [`crate::World`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegistrarId(pub(crate) usize);

/// How a registrar is out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Its host is dead: nothing comes back.
    Silent,
    /// Its host is alive and nobody listens: UDP is answered with ICMP, TCP with a reset.
    Refusing,
}

/// A registrar.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) registrar: Registrar,
    pub(crate) config: Config,
    pub(crate) outage: Option<Outage>,
    /// How many messages arrived in each second of the world.
    pub(crate) arrivals: Vec<u32>,
}

impl Server {
    /// A message arrives, so long after the world began.
    pub(crate) fn count(&mut self, elapsed: Duration) {
        let second = usize::try_from(elapsed.as_secs()).unwrap_or(usize::MAX);
        if self.arrivals.len() <= second {
            self.arrivals.resize(second + 1, 0);
        }
        if let Some(count) = self.arrivals.get_mut(second) {
            *count += 1;
        }
    }
}

/// One address where a registrar listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listener {
    pub(crate) server: RegistrarId,
    pub(crate) transport: Transport,
    pub(crate) address: SocketAddr,
}

/// A stream between an agent's flow and a listener.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) agent: AgentId,
    pub(crate) flow: FlowId,
    pub(crate) listener: Listener,
    pub(crate) local: SocketAddr,
    /// The registrar's framer.
    pub(crate) framer: Framer,
    /// Whether the last thing that came was a line end, half a ping.
    pub(crate) half_pinged: bool,
    /// Nothing that is sent later arrives before these.
    pub(crate) up_to: std::time::Instant,
    pub(crate) down_to: std::time::Instant,
}
