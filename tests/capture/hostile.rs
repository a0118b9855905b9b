//! Hostile bytes in a capture: tshark reads the file, and no comment acts on a terminal.

use std::fs;

use crate::lab::Lab;
use crate::{PASSWORD, fresh, packets, probe};

#[test]
fn whatever_comes_the_file_can_be_read_and_says_what_came_of_it() {
    for (fault, transport, words) in [
        ("malformed=binary", "udp", "not SIP: "),
        ("malformed=html", "udp", "not SIP: HTTP"),
        ("malformed=html", "tcp", "not SIP: HTTP"),
        ("malformed=binary", "tls", "incomplete: "),
        ("malformed=start-line", "udp", "malformed"),
        ("malformed=no-via", "udp", "ignored: its branch is none of ours"),
        ("malformed=length", "tcp", "malformed: "),
        ("cut=100", "tcp", "incomplete: "),
        ("cut=100", "tls", "incomplete: "),
        ("injected-reason", "udp", r"OK\x1b[2J\x1b]0;owned\x07"),
        (r"bytes=SIP/2.0 401 \x1b[2J\x07\r\n{head}\r\n\r\n", "udp", "no challenge"),
    ] {
        let lab = Lab::start(PASSWORD, &["--fault", fault]);
        let file = fresh("hostile.pcapng");
        let output = probe(&lab, transport, &file, &["--timeout", "1s"]);
        assert_ne!(output.status.code(), Some(2), "{output:?}");
        let packets = packets(&file, &[]);
        assert!(packets.len() >= 2, "{fault} over {transport}: {packets:?}");
        assert!(
            packets.iter().any(|packet| packet.comment.contains(words)),
            "{fault} over {transport}: {packets:#?}"
        );
        // tshark escapes what it prints, so that only the file itself shows what is escaped in it.
        let content = fs::read(&file).unwrap();
        assert!(content.windows(words.len()).any(|window| window == words.as_bytes()), "{fault}");
        fs::remove_file(&file).unwrap();
    }
}
