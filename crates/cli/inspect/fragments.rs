//! Datagrams that came in fragments, put together (RFC 791 §3.2, RFC 8200 §4.5): large INVITEs over UDP do. Memory is bounded whatever a
//! capture holds. Not for connections, whose pieces `streams` puts together.

use std::collections::BTreeMap;
use std::net::IpAddr;

use etherparse::{Ipv6ExtensionSlice, LaxNetSlice};
use pcap_parser::Linktype;

use super::frames;
use super::packets::Packet;

/// The datagrams of which something is missing.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    open: BTreeMap<Id, Pieces>,
    /// Counts what was taken, so that the oldest is known.
    clock: u64,
}

/// What the fragments of one datagram have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    number: u32,
}

/// What has come of a datagram.
#[derive(Debug, Default)]
struct Pieces {
    parts: BTreeMap<usize, Vec<u8>>,
    held: usize,
    /// Known from the last fragment on.
    length: Option<usize>,
    begun_at: u64,
}

/// A fragment.
struct Fragment<'a> {
    id: Id,
    offset: usize,
    is_last: bool,
    bytes: &'a [u8],
}

impl Fragments {
    /// Takes a packet; when it is the fragment that was missing, the datagram as a packet of raw IP.
    pub(super) fn take(&mut self, packet: &Packet) -> Option<Packet> {
        let sliced = frames::sliced(packet.link, &packet.bytes)?;
        let fragment = fragment(sliced.net.as_ref()?).filter(|fragment| !fragment.bytes.is_empty())?;
        let id = fragment.id;
        self.clock += 1;
        if !self.open.contains_key(&id) && self.open.len() >= MOST_OPEN {
            let oldest = self.open.iter().min_by_key(|(_, pieces)| pieces.begun_at).map(|(id, _)| *id);
            oldest.and_then(|id| self.open.remove(&id));
        }
        let begun_at = self.clock;
        let pieces = self.open.entry(id).or_insert_with(|| Pieces {
            begun_at,
            ..Pieces::default()
        });
        match pieces.add(&fragment) {
            Added::Incomplete => None,
            // RFC 5722 §3: a datagram whose fragments overlap is none.
            Added::Contradiction => {
                self.open.remove(&id);
                None
            }
            Added::Complete => {
                let payload: Vec<u8> = self.open.remove(&id)?.parts.into_values().flatten().collect();
                Some(Packet {
                    time: packet.time,
                    link: Linktype::RAW,
                    bytes: with_header(&id, &payload)?,
                    // A piece that was captured in part is only told of at the end.
                    missing: 0,
                })
            }
        }
    }
}

/// What a fragment did to its datagram.
enum Added {
    Incomplete,
    Complete,
    Contradiction,
}

impl Pieces {
    fn add(&mut self, fragment: &Fragment<'_>) -> Added {
        let end = fragment.offset + fragment.bytes.len();
        if self.parts.get(&fragment.offset).is_some_and(|known| known == fragment.bytes) {
            return Added::Incomplete;
        }
        let before = self.parts.range(..end).next_back();
        let overlaps = before.is_some_and(|(start, part)| start + part.len() > fragment.offset);
        let is_beyond =
            end > LONGEST || self.parts.len() >= MOST_PIECES || self.length.is_some_and(|length| end > length || fragment.is_last);
        if overlaps || is_beyond {
            return Added::Contradiction;
        }
        if fragment.is_last {
            self.length = Some(end);
        }
        self.held += fragment.bytes.len();
        self.parts.insert(fragment.offset, fragment.bytes.to_vec());
        if self.length == Some(self.held) {
            Added::Complete
        } else {
            Added::Incomplete
        }
    }
}

fn fragment<'a>(net: &LaxNetSlice<'a>) -> Option<Fragment<'a>> {
    match net {
        LaxNetSlice::Ipv4(ip) if ip.is_payload_fragmented() => {
            let header = ip.header();
            Some(Fragment {
                id: Id {
                    source: header.source_addr().into(),
                    destination: header.destination_addr().into(),
                    protocol: header.protocol().0,
                    number: header.identification().into(),
                },
                offset: usize::from(header.fragments_offset().value()) * 8,
                is_last: !header.more_fragments(),
                bytes: ip.payload().payload,
            })
        }
        LaxNetSlice::Ipv6(ip) if ip.is_payload_fragmented() => {
            let header = ip.header();
            let fragment = ip.extensions().clone().into_iter().find_map(|extension| match extension {
                Ipv6ExtensionSlice::Fragment(fragment) => Some(fragment),
                Ipv6ExtensionSlice::HopByHop(_)
                | Ipv6ExtensionSlice::Routing(_)
                | Ipv6ExtensionSlice::DestinationOptions(_)
                | Ipv6ExtensionSlice::Authentication(_) => None,
            })?;
            Some(Fragment {
                id: Id {
                    source: header.source_addr().into(),
                    destination: header.destination_addr().into(),
                    protocol: fragment.next_header().0,
                    number: fragment.identification(),
                },
                offset: usize::from(fragment.fragment_offset().value()) * 8,
                is_last: !fragment.more_fragments(),
                bytes: ip.payload().payload,
            })
        }
        LaxNetSlice::Ipv4(_) | LaxNetSlice::Ipv6(_) | LaxNetSlice::Arp(_) => None,
    }
}

/// A payload behind the header that it would have had in one piece; its checksum, which nobody reads, is left out.
fn with_header(id: &Id, payload: &[u8]) -> Option<Vec<u8>> {
    let length = |bytes: usize| u16::try_from(bytes).ok().map(u16::to_be_bytes);
    Some(match (id.source, id.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let head = [0, 0, 0, 0, 64, id.protocol, 0, 0];
            [
                &[0x45, 0][..],
                &length(payload.len() + 20)?,
                &head,
                &source.octets(),
                &destination.octets(),
                payload,
            ]
            .concat()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let head = [id.protocol, 64];
            [
                &[0x60, 0, 0, 0][..],
                &length(payload.len())?,
                &head,
                &source.octets(),
                &destination.octets(),
                payload,
            ]
            .concat()
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return None,
    })
}

/// The most datagrams that are kept open; of more, the oldest are forgotten.
const MOST_OPEN: usize = 32;
/// The longest payload that an IPv4 packet can have, in bytes.
const LONGEST: usize = 65_515;
/// The most fragments that are kept of one datagram: as many as the shortest link of RFC 791 cuts the longest into, 68 bytes with a header
/// of 20. Each of them takes memory beside its bytes.
const MOST_PIECES: usize = 1365;

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u8, offset: u16, more: bool, payload: &[u8]) -> Packet {
        let id = Id {
            source: IpAddr::from([192, 0, 2, 1]),
            destination: IpAddr::from([192, 0, 2, 2]),
            protocol: 17,
            number: 0,
        };
        let mut bytes = with_header(&id, payload).unwrap();
        bytes[5] = number;
        bytes[6..8].copy_from_slice(&((offset / 8) | (u16::from(more) << 13)).to_be_bytes());
        Packet {
            time: None,
            link: Linktype::RAW,
            bytes,
            missing: 0,
        }
    }

    /// A datagram of 20 bytes in three fragments.
    fn three(number: u8) -> [Packet; 3] {
        let datagram = [&[0x9c, 0x40, 0x13, 0xc4, 0, 20, 0, 0][..], b"abcdefghijkl"].concat();
        [
            packet(number, 0, true, &datagram[..8]),
            packet(number, 8, true, &datagram[8..16]),
            packet(number, 16, false, &datagram[16..]),
        ]
    }

    fn payload(whole: &Packet) -> Vec<u8> {
        frames::segment(whole).unwrap().bytes.to_vec()
    }

    #[test]
    fn fragments_in_any_order_make_the_datagram() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let mut fragments = Fragments::default();
            let packets = three(1);
            assert_eq!(fragments.take(&packets[order[0]]), None);
            assert_eq!(fragments.take(&packets[order[0]]), None, "the same again changes nothing");
            assert_eq!(fragments.take(&packets[order[1]]), None);
            assert_eq!(payload(&fragments.take(&packets[order[2]]).unwrap()), b"abcdefghijkl", "{order:?}");
            assert!(fragments.open.is_empty());
        }
    }

    #[test]
    fn fragments_that_overlap_or_go_too_far_make_nothing() {
        let mut fragments = Fragments::default();
        let [first, second, last] = three(1);
        fragments.take(&first);
        assert_eq!(fragments.take(&packet(1, 0, true, b"other bytes here")), None);
        assert!(fragments.open.is_empty());
        fragments.take(&last);
        assert_eq!(fragments.take(&packet(1, 64, true, b"abcdefgh")), None);
        assert!(fragments.open.is_empty());
        assert_eq!(fragments.take(&packet(1, 65_528, true, b"abcdefgh")), None);
        assert!(fragments.open.is_empty());
        assert_eq!(fragments.take(&second), None);
    }

    #[test]
    fn no_more_than_a_few_are_kept_open() {
        let mut fragments = Fragments::default();
        for number in 0..=255 {
            let [first, ..] = three(number);
            fragments.take(&first);
        }
        assert_eq!(fragments.open.len(), MOST_OPEN);
        let [_, second, last] = three(255);
        fragments.take(&second);
        assert!(fragments.take(&last).is_some(), "the youngest is still known");
    }

    #[test]
    fn a_datagram_in_more_pieces_than_any_link_makes_is_none() {
        let mut fragments = Fragments::default();
        for piece in 1..=u16::try_from(MOST_PIECES).unwrap() {
            fragments.take(&packet(1, 8 * piece, true, b"x"));
        }
        assert_eq!(fragments.open.values().map(|pieces| pieces.parts.len()).sum::<usize>(), MOST_PIECES);
        fragments.take(&packet(1, 0, true, b"x"));
        assert!(fragments.open.is_empty());
    }

    #[test]
    fn what_is_no_fragment_is_left_alone() {
        let mut fragments = Fragments::default();
        assert_eq!(fragments.take(&packet(1, 0, false, &[0; 8])), None);
        assert!(fragments.open.is_empty());
    }
}
