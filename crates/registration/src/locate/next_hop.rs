//! What the URI of the next hop says about where to send (RFC 3263 §4, §4.1, RFC 3261 §19.1.1), and what is refused. Asks nothing.

use std::net::IpAddr;

use sip_message::{Host, SipUri};

use super::{LocateError, Wish, name};
use crate::{Families, Transport};

/// A next hop that can be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NextHop {
    /// Whom to look for: `maddr` or the host.
    pub(super) peer: Peer,
    /// The port, when one is given; never 0.
    pub(super) port: Option<u16>,
    /// True for `sips:`.
    pub(super) secure: bool,
    /// The transport, when one is asked for; with `sips:` always TLS.
    pub(super) transport: Option<Transport>,
}

/// A name to look up or an address to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peer {
    /// As [`name::canonical`] gives it.
    Name(String),
    /// Never the unspecified address.
    Address(IpAddr),
}

impl NextHop {
    /// # Errors
    /// [`LocateError::Refused`].
    pub(super) fn read(wish: &Wish<'_>) -> Result<Self, LocateError> {
        let uri = &wish.next_hop;
        if uri.port == Some(0) {
            return Err(refused("port 0 is no port to send to"));
        }
        let peer = peer(uri, wish.families)?;
        let transport = wish
            .transport
            .map_or_else(|| transport_parameter(uri), |transport| Ok(Some(transport)))?;
        let transport = match (uri.secure, transport) {
            (true, Some(Transport::Udp)) => return Err(refused("a sips: URI never goes by UDP")),
            // RFC 3263 §4.1, RFC 3261 §26.2.2: sips with transport=tcp is TLS over TCP.
            (true, Some(Transport::Tcp | Transport::Tls)) => Some(Transport::Tls),
            (false, transport) => transport,
            (true, None) => None,
        };
        Ok(Self {
            peer,
            port: uri.port,
            secure: uri.secure,
            transport,
        })
    }

    /// The transport when nothing else decides (RFC 3263 §4.1): TLS for `sips:`, otherwise UDP.
    pub(super) const fn transport_or_default(&self) -> Transport {
        match (self.transport, self.secure) {
            (Some(transport), _) => transport,
            (None, true) => Transport::Tls,
            (None, false) => Transport::Udp,
        }
    }
}

/// The name or address that a certificate has to be for: the URI's host (RFC 5922 §7.1), addresses without brackets.
pub(super) fn server_name(uri: &SipUri<'_>) -> String {
    match uri.host {
        Host::Name(text) => text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase(),
        Host::Address(address) => address.to_string(),
    }
}

/// RFC 3263 §4: `maddr` takes the host's place.
fn peer(uri: &SipUri<'_>, families: Families) -> Result<Peer, LocateError> {
    let host = match uri.params.find("maddr") {
        Some(value) => value
            .and_then(Host::parse)
            .ok_or_else(|| refused("maddr is neither a host name nor an address"))?,
        None => uri.host,
    };
    match host {
        Host::Address(address) if address.is_unspecified() => Err(refused("the unspecified address is nobody's")),
        Host::Address(address) if !families.allow(address) => Err(refused("the address is of a family that may not be used")),
        Host::Address(address) => Ok(Peer::Address(address)),
        Host::Name(text) => name::canonical(text)
            .map(Peer::Name)
            .ok_or_else(|| refused("the host is no name that DNS could have")),
    }
}

fn transport_parameter(uri: &SipUri<'_>) -> Result<Option<Transport>, LocateError> {
    let Some(value) = uri.params.find("transport") else {
        return Ok(None);
    };
    [Transport::Udp, Transport::Tcp, Transport::Tls]
        .into_iter()
        .find(|transport| value.is_some_and(|value| value.eq_ignore_ascii_case(transport.name().as_bytes())))
        .map(Some)
        .ok_or_else(|| refused("the URI asks for another transport than udp, tcp or tls"))
}

const fn refused(why: &'static str) -> LocateError {
    LocateError::Refused { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str, transport: Option<Transport>) -> Result<NextHop, LocateError> {
        let next_hop = SipUri::parse(uri.as_bytes()).unwrap();
        NextHop::read(&Wish {
            next_hop,
            transport,
            families: Families::Both,
            overrides: &[],
        })
    }

    fn why(uri: &str, transport: Option<Transport>) -> &'static str {
        match read(uri, transport) {
            Err(LocateError::Refused { why }) => why,
            other => panic!("{uri} was not refused: {other:?}"),
        }
    }

    #[test]
    fn the_transport_of_the_uri_is_read_in_any_case() {
        for (value, transport) in [("udp", Transport::Udp), ("TCP", Transport::Tcp), ("Tls", Transport::Tls)] {
            assert_eq!(
                read(&format!("sip:h.example;transport={value}"), None).unwrap().transport,
                Some(transport)
            );
        }
        assert_eq!(read("sip:h.example", None).unwrap().transport, None);
    }

    #[test]
    fn the_wished_transport_wins_over_the_uris() {
        assert_eq!(
            read("sip:h.example;transport=udp", Some(Transport::Tls)).unwrap().transport,
            Some(Transport::Tls)
        );
        assert_eq!(
            read("sip:h.example;transport=ws", Some(Transport::Tcp)).unwrap().transport,
            Some(Transport::Tcp)
        );
    }

    #[test]
    fn sips_means_tls_and_never_udp() {
        assert_eq!(read("sips:h.example;transport=tcp", None).unwrap().transport, Some(Transport::Tls));
        assert_eq!(
            read("sips:h.example", Some(Transport::Tcp)).unwrap().transport,
            Some(Transport::Tls)
        );
        assert_eq!(read("sips:h.example", None).unwrap().transport_or_default(), Transport::Tls);
        assert_eq!(why("sips:h.example;transport=udp", None), "a sips: URI never goes by UDP");
        assert_eq!(why("sips:h.example", Some(Transport::Udp)), "a sips: URI never goes by UDP");
    }

    #[test]
    fn other_transports_are_refused() {
        for value in ["ws", "wss", "sctp", "tls-sctp", "", "udp1"] {
            let uri = format!("sip:h.example;transport={value}");
            assert_eq!(why(&uri, None), "the URI asks for another transport than udp, tcp or tls");
        }
        assert_eq!(
            why("sip:h.example;transport", None),
            "the URI asks for another transport than udp, tcp or tls"
        );
    }

    #[test]
    fn maddr_takes_the_place_of_the_host_but_not_in_the_certificate() {
        let uri = "sips:pbx.example;maddr=[2001:db8::7]";
        assert_eq!(read(uri, None).unwrap().peer, Peer::Address("2001:db8::7".parse().unwrap()));
        assert_eq!(server_name(&SipUri::parse(uri.as_bytes()).unwrap()), "pbx.example");
        assert_eq!(
            read("sip:h;maddr=Edge.Example.", None).unwrap().peer,
            Peer::Name("edge.example".into())
        );
        assert_eq!(why("sip:h;maddr=a/b", None), "maddr is neither a host name nor an address");
        assert_eq!(why("sip:h;maddr", None), "maddr is neither a host name nor an address");
    }

    #[test]
    fn what_nobody_can_answer_on_is_refused() {
        assert_eq!(why("sip:0.0.0.0", None), "the unspecified address is nobody's");
        assert_eq!(why("sip:[::]", None), "the unspecified address is nobody's");
        assert_eq!(why("sip:h.example:0", None), "port 0 is no port to send to");
        assert_eq!(why("sip:a..b", None), "the host is no name that DNS could have");
        assert_eq!(
            why(&format!("sip:{}", "a".repeat(64)), None),
            "the host is no name that DNS could have"
        );
    }

    #[test]
    fn an_address_of_a_family_that_may_not_be_used_is_refused() {
        for (uri, families) in [("sip:192.0.2.1", Families::V6), ("sip:[2001:db8::1]", Families::V4)] {
            let next_hop = SipUri::parse(uri.as_bytes()).unwrap();
            let read = NextHop::read(&Wish {
                next_hop,
                transport: None,
                families,
                overrides: &[],
            });
            assert_eq!(read, Err(refused("the address is of a family that may not be used")));
        }
    }

    #[test]
    fn certificates_are_for_the_host_without_brackets_case_and_final_dot() {
        for (uri, name) in [
            ("sip:PBX.Example.", "pbx.example"),
            ("sip:[2001:DB8::1]:5061", "2001:db8::1"),
            ("sip:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(server_name(&SipUri::parse(uri.as_bytes()).unwrap()), name);
        }
    }
}
