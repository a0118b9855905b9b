//! One run of the real program: in a directory of its own, with an environment of its own, ended when it takes too long. What it
//! says is given as a report, held to what a test expects. Not for a registrar that keeps running: see `lab`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::ops::Index;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use jsonschema::Validator;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::process;
use super::scratch::Scratch;
use super::wait::await_that;

/// A command line of `regprobe`, with the password `secret` unless told otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    entry: Vec<OsString>,
    words: Vec<String>,
    password: Option<String>,
    variables: Vec<(String, String)>,
}

impl Run {
    /// `regprobe` with these words.
    pub(crate) fn new(words: &[&str]) -> Self {
        Self {
            entry: Vec::new(),
            words: words.iter().map(|&word| word.to_owned()).collect(),
            password: Some("secret".to_owned()),
            variables: Vec::new(),
        }
    }

    /// `regprobe probe AOR`.
    pub(crate) fn probe(aor: &str) -> Self {
        Self::new(&["probe", aor])
    }

    /// More words.
    pub(crate) fn with(mut self, words: &[&str]) -> Self {
        self.words.extend(words.iter().map(|&word| word.to_owned()));
        self
    }

    /// Run by another program, such as the one that leads into a namespace.
    pub(crate) fn by(mut self, entry: &[OsString]) -> Self {
        self.entry = entry.to_vec();
        self
    }

    /// Another password.
    pub(crate) fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// No password, and nobody to ask for one.
    pub(crate) fn without_password(mut self) -> Self {
        self.password = None;
        self
    }

    /// `SSLKEYLOGFILE`.
    pub(crate) fn key_log(self, path: &str) -> Self {
        self.variable("SSLKEYLOGFILE", path)
    }

    /// A variable of the environment, which is empty but for this and the password.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it with `--output json` to its end.
    #[track_caller]
    pub(crate) fn report(self) -> Reported {
        self.start().report()
    }

    /// Runs `verify` with `--output json` to its end, and without a word on standard error.
    #[track_caller]
    pub(crate) fn verified(self) -> Reported {
        let (report, warnings) = self.verified_with_warnings();
        assert_eq!(warnings, "", "{report}");
        report
    }

    /// The same, with what it says on standard error.
    #[track_caller]
    pub(crate) fn verified_with_warnings(self) -> (Reported, String) {
        self.start().ended(Contract::Verification)
    }

    /// Runs it to its end and takes what it prints as it is.
    #[track_caller]
    pub(crate) fn printed(self) -> Printed {
        self.spawn().printed()
    }

    /// Starts it with `--output json`.
    pub(crate) fn start(self) -> Running {
        self.with(&["--output", "json"]).spawn()
    }

    /// Starts it as it is.
    pub(crate) fn spawn(self) -> Running {
        let scratch = Scratch::new("run");
        let output = |name: &str| File::create(scratch.file(name)).expect("a scratch directory is writable");
        let mut command = process::command(&self.entry, env!("CARGO_BIN_EXE_regprobe"));
        command.args(&self.words);
        command.env_clear().env("HOME", scratch.path()).current_dir(scratch.path());
        command.envs(self.password.iter().map(|password| ("REGPROBE_PASSWORD", password)));
        command.envs(self.variables.iter().cloned());
        command.stdin(Stdio::null()).stdout(output(STDOUT)).stderr(output(STDERR));
        let child = command.spawn().expect("the program was built together with this test");
        Running {
            line: self.words.join(" "),
            child,
            scratch,
        }
    }
}

/// The program while it runs. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    line: String,
    child: Child,
    scratch: Scratch,
}

impl Running {
    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Any signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("Linux process ids fit an i32");
        kill(Pid::from_raw(id), signal).expect("the process is ours and was not waited for");
    }

    /// Ctrl-C again and again until it has ended.
    #[track_caller]
    pub(crate) fn insist(&mut self) {
        await_that(|| {
            self.interrupt();
            self.child.try_wait().expect("a child can be waited for").is_some()
        });
    }

    /// Ends it at once (SIGKILL); what it had printed by then, and said on standard error.
    pub(crate) fn killed(mut self) -> (String, String) {
        self.child.kill().expect("it was not waited for");
        let status = self.child.wait().expect("a child can be waited for");
        assert_eq!(status.signal(), Some(Signal::SIGKILL as i32), "{}: it had ended before", self.line);
        (self.said(STDOUT), self.said(STDERR))
    }

    /// What it has printed so far.
    pub(crate) fn printed_so_far(&self) -> String {
        self.said(STDOUT)
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.scratch.file(name)).expect("what the program writes is text")
    }

    /// Waits for its end and reads its report. A program that goes on after `ENDS_WITHIN` fails the test.
    #[track_caller]
    pub(crate) fn report(self) -> Reported {
        let (report, errors) = self.ended(Contract::Report);
        assert_eq!(errors, "", "{report}");
        report
    }

    /// Waits for its end and holds what it says to the schema of this contract; beside it what it says on standard error.
    #[track_caller]
    fn ended(self, contract: Contract) -> (Reported, String) {
        let printed = self.printed();
        let Printed { line, output, errors, .. } = &printed;
        let json = serde_json::from_str(output).unwrap_or_else(|error| panic!("{line}: {error}: {output}{errors}"));
        let strays: Vec<_> = contract.schema().iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(strays.is_empty(), "{line}: the schema says otherwise: {strays:?}: {output}");
        let report = Reported {
            line: printed.line,
            status: printed.status,
            output: printed.output,
            json,
        };
        (report, printed.errors)
    }

    /// Waits for its end and takes what it has printed as it is.
    #[track_caller]
    pub(crate) fn printed(mut self) -> Printed {
        let status = self.end();
        let read = |name| self.said(name);
        Printed {
            line: self.line.clone(),
            status: status.code().unwrap_or_else(|| panic!("{}: {status}", self.line)),
            output: read(STDOUT),
            errors: read(STDERR),
        }
    }

    #[track_caller]
    fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + ENDS_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(Instant::now() < deadline, "{}: still running after {ENDS_WITHIN:?}", self.line);
            // The standard library waits for a child for ever or not at all.
            thread::sleep(POLL_EVERY);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either it has ended already, or nobody needs it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program printed.
#[derive(Debug)]
pub(crate) struct Printed {
    /// The command line, without the program.
    pub(crate) line: String,
    /// The exit status.
    pub(crate) status: i32,
    /// Standard output.
    pub(crate) output: String,
    /// Standard error.
    pub(crate) errors: String,
}

/// What the program said: `report["/binding/removal"]` is a value by its JSON pointer, null when it is not there.
#[derive(Debug)]
pub(crate) struct Reported {
    line: String,
    /// The exit status.
    pub(crate) status: i32,
    /// Standard output as it came.
    pub(crate) output: String,
    json: Value,
}

impl Reported {
    /// Registered, confirmed by state and exit status alike.
    #[track_caller]
    pub(crate) fn registered(self) -> Self {
        self.holds(&[
            ("/state", "REGISTERED_STATE".into()),
            ("/state_code", 3.into()),
            ("/registered", true.into()),
            ("/cause", Value::Null),
        ]);
        assert_eq!(self.status, 0, "{self}");
        self
    }

    /// Done: what a run says that was not to register.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        self.holds(&[("/cause", Value::Null), ("/registered", false.into())]);
        assert_eq!(self.status, 0, "{self}");
        self
    }

    /// Failed for this reason, with this state's code as the exit status.
    #[track_caller]
    pub(crate) fn failed(self, cause: &str, status: i32) -> Self {
        self.holds(&[
            ("/cause", cause.into()),
            ("/registered", false.into()),
            ("/state_code", status.into()),
        ]);
        assert_eq!(self.status, status, "{self}");
        assert!(self["/advice"].is_string(), "a failure comes with advice: {self}");
        self
    }

    /// These values stand at these JSON pointers.
    #[track_caller]
    pub(crate) fn holds(&self, values: &[(&str, Value)]) {
        for (pointer, value) in values {
            assert_eq!(&self[pointer], value, "{pointer}: {self}");
        }
    }

    /// The message of a finding that has to be there.
    #[track_caller]
    pub(crate) fn finding(&self, id: &str) -> &str {
        let found = self.array("/findings").iter().find(|finding| finding["id"] == id);
        let message = found.and_then(|finding| finding["message"].as_str());
        message.unwrap_or_else(|| panic!("no finding {id}: {self}"))
    }

    /// The findings' ids, the gravest first.
    #[track_caller]
    pub(crate) fn findings(&self) -> Vec<&str> {
        self.strings("/findings", "id")
    }

    /// The Contacts of the bindings that are not our own.
    #[track_caller]
    pub(crate) fn contacts(&self) -> Vec<&str> {
        self.strings("/other_bindings", "contact")
    }

    /// What became of each target, in their order.
    #[track_caller]
    pub(crate) fn outcomes(&self) -> Vec<&str> {
        self.strings("/network/targets", "outcome")
    }

    /// One text of each element of an array.
    #[track_caller]
    pub(crate) fn strings(&self, array: &str, key: &str) -> Vec<&str> {
        self.array(array).iter().filter_map(|element| element[key].as_str()).collect()
    }

    /// A text that has to be there.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self[pointer].as_str().unwrap_or_else(|| panic!("{pointer} is no text: {self}"))
    }

    /// How long all of it took, by the program's own clock.
    #[track_caller]
    pub(crate) fn total(&self) -> Duration {
        let milliseconds = self["/phases_ms/total"].as_f64();
        Duration::from_secs_f64(milliseconds.unwrap_or_else(|| panic!("no total: {self}")) / 1000.0)
    }

    /// The messages of `--trace` that went this way: `sent` or `received`.
    #[track_caller]
    pub(crate) fn messages(&self, direction: &str) -> Vec<&str> {
        let entries = self.array("/transcript").iter().filter(|entry| entry["direction"] == direction);
        entries.filter_map(|entry| entry["text"].as_str()).collect()
    }

    #[track_caller]
    fn array(&self, pointer: &str) -> &[Value] {
        self[pointer].as_array().unwrap_or_else(|| panic!("{pointer} is no list: {self}"))
    }
}

impl Index<&str> for Reported {
    type Output = Value;

    fn index(&self, pointer: &str) -> &Value {
        self.json.pointer(pointer).unwrap_or(&Value::Null)
    }
}

impl std::fmt::Display for Reported {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "regprobe {}: status {}: {:#}", self.line, self.status, self.json)
    }
}

/// Which of the program's contracts an output follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contract {
    Report,
    Verification,
}

impl Contract {
    /// The schema, as the program publishes it.
    fn schema(self) -> &'static Validator {
        static REPORT: OnceLock<Validator> = OnceLock::new();
        static VERIFICATION: OnceLock<Validator> = OnceLock::new();
        match self {
            Self::Report => REPORT.get_or_init(|| published(&["schema"])),
            Self::Verification => VERIFICATION.get_or_init(|| published(&["schema", "verify"])),
        }
    }
}

fn published(words: &[&str]) -> Validator {
    let printed = Command::new(env!("CARGO_BIN_EXE_regprobe")).args(words).output();
    let printed = printed.expect("the program was built together with this test").stdout;
    let schema = serde_json::from_slice(&printed).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is valid")
}

const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";
const ENDS_WITHIN: Duration = Duration::from_secs(30);
const POLL_EVERY: Duration = Duration::from_millis(2);
