//! What UDP needs of the kernel: sockets bound where they are wanted, ICMP errors (ip(7) IP_RECVERR) and what errors mean. Not for
//! sending and receiving: see `hub`.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket};
use std::os::fd::RawFd;

use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use sip_registration::{Closed, Opened};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::UdpSocket;

use crate::descriptors::exhausted;
use crate::inbound::socket_address;

/// A datagram that came to nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Bounce {
    /// Where it was to go cannot be reached.
    Unreachable(Option<SocketAddr>),
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
    let unreachable = message
        .cmsgs()
        .is_ok_and(|mut controls| controls.any(|control| is_unreachable(&control)));
    // The address is that of the datagram that came to nothing: an answer may have gone to another port.
    let to = message.address.as_ref().and_then(socket_address);
    Ok(if unreachable { Bounce::Unreachable(to) } else { Bounce::Other })
}

/// The address that the kernel would send from: asked of a socket that is connected and never written to.
///
/// # Errors
/// When there is no route.
fn source_address(remote: SocketAddr) -> io::Result<IpAddr> {
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
        Some(code) if UNREACHABLE.contains(&code) => Closed::Unreachable,
        _ => Closed::Local(exhausted(error).unwrap_or_else(|| error.to_string())),
    }
}

/// True for an error that an ICMP message leaves on a socket.
pub(crate) fn is_icmp(error: &io::Error) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| UNREACHABLE.contains(&code) || code == libc::EACCES || code == libc::EPROTO)
}

/// True when a queued error came by ICMP and says that the remote cannot be reached (RFC 1122 §3.2.2.1, RFC 4443 §3.1).
fn is_unreachable(control: &ControlMessageOwned) -> bool {
    let (ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _)) = control else {
        return false;
    };
    let by_icmp = error.ee_origin == libc::SO_EE_ORIGIN_ICMP || error.ee_origin == libc::SO_EE_ORIGIN_ICMP6;
    let code = i32::try_from(error.ee_errno).unwrap_or_default();
    // EACCES: forbidden by a firewall (ICMPv6 code 1). EMSGSIZE is none of these: the kernel fragments the next time.
    by_icmp && (UNREACHABLE.contains(&code) || code == libc::EACCES)
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
