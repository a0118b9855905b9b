//! `regprobe watch` as a whole program against `regprobe registrar` on the loopback: what it says, what it registers, and that it
//! leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

mod ending;
mod list;
mod outage;
mod program;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod terminal;

use program::{Registrar, Watch};

/// An account of a TOML list.
fn account(registrar: &Registrar, user: &str, password: &str, more: &str) -> String {
    format!(
        "[[account]]\naor = \"sip:{user}@example.test\"\nregistrar = \"sip:{}\"\npassword = \"{password}\"\n{more}\n",
        registrar.address()
    )
}

#[test]
fn an_account_is_added_registered_and_removed_line_by_line() {
    let registrar = Registrar::start(&[("alice", "secret")], &[]);
    let mut watch = Watch::start(&account(&registrar, "alice", "secret", "name = \"front desk\""), &[]);
    let added = watch.line("added", "front desk");
    assert_eq!(
        (&added["state"], &added["registered"]),
        (&"NOT_REGISTERED_STATE".into(), &false.into())
    );
    let registered = watch.registered("front desk");
    assert_eq!(registered["from"], "NOT_REGISTERED_STATE");
    assert_eq!(registered["aor"], "sip:alice@example.test");
    assert_eq!((&registered["sip_code"], &registered["reason"]), (&200.into(), &"OK".into()));
    assert!(
        registered["valid_until"].is_string() && registered["next_at"].is_string(),
        "{registered}"
    );
    assert_eq!((registrar.bound("alice"), watch.terminate().status), (1, 0));
    assert_eq!(registrar.bound("alice"), 0);
}

#[test]
fn csv_and_json_lines_are_lists_too() {
    let registrar = Registrar::start(&[("alice", "secret"), ("bob", "secret")], &[]);
    let address = registrar.address();
    let csv = format!("aor,registrar,password\nalice@example.test,{address},secret\nbob@example.test,{address},secret\n");
    let jsonl = format!("{{\"aor\": \"alice@example.test\", \"registrar\": \"{address}\", \"password\": \"secret\"}}\n");
    for (list, name, users) in [(csv, "list.csv", &["alice", "bob"][..]), (jsonl, "list.jsonl", &["alice"])] {
        let mut watch = Watch::of(name, &list, &[]);
        for user in users {
            watch.registered(&format!("sip:{user}@example.test"));
        }
        let ended = watch.terminate();
        assert_eq!((ended.status, registrar.bound("alice") + registrar.bound("bob")), (0, 0), "{name}");
    }
}

#[test]
fn refreshes_are_told_of_only_when_asked_for() {
    let registrar = Registrar::start(&[("alice", "secret")], &["--min-expires", "1", "--max-expires", "1"]);
    let list = account(&registrar, "alice", "secret", "");
    let quiet = Watch::start(&list, &[]);
    let mut verbose = Watch::start(&list, &["--verbose"]);
    for _ in 0..3 {
        let refreshed = verbose.line("unchanged", "sip:alice@example.test");
        assert_eq!(
            (&refreshed["state"], &refreshed["from"]),
            (&"REGISTERED_STATE".into(), &serde_json::Value::Null)
        );
    }
    verbose.line("busy", "sip:alice@example.test");
    verbose.terminate();
    let ended = quiet.terminate();
    let told: Vec<_> = ended.lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(told, ["added", "changed", "changed", "removed"], "{:?}", ended.lines);
}

#[test]
fn it_works_over_tcp_and_on_several_threads() {
    let users: Vec<String> = (0..20).map(|number| format!("user{number}")).collect();
    let accounts: Vec<(&str, &str)> = users.iter().map(|user| (user.as_str(), "secret")).collect();
    let registrar = Registrar::start(&accounts, &[]);
    let list: String = users
        .iter()
        .map(|user| account(&registrar, user, "secret", "transport = \"tcp\""))
        .collect();
    let mut watch = Watch::start(&list, &["--shards", "2", "--rate", "1000/s"]);
    for user in &users {
        watch.registered(&format!("sip:{user}@example.test"));
    }
    assert_eq!(watch.terminate().status, 0);
    assert!(users.iter().all(|user| registrar.bound(user) == 0), "{}", registrar.log());
}
