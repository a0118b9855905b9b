//! Messages in captures: files of every kind, links of every kind, connections in pieces, hostile files.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::pieces::{Flag, Order, Way, fragments, linked, pcap, pcapng, tcp_v4, udp_v4, udp_v6};
use crate::scratch::Scratch;
use crate::{REGISTER, REPLY, anomalies, inspect, objects, text};

const PCAP: &[&str] = &["--pcap"];

fn start_lines(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["start_line"].as_str().unwrap()).collect()
}

const BOTH: [&str; 2] = ["REGISTER sip:example.test SIP/2.0", "SIP/2.0 401 Unauthorized"];

#[test]
fn every_kind_of_file_and_link_is_read() {
    let links = [0, 1, 1001, 12, 14, 101, 108, 113, 228, 229, 276];
    for link in links {
        let number = link % 1000;
        for (host, make) in [("192.0.2.", udp_v4 as fn(Way, &[u8]) -> Vec<u8>), ("[2001:db8::", udp_v6)] {
            let packets = [linked(link, &make(Way::There, REGISTER)), linked(link, &make(Way::Back, REPLY))];
            for file in [
                pcap(Order::Little, false, number, &packets),
                pcap(Order::Big, false, number, &packets),
                pcap(Order::Little, true, number, &packets),
                pcap(Order::Big, true, number, &packets),
                pcapng(Order::Little, number, &packets),
                pcapng(Order::Big, number, &packets),
            ] {
                let (objects, status) = objects(PCAP, &file);
                assert_eq!((start_lines(&objects), status), (BOTH.to_vec(), Some(0)), "link {link}");
                let reply = &objects[1];
                assert_eq!((reply["number"].as_u64(), reply["transport"].as_str()), (Some(2), Some("udp")));
                assert_eq!(reply["time"].as_str(), Some("2026-11-21T17:00:01.25Z"), "link {link}");
                let of = |name: &str| reply[name].as_str().unwrap();
                assert!(of("source").starts_with(host) && of("source").ends_with(":5060"), "{reply}");
                assert!(
                    of("destination").starts_with(host) && of("destination").ends_with(":40000"),
                    "{reply}"
                );
            }
        }
    }
}

#[test]
fn connections_in_pieces_are_put_together() {
    let request = |sequence, bytes: &[u8]| linked(1, &tcp_v4(Way::There, sequence, Flag::Ack, bytes));
    // Split in the middle of a header's name, the second piece before the first, the first twice, over the end of the numbers.
    let (one, other) = REGISTER.split_at(75);
    let isn = u32::MAX - 30;
    let first = isn.wrapping_add(1);
    let second = first.wrapping_add(75);
    let packets = [
        linked(1, &tcp_v4(Way::There, isn, Flag::Syn, b"")),
        request(second, other),
        request(first, one),
        request(first, one),
        linked(1, &tcp_v4(Way::Back, 7, Flag::Ack, &REPLY[..30])),
        linked(1, &tcp_v4(Way::Back, 37, Flag::Ack, &[&REPLY[30..], b"\r\n\r\n"].concat())),
        linked(
            1,
            &tcp_v4(
                Way::There,
                second.wrapping_add(u32::try_from(other.len()).unwrap()),
                Flag::Fin,
                &REGISTER[..40],
            ),
        ),
    ];
    let (objects, status) = objects(PCAP, &pcap(Order::Little, false, 1, &packets));
    assert_eq!(start_lines(&objects), [BOTH[0], BOTH[1], BOTH[0]], "{objects:?}");
    assert_eq!(objects[0]["transport"], "tcp");
    assert_eq!((objects[0]["ok"].as_bool(), objects[1]["ok"].as_bool()), (Some(true), Some(true)));
    assert_eq!(objects[0]["headers"].as_array().unwrap().len(), 8);
    assert_eq!(status, Some(5), "the last one is cut short");
    assert_eq!(objects[2]["ok"], false);
    assert!(
        objects[2]["error"].as_str().unwrap().starts_with("the message is cut short"),
        "{}",
        objects[2]
    );
}

#[test]
fn fragments_are_put_together() {
    let large = [
        REGISTER.strip_suffix(b"\r\n").unwrap(),
        format!("Subject: {}\r\n\r\n", "a".repeat(3000)).as_bytes(),
    ]
    .concat();
    for v6 in [false, true] {
        let mut packets: Vec<Vec<u8>> = fragments(v6, &large).iter().map(|packet| linked(1, packet)).collect();
        assert!(packets.len() > 5);
        packets.reverse();
        let (objects, status) = objects(PCAP, &pcap(Order::Little, false, 1, &packets));
        assert_eq!((start_lines(&objects), status), (vec![BOTH[0]], Some(0)));
        assert_eq!(objects[0]["headers"][8]["value"].as_str().map(str::len), Some(3000));
    }
}

#[test]
fn one_malformed_message_decides_the_exit_status() {
    let malformed = b"SIP/2.0 200 OK\r\nTo: x";
    let packets = [REGISTER, malformed, REPLY].map(|bytes| linked(1, &udp_v4(Way::There, bytes)));
    let file = pcap(Order::Little, false, 1, &packets);
    let (objects, status) = objects(PCAP, &file);
    assert_eq!((objects.len(), status), (3, Some(5)));
    assert_eq!(anomalies(&objects[1])[0], "head_unfinished");
    let human = inspect(PCAP, &file);
    let shown = text(&human.stdout);
    assert_eq!(human.status.code(), Some(5));
    assert!(
        shown.starts_with("#1  2026-11-21T17:00:00.25Z  udp 192.0.2.1:40000 → 192.0.2.2:5060\n✔ usable request, nothing odd\n"),
        "{shown}"
    );
    assert!(
        shown.contains("\n\n#2  ") && shown.contains("\n✘ malformed response: header block has no end"),
        "{shown}"
    );
}

#[test]
fn a_capture_without_sip_says_so() {
    let packets = [&b"\r\n\r\n"[..], b"\0\0\0\0", b"\x00\x01\x00\x00\x21\x12\xa4\x42"].map(|bytes| linked(1, &udp_v4(Way::There, bytes)));
    for (file, count) in [
        (pcap(Order::Little, false, 1, &packets), "3 packets"),
        (pcapng(Order::Big, 1, &[]), "0 packets"),
        (pcap(Order::Little, false, 147, &packets), "3 packets"),
    ] {
        let output = inspect(PCAP, &file);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        assert!(
            text(&output.stderr).contains("no SIP message") && text(&output.stderr).contains(count),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn a_capture_that_is_cut_short_is_inspected_as_far_as_it_goes() {
    let packets = [REGISTER, REPLY].map(|bytes| linked(1, &udp_v4(Way::There, bytes)));
    for file in [pcap(Order::Little, false, 1, &packets), pcapng(Order::Little, 1, &packets)] {
        let output = inspect(&["--pcap", "--output", "json"], &file[..file.len() - 5]);
        assert_eq!((text(&output.stdout).lines().count(), output.status.code()), (1, Some(0)));
        assert!(
            text(&output.stderr).contains("ends in the middle of a packet"),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn a_packet_that_was_captured_in_part_is_not_held_against_its_sender() {
    let whole = linked(1, &udp_v4(Way::There, REGISTER));
    let (part, length) = (whole[..200].to_vec(), u32::try_from(whole.len()).unwrap().to_le_bytes());
    // How long the packet was stands in front of its bytes, and in pcapng a block's length behind them.
    for (mut file, behind) in [
        (pcap(Order::Little, false, 1, std::slice::from_ref(&part)), 0),
        (pcapng(Order::Little, 1, std::slice::from_ref(&part)), 4),
    ] {
        let at = file.len() - behind - part.len() - length.len();
        file[at..at + length.len()].copy_from_slice(&length);
        let (objects, status) = objects(PCAP, &file);
        let error = format!("captured in part, and the last {} bytes are missing", whole.len() - part.len());
        assert_eq!((objects[0]["error"].as_str(), status), (Some(error.as_str()), Some(5)));
        let output = inspect(PCAP, &file);
        let warning = "warning: standard input: 1 packet was captured in part; ";
        assert!(text(&output.stderr).starts_with(warning), "{}", text(&output.stderr));
    }
}

#[test]
fn hostile_captures_are_no_panic_and_no_hang() {
    let packets = [
        linked(1, &udp_v4(Way::There, REGISTER)),
        linked(1, &tcp_v4(Way::Back, 7, Flag::Ack, REPLY)),
    ];
    let files = [pcap(Order::Little, false, 1, &packets), pcapng(Order::Big, 1, &packets)];
    for file in files {
        for at in (0..file.len()).step_by(7) {
            let mut broken = file.clone();
            broken[at] ^= 0xff;
            let status = inspect(PCAP, &broken).status.code();
            assert!(matches!(status, Some(0 | 2 | 5)), "byte {at}: {status:?}");
        }
    }
    // A packet that claims four gigabytes.
    let mut file = pcap(Order::Little, false, 1, &[]);
    file.extend([0xff; 4096]);
    let output = inspect(PCAP, &file);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("more than 1 MiB"), "{}", text(&output.stderr));
}

#[test]
fn what_wireshark_writes_is_read() {
    let scratch = Scratch::new("text2pcap");
    let dump: String = REGISTER.iter().map(|byte| format!(" {byte:02x}")).collect();
    let dump = scratch.write("dump", &format!("000000{dump}\n"));
    for (option, ports, transport) in [("-u", "40000,5060", "udp"), ("-T", "40000,5060", "tcp")] {
        for form in ["pcap", "pcapng"] {
            let file = scratch.file(&format!("{transport}.{form}"));
            let made = Command::new("text2pcap")
                .args([option, ports, "-F", form])
                .args([&dump, &file])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            let made = made.expect("text2pcap is part of tshark, which scripts/install-peers installs");
            assert!(made.success());
            let (objects, status) = objects(&["--pcap", file.to_str().unwrap()], b"");
            assert_eq!((start_lines(&objects), status), (vec![BOTH[0]], Some(0)), "{transport} {form}");
            assert_eq!(objects[0]["transport"], transport);
            assert_eq!(anomalies(&objects[0]), [""; 0]);
        }
    }
}
