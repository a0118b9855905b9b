//! The flows and questions that a driver has out, and how they are opened and written to. Not for what is said on them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use sip_registration::{Action, Closed, Endpoint, FlowId, Opened, Transmit, Transport};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use crate::dns::Dns;
use crate::driver::Network;
use crate::flow::{Fact, Outlet, What};
use crate::hub::Hubs;
use crate::stream::{self, Connection, GOODBYE, Outbox};
use crate::tcp;
use crate::tls::{self, TlsClient};

/// The flows and questions that are out.
#[derive(Debug)]
pub(crate) struct World {
    means: Arc<Means>,
    inbox: mpsc::Sender<Fact>,
    flows: BTreeMap<FlowId, Way>,
    pub(crate) hubs: Hubs,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) questions: JoinSet<()>,
}

/// One flow, from the wish to open it until it is closed.
#[derive(Debug)]
enum Way {
    /// A connection that is being made.
    Opening(AbortHandle),
    /// A connection, by the way to the task that owns it: without it, the task says goodbye.
    Stream(AbortHandle, Outbox),
    /// A place on a socket.
    Datagrams { hub: u32, remote: SocketAddr },
}

/// What became of a message.
pub(crate) enum Sent {
    /// It is on its way, or its flow is gone, which has been told.
    Done,
    /// It waits for its batch, which is full.
    Full,
    /// It cannot be sent, and its flow is of no use any more.
    Lost(Closed),
}

impl World {
    pub(crate) fn new(network: Network, inbox: mpsc::Sender<Fact>) -> Self {
        let means = Means {
            local: network.local,
            favourite_port: network.favourite_port,
            tls: TlsClient::new(network.tls),
            dns: Dns::new(network.dns, network.timeout),
        };
        Self {
            means: Arc::new(means),
            inbox,
            flows: BTreeMap::new(),
            hubs: Hubs::new(),
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
                    let _ = inbox.send(Fact::now(What::Answer(query, answer))).await;
                };
                self.questions.spawn(asking);
            }
            Action::Open(flow, endpoint) => {
                let task = self.tasks.spawn(means.run(flow, endpoint, inbox));
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

    /// True when the flow is still wanted.
    pub(crate) fn opened(&mut self, flow: FlowId, outlet: Outlet) -> bool {
        let Some(way) = self.flows.get_mut(&flow) else { return false };
        match (&*way, outlet) {
            (Way::Opening(task), Outlet::Stream(outbox)) => *way = Way::Stream(task.clone(), outbox),
            (Way::Stream(..) | Way::Datagrams { .. }, Outlet::Stream(_)) => {}
        }
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
            // Its task sees that nothing more will come, and says goodbye.
            Some(Way::Stream(_, outbox)) => drop(outbox),
            Some(Way::Datagrams { hub, remote }) => self.hubs.close(hub, remote),
            None => {}
        }
    }

    /// Closes a flow that is of no use any more. True when it was one of ours.
    pub(crate) fn forget(&mut self, flow: FlowId) -> bool {
        if let Some(Way::Stream(task, _)) = self.flows.get(&flow) {
            task.abort();
        }
        let ours = self.flows.contains_key(&flow);
        self.close(flow);
        ours
    }

    /// Closes every flow in good manners, within [`GOODBYE`].
    pub(crate) async fn close_all(self) {
        let Self { flows, mut tasks, .. } = self;
        for way in flows.into_values() {
            match way {
                Way::Opening(task) => task.abort(),
                Way::Stream(_, outbox) => drop(outbox),
                Way::Datagrams { .. } => {}
            }
        }
        let _ = timeout(GOODBYE, async { while tasks.join_next().await.is_some() {} }).await;
    }

    /// Puts what was written to [`Hubs::blank`] on its way.
    pub(crate) fn send(&mut self, transmit: Transmit) -> Sent {
        match self.flows.get(&transmit.flow) {
            Some(Way::Datagrams { hub, .. }) if self.hubs.post(transmit.flow, *hub, transmit.to) => Sent::Done,
            Some(Way::Datagrams { .. }) => Sent::Full,
            Some(Way::Stream(_, outbox)) if outbox.push(self.hubs.blank()) => Sent::Done,
            Some(Way::Stream(..)) => Sent::Lost(Closed::Local("the peer does not read what we send".to_owned())),
            Some(Way::Opening(_)) | None => Sent::Done,
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
}

impl Means {
    /// The life of one flow.
    async fn run(self: Arc<Self>, flow: FlowId, endpoint: Endpoint, inbox: mpsc::Sender<Fact>) {
        let outcome = match endpoint.transport {
            // Opened at once, by `World::open_datagrams`.
            Transport::Udp => Ok(()),
            Transport::Tcp => self.plain(flow, &endpoint, &inbox).await,
            Transport::Tls => self.secured(flow, &endpoint, &inbox).await,
        };
        if let Err(closed) = outcome {
            // Nobody is left to hear it when the driver has gone.
            let _ = inbox.send(Fact::now(What::Closed(flow, closed))).await;
        }
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
