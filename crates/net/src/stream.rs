//! A byte stream that a client has opened to a registrar of ours, TCP or TLS alike: what is read becomes facts, what is handed over is
//! written. Not for framing, and not for connections of our own: see `line`.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sip_registration::FlowId;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::flow::{Fact, What};

/// The way to a connection's task for bytes that are to be written; closed by dropping it.
#[derive(Debug)]
pub(crate) struct Outbox {
    messages: mpsc::UnboundedSender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

/// The task's end of an [`Outbox`].
#[derive(Debug)]
pub(crate) struct Orders {
    messages: mpsc::UnboundedReceiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

/// An empty outbox. It holds [`OUTBOX`] bytes.
pub(crate) fn outbox() -> (Outbox, Orders) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    (
        Outbox {
            messages: sender,
            waiting: Arc::clone(&waiting),
        },
        Orders {
            messages: receiver,
            waiting,
        },
    )
}

impl Outbox {
    /// Hands bytes over without waiting. False when the peer has not read for so long that there is no room.
    pub(crate) fn push(&self, bytes: &[u8]) -> bool {
        if self.waiting.load(Ordering::Relaxed).saturating_add(bytes.len()) > OUTBOX {
            return false;
        }
        self.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        // A task that has ended has told why.
        let _ = self.messages.send(bytes.to_vec());
        true
    }
}

impl Orders {
    /// The next bytes; `None` once the outbox was dropped and is empty.
    async fn next(&mut self) -> Option<Vec<u8>> {
        let bytes = self.messages.recv().await?;
        self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
        Some(bytes)
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
    /// A peer that has ended its own direction can still be written to.
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
                    reading = matches!(fact, What::Received(..));
                    if inbox.send(Fact::now(fact)).await.is_err() {
                        return part(pending, &mut writer).await;
                    }
                }
                ordered = orders.next(), if pending.bytes.len() < PENDING => match ordered {
                    Some(bytes) => pending.add(&bytes),
                    None => return part(pending, &mut writer).await,
                },
                // What was handed over may still lie in TLS's own buffer: flushed until it does not.
                written = pending.write(&mut writer), if pending.unsent => if written.is_err() {
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
    /// Whether there are bytes here or in the stream's own buffer.
    unsent: bool,
}

impl Pending {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.unsent = true;
    }

    /// Writes and flushes everything. May be dropped half-way and called again.
    async fn write<W: AsyncWrite + Unpin>(&mut self, writer: &mut W) -> io::Result<()> {
        while !self.bytes.is_empty() {
            if writer.write_buf(&mut self.bytes).await? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        writer.flush().await?;
        self.unsent = false;
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

/// How many bytes may wait for a peer that does not read, before the connection is given up: a thousand requests and more.
const OUTBOX: usize = 1 << 20;

/// From how many unwritten bytes on no more are taken from the outbox.
const PENDING: usize = 64 * 1024;

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
    async fn a_peer_that_never_reads_costs_a_bounded_memory() {
        let bench = connection(7);
        let message = vec![b'x'; 10_000];
        let taken = (0..1000).take_while(|_| bench.outbox.push(&message)).count();
        assert_eq!(taken, OUTBOX / 10_000);
    }

    #[tokio::test]
    async fn a_peer_that_ended_its_direction_is_still_written_to() {
        let mut bench = connection(64);
        bench.peer.write_all(b"question").await.unwrap();
        bench.peer.shutdown().await.unwrap();
        assert!(matches!(bench.facts.recv().await.unwrap().what, What::Received(FlowId(1), _, bytes) if bytes == b"question"));
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
