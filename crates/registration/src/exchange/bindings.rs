//! Reading the bindings out of a 2xx (RFC 3261 §10.2.4, §10.3; RFC 5626 §4.2.1): which one is ours, and what it was granted.

use sip_message::{Contact, Headers, NameAddr, SipUri, printable};

use crate::Account;
use crate::report::{MOST_BINDINGS, OtherBinding};
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
    pub(super) stored: String,
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

impl Listing {
    /// Reads all Contacts. `sent` is the Contact URI of the request that is answered; without it none is ours.
    pub(super) fn read(headers: &Headers<'_>, account: &Account, sent: Option<&str>, asked: u32, seen_as: Option<&str>) -> Self {
        let default = headers.expires().and_then(Result::ok).unwrap_or(asked);
        let contacts = || {
            headers.contacts().filter_map(|contact| match contact {
                Ok(Contact::Address(address)) => Some(address),
                Ok(Contact::Star) | Err(_) => None,
            })
        };
        // Of several that are ours by their instance, the one with our URI is the one that we have just bound.
        let best = contacts()
            .enumerate()
            .filter_map(|(at, address)| {
                let sent = sent?;
                Some((likeness(&address, account, sent, seen_as)?, same_uri(&address, sent), at))
            })
            .max_by_key(|(likeness, same_uri, at)| (*likeness, *same_uri, std::cmp::Reverse(*at)));
        let ours_at = best.map(|(_, _, at)| at);
        Self {
            ours: best.and_then(|(_, same_uri, at)| {
                let address = contacts().nth(at)?;
                Some(Ours {
                    stored: printable(address.raw_uri),
                    // RFC 3261 §10.2.4: the Contact's own expires goes before the Expires header.
                    granted: address.expires().unwrap_or(default),
                    rewritten: !same_uri,
                })
            }),
            others: contacts()
                .enumerate()
                .filter(|(at, _)| Some(*at) != ours_at)
                .take(MOST_BINDINGS)
                .map(|(_, address)| other(&address))
                .collect(),
        }
    }
}

fn likeness(address: &NameAddr<'_>, account: &Account, contact: &str, seen_as: Option<&str>) -> Option<Likeness> {
    if let (Some(sent), Some(listed)) = (&account.instance, address.instance()) {
        // RFC 5626 §4.2.1: with an instance, it decides, together with reg-id; the URI does not.
        let same_reg_id =
            account.reg_id.is_none() || address.reg_id().is_none() || address.reg_id() == account.reg_id.map(std::num::NonZeroU32::get);
        return (listed.eq_ignore_ascii_case(sent.as_bytes()) && same_reg_id).then_some(Likeness::Instance);
    }
    if same_uri(address, contact) {
        return Some(Likeness::Uri);
    }
    let listed = SipUri::parse(address.raw_uri).ok()?;
    let ours = SipUri::parse(contact.as_bytes()).ok()?;
    if listed.user != ours.user {
        return None;
    }
    let port = |uri: &SipUri<'_>| uri.port.unwrap_or(if uri.secure { 5061 } else { 5060 });
    if listed.host == ours.host && port(&listed) == port(&ours) {
        return Some(Likeness::Address);
    }
    let listed_at = format!("{}:{}", listed.host, port(&listed));
    (seen_as == Some(listed_at.as_str())).then_some(Likeness::SeenAddress)
}

fn same_uri(address: &NameAddr<'_>, contact: &str) -> bool {
    match (SipUri::parse(address.raw_uri), SipUri::parse(contact.as_bytes())) {
        (Ok(listed), Ok(ours)) => listed.equivalent(&ours),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => false,
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
