//! Reaching a target: from its address to an open flow, and what a closed one means. Not for what goes over it.

use std::sync::Arc;

use super::{
    Action, Cause, Closed, Cx, Dialog, Ending, Exchange, FlowId, Joined, Opened, Party, Residence, Step, TargetOutcome, TlsFailure,
};
use crate::attempt::Happening;

impl Exchange {
    /// Goes to the present target: over a flow that is there, or by asking for one.
    pub(super) fn open(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>) -> Option<Ending> {
        let Some(endpoint) = self.endpoint() else {
            return Some(self.give_up());
        };
        let residence = Residence {
            flow: party.dialog.flow,
            home: &mut party.dialog.home,
        };
        let joined = cx.flows.join(endpoint, cx.key, residence, cx.policy);
        let open = match joined {
            Joined::New(flow) => Some(Action::Open(flow, endpoint.clone())),
            Joined::Open(_) | Joined::Opening(_) => None,
        };
        let (Joined::Open(flow) | Joined::Opening(flow) | Joined::New(flow)) = joined;
        let left = u32::try_from(self.attempt.targets.len() - self.current).unwrap_or(u32::MAX);
        // What is left of the time is shared by the targets that are left, so that a dead first one does not use it all up.
        self.target_deadline = cx.now + self.deadline.saturating_duration_since(cx.now) / left.max(1);
        self.set_outcome(TargetOutcome::InUse);
        self.leave_previous(cx, party.dialog, flow);
        cx.out.actions.extend(open);
        self.step = Step::Opening { flow, since: cx.now };
        match joined {
            Joined::Open(_) => self.send(cx, party),
            Joined::Opening(_) | Joined::New(_) => None,
        }
    }

    fn leave_previous(&self, cx: &mut Cx<'_>, dialog: &mut Dialog, flow: FlowId) {
        let previous = dialog.flow.replace(flow);
        if previous != Some(flow) {
            dialog.has_claimed = false;
        }
        if let Some(previous) = previous.filter(|previous| *previous != flow) {
            cx.leave(previous);
        }
    }

    /// The flow that we wait for, or another one, opened.
    pub(crate) fn handle_opened(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, id: FlowId, opened: &Opened) -> Option<Ending> {
        let Step::Opening { flow, since } = self.step else { return None };
        if flow != id {
            return None;
        }
        if let Some(connected_at) = opened.connected_at {
            self.attempt.phases.connect = Some(connected_at.saturating_duration_since(since));
            let tls = cx.tls(flow);
            if tls.is_some() {
                self.attempt.phases.tls = Some(cx.now.saturating_duration_since(connected_at));
            }
            self.attempt.step(cx.now, Happening::Connected(tls));
        }
        self.send(cx, party)
    }

    /// A flow of ours is gone.
    pub(crate) fn handle_closed(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, id: FlowId, closed: &Closed) -> Option<Ending> {
        let flow = match &self.step {
            Step::Locating { .. } => return None,
            Step::Opening { flow, .. } | Step::Waiting { flow, .. } => *flow,
        };
        if flow != id {
            return None;
        }
        if matches!(closed, Closed::Local(_)) && !self.silent.is_empty() {
            // A flow that only waits for a late reply may hold the one port that the user allows.
            self.leave_silent(cx, None);
            return self.open(cx, party);
        }
        let unanswered = self.is_waiting() && self.may_have_bound();
        self.attempt.may_be_bound |= unanswered;
        self.attempt.unanswered |= unanswered;
        let cause = match closed {
            Closed::Refused => Cause::ConnectionRefused,
            Closed::Unreachable(_) | Closed::Local(_) => Cause::Unreachable,
            Closed::TimedOut if !self.is_waiting() => Cause::ConnectTimeout,
            Closed::TimedOut | Closed::Ended | Closed::Reset => Cause::ConnectionLost,
            Closed::Tls(TlsFailure::Expired, _) => Cause::CertificateExpired,
            Closed::Tls(TlsFailure::Untrusted, _) => Cause::CertificateUntrusted,
            Closed::Tls(TlsFailure::NameMismatch(_), _) => Cause::CertificateNameMismatch,
            Closed::Tls(TlsFailure::Handshake(_), _) => Cause::TlsHandshake,
        };
        self.note_closed(closed);
        self.fail_target(cx, party, cause)
    }

    /// Whether a request is out, on a flow that had opened.
    const fn is_waiting(&self) -> bool {
        matches!(self.step, Step::Waiting { .. })
    }

    fn note_closed(&mut self, closed: &Closed) {
        match closed {
            Closed::Local(words) | Closed::Tls(TlsFailure::Handshake(words), None) => {
                self.attempt.words = sip_message::printable(words.as_bytes())
            }
            Closed::Tls(failure, facts) => {
                self.attempt.words = match failure {
                    TlsFailure::NameMismatch(names) => sip_message::printable(names.join(", ").as_bytes()),
                    TlsFailure::Handshake(words) => sip_message::printable(words.as_bytes()),
                    TlsFailure::Expired | TlsFailure::Untrusted => String::new(),
                };
                self.attempt.tls = facts.clone().map(Arc::new);
            }
            Closed::Unreachable(obstacle) => self.attempt.words = obstacle.to_string(),
            Closed::Reset => "it was reset".clone_into(&mut self.attempt.words),
            Closed::TimedOut if self.is_waiting() => "its host does not acknowledge what we send".clone_into(&mut self.attempt.words),
            Closed::Refused | Closed::TimedOut | Closed::Ended => {}
        }
    }
}
