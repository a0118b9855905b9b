//! Sending: the next request of an exchange, its size, its place in ladder and transcript (RFC 3261 §8.1, §18.1.1).

use std::sync::Arc;

use rand::RngExt as _;
use sip_digest::AnswerError;
use sip_message::SipUri;

use super::{Branch, Cause, Cx, Dialog, Ending, Exchange, FlowId, Goal, Party, Sent, Step, Transaction, Transmit, Transport};
use crate::attempt::{Carrying, Happening, Notice, TargetOutcome, TracedMessage, TriedTarget};
use crate::encode::Outgoing;
use crate::flows::Claim;
use crate::report::Direction;
use crate::transcript;

impl Exchange {
    /// Sends the next request on the flow that is open for the present target. Its bytes are written when it is polled for.
    pub(super) fn send(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>) -> Option<Ending> {
        let (Step::Opening { flow, .. } | Step::Waiting { flow, .. }) = self.step else {
            return None;
        };
        let sent = self.next_request(cx, party, flow)?;
        if let Err(error) = self.can_be_written(party) {
            self.attempt.words = error.to_string();
            return Some(Ending::Failed(Cause::UnsupportedAlgorithm));
        }
        if let Some(bytes) = self.too_large_for_udp(cx, party, &sent) {
            if self.may_prefer_tcp(party) {
                self.prefer_tcp();
                return self.open(cx, party);
            }
            self.note_large(bytes);
        }
        party.dialog.cseq = sent.cseq;
        party.dialog.note_counts(&self.credentials);
        if self.goal == Goal::Register {
            Self::claim(cx, party.dialog, flow, &sent.contact);
        }
        self.attempt.requests += 1;
        self.attempt.auth.credentials_sent |= !self.credentials.is_empty();
        self.attempt.local = Some(sent.local);
        if let Some(tls) = cx.tls(flow) {
            self.attempt.tls = Some(tls);
        }
        cx.out.send(cx.key, sent.branch.nonce);
        let transaction = Transaction::start(cx.now, sent.transport.is_reliable(), cx.policy, self.target_deadline);
        self.step = Step::Waiting { flow, transaction, sent };
        self.note_sent(cx, party);
        None
    }

    /// Whether digest can compute what the request is to carry.
    fn can_be_written(&self, party: &Party<'_>) -> Result<(), AnswerError> {
        let Some(secret) = &party.account.secret else { return Ok(()) };
        let uri = self.uri.as_str().as_bytes();
        self.credentials
            .iter()
            .try_for_each(|credential| credential.challenge.can_answer_for(uri, secret))
    }

    /// Requests for this Contact come on this flow from now on.
    fn claim(cx: &mut Cx<'_>, dialog: &mut Dialog, flow: FlowId, contact: &Arc<str>) {
        let is_known = dialog.contact.as_ref().is_some_and(|known| Arc::ptr_eq(known, contact));
        if is_known && dialog.has_claimed && dialog.flow == Some(flow) {
            return;
        }
        let user = SipUri::user_of(contact.as_bytes()).unwrap_or_default();
        cx.flows.claim(flow, cx.key, Claim::of(SipUri::unescaped(user)));
        dialog.ask_for(contact);
        dialog.has_claimed = dialog.flow == Some(flow);
    }

    /// Draws what is new in the next request. `None` when the flow went away meanwhile; its end is then on its way to us.
    fn next_request(&self, cx: &mut Cx<'_>, party: &Party<'_>, flow: FlowId) -> Option<Sent> {
        let (local, host_port) = cx.local(flow)?;
        let endpoint = self.endpoint()?;
        let sent_by = match &party.account.advertise {
            Some(advertised) => cx.texts.display(advertised.sent_by(local)),
            None => host_port,
        };
        let kept = party.dialog.contact.clone().filter(|_| self.goal == Goal::Unregister);
        let contact = kept.unwrap_or_else(|| {
            let text = &mut cx.out.pool.text;
            party.account.write_contact(text, endpoint.transport, &sent_by);
            let known = party.dialog.contact.as_ref().filter(|known| ***known == **text);
            known.map_or_else(|| text.as_str().into(), Arc::clone)
        });
        // The last REGISTER may have bound another address without saying so.
        let former = party.dialog.former.as_ref().map(|former| &former.contact);
        let former = former
            .filter(|former| self.goal == Goal::Unregister && **former != contact)
            .cloned();
        Some(Sent {
            branch: Branch {
                key: cx.key,
                nonce: cx.rng.random(),
            },
            // RFC 3261 §8.1.1.5: below 2³¹, and it only ever grows within a Call-ID.
            cseq: party.dialog.cseq + 1,
            at: cx.now,
            contact,
            former,
            local,
            sent_by,
            remote: endpoint.remote,
            transport: endpoint.transport,
        })
    }

    pub(super) fn outgoing<'a>(&'a self, party: &'a Party<'_>, sent: &'a Sent) -> Outgoing<'a> {
        Outgoing {
            account: party.account,
            goal: self.goal,
            identity: &party.dialog.identity,
            branch: sent.branch,
            cseq: sent.cseq,
            transport: sent.transport,
            sent_by: &sent.sent_by,
            uri: self.uri.as_str(),
            contact: &sent.contact,
            former: sent.former.as_deref(),
            expires: self.expires,
            credentials: &self.credentials,
        }
    }

    /// Encodes the request with this branch nonce, if it still waits for its reply.
    pub(crate) fn encode(&self, party: &Party<'_>, nonce: u64, datagram: &mut Vec<u8>) -> Option<Transmit> {
        let Step::Waiting { flow, sent, .. } = &self.step else {
            return None;
        };
        if sent.branch.nonce != nonce {
            return None;
        }
        let transmit = Transmit {
            flow: *flow,
            to: sent.remote,
        };
        self.outgoing(party, sent).write(datagram).ok().map(|()| transmit)
    }

    /// The bytes of a request that is too large for UDP (RFC 3261 §18.1.1).
    fn too_large_for_udp(&self, cx: &mut Cx<'_>, party: &Party<'_>, sent: &Sent) -> Option<usize> {
        let (outgoing, limit) = (self.outgoing(party, sent), cx.policy.udp_request_limit);
        if sent.transport != Transport::Udp || outgoing.at_most() <= limit {
            return None;
        }
        // Only now its very bytes matter.
        outgoing.write(&mut cx.out.scratch).ok()?;
        Some(cx.out.scratch.len()).filter(|bytes| *bytes > limit)
    }

    /// RFC 3261 §18.1.1: a large request goes by a congestion-controlled transport, unless the user decided on UDP.
    fn may_prefer_tcp(&self, party: &Party<'_>) -> bool {
        let account = party.account;
        let next_hop = account.outbound_proxy.as_ref().unwrap_or(&account.registrar).parts();
        let decided = account.transport.is_some() || account.target.is_some() || next_hop.transport().is_some();
        !decided && !self.tcp_was_tried()
    }

    /// Says once that fragments are needed, or may be.
    fn note_large(&mut self, bytes: usize) {
        let is_said = |notice: &Notice| matches!(notice, Notice::LargeRequest { .. });
        if !self.attempt.notices.iter().any(is_said) {
            self.attempt.notice(Notice::LargeRequest { bytes });
        }
    }

    fn tcp_was_tried(&self) -> bool {
        let host = self.endpoint().map(|endpoint| endpoint.remote.ip());
        let before = self.attempt.targets.get(..self.current).unwrap_or_default();
        before
            .iter()
            .any(|tried| tried.target.endpoint.transport == Transport::Tcp && Some(tried.target.endpoint.remote.ip()) == host)
    }

    /// Puts a TCP target before the present UDP one, which stays as the way back (RFC 3261 §18.1.1): the one that DNS named, or
    /// the same address over TCP.
    fn prefer_tcp(&mut self) {
        let Some(present) = self.attempt.targets.get_mut(self.current) else {
            return;
        };
        present.outcome = TargetOutcome::NotTried;
        let host = present.target.endpoint.remote.ip();
        let mut over_tcp = present.target.clone();
        over_tcp.endpoint.transport = Transport::Tcp;
        let named = self
            .attempt
            .targets
            .iter()
            .skip(self.current)
            .position(|tried| tried.target.endpoint.transport == Transport::Tcp && tried.target.endpoint.remote.ip() == host);
        let target = match named {
            Some(after) => self.attempt.targets.remove(self.current + after).target,
            None => over_tcp,
        };
        self.attempt.targets.insert(
            self.current,
            TriedTarget {
                target,
                outcome: TargetOutcome::NotTried,
            },
        );
    }

    /// Writes down the request that waits: in the ladder, and in the transcript with `trace`.
    pub(super) fn note_sent(&mut self, cx: &mut Cx<'_>, party: &Party<'_>) {
        let Step::Waiting { sent, .. } = &self.step else {
            return;
        };
        let carrying = match self.credentials.as_slice() {
            _ if sent.at != cx.now => Carrying::Again(cx.now.saturating_duration_since(sent.at)),
            [] => Carrying::Nothing,
            [first, others @ ..] => Carrying::Credentials {
                first: first.challenge.algorithm(),
                second: others.first().map(|other| other.challenge.algorithm()),
                ahead: self.credentials.iter().any(|credential| credential.nonce_count > 1),
            },
        };
        let traced = (cx.policy.trace && self.outgoing(party, sent).write(&mut cx.out.scratch).is_ok()).then(|| TracedMessage {
            direction: Direction::Sent,
            peer: sent.remote,
            text: transcript::redacted_text(&cx.out.scratch),
        });
        let happening = Happening::Sent {
            method: self.goal.method(),
            number: self.attempt.requests,
            carrying,
        };
        self.attempt.traced_step(cx.now, happening, traced);
    }
}
