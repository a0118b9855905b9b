//! The program as it watches, and as the registrar that it watches at. Both end with their owner.

#![allow(dead_code, reason = "each test program compiles this module and uses its own part of it")]

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use jsonschema::Validator;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::support::port::{self, LOOPBACK};
use super::support::process;
use super::support::scratch::Scratch;
use super::support::wait::await_that;

/// A process of the program, whose output goes to files.
struct Process {
    child: Child,
    scratch: Scratch,
}

impl Process {
    fn start(entry: &[OsString], scratch: Scratch, words: &[String], variables: &[(&str, &str)]) -> Self {
        let output = |name: &str| File::create(scratch.file(name)).unwrap();
        let mut command = process::command(entry, env!("CARGO_BIN_EXE_regprobe"));
        command
            .args(words)
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir(scratch.path());
        command.stdin(Stdio::null()).stdout(output("stdout")).stderr(output("stderr"));
        let child = command.spawn().expect("the program was built together with this test");
        Self { child, scratch }
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.scratch.file(name)).unwrap()
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("Linux process ids fit an i32");
        kill(Pid::from_raw(id), signal).expect("the process is ours and was not waited for");
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end; the exit status.
    #[track_caller]
    fn end(&mut self) -> i32 {
        await_that(|| self.has_ended());
        let status = self.child.wait().unwrap();
        status.code().unwrap_or_else(|| panic!("{status}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either it has ended already, or nobody needs it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A lab registrar that listens for UDP and TCP on one port.
pub(crate) struct Registrar {
    process: Process,
    address: SocketAddr,
    words: Vec<String>,
}

impl Registrar {
    /// Starts one with these users.
    pub(crate) fn start(users: &[(&str, &str)], options: &[&str]) -> Self {
        let words = words(users, options);
        // A port that was free may be taken by the time it is asked for.
        (0..5)
            .find_map(|_| Self::listen(&[], SocketAddr::new(LOOPBACK, port::free(LOOPBACK)), &words))
            .expect("one of five free ports")
    }

    /// Starts one in a network where nobody else is, run by the program that leads there.
    pub(crate) fn start_at(entry: &[OsString], address: SocketAddr, users: &[(&str, &str)], options: &[&str]) -> Self {
        Self::listen(entry, address, &words(users, options)).expect("nobody else is there")
    }

    fn listen(entry: &[OsString], address: SocketAddr, words: &[String]) -> Option<Self> {
        let listen = [
            "registrar".to_owned(),
            format!("--listen=udp:{address}"),
            format!("--listen=tcp:{address}"),
        ];
        let all: Vec<String> = listen.into_iter().chain(words.iter().cloned()).collect();
        let mut process = Process::start(entry, Scratch::new("registrar"), &all, &[]);
        let ready = format!("listening on tcp:{address}\n");
        await_that(|| process.has_ended() || process.said("stdout").contains(&ready));
        let words = words.to_vec();
        process.said("stdout").contains(&ready).then_some(Self { process, address, words })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has said.
    pub(crate) fn log(&self) -> String {
        self.process.said("stdout")
    }

    /// How many Contacts of this user were bound after the last request for it.
    pub(crate) fn bound(&self, user: &str) -> u32 {
        let log = self.log();
        let of = format!("REGISTER sip:{user}@");
        let mut counts = log.lines().filter(|line| line.contains(&of)).filter_map(|line| {
            let (before, _) = line.split_once(" bound")?;
            before.rsplit_once(' ')?.1.parse().ok()
        });
        counts.next_back().unwrap_or_default()
    }

    /// How many requests of this user it has seen.
    pub(crate) fn requests(&self, user: &str) -> usize {
        self.log().matches(&format!("REGISTER sip:{user}@")).count()
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(self) -> Gone {
        let Self { process, address, words } = self;
        drop(process);
        port::await_free(address);
        Gone { address, words }
    }
}

/// A registrar that is gone.
pub(crate) struct Gone {
    address: SocketAddr,
    words: Vec<String>,
}

impl Gone {
    /// Starts it again where it was; it has forgotten everything.
    pub(crate) fn comes_back(self) -> Registrar {
        Registrar::listen(&[], self.address, &self.words).expect("nobody else has taken its port")
    }
}

/// A watch that runs, with `--output jsonl`.
pub(crate) struct Watch {
    process: Process,
    list: String,
    /// How many lines were looked at.
    seen: usize,
}

/// A watch that has ended.
pub(crate) struct Ended {
    /// Its exit status.
    pub(crate) status: i32,
    /// All its lines.
    pub(crate) lines: Vec<Value>,
    /// What it said on standard error.
    pub(crate) errors: String,
}

impl Watch {
    /// Watches a TOML list.
    pub(crate) fn start(list: &str, words: &[&str]) -> Self {
        Self::of("list.toml", list, words)
    }

    /// Watches a list of this name.
    pub(crate) fn of(name: &str, list: &str, words: &[&str]) -> Self {
        Self::by(&[], name, list, words)
    }

    /// The same, run by another program, such as the one that leads into a namespace.
    pub(crate) fn by(entry: &[OsString], name: &str, list: &str, words: &[&str]) -> Self {
        let scratch = Scratch::new("watch");
        write(&scratch, name, list);
        let words: Vec<String> = ["watch", name].iter().chain(words).map(|&word| word.to_owned()).collect();
        Self {
            process: Process::start(entry, scratch, &words, &[("SECRET", "secret")]),
            list: name.to_owned(),
            seen: 0,
        }
    }

    /// Replaces the list.
    pub(crate) fn rewrite(&self, list: &str) {
        write(&self.process.scratch, &self.list, list);
    }

    /// Replaces the list and has it read again; what it says of that.
    #[track_caller]
    pub(crate) fn reread(&self, list: &str) -> String {
        let before = self.process.said("stderr").len();
        self.rewrite(list);
        self.process.signal(Signal::SIGHUP);
        let said = || self.process.said("stderr").get(before..).unwrap_or_default().to_owned();
        await_that(|| said().ends_with('\n'));
        said()
    }

    /// Waits for the next line of this kind about this account, and gives it.
    #[track_caller]
    pub(crate) fn line(&mut self, event: &str, name: &str) -> Value {
        self.line_with(|line| line["event"] == event && line["name"] == name)
    }

    /// Waits for the line that says that this account is registered.
    #[track_caller]
    pub(crate) fn registered(&mut self, name: &str) -> Value {
        self.line_with(|line| line["event"] == "changed" && line["name"] == name && line["state"] == "REGISTERED_STATE")
    }

    /// Waits for the line that says that this account has failed for this cause.
    #[track_caller]
    pub(crate) fn failed(&mut self, name: &str, cause: &str) -> Value {
        self.line_with(|line| line["event"] == "changed" && line["name"] == name && line["cause"] == cause)
    }

    /// Waits for the next line of this kind. Lines about different accounts may come in any order: those before it are looked at again.
    #[track_caller]
    fn line_with(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        await_that(|| {
            let lines = lines(&self.process.said("stdout"));
            found = lines
                .iter()
                .enumerate()
                .skip(self.seen)
                .find(|(_, line)| is_it(line))
                .map(|(at, line)| (at, line.clone()));
            found.is_some() || self.process.has_ended()
        });
        let (at, line) = found.unwrap_or_else(|| panic!("it ended: {}{}", self.process.said("stdout"), self.process.said("stderr")));
        if line["event"] != "changed" && line["event"] != "added" {
            self.seen = at + 1;
        }
        line
    }

    /// Only lines from now on are waited for.
    pub(crate) fn forget(&mut self) {
        self.seen = lines(&self.process.said("stdout")).len();
    }

    /// How many lines there are.
    pub(crate) fn lines(&self) -> usize {
        lines(&self.process.said("stdout")).len()
    }

    /// SIGTERM, and waits for its end.
    #[track_caller]
    pub(crate) fn terminate(self) -> Ended {
        self.process.signal(Signal::SIGTERM);
        self.ended()
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.process.signal(Signal::SIGINT);
    }

    /// Ctrl-C again and again until it has ended.
    #[track_caller]
    pub(crate) fn insist(&mut self) {
        await_that(|| {
            self.process.signal(Signal::SIGINT);
            self.process.has_ended()
        });
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        let status = self.process.end();
        let lines = lines(&self.process.said("stdout"));
        for line in &lines {
            let strays: Vec<_> = schema().iter_errors(line).map(|error| error.to_string()).collect();
            assert!(strays.is_empty(), "the schema says otherwise: {strays:?}: {line}");
        }
        Ended {
            status,
            lines,
            errors: self.process.said("stderr"),
        }
    }
}

/// The options of a registrar with these users.
fn words(users: &[(&str, &str)], options: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = options.iter().map(|&word| word.to_owned()).collect();
    for (name, password) in users {
        words.extend(["--user".to_owned(), format!("{name}:{password}")]);
    }
    words
}

/// The whole lines of a text that may end in the middle of one.
fn lines(text: &str) -> Vec<Value> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect()
}

/// Writes a list that nobody else can read, so that nothing is said about that.
fn write(scratch: &Scratch, name: &str, list: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = scratch.write(name, list);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The schema of a line, as the program publishes it.
fn schema() -> &'static Validator {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let printed = Command::new(env!("CARGO_BIN_EXE_regprobe"))
            .args(["schema", "watch"])
            .output()
            .unwrap();
        jsonschema::validator_for(&serde_json::from_slice(&printed.stdout).unwrap()).unwrap()
    })
}
