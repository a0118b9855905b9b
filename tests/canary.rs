//! A canary password and its HA1 go through every sub-command, output and failure that can meet a secret; then everything that was
//! written anywhere is searched for them: plain, in base64, percent-encoded, in hexadecimal.

mod lab;
#[path = "support/secrets.rs"]
mod secrets;

use std::process::Output;

use lab::{Lab, run, scratch, text};
use secrets::base64;

/// Blanks, reserved and non-ASCII characters, so that every encoding of it looks different.
const PASSWORD: &str = "c4nary p@ss/w0rd+\u{e9}";
/// MD5 and SHA-256 of `alice:regprobe.lab:` and the password, from an independent program (Python's hashlib).
const HA1_MD5: &str = "c15d5c4fd8ca89c68e63d15431cf81f6";
const HA1_SHA256: &str = "a997fcfaa1449664947fcd8401e0a16511b9a3a6919fd5ad3dc7712a7477b70d";

fn assert_clean(what: &str, output: &str) {
    secrets::assert_clean(what, output, &[PASSWORD, HA1_MD5, HA1_SHA256]);
}

fn check(what: &str, output: &Output) {
    assert_clean(what, &(text(&output.stdout) + &text(&output.stderr)));
}

#[test]
fn the_search_finds_what_it_looks_for() {
    assert_eq!(base64(b"light work."), "bGlnaHQgd29yay4");
    let leaks = [
        format!("x{PASSWORD}y"),
        base64(format!("alice:{PASSWORD}@h").as_bytes()),
        base64(format!("bob:{HA1_MD5}").as_bytes()),
        "c4nary%20p%40ss%2Fw0rd%2B%C3%A9".to_owned(),
        "Authorization: Digest response=\"0123456789abcdef0123456789abcdef\"".to_owned(),
    ];
    for leak in leaks {
        let found = std::panic::catch_unwind(|| assert_clean("leak", &leak));
        assert!(found.is_err(), "{leak}");
    }
    assert_clean("no leak", "Authorization: Digest username=\"alice\", response=\"(redacted)\"");
}

#[test]
fn no_secret_is_in_any_output_of_any_sub_command() {
    let lab = Lab::start(PASSWORD, &[]);
    let silent = Lab::start(PASSWORD, &["--fault", "silence"]);
    let wrong = Lab::start("another password", &[]);
    let password_file = scratch("password", PASSWORD.as_bytes());
    let ha1_files = [
        scratch("md5", HA1_MD5.as_bytes()),
        scratch("sha256", format!("SHA-256:{HA1_SHA256}\n").as_bytes()),
    ];
    let [password_file, md5, sha256] =
        [&password_file, &ha1_files[0], &ha1_files[1]].map(|path| path.to_str().expect("a test's path is text"));
    let authority = lab.authority.to_str().expect("a test's path is text");
    let sources: [&[&str]; 4] = [
        &[],
        &["--password-file", password_file],
        &["--ha1-file", md5],
        &["--ha1-file", sha256],
    ];
    let outputs: [&[&str]; 4] = [
        &["--output", "human", "--trace"],
        &["--output", "json", "--trace"],
        &["--output", "nagios"],
        &[],
    ];
    let mut registered = 0;
    for source in sources {
        for output in outputs {
            for (peer, transport, timeout) in [
                (&lab, "udp", "10s"),
                (&lab, "tcp", "10s"),
                (&lab, "tls", "10s"),
                (&wrong, "udp", "10s"),
                (&silent, "udp", "100ms"),
            ] {
                let aor = peer.alice(transport);
                let mut line = vec![
                    "probe",
                    &aor,
                    "--transport",
                    transport,
                    "--timeout",
                    timeout,
                    "--ca-file",
                    authority,
                ];
                line.extend(source.iter().chain(output));
                let done = run(PASSWORD, &line);
                registered += u32::from(done.status.code() == Some(0));
                check(&format!("{line:?}"), &done);
            }
        }
    }
    // Three transports, four sources, four outputs: the secrets were really used.
    assert_eq!(registered, 48);
    for peer in [lab, silent, wrong] {
        assert_clean("registrar", &peer.end());
    }
}

#[test]
fn no_secret_is_in_the_output_of_the_other_sub_commands() {
    let lab = Lab::start(PASSWORD, &[]);
    let alice = lab.alice("udp");
    for line in [
        &["probe", &alice, "--keep", "--trace"][..],
        &["probe", &alice, "--every-target", "--instance", "--trace"],
        &["bindings", &alice, "--trace"],
        &["bindings", &alice, "--output", "json", "--trace"],
        &["unregister", &alice, "--trace"],
        &["unregister", &alice, "--all", "--trace"],
        &["ping", &alice, "--trace"],
        &["explain"],
        &["schema"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["probe", "--help"],
        &["demo"],
    ] {
        let done = run(PASSWORD, line);
        assert_eq!(
            done.status.code(),
            Some(0),
            "{line:?}: {}{}",
            text(&done.stdout),
            text(&done.stderr)
        );
        check(&format!("{line:?}"), &done);
    }
    assert_clean("registrar", &lab.end());
}

#[test]
fn no_secret_is_in_a_refusal() {
    let file = |content: &str| {
        scratch("refused", content.as_bytes())
            .to_str()
            .expect("a test's path is text")
            .to_owned()
    };
    let [lines, algorithm, case] = [
        format!("{PASSWORD}\n{PASSWORD}\n"),
        format!("AKAv1:{HA1_MD5}"),
        HA1_SHA256.to_uppercase(),
    ]
    .map(|content| file(&content));
    let users = file(&format!("alice{PASSWORD}\n"));
    let in_uri = format!("sip:alice:{PASSWORD}@127.0.0.1");
    for line in [
        &["probe", "a@127.0.0.1", "--password-file", &lines][..],
        &["probe", "a@127.0.0.1", "--ha1-file", &algorithm],
        &["probe", "a@127.0.0.1", "--ha1-file", &case],
        &["probe", &in_uri],
        &["probe", "a@127.0.0.1", "--password", PASSWORD],
        &["registrar", "--users-file", &users],
        &["probe", "a@127.0.0.1", "--bogus"],
    ] {
        let done = run(PASSWORD, line);
        assert_eq!(done.status.code(), Some(2), "{line:?}");
        check(&format!("{line:?}"), &done);
    }
}
