//! Headers around messages that went without ours seeing any: IP and UDP, or IP and TCP with numbers that make a stream of the
//! messages of one connection; and for TLS, whose clear text no port would make SIP of, a PDU that says itself what it is (Wireshark's
//! exported PDU). Not for the blocks of a file.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr};

use etherparse::PacketBuilder;
use sip_registration::{Direction, Tapped, Transport};

use super::sink::cut;
use crate::tags;

/// What a frame begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// An IP header.
    Ip,
    /// The tags of an exported PDU.
    Exported,
}

/// One message in frames.
#[derive(Debug)]
pub(super) struct Framed {
    pub(super) link: Link,
    pub(super) frames: Vec<Vec<u8>>,
    /// How many bytes of it found no room.
    pub(super) cut: usize,
}

/// Makes frames, and counts the bytes of streams.
#[derive(Debug, Default)]
pub(super) struct Framing {
    /// The next numbers of each connection.
    streams: BTreeMap<(SocketAddr, SocketAddr), Numbers>,
}

/// RFC 9293 §3.4: the sequence numbers that come next.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    ours: u32,
    theirs: u32,
}

impl Framing {
    /// The frames of a message; several where TCP has to cut it up.
    pub(super) fn frame(&mut self, message: &Tapped) -> Framed {
        match message.transport {
            Transport::Udp => {
                let (bytes, cut) = cut(&message.bytes, MOST_DATAGRAM);
                Framed {
                    link: Link::Ip,
                    frames: vec![datagram(message, bytes)],
                    cut,
                }
            }
            Transport::Tcp => Framed {
                link: Link::Ip,
                frames: self.segments(message),
                cut: 0,
            },
            Transport::Tls => {
                let (bytes, cut) = cut(&message.bytes, MOST_EXPORTED);
                Framed {
                    link: Link::Exported,
                    frames: vec![exported(message, bytes)],
                    cut,
                }
            }
        }
    }

    fn segments(&mut self, message: &Tapped) -> Vec<Vec<u8>> {
        if self.streams.len() >= MOST_STREAMS {
            self.streams.clear();
        }
        let numbers = self
            .streams
            .entry((message.local, message.remote))
            .or_insert(Numbers { ours: 1, theirs: 1 });
        let (source, destination) = ends(message);
        let mut segments = Vec::new();
        for bytes in message.bytes.chunks(MOST_SEGMENT) {
            let (sequence, acknowledged) = match message.direction {
                Direction::Sent => (&mut numbers.ours, numbers.theirs),
                Direction::Received => (&mut numbers.theirs, numbers.ours),
            };
            segments.push(segment((source, destination), (*sequence, acknowledged), bytes));
            *sequence = sequence.wrapping_add(u32::try_from(bytes.len()).unwrap_or_default());
        }
        segments
    }
}

/// From where to where a message went.
pub(super) const fn ends(message: &Tapped) -> (SocketAddr, SocketAddr) {
    match message.direction {
        Direction::Sent => (message.local, message.remote),
        Direction::Received => (message.remote, message.local),
    }
}

/// An address as one of IPv6.
pub(super) fn mapped(address: SocketAddr) -> Ipv6Addr {
    match address {
        SocketAddr::V4(address) => address.ip().to_ipv6_mapped(),
        SocketAddr::V6(address) => *address.ip(),
    }
}

fn datagram(message: &Tapped, bytes: &[u8]) -> Vec<u8> {
    let (source, destination) = ends(message);
    let mut frame = Vec::with_capacity(bytes.len() + HEADERS);
    let written = match (source, destination) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) => PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), HOPS)
            .udp(source.port(), destination.port())
            .write(&mut frame, bytes),
        (from, to) => PacketBuilder::ipv6(mapped(from).octets(), mapped(to).octets(), HOPS)
            .udp(source.port(), destination.port())
            .write(&mut frame, bytes),
    };
    written.expect("a datagram is cut to what fits, and a vector takes everything");
    frame
}

fn segment((source, destination): (SocketAddr, SocketAddr), (sequence, acknowledged): (u32, u32), bytes: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(bytes.len() + HEADERS);
    let written = match (source, destination) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) => PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), HOPS)
            .tcp(source.port(), destination.port(), sequence, WINDOW)
            .psh()
            .ack(acknowledged)
            .write(&mut frame, bytes),
        (from, to) => PacketBuilder::ipv6(mapped(from).octets(), mapped(to).octets(), HOPS)
            .tcp(source.port(), destination.port(), sequence, WINDOW)
            .psh()
            .ack(acknowledged)
            .write(&mut frame, bytes),
    };
    written.expect("a segment is cut to what fits, and a vector takes everything");
    frame
}

/// Wireshark's exported PDU (wsutil/exported_pdu_tlvs.h): tags of type, length and value, filled up to four bytes, then the message.
fn exported(message: &Tapped, bytes: &[u8]) -> Vec<u8> {
    let (source, destination) = ends(message);
    let mut frame = Vec::with_capacity(bytes.len() + HEADERS);
    tag(&mut frame, tags::DISSECTOR, b"sip");
    match (source, destination) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) => {
            tag(&mut frame, tags::IPV4_SOURCE, &from.ip().octets());
            tag(&mut frame, tags::IPV4_DESTINATION, &to.ip().octets());
        }
        (from, to) => {
            tag(&mut frame, tags::IPV6_SOURCE, &mapped(from).octets());
            tag(&mut frame, tags::IPV6_DESTINATION, &mapped(to).octets());
        }
    }
    tag(&mut frame, tags::PORT_TYPE, &PORT_OF_TCP.to_be_bytes());
    tag(&mut frame, tags::SOURCE_PORT, &u32::from(source.port()).to_be_bytes());
    tag(&mut frame, tags::DESTINATION_PORT, &u32::from(destination.port()).to_be_bytes());
    tag(&mut frame, tags::END, &[]);
    frame.extend_from_slice(bytes);
    frame
}

fn tag(frame: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = value.len().next_multiple_of(4);
    frame.extend_from_slice(&kind.to_be_bytes());
    frame.extend_from_slice(&u16::try_from(length).unwrap_or_default().to_be_bytes());
    frame.extend_from_slice(value);
    frame.resize(frame.len() + length - value.len(), 0);
}

/// The longest payload of a datagram over IPv4 (RFC 768); over IPv6 it would be twenty bytes more.
const MOST_DATAGRAM: usize = 65_507;
/// The longest payload of a segment here; an IP packet has no more than 65,535 bytes.
const MOST_SEGMENT: usize = 60_000;
/// Wireshark takes frames of 262,144 bytes.
const MOST_EXPORTED: usize = 260_000;
/// Room for the headers before a message.
const HEADERS: usize = 100;
const HOPS: u8 = 64;
const WINDOW: u16 = 65_535;
/// The port type of those whose ports are TCP's.
const PORT_OF_TCP: u32 = 2;
/// As many connections as one host has ports; beyond them all begin anew.
const MOST_STREAMS: usize = 65_536;

#[cfg(test)]
mod tests {
    use etherparse::{SlicedPacket, TransportSlice};

    use super::*;

    fn message(transport: Transport, direction: Direction, bytes: &[u8]) -> Tapped {
        Tapped {
            direction,
            transport,
            local: "192.0.2.1:5060".parse().unwrap(),
            remote: "192.0.2.2:5070".parse().unwrap(),
            bytes: bytes.to_vec(),
            decision: String::new(),
        }
    }

    /// Sequence number, acknowledgement number and payload.
    fn tcp(frame: &[u8]) -> (u32, u32, Vec<u8>) {
        match SlicedPacket::from_ip(frame).unwrap().transport {
            Some(TransportSlice::Tcp(tcp)) => (tcp.sequence_number(), tcp.acknowledgment_number(), tcp.payload().to_vec()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_messages_of_a_connection_make_two_streams_without_a_gap() {
        let mut framing = Framing::default();
        let mut next = |direction, bytes: &[u8]| framing.frame(&message(Transport::Tcp, direction, bytes)).frames;
        assert_eq!(tcp(&next(Direction::Sent, b"abc")[0]), (1, 1, b"abc".to_vec()));
        assert_eq!(tcp(&next(Direction::Received, b"de")[0]), (1, 4, b"de".to_vec()));
        assert_eq!(tcp(&next(Direction::Sent, b"f")[0]), (4, 3, b"f".to_vec()));
        let long = next(Direction::Received, &[b'x'; 150_000]);
        let numbers: Vec<_> = long.iter().map(|frame| (tcp(frame).0, tcp(frame).2.len())).collect();
        assert_eq!(numbers, [(3, 60_000), (60_003, 60_000), (120_003, 30_000)]);
    }

    #[test]
    fn a_datagram_that_became_too_long_is_cut() {
        let mut framing = Framing::default();
        let framed = framing.frame(&message(Transport::Udp, Direction::Sent, &[b'x'; 70_000]));
        assert_eq!(framed.cut, 70_000 - 65_507);
        assert!(SlicedPacket::from_ip(&framed.frames[0]).is_ok());
    }

    #[test]
    fn addresses_of_two_families_are_both_shown_as_ipv6() {
        let mut odd = message(Transport::Udp, Direction::Received, b"x");
        odd.remote = "[2001:db8::2]:5070".parse().unwrap();
        let framed = Framing::default().frame(&odd);
        assert_eq!(framed.frames[0][0] >> 4, 6);
    }

    #[test]
    fn an_exported_pdu_names_its_dissector_and_its_ends() {
        let framed = Framing::default().frame(&message(Transport::Tls, Direction::Sent, b"REGISTER"));
        #[rustfmt::skip]
        let wanted = [
            &[0, 12, 0, 4, b's', b'i', b'p', 0][..],
            &[0, 20, 0, 4, 192, 0, 2, 1],
            &[0, 21, 0, 4, 192, 0, 2, 2],
            &[0, 24, 0, 4, 0, 0, 0, 2],
            &[0, 25, 0, 4, 0, 0, 0x13, 0xc4],
            &[0, 26, 0, 4, 0, 0, 0x13, 0xce],
            &[0, 0, 0, 0],
            b"REGISTER",
        ].concat();
        assert_eq!((framed.link, &framed.frames[0]), (Link::Exported, &wanted));
    }
}
