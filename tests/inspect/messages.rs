//! One message: where it may come from, what is said of it, and with which exit status.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::scratch::Scratch;
use crate::{REGISTER, REPLY, anomalies, inspect, objects, secrets, text};

fn one(input: &[u8]) -> (Value, Option<i32>) {
    let (mut objects, status) = objects(&[], input);
    assert_eq!(objects.len(), 1, "{objects:?}");
    (objects.remove(0), status)
}

#[test]
fn a_sound_message_is_one_object_with_exactly_the_promised_keys() {
    let (object, status) = one(REGISTER);
    assert_eq!(status, Some(0));
    assert_eq!(
        object,
        json!({
            "ok": true,
            "kind": "request",
            "error": null,
            "anomalies": [],
            "start_line": "REGISTER sip:example.test SIP/2.0",
            "headers": [
                {"name": "Via", "value": "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa"},
                {"name": "Max-Forwards", "value": "70"},
                {"name": "From", "value": "\"Alice\" <sip:alice@example.test>;tag=1"},
                {"name": "To", "value": "<sip:alice@example.test>"},
                {"name": "Call-ID", "value": "a@192.0.2.1"},
                {"name": "CSeq", "value": "1 REGISTER"},
                {"name": "Contact", "value": "<sip:alice@192.0.2.1:5060>;expires=60"},
                {"name": "Content-Length", "value": "0"},
            ],
        })
    );
    let (object, status) = one(REPLY);
    assert_eq!(
        (object["kind"].as_str(), object["ok"].as_bool(), status),
        (Some("response"), Some(true), Some(0))
    );
}

#[test]
fn a_message_comes_from_a_file_or_a_pipe() {
    let scratch = Scratch::new("inspect");
    let file = scratch.write("register.txt", text(REGISTER));
    let from_file = inspect(&[file.to_str().unwrap()], b"");
    assert_eq!(from_file.status.code(), Some(0));
    for arguments in [&[][..], &["-"]] {
        assert_eq!(inspect(arguments, REGISTER).stdout, from_file.stdout, "{arguments:?}");
    }
    assert!(text(&from_file.stdout).contains("· Alice, sip:alice@example.test, tag 1"));
}

#[test]
fn oddities_are_told_and_do_not_make_a_message_unusable() {
    let (object, status) = one(text(REGISTER).replace("\r\n", "\n").as_bytes());
    assert_eq!((status, anomalies(&object)), (Some(0), vec!["bare_lf"]));
    let (object, status) = one(b"SIP/2.0 200 OK\r\nVia: x\r\n Y\r\ngarbage\r\nContent-Length: 9\r\nl: 2\r\n\r\n\xfc");
    assert_eq!((status, object["ok"].as_bool()), (Some(0), Some(true)));
    let found = anomalies(&object);
    for name in [
        "folded",
        "no_colon",
        "via_protocol",
        "content_length_too_large",
        "content_length_conflicting",
        "missing_header",
    ] {
        assert!(found.contains(&name), "{name}: {found:?}");
    }
    assert_eq!(object["headers"][1], json!({"name": "", "value": "garbage"}));
}

#[test]
fn what_cannot_be_used_ends_with_5_and_says_why() {
    let long = [REGISTER, &[b'a'; 70_000]].concat();
    for (input, error, kind) in [
        (&b""[..], "empty message", None),
        (b"\r\n\r\n", "empty message", None),
        (b"nonsense\r\n\r\n", "first line is no SIP/2.0 request or status line", None),
        (b"SIP/2.0 200 OK\r\nTo: x\r\n", "header block has no end", Some("response")),
        (
            b"REGISTER sip:h SIP/3.0\r\n\r\n",
            "first line is no SIP/2.0 request or status line",
            Some("request"),
        ),
        (&long, "message longer than 64 KiB", Some("request")),
    ] {
        let (object, status) = one(input);
        assert_eq!((status, object["ok"].as_bool()), (Some(5), Some(false)), "{error}");
        assert_eq!((object["error"].as_str(), object["kind"].as_str()), (Some(error), kind));
        let human = inspect(&[], input);
        assert_eq!(human.status.code(), Some(5));
        assert!(text(&human.stdout).starts_with("✘ malformed "), "{}", text(&human.stdout));
    }
}

#[test]
fn what_a_log_puts_in_front_of_each_line_is_told_once_and_shows_no_credentials() {
    let basic = secrets::base64(b"alice:c4nary");
    let message = format!("Authorization: Basic {basic}\r\n{}", text(REGISTER)).replace('\n', "\nNov 21 pbx kamailio[8]: ");
    let (object, status) = one(message.as_bytes());
    assert_eq!(
        (status, anomalies(&object)),
        (Some(5), vec!["start_line_malformed", "bad_header_name"])
    );
    assert!(
        object["anomalies"][1].as_str().unwrap().contains("(line 2 and 9 more; "),
        "{object}"
    );
    secrets::assert_clean("a log", &object.to_string(), &[&basic]);
}

#[test]
fn files_that_are_no_message_are_refused_with_a_hint() {
    for (arguments, input, hint) in [
        (&["/nonexistent/file"][..], &b""[..], "No such file"),
        (&["/"], b"", "is a directory"),
        (&[], b"\xd4\xc3\xb2\xa1\x02\x00", "--pcap"),
        (&["--pcap"], REGISTER, "is no capture"),
        (&["--pcap"], b"", "is empty"),
        (&["--pcap"], b"\x1f\x8b\x08\x00", "gunzip"),
    ] {
        let output = inspect(arguments, input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            output.stdout.is_empty() && text(&output.stderr).contains(hint),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn a_text_that_is_no_message_yet_comes_with_the_command_that_makes_it_one() {
    let logged = text(REPLY).lines().map(|line| format!("pbx: {line}\n")).collect::<String>();
    let output = inspect(&[], logged.as_bytes());
    assert_eq!(output.status.code(), Some(5));
    let shown = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(" next Line 1 holds a start line behind something else"), "{shown}");
    let command = shown.rsplit('`').nth(1).unwrap();
    assert_eq!(command, "cut -b6- FILE | regprobe inspect");
    let scratch = Scratch::new("advice");
    let file = scratch.write("log", &logged);
    let program = env!("CARGO_BIN_EXE_regprobe");
    let line = command.replace("FILE", file.to_str().unwrap()).replace("regprobe", program);
    let shell = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert_eq!(shell.status.code(), Some(0));
    assert!(text(&shell.stdout).starts_with("✔ usable response"), "{}", text(&shell.stdout));
}

#[test]
fn a_terminal_without_a_file_gets_a_hint() {
    // `script` of util-linux gives the program a terminal of its own.
    let line = format!("{} inspect", env!("CARGO_BIN_EXE_regprobe"));
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .expect("script is part of every Debian");
    let shown = text(&output.stdout);
    assert!(
        shown.contains("standard input is a terminal") && shown.contains("Ctrl-D"),
        "{shown}"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn nothing_that_acts_on_a_terminal_gets_through() {
    let hostile = b"SIP/2.0 200 \x1b[2J\x9b\xe2\x80\xae\r\n\x1b]0;x\x07: \x1b[31m\r\nX-\x1b: y\r\nTo: \"\x1b[1m\" <sip:\x1b@h>\x08;tag=\x7f\r\nSubject: a\rb\0\r\n\r\n\x1b[2J";
    for arguments in [&[][..], &["--output", "json"]] {
        let output = inspect(arguments, hostile);
        assert_eq!(output.status.code(), Some(0));
        let shown = text(&output.stdout);
        let acts = |character: char| (character.is_control() && character != '\n') || character == '\u{202e}';
        assert!(!shown.contains(acts), "{shown:?}");
        assert!(shown.contains("x1b[2J"), "{shown}");
    }
}

#[test]
fn neither_proofs_nor_passwords_are_shown() {
    const PASSWORD: &str = "c4nary p@ss/w0rd";
    let digest = "0123456789abcdef0123456789abcdef";
    let basic = secrets::base64(format!("alice:{PASSWORD}").as_bytes());
    for line in [
        format!("Authorization: Digest username=\"alice\", response=\"{digest}\""),
        format!("Authorization: Digest username=\"alice\",\r\n response = \"{digest}\""),
        format!("Proxy-Authorization: Digest username=\"alice, response={digest}"),
        format!("Authorization: Basic {basic}"),
        format!("Authorization : Basic\r\n {basic}"),
        format!("Authorization Basic {basic}"),
        format!("Contact: <sip:alice:{digest}@h>"),
        format!("Authentication-Info: rspauth=\"{digest}\""),
    ] {
        let message = format!("REGISTER sip:bob:{digest}@h SIP/2.0\r\n{line}\r\n\r\n");
        for arguments in [&[][..], &["--output", "json"]] {
            let output = inspect(arguments, message.as_bytes());
            let shown = text(&output.stdout).to_owned() + text(&output.stderr);
            secrets::assert_clean(&line, &shown, &[PASSWORD, digest, &basic]);
            assert!(shown.contains("[redacted]") || shown.contains("***"), "{shown}");
        }
    }
}
