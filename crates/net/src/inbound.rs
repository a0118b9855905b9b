//! Datagrams received by the batch (recvmmsg(2)) into buffers that are used again and again, each with its source and the kernel's
//! moment of it (socket(7) SO_TIMESTAMPNS). Not for deciding whose a datagram is.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage, recvmmsg};
use nix::sys::time::TimeSpec;

/// Room for the datagrams of one call: for two at first, and for more as soon as more come at once.
#[derive(Debug)]
pub(crate) struct Inbound {
    bytes: Vec<u8>,
    /// How many datagrams the next call asks for.
    wanted: usize,
}

impl Inbound {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            wanted: FEWEST,
        }
    }

    /// Hands each datagram that has arrived to `hear`, with its source and its moment. True when all that was asked for came, so that
    /// there may be more.
    ///
    /// # Errors
    /// `WouldBlock` when there is none, and what an ICMP message has left on the socket.
    pub(crate) fn receive(&mut self, socket: RawFd, mut hear: impl FnMut(SocketAddr, Instant, &[u8])) -> io::Result<bool> {
        if self.bytes.len() < self.wanted * STRIDE {
            // New and not longer: pages that no datagram reaches stay untouched.
            self.bytes = vec![0; self.wanted * STRIDE];
        }
        let mut slots: Vec<_> = self
            .bytes
            .chunks_exact_mut(STRIDE)
            .take(self.wanted)
            .map(|slot| [IoSliceMut::new(slot)])
            .collect();
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(slots.len(), Some(cmsg_space!(TimeSpec)));
        let arrived = recvmmsg(socket, &mut headers, slots.iter_mut(), MsgFlags::empty(), None)?;
        let (clocks, mut count) = (Clocks::read(), 0);
        for message in arrived {
            count += 1;
            let bytes = message.iovs().next().unwrap_or_default();
            if let Some(source) = message.address.as_ref().and_then(socket_address) {
                hear(source, clocks.moment(&message), bytes);
            }
        }
        let full = count == self.wanted;
        self.wanted = (2 * count).clamp(FEWEST, MOST);
        Ok(full)
    }
}

/// The realtime clock and ours, read together.
struct Clocks {
    realtime: SystemTime,
    now: Instant,
}

impl Clocks {
    fn read() -> Self {
        let mut before = Instant::now();
        for _ in 0..TRIES {
            let (realtime, after) = (SystemTime::now(), Instant::now());
            let apart = after - before;
            if apart < TOGETHER {
                return Self {
                    realtime,
                    now: before + apart / 2,
                };
            }
            before = Instant::now();
        }
        Self {
            realtime: SystemTime::now(),
            now: Instant::now(),
        }
    }

    /// When the kernel took a datagram in; now, when that is not known.
    fn moment<'a>(&self, message: &'a RecvMsg<'_, 'a, SockaddrStorage>) -> Instant {
        let stamp = message.cmsgs().ok().and_then(|mut controls| {
            controls.find_map(|control| match control {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
                _ => None,
            })
        });
        stamp.and_then(|stamp| self.instant_of(stamp)).unwrap_or(self.now)
    }

    /// A moment of the realtime clock as a moment of ours; `None` when the realtime clock was set meanwhile.
    fn instant_of(&self, stamp: TimeSpec) -> Option<Instant> {
        let since = Duration::new(u64::try_from(stamp.tv_sec()).ok()?, u32::try_from(stamp.tv_nsec()).ok()?);
        let age = self.realtime.duration_since(UNIX_EPOCH + since).ok()?;
        if age > OLDEST_STAMP { None } else { self.now.checked_sub(age) }
    }
}

pub(crate) fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|address| SocketAddr::from(*address));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddr::from(*address)))
}

/// From the beginning of one datagram's room to the next: no UDP payload is longer than 65,535 bytes (RFC 768). The odd rest keeps the
/// beginnings, which are all that most datagrams use, out of each other's cache lines.
const STRIDE: usize = 65_536 + 9 * 64;

/// How many datagrams are asked for when one is expected: one less than that is known to be all.
const FEWEST: usize = 2;

/// The most datagrams of one call.
const MOST: usize = 64;

/// Two clocks that were read within this time were read together; otherwise somebody else had the processor in between.
const TOGETHER: Duration = Duration::from_micros(20);

/// How often that is tried.
const TRIES: usize = 3;

/// A datagram that waited longer than this is not believed: the clock was set.
const OLDEST_STAMP: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn the_room_grows_with_what_comes_at_once_and_nothing_is_lost_or_mixed_up() {
        let (ours, peer) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        ours.set_nonblocking(true).unwrap();
        let (mut inbound, mut calls, mut heard) = (Inbound::new(), 0, Vec::new());
        for number in 0_u8..100 {
            peer.send_to(&vec![number; usize::from(number) * 3], ours.local_addr().unwrap())
                .unwrap();
        }
        loop {
            calls += 1;
            let more = inbound.receive(ours.as_raw_fd(), |source, _, bytes| {
                assert_eq!(source, peer.local_addr().unwrap());
                heard.push(bytes.to_vec());
            });
            if !more.unwrap() {
                break;
            }
        }
        assert_eq!(
            heard,
            (0..100).map(|number| vec![number; usize::from(number) * 3]).collect::<Vec<_>>()
        );
        assert_eq!(calls, 6, "2, 4, 8, 16, 32, and what is left");
        let none = inbound.receive(ours.as_raw_fd(), |_, _, _| {});
        assert_eq!(none.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_stamp_from_the_future_or_the_distant_past_is_not_believed() {
        let clocks = Clocks::read();
        let seconds = |offset: i64| {
            let now = clocks.realtime.duration_since(UNIX_EPOCH).unwrap().as_secs();
            TimeSpec::new(i64::try_from(now).unwrap() + offset, 0)
        };
        assert!(clocks.instant_of(seconds(-2)).is_some());
        assert!(clocks.instant_of(seconds(5)).is_none());
        assert!(clocks.instant_of(seconds(-3600)).is_none());
        assert!(clocks.instant_of(TimeSpec::new(-1, 0)).is_none());
    }
}
