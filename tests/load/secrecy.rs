//! A canary password goes through every kind of load and every end; then everything that was written is searched for it.

use crate::lab::{Lab, run, scratch, text};
use crate::secrets;

/// With a place for the number, so that both the text and what it becomes are looked for.
const TEXT: &str = "c4nary {n} p@ss/w0rd";
const FIRST: &str = "c4nary 1 p@ss/w0rd";

#[test]
fn no_password_is_in_any_output() {
    let user = format!("user1:{FIRST}");
    let lab = Lab::start("secret", &["--user", &user]);
    let silent = Lab::start("secret", &["--user", &user, "--fault", "silence"]);
    let aor = |lab: &Lab| format!("sip:user{{n}}@{}", lab.address("udp"));
    let (honest, mute) = (aor(&lab), aor(&silent));
    let file = scratch("passwords", TEXT.as_bytes());
    let mut registered = 0;
    for line in [
        &[&*honest][..],
        &[&honest, "--output", "json"],
        &[&honest, "--password-file", file.to_str().unwrap()],
        &[&honest, "--keep-alive", "--expires", "1"],
        &[&honest, "--storm", "--output", "json"],
        &[&honest, "--auth-user", "nobody"],
        &[&mute, "--timeout", "200ms"],
        &["sip:user{n}@198.51.100.7"],
        &[&honest, "--bogus"],
    ] {
        let line = [&["load"], line, &["--users", "1", "--rate", "10/s", "--duration", "100ms"]].concat();
        let done = run(TEXT, &line);
        registered += u32::from(done.status.code() == Some(0));
        secrets::assert_clean(&format!("{line:?}"), &(text(&done.stdout) + &text(&done.stderr)), &[TEXT, FIRST]);
    }
    assert_eq!(registered, 5, "the password was really used");
    for lab in [lab, silent] {
        secrets::assert_clean("registrar", &lab.end(), &[TEXT, FIRST]);
    }
}
