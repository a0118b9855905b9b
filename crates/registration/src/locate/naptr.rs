//! The choice among NAPTR records (RFC 3263 §4.1, RFC 3403 §4.1): which services we can use, best first. Asks nothing.

use super::{MAX_RECORDS, name};
use crate::{Naptr, Transport};

/// A service that a domain offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    /// How it is reached.
    pub(super) transport: Transport,
    /// Where the record points.
    pub(super) pointer: Pointer,
}

/// Where a NAPTR record points: its flag and its replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pointer {
    /// Flag `s`: the name of SRV records.
    Services(String),
    /// Flag `a`: the name of a host.
    Host(String),
}

/// The services that we can use, best first, at most [`MAX_SERVICES`].
///
/// Skipped are other services (`SIP+D2S`, `E2U+sip`, ...), records that need a regular expression or another round (other flags), names
/// that are no names, and, for `sips:`, all but `SIPS+D2T`.
///
/// RFC 3263 §4.1 goes to the most preferred service only. We differ: the less preferred ones stay as further targets, so that
/// one dead transport does not hide the others. But TLS never falls back: behind `SIPS+D2T` nothing without TLS is kept.
pub(super) fn choose(records: &[Naptr], secure: bool) -> Vec<Service> {
    let mut ranked: Vec<_> = records
        .iter()
        .take(MAX_RECORDS)
        .filter_map(|record| Some((record.order, record.preference, service(record)?)))
        .filter(|(_, _, service)| !secure || service.transport == Transport::Tls)
        .collect();
    // Equally ranked transports are taken in our own order; what is left equal stays as DNS sent it.
    ranked.sort_by_key(|(order, preference, service)| (*order, *preference, service.transport));
    let mut chosen: Vec<Service> = Vec::new();
    for (_, _, service) in ranked {
        let downgrade = service.transport != Transport::Tls && chosen.iter().any(|better| better.transport == Transport::Tls);
        if !downgrade && !chosen.contains(&service) {
            chosen.push(service);
        }
    }
    chosen.truncate(MAX_SERVICES);
    chosen
}

fn service(record: &Naptr) -> Option<Service> {
    let transport = match record.service.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Transport::Udp,
        "SIP+D2T" => Transport::Tcp,
        "SIPS+D2T" => Transport::Tls,
        _ => return None,
    };
    let name = name::canonical(&record.replacement)?;
    let pointer = match record.flags.as_str() {
        "s" | "S" => Pointer::Services(name),
        "a" | "A" => Pointer::Host(name),
        _ => return None,
    };
    Some(Service { transport, pointer })
}

/// How many services are followed; a domain has three, a few more when it is split over several names.
const MAX_SERVICES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(order: u16, preference: u16, flags: &str, service: &str, replacement: &str) -> Naptr {
        Naptr {
            order,
            preference,
            flags: flags.into(),
            service: service.into(),
            replacement: replacement.into(),
        }
    }

    fn services(records: Vec<Naptr>, secure: bool) -> Vec<(Transport, String)> {
        choose(&records, secure)
            .into_iter()
            .map(|service| match service.pointer {
                Pointer::Services(name) => (service.transport, name),
                Pointer::Host(name) => (service.transport, format!("host {name}")),
            })
            .collect()
    }

    #[test]
    fn lower_order_comes_first_then_lower_preference() {
        let records = vec![
            record(20, 1, "s", "SIP+D2U", "_sip._udp.c"),
            record(10, 9, "s", "SIP+D2U", "_sip._udp.b"),
            record(10, 5, "S", "sip+d2t", "_sip._tcp.A."),
        ];
        assert_eq!(
            services(records, false),
            [
                (Transport::Tcp, "_sip._tcp.a".into()),
                (Transport::Udp, "_sip._udp.b".into()),
                (Transport::Udp, "_sip._udp.c".into())
            ]
        );
    }

    #[test]
    fn what_is_ranked_equally_goes_by_udp_tcp_tls() {
        let records = vec![
            record(1, 1, "s", "SIPS+D2T", "_sips._tcp.e"),
            record(1, 1, "s", "SIP+D2T", "_sip._tcp.e"),
            record(1, 1, "s", "SIP+D2U", "_sip._udp.e"),
        ];
        let transports: Vec<_> = services(records, false).into_iter().map(|(transport, _)| transport).collect();
        assert_eq!(transports, [Transport::Udp, Transport::Tcp, Transport::Tls]);
    }

    #[test]
    fn tls_never_falls_back_to_plaintext() {
        let records = vec![
            record(50, 50, "s", "SIPS+D2T", "_sips._tcp.e"),
            record(90, 50, "s", "SIP+D2T", "_sip._tcp.e"),
            record(100, 50, "s", "SIP+D2U", "_sip._udp.e"),
        ];
        assert_eq!(services(records, false), [(Transport::Tls, "_sips._tcp.e".into())]);
    }

    #[test]
    fn tls_may_follow_plaintext() {
        let records = vec![
            record(9, 0, "s", "SIPS+D2T", "_sips._tcp.e"),
            record(1, 0, "s", "SIP+D2U", "_sip._udp.e"),
        ];
        assert_eq!(
            services(records, false),
            [(Transport::Udp, "_sip._udp.e".into()), (Transport::Tls, "_sips._tcp.e".into())]
        );
    }

    #[test]
    fn sips_takes_only_sips() {
        let records = vec![record(1, 0, "s", "SIP+D2T", "_sip._tcp.e"), record(2, 0, "A", "SIPS+D2T", "edge.e")];
        assert_eq!(services(records, true), [(Transport::Tls, "host edge.e".into())]);
    }

    #[test]
    fn what_we_can_not_use_is_skipped() {
        let records = vec![
            record(1, 0, "s", "SIP+D2S", "_sip._sctp.e"),
            record(1, 0, "s", "SIPS+D2U", "_sips._udp.e"),
            record(1, 0, "u", "E2U+sip", ""),
            record(1, 0, "u", "SIP+D2U", "e"),
            record(1, 0, "", "SIP+D2U", "next.e"),
            record(1, 0, "s", "SIP+D2U", "."),
            record(1, 0, "s", "SIP+D2U", ""),
            record(1, 0, "s", "SIP+D2U", "a b.e"),
        ];
        assert_eq!(services(records, false), []);
    }

    #[test]
    fn ten_thousand_records_become_a_few() {
        let records: Vec<Naptr> = (0..10_000_u16)
            .map(|at| record(at, 0, "s", "SIP+D2U", &format!("_sip._udp.e{at}x")))
            .collect();
        assert_eq!(choose(&records, false).len(), MAX_SERVICES);
        assert_eq!(choose(&vec![record(1, 1, "s", "SIP+D2U", "x"); 10_000], false).len(), 1);
    }
}
