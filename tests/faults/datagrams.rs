//! UDP between the program and Kamailio: datagrams that are lost, doubled, late or out of order (RFC 3261 §17.1.2), and a NAT in between
//! that changes its mapping (RFC 3581).

use serde_json::Value;

use crate::support::kamailio::{Kamailio, Setup};
use crate::support::proxy::Direction::{Reply, Request};
use crate::support::proxy::Passing;
use crate::support::proxy::datagrams::{Datagrams, Fate};
use crate::support::run::{Reported, Run};

/// A probe of Kamailio through this proxy.
fn probe(proxy: &Datagrams, timeout: &str) -> Reported {
    Run::probe("alice@example.test")
        .with(&["--registrar", &proxy.address().to_string(), "--timeout", timeout, "--trace"])
        .report()
}

/// The same with the time for two retransmissions, and a script for what is lost, doubled or held back.
fn scripted(kamailio: &Kamailio, script: impl FnMut(&Passing<'_>) -> Fate + Send + 'static) -> Reported {
    let proxy = Datagrams::start(kamailio.udp(), script);
    probe(&proxy, "1800ms")
}

/// Loses what this is true of.
fn losing(lost: impl Fn(&Passing<'_>) -> bool + Send + 'static) -> impl FnMut(&Passing<'_>) -> Fate + Send + 'static {
    move |passing| if lost(passing) { Fate::Lose } else { Fate::Pass }
}

#[test]
fn one_lost_datagram_of_either_direction_costs_a_retransmission_and_is_told() {
    let kamailio = Kamailio::start(Setup::default());
    for (direction, number) in [(Request, 1), (Request, 2), (Reply, 1), (Reply, 2)] {
        let report = scripted(&kamailio, losing(move |passing| passing.is(direction, number))).registered();
        report.holds(&[("/retransmissions", 1.into()), ("/binding/removal", "confirmed".into())]);
        assert_eq!(report.finding("retransmissions_needed"), "1 sent again", "{direction:?} {number}");
        assert_eq!(kamailio.contacts("alice"), [""; 0]);
    }
}

#[test]
fn every_second_datagram_lost_in_both_directions_still_registers() {
    let kamailio = Kamailio::start(Setup::default());
    let proxy = Datagrams::start(kamailio.udp(), losing(|passing| passing.number % 2 == 1));
    let report = probe(&proxy, "20s").registered();
    assert!(report["/retransmissions"].as_u64() >= Some(3), "{report}");
    assert!(report.findings().contains(&"retransmissions_needed"), "{report}");
    assert_eq!(kamailio.contacts("alice"), [""; 0]);
}

#[test]
fn total_loss_of_either_direction_before_the_first_reply_is_no_reply() {
    let kamailio = Kamailio::start(Setup::default());
    for direction in [Request, Reply] {
        let report = scripted(&kamailio, losing(move |passing| passing.direction == direction)).failed("no_reply", 4);
        report.holds(&[
            ("/state", "REGISTER_TIMEOUT_STATE".into()),
            ("/last_response", Value::Null),
            ("/phases_ms/challenge", Value::Null),
            ("/requests", 1.into()),
            ("/retransmissions", 2.into()),
        ]);
        assert!(!report.findings().contains(&"silent_after_challenge"), "{report}");
        assert!(!report.text("/detail").contains("credentials"), "{report}");
    }
}

#[test]
fn total_loss_from_the_credentials_on_is_told_from_a_silent_address() {
    let kamailio = Kamailio::start(Setup::default());
    // Their REGISTER is lost; or it arrives, binds, and its reply is lost.
    for direction in [Request, Reply] {
        let with_credentials = |passing: &Passing<'_>| passing.has("Authorization:");
        let confirming = |passing: &Passing<'_>| passing.opens_with("SIP/2.0 200");
        let lost = move |passing: &Passing<'_>| passing.direction == direction && (with_credentials(passing) || confirming(passing));
        let report = scripted(&kamailio, losing(lost)).failed("no_reply", 4);
        report.holds(&[("/last_response/code", 401.into()), ("/auth/challenged", true.into())]);
        assert!(report["/phases_ms/challenge"].is_number(), "{report}");
        let found = report.finding("silent_after_challenge");
        assert!(
            found.contains("asked for credentials and said nothing after it got them"),
            "{report}"
        );
        let detail = report.text("/detail");
        assert!(detail.contains("to the request with credentials"), "{report}");
        assert!(detail.contains("may hold a binding of ours"), "{report}");
        // Of the removal that follows as much is lost: it may have arrived, and nobody can know.
        assert_eq!(kamailio.contacts("alice"), [""; 0], "{report}");
    }
}

#[test]
fn a_reply_that_is_late_by_a_retransmission_counts_and_its_double_is_absorbed() {
    let kamailio = Kamailio::start(Setup::default());
    for number in [1, 2] {
        // The reply arrives only when the request has come a second time; the reply to that one follows it.
        let script = move |passing: &Passing<'_>| {
            if passing.is(Reply, number) {
                Fate::Behind(Request, number + 1)
            } else {
                Fate::Pass
            }
        };
        let report = scripted(&kamailio, script).registered();
        report.holds(&[
            ("/retransmissions", 1.into()),
            ("/requests", 3.into()),
            ("/auth/stale_retries", 0.into()),
        ]);
        assert!(!report.findings().contains(&"late_reply"), "{number}: {report}");
        assert_eq!(kamailio.contacts("alice"), [""; 0]);
    }
}

#[test]
fn a_challenge_that_comes_after_the_confirmation_confuses_nobody() {
    let kamailio = Kamailio::start(Setup::default());
    // The request is doubled, so that two challenges come: the second one is overtaken by the 200.
    let script = |passing: &Passing<'_>| {
        if passing.is(Request, 1) {
            Fate::Double
        } else if passing.is(Reply, 2) {
            Fate::Behind(Reply, 3)
        } else {
            Fate::Pass
        }
    };
    let report = scripted(&kamailio, script).registered();
    report.holds(&[
        ("/requests", 3.into()),
        ("/auth/stale_retries", 0.into()),
        ("/binding/removal", "confirmed".into()),
    ]);
    assert_eq!(kamailio.contacts("alice"), [""; 0]);
}

#[test]
fn doubled_datagrams_of_both_directions_change_nothing() {
    let kamailio = Kamailio::start(Setup::default());
    let report = scripted(&kamailio, |_| Fate::Double).registered();
    report.holds(&[
        ("/requests", 3.into()),
        ("/retransmissions", 0.into()),
        ("/auth/stale_retries", 0.into()),
        ("/binding/removal", "confirmed".into()),
    ]);
    assert!(!report.findings().contains(&"late_reply"), "{report}");
    assert_eq!(kamailio.contacts("alice"), [""; 0]);
}

#[test]
fn a_nat_is_seen_and_one_that_keeps_its_mapping_has_not_rebound() {
    let kamailio = Kamailio::start(Setup::default());
    let proxy = Datagrams::start(kamailio.udp(), |_| Fate::Pass);
    let report = probe(&proxy, "1800ms").registered();
    report.holds(&[("/network/seen_as", proxy.seen_as().to_string().into())]);
    assert!(report.finding("nat_detected").contains(&proxy.seen_as().to_string()), "{report}");
    assert!(!report.findings().contains(&"nat_rebound"), "{report}");
}

#[test]
fn a_nat_that_gives_another_mapping_between_two_requests_is_named() {
    let kamailio = Kamailio::start(Setup::default());
    // Before the request with credentials, and before the removal, which is another exchange.
    for number in [2, 3] {
        let script = move |passing: &Passing<'_>| if passing.is(Request, number) { Fate::Rebind } else { Fate::Pass };
        let proxy = Datagrams::start(kamailio.udp(), script);
        let before = proxy.seen_as();
        let report = probe(&proxy, "1800ms").registered();
        let now = proxy.seen_as();
        assert_ne!(before, now);
        assert_eq!(
            report.finding("nat_rebound"),
            format!("the registrar saw us as {before} and then as {now}")
        );
        report.holds(&[("/retransmissions", 0.into()), ("/binding/removal", "confirmed".into())]);
        assert_eq!(kamailio.contacts("alice"), [""; 0], "{number}");
    }
}

#[test]
fn a_reply_to_a_mapping_that_is_gone_is_lost_and_the_retransmission_shows_the_new_one() {
    let kamailio = Kamailio::start(Setup::default());
    // The answer to the credentials goes to the old mapping; by then they have come again from the new one.
    let script = |passing: &Passing<'_>| match (passing.direction, passing.number) {
        (Reply, 2) => Fate::Lose,
        (Request, 3) => Fate::Rebind,
        (Reply | Request, _) => Fate::Pass,
    };
    let report = scripted(&kamailio, script).registered();
    report.holds(&[("/retransmissions", 1.into())]);
    assert!(report.findings().contains(&"nat_rebound"), "{report}");
    assert_eq!(kamailio.contacts("alice"), [""; 0]);
}
