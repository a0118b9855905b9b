//! What is in a packet: who sent which bytes to whom over UDP or TCP. Ethernet with VLANs, Linux cooked captures, loopback and raw IP.
//! Not for putting the bytes of a connection in order.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use jiff::Timestamp;
use pcap_parser::Linktype;

use super::exported;
use super::packets::Packet;

/// The bytes of a datagram, or a piece of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) time: Option<Timestamp>,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) carried: Carried,
    pub(super) bytes: &'a [u8],
    /// How many bytes at its end were not captured.
    pub(super) missing: usize,
}

/// By what the bytes were carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    Datagram,
    /// Taken out of what carried it.
    Exported,
    /// A piece of a connection (RFC 9293 §3.1).
    Piece {
        /// The number of its first byte, or of its SYN.
        sequence: u32,
        /// It opens the connection.
        opens: bool,
        /// It ends this direction, in order or by force.
        ends: bool,
    },
}

/// What is in a packet; `None` for all that is neither UDP nor TCP, for fragments, which
/// `fragments` puts together, and for what cannot be read.
pub(super) fn segment(packet: &Packet) -> Option<Segment<'_>> {
    if packet.link == Linktype::WIRESHARK_UPPER_PDU {
        return exported::segment(packet);
    }
    let sliced = sliced(packet.link, &packet.bytes)?;
    let (from, to) = addresses(sliced.net.as_ref()?)?;
    let (ports, carried, bytes) = match sliced.transport? {
        TransportSlice::Udp(udp) => ((udp.source_port(), udp.destination_port()), Carried::Datagram, udp.payload()),
        TransportSlice::Tcp(tcp) => {
            let piece = Carried::Piece {
                sequence: tcp.sequence_number(),
                opens: tcp.syn(),
                ends: tcp.fin() || tcp.rst(),
            };
            ((tcp.source_port(), tcp.destination_port()), piece, tcp.payload())
        }
        TransportSlice::Icmpv4(_) | TransportSlice::Icmpv6(_) | TransportSlice::Igmp(_) => return None,
    };
    Some(Segment {
        time: packet.time,
        source: SocketAddr::new(from, ports.0),
        destination: SocketAddr::new(to, ports.1),
        carried,
        bytes,
        missing: packet.missing,
    })
}

/// Takes the headers apart that a link of this kind begins with.
pub(super) fn sliced(link: Linktype, bytes: &[u8]) -> Option<LaxSlicedPacket<'_>> {
    match link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(bytes).ok(),
        // Sixteen bytes, of which the last two name the protocol; in the second version twenty, and the first two.
        Linktype::LINUX_SLL => Some(LaxSlicedPacket::from_ether_type(ether_type(bytes, 14)?, bytes.get(16..)?)),
        Linktype::LINUX_SLL2 => Some(LaxSlicedPacket::from_ether_type(ether_type(bytes, 0)?, bytes.get(20..)?)),
        // Four bytes of address family, whose numbers differ between systems; the version in the IP header says as much.
        Linktype::NULL | Linktype::LOOP => LaxSlicedPacket::from_ip(bytes.get(4..)?).ok(),
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | RAW_OF_BSD | RAW_OF_OPENBSD => LaxSlicedPacket::from_ip(bytes).ok(),
        _ => None,
    }
}

/// What some systems write for raw IP instead of [`Linktype::RAW`].
const RAW_OF_BSD: Linktype = Linktype(12);
const RAW_OF_OPENBSD: Linktype = Linktype(14);

fn ether_type(bytes: &[u8], at: usize) -> Option<EtherType> {
    let [high, low] = bytes.get(at..at + 2)? else { return None };
    Some(EtherType(u16::from_be_bytes([*high, *low])))
}

fn addresses(net: &LaxNetSlice<'_>) -> Option<(IpAddr, IpAddr)> {
    match net {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        LaxNetSlice::Arp(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::fragments::Fragments;
    use super::*;

    proptest! {
        #[test]
        fn any_bytes_on_any_link_are_no_panic(
            links in prop_oneof![Just(1), Just(0), Just(108), Just(113), Just(276), Just(101), any::<i32>()],
            start in prop_oneof![Just(0x45), Just(0x60), any::<u8>()],
            bytes in vec(any::<u8>(), 0..120),
        ) {
            let headers = [vec![], vec![0; 4], [vec![0; 12], vec![8, 0]].concat(), [vec![0; 14], vec![8, 0]].concat()];
            for header in headers {
                let bytes = [header, vec![start], bytes.clone()].concat();
                let packet = Packet { time: None, link: Linktype(links), bytes, missing: 0 };
                if let Some(segment) = segment(&packet) {
                    prop_assert!(segment.bytes.len() < packet.bytes.len());
                }
                Fragments::default().take(&packet);
            }
        }
    }
}
