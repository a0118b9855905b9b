//! What is counted when every user registers again and again.

use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::Value;

use crate::lab::{Lab, command, interrupt, run, text};
use crate::{PASSWORDS, bindings, crowd, number, read, report, users};

#[test]
fn every_registration_that_falls_due_is_made_with_a_challenge_and_removed_in_the_end() {
    // As many users as orders, so that none has to wait on a slow machine.
    let lab = crowd(40, &[]);
    for (transport, shards) in [("udp", "1"), ("udp", "2"), ("tcp", "1"), ("tls", "1")] {
        let aor = users(&lab, transport);
        let mut line = vec![
            &*aor,
            "--users",
            "1..40",
            "--rate",
            "40/s",
            "--duration",
            "1s",
            "--transport",
            transport,
        ];
        line.extend(["--shards", shards, "--ca-file", lab.authority.to_str().unwrap()]);
        let (report, status) = report(PASSWORDS, &line);
        assert_eq!(status, 0, "{report}");
        for (pointer, expected) in [
            ("/offered/registrations", 40),
            ("/offered/given", 40),
            ("/achieved/registrations", 40),
            ("/achieved/failed", 0),
            ("/achieved/unfinished", 0),
            ("/requests", 80),
            ("/removal/bound", 40),
            ("/removal/removed", 40),
            ("/removal/left", 0),
        ] {
            assert_eq!(
                number(&report, pointer),
                expected,
                "{transport}, {shards} shards: {pointer}: {report}"
            );
        }
        assert_eq!(
            (&report["transport"], &report["causes"]),
            (&transport.into(), &Value::Array(Vec::new()))
        );
        assert!(
            report["latency_ms"]["p50"].is_f64() && report["service_ms"]["max"].is_f64(),
            "{report}"
        );
        let parts = report["parts"].as_array().unwrap();
        let in_parts: u64 = parts.iter().map(|part| number(part, "/registered")).sum();
        assert_eq!((parts.len(), in_parts), (10, 40), "{report}");
        assert_eq!((bindings(&lab, 1), bindings(&lab, 40)), (0, 0));
    }
}

#[test]
fn a_nonce_is_used_again_on_request() {
    let lab = crowd(5, &[]);
    let aor = users(&lab, "udp");
    let (report, _) = report(
        PASSWORDS,
        &[&aor, "--users", "5", "--rate", "50/s", "--duration", "1s", "--reuse-nonce"],
    );
    // The first of each user is challenged, the others are not.
    let registered = number(&report, "/achieved/registrations");
    assert_eq!(
        (number(&report, "/achieved/failed"), number(&report, "/requests")),
        (0, registered + 5),
        "{report}"
    );
    assert!(registered > 5, "{report}");
}

#[test]
fn a_ramp_has_its_own_numbers_for_each_step() {
    let lab = crowd(35, &[]);
    let aor = users(&lab, "udp");
    let (report, status) = report(PASSWORDS, &[&aor, "--users", "35", "--ramp", "10,40,20/s", "--duration", "1500ms"]);
    let ordered: Vec<u64> = report["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| number(part, "/registered"))
        .collect();
    assert_eq!((status, ordered), (0, vec![5, 20, 10]), "{report}");
}

#[test]
fn one_connection_for_each_user_is_one_for_each() {
    for transport in ["udp", "tcp"] {
        let lab = crowd(6, &[]);
        let aor = users(&lab, transport);
        let line = [
            &*aor,
            "--users",
            "6",
            "--rate",
            "60/s",
            "--duration",
            "100ms",
            "--transport",
            transport,
        ];
        let (report, status) = report(PASSWORDS, &[&line[..], &["--connections", "each"]].concat());
        assert_eq!((status, number(&report, "/client/connections")), (0, 6), "{report}");
        assert_eq!(peers(lab).len(), 6, "{transport}");
    }
    let lab = crowd(6, &[]);
    let aor = users(&lab, "udp");
    report(PASSWORDS, &[&aor, "--users", "6", "--rate", "60/s", "--duration", "100ms"]);
    assert_eq!(peers(lab).len(), 1);
}

/// Everybody who asked the registrar for something, by address and port.
fn peers(lab: Lab) -> BTreeSet<String> {
    let log = lab.end();
    let asked = log.lines().filter(|line| line.contains(" REGISTER "));
    asked.filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

#[test]
fn wrong_passwords_are_counted_by_cause_and_code() {
    let lab = crowd(20, &[]);
    let aor = users(&lab, "udp");
    let line = [&*aor, "--users", "20", "--rate", "20/s", "--duration", "1s"];
    let (first, status) = report("secret1", &line);
    assert_eq!((status, number(&first, "/achieved/registrations")), (1, 1), "{first}");
    assert_eq!(first["causes"].as_array().unwrap().len(), 1, "{first}");
    assert_eq!(
        (&first["causes"][0]["cause"], &first["causes"][0]["sip_code"]),
        (&"wrong_credentials".into(), &401.into())
    );
    assert_eq!(
        (number(&first, "/causes/0/count"), &first["achieved"]["share_percent"]),
        (19, &5.0.into())
    );
    assert_eq!(number(&first, "/removal/removed"), 1, "{first}");
    let (second, status) = report("secret1", &[&line[..], &["--share", "5"]].concat());
    assert_eq!((status, &second["achieved"]["wanted_percent"]), (0, &5.0.into()), "{second}");
    let (none, status) = report("", &line);
    assert_eq!((status, &none["causes"][0]["cause"]), (1, &"credentials_missing".into()), "{none}");
}

#[test]
fn silence_is_counted_as_no_reply_and_holds_the_rest_back() {
    let lab = crowd(2, &["--fault", "silence"]);
    let aor = users(&lab, "udp");
    let line = [&*aor, "--users", "2", "--rate", "20/s", "--duration", "1s", "--timeout", "300ms"];
    let (report, status) = report(PASSWORDS, &line);
    assert_eq!((status, number(&report, "/achieved/registrations")), (1, 0), "{report}");
    assert_eq!(report["causes"][0]["cause"], "no_reply", "{report}");
    assert_eq!(report["causes"][0]["sip_code"], Value::Null, "{report}");
    // All fell due; two users could not make twenty tries.
    assert_eq!(number(&report, "/offered/registrations"), 20, "{report}");
    let (given, left) = (number(&report, "/offered/given"), number(&report, "/offered/not_given"));
    assert!(
        given + left == 20 && left > 0 && number(&report, "/offered/held_back") > 0,
        "{report}"
    );
    assert_eq!(number(&report, "/achieved/failed"), given, "{report}");
    assert_eq!(report["latency_ms"]["p99"], Value::Null, "{report}");
    assert_eq!(report["achieved"]["share_percent"], 0.0, "{report}");
}

#[test]
fn what_the_registrar_refuses_is_told_by_its_code() {
    let lab = crowd(10, &["--fault", "status=503;user=user2"]);
    let aor = users(&lab, "udp");
    let (report, status) = report(PASSWORDS, &[&aor, "--users", "10", "--rate", "10/s", "--duration", "1s"]);
    assert_eq!(
        (status, &report["causes"][0]["cause"], &report["causes"][0]["sip_code"]),
        (1, &"overloaded".into(), &503.into()),
        "{report}"
    );
    assert_eq!(
        (number(&report, "/achieved/registrations"), number(&report, "/achieved/failed")),
        (9, 1),
        "{report}"
    );
}

#[test]
fn bindings_stay_on_request() {
    let lab = crowd(2, &[]);
    let aor = users(&lab, "udp");
    let (report, status) = report(
        PASSWORDS,
        &[&aor, "--users", "2", "--rate", "10/s", "--duration", "200ms", "--keep"],
    );
    assert_eq!((status, &report["removal"]), (0, &Value::Null), "{report}");
    assert_eq!((bindings(&lab, 1), bindings(&lab, 2)), (1, 1));
}

#[test]
fn an_account_without_a_number_is_one_user() {
    let lab = Lab::start("secret", &[]);
    let (report, status) = report("secret", &[&lab.alice("udp"), "--rate", "10/s", "--duration", "100ms"]);
    assert_eq!(
        (status, number(&report, "/users"), number(&report, "/achieved/registrations")),
        (0, 1, 1),
        "{report}"
    );
}

#[test]
fn ctrl_c_ends_it_after_the_bindings_are_removed_and_shows_what_was_measured() {
    let mut lab = crowd(3, &[]);
    let aor = users(&lab, "udp");
    let line = [
        "load",
        &aor,
        "--users",
        "3",
        "--rate",
        "50/s",
        "--duration",
        "1h",
        "--output",
        "json",
    ];
    let running = command(PASSWORDS, &line).stdin(Stdio::null()).spawn().unwrap();
    for user in ["user1", "user2", "user3"] {
        lab.line_with(&format!("sip:{user}@{}: 200", lab.address("udp").to_owned()));
    }
    // `timeout` sends its signal to the program and to the group that it is in.
    interrupt(&running);
    interrupt(&running);
    let done = running.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130), "{}", text(&done.stderr));
    let report = read(&done);
    assert_eq!(report["interrupted"], true, "{report}");
    let (offered, registered) = (
        number(&report, "/offered/registrations"),
        number(&report, "/achieved/registrations"),
    );
    // What the registrar has logged, the client may not have read yet.
    assert!((3..180_000).contains(&offered) && registered <= offered, "{report}");
    assert_eq!(
        (number(&report, "/removal/bound"), number(&report, "/removal/removed")),
        (3, 3),
        "{report}"
    );
    // The log is behind: it is read here until the registrar ends.
    assert!(lab.end().contains("200, 0 bound"));
}

#[test]
fn people_get_one_screen() {
    let lab = crowd(10, &[]);
    let aor = users(&lab, "udp");
    let done = run(PASSWORDS, &["load", &aor, "--users", "10", "--rate", "10/s", "--duration", "1s"]);
    let output = text(&done.stdout);
    assert_eq!((done.status.code(), text(&done.stderr).as_str()), (Some(0), ""), "{output}");
    for part in [
        &format!("{aor}  via udp {}\n", lab.address("udp")),
        "10 users, for 1.0 s\n",
        "from when it was due",
        "10 of 10 bindings removed",
        "\n✔ 100 % registered\n",
    ] {
        assert!(output.contains(part), "{part:?}: {output}");
    }
    assert!(
        !output.contains('\x1b') && output.lines().all(|line| line.chars().count() <= 100),
        "{output}"
    );
    let done = run("wrong", &["load", &aor, "--users", "10", "--rate", "10/s", "--duration", "1s"]);
    let output = text(&done.stdout);
    assert!(
        output.contains("        10  wrong_credentials  (401)\n") && output.contains("\n✘ 0 % registered (100 % were wanted)\n"),
        "{output}"
    );
}
