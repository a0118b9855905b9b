//! A canary password goes through every format, way of writing it, output and failure; nothing that is written holds it.

use super::*;

/// Blanks, reserved and non-ASCII characters, so that every encoding of it looks different.
const PASSWORD: &str = "c4nary p@ss/w0rd+\u{e9}";
/// MD5 of `alice:regprobe.lab:` and the password, from an independent program (Python's hashlib).
const HA1: &str = "c15d5c4fd8ca89c68e63d15431cf81f6";

fn check(what: &str, output: &Output) {
    let output = text(&output.stdout) + &text(&output.stderr);
    secrets::assert_clean(what, &output, &[PASSWORD, HA1]);
    assert!(!output.contains("c4nary"), "{what}: {output}");
}

#[test]
fn no_secret_of_a_list_is_in_any_output() {
    let right = Lab::start(PASSWORD, &[]);
    let wrong = Lab::start("another password", &[]);
    let file = scratch("canary.pw", PASSWORD.as_bytes());
    let file = path(&file);
    for lab in [&right, &wrong] {
        let alice = lab.alice("udp");
        let csv = format!(
            "aor,password,password_file,ha1\n\
             {alice},{PASSWORD},,\n\
             {alice},@{file},,\n\
             {alice},,{file},\n\
             {alice},,,{HA1}\n\
             {alice},@{PASSWORD},,\n\
             {alice},env:{PASSWORD},,\n\
             {alice},{PASSWORD},,{HA1}\n\
             {alice},{PASSWORD},,,{PASSWORD}\n\
             {alice},,,{PASSWORD}\n\
             sip:alice:{PASSWORD}@127.0.0.1,,,\n\
             {PASSWORD},,,\n\
             {alice},\"{PASSWORD}\n"
        );
        let json = format!(
            "{{\"aor\":\"{alice}\",\"password\":\"{PASSWORD}\"}}\n\
             {{\"aor\":\"{alice}\",\"password\":[\"{PASSWORD}\"]}}\n\
             {{\"aor\":\"{alice}\",\"password\":\"{PASSWORD}\n"
        );
        let toml =
            format!("[[account]]\naor = \"{alice}\"\npassword = \"{PASSWORD}\"\n[[account]]\naor = \"{alice}\"\nha1 = \"{PASSWORD}\"\n");
        for (name, rows) in [("list.csv", csv), ("list.jsonl", json), ("list.toml", toml)] {
            let list = named(name, &rows);
            for form in ["human", "jsonl", "csv"] {
                check(name, &bulk(&list, &["--output", form, "--max-wrong-passwords", "0"]));
            }
        }
    }
    let registered = bulk(&list(&format!("aor,password\n{},@{file}\n", right.alice("udp"))), &[]);
    assert_eq!(registered.status.code(), Some(0), "the canary is the right one");
}

#[test]
fn no_secret_is_in_what_is_said_of_a_list_that_is_none() {
    let broken = [
        ("list.csv", format!("alice@h,{PASSWORD}\n")),
        ("list.csv", format!("{PASSWORD}\n")),
        ("list.toml", format!("[[account]]\npassword = \"{PASSWORD}\n")),
        ("list.toml", format!("password = \"{PASSWORD}\"\n")),
    ];
    for (name, rows) in broken {
        let done = bulk(&named(name, &rows), &[]);
        assert_eq!(done.status.code(), Some(2));
        check(name, &done);
    }
}

#[test]
fn a_list_of_secrets_that_everybody_can_read_is_warned_of() {
    let lab = crowd(1, &[]);
    let open = scratch("open.csv", rows_of(&lab, [1]).as_bytes());
    let said = |list: &Path| text(&bulk(list, &[]).stderr);
    assert!(said(&open).contains("everybody on this machine can read it; close it with: chmod 600"));
    assert_eq!(said(&list(&rows_of(&lab, [1]))), "");
}
