//! TCP and TLS in the simulated world: connecting, pieces that arrive in order, closing, resets. No bytes of TLS: only what it shows.

use std::time::Duration;

use sip_message::{Frame, Framer};
use sip_registrar::Peer;
use sip_registration::{Closed, FlowId, Input, Opened, TlsFacts, Transport};

use super::{Happening, Reach, World};
use crate::link::pieces;
use crate::log::Step;
use crate::server::Connection;
use crate::{AgentId, RegistrarId};

impl World {
    /// An agent opens a stream: one round trip for TCP, one more for TLS 1.3 (RFC 8446 §2). A request that nobody answers is sent
    /// again after 1, 3, 7, ... seconds, as Linux does it, and given up in the end.
    pub(super) fn connect(&mut self, agent: AgentId, flow: FlowId, before: u32) {
        let Some(endpoint) = self.agents[agent.0].flows.get(&flow).map(|found| found.endpoint.clone()) else {
            return;
        };
        let link = self.link_to(endpoint.remote.ip());
        let [tcp, tls] = [(); 2].map(|()| link.packet(link.up, &mut self.rng) + link.packet(link.down, &mut self.rng));
        match self.reach(endpoint.transport, endpoint.remote) {
            Reach::Listener(_) => {
                let tls = if endpoint.transport == Transport::Tls {
                    tls
                } else {
                    Duration::ZERO
                };
                self.queue.push(self.now + tcp + tls, Happening::OpenStream(agent, flow, tls));
            }
            Reach::Refusal => self.queue.push(self.now + tcp, Happening::Close(agent, flow, Closed::Refused)),
            Reach::Nobody => {
                let next = if before < CONNECTION_REQUESTS {
                    Happening::Connect(agent, flow, before + 1)
                } else {
                    Happening::Close(agent, flow, Closed::TimedOut)
                };
                self.queue.push(self.now + Duration::from_secs(1 << before), next);
            }
        }
    }

    /// The stream stands, unless it was given up or the registrar went away meanwhile. `tls` is what the handshake took.
    pub(super) fn open_stream(&mut self, agent: AgentId, flow: FlowId, tls: Duration) {
        let Some(found) = self.agents[agent.0].flows.get_mut(&flow) else {
            return;
        };
        let (local, endpoint) = (found.local, found.endpoint.clone());
        let connection = self.next_connection;
        found.connection = Some(connection);
        found.open = true;
        let Reach::Listener(listener) = self.reach(endpoint.transport, endpoint.remote) else {
            return self.close_flow(agent, flow, Closed::Reset);
        };
        self.next_connection += 1;
        let stands = Connection {
            agent,
            flow,
            listener: self.listeners[listener],
            local,
            framer: Framer::default(),
            half_pinged: false,
            up_to: self.now,
            down_to: self.now,
        };
        self.connections.insert(connection, stands);
        let opened = Opened {
            local,
            connected_at: Some(self.now - tls),
            tls: (endpoint.transport == Transport::Tls).then(|| facts(&endpoint.server_name)),
        };
        self.tell(agent, Input::Opened(flow, opened));
    }

    /// An agent writes.
    pub(super) fn send_up(&mut self, id: u64, bytes: &[u8]) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let (listener, local) = (connection.listener, connection.local);
        let elapsed = self.elapsed();
        self.log
            .message(elapsed, Step::Sent(1), [local, listener.address], listener.transport.name(), bytes);
        let link = self.link_to(listener.address.ip());
        let whole = pieces(bytes, &mut self.rng);
        let cut = link.cuts(&mut self.rng);
        // A cut lets the first piece through.
        let kept = if cut { 1 } else { whole.len() };
        for piece in whole.into_iter().take(kept) {
            let at = self.now + link.packet(link.up, &mut self.rng);
            let Some(connection) = self.connections.get_mut(&id) else { return };
            connection.up_to = connection.up_to.max(at);
            self.queue.push(connection.up_to, Happening::StreamUp(id, piece));
        }
        if cut {
            self.finish_stream(id, Closed::Reset);
        }
    }

    /// A registrar writes.
    pub(super) fn send_down(&mut self, id: u64, bytes: &[u8]) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let (listener, local) = (connection.listener, connection.local);
        let elapsed = self.elapsed();
        self.log
            .message(elapsed, Step::Received, [local, listener.address], listener.transport.name(), bytes);
        let link = self.link_to(listener.address.ip());
        for piece in pieces(bytes, &mut self.rng) {
            let at = self.now + link.packet(link.down, &mut self.rng);
            let Some(connection) = self.connections.get_mut(&id) else { return };
            connection.down_to = connection.down_to.max(at);
            self.queue.push(connection.down_to, Happening::StreamDown(id, piece));
        }
    }

    /// Bytes arrive at a registrar.
    pub(super) fn stream_up(&mut self, id: u64, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let server = connection.listener.server;
        let peer = Peer {
            flow: id,
            source: connection.local,
            reliable: true,
        };
        connection.framer.push(bytes);
        let (mut messages, mut pings) = (Vec::new(), 0);
        let sound = loop {
            match connection.framer.poll() {
                Ok(Some(Frame::Message(message))) => messages.push(message.to_vec()),
                // RFC 5626 §4.4.1: a double CRLF is a ping, a single one its answer.
                Ok(Some(Frame::LineEnd)) => {
                    pings += u32::from(connection.half_pinged);
                    connection.half_pinged = !connection.half_pinged;
                }
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        if self.servers[server.0].outage.is_none() {
            (0..pings).for_each(|_| self.send_down(id, b"\r\n"));
            for message in messages {
                self.handle_message(server, peer, &message);
            }
        }
        if !sound {
            self.finish_stream(id, Closed::Ended);
        }
    }

    /// Bytes arrive at an agent.
    pub(super) fn stream_down(&mut self, id: u64, bytes: &[u8]) {
        if let Some(connection) = self.connections.get(&id) {
            let (agent, flow, source) = (connection.agent, connection.flow, connection.listener.address);
            self.tell(agent, Input::Received { flow, source, bytes });
        }
    }

    /// The agent is done with a stream: what it has written still arrives.
    pub(super) fn hang_up(&mut self, id: u64) {
        if let Some(connection) = self.connections.get(&id) {
            self.queue.push(connection.up_to, Happening::HangUp(id));
        }
    }

    /// The stream ends once everything that was written to the agent has arrived.
    pub(super) fn finish_stream(&mut self, id: u64, closed: Closed) {
        if let Some(connection) = self.connections.get(&id) {
            let at = connection
                .down_to
                .max(self.now + self.link_to(connection.listener.address.ip()).delay);
            self.queue.push(at, Happening::CloseStream(id, closed));
        }
    }

    pub(super) fn close_stream(&mut self, id: u64, closed: Closed) {
        if let Some(connection) = self.connections.remove(&id) {
            self.close_flow(connection.agent, connection.flow, closed);
        }
    }

    /// A registrar's process ends: its connections are reset.
    pub(super) fn reset_connections(&mut self, server: RegistrarId) {
        let of_server = |(id, connection): (&u64, &Connection)| (connection.listener.server == server).then_some(*id);
        let open: Vec<u64> = self.connections.iter().filter_map(of_server).collect();
        for id in open {
            self.finish_stream(id, Closed::Reset);
        }
    }
}

/// How often a connection request is sent again: Linux' `tcp_syn_retries`.
const CONNECTION_REQUESTS: u32 = 6;

/// What a handshake shows: the world has certificates without keys.
fn facts(server_name: &str) -> TlsFacts {
    TlsFacts {
        version: "TLSv1.3".to_owned(),
        cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
        subject: format!("CN={server_name}"),
        issuer: "CN=The world's own".to_owned(),
        server_name: server_name.to_owned(),
        not_after: 4_000_000_000,
        days_left: 20_000,
        verified: true,
    }
}
