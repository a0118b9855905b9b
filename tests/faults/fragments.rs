//! Datagrams that are larger than a packet (RFC 3261 §18.1.1): whole ones arrive, and those whose fragments are lost are called what they
//! are.

use serde_json::Value;

use crate::support::proxy::datagrams::{Datagrams, Fate};
use crate::support::proxy::{Direction, Passing};
use crate::support::run::Run;
use crate::way::{Fault, Means, Way};

/// A probe whose requests are larger than a packet of 1500 bytes, by UDP all the same.
fn large(way: &Way) -> Run {
    let registrar = format!("sip:{};filler={}", way.address(), "x".repeat(1500));
    way.probe_as(&registrar, &["--timeout", "1s"])
}

/// How many datagrams were put together at the program's and at the registrar's end, and how many were not; nothing without wires.
fn reassembled(way: &Way) -> Option<[u64; 4]> {
    let Means::Wires(wires) = &way.means else { return None };
    let count = |counter| [wires.client.ip_counter(counter), wires.server.ip_counter(counter)];
    let ([client, server], [client_failed, server_failed]) = (count("ReasmOKs"), count("ReasmFails"));
    Some([client, server, client_failed, server_failed])
}

#[test]
fn a_large_request_arrives_in_fragments_and_is_told_and_without_them_it_is_a_silence_with_that_reason() {
    Way::each("udp", &[], |way| {
        let report = large(way).report().registered();
        assert!(report.finding("large_request").contains("bytes went by UDP"), "{report}");
        report.holds(&[("/retransmissions", 0.into())]);
        assert!(
            reassembled(way).is_none_or(|[_, server, ..]| server >= 3),
            "three requests: {:?}",
            reassembled(way)
        );

        way.break_by(Fault::RequestFragmentsLost);
        let report = large(way).report().failed("no_reply", 4);
        report.holds(&[("/last_response", Value::Null)]);
        assert!(report.findings().contains(&"large_request"), "{report}");
        assert!(reassembled(way).is_none_or(|[.., failed]| failed > 0), "{:?}", reassembled(way));
        let report = way.probe(&["--timeout", "5s"]).report().registered();
        assert!(
            !report.findings().contains(&"large_request"),
            "what fits into a packet arrives: {report}"
        );

        way.mend(Fault::RequestFragmentsLost);
        large(way).report().registered();
    });
}

#[test]
fn a_large_reply_to_the_credentials_arrives_in_fragments_and_without_them_the_silence_is_told_by_its_step() {
    Way::each("udp", &["--fault", "huge-header=4000;after=1"], |way| {
        way.probe(&["--timeout", "5s"]).report().registered();
        assert!(reassembled(way).is_none_or(|[client, ..]| client > 0), "{:?}", reassembled(way));
    });
    Way::each("udp", &["--fault", "huge-header=4000;after=1"], |way| {
        way.break_by(Fault::ReplyFragmentsLost);
        let report = way.probe(&["--timeout", "1s"]).report().failed("no_reply", 4);
        report.holds(&[("/last_response/code", 401.into())]);
        assert!(report.findings().contains(&"silent_after_challenge"), "{report}");
        assert!(report.text("/detail").contains("may hold a binding of ours"), "{report}");
        assert_eq!(way.registrar.bound("alice"), 1, "it has bound us, and its word of it is lost");
        assert!(
            reassembled(way).is_none_or(|[_, _, failed, _]| failed > 0),
            "{:?}",
            reassembled(way)
        );
    });
}

#[test]
fn a_path_that_takes_less_than_the_own_link_costs_a_retransmission_and_no_more() {
    Way::each("udp", &[], |way| {
        let lost = |passing: &Passing<'_>| {
            if passing.is(Direction::Request, 1) {
                Fate::Lose
            } else {
                Fate::Pass
            }
        };
        let losing_the_first = Datagrams::start(way.registrar.address(), lost);
        // Without wires the first request is lost all the same; what says so is not the router.
        let address = match &way.means {
            Means::Wires(wires) => {
                wires.narrow(700);
                way.address()
            }
            Means::Datagrams(_) | Means::Streams(_) => losing_the_first.address(),
        };
        let registrar = format!("sip:{address};filler={}", "x".repeat(500));
        let report = way.probe_as(&registrar, &["--timeout", "8s"]).report().registered();
        assert!(
            report["/retransmissions"].as_u64() >= Some(1),
            "the router has said how little it takes: {report}"
        );
    });
}
