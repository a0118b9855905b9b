//! TCP connections from a local address of our choice. Not for what travels on them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use sip_registration::{Closed, Obstacle};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use crate::udp::{self, check_family};

/// Connects from `local` (port 0: any port), or from the address that the kernel chooses. How long it may take is for the caller to say.
/// The connection ends by itself when the peer's host has acknowledged nothing of what was sent for `patience` (RFC 5482 §3): without that
/// the kernel goes on for a quarter of an hour.
///
/// # Errors
/// Refused, unreachable, timed out by the kernel, or our own fault: see [`Closed`].
pub(crate) async fn connect(local: Option<SocketAddr>, remote: SocketAddr, patience: Duration) -> Result<TcpStream, Closed> {
    let socket = if remote.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
    .map_err(|error| closed(&error))?;
    if let Some(local) = local {
        check_family(local, remote)?;
        // The last connection from this port may still be in TIME_WAIT.
        socket.set_reuseaddr(true).map_err(|error| closed(&error))?;
        socket.bind(local).map_err(|error| closed(&error))?;
    }
    let stream = socket.connect(remote).await.map_err(|error| refused(&error, remote))?;
    // A request is one write and waits for nothing (RFC 896's delay would only cost time).
    stream.set_nodelay(true).map_err(|error| closed(&error))?;
    let stood = SockRef::from(&stream).set_tcp_user_timeout(Some(patience));
    stood.map_err(|error| closed(&error))?;
    Ok(stream)
}

/// Our own address on a connection.
///
/// # Errors
/// [`Closed::Local`], when the connection is gone already.
pub(crate) fn local_address(stream: &TcpStream) -> Result<SocketAddr, Closed> {
    stream.local_addr().map_err(|error| udp::closed(&error))
}

/// What it means that nobody took a connection. The kernel has one error for "no route here" and for a router's "no route there".
fn refused(error: &io::Error, remote: SocketAddr) -> Closed {
    match closed(error) {
        Closed::Unreachable(Obstacle::NoRoute) if udp::source_address(remote).is_ok() => Closed::Unreachable(Obstacle::NoWay(None)),
        closed => closed,
    }
}

/// What an error while connecting means.
fn closed(error: &io::Error) -> Closed {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Closed::Refused,
        // It was accepted first: a RST to the SYN itself would be a refusal (RFC 9293 §3.10.7.3).
        io::ErrorKind::ConnectionReset => Closed::Reset,
        io::ErrorKind::TimedOut => Closed::TimedOut,
        _ => udp::closed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn connects_from_the_address_that_was_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = connect(Some("127.0.0.2:0".parse().unwrap()), listener.local_addr().unwrap(), PATIENCE)
            .await
            .unwrap();
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, stream.local_addr().unwrap());
        assert_eq!(peer.ip().to_string(), "127.0.0.2");
        assert!(stream.nodelay().unwrap());
        assert_eq!(SockRef::from(&stream).tcp_user_timeout().unwrap(), Some(PATIENCE));
    }

    #[tokio::test]
    async fn a_closed_port_refuses_on_both_families() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let gone = TcpListener::bind(host).unwrap().local_addr().unwrap();
            assert_eq!(connect(None, gone, PATIENCE).await.unwrap_err(), Closed::Refused);
        }
    }

    #[tokio::test]
    async fn a_foreign_local_address_is_our_own_fault() {
        let remote = "127.0.0.1:5060".parse().unwrap();
        assert!(matches!(
            connect(Some("[::1]:0".parse().unwrap()), remote, PATIENCE).await,
            Err(Closed::Local(_))
        ));
        assert!(matches!(
            connect(Some("192.0.2.1:0".parse().unwrap()), remote, PATIENCE).await,
            Err(Closed::Local(_))
        ));
    }
}
