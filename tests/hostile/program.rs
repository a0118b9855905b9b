//! The real program with limits that a hostile peer must not make it reach: on time, on memory, and on what it writes. Every run
//! is held to all of them, whatever else a test asks. Not for peers: those are in `support::hostile`.

use std::net::SocketAddr;
use std::ops::Deref;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, fs};

use serde_json::Value;

use crate::support::process::find;
use crate::support::scratch::Scratch;

/// The password of every account here. It must not appear in any output.
pub(crate) const PASSWORD: &str = "canary-8c1f";

/// What a run has written, and its exit status.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    /// Standard output.
    pub(crate) text: String,
    /// Standard error.
    pub(crate) talk: String,
}

/// The JSON report of a run.
#[derive(Debug)]
pub(crate) struct Report(Value);

/// Runs `regprobe probe` for `alice` at this peer; see [`run_line`].
pub(crate) fn run(transport: &str, peer: SocketAddr, options: &[&str]) -> Ended {
    let aor = format!("sip:alice@{peer}");
    let command = [&["probe", &aor, "--transport", transport, "--timeout", TIMEOUT], options].concat();
    run_line(&command)
}

/// Runs any command line that has nothing to say beside its output. Panics when it has to be killed, when memory does not suffice, and
/// when its output holds anything that is not for showing.
pub(crate) fn run_line(command: &[&str]) -> Ended {
    let ended = run_talking(command);
    assert_eq!(ended.talk, "", "{command:?}");
    ended
}

/// The same for a command line that may talk on standard error.
pub(crate) fn run_talking(command: &[&str]) -> Ended {
    run_with(&[], command)
}

/// The same with these variables in its environment.
pub(crate) fn run_with(variables: &[(&str, &str)], command: &[&str]) -> Ended {
    let memory = match command {
        _ if command.contains(&"--dns") => MEMORY_OF_MUCH,
        ["providers", _, _, "list", ..] => MEMORY_OF_A_LIST,
        _ => MEMORY,
    };
    let (output, peak) = limited(variables, command, memory);
    let beyond_start = peak.saturating_sub(at_start());
    match memory {
        MEMORY => assert!(beyond_start < BEYOND_START, "{command:?}: {peak} KiB were resident"),
        MEMORY_OF_MUCH => assert!(beyond_start < memory / 1024, "{command:?}: {peak} KiB were resident"),
        _ => {}
    }
    judge(command, output)
}

/// Runs with so many bytes of memory, until it ends or has to be killed; what it wrote, and the most memory that was resident, in KiB.
fn limited(variables: &[(&str, &str)], command: &[&str], memory: u64) -> (Output, u64) {
    let scratch = Scratch::new("run");
    let peak = scratch.file("peak");
    let at_most = timeout_of(command) + MARGIN;
    let output = Command::new(find("setpriv"))
        .args(["--pdeathsig", "TERM"])
        .arg(find("timeout"))
        .args(["-s", "KILL", &at_most.as_secs().to_string()])
        // The kernel's own account of the one process that it starts (getrusage(2), ru_maxrss): no look at it can come too late.
        .arg(find("time"))
        .args(["--format", "%M", "--output"])
        .arg(&peak)
        .arg(find("prlimit"))
        .arg(format!("--data={memory}"))
        .arg(env!("CARGO_BIN_EXE_regprobe"))
        .args(command)
        .env("REGPROBE_PASSWORD", PASSWORD)
        .env_remove("SSLKEYLOGFILE")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("setpriv can be started");
    // Before it there may be a line about how it ended.
    let said = fs::read_to_string(&peak).unwrap_or_default();
    let peak = said.lines().last().and_then(|line| line.parse().ok());
    let peak = peak.unwrap_or_else(|| panic!("{command:?} was killed after {at_most:?}: {said}{output:?}"));
    eprintln!("{peak:6} KiB at most: regprobe {}", command.join(" "));
    (output, peak)
}

/// What the program takes before it does anything, in KiB.
fn at_start() -> u64 {
    static AT_START: OnceLock<u64> = OnceLock::new();
    *AT_START.get_or_init(|| limited(&[], &["--version"], MEMORY).1)
}

/// The time that the command line gives the program itself.
fn timeout_of(command: &[&str]) -> Duration {
    let mut values = command
        .iter()
        .zip(command.iter().skip(1))
        .filter(|(option, _)| **option == "--timeout");
    let Some((_, value)) = values.next_back() else {
        return USUAL_TIMEOUT;
    };
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("not a time: {value}"));
    match value.strip_suffix("ms") {
        Some(milliseconds) => Duration::from_millis(number(milliseconds)),
        None => Duration::from_secs(number(value.trim_end_matches('s'))),
    }
}

/// Holds output and exit status to what is promised for all of them.
fn judge(command: &[&str], output: Output) -> Ended {
    let text = String::from_utf8(output.stdout).expect("all output is UTF-8");
    let talk = String::from_utf8(output.stderr).expect("all talk is UTF-8");
    let status = output
        .status
        .code()
        .unwrap_or_else(|| panic!("{command:?} was killed: {text}{talk}"));
    assert!(
        [0, 1, 2, 3, 4, 5, 6, 7].contains(&status),
        "{command:?} ended with {status}: {text}{talk}"
    );
    for written in [&text, &talk] {
        let raw = written.chars().find(|character| acts_on_a_terminal(*character));
        assert_eq!(raw, None, "{command:?}: {written:?}");
        assert!(!written.contains(PASSWORD), "{command:?}: {written}");
    }
    Ended { status, text, talk }
}

/// Control characters but for line ends, and what reorders or hides text (Unicode's bidirectional and zero-width characters).
fn acts_on_a_terminal(character: char) -> bool {
    let hides = matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    );
    (character.is_control() && character != '\n') || hides
}

/// Runs with `--output json`.
pub(crate) fn report_with(transport: &str, peer: SocketAddr, options: &[&str]) -> Report {
    let aor = format!("sip:alice@{peer}");
    report_of(&[&["probe", &aor, "--transport", transport, "--timeout", TIMEOUT], options].concat())
}

/// Runs a whole command line with `--output json` behind it.
pub(crate) fn report_of(command: &[&str]) -> Report {
    let ended = run_line(&[command, &["--output", "json"]].concat());
    let report: Value = serde_json::from_str(&ended.text).unwrap_or_else(|error| panic!("{error}: {}", ended.text));
    let code = if report["cause"].is_null() {
        0.into()
    } else {
        report["state_code"].clone()
    };
    assert_eq!(Value::from(ended.status), code, "{report}");
    if env::var_os(STRICT).is_some() {
        ends_in_time(command, &report);
    }
    Report(report)
}

/// Holds a run to what is promised of its time, by its own clock: `scripts/bounds` asks for it, on a machine that does nothing else. The
/// same is held in virtual time whenever the tests run: no exchange outlives its deadline (`sip_sim::property`).
fn ends_in_time(command: &[&str], report: &Value) {
    let Some(total) = report["phases_ms"]["total"].as_f64() else {
        return;
    };
    let total = Duration::from_secs_f64(total / 1000.0);
    eprintln!("{total:9.3?} of {:?}: regprobe {}", timeout_of(command), command.join(" "));
    assert!(total <= timeout_of(command) + Duration::from_secs(1), "{command:?} took {total:?}");
}

/// Runs with `--output json` and no more options.
pub(crate) fn report(transport: &str, peer: SocketAddr) -> Report {
    report_with(transport, peer, &[])
}

impl Report {
    /// The cause, or `registered`, or what else it came to.
    pub(crate) fn outcome(&self) -> &str {
        match (self.0["cause"].as_str(), self.0["registered"].as_bool()) {
            (Some(cause), _) => cause,
            (None, Some(true)) => "registered",
            (None, _) => "neither registered nor failed",
        }
    }

    /// Whether there is such a finding.
    pub(crate) fn finds(&self, id: &str) -> bool {
        let findings = self.0["findings"].as_array().expect("findings are a list");
        findings.iter().any(|finding| finding["id"] == id)
    }
}

impl Deref for Report {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

/// The program's own limit, for what cannot end sooner.
pub(crate) const TIMEOUT: &str = "2s";
/// The same without `--timeout`.
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);
/// The tests' limit, beyond the program's own: the start of a process on a busy machine, a second exchange, and much more.
const MARGIN: Duration = Duration::from_secs(20);
/// The most memory that may ever be resident beyond what the program takes to say its version, in KiB, without DNS. Together with what a released
/// build takes for a whole probe (docs/performance.md) it is less than 32 MiB; the build of the tests, without optimisation, is larger by
/// itself.
const BEYOND_START: u64 = 23 * 1024;
/// With this variable the tests hold the program to its times as well.
const STRICT: &str = "REGPROBE_STRICT_TIME";
/// How much memory the program may ever ask for, in bytes (setrlimit(2), RLIMIT_DATA: heap and other private pages). All of these
/// tests pass with a quarter of it; one buffer that follows a Content-Length of 4 GiB, or an endless header, does not.
const MEMORY: u64 = 16 * 1024 * 1024;
/// The most that any probe may have, for those that ask DNS: two answers at a time of thousands of records, each of which takes twenty
/// times its bytes.
const MEMORY_OF_MUCH: u64 = 32 * 1024 * 1024;
/// What `providers ... list` may have: it shows all pages together, 16 MiB of JSON at most.
const MEMORY_OF_A_LIST: u64 = 256 * 1024 * 1024;

#[test]
fn the_limit_on_memory_is_real() {
    let version = ["--version"];
    assert!(limited(&[], &version, MEMORY).0.status.success());
    assert!(!limited(&[], &version, 64 * 1024).0.status.success());
}

#[test]
fn the_measure_of_memory_is_real() {
    let scratch = Scratch::new("peak");
    let peak = |megabytes: u64| {
        let text = "x".repeat(1024 * 1024);
        let file = scratch.write("list.csv", &text.repeat(usize::try_from(megabytes).unwrap()));
        let (_, peak) = limited(&[], &["inspect", file.to_str().unwrap()], 256 * 1024 * 1024);
        peak
    };
    let (small, large) = (peak(0), peak(8));
    assert!(small > 1024 && large > small, "{small} and {large} KiB");
}
