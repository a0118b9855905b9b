//! Links and routes that go: before an exchange, in the middle of it, and under a watch.

use serde_json::Value;

use crate::support::port;
use crate::support::run::Running;
use crate::support::wait::await_that;
use crate::way::{Fault, Way};

const ALICE: &str = "sip:alice@example.test";

/// What a probe says while the way is broken so: cause, status, and a part of the detail over wires and through the proxy.
const CASES: [(Fault, &str, i32, [&str; 2]); 6] = [
    (Fault::OwnLink, "unreachable", 5, [NO_ROUTE, NOBODY]),
    (Fault::NoRoute, "unreachable", 5, [NO_ROUTE, NOBODY]),
    (
        Fault::Rejected,
        "unreachable",
        5,
        ["192.0.2.1 says that there is no way to it", NOBODY],
    ),
    (
        Fault::RequestsLost,
        "no_reply",
        4,
        ["no reply from udp 198.51.100.10:5060", "no reply from udp 127.0.0.1"],
    ),
    (
        Fault::RepliesLost,
        "no_reply",
        4,
        ["no reply from udp 198.51.100.10:5060", "no reply from udp 127.0.0.1"],
    ),
    (
        Fault::Silence,
        "no_reply",
        4,
        ["no reply from udp 198.51.100.10:5060", "no reply from udp 127.0.0.1"],
    ),
];

const NO_ROUTE: &str = "this machine has no route there, or its link is down";
const NOBODY: &str = "its host says that nobody listens on that port";

#[test]
fn each_fault_on_the_way_is_called_what_it_is_and_over_when_it_is_mended() {
    Way::each("udp", &[], |way| {
        for (fault, cause, status, details) in CASES {
            way.break_by(fault);
            let report = way.probe(&["--timeout", "600ms"]).report().failed(cause, status);
            let detail = details[usize::from(!way.is_wired())];
            assert!(report.text("/detail").contains(detail), "{fault:?}: {report}");
            report.holds(&[("/last_response", Value::Null), ("/network/targets/0/outcome", cause.into())]);
            way.mend(fault);
        }
        let report = way.probe(&["--timeout", "5s"]).report().registered();
        report.holds(&[("/binding/removal", "confirmed".into()), ("/retransmissions", 0.into())]);
    });
}

#[test]
fn a_connection_over_a_broken_way_does_not_open_in_time_or_is_told_at_once_that_there_is_none() {
    Way::each("tcp", &[], |way| {
        if !way.is_wired() {
            // A proxy's kernel takes every connection, or refuses it: nothing nearer can be had without wires.
            let closed = port::closed().to_string();
            let report = way.probe_as(&closed, &[]).report().failed("connection_refused", 5);
            return report.holds(&[("/requests", 0.into())]);
        }
        for (fault, cause, status, detail) in [
            (Fault::OwnLink, "unreachable", 5, NO_ROUTE),
            (Fault::Rejected, "unreachable", 5, "says that there is no way to it"),
            (Fault::Silence, "connect_timeout", 4, "did not open in time"),
        ] {
            way.break_by(fault);
            let report = way.probe(&["--timeout", "600ms"]).report().failed(cause, status);
            assert!(report.text("/detail").contains(detail), "{fault:?}: {report}");
            report.holds(&[("/requests", 0.into())]);
            way.mend(fault);
        }
        way.probe(&["--timeout", "5s"]).report().registered();
    });
}

/// A probe whose requests arrive and whose replies are held back, from this one on, for longer than it waits.
fn held_back(way: &Way, from: usize) -> Running {
    let running = way.probe(&["--timeout", "1500ms"]).start();
    await_that(|| way.registrar.requests("alice") >= from);
    running
}

#[test]
fn a_way_that_breaks_before_the_first_reply_or_after_the_challenge_is_told_by_its_step() {
    for (requests, code) in [(1, Value::Null), (2, 401.into())] {
        // The fault of the registrar only gives the test the time to break the way: what is lost is lost on the way.
        let delay = format!("delay=5s;after={}", requests - 1);
        Way::each("udp", &["--fault", &delay], |way| {
            let running = held_back(way, requests);
            way.break_by(Fault::Silence);
            let report = running.report().failed("no_reply", 4);
            report.holds(&[("/last_response/code", code.clone())]);
            assert_eq!(report.findings().contains(&"silent_after_challenge"), requests == 2, "{report}");
            way.mend(Fault::Silence);
        });
    }
}

#[test]
fn an_own_link_that_goes_down_in_the_middle_is_unreachable_at_the_next_retransmission() {
    for (requests, code) in [(1, Value::Null), (2, 401.into())] {
        let delay = format!("delay=5s;after={}", requests - 1);
        Way::each("udp", &["--fault", &delay], |way| {
            let running = held_back(way, requests);
            way.break_by(Fault::OwnLink);
            let report = running.report().failed("unreachable", 5);
            report.holds(&[("/last_response/code", code.clone())]);
            let detail = if way.is_wired() { NO_ROUTE } else { NOBODY };
            assert!(report.text("/detail").contains(detail), "{report}");
            assert_eq!(
                report.text("/detail").contains("may hold a binding of ours"),
                requests == 2,
                "{report}"
            );
            way.mend(Fault::OwnLink);
        });
    }
}

#[test]
fn a_watch_says_why_it_lost_its_registration_and_comes_back_with_the_link() {
    for (fault, cause) in [
        (Fault::OwnLink, "unreachable"),
        (Fault::NoRoute, "unreachable"),
        (Fault::Silence, "no_reply"),
    ] {
        Way::each("udp", &["--min-expires", "1", "--max-expires", "2"], |way| {
            let mut watch = way.watch(&["--retry", "200ms", "--timeout", "700ms"]);
            watch.registered(ALICE);
            watch.forget();
            way.break_by(fault);
            let failed = watch.failed(ALICE, cause);
            assert!(failed["next_at"].is_string(), "it tries again by itself: {failed}");
            way.mend(fault);
            watch.registered(ALICE);
            let ended = watch.terminate();
            assert_eq!((ended.status, way.registrar.bound("alice")), (0, 0), "{fault:?}: {}", ended.errors);
        });
    }
}
