//! From hosts and ports to targets (RFC 3263 §4.2): overrides, AAAA and A answers, one list without duplicates. Asks nothing.

use std::net::IpAddr;
use std::sync::Arc;

use super::branch::Reply;
use super::{MAX_RECORDS, MAX_TARGETS, Target, TargetSource};
use crate::{DnsError, Endpoint, Families, Override, RecordKind, Records, Transport};

/// A host and port to try with a transport, best first among its like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) transport: Transport,
    /// As [`super::name::canonical`] gives it.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) road: Road,
}

/// Which records led to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Road {
    /// NAPTR, whether SRV followed or not.
    Naptr,
    /// SRV without NAPTR.
    Srv,
    /// The URI itself names the host.
    Uri,
}

/// A question for the addresses of a host.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) host: String,
    pub(super) kind: RecordKind,
    pub(super) reply: Reply<IpAddr>,
}

/// The record types to ask for, in the order in which their addresses are tried.
///
/// RFC 6724 prefers IPv6 where both reach. What reaches the core can not know, and need not: a host without a way to IPv6 says so at once.
pub(super) const fn kinds(families: Families) -> &'static [RecordKind] {
    match families {
        Families::Both => &[RecordKind::Aaaa, RecordKind::A],
        Families::V4 => &[RecordKind::A],
        Families::V6 => &[RecordKind::Aaaa],
    }
}

/// The addresses of an answer to this question, in its order; only those of its family that can be somebody's.
pub(super) fn addresses(records: Records, kind: RecordKind) -> Result<Vec<IpAddr>, DnsError> {
    let Records::Addresses(mut addresses) = records else {
        return Err(DnsError::ServerFailure);
    };
    addresses.truncate(MAX_RECORDS);
    addresses.retain(|address| match address {
        IpAddr::V4(address) => kind == RecordKind::A && !address.is_unspecified(),
        IpAddr::V6(address) => kind == RecordKind::Aaaa && !address.is_unspecified() && address.to_ipv4_mapped().is_none(),
    });
    addresses.truncate(MAX_ADDRESSES);
    Ok(addresses)
}

/// What the user said that this host and port mean; empty when nothing.
pub(super) fn overridden<'a>(overrides: &'a [Override], host: &'a str, port: u16) -> impl Iterator<Item = IpAddr> + use<'a> {
    overrides
        .iter()
        .filter(move |said| said.port == port && names(said, host))
        .map(|said| said.address)
}

/// The ports for which the user said what this host means, when the URI gives none: the transport's own, otherwise all. Port 0 is none.
pub(super) fn overridden_ports(overrides: &[Override], host: &str, own: u16) -> Vec<u16> {
    let said = overrides.iter().filter(|said| said.port != 0 && names(said, host));
    let mut ports: Vec<u16> = said.map(|said| said.port).collect();
    if ports.contains(&own) {
        ports = vec![own];
    }
    ports
}

/// The targets, in the candidates' order, the addresses of a host in the order of `lookups`; without duplicates, at most
/// [`MAX_TARGETS`].
pub(super) fn targets(
    candidates: &[Candidate],
    lookups: &[Lookup],
    overrides: &[Override],
    families: Families,
    server_name: &Arc<str>,
) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for candidate in candidates {
        for (address, source) in found(candidate, lookups, overrides) {
            let (transport, remote) = (candidate.transport, (address, candidate.port).into());
            let known = |target: &Target| (target.endpoint.transport, target.endpoint.remote) == (transport, remote);
            if families.allow(address) && targets.len() < MAX_TARGETS && !targets.iter().any(known) {
                let endpoint = Endpoint {
                    transport,
                    remote,
                    server_name: Arc::clone(server_name),
                };
                targets.push(Target { endpoint, source });
            }
        }
    }
    targets
}

fn found(candidate: &Candidate, lookups: &[Lookup], overrides: &[Override]) -> Vec<(IpAddr, TargetSource)> {
    let said: Vec<_> = overridden(overrides, &candidate.host, candidate.port)
        .map(|address| (address, TargetSource::Override))
        .collect();
    if !said.is_empty() {
        return said;
    }
    let asked = lookups.iter().filter(|lookup| lookup.host == candidate.host);
    asked
        .flat_map(|lookup| lookup.reply.records())
        .map(|address| (*address, source(candidate.road, *address)))
        .collect()
}

const fn source(road: Road, address: IpAddr) -> TargetSource {
    match (road, address) {
        (Road::Naptr, _) => TargetSource::Naptr,
        (Road::Srv, _) => TargetSource::Srv,
        (Road::Uri, IpAddr::V4(_)) => TargetSource::A,
        (Road::Uri, IpAddr::V6(_)) => TargetSource::Aaaa,
    }
}

fn names(said: &Override, host: &str) -> bool {
    said.host.strip_suffix('.').unwrap_or(&said.host).eq_ignore_ascii_case(host)
}

/// How many addresses of one host are tried in each family.
const MAX_ADDRESSES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(host: &str, port: u16, address: &str) -> Override {
        Override {
            host: host.into(),
            port,
            address: address.parse().unwrap(),
        }
    }

    fn candidate(host: &str, port: u16) -> Candidate {
        Candidate {
            transport: Transport::Tcp,
            host: host.into(),
            port,
            road: Road::Uri,
        }
    }

    fn lookup(host: &str, kind: RecordKind, addresses: &[&str]) -> Lookup {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Lookup {
            host: host.into(),
            kind,
            reply: Reply::Came(Ok(addresses)),
        }
    }

    fn remotes(candidates: &[Candidate], lookups: &[Lookup], overrides: &[Override], families: Families) -> Vec<String> {
        let targets = targets(candidates, lookups, overrides, families, &"h.example".into());
        targets.iter().map(|target| target.endpoint.remote.to_string()).collect()
    }

    #[test]
    fn only_addresses_of_the_family_that_was_asked_for_are_taken() {
        let all = ["192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "::ffff:192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let taken = |kind| addresses(Records::Addresses(all.to_vec()), kind).unwrap();
        assert_eq!(taken(RecordKind::A), [all[0]]);
        assert_eq!(taken(RecordKind::Aaaa), [all[2]]);
    }

    #[test]
    fn an_answer_of_another_type_makes_no_sense() {
        assert_eq!(addresses(Records::Naptr(Vec::new()), RecordKind::A), Err(DnsError::ServerFailure));
        assert_eq!(addresses(Records::Srv(Vec::new()), RecordKind::Aaaa), Err(DnsError::ServerFailure));
    }

    #[test]
    fn ten_thousand_addresses_become_sixteen() {
        let many = (0..10_000_u32).map(|at| IpAddr::V4((0x0a00_0001 + at).into())).collect();
        assert_eq!(addresses(Records::Addresses(many), RecordKind::A).unwrap().len(), MAX_ADDRESSES);
    }

    #[test]
    fn the_order_of_candidates_and_of_answers_is_kept_and_duplicates_go() {
        let lookups = [
            lookup("a", RecordKind::Aaaa, &["2001:db8::1"]),
            lookup("b", RecordKind::A, &["192.0.2.9", "192.0.2.1"]),
            lookup("a", RecordKind::A, &["192.0.2.1"]),
        ];
        let candidates = [candidate("b", 5060), candidate("a", 5060), candidate("a", 5070)];
        assert_eq!(
            remotes(&candidates, &lookups, &[], Families::Both),
            [
                "192.0.2.9:5060",
                "192.0.2.1:5060",
                "[2001:db8::1]:5060",
                "[2001:db8::1]:5070",
                "192.0.2.1:5070"
            ]
        );
    }

    #[test]
    fn overrides_hold_for_their_host_and_port_alone() {
        let overrides = [said("A.", 5060, "127.0.0.1"), said("a", 5060, "::1"), said("b", 5060, "127.0.0.2")];
        let lookups = [lookup("a", RecordKind::A, &["192.0.2.1"])];
        let candidates = [candidate("a", 5060), candidate("a", 5070)];
        assert_eq!(
            remotes(&candidates, &lookups, &overrides, Families::Both),
            ["127.0.0.1:5060", "[::1]:5060", "192.0.2.1:5070"]
        );
        assert_eq!(remotes(&candidates[..1], &lookups, &overrides, Families::V6), ["[::1]:5060"]);
    }

    #[test]
    fn without_a_port_the_transports_own_is_taken_first() {
        let overrides = [
            said("a", 5060, "127.0.0.1"),
            said("a", 5061, "127.0.0.1"),
            said("b", 9, "127.0.0.1"),
        ];
        assert_eq!(overridden_ports(&overrides, "a", 5061), [5061]);
        assert_eq!(overridden_ports(&overrides, "a", 5070), [5060, 5061]);
        assert_eq!(overridden_ports(&overrides, "c", 5060), Vec::<u16>::new());
    }

    #[test]
    fn there_are_never_more_than_sixty_four_targets() {
        let candidates: Vec<_> = (1..100).map(|port| candidate("a", port)).collect();
        let lookups = [lookup("a", RecordKind::A, &["192.0.2.1", "192.0.2.2"])];
        assert_eq!(remotes(&candidates, &lookups, &[], Families::Both).len(), MAX_TARGETS);
    }
}
