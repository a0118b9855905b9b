//! UDP flows: one unconnected socket for each remote, so that replies from elsewhere are seen, with ICMP errors (ip(7) IP_RECVERR) and
//! the kernel's receive timestamps (socket(7) SO_TIMESTAMPNS). Not for deciding whose a datagram is: the core does.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use sip_registration::{Closed, FlowId, Opened};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::flow::{Fact, What};

/// An open UDP flow.
#[derive(Debug)]
pub(crate) struct UdpFlow {
    socket: UdpSocket,
    remote: SocketAddr,
}

/// Where datagrams are read to before they are copied out at their true size; one for all flows of a driver.
#[derive(Debug)]
pub(crate) struct Scratch(Mutex<Buffers>);

#[derive(Debug)]
struct Buffers {
    datagram: Vec<u8>,
    control: Vec<u8>,
}

/// What was next on a socket.
enum Arrival {
    Datagram(SocketAddr, Vec<u8>, Instant),
    Unreachable,
}

impl UdpFlow {
    /// Opens a flow from `local` (port 0: any port), or from the address that the kernel would use towards `remote`. Where the port
    /// does not matter, `favourite_port` is taken if it is free.
    ///
    /// # Errors
    /// [`Closed::Unreachable`] when there is no route, [`Closed::Local`] when the address cannot be bound.
    pub(crate) fn open(local: Option<SocketAddr>, favourite_port: Option<u16>, remote: SocketAddr) -> Result<(Self, Opened), Closed> {
        let source = match local {
            Some(local) => local,
            None => SocketAddr::new(source_address(remote).map_err(|error| closed(&error))?, 0),
        };
        check_family(source, remote)?;
        let favourite = favourite_port
            .filter(|_| source.port() == 0)
            .and_then(|port| bind(SocketAddr::new(source.ip(), port)).ok());
        let socket = match favourite {
            Some(socket) => socket,
            None => bind(source).map_err(|error| closed(&error))?,
        };
        let mut local = socket.local_addr().map_err(|error| closed(&error))?;
        if local.ip().is_unspecified() {
            local.set_ip(source_address(remote).map_err(|error| closed(&error))?);
        }
        Ok((
            Self { socket, remote },
            Opened {
                local,
                connected_at: None,
                tls: None,
            },
        ))
    }

    /// Sends one datagram now or never: what the kernel has no room for is lost, as on any wire, and Timer E sends it again. So is an
    /// answer that cannot go to where its request wants it: that is no fault of the flow, or anybody could end it so.
    ///
    /// # Errors
    /// Why the flow is of no use any more.
    pub(crate) fn send(&self, datagram: &[u8], to: SocketAddr) -> Result<(), Closed> {
        // Not through tokio, which refuses to write before its first poll of a new socket.
        let send = || SockRef::from(&self.socket).send_to(datagram, &to.into()).map(drop);
        // udp(7): an ICMP error that is pending fails the next call, which then has sent nothing. The error itself stays in the queue.
        send()
            .or_else(|error| if is_icmp(&error) { send() } else { Err(error) })
            .or_else(|error| match error.kind() {
                io::ErrorKind::WouldBlock => Ok(()),
                _ if error.raw_os_error() == Some(libc::ENOBUFS) || !is_same(to, self.remote) => Ok(()),
                _ => Err(closed(&error)),
            })
    }

    /// Tells `inbox` everything that arrives, until the flow fails or nobody listens.
    pub(crate) async fn read(self: Arc<Self>, flow: FlowId, scratch: Arc<Scratch>, inbox: mpsc::Sender<Fact>) {
        loop {
            let arrival = match self.socket.ready(READY).await {
                Ok(ready) => {
                    // Each kind of readiness is cleared by itself.
                    let interest = if ready.is_error() { Interest::ERROR } else { Interest::READABLE };
                    let next = || scratch.next(self.socket.as_raw_fd(), self.remote, ready.is_error());
                    self.socket.try_io(interest, next)
                }
                Err(error) => Err(error),
            };
            let (fact, last) = match arrival {
                Ok(Arrival::Datagram(source, bytes, at)) => (
                    Fact {
                        at,
                        what: What::Received(flow, source, bytes),
                    },
                    false,
                ),
                Ok(Arrival::Unreachable) => (Fact::now(What::Closed(flow, Closed::Unreachable)), true),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => (Fact::now(What::Closed(flow, closed(&error))), true),
            };
            if inbox.send(fact).await.is_err() || last {
                return;
            }
        }
    }
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Buffers {
            datagram: vec![0; LARGEST_DATAGRAM],
            control: vec![0; CONTROL],
        }))
    }

    /// The next datagram of a socket, or the ICMP error that stands in its place; `WouldBlock` when there is neither.
    fn next(&self, socket: RawFd, remote: SocketAddr, mut failed: bool) -> io::Result<Arrival> {
        let buffers = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..ERRORS_AT_ONCE {
            if failed && buffers.next_error(socket, remote)? {
                return Ok(Arrival::Unreachable);
            }
            match buffers.next_datagram(socket) {
                // ip(7): an ICMP error fails the next call; what it is stands in the error queue.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => failed = true,
                other => return other,
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Buffers {
    /// Empties the error queue: true when something in it says that the remote cannot be reached.
    fn next_error(&mut self, socket: RawFd, remote: SocketAddr) -> io::Result<bool> {
        for _ in 0..ERRORS_AT_ONCE {
            let mut slices = [IoSliceMut::new(&mut self.datagram)];
            match recvmsg::<SockaddrStorage>(socket, &mut slices, Some(&mut self.control), MsgFlags::MSG_ERRQUEUE) {
                Ok(message) => {
                    // The address is that of the datagram that came to nothing: an answer may have gone to another port.
                    let to_remote = message
                        .address
                        .as_ref()
                        .and_then(socket_address)
                        .is_none_or(|to| is_same(to, remote));
                    let unreachable = message
                        .cmsgs()
                        .is_ok_and(|mut controls| controls.any(|control| is_unreachable(&control)));
                    if to_remote && unreachable {
                        return Ok(true);
                    }
                }
                Err(nix::Error::EAGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    fn next_datagram(&mut self, socket: RawFd) -> io::Result<Arrival> {
        let mut slices = [IoSliceMut::new(&mut self.datagram)];
        let message = recvmsg::<SockaddrStorage>(socket, &mut slices, Some(&mut self.control), MsgFlags::empty())?;
        let stamp = message
            .cmsgs()
            .ok()
            .and_then(|mut controls| controls.find_map(|control| timestamp(&control)));
        let length = message.bytes;
        let source = message
            .address
            .as_ref()
            .and_then(socket_address)
            .ok_or(io::ErrorKind::InvalidData)?;
        let bytes = self.datagram.get(..length).unwrap_or_default().to_vec();
        Ok(Arrival::Datagram(
            source,
            bytes,
            stamp.and_then(instant_of).unwrap_or_else(Instant::now),
        ))
    }
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

/// What an error of the operating system means for a flow.
pub(crate) fn closed(error: &io::Error) -> Closed {
    match error.raw_os_error() {
        Some(code) if UNREACHABLE.contains(&code) => Closed::Unreachable,
        _ => Closed::Local(error.to_string()),
    }
}

/// True for an error that an ICMP message leaves on a socket.
fn is_icmp(error: &io::Error) -> bool {
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

fn timestamp(control: &ControlMessageOwned) -> Option<TimeSpec> {
    match control {
        ControlMessageOwned::ScmTimestampns(stamp) => Some(*stamp),
        _ => None,
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|address| SocketAddr::from(*address));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddr::from(*address)))
}

/// The scope and flow label of an IPv6 address are the system's own business.
fn is_same(one: SocketAddr, other: SocketAddr) -> bool {
    (one.ip(), one.port()) == (other.ip(), other.port())
}

/// A moment of the realtime clock as a moment of ours; `None` when the realtime clock was set meanwhile.
fn instant_of(stamp: TimeSpec) -> Option<Instant> {
    let stamp = UNIX_EPOCH + Duration::new(u64::try_from(stamp.tv_sec()).ok()?, u32::try_from(stamp.tv_nsec()).ok()?);
    let now = Instant::now();
    let age = SystemTime::now().duration_since(stamp).ok()?;
    if age > OLDEST_STAMP { None } else { now.checked_sub(age) }
}

/// ICMP errors count as readiness: epoll(7) EPOLLERR.
const READY: Interest = Interest::READABLE.add(Interest::ERROR);

/// No UDP payload is longer (RFC 768).
const LARGEST_DATAGRAM: usize = 65_535;

/// Room for a timestamp and an extended error.
const CONTROL: usize = 256;

/// Bytes of kernel buffer to ask for: some 400 replies that came while we were busy.
const RECEIVE_BUFFER: usize = 1 << 20;

/// How many ICMP errors are read before the datagrams have their turn.
const ERRORS_AT_ONCE: usize = 16;

/// A datagram that waited longer than this is not believed: the clock was set.
const OLDEST_STAMP: Duration = Duration::from_secs(60);

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
    use std::time::Duration;
    use tokio::time::timeout;

    /// A flow to `remote` with its facts.
    fn reading(remote: SocketAddr) -> (Arc<UdpFlow>, Opened, mpsc::Receiver<Fact>) {
        let (flow, opened) = UdpFlow::open(None, None, remote).unwrap();
        let flow = Arc::new(flow);
        let (inbox, facts) = mpsc::channel(8);
        tokio::spawn(Arc::clone(&flow).read(FlowId(1), Arc::new(Scratch::new()), inbox));
        (flow, opened, facts)
    }

    async fn next(facts: &mut mpsc::Receiver<Fact>) -> Fact {
        timeout(Duration::from_secs(5), facts.recv())
            .await
            .expect("a fact in time")
            .expect("the reader lives")
    }

    #[tokio::test]
    async fn a_closed_port_is_unreachable_on_both_families() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let gone = StdSocket::bind(host).unwrap().local_addr().unwrap();
            let (flow, opened, mut facts) = reading(gone);
            assert_eq!(opened.local.ip(), gone.ip());
            flow.send(b"hello", gone).unwrap();
            assert!(matches!(next(&mut facts).await.what, What::Closed(FlowId(1), Closed::Unreachable)));
        }
    }

    #[tokio::test]
    async fn an_answer_that_goes_nowhere_closes_no_flow() {
        let peer = StdSocket::bind("127.0.0.1:0").unwrap();
        let gone = StdSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (flow, opened, mut facts) = reading(peer.local_addr().unwrap());
        for _ in 0..3 {
            flow.send(b"answer", gone).unwrap();
        }
        // The kernel refuses port 0, and what fits into no datagram.
        let (refused, too_long) = (SocketAddr::from(([127, 0, 0, 1], 0)), vec![0; 66_000]);
        assert!(SockRef::from(&flow.socket).send_to(b"answer", &refused.into()).is_err());
        flow.send(b"answer", refused).unwrap();
        flow.send(&too_long, gone).unwrap();
        assert!(flow.send(&too_long, peer.local_addr().unwrap()).is_err());
        peer.send_to(b"question", opened.local).unwrap();
        let What::Received(_, _, bytes) = next(&mut facts).await.what else {
            panic!("the flow was closed")
        };
        assert_eq!(bytes, b"question");
    }

    #[tokio::test]
    async fn every_datagram_comes_with_its_source_and_a_moment_of_the_kernel() {
        let peer = StdSocket::bind("127.0.0.1:0").unwrap();
        let other = StdSocket::bind("127.0.0.1:0").unwrap();
        let (flow, opened, mut facts) = reading(peer.local_addr().unwrap());
        let before = Instant::now();
        flow.send(b"question", peer.local_addr().unwrap()).unwrap();
        let mut bytes = [0; 16];
        let (length, from) = peer.recv_from(&mut bytes).unwrap();
        assert_eq!((&bytes[..length], from), (&b"question"[..], opened.local));
        peer.send_to(b"answer", from).unwrap();
        other.send_to(b"intruder", from).unwrap();
        let after = Instant::now();
        for (sender, text) in [(&peer, &b"answer"[..]), (&other, b"intruder")] {
            let fact = next(&mut facts).await;
            // The offset between two clocks is only known to a few microseconds.
            let slack = Duration::from_millis(1);
            assert!(
                before <= fact.at + slack && fact.at <= after + slack,
                "stamped by the kernel, not when it was read"
            );
            let What::Received(FlowId(1), source, bytes) = fact.what else {
                panic!("{fact:?}")
            };
            assert_eq!((source, &bytes[..]), (sender.local_addr().unwrap(), text));
        }
    }

    #[tokio::test]
    async fn a_datagram_of_the_largest_size_arrives_whole_and_an_empty_one_too() {
        let peer = StdSocket::bind("127.0.0.1:0").unwrap();
        let (_flow, opened, mut facts) = reading(peer.local_addr().unwrap());
        for length in [65_507, 0] {
            peer.send_to(&vec![b'x'; length], opened.local).unwrap();
            let What::Received(_, _, bytes) = next(&mut facts).await.what else {
                panic!("not a datagram")
            };
            assert_eq!(bytes.len(), length);
        }
    }

    #[tokio::test]
    async fn sending_goes_on_after_an_icmp_error_that_nobody_read() {
        let gone = StdSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (flow, _) = UdpFlow::open(None, None, gone).unwrap();
        for _ in 0..3 {
            flow.send(b"hello", gone).unwrap();
        }
    }

    #[tokio::test]
    async fn a_foreign_local_address_is_our_own_fault() {
        let remote = "127.0.0.1:5060".parse().unwrap();
        let wrong_family = UdpFlow::open(Some("[::1]:0".parse().unwrap()), None, remote);
        assert!(matches!(wrong_family, Err(Closed::Local(words)) if words.contains("family")));
        let not_ours = UdpFlow::open(Some("192.0.2.1:0".parse().unwrap()), None, remote);
        assert!(matches!(not_ours, Err(Closed::Local(_))));
        let taken = StdSocket::bind("127.0.0.1:0").unwrap();
        assert!(matches!(
            UdpFlow::open(Some(taken.local_addr().unwrap()), None, remote),
            Err(Closed::Local(_))
        ));
    }

    #[tokio::test]
    async fn an_unspecified_local_address_is_replaced_by_the_one_that_the_kernel_uses() {
        let (_, opened) = UdpFlow::open(Some("0.0.0.0:0".parse().unwrap()), None, "127.0.0.1:5060".parse().unwrap()).unwrap();
        assert_eq!(opened.local.ip(), IpAddr::from([127, 0, 0, 1]));
        assert_ne!(opened.local.port(), 0);
    }

    #[test]
    fn a_stamp_from_the_future_or_the_distant_past_is_not_believed() {
        let seconds = |offset: i64| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            TimeSpec::new(i64::try_from(now).unwrap() + offset, 0)
        };
        assert!(instant_of(seconds(-2)).is_some());
        assert!(instant_of(seconds(5)).is_none());
        assert!(instant_of(seconds(-3600)).is_none());
        assert!(instant_of(TimeSpec::new(-1, 0)).is_none());
    }

    #[tokio::test]
    async fn the_favourite_port_is_taken_when_it_is_free_and_another_when_it_is_not() {
        let remote = "127.0.0.1:5060".parse().unwrap();
        let (first, opened) = UdpFlow::open(None, None, remote).unwrap();
        let port = opened.local.port();
        let (_second, busy) = UdpFlow::open(None, Some(port), remote).unwrap();
        assert_ne!(busy.local.port(), port);
        drop(first);
        let (_third, free) = UdpFlow::open(None, Some(port), remote).unwrap();
        assert_eq!(free.local.port(), port);
    }
}
