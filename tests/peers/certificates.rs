//! Kamailio's certificates, good and bad, and what is said about them (RFC 5922, RFC 5280).

use std::fs;

use serde_json::Value;

use crate::alice;
use crate::support::certificates::{SERVER_NAME, ServerCertificate};
use crate::support::kamailio::{Kamailio, Setup};
use crate::support::run::Run;
use crate::support::scratch::Scratch;

fn showing(certificate: ServerCertificate) -> Kamailio {
    Kamailio::start(Setup {
        certificate,
        ..Setup::default()
    })
}

/// A probe over TLS that trusts the test's own authority.
fn probe(kamailio: &Kamailio) -> Run {
    trusting(kamailio).with(&["--ca-file", kamailio.ca_file().to_str().unwrap()])
}

fn trusting(kamailio: &Kamailio) -> Run {
    Run::probe(&alice(kamailio.tls())).with(&["--transport", "tls"])
}

#[test]
fn a_good_certificate_is_verified_and_described() {
    let kamailio = showing(ServerCertificate::Valid);
    let report = probe(&kamailio).report().registered();
    report.holds(&[
        ("/tls/verified", true.into()),
        ("/tls/server_name", "127.0.0.1".into()),
        ("/tls/version", "TLSv1.3".into()),
    ]);
    assert!(
        report.text("/tls/subject").contains(SERVER_NAME) && report.text("/tls/issuer").contains("Test Intermediate"),
        "{report}"
    );
    assert!(report["/tls/days_left"].as_i64().unwrap() > 30, "{report}");
    assert!(report["/phases_ms/tls"].is_number(), "{report}");
    assert!(!report.findings().contains(&"certificate_expires_soon"), "{report}");
}

#[test]
fn bad_certificates_are_told_apart_and_nothing_is_sent() {
    for (certificate, cause) in [
        (ServerCertificate::Expired, "certificate_expired"),
        (ServerCertificate::NotYetValid, "certificate_expired"),
        (ServerCertificate::WrongName, "certificate_name_mismatch"),
        (ServerCertificate::Untrusted, "certificate_untrusted"),
        (ServerCertificate::WithoutIntermediate, "certificate_untrusted"),
    ] {
        let kamailio = showing(certificate);
        let report = probe(&kamailio).report().failed(cause, 5);
        report.holds(&[
            ("/state", "INTERNAL_ERROR_STATE".into()),
            ("/opensips_state", "REGISTER_TIMEOUT_STATE".into()),
            ("/requests", 0.into()),
            ("/network/targets/0/outcome", cause.into()),
            ("/tls/verified", false.into()),
        ]);
        let subject = if certificate == ServerCertificate::WrongName {
            "other.example.test"
        } else {
            SERVER_NAME
        };
        assert!(
            report.text("/tls/subject").contains(subject),
            "a refused certificate is described too: {report}"
        );
    }
}

#[test]
fn an_authority_of_ones_own_is_not_trusted_without_being_named() {
    let kamailio = showing(ServerCertificate::Valid);
    trusting(&kamailio).report().failed("certificate_untrusted", 5);
}

#[test]
fn a_certificate_that_ends_soon_is_a_finding() {
    let kamailio = showing(ServerCertificate::EndsSoon);
    let report = probe(&kamailio).report().registered();
    assert_eq!(
        report.finding("certificate_expires_soon"),
        format!("the certificate ends in {} days", report["/tls/days_left"])
    );
    assert!((9..=10).contains(&report["/tls/days_left"].as_i64().unwrap()), "{report}");
}

#[test]
fn the_name_to_verify_can_be_chosen() {
    let kamailio = showing(ServerCertificate::WrongName);
    let report = probe(&kamailio)
        .with(&["--tls-server-name", "other.example.test"])
        .report()
        .registered();
    report.holds(&[("/tls/verified", true.into()), ("/tls/server_name", "other.example.test".into())]);
    let report = probe(&kamailio).with(&["--tls-server-name", SERVER_NAME]).report();
    let report = report.failed("certificate_name_mismatch", 5);
    assert!(
        report.text("/detail").contains("other.example.test"),
        "the names that it is for help: {report}"
    );
}

#[test]
fn insecure_accepts_every_certificate_and_says_so() {
    for certificate in [
        ServerCertificate::Expired,
        ServerCertificate::WrongName,
        ServerCertificate::Untrusted,
    ] {
        let kamailio = showing(certificate);
        let report = trusting(&kamailio).with(&["--insecure"]).report().registered();
        report.holds(&[("/tls/verified", false.into())]);
        assert_eq!(
            report.findings().contains(&"certificate_expires_soon"),
            certificate == ServerCertificate::Expired,
            "{report}"
        );
    }
}

#[test]
fn a_client_certificate_is_shown_when_it_is_demanded() {
    let kamailio = Kamailio::start(Setup {
        demands_client_certificate: true,
        ..Setup::default()
    });
    let files = kamailio.certificates();
    let [certificate, key] = [&files.client, &files.client_key].map(|path| path.to_str().unwrap());
    probe(&kamailio)
        .with(&["--client-cert", certificate, "--client-key", key])
        .report()
        .registered();
    let report = probe(&kamailio).report().failed("tls_handshake", 5);
    report.holds(&[("/last_response", Value::Null), ("/tls/verified", true.into())]);
    assert!(report.text("/detail").to_lowercase().contains("certificate"), "{report}");
}

#[test]
fn the_keys_of_a_session_are_logged_for_a_packet_analyser_on_request() {
    let kamailio = showing(ServerCertificate::Valid);
    let scratch = Scratch::new("keys");
    let log = scratch.file("keys.log");
    probe(&kamailio).key_log(log.to_str().unwrap()).report().registered();
    let keys = fs::read_to_string(log).unwrap();
    assert!(keys.lines().any(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")), "{keys}");
}
