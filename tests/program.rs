//! The real program against `regprobe registrar`, over real loopback sockets: what people, scripts and monitoring systems see.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

mod lab;

use std::process::Stdio;

use lab::{Lab, command, interrupt, run, text};
use serde_json::Value;

const PASSWORD: &str = "secret";

/// Runs with `--output json`, holds the report to the published schema, and gives it with the exit status.
fn report(password: &str, line: &[&str]) -> (Value, i32) {
    let done = run(password, &[line, &["--output", "json"]].concat());
    let output = text(&done.stdout);
    let report: Value = serde_json::from_str(&output).unwrap_or_else(|error| panic!("{line:?}: {error}: {output}{}", text(&done.stderr)));
    assert_eq!(output.lines().count(), 1, "where nobody looks it is one line");
    let schema: Value = serde_json::from_slice(&run("", &["schema"]).stdout).expect("the schema is JSON");
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .expect("a valid schema")
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}: {output}");
    (report, done.status.code().expect("nothing killed it"))
}

#[test]
fn a_registration_is_confirmed_and_removed_over_every_transport() {
    let lab = Lab::start(PASSWORD, &[]);
    let authority = lab.authority.to_str().unwrap();
    for transport in ["udp", "tcp", "tls"] {
        let alice = lab.alice(transport);
        let (report, status) = report(PASSWORD, &["probe", &alice, "--transport", transport, "--ca-file", authority]);
        assert_eq!(
            (status, &report["state"], &report["registered"]),
            (0, &"REGISTERED_STATE".into(), &true.into()),
            "{report}"
        );
        assert_eq!(
            (&report["transport"], &report["binding"]["removal"]),
            (&transport.into(), &"confirmed".into()),
            "{report}"
        );
        assert_eq!(
            (&report["auth"]["algorithm"], &report["binding"]["expires_s"]),
            (&"SHA-256".into(), &300.into()),
            "{report}"
        );
        assert_eq!(
            report["tls"]["verified"].as_bool(),
            (transport == "tls").then_some(true),
            "{report}"
        );
    }
}

#[test]
fn the_exit_status_is_the_states_code() {
    let lab = Lab::start(PASSWORD, &[]);
    let alice = lab.alice("udp");
    let cause = |password: &str, line: &[&str]| {
        let (report, status) = report(password, line);
        assert_eq!(report["state_code"], status, "{report}");
        (report["cause"].as_str().unwrap_or_default().to_owned(), status)
    };
    assert_eq!(cause("wrong", &["probe", &alice]), ("wrong_credentials".into(), 6));
    assert_eq!(cause("", &["probe", &alice]), ("credentials_missing".into(), 6));
    assert_eq!(cause(PASSWORD, &["probe", &alice.replace("alice", "bob")]).1, 6);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(
        cause("", &["probe", &format!("a@{closed}"), "--transport", "tcp"]),
        ("connection_refused".into(), 5)
    );
    let tls = lab.alice("tls");
    assert_eq!(
        cause(PASSWORD, &["probe", &tls, "--transport", "tls"]),
        ("certificate_untrusted".into(), 5)
    );
    let silent = Lab::start(PASSWORD, &["--fault", "silence"]);
    assert_eq!(
        cause(PASSWORD, &["probe", &silent.alice("udp"), "--timeout", "600ms"]),
        ("no_reply".into(), 4)
    );
    let forbidding = Lab::start(PASSWORD, &["--fault", "status=403"]);
    assert_eq!(cause(PASSWORD, &["probe", &forbidding.alice("udp")]), ("forbidden".into(), 7));
}

#[test]
fn people_get_a_ladder_and_a_verdict() {
    let lab = Lab::start(PASSWORD, &[]);
    let alice = lab.alice("udp");
    let done = run(PASSWORD, &["probe", &alice]);
    let output = text(&done.stdout);
    assert_eq!((done.status.code(), text(&done.stderr).as_str()), (Some(0), ""), "{output}");
    assert!(
        output.starts_with(&format!("{alice}  via udp {}\n\n", lab.address("udp"))),
        "{output}"
    );
    for part in [
        "→  REGISTER 1\n",
        "←  401 Unauthorized",
        "←  200 OK",
        "·  binding removed",
        "\n✔ REGISTERED in ",
    ] {
        assert!(output.contains(part), "{part:?}: {output}");
    }
    assert!(!output.contains('\x1b'), "no colour where nobody looks");
    let done = run("wrong", &["probe", &alice]);
    let output = text(&done.stdout);
    assert!(
        output.contains("\n✘ WRONG CREDENTIALS after ") && output.contains("  more    regprobe explain wrong_credentials\n"),
        "{output}"
    );
}

#[test]
fn whole_messages_are_shown_on_request_without_the_answer() {
    let lab = Lab::start(PASSWORD, &[]);
    let output = text(&run(PASSWORD, &["probe", &lab.alice("udp"), "--trace"]).stdout);
    assert!(
        output.contains("   REGISTER sip:127.0.0.1") && output.contains("   SIP/2.0 401 Unauthorized"),
        "{output}"
    );
    let (report, _) = report(PASSWORD, &["probe", &lab.alice("udp"), "--trace"]);
    let directions: Vec<&str> = report["transcript"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["direction"].as_str())
        .collect();
    assert_eq!(directions.get(..4), Some(&["sent", "received", "sent", "received"][..]), "{report}");
}

#[test]
fn a_monitoring_system_gets_one_line_and_its_own_status() {
    let lab = Lab::start(PASSWORD, &[]);
    let alice = lab.alice("udp");
    for (password, options, status, start) in [
        (PASSWORD, &["-w", "5000", "-c", "6000"][..], 0, "SIP OK - "),
        (PASSWORD, &["-w", "0"], 1, "SIP WARNING - "),
        (PASSWORD, &["-c", "0"], 2, "SIP CRITICAL - "),
        ("wrong", &[], 2, "SIP CRITICAL - "),
        ("", &[], 3, "SIP UNKNOWN - "),
    ] {
        let done = run(password, &[&["probe", &alice, "--output", "nagios"], options].concat());
        let line = text(&done.stdout);
        assert_eq!(done.status.code(), Some(status), "{line}");
        assert!(
            line.starts_with(start) && line.lines().count() == 1 && line.contains(" | total="),
            "{line}"
        );
    }
}

#[test]
fn a_kept_binding_is_listed_and_unregister_finds_it_among_others() {
    let lab = Lab::start(PASSWORD, &[]);
    let alice = lab.alice("udp");
    let bindings = || {
        let (report, status) = report(PASSWORD, &["bindings", &alice]);
        assert_eq!(status, 0, "{report}");
        let contacts = report["other_bindings"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|binding| binding["contact"].as_str().map(str::to_owned));
        contacts.collect::<Vec<_>>()
    };
    assert_eq!(bindings(), [""; 0]);
    let other = "sip:alice@198.51.100.7:5060";
    assert_eq!(
        run(PASSWORD, &["probe", &alice, "--keep", "--contact", other]).status.code(),
        Some(0)
    );
    assert_eq!(run(PASSWORD, &["probe", &alice, "--keep"]).status.code(), Some(0));
    assert_eq!(bindings().len(), 2);
    let (removed, status) = report(PASSWORD, &["unregister", &alice]);
    assert_eq!((status, &removed["state"]), (0, &"NOT_REGISTERED_STATE".into()), "{removed}");
    assert_eq!(bindings(), [other]);
    let (nothing, status) = report(PASSWORD, &["unregister", &alice]);
    assert_eq!(status, 0);
    assert!(nothing["detail"].as_str().unwrap().starts_with("nothing to remove: "), "{nothing}");
    assert_eq!(run(PASSWORD, &["unregister", &alice, "--contact", other]).status.code(), Some(0));
    assert_eq!(bindings(), [""; 0]);
}

#[test]
fn unregister_all_leaves_nothing() {
    let lab = Lab::start(PASSWORD, &[]);
    let alice = lab.alice("tcp");
    for host in ["198.51.100.7", "198.51.100.8"] {
        let contact = format!("sip:alice@{host}");
        assert_eq!(
            run(PASSWORD, &["probe", &alice, "--transport", "tcp", "--keep", "--contact", &contact])
                .status
                .code(),
            Some(0)
        );
    }
    let (report, status) = report(PASSWORD, &["unregister", &alice, "--all", "--transport", "tcp"]);
    assert_eq!(
        (status, &report["goal"], report["other_bindings"].as_array().map(Vec::len)),
        (0, &"clear".into(), Some(0)),
        "{report}"
    );
}

#[test]
fn repeated_probes_never_fill_an_account() {
    let lab = Lab::start(PASSWORD, &["--max-contacts", "1"]);
    let alice = lab.alice("udp");
    for _ in 0..5 {
        assert_eq!(run(PASSWORD, &["probe", &alice]).status.code(), Some(0));
        assert_eq!(
            run(PASSWORD, &["probe", &alice, "--instance", "--reg-id", "1", "--keep"])
                .status
                .code(),
            Some(0)
        );
        assert_eq!(run(PASSWORD, &["unregister", &alice]).status.code(), Some(0));
    }
}

#[test]
fn every_target_is_judged_by_itself_and_the_worst_decides() {
    let lab = Lab::start(PASSWORD, &[]);
    let port = lab.address("udp").rsplit_once(':').unwrap().1;
    let [alice, good, dead] =
        ["alice@pbx.test:PORT", "pbx.test:PORT:127.0.0.1", "pbx.test:PORT:127.0.0.2"].map(|text| text.replace("PORT", port));
    let line = ["probe", &alice, "--transport", "udp", "--resolve", &good, "--resolve", &dead];
    let (first_good, status) = report(PASSWORD, &line);
    assert_eq!(
        (status, &first_good["network"]["targets"][1]["outcome"]),
        (0, &"not_tried".into()),
        "{first_good}"
    );
    let (all, status) = report(PASSWORD, &[&line[..], &["--every-target"]].concat());
    let targets = &all["network"]["targets"];
    assert_eq!((status, &all["cause"]), (5, &"unreachable".into()), "{all}");
    assert_eq!(
        (&targets[0]["state_code"], &targets[1]["state_code"]),
        (&3.into(), &5.into()),
        "{all}"
    );
    assert!(targets[0]["phases_ms"]["total"].is_number(), "{all}");
}

#[test]
fn a_redirect_is_followed_only_when_asked() {
    let new = Lab::start(PASSWORD, &["--open"]);
    let old = Lab::start(PASSWORD, &["--fault", &format!("redirect=sip:{}", new.address("udp"))]);
    let alice = old.alice("udp");
    let (stayed, status) = report(PASSWORD, &["probe", &alice]);
    assert_eq!((status, &stayed["cause"]), (7, &"redirected".into()), "{stayed}");
    let (followed, status) = report(PASSWORD, &["probe", &alice, "--follow-redirects"]);
    assert_eq!(
        (status, &followed["network"]["server"]),
        (0, &new.address("udp").into()),
        "{followed}"
    );
}

#[test]
fn what_is_advertised_and_where_it_is_sent_from_is_up_to_the_user() {
    let lab = Lab::start(PASSWORD, &[]);
    let line = [
        "probe",
        &lab.alice("udp"),
        "--local",
        "127.0.0.3",
        "--advertise",
        "phone.example.test:5090",
        "--instance",
        "--reg-id",
        "1",
    ];
    let (report, status) = report(PASSWORD, &line);
    assert_eq!(
        (status, &report["binding"]["contact"]),
        (0, &"sip:alice@phone.example.test:5090".into()),
        "{report}"
    );
    assert!(report["network"]["local"].as_str().unwrap().starts_with("127.0.0.3:"), "{report}");
}

#[test]
fn files_for_tls_are_read_before_anything_is_sent() {
    let lab = Lab::start(PASSWORD, &[]);
    let no_pem = lab::scratch("no.pem", b"no certificate");
    for (line, option) in [
        (&["--ca-file", "/no/such/file"][..], "--ca-file /no/such/file: "),
        (&["--ca-file", no_pem.to_str().unwrap()], "--ca-file "),
        (
            &[
                "--client-cert",
                lab.authority.to_str().unwrap(),
                "--client-key",
                no_pem.to_str().unwrap(),
            ],
            "--client-key ",
        ),
    ] {
        let done = run(PASSWORD, &[&["probe", &lab.alice("tls"), "--transport", "tls"], line].concat());
        let message = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{message}");
        assert!(message.starts_with(&format!("error: {option}")), "{message}");
    }
    assert!(!lab.end().contains("REGISTER"), "nothing was sent");
}

#[test]
fn a_secret_that_everybody_can_read_is_used_and_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::start(PASSWORD, &[]);
    let path = lab::scratch("secret", format!("{PASSWORD}\n").as_bytes());
    for (mode, warned) in [(0o644, true), (0o600, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let done = run("", &["probe", &lab.alice("udp"), "--password-file", path.to_str().unwrap()]);
        let talk = text(&done.stderr);
        assert_eq!(
            (done.status.code(), talk.contains("chmod 600"), talk.is_empty()),
            (Some(0), warned, !warned),
            "{talk}"
        );
    }
}

#[test]
fn a_ping_needs_no_account() {
    let lab = Lab::start(PASSWORD, &[]);
    let (report, status) = report("", &["ping", lab.address("udp")]);
    assert_eq!(
        (status, &report["goal"], &report["last_response"]["code"]),
        (0, &"ping".into(), &200.into()),
        "{report}"
    );
}

#[test]
fn control_c_removes_a_binding_that_may_be_there() {
    // The registrar binds at once and says so a minute later, so the program has to be interrupted in between.
    let mut lab = Lab::start(PASSWORD, &["--fault", "delay=60s;method=REGISTER;credentials=yes;times=1"]);
    let alice = lab.alice("udp");
    let child = command(PASSWORD, &["probe", &alice, "--timeout", "50s"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    lab.line_with(": 200");
    // `timeout` sends its signal to the program and to the group that it is in.
    interrupt(&child);
    interrupt(&child);
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130), "{}{}", text(&done.stdout), text(&done.stderr));
    let (report, _) = report(PASSWORD, &["bindings", &alice]);
    assert_eq!(report["other_bindings"].as_array().map(Vec::len), Some(0), "{report}");
}

#[test]
fn a_second_control_c_ends_at_once() {
    // The reply to the removal is a minute away as well: only the second signal ends the program before that is given up.
    let mut lab = Lab::start(PASSWORD, &["--fault", "delay=60s;method=REGISTER;credentials=yes"]);
    let mut child = command(PASSWORD, &["probe", &lab.alice("udp"), "--timeout", "50s"])
        .spawn()
        .unwrap();
    lab.line_with(": 200");
    interrupt(&child);
    lab.line_with(": 200");
    // One that comes at once says no more than the first.
    while child.try_wait().unwrap().is_none() {
        interrupt(&child);
        std::thread::yield_now();
    }
    let done = child.wait_with_output().unwrap();
    let report = text(&done.stdout);
    assert_eq!(done.status.code(), Some(130), "{report}");
    assert!(
        report.contains("binding not removed") && report.contains("may_be_bound"),
        "{report}"
    );
}

#[test]
fn a_password_can_come_from_standard_input() {
    use std::io::Write as _;
    let lab = Lab::start(PASSWORD, &[]);
    let mut child = command("", &["probe", &lab.alice("udp"), "--password-file", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"secret\n").unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stdout), text(&done.stderr));
}

#[test]
fn hostile_text_is_harmless_in_every_output() {
    let lab = Lab::start(PASSWORD, &["--fault", "injected-reason"]);
    for output in ["human", "json", "nagios"] {
        let done = run(PASSWORD, &["probe", &lab.alice("udp"), "--output", output]);
        let text = text(&done.stdout);
        assert!(
            !text.contains(|character: char| character != '\n' && character.is_control()),
            "{output}: {text:?}"
        );
    }
}

#[test]
fn the_demo_ends_well() {
    let done = run("", &["demo"]);
    let output = text(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{output}{}", text(&done.stderr));
    for part in [
        "  via udp 127.0.0.1:",
        "  via tcp 127.0.0.1:",
        "  via tls 127.0.0.1:",
        "✔ REGISTERED in ",
        "✘ WRONG CREDENTIALS after ",
        "✘ REGISTER TIMEOUT after ",
    ] {
        assert_eq!(output.matches(part).count(), 3, "{part:?}: {output}");
    }
}

#[test]
fn kept_bindings_replace_each_other_from_run_to_run() {
    let lab = Lab::start(PASSWORD, &["--max-contacts", "1"]);
    let alice = lab.alice("udp");
    let contacts: Vec<Value> = (0..3)
        .map(|_| {
            let (report, status) = report(PASSWORD, &["probe", &alice, "--keep"]);
            assert_eq!(
                (status, report["other_bindings"].as_array().map(Vec::len)),
                (0, Some(0)),
                "{report}"
            );
            report["binding"]["contact"].clone()
        })
        .collect();
    assert_eq!(contacts[0], contacts[1]);
    assert_eq!(contacts[1], contacts[2]);
}
