//! `regprobe inspect` as people use it: a message from a file or a pipe, and captures of every kind, some written here byte by byte and
//! some by Wireshark's own `text2pcap`. What is odd about messages is tested where it is found, in `sip-message`.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

mod captures;
mod evidence;
#[path = "../lab/mod.rs"]
mod lab;
mod messages;
mod pieces;
#[path = "../support/scratch.rs"]
#[allow(dead_code, reason = "each test program uses its own part of it")]
mod scratch;
#[path = "../support/secrets.rs"]
mod secrets;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs `regprobe inspect` with something on its standard input.
fn inspect(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_regprobe"))
        .arg("inspect")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that has seen enough closes its end, which is no fault of it.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The JSON objects of a run, each held against the published schema, and the exit status.
fn objects(arguments: &[&str], input: &[u8]) -> (Vec<Value>, Option<i32>) {
    let output = inspect(&[arguments, &["--output", "json"]].concat(), input);
    let schema = Command::new(env!("CARGO_BIN_EXE_regprobe"))
        .args(["schema", "inspect"])
        .output()
        .unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema.stdout).unwrap()).unwrap();
    let lines = text(&output.stdout).lines();
    let read = lines.map(|line| {
        let object: Value = serde_json::from_str(line).unwrap();
        let errors: Vec<String> = validator.iter_errors(&object).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}: {line}");
        object
    });
    (read.collect(), output.status.code())
}

/// The names of an object's anomalies.
fn anomalies(object: &Value) -> Vec<&str> {
    let texts = object["anomalies"].as_array().unwrap().iter();
    texts.map(|text| text.as_str().unwrap().split_once(": ").unwrap().0).collect()
}

const REGISTER: &[u8] = b"REGISTER sip:example.test SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\n\
    Max-Forwards: 70\r\n\
    From: \"Alice\" <sip:alice@example.test>;tag=1\r\n\
    To: <sip:alice@example.test>\r\n\
    Call-ID: a@192.0.2.1\r\n\
    CSeq: 1 REGISTER\r\n\
    Contact: <sip:alice@192.0.2.1:5060>;expires=60\r\n\
    Content-Length: 0\r\n\r\n";

const REPLY: &[u8] = b"SIP/2.0 401 Unauthorized\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\n\
    From: \"Alice\" <sip:alice@example.test>;tag=1\r\n\
    To: <sip:alice@example.test>;tag=2\r\n\
    Call-ID: a@192.0.2.1\r\n\
    CSeq: 1 REGISTER\r\n\
    WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\
    Content-Length: 0\r\n\r\n";
