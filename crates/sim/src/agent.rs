//! A user agent in the simulated world: a registrant with addresses and the flows that it opened. Not what happens to its packets.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use sip_registration::{Endpoint, FlowId, Key, Registrant};

/// One user agent of a [`crate::World`]: one registrant at one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentId(pub(crate) usize);

/// One registration of a [`crate::World`], whichever agent it is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Phone(pub(crate) usize);

/// A user agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) registrant: Registrant,
    pub(crate) phones: BTreeMap<Key, Phone>,
    pub(crate) flows: BTreeMap<FlowId, AgentFlow>,
    host: u16,
    next_port: u16,
}

/// A flow that an agent asked for.
#[derive(Debug, Clone)]
pub(crate) struct AgentFlow {
    pub(crate) endpoint: Endpoint,
    pub(crate) local: SocketAddr,
    /// The connection, for a stream that is open.
    pub(crate) connection: Option<u64>,
    pub(crate) open: bool,
}

/// Where ephemeral ports begin (RFC 6335 §6).
const FIRST_PORT: u16 = 49_152;

impl Agent {
    pub(crate) const fn new(registrant: Registrant, host: u16) -> Self {
        Self {
            registrant,
            phones: BTreeMap::new(),
            flows: BTreeMap::new(),
            host,
            next_port: FIRST_PORT,
        }
    }

    /// Our address towards a remote one of the same family.
    fn address(&self, remote: IpAddr) -> IpAddr {
        let [high, low] = self.host.to_be_bytes();
        match remote {
            IpAddr::V4(_) => Ipv4Addr::new(10, 0, high, low).into(),
            IpAddr::V6(_) => Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, self.host).into(),
        }
    }

    /// Takes note of a flow, under the next port that is free.
    pub(crate) fn begin(&mut self, flow: FlowId, endpoint: Endpoint) {
        let address = self.address(endpoint.remote.ip());
        let taken = |port| self.flows.values().any(|flow| flow.local == SocketAddr::new(address, port));
        while taken(self.next_port) {
            self.next_port = self.next_port.checked_add(1).unwrap_or(FIRST_PORT);
        }
        let local = SocketAddr::new(address, self.next_port);
        self.next_port = self.next_port.checked_add(1).unwrap_or(FIRST_PORT);
        let begun = AgentFlow {
            endpoint,
            local,
            connection: None,
            open: false,
        };
        self.flows.insert(flow, begun);
    }
}
