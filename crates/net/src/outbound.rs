//! Datagrams on their way out, sent by the batch (sendmmsg(2)) from buffers that are used again and again. Those of one length to one place
//! go through the kernel as one, which cuts them up at the other end of its stack (udp(7) UDP_SEGMENT). Not for whose they are.

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, RawFd};

use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg, sendmsg, setsockopt, sockopt};
use sip_registration::FlowId;

/// Datagrams that wait for their batch.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    /// The first of them are on their way, the others are empty buffers.
    parcels: Vec<Parcel>,
    posted: usize,
}

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) flow: FlowId,
    pub(crate) to: SocketAddr,
    /// The socket that it goes by.
    pub(crate) hub: u32,
    bytes: Vec<u8>,
}

impl Outbound {
    /// A buffer for the next datagram, which [`Self::post`] then sends.
    pub(crate) fn blank(&mut self) -> &mut Vec<u8> {
        if self.parcels.len() <= self.posted {
            self.parcels.resize(self.posted + 1, Parcel::blank());
        }
        &mut self.parcels[self.posted].bytes
    }

    /// Puts what was written to [`Self::blank`] behind the others. False when the batch is full.
    pub(crate) fn post(&mut self, flow: FlowId, hub: u32, to: SocketAddr) -> bool {
        if let Some(parcel) = self.parcels.get_mut(self.posted) {
            (parcel.flow, parcel.hub, parcel.to) = (flow, hub, to);
            self.posted += 1;
        }
        self.posted < MOST
    }

    /// Puts together what goes by one socket, and there what goes to one place at one length; otherwise in the order in which it came.
    pub(crate) fn sort(&mut self) {
        self.parcels
            .get_mut(..self.posted)
            .unwrap_or_default()
            .sort_by_key(|parcel| (parcel.hub, parcel.kind()));
    }

    /// What waits.
    pub(crate) fn waiting(&self) -> &[Parcel] {
        self.parcels.get(..self.posted).unwrap_or_default()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.posted == 0
    }

    /// Takes the first ones off: they are sent, or given up. Their buffers are used again.
    pub(crate) fn done(&mut self, count: usize) {
        let count = count.min(self.posted);
        if let Some(waiting) = self.parcels.get_mut(..self.posted) {
            waiting.rotate_left(count);
        }
        self.posted -= count;
    }
}

impl Parcel {
    const fn blank() -> Self {
        Self {
            flow: FlowId(0),
            to: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            hub: 0,
            bytes: Vec::new(),
        }
    }

    /// What those have in common that can go as one.
    const fn kind(&self) -> (SocketAddr, usize) {
        (self.to, self.bytes.len())
    }
}

/// Whether the kernel knows how to cut up what goes as one (Linux 4.18). One that does not would send it uncut, as a single datagram,
/// because it passes over control messages of a level that it does not know.
pub(crate) fn can_segment(socket: &impl AsFd) -> bool {
    setsockopt(socket, sockopt::UdpGsoSegment, &0).is_ok()
}

/// Sends the first ones, as many as the kernel takes, and returns how many that are; at least one. With `segmenting`, those of one kind
/// may go as one.
///
/// # Errors
/// Why the first cannot be sent, or, with `segmenting`, why the first ones cannot go as one.
pub(crate) fn send(socket: RawFd, parcels: &[Parcel], segmenting: bool) -> io::Result<usize> {
    if !segmenting {
        return send_each(socket, parcels);
    }
    let mut alone = 0;
    for run in parcels.chunk_by(|one, next| one.kind() == next.kind()) {
        let most = MOST_BYTES_AS_ONE / run.first().map_or(1, |first| first.bytes.len().max(1));
        if alone == 0 && run.len() >= WORTH_IT && most >= WORTH_IT {
            return send_as_one(socket, run.get(..most).unwrap_or(run));
        }
        if run.len() >= WORTH_IT && most >= WORTH_IT {
            break;
        }
        alone += run.len();
    }
    send_each(socket, parcels.get(..alone).unwrap_or_default())
}

fn send_each(socket: RawFd, parcels: &[Parcel]) -> io::Result<usize> {
    let slices: Vec<_> = parcels.iter().map(|parcel| [IoSlice::new(&parcel.bytes)]).collect();
    let places: Vec<_> = parcels.iter().map(|parcel| Some(SockaddrStorage::from(parcel.to))).collect();
    let mut headers = MultiHeaders::preallocate(parcels.len(), None);
    let nothing: [ControlMessage<'_>; 0] = [];
    let sent = sendmmsg(socket, &mut headers, &slices, &places, nothing, MsgFlags::empty())?;
    Ok(sent.count())
}

fn send_as_one(socket: RawFd, run: &[Parcel]) -> io::Result<usize> {
    let Some(first) = run.first() else { return Ok(0) };
    let length = u16::try_from(first.bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let slices: Vec<_> = run.iter().map(|parcel| IoSlice::new(&parcel.bytes)).collect();
    let to = SockaddrStorage::from(first.to);
    sendmsg(
        socket,
        &slices,
        &[ControlMessage::UdpGsoSegments(&length)],
        MsgFlags::empty(),
        Some(&to),
    )?;
    Ok(run.len())
}

/// The most datagrams of one call.
const MOST: usize = 64;

/// What goes as one is a datagram on its way through the kernel, and no longer than one may be (RFC 768), with room for its headers.
const MOST_BYTES_AS_ONE: usize = 65_000;

/// From how many datagrams of one kind on it pays to send them as one.
const WORTH_IT: usize = 2;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn only_a_socket_that_knows_how_is_asked_to_cut_up_datagrams() {
        assert!(can_segment(&UdpSocket::bind("127.0.0.1:0").unwrap()));
        // As a kernel that does not know the option answers.
        assert!(!can_segment(&std::net::TcpListener::bind("127.0.0.1:0").unwrap()));
    }

    #[test]
    fn datagrams_of_many_lengths_to_two_places_arrive_whole_and_those_of_one_kind_in_order() {
        let bound = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let (ours, peers) = (bound(), [bound(), bound()]);
        let mut wanted = BTreeMap::<_, Vec<Vec<u8>>>::new();
        let mut outbound = Outbound::default();
        let mut calls = 0;
        for number in 0..MOST {
            let longest = if number == 3 { 40_000 } else { 900 };
            let (peer, length) = (&peers[number % 2], [1, 700, 700, longest][number % 4]);
            let message = vec![u8::try_from(number).unwrap(); length];
            outbound.blank().clone_from(&message);
            let to = peer.local_addr().unwrap();
            wanted.entry((to, length)).or_default().push(message);
            assert_eq!(outbound.post(FlowId(0), 0, to), number + 1 < MOST);
        }
        outbound.sort();
        let mut came = BTreeMap::<_, Vec<Vec<u8>>>::new();
        while !outbound.waiting().is_empty() {
            calls += 1;
            let sent = send(ours.as_raw_fd(), outbound.waiting(), true).unwrap();
            outbound.done(sent);
            let mut buffer = vec![0; 65_536];
            for peer in &peers {
                peer.set_nonblocking(true).unwrap();
                while let Ok(length) = peer.recv(&mut buffer) {
                    let to = peer.local_addr().unwrap();
                    came.entry((to, length)).or_default().push(buffer[..length].to_vec());
                }
            }
        }
        assert!(came == wanted);
        assert_eq!(calls, 5, "one for each kind");
    }
}
