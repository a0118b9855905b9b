//! `regprobe bulk` as people run it, against `regprobe registrar` on the loopback: one result for each row, going on after an end, limits,
//! secrets, memory. How fast it is no test says.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

mod going_on;
#[path = "../lab/mod.rs"]
mod lab;
mod limits;
mod memory;
mod results;
mod secrecy;
#[path = "../support/secrets.rs"]
mod secrets;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

use lab::{Lab, run, scratch, text};
use serde_json::Value;

/// A list of accounts as CSV, closed to others.
fn list(rows: &str) -> PathBuf {
    named("list.csv", rows)
}

/// A list under a name that tells its format.
fn named(name: &str, rows: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = scratch(name, rows.as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A registrar with users 1 to `count`, each with its number in the password.
fn crowd(count: u32, options: &[&str]) -> Lab {
    let users: Vec<String> = (1..=count).map(|number| format!("user{number}:secret{number}")).collect();
    let with_users = users.iter().flat_map(|user| ["--user", user]);
    Lab::start("secret", &with_users.chain(options.iter().copied()).collect::<Vec<_>>())
}

/// The rows of these users of a [`crowd`].
fn rows_of(lab: &Lab, users: impl IntoIterator<Item = u32>) -> String {
    let address = lab.address("udp");
    let rows = users.into_iter().map(|number| format!("user{number}@{address},secret{number}\n"));
    format!("aor,password\n{}", rows.collect::<String>())
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a test's path is text")
}

/// The command line of a run without other limits than those of the options.
fn bulk(list: &Path, options: &[&str]) -> Output {
    run("", &[&["bulk", path(list), "--registrar-rate", "10000/s"], options].concat())
}

/// Results as they were written, each held to the published schema.
fn results(output: &[u8]) -> Vec<Value> {
    let output = text(output);
    let results = output.lines().map(|line| {
        let result: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let strays: Vec<_> = schema().iter_errors(&result).map(|error| error.to_string()).collect();
        assert!(strays.is_empty(), "{strays:?}: {line}");
        result
    });
    results.collect()
}

fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let published = serde_json::from_slice(&run("", &["schema", "bulk"]).stdout).unwrap();
        jsonschema::validator_for(&published).unwrap()
    })
}

/// Each row's number with its cause, or `registered`, in the order of the list.
fn causes(results: &[Value]) -> Vec<(u64, &str)> {
    let cause = |result: &Value| result["row"].as_u64().unwrap();
    let mut causes: Vec<_> = results
        .iter()
        .map(|result| (cause(result), result["cause"].as_str().unwrap_or("registered")))
        .collect();
    causes.sort_unstable();
    causes
}

/// The same for rows that come one after the other from 1 on.
fn causes_in_order(results: &[Value]) -> Vec<&str> {
    let causes = causes(results);
    assert!(causes.iter().map(|(row, _)| *row).eq(1..=causes.len() as u64), "{causes:?}");
    causes.into_iter().map(|(_, cause)| cause).collect()
}
