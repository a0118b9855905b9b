//! Registrations that are kept, and those that come back all at once.

use serde_json::Value;

use crate::{PASSWORDS, bindings, crowd, number, report, users};

#[test]
fn kept_registrations_are_refreshed_in_time_and_removed_in_the_end() {
    let lab = crowd(10, &["--min-expires", "1"]);
    let aor = users(&lab, "udp");
    let line = [
        &*aor,
        "--users",
        "10",
        "--rate",
        "50/s",
        "--duration",
        "9s",
        "--keep-alive",
        "--expires",
        "8",
    ];
    let (report, status) = report(PASSWORDS, &line);
    assert_eq!((status, &report["mode"]), (0, &"keep_alive".into()), "{report}");
    for (pointer, expected) in [
        ("/offered/registrations", 10),
        ("/achieved/registrations", 10),
        ("/keep_alive/held", 10),
        ("/keep_alive/lapses", 0),
        ("/removal/removed", 10),
    ] {
        assert_eq!(number(&report, pointer), expected, "{pointer}: {report}");
    }
    // Each was refreshed at least once a binding.
    assert!(number(&report, "/keep_alive/refreshes") >= 10, "{report}");
    let windows = report["keep_alive"]["windows"].as_array().unwrap();
    let sum: u64 = windows.iter().filter_map(Value::as_u64).sum();
    assert_eq!(sum, number(&report, "/keep_alive/refreshes"), "{report}");
    assert_eq!(
        (&report["achieved"]["share_percent"], &report["storm"]),
        (&100.0.into(), &Value::Null),
        "{report}"
    );
    assert_eq!((bindings(&lab, 1), bindings(&lab, 10)), (0, 0));
}

#[test]
fn a_registration_that_cannot_be_refreshed_lapses_and_is_told() {
    // The first two requests of each are answered: a challenge and a binding.
    let lab = crowd(1, &["--min-expires", "1", "--fault", "silence;after=2;user=user1"]);
    let aor = users(&lab, "udp");
    let line = [
        &*aor,
        "--users",
        "1",
        "--rate",
        "50/s",
        "--duration",
        "3s",
        "--keep-alive",
        "--expires",
        "1",
    ];
    let (report, status) = report(PASSWORDS, &[&line[..], &["--timeout", "500ms", "--keep"]].concat());
    assert_eq!(
        (status, number(&report, "/keep_alive/lapses"), number(&report, "/keep_alive/held")),
        (1, 1, 0),
        "{report}"
    );
    assert_eq!(report["causes"][0]["cause"], "no_reply", "{report}");
}

#[test]
fn after_a_storm_it_is_said_when_all_are_back() {
    let lab = crowd(30, &[]);
    let aor = users(&lab, "udp");
    for jitter in [&[][..], &["--jitter", "300ms"]] {
        let line = [&*aor, "--users", "30", "--duration", "20s", "--storm"];
        let (report, status) = report(PASSWORDS, &[&line[..], jitter].concat());
        assert_eq!(
            (status, &report["mode"], number(&report, "/storm/back")),
            (0, &"storm".into(), 30),
            "{report}"
        );
        let [half, most, all] = ["half_back_s", "most_back_s", "all_back_s"].map(|when| report["storm"][when].as_f64().unwrap());
        assert!(half <= most && most <= all, "{report}");
        assert_eq!(
            (number(&report, "/offered/given"), number(&report, "/removal/removed")),
            (30, 30),
            "{report}"
        );
        assert_eq!(report["offered"]["per_second"].is_null(), jitter.is_empty(), "{report}");
    }
}

#[test]
fn a_storm_that_not_everybody_survives_says_so() {
    let lab = crowd(4, &["--fault", "status=403;user=user4"]);
    let aor = users(&lab, "udp");
    let (report, status) = report(PASSWORDS, &[&aor, "--users", "4", "--duration", "1s", "--storm"]);
    assert_eq!((status, number(&report, "/storm/back")), (1, 3), "{report}");
    assert!(
        report["storm"]["half_back_s"].is_f64() && report["storm"]["all_back_s"].is_null(),
        "{report}"
    );
    assert_eq!(report["achieved"]["share_percent"], 75.0, "{report}");
}
