//! Every sub-command in every form of its output, with what it leaves in captures and sends to collectors. A sub-command that is new does
//! not pass until it has a line here.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::UdpSocket;

use crate::lab::{Lab, command, interrupt, run, scratch, text};
use crate::secrets::base64;
use crate::{PASSWORD, assert_clean, check, closed};

/// The program's sub-commands, from its own help.
pub(crate) fn sub_commands() -> Vec<String> {
    let help = text(&run(PASSWORD, &["--help"]).stdout);
    let (_, list) = help.split_once("Commands:\n").expect("the help lists them");
    let names = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    // A description goes on far to the right.
    let names: Vec<String> = names
        .filter(|name| !help.contains(&format!("   {name}\n")))
        .map(str::to_owned)
        .collect();
    assert!(names.contains(&"probe".to_owned()), "{names:?}");
    names
}

/// What the sweep of every sub-command goes to.
struct Scene {
    lab: Lab,
    list: String,
    users: String,
    message: String,
}

impl Scene {
    fn start() -> Self {
        let lab = Lab::start(PASSWORD, &[]);
        let list = closed("sweep.csv", &format!("aor,password\n{},{PASSWORD}\n", lab.alice("udp")));
        let basic = base64(format!("alice:{PASSWORD}").as_bytes());
        let message = format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:alice@h>;tag=1\r\nTo: <sip:alice@h>\r\n\
             Call-ID: 1\r\nCSeq: 1 REGISTER\r\nAuthorization: Basic {basic}\r\nContent-Length: 0\r\n\r\n"
        );
        Self {
            lab,
            list,
            users: closed("sweep.users", &format!("alice:{PASSWORD}\n")),
            message: closed("sweep.sip", &message),
        }
    }

    /// A line of this sub-command that meets a secret, where there is one to meet. A new sub-command needs one.
    fn line(&self, name: &str) -> Vec<String> {
        let alice = self.lab.alice("udp");
        // Nobody listens there.
        let (rpc, api) = ("http://127.0.0.1:9/RPC", "http://127.0.0.1:9/v2");
        let words: &[&str] = match name {
            "probe" | "bindings" | "unregister" | "ping" => &[name, &alice],
            "bulk" | "watch" => &[name, &self.list],
            "load" => &[name, &alice, "--rate", "10/s", "--duration", "100ms"],
            "verify" => &[
                name,
                "kamailio",
                "--rpc",
                rpc,
                "--uuid",
                "1",
                "--aor",
                &alice,
                "--grace",
                "1ms",
                "--timeout",
                "500ms",
            ],
            "providers" => &[name, "telnyx", "connections", "list", "--api-url", api, "--api-timeout", "500ms"],
            "registrar" => &[name, "--listen", "udp:127.0.0.1:0", "--users-file", &self.users],
            "inspect" => &[name, &self.message],
            "completions" => &[name, "bash"],
            "demo" | "explain" | "schema" | "man" => &[name],
            new => panic!("{new} is not swept"),
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }

    /// The forms that `--output` has there, with whole messages where there is room for them; without that option one run without it.
    fn forms(&self, name: &str) -> Vec<Vec<String>> {
        let help = self.help(name);
        let Some((_, output)) = help.split_once(" --output <FORM> ") else {
            return vec![Vec::new()];
        };
        let values = output.split_once("[possible values: ").and_then(|(_, rest)| rest.split_once(']'));
        let (values, _) = values.expect("the help lists them");
        let traces = |value: &str| help.contains(" --trace ") && value != "nagios";
        let form = |value| ["--output", value].into_iter().chain(traces(value).then_some("--trace"));
        values.split(", ").map(|value| form(value).map(str::to_owned).collect()).collect()
    }

    fn has_capture(&self, name: &str) -> bool {
        self.help(name).contains(" --hep <HOST:PORT> ")
    }

    /// The help behind the words of a sub-command, in one line.
    fn help(&self, name: &str) -> String {
        let line = self.line(name);
        let words = line.iter().take_while(|word| word.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let words: Vec<&str> = words.map(String::as_str).chain(["--help"]).collect();
        text(&run(PASSWORD, &words).stdout).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Runs a line to its end; those that would go on for ever are interrupted once they have met their secret.
fn run_or_interrupt(line: &[&str]) -> String {
    let mut program = command(PASSWORD, line);
    program.env("TELNYX_API_KEY", PASSWORD);
    let Some(sign) = (match line[0] {
        "watch" => Some("REGISTERED_STATE"),
        "registrar" => Some("listening on"),
        _ => None,
    }) else {
        let done = program.output().expect("the program was built together with this test");
        return text(&done.stdout) + &text(&done.stderr);
    };
    let mut child = program.spawn().expect("the program was built together with this test");
    let mut output = BufReader::new(child.stdout.take().expect("its output is a pipe"));
    let mut said = String::new();
    while !said.contains(sign) {
        assert_ne!(output.read_line(&mut said).expect("all output is UTF-8"), 0, "it ended: {said}");
    }
    interrupt(&child);
    output.read_to_string(&mut said).expect("all output is UTF-8");
    let ended = child.wait_with_output().expect("it was not waited for before");
    said + &text(&ended.stderr)
}

/// Every sub-command that the help lists, in every form of output that its own help lists; and what they leave in captures and send to
/// collectors, where they do.
#[test]
fn every_sub_command_is_swept() {
    let scene = Scene::start();
    let mut captures = BTreeSet::new();
    for name in sub_commands() {
        for form in scene.forms(&name) {
            let line = [scene.line(&name), form].concat();
            let line: Vec<&str> = line.iter().map(String::as_str).collect();
            assert_clean(&format!("{line:?}"), &run_or_interrupt(&line));
            if scene.has_capture(&name) {
                captures.insert(name.clone());
                a_capture_is_clean(&line);
            }
        }
    }
    assert_eq!(captures, ["bulk", "probe", "watch"].map(str::to_owned).into());
    assert_clean("registrar", &scene.lab.end());
}

/// The same line with a file and a collector for what goes over the wire; and what `inspect` says of that file.
fn a_capture_is_clean(line: &[&str]) {
    let collector = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let (place, address) = (
        scratch("sweep.pcapng", b""),
        collector.local_addr().expect("it is bound").to_string(),
    );
    fs::remove_file(&place).expect("it was just made");
    let file = place.to_str().expect("a test's path is text");
    let said = run_or_interrupt(&[line, &["--pcap", file, "--hep", &address]].concat());
    assert!(place.exists(), "{line:?}: {said}");
    assert_clean(&format!("{line:?}"), &said);
    let captured = String::from_utf8_lossy(&fs::read(&place).expect("it was written")).into_owned();
    assert!(
        captured.contains("Authorization: Digest"),
        "{line:?}: credentials went over the wire: {captured}"
    );
    assert_clean(&format!("{line:?}: --pcap"), &captured);
    // Everything was sent before the program ended.
    collector.set_nonblocking(true).expect("a socket can be");
    let mut buffer = [0; 65_536];
    let packets = std::iter::from_fn(|| collector.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec()));
    let collected: String = packets.map(|packet| String::from_utf8_lossy(&packet).into_owned()).collect();
    assert!(collected.contains("Authorization: Digest"), "{line:?}: {collected}");
    assert_clean(&format!("{line:?}: --hep"), &collected);
    for form in ["human", "json"] {
        let inspected = run(PASSWORD, &["inspect", "--pcap", file, "--output", form]);
        assert!(text(&inspected.stdout).contains("REGISTER"), "{form}: {inspected:?}");
        check(&format!("inspect --pcap, {form}"), &inspected);
    }
}

/// Who asks for credentials in a capture gets digests, never the password; and `inspect` takes them out again.
#[test]
fn no_proof_of_a_capture_with_credentials_is_in_its_inspection() {
    let lab = Lab::start(PASSWORD, &[]);
    let place = scratch("whole.pcapng", b"");
    fs::remove_file(&place).expect("it was just made");
    let file = place.to_str().expect("a test's path is text");
    check(
        "--include-credentials",
        &run(PASSWORD, &["probe", &lab.alice("udp"), "--pcap", file, "--include-credentials"]),
    );
    let captured = String::from_utf8_lossy(&fs::read(&place).expect("it was written")).into_owned();
    assert!(
        std::panic::catch_unwind(|| assert_clean("the capture", &captured)).is_err(),
        "it has the digests"
    );
    assert!(!captured.contains(PASSWORD));
    for form in ["human", "json"] {
        check(
            &format!("inspect, {form}"),
            &run(PASSWORD, &["inspect", "--pcap", file, "--output", form]),
        );
    }
}
