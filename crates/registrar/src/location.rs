//! The location service: which contacts are bound to an address of record, and until when (RFC 3261 §10.3). Not who may bind them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Instant;

use sip_message::{NameAddr, Uri, printable};
use thiserror::Error;

use crate::Limits;
use crate::aor::Aor;

/// A binding as it stands, for a test or an operator to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingView {
    /// The Contact's URI.
    pub contact: String,
    /// When the binding lapses.
    pub expires_at: Instant,
    /// The Call-ID of the REGISTER that last touched it.
    pub call_id: String,
    /// The CSeq number of that REGISTER.
    pub cseq: u32,
    /// The `+sip.instance` (RFC 5626 §4.1).
    pub instance: Option<String>,
    /// The `reg-id` (RFC 5626 §4.2).
    pub reg_id: Option<u32>,
    /// The Path that a request to this contact takes (RFC 3327).
    pub path: Vec<String>,
    /// Where the REGISTER came from.
    pub source: SocketAddr,
}

/// One bound contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) display: Vec<u8>,
    pub(crate) uri: Vec<u8>,
    /// The Contact's parameters but for `expires` and `received`.
    pub(crate) params: Vec<u8>,
    /// The `+sip.instance`, if any.
    pub(crate) instance: Option<Vec<u8>>,
    /// The `reg-id`, kept only where it counts: beside an instance, when outbound applies (RFC 5626 §6).
    pub(crate) reg_id: Option<u32>,
    pub(crate) call_id: Vec<u8>,
    pub(crate) cseq: u32,
    pub(crate) expires_at: Instant,
    pub(crate) path: Vec<Vec<u8>>,
    pub(crate) source: SocketAddr,
}

/// What the REGISTER itself adds to the bindings that it makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MadeBy<'a> {
    pub(crate) call_id: &'a [u8],
    pub(crate) cseq: u32,
    pub(crate) path: &'a [Vec<u8>],
    pub(crate) source: SocketAddr,
    /// False when `reg-id` is to be ignored.
    pub(crate) outbound: bool,
}

/// What a REGISTER asks of one contact.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    /// The binding as it would be.
    pub(crate) binding: Binding,
    /// False to remove it: the Contact asked for an expiry of 0.
    pub(crate) keep: bool,
}

/// Why a REGISTER changes nothing (RFC 3261 §10.3: all of it is carried out, or nothing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum UpdateError {
    /// The binding was made by the same Call-ID with this CSeq or a later one.
    #[error("CSeq not higher than the binding's")]
    OldCSeq,
    /// The address would have more bindings than are allowed.
    #[error("too many contacts for this address")]
    TooManyContacts,
    /// There would be more bindings altogether than are allowed.
    #[error("too many bindings altogether")]
    Full,
}

/// All bindings.
#[derive(Debug)]
pub(crate) struct Location {
    bindings: BTreeMap<Aor, Vec<Binding>>,
    /// The earliest expiry of each address.
    deadlines: BTreeSet<(Instant, Aor)>,
    total: usize,
    bytes: usize,
    max_contacts: usize,
    limits: Limits,
}

impl Location {
    pub(crate) const fn new(max_contacts: usize, limits: Limits) -> Self {
        Self {
            bindings: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            total: 0,
            bytes: 0,
            max_contacts,
            limits,
        }
    }

    /// The bindings of an address, the oldest first.
    pub(crate) fn bindings(&self, aor: &Aor) -> &[Binding] {
        self.bindings.get(aor).map_or(&[], Vec::as_slice)
    }

    /// Carries out all updates or none.
    pub(crate) fn update(&mut self, aor: &Aor, updates: Vec<Update>) -> Result<(), UpdateError> {
        let known = self.bindings(aor);
        let mut wanted = known.to_vec();
        for Update { binding, keep } in updates {
            // Held against what was known before, so that one request may name a contact twice: the last one counts.
            let old = known.iter().find(|old| old.is_same_contact(&binding));
            if old.is_some_and(|old| old.is_newer_than(&binding.call_id, binding.cseq)) {
                return Err(UpdateError::OldCSeq);
            }
            match (wanted.iter_mut().find(|old| old.is_same_contact(&binding)), keep) {
                (Some(old), true) => *old = binding,
                (None, true) => wanted.push(binding),
                (_, false) => wanted.retain(|old| !old.is_same_contact(&binding)),
            }
            if wanted.len() > self.max_contacts {
                return Err(UpdateError::TooManyContacts);
            }
        }
        let total = self.total - known.len() + wanted.len();
        let bytes = self.bytes - size(aor, known) + size(aor, &wanted);
        if total > self.limits.bindings || bytes > self.limits.binding_bytes {
            return Err(UpdateError::Full);
        }
        self.replace(aor, wanted);
        Ok(())
    }

    /// Removes every binding of an address: `Contact: *` (RFC 3261 §10.3 step 6). Says how many there were.
    pub(crate) fn clear(&mut self, aor: &Aor, call_id: &[u8], cseq: u32) -> Result<usize, UpdateError> {
        let known = self.bindings(aor);
        if known.iter().any(|binding| binding.is_newer_than(call_id, cseq)) {
            return Err(UpdateError::OldCSeq);
        }
        let count = known.len();
        self.replace(aor, Vec::new());
        Ok(count)
    }

    /// Drops the bindings whose time has come.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some((due, aor)) = self.deadlines.first() {
            if *due > now {
                return;
            }
            let aor = aor.clone();
            let live = self
                .bindings(&aor)
                .iter()
                .filter(|binding| binding.expires_at > now)
                .cloned()
                .collect();
            self.replace(&aor, live);
        }
    }

    /// How many bindings are held, and their bytes.
    #[cfg(test)]
    pub(crate) const fn held(&self) -> (usize, usize) {
        (self.total, self.bytes)
    }

    /// When the next binding lapses.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.deadlines.first().map(|(due, _)| *due)
    }

    fn replace(&mut self, aor: &Aor, bindings: Vec<Binding>) {
        let before = self.bindings.remove(aor).unwrap_or_default();
        if let Some(due) = earliest(&before) {
            self.deadlines.remove(&(due, aor.clone()));
        }
        self.total = self.total - before.len() + bindings.len();
        self.bytes = self.bytes - size(aor, &before) + size(aor, &bindings);
        if let Some(due) = earliest(&bindings) {
            self.deadlines.insert((due, aor.clone()));
            self.bindings.insert(aor.clone(), bindings);
        }
    }
}

impl Binding {
    /// Reads one Contact of a REGISTER. `None` when it is no address, or longer than is kept.
    pub(crate) fn new(contact: &NameAddr<'_>, expires_at: Instant, made_by: &MadeBy<'_>) -> Option<Self> {
        if contact.raw_uri.len() + contact.params.as_bytes().len() + contact.display.len() > LONGEST_CONTACT {
            return None;
        }
        contact.uri().ok()?;
        let instance = contact.instance().map(std::borrow::Cow::into_owned);
        Some(Self {
            display: contact.display.to_vec(),
            uri: contact.raw_uri.to_vec(),
            params: kept_params(contact),
            reg_id: contact.reg_id().filter(|_| made_by.outbound && instance.is_some()),
            instance,
            call_id: made_by.call_id.to_vec(),
            cseq: made_by.cseq,
            expires_at,
            path: made_by.path.to_vec(),
            source: made_by.source,
        })
    }

    /// By instance and reg-id when both have them (RFC 5626 §6), else by URI (RFC 3261 §19.1.4).
    pub(crate) fn is_same_contact(&self, other: &Self) -> bool {
        match (self.reg_id, other.reg_id) {
            (Some(mine), Some(theirs)) => mine == theirs && self.instance == other.instance,
            (None, _) | (_, None) => same_uri(&self.uri, &other.uri),
        }
    }

    pub(crate) fn view(&self) -> BindingView {
        BindingView {
            contact: printable(&self.uri),
            expires_at: self.expires_at,
            call_id: printable(&self.call_id),
            cseq: self.cseq,
            instance: self.instance.as_deref().map(printable),
            reg_id: self.reg_id,
            path: self.path.iter().map(|hop| printable(hop)).collect(),
            source: self.source,
        }
    }

    fn size(&self) -> usize {
        let path: usize = self.path.iter().map(|hop| hop.len() + size_of::<Vec<u8>>()).sum();
        let texts = [&self.display, &self.uri, &self.params, &self.call_id];
        let texts: usize = texts.iter().map(|text| text.len()).sum();
        size_of::<Self>() + texts + path + self.instance.as_ref().map_or(0, Vec::len)
    }

    /// True when the binding was made by this Call-ID's request of this number or of a later one (RFC 3261 §10.3 step 7).
    fn is_newer_than(&self, call_id: &[u8], cseq: u32) -> bool {
        self.call_id == call_id && self.cseq >= cseq
    }
}

/// The longest Contact that is kept, in bytes.
const LONGEST_CONTACT: usize = 2048;

/// What the bindings of an address take, in bytes.
fn size(aor: &Aor, bindings: &[Binding]) -> usize {
    bindings.iter().map(|binding| binding.size() + aor.size()).sum()
}

fn earliest(bindings: &[Binding]) -> Option<Instant> {
    bindings.iter().map(|binding| binding.expires_at).min()
}

/// The parameters as they stand, but for those that the registrar sets itself.
fn kept_params(contact: &NameAddr<'_>) -> Vec<u8> {
    let own = |name: &[u8]| name.eq_ignore_ascii_case(b"expires") || name.eq_ignore_ascii_case(b"received");
    let mut kept = Vec::new();
    for param in contact.params.iter().filter(|param| !own(param.name)) {
        kept.push(b';');
        kept.extend_from_slice(param.name);
        if let Some(value) = param.value {
            kept.push(b'=');
            kept.extend_from_slice(value);
        }
    }
    kept
}

fn same_uri(left: &[u8], right: &[u8]) -> bool {
    match (Uri::parse(left), Uri::parse(right)) {
        (Ok(Uri::Sip(left)), Ok(Uri::Sip(right))) => left.equivalent(&right),
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::start;

    fn aor() -> Aor {
        Aor::from_text("alice@example.test").unwrap()
    }

    fn binding(contact: &str, call_id: &str, cseq: u32, expires_at: Instant) -> Binding {
        let made_by = MadeBy {
            call_id: call_id.as_bytes(),
            cseq,
            path: &[],
            source: "127.0.0.1:5060".parse().unwrap(),
            outbound: true,
        };
        Binding::new(&NameAddr::parse(contact.as_bytes()).unwrap(), expires_at, &made_by).unwrap()
    }

    fn location(max_contacts: usize, bindings: usize) -> Location {
        let limits = Limits {
            bindings,
            ..Limits::default()
        };
        Location::new(max_contacts, limits)
    }

    fn keep(contact: &str, call_id: &str, cseq: u32) -> Update {
        Update {
            binding: binding(contact, call_id, cseq, start() + Duration::from_secs(60)),
            keep: true,
        }
    }

    fn drop(contact: &str, call_id: &str, cseq: u32) -> Update {
        Update {
            keep: false,
            ..keep(contact, call_id, cseq)
        }
    }

    fn contacts(location: &Location) -> Vec<String> {
        location.bindings(&aor()).iter().map(|binding| binding.view().contact).collect()
    }

    #[test]
    fn equivalent_uris_are_one_binding() {
        let mut location = location(2, 10);
        location.update(&aor(), vec![keep("<sip:%61lice@PHONE:5070>;q=1", "c", 1)]).unwrap();
        location.update(&aor(), vec![keep("<sip:alice@phone:5070>", "c", 2)]).unwrap();
        assert_eq!(contacts(&location), ["sip:alice@phone:5070"]);
        location.update(&aor(), vec![keep("<sip:alice@phone>", "c", 3)]).unwrap();
        assert_eq!(contacts(&location), ["sip:alice@phone:5070", "sip:alice@phone"]);
    }

    #[test]
    fn an_instance_with_a_reg_id_is_one_binding_wherever_it_moves() {
        let mut location = location(2, 10);
        let at = |host: &str, reg_id: u32| format!("<sip:alice@{host}>;+sip.instance=\"<urn:uuid:1>\";reg-id={reg_id}");
        location.update(&aor(), vec![keep(&at("a", 1), "c", 1)]).unwrap();
        location.update(&aor(), vec![keep(&at("b", 1), "other", 1)]).unwrap();
        assert_eq!(contacts(&location), ["sip:alice@b"]);
        location.update(&aor(), vec![keep(&at("b", 2), "other", 2)]).unwrap();
        assert_eq!(contacts(&location), ["sip:alice@b", "sip:alice@b"]);
        // RFC 5626 §6: without reg-id the URI decides.
        location.update(&aor(), vec![drop("<sip:alice@b>", "other", 3)]).unwrap();
        assert_eq!(contacts(&location), [""; 0]);
    }

    #[test]
    fn a_cseq_that_does_not_grow_changes_nothing() {
        let mut location = location(5, 10);
        location.update(&aor(), vec![keep("<sip:a@h>", "c", 5)]).unwrap();
        for cseq in [4, 5] {
            let updates = vec![keep("<sip:b@h>", "c", cseq), drop("<sip:a@h>", "c", cseq)];
            assert_eq!(location.update(&aor(), updates), Err(UpdateError::OldCSeq));
            assert_eq!(location.clear(&aor(), b"c", cseq), Err(UpdateError::OldCSeq));
        }
        assert_eq!(contacts(&location), ["sip:a@h"]);
        location.update(&aor(), vec![drop("<sip:a@h>", "another", 1)]).unwrap();
        assert_eq!(contacts(&location), [""; 0]);
    }

    #[test]
    fn one_request_may_name_a_contact_twice() {
        let mut location = location(5, 10);
        location
            .update(&aor(), vec![keep("<sip:a@h>", "c", 1), keep("<sip:a@h>;q=0.5", "c", 1)])
            .unwrap();
        assert_eq!(location.bindings(&aor())[0].params, b";q=0.5");
        assert_eq!(contacts(&location).len(), 1);
    }

    #[test]
    fn too_many_contacts_change_nothing() {
        let mut location = location(2, 3);
        let three = vec![keep("<sip:a@h>", "c", 1), keep("<sip:b@h>", "c", 1), keep("<sip:c@h>", "c", 1)];
        assert_eq!(location.update(&aor(), three), Err(UpdateError::TooManyContacts));
        assert_eq!(contacts(&location), [""; 0]);
        location
            .update(&aor(), vec![keep("<sip:a@h>", "c", 1), keep("<sip:b@h>", "c", 1)])
            .unwrap();
        let bob = Aor::from_text("bob@example.test").unwrap();
        location.update(&bob, vec![keep("<sip:a@h>", "c", 1)]).unwrap();
        assert_eq!(location.update(&bob, vec![keep("<sip:b@h>", "c", 2)]), Err(UpdateError::Full));
        assert_eq!(location.clear(&aor(), b"x", 1), Ok(2));
        assert_eq!(location.update(&bob, vec![keep("<sip:b@h>", "c", 2)]), Ok(()));
    }

    #[test]
    fn the_bytes_of_all_bindings_are_bounded_and_given_back() {
        let limits = Limits {
            binding_bytes: 10_000,
            ..Limits::default()
        };
        let mut location = Location::new(100, limits);
        let long = |number: u32| keep(&format!("<sip:{number}@{}>", "h".repeat(250)), &"c".repeat(1000), number);
        let kept = (1..100)
            .take_while(|number| location.update(&aor(), vec![long(*number)]).is_ok())
            .count();
        assert!((4..8).contains(&kept), "{kept}");
        assert_eq!(location.update(&aor(), vec![long(99)]), Err(UpdateError::Full));
        assert!(location.bytes <= 10_000);
        location.expire(start() + Duration::from_secs(60));
        assert_eq!(location.bytes, 0);
    }

    #[test]
    fn bindings_lapse_in_their_turn() {
        let mut location = location(5, 10);
        let long = start() + Duration::from_secs(90);
        let updates = vec![
            keep("<sip:a@h>", "c", 1),
            Update {
                binding: binding("<sip:b@h>", "c", 1, long),
                keep: true,
            },
        ];
        location.update(&aor(), updates).unwrap();
        assert_eq!(location.next_at(), Some(start() + Duration::from_secs(60)));
        location.expire(start() + Duration::from_secs(60));
        assert_eq!(contacts(&location), ["sip:b@h"]);
        assert_eq!(location.next_at(), Some(long));
        location.expire(long);
        assert_eq!((contacts(&location).len(), location.next_at(), location.total), (0, None, 0));
    }

    #[test]
    fn contacts_that_are_no_addresses_or_too_long_are_refused() {
        let made_by = MadeBy {
            call_id: b"c",
            cseq: 1,
            path: &[],
            source: "127.0.0.1:5060".parse().unwrap(),
            outbound: true,
        };
        let read = |text: &str| Binding::new(&NameAddr::parse(text.as_bytes()).unwrap(), start(), &made_by);
        assert_eq!(read("<alice>"), None);
        assert_eq!(read(&format!("<sip:{}@h>", "a".repeat(3000))), None);
        assert!(read("<tel:+4930123>").is_some());
    }
}
