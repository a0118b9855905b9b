//! A byte stream that a client has opened to a registrar of ours, TCP or TLS alike: what is read becomes facts, what is handed over is
//! written. A client is read from no faster than it reads its replies. Not for framing, and not for connections of our own: see `line`.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sip_registration::FlowId;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use crate::flow::{Fact, What};

/// The way to a connection's task for bytes that are to be written; closed by dropping it.
#[derive(Debug)]
pub(crate) struct Outbox {
    orders: mpsc::UnboundedSender<Order>,
    waiting: Arc<AtomicUsize>,
}

/// The task's end of an [`Outbox`].
#[derive(Debug)]
pub(crate) struct Orders {
    orders: mpsc::UnboundedReceiver<Order>,
    waiting: Arc<AtomicUsize>,
}

/// What a connection's task is told.
#[derive(Debug)]
enum Order {
    /// These bytes are to be written.
    Write(Vec<u8>),
    /// What was read last has been answered, as far as it is answered at once.
    ReadOn,
}

/// An empty outbox. It holds [`OUTBOX`] bytes.
pub(crate) fn outbox() -> (Outbox, Orders) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    (
        Outbox {
            orders: sender,
            waiting: Arc::clone(&waiting),
        },
        Orders { orders: receiver, waiting },
    )
}

impl Outbox {
    /// Hands bytes over without waiting. False when there is no room.
    pub(crate) fn push(&self, bytes: &[u8]) -> bool {
        if self.waiting.load(Ordering::Relaxed).saturating_add(bytes.len()) > OUTBOX {
            return false;
        }
        self.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        // A task that has ended has told why.
        let _ = self.orders.send(Order::Write(bytes.to_vec()));
        true
    }

    /// Tells that what was read last has been answered. The task reads on once it has written most of the answers.
    pub(crate) fn read_on(&self) {
        let _ = self.orders.send(Order::ReadOn);
    }
}

impl Orders {
    /// The next order; `None` once the outbox was dropped and is empty.
    async fn next(&mut self) -> Option<Order> {
        let order = self.orders.recv().await?;
        if let Order::Write(bytes) = &order {
            self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
        }
        Some(order)
    }
}

/// One connection, run by its own task.
pub(crate) struct Connection<S> {
    pub(crate) flow: FlowId,
    pub(crate) peer: SocketAddr,
    pub(crate) stream: S,
}

impl<S: AsyncRead + AsyncWrite> Connection<S> {
    /// Reads and writes until the connection fails, or the outbox is dropped; then says goodbye (a TLS close_notify, a FIN).
    /// A peer that has ended its own direction can still be written to; one that takes nothing for [`STALLED`] is given up.
    pub(crate) async fn run(self, mut orders: Orders, inbox: mpsc::Sender<Fact>) {
        let (mut reader, mut writer) = tokio::io::split(self.stream);
        let mut read = vec![0; READ_AT_ONCE];
        let mut pending = Pending::default();
        let mut reading = true;
        loop {
            tokio::select! {
                arrived = reader.read(&mut read), if reading => {
                    let fact = match arrived {
                        Ok(0) => What::Closed(self.flow),
                        Ok(length) => What::Received(self.flow, self.peer, read.get(..length).unwrap_or_default().to_vec()),
                        Err(_gone) => break,
                    };
                    // Until it is answered, the kernel holds what comes, and then the peer does.
                    reading = false;
                    if inbox.send(Fact::now(fact)).await.is_err() {
                        return part(pending, &mut writer).await;
                    }
                }
                ordered = orders.next(), if pending.bytes.len() < PENDING => match ordered {
                    Some(Order::Write(bytes)) => pending.add(&bytes),
                    Some(Order::ReadOn) => reading = true,
                    None => return part(pending, &mut writer).await,
                },
                // What was handed over may still lie in TLS's own buffer: flushed until it does not.
                written = pending.write(&mut writer), if pending.is_unsent() => if written.is_err() {
                    break;
                },
            }
        }
        // Nobody is left to hear it when the registrar has gone.
        let _ = inbox.send(Fact::now(What::Closed(self.flow))).await;
    }
}

/// Bytes on their way out.
#[derive(Default)]
struct Pending {
    bytes: VecDeque<u8>,
    /// While there are bytes here or in the stream's own buffer: when the peer last took some, or they came.
    moved_at: Option<Instant>,
}

impl Pending {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.moved_at.get_or_insert_with(Instant::now);
    }

    const fn is_unsent(&self) -> bool {
        self.moved_at.is_some()
    }

    /// Writes and flushes everything. May be dropped half-way and called again.
    ///
    /// # Errors
    /// The connection fails, or the peer has taken nothing for [`STALLED`].
    async fn write<W: AsyncWrite + Unpin>(&mut self, writer: &mut W) -> io::Result<()> {
        while let Some(moved_at) = self.moved_at {
            if self.bytes.is_empty() {
                timeout_at(moved_at + STALLED, writer.flush()).await??;
                self.moved_at = None;
            } else if timeout_at(moved_at + STALLED, writer.write_buf(&mut self.bytes)).await?? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            } else {
                self.moved_at = Some(Instant::now());
            }
        }
        Ok(())
    }
}

/// The last bytes and the goodbye, if the peer takes them soon.
async fn part<W: AsyncWrite + Unpin>(mut pending: Pending, writer: &mut W) {
    let goodbye = async {
        pending.write(writer).await?;
        writer.shutdown().await
    };
    // A peer that does not listen any more need not be told.
    let _ = timeout(GOODBYE, goodbye).await;
}

/// Bytes of one read; a TLS record holds no more (RFC 8446 §5.1).
const READ_AT_ONCE: usize = 16 * 1024;

/// How many bytes may wait for one connection. Commonly they are the replies to a single read; a registrar that delays its replies sends
/// all that it may hold at once ([`sip_registrar::Limits`]).
const OUTBOX: usize = 32 << 20;

/// From how many unwritten bytes on no more are taken from the outbox, and nothing is read that would be answered.
const PENDING: usize = 64 * 1024;

/// How long a peer may take nothing of what is written to it: as long as a client waits for a reply (RFC 3261 §17.1.2.2, Timer F).
pub(crate) const STALLED: Duration = Duration::from_secs(32);

/// How long a goodbye may take.
pub(crate) const GOODBYE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{DuplexStream, duplex};
    use tokio::task::JoinHandle;

    struct Bench {
        peer: DuplexStream,
        outbox: Outbox,
        facts: mpsc::Receiver<Fact>,
        task: JoinHandle<()>,
    }

    /// A connection over a pipe that holds `room` bytes.
    fn connection(room: usize) -> Bench {
        let (stream, peer) = duplex(room);
        let (outbox, orders) = outbox();
        let (inbox, facts) = mpsc::channel(4);
        let connection = Connection {
            flow: FlowId(1),
            peer: "127.0.0.1:5060".parse().unwrap(),
            stream,
        };
        let task = tokio::spawn(connection.run(orders, inbox));
        Bench { peer, outbox, facts, task }
    }

    #[tokio::test]
    async fn what_was_handed_over_is_written_whole_before_the_goodbye() {
        let mut bench = connection(7);
        let message = vec![b'x'; 1000];
        for _ in 0..100 {
            assert!(bench.outbox.push(&message));
        }
        drop(bench.outbox);
        let mut written = Vec::new();
        bench.peer.read_to_end(&mut written).await.unwrap();
        assert_eq!(written.len(), 100_000);
        bench.task.await.unwrap();
    }

    #[tokio::test]
    async fn what_waits_for_a_peer_that_never_reads_is_bounded() {
        let bench = connection(7);
        let message = vec![b'x'; 10_000];
        let taken = (0..10_000).take_while(|_| bench.outbox.push(&message)).count();
        assert_eq!(taken, OUTBOX / 10_000);
    }

    #[tokio::test]
    async fn a_peer_is_read_from_no_faster_than_it_reads_its_replies() {
        let mut bench = connection(READ_AT_ONCE);
        let asked = vec![b'?'; READ_AT_ONCE];
        bench.peer.write_all(&asked).await.unwrap();
        bench.peer.write_all(b"more").await.unwrap();
        assert!(matches!(bench.facts.recv().await.unwrap().what, What::Received(_, _, bytes) if bytes == asked));
        bench.outbox.push(&vec![b'!'; READ_AT_ONCE + PENDING]);
        bench.outbox.read_on();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(bench.facts.try_recv().is_err(), "it has yet to take what it asked for");
        let mut replies = vec![0; READ_AT_ONCE + PENDING];
        bench.peer.read_exact(&mut replies).await.unwrap();
        assert!(matches!(bench.facts.recv().await.unwrap().what, What::Received(_, _, bytes) if bytes == b"more"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up_and_one_that_takes_little_is_not() {
        let mut bench = connection(7);
        bench.outbox.push(&[b'x'; 70]);
        for _ in 0..5 {
            tokio::time::advance(STALLED - Duration::from_secs(1)).await;
            bench.peer.read_exact(&mut [0; 7]).await.unwrap();
        }
        assert!(bench.facts.try_recv().is_err());
        let waited_from = Instant::now();
        assert!(matches!(bench.facts.recv().await.unwrap().what, What::Closed(FlowId(1))));
        assert_eq!(waited_from.elapsed().as_secs(), STALLED.as_secs());
        bench.task.await.unwrap();
    }

    #[tokio::test]
    async fn a_peer_that_ended_its_direction_is_still_written_to() {
        let mut bench = connection(64);
        bench.peer.write_all(b"question").await.unwrap();
        bench.peer.shutdown().await.unwrap();
        assert!(matches!(bench.facts.recv().await.unwrap().what, What::Received(FlowId(1), _, bytes) if bytes == b"question"));
        bench.outbox.read_on();
        assert!(matches!(bench.facts.recv().await.unwrap().what, What::Closed(FlowId(1))));
        bench.outbox.push(b"answer");
        drop(bench.outbox);
        let mut written = Vec::new();
        bench.peer.read_to_end(&mut written).await.unwrap();
        assert_eq!(written, b"answer");
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_is_told_once() {
        let mut bench = connection(64);
        drop(bench.peer);
        assert!(matches!(bench.facts.recv().await.unwrap().what, What::Closed(..)));
        bench.outbox.push(b"too late");
        drop(bench.outbox);
        bench.task.await.unwrap();
    }
}
