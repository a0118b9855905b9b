//! A host in a URI or Via: name, IPv4 or IPv6 (RFC 3261 §25.1 `host`, RFC 5118). No resolution here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::lexer;

/// A host. Names compare without case, addresses by value.
#[derive(Debug, Clone, Copy)]
pub enum Host<'a> {
    /// A domain name, as it stands.
    Name(&'a str),
    /// An address; IPv6 may have stood with or without brackets.
    Address(IpAddr),
}

impl<'a> Host<'a> {
    /// Reads `host [ ":" port ]`. `None` when it is neither a name nor an address, or the port is no port.
    pub(crate) fn with_port(bytes: &'a [u8]) -> Option<(Self, Option<u16>)> {
        let bytes = lexer::trim(bytes);
        if let Some(rest) = bytes.strip_prefix(b"[") {
            let (address, after) = lexer::split_once(rest, b']')?;
            return Some((Self::ipv6(address)?, port(after)?));
        }
        let Some((host, digits)) = lexer::split_once(bytes, b':') else {
            return Some((Self::parse(bytes)?, None));
        };
        if memchr::memchr(b':', digits).is_some() {
            // RFC 5118 §4.2 calls this invalid, and real registrars send it. There is no telling a port from a group, so it is an address.
            return Some((Self::ipv6(bytes)?, None));
        }
        Some((Self::parse(lexer::trim(host))?, port_number(digits)?))
    }

    /// Reads a host without port: a name, an IPv4 address, or an IPv6 address in brackets or without.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first()? {
            b'[' => return Self::ipv6(bytes.get(1..)?.strip_suffix(b"]")?),
            _ if memchr::memchr(b':', bytes).is_some() => return Self::ipv6(bytes),
            _ => {}
        }
        let valid = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if bytes.len() > 255 || !bytes.iter().all(valid) {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        // An address ends in a digit; most names do not, and need not be tried as one.
        let address = bytes
            .last()
            .filter(|last| last.is_ascii_digit())
            .and_then(|_| text.parse::<Ipv4Addr>().ok());
        Some(address.map_or(Self::Name(text), Self::from))
    }

    /// The address, when the host is one.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Name(_) => None,
        }
    }

    fn ipv6(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let address: Ipv6Addr = text.parse().ok().or_else(|| with_one_colon_less(text))?;
        Some(Self::Address(IpAddr::V6(address)))
    }
}

/// Reads `2001:db8:::192.0.2.1`, which the RFC's grammar makes of `2001:db8::192.0.2.1` (RFC 5118 §4.10).
fn with_one_colon_less(text: &str) -> Option<Ipv6Addr> {
    const LONGEST: usize = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".len();
    let (before, after) = text.split_once(":::").filter(|(_, after)| !after.is_empty())?;
    let mut mended = arrayvec::ArrayString::<LONGEST>::new();
    for part in [before, "::", after] {
        mended.try_push_str(part).ok()?;
    }
    mended.parse().ok()
}

/// What follows the host: nothing, or a colon and a port.
fn port(after: &[u8]) -> Option<Option<u16>> {
    match lexer::trim(after) {
        [] => Some(None),
        [b':', digits @ ..] => port_number(digits),
        [_, ..] => None,
    }
}

/// A port. Nothing behind the colon counts as none.
fn port_number(digits: &[u8]) -> Option<Option<u16>> {
    match lexer::trim(digits) {
        [] => Some(None),
        digits => lexer::decimal(digits).map(Some),
    }
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(left), Self::Name(right)) => left.eq_ignore_ascii_case(right),
            (Self::Address(left), Self::Address(right)) => left == right,
            (Self::Name(_), Self::Address(_)) | (Self::Address(_), Self::Name(_)) => false,
        }
    }
}

impl Eq for Host<'_> {}

impl std::fmt::Display for Host<'_> {
    /// As it stands in a URI: IPv6 in brackets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl From<Ipv4Addr> for Host<'_> {
    fn from(address: Ipv4Addr) -> Self {
        Self::Address(IpAddr::V4(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Option<(String, Option<u16>)> {
        Host::with_port(text.as_bytes()).map(|(host, port)| (host.to_string(), port))
    }

    #[test]
    fn names_and_addresses_are_told_apart() {
        assert_eq!(host("pbx.example.com:5061"), Some(("pbx.example.com".into(), Some(5061))));
        assert_eq!(host("192.0.2.1 : 5060"), Some(("192.0.2.1".into(), Some(5060))));
        assert_eq!(host("[2001:db8::1]:5060"), Some(("[2001:db8::1]".into(), Some(5060))));
        assert_eq!(host("2001:db8::1"), Some(("[2001:db8::1]".into(), None)));
        assert_eq!(host("h:"), Some(("h".into(), None)));
        assert_eq!(host("pbx1:5060"), Some(("pbx1".into(), Some(5060))));
        assert_eq!(Host::parse(b"192.0.2.1").unwrap().address(), Some(IpAddr::from([192, 0, 2, 1])));
        assert_eq!(Host::parse(b"192.0.2.256").unwrap().address(), None);
        assert_eq!(host("[::ffff:192.0.2.1]"), Some(("[::ffff:192.0.2.1]".into(), None)));
        assert_eq!(
            host("[2001:db8:::192.0.2.1]:5070"),
            Some(("[2001:db8::c000:201]".into(), Some(5070)))
        );
    }

    /// RFC 1035 §2.3.4.
    #[test]
    fn a_name_has_at_most_255_characters() {
        let of = |length: usize| "a".repeat(length);
        assert_eq!(host(&of(255)), Some((of(255), None)));
        assert_eq!(host(&of(256)), None);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "[::1",
            "[::g]",
            "a b",
            "h:99999",
            "h:-1",
            ":::",
            "::::",
            "[1:::2:::3]",
            "ex\u{e4}mple",
            "<h>",
            "1:2:3",
        ] {
            assert_eq!(host(text), None, "{text:?}");
        }
    }

    #[test]
    fn names_compare_without_case() {
        assert_eq!(Host::parse(b"A.Example"), Host::parse(b"a.eXample"));
        assert_eq!(Host::parse(b"[::1]"), Host::parse(b"0:0:0:0:0:0:0:1"));
        assert_ne!(Host::parse(b"::1"), Host::parse(b"localhost"));
    }
}
