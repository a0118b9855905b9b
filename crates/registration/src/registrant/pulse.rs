//! Keeping flows alive: pings are sent and their absence is told to the registrations. When and whether is decided in `flows/pulse.rs`.

use std::net::SocketAddr;
use std::time::Instant;

use rand::RngExt as _;

use super::Registrant;
use crate::attempt::CallId;
use crate::branch::Branch;
use crate::encode::Identity;
use crate::flows::{Beat, Ping};
use crate::{Action, Closed, FlowId, Transmit};

/// RFC 5626 §4.4.1.
const DOUBLE_CRLF: &[u8] = b"\r\n\r\n";

impl Registrant {
    /// Looks after the flows whose time has come.
    pub(super) fn beat(&mut self, now: Instant) {
        while let Some((flow, beat)) = self.flows.poll_beat(now, &self.policy, &mut self.pulse_rng) {
            match beat {
                Beat::Ping(ping) => self.out.pings.push_back((flow, ping)),
                Beat::MissedOnce(ping) => {
                    self.counters.keep_alives_missed += 1;
                    self.out.pings.push_back((flow, ping));
                }
                Beat::Missed => self.counters.keep_alives_missed += 1,
                Beat::Suspect => {
                    self.counters.keep_alives_missed += 1;
                    self.suspect(now, flow);
                }
                Beat::Lost => {
                    self.counters.keep_alives_missed += 1;
                    self.give_up_flow(now, flow);
                }
            }
        }
    }

    /// The flow's registrations refresh, each in its own time.
    fn suspect(&mut self, now: Instant, flow: FlowId) {
        let users = self.flows.users(flow);
        let crowd = u32::try_from(users.len()).unwrap_or(u32::MAX);
        for key in users {
            self.with(now, key, |registration, cx| registration.come_back_soon(cx, crowd));
        }
    }

    /// RFC 5626 §4.4.1: a flow without a pong has failed.
    fn give_up_flow(&mut self, now: Instant, flow: FlowId) {
        for key in self.flows.remove(flow).unwrap_or_default() {
            self.with(now, key, |registration, cx| registration.handle_closed(cx, flow, &Closed::Reset));
        }
        self.out.act(Action::Close(flow));
    }

    /// A line end on a stream: the answer to a ping, if one waits.
    pub(super) fn handle_line_end(&mut self, now: Instant, flow: FlowId, source: SocketAddr) {
        let is_pong = self.flows.handle_pong(now, flow, &self.policy, &mut self.pulse_rng);
        self.tap_line_end(flow, source, is_pong);
        self.counters.keep_alives_answered += u64::from(is_pong);
    }

    /// A response that answers no exchange. True when it answers a ping.
    pub(super) fn answers_ping(&mut self, now: Instant, flow: FlowId, branch: Option<Branch>) -> bool {
        let answers = branch.is_some_and(|branch| {
            self.flows
                .handle_ping_response(now, flow, branch, &self.policy, &mut self.pulse_rng)
        });
        self.counters.keep_alives_answered += u64::from(answers);
        answers
    }

    /// Writes the next ping that is due.
    pub(super) fn write_ping(&mut self, datagram: &mut Vec<u8>) -> Option<Transmit> {
        while let Some((id, ping)) = self.out.pings.pop_front() {
            let Some(to) = self.flows.get(id).map(|flow| flow.endpoint.remote) else {
                continue;
            };
            let written = match ping {
                Ping::Crlf => {
                    datagram.clear();
                    datagram.extend_from_slice(DOUBLE_CRLF);
                    true
                }
                Ping::Options(nonce) => self.write_options(id, nonce, datagram).is_some(),
            };
            if written {
                self.counters.keep_alives_sent += 1;
                return Some(Transmit { flow: id, to });
            }
        }
        None
    }

    /// An OPTIONS in the name of one of the flow's registrations, outside of its exchanges.
    fn write_options(&mut self, id: FlowId, nonce: u64, datagram: &mut Vec<u8>) -> Option<()> {
        let identity = Identity {
            call_id: CallId::new(self.pulse_rng.random()),
            from_tag: self.pulse_rng.random(),
        };
        let key = self.flows.any_user(id)?;
        let branch = Branch { key, nonce };
        let flow = self.flows.get(id)?;
        self.registration(key)?.write_options(flow, branch, &identity, datagram)
    }
}
