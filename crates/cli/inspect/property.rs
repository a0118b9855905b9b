//! What holds for every capture, whatever bytes it is made of. Called by a fuzzer and by the tests of [`crate::property`].

use std::io::{Cursor, Read};

use etherparse::PacketBuilder;

use super::human;
use super::packets::Flaw;
use super::report::{Captured, Examined};
use super::search::Search;
use crate::output::json;
use crate::output::style::Style;
use crate::property::harmless;

/// Kinds of links: loopback, Ethernet, raw IP, cooked in both versions, exported PDUs.
const LINKS: [u8; 6] = [0, 1, 101, 113, 20, 252];
/// The header of a pcap file but for the kind of its links, which is four bytes more.
const PCAP: &[u8] = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0";
/// How many bytes of a message a packet holds at least where a connection is cut up: fewer pieces wait than are kept.
const SHORTEST_PIECE: usize = 32;

/// The first byte says what the others are. A capture: it comes to an end, to no more bytes of messages than it has, to the same ones
/// however a pipe gives it, and what is shown of them is harmless. Its packets: the same. The bytes of a connection: whatever the order of
/// its packets, and however often they come, the messages are the same.
pub fn captures(bytes: &[u8]) {
    match bytes.split_first() {
        None => {}
        Some((kind, rest)) if kind % 3 == 0 => whole(rest),
        Some((kind, rest)) if kind % 3 == 1 => whole(&packets(rest)),
        Some((_, rest)) => disordered(rest),
    }
}

fn whole(file: &[u8]) {
    let (found, flaw) = search(Box::new(Cursor::new(file.to_vec())));
    let length: usize = found.iter().map(|captured| captured.bytes.len()).sum();
    assert!(length <= file.len(), "{length} bytes of messages in {}", file.len());
    for (captured, number) in found.iter().zip(1..) {
        let examined = Examined::captured(captured, number);
        harmless(&human::render(&examined, Style::Plain));
        let mut line = Vec::new();
        json::append(&examined.report(), &mut line);
        harmless(&String::from_utf8_lossy(&line));
    }
    assert_eq!(
        search(Box::new(Drip(file.to_vec(), 0))),
        (found, flaw),
        "a pipe gives something else"
    );
}

/// Everything that is in a capture, and why it could not be read to its end.
fn search(bytes: Box<dyn Read>) -> (Vec<Captured>, Option<Flaw>) {
    let mut found = Vec::new();
    match Search::open(bytes) {
        Ok(mut search) => {
            while search.step(&mut found) {}
            (found, search.flaw)
        }
        Err(flaw) => (found, Some(flaw)),
    }
}

/// Gives few bytes at a time, as a pipe may.
struct Drip(Vec<u8>, usize);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = self.0.get(self.1..).unwrap_or_default();
        let given = rest.len().min(buffer.len()).min(7);
        if let (Some(to), Some(from)) = (buffer.get_mut(..given), rest.get(..given)) {
            to.copy_from_slice(from);
        }
        self.1 += given;
        Ok(given)
    }
}

/// A file of packets, each behind a byte with its length; the first byte is for the links.
fn packets(bytes: &[u8]) -> Vec<u8> {
    let Some((link, mut rest)) = bytes.split_first() else {
        return PCAP.to_vec();
    };
    let link = LINKS.get(usize::from(*link) % LINKS.len()).copied().unwrap_or_default();
    // 276, for which one byte is not enough.
    let links = if link == 20 { [20, 1, 0, 0] } else { [link, 0, 0, 0] };
    let mut file = [PCAP, &links].concat();
    while let Some((length, behind)) = rest.split_first() {
        let (packet, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        file.extend(record(packet));
        rest = behind;
    }
    file
}

/// A packet as pcap has it, at no time.
fn record(packet: &[u8]) -> Vec<u8> {
    let length = u32::try_from(packet.len()).unwrap_or_default().to_le_bytes();
    [&[0; 8], length.as_slice(), &length, packet].concat()
}

/// The first eight bytes say how the others are cut up, and in which order the pieces come.
fn disordered(bytes: &[u8]) {
    let Some((choices, text)) = bytes.split_first_chunk::<8>() else {
        return;
    };
    let [first @ .., a, b, c, d] = *choices;
    let first = u32::from_le_bytes(first);
    let mut sizes = [a, b, c].into_iter().cycle().map(|size| SHORTEST_PIECE + usize::from(size));
    let mut rest = text;
    let mut pieces = vec![segment(first.wrapping_sub(1), true, b"")];
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(sizes.next().unwrap_or(SHORTEST_PIECE)));
        let before = u32::try_from(text.len() - rest.len()).unwrap_or_default();
        pieces.push(segment(first.wrapping_add(before), false, piece));
        rest = behind;
    }
    let mut shuffled: Vec<_> = pieces.iter().skip(1).cloned().collect();
    for at in 0..shuffled.len() {
        shuffled.swap(at, (at * usize::from(a) + usize::from(d)) % pieces.len().saturating_sub(1).max(1));
    }
    let again = shuffled.iter().step_by(2).cloned().collect();
    let opening = pieces.iter().take(1).cloned().collect();
    let found = |packets: Vec<Vec<u8>>| {
        let links = [101, 0, 0, 0];
        let (found, flaw) = search(Box::new(Cursor::new([PCAP, &links, &packets.concat()].concat())));
        assert_eq!(flaw, None);
        found
            .into_iter()
            .map(|captured| (captured.bytes, captured.broken))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found([opening, shuffled, again].concat()),
        found(pieces),
        "the order of packets changes a message"
    );
}

fn segment(sequence: u32, opens: bool, bytes: &[u8]) -> Vec<u8> {
    let header = PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).tcp(40_000, 5060, sequence, 1024);
    let header = if opens { header.syn() } else { header.ack(1) };
    let mut packet = Vec::new();
    header
        .write(&mut packet, bytes)
        .expect("a piece is short, and a vector takes everything");
    record(&packet)
}
