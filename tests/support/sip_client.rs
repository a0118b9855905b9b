//! A hand-written SIP client over UDP, just enough to find out how a peer behaves: fixed requests out, replies in as text.
//! It shares no code with the crates under test. Not a user agent: it never retransmits and never answers a challenge.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use super::port::LOOPBACK;

/// A UDP socket that talks to one peer.
#[derive(Debug)]
pub(crate) struct SipClient {
    socket: UdpSocket,
    local: SocketAddr,
}

impl SipClient {
    /// A client on a free port of the peer's loopback address.
    pub(crate) fn new(peer: SocketAddr) -> Self {
        let host = if peer.is_ipv4() { LOOPBACK } else { peer.ip() };
        let socket = UdpSocket::bind((host, 0)).expect("the loopback interface has a free port");
        socket.connect(peer).expect("a loopback address can be connected to");
        let local = socket.local_addr().expect("a bound socket has an address");
        Self { socket, local }
    }

    /// A request as bytes on the wire, for `alice`; equal arguments give equal bytes, so it is its own retransmission.
    pub(crate) fn request(&self, method: &str, call_id: &str, sequence: u32) -> String {
        let local = self.local;
        let host = match local.ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        format!(
            "{method} sip:example.test SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};branch=z9hG4bK-{method}-{call_id}-{sequence};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:alice@example.test>;tag=client\r\n\
             To: <sip:alice@example.test>\r\n\
             Call-ID: {call_id}@{host}\r\n\
             CSeq: {sequence} {method}\r\n\
             Contact: <sip:alice@{local}>\r\n\
             Expires: 300\r\n\
             Content-Length: 0\r\n\r\n"
        )
    }

    /// Sends one datagram. What the peer's host answers by ICMP shows at the next call, and is none of our business here.
    pub(crate) fn send(&self, request: &str) {
        let _ = self.socket.send(request.as_bytes());
    }

    /// The next datagram, if one comes within `patience`.
    pub(crate) fn receive(&self, patience: Duration) -> Option<String> {
        let mut buffer = [0; 65_535];
        self.socket.set_read_timeout(Some(patience)).expect("the patience is not zero");
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// The next datagram; it must come.
    pub(crate) fn expect_reply(&self) -> String {
        self.receive(PATIENCE)
            .unwrap_or_else(|| panic!("no reply came within {PATIENCE:?}"))
    }
}

/// The status code of a reply, and the CSeq's number and method that it answers: `(401, "1 REGISTER")`.
pub(crate) fn status(reply: &str) -> (u16, &str) {
    let code = reply.split(' ').nth(1).and_then(|code| code.parse().ok());
    let code = code.unwrap_or_else(|| panic!("not a SIP response: {reply}"));
    (code, header(reply, "CSeq").unwrap_or_default())
}

/// The value of a header by its full name, as the peers write it.
pub(crate) fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

const PATIENCE: Duration = Duration::from_secs(10);
