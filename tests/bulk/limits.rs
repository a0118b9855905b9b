//! How gently registrars are treated: what is under way at one, wrong passwords, and that one does not hold up another.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;

#[test]
fn after_some_wrong_passwords_the_rest_is_held_back_and_another_registrar_is_not() {
    let lab = crowd(20, &[]);
    let other = crowd(20, &[]);
    let wrong = rows_of(&lab, 1..=20).replace(",secret", ",wrong");
    let right = rows_of(&other, 1..=20).replace("aor,password\n", "");
    let done = bulk(
        &list(&(wrong + &right)),
        &["--registrar-jobs", "1", "--max-wrong-passwords", "4", "--output", "jsonl"],
    );
    let results = results(&done.stdout);
    let causes = causes_in_order(&results);
    let count = |cause: &str| causes.iter().filter(|each| **each == cause).count();
    assert_eq!((count("wrong_credentials"), count("held_back"), count("registered")), (4, 16, 20));
    assert_eq!(done.status.code(), Some(1));
    let held = results.iter().find(|result| result["cause"] == "held_back").unwrap();
    assert!(held["detail"].as_str().unwrap().contains("too many passwords were wrong"), "{held}");
    assert_eq!((&held["started_at"], &held["requests"]), (&Value::Null, &0.into()));
    assert!(text(&done.stderr).contains("16 held back"), "{}", text(&done.stderr));
}

#[test]
fn those_that_are_under_way_then_end_and_zero_is_no_limit() {
    let lab = crowd(30, &[]);
    let rows = list(&rows_of(&lab, 1..=30).replace(",secret", ",wrong"));
    let done = bulk(
        &rows,
        &["--registrar-jobs", "10", "--max-wrong-passwords", "2", "--output", "jsonl"],
    );
    let results = results(&done.stdout);
    let causes = causes_in_order(&results);
    let wrong = causes.iter().filter(|cause| **cause == "wrong_credentials").count();
    assert!((2..2 + 10).contains(&wrong), "{causes:?}");
    assert_eq!(causes.iter().filter(|cause| **cause == "held_back").count(), 30 - wrong);
    let done = bulk(&rows, &["--max-wrong-passwords", "0", "--output", "jsonl"]);
    let results = super::results(&done.stdout);
    assert!(causes_in_order(&results).iter().all(|cause| *cause == "wrong_credentials"));
}

#[test]
fn a_registrar_that_is_silent_does_not_hold_up_the_others() {
    let silent = crowd(1, &["--fault", "silence"]);
    let quick = crowd(60, &[]);
    let (silent_at, quick_at) = (silent.address("udp"), quick.address("udp"));
    let rows: String = (1..=60)
        .map(|number| format!("user1@{silent_at},secret1\nuser{number}@{quick_at},secret{number}\n"))
        .collect();
    let list = list(&format!("aor,password\n{rows}"));
    let options = [
        "--registrar-jobs",
        "1",
        "--timeout",
        "20s",
        "--output",
        "jsonl",
        "--registrar-rate",
        "1000/s",
    ];
    let mut child = lab::command("", &[&["bulk", path(&list)], &options[..]].concat()).spawn().unwrap();
    // The first row of the silent one alone would take longer than all of the others.
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap());
    for _ in 0..60 {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut lines, &mut line).unwrap();
        assert!(line.contains("\"registered\":true"), "{line}");
    }
    lab::interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn no_more_rows_than_asked_for_are_under_way_at_one_registrar() {
    const JOBS: usize = 4;
    const ROWS: usize = 24;
    let registrar = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = registrar.local_addr().unwrap();
    let rows: String = (0..ROWS).map(|number| format!("user{number}@{address}\n")).collect();
    let list = list(&format!("aor\n{rows}"));
    let jobs = JOBS.to_string();
    let options = [
        "--registrar-jobs",
        &jobs,
        "--registrar-rate",
        "100000/s",
        "--timeout",
        "30s",
        "--output",
        "jsonl",
    ];
    let child = lab::command("", &[&["bulk", path(&list)], &options[..]].concat()).spawn().unwrap();
    let (mut waiting, mut seen, mut buffer) = (VecDeque::new(), Vec::new(), [0; 4096]);
    registrar.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    while seen.len() < ROWS || !waiting.is_empty() {
        match registrar.recv_from(&mut buffer) {
            Ok((length, from)) => {
                let request = text(&buffer[..length]);
                let call = header(&request, "Call-ID");
                // What is sent again is no other exchange.
                if !seen.contains(&call) {
                    seen.push(call);
                    waiting.push_back((refusal(&request), from));
                }
                assert!(waiting.len() <= JOBS, "{} are under way", waiting.len());
            }
            // Nothing more comes by itself: as many as may be are under way, and one of them is let go.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let expected = JOBS.min(ROWS - (seen.len() - waiting.len()));
                assert_eq!(waiting.len(), expected, "as many are under way as may be");
                for (reply, to) in waiting.drain(..) {
                    registrar.send_to(reply.as_bytes(), to).unwrap();
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
    let done = child.wait_with_output().unwrap();
    let results = results(&done.stdout);
    assert!(causes_in_order(&results).iter().all(|cause| *cause == "unknown_user"));
}

fn header(request: &str, name: &str) -> String {
    let line = request.lines().find(|line| line.starts_with(name));
    line.unwrap_or_else(|| panic!("no {name} in {request}")).to_owned()
}

/// Says 404, which ends the exchange.
fn refusal(request: &str) -> String {
    let repeated = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| header(request, name));
    format!("SIP/2.0 404 Not Found\r\n{}\r\nContent-Length: 0\r\n\r\n", repeated.join("\r\n"))
}

/// Runs a list on a terminal of its own (`script` of util-linux), types each answer once it is asked, and gives what the terminal
/// showed, with the exit status.
fn answered_on_a_terminal(list: &Path, answers: &[&str]) -> (String, Option<i32>) {
    let options = "--registrar-jobs 1 --registrar-rate 10000/s --max-wrong-passwords 2";
    let line = format!("{} bulk {} {options}", env!("CARGO_BIN_EXE_regprobe"), path(list));
    let mut terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("NO_COLOR", "1")
        .env_remove("REGPROBE_PASSWORD")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is part of every Debian");
    let (mut input, mut output) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
    let mut shown = Vec::new();
    for answer in answers {
        let asked = shown.len();
        while !shown[asked..].ends_with(b"go on? [y/N/a] ") {
            let mut byte = [0];
            assert_eq!(output.read(&mut byte).unwrap(), 1, "nothing was asked: {}", text(&shown));
            shown.extend(byte);
        }
        input.write_all(answer.as_bytes()).unwrap();
    }
    output.read_to_end(&mut shown).unwrap();
    (text(&shown), terminal.wait().unwrap().code())
}

#[test]
fn who_is_at_the_terminal_is_asked_before_more_passwords_are_tried() {
    let lab = crowd(9, &[]);
    let list = list(&rows_of(&lab, 1..=9).replace(",secret", ",wrong"));
    for (answers, says) in [
        (&["n\r"][..], "0 of 9 rows registered, 2 failed, 7 held back"),
        (&["y\r", "\r"], "0 of 9 rows registered, 4 failed, 5 held back"),
        (&["a\r"], "0 of 9 rows registered, 9 failed in "),
    ] {
        let (shown, status) = answered_on_a_terminal(&list, answers);
        assert!(shown.contains(says), "{shown}");
        for (asked, _) in (1..).zip(answers) {
            let question = format!("{} wrong passwords at sip:127.0.0.1:", 2 * asked);
            assert!(shown.contains(&question), "all of them are counted: {shown}");
        }
        assert_eq!(status, Some(1), "{shown}");
    }
}
