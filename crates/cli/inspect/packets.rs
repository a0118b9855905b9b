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
}

/// Why a capture cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Flaw {
    /// It is of another kind.
    #[error("is no capture: it begins neither like pcap nor like pcapng")]
    NoCapture,
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
    interfaces: Vec<Interface>,
    count: u64,
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
        let reader = create_reader(LARGEST, Cursor::new(beginning).chain(bytes)).map_err(|_| Flaw::NoCapture)?;
        Ok(Self {
            reader,
            interfaces: Vec::new(),
            count: 0,
        })
    }

    /// How many packets there were.
    pub(super) fn count(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// The next packet; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Packet>, Flaw> {
        // How much was there when more was asked for.
        let mut waited_at = None;
        loop {
            let flaw = match self.reader.next() {
                Ok((length, block)) => {
                    let packet = packet(&block, &mut self.interfaces);
                    self.reader.consume(length);
                    waited_at = None;
                    if let Some(packet) = packet {
                        self.count += 1;
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
            Some(interface.packet(Some(ticks), packet.data))
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
            Some(interface.packet(Some(ticks), packet.data.get(..length).unwrap_or(packet.data)))
        }
        PcapBlockOwned::NG(Block::SimplePacket(packet)) => Some(interfaces.first()?.packet(None, packet.packet_data())),
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

    fn packet(&self, ticks: Option<u128>, bytes: &[u8]) -> Packet {
        Packet {
            time: ticks.and_then(|ticks| self.time(ticks)),
            link: self.link,
            bytes: bytes.to_vec(),
        }
    }

    fn time(&self, ticks: u128) -> Option<Timestamp> {
        let resolution = self.resolution?;
        let seconds = i64::try_from(ticks / resolution).ok()?.checked_add(self.offset)?;
        let nanoseconds = (ticks % resolution).checked_mul(NANOSECONDS)? / resolution;
        Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
    }
}

/// Nanoseconds in a second.
const NANOSECONDS: u128 = 1_000_000_000;
/// How much is read before anything else, in bytes; a section's header must be in it.
const BEGINNING: u64 = 64 * 1024;
/// The largest block that is read, in bytes; tcpdump's and Wireshark's packets end at 256 KiB.
const LARGEST: usize = 1024 * 1024;
/// The most interfaces that a section may have; those behind are not known, nor their packets.
const MOST_INTERFACES: usize = 1024;
