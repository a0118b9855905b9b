//! `sip-registrar` behind real sockets: UDP, TCP and TLS (RFC 3261 §18.2). Not for what it answers: the registrar decides.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sip_message::{Frame, Framer};
use sip_registrar::{AfterReply, Event, Peer, Registrar};
use sip_registration::{FlowId, Transport};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use crate::flow::{Fact, INBOX, What};
use crate::stream::{self, Connection, Outbox};
use crate::tls::{self, TlsOptionsError};

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    socket: Listening,
}

#[derive(Debug)]
enum Listening {
    Udp(Arc<UdpSocket>),
    Tcp(TcpListener),
    Tls(TcpListener, Arc<ServerConfig>),
}

/// Why a listener cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenerError {
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen on {address}: {why}")]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// The system's words.
        why: String,
    },
    /// Certificate and key cannot be used.
    #[error("cannot offer TLS: {0}")]
    Tls(String),
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] TlsOptionsError),
}

impl Listener {
    /// Listens for datagrams; port 0 is any free port. Has to be called within a tokio runtime, like its sisters.
    ///
    /// # Errors
    /// [`ListenerError::Bind`].
    pub async fn udp(address: SocketAddr) -> Result<Self, ListenerError> {
        let bound = UdpSocket::bind(address).await.and_then(|socket| Ok((socket.local_addr()?, socket)));
        let (address, socket) = bound.map_err(|error| ListenerError::Bind {
            address,
            why: error.to_string(),
        })?;
        // More is granted only up to net.core.rmem_max; whatever we get will do.
        let _ = SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        Ok(Self {
            address,
            socket: Listening::Udp(Arc::new(socket)),
        })
    }

    /// Listens for TCP connections.
    ///
    /// # Errors
    /// [`ListenerError::Bind`].
    pub async fn tcp(address: SocketAddr) -> Result<Self, ListenerError> {
        let (address, socket) = bind(address).await?;
        Ok(Self {
            address,
            socket: Listening::Tcp(socket),
        })
    }

    /// Listens for TLS connections.
    ///
    /// # Errors
    /// [`ListenerError::Bind`].
    pub async fn tls(address: SocketAddr, config: Arc<ServerConfig>) -> Result<Self, ListenerError> {
        let (address, socket) = bind(address).await?;
        Ok(Self {
            address,
            socket: Listening::Tls(socket, config),
        })
    }

    /// Where it listens, with the port that was found free.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it speaks.
    #[must_use]
    pub const fn transport(&self) -> Transport {
        match self.socket {
            Listening::Udp(_) => Transport::Udp,
            Listening::Tcp(_) => Transport::Tcp,
            Listening::Tls(..) => Transport::Tls,
        }
    }
}

async fn bind(address: SocketAddr) -> Result<(SocketAddr, TcpListener), ListenerError> {
    let bound = TcpListener::bind(address)
        .await
        .and_then(|socket| Ok((socket.local_addr()?, socket)));
    bound.map_err(|error| ListenerError::Bind {
        address,
        why: error.to_string(),
    })
}

/// A TLS server from two PEM files.
///
/// # Errors
/// [`ListenerError::File`], or [`ListenerError::Tls`] when certificate and key do not belong together.
pub fn server_config_from_files(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, ListenerError> {
    server_config(tls::certificates(certificate)?, tls::private_key(key)?)
}

/// A TLS server that asks for no client certificate.
///
/// # Errors
/// [`ListenerError::Tls`] when certificate and key do not belong together.
pub fn server_config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Arc<ServerConfig>, ListenerError> {
    let unusable = |error: rustls::Error| ListenerError::Tls(error.to_string());
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
    Ok(Arc::new(
        builder.with_no_client_auth().with_single_cert(chain, key).map_err(unusable)?,
    ))
}

/// Serves until `shutdown` completes, and hands the registrar back with what it knows then. Every event goes to `log`.
pub async fn serve(
    listeners: Vec<Listener>,
    registrar: Registrar,
    log: impl FnMut(Event),
    shutdown: impl Future<Output = ()>,
) -> Registrar {
    let (inbox, mut facts) = mpsc::channel(INBOX);
    let mut server = Server {
        registrar,
        log,
        flows: BTreeMap::new(),
        heard: Vec::new(),
        reply: Vec::new(),
        tasks: JoinSet::new(),
    };
    server.listen(listeners, &inbox);
    tokio::pin!(shutdown);
    loop {
        let deadline = server.registrar.poll_timeout();
        tokio::select! {
            () = &mut shutdown => return server.registrar,
            Some(fact) = facts.recv() => server.take(fact),
            () = async { sleep_until(deadline.unwrap_or_else(Instant::now).into()).await }, if deadline.is_some() => {}
            Some(_ended) = server.tasks.join_next() => {}
        }
        while let Ok(fact) = facts.try_recv() {
            server.take(fact);
        }
        server.registrar.handle_timeout(Instant::now());
        server.answer();
    }
}

/// The registrar with its open flows.
struct Server<L> {
    registrar: Registrar,
    log: L,
    flows: BTreeMap<u64, Way>,
    /// Streams that wait to be answered before more is read from them.
    heard: Vec<u64>,
    reply: Vec<u8>,
    tasks: JoinSet<()>,
}

/// Where replies go.
enum Way {
    Datagrams(Arc<UdpSocket>),
    Stream {
        outbox: Outbox,
        framer: Framer,
        /// Whether the last thing in it was a line end that no message followed.
        half_ping: bool,
    },
}

impl<L: FnMut(Event)> Server<L> {
    fn listen(&mut self, listeners: Vec<Listener>, inbox: &mpsc::Sender<Fact>) {
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        // Each listener numbers its own flows.
        for (index, listener) in (0_u64..).zip(listeners) {
            let first = index << 40;
            let door = |socket, tls| Door {
                socket,
                tls,
                permits: Arc::clone(&permits),
                inbox: inbox.clone(),
            };
            match listener.socket {
                Listening::Udp(socket) => {
                    self.flows.insert(first, Way::Datagrams(Arc::clone(&socket)));
                    self.tasks.spawn(receive(FlowId(first), socket, inbox.clone()));
                }
                Listening::Tcp(socket) => drop(self.tasks.spawn(door(socket, None).accept(first))),
                Listening::Tls(socket, config) => drop(self.tasks.spawn(door(socket, Some(config.into())).accept(first))),
            }
        }
    }

    fn take(&mut self, fact: Fact) {
        match fact.what {
            What::Opened(FlowId(flow), outbox) => {
                self.flows.insert(
                    flow,
                    Way::Stream {
                        outbox,
                        framer: Framer::default(),
                        half_ping: false,
                    },
                );
            }
            What::Received(FlowId(flow), source, bytes) => self.hear(fact.at, flow, source, &bytes),
            What::Closed(FlowId(flow)) => {
                // Who has ended only its own direction still gets its replies.
                self.answer();
                self.flows.remove(&flow);
            }
        }
    }

    fn hear(&mut self, at: Instant, flow: u64, source: SocketAddr, bytes: &[u8]) {
        match self.flows.get_mut(&flow) {
            Some(Way::Datagrams(_)) => self.registrar.handle_message(
                at,
                Peer {
                    flow,
                    source,
                    reliable: false,
                },
                bytes,
            ),
            Some(Way::Stream { framer, half_ping, .. }) => {
                framer.push(bytes);
                let peer = Peer {
                    flow,
                    source,
                    reliable: true,
                };
                loop {
                    match framer.poll() {
                        Ok(Some(Frame::Message(message))) => {
                            *half_ping = false;
                            self.registrar.handle_message(at, peer, message);
                        }
                        Ok(Some(Frame::LineEnd)) => {
                            if *half_ping {
                                self.registrar.handle_message(at, peer, PING);
                            }
                            *half_ping = !*half_ping;
                        }
                        Ok(None) => return self.heard.push(flow),
                        Err(_past_saving) => break,
                    }
                }
                self.flows.remove(&flow);
            }
            None => {}
        }
    }

    fn answer(&mut self) {
        // Whoever has a reply finds what it tells of in the log.
        while let Some(event) = self.registrar.poll_event() {
            (self.log)(event);
        }
        while let Some(reply) = self.registrar.poll_reply(&mut self.reply) {
            let lost = match self.flows.get(&reply.peer.flow) {
                // What the kernel has no room for is lost: the client sends again.
                Some(Way::Datagrams(socket)) => {
                    let _ = SockRef::from(socket).send_to(&self.reply, &reply.peer.source.into());
                    false
                }
                // No more waits there than the registrar may hold itself.
                Some(Way::Stream { outbox, .. }) => !outbox.push(&self.reply),
                None => false,
            };
            if lost || (reply.then == AfterReply::Close && reply.peer.reliable) {
                self.flows.remove(&reply.peer.flow);
            }
        }
        for flow in self.heard.drain(..) {
            if let Some(Way::Stream { outbox, .. }) = self.flows.get(&flow) {
                outbox.read_on();
            }
        }
    }
}

async fn receive(flow: FlowId, socket: Arc<UdpSocket>, inbox: mpsc::Sender<Fact>) {
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        // An error here is about one peer, not about the socket.
        let Ok((length, source)) = socket.recv_from(&mut buffer).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
        if inbox.send(Fact::now(What::Received(flow, source, bytes))).await.is_err() {
            return;
        }
    }
}

/// Accepts connections, a bounded number at a time.
struct Door {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    permits: Arc<Semaphore>,
    inbox: mpsc::Sender<Fact>,
}

impl Door {
    async fn accept(self, first: u64) {
        let mut connections = JoinSet::new();
        for flow in first.. {
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
                return;
            };
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    let guest = Guest {
                        flow: FlowId(flow),
                        peer,
                        inbox: self.inbox.clone(),
                        _permit: permit,
                    };
                    connections.spawn(guest.welcome(stream, self.tls.clone()));
                }
                // Out of descriptors, mostly. Nothing tells when there are some again, and until then each attempt fails at once: without
                // a pause this would spin.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

/// A connection that came in.
struct Guest {
    flow: FlowId,
    peer: SocketAddr,
    inbox: mpsc::Sender<Fact>,
    /// Held as long as the connection lives: it counts against the most that there may be.
    _permit: OwnedSemaphorePermit,
}

impl Guest {
    async fn welcome(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let _ = stream.set_nodelay(true);
        match tls {
            None => self.serve(stream).await,
            // Whoever fails the handshake has been told by an alert.
            Some(acceptor) => {
                if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    self.serve(stream).await;
                }
            }
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite) {
        let (outbox, orders) = stream::outbox();
        let opened = What::Opened(self.flow, outbox);
        if self.inbox.send(Fact::now(opened)).await.is_ok() {
            let connection = Connection {
                flow: self.flow,
                peer: self.peer,
                stream,
            };
            connection.run(orders, self.inbox).await;
        }
    }
}

/// RFC 5626 §4.4.1.
const PING: &[u8] = b"\r\n\r\n";

/// How many connections are open at once, TCP and TLS together; more have to wait.
const CONNECTIONS: usize = 1024;

/// How long a client may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long to wait when accepting fails.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes of kernel buffer to ask for.
const RECEIVE_BUFFER: usize = 4 << 20;

/// No UDP payload is longer (RFC 768).
const LARGEST_DATAGRAM: usize = 65_535;
