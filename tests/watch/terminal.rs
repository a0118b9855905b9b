//! The live table once on a real pseudo-terminal: it comes, keys work, and the terminal is given back as it was.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::Pid;

use super::account;
use super::program::Registrar;
use super::support::scratch::Scratch;
use super::support::wait::await_that;

/// A watch on a terminal of 80 by 24.
struct OnTerminal {
    child: Child,
    keys: File,
    shown: Arc<Mutex<Vec<u8>>>,
    terminal: OwnedFd,
    before: Termios,
    // Last: the directory goes after the program that reads in it.
    _scratch: Scratch,
}

impl OnTerminal {
    fn start(list: &str) -> Self {
        let scratch = Scratch::new("terminal");
        fs::set_permissions(scratch.write("list.toml", list), fs::Permissions::from_mode(0o600)).unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let OpenptyResult { master, slave } = openpty(&size, None).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_regprobe"));
        command
            .args(["watch", "list.toml"])
            .env_clear()
            .env("TERM", "xterm")
            .current_dir(scratch.path());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let (mut reader, keys) = (File::from(master.try_clone().unwrap()), File::from(master));
        let shown = Arc::new(Mutex::new(Vec::new()));
        let screen = Arc::clone(&shown);
        // Ends when the last of the terminal's other ends is closed.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                screen.lock().unwrap().extend_from_slice(&bytes[..read]);
            }
        });
        Self {
            child,
            keys,
            shown,
            terminal: slave,
            before,
            _scratch: scratch,
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Presses keys, and waits until this is written.
    #[track_caller]
    fn press(&mut self, keys: &str, text: &str) {
        let before = self.shown.lock().unwrap().len();
        self.keys.write_all(keys.as_bytes()).unwrap();
        await_that(|| String::from_utf8_lossy(&self.shown.lock().unwrap()[before..]).contains(text));
    }

    /// Waits for its end: the status, when the terminal is as it was.
    #[track_caller]
    fn ended(mut self) -> (Option<i32>, String) {
        await_that(|| self.child.try_wait().unwrap().is_some());
        let status = self.child.wait().unwrap().code();
        let after = tcgetattr(&self.terminal).unwrap();
        assert_eq!(after.local_flags, self.before.local_flags, "the terminal is not as it was");
        assert_eq!(after.input_flags, self.before.input_flags, "the terminal is not as it was");
        await_that(|| self.shown().contains(LEAVES));
        assert!(self.shown().contains("\x1b[?25h"), "the cursor is hidden");
        (status, self.shown())
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        // Either it has ended already, or nobody needs it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ENTERS: &str = "\x1b[?1049h";
const LEAVES: &str = "\x1b[?1049l";

#[test]
fn the_table_comes_keys_work_and_the_terminal_is_given_back() {
    let registrar = Registrar::start(&[("alice", "secret"), ("bob", "secret")], &[]);
    let list = account(&registrar, "alice", "secret", "name = \"reception\"") + &account(&registrar, "bob", "wrong", "");
    let mut watch = OnTerminal::start(&list);
    await_that(|| watch.shown().contains(ENTERS) && watch.shown().contains("reception"));
    await_that(|| registrar.bound("alice") == 1 && registrar.log().contains("wrong digest"));
    watch.press("?", "Columns");
    watch.press("x", "ACCOUNT");
    watch.press("f", "all");
    watch.press("\r", "likely");
    let tries = registrar.requests("bob");
    watch.keys.write_all(b"r").unwrap();
    await_that(|| registrar.requests("bob") > tries);
    watch.press("\x1b", "ACCOUNT");
    watch.keys.write_all(b"q").unwrap();
    let (status, shown) = watch.ended();
    assert_eq!((status, registrar.bound("alice")), (Some(0), 0), "{shown}");
    assert!(!shown.contains("secret") && !shown.contains("wrong\""), "{shown}");
}

#[test]
fn control_c_and_a_signal_give_the_terminal_back_too() {
    let registrar = Registrar::start(&[("alice", "secret")], &[]);
    let list = account(&registrar, "alice", "secret", "");
    let mut watch = OnTerminal::start(&list);
    await_that(|| registrar.bound("alice") == 1);
    watch.keys.write_all(b"\x03").unwrap();
    assert_eq!((watch.ended().0, registrar.bound("alice")), (Some(130), 0));
    let watch = OnTerminal::start(&list);
    await_that(|| registrar.bound("alice") == 1);
    kill(Pid::from_raw(i32::try_from(watch.child.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!((watch.ended().0, registrar.bound("alice")), (Some(0), 0));
}
