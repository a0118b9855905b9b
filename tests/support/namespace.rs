//! Networks of a test's own: namespaces (network_namespaces(7)) inside a user namespace, so that they need no privileges where the
//! system lets users have those. Nothing can leave them, whatever addresses are used. Each lives as long as a process that waits for the
//! end of a pipe which the test holds: it goes with its value, after a panic, and when the test is killed. What is run in it ends with
//! the thread that started it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use super::process::{self, find};

/// A network without any wire at first; only its loopback interface is up.
#[derive(Debug)]
pub(crate) struct Namespace {
    holder: Child,
}

impl Namespace {
    /// A user namespace and a network in it.
    ///
    /// # Errors
    /// Why this machine does not let us.
    pub(crate) fn new() -> Result<Self, String> {
        if env::var_os(NEVER).is_some() {
            return Err(format!("{NEVER} is set"));
        }
        let mut unshare = Command::new(find("unshare"));
        unshare.args(["--user", "--map-root-user", "--net"]);
        Self::hold(unshare)
    }

    /// Another network in the same user namespace.
    ///
    /// # Errors
    /// Why this machine does not let us.
    pub(crate) fn beside(&self) -> Result<Self, String> {
        let mut unshare = process::command(&self.entry(), find("unshare"));
        unshare.arg("--net");
        Self::hold(unshare)
    }

    /// The words that run a program in here.
    pub(crate) fn entry(&self) -> Vec<OsString> {
        let target = format!("--target={}", self.id());
        let nsenter = ["--preserve-credentials", "--user", "--net", &target].map(OsString::from);
        // Entering has taken away what would end the program with the test: it is asked for anew.
        let setpriv = [find("setpriv").into_os_string(), "--pdeathsig".into(), "KILL".into()];
        [find("nsenter").into_os_string()]
            .into_iter()
            .chain(nsenter)
            .chain(setpriv)
            .collect()
    }

    /// The process that holds it: what `ip link ... netns` wants.
    pub(crate) fn id(&self) -> u32 {
        self.holder.id()
    }

    /// Does this with ip(8), line by line.
    ///
    /// # Errors
    /// What it says against one of them.
    pub(crate) fn try_ip(&self, lines: &[String]) -> Result<(), String> {
        let mut ip = process::command(&self.entry(), find("ip"));
        ip.args(["-batch", "-"]);
        fed(ip, &(lines.join("\n") + "\n"))
    }

    /// Does this with ip(8), which has to go well.
    #[track_caller]
    pub(crate) fn ip(&self, line: &str) {
        let done = self.try_ip(&[line.to_owned()]);
        done.unwrap_or_else(|error| panic!("ip {line}: {error}"));
    }

    /// Sets what is set below `/proc/sys/net`.
    ///
    /// # Errors
    /// That it is not let, as in containers that see `/proc/sys` for reading only.
    pub(crate) fn set(&self, name: &str, value: u64) -> Result<(), String> {
        let mut tee = process::command(&self.entry(), find("tee"));
        tee.arg(format!("/proc/sys/net/{name}"));
        fed(tee, &format!("{value}\n"))
    }

    /// Gives fragments that wait for others so many bytes of room; with none, no datagram in fragments arrives.
    #[track_caller]
    pub(crate) fn keep_fragments(&self, bytes: u64) {
        // The lower mark, from which the kernel begins to make room, is never above the upper one.
        let set = self.set("ipv4/ipfrag_low_thresh", 0);
        let set = set.and_then(|()| self.set("ipv4/ipfrag_high_thresh", bytes));
        set.unwrap_or_else(|error| panic!("ipfrag_high_thresh: {error}"));
    }

    /// A counter of IP, such as `ReasmOKs` (RFC 4293).
    pub(crate) fn ip_counter(&self, name: &str) -> u64 {
        let table = fs::read_to_string(format!("/proc/{}/net/snmp", self.id())).expect("the network is there");
        let mut rows = table.lines().filter(|line| line.starts_with("Ip: "));
        let (names, values) = (rows.next().unwrap_or_default(), rows.next().unwrap_or_default());
        let mut both = names.split_whitespace().zip(values.split_whitespace());
        let value = both.find_map(|(this, value)| (this == name).then(|| value.parse().ok()).flatten());
        value.unwrap_or_else(|| panic!("no {name}: {table}"))
    }

    /// Runs `cat` in the new network, and waits until it answers.
    fn hold(mut unshare: Command) -> Result<Self, String> {
        unshare.arg(find("cat"));
        unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut holder = unshare.spawn().map_err(|error| format!("unshare: {error}"))?;
        // A process that is not let ends at once, and takes nothing any more.
        let asked = holder.stdin.as_mut().map(|pipe| pipe.write_all(b"?\n"));
        let mut answer = String::new();
        let output = holder.stdout.as_mut().expect("its output is a pipe");
        // Nothing to read is no answer either.
        let _ = BufReader::new(output).read_line(&mut answer);
        if !matches!(asked, Some(Ok(()))) || answer != "?\n" {
            return Err(words(holder));
        }
        let namespace = Self { holder };
        namespace.try_ip(&["link set lo up".to_owned()])?;
        Ok(namespace)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        // It has nothing to wait for any more.
        let _ = self.holder.wait();
    }
}

/// Runs a program to its end, with this on its standard input.
fn fed(mut command: Command, input: &str) -> Result<(), String> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    // What it did not read it will have complained about.
    let _ = child.stdin.take().map(|mut pipe| pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// What a process that has failed says.
fn words(mut child: Child) -> String {
    drop(child.stdin.take());
    let mut said = String::new();
    if let Some(errors) = &mut child.stderr {
        // Its words are for people, and may be missing.
        let _ = errors.read_to_string(&mut said);
    }
    let _ = child.wait();
    said.trim().to_owned()
}

/// Set, this variable makes every machine one that does not let us.
const NEVER: &str = "REGPROBE_TEST_NO_NAMESPACES";
