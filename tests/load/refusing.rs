//! Whom a load is refused to. Nothing is sent to anybody in these tests but the ones that are on the loopback.

use std::net::UdpSocket;

use hickory_proto::rr::RData;
use hickory_proto::rr::rdata::{A, AAAA};

use crate::lab::{Lab, command, run, text};
use crate::name_server::{loopback, serving};
use crate::report;

/// The refusal of a command line; nothing is on standard output.
#[track_caller]
fn refused(line: &[&str]) -> String {
    let done = run("secret", &[&["load"], line].concat());
    assert_eq!((done.status.code(), text(&done.stdout).as_str()), (Some(2), ""), "{line:?}");
    text(&done.stderr)
}

#[test]
fn public_addresses_are_refused_without_a_word_from_their_owner() {
    for line in [
        &["u@198.51.100.7"][..],
        &["u@[2001:db8::7]"],
        &["u@10.0.0.1", "--registrar", "198.51.100.7"],
        &["u@10.0.0.1", "--proxy", "198.51.100.7"],
        // The proxy is ours and what it passes everything on to is not.
        &["u@198.51.100.7", "--proxy", "127.0.0.1"],
        &["u@127.0.0.1", "--registrar", "198.51.100.7", "--proxy", "127.0.0.1"],
        // What a name means counts, not how it looks.
        &["u@localhost", "--resolve", "localhost:5060:198.51.100.7"],
        &["u@pbx.local", "--resolve", "pbx.local:5060:198.51.100.7", "--transport", "udp"],
    ] {
        let refusal = refused(line);
        assert!(
            refusal.contains("neither this machine nor a private network") && refusal.contains("--this-registrar-is-mine "),
            "{line:?}: {refusal}"
        );
    }
}

#[test]
fn the_word_has_to_name_the_host_that_is_loaded() {
    for line in [
        &["u@198.51.100.7", "--this-registrar-is-mine", "198.51.100.8"][..],
        &["u@127.0.0.1", "--this-registrar-is-mine", "pbx.example.com"],
        &[
            "u@pbx.local",
            "--resolve",
            "pbx.local:5060:198.51.100.7",
            "--this-registrar-is-mine",
            "local",
        ],
    ] {
        assert!(refused(line).contains("name exactly that host"), "{line:?}");
    }
    let both = ["u@198.51.100.7", "--proxy", "127.0.0.1", "--this-registrar-is-mine", "127.0.0.1"];
    assert!(refused(&both).starts_with("error: 198.51.100.7: "));
}

#[test]
fn every_address_that_dns_gives_is_looked_at() {
    let zone = vec![
        ("mixed.test.", loopback()),
        ("mixed.test.", RData::A(A::new(198, 51, 100, 7))),
        ("six.test.", loopback()),
        ("six.test.", RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))),
    ];
    let dns = serving(zone).to_string();
    for (name, address) in [("mixed.test", "198.51.100.7"), ("six.test", "2001:db8::7")] {
        let refusal = refused(&[&format!("u@{name}"), "--dns", &dns, "--transport", "udp"]);
        assert!(refusal.contains(&format!("{name} ({address})")), "{refusal}");
    }
    let unknown = refused(&["u@nowhere.test", "--dns", &dns]);
    assert!(unknown.contains("sip:nowhere.test cannot be looked up (dns_not_found"), "{unknown}");
    // Behind a proxy of ours it may mean something to that proxy alone.
    let behind = refused(&["u@mixed.test", "--dns", &dns, "--proxy", "127.0.0.1"]);
    assert!(behind.contains("mixed.test (198.51.100.7)"), "{behind}");
}

#[test]
fn a_public_name_for_a_private_address_is_fine_and_so_is_a_word_that_is_not_needed() {
    let lab = Lab::start("secret", &[]);
    let (_, port) = lab.address("udp").rsplit_once(':').unwrap();
    let name = format!("sip:alice@pbx.example.com:{port}");
    let dns = format!("pbx.example.com:{port}:127.0.0.1");
    let few = ["--rate", "10/s", "--duration", "100ms"];
    let (found, status) = report("secret", &[&[&*name, "--resolve", &dns], &few[..]].concat());
    assert_eq!((status, &found["target"]), (0, &lab.address("udp").into()), "{found}");
    let word = ["--this-registrar-is-mine", "127.0.0.1"];
    let (found, status) = report("secret", &[&[&*lab.alice("udp")], &few[..], &word[..]].concat());
    assert_eq!(status, 0, "{found}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    for (line, why) in [
        (&["u{n}@127.0.0.1"][..], "--users"),
        (&["u@127.0.0.1", "--users", "5"], "{n}"),
        (&["u{x}@127.0.0.1"], "{n}"),
        (&["u@127.0.0.1", "--rate", "fast"], "500/s"),
        (&["u@127.0.0.1", "--ramp", "1,2", "--storm"], "--storm"),
        (&["u@127.0.0.1", "--connections", "99999999999"], "each"),
        (&["u{n}@127.0.0.1", "--users", "10000000", "--connections", "each"], "descriptors"),
        (&["u@127.0.0.1", "--ca-file", "/nonexistent/ca.pem"], "--ca-file"),
        (&["u@127.0.0.1", "--password-file", "/nonexistent/password"], "--password-file"),
    ] {
        let refusal = refused(line);
        assert!(refusal.starts_with("error: ") && refusal.contains(why), "{line:?}: {refusal}");
    }
}

#[test]
fn a_load_whose_report_would_be_lost_sends_nothing() {
    let registrar = UdpSocket::bind("127.0.0.1:0").unwrap();
    registrar.set_nonblocking(true).unwrap();
    let address = registrar.local_addr().unwrap().to_string();
    let mut closed = std::process::Command::new("sh");
    closed.args(["-c", "exec \"$0\" \"$@\" >&-", env!("CARGO_BIN_EXE_regprobe"), "load"]);
    let closed = closed.arg(format!("alice@{address}")).output().unwrap();
    let said = text(&closed.stderr);
    assert_eq!((closed.status.code(), said.lines().count()), (Some(5), 1), "{said}");
    assert!(said.starts_with("error: standard output is closed, "), "{said}");
    assert!(registrar.recv(&mut [0; 2000]).is_err(), "something was sent");
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let lab = Lab::start("secret", &[]);
    let mut load = command("secret", &["load", &lab.alice("udp"), "--rate", "10/s", "--duration", "100ms"]);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let done = load.stdout(full).output().unwrap();
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(5), "{said}");
    assert!(
        said.starts_with("error: standard output cannot be written: No space left"),
        "{said}"
    );
}
