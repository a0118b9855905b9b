//! A registration that the other side asks something. Not for whether and what it is answered: see [`crate::answer`].

use std::time::Instant;

use sip_message::{SipUri, Status};

use super::Registration;
use crate::branch::Branch;
use crate::encode::{Identity, Outgoing};
use crate::exchange::Cx;
use crate::flows::{Condition, Flow};
use crate::incoming::{Asked, IncomingRequest};
use crate::outputs::Event;
use crate::transaction::Stray;
use crate::{Account, Goal};

impl Registration {
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// Whether its Contact is bound, or may be by now.
    pub(crate) fn may_be_bound(&self, now: Instant) -> bool {
        let binds = self.exchange.as_ref().is_some_and(|exchange| exchange.goal == Goal::Register);
        let holds = self.held.as_ref().is_some_and(|bound| now < bound.valid_until);
        binds || holds || self.perhaps_bound
    }

    /// Whether the Contact that it asked to bind last has this user part; without one, every Contact is meant.
    pub(crate) fn is_called(&self, user: Option<&[u8]>) -> bool {
        let Some(user) = user else { return true };
        let contact = self
            .dialog
            .contact
            .as_deref()
            .and_then(|contact| SipUri::parse(contact.as_bytes()).ok());
        let own = contact.and_then(|contact| contact.user_name_bytes());
        own.into_iter().flatten().eq(user.iter().copied())
    }

    /// A request from the other side came for it, and was answered like this.
    pub(crate) fn handle_request(&mut self, cx: &mut Cx<'_>, told: IncomingRequest, asked: &Asked<'_>, answer: Option<(Status, &[u8])>) {
        if let Some(exchange) = &mut self.exchange {
            exchange.note_request(cx, asked, answer);
        }
        cx.out.events.push_back((cx.key, Event::Request(Box::new(told))));
    }

    /// A request with a branch of ours came. Returns whether it is one that we sent.
    pub(crate) fn handle_sent_back(&mut self, cx: &Cx<'_>, branch: Branch) -> bool {
        let is_ours = self.awaits(branch) || self.dialog.absorbing.judge(cx.now, branch.nonce) != Stray::Foreign;
        if let Some(exchange) = self.exchange.as_mut().filter(|_| is_ours) {
            exchange.note_sent_back(cx);
        }
        is_ours
    }

    /// An OPTIONS that only wants to know whether somebody is there. `None` while the flow is not open.
    pub(crate) fn write_options(&self, flow: &Flow, branch: Branch, identity: &Identity, datagram: &mut Vec<u8>) -> Option<()> {
        let Condition::Open { local, host_port, .. } = &flow.condition else {
            return None;
        };
        let (account, transport) = (&self.account, flow.endpoint.transport);
        let advertised = account.advertise.as_ref().map(|shown| shown.sent_by(*local).to_string());
        let sent_by = advertised.as_deref().unwrap_or(host_port);
        let mut automatic = String::new();
        if self.dialog.contact.is_none() {
            account.write_contact(&mut automatic, transport, sent_by);
        }
        let options = Outgoing {
            account,
            goal: Goal::Ping,
            identity,
            branch,
            cseq: 1,
            transport,
            sent_by,
            uri: account.registrar.as_str(),
            contact: self.dialog.contact.as_deref().unwrap_or(&automatic),
            former: None,
            expires: 0,
            credentials: &[],
        };
        options.write(datagram).ok()
    }
}
