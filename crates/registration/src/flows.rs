//! The flows that are open or opening, shared by the registrations that use them (RFC 5626 §3.1). Framing of streams happens here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use sip_message::Framer;

use crate::{Endpoint, FlowId, Key, Opened, TlsFacts};

/// Every flow of a registrant.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    by_id: BTreeMap<FlowId, Flow>,
    by_endpoint: BTreeMap<Endpoint, FlowId>,
    next: u64,
}

/// One flow.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) endpoint: Endpoint,
    pub(crate) condition: Condition,
    /// The registrations that sent on it last, or wait for it to open.
    users: BTreeSet<Key>,
    framer: Framer,
}

/// How far a flow is.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    /// Asked for.
    Opening,
    /// Usable.
    Open {
        /// Our own address on it.
        local: SocketAddr,
        /// What TLS showed.
        tls: Option<TlsFacts>,
    },
}

/// A flow for a registration: one that was there, or one that has to be opened first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// It can be written to.
    Open(FlowId),
    /// Somebody asked for it already.
    Opening(FlowId),
    /// It is new: ask the world to open it.
    New(FlowId),
}

impl Flows {
    /// Puts a registration on the flow to this endpoint.
    pub(crate) fn join(&mut self, endpoint: &Endpoint, key: Key) -> Joined {
        if let Some(id) = self.by_endpoint.get(endpoint).copied()
            && let Some(flow) = self.by_id.get_mut(&id)
        {
            flow.users.insert(key);
            return match flow.condition {
                Condition::Open { .. } => Joined::Open(id),
                Condition::Opening => Joined::Opening(id),
            };
        }
        let id = FlowId(self.next);
        self.next += 1;
        let users = BTreeSet::from([key]);
        self.by_id.insert(
            id,
            Flow {
                endpoint: endpoint.clone(),
                condition: Condition::Opening,
                users,
                framer: Framer::default(),
            },
        );
        self.by_endpoint.insert(endpoint.clone(), id);
        Joined::New(id)
    }

    /// Takes a registration off a flow. True when nobody uses the flow any more, so that it is gone from here and wants closing.
    pub(crate) fn leave(&mut self, id: FlowId, key: Key) -> bool {
        let Some(flow) = self.by_id.get_mut(&id) else { return false };
        flow.users.remove(&key);
        flow.users.is_empty() && self.remove(id).is_some()
    }

    /// The world opened it. Returns its users, or none for a flow that we gave up meanwhile.
    pub(crate) fn opened(&mut self, id: FlowId, opened: &Opened) -> Vec<Key> {
        let Some(flow) = self.by_id.get_mut(&id) else { return Vec::new() };
        flow.condition = Condition::Open {
            local: opened.local,
            tls: opened.tls.clone(),
        };
        flow.users.iter().copied().collect()
    }

    /// It is gone. Returns its users.
    pub(crate) fn remove(&mut self, id: FlowId) -> Option<BTreeSet<Key>> {
        self.retire(id);
        self.by_id.remove(&id).map(|flow| flow.users)
    }

    /// It may be dead: whoever uses it keeps it, and nobody else joins it.
    pub(crate) fn retire(&mut self, id: FlowId) {
        if let Some(flow) = self.by_id.get(&id)
            && self.by_endpoint.get(&flow.endpoint) == Some(&id)
        {
            self.by_endpoint.remove(&flow.endpoint);
        }
    }

    /// The registration that a flow belongs to, when it belongs to one alone.
    pub(crate) fn sole_user(&self, id: FlowId) -> Option<Key> {
        let mut users = self.by_id.get(&id)?.users.iter();
        users.next().filter(|_| users.next().is_none()).copied()
    }

    /// A flow.
    pub(crate) fn get(&self, id: FlowId) -> Option<&Flow> {
        self.by_id.get(&id)
    }

    /// The framer of a stream; `None` for UDP, where a datagram is a message, and for flows that are gone.
    pub(crate) fn framer(&mut self, id: FlowId) -> Option<&mut Framer> {
        self.by_id
            .get_mut(&id)
            .filter(|flow| flow.endpoint.transport.is_reliable())
            .map(|flow| &mut flow.framer)
    }
}

impl Flow {
    /// Our own address, once it is open.
    pub(crate) const fn local(&self) -> Option<SocketAddr> {
        match &self.condition {
            Condition::Open { local, .. } => Some(*local),
            Condition::Opening => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;

    #[test]
    fn registrations_to_one_endpoint_share_a_flow_until_the_last_leaves() {
        let endpoint = Endpoint {
            transport: Transport::Tcp,
            remote: "127.0.0.1:5060".parse().unwrap(),
            server_name: "h".into(),
        };
        let (one, two) = (Key { index: 1, generation: 0 }, Key { index: 2, generation: 0 });
        let mut flows = Flows::default();
        let Joined::New(id) = flows.join(&endpoint, one) else {
            panic!("the first opens it")
        };
        assert_eq!(flows.join(&endpoint, two), Joined::Opening(id));
        let opened = Opened {
            local: "127.0.0.1:40000".parse().unwrap(),
            connected_at: None,
            tls: None,
        };
        assert_eq!(flows.opened(id, &opened), [one, two]);
        assert_eq!(flows.join(&endpoint, two), Joined::Open(id));
        assert!(!flows.leave(id, one));
        assert!(flows.leave(id, two));
        assert!(matches!(flows.join(&endpoint, one), Joined::New(other) if other != id));
    }
}
