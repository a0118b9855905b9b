//! Free loopback ports. The port is free when it is chosen and may be taken a moment later, so whoever starts a program on
//! it tries again with another (`process::start_until_ready`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

/// The IPv4 loopback address.
pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A port that is free for UDP and for TCP on `address`.
pub(crate) fn free(address: IpAddr) -> u16 {
    (0..ATTEMPTS)
        .find_map(|_| free_for_both(address))
        .expect("one of many free TCP ports is free for UDP too")
}

/// An address on which nobody listens, neither by UDP nor by TCP.
pub(crate) fn closed() -> SocketAddr {
    SocketAddr::new(LOOPBACK, free(LOOPBACK))
}

/// A UDP socket that takes requests and never answers one. Silence lasts as long as the socket is held.
pub(crate) fn black_hole() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((LOOPBACK, 0)).expect("the loopback interface has a free port");
    let address = socket.local_addr().expect("a bound socket has an address");
    (socket, address)
}

/// Waits until nobody is left at a port. The kernel takes a moment to close what a killed process held.
pub(crate) fn await_free(address: SocketAddr) {
    let deadline = Instant::now() + FREE_WITHIN;
    while TcpListener::bind(address).is_err() || UdpSocket::bind(address).is_err() {
        assert!(Instant::now() < deadline, "{address} is still taken after {FREE_WITHIN:?}");
        // The kernel tells nobody when a port is free.
        thread::sleep(POLL_EVERY);
    }
}

fn free_for_both(address: IpAddr) -> Option<u16> {
    let tcp = TcpListener::bind((address, 0)).ok()?;
    let port = tcp.local_addr().ok()?.port();
    UdpSocket::bind((address, port)).ok().map(|_| port)
}

const ATTEMPTS: u32 = 100;
const FREE_WITHIN: Duration = Duration::from_secs(10);
const POLL_EVERY: Duration = Duration::from_millis(2);
