//! Certificates that are not what they should be, old versions of TLS, and one connection that must not do for two names. No request,
//! and so no credential, goes to whoever shows them.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::at_once;
use crate::lab::Lab;
use crate::program::{PASSWORD, Report, TIMEOUT, report_of, run_talking};
use crate::support::certificates::{Certificates, SERVER_NAME, ServerCertificate};
use crate::support::hostile::Hostile;
use crate::support::scratch::Scratch;

/// A registrar that shows this chain.
fn showing(chain: &Path, key: &Path) -> Lab {
    Lab::start(PASSWORD, &["--cert", text(chain), "--key", text(key)])
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a test's path is text")
}

/// A probe by TLS of `alice` at this name, which means that registrar.
fn probed(lab: &Lab, name: &str, authority: &Path) -> Report {
    let address = lab.address("tls");
    let (_, port) = address.rsplit_once(':').expect("it has a port");
    let (aor, resolve) = (format!("sip:alice@{name}:{port}"), format!("{name}:{port}:127.0.0.1"));
    let (before, after) = (["probe", &aor, "--transport", "tls"], ["--timeout", TIMEOUT]);
    let options = ["--resolve", &resolve, "--ca-file", text(authority)];
    report_of(&[&before[..], &options, &after].concat())
}

/// Nobody was registered, asked or answered there.
#[track_caller]
fn assert_nothing_came(lab: Lab) {
    let log = lab.end();
    assert!(!log.contains("REGISTER"), "{log}");
}

/// A certificate that is over, not yet valid, somebody else's, or by nobody we know (the class of CVE-2014-1266, where a check was
/// passed over and everything was accepted).
#[test]
fn a_certificate_that_proves_nothing_gets_no_request() {
    let cases = [
        (ServerCertificate::Expired, "certificate_expired"),
        (ServerCertificate::NotYetValid, "certificate_expired"),
        (ServerCertificate::WrongName, "certificate_name_mismatch"),
        (ServerCertificate::Untrusted, "certificate_untrusted"),
        (ServerCertificate::WithoutIntermediate, "certificate_untrusted"),
    ];
    let scratch = Scratch::new("certificates");
    for (kind, cause) in cases {
        let files = Certificates::generate(kind, &scratch);
        let lab = showing(&files.server, &files.server_key);
        let report = probed(&lab, SERVER_NAME, &files.authority);
        assert_eq!(report.outcome(), cause, "{kind:?}: {}", *report);
        assert_nothing_came(lab);
    }
}

/// A leaf below so many authorities, the root of which is the first file; then the chain, then its key.
fn chain_of(length: usize, subject: &str, scratch: &Scratch) -> [PathBuf; 3] {
    let parameters = |name: &str| {
        let mut parameters = CertificateParams::new(vec![SERVER_NAME.to_owned()]).expect("the name is one");
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.use_authority_key_identifier_extension = true;
        parameters
    };
    let authority = |at: usize| {
        let mut parameters = parameters(&format!("{subject} {at}"));
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters
    };
    let key = || KeyPair::generate().expect("the system has randomness");
    let root = CertifiedIssuer::self_signed(authority(0), key()).expect("the parameters are complete");
    let root_file = scratch.write("root.pem", &root.pem());
    let (mut chain, mut issuer) = (String::new(), root);
    for at in 1..=length {
        issuer = CertifiedIssuer::signed_by(authority(at), key(), &issuer).expect("the parameters are complete");
        chain.insert_str(0, &issuer.pem());
    }
    let own = key();
    let leaf = parameters("leaf").signed_by(&own, &issuer).expect("the parameters are complete");
    let chain = scratch.write("chain.pem", &(leaf.pem() + &chain));
    [root_file, chain, scratch.write("leaf.key", &own.serialize_pem())]
}

/// A chain of a hundred certificates, each of which is right, and a hundred thousand bytes of them (CVE-2023-0464's class: what a
/// chain costs its verifier).
#[test]
fn a_chain_of_a_hundred_certificates_is_refused() {
    for (length, subject) in [(100, "Authority".to_owned()), (60, "Authority ".repeat(100))] {
        let scratch = Scratch::new("chain");
        let [root, chain, key] = chain_of(length, &subject, &scratch);
        let lab = showing(&chain, &key);
        let report = probed(&lab, SERVER_NAME, &root);
        assert!(
            ["tls_handshake", "certificate_untrusted"].contains(&report.outcome()),
            "{length}: {}",
            *report
        );
        assert_nothing_came(lab);
    }
    // It is the length, and not how it was made.
    let scratch = Scratch::new("chain");
    let [root, chain, key] = chain_of(3, "Authority", &scratch);
    assert_eq!(probed(&showing(&chain, &key), SERVER_NAME, &root).outcome(), "registered");
}

/// Two accounts whose names lead to the same address and port: the certificate is for one of them (CVE-2020-15260's class: a
/// connection that is open to an address is used for another name at that address, unverified).
#[test]
fn a_connection_to_one_name_is_not_used_for_another_at_the_same_address() {
    let scratch = Scratch::new("two-names");
    let files = Certificates::generate(ServerCertificate::Valid, &scratch);
    let lab = showing(&files.server, &files.server_key);
    let port = lab.address("tls").rsplit_once(':').expect("it has a port").1.to_owned();
    let names = [SERVER_NAME, "other.example.test"];
    for order in [[0, 1], [1, 0]] {
        let rows = order.map(|at| format!("alice@{}:{port}\n", names[at])).concat();
        let list = scratch.write("list.csv", &format!("aor\n{rows}"));
        let resolve = names.map(|name| format!("{name}:{port}:127.0.0.1"));
        let ended = run_talking(&[
            "bulk",
            text(&list),
            "--transport",
            "tls",
            "--ca-file",
            text(&files.authority),
            "--resolve",
            &resolve[0],
            "--resolve",
            &resolve[1],
            "--timeout",
            TIMEOUT,
            "--output",
            "jsonl",
        ]);
        let causes: Vec<(String, String)> = ended
            .text
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|result| result["aor"].is_string())
            .map(|result| (result["aor"].as_str().unwrap_or_default().to_owned(), result["cause"].to_string()))
            .collect();
        assert_eq!(causes.len(), 2, "{}", ended.text);
        for (aor, cause) in causes {
            let expected = if aor.contains("other") {
                "\"certificate_name_mismatch\""
            } else {
                "null"
            };
            assert_eq!(cause, expected, "{order:?} {aor}: {}", ended.text);
        }
    }
    let log = lab.end();
    assert!(log.contains(SERVER_NAME) && !log.contains("other.example.test"), "{log}");
}

/// Peers that know nothing newer than SSL 3, TLS 1.0 or TLS 1.1 (CVE-2014-3566's class: whoever goes along is talked down).
#[test]
fn an_old_version_is_no_tls() {
    at_once(&[0_u8, 1, 2], |&version| {
        // A ServerHello of that version: its random bytes, no session, an old cipher suite, no compression.
        let hello = [&[3, version], &[0x5a; 32][..], &[0, 0xc0, 0x13, 0]].concat();
        let length = u8::try_from(hello.len()).expect("it is short");
        let record = [&[0x16, 3, version, 0, length + 4, 2, 0, 0, length][..], &hello].concat();
        let alert = vec![0x15, 3, version, 0, 2, 2, 70];
        for reply in [record, alert] {
            let peer = Hostile::tcp(move |connection| {
                connection.send(&reply);
                connection.stay_silent();
            });
            let aor = format!("sip:alice@{}", peer.address());
            let report = report_of(&["probe", &aor, "--transport", "tls", "--insecure", "--timeout", TIMEOUT]);
            assert_eq!(report.outcome(), "tls_handshake", "{version}: {}", *report);
            assert!(!peer.requests().iter().any(|request| request.bytes.starts_with(b"REGISTER")));
        }
    });
}
