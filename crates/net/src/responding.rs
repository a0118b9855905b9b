//! `sip_registrar::Responder` behind real sockets, on threads that share nothing: datagrams in batches, as our own flows have them, the
//! replies of a stream in one write. For load tests, where the other end must not be what is measured; a lab takes [`crate::serve`].

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, UdpSocket as StdSocket};
use std::num::NonZeroUsize;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::ServerConfig;
use sip_message::{Frame, Framer};
use sip_registrar::Responder;
use sip_registration::FlowId;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Interest};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::inbound::Inbound;
use crate::listener::ListenerError;
use crate::outbound::{self, Outbound};

/// Sockets at which each of several threads is going to answer. The kernel deals clients out to them (socket(7) SO_REUSEPORT).
#[derive(Debug)]
pub struct Responding {
    threads: Vec<Vec<Place>>,
}

/// A socket that listens, of one thread.
#[derive(Debug)]
enum Place {
    Udp(StdSocket),
    Tcp(StdListener),
    Tls(StdListener, Arc<ServerConfig>),
}

impl Responding {
    /// Nothing to listen at yet.
    #[must_use]
    pub fn new(threads: NonZeroUsize) -> Self {
        Self {
            threads: (0..threads.get()).map(|_| Vec::new()).collect(),
        }
    }

    /// Listens for datagrams, and says where; port 0 is any free port.
    ///
    /// # Errors
    /// [`ListenerError::Bind`].
    pub fn udp(&mut self, address: SocketAddr) -> Result<SocketAddr, ListenerError> {
        self.listen(address, Type::DGRAM, |socket| Place::Udp(socket.into()))
    }

    /// Listens for TCP connections.
    ///
    /// # Errors
    /// [`ListenerError::Bind`].
    pub fn tcp(&mut self, address: SocketAddr) -> Result<SocketAddr, ListenerError> {
        self.listen(address, Type::STREAM, |socket| Place::Tcp(socket.into()))
    }

    /// Listens for TLS connections.
    ///
    /// # Errors
    /// [`ListenerError::Bind`].
    pub fn tls(&mut self, address: SocketAddr, config: &Arc<ServerConfig>) -> Result<SocketAddr, ListenerError> {
        self.listen(address, Type::STREAM, |socket| Place::Tls(socket.into(), Arc::clone(config)))
    }

    fn listen(&mut self, mut address: SocketAddr, kind: Type, place: impl Fn(Socket) -> Place) -> Result<SocketAddr, ListenerError> {
        let shared = self.threads.len() > 1;
        for thread in &mut self.threads {
            let opened = open(address, kind, shared).map_err(|error| ListenerError::Bind {
                address,
                why: error.to_string(),
            });
            let (socket, bound) = opened?;
            // The first finds the port, the others share it.
            address = bound;
            thread.push(place(socket));
        }
        Ok(address)
    }

    /// Answers until `shutdown` completes.
    ///
    /// # Errors
    /// When a thread cannot be started, or has no runtime.
    pub async fn run(self, responder: Responder, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let responder = Arc::new(responder);
        let (stop, stopped) = watch::channel(());
        let started: io::Result<Vec<JoinHandle<io::Result<()>>>> = (self.threads.into_iter())
            .map(|places| {
                let (responder, stopped) = (Arc::clone(&responder), stopped.clone());
                thread::Builder::new().spawn(move || work(places, &responder, stopped))
            })
            .collect();
        if started.is_ok() {
            shutdown.await;
        }
        drop(stop);
        let panicked = |_| Err(io::Error::other("a thread that answers has panicked"));
        started?.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(panicked))
    }
}

fn open(address: SocketAddr, kind: Type, shared: bool) -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    socket.set_reuse_port(shared)?;
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    } else {
        // More is granted only up to net.core.rmem_max; whatever we get will do.
        let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
        let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    }
    socket.bind(&address.into())?;
    if kind == Type::STREAM {
        socket.listen(BACKLOG)?;
    }
    socket.set_nonblocking(true)?;
    let bound = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, bound))
}

/// One thread's life; `stopped` ends it by losing its sender.
fn work(places: Vec<Place>, responder: &Arc<Responder>, mut stopped: watch::Receiver<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut tasks = JoinSet::new();
        for place in places {
            let responder = Arc::clone(responder);
            match place {
                Place::Udp(socket) => tasks.spawn_local(datagrams(UdpSocket::from_std(socket)?, responder)),
                Place::Tcp(socket) => tasks.spawn_local(accept(TcpListener::from_std(socket)?, None, responder)),
                Place::Tls(socket, config) => tasks.spawn_local(accept(TcpListener::from_std(socket)?, Some(config.into()), responder)),
            };
        }
        let _ = stopped.changed().await;
        Ok(())
    })
}

async fn datagrams(socket: UdpSocket, responder: Arc<Responder>) {
    let (mut inbound, mut outbound) = (Inbound::new(), Outbound::default());
    let segmenting = outbound::can_segment(&socket);
    // What goes wrong with one datagram is its client's affair.
    while socket.readable().await.is_ok() {
        let heard = socket.try_io(Interest::READABLE, || {
            inbound.receive(socket.as_raw_fd(), |source, _, message| {
                if let Some(destination) = responder.respond(source, false, message, outbound.blank()) {
                    outbound.post(FlowId(0), 0, destination);
                }
            })
        });
        if heard.is_ok() {
            send_all(&socket, &mut outbound, segmenting).await;
        }
    }
}

/// Sends what waits. What the kernel refuses is left out; while it has no room, this waits.
async fn send_all(socket: &UdpSocket, outbound: &mut Outbound, mut segmenting: bool) {
    outbound.sort();
    while !outbound.is_empty() {
        let sent = socket.try_io(Interest::WRITABLE, || {
            outbound::send(socket.as_raw_fd(), outbound.waiting(), segmenting)
        });
        match sent {
            Ok(count) => outbound.done(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if socket.writable().await.is_err() {
                    return;
                }
            }
            // Perhaps only as one.
            Err(_) if segmenting => segmenting = false,
            Err(_) => outbound.done(1),
        }
    }
}

async fn accept(socket: TcpListener, tls: Option<TlsAcceptor>, responder: Arc<Responder>) {
    let mut connections = JoinSet::new();
    loop {
        match socket.accept().await {
            Ok((stream, peer)) if connections.len() < CONNECTIONS => {
                let _ = stream.set_nodelay(true);
                let (tls, responder) = (tls.clone(), Arc::clone(&responder));
                connections.spawn(async move {
                    match tls {
                        None => converse(stream, peer, &responder).await,
                        Some(acceptor) => {
                            if let Ok(Ok(stream)) = timeout(PATIENCE, acceptor.accept(stream)).await {
                                converse(stream, peer, &responder).await;
                            }
                        }
                    }
                });
            }
            // One too many is closed at once.
            Ok(_) => {}
            // Out of descriptors, mostly. Nothing tells when there are some again, and until then each attempt fails at once: without a
            // pause this would spin.
            Err(_) => sleep(PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Reads, answers all that came, and writes all answers at once, until the client ends it or cannot be understood.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr, responder: &Responder) {
    let mut buffer = vec![0; FIRST_READ];
    let mut conversation = Conversation::default();
    loop {
        let length = match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(length) => length,
        };
        let readable = conversation.hear(buffer.get(..length).unwrap_or_default(), peer, responder);
        let said = async {
            stream.write_all(&conversation.replies).await?;
            stream.flush().await
        };
        if !matches!(timeout(PATIENCE, said).await, Ok(Ok(()))) || !readable {
            return;
        }
        conversation.replies.clear();
        // Who fills the buffer has more to say.
        if length == buffer.len() && length < LONGEST_READ {
            buffer.resize(2 * length, 0);
        }
    }
}

/// What is known of a stream between two reads.
#[derive(Default)]
struct Conversation {
    framer: Framer,
    line_ends: u8,
    reply: Vec<u8>,
    /// What is to be sent.
    replies: Vec<u8>,
}

impl Conversation {
    /// False when the stream is past saving.
    fn hear(&mut self, bytes: &[u8], peer: SocketAddr, responder: &Responder) -> bool {
        self.framer.push(bytes);
        loop {
            match self.framer.poll() {
                Ok(Some(Frame::Message(message))) => {
                    self.line_ends = 0;
                    if responder.respond(peer, true, message, &mut self.reply).is_some() {
                        self.replies.extend_from_slice(&self.reply);
                    }
                }
                // RFC 5626 §4.4.1: two line ends are a ping, one is its pong.
                Ok(Some(Frame::LineEnd)) if self.line_ends == 0 => self.line_ends = 1,
                Ok(Some(Frame::LineEnd)) => {
                    self.line_ends = 0;
                    self.replies.extend_from_slice(b"\r\n");
                }
                Ok(None) => return true,
                Err(_past_saving) => return false,
            }
        }
    }
}

/// Bytes of kernel buffer to ask for.
const KERNEL_BUFFER: usize = 8 << 20;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;

/// The most connections of one thread.
const CONNECTIONS: usize = 65_536;

/// How long a client may take for its handshake, and to read what it asked for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait when accepting fails.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes of a connection's first read, enough for most clients that have it for themselves.
const FIRST_READ: usize = 2048;

/// Bytes of the longest read.
const LONGEST_READ: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use sip_digest::Algorithm;

    use super::*;

    #[test]
    fn a_stream_is_answered_message_by_message_and_pings_with_a_pong() {
        let responder = Responder::new("r", Algorithm::Md5, 60);
        let peer = ([127, 0, 0, 1], 5070).into();
        let message = "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n";
        let mut conversation = Conversation::default();
        let (first, rest) = message.split_at(20);
        assert!(conversation.hear(first.as_bytes(), peer, &responder));
        assert!(conversation.replies.is_empty());
        assert!(conversation.hear(format!("{rest}{message}\r\n\r\n\r\n").as_bytes(), peer, &responder));
        let text = String::from_utf8(conversation.replies.clone()).unwrap();
        assert_eq!(text.matches("SIP/2.0 200 OK\r\n").count(), 2);
        assert!(text.ends_with("\r\n\r\n\r\n") && !text.ends_with("\r\n\r\n\r\n\r\n"));
        assert!(!conversation.hear(b"OPTIONS sip:h SIP/2.0\r\nContent-Length: x\r\n\r\n", peer, &responder));
    }
}
