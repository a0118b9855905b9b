//! The flows and questions that a driver has out, and how they are opened and written to. Not for what is said on them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_registration::{Action, Closed, DnsError, Endpoint, FlowId, Opened, QueryId, Records, Transmit, Transport};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use crate::dns::Dns;
use crate::driver::Network;
use crate::hub::Hubs;
use crate::line::Line;
use crate::lines::{Lines, Outlook};
use crate::tcp;
use crate::tls::TlsClient;

/// The flows and questions that are out.
#[derive(Debug)]
pub(crate) struct World {
    means: Arc<Means>,
    inbox: mpsc::Sender<News>,
    flows: BTreeMap<FlowId, Way>,
    pub(crate) hubs: Hubs,
    pub(crate) lines: Lines,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) questions: JoinSet<()>,
}

/// What a task has to tell, and when it happened.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) at: Instant,
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum What {
    /// DNS answered.
    Answer(QueryId, Result<Records, DnsError>),
    /// A connection stands.
    Opened(FlowId, Box<Line>, Opened),
    /// A connection did not come about.
    Closed(FlowId, Closed),
}

/// One flow, from the wish to open it until it is closed.
#[derive(Debug)]
enum Way {
    /// A connection that is being made.
    Opening(AbortHandle),
    /// A connection, among [`Lines`].
    Line,
    /// A place on a socket, among [`Hubs`].
    Datagrams { hub: u32, remote: SocketAddr },
}

impl World {
    pub(crate) fn new(network: Network, inbox: mpsc::Sender<News>) -> Self {
        let means = Means {
            local: network.local,
            favourite_port: network.favourite_port,
            tls: TlsClient::new(network.tls),
            dns: Dns::new(network.dns, network.timeout),
            patience: network.timeout / 2,
        };
        Self {
            means: Arc::new(means),
            inbox,
            flows: BTreeMap::new(),
            hubs: Hubs::new(),
            lines: Lines::new(),
            tasks: JoinSet::new(),
            questions: JoinSet::new(),
        }
    }

    /// Asks a question, or begins to open a connection.
    pub(crate) fn act(&mut self, action: Action) {
        let (means, inbox) = (Arc::clone(&self.means), self.inbox.clone());
        match action {
            Action::Query(query, question) => {
                let asking = async move {
                    let answer = means.dns.ask(&question).await;
                    // Nobody is left to hear it when the driver has gone.
                    tell(&inbox, What::Answer(query, answer)).await;
                };
                self.questions.spawn(asking);
            }
            Action::Open(flow, endpoint) => {
                let task = self.tasks.spawn(means.connect(flow, endpoint, inbox));
                self.flows.insert(flow, Way::Opening(task));
            }
            Action::Close(flow) => self.close(flow),
        }
    }

    /// Opens a UDP flow, which takes no time.
    ///
    /// # Errors
    /// As [`Hubs::open`].
    pub(crate) fn open_datagrams(&mut self, flow: FlowId, remote: SocketAddr) -> Result<Opened, Closed> {
        let (hub, opened) = self.hubs.open(flow, self.means.local, self.means.favourite_port, remote)?;
        self.flows.insert(flow, Way::Datagrams { hub, remote });
        Ok(opened)
    }

    /// Takes a connection in. True when it is still wanted.
    pub(crate) fn opened(&mut self, flow: FlowId, line: Line) -> bool {
        let Some(way) = self.flows.get_mut(&flow) else { return false };
        *way = Way::Line;
        self.lines.add(flow, line);
        true
    }

    /// True when it is a flow of ours.
    pub(crate) fn has(&self, flow: FlowId) -> bool {
        self.flows.contains_key(&flow)
    }

    /// Closes a flow in good manners.
    pub(crate) fn close(&mut self, flow: FlowId) {
        match self.flows.remove(&flow) {
            Some(Way::Opening(task)) => task.abort(),
            Some(Way::Line) => self.lines.close(flow),
            Some(Way::Datagrams { hub, remote }) => self.hubs.close(hub, remote),
            None => {}
        }
    }

    /// Drops a flow that is of no use any more. True when it was one of ours.
    pub(crate) fn forget(&mut self, flow: FlowId) -> bool {
        let ours = self.has(flow);
        self.lines.forget(flow);
        self.close(flow);
        ours
    }

    /// Closes every flow in good manners, within [`crate::stream::GOODBYE`].
    pub(crate) async fn close_all(self) {
        let Self { mut tasks, lines, .. } = self;
        tasks.abort_all();
        lines.close_all().await;
    }

    /// True when something waits to be sent.
    pub(crate) const fn has_post(&self) -> bool {
        self.hubs.has_post() || self.lines.has_post()
    }

    /// Sends what waits, as far as there is room.
    pub(crate) fn flush(&mut self, now: Instant) -> Vec<Outlook> {
        let mut outlooks = self.lines.flush();
        let lost = self.hubs.flush(now).into_iter();
        outlooks.extend(lost.map(|(flow, closed)| Outlook::Lost(flow, closed)));
        outlooks
    }

    /// Puts what was written to [`Hubs::blank`] on its way, if its flow is still there. False when it is time to [`Self::flush`].
    pub(crate) fn send(&mut self, transmit: Transmit) -> bool {
        match self.flows.get(&transmit.flow) {
            Some(Way::Datagrams { hub, .. }) => self.hubs.post(transmit.flow, *hub, transmit.to),
            Some(Way::Line) => self.lines.push(transmit.flow, self.hubs.blank()),
            Some(Way::Opening(_)) | None => true,
        }
    }
}

/// What flows and questions need; nothing of it is touched before its time.
#[derive(Debug)]
struct Means {
    local: Option<SocketAddr>,
    favourite_port: Option<u16>,
    tls: TlsClient,
    dns: Dns,
    /// How long what was sent may go unacknowledged: so long that a peer which is there has said so, and less than a reply is waited for.
    patience: Duration,
}

impl Means {
    /// Makes a connection.
    async fn connect(self: Arc<Self>, flow: FlowId, endpoint: Endpoint, inbox: mpsc::Sender<News>) {
        let connected = match endpoint.transport {
            Transport::Udp => Err(Closed::Local("UDP knows no connections".to_owned())),
            Transport::Tcp => self.plain(&endpoint).await,
            Transport::Tls => self.secured(&endpoint).await,
        };
        let what = match connected {
            Ok((line, opened)) => What::Opened(flow, Box::new(line), opened),
            Err(closed) => What::Closed(flow, closed),
        };
        tell(&inbox, what).await;
    }

    async fn plain(&self, endpoint: &Endpoint) -> Result<(Line, Opened), Closed> {
        let stream = tcp::connect(self.local, endpoint.remote, self.patience).await?;
        let opened = Opened {
            local: tcp::local_address(&stream)?,
            connected_at: Some(Instant::now()),
            tls: None,
        };
        Ok((Line::plain(stream, endpoint.remote), opened))
    }

    async fn secured(&self, endpoint: &Endpoint) -> Result<(Line, Opened), Closed> {
        self.tls.prepare()?;
        let stream = tcp::connect(self.local, endpoint.remote, self.patience).await?;
        let (local, connected_at) = (tcp::local_address(&stream)?, Some(Instant::now()));
        let (stream, facts) = self.tls.handshake(&endpoint.server_name, stream).await?;
        let (stream, session) = stream.into_inner();
        let opened = Opened {
            local,
            connected_at,
            tls: Some(facts.clone()),
        };
        Ok((Line::secured(stream, endpoint.remote, session, facts), opened))
    }
}

async fn tell(inbox: &mpsc::Sender<News>, what: What) {
    let news = News { at: Instant::now(), what };
    // Nobody is left to hear it when the driver has gone.
    let _ = inbox.send(news).await;
}
