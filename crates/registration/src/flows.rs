//! The flows that are open or opening, shared by the registrations that use them (RFC 5626 §3.1). Framing of streams happens here.

mod pulse;
mod sites;
mod users;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use sip_message::Framer;

pub(crate) use self::pulse::{Beat, Ping};
use self::pulse::{Pulse, Pulses};
pub(crate) use self::sites::SiteId;
use self::sites::Sites;
pub(crate) use self::users::Claim;
use self::users::Users;
use crate::allowance::Allowance;
use crate::{Endpoint, FlowId, Key, Opened, Policy, TlsFacts, Transport, host_port};

/// Every flow of a registrant.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    by_id: BTreeMap<FlowId, Flow>,
    sites: Sites,
    pulses: Pulses,
    next: u64,
    keeps_rests: bool,
    /// What streams held of a message when they ended, for who looks on.
    pub(crate) rests: Vec<Rest>,
}

/// What a stream held of a message when it ended.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) transport: Transport,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// One flow.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) endpoint: Endpoint,
    site: SiteId,
    /// Which of its site's flows it is.
    lane: u32,
    /// Nobody joins it any more.
    retired: bool,
    pub(crate) condition: Condition,
    users: Users,
    framer: Framer,
    pulse: Pulse,
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
        /// The same as it is written into messages.
        host_port: Arc<str>,
        /// What TLS showed.
        tls: Option<Arc<TlsFacts>>,
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

/// Where a registration is at home, and the flow that it used last.
#[derive(Debug)]
pub(crate) struct Residence<'a> {
    pub(crate) flow: Option<FlowId>,
    pub(crate) home: &'a mut Option<SiteId>,
}

impl Flows {
    /// Puts a registration on its flow to this endpoint: on the one that it has, if that leads there.
    pub(crate) fn join(&mut self, endpoint: &Endpoint, key: Key, residence: Residence<'_>, policy: &Policy) -> Joined {
        let present = residence.flow.and_then(|id| self.by_id.get(&id).map(|flow| (id, flow)));
        if let Some((id, flow)) = present
            && !flow.retired
            && flow.endpoint == *endpoint
        {
            return flow.condition.joined(id);
        }
        let lane = key.index % policy.flows_per_target;
        let site = self.sites.find_or_make(endpoint);
        let joined = match self.sites.lane(site, lane) {
            Some(id) => self.by_id.get(&id).map(|flow| flow.condition.joined(id)),
            None => None,
        };
        let joined = joined.unwrap_or_else(|| Joined::New(self.make(endpoint, site, lane)));
        let (Joined::Open(id) | Joined::Opening(id) | Joined::New(id)) = joined;
        if self.by_id.get_mut(&id).is_some_and(|flow| flow.users.join(key)) {
            self.sites.arrive(site);
        }
        self.sites.move_in(residence.home, site);
        joined
    }

    fn make(&mut self, endpoint: &Endpoint, site: SiteId, lane: u32) -> FlowId {
        let id = FlowId(self.next);
        self.next += 1;
        let flow = Flow {
            endpoint: endpoint.clone(),
            site,
            lane,
            retired: false,
            condition: Condition::Opening,
            users: Users::default(),
            framer: Framer::default(),
            pulse: Pulse::None,
            for_peer: Allowance::default(),
            for_strangers: Allowance::default(),
        };
        self.by_id.insert(id, flow);
        self.sites.open_lane(site, lane, id);
        id
    }

    /// A registration is gone from where it was at home.
    pub(crate) fn move_out(&mut self, home: SiteId) {
        self.sites.move_out(home);
    }

    /// How many registrations are at home there and have lost their way there.
    pub(crate) fn stranded(&self, home: Option<SiteId>) -> u32 {
        home.map_or(0, |home| self.sites.stranded(home))
    }

    /// A registration at home there has failed, besides so many others; counts it until [`Self::recover`]. Says how many that are now.
    pub(crate) fn struggle(&mut self, home: SiteId) -> u32 {
        self.sites.struggle(home)
    }

    /// A registration that had failed has not any more.
    pub(crate) fn recover(&mut self, home: SiteId) {
        self.sites.recover(home);
    }

    /// Takes a registration off a flow. True when nobody uses the flow any more, so that it is gone from here and wants closing.
    pub(crate) fn leave(&mut self, id: FlowId, key: Key) -> bool {
        let Some(flow) = self.by_id.get_mut(&id) else { return false };
        if flow.users.leave(key) {
            self.sites.depart(flow.site, 1);
        }
        flow.users.is_empty() && self.remove(id).is_some()
    }

    /// The world opened it. Returns its users, or none for a flow that we gave up meanwhile.
    pub(crate) fn opened(&mut self, id: FlowId, opened: &Opened) -> Vec<Key> {
        let Some(flow) = self.by_id.get_mut(&id) else { return Vec::new() };
        flow.condition = Condition::Open {
            local: opened.local,
            host_port: host_port(opened.local).into(),
            tls: opened.tls.clone().map(Arc::new),
        };
        flow.users.keys().collect()
    }

    /// Who uses it.
    pub(crate) fn users(&self, id: FlowId) -> Vec<Key> {
        self.by_id.get(&id).map_or_else(Vec::new, |flow| flow.users.keys().collect())
    }

    /// Keeps from now on what a stream holds of a message when it ends.
    pub(crate) const fn keep_rests(&mut self) {
        self.keeps_rests = true;
    }

    /// It is gone. Returns its users.
    pub(crate) fn remove(&mut self, id: FlowId) -> Option<Vec<Key>> {
        self.retire(id);
        self.set_pulse(id, Pulse::None);
        let flow = self.by_id.remove(&id)?;
        if self.keeps_rests {
            self.rests.extend(flow.rest());
        }
        self.sites.depart(flow.site, flow.users.len());
        self.sites.lose_flow(flow.site);
        Some(flow.users.into_keys())
    }

    /// It may be dead: whoever uses it keeps it, and nobody else joins it.
    pub(crate) fn retire(&mut self, id: FlowId) {
        if let Some(flow) = self.by_id.get_mut(&id) {
            flow.retired = true;
            self.sites.close_lane(flow.site, flow.lane, id);
        }
    }

    /// A registration asks to bind a Contact with this user part on a flow of its own; requests for it come there.
    pub(crate) fn claim(&mut self, id: FlowId, key: Key, claim: Claim) {
        if let Some(flow) = self.by_id.get_mut(&id) {
            flow.users.claim(key, claim);
        }
    }

    /// Who may have asked to bind a Contact with this user part on the flow; without one, everybody who asked to bind any.
    pub(crate) fn claimants(&self, id: FlowId, claim: Option<Claim>) -> impl Iterator<Item = Key> + '_ {
        self.by_id.get(&id).into_iter().flat_map(move |flow| flow.users.claimants(claim))
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
        self.by_id.get(&id)?.users.keys().next()
    }

    /// The registration that a flow belongs to, when it belongs to one alone.
    pub(crate) fn sole_user(&self, id: FlowId) -> Option<Key> {
        let mut users = self.by_id.get(&id)?.users.keys();
        users.next().filter(|_| users.next().is_none())
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

impl Condition {
    const fn joined(&self, id: FlowId) -> Joined {
        match self {
            Self::Open { .. } => Joined::Open(id),
            Self::Opening => Joined::Opening(id),
        }
    }
}

impl Flow {
    /// What it holds of a message.
    fn rest(&self) -> Option<Rest> {
        let bytes = self.framer.rest().to_vec();
        Some(Rest {
            transport: self.endpoint.transport,
            local: self.local()?,
            remote: self.endpoint.remote,
            bytes,
        })
        .filter(|rest| !rest.bytes.is_empty())
    }

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

    /// Joins without having been anywhere.
    fn join(flows: &mut Flows, endpoint: &Endpoint, key: Key, policy: &Policy) -> Joined {
        let residence = Residence {
            flow: None,
            home: &mut None,
        };
        flows.join(endpoint, key, residence, policy)
    }

    #[test]
    fn who_is_on_its_flow_stays_there_and_where_it_is_at_home_survives_the_flow() {
        let (policy, mut flows) = (Policy::default(), Flows::default());
        let keys = [0, 1].map(|index| Key { index, generation: 0 });
        let mut homes = [None; 2];
        for (key, home) in keys.into_iter().zip(&mut homes) {
            flows.join(&udp(), key, Residence { flow: None, home }, &policy);
        }
        flows.opened(FlowId(0), &opened());
        let again = Residence {
            flow: Some(FlowId(0)),
            home: &mut homes[0],
        };
        assert_eq!(flows.join(&udp(), keys[0], again, &policy), Joined::Open(FlowId(0)));
        assert_eq!(flows.stranded(homes[0]), 0);
        flows.remove(FlowId(0));
        assert_eq!(flows.stranded(homes[1]), 2, "both will come back there");
        let again = Residence {
            flow: Some(FlowId(0)),
            home: &mut homes[1],
        };
        assert_eq!(flows.join(&udp(), keys[1], again, &policy), Joined::New(FlowId(1)));
        assert_eq!(flows.stranded(homes[0]), 1, "one is back");
        homes.into_iter().flatten().for_each(|home| flows.move_out(home));
        assert_eq!(flows.stranded(homes[0]), 0);
    }

    /// A registrar that holds a thousand bindings over one flow may ask for each of them.
    #[test]
    fn more_requests_are_admitted_for_more_registrations_and_none_before_the_flow_opens() {
        let (now, policy) = (crate::tests::origin(), Policy::default());
        for users in [1, 1000] {
            let mut flows = Flows::default();
            for index in 0..users {
                let key = Key { index, generation: 0 };
                join(&mut flows, &udp(), key, &Policy::default());
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
            .map(|index| join(&mut flows, &udp(), Key { index, generation: 0 }, &policy))
            .collect();
        let [first, second, third] = [0, 1, 2].map(FlowId);
        let new = [first, second, third].map(Joined::New);
        assert_eq!(joined[..3], new);
        assert_eq!(joined[3..], [Joined::Opening(first), Joined::Opening(second)]);
        flows.retire(second);
        let late = join(&mut flows, &udp(), Key { index: 7, generation: 0 }, &policy);
        assert!(matches!(late, Joined::New(_)), "nobody joins a flow that may be dead");
    }

    /// "One connection for each user": as many lanes as there are users, or more.
    #[test]
    fn with_a_lane_for_each_everybody_has_a_flow_of_its_own_and_again_after_a_loss() {
        let policy = Policy {
            flows_per_target: std::num::NonZeroU32::MAX,
            ..Policy::default()
        };
        let mut flows = Flows::default();
        let keys = [0, 1, 2].map(|index| Key { index, generation: 0 });
        let joined = keys.map(|key| join(&mut flows, &udp(), key, &policy));
        assert_eq!(joined, [0, 1, 2].map(|id| Joined::New(FlowId(id))));
        flows.remove(FlowId(1));
        assert_eq!(join(&mut flows, &udp(), keys[1], &policy), Joined::New(FlowId(3)));
        flows.opened(FlowId(3), &opened());
        assert_eq!(join(&mut flows, &udp(), keys[1], &policy), Joined::Open(FlowId(3)));
        assert_eq!(flows.sole_user(FlowId(3)), Some(keys[1]));
        assert_eq!(
            join(&mut flows, &udp(), keys[2], &policy),
            Joined::Opening(FlowId(2)),
            "the others stay"
        );
    }

    #[test]
    fn a_registration_on_a_flow_takes_few_bytes_and_a_refresh_takes_none() {
        const USERS: u32 = 10_000;
        let (policy, endpoint) = (Policy::default(), udp());
        let mut flows = Flows::default();
        let mut homes = vec![None; USERS as usize];
        let mut round = |flows: &mut Flows, present: Option<FlowId>| {
            for (index, home) in (0..).zip(&mut homes) {
                let (key, residence) = (Key { index, generation: 0 }, Residence { flow: present, home });
                flows.join(&endpoint, key, residence, &policy);
                flows.claim(FlowId(0), key, Claim::of(index.to_be_bytes().into_iter()));
            }
        };
        let first = allocation_counter::measure(|| round(&mut flows, None));
        let each = first.bytes_current / i64::from(USERS);
        assert!((1..=64).contains(&each), "{each} bytes each");
        flows.opened(FlowId(0), &opened());
        let again = allocation_counter::measure(|| round(&mut flows, Some(FlowId(0))));
        assert_eq!(again.count_total, 0);
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
        let Joined::New(id) = join(&mut flows, &endpoint, one, &Policy::default()) else {
            panic!("the first opens it")
        };
        assert_eq!(join(&mut flows, &endpoint, two, &Policy::default()), Joined::Opening(id));
        let opened = Opened {
            local: "127.0.0.1:40000".parse().unwrap(),
            connected_at: None,
            tls: None,
        };
        assert_eq!(flows.opened(id, &opened), [one, two]);
        assert_eq!(join(&mut flows, &endpoint, two, &Policy::default()), Joined::Open(id));
        assert!(!flows.leave(id, one));
        assert!(flows.leave(id, two));
        assert!(matches!(join(&mut flows, &endpoint, one, &Policy::default()), Joined::New(other) if other != id));
    }
}
