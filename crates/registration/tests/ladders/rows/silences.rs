//! The rows in which nobody answers, or nobody can be asked.

use std::time::Duration;

use sip_registration::{Cause, Closed, DnsError, Obstacle, RecordKind, TlsFailure, Transport};

use super::{Row, answered, row};
use crate::peer::BOUND;
use crate::setup::Setup;
use crate::world::{Door, World};

const REGISTRAR: &str = "192.0.2.10:5060";
const TLS_REGISTRAR: &str = "192.0.2.10:5061";
const NAME: &str = "pbx.example.test";

pub(super) fn rows() -> Vec<Row> {
    [silences(), lost_connections(), unknown_names(), shut_doors(), bad_certificates()]
        .into_iter()
        .flatten()
        .collect()
}

fn tcp() -> Setup {
    Setup::probe().transport(Transport::Tcp)
}

fn tls() -> Setup {
    Setup::probe().transport(Transport::Tls)
}

fn named() -> Setup {
    Setup::probe().registrar("sip:pbx.example.test:5060")
}

fn silences() -> Vec<Row> {
    use Cause as C;
    let both = |event, script, expected| row(event, script, expected, expected);
    let malformed = |world: &mut World| {
        let request = world.last_request().clone();
        let text = String::from_utf8_lossy(&request.bytes).into_owned();
        let via = text.lines().nth(1).unwrap();
        world.deliver(request.flow, format!("SIP/2.0 2OO OK\r\n{via}\r\n\r\n").as_bytes());
    };
    let unproved = |world: &mut World| {
        let wrong = format!("Authentication-Info: rspauth=\"{}\"", "0".repeat(64));
        answered(world, "200 OK", &[BOUND, &wrong]);
    };
    vec![
        both("no reply at all", |_| {}, (4, Some(C::NoReply), 4)),
        both(
            "only provisional replies",
            |world| world.reply("100 Trying", &[]),
            (4, Some(C::OnlyProvisional), 4),
        ),
        both(
            "a reply that matches and cannot be read",
            malformed,
            (5, Some(C::MalformedReply), 5),
        ),
        both(
            "Authentication-Info with a wrong rspauth",
            unproved,
            (5, Some(C::ServerNotAuthenticated), 3),
        ),
    ]
}

fn lost_connections() -> Vec<Row> {
    fn close(world: &mut World, closed: Closed) {
        // A stream opens first.
        world.wait(Duration::from_millis(20));
        world.close(world.last_request().flow, closed);
    }
    let both = |event, setup, script, cause| {
        let expected = (5, Some(cause), 4);
        Row {
            setup,
            ..row(event, script, expected, expected)
        }
    };
    vec![
        both(
            "ICMP unreachable",
            Setup::probe,
            |world| close(world, Closed::Unreachable(Obstacle::NobodyListens)),
            Cause::Unreachable,
        ),
        both(
            "closed before the final reply",
            tcp,
            |world| close(world, Closed::Ended),
            Cause::ConnectionLost,
        ),
        both(
            "reset before the final reply",
            tcp,
            |world| close(world, Closed::Reset),
            Cause::ConnectionLost,
        ),
    ]
}

/// A row in which nothing is ever sent.
fn unsent(event: &'static str, setup: fn() -> Setup, prepare: fn(&mut World), cause: Cause, parity: u8) -> Row {
    let expected = (cause.state().code(), Some(cause), parity);
    Row {
        setup,
        prepare,
        ..row(event, |_| {}, expected, expected)
    }
}

fn unknown_names() -> Vec<Row> {
    let server_failure = |world: &mut World| {
        for kind in [RecordKind::A, RecordKind::Aaaa] {
            world.zone.push((NAME, kind, Err(DnsError::ServerFailure)));
        }
    };
    vec![
        unsent("name does not exist", named, |_| {}, Cause::DnsNotFound, 5),
        unsent("DNS answers SERVFAIL", named, server_failure, Cause::DnsFailed, 5),
        unsent(
            "DNS does not answer",
            named,
            |world| world.dns_is_silent = true,
            Cause::DnsFailed,
            5,
        ),
    ]
}

fn shut(world: &mut World, remote: &str, closed: Closed) {
    world.doors.push((remote.parse().unwrap(), Door::Shut(closed)));
}

fn shut_doors() -> Vec<Row> {
    let silent = |world: &mut World| world.doors.push((REGISTRAR.parse().unwrap(), Door::Silent));
    vec![
        unsent(
            "TCP refused",
            tcp,
            |world| shut(world, REGISTRAR, Closed::Refused),
            Cause::ConnectionRefused,
            4,
        ),
        unsent(
            "no route",
            tcp,
            |world| shut(world, REGISTRAR, Closed::Unreachable(Obstacle::NobodyListens)),
            Cause::Unreachable,
            4,
        ),
        unsent("TCP does not open in time", tcp, silent, Cause::ConnectTimeout, 4),
        unsent(
            "TCP does not open, says the system",
            tcp,
            |world| shut(world, REGISTRAR, Closed::TimedOut),
            Cause::ConnectTimeout,
            4,
        ),
    ]
}

fn bad_certificates() -> Vec<Row> {
    fn refuse(world: &mut World, failure: TlsFailure) {
        shut(world, TLS_REGISTRAR, Closed::Tls(failure, None));
    }
    let handshake = |world: &mut World| refuse(world, TlsFailure::Handshake("bad record".into()));
    let other_name = |world: &mut World| refuse(world, TlsFailure::NameMismatch(vec!["other.test".into()]));
    vec![
        unsent("TLS handshake fails", tls, handshake, Cause::TlsHandshake, 4),
        unsent(
            "certificate expired",
            tls,
            |world| refuse(world, TlsFailure::Expired),
            Cause::CertificateExpired,
            4,
        ),
        unsent(
            "certificate untrusted",
            tls,
            |world| refuse(world, TlsFailure::Untrusted),
            Cause::CertificateUntrusted,
            4,
        ),
        unsent("certificate for another name", tls, other_name, Cause::CertificateNameMismatch, 4),
    ]
}
