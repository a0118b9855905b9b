//! Messages that Wireshark, or `regprobe probe --pcap`, exported out of what carried them, such as TLS: tags that say whose they are, and
//! then the message (Wireshark's wsutil/exported_pdu_tlvs.h). Not for packets of a network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::frames::{Carried, Segment};
use super::packets::Packet;
use crate::tags::{DESTINATION_PORT, END, IPV4_DESTINATION, IPV4_SOURCE, IPV6_DESTINATION, IPV6_SOURCE, SOURCE_PORT};

/// The message in an exported packet; `None` when its tags cannot be read. Ends that no tag tells are unspecified.
pub(super) fn segment(packet: &Packet) -> Option<Segment<'_>> {
    let unspecified = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let (mut source, mut destination) = (unspecified, unspecified);
    let mut rest = packet.bytes.as_slice();
    loop {
        let (kind, value, behind) = tag(rest)?;
        rest = behind;
        match kind {
            END => break,
            IPV4_SOURCE | IPV6_SOURCE => source.set_ip(address(value)?),
            IPV4_DESTINATION | IPV6_DESTINATION => destination.set_ip(address(value)?),
            SOURCE_PORT => source.set_port(port(value)?),
            DESTINATION_PORT => destination.set_port(port(value)?),
            _ => {}
        }
    }
    Some(Segment {
        time: packet.time,
        source,
        destination,
        carried: Carried::Exported,
        bytes: rest,
        missing: packet.missing,
    })
}

/// The first tag: its kind, its value, and what follows.
fn tag(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let ([kind @ .., high, low], rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let behind = rest.get(length.next_multiple_of(4)..).or_else(|| rest.get(length..))?;
    Some((u16::from_be_bytes(*kind), rest.get(..length)?, behind))
}

fn address(value: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(value).map(|octets| Ipv4Addr::from(octets).into());
    v4.or_else(|_| <[u8; 16]>::try_from(value).map(|octets| Ipv6Addr::from(octets).into()))
        .ok()
}

fn port(value: &[u8]) -> Option<u16> {
    u16::try_from(u32::from_be_bytes(value.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use pcap_parser::Linktype;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn packet(bytes: Vec<u8>) -> Packet {
        Packet {
            time: None,
            link: Linktype::WIRESHARK_UPPER_PDU,
            bytes,
            missing: 0,
        }
    }

    #[test]
    fn tags_tell_the_ends_and_what_follows_is_the_message() {
        let tags = [
            &[0, 12, 0, 3, b's', b'i', b'p', 0][..],
            &[0, 20, 0, 4, 192, 0, 2, 1],
            &[0, 21, 0, 4, 192, 0, 2, 2],
            &[0, 25, 0, 4, 0, 0, 0x9c, 0x40],
            &[0, 26, 0, 4, 0, 0, 0x13, 0xc5],
            &[0, 0, 0, 0],
        ]
        .concat();
        let packet = packet([&tags, &b"SIP/2.0 200 OK"[..]].concat());
        let segment = segment(&packet).unwrap();
        assert_eq!(
            (segment.source.to_string(), segment.destination.to_string()),
            ("192.0.2.1:40000".to_owned(), "192.0.2.2:5061".to_owned())
        );
        assert_eq!(segment.bytes, b"SIP/2.0 200 OK");
        let cut = self::packet(packet.bytes[..30].to_vec());
        assert_eq!(self::segment(&cut), None);
    }

    proptest! {
        #[test]
        fn any_tags_are_no_panic(bytes in vec(prop_oneof![0..30_u8, any::<u8>()], 0..80)) {
            let packet = packet(bytes);
            if let Some(segment) = segment(&packet) {
                prop_assert!(packet.bytes.ends_with(segment.bytes));
            }
        }
    }
}
