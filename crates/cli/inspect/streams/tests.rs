//! Connections in pieces: split, early, late, twice, without a beginning, with gaps, too many.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const REPLY: &[u8] = b"SIP/2.0 200 OK\r\nCall-ID: x\r\nContent-Length: 3\r\n\r\nabc";
const ISN: u32 = u32::MAX - 20;

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

fn piece(sequence: u32, opens: bool, ends: bool, bytes: &[u8]) -> Segment<'_> {
    Segment {
        time: None,
        source: address(40_000),
        destination: address(5060),
        carried: Carried::Piece { sequence, opens, ends },
        bytes,
        missing: 0,
    }
}

/// What comes of pieces, given by their offset from the first byte.
fn found(opened: bool, pieces: &[(usize, &[u8])]) -> Vec<(Vec<u8>, bool)> {
    let mut streams = Streams::default();
    let mut found = Vec::new();
    if opened {
        streams.take(piece(ISN, true, false, b""), &mut found);
    }
    for (offset, bytes) in pieces {
        let sequence = ISN.wrapping_add(1).wrapping_add(u32::try_from(*offset).unwrap());
        streams.take(piece(sequence, false, false, bytes), &mut found);
    }
    while streams.end_next(&mut found) {}
    assert_eq!(streams.held, 0);
    found.into_iter().map(|message| (message.bytes, message.broken.is_none())).collect()
}

fn whole(count: usize) -> Vec<(Vec<u8>, bool)> {
    vec![(REPLY.to_vec(), true); count]
}

#[test]
fn messages_are_found_however_they_are_split() {
    let two = REPLY.repeat(2);
    for at in 1..two.len() {
        let (one, other) = two.split_at(at);
        for opened in [true, false] {
            let in_order = found(opened, &[(0, one), (at, other)]);
            assert_eq!(in_order, whole(2), "split at {at}");
            assert_eq!(
                found(opened, &[(0, one), (0, one), (at, other), (0, &two)]),
                whole(2),
                "repeated, at {at}"
            );
        }
        assert_eq!(found(true, &[(at, other), (0, one)]), whole(2), "turned round at {at}");
        assert_eq!(found(true, &[(at - 1, &two[at - 1..]), (0, one)]), whole(2), "overlapping at {at}");
    }
}

#[test]
fn a_capture_may_begin_in_the_middle_of_a_connection() {
    assert_eq!(found(false, &[(0, REPLY), (REPLY.len(), REPLY)]), whole(2));
    let (one, other) = REPLY.split_at(20);
    // Nobody knows where a message begins in the first piece; the second begins with one.
    assert_eq!(found(false, &[(0, other), (other.len(), REPLY)]), whole(1));
    // Whole messages from before the first piece are found, a part of one is not.
    assert_eq!(found(false, &[(REPLY.len(), REPLY), (0, REPLY)]), whole(2));
    assert_eq!(found(false, &[(20, other), (0, one)]), []);
}

#[test]
fn what_is_missing_cuts_a_message_short() {
    let (one, other) = REPLY.split_at(20);
    let missing = found(true, &[(0, one), (21, &other[1..]), (REPLY.len(), REPLY)]);
    assert_eq!(missing[0], (one.to_vec(), false));
    assert_eq!(found(true, &[(0, one)]), [(one.to_vec(), false)]);
}

#[test]
fn a_length_that_lies_breaks_the_stream() {
    let bytes = b"SIP/2.0 200 OK\r\nContent-Length: x\r\n\r\n";
    let found = found(true, &[(0, bytes)]);
    assert_eq!(found, [(bytes.to_vec(), false)]);
}

#[test]
fn other_protocols_and_keep_alives_are_no_messages() {
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01",
        b"\r\n\r\n",
        &[b'a'; 9000],
        b"",
    ] {
        assert_eq!(found(true, &[(0, bytes)]), []);
    }
    let mixed = [b"\r\n\r\n", REPLY, b"\r\n\r\n", REPLY].concat();
    assert_eq!(found(true, &[(0, &mixed)]), whole(2));
}

#[test]
fn an_end_tells_what_is_unfinished_and_a_new_beginning_starts_anew() {
    let mut streams = Streams::default();
    let mut found = Vec::new();
    streams.take(piece(5, true, false, b""), &mut found);
    streams.take(piece(6, false, true, &REPLY[..3]), &mut found);
    assert_eq!(
        (found.len(), streams.streams.len()),
        (0, 0),
        "three letters do not say that it is SIP: {found:?}"
    );
    streams.take(piece(5, true, false, b""), &mut found);
    streams.take(piece(6, false, false, &REPLY[..20]), &mut found);
    streams.take(piece(900, true, false, b""), &mut found);
    assert_eq!(found.len(), 1);
    streams.take(piece(901, false, true, REPLY), &mut found);
    assert_eq!((found.len(), streams.streams.len()), (2, 0));
    assert_eq!(found[1].bytes, REPLY);
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut streams = Streams::default();
    let mut found = Vec::new();
    for port in 0..5000 {
        let segment = Segment {
            source: address(port),
            ..piece(1, false, false, b"SIP/2.0 200 OK\r\nX: ")
        };
        streams.take(segment, &mut found);
    }
    assert_eq!(streams.streams.len(), MOST_STREAMS);
    let mut streams = Streams::default();
    streams.take(piece(0, true, false, b""), &mut found);
    for at in 0..5000 {
        streams.take(piece(10 + at * 2000, false, false, &[b'a'; 1000]), &mut found);
    }
    let stream = streams.streams.values().next().unwrap();
    assert!(stream.early_bytes <= MOST_EARLY_BYTES && stream.early.len() <= MOST_EARLY);
    let kept: usize = stream.early.values().map(|piece| taken(piece)).sum();
    assert_eq!(kept, stream.early_bytes);
}

#[test]
fn datagrams_are_messages_when_they_say_so_or_come_to_the_port_of_sip() {
    let is_message = |port: u16, bytes: &[u8]| {
        let segment = Segment {
            time: None,
            source: address(40_000),
            destination: address(port),
            carried: Carried::Datagram,
            bytes,
            missing: 0,
        };
        datagram(&segment).is_some()
    };
    assert!(is_message(9, REPLY) && is_message(5060, REPLY));
    assert!(is_message(5060, b"nonsense") && !is_message(9, b"nonsense"));
    for other in [&b"\r\n\r\n"[..], b"\0\0\0\0", b"", b"\x00\x01\x00\x00\x21\x12\xa4\x42", b"\x80\x60"] {
        assert!(!is_message(5060, other) && !is_message(9, other), "{other:?}");
    }
}

#[test]
fn blanks_are_not_kept() {
    let mut streams = Streams::default();
    let mut found = Vec::new();
    streams.take(piece(0, true, false, b""), &mut found);
    for at in 0..1000 {
        streams.take(piece(1 + at * 1000, false, false, &[b' '; 1000]), &mut found);
    }
    assert_eq!((streams.held, found.len()), (0, 0));
}

#[test]
fn many_unfinished_messages_together_stay_below_the_limit() {
    let mut streams = Streams::default();
    let mut found = Vec::new();
    let unfinished = [&b"SIP/2.0 200 OK\r\nContent-Length: 60000\r\n\r\n"[..], &[b'a'; 50_000]].concat();
    for port in 0..500 {
        let segment = Segment {
            source: address(port),
            ..piece(1, false, false, &unfinished)
        };
        streams.take(segment, &mut found);
        assert!(streams.held <= MOST_BYTES);
    }
    assert!(
        found.len() > 300 && found.iter().all(|message| message.broken.is_some()),
        "{}",
        found.len()
    );
}

proptest! {
    #[test]
    fn any_segments_are_no_panic_and_what_is_held_is_counted(
        segments in vec((0..3_u16, 0..400_u32, any::<bool>(), 0..8_u8, 0..4_usize, 0..60_usize), 0..80),
    ) {
        let texts = [REPLY, b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0 200 OK\r\nl: x\r\n\r\n"];
        let mut streams = Streams::default();
        let mut found = Vec::new();
        for (port, offset, opens, ends, text, from) in segments {
            let text = texts[text];
            let segment = Segment {
                source: address(port),
                ..piece(ISN.wrapping_add(offset), opens && offset < 20, ends == 0, text.get(from..).unwrap_or(text))
            };
            streams.take(segment, &mut found);
            let held: usize = streams.streams.values().map(Stream::held).sum();
            prop_assert_eq!(streams.held, held);
            for stream in streams.streams.values() {
                prop_assert_eq!(stream.early.values().map(|piece| taken(piece)).sum::<usize>(), stream.early_bytes);
                prop_assert!(stream.early.keys().all(|position| *position > stream.position));
            }
        }
        while streams.end_next(&mut found) {}
        prop_assert_eq!(streams.held, 0);
    }
}
