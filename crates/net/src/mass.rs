//! Datagrams in batches, answered one by one: one system call receives up to [`BATCH`] of them, one sends what they are answered
//! (recvmmsg(2), sendmmsg(2)). For a server; not for our own flows, whose datagrams come with errors and timestamps.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd as _;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// The most datagrams that one system call takes.
const BATCH: usize = 64;

/// No UDP payload is longer (RFC 768).
const LARGEST_DATAGRAM: usize = 65_535;

/// The datagrams of one call, and their answers. All buffers are made once; pages that no datagram reaches are never touched.
#[derive(Debug)]
pub(crate) struct Batch {
    inward: MultiHeaders<SockaddrStorage>,
    outward: MultiHeaders<SockaddrStorage>,
    datagrams: Vec<Vec<u8>>,
    /// Who sent the first of `datagrams`, and how long they are.
    received: Vec<(SocketAddr, usize)>,
    answers: Vec<Vec<u8>>,
    /// Where the first of `answers` go.
    destinations: Vec<Option<SockaddrStorage>>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            inward: MultiHeaders::preallocate(BATCH, None),
            outward: MultiHeaders::preallocate(BATCH, None),
            datagrams: (0..BATCH).map(|_| vec![0; LARGEST_DATAGRAM]).collect(),
            received: Vec::with_capacity(BATCH),
            answers: (0..BATCH).map(|_| Vec::new()).collect(),
            destinations: Vec::with_capacity(BATCH),
        }
    }
}

impl Batch {
    /// Takes what has arrived, up to [`BATCH`] datagrams.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when there is nothing, and what the kernel says of a datagram that could not be delivered.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> io::Result<()> {
        self.received.clear();
        let Self {
            inward,
            datagrams,
            received,
            ..
        } = self;
        socket.try_io(Interest::READABLE, || {
            let mut slices: Vec<_> = datagrams.iter_mut().map(|datagram| [IoSliceMut::new(datagram)]).collect();
            let arrivals = recvmmsg(socket.as_raw_fd(), inward, slices.iter_mut(), MsgFlags::empty(), None)?;
            // A datagram without a source is left out, and those behind it keep their place.
            received.extend(arrivals.map(|arrival| (arrival.address.and_then(plain).unwrap_or(NOBODY), arrival.bytes)));
            Ok(())
        })
    }

    /// Lets `answer` read each datagram and write its reply; it says where the reply goes, if there is one.
    pub(crate) fn answer(&mut self, mut answer: impl FnMut(SocketAddr, &[u8], &mut Vec<u8>) -> Option<SocketAddr>) {
        self.destinations.clear();
        for (datagram, &(source, length)) in self.datagrams.iter().zip(&self.received) {
            let Some(reply) = self.answers.get_mut(self.destinations.len()) else {
                return;
            };
            let message = datagram.get(..length).unwrap_or_default();
            if source != NOBODY
                && let Some(destination) = answer(source, message, reply)
            {
                self.destinations.push(Some(destination.into()));
            }
        }
    }

    /// Sends the answers. One that the kernel refuses is left out; while it has no room, this waits.
    pub(crate) async fn send(&mut self, socket: &UdpSocket) {
        let mut sent = 0;
        while sent < self.destinations.len() {
            match socket.try_io(Interest::WRITABLE, || Ok(self.send_from(socket, sent)?)) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if socket.writable().await.is_err() {
                        return;
                    }
                }
                Err(_) => sent += 1,
            }
        }
    }

    fn send_from(&mut self, socket: &UdpSocket, first: usize) -> Result<usize, Errno> {
        let slices: Vec<_> = self.answers.iter().skip(first).map(|answer| [IoSlice::new(answer)]).collect();
        let destinations = self.destinations.get(first..).unwrap_or_default();
        let no_control: [ControlMessage<'_>; 0] = [];
        let sent = sendmmsg(
            socket.as_raw_fd(),
            &mut self.outward,
            &slices,
            destinations,
            no_control,
            MsgFlags::empty(),
        )?;
        Ok(sent.count())
    }
}

fn plain(address: SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4(SocketAddrV4::from(*v4)));
    v4.or_else(|| Some(SocketAddr::V6(SocketAddrV6::from(*address.as_sockaddr_in6()?))))
}

/// Stands for a sender without an address.
const NOBODY: SocketAddr = SocketAddr::V4(SocketAddrV4::new(std::net::Ipv4Addr::UNSPECIFIED, 0));
