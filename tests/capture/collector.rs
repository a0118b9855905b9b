//! `--hep`: datagrams as Homer takes them, decoded here.

use std::net::UdpSocket;
use std::time::Duration;

use crate::lab::{Lab, run, text};
use crate::{PASSWORD, fresh, word};

/// The chunks of a packet by type, each with its value.
fn chunks(packet: &[u8]) -> Vec<(u16, Vec<u8>)> {
    assert_eq!(&packet[..4], b"HEP3");
    let number = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    assert_eq!(usize::from(number(4)), packet.len());
    let (mut at, mut chunks) = (6, Vec::new());
    while at < packet.len() {
        assert_eq!(number(at), 0, "a generic chunk");
        let length = usize::from(number(at + 4));
        chunks.push((number(at + 2), packet[at + 6..at + length].to_vec()));
        at += length;
    }
    assert_eq!(at, packet.len());
    chunks
}

/// What has come to a collector.
fn come(collector: &UdpSocket) -> Vec<Vec<u8>> {
    collector.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut buffer = [0; 65_536];
    std::iter::from_fn(|| collector.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec())).collect()
}

#[test]
fn a_collector_gets_each_message_with_its_ends_and_its_time() {
    for host in ["127.0.0.1:0", "[::1]:0"] {
        let lab = Lab::start(PASSWORD, &[]);
        let collector = UdpSocket::bind(host).unwrap();
        let place = collector.local_addr().unwrap().to_string();
        for (transport, protocol) in [("udp", 17), ("tcp", 6), ("tls", 6)] {
            let words = ["probe", &lab.alice(transport), "--transport", transport, "--insecure"];
            let output = run(PASSWORD, &[&words[..], &["--hep", &place, "--hep-id", "77"]].concat());
            assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
            let packets = come(&collector);
            assert_eq!(packets.len(), 6);
            for (number, packet) in packets.iter().enumerate() {
                let chunks = chunks(packet);
                let value = |kind| chunks.iter().find(|(other, _)| *other == kind).unwrap().1.as_slice();
                assert_eq!((value(1), value(2), value(11)), (&[2][..], &[protocol][..], &[1][..]));
                assert_eq!((value(3), value(4)), (&[127, 0, 0, 1][..], &[127, 0, 0, 1][..]));
                assert_eq!(value(12), 77_u32.to_be_bytes());
                let port: u16 = lab.address(transport).rsplit(':').next().unwrap().parse().unwrap();
                assert_eq!(value(if number % 2 == 0 { 8 } else { 7 }), port.to_be_bytes());
                let payload = String::from_utf8(value(15).to_vec()).unwrap();
                assert!(
                    payload.starts_with(if number % 2 == 0 { "REGISTER sip:" } else { "SIP/2.0 " }),
                    "{payload}"
                );
                crate::secrets::assert_clean("--hep", &payload, &[PASSWORD]);
            }
        }
    }
}

#[test]
fn credentials_go_to_a_collector_only_when_asked_for() {
    let lab = Lab::start(PASSWORD, &[]);
    let collector = UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = collector.local_addr().unwrap().to_string();
    let output = run(PASSWORD, &["probe", &lab.alice("udp"), "--hep", &place, "--include-credentials"]);
    assert!(text(&output.stderr).contains("in clear"), "{output:?}");
    let said: String = come(&collector)
        .iter()
        .map(|packet| String::from_utf8_lossy(packet).into_owned())
        .collect();
    assert!(said.contains("response=\"") && !said.contains("[redacted]"));
}

#[test]
fn a_collector_that_is_not_there_is_told_and_changes_nothing_else() {
    let lab = Lab::start(PASSWORD, &[]);
    let place = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let file = fresh("both.pcapng");
    let output = run(PASSWORD, &["probe", &lab.alice("udp"), "--hep", &place, "--pcap", word(&file)]);
    assert_eq!(output.status.code(), Some(0));
    let errors = text(&output.stderr);
    assert!(
        errors.starts_with(&format!("warning: --hep {place}: ")) && errors.contains("6 of 6 messages did not get there"),
        "{errors}"
    );
    assert_eq!(crate::packets(&file, &[]).len(), 6);
}
