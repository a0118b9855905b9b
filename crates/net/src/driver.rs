//! The loop between a [`Registrant`] and the world: it carries out what the core wants and tells it what happened. No decision about
//! SIP is made here, and nothing is awaited but the next thing to happen.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip_registration::{Action, Attempt, Closed, Event, FlowId, Goal, Input, Key, Policy, Registrant, Transport};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::hub::Heard;
use crate::lines::{Came, Outlook};
use crate::tap::Tap;
use crate::tls::TlsOptions;
use crate::world::{News, What, World};

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
    /// How long one exchange may take: a fifth of it is the most that a name server is waited for before it is asked again, and half of it
    /// that a connection is kept whose other end acknowledges nothing.
    pub timeout: Duration,
    /// Where to leave what is sent and received, if somebody looks on.
    pub tap: Option<Tap>,
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
            tap: None,
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
    news: mpsc::Receiver<News>,
    latest: Instant,
    tap: Option<Tap>,
}

impl Driver {
    /// Drives `registrant`.
    #[must_use]
    pub fn new(mut registrant: Registrant, mut network: Network) -> Self {
        let (inbox, news) = mpsc::channel(INBOX);
        let tap = network.tap.take();
        if tap.is_some() {
            registrant.tap();
        }
        Self {
            registrant,
            world: World::new(network, inbox),
            news,
            latest: Instant::now(),
            tap,
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
            if let Some(told) = self.turn(None).await {
                return told;
            }
            self.wait(None).await;
        }
    }

    /// As [`Driver::next`], but waits no longer than until `at`, if there is such a moment: who has orders to give then needs no timer of
    /// its own.
    pub async fn next_before(&mut self, at: Option<Instant>) -> Option<(Key, Event)> {
        loop {
            if let Some(told) = self.turn(at).await {
                return Some(told);
            }
            if at.is_some_and(|at| Instant::now() >= at) {
                // Who comes late every time hears what has arrived all the same.
                tokio::task::yield_now().await;
                self.drain();
                return self.registrant.poll_event();
            }
            self.wait(at).await;
        }
    }

    /// The next thing to tell, if it is known already: looks at nothing that may have arrived meanwhile. Who takes events by the batch calls
    /// it until it has none, after [`Driver::next`].
    pub fn try_next(&mut self) -> Option<(Key, Event)> {
        self.registrant.poll_event()
    }

    /// Takes an attempt back that was looked at, for its buffers: see [`Registrant::recycle`].
    pub fn recycle(&mut self, attempt: Box<Attempt>) {
        self.registrant.recycle(attempt);
    }

    /// Does all that can be done without waiting, until something has to be told, or until `at`.
    async fn turn(&mut self, at: Option<Instant>) -> Option<(Key, Event)> {
        loop {
            let idle = self.carry_out();
            if let Some(tap) = &self.tap {
                // What is left of streams that have ended.
                hand_over(tap, &mut self.registrant, self.latest);
            }
            if let Some(told) = self.registrant.poll_event() {
                return Some(told);
            }
            let is_over = || at.is_some_and(|at| Instant::now() >= at);
            if (idle && !self.is_ready()) || is_over() {
                return None;
            }
            // Let others have their turn, and the sockets say that they have something.
            tokio::task::yield_now().await;
            self.drain();
        }
    }

    /// Waits until something happens, and takes it in.
    async fn wait(&mut self, at: Option<Instant>) {
        let deadlines = [self.registrant.poll_timeout(), self.world.hubs.blocked_until(), at];
        tokio::select! {
            biased;
            Some(woken) = self.world.hubs.wake() => self.world.hubs.woken(woken),
            Some(woken) = self.world.lines.wake() => self.world.lines.woken(woken),
            Some(news) = self.news.recv() => self.take(news),
            () = wait_until(deadlines.into_iter().flatten().min()) => {
                // What arrived while we slept was before the deadline: let its readers tell.
                tokio::task::yield_now().await;
            }
            Some(_) = self.world.tasks.join_next(), if !self.world.tasks.is_empty() => {}
            Some(_) = self.world.questions.join_next(), if !self.world.questions.is_empty() => {}
        }
        self.drain();
    }

    /// True when something may have arrived that was not yet taken.
    fn is_ready(&self) -> bool {
        self.world.hubs.is_ready() || self.world.lines.is_ready()
    }

    /// Takes in what has arrived, a batch of each socket, and does what is due.
    fn drain(&mut self) {
        self.world.hubs.gather();
        self.hear_datagrams();
        self.world.lines.gather();
        self.hear_lines();
        for _ in 0..INBOX {
            let Ok(news) = self.news.try_recv() else { break };
            self.take(news);
        }
        // What has arrived and was not yet taken is older than what is due: the time is that of what was.
        let now = if self.is_ready() { self.latest } else { self.now() };
        self.registrant.handle_timeout(now);
    }

    /// Closes every flow in good manners: TLS says goodbye. Takes half a second at most.
    pub async fn close(mut self) {
        self.flush();
        let Self { world, news, .. } = self;
        drop(news);
        world.close_all().await;
    }

    /// The clock, which never goes back behind a moment that the core has seen.
    fn now(&mut self) -> Instant {
        self.latest = self.latest.max(Instant::now());
        self.latest
    }

    /// Does what the core wants. False when it wants more than is done in one go.
    fn carry_out(&mut self) -> bool {
        for _ in 0..AT_ONCE {
            // Nothing more is written while the kernel has no room for what is.
            let full = self.world.hubs.blocked_until().is_some() && !self.flush();
            if full {
                return true;
            } else if let Some(action) = self.registrant.poll_action() {
                self.act(action);
            } else if let Some(transmit) = self.registrant.poll_transmit(self.world.hubs.blank()) {
                if let Some(tap) = &self.tap {
                    hand_over(tap, &mut self.registrant, Instant::now());
                }
                if !self.world.send(transmit) {
                    self.flush();
                }
            } else if !self.world.has_post() {
                return true;
            } else {
                self.flush();
            }
        }
        false
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Open(flow, endpoint) if endpoint.transport == Transport::Udp => {
                let opened = self.world.open_datagrams(flow, endpoint.remote);
                let input = opened.map_or_else(|closed| Input::Closed(flow, closed), |opened| Input::Opened(flow, opened));
                let now = self.now();
                self.registrant.handle_input(now, input);
            }
            Action::Close(flow) => {
                // What it said last is said before it goes.
                self.flush();
                self.world.close(flow);
            }
            Action::Open(..) | Action::Query(..) => self.world.act(action),
        }
    }

    /// Sends what waits. False when datagrams still wait.
    fn flush(&mut self) -> bool {
        if !self.world.has_post() {
            return true;
        }
        let now = self.now();
        for outlook in self.world.flush(now) {
            match outlook {
                Outlook::Congested(flow) => self.registrant.handle_input(now, Input::Congested(flow)),
                Outlook::Relieved(flow) => self.registrant.handle_input(now, Input::Relieved(flow)),
                Outlook::Lost(flow, closed) => self.lose(flow, closed),
            }
        }
        !self.world.hubs.has_post()
    }

    /// A flow is of no use any more.
    fn lose(&mut self, flow: FlowId, closed: Closed) {
        if self.world.forget(flow) {
            let now = self.now();
            self.registrant.handle_input(now, Input::Closed(flow, closed));
        }
    }

    /// Takes in what connections have.
    fn hear_lines(&mut self) {
        if !self.world.lines.is_ready() {
            return;
        }
        let now = self.now();
        let Self {
            registrant, world, tap, ..
        } = self;
        let mut gone = Vec::new();
        world.lines.receive(|came| match came {
            Came::Bytes(flow, source, bytes) => {
                registrant.handle_input(now, Input::Received { flow, source, bytes });
                if let Some(tap) = tap {
                    hand_over(tap, registrant, now);
                }
            }
            Came::Closed(flow, closed) => gone.push((flow, closed)),
        });
        for (flow, closed) in gone {
            self.end(flow, closed);
        }
    }

    /// Takes in datagrams.
    fn hear_datagrams(&mut self) {
        let Self {
            registrant,
            world,
            latest,
            tap,
            ..
        } = self;
        let mut gone = Vec::new();
        world.hubs.receive(|heard| match heard {
            Heard::Datagram(flow, source, at, bytes) => {
                *latest = at.max(*latest);
                registrant.handle_input(*latest, Input::Received { flow, source, bytes });
                if let Some(tap) = tap {
                    hand_over(tap, registrant, at);
                }
            }
            Heard::Unreachable(flow, obstacle) => gone.push((flow, obstacle)),
        });
        for (flow, obstacle) in gone {
            if self.world.forget(flow) {
                let now = self.now();
                self.registrant
                    .handle_input(now, Input::Closed(flow, Closed::Unreachable(obstacle)));
            }
        }
    }

    fn take(&mut self, news: News) {
        let at = news.at.max(self.latest);
        self.latest = at;
        match news.what {
            What::Answer(query, answer) => self.registrant.handle_input(at, Input::Answer(query, answer)),
            What::Opened(flow, line, opened) => {
                if self.world.opened(flow, *line) {
                    self.registrant.handle_input(at, Input::Opened(flow, opened));
                }
            }
            What::Closed(flow, closed) => self.end(flow, closed),
        }
    }

    /// A flow is gone, from the other side or before it came about.
    fn end(&mut self, flow: FlowId, closed: Closed) {
        if self.world.has(flow) {
            self.world.close(flow);
            let now = self.now();
            self.registrant.handle_input(now, Input::Closed(flow, closed));
        }
    }
}

/// Leaves what was sent or received at `at` for who looks on.
fn hand_over(tap: &Tap, registrant: &mut Registrant, at: Instant) {
    while let Some(tapped) = registrant.poll_tapped() {
        tap.hand_over(at, tapped);
    }
}

/// The one timer of a driver: the core has no clock, so that somebody has to wake it at the moment that it names itself.
async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// How many actions and requests are carried out in one go.
const AT_ONCE: usize = 256;

/// How much news may wait for the driver before its tasks have to wait too.
const INBOX: usize = 256;
