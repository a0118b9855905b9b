//! Files that a user names and somebody else has written: too deep, too long, twice the same, another file than they seem. Each ends in
//! an error with its place and without its content, or in a warning; memory stays where it is.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::program::{Ended, run_talking};
use crate::support::hostile::Hostile;
use crate::support::scratch::Scratch;

/// Stands in every one of these files.
const MARK: &str = "c4nary";

fn text(path: &Path) -> &str {
    path.to_str().expect("a test's path is text")
}

/// Whatever reads a whole file of its own, and that file's name.
fn readers(scratch: &Scratch) -> Vec<(Vec<String>, PathBuf)> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let file = |name: &str| scratch.file(name);
    vec![
        (words(&["bulk"]), file("list.csv")),
        (words(&["bulk"]), file("list.jsonl")),
        (words(&["bulk"]), file("list.toml")),
        (words(&["watch"]), file("list.toml")),
        (words(&["watch"]), file("list.csv")),
        (words(&["verify", "--all"]), file("checks.toml")),
        (words(&["registrar", "--listen", "udp:127.0.0.1:0", "--users-file"]), file("users")),
    ]
}

fn run(words: &[String], file: &Path) -> Ended {
    let mut line: Vec<&str> = words.iter().map(String::as_str).collect();
    line.push(text(file));
    run_talking(&line)
}

/// Refused, by the name of the file, with a place where there is one, and without its content.
#[track_caller]
fn assert_refused(what: &str, ended: &Ended, file: &Path, has_place: bool) {
    let said = format!("{}{}", ended.text, ended.talk);
    assert_ne!(ended.status, 0, "{what}: {said}");
    assert!(!said.contains(MARK), "{what}: {said}");
    assert!(said.len() < 20_000, "{what}: {} bytes", said.len());
    let name = file.file_name().and_then(|name| name.to_str()).expect("it has one");
    let named = said.find(name).map(|at| &said[at + name.len()..]);
    let is_place = |rest: &str| {
        let mut numbers = rest.trim_start_matches(':').splitn(3, ':');
        let mut is_number = || numbers.next().is_some_and(|number| number.parse::<u64>().is_ok());
        is_number() && is_number()
    };
    let placed = ended
        .talk
        .match_indices(name)
        .any(|(at, _)| is_place(&ended.talk[at + name.len()..]))
        || ended.text.contains("\"line\":")
        || said.contains("line ");
    assert!(named.is_some() || placed, "{what}: {said}");
    assert!(!has_place || placed, "{what}: {said}");
}

/// Brackets in brackets, ten thousand and more deep (CVE-2023-1370's class: a reader that calls itself for each).
#[test]
fn what_is_nested_without_end_is_refused_at_its_place() {
    let scratch = Scratch::new("deep");
    let [arrays, objects] = ["[", "{\"a\":"].map(|text| text.repeat(100_000));
    // What TOML is taken apart into takes a hundred times its length, before it is refused.
    let [brackets, tables, pieces] = ["[", "{ a = ", "a."].map(|text| text.repeat(10_000));
    let mut cases = vec![
        (
            "bulk",
            "list.jsonl",
            format!("{{\"aor\":\"a@127.0.0.1\",\"password\":{arrays}\"{MARK}\"\n"),
        ),
        ("bulk", "list.jsonl", format!("{{\"aor\":{objects}\"{MARK}\"\n")),
        ("bulk", "list.jsonl", format!("{arrays}\"{MARK}\"\n")),
        ("bulk", "list.csv", format!("aor,{}\n", "\"".repeat(99_999))),
    ];
    for (command, name) in [("bulk", "list.toml"), ("verify", "checks.toml")] {
        cases.extend([
            (command, name, format!("x = {brackets}\"{MARK}\"\n")),
            (command, name, format!("x = {tables}\"{MARK}\"")),
            (command, name, format!("{pieces}x = \"{MARK}\"\n")),
            (command, name, format!("[{pieces}x]\ny = \"{MARK}\"\n")),
        ]);
    }
    for (command, name, content) in cases {
        let file = scratch.write(name, &content);
        let words: &[&str] = if command == "verify" {
            &["verify", "--all"]
        } else {
            &["bulk", "--output", "jsonl"]
        };
        let ended = run_talking(&[words, &[text(&file)]].concat());
        assert_refused(&content[..content.len().min(60)], &ended, &file, true);
    }
}

/// The same key twice: whichever counts, somebody who reads the file believes the other one.
#[test]
fn a_key_that_stands_twice_is_refused_at_its_place() {
    let scratch = Scratch::new("twice");
    let peer = Hostile::udp(|request, line| line.send(request.granted()));
    let aor = format!("sip:alice@{}", peer.address());
    let cases = [
        ("bulk", "list.csv", format!("aor,password,password\n{aor},{MARK},{MARK}\n")),
        ("bulk", "list.csv", format!("aor,auth-user,auth_user\n{aor},{MARK},{MARK}\n")),
        (
            "bulk",
            "list.jsonl",
            format!("{{\"aor\":\"{aor}\",\"password\":\"{MARK}\",\"password\":\"{MARK}\"}}\n"),
        ),
        (
            "bulk",
            "list.jsonl",
            format!("{{\"aor\":\"{aor}\",\"auth_user\":\"{MARK}\",\"auth-user\":\"{MARK}\"}}\n"),
        ),
        (
            "bulk",
            "list.toml",
            format!("[[account]]\naor = \"{aor}\"\npassword = \"{MARK}\"\npassword = \"{MARK}\"\n"),
        ),
        (
            "bulk",
            "list.toml",
            format!("[[account]]\naor = \"{aor}\"\nauth_user = \"{MARK}\"\nauth-user = \"{MARK}\"\n"),
        ),
        (
            "bulk",
            "list.toml",
            format!("[defaults]\nauth_user = \"{MARK}\"\n[defaults]\nauth_user = \"{MARK}\"\n"),
        ),
        (
            "watch",
            "list.toml",
            format!("[[account]]\naor = \"{aor}\"\npassword = \"{MARK}\"\npassword = \"{MARK}\"\n"),
        ),
        (
            "verify",
            "checks.toml",
            "[[check]]\nprovider = \"kamailio\"\nuuid = \"c4nary\"\nuuid = \"c4nary\"\n".to_owned(),
        ),
        (
            "verify",
            "checks.toml",
            "[defaults]\naor = \"c4nary\"\n[defaults]\naor = \"c4nary\"\n".to_owned(),
        ),
    ];
    for (command, name, content) in cases {
        let file = scratch.write(name, &content);
        let words: &[&str] = match command {
            "verify" => &["verify", "--all"],
            "watch" => &["watch"],
            _ => &["bulk", "--output", "jsonl"],
        };
        let ended = run_talking(&[words, &[text(&file)]].concat());
        assert_refused(&content, &ended, &file, true);
    }
    assert!(peer.requests().is_empty(), "something was sent");
}

/// Files of 1 GiB: of zeros, which take no room on the disk.
#[test]
fn a_file_of_a_gigabyte_takes_no_memory() {
    let scratch = Scratch::new("long");
    for (words, path) in readers(&scratch) {
        sparse(&path);
        let ended = run(&words, &path);
        assert_refused(&format!("{words:?} {}", text(&path)), &ended, &path, false);
    }
    let path = scratch.file("large");
    sparse(&path);
    let (large, aor) = (text(&path), "sip:alice@127.0.0.1:9");
    let probe = ["probe", aor, "--transport", "tls"];
    for options in [
        &["--password-file", large][..],
        &["--ha1-file", large],
        &["--ca-file", large],
        &["--client-cert", large, "--client-key", large],
    ] {
        let ended = run_talking(&[&probe, options].concat());
        assert_eq!(ended.status, 2, "{options:?}: {}{}", ended.text, ended.talk);
        assert!(ended.talk.contains(large), "{options:?}: {}", ended.talk);
    }
    let verify = [
        "verify",
        "kamailio",
        "--rpc",
        "https://127.0.0.1:9/RPC",
        "--uuid",
        "1",
        "--api-ca-file",
        large,
    ];
    let ended = run_talking(&verify);
    assert_eq!(ended.status, 2, "{}{}", ended.text, ended.talk);
}

/// The same without an end.
#[test]
fn a_device_that_never_ends_is_no_file_of_secrets() {
    let aor = "sip:alice@127.0.0.1:9";
    for options in [
        &["probe", aor, "--password-file", "/dev/zero"][..],
        &["probe", aor, "--ha1-file", "/dev/zero"],
        &["probe", aor, "--transport", "tls", "--ca-file", "/dev/zero"],
        &["verify", "--all", "/dev/zero"],
        &["bulk", "/dev/zero", "--format", "toml"],
        &["registrar", "--listen", "udp:127.0.0.1:0", "--users-file", "/dev/zero"],
    ] {
        let ended = run_talking(options);
        assert_eq!(ended.status, 2, "{options:?}: {}{}", ended.text, ended.talk);
        assert!(ended.talk.contains("/dev/zero"), "{options:?}: {}", ended.talk);
    }
}

fn sparse(path: &Path) {
    let file = File::create(path).expect("a scratch directory is writable");
    file.set_len(1 << 30).expect("the file system knows files with holes");
}

/// A link that leads to somebody's secret in place of a list: nothing of it is told but what looks like the name of a key (the class of privileged readers that quote
/// the first line of whatever they are pointed at).
#[test]
fn a_link_to_a_secret_shows_nothing_of_it() {
    let scratch = Scratch::new("link");
    let secrets = [
        format!("{MARK}:$6${MARK}$x:19000:0:99999:7:::\n"),
        format!("-----BEGIN PRIVATE KEY-----\n{MARK}\n-----END PRIVATE KEY-----\n"),
        format!("{MARK} = {MARK}\n"),
        format!("[{MARK}]\n{MARK}\n"),
        format!("{{\"token\": \"{MARK}\"}}\n"),
        format!("token = \"{MARK}\"\n"),
        format!("\"{MARK}"),
        format!("{MARK}\u{0}\u{1b}[2J{MARK}\n"),
    ];
    for secret in secrets {
        let target = scratch.write("secret", &secret);
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        for (words, path) in readers(&scratch) {
            if words[0] == "registrar" && secret.contains(':') {
                // Then it is a file of users.
                continue;
            }
            symlink(&target, &path).expect("a scratch directory is writable");
            let ended = run(&words, &path);
            fs::remove_file(&path).expect("it was just made");
            assert_refused(&format!("{words:?} {secret:?}"), &ended, &path, false);
        }
        let aor = "sip:alice@127.0.0.1:9";
        for options in [
            &["--ca-file", text(&target)][..],
            &["--client-cert", text(&target), "--client-key", text(&target)],
        ] {
            let ended = run_talking(&[&["probe", aor, "--transport", "tls"], options].concat());
            assert_eq!(ended.status, 2, "{options:?} {secret:?}: {}", ended.talk);
            assert!(!ended.talk.contains(MARK), "{options:?} {secret:?}: {}", ended.talk);
        }
    }
}

/// A secret that everybody on the machine can read, wherever it may stand: a warning with the remedy, and none when it is closed.
#[test]
fn a_secret_that_everybody_can_read_is_warned_of() {
    let scratch = Scratch::new("open");
    let peer = Hostile::udp(|request, line| line.send(request.granted()));
    let aor = format!("sip:alice@{}", peer.address());
    let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the file is ours");
    let password = scratch.write("the.password", MARK);
    let hash = scratch.write("the.ha1", "d41d8cd98f00b204e9800998ecf8427e");
    let list = scratch.write("list.csv", &format!("aor,password\n{aor},{MARK}\n"));
    let named = scratch.write("named.csv", &format!("aor,password_file\n{aor},the.password\n"));
    let cases: [(&[&str], &Path, &Path); 4] = [
        (&["probe", &aor, "--password-file", text(&password)], &password, &password),
        (&["probe", &aor, "--ha1-file", text(&hash)], &hash, &hash),
        (&["bulk", text(&list)], &list, &list),
        (&["bulk", text(&named)], &password, &named),
    ];
    for (line, secret, other) in cases {
        for mode in [0o644, 0o604, 0o600, 0o400] {
            set(other, 0o600);
            set(secret, mode);
            let ended = run_talking(&[line, &["--timeout", "2s"]].concat());
            let remedy = format!("chmod 600 {}", text(secret));
            assert_eq!(ended.talk.contains(&remedy), mode & 0o004 != 0, "{line:?} {mode:o}: {}", ended.talk);
            assert!(!ended.talk.contains(MARK), "{line:?}: {}", ended.talk);
        }
    }
}
