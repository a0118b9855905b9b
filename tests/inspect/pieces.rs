//! Captures byte by byte: packets of IPv4 and IPv6 with UDP and TCP, link headers, and the files around them. Checksums are left 0, which
//! no reader of captures minds.

/// Which way a packet goes.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// From 192.0.2.1:40000 to 192.0.2.2:5060.
    There,
    /// And back.
    Back,
}

impl Way {
    const fn ports(self) -> [u16; 2] {
        match self {
            Self::There => [40_000, 5060],
            Self::Back => [5060, 40_000],
        }
    }

    const fn hosts(self) -> [u8; 2] {
        match self {
            Self::There => [1, 2],
            Self::Back => [2, 1],
        }
    }
}

fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap().to_be_bytes()
}

fn ports(way: Way) -> Vec<u8> {
    way.ports().map(u16::to_be_bytes).concat()
}

fn datagram(way: Way, payload: &[u8]) -> Vec<u8> {
    let whole = [&[0; 8], payload].concat();
    [&ports(way)[..], &length(&whole), &[0, 0], payload].concat()
}

/// What a segment does besides carrying bytes.
#[derive(Clone, Copy)]
pub(crate) enum Flag {
    Syn,
    Ack,
    Fin,
}

fn tcp(way: Way, sequence: u32, flag: Flag, payload: &[u8]) -> Vec<u8> {
    let flags = match flag {
        Flag::Syn => 0x02,
        Flag::Ack => 0x10,
        Flag::Fin => 0x11,
    };
    [
        &ports(way)[..],
        &sequence.to_be_bytes(),
        &[0; 4],
        &[0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
        payload,
    ]
    .concat()
}

fn ipv4(way: Way, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [from, to] = way.hosts();
    let whole = [&[0; 20], payload].concat();
    let addresses = [192, 0, 2, from, 192, 0, 2, to];
    [
        &[0x45, 0][..],
        &length(&whole),
        &[0, 0, 0, 0, 64, protocol, 0, 0],
        &addresses,
        payload,
    ]
    .concat()
}

fn ipv6(way: Way, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let address = |host: u8| [&[0x20, 0x01, 0x0d, 0xb8][..], &[0; 11], &[host]].concat();
    let [from, to] = way.hosts().map(address);
    [&[0x60, 0, 0, 0][..], &length(payload), &[protocol, 64], &from, &to, payload].concat()
}

/// UDP over IPv4, without a link header.
pub(crate) fn udp_v4(way: Way, payload: &[u8]) -> Vec<u8> {
    ipv4(way, 17, &datagram(way, payload))
}

/// UDP over IPv6, without a link header.
pub(crate) fn udp_v6(way: Way, payload: &[u8]) -> Vec<u8> {
    ipv6(way, 17, &datagram(way, payload))
}

/// TCP over IPv4, without a link header.
pub(crate) fn tcp_v4(way: Way, sequence: u32, flag: Flag, payload: &[u8]) -> Vec<u8> {
    ipv4(way, 6, &tcp(way, sequence, flag, payload))
}

/// A packet of IP behind the header that a link of this kind has.
pub(crate) fn linked(link: u32, ip: &[u8]) -> Vec<u8> {
    let is_v6 = ip[0] >> 4 == 6;
    let ether_type: [u8; 2] = if is_v6 { [0x86, 0xdd] } else { [0x08, 0x00] };
    match link {
        1 => [&[0xaa; 12][..], &ether_type, ip].concat(),
        // With a VLAN.
        1001 => [&[0xaa; 12][..], &[0x81, 0x00, 0x00, 0x07], &ether_type, ip].concat(),
        0 => [&[if is_v6 { 30 } else { 2 }, 0, 0, 0][..], ip].concat(),
        108 => [&[0, 0, 0, if is_v6 { 30 } else { 2 }][..], ip].concat(),
        113 => [&[0; 14][..], &ether_type, ip].concat(),
        276 => [&ether_type[..], &[0; 18], ip].concat(),
        12 | 14 | 101 | 228 | 229 => ip.to_vec(),
        other => panic!("link {other}"),
    }
}

/// How the numbers of a file are written.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    fn four(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    fn two(self, number: u16) -> [u8; 2] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

/// Each packet one second later than the one before, the first at 2026-11-21T17:00:00.25Z.
const BEGINNING: u32 = 1_795_280_400;

/// A pcap file.
pub(crate) fn pcap(order: Order, nanoseconds: bool, link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let (magic, fraction) = if nanoseconds {
        (0xa1b2_3c4d, 250_000_000)
    } else {
        (0xa1b2_c3d4, 250_000)
    };
    let mut file = [
        &order.four(magic)[..],
        &order.two(2),
        &order.two(4),
        &[0; 8],
        &order.four(262_144),
        &order.four(link),
    ]
    .concat();
    for (at, packet) in (0..).zip(packets) {
        let size = order.four(u32::try_from(packet.len()).unwrap());
        file.extend([order.four(BEGINNING + at), order.four(fraction), size, size].concat());
        file.extend_from_slice(packet);
    }
    file
}

/// A pcapng file with one interface.
pub(crate) fn pcapng(order: Order, link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, content: &[u8]| {
        let padded = [content, &vec![0; content.len().next_multiple_of(4) - content.len()]].concat();
        let size = order.four(u32::try_from(padded.len() + 12).unwrap());
        [&order.four(kind)[..], &size, &padded, &size].concat()
    };
    let section = [&order.four(0x1a2b_3c4d)[..], &order.two(1), &order.two(0), &[0xff; 8]].concat();
    let mut file = block(0x0a0d_0d0a, &section);
    file.extend(block(
        1,
        &[&order.two(u16::try_from(link).unwrap())[..], &[0; 2], &order.four(0)].concat(),
    ));
    // A block that nobody knows.
    file.extend(block(0x0bad_cafe, b"anything"));
    for (at, packet) in (0_u64..).zip(packets) {
        let ticks = (u64::from(BEGINNING) + at) * 1_000_000 + 250_000;
        let size = order.four(u32::try_from(packet.len()).unwrap());
        let [high, low] = [ticks >> 32, ticks & 0xffff_ffff].map(|half| order.four(u32::try_from(half).unwrap()));
        file.extend(block(6, &[&order.four(0)[..], &high, &low, &size, &size, packet].concat()));
    }
    file
}

/// The packets of a datagram over IPv4 and IPv6 in fragments of 504 bytes.
pub(crate) fn fragments(v6: bool, payload: &[u8]) -> Vec<Vec<u8>> {
    let datagram = datagram(Way::There, payload);
    let parts = datagram.chunks(504).count();
    let fragment = |(at, part): (usize, &[u8])| {
        let offset = u16::try_from(at * 63).unwrap();
        let more = u16::from(at + 1 < parts);
        if v6 {
            let field = ((offset << 3) | more).to_be_bytes();
            return ipv6(Way::There, 44, &[&[17, 0][..], &field, &[0, 0, 0, 9], part].concat());
        }
        let mut packet = ipv4(Way::There, 17, part);
        packet[5] = 9;
        packet[6..8].copy_from_slice(&(offset | (more << 13)).to_be_bytes());
        packet
    };
    datagram.chunks(504).enumerate().map(fragment).collect()
}
