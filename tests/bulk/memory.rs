//! A list may be longer than memory: ten times as many rows take no more of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, Stdio};
use std::thread;

use super::*;

const FIRST: u64 = 10_000;
const ALL: u64 = 100_000;
/// What may be on top of it for reasons of the allocator's own, in KiB.
const SLACK: u64 = 4 * 1024;

#[test]
fn a_hundred_thousand_rows_take_as_much_memory_as_ten_thousand() {
    let mut child = lab::command("", &["bulk", "-", "--output", "jsonl"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let (process, mut rows) = (child.id(), child.stdin.take().unwrap());
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut results = |from: u64, until: u64, rows: ChildStdin| {
        let writing = thread::spawn(move || write_rows(rows, from, until));
        let mut line = String::new();
        for row in from..until {
            line.clear();
            lines.read_line(&mut line).unwrap();
            assert!(line.starts_with(&format!("{{\"row\":{},", row + 1)), "{line}");
        }
        writing.join().unwrap()
    };
    rows.write_all(b"aor,name,expires\n").unwrap();
    let rows = results(0, FIRST, rows);
    let first = peak_of(process);
    let rows = results(FIRST, ALL, rows);
    let all = peak_of(process);
    drop(rows);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        text(&ended.stderr).contains(&format!("0 of {ALL} rows registered")),
        "{}",
        text(&ended.stderr)
    );
    assert!(all <= first + SLACK, "{first} KiB after {FIRST} rows, {all} KiB after {ALL}");
}

/// Rows that are no accounts, so that nothing is sent: each is read, judged and told.
fn write_rows(mut rows: ChildStdin, from: u64, until: u64) -> ChildStdin {
    let mut text = String::new();
    for row in from..until {
        text += &format!("user{row}@registrar-{row}.example.test,name of {row},never\n");
        if text.len() > 60_000 {
            rows.write_all(text.as_bytes()).unwrap();
            text.clear();
        }
    }
    rows.write_all(text.as_bytes()).unwrap();
    rows
}

/// The most memory that the process has had, in KiB.
fn peak_of(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim_end_matches("kB").trim().parse().unwrap()
}
