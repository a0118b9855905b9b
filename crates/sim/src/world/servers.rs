//! What registrars receive and what becomes of their replies on the way back.

use std::net::SocketAddr;

use sip_registrar::{AfterReply, Peer, Reply};
use sip_registration::{Closed, Transport};

use super::{Happening, World};
use crate::RegistrarId;
use crate::log::Step;

impl World {
    /// A datagram arrives at a listener.
    pub(super) fn deliver_up(&mut self, listener: usize, source: SocketAddr, bytes: &[u8]) {
        if self.outage(listener).is_some() {
            return;
        }
        let peer = Peer {
            flow: listener as u64,
            source,
            reliable: false,
        };
        self.handle_message(self.listeners[listener].server, peer, bytes);
    }

    pub(super) fn handle_message(&mut self, server: RegistrarId, peer: Peer, bytes: &[u8]) {
        let elapsed = self.elapsed();
        self.servers[server.0].count(elapsed);
        self.servers[server.0].registrar.handle_message(self.now, peer, bytes);
        self.drain_server(server);
    }

    /// Carries out everything that a registrar wants.
    pub(super) fn drain_server(&mut self, server: RegistrarId) {
        let mut bytes = std::mem::take(&mut self.datagram);
        while let Some(reply) = self.servers[server.0].registrar.poll_reply(&mut bytes) {
            if self.servers[server.0].outage.is_none() {
                self.send_reply(reply, &bytes);
            }
        }
        self.datagram = bytes;
        while self.servers[server.0].registrar.poll_event().is_some() {}
    }

    fn send_reply(&mut self, reply: Reply, bytes: &[u8]) {
        if !reply.peer.reliable {
            let listener = usize::try_from(reply.peer.flow).ok().and_then(|index| self.listeners.get(index));
            let from = listener
                .expect("a datagram's reply goes back through the listener that it came to")
                .address;
            return self.reply_datagram(from, reply.peer.source, bytes);
        }
        if !bytes.is_empty() {
            self.send_down(reply.peer.flow, bytes);
        }
        match reply.then {
            AfterReply::KeepOpen => {}
            AfterReply::Close => self.finish_stream(reply.peer.flow, Closed::Ended),
        }
    }

    fn reply_datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let link = self.link_to(from.ip());
        let delays = link.datagram(link.down, &mut self.rng);
        if delays.is_empty() {
            let elapsed = self.elapsed();
            self.log
                .message(elapsed, Step::LostOnTheWayBack, [to, from], Transport::Udp.name(), bytes);
        }
        for delay in delays {
            let arrival = Happening::ToAgent {
                local: to,
                source: from,
                bytes: bytes.to_vec(),
            };
            self.queue.push(self.now + delay, arrival);
        }
    }
}
