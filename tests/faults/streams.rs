//! TCP and TLS between the program and Kamailio: resets at every step, connections that are ended early, and other ends that vanish
//! without a word.

use serde_json::Value;

use crate::support::kamailio::{Kamailio, Setup};
use crate::support::port;
use crate::support::proxy::Direction::{Reply, Request};
use crate::support::proxy::Passing;
use crate::support::proxy::streams::{Fate, Streams};
use crate::support::run::{Reported, Run};

/// A probe of Kamailio by TCP through a proxy with this script.
fn by_tcp(kamailio: &Kamailio, script: impl FnMut(&Passing<'_>) -> Fate + Send + 'static) -> Reported {
    let proxy = Streams::start(kamailio.tcp(), script);
    probe(&proxy, "tcp").report()
}

/// The same by TLS.
fn by_tls(kamailio: &Kamailio, script: impl FnMut(&Passing<'_>) -> Fate + Send + 'static) -> Reported {
    let proxy = Streams::start(kamailio.tls(), script);
    probe(&proxy, "tls")
        .with(&["--ca-file", kamailio.ca_file().to_str().unwrap()])
        .report()
}

fn probe(proxy: &Streams, transport: &str) -> Run {
    let address = proxy.address().to_string();
    Run::probe("alice@example.test").with(&["--registrar", &address, "--transport", transport, "--timeout", "1500ms", "--trace"])
}

/// Does this to the message of that number and direction, and lets all others pass.
fn at(direction: crate::support::proxy::Direction, number: usize, fate: Fate) -> impl FnMut(&Passing<'_>) -> Fate + Send + 'static {
    move |passing| if passing.is(direction, number) { fate } else { Fate::Pass }
}

#[test]
fn an_undisturbed_stream_registers_through_the_proxy() {
    let kamailio = Kamailio::start(Setup::default());
    by_tcp(&kamailio, |_| Fate::Pass).registered();
    by_tls(&kamailio, |_| Fate::Pass).registered();
    assert_eq!(kamailio.contacts("alice"), [""; 0]);
}

#[test]
fn a_reset_instead_of_a_connection_is_a_refusal() {
    let closed = port::closed();
    let report = Run::probe(&format!("alice@{closed}")).with(&["--transport", "tcp"]).report();
    report
        .failed("connection_refused", 5)
        .holds(&[("/requests", 0.into()), ("/phases_ms/connect", Value::Null)]);
}

#[test]
fn a_reset_right_after_the_connection_stood_is_a_lost_one() {
    let kamailio = Kamailio::start(Setup::default());
    let report = by_tcp(&kamailio, at(Request, 0, Fate::Reset)).failed("connection_lost", 5);
    report.holds(&[("/last_response", Value::Null)]);
}

#[test]
fn a_reset_after_a_request_is_told_with_the_step_that_it_came_at() {
    let kamailio = Kamailio::start(Setup::default());
    // After the first request, after the answer to the challenge.
    for (number, code) in [(1, Value::Null), (2, 401.into())] {
        let report = by_tcp(&kamailio, at(Request, number, Fate::Reset)).failed("connection_lost", 5);
        report.holds(&[("/last_response/code", code), ("/opensips_state", "REGISTER_TIMEOUT_STATE".into())]);
        let detail = report.text("/detail");
        assert!(detail.contains("before it answered: it was reset"), "{report}");
        // The removal that follows on another connection fares the same.
        assert_eq!(detail.contains("may hold a binding of ours"), number == 2, "{report}");
        assert_eq!(kamailio.contacts("alice"), [""; 0], "the request was lost with its connection");
    }
}

#[test]
fn a_reset_in_place_of_the_confirmation_leaves_a_binding_that_is_removed_over_another_connection() {
    let kamailio = Kamailio::start(Setup::default());
    let script = |passing: &Passing<'_>| {
        let is_confirmation = passing.connection == 1 && passing.is(Reply, 2);
        if is_confirmation { Fate::Reset } else { Fate::Pass }
    };
    let report = by_tcp(&kamailio, script).failed("connection_lost", 5);
    assert!(
        report.text("/detail").contains("it was reset; what was bound by then was removed"),
        "{report}"
    );
    assert_eq!(kamailio.contacts("alice"), [""; 0], "{report}");
}

#[test]
fn an_ended_connection_is_told_from_a_reset_one() {
    let kamailio = Kamailio::start(Setup::default());
    let report = by_tcp(&kamailio, at(Request, 1, Fate::End)).failed("connection_lost", 5);
    assert!(
        report.text("/detail").ends_with("closed the connection before it answered"),
        "{report}"
    );
}

#[test]
fn a_reset_or_an_end_in_the_handshake_is_a_failed_handshake() {
    let kamailio = Kamailio::start(Setup::default());
    for (fate, words) in [
        (Fate::Reset, "reset the connection during the handshake"),
        (Fate::End, "closed the connection during the handshake"),
    ] {
        let report = by_tls(&kamailio, at(Request, 1, fate)).failed("tls_handshake", 5);
        report.holds(&[("/requests", 0.into()), ("/phases_ms/tls", Value::Null)]);
        assert!(report.text("/detail").contains(words), "{report}");
    }
}

#[test]
fn a_reset_on_a_tls_connection_that_stands_is_a_lost_connection() {
    let kamailio = Kamailio::start(Setup::default());
    // Its handshake is over with the first bytes that come after the server's, and the request with them or behind them.
    let mut served = false;
    let script = move |passing: &Passing<'_>| {
        let fate = if served && passing.direction == Request && passing.number > 2 {
            Fate::Reset
        } else {
            Fate::Pass
        };
        served |= passing.direction == Reply;
        fate
    };
    let report = by_tls(&kamailio, script).failed("connection_lost", 5);
    assert!(report["/tls/version"].is_string(), "{report}");
    assert!(report.text("/detail").contains("it was reset"), "{report}");
}

#[test]
fn another_end_that_vanishes_is_a_silence_whose_step_is_told() {
    let kamailio = Kamailio::start(Setup::default());
    // The proxy's host acknowledges everything all the same.
    let report = by_tcp(&kamailio, at(Request, 1, Fate::Vanish)).failed("no_reply", 4);
    report.holds(&[("/retransmissions", 0.into()), ("/last_response", Value::Null)]);
    let report = by_tcp(&kamailio, at(Request, 2, Fate::Vanish)).failed("no_reply", 4);
    assert!(report.findings().contains(&"silent_after_challenge"), "{report}");
    let report = by_tls(&kamailio, at(Request, 1, Fate::Vanish)).failed("connect_timeout", 4);
    report.holds(&[("/phases_ms/tls", Value::Null)]);
}
