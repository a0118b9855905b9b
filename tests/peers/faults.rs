//! `regprobe registrar` with faults on purpose, seen by our own probe: what each of them is called, and what is found besides.

use serde_json::Value;

use crate::lab::Lab;
use crate::support::run::{Reported, Run};

/// A probe over UDP, of a lab with these faults.
fn probe(faults: &[&str]) -> Reported {
    let options: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    let lab = Lab::start("secret", &options);
    Run::probe(&lab.alice("udp")).with(&["--timeout", "1s"]).report()
}

#[test]
fn silence_is_silence() {
    probe(&["silence"])
        .failed("no_reply", 4)
        .holds(&[("/last_response", Value::Null), ("/server_product", Value::Null)]);
}

#[test]
fn an_overloaded_registrar_says_how_long_to_wait() {
    let report = probe(&["status=503;retry-after=30"]).failed("overloaded", 7);
    report.holds(&[("/retry_after_s", 30.into()), ("/last_response/code", 503.into())]);
    assert!(report.finding("retry_after").contains("30 s"), "{report}");
}

#[test]
fn other_refusals_keep_their_code_and_phrase() {
    for (fault, cause, status, code, reason) in [
        ("status=408", "replied_408", 4, 408, "Request Timeout"),
        ("status=480 Gone Fishing", "rejected", 7, 480, "Gone Fishing"),
        ("status=500", "server_error", 7, 500, "Server Internal Error"),
        ("status=603", "global_failure", 7, 603, "Decline"),
        ("status=403", "forbidden", 7, 403, "Forbidden"),
    ] {
        let report = probe(&[fault]).failed(cause, status);
        report.holds(&[("/last_response/code", code.into()), ("/last_response/reason", reason.into())]);
        assert!(!report.findings().contains(&"credentials_suspect"), "none were sent: {report}");
    }
}

#[test]
fn a_redirect_is_followed_on_request_only_and_once() {
    let there = Lab::start("secret", &[]);
    let redirect = format!("redirect={}", there.alice("udp"));
    let here = Lab::start("secret", &["--fault", &redirect]);
    let report = Run::probe(&here.alice("udp")).report().failed("redirected", 7);
    assert!(report.text("/detail").contains(there.address("udp")), "{report}");
    report.holds(&[("/last_response/code", 302.into()), ("/requests", 1.into())]);

    // Another port of the same host is not another host: the password may go there.
    let report = Run::probe(&here.alice("udp")).with(&["--follow-redirects"]).report().registered();
    report.holds(&[
        ("/network/server", there.address("udp").into()),
        ("/binding/removal", "confirmed".into()),
    ]);
    assert!(report.strings("/network/targets", "source").contains(&"redirect"), "{report}");

    let in_a_circle = Lab::start("secret", &["--fault", &format!("redirect={}", here.alice("udp"))]);
    let report = Run::probe(&in_a_circle.alice("udp")).with(&["--follow-redirects"]).report();
    report.failed("redirected", 7);
}

#[test]
fn a_password_never_follows_a_redirect_to_another_host() {
    let mut there = Lab::start("secret", &["--listen", "udp:127.0.0.2:0"]);
    let line = there.line_with("listening on udp:127.0.0.2:");
    let other_host = line.trim().rsplit_once("udp:").unwrap().1;
    let redirect = format!("redirect=sip:alice@{other_host}");
    let here = Lab::start("secret", &["--fault", &redirect]);
    let report = Run::probe(&here.alice("udp")).with(&["--follow-redirects", "--trace"]).report();
    let report = report.failed("redirected", 7);
    assert!(
        report.messages("sent").iter().all(|message| !message.contains("Authorization:")),
        "{report}"
    );
    assert!(
        report.messages("received").iter().any(|message| message.starts_with("SIP/2.0 401")),
        "{report}"
    );
    assert!(report.text("/detail").contains("127.0.0.2"), "{report}");
}

#[test]
fn a_minimum_is_obeyed_and_one_that_never_suffices_is_given_up() {
    let report = probe(&["too-brief=600"]).registered();
    report.holds(&[("/binding/expires_s", 600.into())]);
    assert!(report.findings().contains(&"interval_raised"), "{report}");
    let report = probe(&["too-brief=600,always"]).failed("interval_too_brief", 7);
    report.holds(&[("/last_response/code", 423.into())]);
    assert!(report["/requests"].as_u64().unwrap() <= 4, "{report}");
}

#[test]
fn a_success_that_binds_nothing_is_a_failure() {
    let report = probe(&["grant=0"]).failed("granted_zero", 7);
    report.holds(&[
        ("/state", "REGISTRAR_ERROR_STATE".into()),
        ("/opensips_state", "REGISTERED_STATE".into()),
        ("/binding", Value::Null),
    ]);
    let report = probe(&["only-other=sip:bob@198.51.100.7"]).failed("binding_not_confirmed", 7);
    report.holds(&[("/last_response/code", 200.into()), ("/opensips_state", "REGISTERED_STATE".into())]);
    assert_eq!(report.contacts(), ["sip:bob@198.51.100.7"]);
    let report = probe(&["no-contact"]).failed("binding_not_confirmed", 7);
    report.holds(&[("/opensips_state", "INTERNAL_ERROR_STATE".into())]);
}

#[test]
fn a_short_grant_is_a_warning() {
    let report = probe(&["grant=30"]).registered();
    report.holds(&[("/binding/expires_s", 30.into())]);
    assert_eq!(report.finding("expires_shortened"), "asked for 300 s, granted 30 s");
    assert_eq!(report["/findings/0/severity"], "warning", "{report}");
}

#[test]
fn a_reply_that_cannot_be_read_is_told_from_silence() {
    let report = probe(&["malformed=start-line"]).failed("malformed_reply", 5);
    assert!(report.text("/detail").contains("first line"), "{report}");
    // What shows no transaction of ours is nobody's reply.
    for kind in ["binary", "html", "no-via"] {
        let report = probe(&[&format!("malformed={kind}")]).failed("no_reply", 4);
        assert_eq!(
            report.text("/detail").contains("what came is not SIP: "),
            kind != "no-via",
            "{report}"
        );
    }
}

#[test]
fn one_bad_header_hides_no_success_but_a_bad_contact_binds_nobody() {
    for kind in ["contact", "no-cseq", "no-call-id", "length"] {
        let report = probe(&[&format!("malformed={kind}")]).failed("binding_not_confirmed", 7);
        report.holds(&[("/last_response/code", 200.into())]);
    }
    // On a stream the length says where a message ends, so nothing can be read after a wrong one.
    let lab = Lab::start("secret", &["--fault", "malformed=length"]);
    let report = Run::probe(&lab.alice("tcp"))
        .with(&["--transport", "tcp", "--timeout", "1s"])
        .report();
    report.failed("malformed_reply", 5);
}

#[test]
fn challenges_that_cannot_be_answered_are_told_apart() {
    let report = probe(&["unsupported-algorithm"]).failed("unsupported_algorithm", 5);
    report.holds(&[("/auth/offered", vec!["AKAv1-MD5"].into())]);
    assert!(report.finding("unknown_algorithm_offered").contains("AKAv1-MD5"), "{report}");
    let report = probe(&["basic-only"]).failed("unsupported_algorithm", 5);
    report.holds(&[("/auth/offered", vec!["Basic"].into()), ("/requests", 1.into())]);
    probe(&["malformed-challenge"]).failed("malformed_challenge", 5);
    probe(&["reject-without-challenge"]).failed("rejected_without_challenge", 6);
    probe(&[r#"extra-challenge=Basic realm="{realm}""#]).registered();
    let report = probe(&["wrong-credentials"]).failed("wrong_credentials", 6);
    assert!(report.findings().contains(&"nonce_rotated"), "{report}");
    let report = probe(&["wrong-credentials=same-nonce"]).failed("wrong_credentials", 6);
    assert!(!report.findings().contains(&"nonce_rotated"), "{report}");
}

#[test]
fn a_server_that_does_not_know_the_password_is_not_believed() {
    let report = probe(&["wrong-rspauth"]).failed("server_not_authenticated", 5);
    report.holds(&[("/auth/server_authenticated", false.into()), ("/last_response/code", 200.into())]);
}

#[test]
fn a_success_with_the_phrase_of_a_failure_is_noticed() {
    let report = probe(&["failure-phrase"]).registered();
    assert!(report.finding("failure_phrase_in_200").contains("Forbidden"), "{report}");
}

#[test]
fn gateways_and_nat_on_the_way_are_seen() {
    let report = probe(&["nat=203.0.113.5:40000"]).registered();
    report.holds(&[("/network/seen_as", "203.0.113.5:40000".into())]);
    assert!(report.finding("nat_detected").contains("203.0.113.5:40000"), "{report}");
    let report = probe(&["rewrite-via=203.0.113.5:40000"]);
    assert!(report.finding("sip_alg_suspected").contains("203.0.113.5:40000"), "{report}");
    let report = probe(&["duplicate"]).registered();
    report.holds(&[("/requests", 3.into()), ("/retransmissions", 0.into())]);
}

#[test]
fn a_rewritten_contact_is_ours_by_its_instance_only() {
    let lab = Lab::start("secret", &["--fault", "rewrite-contact=203.0.113.5:40000"]);
    let probe = Run::probe(&lab.alice("udp"));
    let report = probe.clone().report().failed("binding_not_confirmed", 7);
    assert_eq!(report.contacts(), ["sip:alice@203.0.113.5:40000"]);
    let report = probe.with(&["--instance"]).report().registered();
    report.holds(&[("/binding/contact", "sip:alice@203.0.113.5:40000".into())]);
    assert!(report.finding("contact_rewritten").contains("203.0.113.5:40000"), "{report}");
}

#[test]
fn a_connection_that_is_closed_too_early_is_lost() {
    let lab = Lab::start("secret", &["--fault", "close"]);
    let report = Run::probe(&lab.alice("tcp")).with(&["--transport", "tcp"]).report();
    report
        .failed("connection_lost", 5)
        .holds(&[("/opensips_state", "REGISTER_TIMEOUT_STATE".into())]);
    let lab = Lab::start("secret", &["--fault", "close-after"]);
    let report = Run::probe(&lab.alice("tcp")).with(&["--transport", "tcp"]).report();
    assert!(report.status == 0 || report["/cause"] == "connection_lost", "{report}");
}

#[test]
fn terminal_escapes_stay_harmless() {
    let report = probe(&["injected-reason"]);
    assert!(
        !report.output.trim_end().contains(|character: char| character.is_control()),
        "{report}"
    );
}
