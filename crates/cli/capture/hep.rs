//! Homer's Encapsulation Protocol, version 3 (HEP3 of sipcapture.org, generic chunks): one datagram for each message, sent and
//! forgotten. Not for receiving it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::time::UNIX_EPOCH;

use sip_message::printable;
use sip_net::Captured;
use sip_registration::Transport;

use super::frame;
use super::sink::cut;
use crate::output::text::counted;

/// The way to a collector.
#[derive(Debug)]
pub(super) struct Collector {
    place: String,
    socket: UdpSocket,
    /// The number of this capture agent.
    id: u32,
    messages: u64,
    failed: u64,
    cut: u64,
    /// Why the first that failed did.
    why: Option<io::Error>,
}

impl Collector {
    /// Resolves `HOST:PORT`; an IPv6 address stands in brackets.
    ///
    /// # Errors
    /// What is wrong with it, in words for who wrote it.
    pub(super) fn open(place: &str, id: u32) -> Result<Self, String> {
        let shown = printable(place.as_bytes());
        if !is_host_and_port(place) {
            return Err(format!(
                "--hep {shown}: this is not HOST:PORT; write homer.example.com:9060 or [2001:db8::1]:9060"
            ));
        }
        let unusable = |error: io::Error| format!("--hep {shown}: {error}");
        let address = place.to_socket_addrs().map_err(unusable)?.next();
        let address = address.ok_or_else(|| format!("--hep {shown}: this host has no address"))?;
        let any = match address {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any).map_err(unusable)?;
        socket.connect(address).map_err(unusable)?;
        socket.set_nonblocking(true).map_err(unusable)?;
        let place = if address.to_string() == place {
            shown
        } else {
            format!("{shown} ({address})")
        };
        Ok(Self {
            place,
            socket,
            id,
            messages: 0,
            failed: 0,
            cut: 0,
            why: None,
        })
    }

    /// Sends a message. What an ICMP message has told of one before it (udp(7)) fails this call, which then has sent nothing.
    pub(super) fn send(&mut self, captured: &Captured) {
        let (payload, cut) = cut(&captured.message.bytes, MOST_PAYLOAD);
        self.cut += u64::from(cut > 0);
        let packet = encoded(captured, payload, self.id);
        self.messages += 1;
        if let Err(error) = self.socket.send(&packet) {
            let is_of_one_before = error.kind() == io::ErrorKind::ConnectionRefused;
            self.fail(error);
            if is_of_one_before && let Err(error) = self.socket.send(&packet) {
                self.fail(error);
            }
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.failed += 1;
        self.why.get_or_insert(error);
    }

    /// What the user has to know.
    pub(super) fn trouble(mut self) -> Option<String> {
        if let Ok(Some(error)) = self.socket.take_error() {
            self.fail(error);
        }
        let (place, all) = (self.place, counted(usize::try_from(self.messages).unwrap_or(usize::MAX), "message"));
        match self.why {
            Some(why) => {
                let failed = self.failed.min(self.messages);
                Some(format!("--hep {place}: {failed} of {all} did not get there: {why}"))
            }
            None if self.cut > 0 => Some(format!("--hep {place}: {} of {all} were too long and were cut", self.cut)),
            None => None,
        }
    }
}

/// Whether a place is a name or an IPv4 address, or an IPv6 address in brackets, and a port.
fn is_host_and_port(place: &str) -> bool {
    let Some((host, port)) = place.rsplit_once(':') else {
        return false;
    };
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    let is_host = !host.is_empty() && !host.contains('/') && (is_bracketed || !host.contains(':'));
    is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// A packet: the header, then chunks of vendor (0 for the generic ones), type, length with these six bytes, value.
fn encoded(captured: &Captured, payload: &[u8], id: u32) -> Vec<u8> {
    let message = &captured.message;
    let since = captured.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (source, destination) = frame::ends(message);
    let mut packet = b"HEP3\0\0".to_vec();
    let is_v4 = source.is_ipv4() && destination.is_ipv4();
    chunk(&mut packet, 1, &[if is_v4 { AF_INET } else { AF_INET6 }]);
    let protocol = match message.transport {
        Transport::Udp => IPPROTO_UDP,
        Transport::Tcp | Transport::Tls => IPPROTO_TCP,
    };
    chunk(&mut packet, 2, &[protocol]);
    match (source, destination) {
        (SocketAddr::V4(source), SocketAddr::V4(destination)) => {
            chunk(&mut packet, 3, &source.ip().octets());
            chunk(&mut packet, 4, &destination.ip().octets());
        }
        (source, destination) => {
            chunk(&mut packet, 5, &frame::mapped(source).octets());
            chunk(&mut packet, 6, &frame::mapped(destination).octets());
        }
    }
    chunk(&mut packet, 7, &source.port().to_be_bytes());
    chunk(&mut packet, 8, &destination.port().to_be_bytes());
    let seconds = u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
    chunk(&mut packet, 9, &seconds.to_be_bytes());
    chunk(&mut packet, 10, &since.subsec_micros().to_be_bytes());
    chunk(&mut packet, 11, &[SIP]);
    chunk(&mut packet, 12, &id.to_be_bytes());
    chunk(&mut packet, 15, payload);
    let length = u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes();
    if let Some(place) = packet.get_mut(4..6) {
        place.copy_from_slice(&length);
    }
    packet
}

fn chunk(packet: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len() + CHUNK_HEADER).unwrap_or(u16::MAX);
    for field in [GENERIC, kind, length] {
        packet.extend_from_slice(&field.to_be_bytes());
    }
    packet.extend_from_slice(value);
}

/// The vendor of generic chunks.
const GENERIC: u16 = 0;
const CHUNK_HEADER: usize = 6;
/// Chunk 1: the families as Linux numbers them.
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// Chunk 2: IANA's protocol numbers. TLS is TCP.
const IPPROTO_TCP: u8 = 6;
const IPPROTO_UDP: u8 = 17;
/// Chunk 11: what the payload is.
const SIP: u8 = 1;
/// What fits into a datagram beside everything else (RFC 768).
const MOST_PAYLOAD: usize = 65_507 - 200;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sip_registration::{Direction, Tapped};

    use super::*;

    fn captured(local: &str, remote: &str, direction: Direction) -> Captured {
        Captured {
            at: UNIX_EPOCH + Duration::new(0x0102_0304, 5_000),
            message: Tapped {
                direction,
                transport: Transport::Udp,
                local: local.parse().unwrap(),
                remote: remote.parse().unwrap(),
                bytes: b"SIP".to_vec(),
                decision: String::new(),
            },
            missing: 0,
        }
    }

    #[test]
    fn a_packet_is_its_header_and_chunks_of_which_each_says_its_length() {
        let packet = encoded(&captured("192.0.2.1:5060", "192.0.2.2:5070", Direction::Sent), b"SIP", 7);
        #[rustfmt::skip]
        let wanted = [
            b"HEP3\x00\x66".as_slice(),
            &[0, 0, 0, 1, 0, 7, 2],
            &[0, 0, 0, 2, 0, 7, 17],
            &[0, 0, 0, 3, 0, 10, 192, 0, 2, 1],
            &[0, 0, 0, 4, 0, 10, 192, 0, 2, 2],
            &[0, 0, 0, 7, 0, 8, 0x13, 0xc4],
            &[0, 0, 0, 8, 0, 8, 0x13, 0xce],
            &[0, 0, 0, 9, 0, 10, 1, 2, 3, 4],
            &[0, 0, 0, 10, 0, 10, 0, 0, 0, 5],
            &[0, 0, 0, 11, 0, 7, 1],
            &[0, 0, 0, 12, 0, 10, 0, 0, 0, 7],
            &[0, 0, 0, 15, 0, 9, b'S', b'I', b'P'],
        ].concat();
        assert_eq!(packet, wanted);
    }

    #[test]
    fn what_was_received_comes_from_the_other_side() {
        let packet = encoded(&captured("[2001:db8::1]:5060", "[2001:db8::2]:5070", Direction::Received), b"", 1);
        let source = packet.windows(22).find(|window| window.starts_with(&[0, 0, 0, 5, 0, 22])).unwrap();
        assert_eq!(source.last(), Some(&2));
    }

    #[test]
    fn the_family_is_that_of_the_addresses_also_where_one_of_them_is_mapped() {
        let mixed = captured("192.0.2.1:5060", "[2001:db8::2]:5070", Direction::Sent);
        assert!(encoded(&mixed, b"", 1).get(6..).unwrap().starts_with(&[0, 0, 0, 1, 0, 7, AF_INET6]));
    }

    #[test]
    fn a_place_is_a_host_and_a_port() {
        for place in [
            "",
            "homer",
            ":9060",
            "127.0.0.1",
            "127.0.0.1:0",
            "127.0.0.1:x",
            "127.0.0.1:70000",
            "::1:9060",
            "udp:127.0.0.1:9060",
            "http://127.0.0.1:9060",
        ] {
            let refused = Collector::open(place, 1).unwrap_err();
            assert!(refused.contains("HOST:PORT"), "{refused}");
        }
        assert!(Collector::open("127.0.0.1:9060", 1).is_ok());
        assert!(Collector::open("[::1]:9060", 1).is_ok());
    }

    #[test]
    fn the_longest_message_fits_into_a_datagram() {
        let longest = vec![b'x'; MOST_PAYLOAD];
        let packet = encoded(&captured("[2001:db8::1]:5060", "[2001:db8::2]:5070", Direction::Sent), &longest, 1);
        assert!(packet.len() <= 65_507);
    }
}
