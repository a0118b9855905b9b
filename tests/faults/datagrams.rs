//! UDP between the program and Kamailio: datagrams that are lost, doubled, late or out of order (RFC 3261 §17.1.2).

use serde_json::Value;

use crate::support::kamailio::{Kamailio, Setup};
use crate::support::proxy::Direction::{Reply, Request};
use crate::support::proxy::Passing;
use crate::support::proxy::datagrams::{Datagrams, Fate};
use crate::support::run::{Reported, Run};

/// A probe of Kamailio through a proxy with this script.
fn probe(kamailio: &Kamailio, script: impl FnMut(&Passing<'_>) -> Fate + Send + 'static) -> Reported {
    let proxy = Datagrams::start(kamailio.udp(), script);
    Run::probe(&format!("alice@{}", proxy.address()))
        .with(&["--registrar", &proxy.address().to_string(), "--timeout", "1500ms", "--trace"])
        .report()
}

/// What is bound at the registrar itself.
fn bound(kamailio: &Kamailio) -> usize {
    kamailio.contacts("alice").len()
}

#[test]
fn one_lost_datagram_of_either_direction_costs_a_retransmission_and_is_told() {
    let kamailio = Kamailio::start(Setup::default());
    for (direction, number) in [(Request, 1), (Request, 2), (Reply, 1), (Reply, 2)] {
        let report = probe(
            &kamailio,
            move |passing| {
                if passing.is(direction, number) { Fate::Lose } else { Fate::Pass }
            },
        );
        let report = report.registered();
        report.holds(&[("/retransmissions", 1.into()), ("/binding/removal", "confirmed".into())]);
        assert_eq!(report.finding("retransmissions_needed"), "1 sent again", "{direction:?} {number}");
        assert_eq!(bound(&kamailio), 0);
    }
}

#[test]
fn doubled_datagrams_of_both_directions_change_nothing() {
    let kamailio = Kamailio::start(Setup::default());
    let report = probe(&kamailio, |_| Fate::Double).registered();
    report.holds(&[
        ("/requests", 3.into()),
        ("/retransmissions", 0.into()),
        ("/auth/stale_retries", 0.into()),
        ("/binding/removal", "confirmed".into()),
    ]);
    assert!(!report.findings().contains(&"late_reply"), "{report}");
    assert_eq!(bound(&kamailio), 0);
}

#[test]
fn requests_that_are_lost_for_good_are_no_reply() {
    let kamailio = Kamailio::start(Setup::default());
    let report = probe(
        &kamailio,
        |passing| if passing.direction == Request { Fate::Lose } else { Fate::Pass },
    );
    let report = report.failed("no_reply", 4);
    report.holds(&[
        ("/state", "REGISTER_TIMEOUT_STATE".into()),
        ("/last_response", Value::Null),
        ("/requests", 1.into()),
    ]);
}
