//! The scripted world: virtual time, flows that open as told, DNS from a list, and everything that happens written down.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sip_registration::{
    Account, Action, Attempt, Closed, DnsError, Endpoint, Event, FlowId, Goal, IncomingRequest, Input, Key, Opened, QueryId, Question,
    RecordKind, Records, Registrant, State, Status, TlsFacts, Transmit, Transport,
};

use crate::peer;
use crate::picture::{self, Letters};
use crate::setup::Setup;

/// How long the peer takes to answer.
pub(crate) const REPLY_AFTER: Duration = Duration::from_millis(10);

/// One registrant with one registration, and the world around it.
pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) registrant: Registrant,
    pub(crate) key: Key,
    pub(crate) origin: Instant,
    pub(crate) now: Instant,
    /// Every request that went out, in order.
    pub(crate) wire: Vec<Wire>,
    /// When a keep-alive went out that is no request.
    pub(crate) pings: Vec<Instant>,
    /// Every answer that went out to the other side's requests.
    pub(crate) answers: Vec<(SocketAddr, String)>,
    pub(crate) asked: Vec<IncomingRequest>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) statuses: Vec<(Instant, Status)>,
    pub(crate) removed: bool,
    pub(crate) flows: BTreeMap<FlowId, Flow>,
    /// What happens to those who knock; who is not named here lets in.
    pub(crate) doors: Vec<(SocketAddr, Door)>,
    /// What DNS knows; what is not named here does not exist.
    pub(crate) zone: Vec<(&'static str, RecordKind, Result<Records, DnsError>)>,
    /// Whether DNS answers at all.
    pub(crate) dns_is_silent: bool,
    coming: VecDeque<(Instant, Fact)>,
    lines: Vec<String>,
    letters: Letters,
}

/// A request on the wire.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) at: Instant,
    pub(crate) flow: FlowId,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct Flow {
    pub(crate) endpoint: Endpoint,
    pub(crate) is_open: bool,
}

/// What happens to who knocks.
#[derive(Clone)]
pub(crate) enum Door {
    /// Nobody answers.
    Silent,
    /// It closes at once.
    Shut(Closed),
}

enum Fact {
    Opened(FlowId, Opened),
    Closed(FlowId, Closed),
    Answer(QueryId, Result<Records, DnsError>),
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is no other way to make an Instant; its value does not matter"
)]
pub(crate) fn origin() -> Instant {
    Instant::now()
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let origin = origin();
        let mut registrant = Registrant::new([setup.seed; 32], setup.policy.clone());
        let key = registrant.add(origin, setup.shared_account());
        Self {
            registrant,
            key,
            origin,
            now: origin,
            wire: Vec::new(),
            pings: Vec::new(),
            answers: Vec::new(),
            asked: Vec::new(),
            attempts: Vec::new(),
            statuses: Vec::new(),
            removed: false,
            flows: BTreeMap::new(),
            doors: Vec::new(),
            zone: Vec::new(),
            dns_is_silent: false,
            coming: VecDeque::new(),
            lines: vec![String::new()],
            letters: Letters::default(),
            setup,
        }
    }

    // Orders.

    pub(crate) fn order(&mut self, goal: Goal) {
        self.note('!', format!("order: {}", goal.name()));
        self.registrant.order(self.now, self.key, goal);
        self.settle();
    }

    pub(crate) fn register(&mut self) {
        self.order(Goal::Register);
    }

    /// Registers with a challenge, and forgets how it was done, for ladders that begin where a binding stands.
    pub(crate) fn bind(&mut self) {
        self.register();
        self.reply("401 Unauthorized", &[peer::CHALLENGE]);
        self.reply("200 OK", &[peer::BOUND]);
        assert_eq!(self.state(), State::Registered, "the scenario begins with a binding");
        self.lines = vec!["(bound before)".to_owned()];
        self.attempts.clear();
    }

    pub(crate) fn interrupt(&mut self) {
        self.note('!', "interrupt".into());
        self.registrant.interrupt(self.now, self.key);
        self.settle();
    }

    pub(crate) fn remove(&mut self) {
        self.note('!', "remove".into());
        self.registrant.remove(self.now, self.key);
        self.settle();
    }

    pub(crate) fn renew(&mut self, change: impl FnOnce(&mut Account)) {
        self.note('!', "renew".into());
        change(&mut self.setup.account);
        self.registrant.renew(self.now, self.key, self.setup.shared_account());
        self.settle();
    }

    // What the peer does.

    /// After ten milliseconds the peer answers the last request.
    pub(crate) fn reply(&mut self, status: &str, headers: &[&str]) {
        self.reply_to(self.wire.len() - 1, status, headers);
    }

    /// After ten milliseconds the peer answers the request with this number, counted from 0.
    pub(crate) fn reply_to(&mut self, request: usize, status: &str, headers: &[&str]) {
        let sent = self.wire.get(request).expect("the request went out").clone();
        let bytes = peer::reply(&sent.bytes, status, headers);
        self.deliver(sent.flow, &bytes);
    }

    /// After ten milliseconds these bytes come in on this flow from its peer.
    pub(crate) fn deliver(&mut self, flow: FlowId, bytes: &[u8]) {
        let source = self.flows.get(&flow).expect("the flow was asked for").endpoint.remote;
        self.deliver_from(source, flow, bytes);
    }

    pub(crate) fn deliver_from(&mut self, source: SocketAddr, flow: FlowId, bytes: &[u8]) {
        self.wait(REPLY_AFTER);
        let remote = self.flows.get(&flow).map(|flow| flow.endpoint.remote);
        let from = if remote == Some(source) {
            String::new()
        } else {
            format!("from {source}: ")
        };
        self.note('←', format!("{from}{}", picture::reply(bytes)));
        self.registrant.handle_input(self.now, Input::Received { flow, source, bytes });
        self.settle();
    }

    /// The flow goes away.
    pub(crate) fn close(&mut self, flow: FlowId, closed: Closed) {
        self.note('·', format!("the flow closes: {closed:?}"));
        if let Some(flow) = self.flows.get_mut(&flow) {
            flow.is_open = false;
        }
        self.registrant.handle_input(self.now, Input::Closed(flow, closed));
        self.settle();
    }

    pub(crate) fn last_request(&self) -> &Wire {
        self.wire.last().expect("a request went out")
    }

    // Time.

    /// Lets time pass; what is due on the way happens.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let until = self.now + duration;
        for _ in 0..100_000 {
            let coming = self.coming.front().map(|(at, _)| *at);
            let next = coming.into_iter().chain(self.registrant.poll_timeout()).min();
            let Some(next) = next.filter(|next| *next <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(next);
            match self.coming.pop_front_if(|(at, _)| *at <= next) {
                Some((_, fact)) => self.take(fact),
                None => self.registrant.handle_timeout(self.now),
            }
            self.settle();
        }
        panic!("it turns in a circle");
    }

    /// Lets time pass until an exchange has ended, at most an hour.
    pub(crate) fn wait_for_the_end(&mut self) {
        let before = self.attempts.len();
        let until = self.now + Duration::from_secs(3600);
        while self.attempts.len() == before && self.now < until {
            let coming = self.coming.front().map(|(at, _)| *at);
            let next = coming.into_iter().chain(self.registrant.poll_timeout()).min().unwrap_or(until);
            self.wait(next.saturating_duration_since(self.now));
        }
    }

    /// The machine sleeps: time passes and nothing happens.
    pub(crate) fn sleep_through(&mut self, duration: Duration) {
        self.note('·', format!("the machine sleeps for {} s", duration.as_secs()));
        self.now += duration;
    }

    fn take(&mut self, fact: Fact) {
        let input = match fact {
            Fact::Opened(flow, opened) => {
                if let Some(known) = self.flows.get_mut(&flow) {
                    known.is_open = true;
                }
                Input::Opened(flow, opened)
            }
            Fact::Closed(flow, closed) => {
                self.note('·', format!("the flow closes: {closed:?}"));
                Input::Closed(flow, closed)
            }
            Fact::Answer(query, answer) => Input::Answer(query, answer),
        };
        self.registrant.handle_input(self.now, input);
    }

    // What the core wants.

    /// Drains everything that the core has to say, until it is silent.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1000 {
            let mut idle = true;
            while let Some(action) = self.registrant.poll_action() {
                idle = false;
                self.act(action);
            }
            let mut bytes = Vec::new();
            while let Some(transmit) = self.registrant.poll_transmit(&mut bytes) {
                idle = false;
                self.transmit(transmit, &bytes);
            }
            while let Some((key, event)) = self.registrant.poll_event() {
                assert_eq!(key, self.key);
                idle = false;
                self.hear(event);
            }
            if idle {
                // What comes without delay comes now.
                let now = self.now;
                match self.coming.pop_front_if(|(at, _)| *at <= now) {
                    Some((_, fact)) => self.take(fact),
                    None => return,
                }
            }
        }
        panic!("the core never falls silent");
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Query(query, question) => self.ask(query, &question),
            Action::Open(flow, endpoint) => self.knock(flow, endpoint),
            Action::Close(flow) => {
                let known = self.flows.get_mut(&flow).expect("only a flow that was asked for is closed");
                known.is_open = false;
                let line = format!("close {}", picture::endpoint(&known.endpoint));
                self.note('·', line);
                self.coming
                    .retain(|(_, fact)| !matches!(fact, Fact::Opened(other, _) | Fact::Closed(other, _) if *other == flow));
            }
        }
    }

    fn ask(&mut self, query: QueryId, question: &Question) {
        let known = self
            .zone
            .iter()
            .find(|(name, kind, _)| *name == question.name && *kind == question.kind);
        let answer = known.map_or(Err(DnsError::NoSuchName), |(_, _, answer)| answer.clone());
        self.note('?', format!("{:?} {}", question.kind, question.name));
        if !self.dns_is_silent {
            self.come(Duration::from_millis(1), Fact::Answer(query, answer));
        }
    }

    fn knock(&mut self, flow: FlowId, endpoint: Endpoint) {
        self.note('·', format!("open {} for {}", picture::endpoint(&endpoint), endpoint.server_name));
        let port = 40_000 + u16::try_from(self.flows.len()).unwrap();
        let local = match endpoint.remote {
            SocketAddr::V4(_) => SocketAddr::new([198, 51, 100, 1].into(), port),
            SocketAddr::V6(_) => SocketAddr::new("2001:db8::1".parse().unwrap(), port),
        };
        let door = self
            .doors
            .iter()
            .find(|(remote, _)| *remote == endpoint.remote)
            .map(|(_, door)| door.clone());
        let stream = endpoint.transport.is_reliable();
        match door {
            Some(Door::Silent) => {}
            Some(Door::Shut(closed)) => self.come(Duration::from_millis(5), Fact::Closed(flow, closed)),
            None => {
                let after = Duration::from_millis(if stream { 5 } else { 0 });
                let opened = Opened {
                    local,
                    connected_at: stream.then(|| self.now + Duration::from_millis(2)),
                    tls: (endpoint.transport == Transport::Tls).then(|| tls(&endpoint.server_name)),
                };
                self.come(after, Fact::Opened(flow, opened));
            }
        }
        self.flows.insert(flow, Flow { endpoint, is_open: false });
    }

    fn come(&mut self, after: Duration, fact: Fact) {
        let at = self.now + after;
        let place = self.coming.partition_point(|(other, _)| *other <= at);
        self.coming.insert(place, (at, fact));
    }

    fn transmit(&mut self, Transmit { flow, to }: Transmit, bytes: &[u8]) {
        let known = self.flows.get(&flow).expect("only a flow that was asked for is written to");
        assert!(known.is_open, "nothing is written to a flow that is not open");
        if bytes.starts_with(b"SIP/2.0 ") {
            let line = format!("{} {to}: {}", known.endpoint.transport.name(), picture::reply(bytes));
            self.note('→', line);
            self.answers.push((to, String::from_utf8(bytes.to_vec()).unwrap()));
            return;
        }
        assert_eq!(to, known.endpoint.remote, "a request goes to where the flow leads");
        if bytes == b"\r\n\r\n" {
            let line = format!("{}: keep-alive", picture::endpoint(&known.endpoint));
            self.note('→', line);
            self.pings.push(self.now);
            return;
        }
        let shown = picture::request(bytes, &mut self.letters, &self.setup);
        let again = self.wire.iter().any(|sent| sent.bytes == bytes);
        let peer = picture::endpoint(&known.endpoint);
        let line = if again {
            format!("{peer}: the same again")
        } else {
            format!("{peer}: {shown}")
        };
        self.note('→', line);
        self.wire.push(Wire {
            at: self.now,
            flow,
            bytes: bytes.to_vec(),
        });
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Attempt(attempt) => {
                for line in picture::ending(&self.setup, &attempt) {
                    self.note('=', line);
                }
                self.attempts.push(*attempt);
            }
            Event::Changed(status) => {
                self.note('◦', picture::status(&status));
                self.statuses.push((self.now, status));
            }
            Event::Request(request) => {
                self.note('◦', picture::asked(&request));
                self.asked.push(*request);
            }
            Event::Removed => {
                self.note('◦', "removed".into());
                self.removed = true;
            }
        }
    }

    // What is known.

    pub(crate) fn state(&self) -> State {
        self.status().state
    }

    pub(crate) fn status(&self) -> Status {
        self.registrant.status(self.key).expect("the registration is there")
    }

    pub(crate) fn attempt(&self) -> &Attempt {
        self.attempts.last().expect("an exchange has ended")
    }

    /// How long until the next exchange begins by itself.
    pub(crate) fn next_in(&self) -> Option<Duration> {
        Some(self.status().next_at?.saturating_duration_since(self.now))
    }

    /// A line of the ladder.
    pub(crate) fn note(&mut self, arrow: char, what: String) {
        let at = (self.now - self.origin).as_millis();
        self.lines.push(format!("{at:>9} ms  {arrow}  {what}"));
    }

    /// Holds the ladder against the stored one, which has the name of the test.
    pub(crate) fn is_as_stored(&self) {
        let thread = std::thread::current();
        let name = thread.name().expect("the test's name").replace("::", "/");
        stored(&name, &(self.lines.join("\n").trim_start_matches('\n').to_owned() + "\n"));
    }
}

/// Holds text against the stored one of this name.
pub(crate) fn stored(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/ladders/stored/{name}.txt"));
    if std::env::var_os("REWRITE_LADDERS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == expected,
        "the ladder differs from {}\n--- stored\n{expected}\n--- now\n{text}",
        path.display()
    );
}

fn tls(server_name: &str) -> TlsFacts {
    TlsFacts {
        version: "TLSv1.3".into(),
        cipher: "TLS13_AES_256_GCM_SHA384".into(),
        server_name: server_name.into(),
        subject: format!("CN={server_name}"),
        issuer: "CN=Test CA".into(),
        not_after: 1_900_000_000,
        days_left: 300,
        verified: true,
    }
}
