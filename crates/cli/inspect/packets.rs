//! The packets of a capture, one after the other: pcap in both orders and both resolutions, and pcapng. Holds one block in memory, so a
//! capture may be of any length, and may be a pipe. Not for what is in a packet.

use std::io::{Cursor, Read};

use jiff::Timestamp;
use pcap_parser::traits::{PcapNGPacketBlock as _, PcapReaderIterator};
use pcap_parser::{Block, InterfaceDescriptionBlock, Linktype, PcapBlockOwned, PcapError, create_reader};
use thiserror::Error;

/// A packet as it was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    /// When; `None` where the capture does not say, or says nonsense.
    pub(super) time: Option<Timestamp>,
    /// What it begins with (<https://www.tcpdump.org/linktypes.html>).
    pub(super) link: Linktype,
    /// Its bytes, as many of them as were captured.
    pub(super) bytes: Vec<u8>,
    /// How many bytes at its end were not.
    pub(super) missing: usize,
}

/// Why a capture cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Flaw {
    /// It is of another kind.
    #[error("is no capture: it begins neither like pcap nor like pcapng; a message as text is read without --pcap")]
    NoCapture,
    /// Nothing is in it.
    #[error("is empty and no capture")]
    Empty,
    /// It would have to be unpacked.
    #[error("is compressed; unpack it: `gunzip -c FILE | regprobe inspect --pcap`")]
    Compressed,
    /// It ends too early.
    #[error("the capture ends in the middle of a packet")]
    CutShort,
    /// One block is larger than any packet.
    #[error("the capture has a block of more than 1 MiB, which no packet needs")]
    TooLarge,
    /// Something in it makes no sense.
    #[error("the capture is malformed behind packet {0}")]
    Malformed(u64),
    /// The system's.
    #[error("cannot be read")]
    Unreadable,
}

/// Reads a capture.
pub(super) struct Packets {
    reader: Box<dyn PcapReaderIterator>,
    is_pcapng: bool,
    interfaces: Vec<Interface>,
    count: u64,
    /// How many of them were captured in part.
    cut: usize,
}

/// What the packets of one interface have in common.
#[derive(Debug, Clone, Copy)]
struct Interface {
    link: Linktype,
    /// Ticks in a second; `None` when the capture says nonsense.
    resolution: Option<u128>,
    /// Seconds to be added.
    offset: i64,
}

impl Packets {
    /// Looks at the beginning of a capture.
    pub(super) fn open(mut bytes: Box<dyn Read>) -> Result<Self, Flaw> {
        // The reader wants the header in the first bytes that it is given, and a pipe may give fewer.
        let mut beginning = Vec::new();
        let read = bytes.by_ref().take(BEGINNING).read_to_end(&mut beginning);
        read.map_err(|_| Flaw::Unreadable)?;
        if beginning.is_empty() {
            return Err(Flaw::Empty);
        }
        if beginning.starts_with(&GZIP) {
            return Err(Flaw::Compressed);
        }
        let is_pcapng = beginning.starts_with(&SECTION);
        let reader = create_reader(LARGEST, Cursor::new(beginning).chain(bytes)).map_err(|_| Flaw::NoCapture)?;
        Ok(Self {
            reader,
            is_pcapng,
            interfaces: Vec::new(),
            count: 0,
            cut: 0,
        })
    }

    /// How many packets there were.
    pub(super) fn count(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// How many of them were captured in part.
    pub(super) const fn cut(&self) -> usize {
        self.cut
    }

    /// The next packet; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Packet>, Flaw> {
        // How much was there when more was asked for.
        let mut waited_at = None;
        loop {
            if self.is_pcapng && ends_before_it_begins(self.reader.data()) {
                return Err(Flaw::Malformed(self.count));
            }
            let flaw = match self.reader.next() {
                Ok((length, block)) => {
                    let packet = packet(&block, &mut self.interfaces);
                    self.reader.consume(length);
                    waited_at = None;
                    if let Some(packet) = packet {
                        self.count += 1;
                        self.cut += usize::from(packet.missing > 0);
                        return Ok(Some(packet));
                    }
                    continue;
                }
                Err(PcapError::Eof) => return Ok(None),
                Err(PcapError::Incomplete(_)) => None,
                Err(PcapError::UnexpectedEof) => Some(Flaw::CutShort),
                Err(PcapError::BufferTooSmall) => Some(Flaw::TooLarge),
                Err(PcapError::ReadError) => Some(Flaw::Unreadable),
                Err(PcapError::HeaderNotRecognized | PcapError::NomError(..) | PcapError::OwnedNomError(..)) => {
                    Some(Flaw::Malformed(self.count))
                }
            };
            let there = self.reader.data().len();
            match flaw {
                Some(Flaw::CutShort) if there == 0 => return Ok(None),
                Some(flaw) => return Err(flaw),
                // More was asked for, and there is no room for it.
                None if waited_at == Some(there) => return Err(Flaw::TooLarge),
                None => {}
            }
            waited_at = Some(there);
            self.reader.refill().map_err(|_| Flaw::Unreadable)?;
        }
    }
}

/// Whether a block of process information claims to be shorter than its own frame. The reader, version 0.16, takes its word for it and
/// subtracts; of all other kinds it looks itself.
fn ends_before_it_begins(bytes: &[u8]) -> bool {
    let Some(([kind @ .., a, b, c, d], _)) = bytes.split_first_chunk::<8>() else {
        return false;
    };
    let length = [*a, *b, *c, *d];
    match kind {
        [0x01, 0, 0, 0x80] => u32::from_le_bytes(length) < SHORTEST_BLOCK,
        [0x80, 0, 0, 0x01] => u32::from_be_bytes(length) < SHORTEST_BLOCK,
        _ => false,
    }
}

/// The packet in a block; other blocks say what is to be known of packets.
fn packet(block: &PcapBlockOwned<'_>, interfaces: &mut Vec<Interface>) -> Option<Packet> {
    match block {
        PcapBlockOwned::LegacyHeader(header) => {
            let resolution = if header.is_nanosecond_precision() { NANOSECONDS } else { 1_000_000 };
            *interfaces = vec![Interface {
                link: header.network,
                resolution: Some(resolution),
                offset: 0,
            }];
            None
        }
        PcapBlockOwned::Legacy(packet) => {
            let interface = interfaces.first()?;
            let resolution = interface.resolution?;
            let ticks = u128::from(packet.ts_sec) * resolution + u128::from(packet.ts_usec);
            Some(interface.packet(Some(ticks), packet.data, packet.origlen))
        }
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            interfaces.clear();
            None
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
            if interfaces.len() < MOST_INTERFACES {
                interfaces.push(Interface::of(description));
            }
            None
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
            let interface = interfaces.get(usize::try_from(packet.if_id).ok()?)?;
            let ticks = u128::from(packet.ts_high) << 32 | u128::from(packet.ts_low);
            let length = usize::try_from(packet.caplen).ok()?;
            let bytes = packet.data.get(..length).unwrap_or(packet.data);
            Some(interface.packet(Some(ticks), bytes, packet.origlen))
        }
        PcapBlockOwned::NG(Block::SimplePacket(packet)) => Some(interfaces.first()?.packet(None, packet.packet_data(), packet.origlen)),
        PcapBlockOwned::NG(
            Block::NameResolution(_)
            | Block::InterfaceStatistics(_)
            | Block::SystemdJournalExport(_)
            | Block::DecryptionSecrets(_)
            | Block::ProcessInformation(_)
            | Block::Custom(_)
            | Block::Unknown(_),
        ) => None,
    }
}

impl Interface {
    fn of(description: &InterfaceDescriptionBlock<'_>) -> Self {
        // The highest bit tells powers of two from powers of ten (pcapng draft §4.2, if_tsresol).
        let power = u32::from(description.if_tsresol & 0x7f);
        let base: u128 = if description.if_tsresol & 0x80 == 0 { 10 } else { 2 };
        Self {
            link: description.linktype,
            resolution: base.checked_pow(power),
            offset: description.if_tsoffset,
        }
    }

    /// A packet that had so many bytes on the wire.
    fn packet(&self, ticks: Option<u128>, bytes: &[u8], length: u32) -> Packet {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Packet {
            time: ticks.and_then(|ticks| self.time(ticks)),
            link: self.link,
            bytes: bytes.to_vec(),
            missing: length.saturating_sub(bytes.len()),
        }
    }

    fn time(&self, ticks: u128) -> Option<Timestamp> {
        let resolution = self.resolution?;
        let seconds = i64::try_from(ticks / resolution).ok()?.checked_add(self.offset)?;
        let nanoseconds = (ticks % resolution).checked_mul(NANOSECONDS)? / resolution;
        Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
    }
}

/// How pcapng begins.
const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// How what gzip wrote begins (RFC 1952 §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The type of a block, and its length in front and behind, in bytes.
const SHORTEST_BLOCK: u32 = 12;
/// Nanoseconds in a second.
const NANOSECONDS: u128 = 1_000_000_000;
/// How much is read before anything else, in bytes; a section's header must be in it.
const BEGINNING: u64 = 64 * 1024;
/// The largest block that is read, in bytes; tcpdump's and Wireshark's packets end at 256 KiB.
const LARGEST: usize = 1024 * 1024;
/// The most interfaces that a section may have; those behind are not known, nor their packets.
const MOST_INTERFACES: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A pcap header, and a pcapng section with one interface.
    const PCAP: &[u8] = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x65\0\0\0";
    const PCAPNG: &[u8] = b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0\
        \x01\0\0\0\x14\0\0\0\x65\0\0\0\0\0\0\0\x14\0\0\0";

    fn read(bytes: Vec<u8>) -> (usize, Option<Flaw>) {
        let mut packets = match Packets::open(Box::new(Cursor::new(bytes))) {
            Ok(packets) => packets,
            Err(flaw) => return (0, Some(flaw)),
        };
        loop {
            match packets.next() {
                Ok(Some(_)) => {}
                Ok(None) => return (packets.count(), None),
                Err(flaw) => return (packets.count(), Some(flaw)),
            }
        }
    }

    /// Blocks with the types that there are, and lengths that are sound or lie.
    fn block() -> impl Strategy<Value = Vec<u8>> {
        let kind = prop_oneof![0..11_u32, Just(0x0a0d_0d0a), Just(0x8000_0001), Just(0x4000_0bad), any::<u32>()];
        (kind, vec(any::<u8>(), 0..60), -4..=4_i32, any::<bool>()).prop_map(|(kind, content, lie, twice)| {
            let size = u32::try_from(content.len() + 12).unwrap().wrapping_add_signed(lie);
            let end = if twice { size.to_le_bytes().to_vec() } else { Vec::new() };
            [&kind.to_le_bytes()[..], &size.to_le_bytes(), &content, &end].concat()
        })
    }

    proptest! {
        // Each case makes the buffer of 1 MiB anew, which takes long without optimisation.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_no_panic_and_come_to_an_end(beginning in prop_oneof![Just(PCAP), Just(PCAPNG), Just(&b""[..])], bytes in vec(any::<u8>(), 0..300)) {
            read([beginning, &bytes].concat());
        }

        #[test]
        fn any_blocks_are_no_panic_and_come_to_an_end(blocks in vec(block(), 0..12)) {
            read([PCAPNG, &blocks.concat()].concat());
        }

        #[test]
        fn times_of_any_resolution_are_no_panic(resolution: u8, offset: i64, ticks: u64) {
            let power = u32::from(resolution & 0x7f);
            let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
            let interface = Interface { link: Linktype::RAW, resolution: base.checked_pow(power), offset };
            let _ = interface.time(ticks.into());
        }
    }

    #[test]
    fn the_end_of_a_file_is_told_from_one_that_is_cut_short() {
        assert_eq!(read(PCAP.to_vec()), (0, None));
        assert_eq!(read(PCAPNG.to_vec()), (0, None));
        assert_eq!(read([PCAP, &[0; 9]].concat()), (0, Some(Flaw::CutShort)));
        assert_eq!(read([PCAP, &[0; 16], &[0; 16]].concat()), (2, None));
        assert_eq!(read([PCAP, &[0xff; 16]].concat()), (0, Some(Flaw::TooLarge)));
        assert_eq!(read(b"SIP/2.0 200 OK".to_vec()), (0, Some(Flaw::NoCapture)));
        assert_eq!(read(Vec::new()), (0, Some(Flaw::Empty)));
        assert_eq!(read(b"\x1f\x8b\x08\0".to_vec()), (0, Some(Flaw::Compressed)));
    }

    #[test]
    fn a_block_that_ends_before_it_begins_is_malformed() {
        for length in [0, 4, 8, 11] {
            let block = [&[0x01, 0, 0, 0x80][..], &[length, 0, 0, 0], &[0; 24]].concat();
            assert_eq!(read([PCAPNG, &block].concat()), (0, Some(Flaw::Malformed(0))), "{length}");
        }
        // The same bytes are a moment in pcap.
        let record = [&[0x01, 0, 0, 0x80][..], &[4, 0, 0, 0], &[0; 8]].concat();
        assert_eq!(read([PCAP, &record].concat()), (1, None));
    }

    /// Gives one byte at a time, as a slow pipe does.
    struct Drip(Cursor<Vec<u8>>);

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let room = buffer.len().min(1);
            self.0.read(buffer.get_mut(..room).unwrap_or_default())
        }
    }

    #[test]
    fn a_pipe_may_give_one_byte_at_a_time() {
        let record = [&[0; 8][..], &[200, 0, 0, 0, 200, 0, 0, 0], &[7; 200]].concat();
        let bytes = [PCAP, &record.repeat(400)].concat();
        let mut packets = Packets::open(Box::new(Drip(Cursor::new(bytes)))).unwrap();
        let mut count = 0;
        while let Some(packet) = packets.next().unwrap() {
            assert_eq!(packet.bytes, [7; 200]);
            count += 1;
        }
        assert_eq!(count, 400);
    }
}
