//! The loop between a [`Registrant`] and the world: it carries out what the core wants and tells it what happened. No decision about
//! SIP is made here, and nothing is awaited but the next thing to happen.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_registration::{Action, Closed, Endpoint, Event, FlowId, Goal, Input, Key, Opened, Policy, Registrant, Transmit, Transport};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep_until, timeout};

use crate::dns::Dns;
use crate::flow::{Fact, INBOX, Outlet, What};
use crate::stream::{self, Connection, GOODBYE};
use crate::tcp;
use crate::tls::{self, TlsClient, TlsOptions};
use crate::udp::{Scratch, UdpFlow};

/// How to reach the world.
#[derive(Debug, Clone)]
pub struct Network {
    /// The address to send from; port 0 is any port. `None` leaves it to the kernel's routes.
    pub local: Option<SocketAddr>,
    /// The UDP port to send from when `local` names none and this one is free: an automatic Contact is then the same in every run.
    pub favourite_port: Option<u16>,
    /// TLS. No file is read before a TLS flow is opened.
    pub tls: TlsOptions,
    /// The name server to ask instead of the system's. None is contacted before there is a question.
    pub dns: Option<SocketAddr>,
    /// How long one exchange may take: a fifth of it is the most that a name server is waited for before it is asked again.
    pub timeout: Duration,
}

impl Default for Network {
    /// The kernel's routes, the system's roots and name servers, ten seconds for an exchange.
    fn default() -> Self {
        Self {
            local: None,
            favourite_port: None,
            tls: TlsOptions::default(),
            dns: None,
            timeout: Policy::one_shot().timeout,
        }
    }
}

/// Runs a [`Registrant`] on real sockets. Give it orders, then call [`Driver::next`] again and again: nothing moves in between.
///
/// Needs a tokio runtime with I/O and time. All sockets and questions belong to the driver and end with it.
#[derive(Debug)]
pub struct Driver {
    registrant: Registrant,
    world: World,
    facts: mpsc::Receiver<Fact>,
    datagram: Vec<u8>,
    latest: Instant,
}

impl Driver {
    /// Drives `registrant`.
    #[must_use]
    pub fn new(registrant: Registrant, network: Network) -> Self {
        let (inbox, facts) = mpsc::channel(INBOX);
        let means = Means {
            local: network.local,
            favourite_port: network.favourite_port,
            tls: TlsClient::new(network.tls),
            dns: Dns::new(network.dns, network.timeout),
            scratch: Arc::new(Scratch::new()),
        };
        let world = World {
            means: Arc::new(means),
            inbox,
            flows: BTreeMap::new(),
            tasks: JoinSet::new(),
            questions: JoinSet::new(),
        };
        Self {
            registrant,
            world,
            facts,
            datagram: Vec::new(),
            latest: Instant::now(),
        }
    }

    /// The registrations, and the moment to hand to their verbs. What they want is carried out by [`Driver::next`].
    pub fn registrant(&mut self) -> (&mut Registrant, Instant) {
        let now = self.now();
        (&mut self.registrant, now)
    }

    /// Orders an exchange.
    pub fn order(&mut self, key: Key, goal: Goal) {
        let now = self.now();
        self.registrant.order(now, key, goal);
    }

    /// Runs until something has to be told. Waits for ever when nothing was ordered. May be dropped and called again: nothing is lost.
    pub async fn next(&mut self) -> (Key, Event) {
        loop {
            if !self.carry_out() {
                // Let the connections write before they are given more.
                tokio::task::yield_now().await;
                self.drain();
                continue;
            }
            if let Some(told) = self.registrant.poll_event() {
                return told;
            }
            let deadline = self.registrant.poll_timeout();
            tokio::select! {
                biased;
                Some(fact) = self.facts.recv() => self.take(fact),
                () = wait_until(deadline) => {
                    // What arrived while we slept was before the deadline: let its readers tell.
                    tokio::task::yield_now().await;
                }
                Some(_) = self.world.tasks.join_next(), if !self.world.tasks.is_empty() => {}
                Some(_) = self.world.questions.join_next(), if !self.world.questions.is_empty() => {}
            }
            self.drain();
            let now = self.now();
            self.registrant.handle_timeout(now);
        }
    }

    /// The next thing to tell, if it is known already: looks at nothing that may have arrived meanwhile. Who takes events by the batch calls
    /// it until it has none, after [`Driver::next`].
    pub fn try_next(&mut self) -> Option<(Key, Event)> {
        self.registrant.poll_event()
    }

    /// As [`Driver::next`], but waits no longer than until `at`: who has orders to give then needs no timer of its own.
    pub async fn next_before(&mut self, at: Instant) -> Option<(Key, Event)> {
        tokio::select! {
            biased;
            told = self.next() => Some(told),
            () = sleep_until(at.into()) => None,
        }
    }

    /// Closes every flow in good manners: TLS says goodbye. Takes half a second at most.
    pub async fn close(self) {
        let Self {
            world: World { flows, mut tasks, .. },
            facts,
            ..
        } = self;
        drop(facts);
        for flow in flows.into_values() {
            flow.close();
        }
        let _ = timeout(GOODBYE, async { while tasks.join_next().await.is_some() {} }).await;
    }

    /// The clock, which never goes back behind a moment that the core has seen.
    fn now(&mut self) -> Instant {
        self.latest = self.latest.max(Instant::now());
        self.latest
    }

    /// Does what the core wants. False when it wants more than is done in one go.
    fn carry_out(&mut self) -> bool {
        for _ in 0..AT_ONCE {
            if let Some(action) = self.registrant.poll_action() {
                self.world.act(action);
            } else if let Some(transmit) = self.registrant.poll_transmit(&mut self.datagram) {
                if let Err(closed) = self.world.send(transmit, &self.datagram) {
                    let now = self.now();
                    self.registrant.handle_input(now, Input::Closed(transmit.flow, closed));
                }
            } else {
                return true;
            }
        }
        false
    }

    /// Takes what else has arrived, as much as the inbox holds.
    fn drain(&mut self) {
        for _ in 0..INBOX {
            let Ok(fact) = self.facts.try_recv() else { return };
            self.take(fact);
        }
    }

    fn take(&mut self, fact: Fact) {
        let at = fact.at.max(self.latest);
        self.latest = at;
        match fact.what {
            What::Answer(query, answer) => self.registrant.handle_input(at, Input::Answer(query, answer)),
            What::Opened(flow, outlet, opened) => {
                if self.world.opened(flow, outlet) {
                    self.registrant.handle_input(at, Input::Opened(flow, opened));
                }
            }
            What::Received(flow, source, bytes) => {
                if self.world.flows.contains_key(&flow) {
                    self.registrant.handle_input(
                        at,
                        Input::Received {
                            flow,
                            source,
                            bytes: &bytes,
                        },
                    );
                }
            }
            What::Closed(flow, closed) => {
                if self.world.flows.remove(&flow).is_some() {
                    self.registrant.handle_input(at, Input::Closed(flow, closed));
                }
            }
        }
    }
}

async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// The flows and questions that are out.
#[derive(Debug)]
struct World {
    means: Arc<Means>,
    inbox: mpsc::Sender<Fact>,
    flows: BTreeMap<FlowId, Flow>,
    tasks: JoinSet<()>,
    questions: JoinSet<()>,
}

/// One flow, from the wish to open it until it is closed.
#[derive(Debug)]
struct Flow {
    task: AbortHandle,
    /// `None` while it opens.
    outlet: Option<Outlet>,
}

impl Flow {
    fn close(self) {
        match self.outlet {
            // Its task sees that nothing more will come, and says goodbye.
            Some(Outlet::Stream(_)) => {}
            Some(Outlet::Datagrams(_)) | None => self.task.abort(),
        }
    }
}

impl World {
    fn act(&mut self, action: Action) {
        let (means, inbox) = (Arc::clone(&self.means), self.inbox.clone());
        match action {
            Action::Query(query, question) => {
                let asking = async move {
                    let answer = means.dns.ask(&question).await;
                    // Nobody is left to hear it when the driver has gone.
                    let _ = inbox.send(Fact::now(What::Answer(query, answer))).await;
                };
                self.questions.spawn(asking);
            }
            Action::Open(flow, endpoint) => {
                let task = self.tasks.spawn(means.run(flow, endpoint, inbox));
                self.flows.insert(flow, Flow { task, outlet: None });
            }
            Action::Close(flow) => {
                if let Some(flow) = self.flows.remove(&flow) {
                    flow.close();
                }
            }
        }
    }

    /// True when the flow is still wanted.
    fn opened(&mut self, flow: FlowId, outlet: Outlet) -> bool {
        self.flows.get_mut(&flow).is_some_and(|open| {
            open.outlet = Some(outlet);
            true
        })
    }

    /// Sends at once, or hands the bytes to the connection's task. A flow that is gone has been reported already.
    fn send(&mut self, transmit: Transmit, bytes: &[u8]) -> Result<(), Closed> {
        let Transmit { flow, to } = transmit;
        let Some(Flow { outlet: Some(outlet), .. }) = self.flows.get(&flow) else {
            return Ok(());
        };
        let sent = match outlet {
            Outlet::Datagrams(socket) => socket.send(bytes, to),
            Outlet::Stream(outbox) if outbox.push(bytes) => Ok(()),
            Outlet::Stream(_) => Err(Closed::Local("the peer does not read what we send".to_owned())),
        };
        if sent.is_err()
            && let Some(flow) = self.flows.remove(&flow)
        {
            flow.task.abort();
        }
        sent
    }
}

/// What flows and questions need; nothing of it is touched before its time.
#[derive(Debug)]
struct Means {
    local: Option<SocketAddr>,
    favourite_port: Option<u16>,
    tls: TlsClient,
    dns: Dns,
    scratch: Arc<Scratch>,
}

impl Means {
    /// The life of one flow.
    async fn run(self: Arc<Self>, flow: FlowId, endpoint: Endpoint, inbox: mpsc::Sender<Fact>) {
        let outcome = match endpoint.transport {
            Transport::Udp => self.datagrams(flow, &endpoint, &inbox).await,
            Transport::Tcp => self.plain(flow, &endpoint, &inbox).await,
            Transport::Tls => self.secured(flow, &endpoint, &inbox).await,
        };
        if let Err(closed) = outcome {
            // Nobody is left to hear it when the driver has gone.
            let _ = inbox.send(Fact::now(What::Closed(flow, closed))).await;
        }
    }

    async fn datagrams(&self, flow: FlowId, endpoint: &Endpoint, inbox: &mpsc::Sender<Fact>) -> Result<(), Closed> {
        let (socket, opened) = UdpFlow::open(self.local, self.favourite_port, endpoint.remote)?;
        let socket = Arc::new(socket);
        if tell(inbox, What::Opened(flow, Outlet::Datagrams(Arc::clone(&socket)), opened)).await {
            socket.read(flow, Arc::clone(&self.scratch), inbox.clone()).await;
        }
        Ok(())
    }

    async fn plain(&self, flow: FlowId, endpoint: &Endpoint, inbox: &mpsc::Sender<Fact>) -> Result<(), Closed> {
        let stream = tcp::connect(self.local, endpoint.remote).await?;
        let local = tcp::local_address(&stream)?;
        let opened = Opened {
            local,
            connected_at: Some(Instant::now()),
            tls: None,
        };
        let (outbox, orders) = stream::outbox();
        if tell(inbox, What::Opened(flow, Outlet::Stream(outbox), opened)).await {
            Connection {
                flow,
                peer: endpoint.remote,
                stream,
            }
            .run(orders, inbox.clone(), stream::closed)
            .await;
        }
        Ok(())
    }

    async fn secured(&self, flow: FlowId, endpoint: &Endpoint, inbox: &mpsc::Sender<Fact>) -> Result<(), Closed> {
        self.tls.prepare()?;
        let stream = tcp::connect(self.local, endpoint.remote).await?;
        let (local, connected_at) = (tcp::local_address(&stream)?, Some(Instant::now()));
        let (stream, facts) = self.tls.handshake(&endpoint.server_name, stream).await?;
        let opened = Opened {
            local,
            connected_at,
            tls: Some(facts.clone()),
        };
        let (outbox, orders) = stream::outbox();
        if tell(inbox, What::Opened(flow, Outlet::Stream(outbox), opened)).await {
            let explain = |error: &std::io::Error| tls::closed(error, &facts);
            Connection {
                flow,
                peer: endpoint.remote,
                stream,
            }
            .run(orders, inbox.clone(), explain)
            .await;
        }
        Ok(())
    }
}

/// False when nobody is left to hear it.
async fn tell(inbox: &mpsc::Sender<Fact>, what: What) -> bool {
    inbox.send(Fact::now(what)).await.is_ok()
}

/// How many actions and requests are carried out in one go.
const AT_ONCE: usize = 256;
