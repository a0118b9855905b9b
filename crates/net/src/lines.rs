//! All open connections of a driver: which of them have something to read, which have something to write. Each is written to once a turn,
//! however many messages go out on it. Not for opening them.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use sip_registration::{Closed, FlowId};
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use crate::line::{Heard, Line, Written};
use crate::stream::{GOODBYE, STALLED};
use crate::watches::Watches;

/// The connections.
#[derive(Debug)]
pub(crate) struct Lines {
    by_flow: BTreeMap<FlowId, Kept>,
    /// Waits for connections that have nothing to read, or no room.
    watches: Watches<Woken>,
    /// Connections that may have something to read, the one that has waited longest first.
    ready: VecDeque<FlowId>,
    /// Connections with something to write.
    pushed: Vec<FlowId>,
    /// What the next [`Self::flush`] tells.
    outlooks: Vec<Outlook>,
    /// What is read goes through here.
    buffer: Vec<u8>,
    /// Connections that were closed and have yet to say goodbye.
    parting: JoinSet<()>,
}

#[derive(Debug)]
struct Kept {
    line: Line,
    /// Waits for something to read.
    watch: Option<AbortHandle>,
    /// Waits for room to write.
    blocked: Option<AbortHandle>,
    /// Whether it stands in the list of those with something to write.
    pushed: bool,
    /// Whether it was told that no more is wanted for now.
    congested: bool,
}

/// What writing comes to, beyond the moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// So much waits to be written to it that nothing more is wanted.
    Congested(FlowId),
    /// All is written.
    Relieved(FlowId),
    /// It is of no use any more, and why.
    Lost(FlowId, Closed),
}

/// A connection that is ready for something.
#[derive(Debug)]
pub(crate) enum Woken {
    /// It can be read.
    Readable(FlowId),
    /// It can be written to again.
    Writable(FlowId),
    /// Its peer takes nothing.
    Stalled(FlowId),
}

/// What came in.
pub(crate) enum Came<'a> {
    /// Bytes from a peer.
    Bytes(FlowId, SocketAddr, &'a [u8]),
    /// The connection is gone.
    Closed(FlowId, Closed),
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self {
            by_flow: BTreeMap::new(),
            watches: Watches::new(),
            ready: VecDeque::new(),
            pushed: Vec::new(),
            outlooks: Vec::new(),
            buffer: Vec::new(),
            parting: JoinSet::new(),
        }
    }

    /// Takes a connection in.
    pub(crate) fn add(&mut self, flow: FlowId, line: Line) {
        let kept = Kept {
            line,
            watch: None,
            blocked: None,
            pushed: false,
            congested: false,
        };
        self.by_flow.insert(flow, kept);
        // Something may have come together with the end of the handshake.
        self.ready.push_back(flow);
    }

    /// Closes a connection in good manners: what waits is written, and a goodbye behind it, if the peer takes them soon.
    pub(crate) fn close(&mut self, flow: FlowId) {
        let Some(mut kept) = self.by_flow.remove(&flow) else { return };
        kept.stop();
        if kept.line.part() == Ok(Written::Part) {
            // A peer that does not listen any more need not be told.
            self.parting.spawn(async move {
                let _ = timeout(GOODBYE, part(kept.line)).await;
            });
        }
        while self.parting.try_join_next().is_some() {}
    }

    /// Closes all of them.
    pub(crate) async fn close_all(mut self) {
        while let Some((flow, _)) = self.by_flow.first_key_value() {
            let flow = *flow;
            self.close(flow);
        }
        while self.parting.join_next().await.is_some() {}
    }

    /// Drops a connection that is of no use any more.
    pub(crate) fn forget(&mut self, flow: FlowId) {
        if let Some(kept) = self.by_flow.remove(&flow) {
            kept.stop();
        }
    }

    // Inward.

    /// Waits until a connection has something, or has room again. Must be told to [`Self::woken`].
    pub(crate) async fn wake(&mut self) -> Option<Woken> {
        self.watches.next().await
    }

    /// Takes in what was waited for.
    pub(crate) fn woken(&mut self, woken: Woken) {
        match woken {
            Woken::Readable(flow) => {
                if let Some(kept) = self.by_flow.get_mut(&flow) {
                    kept.watch = None;
                    self.ready.push_back(flow);
                }
            }
            Woken::Writable(flow) => {
                if let Some(kept) = self.by_flow.get_mut(&flow) {
                    kept.blocked = None;
                    kept.note(flow, &mut self.pushed);
                }
            }
            Woken::Stalled(flow) => self.outlooks.push(Outlook::Lost(flow, takes_nothing())),
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

    /// Reads once from each connection that may have something.
    pub(crate) fn receive(&mut self, mut hear: impl FnMut(Came<'_>)) {
        for _ in 0..self.ready.len() {
            let Some(flow) = self.ready.pop_front() else { return };
            let Some(kept) = self.by_flow.get_mut(&flow) else { continue };
            if self.buffer.is_empty() {
                self.buffer = vec![0; READ_AT_ONCE];
            }
            let peer = kept.line.peer;
            let heard = kept.line.read(&mut self.buffer, |bytes| {
                if !bytes.is_empty() {
                    hear(Came::Bytes(flow, peer, bytes));
                }
            });
            if kept.line.is_behind() {
                kept.note(flow, &mut self.pushed);
            }
            match heard {
                Ok(Heard::More) => self.ready.push_back(flow),
                Ok(Heard::Silence) => kept.watch = Some(watch_reading(&mut self.watches, flow, &kept.line.socket)),
                // It can still be written to, and is as long as nobody closes it.
                Ok(Heard::End) => hear(Came::Closed(flow, Closed::Ended)),
                Err(closed) => hear(Came::Closed(flow, closed)),
            }
        }
    }

    // Outward.

    /// Puts bytes behind those that wait for [`Self::flush`]. False when it is time to, because many do.
    pub(crate) fn push(&mut self, flow: FlowId, bytes: &[u8]) -> bool {
        let Some(kept) = self.by_flow.get_mut(&flow) else { return true };
        if !kept.line.push(bytes) {
            self.outlooks.push(Outlook::Lost(flow, takes_nothing()));
            return false;
        }
        kept.note(flow, &mut self.pushed);
        kept.mind(flow, &mut self.outlooks);
        !kept.line.is_full()
    }

    /// True when something waits to be written, and may find room, or when there is something to tell.
    pub(crate) const fn has_post(&self) -> bool {
        !self.pushed.is_empty() || !self.outlooks.is_empty()
    }

    /// Writes what waits. What finds no room waits on.
    pub(crate) fn flush(&mut self) -> Vec<Outlook> {
        for flow in self.pushed.drain(..) {
            let Some(kept) = self.by_flow.get_mut(&flow) else { continue };
            kept.pushed = false;
            match kept.line.write() {
                Ok(Written::All) if kept.congested => {
                    kept.congested = false;
                    self.outlooks.push(Outlook::Relieved(flow));
                }
                Ok(Written::All) => {}
                Ok(Written::Part) => kept.blocked = Some(watch_writing(&mut self.watches, flow, &kept.line.socket)),
                Err(closed) => self.outlooks.push(Outlook::Lost(flow, closed)),
            }
            kept.mind(flow, &mut self.outlooks);
        }
        std::mem::take(&mut self.outlooks)
    }
}

fn takes_nothing() -> Closed {
    Closed::Local("the peer does not read what we send".to_owned())
}

impl Kept {
    /// Notes that there is something to write, unless there is no room or it is noted already.
    fn note(&mut self, flow: FlowId, pushed: &mut Vec<FlowId>) {
        if self.blocked.is_none() && !self.pushed {
            self.pushed = true;
            pushed.push(flow);
        }
    }

    /// Tells, once, that it has no room for more.
    fn mind(&mut self, flow: FlowId, outlooks: &mut Vec<Outlook>) {
        if !self.congested && self.blocked.is_some() && self.line.is_full() {
            self.congested = true;
            outlooks.push(Outlook::Congested(flow));
        }
    }

    fn stop(&self) {
        for watch in [&self.watch, &self.blocked].into_iter().flatten() {
            watch.abort();
        }
    }
}

fn watch_reading(watches: &mut Watches<Woken>, flow: FlowId, socket: &Arc<TcpStream>) -> AbortHandle {
    let socket = Arc::clone(socket);
    watches.begin(async move { socket.readable().await.map(|()| Woken::Readable(flow)) })
}

fn watch_writing(watches: &mut Watches<Woken>, flow: FlowId, socket: &Arc<TcpStream>) -> AbortHandle {
    let socket = Arc::clone(socket);
    watches.begin(async move {
        let writable = timeout(STALLED, socket.writable()).await;
        writable.map_or(Ok(Woken::Stalled(flow)), |writable| writable.map(|()| Woken::Writable(flow)))
    })
}

/// Says goodbye to a peer that has no room for it yet.
async fn part(mut line: Line) {
    let socket = Arc::clone(&line.socket);
    while socket.writable().await.is_ok() {
        if line.part() != Ok(Written::Part) {
            return;
        }
    }
}

/// Bytes of one read.
const READ_AT_ONCE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A connection among others, and its other end.
    async fn connected(lines: &mut Lines, flow: u64) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
        lines.add(FlowId(flow), Line::plain(ours.unwrap(), address));
        theirs.unwrap().0
    }

    /// What comes next: bytes, or the end of a flow.
    async fn next(lines: &mut Lines) -> (FlowId, Result<Vec<u8>, Closed>) {
        let mut came = None;
        while came.is_none() {
            if !lines.is_ready() {
                let woken = timeout(Duration::from_secs(5), lines.wake()).await.expect("in time");
                lines.woken(woken.expect("a connection is watched"));
            }
            lines.receive(|it| {
                came = Some(match it {
                    Came::Bytes(flow, _, bytes) => (flow, Ok(bytes.to_vec())),
                    Came::Closed(flow, closed) => (flow, Err(closed)),
                });
            });
        }
        came.unwrap()
    }

    /// Writes until there is nothing left that finds no room.
    async fn write_all(lines: &mut Lines) {
        loop {
            assert!(lines.flush().is_empty());
            if lines.by_flow.values().all(|kept| kept.blocked.is_none()) {
                return;
            }
            let woken = lines.wake().await;
            lines.woken(woken.expect("a connection is watched"));
        }
    }

    #[tokio::test]
    async fn many_messages_are_one_write_and_arrive_in_order() {
        let mut lines = Lines::new();
        let mut peer = connected(&mut lines, 1).await;
        for number in 0..100_u8 {
            lines.push(FlowId(1), &[number; 3]);
        }
        assert!(lines.has_post());
        assert!(lines.flush().is_empty());
        assert!(!lines.has_post());
        let mut bytes = vec![0; 1000];
        assert_eq!(peer.read(&mut bytes).await.unwrap(), 300, "in one piece");
        assert_eq!(bytes[..300], (0..100).flat_map(|number| [number; 3]).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn each_of_many_connections_hears_its_own_peer() {
        let mut lines = Lines::new();
        let mut peers = Vec::new();
        for flow in 0..50 {
            peers.push(connected(&mut lines, flow).await);
        }
        for (flow, peer) in (0..).zip(&mut peers) {
            peer.write_all(&[flow]).await.unwrap();
            assert_eq!(next(&mut lines).await, (FlowId(flow.into()), Ok(vec![flow])));
            lines.push(FlowId(flow.into()), &[flow, flow]);
        }
        write_all(&mut lines).await;
        for (flow, peer) in (0..).zip(&mut peers) {
            let mut bytes = [0; 2];
            peer.read_exact(&mut bytes).await.unwrap();
            assert_eq!(bytes, [flow, flow]);
        }
        drop(peers.remove(7));
        assert_eq!(next(&mut lines).await, (FlowId(7), Err(Closed::Ended)));
    }

    #[tokio::test]
    async fn more_than_fits_into_one_read_comes_whole() {
        let mut lines = Lines::new();
        let mut peer = connected(&mut lines, 1).await;
        let all: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let sent = all.clone();
        let sending = tokio::spawn(async move { peer.write_all(&sent).await.map(|()| peer) });
        let mut came = Vec::new();
        while came.len() < all.len() {
            came.extend(next(&mut lines).await.1.unwrap());
        }
        assert!(came == all);
        drop(sending.await.unwrap());
    }

    #[tokio::test]
    async fn a_peer_that_never_reads_costs_a_bounded_memory() {
        let mut lines = Lines::new();
        let _peer = connected(&mut lines, 1).await;
        let message = vec![b'x'; 10_000];
        // The kernel holds some megabytes, we one.
        let refused = (0..10_000).find_map(|_| {
            lines.push(FlowId(1), &message);
            lines.flush().into_iter().find(|outlook| *outlook != Outlook::Congested(FlowId(1)))
        });
        assert!(matches!(refused, Some(Outlook::Lost(FlowId(1), Closed::Local(words))) if words.contains("does not read")));
    }

    #[tokio::test]
    async fn a_connection_without_room_says_so_once_and_again_when_it_has_room() {
        let mut lines = Lines::new();
        let mut peer = connected(&mut lines, 1).await;
        let mut handed = 0;
        let mut told = Vec::new();
        while told.is_empty() {
            while lines.push(FlowId(1), &[b'x'; 1000]) {
                handed += 1000;
            }
            handed += 1000;
            told = lines.flush();
        }
        assert_eq!(told, [Outlook::Congested(FlowId(1))]);
        assert!(!lines.push(FlowId(1), b"!"), "there is no more room than before");
        assert_eq!(lines.flush(), []);
        let mut came = vec![0; handed + 1];
        let relieved = async {
            loop {
                let woken = lines.wake().await.expect("a connection is watched");
                lines.woken(woken);
                let told = lines.flush();
                if !told.is_empty() {
                    break told;
                }
            }
        };
        let (read, relieved) = tokio::join!(peer.read_exact(&mut came), relieved);
        assert_eq!(read.unwrap(), handed + 1);
        assert_eq!((came[handed], relieved), (b'!', vec![Outlook::Relieved(FlowId(1))]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_for_long_is_given_up() {
        let mut lines = Lines::new();
        let _peer = connected(&mut lines, 1).await;
        while lines.by_flow.values().all(|kept| kept.blocked.is_none()) {
            lines.push(FlowId(1), &[b'x'; 10_000]);
            lines.flush();
        }
        let waited_from = tokio::time::Instant::now();
        let woken = loop {
            // Nothing to read, and nobody to read what is written.
            let woken = lines.wake().await.expect("a connection is watched");
            if !matches!(woken, Woken::Readable(_)) {
                break woken;
            }
        };
        assert_eq!(waited_from.elapsed().as_secs(), STALLED.as_secs());
        lines.woken(woken);
        assert!(lines.has_post());
        assert_eq!(lines.flush(), [Outlook::Lost(FlowId(1), takes_nothing())]);
    }

    #[tokio::test]
    async fn what_was_handed_over_is_written_whole_before_the_goodbye_even_when_there_is_no_room_yet() {
        let mut lines = Lines::new();
        let mut peer = connected(&mut lines, 1).await;
        let mut handed = 0;
        while !lines.by_flow.values().any(|kept| kept.blocked.is_some()) {
            lines.push(FlowId(1), &[b'x'; 10_000]);
            handed += 10_000;
            assert!(lines.flush().is_empty());
        }
        lines.close(FlowId(1));
        let reading = async {
            let mut written = Vec::new();
            peer.read_to_end(&mut written).await.unwrap();
            written.len()
        };
        let (read, ()) = tokio::join!(reading, lines.close_all());
        assert_eq!(read, handed);
    }

    #[tokio::test]
    async fn a_peer_that_ended_its_direction_is_still_written_to() {
        let mut lines = Lines::new();
        let mut peer = connected(&mut lines, 1).await;
        peer.write_all(b"question").await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(next(&mut lines).await, (FlowId(1), Ok(b"question".to_vec())));
        assert_eq!(next(&mut lines).await, (FlowId(1), Err(Closed::Ended)));
        lines.push(FlowId(1), b"answer");
        lines.close(FlowId(1));
        let mut written = Vec::new();
        peer.read_to_end(&mut written).await.unwrap();
        assert_eq!(written, b"answer");
    }
}
