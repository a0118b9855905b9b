//! Requests from the other side (RFC 3261 §8.2): whose each one is, and whether it is answered. Not for what the answer says: that is
//! [`crate::answer`]'s.
//!
//! Nobody can use us against others or against ourselves: answers go to the host that the flow leads to and to nobody else, are hardly
//! longer than their requests ([`crate::answer`]), and no more of them go out than [`crate::Policy::answer_interval`] allows. Nothing is
//! kept of a request; a registration's own exchange goes first.

use std::net::SocketAddr;
use std::time::Instant;

use sip_message::{Request, Status};

use super::Registrant;
use crate::flows::{Claim, Reception};
use crate::incoming::Asked;
use crate::outputs::Outgoing;
use crate::registration::Registration;
use crate::{FlowId, Key};

/// How many registrations with the same user part on a flow are looked at for one that is bound.
const LOOKED_AT: usize = 64;

impl Registrant {
    pub(super) fn handle_request(&mut self, now: Instant, flow: FlowId, source: SocketAddr, request: &Request<'_>, bytes: &[u8]) {
        self.counters.requests += 1;
        let Some(asked) = Asked::read(source, request, bytes) else {
            return self.decide(|| "ignored: a request without what an answer has to repeat".to_owned());
        };
        let reception = self.flows.admit(now, flow, source, &self.policy);
        if reception == Reception::Ignore {
            return self.decide(|| "ignored: too many requests came before it".to_owned());
        }
        if self.is_sent_back(now, &asked) {
            return self.decide(|| "ignored: our own request came back".to_owned());
        }
        let named = self.named(now, flow, &asked);
        // Who is not there is answered in the name of somebody else on the flow.
        let Some(key) = named.or_else(|| self.flows.any_user(flow)) else {
            return;
        };
        let from_peer = reception == Reception::Answer;
        let answer = if from_peer {
            self.answer(flow, key, &asked, named.is_some())
        } else {
            None
        };
        let status = answer.as_ref().map(|(status, _)| *status);
        let told = asked.told(now, flow, named.is_some(), from_peer, status);
        let shown = answer.as_ref().map(|(status, answer)| (*status, answer.message.as_slice()));
        self.with(now, key, |registration, cx| registration.handle_request(cx, told, &asked, shown));
        self.decide_answer(request, status);
        if let Some((_, answer)) = answer {
            self.counters.answered += 1;
            self.out.answers.push(answer);
        }
    }

    /// A request of our own that somebody sends back. Its answer would come back as well, as one to us.
    fn is_sent_back(&mut self, now: Instant, asked: &Asked<'_>) -> bool {
        let Some(branch) = asked.branch() else { return false };
        self.with(now, branch.key, |registration, cx| registration.handle_sent_back(cx, branch))
            .unwrap_or(false)
    }

    /// The registration whose Contact the Request-URI names, if that is bound or may be: its user part, since a NAT may have changed
    /// everything else. A Request-URI without one names whoever is here (RFC 3261 §19.1.1).
    fn named(&self, now: Instant, flow: FlowId, asked: &Asked<'_>) -> Option<Key> {
        let user = asked.uri()?.user_name();
        let is_meant = |key: &Key| {
            self.registration(*key)
                .is_some_and(|registration| registration.may_be_bound(now) && registration.is_called(user.as_deref()))
        };
        let claim = user.as_ref().map(|user| Claim::of(user.iter().copied()));
        self.flows.claimants(flow, claim).take(LOOKED_AT).find(is_meant)
    }

    /// The answer; `None` when there is none, or no room for it.
    fn answer(&self, flow: FlowId, key: Key, asked: &Asked<'_>, names_us: bool) -> Option<(Status, Outgoing)> {
        let reliable = self.flows.get(flow)?.endpoint.transport.is_reliable();
        let to = asked.echo.destination(asked.source, reliable);
        let status = asked.status(names_us);
        let account = self.registration(key).map(Registration::account)?;
        let message = asked.answer(status, account, &asked.tag(&self.tag_key))?;
        let answer = Outgoing { flow, to, message };
        // Nothing can be sent to port 0.
        (to.port() != 0 && self.out.answers.have_room_for(&answer)).then_some((status, answer))
    }
}
