//! How a registration's exchange starts: at once, after its jitter, or when its turn has come at the registrar ([`crate::Admission`]).
//! Not for who goes before whom: that is [`crate::admission::gates`]'s.

use std::time::{Duration, Instant};

use rand::RngExt as _;

use super::{Registration, Standing};
use crate::admission::gates::{Place, Rank};
use crate::exchange::{Cx, Exchange, Party};
use crate::{FlowId, Goal, backoff};

/// An exchange that has not begun yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) goal: Goal,
    turn: Turn,
}

/// What it waits for.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// A moment.
    At(Instant),
    /// Its turn at the registrar.
    Queued(Place),
}

/// How many may send at once on a flow that has just opened.
const AT_ONCE: usize = 100;

impl Waiting {
    /// When it asks to start; `None` when it has asked.
    pub(super) const fn until(&self) -> Option<Instant> {
        match self.turn {
            Turn::At(at) => Some(at),
            Turn::Queued(_) => None,
        }
    }

    /// Whether it would have refreshed what has just lapsed.
    pub(super) fn keeps_a_binding(&self) -> bool {
        self.goal == Goal::Register && matches!(self.turn, Turn::Queued(_))
    }
}

impl Registration {
    /// Something is due.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.exchange.is_some() {
            self.exchange(cx, Exchange::handle_timeout);
        } else if self.waiting.is_some() {
            self.handle_put_off(cx);
        } else if self.standing.due_at().is_some_and(|at| cx.now >= at) {
            self.by_itself = true;
            self.start(cx, Goal::Register);
        }
    }

    /// An order starts: after a random part of the policy's jitter.
    pub(super) fn put_off(&mut self, cx: &mut Cx<'_>, goal: Goal) {
        self.by_itself = false;
        let jitter = cx.policy.admission.jitter;
        if jitter.is_zero() {
            return self.start(cx, goal);
        }
        let turn = Turn::At(cx.now + cx.rng.random_range(Duration::ZERO..=jitter));
        self.waiting = Some(Waiting { goal, turn });
    }

    /// Starts, or waits until the registrar's turn comes to it. Its state stays what it was until then.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>, goal: Goal) {
        let admission = &cx.policy.admission;
        let place = self
            .gate
            .and_then(|gate| cx.gates.ask(cx.now, gate, cx.key, self.rank(goal), admission));
        self.waiting = place.map(|place| Waiting {
            goal,
            turn: Turn::Queued(place),
        });
        if place.is_none() {
            self.begin(cx, goal);
        }
    }

    /// The way to the registrar is lost, or may be, for a crowd of this size: the binding is made again soon.
    pub(crate) fn come_back_soon(&mut self, cx: &mut Cx<'_>, crowd: u32) {
        if let Standing::Fine {
            refresh_at: Some(refresh_at),
        } = &mut self.standing
        {
            *refresh_at = (*refresh_at).min(backoff::reconnect_at(cx.now, crowd, cx.policy, cx.rng));
        }
    }

    /// It has failed and is going to try again; says how many others there do.
    pub(super) fn struggle(&mut self, cx: &mut Cx<'_>) -> u32 {
        self.recover(cx);
        self.struggles_at = self.dialog.home;
        self.struggles_at.map_or(0, |home| cx.flows.struggle(home))
    }

    /// It is not one of those any more.
    pub(super) fn recover(&mut self, cx: &mut Cx<'_>) {
        if let Some(home) = self.struggles_at.take() {
            cx.flows.recover(home);
        }
    }

    /// The flow has opened that a crowd waited for, which would send all at once. Whoever came by itself and has sent nothing yet begins
    /// anew a little later. Returns whether it does.
    pub(super) fn stagger(&mut self, cx: &mut Cx<'_>, flow: FlowId, crowd: usize) -> bool {
        let opens = |exchange: &Exchange| exchange.goal == Goal::Register && exchange.opens(flow);
        if crowd <= AT_ONCE || !self.by_itself || !self.exchange.as_deref().is_some_and(opens) {
            return false;
        }
        if let Some(mut exchange) = self.exchange.take() {
            exchange.leave_silent(cx, self.dialog.flow);
        }
        if let Some(gate) = self.gate {
            cx.gates.finished(cx.now, gate, &cx.policy.admission);
        }
        let crowd = u32::try_from(crowd).unwrap_or(u32::MAX);
        self.waiting = Some(Waiting {
            goal: Goal::Register,
            turn: Turn::At(backoff::comeback_at(cx.now, crowd, cx.policy, cx.rng)),
        });
        true
    }

    fn rank(&self, goal: Goal) -> Rank {
        match (goal, &self.held) {
            (Goal::Unregister | Goal::Clear, _) => Rank::Removal,
            (Goal::Register, Some(bound)) => Rank::Holding(bound.valid_until),
            (Goal::Register, None) | (Goal::Fetch | Goal::Ping | Goal::Locate, _) => Rank::Other,
        }
    }

    fn begin(&mut self, cx: &mut Cx<'_>, goal: Goal) {
        if self.dialog.cseq >= super::LAST_CSEQ {
            self.start_anew(cx);
        }
        let mut party = Party {
            account: &self.account,
            dialog: &mut self.dialog,
            held: self.held.as_ref(),
        };
        let (exchange, ending) = Exchange::start(cx, &mut party, goal);
        self.exchange = Some(exchange);
        self.end_if(cx, ending);
    }

    /// Its jitter may be over.
    pub(super) fn handle_put_off(&mut self, cx: &mut Cx<'_>) {
        let due = self.waiting.take_if(|waiting| waiting.until().is_some_and(|at| cx.now >= at));
        if let Some(waiting) = due {
            self.start(cx, waiting.goal);
        }
    }

    /// Its turn has come; the registrar's gate counts it as started.
    pub(crate) fn handle_admitted(&mut self, cx: &mut Cx<'_>) {
        match (self.waiting.take(), self.gate) {
            (Some(waiting), _) => self.begin(cx, waiting.goal),
            // Nobody leaves a queue but through `withdraw`; were it otherwise, the others would go on.
            (None, Some(gate)) => cx.gates.finished(cx.now, gate, &cx.policy.admission),
            (None, None) => {}
        }
    }

    /// What waits is not wanted any more.
    pub(super) fn withdraw(&mut self, cx: &mut Cx<'_>) {
        if let (Some(waiting), Some(gate)) = (self.waiting.take(), self.gate)
            && let Turn::Queued(place) = waiting.turn
        {
            cx.gates.withdraw(cx.now, gate, place, &cx.policy.admission);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Arc;

    use super::*;
    use crate::tests::{account, origin};
    use crate::{Account, Action, Admission, Ending, Event, FlowId, Input, Key, Opened, Policy, Registrant, State};

    /// Alice, bob and carol at one registrar, and what they sent.
    struct Three {
        registrant: Registrant,
        keys: [Key; 3],
        now: Instant,
        requests: Vec<String>,
    }

    impl Three {
        fn new(admission: Admission) -> Self {
            let policy = Policy {
                admission,
                ..Policy::default()
            };
            let (now, mut registrant) = (origin(), Registrant::new([3; 32], policy));
            let keys = ["alice", "bob", "carol"].map(|name| {
                let aor = format!("sip:{name}@example.test").parse().unwrap();
                registrant.add(now, Arc::new(Account { aor, ..account() }))
            });
            Self {
                registrant,
                keys,
                now,
                requests: Vec::new(),
            }
        }

        fn order(&mut self, who: usize, goal: Goal) {
            self.registrant.order(self.now, self.keys[who], goal);
            self.drain();
        }

        fn drain(&mut self) {
            while let Some(action) = self.registrant.poll_action() {
                if let Action::Open(flow, _) = action {
                    let local = "192.0.2.1:5060".parse().unwrap();
                    let opened = Opened {
                        local,
                        connected_at: None,
                        tls: None,
                    };
                    self.registrant.handle_input(self.now, Input::Opened(flow, opened));
                }
            }
            let mut datagram = Vec::new();
            while self.registrant.poll_transmit(&mut datagram).is_some() {
                self.requests.push(String::from_utf8(datagram.clone()).unwrap());
            }
        }

        /// Answers the request that was sent last.
        fn accept(&mut self) {
            let request = self.requests.last().unwrap();
            let repeated = |line: &&str| {
                ["Via", "From", "To", "Call-ID", "CSeq", "Contact"]
                    .iter()
                    .any(|name| line.starts_with(name))
            };
            let lines: String = request.lines().filter(repeated).map(|line| format!("{line}\r\n")).collect();
            let reply = format!("SIP/2.0 200 OK\r\n{lines}Expires: 600\r\n\r\n");
            let (flow, source) = (FlowId(0), "192.0.2.10:5060".parse().unwrap());
            let bytes = reply.as_bytes();
            self.registrant.handle_input(self.now, Input::Received { flow, source, bytes });
            self.drain();
        }

        /// Goes to the next deadline and does what is due.
        fn wait(&mut self) {
            self.now = self.registrant.poll_timeout().unwrap();
            self.registrant.handle_timeout(self.now);
            self.drain();
        }

        /// Who sent, in order; a removal with a sign.
        fn sent(&self) -> Vec<String> {
            let who = |request: &String| {
                let from = request.lines().find(|line| line.starts_with("From")).unwrap();
                let name = from.split(['@', ':']).nth(2).unwrap();
                let removes = request.contains("Expires: 0") || request.contains("expires=0");
                format!("{}{name}", if removes { "-" } else { "" })
            };
            self.requests.iter().map(who).collect()
        }

        fn waits(&self, who: usize) -> bool {
            self.registrant.status(self.keys[who]).unwrap().waits_for_admission
        }
    }

    fn one_at_a_time() -> Admission {
        Admission {
            most_in_flight: Some(NonZeroU32::MIN),
            ..Admission::UNLIMITED
        }
    }

    #[test]
    fn the_next_one_starts_when_the_one_before_ends_and_keeps_its_state_until_then() {
        let mut three = Three::new(one_at_a_time());
        (0..3).for_each(|who| three.order(who, Goal::Register));
        assert_eq!(three.sent(), ["alice"]);
        assert!(three.waits(1) && three.waits(2) && !three.waits(0));
        let status = three.registrant.status(three.keys[1]).unwrap();
        assert_eq!((status.state, status.next_at), (State::NotRegistered, None));
        three.accept();
        assert_eq!(three.sent(), ["alice", "bob"]);
        three.accept();
        three.accept();
        assert_eq!(three.sent(), ["alice", "bob", "carol"]);
        assert!(!three.waits(2));
    }

    #[test]
    fn a_removal_goes_before_a_registration_that_waits_longer() {
        let mut three = Three::new(one_at_a_time());
        three.order(0, Goal::Register);
        three.order(1, Goal::Register);
        three.order(2, Goal::Unregister);
        three.order(0, Goal::Unregister);
        // The interrupted exchange made room for one.
        assert_eq!(three.sent(), ["alice", "-carol"]);
        three.accept();
        three.accept();
        assert_eq!(three.sent(), ["alice", "-carol", "-alice", "bob"]);
    }

    #[test]
    fn what_waits_is_replaced_interrupted_and_removed_without_a_trace() {
        let mut three = Three::new(one_at_a_time());
        three.order(0, Goal::Register);
        three.order(1, Goal::Register);
        three.order(1, Goal::Fetch);
        three.order(2, Goal::Register);
        three.registrant.interrupt(three.now, three.keys[1]);
        assert!(!three.waits(1));
        three.registrant.remove(three.now, three.keys[2]);
        assert!(three.registrant.status(three.keys[2]).is_none(), "nothing was bound");
        three.accept();
        assert_eq!(three.sent(), ["alice"]);
        let ended = std::iter::from_fn(|| three.registrant.poll_event()).filter_map(|(_, event)| match event {
            Event::Attempt(attempt) => Some(attempt.ending),
            Event::Changed(_) | Event::Request(_) | Event::Removed => None,
        });
        assert_eq!(ended.collect::<Vec<_>>(), [Ending::Succeeded]);
        three.order(1, Goal::Register);
        assert_eq!(three.sent(), ["alice", "bob"]);
    }

    #[test]
    fn an_order_waits_for_its_jitter_and_a_removal_does_not() {
        let jitter = Duration::from_secs(60);
        let mut three = Three::new(Admission {
            jitter,
            ..Admission::UNLIMITED
        });
        let start = three.now;
        (0..3).for_each(|who| three.order(who, Goal::Register));
        assert!(three.waits(0) && three.sent().is_empty());
        let at = three.registrant.status(three.keys[0]).unwrap().next_at.unwrap();
        assert!(at > start && at <= start + jitter);
        three.order(0, Goal::Unregister);
        assert_eq!(three.sent(), ["-alice"]);
        three.accept();
        three.wait();
        three.accept();
        three.wait();
        let mut sent = three.sent();
        sent.sort();
        assert_eq!(sent, ["-alice", "bob", "carol"]);
        assert!(three.now <= start + jitter);
    }

    /// One start a minute for three bindings of ten minutes would do; one every ten minutes does not, and says so.
    #[test]
    fn a_binding_that_lapses_while_its_refresh_waits_is_told_and_counted() {
        let mut three = Three::new(Admission::paced(NonZeroU32::MIN, Duration::from_secs(600)));
        (0..3).for_each(|who| three.order(who, Goal::Register));
        for _ in 0..40 {
            let sent = three.requests.len();
            three.wait();
            if three.requests.len() > sent {
                three.accept();
            }
        }
        assert!(three.registrant.counters().lapsed_waiting > 0);
        let lapsed = std::iter::from_fn(|| three.registrant.poll_event()).any(|(_, event)| match event {
            Event::Changed(status) => status.waits_for_admission && status.state == State::NotRegistered,
            Event::Attempt(_) | Event::Request(_) | Event::Removed => false,
        });
        assert!(lapsed, "a lapse is a change of state");
    }
}
