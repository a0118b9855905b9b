//! SIP messages in datagrams and connections: which bytes are SIP at all, and the bytes of a connection in their order (RFC 9293 §3.4),
//! cut into messages by `sip-message`'s framer. Memory is bounded whatever a capture holds. Not for reading messages.

mod text;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::Timestamp;

use super::frames::{Carried, Segment};
use super::report::Captured;
use crate::output::text::counted;
use text::{Judgement, Text, judge};

/// All connections of a capture, one entry for each direction.
#[derive(Debug, Default)]
pub(super) struct Streams {
    streams: BTreeMap<(SocketAddr, SocketAddr), Stream>,
    /// Counts what was taken, so that the stream which has been silent longest is known.
    clock: u64,
    /// How much all of them hold, in bytes.
    held: usize,
}

/// One direction of a connection.
#[derive(Debug)]
struct Stream {
    /// The sequence number of the byte that is wanted next.
    next: u32,
    /// How many bytes were before it.
    position: u64,
    /// What came too early, by its position.
    early: BTreeMap<u64, Vec<u8>>,
    /// How much memory that takes, in bytes.
    early_bytes: usize,
    /// How many pieces from before the first that was seen are still looked at: the capture may have begun in the middle.
    looks_back: u8,
    text: Text,
    used_at: u64,
}

/// What is the same for all messages that a segment completes.
#[derive(Debug, Clone, Copy)]
struct Way {
    time: Option<Timestamp>,
    source: SocketAddr,
    destination: SocketAddr,
}

impl Streams {
    /// Takes a segment; the messages that it completes are added to `found`.
    pub(super) fn take(&mut self, segment: Segment<'_>, found: &mut Vec<Captured>) {
        let way = Way {
            time: segment.time,
            source: segment.source,
            destination: segment.destination,
        };
        match segment.carried {
            Carried::Datagram => found.extend(datagram(&segment).map(|bytes| way.captured("udp", bytes, cut(&segment)))),
            Carried::Exported => found.extend(datagram(&segment).map(|bytes| way.captured("exported", bytes, cut(&segment)))),
            Carried::Piece { sequence, opens, ends } => {
                self.clock += 1;
                let first = if opens { sequence.wrapping_add(1) } else { sequence };
                if opens {
                    self.end_one(way, found);
                }
                if opens || !segment.bytes.is_empty() {
                    self.piece(way, first, opens, segment.bytes, found);
                }
                if ends && self.is_complete(way, first, segment.bytes.len()) {
                    self.end_one(way, found);
                }
            }
        }
    }

    /// Ends one of the directions that are left, at the end of the capture; false when none is.
    pub(super) fn end_next(&mut self, found: &mut Vec<Captured>) -> bool {
        let Some((source, destination)) = self.streams.keys().next().copied() else {
            return false;
        };
        self.end_one(
            Way {
                time: None,
                source,
                destination,
            },
            found,
        );
        true
    }

    fn piece(&mut self, way: Way, first: u32, opens: bool, bytes: &[u8], found: &mut Vec<Captured>) {
        let key = (way.source, way.destination);
        if !self.streams.contains_key(&key) && self.streams.len() >= MOST_STREAMS {
            self.forget_one(found);
        }
        let stream = self.streams.entry(key).or_insert_with(|| Stream::new(first, opens));
        stream.used_at = self.clock;
        let before = stream.held();
        stream.piece(first, bytes, &mut |bytes, broken| found.push(way.captured("tcp", bytes, broken)));
        self.held = self.held - before + stream.held();
        while self.held > MOST_BYTES {
            self.forget_one(found);
        }
    }

    /// Ends the direction that has been silent longest.
    fn forget_one(&mut self, found: &mut Vec<Captured>) {
        let oldest = self.streams.iter().min_by_key(|(_, stream)| stream.used_at).map(|(key, _)| *key);
        if let Some((source, destination)) = oldest {
            self.end_one(
                Way {
                    time: None,
                    source,
                    destination,
                },
                found,
            );
        }
    }

    fn end_one(&mut self, way: Way, found: &mut Vec<Captured>) {
        if let Some(mut stream) = self.streams.remove(&(way.source, way.destination)) {
            self.held -= stream.held();
            stream.end(&mut |bytes, broken| found.push(way.captured("tcp", bytes, broken)));
        }
    }

    /// Whether nothing is missing in front of the end of a direction.
    fn is_complete(&self, way: Way, first: u32, length: usize) -> bool {
        let end = u32::try_from(length).ok().map(|length| first.wrapping_add(length));
        let stream = self.streams.get(&(way.source, way.destination));
        stream.is_some_and(|stream| Some(stream.next) == end && stream.early.is_empty())
    }
}

impl Way {
    fn captured(self, transport: &'static str, bytes: &[u8], broken: Option<String>) -> Captured {
        Captured {
            time: self.time,
            transport,
            source: self.source,
            destination: self.destination,
            bytes: bytes.to_vec(),
            broken,
        }
    }
}

/// The SIP message in a datagram. On SIP's own port it may be malformed beyond recognition, but not a keep-alive, and not STUN, which
/// opens with a byte below 4 (RFC 5764 §5.1.2, RFC 5626 §4.4).
fn datagram<'a>(segment: &Segment<'a>) -> Option<&'a [u8]> {
    let says_something = |byte: &u8| !byte.is_ascii_whitespace() && *byte != 0;
    let first = segment.bytes.iter().find(|byte| says_something(byte))?;
    let on_port = [segment.source, segment.destination]
        .iter()
        .any(|address| address.port() == SIP_PORT);
    let is_sip = match judge(segment.bytes) {
        Judgement::Sip => true,
        Judgement::Open | Judgement::Other => on_port && first.is_ascii_graphic(),
    };
    is_sip.then_some(segment.bytes)
}

/// What a datagram lacks that was captured in part.
fn cut(segment: &Segment<'_>) -> Option<String> {
    let missing = counted(segment.missing, "byte");
    (segment.missing > 0).then(|| format!("captured in part, and the last {missing} are missing"))
}

impl Stream {
    fn new(first: u32, opens: bool) -> Self {
        Self {
            next: first,
            position: 0,
            early: BTreeMap::new(),
            early_bytes: 0,
            looks_back: if opens { 0 } else { MOST_BEFORE },
            text: Text::default(),
            used_at: 0,
        }
    }

    fn piece(&mut self, sequence: u32, bytes: &[u8], tell: &mut impl FnMut(&[u8], Option<String>)) {
        // RFC 9293 §3.4: numbers wrap; the nearer way round is meant.
        let ahead = sequence.wrapping_sub(self.next).cast_signed();
        if ahead > 0 {
            self.keep(self.position + u64::from(ahead.unsigned_abs()), bytes);
        } else {
            let known = usize::try_from(ahead.unsigned_abs()).unwrap_or(usize::MAX);
            self.look_back(known, bytes, tell);
            if let Some(new) = bytes.get(known..) {
                self.deliver(new, tell);
            }
        }
        self.deliver_early(tell);
        while self.early_bytes > MOST_EARLY_BYTES || self.early.len() > MOST_EARLY {
            self.pass_gap(tell);
        }
    }

    /// How much is held, in bytes.
    const fn held(&self) -> usize {
        self.early_bytes + self.text.held()
    }

    fn deliver(&mut self, bytes: &[u8], tell: &mut impl FnMut(&[u8], Option<String>)) {
        self.position += bytes.len() as u64;
        self.next = self.next.wrapping_add(u32::try_from(bytes.len()).unwrap_or_default());
        self.text.push(bytes, tell);
    }

    /// Bytes from before those that were seen first, where the capture began in the middle: whole messages in them are told.
    fn look_back(&mut self, known: usize, bytes: &[u8], tell: &mut impl FnMut(&[u8], Option<String>)) {
        let before = (known as u64).saturating_sub(self.position);
        if before == 0 || self.looks_back == 0 {
            return;
        }
        self.looks_back -= 1;
        let before = usize::try_from(before).unwrap_or(usize::MAX);
        Text::default().push(bytes.get(..before).unwrap_or(bytes), tell);
    }

    fn keep(&mut self, position: u64, bytes: &[u8]) {
        let longer = self.early.get(&position).is_none_or(|known| known.len() < bytes.len());
        if longer {
            self.early_bytes += taken(bytes);
            let replaced = self.early.insert(position, bytes.to_vec());
            self.early_bytes -= replaced.map_or(0, |bytes| taken(&bytes));
        }
    }

    fn deliver_early(&mut self, tell: &mut impl FnMut(&[u8], Option<String>)) {
        while let Some(entry) = self.early.first_entry().filter(|entry| *entry.key() <= self.position) {
            let (start, bytes) = entry.remove_entry();
            self.early_bytes -= taken(&bytes);
            let known = usize::try_from(self.position - start).unwrap_or(usize::MAX);
            if let Some(new) = bytes.get(known..) {
                self.deliver(new, tell);
            }
        }
    }

    /// Gives up the bytes that are missing, and goes on behind them.
    fn pass_gap(&mut self, tell: &mut impl FnMut(&[u8], Option<String>)) {
        let Some(start) = self.early.first_key_value().map(|(start, _)| *start) else {
            return;
        };
        self.text.end(tell);
        let missing = start.saturating_sub(self.position);
        self.position = start;
        self.next = self.next.wrapping_add(u32::try_from(missing).unwrap_or_default());
        self.deliver_early(tell);
    }

    fn end(&mut self, tell: &mut impl FnMut(&[u8], Option<String>)) {
        while !self.early.is_empty() {
            self.pass_gap(tell);
        }
        self.text.end(tell);
    }
}

/// What a piece takes of the memory that is counted, in bytes: a short one takes more beside its bytes than for them.
const fn taken(piece: &[u8]) -> usize {
    piece.len() + 64
}

/// The port that SIP is at home on (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;
/// The most directions of connections that are followed; of more, those that were silent longest are forgotten.
const MOST_STREAMS: usize = 1024;
/// The most that all of them hold together, in bytes.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// How much of a direction may wait for what is missing before it, in bytes and in pieces.
const MOST_EARLY_BYTES: usize = 128 * 1024;
const MOST_EARLY: usize = 256;
/// How many pieces from before its first one a direction may have.
const MOST_BEFORE: u8 = 8;

#[cfg(test)]
mod tests;
