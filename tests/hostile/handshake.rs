//! Peers on a TLS port that do not speak TLS, or stop speaking it. Never is anything sent in the clear instead.

use std::net::SocketAddr;

use crate::at_once;
use crate::program::report_with;
use crate::support::hostile::Hostile;

/// What a probe by TLS without verification comes to; the most that such a peer can hope for.
fn outcome(peer: SocketAddr) -> String {
    report_with("tls", peer, &["--insecure"]).outcome().to_owned()
}

#[test]
fn a_peer_that_speaks_in_the_clear_is_a_failed_handshake() {
    let greetings: [&[u8]; 5] = [
        b"SIP/2.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"220 mail ESMTP\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        &[0; 64],
    ];
    at_once(&greetings, |greeting| {
        let greeting = *greeting;
        let peer = Hostile::tcp(move |connection| {
            connection.send(greeting);
            connection.stay_silent();
        });
        assert_eq!(outcome(peer.address()), "tls_handshake", "{greeting:?}");
        assert!(peer.requests().is_empty());
    });
}

#[test]
fn a_handshake_that_never_ends_is_a_timeout() {
    let openings: [&[u8]; 4] = [
        b"",
        // The header of a handshake record, and no more.
        b"\x16\x03\x03\x40\x00",
        // A ServerHello that announces 64 KiB and stops.
        b"\x16\x03\x03\x00\x08\x02\x00\xff\xff\x03\x03\x00\x00",
        b"\x16",
    ];
    at_once(&openings, |opening| {
        let opening = *opening;
        let peer = Hostile::tcp(move |connection| {
            connection.send(opening);
            connection.stay_silent();
        });
        assert_eq!(outcome(peer.address()), "connect_timeout", "{opening:?}");
    });
}

#[test]
fn a_handshake_that_drips_is_a_timeout_or_fails() {
    let peer = Hostile::tcp(|connection| {
        connection.drip(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc");
        while connection.drip([0; 16]) {}
    });
    let outcome = outcome(peer.address());
    assert!(["connect_timeout", "tls_handshake"].contains(&outcome.as_str()), "{outcome}");
}

#[test]
fn handshake_records_without_end_take_no_memory() {
    // Fragments of one handshake message of 16 MiB; and alerts; and change_cipher_spec, which TLS 1.3 ignores.
    let fragment = [&b"\x16\x03\x03\x40\x00"[..], &[0; 0x4000]].concat();
    let first = b"\x16\x03\x03\x00\x04\x0b\xff\xff\xff".to_vec();
    let records: [(Vec<u8>, Vec<u8>); 3] = [
        (first, fragment),
        (Vec::new(), b"\x15\x03\x03\x00\x02\x01\x5a".repeat(1000)),
        (Vec::new(), b"\x14\x03\x03\x00\x01\x01".repeat(1000)),
    ];
    at_once(&records, |(first, endless)| {
        let (first, endless) = (first.clone(), endless.clone());
        let peer = Hostile::tcp(move |connection| {
            connection.send(&first);
            connection.send_for_ever(&endless);
        });
        let outcome = outcome(peer.address());
        assert!(["tls_handshake", "connect_timeout"].contains(&outcome.as_str()), "{outcome}");
    });
}

#[test]
fn a_handshake_that_is_cut_off_is_named() {
    for resets in [false, true] {
        for opening in [&b""[..], b"\x16\x03\x03\x00\x7a\x02\x00"] {
            let peer = Hostile::tcp(move |connection| {
                connection.send(opening);
                if resets {
                    connection.reset_at_end();
                }
            });
            let outcome = outcome(peer.address());
            assert!(
                ["tls_handshake", "connection_lost"].contains(&outcome.as_str()),
                "{opening:?} {resets}: {outcome}"
            );
        }
    }
}
