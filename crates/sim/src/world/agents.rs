//! What agents want from the world, and what the world brings them: questions, flows, datagrams, events.

use std::net::SocketAddr;
use std::time::Duration;

use sip_registration::{Action, Closed, DnsError, Event, FlowId, Input, Naptr, Obstacle, Opened, QueryId, Records, Srv, Transport};

use super::{Happening, Reach, World};
use crate::log::Step;
use crate::{AgentId, Phone};

impl World {
    /// Carries out everything that an agent wants.
    pub(super) fn drain_agent(&mut self, agent: AgentId) {
        while let Some(action) = self.agents[agent.0].registrant.poll_action() {
            self.act(agent, action);
        }
        let mut datagram = std::mem::take(&mut self.datagram);
        while let Some(transmit) = self.agents[agent.0].registrant.poll_transmit(&mut datagram) {
            self.watch_request(agent, &datagram);
            self.send(agent, transmit.flow, &datagram);
        }
        self.datagram = datagram;
        while let Some((key, event)) = self.agents[agent.0].registrant.poll_event() {
            let phone = self.agents[agent.0].phones[&key];
            self.hear(phone, &event);
        }
    }

    fn act(&mut self, agent: AgentId, action: Action) {
        match action {
            Action::Query(query, question) => {
                let (wait, answer) = self.zone.answer(&question);
                self.note("dns", &format!("{:?} {}: {}", question.kind, question.name, shown(&answer)));
                self.queue.push(self.now + wait, Happening::Answer(agent, query, answer));
            }
            Action::Open(flow, endpoint) => {
                let transport = endpoint.transport;
                self.agents[agent.0].begin(flow, endpoint);
                match transport {
                    Transport::Udp => self.queue.push(self.now, Happening::OpenUdp(agent, flow)),
                    Transport::Tcp | Transport::Tls => self.connect(agent, flow, 0),
                }
            }
            Action::Close(flow) => {
                if let Some(flow) = self.agents[agent.0].flows.remove(&flow)
                    && let Some(connection) = flow.connection
                {
                    self.hang_up(connection);
                }
            }
        }
    }

    pub(super) fn answer(&mut self, agent: AgentId, query: QueryId, answer: Result<Records, DnsError>) {
        self.tell(agent, Input::Answer(query, answer));
    }

    pub(super) fn tell(&mut self, agent: AgentId, input: Input<'_>) {
        self.agents[agent.0].registrant.handle_input(self.now, input);
        self.drain_agent(agent);
    }

    pub(super) fn open_udp(&mut self, agent: AgentId, flow: FlowId) {
        let Some(found) = self.agents[agent.0].flows.get_mut(&flow) else {
            return;
        };
        found.open = true;
        let local = found.local;
        let opened = Opened {
            local,
            connected_at: None,
            tls: None,
        };
        self.tell(agent, Input::Opened(flow, opened));
    }

    /// The world closes a flow, or says that it did not open.
    pub(super) fn close_flow(&mut self, agent: AgentId, flow: FlowId, closed: Closed) {
        if self.agents[agent.0].flows.remove(&flow).is_some() {
            self.note("flow", &format!("{closed:?}"));
            self.tell(agent, Input::Closed(flow, closed));
        }
    }

    /// An agent sends.
    fn send(&mut self, agent: AgentId, flow: FlowId, bytes: &[u8]) {
        let Some(found) = self.agents[agent.0].flows.get(&flow).filter(|found| found.open) else {
            panic!("the core sends on a flow that is not open");
        };
        let (local, endpoint) = (found.local, &found.endpoint);
        let (transport, remote) = (endpoint.transport, endpoint.remote);
        match found.connection {
            Some(connection) => self.send_up(connection, bytes),
            None => {
                let fates = self.send_datagram(agent, flow, local, remote, bytes);
                let elapsed = self.elapsed();
                self.log
                    .message(elapsed, Step::Sent(fates), [local, remote], transport.name(), bytes);
            }
        }
    }

    /// Sends a datagram; says how often it is going to arrive.
    fn send_datagram(&mut self, agent: AgentId, flow: FlowId, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) -> usize {
        let link = self.link_to(remote.ip());
        let delays = link.datagram(link.up, &mut self.rng);
        match self.reach(Transport::Udp, remote) {
            Reach::Listener(listener) => {
                for delay in &delays {
                    let arrival = Happening::ToListener {
                        listener,
                        source: local,
                        bytes: bytes.to_vec(),
                    };
                    self.queue.push(self.now + *delay, arrival);
                }
                delays.len()
            }
            Reach::Refusal => {
                // ICMP is lost like everything else.
                if let Some(delay) = delays.first()
                    && let Some(back) = link.datagram(link.down, &mut self.rng).first()
                {
                    self.queue.push(
                        self.now + *delay + *back,
                        Happening::Close(agent, flow, Closed::Unreachable(Obstacle::NobodyListens)),
                    );
                }
                delays.len()
            }
            Reach::Nobody => 0,
        }
    }

    /// A datagram arrives at whichever agent has this address.
    pub(super) fn deliver_down(&mut self, local: SocketAddr, source: SocketAddr, bytes: &[u8]) {
        let found = self.agents.iter().enumerate().find_map(|(agent, found)| {
            let here =
                |(flow, found): (&FlowId, &crate::agent::AgentFlow)| (found.local == local && found.connection.is_none()).then_some(*flow);
            Some((AgentId(agent), found.flows.iter().find_map(here)?))
        });
        if let Some((agent, flow)) = found {
            let elapsed = self.elapsed();
            self.log
                .message(elapsed, Step::Received, [local, source], Transport::Udp.name(), bytes);
            self.tell(agent, Input::Received { flow, source, bytes });
        }
    }

    fn hear(&mut self, phone: Phone, event: &Event) {
        let name = self.name(phone);
        match event {
            Event::Attempt(attempt) => {
                self.note(
                    &name,
                    &format!(
                        "{:?} {:?}, {} requests, {} again",
                        attempt.goal, attempt.ending, attempt.requests, attempt.retransmissions
                    ),
                );
                self.check_attempt(phone, attempt);
                self.phones[phone.0].history.add(attempt);
            }
            Event::Changed(status) => {
                let until = status.valid_until.map(|until| until.saturating_duration_since(self.now));
                self.note(&name, &format!("{}{}", status.state.name(), until.map_or_else(String::new, left)));
                self.check_claim(phone);
            }
            Event::Request(request) => self.note(&name, &format!("{} from {}: {:?}", request.method, request.source, request.answer)),
            Event::Removed => {
                self.note(&name, "removed");
                self.phones[phone.0].history.removed = true;
            }
        }
    }
}

fn left(until: Duration) -> String {
    format!(", bound for {:.3} s", until.as_secs_f64())
}

/// Records as a zone file has them.
fn shown(answer: &Result<Records, DnsError>) -> String {
    let words: Vec<String> = match answer {
        Err(error) => return format!("{error:?}"),
        Ok(Records::Addresses(addresses)) => addresses.iter().map(ToString::to_string).collect(),
        Ok(Records::Srv(records)) => {
            let shown = |record: &Srv| format!("{} {} {} {}", record.priority, record.weight, record.port, record.target);
            records.iter().map(shown).collect()
        }
        Ok(Records::Naptr(records)) => {
            let shown = |record: &Naptr| format!("{} {} {} {}", record.order, record.preference, record.service, record.replacement);
            records.iter().map(shown).collect()
        }
    };
    words.join(", ")
}
