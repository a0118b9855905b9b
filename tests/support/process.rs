//! A child process that ends with the test: killed and waited for when dropped, and ended by the kernel if the test itself
//! is killed. Its output goes to a log file, shown when the test fails. Not for what the child does: that is for
//! `kamailio`, `dnsmasq` and `sipp`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::scratch::Scratch;

/// A running program.
#[derive(Debug)]
pub(crate) struct Process {
    program: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` in the scratch directory. It receives SIGTERM as soon as the calling thread ends.
    pub(crate) fn start<A: AsRef<OsStr>>(program: &str, arguments: &[A], scratch: &Scratch) -> Self {
        let log = scratch.file(&format!("{program}.log"));
        let output = File::create(&log).expect("a scratch directory is writable");
        let errors = output.try_clone().expect("an open file can be duplicated");
        let child = Command::new(find("setpriv"))
            .args(["--pdeathsig", "TERM"])
            .arg(find(program))
            .args(arguments)
            .current_dir(scratch.path())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {program}: {error}"));
        Self {
            program: program.to_owned(),
            child,
            log,
        }
    }

    /// Waits, at most `READY_WITHIN`, until `is_ready` says so.
    ///
    /// # Errors
    /// What became of the program, with its log, when it ended or did not become ready.
    pub(crate) fn await_ready(&mut self, mut is_ready: impl FnMut() -> bool) -> Result<(), String> {
        let deadline = Instant::now() + READY_WITHIN;
        while !self.has_ended() {
            if is_ready() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("{} was not ready after {READY_WITHIN:?}:\n{}", self.program, self.log()));
            }
            // A program of others says in no common way that it is ready.
            thread::sleep(POLL_EVERY);
        }
        Err(format!("{} ended before it was ready:\n{}", self.program, self.log()))
    }

    /// What the program has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read(&self.log)
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Ends the program and what it has forked, at once: none of these programs has anything to save, and Kamailio takes
    /// seconds to end when it is asked while it still forks. Stopped first, it cannot fork any more.
    pub(crate) fn end(&mut self) {
        if !self.has_ended() {
            self.signal(Signal::SIGSTOP);
            let children = self.children();
            self.signal(Signal::SIGKILL);
            for child in children {
                let _ = kill(child, Signal::SIGKILL);
            }
            let _ = self.child.wait();
        }
    }

    /// Stops the program and what it has forked; its sockets stay open.
    pub(crate) fn freeze(&self) {
        self.signal_all(Signal::SIGSTOP);
    }

    /// Lets a frozen program go on.
    pub(crate) fn thaw(&self) {
        self.signal_all(Signal::SIGCONT);
    }

    fn signal_all(&self, signal: Signal) {
        self.signal(signal);
        for child in self.children() {
            let _ = kill(child, signal);
        }
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_some()
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("Linux process ids fit an i32");
        // It may have ended since it was looked at, and then there is nobody to signal.
        let _ = kill(Pid::from_raw(id), signal);
    }

    /// The processes that the program has forked.
    fn children(&self) -> Vec<Pid> {
        let list = format!("/proc/{0}/task/{0}/children", self.child.id());
        let children = fs::read_to_string(list).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|id| id.parse().ok());
        children.map(Pid::from_raw).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        if thread::panicking() {
            let (program, log) = (&self.program, self.log());
            eprintln!("--- log of {program} ---\n{log}--- end of log ---");
        }
    }
}

/// Calls `start` until a program is ready: a port that was free may be taken by the time the program asks for it.
pub(crate) fn start_until_ready<T>(mut start: impl FnMut() -> Result<T, String>) -> T {
    let mut failures = Vec::new();
    for _ in 0..START_ATTEMPTS {
        match start() {
            Ok(ready) => return ready,
            Err(failure) => failures.push(failure),
        }
    }
    panic!("{START_ATTEMPTS} attempts failed:\n{}", failures.join("\n"));
}

/// A program, run by another one when there is an `entry`: see `namespace`.
pub(crate) fn command(entry: &[OsString], program: impl AsRef<OsStr>) -> Command {
    match entry {
        [] => Command::new(program),
        [first, words @ ..] => {
            let mut command = Command::new(first);
            command.args(words).arg(program);
            command
        }
    }
}

/// Where the program is. Debian keeps daemons where the search path of ordinary users does not look.
pub(crate) fn find(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(DAEMONS.iter().map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|candidate: &PathBuf| Path::is_file(candidate))
        .unwrap_or_else(|| panic!("{program} is not installed; scripts/install-peers installs what the tests need"))
}

const DAEMONS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
const READY_WITHIN: Duration = Duration::from_secs(10);
const POLL_EVERY: Duration = Duration::from_millis(5);
const START_ATTEMPTS: u32 = 5;
