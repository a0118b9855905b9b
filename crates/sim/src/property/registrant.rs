//! The whole registrant in a world that the bytes decide: orders, replies, losses, delays, closes, DNS, the clock. Whatever they decide,
//! it keeps its invariants, its outputs stay bounded, and once it is left alone it comes to an end by itself.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_digest::Secret;
use sip_registration::{
    Account, Action, Admission, Closed, DnsError, Endpoint, Event, FlowId, Goal, Input, Key, Obstacle, Opened, Policy, QueryId, Question,
    Registrant, State, TlsFailure, Transport,
};

use super::draw::{Draw, PASSWORD, shows_password};
use super::reply::Template;
use super::watch::{self, STEP, Watch};
use super::{dns, policy, question};
use crate::clock::origin;

const GOALS: [Goal; 6] = [Goal::Register, Goal::Unregister, Goal::Fetch, Goal::Ping, Goal::Clear, Goal::Locate];
const REGISTRARS: [&str; 6] = [
    "sip:192.0.2.1",
    "sip:pbx.test",
    "sips:pbx.test",
    "sip:pbx.test;transport=tcp",
    "sip:pbx.test:5070",
    "sip:[2001:db8::1];transport=tls",
];
/// More turns than any seed needs.
const TURNS: usize = 400;
/// A registration holds one flow, and another while it looks for a better one; those of a binding that moved close behind it.
const MOST_FLOWS: usize = 4;
/// More than one turn may put out for each registration.
const OUTPUTS: usize = 200;

/// The bytes are accounts, a policy and then one fact or order after the other.
pub fn registrant(bytes: &[u8]) {
    if shows_password(bytes) {
        return;
    }
    let mut draw = Draw::new(bytes);
    let mut play = Play::new(&mut draw);
    for _ in 0..TURNS {
        if draw.is_empty() {
            break;
        }
        play.turn(&mut draw);
    }
    play.finish();
}

/// A registrant on a stage.
struct Play {
    registrant: Registrant,
    policy: Policy,
    now: Instant,
    parts: Vec<Part>,
    flows: BTreeMap<FlowId, Flow>,
    newest_flow: Option<FlowId>,
    queries: VecDeque<(QueryId, Question)>,
    /// The last requests and the flows that they went out on.
    requests: VecDeque<(FlowId, Vec<u8>)>,
    /// The longest time by which the driver came too late.
    overslept: Duration,
    /// How many bytes came in.
    heard: usize,
    watch: Watch,
}

struct Part {
    key: Key,
    account: Arc<Account>,
    /// The times that were asked for, first to last: what is under way may still ask for an earlier one.
    expires: Vec<u32>,
    state: State,
    removed: bool,
}

struct Flow {
    endpoint: Endpoint,
    open: bool,
    jammed: bool,
}

impl Play {
    fn new(draw: &mut Draw<'_>) -> Self {
        let policy = policy::chosen(draw);
        let now = origin();
        let mut registrant = Registrant::new([draw.byte(); 32], policy.clone());
        let parts = (0..=draw.below(3))
            .map(|number| {
                let account = Arc::new(account(number, draw));
                Part {
                    key: registrant.add(now, Arc::clone(&account)),
                    expires: vec![account.expires],
                    account,
                    state: State::NotRegistered,
                    removed: false,
                }
            })
            .collect();
        Self {
            registrant,
            policy,
            now,
            parts,
            flows: BTreeMap::new(),
            newest_flow: None,
            queries: VecDeque::new(),
            requests: VecDeque::new(),
            overslept: Duration::ZERO,
            heard: 0,
            watch: Watch::default(),
        }
    }

    /// One thing happens.
    fn turn(&mut self, draw: &mut Draw<'_>) {
        match draw.below(24) {
            0 | 1 => {
                let key = self.key(draw);
                self.registrant.order(self.now, key, draw.pick(&GOALS));
            }
            2..=5 => self.reply(draw),
            6 => match draw.bytes(200) {
                [] => self.ask(draw),
                bytes => self.receive(draw, None, bytes),
            },
            7 | 8 => self.answer(draw),
            9 | 10 => self.open(draw),
            11 => self.close(draw),
            12 => self.wait(Duration::from_millis(u64::from(draw.short()))),
            13 => self.next_deadline(),
            14 => {
                let key = self.key(draw);
                self.registrant.interrupt(self.now, key);
            }
            15 => {
                let key = self.key(draw);
                self.registrant.remove(self.now, key);
            }
            16 | 17 => self.congest(draw),
            18 => self.renew(draw),
            19 => {
                let key = self.key(draw);
                self.registrant.forget(self.now, key);
            }
            20 => self.oversleep(draw),
            21 => self.pass(draw),
            22 => self.shift_blame(draw),
            _ => self.open(draw),
        }
        self.drain();
    }

    /// A flow has no room, or has room again; at times one that nobody knows.
    fn congest(&mut self, draw: &mut Draw<'_>) {
        let nth = draw.below(4);
        let Some((id, flow)) = self.flows.iter_mut().nth(nth) else { return };
        flow.jammed = flow.open && !flow.jammed;
        let (id, jammed) = (*id, flow.jammed);
        let input = if jammed { Input::Congested(id) } else { Input::Relieved(id) };
        self.registrant.handle_input(self.now, input);
    }

    /// Another time to ask for, and perhaps no password any more.
    fn renew(&mut self, draw: &mut Draw<'_>) {
        let nth = draw.below(self.parts.len());
        let part = &mut self.parts[nth];
        let account = Account {
            expires: 1 + u32::from(draw.short() % 4000),
            secret: (!draw.once_in(4)).then(|| Secret::Password(PASSWORD.into())),
            ..Account::clone(&part.account)
        };
        part.expires.push(account.expires);
        part.account = Arc::new(account);
        self.registrant.renew(self.now, part.key, Arc::clone(&part.account));
    }

    /// The driver comes a long time too late: hours, for which nothing was heard.
    fn oversleep(&mut self, draw: &mut Draw<'_>) {
        let late = Duration::from_secs(u64::from(draw.short()));
        self.overslept = self.overslept.max(late);
        self.now += late;
        self.registrant.handle_timeout(self.now);
    }

    /// Some deadlines in a row come in time.
    fn pass(&mut self, draw: &mut Draw<'_>) {
        for _ in 0..draw.below(32) {
            self.next_deadline();
            self.drain();
        }
    }

    /// A challenge from somebody else than the peer, for the last request.
    fn shift_blame(&mut self, draw: &mut Draw<'_>) {
        let Some((flow, request)) = self.requests.back() else { return };
        let challenge = format!("Digest realm=\"foreign\", nonce=\"foreign{}\", qop=\"auth\"", draw.byte());
        let (flow, bytes) = (*flow, Template::of(request).challenged_by(challenge.as_bytes()));
        self.heard += bytes.len();
        let source = ([203, 0, 113, 9], 5060).into();
        let input = Input::Received {
            flow,
            source,
            bytes: &bytes,
        };
        // On a stream nobody else can speak.
        if self.flows.get(&flow).is_some_and(|flow| !flow.endpoint.transport.is_reliable()) {
            self.registrant.handle_input(self.now, input);
        }
    }

    fn key(&self, draw: &mut Draw<'_>) -> Key {
        self.parts[draw.below(self.parts.len())].key
    }

    /// A reply to one of the last requests, on its flow or on another, whole or in two pieces.
    fn reply(&mut self, draw: &mut Draw<'_>) {
        let back = draw.below(4);
        let Some((flow, request)) = self.requests.iter().rev().nth(back).or(self.requests.back()) else {
            return;
        };
        let (flow, reply) = (*flow, Template::of(request).drawn(draw));
        let at = if draw.once_in(4) {
            usize::from(draw.short()) % (reply.len() + 1)
        } else {
            0
        };
        let (first, second) = reply.split_at(at);
        if !first.is_empty() {
            self.receive(draw, Some(flow), first);
            self.drain();
        }
        self.receive(draw, Some(flow), second);
    }

    /// The other side asks something on the flow of one of the last requests, or on any; once or as a flood.
    fn ask(&mut self, draw: &mut Draw<'_>) {
        let nth = draw.below(4);
        let (flow, request) = self.requests.get(nth).cloned().unzip();
        let question = question::drawn(draw, request.as_deref().unwrap_or_default());
        let times = if draw.once_in(8) { 50 } else { 1 };
        for _ in 0..times {
            self.receive(draw, flow, &question);
        }
    }

    /// Bytes come in on this flow, or on any; mostly from where they should.
    fn receive(&mut self, draw: &mut Draw<'_>, flow: Option<FlowId>, bytes: &[u8]) {
        let drawn = FlowId(u64::from(draw.byte() % 8));
        let flow = flow.unwrap_or(drawn);
        let foreign = draw.once_in(8);
        let source = match self.flows.get(&flow) {
            // What comes on a stream is from its other end.
            Some(known) if !foreign || known.endpoint.transport.is_reliable() => known.endpoint.remote,
            Some(_) | None => ([203, 0, 113, 9], 5060).into(),
        };
        self.heard += bytes.len();
        if self.flows.get(&flow).is_some_and(|flow| flow.endpoint.remote == source) {
            self.watch.heard(bytes);
        }
        self.registrant.handle_input(self.now, Input::Received { flow, source, bytes });
    }

    /// DNS answers the oldest question.
    fn answer(&mut self, draw: &mut Draw<'_>) {
        if let Some((query, question)) = self.queries.pop_front() {
            let answer = dns::records(&question, draw);
            self.registrant.handle_input(self.now, Input::Answer(query, answer));
            if draw.once_in(8) {
                // A second answer to the same question.
                self.registrant.handle_input(self.now, Input::Answer(query, Err(DnsError::Timeout)));
            }
        }
    }

    /// A flow that is asked for opens.
    fn open(&mut self, draw: &mut Draw<'_>) {
        let Some((flow, found)) = self.flows.iter_mut().find(|(_, flow)| !flow.open) else {
            return;
        };
        found.open = true;
        let local = if found.endpoint.remote.is_ipv4() {
            ([10, 0, 0, 1], 50_000).into()
        } else {
            "[fd00::1]:50000".parse().expect("it is an address")
        };
        let reliable = found.endpoint.transport.is_reliable();
        let opened = Opened {
            local,
            connected_at: (reliable && !draw.once_in(8)).then_some(self.now),
            tls: None,
        };
        let flow = *flow;
        self.registrant.handle_input(self.now, Input::Opened(flow, opened));
    }

    /// A flow goes away, or one that never was.
    fn close(&mut self, draw: &mut Draw<'_>) {
        let nth = draw.below(4);
        let flow = self.flows.keys().nth(nth).copied().unwrap_or(FlowId(nth as u64));
        self.flows.remove(&flow);
        let closed = [
            Closed::Refused,
            Closed::Unreachable(Obstacle::NoRoute),
            Closed::TimedOut,
            Closed::Ended,
            Closed::Reset,
            Closed::Tls(TlsFailure::Expired, None),
            Closed::Tls(TlsFailure::NameMismatch(vec!["\u{1b}[2J".to_owned()]), None),
            Closed::Local("out of \r\n luck".to_owned()),
        ];
        let why = closed[draw.below(closed.len())].clone();
        self.registrant.handle_input(self.now, Input::Closed(flow, why));
    }

    /// Time passes; the driver is late at worst, and wakes the registrant then.
    fn wait(&mut self, time: Duration) {
        debug_assert!(time <= STEP);
        self.now += time;
        self.registrant.handle_timeout(self.now);
    }

    /// The driver wakes the registrant exactly in time.
    fn next_deadline(&mut self) {
        if let Some(at) = self.registrant.poll_timeout() {
            self.now = self.now.max(at);
            self.registrant.handle_timeout(self.now);
        }
    }

    /// Takes everything that is put out, and watches it.
    fn drain(&mut self) {
        let mut outputs = 0;
        while let Some(action) = self.registrant.poll_action() {
            outputs += 1;
            self.act(action);
        }
        let mut datagram = Vec::new();
        while let Some(transmit) = self.registrant.poll_transmit(&mut datagram) {
            outputs += 1;
            let flow = self
                .flows
                .get(&transmit.flow)
                .filter(|flow| flow.open)
                .expect("it sends on an open flow");
            if datagram.starts_with(b"SIP/2.0 ") {
                assert_eq!(
                    transmit.to.ip(),
                    flow.endpoint.remote.ip(),
                    "it answers somebody else than the peer"
                );
                self.watch.answer(&datagram, self.heard);
                continue;
            }
            assert_eq!(transmit.to, flow.endpoint.remote, "a request goes to where the flow leads");
            if datagram == b"\r\n\r\n" {
                continue;
            }
            let part = whose(&self.parts, &datagram);
            let status = self.registrant.status(part.key);
            // An OPTIONS that keeps a flow alive goes out whatever is under way.
            let state = status.map(|status| status.state).filter(|_| !datagram.starts_with(b"OPTIONS "));
            assert!(!flow.jammed || state.is_none(), "a request is sent where there is no room");
            self.watch.request(&datagram, &part.expires, state, &flow.endpoint);
            self.requests.push_back((transmit.flow, datagram.clone()));
            if self.requests.len() > 4 {
                self.requests.pop_front();
            }
        }
        while let Some((key, event)) = self.registrant.poll_event() {
            outputs += 1;
            self.hear(key, &event);
            if let Event::Attempt(attempt) = event {
                // Its buffers serve the next exchange, and nothing of this one may show there.
                self.registrant.recycle(attempt);
            }
        }
        self.watch.drained();
        assert!(
            self.flows.len() <= MOST_FLOWS * self.parts.len(),
            "{} flows are open",
            self.flows.len()
        );
        assert!(outputs <= OUTPUTS * self.parts.len(), "{outputs} outputs at once");
        let deadline = self.registrant.poll_timeout();
        for part in &self.parts {
            let status = self.registrant.status(part.key);
            assert!(status.is_none() == part.removed, "it is gone when it says so, and not before");
            if let Some(status) = status {
                watch::status(self.now, &status, deadline);
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Query(query, question) => {
                assert!(!question.name.is_empty() && question.name.len() <= 255, "{question:?}");
                self.queries.push_back((query, question));
            }
            Action::Open(flow, endpoint) => {
                assert!(self.newest_flow.is_none_or(|newest| flow > newest), "a flow is never used again");
                self.newest_flow = Some(flow);
                self.flows.insert(
                    flow,
                    Flow {
                        endpoint,
                        open: false,
                        jammed: false,
                    },
                );
            }
            Action::Close(flow) => assert!(self.flows.remove(&flow).is_some(), "it closes a flow that is gone"),
        }
    }

    fn hear(&mut self, key: Key, event: &Event) {
        match event {
            Event::Attempt(attempt) => {
                let part = self.parts.iter().find(|part| part.key == key).expect("it is one of ours");
                watch::attempt(self.now, attempt, &self.policy, self.overslept.max(STEP));
                watch::report(attempt, &part.account, &self.policy);
            }
            Event::Changed(status) => {
                let part = self.parts.iter_mut().find(|part| part.key == key).expect("it is one of ours");
                watch::edge(part.state, status.state);
                part.state = status.state;
            }
            Event::Request(_) => {}
            Event::Removed => {
                let part = self.parts.iter_mut().find(|part| part.key == key).expect("it is one of ours");
                assert!(!part.removed, "it is removed once");
                part.removed = true;
            }
        }
    }

    /// Everybody is removed, and the world falls silent: nothing is left after a removal's time, and no flow either.
    fn finish(&mut self) {
        for index in 0..self.parts.len() {
            self.registrant.remove(self.now, self.parts[index].key);
            self.drain();
        }
        // Those that may only go one after the other take as long.
        let turns = if self.policy.admission == Admission::UNLIMITED {
            1
        } else {
            self.parts.len() as u32
        };
        let last = self.now + (self.policy.timeout + self.policy.admission.interval) * turns;
        for _ in 0..TURNS * self.parts.len() {
            let Some(at) = self.registrant.poll_timeout() else { break };
            assert!(at <= last, "something is due {:?} after the last removal has to be over", at - last);
            self.next_deadline();
            self.drain();
        }
        assert_eq!(self.registrant.poll_timeout(), None, "it goes on after everything was removed");
        assert!(self.parts.iter().all(|part| part.removed), "a registration does not go away");
        assert!(self.flows.is_empty(), "{} flows are left open", self.flows.len());
    }
}

/// Whose request it is.
fn whose<'p>(parts: &'p [Part], request: &[u8]) -> &'p Part {
    let named = |part: &&Part| {
        let user = format!("From: <{}>", part.account.aor);
        request.windows(user.len()).any(|window| window == user.as_bytes())
    };
    parts.iter().find(named).expect("a request is from one of the accounts")
}

fn account(number: usize, draw: &mut Draw<'_>) -> Account {
    let transports = [None, None, Some(Transport::Udp), Some(Transport::Tcp), Some(Transport::Tls)];
    let choices = draw.byte();
    let chosen = |bit: u8| choices & 1 << bit != 0;
    Account {
        outbound_proxy: chosen(0).then(|| "sip:proxy.test;lr".parse().expect("it is a URI")),
        transport: draw.pick(&transports),
        secret: (!chosen(1)).then(|| Secret::Password(PASSWORD.into())),
        challenges: None,
        instance: chosen(2).then(|| "urn:uuid:00000000-0000-4000-8000-000000000001".into()),
        reg_id: NonZeroU32::new(u32::from(chosen(3))),
        // Long enough for what has to go by TCP.
        user_agent: if chosen(4) { "x".repeat(1300).into() } else { "fuzz".into() },
        expires: 1 + u32::from(draw.short() % 4000),
        ..crate::account(&format!("u{number}"), draw.pick(&REGISTRARS))
    }
}

#[cfg(test)]
mod tests {
    use sip_registration::Cause;

    use super::*;

    /// Where the first account stands when the bytes are used up.
    fn plays(bytes: &[u8]) -> (State, Option<Cause>) {
        let mut draw = Draw::new(bytes);
        let mut play = Play::new(&mut draw);
        while !draw.is_empty() {
            play.turn(&mut draw);
        }
        let status = play.registrant.status(play.parts[0].key).unwrap();
        (status.state, status.cause)
    }

    #[test]
    fn the_seeds_lead_to_what_they_are_named_after() {
        let seed = |name: &str| std::fs::read(format!("{}/../../fuzz/corpus/registrant/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let ends = |name: &str| plays(&seed(name));
        for name in [
            "registered",
            "refreshed",
            "both-challenges",
            "too-brief",
            "redirected",
            "dns-srv",
            "unreachable-and-back",
        ] {
            assert_eq!(ends(name), (State::Registered, None), "{name}");
        }
        assert_eq!(ends("wrong-credentials"), (State::WrongCredentials, Some(Cause::WrongCredentials)));
        assert_eq!(ends("silence-then-late"), (State::RegisterTimeout, Some(Cause::NoReply)));
        assert_eq!(
            ends("next-nonce").1,
            Some(Cause::ServerNotAuthenticated),
            "the second proof is wrong"
        );
        assert_eq!(ends("dns-fails").1, Some(Cause::DnsFailed));
        assert_eq!(
            ends("foreign-challenge").0,
            State::Registering,
            "a challenge from elsewhere is not answered"
        );
    }
}
