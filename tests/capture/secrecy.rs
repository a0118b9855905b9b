//! No secret is in a capture unless it is asked for, nobody else can read the file, and nothing is overwritten.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::lab::{Lab, run, scratch, text};
use crate::{PASSWORD, fresh, packets, probe, said, secrets, tshark, word};

#[test]
fn a_capture_holds_neither_the_password_nor_what_it_can_be_guessed_from() {
    let lab = Lab::start(PASSWORD, &[]);
    for transport in ["udp", "tcp", "tls"] {
        let file = fresh("clean.pcapng");
        probe(&lab, transport, &file, &["--contact", "sip:alice@127.0.0.1;pn-prid=c4nary"]);
        let bytes = fs::read(&file).unwrap();
        let content = String::from_utf8_lossy(&bytes);
        secrets::assert_clean("--pcap", &content, &[PASSWORD]);
        assert!(!content.contains("c4nary"), "{content}");
        assert!(content.contains("username=\"alice\"") && content.contains("response=\"[redacted]\""));
        // What was taken out leaves whole frames.
        assert_eq!(packets(&file, &["-Y", "sip.Authorization"]).len(), 2);
        assert_eq!(tshark(&file, &["-Y", "_ws.malformed || tcp.analysis.flags"]), "");
    }
}

#[test]
fn who_asks_for_credentials_gets_them_with_a_warning() {
    let lab = Lab::start(PASSWORD, &[]);
    let file = fresh("whole.pcapng");
    let output = probe(&lab, "udp", &file, &["--include-credentials"]);
    let warning = text(&output.stderr);
    assert!(
        warning.starts_with("warning: --include-credentials: ") && warning.contains(word(&file)),
        "{warning}"
    );
    let responses = tshark(
        &file,
        &["-Y", "sip.auth.digest.response", "-T", "fields", "-e", "sip.auth.digest.response"],
    );
    let responses: Vec<&str> = responses.lines().map(|line| line.trim_matches('"')).collect();
    assert_eq!(responses.len(), 2);
    assert!(
        responses
            .iter()
            .all(|response| response.len() == 64 && response.bytes().all(|byte| byte.is_ascii_hexdigit()))
    );
    assert!(!String::from_utf8_lossy(&fs::read(&file).unwrap()).contains(PASSWORD));
    let comment = fs::read(&file).unwrap();
    assert!(String::from_utf8_lossy(&comment).contains("with what passwords can be guessed from"));
}

#[test]
fn a_body_keeps_the_length_that_its_head_says() {
    let body = "response=0123456789abcdef0123456789abcdef;x=1";
    let reply = format!("bytes=SIP/2.0 403 No\\r\\n{{head}}Content-Length: {}\\r\\n\\r\\n{body}", body.len());
    let lab = Lab::start(PASSWORD, &["--fault", &reply]);
    let file = fresh("body.pcapng");
    probe(&lab, "tcp", &file, &[]);
    let content = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
    assert!(content.contains(&format!("response={};x=1", "*".repeat(32))), "{content}");
    assert_eq!(packets(&file, &["-Y", "sip.Status-Code == 403"]).len(), 1);
}

#[test]
fn only_its_owner_can_read_the_file() {
    let lab = Lab::start(PASSWORD, &[]);
    let file = fresh("mode.pcapng");
    probe(&lab, "udp", &file, &[]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn evidence_is_not_overwritten_and_nothing_is_sent_then() {
    let mut lab = Lab::start(PASSWORD, &[]);
    let there = scratch("there.pcapng", b"evidence");
    let output = probe(&lab, "udp", &there, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("this file exists"), "{output:?}");
    assert_eq!(fs::read(&there).unwrap(), b"evidence");
    for (place, why) in [
        (Path::new(env!("CARGO_TARGET_TMPDIR")), "is a directory"),
        (Path::new("-"), "standard output"),
    ] {
        let output = probe(&lab, "udp", place, &[]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(why), "{output:?}");
    }
    let elsewhere = fresh("no/such/folder.pcapng");
    assert_eq!(probe(&lab, "udp", &elsewhere, &[]).status.code(), Some(2));
    let file = fresh("first.pcapng");
    probe(&lab, "udp", &file, &[]);
    let first = lab.line_with("REGISTER");
    assert!(
        first.contains("401"),
        "the first request that came is that of the third run: {first}"
    );
    assert_eq!(said(&packets(&file, &[])).len(), 6);
}

#[test]
fn options_that_mean_nothing_alone_are_refused() {
    for options in [&["--include-credentials"][..], &["--hep-id", "7"], &["--hep", "homer"]] {
        let output = run(PASSWORD, &[&["probe", "alice@127.0.0.1:9"], options].concat());
        assert_eq!(output.status.code(), Some(2), "{options:?}: {output:?}");
        assert!(text(&output.stderr).contains(options[0]), "{output:?}");
    }
}
