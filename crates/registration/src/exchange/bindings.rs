//! Reading the bindings out of a 2xx (RFC 3261 §10.2.4, §10.3; RFC 5626 §4.2.1): which one is ours, and what it was granted.

use std::net::SocketAddr;
use std::sync::Arc;

use sip_message::{Contact, Headers, NameAddr, SipUri, printable};

use super::Party;
use crate::Account;
use crate::attempt::{Bound, shown};
use crate::report::{MOST_BINDINGS, OtherBinding};
use crate::texts::is_plain;
use crate::transcript::shown_uri;

/// What a 2xx lists.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Our binding.
    pub(super) ours: Option<Ours>,
    /// Everybody else's.
    pub(super) others: Vec<OtherBinding>,
}

/// Our binding as the registrar lists it.
#[derive(Debug)]
pub(super) struct Ours {
    /// The URI as it is stored, escaped.
    pub(super) stored: Arc<str>,
    /// The seconds it was granted.
    pub(super) granted: u32,
    /// Whether the URI is another one than we sent.
    pub(super) rewritten: bool,
}

/// How sure it is that a Contact is ours; more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// Our user part at the address that the registrar sees us at: a NAT-aware registrar put its own view there.
    SeenAddress,
    /// The same but for parameters that registrars drop.
    Address,
    /// Equivalent by RFC 3261 §19.1.4.
    Uri,
    /// Our `+sip.instance`, and `reg-id` where we sent one.
    Instance,
}

/// Our Contact as it was sent, and what helps to know it again.
#[derive(Debug, Clone, Copy)]
struct Own<'a> {
    account: &'a Account,
    text: &'a str,
    seen_as: Option<SocketAddr>,
}

impl Listing {
    /// Reads all Contacts. `sent` is the Contact URI of the request that is answered; without it none is ours.
    pub(super) fn read(headers: &Headers<'_>, party: &Party<'_>, sent: Option<&Arc<str>>, asked: u32, seen_as: Option<SocketAddr>) -> Self {
        let own = sent.map(|sent| Own {
            account: party.account,
            text: sent,
            seen_as,
        });
        // Of several that are ours by their instance, the one with our URI is the one that we have just bound.
        let mut count = 0;
        let best = addresses(headers)
            .inspect(|_| count += 1)
            .enumerate()
            .filter_map(|(at, address)| {
                let own = own.as_ref()?;
                let same_uri = own.is_same_uri(&address);
                Some((own.likeness(&address, same_uri)?, same_uri, std::cmp::Reverse(at), address))
            })
            .max_by_key(|(likeness, same_uri, at, _)| (*likeness, *same_uri, *at));
        let ours_at = best.as_ref().map(|(_, _, at, _)| at.0);
        Self {
            ours: best.and_then(|(_, same_uri, _, address)| {
                Some(Ours {
                    stored: stored(address.raw_uri, sent?, party.held),
                    // RFC 3261 §10.2.4: the Contact's own expires goes before the Expires header.
                    granted: address
                        .expires()
                        .unwrap_or_else(|| headers.expires().and_then(Result::ok).unwrap_or(asked)),
                    rewritten: !same_uri,
                })
            }),
            others: addresses(headers)
                .take(if ours_at.is_some() && count == 1 { 0 } else { count })
                .enumerate()
                .filter(|(at, _)| Some(*at) != ours_at)
                .take(MOST_BINDINGS)
                .map(|(_, address)| other(&address))
                .collect(),
        }
    }
}

fn addresses<'a>(headers: &Headers<'a>) -> impl Iterator<Item = NameAddr<'a>> {
    headers.contacts().filter_map(|contact| match contact {
        Ok(Contact::Address(address)) => Some(address),
        Ok(Contact::Star) | Err(_) => None,
    })
}

/// The URI as it is kept, as long as the registration: the text that is there already, if it is the same, and else no more of it than
/// of any other text of the peer's.
fn stored(raw: &[u8], sent: &Arc<str>, held: Option<&Bound>) -> Arc<str> {
    let held = held.map(|held| &held.stored);
    let known = [Some(sent), held].into_iter().flatten().find(|known| known.as_bytes() == raw);
    match known {
        Some(known) if is_plain(raw) => Arc::clone(known),
        Some(_) | None => shown(raw).into(),
    }
}

impl Own<'_> {
    fn uri(&self) -> Option<SipUri<'_>> {
        SipUri::parse(self.text.as_bytes()).ok()
    }

    fn is_same_uri(&self, address: &NameAddr<'_>) -> bool {
        let is_equivalent = |listed: &SipUri<'_>| self.uri().is_some_and(|ours| listed.equivalent(&ours));
        address.raw_uri == self.text.as_bytes() || SipUri::parse(address.raw_uri).is_ok_and(|listed| is_equivalent(&listed))
    }

    fn likeness(&self, address: &NameAddr<'_>, same_uri: bool) -> Option<Likeness> {
        if let (Some(sent), Some(listed)) = (&self.account.instance, address.instance()) {
            // RFC 5626 §4.2.1: with an instance, it decides, together with reg-id; the URI does not.
            let same_reg_id = match (self.account.reg_id, address.reg_id()) {
                (Some(sent), Some(listed)) => sent.get() == listed,
                (None, _) | (_, None) => true,
            };
            return (listed.eq_ignore_ascii_case(sent.as_bytes()) && same_reg_id).then_some(Likeness::Instance);
        }
        if same_uri {
            return Some(Likeness::Uri);
        }
        let listed = SipUri::parse(address.raw_uri).ok()?;
        let ours = self.uri().filter(|ours| listed.user == ours.user)?;
        let port = |uri: &SipUri<'_>| uri.port.unwrap_or(if uri.secure { 5061 } else { 5060 });
        if listed.host == ours.host && port(&listed) == port(&ours) {
            return Some(Likeness::Address);
        }
        let seen_as = self.seen_as.map(|seen| (Some(seen.ip()), seen.port()));
        (seen_as == Some((listed.host.address(), port(&listed)))).then_some(Likeness::SeenAddress)
    }
}

fn other(address: &NameAddr<'_>) -> OtherBinding {
    OtherBinding {
        contact: shown_uri(address.raw_uri),
        expires_s: address.expires(),
        q: address.q().map(printable),
        instance: address.instance().map(|instance| printable(&instance)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::LONGEST_SHOWN;

    #[test]
    fn what_a_registrar_stores_is_cut_unless_it_is_what_was_sent() {
        let sent: Arc<str> = format!("sip:{}@192.0.2.1", "x".repeat(2 * LONGEST_SHOWN)).into();
        assert!(Arc::ptr_eq(&stored(sent.as_bytes(), &sent, None), &sent));
        let other = format!("{sent};received=\"{}\"", "y".repeat(60_000));
        let kept = stored(other.as_bytes(), &sent, None);
        assert!(
            kept.len() <= LONGEST_SHOWN + "…".len() && kept.ends_with('…'),
            "{} bytes",
            kept.len()
        );
        assert_eq!(&*stored(b"sip:\x1b[2J@h", &sent, None), "sip:\\x1b[2J@h");
    }
}
