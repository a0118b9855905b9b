//! A connected byte stream, TCP or TLS alike: what is read becomes facts, what is handed over is written. Not for framing: the core's.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use sip_registration::{Closed, FlowId};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::flow::{Fact, What};

/// How many messages may wait for a peer that does not read, before the flow is given up.
pub(crate) const OUTBOX: usize = 64;

/// One connection, run by its own task.
pub(crate) struct Connection<S> {
    pub(crate) flow: FlowId,
    pub(crate) peer: SocketAddr,
    pub(crate) stream: S,
}

impl<S: AsyncRead + AsyncWrite> Connection<S> {
    /// Reads and writes until the connection ends, or `outbox` is closed; then says goodbye (a TLS close_notify, a FIN).
    pub(crate) async fn run(self, mut outbox: mpsc::Receiver<Vec<u8>>, inbox: mpsc::Sender<Fact>, explain: impl Fn(&io::Error) -> Closed) {
        let (mut reader, mut writer) = tokio::io::split(self.stream);
        let mut read = vec![0; READ_AT_ONCE];
        let mut pending = Pending::default();
        let ended = loop {
            tokio::select! {
                arrived = reader.read(&mut read) => match arrived {
                    Ok(0) => break Some(Closed::Ended),
                    Ok(length) => {
                        let bytes = read.get(..length).unwrap_or_default().to_vec();
                        if inbox.send(Fact::now(What::Received(self.flow, self.peer, bytes))).await.is_err() {
                            break None;
                        }
                    }
                    Err(error) => break Some(explain(&error)),
                },
                handed = outbox.recv(), if pending.bytes.len() < PENDING => match handed {
                    Some(bytes) => pending.add(&bytes),
                    None => break None,
                },
                // What was handed over may still lie in TLS's own buffer: flushed until it does not.
                written = pending.write(&mut writer), if pending.unsent => if let Err(error) = written {
                    break Some(explain(&error));
                },
            }
        };
        match ended {
            Some(closed) => drop(inbox.send(Fact::now(What::Closed(self.flow, closed))).await),
            None => part(pending, &mut writer).await,
        }
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

/// What an error on an open connection means.
pub(crate) fn closed(error: &io::Error) -> Closed {
    match error.kind() {
        // rustls: the peer went without close_notify.
        io::ErrorKind::UnexpectedEof => Closed::Ended,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => Closed::Reset,
        io::ErrorKind::TimedOut => Closed::TimedOut,
        _ => crate::udp::closed(error),
    }
}

/// Bytes of one read; a TLS record holds no more (RFC 8446 §5.1).
const READ_AT_ONCE: usize = 16 * 1024;

/// From how many unwritten bytes on no more are taken from the outbox.
const PENDING: usize = 64 * 1024;

/// How long a goodbye may take.
pub(crate) const GOODBYE: Duration = Duration::from_millis(500);
