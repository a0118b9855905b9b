//! Whom a load may go to: one's own registrar. Addresses of this machine and of private networks are taken to be that; any other host
//! has to be named by whoever answers for it. Pure: what a name means is looked up before, and nothing goes elsewhere afterwards.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sip_message::{Host, OwnedUri};
use thiserror::Error;

/// A host that the load would reach, and the addresses that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    /// What the URI names.
    pub(crate) host: String,
    /// What it means; empty when nobody knows.
    pub(crate) addresses: Vec<IpAddr>,
}

impl Reached {
    /// The host of a URI and its addresses.
    pub(crate) fn new(uri: &OwnedUri, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let host = uri.parts().host;
        let written = host.address();
        Self {
            host: host.to_string(),
            addresses: written.into_iter().chain(addresses).collect(),
        }
    }
}

/// Why a load is not begun.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Forbidden {
    /// A public address without a word from its owner.
    #[error(
        "{host}{}: this is neither this machine nor a private network. A load test of somebody else's registrar is an attack on it; if it is \
         yours, say so with --this-registrar-is-mine {host}",
        meaning(.host, *.address)
    )]
    Public {
        /// Which host.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// The word is about another host.
    #[error("--this-registrar-is-mine {named}: the load would go to {}; name exactly that host, or leave the option out", .reached.join(" and "))]
    Misnamed {
        /// Whom the option names.
        named: String,
        /// Where the load would go.
        reached: Vec<String>,
    },
}

/// ` (198.51.100.7)` behind a name.
fn meaning(host: &str, address: IpAddr) -> String {
    match Host::parse(host.as_bytes()) {
        Some(Host::Name(_)) => format!(" ({address})"),
        Some(Host::Address(_)) | None => String::new(),
    }
}

/// Allows the load, or says why not. `mine` are the hosts that the user answers for.
///
/// # Errors
/// [`Forbidden`].
pub(crate) fn check(reached: &[Reached], mine: &[String]) -> Result<(), Forbidden> {
    let stranger = mine.iter().find(|named| !reached.iter().any(|each| same(&each.host, named)));
    if let Some(named) = stranger {
        return Err(Forbidden::Misnamed {
            named: named.clone(),
            reached: reached.iter().map(|each| each.host.clone()).collect(),
        });
    }
    for each in reached.iter().filter(|each| !mine.iter().any(|named| same(&each.host, named))) {
        if let Some(&address) = each.addresses.iter().find(|address| !is_private(**address)) {
            return Err(Forbidden::Public {
                host: each.host.clone(),
                address,
            });
        }
    }
    Ok(())
}

/// Names compare without case and final dot, addresses by value.
fn same(first: &str, second: &str) -> bool {
    let without_dot = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    match (Host::parse(first.as_bytes()), Host::parse(second.as_bytes())) {
        (Some(Host::Address(first)), Some(Host::Address(second))) => first == second,
        (Some(Host::Name(first)), Some(Host::Name(second))) => without_dot(first) == without_dot(second),
        (Some(Host::Address(_) | Host::Name(_)) | None, _) => false,
    }
}

/// Loopback, RFC 1918, unique local (RFC 4193) and link-local addresses; of those that wrap an IPv4 address only the mapped ones,
/// because the others (NAT64, 6to4) leave the network.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or_else(|| is_private_v6(address), is_private_v4),
    }
}

const fn is_private_v4(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_private() || address.is_link_local()
}

const fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(uri: &str, addresses: &[&str]) -> Reached {
        Reached::new(
            &format!("sip:{uri}").parse().unwrap(),
            addresses.iter().map(|address| address.parse().unwrap()),
        )
    }

    fn checked(uri: &str, addresses: &[&str], mine: &[&str]) -> Result<(), Forbidden> {
        check(
            &[reached(uri, addresses)],
            &mine.iter().map(ToString::to_string).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn this_machine_and_private_networks_need_no_word() {
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fc00::1",
            "fe80::1",
        ] {
            assert_eq!(checked("pbx.example.com", &[address], &[]), Ok(()), "{address}");
        }
        assert_eq!(checked("192.168.1.1:5080", &[], &[]), Ok(()));
        assert_eq!(checked("[::ffff:10.0.0.1]", &[], &[]), Ok(()));
    }

    #[test]
    fn everybody_elses_addresses_are_refused_whatever_the_name_looks_like() {
        for address in [
            "8.8.8.8",
            "172.32.0.1",
            "192.0.2.1",
            "100.64.0.1",
            "0.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "2001:db8::1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "fec0::1",
            "ff02::1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
        ] {
            assert!(
                matches!(checked("localhost", &[address], &[]), Err(Forbidden::Public { .. })),
                "{address}"
            );
            let uri = if address.contains(':') {
                format!("[{address}]")
            } else {
                address.to_owned()
            };
            assert!(checked(&uri, &[], &[]).is_err(), "{uri}");
        }
    }

    #[test]
    fn one_public_address_among_private_ones_is_enough_to_refuse() {
        let refused = checked("pbx.local", &["10.0.0.1", "198.51.100.7", "10.0.0.2"], &[]).unwrap_err();
        let text = refused.to_string();
        assert!(
            text.starts_with("pbx.local (198.51.100.7): ") && text.ends_with("--this-registrar-is-mine pbx.local"),
            "{text}"
        );
        let numeric = checked("198.51.100.7:5070", &[], &[]).unwrap_err().to_string();
        assert!(numeric.starts_with("198.51.100.7: "), "{numeric}");
    }

    #[test]
    fn the_word_is_for_exactly_that_host() {
        for (host, named) in [
            ("pbx.example.com", "PBX.example.com."),
            ("198.51.100.7", "198.51.100.7"),
            ("[2001:db8::1]", "2001:DB8:0::1"),
            ("[2001:db8::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(checked(host, &["198.51.100.7"], &[named]), Ok(()), "{host}");
        }
        for (host, named) in [
            ("pbx.example.com", "example.com"),
            ("pbx.example.com", "198.51.100.7"),
            ("198.51.100.7", "198.51.100.8"),
            ("pbx.example.com", "*"),
            ("pbx.example.com", ""),
            // A wrong word is a mistake even where none is needed.
            ("127.0.0.1", "pbx.example.com"),
        ] {
            assert!(
                matches!(checked(host, &["198.51.100.7"], &[named]), Err(Forbidden::Misnamed { .. })),
                "{host} {named}"
            );
        }
    }

    #[test]
    fn a_registrar_behind_a_private_proxy_has_to_be_ones_own_too() {
        let proxy = reached("10.0.0.1", &[]);
        let both = |registrar: Reached, mine: &[&str]| {
            check(
                &[proxy.clone(), registrar],
                &mine.iter().map(ToString::to_string).collect::<Vec<_>>(),
            )
        };
        assert!(both(reached("sip.provider.example", &["198.51.100.7"]), &[]).is_err());
        assert_eq!(
            both(reached("sip.provider.example", &["198.51.100.7"]), &["sip.provider.example"]),
            Ok(())
        );
        // A domain that only the proxy knows leads nowhere else.
        assert_eq!(both(reached("lab.invalid", &[]), &[]), Ok(()));
    }
}
