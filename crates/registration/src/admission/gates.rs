//! The gates before the registrars: who may start, who waits, and when the next may. Pure, one queue a registrar. Not for what starts.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Instant;

use crate::allowance::Allowance;
use crate::{Account, Admission, Key};

/// The gates of a registrant.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    by_name: BTreeMap<Name, GateId>,
    gates: BTreeMap<GateId, Gate>,
    /// The one that was made last.
    last: Option<GateId>,
    /// The gates whose last registration has left, and until when they stay: who comes for each exchange anew keeps to the pace too.
    left: BTreeSet<(Instant, GateId)>,
    /// The gates where somebody waits who may start without anybody else's doing, and when.
    ready: BTreeSet<(Instant, GateId)>,
    /// Numbers those who wait.
    arrivals: u64,
}

/// A gate. Never zero, so that a registration that has none keeps no more room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GateId(NonZeroU32);

/// A next hop as it is written: host, port and transport.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name(String);

#[derive(Debug)]
struct Gate {
    name: Name,
    /// The registrations that belong here.
    members: u32,
    in_flight: u32,
    pace: Allowance,
    waiting: BTreeMap<Place, Key>,
    /// Its entry among those that are ready.
    ready_at: Option<Instant>,
}

/// A place in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    rank: Rank,
    arrival: u64,
}

/// Who goes before whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Removes a binding.
    Removal,
    /// Keeps a binding that ends at this moment.
    Holding(Instant),
    /// Anything else.
    Other,
}

impl Gates {
    /// The gate that an account's exchanges go through; `None` where nothing is bounded.
    pub(crate) fn join(&mut self, now: Instant, account: &Account, admission: &Admission) -> Option<GateId> {
        if !admission.is_limited() {
            return None;
        }
        self.tidy(now);
        let name = Name::of(account);
        let id = match self.by_name.get(&name) {
            Some(id) => *id,
            None => self.build(name),
        };
        if let Some(gate) = self.gates.get_mut(&id) {
            if gate.members == 0 {
                gate.pace.even_at().map(|even_at| self.left.remove(&(even_at, id)));
            }
            gate.members += 1;
        }
        Some(id)
    }

    fn build(&mut self, name: Name) -> GateId {
        let next = self.last.and_then(|last| last.0.checked_add(1));
        let id = GateId(next.unwrap_or(NonZeroU32::MIN));
        self.last = Some(id);
        self.by_name.insert(name.clone(), id);
        let gate = Gate {
            name,
            members: 0,
            in_flight: 0,
            pace: Allowance::default(),
            waiting: BTreeMap::new(),
            ready_at: None,
        };
        self.gates.insert(id, gate);
        id
    }

    /// A registration is gone; it neither waits nor has anything under way.
    pub(crate) fn leave(&mut self, now: Instant, id: GateId) {
        let Some(gate) = self.gates.get_mut(&id) else { return };
        gate.members = gate.members.saturating_sub(1);
        if gate.members == 0 {
            self.left.insert((gate.pace.even_at().unwrap_or(now), id));
            self.tidy(now);
        }
    }

    /// Takes the gates away that nobody belongs to and whose pace is made up for.
    fn tidy(&mut self, now: Instant) {
        while let Some((_, id)) = self.left.first().copied().filter(|(even_at, _)| *even_at <= now) {
            self.left.pop_first();
            if let Some(gate) = self.gates.remove(&id) {
                self.by_name.remove(&gate.name);
                gate.ready_at.map(|at| self.ready.remove(&(at, id)));
            }
        }
    }

    /// Lets a registration start now, or gives it a place among those who wait. Nobody who starts now passes somebody of an equal rank.
    pub(crate) fn ask(&mut self, now: Instant, id: GateId, key: Key, rank: Rank, admission: &Admission) -> Option<Place> {
        let gate = self.gates.get_mut(&id)?;
        let is_first = gate.waiting.keys().next().is_none_or(|place| rank < place.rank);
        if is_first && gate.may_start_at(now, admission).is_some_and(|at| at <= now) {
            gate.start(now, admission);
            self.settle(now, id, admission);
            return None;
        }
        let place = Place {
            rank,
            arrival: self.arrivals,
        };
        self.arrivals += 1;
        gate.waiting.insert(place, key);
        self.settle(now, id, admission);
        Some(place)
    }

    /// Who waited at this place does not want to start any more.
    pub(crate) fn withdraw(&mut self, now: Instant, id: GateId, place: Place, admission: &Admission) {
        if let Some(gate) = self.gates.get_mut(&id) {
            gate.waiting.remove(&place);
            self.settle(now, id, admission);
        }
    }

    /// An exchange that was let in is over.
    pub(crate) fn finished(&mut self, now: Instant, id: GateId, admission: &Admission) {
        if let Some(gate) = self.gates.get_mut(&id) {
            gate.in_flight = gate.in_flight.saturating_sub(1);
            self.settle(now, id, admission);
        }
    }

    /// When the next of those who wait may start by the pace alone.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.ready.first().map(|(at, _)| *at)
    }

    /// Lets the next one in. It counts as started.
    pub(crate) fn pop_ready(&mut self, now: Instant, admission: &Admission) -> Option<Key> {
        let (_, id) = *self.ready.first().filter(|(at, _)| *at <= now)?;
        let gate = self.gates.get_mut(&id)?;
        let key = gate.waiting.pop_first().map(|(_, key)| key);
        if key.is_some() {
            gate.start(now, admission);
        }
        self.settle(now, id, admission);
        key
    }

    /// Notes when somebody may start at this gate, after anything about it has changed.
    fn settle(&mut self, now: Instant, id: GateId, admission: &Admission) {
        let Some(gate) = self.gates.get_mut(&id) else { return };
        let wanted = if gate.waiting.is_empty() {
            None
        } else {
            gate.may_start_at(now, admission)
        };
        let is_due = |at: &Instant| *at <= now;
        if gate.ready_at == wanted || (gate.ready_at.is_some_and(|at| is_due(&at)) && wanted.is_some_and(|at| is_due(&at))) {
            return;
        }
        if let Some(former) = std::mem::replace(&mut gate.ready_at, wanted) {
            self.ready.remove(&(former, id));
        }
        if let Some(at) = wanted {
            self.ready.insert((at, id));
        }
    }
}

impl Gate {
    /// When one more may start, not before `now`; `None` while too many are under way.
    fn may_start_at(&self, now: Instant, admission: &Admission) -> Option<Instant> {
        let full = admission.most_in_flight.is_some_and(|most| self.in_flight >= most.get());
        let horizon = admission.interval.saturating_mul(admission.burst.get());
        (!full).then(|| self.pace.ready_at(now, admission.interval, horizon))
    }

    fn start(&mut self, now: Instant, admission: &Admission) {
        self.in_flight += 1;
        let horizon = admission.interval.saturating_mul(admission.burst.get());
        self.pace.take(now, admission.interval, horizon);
    }
}

impl Name {
    fn of(account: &Account) -> Self {
        if let Some(target) = &account.target {
            let endpoint = &target.endpoint;
            return Self(format!("{} {}", endpoint.remote, endpoint.transport.name()));
        }
        let next_hop = account.outbound_proxy.as_ref().unwrap_or(&account.registrar).parts();
        let transport = match account.transport {
            Some(transport) => transport.name().as_bytes(),
            None => next_hop.transport().unwrap_or_default(),
        };
        let transport = String::from_utf8_lossy(transport);
        let name = format!("{} {:?} {} {transport}", next_hop.host, next_hop.port, next_hop.secure);
        Self(name.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::tests::{account, origin};

    fn bounds(interval: u64, burst: u32, most: u32) -> Admission {
        Admission {
            interval: Duration::from_millis(interval),
            burst: NonZeroU32::new(burst).unwrap(),
            most_in_flight: NonZeroU32::new(most),
            ..Admission::UNLIMITED
        }
    }

    const fn key(index: u32) -> Key {
        Key { index, generation: 0 }
    }

    fn gate(admission: &Admission) -> (Gates, GateId) {
        let mut gates = Gates::default();
        let id = gates.join(origin(), &account(), admission).unwrap();
        (gates, id)
    }

    #[test]
    fn removals_go_first_then_what_ends_soonest_then_the_others_in_order() {
        let (now, admission) = (origin(), bounds(0, 1, 1));
        let (mut gates, id) = gate(&admission);
        assert_eq!(gates.ask(now, id, key(0), Rank::Other, &admission), None);
        let ends = |seconds| Rank::Holding(now + Duration::from_secs(seconds));
        let ranks = [Rank::Other, ends(90), Rank::Other, ends(60), Rank::Removal, ends(90), Rank::Removal];
        for (index, rank) in (1..).zip(ranks) {
            assert!(gates.ask(now, id, key(index), rank, &admission).is_some());
        }
        assert_eq!(gates.next(), None, "no pace lets anybody in, only an end");
        let order: Vec<u32> = std::iter::from_fn(|| {
            gates.finished(now, id, &admission);
            gates.pop_ready(now, &admission)
        })
        .map(|key| key.index)
        .collect();
        assert_eq!(order, [5, 7, 4, 2, 6, 1, 3]);
    }

    #[test]
    fn the_next_start_is_due_when_the_pace_allows_it() {
        let (now, admission) = (origin(), bounds(100, 2, 0));
        let (mut gates, id) = gate(&admission);
        let asked = (0..4).map(|index| gates.ask(now, id, key(index), Rank::Other, &admission).is_some());
        assert_eq!(asked.collect::<Vec<_>>(), [false, false, true, true]);
        let at = |milliseconds| now + Duration::from_millis(milliseconds);
        assert_eq!(gates.next(), Some(at(100)));
        assert_eq!(gates.pop_ready(at(99), &admission), None);
        assert_eq!(gates.pop_ready(at(100), &admission), Some(key(2)));
        assert_eq!(gates.next(), Some(at(200)));
        assert_eq!(gates.pop_ready(at(150), &admission), None);
    }

    #[test]
    fn who_withdraws_leaves_no_gap_and_a_gate_goes_with_its_last_registration() {
        let (now, admission) = (origin(), bounds(100, 1, 0));
        let (mut gates, id) = gate(&admission);
        assert_eq!(gates.join(now, &account(), &admission), Some(id));
        assert_eq!(gates.ask(now, id, key(0), Rank::Other, &admission), None);
        let place = gates.ask(now, id, key(1), Rank::Other, &admission).unwrap();
        assert!(gates.ask(now, id, key(2), Rank::Other, &admission).is_some());
        gates.withdraw(now, id, place, &admission);
        assert_eq!(gates.pop_ready(now + admission.interval, &admission), Some(key(2)));
        assert_eq!(gates.next(), None);
        let even_at = now + 2 * admission.interval;
        gates.leave(even_at, id);
        assert_eq!(gates.gates.len(), 1);
        gates.leave(even_at, id);
        assert!(gates.gates.is_empty() && gates.by_name.is_empty());
    }

    #[test]
    fn who_comes_for_each_exchange_anew_keeps_to_the_pace_and_a_gate_goes_when_that_is_even() {
        let (now, admission) = (origin(), bounds(100, 1, 1));
        let mut gates = Gates::default();
        let mut starts = Vec::new();
        for round in 0..10_u32 {
            let at = now + round * admission.interval / 2;
            let id = gates.join(at, &account(), &admission).unwrap();
            match gates.ask(at, id, key(round), Rank::Other, &admission) {
                Some(place) => gates.withdraw(at, id, place, &admission),
                None => {
                    starts.push(round);
                    gates.finished(at, id, &admission);
                }
            }
            gates.leave(at, id);
            assert_eq!((gates.gates.len(), gates.left.len()), (1, 1));
        }
        assert_eq!(starts, [0, 2, 4, 6, 8]);
        let other = Account {
            registrar: "sip:other.example.test".parse().unwrap(),
            ..account()
        };
        gates.join(now + 10 * admission.interval, &other, &admission);
        assert_eq!((gates.gates.len(), gates.by_name.len(), gates.left.len()), (1, 1, 0));
    }

    #[test]
    fn registrars_are_told_apart_by_host_port_and_transport_whatever_the_case() {
        let admission = bounds(100, 1, 0);
        let mut gates = Gates::default();
        let mut join = |registrar: &str, proxy: Option<&str>| {
            let account = Account {
                registrar: registrar.parse().unwrap(),
                outbound_proxy: proxy.map(|proxy| proxy.parse().unwrap()),
                ..account()
            };
            gates.join(origin(), &account, &admission).unwrap()
        };
        let plain = join("sip:pbx.test", None);
        assert_eq!(join("sip:PBX.test", None), plain);
        assert_eq!(join("sip:other.test", Some("sip:pbx.test;lr")), plain, "the next hop counts");
        for other in ["sip:pbx.test:5062", "sip:pbx.test;transport=tcp", "sips:pbx.test", "sip:other.test"] {
            assert_ne!(join(other, None), plain, "{other}");
        }
        assert_eq!(Gates::default().join(origin(), &account(), &Admission::UNLIMITED), None);
    }

    proptest! {
        /// Whoever asks, gives up and ends in whatever order: the bounds hold, and nobody waits who could go.
        #[test]
        fn the_bounds_hold_and_nobody_waits_for_nothing(
            burst in 1_u32..4,
            most in 1_u32..4,
            steps in proptest::collection::vec((0_u8..4, 0_u64..150), 1..200),
        ) {
            let admission = bounds(100, burst, most);
            let (mut gates, id) = gate(&admission);
            let (start, mut now) = (origin(), origin());
            let (mut under_way, mut places, mut started) = (0_u32, BTreeMap::new(), Vec::new());
            for (index, (step, wait)) in (0..).zip(steps) {
                now += Duration::from_millis(wait);
                match step {
                    0 | 1 => match gates.ask(now, id, key(index), Rank::Other, &admission) {
                        Some(place) => { places.insert(key(index), place); }
                        None => { under_way += 1; started.push(now); }
                    },
                    2 if under_way > 0 => { under_way -= 1; gates.finished(now, id, &admission); }
                    _ => if let Some((_, place)) = places.pop_first() { gates.withdraw(now, id, place, &admission); }
                }
                while let Some(key) = gates.pop_ready(now, &admission) {
                    prop_assert!(places.remove(&key).is_some());
                    under_way += 1;
                    started.push(now);
                }
                prop_assert!(under_way <= most);
                let waits_for_pace = gates.next().is_some_and(|at| at > now);
                prop_assert!(places.is_empty() || under_way == most || waits_for_pace);
            }
            for (number, at) in (0_u32..).zip(&started) {
                for (before, from) in (0_u32..).zip(&started[..number as usize]) {
                    // So many within that time: a burst, and one each interval.
                    let allowed = burst + ((*at - *from).as_millis() / 100) as u32;
                    prop_assert!(number - before < allowed + 1, "after {:?}", *at - start);
                }
            }
        }
    }
}
