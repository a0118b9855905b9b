//! `regprobe registrar` as a peer for tests of the program itself: started on free loopback ports, ended when dropped. For real
//! peers see `support`.

#![allow(dead_code, reason = "each test program compiles this module and uses its own part of it")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A lab registrar that runs.
pub(crate) struct Lab {
    child: Child,
    log: BufReader<ChildStdout>,
    /// What it has said so far.
    pub(crate) said: String,
    udp: String,
    tcp: String,
    tls: String,
    /// The authority of its certificate, for `--ca-file`.
    pub(crate) authority: PathBuf,
}

impl Lab {
    /// Starts one with user `alice` and this password.
    pub(crate) fn start(password: &str, options: &[&str]) -> Self {
        let users = scratch("users", format!("alice:{password}\n").as_bytes());
        let authority = scratch("authority.pem", b"");
        let mut child = Command::new(env!("CARGO_BIN_EXE_regprobe"))
            .args([
                "registrar",
                "--listen",
                "udp:127.0.0.1:0",
                "--listen",
                "tcp:127.0.0.1:0",
                "--listen",
                "tls:127.0.0.1:0",
            ])
            .args(["--users-file".as_ref(), users.as_os_str()])
            // With a certificate of the test's own there is no authority to save.
            .args(
                ["--save-ca".as_ref(), authority.as_os_str()]
                    .iter()
                    .filter(|_| !options.contains(&"--cert")),
            )
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program was built together with this test");
        let log = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let mut lab = Self {
            child,
            log,
            said: String::new(),
            udp: String::new(),
            tcp: String::new(),
            tls: String::new(),
            authority,
        };
        for transport in ["udp", "tcp", "tls"] {
            let line = lab.line_with(&format!("listening on {transport}:"));
            let address = line
                .rsplit_once(&format!("{transport}:"))
                .expect("it was just found")
                .1
                .trim()
                .to_owned();
            match transport {
                "udp" => lab.udp = address,
                "tcp" => lab.tcp = address,
                _ => lab.tls = address,
            }
        }
        lab
    }

    /// `alice` at this transport's address.
    pub(crate) fn alice(&self, transport: &str) -> String {
        format!("sip:alice@{}", self.address(transport))
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self, transport: &str) -> &str {
        match transport {
            "udp" => &self.udp,
            "tcp" => &self.tcp,
            _ => &self.tls,
        }
    }

    /// Waits for a line of the log that holds this text; the test ends when the lab does.
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.log.read_line(&mut line).expect("the lab speaks UTF-8");
            if read == 0 {
                panic!("the lab ended before it said {text:?}: {}{}", self.errors(), self.said);
            }
            self.said += &line;
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Ends it, and gives everything that it has said on both channels.
    pub(crate) fn end(mut self) -> String {
        self.interrupt();
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).expect("the lab speaks UTF-8");
        self.said += &rest;
        let errors = self.errors();
        let status = self.child.wait().expect("it was not waited for before");
        assert_eq!(status.code(), Some(0), "a lab that is interrupted ends well: {errors}");
        std::mem::take(&mut self.said) + &errors
    }

    fn interrupt(&self) {
        interrupt(&self.child);
    }

    fn errors(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            errors.read_to_string(&mut text).expect("the lab speaks UTF-8");
        }
        text
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Either it has ended already, or nobody needs it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ctrl-C for one process.
pub(crate) fn interrupt(child: &Child) {
    let id = i32::try_from(child.id()).expect("process ids are small");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGINT)
        .expect("the process is ours and not waited for");
}

/// A file of this test run.
pub(crate) fn scratch(name: &str, content: &[u8]) -> PathBuf {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{serial}-{name}", std::process::id()));
    std::fs::write(&path, content).expect("the directory for temporary files exists");
    path
}

/// The program with a password in its environment, not started yet.
pub(crate) fn command(password: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regprobe"));
    command
        .args(arguments)
        .env("REGPROBE_PASSWORD", password)
        .env("RUST_BACKTRACE", "full")
        .env_remove("SSLKEYLOGFILE");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program to its end.
pub(crate) fn run(password: &str, arguments: &[&str]) -> Output {
    command(password, arguments)
        .output()
        .expect("the program was built together with this test")
}

/// Bytes that have to be text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("all output is UTF-8")
}
