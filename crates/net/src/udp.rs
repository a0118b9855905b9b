//! What UDP needs of the kernel: sockets bound where they are wanted, ICMP errors (ip(7) IP_RECVERR) and what errors mean. Not for
//! sending and receiving: see `hub`.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket};
use std::os::fd::RawFd;

use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use sip_registration::{Closed, Obstacle, Opened};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::UdpSocket;

use crate::descriptors::exhausted;
use crate::inbound::socket_address;

/// A datagram that came to nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Bounce {
    /// Where it was to go cannot be reached, and why.
    Unreachable(Option<SocketAddr>, Obstacle),
    /// Something that is no reason to give a flow up.
    Other,
}

/// Where to bind a socket that is to reach `remote`: at `local`, or at the address that the kernel would use.
///
/// # Errors
/// [`Closed::Unreachable`] when there is no route, [`Closed::Local`] when the families differ.
pub(crate) fn wish(local: Option<SocketAddr>, remote: SocketAddr) -> Result<SocketAddr, Closed> {
    let wish = match local {
        Some(local) => local,
        None => SocketAddr::new(source_address(remote).map_err(|error| closed(&error))?, 0),
    };
    check_family(wish, remote)?;
    Ok(wish)
}

/// A socket bound as wished. Where the port does not matter, `favourite_port` is taken if it is free.
///
/// # Errors
/// [`Closed::Local`].
pub(crate) fn bind_near(wish: SocketAddr, favourite_port: Option<u16>) -> Result<UdpSocket, Closed> {
    let favourite = favourite_port
        .filter(|_| wish.port() == 0)
        .and_then(|port| bind(SocketAddr::new(wish.ip(), port)).ok());
    match favourite {
        Some(socket) => Ok(socket),
        None => bind(wish).map_err(|error| closed(&error)),
    }
}

/// What a flow to `remote` from a socket with this address is told of itself: the unspecified address gives way to the kernel's choice.
///
/// # Errors
/// When the address is not known, or there is no route.
pub(crate) fn opened(local: io::Result<SocketAddr>, remote: SocketAddr) -> Result<Opened, Closed> {
    let mut local = local.map_err(|error| closed(&error))?;
    if local.ip().is_unspecified() {
        local.set_ip(source_address(remote).map_err(|error| closed(&error))?);
    }
    Ok(Opened {
        local,
        connected_at: None,
        tls: None,
    })
}

/// The next ICMP error of a socket's queue.
///
/// # Errors
/// `WouldBlock` when the queue is empty.
pub(crate) fn next_bounce(socket: RawFd) -> io::Result<Bounce> {
    // Of the datagram itself nothing is wanted.
    let mut slices = [IoSliceMut::new(&mut [])];
    let mut control = vec![0; CONTROL];
    let message = recvmsg::<SockaddrStorage>(socket, &mut slices, Some(&mut control), MsgFlags::MSG_ERRQUEUE)?;
    let obstacle = message
        .cmsgs()
        .ok()
        .and_then(|mut controls| controls.find_map(|control| obstacle(&control)));
    // The address is that of the datagram that came to nothing: an answer may have gone to another port.
    let to = message.address.as_ref().and_then(socket_address);
    Ok(obstacle.map_or(Bounce::Other, |obstacle| Bounce::Unreachable(to, obstacle)))
}

/// The address that the kernel would send from: asked of a socket that is connected and never written to.
///
/// # Errors
/// When there is no route.
pub(crate) fn source_address(remote: SocketAddr) -> io::Result<IpAddr> {
    let scratch = match remote {
        SocketAddr::V4(_) => StdSocket::bind((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => StdSocket::bind((Ipv6Addr::UNSPECIFIED, 0)),
    }?;
    scratch.connect(remote)?;
    Ok(scratch.local_addr()?.ip())
}

/// # Errors
/// [`Closed::Local`] when one is IPv4 and the other IPv6.
pub(crate) fn check_family(local: SocketAddr, remote: SocketAddr) -> Result<(), Closed> {
    if local.is_ipv4() == remote.is_ipv4() {
        return Ok(());
    }
    Err(Closed::Local(format!(
        "the local address {} is of another family than {}",
        local.ip(),
        remote.ip()
    )))
}

fn bind(local: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM.nonblocking().cloexec(), None)?;
    // More is granted only up to net.core.rmem_max; whatever we get will do.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    match local {
        SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?,
        SocketAddr::V6(_) => {
            socket.set_only_v6(true)?;
            setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?;
        }
    }
    // Without it the clock is read when the datagram is.
    let _ = setsockopt(&socket, sockopt::ReceiveTimestampns, &true);
    socket.bind(&local.into())?;
    UdpSocket::from_std(socket.into())
}

/// Lets the kernel hold the answers to many requests, as many as it grants.
pub(crate) fn make_room(socket: &UdpSocket) {
    // More is granted only up to net.core.rmem_max; whatever we get will do.
    let _ = SockRef::from(socket).set_recv_buffer_size(LARGE_RECEIVE_BUFFER);
}

/// What an error of the operating system means for a flow.
pub(crate) fn closed(error: &io::Error) -> Closed {
    match error.raw_os_error() {
        Some(libc::ENETUNREACH | libc::ENETDOWN) => Closed::Unreachable(Obstacle::NoRoute),
        Some(libc::ECONNREFUSED) => Closed::Unreachable(Obstacle::NobodyListens),
        Some(code) if UNREACHABLE.contains(&code) => Closed::Unreachable(Obstacle::NoWay(None)),
        _ => Closed::Local(exhausted(error).unwrap_or_else(|| error.to_string())),
    }
}

/// What an error means for a flow whose socket is bound to `local`: an address that this machine has lost since then is named, because
/// the system calls that an invalid argument.
pub(crate) fn closed_at(local: IpAddr, error: &io::Error) -> Closed {
    let is_gone = || StdSocket::bind((local, 0)).is_err_and(|error| error.kind() == io::ErrorKind::AddrNotAvailable);
    match error.raw_os_error() {
        Some(libc::EINVAL | libc::EADDRNOTAVAIL) if is_gone() => {
            Closed::Local(format!("this machine does not have the address {local} any more"))
        }
        _ => closed(error),
    }
}

/// True for an error that an ICMP message leaves on a socket.
pub(crate) fn is_icmp(error: &io::Error) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| UNREACHABLE.contains(&code) || code == libc::EACCES || code == libc::EPROTO)
}

/// What a queued error that came by ICMP says of the remote, if it says that it cannot be reached (RFC 792 Destination Unreachable,
/// RFC 1812 §5.2.7.1, RFC 4443 §3.1).
fn obstacle(control: &ControlMessageOwned) -> Option<Obstacle> {
    let (error, by) = match control {
        ControlMessageOwned::Ipv4RecvErr(error, by) if error.ee_origin == libc::SO_EE_ORIGIN_ICMP => {
            (error, by.map(|by| IpAddr::from(by.sin_addr.s_addr.to_ne_bytes())))
        }
        ControlMessageOwned::Ipv6RecvErr(error, by) if error.ee_origin == libc::SO_EE_ORIGIN_ICMP6 => {
            (error, by.map(|by| IpAddr::from(by.sin6_addr.s6_addr)))
        }
        _ => return None,
    };
    let (code, by) = (
        i32::try_from(error.ee_errno).unwrap_or_default(),
        by.filter(|by| !by.is_unspecified()),
    );
    match (error.ee_origin, error.ee_code) {
        // EMSGSIZE is none of these: the kernel fragments the next time.
        _ if !UNREACHABLE.contains(&code) && code != libc::EACCES => None,
        (libc::SO_EE_ORIGIN_ICMP, 3) | (libc::SO_EE_ORIGIN_ICMP6, 4) => Some(Obstacle::NobodyListens),
        (libc::SO_EE_ORIGIN_ICMP, 9 | 10 | 13) | (libc::SO_EE_ORIGIN_ICMP6, 1 | 5 | 6) => Some(Obstacle::Forbidden(by)),
        _ => Some(Obstacle::NoWay(by)),
    }
}

/// Room for an extended error and a timestamp.
const CONTROL: usize = 256;

/// Bytes of kernel buffer to ask for: some 400 replies that came while we were busy.
const RECEIVE_BUFFER: usize = 1 << 20;

/// The same for many registrations: some thousands of replies.
const LARGE_RECEIVE_BUFFER: usize = 8 << 20;

/// The errors that mean "no way there": no route, or ICMP said so.
const UNREACHABLE: [i32; 7] = [
    libc::ECONNREFUSED,
    libc::EHOSTUNREACH,
    libc::ENETUNREACH,
    libc::EHOSTDOWN,
    libc::ENETDOWN,
    libc::ENONET,
    libc::ENOPROTOOPT,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// An error of the queue, as ICMP leaves it there.
    fn queued(origin: u8, code: u8, error: i32) -> libc::sock_extended_err {
        libc::sock_extended_err {
            ee_errno: error.try_into().unwrap(),
            ee_origin: origin,
            ee_type: 3,
            ee_code: code,
            ee_pad: 0,
            ee_info: 0,
            ee_data: 0,
        }
    }

    fn by_router(code: u8, error: i32) -> Option<Obstacle> {
        let router = libc::sockaddr_in {
            sin_family: 2,
            sin_port: 0,
            sin_addr: libc::in_addr {
                s_addr: u32::from_ne_bytes([192, 0, 2, 1]),
            },
            sin_zero: [0; 8],
        };
        let error = queued(libc::SO_EE_ORIGIN_ICMP, code, error);
        obstacle(&ControlMessageOwned::Ipv4RecvErr(error, Some(router)))
    }

    #[test]
    fn who_says_that_there_is_no_way_is_told_apart() {
        let router = Some(IpAddr::from([192, 0, 2, 1]));
        for (code, error, expected) in [
            (3, libc::ECONNREFUSED, Some(Obstacle::NobodyListens)),
            (0, libc::ENETUNREACH, Some(Obstacle::NoWay(router))),
            (1, libc::EHOSTUNREACH, Some(Obstacle::NoWay(router))),
            (13, libc::EHOSTUNREACH, Some(Obstacle::Forbidden(router))),
            (4, libc::EMSGSIZE, None),
        ] {
            assert_eq!(by_router(code, error), expected, "{code}");
        }
        let forbidden = queued(libc::SO_EE_ORIGIN_ICMP6, 1, libc::EACCES);
        let forbidden = obstacle(&ControlMessageOwned::Ipv6RecvErr(forbidden, None));
        assert_eq!(forbidden, Some(Obstacle::Forbidden(None)));
        let own = queued(libc::SO_EE_ORIGIN_LOCAL, 3, libc::ECONNREFUSED);
        assert_eq!(
            obstacle(&ControlMessageOwned::Ipv4RecvErr(own, None)),
            None,
            "no network has said so"
        );
    }

    #[test]
    fn an_address_that_this_machine_does_not_have_any_more_is_named() {
        let invalid = io::Error::from_raw_os_error(libc::EINVAL);
        let lost = closed_at([192, 0, 2, 10].into(), &invalid);
        assert!(matches!(&lost, Closed::Local(words) if words.contains("192.0.2.10")), "{lost:?}");
        let ours = closed_at([127, 0, 0, 1].into(), &invalid);
        assert!(matches!(&ours, Closed::Local(words) if words.contains("nvalid")), "{ours:?}");
        let down = io::Error::from_raw_os_error(libc::ENETUNREACH);
        assert_eq!(closed_at([192, 0, 2, 10].into(), &down), Closed::Unreachable(Obstacle::NoRoute));
    }
}
