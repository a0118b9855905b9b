//! Many registrations: bulk and watch leave the same evidence as a probe.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::lab::{Lab, command, interrupt, run, scratch, text};
use crate::{fresh, packets, secrets, word};

const USERS: u32 = 40;

/// A registrar with that many users, and the list of them.
fn crowd() -> (Lab, PathBuf) {
    let users: Vec<String> = (1..=USERS).map(|number| format!("user{number}:secret canary {number}")).collect();
    let options: Vec<&str> = users.iter().flat_map(|user| ["--user", user]).collect();
    let lab = Lab::start("secret", &options);
    let address = lab.address("udp");
    let rows = (1..=USERS).map(|number| format!("user{number}@{address},secret canary {number}\n"));
    let list = scratch("list.csv", format!("aor,password\n{}", rows.collect::<String>()).as_bytes());
    fs::set_permissions(&list, fs::Permissions::from_mode(0o600)).unwrap();
    (lab, list)
}

#[test]
fn bulk_leaves_every_message_of_every_row() {
    let (_lab, list) = crowd();
    let file = fresh("bulk.pcapng");
    let words = [
        "bulk",
        word(&list),
        "--registrar-rate",
        "10000/s",
        "--output",
        "jsonl",
        "--pcap",
        word(&file),
    ];
    let output = run("", &words);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!text(&output.stderr).contains("missing"), "{output:?}");
    let packets = packets(&file, &["-Y", "sip"]);
    // REGISTER, 401, REGISTER, 200, and the removal; more where something was sent again.
    let count = |what: &str, words: &str| {
        packets
            .iter()
            .filter(|packet| packet.what == what && packet.comment.contains(words))
            .count()
    };
    assert_eq!(count("200", "bound for 300 s; register succeeded"), USERS as usize);
    assert_eq!(count("200", "unregister succeeded"), USERS as usize);
    assert_eq!(count("REGISTER", "register: REGISTER 1, without credentials"), USERS as usize);
    assert!(packets.iter().all(|packet| !packet.comment.is_empty()), "{packets:#?}");
    let content = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
    secrets::assert_clean("--pcap", &content, &["secret canary 7"]);
}

#[test]
fn watch_leaves_what_all_of_its_shards_say() {
    let (_lab, list) = crowd();
    let file = fresh("watch.pcapng");
    let words = [
        "watch",
        word(&list),
        "--rate",
        "1000/s",
        "--shards",
        "2",
        "--output",
        "jsonl",
        "--pcap",
        word(&file),
    ];
    let mut child = command("", &words).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let registered = |line: &String| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["event"] == "changed" && line["state"] == "REGISTERED_STATE"
    };
    let seen = lines.by_ref().map(Result::unwrap).filter(registered).take(USERS as usize).count();
    assert_eq!(seen, USERS as usize);
    interrupt(&child);
    // It writes on to the end.
    assert!(lines.all(|line| line.is_ok()));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let packets = packets(&file, &["-Y", "sip"]);
    let count = |words: &str| packets.iter().filter(|packet| packet.comment.contains(words)).count();
    assert_eq!(count("; register succeeded"), USERS as usize);
    assert_eq!(count("unregister succeeded"), USERS as usize);
}
