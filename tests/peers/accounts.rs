//! Accounts and passwords at Kamailio: every way to ask for credentials, and every way to be refused (RFC 3261 §22, RFC 7616).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::alice;
use crate::support::kamailio::{Algorithm, Challenge, Kamailio, Nonce, Qop, REALM, Setup};
use crate::support::run::{Reported, Run};
use crate::support::scratch::Scratch;

/// MD5 and SHA-256 of `alice:example.test:secret`, from an independent program (Python's hashlib).
const HA1_MD5: &str = "4842575394a190ef4c973253ba19099c";
const HA1_SHA_256: &str = "cc0140d97f2b011fee9f86aa26b63fc472268267b652dcea0675e15d9da92468";

/// Probes over each transport; the removal of the binding is confirmed as well.
fn over_every_transport(kamailio: &Kamailio) -> [Reported; 3] {
    let ca_file = kamailio.ca_file().to_str().unwrap();
    let ways = [("udp", kamailio.udp()), ("tcp", kamailio.tcp()), ("tls", kamailio.tls())];
    ways.map(|(transport, address)| {
        let probe = Run::probe(&alice(address)).with(&["--transport", transport, "--ca-file", ca_file]);
        let report = probe.report().registered();
        report.holds(&[
            ("/transport", transport.into()),
            ("/network/server", address.to_string().into()),
            ("/network/targets/0/outcome", "registered".into()),
            ("/binding/removal", "confirmed".into()),
            ("/binding/expires_s", 300.into()),
            ("/other_bindings", Value::Array(Vec::new())),
        ]);
        assert!(report.text("/server_product").starts_with("kamailio ("), "{report}");
        assert_eq!(report["/tls"].is_object(), transport == "tls", "{report}");
        assert_eq!(report["/phases_ms/connect"].is_number(), transport != "udp", "{report}");
        assert_eq!(report.findings().contains(&"plaintext_transport"), transport != "tls", "{report}");
        report
    })
}

#[test]
fn md5_registers_over_every_transport_and_is_called_weak() {
    let kamailio = Kamailio::start(Setup::default());
    for report in over_every_transport(&kamailio) {
        report.holds(&[
            ("/auth/challenged", true.into()),
            ("/auth/scheme", "Digest".into()),
            ("/auth/algorithm", "MD5".into()),
            ("/auth/offered", vec!["MD5"].into()),
            ("/auth/realm", REALM.into()),
            ("/auth/qop", "auth".into()),
            ("/auth/stale_retries", 0.into()),
            ("/auth/server_authenticated", Value::Null),
            ("/opensips_state", "REGISTERED_STATE".into()),
            ("/last_response/code", 200.into()),
        ]);
        assert_eq!(report.finding("weak_digest"), "only MD5 was offered");
    }
}

#[test]
fn sha_256_registers_over_every_transport() {
    let kamailio = Kamailio::start(Setup {
        algorithm: Algorithm::Sha256,
        ..Setup::default()
    });
    for report in over_every_transport(&kamailio) {
        report.holds(&[("/auth/algorithm", "SHA-256".into()), ("/auth/offered", vec!["SHA-256"].into())]);
        assert!(!report.findings().contains(&"weak_digest"), "{report}");
    }
}

#[test]
fn a_challenge_without_qop_and_a_407_are_answered() {
    let kamailio = Kamailio::start(Setup {
        qop: Qop::None,
        challenge: Challenge::Proxy,
        ..Setup::default()
    });
    let report = Run::probe(&alice(kamailio.udp())).with(&["--trace"]).report().registered();
    report.holds(&[("/auth/qop", Value::Null), ("/auth/algorithm", "MD5".into())]);
    let answered = report.messages("sent")[1];
    assert!(
        answered.contains("Proxy-Authorization: Digest") && !answered.contains("qop="),
        "{answered}"
    );
}

/// `auth-int` is left out: see `Qop` of the support. Its auth module has MD5 and SHA-256 only, and no session variants.
#[test]
fn every_algorithm_of_kamailio_takes_a_right_answer_and_refuses_a_wrong_one_with_and_without_qop() {
    for (algorithm, name) in [(Algorithm::Md5, "MD5"), (Algorithm::Sha256, "SHA-256")] {
        for (qop, shown) in [(Qop::Auth, Value::from("auth")), (Qop::None, Value::Null)] {
            let kamailio = Kamailio::start(Setup {
                algorithm,
                qop,
                ..Setup::default()
            });
            let probe = Run::probe(&alice(kamailio.udp()));
            let report = probe.clone().report().registered();
            report.holds(&[
                ("/auth/algorithm", name.into()),
                ("/auth/qop", shown.clone()),
                ("/binding/removal", "confirmed".into()),
            ]);
            for wrong in ["Secret", "secret ", "s\u{e9}cret"] {
                let report = probe.clone().password(wrong).report().failed("wrong_credentials", 6);
                report.holds(&[
                    ("/auth/algorithm", name.into()),
                    ("/auth/qop", shown.clone()),
                    ("/binding", Value::Null),
                ]);
            }
        }
    }
}

#[test]
fn the_server_proves_that_it_knows_the_password() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let kamailio = Kamailio::start(Setup {
            algorithm,
            authentication_info: true,
            ..Setup::default()
        });
        let report = Run::probe(&alice(kamailio.udp())).report().registered();
        report.holds(&[("/auth/server_authenticated", true.into())]);
    }
}

#[test]
fn a_refusal_says_which_of_the_three_names_is_wrong() {
    let kamailio = Kamailio::start(Setup::default());
    let address = kamailio.udp();
    let report = Run::probe(&alice(address)).password("wrong").report();
    let report = report.failed("wrong_credentials", 6);
    report.holds(&[
        ("/state", "WRONG_CREDENTIALS_STATE".into()),
        ("/opensips_state", "WRONG_CREDENTIALS_STATE".into()),
        ("/last_response/code", 401.into()),
        ("/requests", 2.into()),
        ("/binding", Value::Null),
    ]);

    let report = Run::probe(&format!("sip:nobody@{address}")).report().failed("unknown_user", 7);
    report.holds(&[
        ("/state", "REGISTRAR_ERROR_STATE".into()),
        ("/last_response/code", 404.into()),
        ("/last_response/reason", "Not Found".into()),
        ("/auth/challenged", false.into()),
    ]);

    let report = Run::probe(&alice(address)).with(&["--auth-user", "u2"]).report();
    let report = report.failed("forbidden", 7);
    report.holds(&[("/last_response/code", 403.into()), ("/last_response/reason", "Forbidden".into())]);
    assert_eq!(report.finding("credentials_suspect"), "403 came after our credentials");
}

#[test]
fn without_a_password_nothing_is_answered() {
    let kamailio = Kamailio::start(Setup::default());
    let report = Run::probe(&alice(kamailio.udp())).without_password().report();
    let report = report.failed("credentials_missing", 6);
    report.holds(&[("/auth/challenged", true.into()), ("/requests", 1.into())]);
}

#[test]
fn only_the_pinned_realm_and_a_digest_that_is_strong_enough_are_answered() {
    let kamailio = Kamailio::start(Setup::default());
    let probe = |options: &[&str]| Run::probe(&alice(kamailio.udp())).with(options).report();
    let right = probe(&["--realm", REALM, "--min-digest", "md5"]).registered();
    right.holds(&[("/auth/realm", REALM.into()), ("/auth/realm_pinned", true.into())]);
    let wrong = probe(&["--realm", "Example.test"]);
    wrong.holds(&[
        ("/cause", "realm_mismatch".into()),
        ("/state_code", 5.into()),
        ("/requests", 1.into()),
    ]);
    assert!(wrong.finding("foreign_realm").contains("\"example.test\""), "{wrong}");
    let weak = probe(&["--min-digest", "sha-256"]);
    weak.holds(&[("/cause", "digest_too_weak".into()), ("/requests", 1.into())]);
    let kamailio = Kamailio::start(Setup {
        algorithm: Algorithm::Sha256,
        ..Setup::default()
    });
    let strong = Run::probe(&alice(kamailio.udp()))
        .with(&["--min-digest", "sha-256"])
        .report()
        .registered();
    strong.holds(&[("/auth/algorithm", "SHA-256".into()), ("/auth/min_digest", "SHA-256".into())]);
}

#[test]
fn a_stale_nonce_is_replaced_once() {
    let kamailio = Kamailio::start(Setup {
        nonce: Nonce::StaleAnswers(1),
        ..Setup::default()
    });
    let report = Run::probe(&alice(kamailio.udp())).report().registered();
    // OpenSIPS takes the second challenge for a refusal.
    report.holds(&[
        ("/auth/stale_retries", 1.into()),
        ("/opensips_state", "WRONG_CREDENTIALS_STATE".into()),
    ]);
}

#[test]
fn a_registrar_that_calls_every_nonce_stale_is_not_asked_for_ever() {
    let kamailio = Kamailio::start(Setup {
        nonce: Nonce::StaleAnswers(1000),
        ..Setup::default()
    });
    let report = Run::probe(&alice(kamailio.udp())).report().failed("stale_loop", 6);
    assert!(report["/requests"].as_u64().unwrap() <= 4, "{report}");
}

#[test]
fn the_removal_reuses_a_nonce_that_may_be_reused_and_replaces_one_that_may_not() {
    for (nonce, requests) in [(Nonce::Reusable, 3), (Nonce::OneTime, 4)] {
        let kamailio = Kamailio::start(Setup { nonce, ..Setup::default() });
        let report = Run::probe(&alice(kamailio.udp())).report().registered();
        report.holds(&[("/requests", requests.into()), ("/binding/removal", "confirmed".into())]);
        Run::new(&["bindings", &alice(kamailio.udp())])
            .report()
            .done()
            .holds(&[("/other_bindings", Value::Array(Vec::new()))]);
    }
}

#[test]
fn a_precomputed_hash_stands_in_for_the_password_and_answers_only_its_own_algorithm() {
    let scratch = Scratch::new("ha1");
    let file = |name: &str, content: &str| {
        let path = scratch.write(name, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (md5, sha_256) = (file("md5", HA1_MD5), file("sha-256", &format!("SHA-256:{HA1_SHA_256}")));
    for (algorithm, right, wrong) in [(Algorithm::Md5, &md5, &sha_256), (Algorithm::Sha256, &sha_256, &md5)] {
        let kamailio = Kamailio::start(Setup {
            algorithm,
            ..Setup::default()
        });
        let probe = Run::probe(&alice(kamailio.udp())).without_password();
        probe.clone().with(&["--ha1-file", right]).report().registered();
        probe.with(&["--ha1-file", wrong]).report().failed("unsupported_algorithm", 5);
    }
}

#[test]
fn a_trace_shows_whole_messages_and_no_secret() {
    let kamailio = Kamailio::start(Setup::default());
    let report = Run::probe(&alice(kamailio.udp())).with(&["--trace"]).report().registered();
    let (sent, received) = (report.messages("sent"), report.messages("received"));
    assert_eq!((sent.len(), received.len()), (3, 3), "{report}");
    assert!(
        sent[0].starts_with(&format!("REGISTER sip:{} SIP/2.0", kamailio.udp())),
        "{}",
        sent[0]
    );
    assert!(received[0].starts_with("SIP/2.0 401 Unauthorized"), "{}", received[0]);
    assert!(
        sent[1].contains(r#"username="alice""#) && sent[1].contains(r#"response="[redacted]""#),
        "{}",
        sent[1]
    );
    assert!(!report.output.contains("secret"), "{report}");
    assert!(
        report
            .strings("/transcript", "peer")
            .iter()
            .all(|peer| *peer == kamailio.udp().to_string()),
        "{report}"
    );
    assert!(kamailio.log().is_empty() || !kamailio.log().contains("ERROR"), "{}", kamailio.log());
}
