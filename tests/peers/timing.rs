//! SIPp as a registrar whose replies are lost, doubled, late or in the wrong order, by UDP (RFC 3261 §17.1.2).

use std::time::Duration;

use crate::alice;
use crate::support::run::{Reported, Run};
use crate::support::scenario::Scenario;
use crate::support::sipp::Sipp;

fn probe(scenario: &Scenario, timeout: &str) -> Reported {
    let sipp = Sipp::start(scenario);
    Run::probe(&alice(sipp.udp())).with(&["--timeout", timeout, "--trace"]).report()
}

#[test]
fn a_lost_request_is_sent_again_and_told() {
    let report = probe(&Scenario::first_request_lost(), "5s").registered();
    assert!(report["/retransmissions"].as_u64().unwrap() >= 1, "{report}");
    assert_eq!(
        report.finding("retransmissions_needed"),
        format!("{} sent again", report["/retransmissions"])
    );
    let sent = report.messages("sent");
    assert_eq!(sent[0], sent[1], "RFC 3261 §17.1.2: the same bytes again");
    report.holds(&[("/binding/removal", "confirmed".into())]);
}

#[test]
fn doubled_replies_do_no_harm() {
    let report = probe(&Scenario::replies_duplicated(), "5s").registered();
    // SIPp may miss a request that comes while it still repeats itself, so how often it was sent says nothing.
    report.holds(&[
        ("/requests", 3.into()),
        ("/auth/stale_retries", 0.into()),
        ("/binding/removal", "confirmed".into()),
    ]);
    assert!(
        !report.findings().contains(&"late_reply"),
        "RFC 3261 §17.1.2.2: Timer K absorbs them: {report}"
    );
}

#[test]
fn a_delayed_reply_is_waited_for() {
    let report = probe(&Scenario::reply_delayed(), "5s").registered();
    report.holds(&[("/retransmissions", 1.into()), ("/last_response/code", 200.into())]);
    assert!(report.total() >= Duration::from_millis(700), "{report}");
}

#[test]
fn a_provisional_reply_after_the_final_one_is_ignored() {
    let report = probe(&Scenario::trying_after_final(), "5s").registered();
    report.holds(&[
        ("/last_response/code", 200.into()),
        ("/requests", 2.into()),
        ("/binding/removal", "confirmed".into()),
    ]);
}

#[test]
fn a_late_challenge_to_the_first_request_does_not_refuse_the_second() {
    let report = probe(&Scenario::replies_crossed(), "5s").registered();
    report.holds(&[("/last_response/code", 200.into()), ("/auth/challenged", true.into())]);
}

#[test]
fn a_provisional_reply_stops_the_quick_retransmissions() {
    let report = probe(&Scenario::trying_then_late_final(), "5s").registered();
    // RFC 3261 §17.1.2.2: after a 1xx Timer E still fires once, at half a second, and is four seconds from then on. Without the
    // 1xx there would be one more, at one and a half.
    report.holds(&[("/retransmissions", 1.into())]);
    assert!(report.total() >= Duration::from_millis(1500), "{report}");
}

#[test]
fn silence_is_told_from_work_that_never_ends() {
    let report = probe(&Scenario::only_trying(), "1s").failed("only_provisional", 4);
    report.holds(&[
        ("/state", "REGISTER_TIMEOUT_STATE".into()),
        ("/network/targets/0/outcome", "only_provisional".into()),
    ]);
    assert!(report.total() < Duration::from_millis(4500), "{report}");

    let report = probe(&Scenario::silence(), "1s").failed("no_reply", 4);
    report.holds(&[("/state", "REGISTER_TIMEOUT_STATE".into()), ("/retransmissions", 1.into())]);
    assert!(
        (1000..3500).contains(&report.total().as_millis()),
        "the time is used, not much more: {report}"
    );
}
