//! What each fault does to a request and its reply. Which ones take effect now is `script`'s affair.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_message::{Contact, NameAddr, Status, Uri};

use crate::authentication::Judgement;
use crate::challenging::Asker;
use crate::draft::{Draft, ViaChanges};
use crate::incoming::Incoming;
use crate::transactions::{Replies, TransactionKey};
use crate::{
    AfterReply, Alteration, Arrival, Challenges, Confirmation, CredentialsFault, Delivery, FaultKind, Instead, Interval, Registrar,
    template,
};

/// A reply that is decided but not yet sent.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A regular one.
    Draft(Draft),
    /// Bytes from a script.
    Bytes(Vec<u8>),
}

/// How the replies of one request are sent.
#[derive(Debug, Default)]
struct Manner {
    delay: Duration,
    /// A 100 comes at once.
    provisional: bool,
    no_final: bool,
    duplicates: u32,
    cut: Option<usize>,
    close: bool,
}

impl Registrar {
    /// True when a fault takes the request away before anybody reads it.
    pub(crate) fn is_lost(&mut self, cx: &Incoming<'_>) -> bool {
        let random = &mut self.random;
        let accept = |arrival: &Arrival, count| match arrival {
            Arrival::Loss(loss) => loss.loses(count, random),
            Arrival::Silence | Arrival::Close => true,
        };
        match self.script.first(&cx.facts, arrival, accept) {
            None => return false,
            Some(Arrival::Close) if cx.peer.reliable => self.send(cx.now, cx.now, cx.peer, AfterReply::Close, Arc::default()),
            Some(Arrival::Silence | Arrival::Loss(_) | Arrival::Close) => {}
        }
        self.counters.silenced += 1;
        true
    }

    /// What a fault replies in the registrar's stead.
    pub(crate) fn instead(&mut self, cx: &Incoming<'_>) -> Option<Outcome> {
        let fault = self.script.first(&cx.facts, instead, |_, _| true)?;
        Some(match fault {
            Instead::Status { status, reason, headers } => {
                let mut draft = Draft::with_reason(status, &reason);
                draft.fields = headers;
                Outcome::Draft(draft)
            }
            Instead::Redirect(uris) => {
                let mut draft = Draft::new(Status::MOVED_TEMPORARILY);
                draft.contacts = uris.iter().map(|uri| format!("<{uri}>").into_bytes()).collect();
                Outcome::Draft(draft)
            }
            Instead::Bytes(bytes) => {
                let tag = self.tag();
                Outcome::Bytes(template::reply(&bytes, cx.peer, &cx.echo, &tag))
            }
        })
    }

    /// The challenge headers as the script wants them; `ours` unless it says otherwise.
    pub(crate) fn script_challenges(&mut self, cx: &Incoming<'_>, nonce: &str, ours: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let faults = self.script.all(&cx.facts, challenges, |_| true);
        let realm = self.config.realm.as_bytes();
        let values: [(&str, &[u8]); 2] = [("realm", realm), ("nonce", nonce.as_bytes())];
        let (mut instead, mut in_front) = (Vec::new(), Vec::new());
        for fault in faults {
            match fault {
                Challenges::Replace(value) => instead.push(template::fill(&value, &values)),
                Challenges::Add(value) => in_front.push(template::fill(&value, &values)),
            }
        }
        in_front.extend(if instead.is_empty() { ours } else { instead });
        in_front
    }

    /// The reply of a fault to credentials that were judged so.
    pub(crate) fn spoil_credentials(&mut self, cx: &Incoming<'_>, asker: Asker, judgement: &Judgement) -> Option<Draft> {
        let right = match judgement {
            Judgement::Absent | Judgement::Malformed => return None,
            Judgement::Granted(_) | Judgement::Stale(_) => true,
            Judgement::Refused(_) => false,
        };
        let fault = self
            .script
            .first(&cx.facts, credentials, |fault, _| right || *fault != CredentialsFault::Stale)?;
        Some(match fault {
            CredentialsFault::Wrong => self.challenge(cx, asker, false),
            CredentialsFault::WrongSameNonce => self.challenge_again(cx, asker),
            CredentialsFault::Stale => self.challenge(cx, asker, true),
            CredentialsFault::WithoutChallenge => self.bare_refusal(asker),
        })
    }

    /// What a fault makes of the expiry that is asked for, in seconds: another one, or a 423.
    pub(crate) fn script_interval(&mut self, cx: &Incoming<'_>, asked: &[u32]) -> Result<Option<u32>, Draft> {
        let least = asked.iter().copied().filter(|seconds| *seconds > 0).min();
        let accept = |interval: &Interval| match interval {
            Interval::TooBrief { min_expires, always } => *always || least.is_some_and(|least| least < *min_expires),
            Interval::Grant(_) => least.is_some(),
        };
        let mut granted = None;
        for fault in self.script.all(&cx.facts, interval, accept) {
            match fault {
                Interval::TooBrief { min_expires, .. } => {
                    return Err(Draft::new(Status::INTERVAL_TOO_BRIEF).number("Min-Expires", min_expires));
                }
                Interval::Grant(seconds) => granted = Some(seconds),
            }
        }
        Ok(granted)
    }

    /// What faults make of a 200 to a REGISTER.
    pub(crate) fn spoil_confirmation(&mut self, cx: &Incoming<'_>, mut draft: Draft) -> Draft {
        for fault in self.script.all(&cx.facts, confirmation, |_| true) {
            match fault {
                Confirmation::NoContact => draft.contacts.clear(),
                Confirmation::OnlyOther(uri) => draft.contacts = vec![format!("<{uri}>;expires=3600").into_bytes()],
                Confirmation::RewriteContact(address) => {
                    for contact in &mut draft.contacts {
                        *contact = rewritten(contact, &address.to_string()).unwrap_or_else(|| std::mem::take(contact));
                    }
                }
                Confirmation::Phrase(phrase) => draft.reason = phrase,
                Confirmation::WrongRspauth => {
                    for (name, value) in &mut draft.fields {
                        if *name == "Authentication-Info" {
                            falsify(value);
                        }
                    }
                }
            }
        }
        draft
    }

    /// What faults make of any final reply.
    fn alter(&mut self, cx: &Incoming<'_>, mut draft: Draft) -> (Draft, ViaChanges) {
        let mut changes = ViaChanges::default();
        for fault in self.script.all(&cx.facts, alteration, |_| true) {
            match fault {
                Alteration::Reason(reason) => draft.reason = reason,
                Alteration::RewriteVia(address) => changes.sent_by = Some(address.to_string()),
                Alteration::SeenFrom(address) => changes.seen_from = Some(address),
                Alteration::HugeHeader(length) => draft = draft.field("X-Padding", vec![b'x'; length]),
            }
        }
        (draft, changes)
    }

    fn manner(&mut self, cx: &Incoming<'_>) -> Manner {
        let mut manner = Manner::default();
        for fault in self.script.all(&cx.facts, delivery, |_| true) {
            match fault {
                Delivery::Delay(delay) => manner.delay = manner.delay.saturating_add(delay),
                Delivery::ProvisionalOnly => {
                    manner.provisional = true;
                    manner.no_final = true;
                }
                Delivery::Provisional(delay) => {
                    manner.provisional = true;
                    manner.delay = manner.delay.saturating_add(delay);
                }
                Delivery::Duplicate(copies) => manner.duplicates = manner.duplicates.saturating_add(copies),
                Delivery::Cut(length) => (manner.cut, manner.close) = (Some(length), true),
                Delivery::CloseAfter => manner.close = true,
            }
        }
        manner
    }

    /// Prints a reply, remembers it for retransmissions and sends it in the manner that the script wants.
    pub(crate) fn deliver(&mut self, cx: &Incoming<'_>, key: Option<TransactionKey>, outcome: Outcome) {
        let tag = self.tag();
        let mut bytes = match outcome {
            Outcome::Draft(draft) => {
                let (draft, changes) = self.alter(cx, draft);
                draft.print(cx.peer, &cx.echo, &changes, &tag)
            }
            Outcome::Bytes(bytes) => bytes,
        };
        let manner = self.manner(cx);
        bytes.truncate(manner.cut.unwrap_or(usize::MAX));
        let due = cx.now.checked_add(manner.delay).unwrap_or(cx.now);
        let last: Option<Arc<[u8]>> = (!manner.no_final).then(|| bytes.into());
        let trying = || {
            Draft::new(Status::TRYING)
                .print(cx.peer, &cx.echo, &ViaChanges::default(), &tag)
                .into()
        };
        let provisional: Option<Arc<[u8]>> = manner.provisional.then(trying);
        if let Some(key) = key {
            let replies = Replies {
                provisional: provisional.clone(),
                last: last.clone().map(|bytes| (due, bytes)),
            };
            self.transactions.insert(cx.now, key, replies);
        }
        if let Some(bytes) = provisional {
            self.transmit(cx, cx.now, AfterReply::KeepOpen, &bytes);
        }
        let Some(bytes) = last else {
            return;
        };
        for _ in 0..manner.duplicates {
            self.transmit(cx, due, AfterReply::KeepOpen, &bytes);
        }
        let closes = manner.close && cx.peer.reliable;
        let then = if closes { AfterReply::Close } else { AfterReply::KeepOpen };
        self.transmit(cx, due, then, &bytes);
    }

    /// Sends a reply, at once or when it is due, unless a fault loses it.
    pub(crate) fn transmit(&mut self, cx: &Incoming<'_>, due: Instant, then: AfterReply, bytes: &Arc<[u8]>) {
        let random = &mut self.random;
        let lost = self.script.first(&cx.facts, reply_loss, |loss, count| loss.loses(count, random));
        if lost.is_none() {
            self.send(cx.now, due, cx.destination(), then, Arc::clone(bytes));
        }
    }
}

// Each place on a request's way looks at its own faults.

fn arrival(kind: &FaultKind) -> Option<&Arrival> {
    if let FaultKind::Arrival(fault) = kind { Some(fault) } else { None }
}

fn instead(kind: &FaultKind) -> Option<&Instead> {
    if let FaultKind::Instead(fault) = kind { Some(fault) } else { None }
}

fn challenges(kind: &FaultKind) -> Option<&Challenges> {
    if let FaultKind::Challenges(fault) = kind {
        Some(fault)
    } else {
        None
    }
}

fn credentials(kind: &FaultKind) -> Option<&CredentialsFault> {
    if let FaultKind::Credentials(fault) = kind {
        Some(fault)
    } else {
        None
    }
}

fn interval(kind: &FaultKind) -> Option<&Interval> {
    if let FaultKind::Interval(fault) = kind { Some(fault) } else { None }
}

fn confirmation(kind: &FaultKind) -> Option<&Confirmation> {
    if let FaultKind::Confirmation(fault) = kind {
        Some(fault)
    } else {
        None
    }
}

fn alteration(kind: &FaultKind) -> Option<&Alteration> {
    if let FaultKind::Alteration(fault) = kind {
        Some(fault)
    } else {
        None
    }
}

fn delivery(kind: &FaultKind) -> Option<&Delivery> {
    if let FaultKind::Delivery(fault) = kind { Some(fault) } else { None }
}

fn reply_loss(kind: &FaultKind) -> Option<&crate::Loss> {
    if let FaultKind::ReplyLoss(fault) = kind {
        Some(fault)
    } else {
        None
    }
}

/// A Contact with another host and port in its URI; `None` when it is no SIP contact.
fn rewritten(contact: &[u8], host_port: &str) -> Option<Vec<u8>> {
    let Ok(Contact::Address(address)) = Contact::parse(contact) else {
        return None;
    };
    let Ok(Uri::Sip(uri)) = address.uri() else {
        return None;
    };
    let NameAddr { display, params, .. } = address;
    let scheme = if uri.secure { "sips:" } else { "sip:" };
    let user = uri.user.map(|user| [user, b"@"].concat()).unwrap_or_default();
    let parts = [
        display,
        b"<",
        scheme.as_bytes(),
        &user,
        host_port.as_bytes(),
        uri.params.as_bytes(),
        b">",
        params.as_bytes(),
    ];
    Some(parts.concat())
}

/// Changes the first digit of `rspauth`.
fn falsify(info: &mut [u8]) {
    const OPENS: &[u8] = b"rspauth=\"";
    let at = info.windows(OPENS.len()).position(|window| window == OPENS);
    if let Some(digit) = at.and_then(|at| info.get_mut(at + OPENS.len())) {
        *digit = if *digit == b'0' { b'1' } else { b'0' };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewritten_contact_keeps_all_but_its_address() {
        let contact = b"\"A\"<sips:a@10.0.0.1:5060;transport=tcp>;expires=60";
        assert_eq!(
            rewritten(contact, "[2001:db8::1]:9").unwrap(),
            b"\"A\"<sips:a@[2001:db8::1]:9;transport=tcp>;expires=60"
        );
        assert_eq!(rewritten(b"<tel:+49>", "h:1"), None);
    }

    #[test]
    fn a_false_proof_differs_in_its_first_digit() {
        let mut info = *b"rspauth=\"01\", qop=auth";
        falsify(&mut info);
        assert_eq!(&info, b"rspauth=\"11\", qop=auth");
        falsify(&mut info);
        assert_eq!(&info, b"rspauth=\"01\", qop=auth");
    }
}
