//! A canary password and its HA1 go through every sub-command, output and failure that can meet a secret; then everything that was
//! written anywhere is searched for them: plain, in base64, percent-encoded, in hexadecimal.

#[path = "../lab/mod.rs"]
mod lab;
#[path = "../support/secrets.rs"]
mod secrets;
mod sweep;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use lab::{Lab, command, interrupt, run, scratch, text};
use secrets::base64;

/// Blanks, reserved and non-ASCII characters, so that every encoding of it looks different.
const PASSWORD: &str = "c4nary p@ss/w0rd+\u{e9}";
/// MD5 and SHA-256 of `alice:regprobe.lab:` and the password, from an independent program (Python's hashlib).
const HA1_MD5: &str = "c15d5c4fd8ca89c68e63d15431cf81f6";
const HA1_SHA256: &str = "a997fcfaa1449664947fcd8401e0a16511b9a3a6919fd5ad3dc7712a7477b70d";

fn assert_clean(what: &str, output: &str) {
    secrets::assert_clean(what, output, &[PASSWORD, HA1_MD5, HA1_SHA256]);
}

fn check(what: &str, output: &Output) {
    assert_clean(what, &(text(&output.stdout) + &text(&output.stderr)));
}

#[test]
fn the_search_finds_what_it_looks_for() {
    assert_eq!(base64(b"light work."), "bGlnaHQgd29yay4");
    let leaks = [
        format!("x{PASSWORD}y"),
        base64(format!("alice:{PASSWORD}@h").as_bytes()),
        base64(format!("bob:{HA1_MD5}").as_bytes()),
        "c4nary%20p%40ss%2Fw0rd%2B%C3%A9".to_owned(),
        "Authorization: Digest response=\"0123456789abcdef0123456789abcdef\"".to_owned(),
    ];
    for leak in leaks {
        let found = std::panic::catch_unwind(|| assert_clean("leak", &leak));
        assert!(found.is_err(), "{leak}");
    }
    assert_clean("no leak", "Authorization: Digest username=\"alice\", response=\"(redacted)\"");
}

#[test]
fn no_secret_is_in_any_output_of_any_sub_command() {
    let lab = Lab::start(PASSWORD, &[]);
    let silent = Lab::start(PASSWORD, &["--fault", "silence"]);
    let wrong = Lab::start("another password", &[]);
    let password_file = scratch("password", PASSWORD.as_bytes());
    let ha1_files = [
        scratch("md5", HA1_MD5.as_bytes()),
        scratch("sha256", format!("SHA-256:{HA1_SHA256}\n").as_bytes()),
    ];
    let [password_file, md5, sha256] =
        [&password_file, &ha1_files[0], &ha1_files[1]].map(|path| path.to_str().expect("a test's path is text"));
    let authority = lab.authority.to_str().expect("a test's path is text");
    let sources: [&[&str]; 4] = [
        &[],
        &["--password-file", password_file],
        &["--ha1-file", md5],
        &["--ha1-file", sha256],
    ];
    let outputs: [&[&str]; 4] = [
        &["--output", "human", "--trace"],
        &["--output", "json", "--trace"],
        &["--output", "nagios"],
        &[],
    ];
    let mut registered = 0;
    for source in sources {
        for output in outputs {
            for (peer, transport, timeout) in [
                (&lab, "udp", "10s"),
                (&lab, "tcp", "10s"),
                (&lab, "tls", "10s"),
                (&wrong, "udp", "10s"),
                (&silent, "udp", "100ms"),
            ] {
                let aor = peer.alice(transport);
                let mut line = vec![
                    "probe",
                    &aor,
                    "--transport",
                    transport,
                    "--timeout",
                    timeout,
                    "--ca-file",
                    authority,
                ];
                line.extend(source.iter().chain(output));
                let done = run(PASSWORD, &line);
                registered += u32::from(done.status.code() == Some(0));
                check(&format!("{line:?}"), &done);
            }
        }
    }
    // Three transports, four sources, four outputs: the secrets were really used.
    assert_eq!(registered, 48);
    for peer in [lab, silent, wrong] {
        assert_clean("registrar", &peer.end());
    }
}

#[test]
fn no_secret_is_in_the_output_of_the_other_sub_commands() {
    let lab = Lab::start(PASSWORD, &[]);
    let alice = lab.alice("udp");
    for line in [
        &["probe", &alice, "--keep", "--trace"][..],
        &["probe", &alice, "--every-target", "--instance", "--trace"],
        &["bindings", &alice, "--trace"],
        &["bindings", &alice, "--output", "json", "--trace"],
        &["unregister", &alice, "--trace"],
        &["unregister", &alice, "--all", "--trace"],
        &["ping", &alice, "--trace"],
        &["explain"],
        &["schema"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["probe", "--help"],
        &["demo"],
    ] {
        let done = run(PASSWORD, line);
        assert_eq!(
            done.status.code(),
            Some(0),
            "{line:?}: {}{}",
            text(&done.stdout),
            text(&done.stderr)
        );
        check(&format!("{line:?}"), &done);
    }
    assert_clean("registrar", &lab.end());
}

#[test]
fn no_secret_is_in_a_refusal() {
    let file = |content: &str| {
        scratch("refused", content.as_bytes())
            .to_str()
            .expect("a test's path is text")
            .to_owned()
    };
    let [lines, algorithm, case] = [
        format!("{PASSWORD}\n{PASSWORD}\n"),
        format!("AKAv1:{HA1_MD5}"),
        HA1_SHA256.to_uppercase(),
    ]
    .map(|content| file(&content));
    let users = file(&format!("alice{PASSWORD}\n"));
    let in_uri = format!("sip:alice:{PASSWORD}@127.0.0.1");
    for line in [
        &["probe", "a@127.0.0.1", "--password-file", &lines][..],
        &["probe", "a@127.0.0.1", "--ha1-file", &algorithm],
        &["probe", "a@127.0.0.1", "--ha1-file", &case],
        &["probe", &in_uri],
        &["probe", "a@127.0.0.1", "--password", PASSWORD],
        &["registrar", "--users-file", &users],
        &["probe", "a@127.0.0.1", "--bogus"],
    ] {
        let done = run(PASSWORD, line);
        assert_eq!(done.status.code(), Some(2), "{line:?}");
        check(&format!("{line:?}"), &done);
    }
}

/// A file that only its owner can read.
fn closed(name: &str, content: &str) -> String {
    let path = scratch(name, content.as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    path.to_str().expect("a test's path is text").to_owned()
}

/// Lists, loads and checks, in each of their outputs and with each kind of end.
#[test]
fn no_secret_is_in_what_many_accounts_come_to() {
    let lab = Lab::start(PASSWORD, &[]);
    let wrong = Lab::start("another password", &[]);
    let secret = closed("canary.secret", PASSWORD);
    let mut registered = 0;
    for peer in [&lab, &wrong] {
        let alice = peer.alice("udp");
        let list = closed(
            "canary.csv",
            &format!(
                "aor,password,ha1,password_file\n{alice},{PASSWORD},,\n{alice},,SHA-256:{HA1_SHA256},\n{alice},,,{secret}\n\
                 {alice},@{PASSWORD},,\n{alice},,{HA1_MD5}{HA1_MD5},\n{alice}{PASSWORD},,,\n"
            ),
        );
        for output in ["human", "jsonl", "csv"] {
            let done = run(PASSWORD, &["bulk", &list, "--output", output, "--max-wrong-passwords", "0"]);
            registered += text(&done.stdout).matches("registered").count();
            check(&format!("bulk {output}"), &done);
        }
        for output in ["human", "json"] {
            let line = ["load", &alice, "--rate", "10/s", "--duration", "100ms", "--password-file", &secret];
            check("load", &run(PASSWORD, &[&line[..], &["--output", output]].concat()));
        }
        // Nobody listens there; the registrar is asked all the same.
        let engine = ["verify", "kamailio", "--rpc", "http://127.0.0.1:9/RPC", "--uuid", "trunk1"];
        let registrar = ["--aor", &alice, "--password-file", &secret, "--grace", "1ms", "--timeout", "500ms"];
        for output in [
            &["--output", "human", "--trace"][..],
            &["--output", "json", "--trace"],
            &["--output", "nagios"],
        ] {
            check("verify", &run(PASSWORD, &[&engine, &registrar[..], output].concat()));
        }
        let checks = closed(
            "canary.toml",
            &format!(
                "[[check]]\nprovider = \"kamailio\"\nrpc = \"http://127.0.0.1:9/RPC\"\nuuid = \"1\"\naor = \"{alice}\"\n\
                 password_file = \"{secret}\"\ntimeout = \"500ms\"\n"
            ),
        );
        for output in ["human", "json"] {
            check("verify --all", &run(PASSWORD, &["verify", "--all", &checks, "--output", output]));
        }
        let broken = closed(
            "broken.toml",
            &format!("[[check]]\nprovider = \"telnyx\"\napi_key = \"{PASSWORD}\"\n"),
        );
        check("verify --all", &run(PASSWORD, &["verify", "--all", &broken]));
    }
    assert!(registered > 0, "the secrets were really used");
    for peer in [lab, wrong] {
        assert_clean("registrar", &peer.end());
    }
}

/// `watch`, from the first account to the last.
#[test]
fn no_secret_is_in_what_is_said_while_accounts_are_kept() {
    let lab = Lab::start(PASSWORD, &[]);
    let wrong = Lab::start("another password", &[]);
    let list = closed(
        "watch.csv",
        &format!("aor,password\n{},{PASSWORD}\n{},{PASSWORD}\n", lab.alice("udp"), wrong.alice("udp")),
    );
    let mut child = command(PASSWORD, &["watch", &list, "--verbose"])
        .spawn()
        .expect("the program was built together with this test");
    let mut output = BufReader::new(child.stdout.take().expect("its output is a pipe"));
    let mut said = String::new();
    while !(said.contains("REGISTERED_STATE") && said.contains("wrong_credentials")) {
        assert_ne!(output.read_line(&mut said).expect("all output is UTF-8"), 0, "it ended: {said}");
    }
    interrupt(&child);
    output.read_to_string(&mut said).expect("all output is UTF-8");
    let ended = child.wait_with_output().expect("it was not waited for before");
    assert_clean("watch", &(said + &text(&ended.stderr)));
}

/// Keys of APIs: to somebody who is not there, who refuses them, and who sends them back.
#[test]
fn no_key_is_in_what_is_said_of_an_api() {
    let lab = Lab::start(PASSWORD, &[]);
    let key = "c4nary-p4ss.w0rd_key";
    let urls = ["http://127.0.0.1:9/v2".to_owned(), format!("http://{}/v2", lab.address("tcp"))];
    for url in &urls {
        for line in [
            &["providers", "telnyx", "connections", "list", "--api-url", url][..],
            &[
                "providers",
                "telzino",
                "status",
                "123e4567-e89b-12d3-a456-426614174000",
                "--api-url",
                url,
            ],
            &["providers", "bitrix24", "lines"],
            &["verify", "telnyx", "--connection-id", "1", "--api-url", url],
            &["verify", "bitrix24", "--reg-id", "5505"],
        ] {
            let mut program = command(PASSWORD, &[line, &["--api-timeout", "500ms"]].concat());
            program.env("TELNYX_API_KEY", key).env("TELZINO_TOKEN", key);
            program.env("BITRIX24_WEBHOOK", format!("{}/rest/1/{key}/", url.trim_end_matches("/v2")));
            let done = program.output().expect("the program was built together with this test");
            assert_ne!(done.status.code(), Some(0), "{line:?}");
            let said = text(&done.stdout) + &text(&done.stderr);
            secrets::assert_clean(&format!("{line:?}"), &said, &[PASSWORD, key]);
        }
    }
}

/// A message that somebody pastes, with all that may stand in it.
#[test]
fn no_secret_of_a_message_is_in_its_inspection() {
    let basic = base64(format!("alice:{PASSWORD}").as_bytes());
    let percent = "c4nary%20p%40ss%2Fw0rd%2B%C3%A9";
    let message = format!(
        "REGISTER sip:alice:{percent}@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:alice:{percent}@h>;tag=1\r\n\
         To: <sip:alice:{percent}@h>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nAuthorization: Basic {basic}\r\n\
         Authorization: Digest username=\"alice\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"{HA1_MD5}\"\r\n\
         Proxy-Authorization: Digest username=\"alice\", response={HA1_SHA256}\r\nContent-Length: 0\r\n\r\n"
    );
    let file = closed("message.sip", &message);
    for output in ["human", "json"] {
        let done = run(PASSWORD, &["inspect", &file, "--output", output]);
        assert!(
            text(&done.stdout).contains("alice"),
            "{output}: {}{}",
            text(&done.stdout),
            text(&done.stderr)
        );
        check(&format!("inspect {output}"), &done);
    }
}

/// Everything that is printed without asking anybody, for every word that it can be asked about.
#[test]
fn no_secret_is_in_what_is_explained() {
    let words = text(&run(PASSWORD, &["explain"]).stdout);
    let named: BTreeSet<&str> = words.split_whitespace().filter(|word| word.contains('_')).collect();
    assert!(named.contains("no_reply"), "{words}");
    for word in named {
        check(word, &run(PASSWORD, &["explain", word]));
    }
    for contract in ["probe", "verify", "bulk", "problem", "watch", "load"] {
        check(contract, &run(PASSWORD, &["schema", contract]));
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        check(shell, &run(PASSWORD, &["completions", shell]));
    }
    for command in sweep::sub_commands() {
        check(&command, &run(PASSWORD, &["man", &command]));
        check(&command, &run(PASSWORD, &[&command, "--help"]));
    }
}

/// What others on the machine can see of a process: its arguments, the names of its threads; and what it would leave behind.
#[test]
fn no_secret_is_in_what_the_system_shows_of_the_process() {
    let silent = Lab::start(PASSWORD, &["--fault", "silence"]);
    let alice = silent.alice("udp");
    let (password, hash) = (closed("password", PASSWORD), closed("ha1", HA1_MD5));
    for source in [&[][..], &["--password-file", &password], &["--ha1-file", &hash]] {
        // A core dump is what it could leave behind, if it did not see to that.
        let mut program = Command::new("prlimit");
        program.args(["--core=65536:", env!("CARGO_BIN_EXE_regprobe"), "probe", &alice, "--timeout", "30s"]);
        program.args(source).env("REGPROBE_PASSWORD", PASSWORD).stdin(Stdio::null());
        program.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = program.spawn().expect("prlimit is part of util-linux");
        let of_process = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).expect("the process runs");
        // It has read its secret when it has a socket.
        let has_socket = || {
            let descriptors = fs::read_dir(format!("/proc/{}/fd", child.id())).expect("the process runs");
            descriptors
                .flatten()
                .any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|target| target.to_string_lossy().starts_with("socket:")))
        };
        while !of_process("limits")
            .lines()
            .any(|line| line.starts_with("Max core file size") && has_socket())
        {
            std::thread::yield_now();
        }
        let limits = of_process("limits");
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .expect("Linux tells it");
        assert!(core.contains(" 0 "), "{core}");
        let threads = fs::read_dir(format!("/proc/{}/task", child.id())).expect("the process runs");
        let names: String = threads
            .flatten()
            .filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok())
            .collect();
        assert_clean("the system", &(of_process("cmdline") + &of_process("status") + &names));
        child.kill().expect("it is ours");
        child.wait().expect("it was not waited for before");
    }
}

/// Ends that nobody planned: memory that does not suffice at one moment or another, and an output that is full.
#[test]
fn no_secret_is_in_what_is_said_at_an_end_that_nobody_planned() {
    let lab = Lab::start(PASSWORD, &[]);
    let line = ["probe", &lab.alice("udp"), "--trace", "--output", "json"];
    let mut failed = 0;
    // From too little to start with to enough, in steps of 64 KiB.
    for kilobytes in (192..3072).step_by(64) {
        let mut limited = Command::new("prlimit");
        limited
            .arg(format!("--data={}", kilobytes * 1024))
            .arg(env!("CARGO_BIN_EXE_regprobe"))
            .args(line);
        limited
            .env("REGPROBE_PASSWORD", PASSWORD)
            .env("RUST_BACKTRACE", "full")
            .stdin(Stdio::null());
        let done = limited.output().expect("prlimit is part of util-linux");
        failed += u32::from(!done.status.success());
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert_clean(&format!("{kilobytes} KiB"), &said);
    }
    assert!(failed > 2, "the memory always sufficed");
    for output in ["human", "json", "nagios"] {
        let full = fs::File::options().write(true).open("/dev/full").expect("Linux has it");
        let mut program = command(PASSWORD, &["probe", &lab.alice("udp"), "--output", output]);
        let done = program
            .stdout(full)
            .output()
            .expect("the program was built together with this test");
        check("a full output", &done);
    }
}
