//! The UDP sockets of a driver. One socket serves every flow whose remote address no other flow on it has: a datagram belongs to the flow
//! that leads to its source. Each is read and written by the batch. Not for deciding whose a message is: the core does.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::libc;
use sip_registration::{Closed, FlowId, Obstacle, Opened};
use tokio::io::{Interest, Ready};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

use crate::inbound::Inbound;
use crate::outbound::{self, Outbound, Parcel};
use crate::udp::{self, Bounce};
use crate::watches::Watches;

/// All UDP sockets of a driver.
#[derive(Debug)]
pub(crate) struct Hubs {
    by_number: BTreeMap<u32, Hub>,
    next_number: u32,
    /// Waits for sockets that have nothing.
    watches: Watches<Woken>,
    /// Sockets that may have something, the one that has waited longest first.
    ready: VecDeque<u32>,
    inbound: Inbound,
    outbound: Outbound,
    /// Since when the kernel has no room for what is to be sent.
    blocked_at: Option<Instant>,
}

/// One socket.
#[derive(Debug)]
struct Hub {
    socket: Arc<UdpSocket>,
    /// What it was bound to by wish: the address is sure, the port may be any.
    wish: SocketAddr,
    flows: BTreeMap<(IpAddr, u16), FlowId>,
    watch: AbortHandle,
    /// Whether ICMP errors may wait.
    failed: bool,
    /// Whether the kernel was asked to hold many replies: not before many are asked for at once, so that nobody but our own requests
    /// makes us read much.
    roomy: bool,
    /// Whether datagrams of one kind may go through the kernel as one: not known before there are several, and no more once it refuses.
    segmenting: Option<bool>,
}

/// A socket that is ready for something.
#[derive(Debug)]
pub(crate) enum Woken {
    /// It can be read.
    Readable(u32, Ready),
    /// It can be written to again.
    Writable,
}

/// What came in.
pub(crate) enum Heard<'a> {
    /// A datagram, whose source need not be the flow's remote address.
    Datagram(FlowId, SocketAddr, Instant, &'a [u8]),
    /// The remote address of a flow cannot be reached, and why.
    Unreachable(FlowId, Obstacle),
}

impl Hubs {
    pub(crate) fn new() -> Self {
        Self {
            by_number: BTreeMap::new(),
            next_number: 0,
            watches: Watches::new(),
            ready: VecDeque::new(),
            inbound: Inbound::new(),
            outbound: Outbound::default(),
            blocked_at: None,
        }
    }

    // Flows.

    /// Puts a flow on a socket bound to `local` (port 0: any port), or to the address that the kernel would use towards `remote`: on one
    /// that is there, unless a flow to the same place is on it already. A new socket takes `favourite_port` where the port does not
    /// matter and this one is free.
    ///
    /// # Errors
    /// [`Closed::Unreachable`] when there is no route, [`Closed::Local`] when the address cannot be bound.
    pub(crate) fn open(
        &mut self,
        flow: FlowId,
        local: Option<SocketAddr>,
        favourite_port: Option<u16>,
        remote: SocketAddr,
    ) -> Result<(u32, Opened), Closed> {
        let wish = udp::wish(local, remote)?;
        let place = (remote.ip(), remote.port());
        let shared = self
            .by_number
            .iter()
            .find(|(_, hub)| hub.wish == wish && !hub.flows.contains_key(&place));
        let number = match shared {
            Some((number, _)) => *number,
            None => self.bind(wish, favourite_port)?,
        };
        let opened = udp::opened(self.hub(number)?.socket.local_addr(), remote);
        match opened {
            Ok(opened) => {
                self.hub(number)?.flows.insert(place, flow);
                Ok((number, opened))
            }
            Err(error) => {
                self.release(number);
                Err(error)
            }
        }
    }

    /// Takes a flow off its socket, which goes with its last one. What waits on the way is sent first.
    pub(crate) fn close(&mut self, number: u32, remote: SocketAddr) {
        if let Some(hub) = self.by_number.get_mut(&number) {
            hub.flows.remove(&(remote.ip(), remote.port()));
            self.release(number);
        }
    }

    fn hub(&mut self, number: u32) -> Result<&mut Hub, Closed> {
        let gone = || Closed::Local("the socket is gone".to_owned());
        self.by_number.get_mut(&number).ok_or_else(gone)
    }

    fn bind(&mut self, wish: SocketAddr, favourite_port: Option<u16>) -> Result<u32, Closed> {
        let socket = Arc::new(udp::bind_near(wish, favourite_port)?);
        let number = self.next_number;
        self.next_number = self.next_number.wrapping_add(1);
        let hub = Hub {
            watch: watch(&mut self.watches, number, &socket),
            socket,
            wish,
            flows: BTreeMap::new(),
            failed: false,
            roomy: false,
            segmenting: None,
        };
        self.by_number.insert(number, hub);
        Ok(number)
    }

    /// Closes a socket without flows.
    fn release(&mut self, number: u32) {
        if self.by_number.get(&number).is_some_and(|hub| hub.flows.is_empty())
            && let Some(hub) = self.by_number.remove(&number)
        {
            hub.watch.abort();
        }
    }

    // Inward.

    /// Waits until a socket has something, or has room again. Must be told to [`Self::woken`].
    pub(crate) async fn wake(&mut self) -> Option<Woken> {
        self.watches.next().await
    }

    /// Takes in what was waited for.
    pub(crate) fn woken(&mut self, woken: Woken) {
        match woken {
            Woken::Readable(number, ready) => {
                if let Some(hub) = self.by_number.get_mut(&number) {
                    hub.failed |= ready.is_error();
                    self.ready.push_back(number);
                }
            }
            Woken::Writable => self.blocked_at = None,
        }
    }

    /// Takes in what need not be waited for.
    pub(crate) fn gather(&mut self) {
        while let Some(woken) = self.watches.try_next() {
            self.woken(woken);
        }
    }

    /// True when something may have arrived.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes a batch from each socket that may have something.
    pub(crate) fn receive(&mut self, mut hear: impl FnMut(Heard<'_>)) {
        for _ in 0..self.ready.len() {
            let Some(number) = self.ready.pop_front() else { return };
            let Some(hub) = self.by_number.get_mut(&number) else { continue };
            if hub.failed {
                hub.hear_errors(&mut hear);
            }
            if hub.receive(&mut self.inbound, &mut hear) {
                self.ready.push_back(number);
            } else {
                hub.watch = watch(&mut self.watches, number, &hub.socket);
            }
        }
    }

    // Outward.

    /// A buffer for the next datagram, which [`Self::post`] then sends.
    pub(crate) fn blank(&mut self) -> &mut Vec<u8> {
        self.outbound.blank()
    }

    /// Puts what was written to [`Self::blank`] on its way. False when it is time to [`Self::flush`].
    pub(crate) fn post(&mut self, flow: FlowId, number: u32, to: SocketAddr) -> bool {
        self.outbound.post(flow, number, to)
    }

    /// True when something waits to be sent.
    pub(crate) const fn has_post(&self) -> bool {
        !self.outbound.is_empty()
    }

    /// Whether the kernel has no room, and until when it is waited for.
    pub(crate) fn blocked_until(&self) -> Option<Instant> {
        self.blocked_at.map(|at| at + PATIENCE)
    }

    /// Sends what waits. What the kernel has no room for waits on, for [`PATIENCE`] at most; then it is lost, as on any wire, and Timer E
    /// sends it again. Returns the flows that are of no use any more, and why. An answer that cannot go to where its request wants it is
    /// no fault of the flow, or anybody could end it so.
    pub(crate) fn flush(&mut self, now: Instant) -> Vec<(FlowId, Closed)> {
        let mut lost = Vec::new();
        self.outbound.sort();
        loop {
            let waiting = self.outbound.waiting();
            let Some(first) = waiting.first() else { break };
            let Some(hub) = self.by_number.get_mut(&first.hub) else {
                self.outbound.done(1);
                continue;
            };
            let group = waiting.iter().take_while(|parcel| parcel.hub == first.hub).count();
            match hub.send(waiting.get(..group).unwrap_or_default()) {
                Ok(sent) => self.outbound.done(sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let socket = Arc::clone(&hub.socket);
                    if self.is_to_wait(now, socket) {
                        return lost;
                    }
                    self.outbound.done(usize::MAX);
                }
                Err(error) => {
                    if error.raw_os_error() != Some(libc::ENOBUFS) && hub.leads_to(first.to) == Some(first.flow) {
                        lost.push((first.flow, udp::closed_at(hub.wish.ip(), &error)));
                    }
                    self.outbound.done(1);
                }
            }
        }
        self.blocked_at = None;
        lost
    }

    /// True when a socket without room may still be waited for; the first time, starts to.
    fn is_to_wait(&mut self, now: Instant, socket: Arc<UdpSocket>) -> bool {
        if let Some(blocked_at) = self.blocked_at {
            return now < blocked_at + PATIENCE;
        }
        self.blocked_at = Some(now);
        // What tokio believes of the socket may be older than the kernel's refusal.
        let _ = socket.try_io(Interest::WRITABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        self.watches.begin(async move { socket.writable().await.map(|()| Woken::Writable) });
        true
    }
}

/// Waits for a socket that has nothing.
fn watch(watches: &mut Watches<Woken>, number: u32, socket: &Arc<UdpSocket>) -> AbortHandle {
    let socket = Arc::clone(socket);
    watches.begin(async move { Ok(Woken::Readable(number, socket.ready(READY).await?)) })
}

impl Hub {
    /// The flow that leads to this address.
    fn leads_to(&self, address: SocketAddr) -> Option<FlowId> {
        self.flows.get(&(address.ip(), address.port())).copied()
    }

    /// The flow that a datagram is told on: that to its source, else one to the same host, else any, because a reply from elsewhere is
    /// told too.
    fn flow_from(&self, source: SocketAddr) -> Option<FlowId> {
        let host = || self.flows.range((source.ip(), 0)..=(source.ip(), u16::MAX)).next();
        self.leads_to(source)
            .or_else(|| host().or_else(|| self.flows.first_key_value()).map(|(_, flow)| *flow))
    }

    /// Takes a batch. True when there may be more.
    fn receive(&mut self, inbound: &mut Inbound, hear: &mut impl FnMut(Heard<'_>)) -> bool {
        for _ in 0..ERRORS_AT_ONCE {
            let mut more = false;
            let received = self.socket.try_io(Interest::READABLE, || {
                more = inbound.receive(self.socket.as_raw_fd(), |source, at, bytes| {
                    if let Some(flow) = self.flow_from(source) {
                        hear(Heard::Datagram(flow, source, at, bytes));
                    }
                })?;
                // The last of them has been taken: there is nothing to read until there is news.
                if more { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
            });
            match received {
                // ip(7): an ICMP error fails the next call; what it is stands in the error queue.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => self.hear_errors(hear),
                Ok(()) | Err(_) => return more,
            }
        }
        true
    }

    /// Empties the error queue. An ICMP message is about one remote address, and about no flow but the one that leads there.
    fn hear_errors(&mut self, hear: &mut impl FnMut(Heard<'_>)) {
        let mut bounces = Vec::new();
        let emptied = self.socket.try_io(Interest::ERROR, || {
            for _ in 0..ERRORS_AT_ONCE {
                bounces.push(udp::next_bounce(self.socket.as_raw_fd())?);
            }
            Ok(())
        });
        self.failed = emptied.is_ok();
        for bounce in bounces {
            let Bounce::Unreachable(to, obstacle) = bounce else { continue };
            let flow = match to {
                Some(to) => self.leads_to(to),
                // The kernel does not say whither; with one flow it is no question.
                None if self.flows.len() == 1 => self.flows.first_key_value().map(|(_, flow)| *flow),
                None => None,
            };
            if let Some(flow) = flow {
                hear(Heard::Unreachable(flow, obstacle));
            }
        }
    }

    /// Sends the first ones, as many as the kernel takes. Not through tokio, which refuses to write before its first poll of a new socket.
    fn send(&mut self, parcels: &[Parcel]) -> io::Result<usize> {
        if parcels.len() >= MANY && !self.roomy {
            udp::make_room(&self.socket);
            self.roomy = true;
        }
        let send = |segmenting| outbound::send(self.socket.as_raw_fd(), parcels, segmenting);
        let segmenting = parcels.len() > 1 && *self.segmenting.get_or_insert_with(|| outbound::can_segment(&*self.socket));
        match send(segmenting) {
            // udp(7): an ICMP error that is pending fails the next call, which then has sent nothing. The error itself stays in the queue.
            Err(error) if udp::is_icmp(&error) => send(false),
            // Too long for the path, or a device that cannot do it.
            Err(error) if segmenting && is_refusal(&error) => {
                self.segmenting = Some(false);
                send(false)
            }
            sent => sent,
        }
    }
}

/// True for an error that says nothing of one datagram, if they went as one.
fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINVAL | libc::EIO | libc::EMSGSIZE | libc::EOPNOTSUPP)
    )
}

/// ICMP errors count as readiness: epoll(7) EPOLLERR.
const READY: Interest = Interest::READABLE.add(Interest::ERROR);

/// How many ICMP errors are read before the datagrams have their turn.
const ERRORS_AT_ONCE: usize = 16;

/// From how many datagrams at once on their answers need room.
const MANY: usize = 16;

/// How long a datagram waits for room in the kernel. A link of 1 Mbit/s empties a socket's buffer of 200 kB in two seconds; what waits
/// longer than Timer E is sent again anyway.
const PATIENCE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use std::net::UdpSocket as StdSocket;

    use tokio::time::timeout;

    use super::*;

    /// What came, as the driver would be told.
    #[derive(Debug, PartialEq, Eq)]
    enum Came {
        Datagram(FlowId, SocketAddr, Vec<u8>),
        Unreachable(FlowId, Obstacle),
    }

    fn peer() -> (StdSocket, SocketAddr) {
        let socket = StdSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    fn open(hubs: &mut Hubs, flow: u64, remote: SocketAddr) -> (u32, SocketAddr) {
        let (number, opened) = hubs.open(FlowId(flow), None, None, remote).unwrap();
        (number, opened.local)
    }

    /// Sends one datagram at once and returns the flow that was lost by it.
    fn send(hubs: &mut Hubs, (flow, number): (u64, u32), bytes: &[u8], to: SocketAddr) -> Option<FlowId> {
        hubs.blank().clear();
        hubs.blank().extend_from_slice(bytes);
        hubs.post(FlowId(flow), number, to);
        let lost = hubs.flush(Instant::now());
        lost.first().map(|(flow, _)| *flow)
    }

    /// The next things to come, so many of them.
    async fn hear(hubs: &mut Hubs, count: usize) -> Vec<(Came, Instant)> {
        let mut came = Vec::new();
        while came.len() < count {
            if !hubs.is_ready() {
                let woken = timeout(Duration::from_secs(5), hubs.wake()).await.expect("in time");
                hubs.woken(woken.expect("a socket is watched"));
            }
            hubs.receive(|heard| {
                came.push(match heard {
                    Heard::Datagram(flow, source, at, bytes) => (Came::Datagram(flow, source, bytes.to_vec()), at),
                    Heard::Unreachable(flow, obstacle) => (Came::Unreachable(flow, obstacle), Instant::now()),
                });
            });
        }
        came
    }

    async fn next(hubs: &mut Hubs) -> Came {
        hear(hubs, 1).await.remove(0).0
    }

    #[tokio::test]
    async fn a_closed_port_is_unreachable_on_both_families() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let gone = StdSocket::bind(host).unwrap().local_addr().unwrap();
            let mut hubs = Hubs::new();
            let (number, local) = open(&mut hubs, 1, gone);
            assert_eq!(local.ip(), gone.ip());
            send(&mut hubs, (1, number), b"hello", gone);
            assert_eq!(next(&mut hubs).await, Came::Unreachable(FlowId(1), Obstacle::NobodyListens));
        }
    }

    #[tokio::test]
    async fn flows_to_many_places_share_a_socket_and_only_that_to_a_closed_port_is_lost() {
        let mut hubs = Hubs::new();
        let peers: Vec<_> = (0..20).map(|_| peer()).collect();
        let (_, gone) = peer();
        let mut numbers = BTreeMap::new();
        for (flow, (_, remote)) in (0..).zip(&peers) {
            *numbers.entry(open(&mut hubs, flow, *remote)).or_insert(0) += 1;
        }
        let ((number, local), count) = numbers.pop_first().unwrap();
        assert!(numbers.is_empty() && count == 20, "one socket");
        assert_eq!(open(&mut hubs, 99, gone).0, number);
        send(&mut hubs, (99, number), b"hello", gone);
        assert_eq!(next(&mut hubs).await, Came::Unreachable(FlowId(99), Obstacle::NobodyListens));
        for (flow, (socket, remote)) in (0..).zip(&peers) {
            assert_eq!(send(&mut hubs, (flow, number), b"question", *remote), None);
            socket.send_to(b"answer", local).unwrap();
            assert_eq!(next(&mut hubs).await, Came::Datagram(FlowId(flow), *remote, b"answer".to_vec()));
        }
    }

    #[tokio::test]
    async fn a_second_flow_to_the_same_place_gets_a_port_of_its_own_and_the_socket_goes_with_its_last_flow() {
        let mut hubs = Hubs::new();
        let ((one, first), (_other, second)) = (peer(), peer());
        let (a, b, c) = (open(&mut hubs, 1, first), open(&mut hubs, 2, first), open(&mut hubs, 3, second));
        assert_ne!(a, b);
        assert_eq!(a, c);
        one.send_to(b"to the second", b.1).unwrap();
        assert_eq!(next(&mut hubs).await, Came::Datagram(FlowId(2), first, b"to the second".to_vec()));
        hubs.close(a.0, first);
        one.send_to(b"late", a.1).unwrap();
        assert_eq!(next(&mut hubs).await, Came::Datagram(FlowId(3), first, b"late".to_vec()));
        hubs.close(c.0, second);
        // The port is free again once the runtime has dropped the watch.
        while StdSocket::bind(a.1).is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_datagram_from_elsewhere_is_told_on_a_flow_to_its_host_or_else_on_any() {
        let mut hubs = Hubs::new();
        let second: SocketAddr = "127.0.0.2:5070".parse().unwrap();
        let (number, _) = open(&mut hubs, 1, peer().1);
        let local = "0.0.0.0:0".parse().unwrap();
        let (wide, opened) = hubs.open(FlowId(2), Some(local), None, second).unwrap();
        hubs.open(FlowId(3), Some(local), None, peer().1).unwrap();
        assert_ne!(number, wide);
        for (from, flow) in [("127.0.0.2:0", 2), ("127.0.0.1:0", 3), ("127.0.0.3:0", 3)] {
            let stranger = StdSocket::bind(from).unwrap();
            let to = SocketAddr::new(stranger.local_addr().unwrap().ip(), opened.local.port());
            stranger.send_to(b"hello", to).unwrap();
            let source = stranger.local_addr().unwrap();
            assert_eq!(
                next(&mut hubs).await,
                Came::Datagram(FlowId(flow), source, b"hello".to_vec()),
                "{from}"
            );
        }
    }

    #[tokio::test]
    async fn an_answer_that_goes_nowhere_closes_no_flow() {
        let ((socket, remote), (_, gone)) = (peer(), peer());
        let mut hubs = Hubs::new();
        let (number, local) = open(&mut hubs, 1, remote);
        for _ in 0..3 {
            assert_eq!(send(&mut hubs, (1, number), b"answer", gone), None);
        }
        // The kernel refuses port 0, and what fits into no datagram.
        let (refused, too_long) = (SocketAddr::from(([127, 0, 0, 1], 0)), vec![0; 66_000]);
        assert_eq!(send(&mut hubs, (1, number), b"answer", refused), None);
        assert_eq!(send(&mut hubs, (1, number), &too_long, gone), None);
        assert_eq!(send(&mut hubs, (1, number), &too_long, remote), Some(FlowId(1)));
        socket.send_to(b"question", local).unwrap();
        assert_eq!(next(&mut hubs).await, Came::Datagram(FlowId(1), remote, b"question".to_vec()));
    }

    #[tokio::test]
    async fn every_datagram_comes_with_its_source_and_a_moment_of_the_kernel() {
        let ((socket, remote), (other, elsewhere)) = (peer(), peer());
        let mut hubs = Hubs::new();
        let (number, local) = open(&mut hubs, 1, remote);
        let before = Instant::now();
        send(&mut hubs, (1, number), b"question", remote);
        let mut bytes = [0; 16];
        let (length, from) = socket.recv_from(&mut bytes).unwrap();
        assert_eq!((&bytes[..length], from), (&b"question"[..], local));
        socket.send_to(b"answer", from).unwrap();
        other.send_to(b"intruder", from).unwrap();
        let after = Instant::now();
        // The offset between two clocks is only known to a few microseconds.
        let slack = Duration::from_millis(1);
        let came = hear(&mut hubs, 2).await;
        for ((came, at), (source, text)) in came.iter().zip([(remote, "answer"), (elsewhere, "intruder")]) {
            assert_eq!(*came, Came::Datagram(FlowId(1), source, text.into()));
            assert!(
                before <= *at + slack && *at <= after + slack,
                "stamped by the kernel, not when it was read"
            );
        }
    }

    #[tokio::test]
    async fn a_datagram_of_the_largest_size_arrives_whole_and_an_empty_one_too() {
        let (socket, remote) = peer();
        let mut hubs = Hubs::new();
        let (_, local) = open(&mut hubs, 1, remote);
        for length in [65_507, 0] {
            socket.send_to(&vec![b'x'; length], local).unwrap();
            assert_eq!(next(&mut hubs).await, Came::Datagram(FlowId(1), remote, vec![b'x'; length]));
        }
    }

    #[tokio::test]
    async fn more_than_one_batch_goes_out_in_order_by_two_sockets() {
        let (socket, remote) = peer();
        let mut hubs = Hubs::new();
        let numbers = [open(&mut hubs, 1, remote), open(&mut hubs, 2, remote)];
        for round in 0..100_u8 {
            for (flow, (number, _)) in (1..).zip(numbers) {
                hubs.blank().clear();
                hubs.blank().push(round);
                if !hubs.post(FlowId(flow), number, remote) {
                    assert!(hubs.flush(Instant::now()).is_empty());
                }
            }
        }
        hubs.flush(Instant::now());
        assert!(!hubs.has_post());
        let mut came = BTreeMap::<SocketAddr, Vec<u8>>::new();
        for _ in 0..200 {
            let mut byte = [0];
            let (_, from) = socket.recv_from(&mut byte).unwrap();
            came.entry(from).or_default().push(byte[0]);
        }
        let all: Vec<u8> = (0..100).collect();
        assert_eq!(came, numbers.map(|(_, local)| (local, all.clone())).into());
    }

    #[tokio::test]
    async fn sending_goes_on_after_an_icmp_error_that_nobody_read() {
        let (_, gone) = peer();
        let mut hubs = Hubs::new();
        let (number, _) = open(&mut hubs, 1, gone);
        for _ in 0..3 {
            assert_eq!(send(&mut hubs, (1, number), b"hello", gone), None);
        }
    }

    #[tokio::test]
    async fn a_foreign_local_address_is_our_own_fault() {
        let remote = "127.0.0.1:5060".parse().unwrap();
        let (_taken, busy) = peer();
        let refused = |local: SocketAddr| match Hubs::new().open(FlowId(1), Some(local), None, remote) {
            Err(Closed::Local(words)) => words,
            other => panic!("{other:?}"),
        };
        assert!(refused("[::1]:0".parse().unwrap()).contains("family"));
        refused("192.0.2.1:0".parse().unwrap());
        refused(busy);
    }

    #[tokio::test]
    async fn an_unspecified_local_address_is_replaced_by_the_one_that_the_kernel_uses() {
        let local = Some("0.0.0.0:0".parse().unwrap());
        let (_, opened) = Hubs::new().open(FlowId(1), local, None, "127.0.0.1:5060".parse().unwrap()).unwrap();
        assert_eq!(opened.local.ip(), IpAddr::from([127, 0, 0, 1]));
        assert_ne!(opened.local.port(), 0);
    }

    #[tokio::test]
    async fn the_favourite_port_is_taken_when_it_is_free_and_another_when_it_is_not() {
        let remote = "127.0.0.1:5060".parse().unwrap();
        let port = |hubs: &mut Hubs, favourite| hubs.open(FlowId(1), None, favourite, remote).unwrap().1.local.port();
        let (mut first, mut second, mut third) = (Hubs::new(), Hubs::new(), Hubs::new());
        let taken = port(&mut first, None);
        assert_ne!(port(&mut second, Some(taken)), taken);
        drop(first);
        // The port is free again once the runtime has dropped the watch.
        tokio::task::yield_now().await;
        assert_eq!(port(&mut third, Some(taken)), taken);
    }
}
