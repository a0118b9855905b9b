//! `--pcap` and `--hep`: what the program gives away as evidence is read back with tshark, and with Kamailio, the peers that it is made for.
//! Both come with scripts/install-peers; without them these tests fail.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

mod collector;
mod ending;
mod hostile;
mod kamailio;
#[path = "../lab/mod.rs"]
mod lab;
mod many;
mod secrecy;
#[path = "../support/mod.rs"]
mod support;
mod wire;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use lab::{Lab, run, text};
use support::secrets;

const PASSWORD: &str = "c4nary p@ss/w0rd";

/// One packet as tshark dissects it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Packet {
    /// The protocols, such as `raw:ip:udp:sip`.
    protocols: String,
    /// Method of a request, status of a response; both in order where there are several messages.
    what: String,
    /// The comments, with `|` between them.
    comment: String,
}

/// A name for a file that is not there yet.
fn fresh(name: &str) -> PathBuf {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("capture-{}-{serial}-{name}", std::process::id()))
}

fn word(path: &Path) -> &str {
    path.to_str().expect("a test's path is text")
}

/// Runs tshark on a file. Our ports are any ports, which may belong to other protocols by name.
#[track_caller]
fn tshark(file: &Path, options: &[&str]) -> String {
    let started = Command::new("tshark")
        .args([
            "-n",
            "-r",
            word(file),
            "-o",
            "udp.try_heuristic_first:TRUE",
            "-o",
            "tcp.try_heuristic_first:TRUE",
        ])
        .args(options)
        .output();
    let output =
        started.unwrap_or_else(|error| panic!("tshark cannot be run ({error}); scripts/install-peers installs what the tests need"));
    let errors = text(&output.stderr);
    assert!(output.status.success(), "tshark refuses {}: {errors}", file.display());
    assert!(!errors.contains("cut short") && !errors.contains("damaged"), "{errors}");
    text(&output.stdout)
}

/// Every packet of a file.
#[track_caller]
fn packets(file: &Path, options: &[&str]) -> Vec<Packet> {
    let fields = ["frame.protocols", "sip.Method", "sip.Status-Code", "frame.comment"].map(|field| ["-e", field]);
    let mut all: Vec<&str> = fields.concat();
    all.extend(["-T", "fields", "-E", "aggregator=|"]);
    all.extend(options);
    let lines = tshark(file, &all);
    let packets = lines.lines().map(|line| {
        let mut columns = line.split('\t').map(str::to_owned);
        let mut next = || columns.next().unwrap_or_default();
        let protocols = next();
        let (method, status) = (next(), next());
        Packet {
            protocols,
            what: method + &status,
            comment: next(),
        }
    });
    packets.collect()
}

/// What each packet is and the comments beside it, both to be compared with text.
fn said(packets: &[Packet]) -> Vec<(&str, &str)> {
    packets
        .iter()
        .map(|packet| (packet.what.as_str(), packet.comment.as_str()))
        .collect()
}

/// `probe` of alice at the lab, with a capture.
fn probe(lab: &Lab, transport: &str, file: &Path, options: &[&str]) -> Output {
    let (alice, authority) = (lab.alice(transport), word(&lab.authority));
    let words = ["probe", &alice, "--transport", transport, "--pcap", word(file)];
    let tls: &[&str] = if transport == "tls" { &["--ca-file", authority] } else { &[] };
    run(PASSWORD, &[&words, tls, options].concat())
}
