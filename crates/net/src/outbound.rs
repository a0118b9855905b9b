//! Datagrams on their way out, sent by the batch (sendmmsg(2)) from buffers that are used again and again. Not for whose they are.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::RawFd;

use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
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

    /// What waits, in the order of its sockets.
    pub(crate) fn waiting(&mut self) -> &[Parcel] {
        let waiting = self.parcels.get_mut(..self.posted).unwrap_or_default();
        if !waiting.is_sorted_by_key(|parcel| parcel.hub) {
            waiting.sort_by_key(|parcel| parcel.hub);
        }
        waiting
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
            to: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0),
            hub: 0,
            bytes: Vec::new(),
        }
    }
}

/// Sends the first ones, as many as the kernel takes, and returns how many that are; at least one.
///
/// # Errors
/// Why the first cannot be sent.
pub(crate) fn send(socket: RawFd, parcels: &[Parcel]) -> io::Result<usize> {
    let slices: Vec<_> = parcels.iter().map(|parcel| [IoSlice::new(&parcel.bytes)]).collect();
    let places: Vec<_> = parcels.iter().map(|parcel| Some(SockaddrStorage::from(parcel.to))).collect();
    let mut headers = MultiHeaders::preallocate(parcels.len(), None);
    let nothing: [ControlMessage<'_>; 0] = [];
    let sent = sendmmsg(socket, &mut headers, &slices, &places, nothing, MsgFlags::empty())?;
    Ok(sent.count())
}

/// The most datagrams of one call.
const MOST: usize = 64;
