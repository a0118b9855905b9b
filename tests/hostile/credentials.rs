//! Files of secrets that hold something else than one: refused before anything is sent, by the name of the file, and never with a word
//! of what stands in it (the class of programs that quote the line that they could not read).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::program::{Ended, run_talking, run_with};
use crate::support::hostile::Hostile;
use crate::support::scratch::Scratch;

/// Stands in every one of these files.
const MARK: &str = "c4nary";
/// The MD5 of nothing, which is an HA1 like any other.
const HEX: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// What is no password: several lines, a NUL, bytes of another code, no end, nothing.
fn no_passwords() -> Vec<Vec<u8>> {
    vec![
        format!("{MARK}\n{MARK}\n").into_bytes(),
        format!("{MARK}\r{MARK}").into_bytes(),
        format!("{MARK}\0{MARK}").into_bytes(),
        [MARK.as_bytes(), b"\xff\xfe"].concat(),
        [MARK.as_bytes(), &vec![b'x'; 1024 * 1024]].concat(),
        b"\n".to_vec(),
        Vec::new(),
    ]
}

/// What is no HA1: of the wrong length, case or alphabet, or for an algorithm that nobody knows.
fn no_hashes() -> Vec<Vec<u8>> {
    let texts = [
        format!("{MARK}{HEX}"),
        HEX[1..].to_owned(),
        format!("{HEX}00"),
        HEX.to_uppercase(),
        HEX.replace('d', "g"),
        HEX.replace('d', "\u{0661}"),
        format!("SHA-256:{HEX}"),
        format!("MD5:{HEX}{HEX}"),
        format!("AKAv1-MD5:{HEX}{MARK}"),
        format!(":{HEX}{MARK}"),
        format!("alice:example.test:{HEX}{MARK}"),
        format!("{HEX}\n{HEX}"),
    ];
    texts.into_iter().map(String::into_bytes).chain(no_passwords()).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a test's path is text")
}

/// A file that only its owner can read.
fn closed(scratch: &Scratch, name: &str, content: &[u8]) -> PathBuf {
    let path = scratch.file(name);
    fs::write(&path, content).expect("a scratch directory is writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    path
}

/// It was refused, and not a word of a secret is in what was said.
#[track_caller]
fn assert_refused(what: &str, ended: &Ended, named: &str) {
    assert_ne!(ended.status, 0, "{what}");
    let said = format!("{}{}", ended.text, ended.talk);
    assert!(said.contains(named), "{what}: {said}");
    for secret in [MARK, HEX, &HEX[1..], &HEX.to_uppercase()] {
        assert!(!said.contains(secret), "{what}: {said}");
    }
    assert!(said.len() < 4000, "{what}: {} bytes", said.len());
}

/// Whatever reads a password or an HA1 from a file: `probe`, and its kin, `verify`.
#[test]
fn a_file_that_holds_no_secret_is_refused_by_its_name() {
    let peer = Hostile::udp(|request, line| line.send(request.granted()));
    let aor = format!("sip:alice@{}", peer.address());
    let scratch = Scratch::new("secrets");
    for (option, contents) in [("--password-file", no_passwords()), ("--ha1-file", no_hashes())] {
        for content in contents {
            let file = closed(&scratch, "the.secret", &content);
            let shown = content.get(..content.len().min(40)).unwrap_or_default();
            for command in ["probe", "bindings", "unregister", "bulk", "watch", "load", "verify"] {
                let list = closed(&scratch, "list.csv", format!("aor\n{aor}\n").as_bytes());
                let before = match command {
                    "bulk" | "watch" => vec![command, text(&list)],
                    "verify" => vec![command, "kamailio", "--rpc", "http://127.0.0.1:9/RPC", "--uuid", "trunk1"],
                    _ => vec![command, &aor],
                };
                let ended = run_talking(&[&before[..], &[option, text(&file)]].concat());
                let what = format!("{command} {option} {:?}", String::from_utf8_lossy(shown));
                if option == "--ha1-file" && command == "load" {
                    // Load makes its users' secrets from a text.
                    assert_eq!(ended.status, 2, "{what}: {}", ended.talk);
                    continue;
                }
                assert_eq!(ended.status, 2, "{what}: {}{}", ended.text, ended.talk);
                assert_refused(&what, &ended, "the.secret");
            }
        }
    }
    assert!(peer.requests().is_empty(), "something was sent");
}

/// A hash that no challenge may be answered with, because a stronger one is wanted.
#[test]
fn an_ha1_that_is_weaker_than_wanted_is_refused_before_anything_is_sent() {
    let peer = Hostile::udp(|request, line| line.send(request.granted()));
    let aor = format!("sip:alice@{}", peer.address());
    let scratch = Scratch::new("weak");
    let (hash, list) = (closed(&scratch, "ha1", HEX.as_bytes()), closed(&scratch, "list.csv", b"aor\na@h\n"));
    let verify = ["verify", "kamailio", "--rpc", "http://127.0.0.1:9/RPC", "--uuid", "trunk1"];
    for command in [
        &["probe", &aor][..],
        &["bindings", &aor],
        &["bulk", text(&list)],
        &["watch", text(&list)],
        &verify,
    ] {
        let ended = run_talking(&[command, &["--ha1-file", text(&hash), "--min-digest", "sha-256"]].concat());
        assert_eq!(ended.status, 2, "{command:?}: {}{}", ended.text, ended.talk);
        assert_refused(command[0], &ended, "--ha1-file: an HA1 of MD5");
        assert!(ended.talk.contains("--min-digest wants SHA-256"), "{}", ended.talk);
    }
    assert!(peer.requests().is_empty(), "something was sent");
}

/// The same in a list of accounts, where a secret stands in the row, in a file or in a variable: the row is refused by its line and
/// column.
#[test]
fn a_row_that_holds_no_secret_is_refused_by_its_place() {
    let peer = Hostile::udp(|request, line| line.send(request.granted()));
    let aor = format!("sip:alice@{}", peer.address());
    let scratch = Scratch::new("secrets");
    for (column, contents) in [("password_file", no_passwords()), ("ha1_file", no_hashes())] {
        for content in contents {
            closed(&scratch, "the.secret", &content);
            let direct = column.strip_suffix("_file").unwrap_or(column);
            let mut lists = vec![
                ("list.csv", format!("aor,{column}\n{aor},the.secret\n")),
                ("list.csv", format!("aor,{direct}\n{aor},@the.secret\n")),
                ("list.jsonl", format!("{{\"aor\":\"{aor}\",\"{column}\":\"the.secret\"}}\n")),
                ("list.toml", format!("[[account]]\naor = \"{aor}\"\n{column} = \"the.secret\"\n")),
            ];
            // A text that can be written into JSON stands in the row itself.
            if let Some(literal) = String::from_utf8(content)
                .ok()
                .filter(|text| !text.trim().is_empty() && text.len() < 100)
            {
                let quoted = serde_json::to_string(&literal).expect("a text is JSON");
                lists.push(("list.jsonl", format!("{{\"aor\":\"{aor}\",\"{direct}\":{quoted}}}\n")));
            }
            for (name, rows) in lists {
                let list = closed(&scratch, name, rows.as_bytes());
                let bulk = run_talking(&["bulk", text(&list), "--output", "jsonl"]);
                assert_refused(&rows, &bulk, direct);
                let watch = run_talking(&["watch", text(&list)]);
                assert_eq!(watch.status, 2, "{rows}: {}{}", watch.text, watch.talk);
                assert_refused(&rows, &watch, name);
            }
        }
    }
    assert!(peer.requests().is_empty(), "something was sent");
}

/// Keys of provider APIs come the same way, and a line break in one would be a header of its own (CVE-2019-9740's class).
#[test]
fn a_key_that_is_none_is_refused_by_the_name_of_its_file_or_variable() {
    let api = Hostile::tcp(|connection| connection.stay_silent());
    let url = format!("http://{}", api.address());
    let scratch = Scratch::new("keys");
    for content in no_passwords() {
        let file = closed(&scratch, "the.key", &content);
        let line = [
            "verify",
            "telnyx",
            "--connection-id",
            "1",
            "--api-url",
            &url,
            "--api-key-file",
            text(&file),
        ];
        let ended = run_talking(&line);
        assert_eq!(ended.status, 2, "{}{}", ended.text, ended.talk);
        assert_refused("a key", &ended, "the.key");
    }
    for value in [format!("{MARK}\r\nX-Injected: {MARK}"), format!("{MARK}\n{MARK}"), " \t".to_owned()] {
        let line = ["verify", "telnyx", "--connection-id", "1", "--api-url", &url];
        let ended = run_with(&[("TELNYX_API_KEY", &value)], &line);
        assert_eq!(ended.status, 2, "{}{}", ended.text, ended.talk);
        assert_refused("a key", &ended, "TELNYX_API_KEY");
    }
    assert!(api.requests().is_empty(), "something was sent");
}
