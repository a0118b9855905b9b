//! Every transport and family: each message is there, in order, as SIP, with the decision beside it.

use std::fs;

use crate::lab::Lab;
use crate::{PASSWORD, fresh, packets, probe, run, said, tshark, word};

/// A probe with a challenge, and the removal with credentials ahead.
const EXCHANGE: [(&str, &str); 6] = [
    ("REGISTER", "register: REGISTER 1, without credentials"),
    (
        "401",
        "401 Unauthorized: Digest SHA-256, MD5 · realm regprobe.lab; next: REGISTER 2: answering SHA-256",
    ),
    ("REGISTER", "register: REGISTER 2, answering SHA-256 · realm regprobe.lab"),
    ("200", "200 OK: bound for 300 s; register succeeded"),
    ("REGISTER", "unregister: REGISTER 1, answering SHA-256 ahead"),
    ("200", "200 OK; unregister succeeded"),
];

#[test]
fn each_message_of_a_probe_is_sip_with_its_decision_over_every_transport() {
    let lab = Lab::start(PASSWORD, &[]);
    for (transport, protocols) in [("udp", "raw:ip:udp:sip"), ("tcp", "raw:ip:tcp:sip"), ("tls", "exported_pdu:sip")] {
        let file = fresh("probe.pcapng");
        let output = probe(&lab, transport, &file, &[]);
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
        let packets = packets(&file, &[]);
        assert_eq!(said(&packets), EXCHANGE, "{transport}");
        assert!(packets.iter().all(|packet| packet.protocols == protocols), "{packets:?}");
    }
}

#[test]
fn addresses_ports_directions_and_checksums_are_right() {
    let lab = Lab::start(PASSWORD, &[]);
    for transport in ["udp", "tcp"] {
        let file = fresh("ends.pcapng");
        probe(&lab, transport, &file, &[]);
        let port = lab.address(transport).rsplit(':').next().unwrap();
        let status = format!("{transport}.checksum.status");
        let fields = ["ip.src", "ip.dst", "frame.packet_flags_direction", &status, "ip.checksum.status"];
        let (from, to) = (format!("{transport}.srcport"), format!("{transport}.dstport"));
        let preference = format!("{transport}.check_checksum:TRUE");
        let check = ["-o", "ip.check_checksum:TRUE", "-o", &preference];
        let wanted: Vec<&str> = fields
            .iter()
            .chain([&from.as_str(), &to.as_str()])
            .flat_map(|field| ["-e", field])
            .collect();
        let lines = tshark(&file, &[&["-T", "fields"][..], &check, &wanted].concat());
        for (number, line) in lines.lines().enumerate() {
            let columns: Vec<&str> = line.split('\t').collect();
            // 2 and 1: outbound and inbound; 1: a good checksum.
            let direction = if number % 2 == 0 { "0x00000002" } else { "0x00000001" };
            assert_eq!(columns[..5], ["127.0.0.1", "127.0.0.1", direction, "1", "1"], "{line}");
            assert_eq!(columns[if number % 2 == 0 { 6 } else { 5 }], port, "{line}");
        }
        assert_eq!(lines.lines().count(), 6);
    }
}

#[test]
fn a_tcp_connection_is_one_stream_without_gaps() {
    let lab = Lab::start(PASSWORD, &[]);
    let file = fresh("stream.pcapng");
    probe(&lab, "tcp", &file, &[]);
    assert_eq!(tshark(&file, &["-Y", "tcp.analysis.flags"]), "", "tshark finds nothing odd");
    let streams = tshark(&file, &["-T", "fields", "-e", "tcp.stream"]);
    assert!(streams.lines().all(|stream| stream == "0"), "{streams}");
}

#[test]
fn what_tls_carried_is_sip_on_its_own_port_too() {
    let lab = Lab::start(PASSWORD, &[]);
    let file = fresh("tls.pcapng");
    probe(&lab, "tls", &file, &[]);
    let port: u16 = lab.address("tls").rsplit(':').next().unwrap().parse().unwrap();
    // Tags 25 and 26 of an exported PDU hold the ports, and nothing sums them up.
    let mut bytes = fs::read(&file).unwrap();
    for kind in [25_u8, 26] {
        let tag = [&[0, kind, 0, 4, 0, 0][..], &port.to_be_bytes()].concat();
        let places: Vec<usize> = bytes
            .windows(tag.len())
            .enumerate()
            .filter(|(_, window)| *window == tag)
            .map(|(at, _)| at)
            .collect();
        assert_eq!(places.len(), 3, "three of six go each way");
        for at in places {
            bytes[at + 6..at + 8].copy_from_slice(&5061_u16.to_be_bytes());
        }
    }
    let moved = fresh("moved.pcapng");
    fs::write(&moved, bytes).unwrap();
    assert_eq!(said(&packets(&moved, &["-Y", "sip"])), EXCHANGE);
}

#[test]
fn ipv6_is_ipv6() {
    let mut lab = Lab::start(PASSWORD, &["--listen", "udp:[::1]:0", "--listen", "tcp:[::1]:0"]);
    for (transport, protocols) in [("udp", "raw:ipv6:udp:sip"), ("tcp", "raw:ipv6:tcp:sip")] {
        let mark = format!("listening on {transport}:[");
        let line = lab.said.lines().find(|line| line.contains(&mark)).map(str::to_owned);
        let line = line.unwrap_or_else(|| lab.line_with(&mark));
        let address = line.rsplit_once(&format!("{transport}:")).unwrap().1.trim();
        let file = fresh("six.pcapng");
        let alice = format!("sip:alice@{address}");
        let output = run(PASSWORD, &["probe", &alice, "--transport", transport, "--pcap", word(&file)]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let packets = packets(&file, &[]);
        assert_eq!(said(&packets), EXCHANGE);
        assert!(packets.iter().all(|packet| packet.protocols == protocols), "{packets:?}");
    }
}

#[test]
fn what_went_out_again_and_what_came_twice_is_told_as_such() {
    let lab = Lab::start(PASSWORD, &["--fault", "loss=1"]);
    let file = fresh("again.pcapng");
    assert_eq!(probe(&lab, "udp", &file, &[]).status.code(), Some(0));
    let packets = packets(&file, &[]);
    assert_eq!(said(&packets)[0], EXCHANGE[0]);
    assert_eq!(packets[1].what, "REGISTER");
    assert!(
        packets[1]
            .comment
            .starts_with("register: REGISTER 1, retransmission 1, sent again after 5"),
        "{}",
        packets[1].comment
    );
    assert_eq!(said(&packets)[2..], EXCHANGE[1..]);
    let lab = Lab::start(PASSWORD, &["--fault", "duplicate"]);
    let file = fresh("twice.pcapng");
    assert_eq!(probe(&lab, "udp", &file, &[]).status.code(), Some(0));
    let packets = crate::packets(&file, &[]);
    let twice = packets.iter().filter(|packet| packet.comment == "ignored: it came a second time");
    assert!(twice.count() >= 2, "{packets:#?}");
}

#[test]
fn why_it_failed_stands_beside_the_reply_that_decided_it() {
    let lab = Lab::start("another password", &[]);
    let file = fresh("wrong.pcapng");
    assert_eq!(probe(&lab, "udp", &file, &[]).status.code(), Some(6));
    let packets = packets(&file, &[]);
    let last = packets.last().unwrap();
    assert!(last.comment.ends_with("; register failed: wrong_credentials"), "{last:?}");
}

#[test]
fn inspect_reads_what_a_probe_leaves() {
    let lab = Lab::start(PASSWORD, &[]);
    for transport in ["udp", "tcp", "tls"] {
        let file = fresh("inspected.pcapng");
        probe(&lab, transport, &file, &[]);
        let output = run("", &["inspect", "--pcap", word(&file)]);
        let shown = crate::lab::text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{transport}: {output:?}");
        for number in 1..=6 {
            assert!(shown.contains(&format!("#{number}  ")), "{transport}: {shown}");
        }
    }
}

#[test]
fn a_file_of_one_link_type_describes_one_interface() {
    let lab = Lab::start(PASSWORD, &[]);
    for (transport, kind) in [("udp", 101_u16), ("tls", 252)] {
        let file = fresh("link.pcapng");
        probe(&lab, transport, &file, &[]);
        let bytes = fs::read(&file).unwrap();
        assert_eq!(interfaces(&bytes), [kind], "libpcap reads no file with two of them");
    }
}

/// The link types of the interfaces that a file describes.
fn interfaces(bytes: &[u8]) -> Vec<u16> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        if number(at) == 1 {
            found.push(u16::from_le_bytes(bytes[at + 8..at + 10].try_into().unwrap()));
        }
        at += number(at + 4) as usize;
    }
    assert_eq!(at, bytes.len(), "the blocks fill the file");
    found
}
