//! The places that flows lead to: an endpoint each, its flows that others may join, and how many registrations call it their home, also
//! while none of its flows is open. Not for the flows themselves.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::{Endpoint, FlowId};

/// Every place that a registration or a flow belongs to.
#[derive(Debug, Default)]
pub(super) struct Sites {
    sites: BTreeMap<SiteId, Site>,
    by_endpoint: BTreeMap<Endpoint, SiteId>,
    /// The one that was made last.
    last: Option<SiteId>,
}

/// A place. Never zero, so that a registration that has none keeps no more room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SiteId(NonZeroU32);

#[derive(Debug)]
struct Site {
    endpoint: Endpoint,
    /// The registrations that went there last.
    members: u32,
    /// How many use the flows there, those counted twice that use two.
    users: u32,
    /// The members whose last registration failed.
    struggling: u32,
    /// The flows there, those that nobody may join included.
    flows: u32,
    /// The flows that others may join: [`crate::Policy::flows_per_target`] of them at most, numbered.
    lanes: BTreeMap<u32, FlowId>,
    /// The peer has answered a ping on a stream.
    answers_pings: bool,
}

impl Sites {
    /// The place with this endpoint. Whoever makes one enters it or opens a flow to it: it goes with its last member and flow.
    pub(super) fn find_or_make(&mut self, endpoint: &Endpoint) -> SiteId {
        if let Some(id) = self.by_endpoint.get(endpoint) {
            return *id;
        }
        let next = self.last.and_then(|last| last.0.checked_add(1));
        let id = SiteId(next.unwrap_or(NonZeroU32::MIN));
        self.last = Some(id);
        self.by_endpoint.insert(endpoint.clone(), id);
        let site = Site {
            endpoint: endpoint.clone(),
            members: 0,
            users: 0,
            struggling: 0,
            flows: 0,
            lanes: BTreeMap::new(),
            answers_pings: false,
        };
        self.sites.insert(id, site);
        id
    }

    /// Makes this the home of a registration, instead of the one that it had.
    pub(super) fn move_in(&mut self, home: &mut Option<SiteId>, id: SiteId) {
        if *home == Some(id) {
            return;
        }
        if let Some(former) = home.replace(id) {
            self.move_out(former);
        }
        self.sites.entry(id).and_modify(|site| site.members += 1);
    }

    /// A registration is gone from its home.
    pub(super) fn move_out(&mut self, id: SiteId) {
        self.change(id, |site| site.members = site.members.saturating_sub(1));
    }

    /// A registration uses one of its flows.
    pub(super) fn arrive(&mut self, id: SiteId) {
        self.sites.entry(id).and_modify(|site| site.users += 1);
    }

    /// So many do not use one of its flows any more.
    pub(super) fn depart(&mut self, id: SiteId, users: usize) {
        let users = u32::try_from(users).unwrap_or(u32::MAX);
        self.sites
            .entry(id)
            .and_modify(|site| site.users = site.users.saturating_sub(users));
    }

    /// How many are at home there and have no flow that leads there.
    pub(super) fn stranded(&self, id: SiteId) -> u32 {
        self.sites.get(&id).map_or(0, |site| site.members.saturating_sub(site.users))
    }

    /// Counts a registration that has failed among those that did there.
    pub(super) fn struggle(&mut self, id: SiteId) -> u32 {
        self.sites.get_mut(&id).map_or(0, |site| {
            site.struggling += 1;
            site.struggling
        })
    }

    /// One of those that had failed has not any more.
    pub(super) fn recover(&mut self, id: SiteId) {
        self.sites
            .entry(id)
            .and_modify(|site| site.struggling = site.struggling.saturating_sub(1));
    }

    /// Whether the peer has ever answered a ping there.
    pub(super) fn answers_pings(&self, id: SiteId) -> bool {
        self.sites.get(&id).is_some_and(|site| site.answers_pings)
    }

    /// The peer answered a ping.
    pub(super) fn has_answered_ping(&mut self, id: SiteId) {
        self.sites.entry(id).and_modify(|site| site.answers_pings = true);
    }

    /// The flow of a lane.
    pub(super) fn lane(&self, id: SiteId, lane: u32) -> Option<FlowId> {
        self.sites.get(&id)?.lanes.get(&lane).copied()
    }

    /// A flow leads there now, and others may join it.
    pub(super) fn open_lane(&mut self, id: SiteId, lane: u32, flow: FlowId) {
        self.change(id, |site| {
            site.flows += 1;
            site.lanes.insert(lane, flow);
        });
    }

    /// Nobody joins this flow any more.
    pub(super) fn close_lane(&mut self, id: SiteId, lane: u32, flow: FlowId) {
        self.change(id, |site| {
            if site.lanes.get(&lane) == Some(&flow) {
                site.lanes.remove(&lane);
            }
        });
    }

    /// A flow that led there is gone.
    pub(super) fn lose_flow(&mut self, id: SiteId) {
        self.change(id, |site| site.flows = site.flows.saturating_sub(1));
    }

    /// Changes a place, and forgets it when nothing belongs to it any more.
    fn change(&mut self, id: SiteId, change: impl FnOnce(&mut Site)) {
        let Some(site) = self.sites.get_mut(&id) else { return };
        change(site);
        if site.members == 0
            && site.flows == 0
            && let Some(site) = self.sites.remove(&id)
        {
            self.by_endpoint.remove(&site.endpoint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;

    fn endpoint(port: u16) -> Endpoint {
        Endpoint {
            transport: Transport::Udp,
            remote: ([192, 0, 2, 1], port).into(),
            server_name: "h".into(),
        }
    }

    #[test]
    fn a_place_lasts_as_long_as_somebody_lives_there_or_a_flow_leads_there() {
        let mut sites = Sites::default();
        let (one, other) = (sites.find_or_make(&endpoint(1)), sites.find_or_make(&endpoint(2)));
        let mut homes = [None, None];
        homes.iter_mut().for_each(|home| sites.move_in(home, one));
        sites.move_in(&mut homes[0], one);
        assert_eq!(sites.stranded(one), 2);
        sites.open_lane(one, 0, FlowId(7));
        sites.arrive(one);
        assert_eq!(sites.stranded(one), 1);
        sites.depart(one, 1);
        sites.open_lane(other, 0, FlowId(8));
        sites.move_in(&mut homes[0], other);
        sites.move_out(one);
        assert_eq!((sites.stranded(one), sites.lane(one, 0)), (0, Some(FlowId(7))));
        sites.close_lane(one, 0, FlowId(6));
        assert_eq!(sites.lane(one, 0), Some(FlowId(7)), "another flow's end closes no lane");
        sites.close_lane(one, 0, FlowId(7));
        sites.lose_flow(one);
        assert_eq!((sites.sites.len(), sites.by_endpoint.len()), (1, 1));
        assert_eq!(sites.find_or_make(&endpoint(2)), other);
    }

    #[test]
    fn who_fails_is_counted_until_it_does_not() {
        let mut sites = Sites::default();
        let site = sites.find_or_make(&endpoint(1));
        assert_eq!([sites.struggle(site), sites.struggle(site)], [1, 2]);
        sites.recover(site);
        assert_eq!(sites.struggle(site), 2);
        assert_eq!(sites.struggle(SiteId(NonZeroU32::MAX)), 0, "nobody lives where nothing is");
    }
}
