//! `regprobe load` as people run it, against `regprobe registrar` on the loopback: what is counted, why it fails, whom it refuses to
//! load, what it leaves behind. How fast it is no test says.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

mod counting;
mod keeping;
#[path = "../lab/mod.rs"]
mod lab;
#[path = "../../crates/net/tests/loopback/name_server.rs"]
mod name_server;
mod refusing;
mod secrecy;
#[path = "../support/secrets.rs"]
mod secrets;

use std::process::Output;
use std::sync::OnceLock;

use lab::{Lab, run, text};
use serde_json::Value;

/// The password of each user of [`crowd`], as `REGPROBE_PASSWORD` has it.
const PASSWORDS: &str = "secret{n}";

/// A registrar with users 1 to `count`.
fn crowd(count: u32, options: &[&str]) -> Lab {
    let users: Vec<String> = (1..=count).map(|number| format!("user{number}:secret{number}")).collect();
    let with_users = users.iter().flat_map(|user| ["--user", user]);
    Lab::start("secret", &with_users.chain(options.iter().copied()).collect::<Vec<_>>())
}

/// The users of [`crowd`] at this transport's address.
fn users(lab: &Lab, transport: &str) -> String {
    format!("sip:user{{n}}@{}", lab.address(transport))
}

/// A run with `--output json`, its report held to the published schema.
fn report(password: &str, line: &[&str]) -> (Value, i32) {
    let done = run(password, &[&["load"], line, &["--output", "json"]].concat());
    assert_eq!(text(&done.stderr), "", "{line:?}");
    (read(&done), done.status.code().unwrap())
}

/// Reads a report and holds it to the schema.
fn read(done: &Output) -> Value {
    let output = text(&done.stdout);
    let report: Value = serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}{}", text(&done.stderr)));
    assert_eq!(output.lines().count(), 1, "where nobody looks it is one line");
    let errors: Vec<_> = schema().iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}: {output}");
    report
}

fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let published = serde_json::from_slice(&run("", &["schema", "load"]).stdout).unwrap();
        jsonschema::validator_for(&published).unwrap()
    })
}

/// How many bindings the registrar has of this user.
fn bindings(lab: &Lab, number: u32) -> usize {
    let aor = format!("sip:user{number}@{}", lab.address("udp"));
    let done = run(&format!("secret{number}"), &["bindings", &aor, "--output", "json"]);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["last_response"]["code"], 200, "{report}");
    report["other_bindings"].as_array().unwrap().len()
}

/// A number of a report, by its JSON pointer.
#[track_caller]
fn number(report: &Value, pointer: &str) -> u64 {
    let found = report.pointer(pointer).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("{pointer} is no number in {report}"))
}
