//! Whose binding is this? A Contact is the provider's by the user's pattern, else by the Contact that the provider itself names, else
//! by the time at which it ends. Where none of these tells, nothing is guessed. Pure (RFC 3261 §19.1.4 for the comparison of URIs).

use std::net::IpAddr;

use jiff::SignedDuration;
use sip_message::{Host, SipUri};
use sip_registration::MOST_BINDINGS;

use super::Moment;
use super::clock::{Skew, apart, comparable, seconds};
use super::stale::shows_refreshes;
use crate::{Answer, ClaimedContact, ContactPattern, HostPattern, Role, SeenBinding};

/// How far two ends of one binding may differ beside the clocks: both sides cut to the second.
pub(super) const ROUNDING: SignedDuration = SignedDuration::from_secs(2);

/// The marks by which the provider's binding is known.
#[derive(Debug, Clone)]
pub(super) struct Marks<'a> {
    /// Which end of the registration the provider is.
    pub(super) role: Role,
    /// What the user says.
    pub(super) pattern: &'a ContactPattern,
    /// What the provider says.
    pub(super) claimed: Option<&'a ClaimedContact>,
    /// The user part of the AOR: a Contact with the same one may be anybody's.
    pub(super) aor_user: Option<&'a str>,
    /// When the provider says that its binding ends.
    pub(super) claimed_end: Option<Moment>,
    /// How well the clocks agree.
    pub(super) skew: Skew,
    /// Contacts of our own.
    pub(super) own: &'a [&'a str],
    /// Where the registrar itself was met.
    pub(super) servers: &'a [IpAddr],
}

/// What the bindings of one look are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owners<'a> {
    /// These are the provider's.
    Expected(Vec<&'a SeenBinding>),
    /// Something is bound, and none of it is the provider's.
    Others,
    /// Nothing is bound.
    Nobody,
    /// Something is bound, and nothing says whose it is.
    Unknown {
        /// Whether the clocks are to blame: the times would have said it.
        skewed: bool,
    },
}

/// Whether a binding is the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// It is.
    Same,
    /// It is somebody else's.
    Other,
    /// It is at another place, and nothing else speaks against it: another device, or what an edge made of the same one.
    Elsewhere,
    /// Nothing says so or otherwise.
    Unsure,
}

/// When the provider's binding ends, by its own word.
pub(super) fn claimed_end(answer: &Answer) -> Option<Moment> {
    let refreshed = comparable(answer.refreshed_at).filter(|_| shows_refreshes(answer.source));
    let by_lifetime = || Some(refreshed?.after(std::time::Duration::from_secs(answer.lifetime_s?.into())));
    comparable(answer.expires_at).or_else(by_lifetime)
}

impl<'a> Marks<'a> {
    /// Whose the bindings of a look are that ended at `looked_at`. What has no second left is not bound any more.
    pub(super) fn owners<'b>(&self, bindings: &'b [SeenBinding], looked_at: Moment) -> Owners<'b> {
        let bound: Vec<_> = bindings.iter().filter(|binding| self.counts(binding)).collect();
        if bound.is_empty() {
            return Owners::Nobody;
        }
        let of = |likeness: &[Likeness]| {
            let like = |binding: &&SeenBinding| likeness.contains(&self.likeness(binding));
            bound.iter().copied().filter(like).collect::<Vec<_>>()
        };
        let same = of(&[Likeness::Same]);
        if !same.is_empty() {
            return Owners::Expected(same);
        }
        let possible = of(&[Likeness::Unsure, Likeness::Elsewhere]);
        // Who is not on a list that was cut may have been behind the cut.
        let nobody_else = of(&[Likeness::Unsure]).is_empty() && bindings.len() < MOST_BINDINGS;
        match self.by_time(&possible, looked_at) {
            Owners::Unknown { skewed: false } if nobody_else => Owners::Others,
            owners @ (Owners::Expected(_) | Owners::Others | Owners::Nobody | Owners::Unknown { .. }) => owners,
        }
    }

    /// Whether a binding is one at all, and not our own where the provider is the client.
    pub(super) fn counts(&self, binding: &SeenBinding) -> bool {
        binding.expires_s != Some(0) && (self.role == Role::Registrar || !self.is_own(binding))
    }

    /// Whether a binding is our own.
    pub(super) fn is_own(&self, binding: &SeenBinding) -> bool {
        self.own.iter().any(|own| same_uri(own, &binding.contact))
    }

    /// Whether a binding is the provider's, by its Contact.
    pub(super) fn likeness(&self, binding: &SeenBinding) -> Likeness {
        match self.by_marks(binding) {
            // A registrar that counts our own binding in says registered because of it; that displaces nobody.
            Likeness::Other | Likeness::Elsewhere if self.is_own(binding) => Likeness::Unsure,
            likeness => likeness,
        }
    }

    fn by_marks(&self, binding: &SeenBinding) -> Likeness {
        if !self.pattern.is_empty() {
            return if fits(self.pattern, binding) {
                Likeness::Same
            } else {
                Likeness::Other
            };
        }
        match (self.claimed.filter(|claimed| **claimed != ClaimedContact::default()), self.role) {
            (Some(claimed), _) => self.like(claimed, binding),
            // Where the provider is the registrar and names no device, its claim is about the AOR: whoever is bound, is bound.
            (None, Role::Registrar) => Likeness::Same,
            (None, Role::Client) => Likeness::Unsure,
        }
    }

    /// Whether a binding is the one that the provider names, whatever the user's pattern says.
    pub(super) fn likeness_to_claimed(&self, binding: &SeenBinding) -> Likeness {
        self.claimed.map_or(Likeness::Unsure, |claimed| self.like(claimed, binding))
    }

    /// The Contact that the provider names beside the one that is bound. An edge or a NAT may have put another host or port there, so
    /// another place says nothing where the user part is one that only the provider has, where the two hosts are not of one kind, or
    /// where one of them is the registrar's own. A registrar names where a device's packets come from, which is not its Contact.
    fn like(&self, claimed: &ClaimedContact, binding: &SeenBinding) -> Likeness {
        let Ok(uri) = SipUri::parse(binding.contact.as_bytes()) else {
            return Likeness::Unsure;
        };
        let user = uri.user.map(String::from_utf8_lossy);
        let same_user = claimed
            .user
            .as_deref()
            .zip(user.as_deref())
            .map(|(claimed, seen)| same_user(claimed, seen));
        if same_user == Some(false) {
            return Likeness::Other;
        }
        let account = self.aor_user.zip(user.as_deref());
        if same_user == Some(true) && account.is_some_and(|(account, seen)| !self::same_user(account, seen)) {
            return Likeness::Same;
        }
        let Some(host) = claimed.host.as_deref() else {
            return Likeness::Unsure;
        };
        let same_port = claimed.port.zip(uri.port).is_none_or(|(claimed, seen)| claimed == seen);
        match same_host(host, &uri.host) {
            Some(true) if same_port => Likeness::Same,
            // A NAT gives another port to the same device, and so does every new connection.
            Some(true) | None => Likeness::Unsure,
            Some(false) if self.role == Role::Registrar || self.is_registrar(host, &uri.host) => Likeness::Unsure,
            Some(false) => Likeness::Elsewhere,
        }
    }

    /// Whether one of these hosts is the registrar's own: an edge in front of it has put itself there, or an AOR is shown as Contact.
    fn is_registrar(&self, claimed: &str, seen: &Host<'_>) -> bool {
        let named = |host: &Host<'_>| self.servers.iter().any(|server| same_host(&server.to_string(), host) == Some(true));
        let claimed = claimed.trim_matches(['[', ']']).parse::<IpAddr>();
        named(seen) || claimed.is_ok_and(|claimed| named(&Host::Address(claimed)))
    }

    /// Which of several ends when the provider says that its own does; it has to be exactly one.
    fn by_time<'b>(&self, unsure: &[&'b SeenBinding], looked_at: Moment) -> Owners<'b> {
        let Some(end) = self.claimed_end else {
            return Owners::Unknown { skewed: false };
        };
        if self.skew.is_too_much() {
            return Owners::Unknown { skewed: true };
        }
        let allowed = self.skew.tolerance().saturating_add(ROUNDING);
        let ends_then = |binding: &&&SeenBinding| ends_at(binding, looked_at).is_some_and(|at| apart(at, end) <= allowed);
        let mut fitting = unsure.iter().filter(ends_then);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Owners::Expected(vec![only]),
            (Some(_), Some(_)) | (None, _) => Owners::Unknown { skewed: false },
        }
    }
}

/// When a binding ends by what the registrar said at `looked_at`.
pub(super) fn ends_at(binding: &SeenBinding, looked_at: Moment) -> Option<Moment> {
    Some(looked_at.after(seconds(binding.expires_s?).unsigned_abs()))
}

/// Whether a claimed name is this user's: the user part alone, or with its domain.
pub(super) fn is_named(user: &str, claimed: &str) -> bool {
    let bare = claimed
        .strip_prefix("sips:")
        .or_else(|| claimed.strip_prefix("sip:"))
        .unwrap_or(claimed);
    same_user(user, bare) || bare.rsplit_once('@').is_some_and(|(name, _)| same_user(user, name))
}

/// Whether two user parts are one: RFC 3261 §19.1.4, an escape is the same as what it stands for.
fn same_user(one: &str, other: &str) -> bool {
    unescaped(one.as_bytes()) == unescaped(other.as_bytes())
}

fn unescaped(user: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(user.len());
    let mut rest = user;
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = tail.split_at_checked(2).filter(|_| first == b'%');
        let byte = escaped.and_then(|(digits, _)| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        plain.push(byte.unwrap_or(first));
        rest = escaped.filter(|_| byte.is_some()).map_or(tail, |(_, tail)| tail);
    }
    plain
}

/// Whether two Contacts are one.
pub(super) fn same_uri(one: &str, other: &str) -> bool {
    match (SipUri::parse(one.as_bytes()), SipUri::parse(other.as_bytes())) {
        (Ok(first), Ok(second)) => first.equivalent(&second),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => one == other,
    }
}

fn fits(pattern: &ContactPattern, binding: &SeenBinding) -> bool {
    let Ok(uri) = SipUri::parse(binding.contact.as_bytes()) else {
        return false;
    };
    let user = uri.user.map(String::from_utf8_lossy);
    let bare = |instance: &str| instance.trim_matches(['"', '<', '>', ' ']).to_ascii_lowercase();
    let instance = binding.instance.as_deref().map(bare);
    (pattern.users.is_empty() || pattern.users.iter().any(|wanted| user.as_deref() == Some(wanted)))
        && (pattern.hosts.is_empty() || pattern.hosts.iter().any(|wanted| is_at(wanted, &uri)))
        && (pattern.instances.is_empty() || pattern.instances.iter().any(|wanted| instance.as_deref() == Some(&*bare(wanted))))
}

fn is_at(wanted: &HostPattern, uri: &SipUri<'_>) -> bool {
    match (wanted, &uri.host) {
        (HostPattern::Name(name), Host::Name(host)) => same_name(name, host),
        (HostPattern::Address(address, port), Host::Address(host)) => {
            address.to_canonical() == host.to_canonical() && port.is_none_or(|port| uri.port.unwrap_or(default_port(uri)) == port)
        }
        (HostPattern::Network(network), Host::Address(host)) => network.contains(host) || network.contains(&host.to_canonical()),
        (HostPattern::Name(_), Host::Address(_)) | (HostPattern::Address(..) | HostPattern::Network(_), Host::Name(_)) => false,
    }
}

/// RFC 3261 §19.1.2.
const fn default_port(uri: &SipUri<'_>) -> u16 {
    if uri.secure { 5061 } else { 5060 }
}

fn same_name(one: &str, other: &str) -> bool {
    one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.'))
}

/// Whether two hosts are one; `None` when they cannot be compared: a name beside an address, or addresses of two kinds of network, as
/// they stand on the two sides of a NAT.
fn same_host(claimed: &str, seen: &Host<'_>) -> Option<bool> {
    let claimed = claimed.trim_matches(['[', ']']);
    match (claimed.parse::<IpAddr>(), seen) {
        (Ok(claimed), Host::Address(seen)) => {
            let (claimed, seen) = (claimed.to_canonical(), seen.to_canonical());
            if claimed == seen {
                Some(true)
            } else {
                (kind(claimed) == kind(seen)).then_some(false)
            }
        }
        (Err(_), Host::Name(seen)) => Some(same_name(claimed, seen)),
        (Ok(_), Host::Name(_)) | (Err(_), Host::Address(_)) => None,
    }
}

/// Kinds of network between which addresses are translated. A container's bridge and the network of its host are two as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Loopback,
    /// RFC 1918, by the first number of the block.
    Private(u8),
    /// RFC 6598: what carriers translate from.
    Shared,
    Local,
    PublicV4,
    PublicV6,
}

const fn kind(address: IpAddr) -> Kind {
    match address {
        _ if address.is_loopback() => Kind::Loopback,
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            match first {
                _ if v4.is_private() => Kind::Private(first),
                _ if v4.is_link_local() || v4.is_unspecified() => Kind::Local,
                100 if second & 0xc0 == 64 => Kind::Shared,
                _ => Kind::PublicV4,
            }
        }
        IpAddr::V6(v6) if v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified() => Kind::Local,
        IpAddr::V6(_) => Kind::PublicV6,
    }
}
