//! The flows that are open or opening, shared by the registrations that use them (RFC 5626 §3.1). Framing of streams happens here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Instant;

use sip_message::Framer;

use crate::allowance::Allowance;
use crate::{Endpoint, FlowId, Key, Opened, Policy, TlsFacts};

/// Every flow of a registrant.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    by_id: BTreeMap<FlowId, Flow>,
    /// The flows that others may join: each endpoint has [`Policy::flows_per_target`] of them, numbered.
    by_endpoint: BTreeMap<(Endpoint, u32), FlowId>,
    next: u64,
}

/// One flow.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) endpoint: Endpoint,
    /// Which of its endpoint's flows it is.
    lane: u32,
    pub(crate) condition: Condition,
    /// The registrations that sent on it last, or wait for it to open, each with the user part of the Contact that it asked to bind
    /// on it; empty for a Contact without one.
    users: BTreeMap<Key, Option<Vec<u8>>>,
    /// The same the other way round.
    by_contact: BTreeSet<(Vec<u8>, Key)>,
    framer: Framer,
    /// How many more requests of the peer are answered.
    for_peer: Allowance,
    /// How many more requests from elsewhere are told of.
    for_strangers: Allowance,
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

/// What becomes of a request from the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reception {
    /// It came from whom the flow leads to, and may be answered.
    Answer,
    /// It came from somebody else: answers go to nobody but the peer, or anybody could aim them at others.
    OnlyTell,
    /// Too many came before it.
    Ignore,
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
    /// Puts a registration on its flow to this endpoint.
    pub(crate) fn join(&mut self, endpoint: &Endpoint, key: Key, policy: &Policy) -> Joined {
        let lane = key.index % policy.flows_per_target;
        let place = (endpoint.clone(), lane);
        if let Some(id) = self.by_endpoint.get(&place).copied()
            && let Some(flow) = self.by_id.get_mut(&id)
        {
            flow.users.entry(key).or_default();
            return match flow.condition {
                Condition::Open { .. } => Joined::Open(id),
                Condition::Opening => Joined::Opening(id),
            };
        }
        let id = FlowId(self.next);
        self.next += 1;
        self.by_id.insert(
            id,
            Flow {
                endpoint: endpoint.clone(),
                lane,
                condition: Condition::Opening,
                users: BTreeMap::from([(key, None)]),
                by_contact: BTreeSet::new(),
                framer: Framer::default(),
                for_peer: Allowance::default(),
                for_strangers: Allowance::default(),
            },
        );
        self.by_endpoint.insert(place, id);
        Joined::New(id)
    }

    /// Takes a registration off a flow. True when nobody uses the flow any more, so that it is gone from here and wants closing.
    pub(crate) fn leave(&mut self, id: FlowId, key: Key) -> bool {
        let Some(flow) = self.by_id.get_mut(&id) else { return false };
        if let Some(Some(user)) = flow.users.remove(&key) {
            flow.by_contact.remove(&(user, key));
        }
        flow.users.is_empty() && self.remove(id).is_some()
    }

    /// The world opened it. Returns its users, or none for a flow that we gave up meanwhile.
    pub(crate) fn opened(&mut self, id: FlowId, opened: &Opened) -> Vec<Key> {
        let Some(flow) = self.by_id.get_mut(&id) else { return Vec::new() };
        flow.condition = Condition::Open {
            local: opened.local,
            tls: opened.tls.clone(),
        };
        flow.users.keys().copied().collect()
    }

    /// It is gone. Returns its users.
    pub(crate) fn remove(&mut self, id: FlowId) -> Option<BTreeSet<Key>> {
        self.retire(id);
        self.by_id.remove(&id).map(|flow| flow.users.into_keys().collect())
    }

    /// It may be dead: whoever uses it keeps it, and nobody else joins it.
    pub(crate) fn retire(&mut self, id: FlowId) {
        let Some(flow) = self.by_id.get(&id) else { return };
        let place = (flow.endpoint.clone(), flow.lane);
        if self.by_endpoint.get(&place) == Some(&id) {
            self.by_endpoint.remove(&place);
        }
    }

    /// A registration asks to bind a Contact with this user part on a flow of its own; requests for it come there.
    pub(crate) fn claim(&mut self, id: FlowId, key: Key, user: Vec<u8>) {
        let Some(flow) = self.by_id.get_mut(&id) else { return };
        let Some(claimed) = flow.users.get_mut(&key).filter(|claimed| claimed.as_ref() != Some(&user)) else {
            return;
        };
        if let Some(former) = claimed.replace(user.clone()) {
            flow.by_contact.remove(&(former, key));
        }
        flow.by_contact.insert((user, key));
    }

    /// Who asked to bind a Contact with this user part on the flow; without one, everybody who asked to bind any.
    pub(crate) fn claimants(&self, id: FlowId, user: Option<Vec<u8>>) -> impl Iterator<Item = Key> + '_ {
        let claims = self.by_id.get(&id).map(|flow| match user {
            Some(user) => flow.by_contact.range((user.clone(), Key::FIRST)..=(user, Key::LAST)),
            None => flow.by_contact.range(..),
        });
        claims.into_iter().flatten().map(|(_, key)| *key)
    }

    /// Counts a request from the other side, and says what may become of it.
    pub(crate) fn admit(&mut self, now: Instant, id: FlowId, source: SocketAddr, policy: &Policy) -> Reception {
        let Some(flow) = self.by_id.get_mut(&id).filter(|flow| flow.local().is_some()) else {
            return Reception::Ignore;
        };
        let is_peer = source.ip().to_canonical() == flow.endpoint.remote.ip().to_canonical();
        let (allowance, reception) = if is_peer {
            (&mut flow.for_peer, Reception::Answer)
        } else {
            (&mut flow.for_strangers, Reception::OnlyTell)
        };
        // A registrar may ask for every binding that it holds.
        let users = u32::try_from(flow.users.len()).unwrap_or(u32::MAX);
        let horizon = policy.answer_interval.saturating_mul(policy.answer_burst);
        if allowance.take(now, policy.answer_interval / users.max(1), horizon) {
            reception
        } else {
            Reception::Ignore
        }
    }

    /// One of the registrations that use a flow.
    pub(crate) fn any_user(&self, id: FlowId) -> Option<Key> {
        self.by_id.get(&id)?.users.keys().next().copied()
    }

    /// The registration that a flow belongs to, when it belongs to one alone.
    pub(crate) fn sole_user(&self, id: FlowId) -> Option<Key> {
        let mut users = self.by_id.get(&id)?.users.keys();
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

    fn udp() -> Endpoint {
        Endpoint {
            transport: Transport::Udp,
            remote: "127.0.0.1:5060".parse().unwrap(),
            server_name: "h".into(),
        }
    }

    fn opened() -> Opened {
        Opened {
            local: "127.0.0.1:40000".parse().unwrap(),
            connected_at: None,
            tls: None,
        }
    }

    #[test]
    fn a_contact_is_claimed_until_its_registration_leaves_or_claims_another() {
        let endpoint = udp();
        let keys = [1, 2, u32::MAX].map(|index| Key { index, generation: index });
        let mut flows = Flows::default();
        let Joined::New(id) = flows.join(&endpoint, keys[0], &Policy::default()) else {
            panic!("the first opens it")
        };
        for (key, user) in keys.into_iter().zip([b"a", b"b", b"b"]) {
            flows.join(&endpoint, key, &Policy::default());
            flows.claim(id, key, user.to_vec());
        }
        let claimants = |flows: &Flows, user: Option<&str>| flows.claimants(id, user.map(|user| user.into())).collect::<Vec<_>>();
        assert_eq!(claimants(&flows, Some("b")), keys[1..]);
        assert_eq!(claimants(&flows, None), keys);
        flows.claim(id, keys[0], b"c".to_vec());
        assert!(claimants(&flows, Some("a")).is_empty());
        assert_eq!(claimants(&flows, Some("c")), keys[..1]);
        flows.leave(id, keys[0]);
        assert!(claimants(&flows, Some("c")).is_empty());
        flows.claim(id, keys[0], b"c".to_vec());
        assert!(
            claimants(&flows, Some("c")).is_empty(),
            "who does not use the flow claims nothing on it"
        );
    }

    /// A registrar that holds a thousand bindings over one flow may ask for each of them.
    #[test]
    fn more_requests_are_admitted_for_more_registrations_and_none_before_the_flow_opens() {
        let (now, policy) = (crate::tests::origin(), Policy::default());
        for users in [1, 1000] {
            let mut flows = Flows::default();
            for index in 0..users {
                let key = Key { index, generation: 0 };
                flows.join(&udp(), key, &Policy::default());
            }
            let id = FlowId(0);
            let early = flows.admit(now, id, udp().remote, &policy);
            assert_eq!(early, Reception::Ignore);
            flows.opened(id, &opened());
            let mut admitted = |source: &str, wanted| {
                let admit = |_: &u32| flows.admit(now, id, source.parse().unwrap(), &policy) == wanted;
                (0..10_000).filter(admit).count()
            };
            let most = 8 * users as usize;
            assert_eq!(admitted("127.0.0.2:5060", Reception::OnlyTell), most);
            assert_eq!(
                admitted("127.0.0.1:9", Reception::Answer),
                most,
                "strangers leave the peer its share"
            );
            assert_eq!(admitted("[::ffff:127.0.0.1]:5060", Reception::Ignore), 10_000);
        }
    }

    #[test]
    fn registrations_are_dealt_to_as_many_flows_as_the_policy_says() {
        let policy = Policy {
            flows_per_target: std::num::NonZeroU32::new(3).unwrap(),
            ..Policy::default()
        };
        let mut flows = Flows::default();
        let joined: Vec<Joined> = (0..5)
            .map(|index| flows.join(&udp(), Key { index, generation: 0 }, &policy))
            .collect();
        let [first, second, third] = [0, 1, 2].map(FlowId);
        let new = [first, second, third].map(Joined::New);
        assert_eq!(joined[..3], new);
        assert_eq!(joined[3..], [Joined::Opening(first), Joined::Opening(second)]);
        flows.retire(second);
        let late = flows.join(&udp(), Key { index: 7, generation: 0 }, &policy);
        assert!(matches!(late, Joined::New(_)), "nobody joins a flow that may be dead");
    }

    #[test]
    fn registrations_to_one_endpoint_share_a_flow_until_the_last_leaves() {
        let endpoint = Endpoint {
            transport: Transport::Tcp,
            remote: "127.0.0.1:5060".parse().unwrap(),
            server_name: "h".into(),
        };
        let (one, two) = (Key { index: 1, generation: 0 }, Key { index: 2, generation: 0 });
        let mut flows = Flows::default();
        let Joined::New(id) = flows.join(&endpoint, one, &Policy::default()) else {
            panic!("the first opens it")
        };
        assert_eq!(flows.join(&endpoint, two, &Policy::default()), Joined::Opening(id));
        let opened = Opened {
            local: "127.0.0.1:40000".parse().unwrap(),
            connected_at: None,
            tls: None,
        };
        assert_eq!(flows.opened(id, &opened), [one, two]);
        assert_eq!(flows.join(&endpoint, two, &Policy::default()), Joined::Open(id));
        assert!(!flows.leave(id, one));
        assert!(flows.leave(id, two));
        assert!(matches!(flows.join(&endpoint, one, &Policy::default()), Joined::New(other) if other != id));
    }
}
