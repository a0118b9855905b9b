//! The real program without a network: help, wrong command lines, words, schema, completions, pages. Nothing here sends a packet.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn regprobe(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_regprobe"))
        .args(arguments)
        .env_remove("REGPROBE_PASSWORD")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("the program was built together with this test")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("all output is UTF-8")
}

fn succeeds(arguments: &[&str]) -> String {
    let output = regprobe(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "{arguments:?}");
    text(&output.stdout)
}

/// A wrong command line: status 2, nothing on standard output, and every fragment in the message.
fn refuses(arguments: &[&str], fragments: &[&str]) -> String {
    let output = regprobe(arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    assert!(message.starts_with("error: "), "{arguments:?}: {message}");
    for fragment in fragments {
        assert!(message.contains(fragment), "{arguments:?}: {fragment:?} is not in {message}");
    }
    message
}

fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{name}", std::process::id()));
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_wrong_argument_is_named_with_what_is_wrong_and_what_would_be_right() {
    for (arguments, fragments) in [
        (&["probe"][..], &["<AOR>", "regprobe probe"][..]),
        (
            &["probe", "pbx.example.com"],
            &["<AOR>", "user is missing", "alice@pbx.example.com"],
        ),
        (&["probe", "tel:+4930"], &["<AOR>", "not a sip: or sips: URI"]),
        (
            &["probe", "a@h", "--registrar", "sip:b@h"],
            &["--registrar", "no user", "sip:pbx.example.com"],
        ),
        (&["probe", "a@h", "--transport", "sctp"], &["--transport", "auto, udp, tcp, tls"]),
        (
            &["probe", "sips:a@h", "--transport", "udp"],
            &["--transport udp", "sips:", "TLS only"],
        ),
        (&["probe", "a@h", "--timeout", "soon"], &["--timeout", "500ms"]),
        (&["probe", "a@h", "--expires", "0"], &["--expires", "regprobe unregister"]),
        (&["probe", "a@h", "--local", "here"], &["--local", "192.0.2.7:5060"]),
        (&["probe", "a@h", "--advertise", "a@b"], &["--advertise", "HOST:PORT"]),
        (&["probe", "a@h", "--dns", "dns.example"], &["--dns", "IP address"]),
        (&["probe", "a@h", "--resolve", "h:5060"], &["--resolve", "HOST:PORT:ADDRESS"]),
        (&["probe", "a@h", "-4", "-6"], &["--ipv4", "cannot be used with", "--ipv6"]),
        (&["probe", "a@h", "--client-cert", "x.pem"], &["--client-key"]),
        (&["probe", "a@h", "--instance=x"], &["--instance", "urn:uuid:"]),
        (&["probe", "a@h", "--reg-id", "1"], &["--instance"]),
        (&["probe", "a@h", "--tls-server-name", "a b"], &["--tls-server-name", "host name"]),
        (&["probe", "a@h", "--keep", "--every-target"], &["--keep", "--every-target"]),
        (&["probe", "a@h", "-w", "5"], &["--warning", "--output nagios"]),
        (&["unregister", "a@h", "--all", "--contact", "a@x"], &["--all", "--contact"]),
        (&["ping", "h", "--timeout", "0"], &["--timeout", "1ms"]),
        (&["registrar", "--listen", "127.0.0.1:5060"], &["--listen", "udp:127.0.0.1:5060"]),
        (&["registrar", "--user", "alice"], &["--user", "alice:secret"]),
        (&["registrar", "--algorithm", "SHA-1"], &["--algorithm", "SHA-256"]),
        (&["registrar", "--fault", "bogus"], &["--fault"]),
        (&["registrar", "--threads", "2"], &["--stateless"]),
        (
            &["registrar", "--stateless", "--algorithm", "MD5", "--algorithm", "SHA-256"],
            &["--stateless", "--algorithm once"],
        ),
        (&["explain", "no_such_word"], &["no_such_word", "regprobe explain"]),
        (&["completions", "tcsh"], &["bash"]),
        (&["man", "bogus"], &["bogus", "probe"]),
        (&["bogus"], &["bogus"]),
        (&[], &["regprobe <COMMAND>"]),
    ] {
        if arguments.is_empty() {
            // Without arguments clap prints the help, on standard error, with the same status.
            let output = regprobe(arguments);
            assert_eq!(output.status.code(), Some(2));
            assert!(text(&output.stderr).contains(fragments[0]));
        } else {
            refuses(arguments, fragments);
        }
    }
}

#[test]
fn a_password_on_the_command_line_is_refused_and_never_repeated() {
    for arguments in [
        &["probe", "sip:alice:canary@h"][..],
        &["probe", "alice:canary@h"],
        &["probe", "a@h", "--contact", "sip:alice:canary@h"],
        &["probe", "a@h", "--password", "canary"],
        &["probe", "a@h", "--password=canary"],
        &["probe", "a@h", "--password-env", "canary"],
        &["verify", "telnyx", "--connection-id=x", "--api-key-env=canary"],
        &["ping", "sip:alice:canary@h"],
    ] {
        let message = refuses(arguments, &[]);
        assert!(!message.contains("canary"), "{arguments:?}: {message}");
    }
    refuses(&["probe", "sip:alice:canary@h"], &["<AOR>", "REGPROBE_PASSWORD", "--password-file"]);
    refuses(&["probe", "a@h", "--password", "canary"], &["--password-"]);
}

#[test]
fn files_with_bad_secrets_are_refused_by_name_and_never_shown() {
    let long = vec![b'x'; 1024 * 1024 + 2];
    for (option, name, content, fragment) in [
        ("--password-file", "empty", &b""[..], "is empty"),
        ("--password-file", "nul", b"can\0ary", "NUL"),
        ("--password-file", "lines", b"canary\ncanary\n", "line break"),
        ("--password-file", "latin1", b"canary\xe4", "UTF-8"),
        ("--password-file", "long", &long, "1 MiB"),
        ("--ha1-file", "short", b"canary00", "hexadecimal"),
        (
            "--ha1-file",
            "length",
            b"SHA-256:939e7578ed9e3c518a452acee763bce9",
            "64 hexadecimal digits, not 32",
        ),
        ("--ha1-file", "case", b"939E7578ED9E3C518A452ACEE763BCE9", "lower case"),
        (
            "--ha1-file",
            "algorithm",
            b"canary:939e7578ed9e3c518a452acee763bce9",
            "unknown algorithm",
        ),
    ] {
        let path = file(name, content);
        let path = path.to_str().unwrap();
        let message = refuses(&["probe", "a@127.0.0.1", option, path], &[option, path, fragment]);
        assert!(
            !message.contains("canary") && !message.contains("939e7578") && !message.contains("xxxx"),
            "{message}"
        );
    }
    refuses(
        &["probe", "a@127.0.0.1", "--password-file", "/no/such/file"],
        &["--password-file /no/such/file", "No such file"],
    );
}

#[test]
fn a_wrong_command_line_of_a_plugin_is_unknown_in_one_line_on_standard_output() {
    for arguments in [
        &["probe", "a@h", "--output", "nagios", "--bogus"][..],
        &["probe", "a@h", "--output=nagios", "-w", "2", "-c", "1"],
        &["probe", "a@127.0.0.1", "--output", "nagios", "--password-file", "/no/such/file"],
        &["verify", "--all", "x", "--output", "nagios"],
        &["verify", "telnyx", "--connection-id", "abc", "--own-binding", "--output", "nagios"],
    ] {
        let output = regprobe(arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        let line = text(&output.stdout);
        assert!(line.starts_with("SIP UNKNOWN - ") && line.lines().count() == 1, "{line}");
        assert!(!line.contains("\\x3c") && !line.trim_end().ends_with(':'), "{line}");
    }
}

#[test]
fn help_names_every_sub_command_and_gives_examples() {
    let help = succeeds(&["--help"]);
    for word in "probe bindings unregister ping registrar demo explain schema completions man".split_whitespace() {
        assert!(help.contains(&format!("\n  {word} ")), "{word}: {help}");
    }
    assert!(help.contains("\nExamples:\n") && help.contains("\nExit status: "), "{help}");
    assert!(help.contains(" 1 verify: ") && help.contains(" 3 verify: "), "{help}");
}

/// clap would break the line at it.
#[test]
fn the_place_for_a_number_is_shown_as_it_is_written() {
    for arguments in [&["load", "--help"][..], &["man", "load"], &["completions", "zsh"]] {
        let shown = succeeds(arguments);
        assert!(
            shown.contains("with {n} in the user") && !shown.contains('\u{1b}'),
            "{arguments:?}: {shown}"
        );
    }
    assert!(succeeds(&["load", "--help"]).contains("\n  regprobe load 'user{n}@pbx.example.test' --users 1..1000\n"));
}

#[test]
fn help_groups_the_options_of_a_probe() {
    const OPTIONS: &str = "--registrar --proxy --transport --auth-user --password-file --ha1-file --contact --instance --reg-id --expires \
        --keep --timeout --local --advertise -4 -6 --dns --resolve --ca-file --client-cert --client-key --tls-server-name --insecure \
        --every-target --follow-redirects --trace --output -w -c";
    let help = succeeds(&["probe", "--help"]);
    for heading in ["Credentials ", "Binding:", "Network:", "TLS:", "Exchange:", "Output:", "Examples:"] {
        assert!(help.contains(&format!("\n{heading}")), "{heading}: {help}");
    }
    for option in OPTIONS.split_whitespace() {
        let named = [",", " ", "["].iter().any(|end| help.contains(&format!(" {option}{end}")));
        assert!(named, "{option}: {help}");
    }
    assert!(
        help.contains("REGPROBE_PASSWORD") && help.contains("[default: 300]") && help.contains("[default: 10s]"),
        "{help}"
    );
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(succeeds(&["--version"]), format!("regprobe {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_word_of_the_list_is_explained() {
    let list = succeeds(&["explain"]);
    let (list, statuses) = list.split_once("\nExit statuses").unwrap();
    let words = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let words: Vec<&str> = words
        .filter_map(|line| line.split_whitespace().find(|word| word.parse::<u8>().is_err()))
        .collect();
    // Beside the words of a probe there are four verdicts, six levels of evidence and three rows of bulk that nobody probed.
    let elsewhere = regprobe_providers::Reason::ALL.len() + sip_message::Anomaly::ALL.len();
    assert_eq!(words.len(), 70 + 4 + 6 + 3 + elsewhere, "{list}");
    for status in ["0", "1", "2", "3", "130"] {
        assert!(statuses.contains(&format!("\n  {status} ")), "{statuses}");
        let page = succeeds(&["explain", status]);
        assert!(page.contains(&format!("  means   Exit status {status}: ")), "{page}");
    }
    let one = succeeds(&["explain", "stale_loop"]);
    assert!(one.starts_with("stale_loop  cause, ends in WRONG_CREDENTIALS_STATE (6)\n"), "{one}");
    assert!(succeeds(&["explain", "register-timeout"]).starts_with("REGISTER_TIMEOUT_STATE  state 4"));
    assert!(succeeds(&["explain", "7"]).starts_with("REGISTRAR_ERROR_STATE"));
    for word in words {
        assert!(succeeds(&["explain", word]).lines().any(|line| line.starts_with(word)), "{word}");
    }
}

#[test]
fn what_verify_needs_is_named_before_anything_is_sent() {
    refuses(&["verify"], &["name a provider, or use --all FILE or --init"]);
    let agent = ["verify", "telzino", "--agent-id", "123e4567-e89b-12d3-a456-426614174000"];
    refuses(&agent, &["--aor <AOR>"]);
    refuses(
        &["verify", "opensips", "--mi", "http://127.0.0.1:1/mi"],
        &["--aor <AOR>", "--registrar <URI>", "--contact <URI>"],
    );
    let help = succeeds(&["verify", "telzino", "--help"]);
    assert!(
        help.contains("Telzino's API does not say it") && !help.contains("what the API says"),
        "{help}"
    );
    let checks = file(
        "checks.toml",
        b"[[check]]\nprovider = 'telzino'\nagent_id = '123e4567-e89b-12d3-a456-426614174000'\n",
    );
    refuses(
        &["verify", "--all", checks.to_str().unwrap()],
        &["checks.toml:1:1: missing for telzino: `aor`"],
    );
}

#[test]
fn standard_input_holds_one_secret_and_says_whose() {
    let words = [
        "verify",
        "telnyx",
        "--connection-id",
        "x",
        "--api-key-file",
        "-",
        "--password-file",
        "-",
    ];
    let right = "--password-file - (standard input): standard input can hold only one secret, and it is that of --api-key-file";
    refuses(&words, &[right]);
}

#[test]
fn everything_that_is_wrong_with_a_file_of_checks_is_said_in_one_go() {
    let checks = "[[check]]\nprovider = 'kamailio'\nrpc = 'http://127.0.0.1:1/RPC'\nuuid = 'x'\ncolour = 'red'\n\
                  [[check]]\nname = 'Berlin'\nprovider = 'kamailio'\nrpc = 'http://127.0.0.1:1/RPC'\nuuid = 'x'\nca_file = '/no/such.pem'\n\
                  password_file = '/no/such/password'\n\
                  [[check]]\nprovider = 'telnyx'\nconnection_id = 'x'\napi_key_env = 'REGPROBE_TEST_NO_SUCH'\nallow_displacement = true\n";
    let checks = file("mistakes.toml", checks.as_bytes());
    let message = refuses(
        &["verify", "--all", checks.to_str().unwrap()],
        &[
            "mistakes.toml:5:1: `colour` is no option of kamailio",
            "mistakes.toml:6:1: Berlin: --ca-file /no/such.pem: ",
            "mistakes.toml:6:1: Berlin: --password-file /no/such/password: ",
            "mistakes.toml:13:1: --allow-displacement: ",
            "mistakes.toml:13:1: REGPROBE_TEST_NO_SUCH: is not set",
        ],
    );
    assert_eq!(message.lines().count(), 5, "{message}");
}

#[test]
fn numbers_that_are_none_are_refused_in_words_of_ours() {
    let listing = ["providers", "telnyx", "connections", "list", "--limit"];
    let bitrix = ["verify", "bitrix24", "--reg-id"];
    let telnyx = ["verify", "telnyx", "--connection-id", "x", "--grace"];
    for (words, value, right) in [
        (&listing[..], "0", "a number from 1 on"),
        (&bitrix, "abc", "a REG_ID is a number, such as 5505"),
        (&telnyx, "0s", "this time is at least 1ms"),
        (&["probe", "a@h", "-w"], "x", "write digits only"),
        (&["registrar", "--max-contacts"], "-", "write digits only"),
    ] {
        let words: Vec<_> = words.iter().copied().chain([value]).collect();
        let message = refuses(&words, &[right]);
        assert!(
            !message.contains("zero for non-zero") && !message.contains("found in string"),
            "{message}"
        );
    }
}

#[test]
fn the_schema_is_a_schema() {
    let schema: serde_json::Value = serde_json::from_str(&succeeds(&["schema"])).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    assert!(schema["properties"]["state"].is_object());
    for report in ["probe", "verify", "bulk", "load", "problem", "watch", "inspect"] {
        let schema: serde_json::Value = serde_json::from_str(&succeeds(&["schema", report])).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        // No type of ours is called so.
        let title = schema["title"].as_str().unwrap();
        assert!(
            title.contains("of regprobe ") && title.contains(report.replace("problem", "verify").as_str()),
            "{title}"
        );
    }
}

#[test]
fn completions_and_pages_know_every_sub_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = succeeds(&["completions", shell]);
        assert!(script.contains("unregister") && script.contains("every-target"), "{shell}");
    }
    assert!(succeeds(&["man"]).starts_with(".ie"));
    assert!(succeeds(&["man", "probe"]).contains("REGPROBE_PASSWORD"));
}

/// Command lines whose only use is what they write.
const WRITING: [&[&str]; 7] = [
    &["schema", "load"],
    &["explain"],
    &["explain", "stale_loop"],
    &["man", "load"],
    &["completions", "bash"],
    &["load", "--help"],
    &["--version"],
];

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in WRITING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_regprobe"))
            .args(arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .unwrap();
        assert_eq!(
            (output.status.code(), text(&output.stderr).as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

/// The program with its standard channels as this piece of shell has them.
fn redirected(arguments: &[&str], redirection: &str) -> Output {
    Command::new("sh")
        .args(["-c", &format!("exec \"$0\" \"$@\" {redirection}"), env!("CARGO_BIN_EXE_regprobe")])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn output_that_cannot_be_written_is_an_error_that_says_so() {
    for arguments in WRITING {
        let output = redirected(arguments, "> /dev/full");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{arguments:?}: {said}");
        assert!(
            said.starts_with("error: standard output cannot be written: No space left") && said.lines().count() == 1,
            "{said}"
        );
    }
    // clap writes help and version where they go; the rest is ours.
    for arguments in WRITING.iter().filter(|arguments| !arguments.last().unwrap().starts_with("--")) {
        let output = redirected(arguments, ">&-");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{arguments:?}: {said}");
        assert!(
            said.starts_with("error: standard output is closed, ") && said.lines().count() == 1,
            "{said}"
        );
        let nowhere = redirected(arguments, "> /dev/null");
        assert_eq!(
            (nowhere.status.code(), text(&nowhere.stderr).as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn talk_that_nobody_can_hear_changes_nothing() {
    // It can be read by others, which is worth a warning, and has no colon.
    let users = file("open.users", b"alice\n");
    for arguments in [&["registrar", "--users-file", users.to_str().unwrap()][..], &["probe", "nobody"]] {
        assert!(!text(&redirected(arguments, "").stderr).is_empty(), "{arguments:?}");
        for redirection in ["2> /dev/full", "2>&-"] {
            let status = redirected(arguments, redirection).status;
            assert_eq!(status.code(), Some(2), "{arguments:?} {redirection}");
        }
    }
}

#[test]
fn text_fills_a_terminal_of_a_readable_width() {
    let widest = |columns: u16| {
        let line = format!("stty rows 24 columns {columns}; {} explain", env!("CARGO_BIN_EXE_regprobe"));
        let output = Command::new("script")
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .expect("script is part of every Debian");
        let shown = text(&output.stdout);
        shown.lines().map(|line| line.trim_end().chars().count()).max().unwrap()
    };
    assert!((70..=80).contains(&widest(80)) && (110..=120).contains(&widest(120)) && widest(300) <= 120);
    let piped = succeeds(&["explain"]);
    assert!((90..=100).contains(&piped.lines().map(|line| line.chars().count()).max().unwrap()));
}

/// Runs a probe of a closed port on a terminal of its own (`script` of util-linux), types these keys once it is asked, and gives
/// what the terminal showed, with the exit status.
fn typed_on_a_terminal(keys: &[u8]) -> (String, Option<i32>) {
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = format!("{} probe alice@{closed}", env!("CARGO_BIN_EXE_regprobe"));
    let mut terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env_remove("REGPROBE_PASSWORD")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is part of every Debian");
    let (mut input, mut output) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
    let mut shown = Vec::new();
    while !shown.ends_with(b"): ") {
        let mut byte = [0];
        assert_eq!(output.read(&mut byte).unwrap(), 1, "nothing was asked: {}", text(&shown));
        shown.extend(byte);
    }
    input.write_all(keys).unwrap();
    output.read_to_end(&mut shown).unwrap();
    (text(&shown), terminal.wait().unwrap().code())
}

#[test]
fn a_password_is_asked_for_on_a_terminal_and_never_shown() {
    let (shown, status) = typed_on_a_terminal(b"canary\r");
    assert!(shown.starts_with("Password for alice ") && !shown.contains("canary"), "{shown}");
    assert_eq!(status, Some(5), "nobody listens there: {shown}");
}

#[test]
fn control_c_at_the_question_sends_nothing() {
    let (shown, status) = typed_on_a_terminal(b"can\x03");
    assert_eq!((status, shown.contains("REGISTER")), (Some(130), false), "{shown}");
}
