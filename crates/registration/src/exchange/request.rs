//! Sending: the next request of an exchange, its size, its place in ladder and transcript (RFC 3261 §8.1, §18.1.1).

use rand::RngExt as _;
use sip_message::SipUri;

use super::{Arrow, Branch, Cause, Cx, Ending, Exchange, FlowId, Goal, Party, Sent, Step, Transaction, Transmit, Transport};
use crate::attempt::{TargetOutcome, TracedMessage, TriedTarget};
use crate::encode::Outgoing;
use crate::flows::{Claim, Condition};
use crate::report::Direction;
use crate::transcript;

impl Exchange {
    /// Sends the next request on the flow that is open for the present target.
    pub(super) fn send(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>) -> Option<Ending> {
        let (Step::Opening { flow, .. } | Step::Waiting { flow, .. }) = self.step else {
            return None;
        };
        let sent = self.next_request(cx, party, flow)?;
        let written = self.outgoing(party, &sent).write(&mut cx.out.scratch);
        if let Err(error) = written {
            self.attempt.words = error.to_string();
            return Some(Ending::Failed(Cause::UnsupportedAlgorithm));
        }
        if self.is_too_large_for_udp(cx, party, &sent) {
            self.prefer_tcp();
            return self.open(cx, party);
        }
        party.dialog.cseq = sent.cseq;
        party.dialog.note_counts(&self.credentials);
        if self.goal == Goal::Register {
            party.dialog.contact = Some(sent.contact.clone());
            let uri = SipUri::parse(sent.contact.as_bytes()).ok();
            let user = uri.and_then(|uri| uri.user_name_bytes());
            cx.flows.claim(flow, cx.key, Claim::of(user.into_iter().flatten()));
        }
        self.attempt.requests += 1;
        self.attempt.auth.credentials_sent |= !self.credentials.is_empty();
        self.attempt.local = Some(sent.local);
        if let Some(Condition::Open { tls: Some(tls), .. }) = cx.flows.get(flow).map(|flow| &flow.condition) {
            self.attempt.tls = Some(tls.clone());
        }
        cx.out.send(cx.key, sent.branch.nonce);
        let transaction = Transaction::start(cx.now, sent.transport.is_reliable(), cx.policy, self.target_deadline);
        self.step = Step::Waiting { flow, transaction, sent };
        self.note_sent(cx);
        None
    }

    /// Draws what is new in the next request. `None` when the flow went away meanwhile; its end is then on its way to us.
    fn next_request(&self, cx: &mut Cx<'_>, party: &Party<'_>, flow: FlowId) -> Option<Sent> {
        let local = cx.local(flow)?;
        let endpoint = self.endpoint()?;
        let kept = party.dialog.contact.clone().filter(|_| self.goal == Goal::Unregister);
        let contact = kept.unwrap_or_else(|| party.account.contact_uri(endpoint.transport, local));
        // The last REGISTER may have bound another address without saying so.
        let bound = party.dialog.bound.clone().filter(|_| self.goal == Goal::Unregister);
        let former = bound.filter(|bound| *bound != contact);
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
            local: sent.local,
            uri: &self.uri,
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

    /// RFC 3261 §18.1.1: a large request goes by a congestion-controlled transport, unless the user decided on UDP.
    fn is_too_large_for_udp(&self, cx: &Cx<'_>, party: &Party<'_>, sent: &Sent) -> bool {
        let next_hop = party.account.outbound_proxy.as_ref().unwrap_or(&party.account.registrar).parts();
        let decided = party.account.transport.is_some() || next_hop.transport().is_some() || party.account.target.is_some();
        sent.transport == Transport::Udp && !decided && cx.out.scratch.len() > cx.policy.udp_request_limit && !self.tcp_was_tried()
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

    /// Writes down the request that waits and stands in the scratch buffer: in the ladder, and in the transcript with `trace`.
    pub(super) fn note_sent(&mut self, cx: &Cx<'_>) {
        let Step::Waiting { sent, transaction: _, .. } = &self.step else {
            return;
        };
        let peer = sent.remote;
        let what = format!("{} {}", self.goal.method(), self.attempt.requests);
        let note = match self.credentials.as_slice() {
            _ if sent.at != cx.now => format!("sent again after {} ms", cx.now.saturating_duration_since(sent.at).as_millis()),
            [] => String::new(),
            credentials => {
                let names: Vec<&str> = credentials
                    .iter()
                    .map(|credential| credential.challenge.algorithm().name())
                    .collect();
                let again = credentials.iter().any(|credential| credential.answer.nonce_count > 1);
                format!("answering {}{}", names.join(" and "), if again { " ahead" } else { "" })
            }
        };
        let text = cx.policy.trace.then(|| transcript::redacted_text(&cx.out.scratch));
        if let (Some(step), Some(text)) = (self.attempt.step(cx.now, Arrow::Sent, what, note), text) {
            step.message = Some(TracedMessage {
                direction: Direction::Sent,
                peer,
                text,
            });
        }
    }
}
