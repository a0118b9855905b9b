//! After an interruption, after failures, and ending early on purpose: no row is lost and none is done twice.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _};

use super::*;

#[test]
fn a_run_that_is_interrupted_goes_on_where_it_was() {
    const ROWS: u32 = 40;
    let lab = crowd(ROWS, &[]);
    let list = list(&rows_of(&lab, 1..=ROWS));
    let mut child = lab::command("", &["bulk", path(&list), "--rate", "20/s", "--output", "jsonl"])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    for _ in 0..5 {
        lines.read_line(&mut first).unwrap();
    }
    lab::interrupt(&child);
    lines.read_to_string(&mut first).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", text(&ended.stderr));
    assert!(text(&ended.stderr).contains("interrupted"), "{}", text(&ended.stderr));
    assert!(first.lines().count() < ROWS as usize && first.ends_with('\n'));

    let file = scratch("results.jsonl", first.as_bytes());
    let append = OpenOptions::new().append(true).open(&file).unwrap();
    let again = lab::command("", &["bulk", path(&list), "--resume", path(&file), "--output", "jsonl"])
        .stdout(append)
        .status()
        .unwrap();
    assert_eq!(again.code(), Some(0));
    let all = fs::read(&file).unwrap();
    let causes = causes_in_order(&results(&all)).len();
    assert_eq!(causes, ROWS as usize, "each row once");
    let said = lab.end();
    assert!(said.matches(", 0 bound").count() >= ROWS as usize, "no binding is left: {said}");
}

#[test]
fn a_result_that_was_cut_off_is_made_again_on_a_line_of_its_own() {
    let lab = crowd(3, &[]);
    let list = list(&rows_of(&lab, 1..=3));
    let whole = bulk(&list, &["--output", "jsonl"]).stdout;
    let cut = &whole[..whole.len() - 40];
    let file = scratch("results.jsonl", cut);
    let append = OpenOptions::new().append(true).open(&file).unwrap();
    let again = lab::command("", &["bulk", path(&list), "--resume", path(&file), "--output", "jsonl"])
        .stdout(append)
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    assert!(text(&again.stderr).contains("1 line without a result"), "{}", text(&again.stderr));
    let lines: Vec<_> = BufReader::new(File::open(&file).unwrap()).lines().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 4, "two whole ones, half a one, and that of the third row: {lines:?}");
    let rows: BTreeSet<u64> = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["row"].as_u64())
        .collect();
    assert_eq!(rows.len(), 3);
}

#[test]
fn only_what_failed_is_probed_again_and_both_together_make_a_list_complete() {
    let lab = crowd(4, &[]);
    let address = lab.address("udp");
    let wrong = format!("aor,password\nuser1@{address},secret1\nuser2@{address},wrong\nuser3@{address},wrong\n");
    let right = list(&rows_of(&lab, 1..=4));
    let earlier = scratch("results.jsonl", &bulk(&list(&wrong), &["--output", "jsonl"]).stdout);
    let rows = |options: &[&str]| {
        let done = bulk(&right, &[options, &["--output", "jsonl"]].concat());
        let rows: Vec<u64> = causes(&results(&done.stdout)).into_iter().map(|(row, _)| row).collect();
        (rows, done.status.code().unwrap())
    };
    let earlier = path(&earlier);
    assert_eq!(rows(&["--only-failed", earlier]), (vec![2, 3], 0));
    assert_eq!(rows(&["--resume", earlier]), (vec![4], 1), "two are still not registered");
    assert_eq!(rows(&["--resume", earlier, "--only-failed", earlier]), (vec![2, 3, 4], 0));
    let none = bulk(&right, &["--resume", path(&right)]);
    assert_eq!(none.status.code(), Some(2));
    assert!(
        text(&none.stderr).contains("holds no result of `regprobe bulk"),
        "{}",
        text(&none.stderr)
    );
}

#[test]
fn after_enough_failures_nothing_begins_and_the_rest_is_told_as_not_done() {
    let lab = crowd(30, &[]);
    let rows = rows_of(&lab, 1..=30).replace(",secret", ",wrong");
    let options = [
        "--fail-fast",
        "3",
        "--max-wrong-passwords",
        "0",
        "--registrar-jobs",
        "1",
        "--output",
        "jsonl",
    ];
    let list = list(&rows);
    let done = bulk(&list, &options);
    let results = results(&done.stdout);
    let causes = causes_in_order(&results);
    let failed = causes.iter().filter(|cause| **cause == "wrong_credentials").count();
    assert_eq!((failed, causes.iter().filter(|cause| **cause == "not_done").count()), (3, 27));
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("3 failed, 27 not done"), "{}", text(&done.stderr));
    // What was not done is done by the next run.
    let earlier = scratch("results.jsonl", &done.stdout);
    let again = bulk(
        &list,
        &["--resume", path(&earlier), "--max-wrong-passwords", "0", "--output", "jsonl"],
    );
    assert_eq!(super::results(&again.stdout).len(), 27);
}
