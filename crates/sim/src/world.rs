//! The world itself: who is in it, what time it is, what happens next. What agents and registrars do with it is in the files below.

mod agents;
mod audit;
mod servers;
mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use sip_registrar::{Config, Registrar};
use sip_registration::{Account, Closed, Counters, DnsError, FlowId, Goal, Policy, QueryId, Records, Registrant, Status, Transport};

use crate::agent::Agent;
use crate::clock::origin;
use crate::log::Log;
use crate::queue::Queue;
use crate::server::{Connection, Listener, Server};
use crate::{AgentId, History, Link, Outage, Phone, RegistrarId, Zone};

/// A simulated world.
///
/// Put agents, registrars and links into it, give orders, and let it run for a while of virtual time. It panics when an invariant of
/// docs/states.md does not hold, and then says its seed.
#[derive(Debug)]
pub struct World {
    seed: u64,
    now: Instant,
    steps: u64,
    rng: ChaCha12Rng,
    queue: Queue<Happening>,
    link: Link,
    links: BTreeMap<IpAddr, Link>,
    zone: Zone,
    agents: Vec<Agent>,
    phones: Vec<Entry>,
    servers: Vec<Server>,
    listeners: Vec<Listener>,
    refusing: BTreeSet<IpAddr>,
    /// When a registrar last forgot its bindings: nobody can know that, so earlier claims are not held against it.
    forgot_at: Option<Instant>,
    connections: BTreeMap<u64, Connection>,
    next_connection: u64,
    datagram: Vec<u8>,
    log: Log,
}

/// A registration and what became of it.
#[derive(Debug)]
struct Entry {
    agent: AgentId,
    key: sip_registration::Key,
    account: Arc<Account>,
    history: History,
    /// The number and branch of the last request, by Call-ID: they only ever grow. Kept while the ladder is.
    requests: BTreeMap<Vec<u8>, (u32, Vec<u8>)>,
    /// When its binding was confirmed last.
    confirmed_at: Option<Instant>,
}

/// Something that is going to happen.
#[derive(Debug)]
enum Happening {
    Order(Phone, Goal),
    Answer(AgentId, QueryId, Result<Records, DnsError>),
    OpenUdp(AgentId, FlowId),
    /// A connection request goes out, for the so-manieth time.
    Connect(AgentId, FlowId, u32),
    OpenStream(AgentId, FlowId, Duration),
    Close(AgentId, FlowId, Closed),
    ToListener {
        listener: usize,
        source: SocketAddr,
        bytes: Vec<u8>,
    },
    ToAgent {
        local: SocketAddr,
        source: SocketAddr,
        bytes: Vec<u8>,
    },
    StreamUp(u64, Vec<u8>),
    StreamDown(u64, Vec<u8>),
    /// The agent closed it.
    HangUp(u64),
    /// The registrar closed it, or it was reset.
    CloseStream(u64, Closed),
}

/// Who has to be woken next.
#[derive(Debug, Clone, Copy)]
enum Waker {
    Queue,
    Agent(usize),
    Server(usize),
}

/// More steps than any test takes: a world that goes on for ever is a failure, not a wait.
const MAX_STEPS: u64 = 100_000_000;

impl World {
    /// An empty world. Whatever is left to chance in it follows from the seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            now: origin(),
            steps: 0,
            rng: ChaCha12Rng::seed_from_u64(seed),
            queue: Queue::new(),
            link: Link::default(),
            links: BTreeMap::new(),
            zone: Zone::default(),
            agents: Vec::new(),
            phones: Vec::new(),
            servers: Vec::new(),
            listeners: Vec::new(),
            refusing: BTreeSet::new(),
            forgot_at: None,
            connections: BTreeMap::new(),
            next_connection: 1 << 32,
            datagram: Vec::new(),
            log: Log::new(),
        }
    }

    // Setting up.

    /// Keeps the ladder from now on, and watches every request.
    pub fn record(&mut self) {
        self.log.record();
    }

    /// What lies between agents and hosts from now on.
    pub const fn set_link(&mut self, link: Link) {
        self.link = link;
    }

    /// What lies between agents and this host from now on, instead of the general link.
    pub fn set_link_to(&mut self, host: IpAddr, link: Link) {
        self.links.insert(host, link);
    }

    /// What DNS knows.
    pub const fn zone(&mut self) -> &mut Zone {
        &mut self.zone
    }

    /// This host is alive, and nothing listens on it but what is added.
    pub fn add_host(&mut self, host: IpAddr) {
        self.refusing.insert(host);
    }

    /// A user agent without registrations.
    pub fn add_agent(&mut self, policy: Policy) -> AgentId {
        let registrant = Registrant::new(self.rng.random(), policy);
        let host = u16::try_from(self.agents.len() + 1).expect("a test has fewer agents than IPv4 has hosts in 10.0/16");
        self.agents.push(Agent::new(registrant, host));
        AgentId(self.agents.len() - 1)
    }

    /// A registrar that listens at these addresses.
    pub fn add_registrar(&mut self, config: Config, listens: &[(Transport, SocketAddr)]) -> RegistrarId {
        let server = RegistrarId(self.servers.len());
        self.servers.push(Server {
            registrar: Registrar::new(config.clone(), self.rng.random()),
            config,
            outage: None,
            arrivals: Vec::new(),
        });
        for (transport, address) in listens {
            self.listeners.push(Listener {
                server,
                transport: *transport,
                address: *address,
            });
        }
        server
    }

    /// Adds a registration to an agent; nothing is sent before the first order.
    pub fn add(&mut self, agent: AgentId, account: Account) -> Phone {
        let phone = Phone(self.phones.len());
        let account = Arc::new(account);
        let key = self.agents[agent.0].registrant.add(self.now, Arc::clone(&account));
        self.agents[agent.0].phones.insert(key, phone);
        self.phones.push(Entry {
            agent,
            key,
            account,
            history: History::default(),
            requests: BTreeMap::new(),
            confirmed_at: None,
        });
        phone
    }

    // Looking.

    /// The present moment.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The time since the world began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now - origin()
    }

    /// Where a registration stands; `None` once it is gone.
    #[must_use]
    pub fn status(&self, phone: Phone) -> Option<Status> {
        let entry = &self.phones[phone.0];
        self.agents[entry.agent.0].registrant.status(entry.key)
    }

    /// What an agent's registrant has counted.
    #[must_use]
    pub fn counters(&self, agent: AgentId) -> Counters {
        self.agents[agent.0].registrant.counters()
    }

    /// What became of a registration so far.
    #[must_use]
    pub fn history(&self, phone: Phone) -> &History {
        &self.phones[phone.0].history
    }

    /// Every registration that was ever added.
    pub fn phones(&self) -> impl Iterator<Item = Phone> + use<> {
        (0..self.phones.len()).map(Phone)
    }

    /// A registrar, to ask for its bindings and totals.
    #[must_use]
    pub fn registrar(&self, registrar: RegistrarId) -> &Registrar {
        &self.servers[registrar.0].registrar
    }

    /// How many messages have arrived at a registrar in each second since the world began, the last of them included in which one did.
    #[must_use]
    pub fn arrivals(&self, registrar: RegistrarId) -> &[u32] {
        &self.servers[registrar.0].arrivals
    }

    /// How many bindings a registrar holds for a registration's address.
    #[must_use]
    pub fn bindings(&self, registrar: RegistrarId, phone: Phone) -> usize {
        let aor = self.phones[phone.0].account.aor.as_str();
        self.servers[registrar.0].registrar.bindings(aor).len()
    }

    /// What went over the wire and what came of it, one line a step. Empty without [`World::record`].
    #[must_use]
    pub fn ladder(&self) -> String {
        self.log.ladder()
    }

    /// A hash of everything that happened: every byte on the wire, every loss, every state, at its time.
    #[must_use]
    pub fn log_hash(&self) -> u64 {
        self.log.hash()
    }

    /// How many things happened that the hash is of.
    #[must_use]
    pub const fn log_entries(&self) -> u64 {
        self.log.entries
    }

    // Orders.

    /// Orders an exchange now.
    pub fn order(&mut self, phone: Phone, goal: Goal) {
        self.with(phone, |registrant, now, key| registrant.order(now, key, goal));
    }

    /// Orders an exchange at a time from now.
    pub fn order_after(&mut self, wait: Duration, phone: Phone, goal: Goal) {
        self.queue.push(self.now + wait, Happening::Order(phone, goal));
    }

    /// Removes a registration: its binding first.
    pub fn remove(&mut self, phone: Phone) {
        self.with(phone, |registrant, now, key| registrant.remove(now, key));
    }

    fn with(&mut self, phone: Phone, order: impl FnOnce(&mut Registrant, Instant, sip_registration::Key)) {
        let (agent, key) = (self.phones[phone.0].agent, self.phones[phone.0].key);
        order(&mut self.agents[agent.0].registrant, self.now, key);
        self.drain_agent(agent);
    }

    /// Puts a registrar out of order. It keeps what it knows.
    pub fn stop(&mut self, registrar: RegistrarId, outage: Outage) {
        self.servers[registrar.0].outage = Some(outage);
        self.note(&format!("registrar {}", registrar.0), "stops");
        if outage == Outage::Refusing {
            self.reset_connections(registrar);
        }
    }

    /// Puts a registrar in order again.
    pub fn start(&mut self, registrar: RegistrarId) {
        self.servers[registrar.0].outage = None;
        self.note(&format!("registrar {}", registrar.0), "starts");
    }

    /// Starts a registrar anew: it has forgotten every binding and nonce.
    pub fn restart(&mut self, registrar: RegistrarId) {
        let seed = self.rng.random();
        let server = &mut self.servers[registrar.0];
        server.registrar = Registrar::new(server.config.clone(), seed);
        self.forgot_at = Some(self.now);
        self.start(registrar);
    }

    // Running.

    /// Lets this much time pass.
    pub fn run_for(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
        self.now = until;
    }

    /// Runs until nothing is left to happen, at most for this much time. True when nothing is left.
    pub fn run_until_idle(&mut self, at_most: Duration) -> bool {
        let until = self.now + at_most;
        while self.step(until) {}
        self.next().is_none()
    }

    /// The next thing that happens, and when. At one moment messages go before timers.
    fn next(&self) -> Option<(Instant, Waker)> {
        let queue = self.queue.next_at().map(|at| (at, Waker::Queue));
        let agents = self
            .agents
            .iter()
            .enumerate()
            .filter_map(|(index, agent)| Some((agent.registrant.poll_timeout()?, Waker::Agent(index))));
        let servers = self
            .servers
            .iter()
            .enumerate()
            .filter_map(|(index, server)| Some((server.registrar.poll_timeout()?, Waker::Server(index))));
        queue.into_iter().chain(agents).chain(servers).min_by_key(|(at, _)| *at)
    }

    /// Lets the next thing happen, if it does until then.
    fn step(&mut self, until: Instant) -> bool {
        let Some((at, waker)) = self.next().filter(|(at, _)| *at <= until) else {
            return false;
        };
        self.steps += 1;
        assert!(self.steps < MAX_STEPS, "the world does not come to rest");
        self.now = self.now.max(at);
        match waker {
            Waker::Queue => {
                if let Some(happening) = self.queue.pop() {
                    self.happen(happening);
                }
            }
            Waker::Agent(index) => {
                self.agents[index].registrant.handle_timeout(self.now);
                self.drain_agent(AgentId(index));
            }
            Waker::Server(index) => {
                self.servers[index].registrar.handle_timeout(self.now);
                self.drain_server(RegistrarId(index));
            }
        }
        true
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Order(phone, goal) => self.order(phone, goal),
            Happening::Answer(agent, query, answer) => self.answer(agent, query, answer),
            Happening::OpenUdp(agent, flow) => self.open_udp(agent, flow),
            Happening::Connect(agent, flow, before) => self.connect(agent, flow, before),
            Happening::OpenStream(agent, flow, tcp) => self.open_stream(agent, flow, tcp),
            Happening::Close(agent, flow, closed) => self.close_flow(agent, flow, closed),
            Happening::ToListener { listener, source, bytes } => self.deliver_up(listener, source, &bytes),
            Happening::ToAgent { local, source, bytes } => self.deliver_down(local, source, &bytes),
            Happening::StreamUp(connection, bytes) => self.stream_up(connection, &bytes),
            Happening::StreamDown(connection, bytes) => self.stream_down(connection, &bytes),
            Happening::HangUp(connection) => {
                self.connections.remove(&connection);
            }
            Happening::CloseStream(connection, closed) => self.close_stream(connection, closed),
        }
    }

    fn link_to(&self, host: IpAddr) -> Link {
        self.links.get(&host).copied().unwrap_or(self.link)
    }

    fn listener(&self, transport: Transport, address: SocketAddr) -> Option<usize> {
        let found = |listener: &Listener| listener.transport == transport && listener.address == address;
        self.listeners.iter().position(found)
    }

    fn outage(&self, listener: usize) -> Option<Outage> {
        self.servers[self.listeners[listener].server.0].outage
    }

    /// Who answers at an address: a listener, a live host that refuses, or nobody.
    fn reach(&self, transport: Transport, address: SocketAddr) -> Reach {
        match self.listener(transport, address) {
            Some(listener) => match self.outage(listener) {
                None => Reach::Listener(listener),
                Some(Outage::Silent) => Reach::Nobody,
                Some(Outage::Refusing) => Reach::Refusal,
            },
            None if self.refusing.contains(&address.ip()) => Reach::Refusal,
            None => Reach::Nobody,
        }
    }

    fn note(&mut self, who: &str, what: &str) {
        let elapsed = self.elapsed();
        self.log.note(elapsed, who, what);
    }

    fn name(&self, phone: Phone) -> String {
        let aor = self.phones[phone.0].account.aor.as_str();
        aor.strip_prefix("sip:").unwrap_or(aor).to_owned()
    }
}

/// Who answers at an address.
#[derive(Debug, Clone, Copy)]
enum Reach {
    Listener(usize),
    Refusal,
    Nobody,
}

impl Drop for World {
    /// A test that failed can be repeated.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "in a world with seed {}, {:?} after it began, step {}",
                self.seed,
                self.elapsed(),
                self.steps
            );
        }
    }
}
