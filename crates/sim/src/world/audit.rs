//! The invariants of docs/states.md, held against what registrars know by their own clocks. Panics where one does not hold.

use std::time::Instant;

use sip_message::Message;
use sip_registration::{Attempt, Ending, Goal, State};

use super::World;
use crate::{AgentId, Phone};

/// No exchange sends more requests to one target: the first, one without stale credentials, answers to a 401 and a 407,
/// one for a stale nonce, two after a 423.
const REQUESTS_PER_TARGET: usize = 7;
/// With the RFC's timers a request goes out eleven times until Timer F (RFC 3261 §17.1.2.2).
const RETRANSMISSIONS: u32 = 10;

impl World {
    /// Nobody claims more than its registrar knows, and every registration is at rest or has a deadline.
    ///
    /// # Panics
    /// When a registration claims what is not so.
    pub fn audit(&self) {
        for phone in self.phones() {
            self.check_claim(phone);
        }
    }

    /// A registration that claims to be registered has a binding at a registrar, and for as long as it says.
    pub(super) fn check_claim(&self, phone: Phone) {
        let Some(status) = self.status(phone) else { return };
        let claims = status.state == State::Registered || status.valid_until.is_some_and(|until| until > self.now);
        if !claims {
            return;
        }
        let unforgotten = |confirmed: Instant| self.forgot_at.is_none_or(|forgot| confirmed > forgot);
        if !self.phones[phone.0].confirmed_at.is_some_and(unforgotten) {
            return;
        }
        let until = status
            .valid_until
            .expect("a registration that claims to be registered says until when");
        assert!(
            until >= self.now,
            "{} claims to be registered after its binding has lapsed",
            self.name(phone)
        );
        let known = self.bound_until(phone);
        assert!(
            known.is_some_and(|known| known >= until),
            "{} claims a binding until {:?}, its registrar knows one until {:?}",
            self.name(phone),
            until.saturating_duration_since(self.now),
            known.map(|known| known.saturating_duration_since(self.now)),
        );
    }

    /// Until when the registrars know a binding of this registration; the latest.
    fn bound_until(&self, phone: Phone) -> Option<Instant> {
        let aor = self.phones[phone.0].account.aor.as_str();
        let bindings = self.servers.iter().flat_map(|server| server.registrar.bindings(aor));
        bindings.map(|binding| binding.expires_at).max()
    }

    /// What holds for every exchange that is over.
    pub(super) fn check_attempt(&mut self, phone: Phone, attempt: &Attempt) {
        let name = self.name(phone);
        let targets = attempt.targets.len().max(1);
        assert!(
            attempt.requests as usize <= REQUESTS_PER_TARGET * targets,
            "{name} sent {} requests to {targets} targets",
            attempt.requests
        );
        assert!(
            attempt.retransmissions <= RETRANSMISSIONS * attempt.requests,
            "{name} sent too often"
        );
        assert!(
            attempt.ended_at == self.now && attempt.started_at <= self.now,
            "{name}'s attempt has odd times"
        );
        if attempt.goal == Goal::Register && attempt.ending == Ending::Succeeded {
            let bound = attempt.binding.as_ref().expect("a registration that succeeded has a binding");
            assert!(
                bound.granted > 0 && bound.valid_until > attempt.started_at,
                "{name} was granted nothing"
            );
            self.phones[phone.0].confirmed_at = Some(self.now);
        }
    }

    /// The CSeq grows within a Call-ID, and a request that is sent again is the same again. Only while the ladder is kept.
    pub(super) fn watch_request(&mut self, agent: AgentId, bytes: &[u8]) {
        if !self.log.is_recording() || bytes == b"\r\n\r\n" {
            return;
        }
        let Ok(Message::Request(request)) = Message::parse(bytes) else {
            panic!("the core sends something else than a request");
        };
        let headers = &request.headers;
        let call_id = headers.call_id().expect("a request has a Call-ID").to_vec();
        let number = headers.cseq().and_then(Result::ok).expect("a request has a CSeq").number;
        let aor = headers.from().and_then(Result::ok).expect("a request has a From").raw_uri;
        let of_agent = |entry: &&mut super::Entry| entry.agent == agent && entry.account.aor.as_str().as_bytes() == aor;
        let Some(entry) = self.phones.iter_mut().find(of_agent) else {
            panic!("a request is nobody's");
        };
        if let Some((last, same)) = entry.requests.get(&call_id) {
            assert!(
                number > *last || (number == *last && same == bytes),
                "CSeq {number} after {last}, or sent again and another"
            );
        }
        entry.requests.insert(call_id, (number, bytes.to_vec()));
    }
}
