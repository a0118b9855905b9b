//! One result for each row, whatever became of it, in each form.

use super::*;
use std::collections::BTreeMap;

/// Right, wrong, unknown, silent, no account, nobody there.
fn mixed(lab: &Lab) -> PathBuf {
    let address = lab.address("udp");
    list(&format!(
        "aor,password,name,registrar\n\
         user1@{address},secret1,Berlin,\n\
         user2@{address},wrong,\"a, \"\"b\"\"\",\n\
         nobody@{address},x,,\n\
         user3@{address},secret3,,\n\
         bogus,,,\n\
         user1@example.test,secret1,Lyon,no-such-host.invalid:1:2\n\
         user4@example.test,secret4,,{address}\n"
    ))
}

const MIXED: [&str; 7] = [
    "registered",
    "wrong_credentials",
    "wrong_credentials",
    "no_reply",
    "bad_row",
    "bad_row",
    "registered",
];

#[test]
fn every_row_has_one_result_that_keeps_to_the_schema() {
    let lab = crowd(4, &["--fault", "silence;user=user3"]);
    let done = bulk(&mixed(&lab), &["--timeout", "1s", "--output", "jsonl"]);
    let results = results(&done.stdout);
    assert_eq!(causes_in_order(&results), MIXED);
    assert_eq!(done.status.code(), Some(1));
    let of = |row: u64| results.iter().find(|result| result["row"] == row).unwrap();
    assert_eq!((&of(1)["line"], &of(1)["name"]), (&2.into(), &"Berlin".into()));
    assert_eq!(
        (&of(1)["removal"], &of(1)["granted_s"], &of(1)["sip_code"]),
        (&"confirmed".into(), &300.into(), &200.into())
    );
    assert!(of(1)["total_ms"].is_number() && of(1)["started_at"].is_string() && of(1)["detail"].is_null());
    assert_eq!(of(1)["findings"], serde_json::json!(["plaintext_transport"]));
    assert_eq!(
        (&of(2)["name"], &of(2)["state_code"], &of(2)["requests"]),
        (&"a, \"b\"".into(), &6.into(), &2.into())
    );
    assert!(of(4)["retransmissions"].as_u64() >= Some(1));
    assert!(of(5)["detail"].as_str().unwrap().starts_with("aor: the user is missing"));
    assert_eq!((&of(6)["aor"], &of(6)["line"]), (&"sip:user1@example.test".into(), &7.into()));
    assert_eq!(of(6)["name"], "Lyon");
    let summary = text(&done.stderr);
    assert!(summary.contains("2 of 7 rows registered, 5 failed"), "{summary}");
    assert!(summary.contains("wrong_credentials  2"), "{summary}");
    let said = lab.end();
    assert_eq!(said.matches(", 0 bound").count(), 2, "nothing is left bound: {said}");
}

#[test]
fn the_other_forms_say_the_same() {
    let lab = crowd(4, &["--fault", "silence;user=user3"]);
    let list = mixed(&lab);
    let csv = text(&bulk(&list, &["--timeout", "1s", "--output", "csv"]).stdout);
    assert_eq!(csv.lines().count(), 8, "{csv}");
    assert!(csv.starts_with("row,line,name,aor,registrar,"), "{csv}");
    assert!(csv.contains("\n2,3,\"a, \"\"b\"\"\",sip:user2@"), "{csv}");
    let human = bulk(&list, &["--timeout", "1s"]);
    let shown = text(&human.stdout);
    assert_eq!(shown.lines().filter(|line| line.starts_with('✘')).count(), 5, "{shown}");
    assert!(shown.contains("✘ line 6  bad_row  aor: "), "{shown}");
    let named = "✘ line 7  sip:user1@example.test (Lyon)  bad_row  registrar: ";
    assert!(shown.contains(named), "{shown}");
    assert!(
        shown.contains("2 of 7 rows registered, 5 failed in ") && human.stderr.is_empty(),
        "{shown}"
    );
}

#[test]
fn all_registered_is_0_and_the_formats_are_alike() {
    let lab = crowd(2, &[]);
    let address = lab.address("tcp");
    let json = format!(
        "{{\"aor\":\"user1@{address}\",\"password\":\"secret1\"}}\n{{\"aor\":\"user2@{address}\",\"password\":\"secret2\",\"expires\":77}}\n"
    );
    let toml = format!(
        "[defaults]\nregistrar = \"{address}\"\n[[account]]\naor = \"user1@x.test\"\npassword = \"secret1\"\n[[account]]\naor = \"user2@x.test\"\npassword = \"secret2\"\nexpires = 77\n"
    );
    for (name, text) in [("list.jsonl", json), ("list.toml", toml)] {
        let done = bulk(&named(name, &text), &["--transport", "tcp", "--output", "jsonl"]);
        let mut results = results(&done.stdout);
        results.sort_by_key(|result| result["row"].as_u64());
        assert_eq!(causes_in_order(&results), ["registered", "registered"]);
        assert_eq!((done.status.code(), &results[1]["granted_s"]), (Some(0), &77.into()));
    }
}

#[test]
fn a_kept_binding_stays_and_says_so() {
    let mut lab = crowd(1, &[]);
    let done = bulk(&list(&rows_of(&lab, [1])), &["--keep", "--output", "jsonl"]);
    assert_eq!(results(&done.stdout)[0]["removal"], "kept");
    lab.line_with("1 bound");
    let address = lab.address("udp").to_owned();
    let seen = run("secret1", &["bindings", &format!("user1@{address}"), "--output", "json"]);
    let seen: Value = serde_json::from_slice(&seen.stdout).unwrap();
    assert_eq!(seen["other_bindings"].as_array().unwrap().len(), 1, "{seen}");
}

#[test]
fn a_list_that_is_none_is_2_and_nothing_is_sent() {
    let lab = crowd(1, &[]);
    let address = lab.address("udp").to_owned();
    let good = format!("user1@{address},canary\n");
    for (name, text_of_list, says) in [
        (
            "list.csv",
            format!("aor,pasword\n{good}"),
            ":1:2: `pasword` is unknown; there are aor, name",
        ),
        ("list.csv", good.clone(), ":1:1: no column is named aor"),
        ("list.toml", format!("x = 1\n{good}"), ":2:"),
        ("list", String::new(), "--format"),
        (
            "list.csv",
            "aor,password\n# nobody yet\n".to_owned(),
            "list.csv: it holds no account",
        ),
        ("list.jsonl", "\n".to_owned(), "list.jsonl: it holds no account"),
        ("list.toml", "[defaults]\n".to_owned(), "list.toml: it holds no account"),
    ] {
        let list = named(name, &text_of_list);
        let done = bulk(&list, &[]);
        let errors = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{errors}");
        assert!(
            errors.starts_with("error: ") && errors.contains(says) && done.stdout.is_empty(),
            "{errors}"
        );
        assert!(!errors.contains("canary"), "{errors}");
    }
    let done = bulk(&list(&rows_of(&lab, [1])), &["--output", "jsonl"]);
    assert_eq!(done.status.code(), Some(0));
    let said = lab.end();
    assert_eq!(said.matches("REGISTER").count(), 3, "those of the last run: {said}");
}

#[test]
fn results_for_nobody_are_refused_before_anything_is_sent() {
    let lab = crowd(1, &[]);
    let list = list(&rows_of(&lab, [1]));
    let with_closed_output = |options: &str| {
        let line = format!("{} bulk {} {options} >&-", env!("CARGO_BIN_EXE_regprobe"), path(&list));
        let done = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        (done.status.code(), text(&done.stderr))
    };
    for form in ["jsonl", "csv"] {
        let (status, errors) = with_closed_output(&format!("--output {form}"));
        assert_eq!(status, Some(5), "{errors}");
        assert!(
            errors.starts_with("error: standard output is closed, and what belongs there would be lost"),
            "{errors}"
        );
    }
    let thrown_away = format!("{} bulk {} --output jsonl > /dev/null", env!("CARGO_BIN_EXE_regprobe"), path(&list));
    let done = std::process::Command::new("sh").args(["-c", &thrown_away]).status().unwrap();
    assert_eq!(done.code(), Some(0), "who throws them away has said so");
    let said = lab.end();
    assert_eq!(said.matches("REGISTER").count(), 3, "those of the last run: {said}");
}

#[test]
fn where_nobody_reads_any_more_it_ends_quietly() {
    use std::io::{BufRead as _, BufReader};
    const ROWS: u32 = 60;
    let lab = crowd(ROWS, &[]);
    let list = list(&rows_of(&lab, 1..=ROWS));
    let mut child = lab::command("", &["bulk", path(&list), "--rate", "20/s", "--output", "jsonl"])
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), text(&ended.stderr)), (Some(0), String::new()));
    let said = lab.end();
    let registered = said.matches(", 1 bound").count();
    assert!((1..ROWS as usize).contains(&registered), "it did not go on: {said}");
    // The row that was under way may be removed without having been bound.
    let replies = said
        .lines()
        .filter_map(|line| line.split_once(" REGISTER ")?.1.rsplit_once(": 200, "));
    let left: BTreeMap<&str, &str> = replies.collect();
    assert!(left.values().all(|bound| *bound == "0 bound"), "something is left bound: {said}");
}

#[test]
fn a_list_may_come_through_a_pipe() {
    use std::io::Write as _;
    let lab = crowd(2, &[]);
    let mut child = lab::command("", &["bulk", "-", "--output", "jsonl"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(rows_of(&lab, [1, 2]).as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!(causes_in_order(&results(&done.stdout)), ["registered", "registered"]);
}
