//! A peer that lies: a script of the test's own decides about every byte that goes back. It listens on a free loopback port, and
//! ends with its value: whatever it is doing then, a flood or an endless header, stops. It shares no code with the crates under
//! test. Not for well-behaved registrars and their faults: those are `regprobe registrar`'s and SIPp's.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::libc::linger;
use nix::sys::socket::{setsockopt, sockopt};

use super::port::LOOPBACK;
use super::sip_client::header;

/// The peer. A script that panics fails the test that dropped it.
#[derive(Debug)]
pub(crate) struct Hostile {
    address: SocketAddr,
    stage: Arc<Stage>,
    thread: Option<JoinHandle<()>>,
}

/// What the peer's thread and the test share.
#[derive(Debug)]
struct Stage {
    over: AtomicBool,
    ends_at: Instant,
    requests: Mutex<Vec<Request>>,
    connection: Mutex<Option<TcpStream>>,
}

impl Hostile {
    /// A UDP peer; the script is called for every datagram, retransmissions included.
    pub(crate) fn udp(mut script: impl FnMut(&Request, &Line<'_>) + Send + 'static) -> Self {
        let socket = UdpSocket::bind((LOOPBACK, 0)).expect("the loopback interface has a free port");
        socket.set_read_timeout(Some(LOOK_UP_EVERY)).expect("the time is not zero");
        let address = socket.local_addr().expect("a bound socket has an address");
        Self::start(address, move |stage| {
            let mut buffer = [0; 65_535];
            while !stage.is_over() {
                // An ICMP error of a client that has ended shows here as well, and is nobody's business.
                let Ok((length, client)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                let request = stage.note(&buffer[..length], client);
                script(
                    &request,
                    &Line {
                        socket: &socket,
                        client,
                        stage,
                    },
                );
            }
        })
    }

    /// A TCP peer; the script is called for every connection, one after the other.
    pub(crate) fn tcp(mut script: impl FnMut(&mut Connection<'_>) + Send + 'static) -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        Self::start(address, move |stage| {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                stage.hold(&stream);
                if stage.is_over() {
                    return;
                }
                stream.set_nodelay(true).expect("a TCP stream takes it");
                script(&mut Connection {
                    stream,
                    read: Vec::new(),
                    stage,
                });
                // With the second handle the connection would stay open.
                stage.release();
            }
        })
    }

    /// A TCP peer that answers requests as a UDP one would: the script gives the bytes for each of them.
    pub(crate) fn answering(mut script: impl FnMut(&Request) -> Vec<u8> + Send + 'static) -> Self {
        Self::tcp(move |connection| {
            while let Some(request) = connection.request() {
                connection.send(script(&request));
            }
        })
    }

    fn start(address: SocketAddr, play: impl FnOnce(&Stage) + Send + 'static) -> Self {
        let stage = Arc::new(Stage {
            over: AtomicBool::new(false),
            ends_at: Instant::now() + AT_MOST,
            requests: Mutex::default(),
            connection: Mutex::default(),
        });
        let shared = Arc::clone(&stage);
        let thread = thread::spawn(move || play(&shared));
        Self {
            address,
            stage,
            thread: Some(thread),
        }
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has received so far, retransmissions included.
    pub(crate) fn requests(&self) -> Vec<Request> {
        locked(&self.stage.requests).clone()
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.stage.over.store(true, Ordering::SeqCst);
        if let Some(connection) = locked(&self.stage.connection).take() {
            // Whatever it reads or writes ends now. The client may have closed it already.
            let _ = connection.shutdown(Shutdown::Both);
        }
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
        // Wakes a listener; nobody accepts it for UDP, which looks up by itself.
        let _ = TcpStream::connect(self.address);
        let played = self.thread.take().map(JoinHandle::join);
        if matches!(played, Some(Err(_))) && !thread::panicking() {
            panic!("the script of the hostile peer has failed, see above");
        }
    }
}

impl Stage {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst) || Instant::now() > self.ends_at
    }

    /// Keeps a second handle on the stream, with which the test can end it.
    fn hold(&self, stream: &TcpStream) {
        *locked(&self.connection) = stream.try_clone().ok();
    }

    fn release(&self) {
        drop(locked(&self.connection).take());
    }

    fn note(&self, bytes: &[u8], client: SocketAddr) -> Request {
        let mut requests = locked(&self.requests);
        let branch = |request: &Request| request.header("Via").to_owned();
        let mut request = Request {
            bytes: bytes.to_vec(),
            text: String::from_utf8_lossy(bytes).into_owned(),
            turn: 0,
            client,
        };
        let via = branch(&request);
        let known = requests.iter().find(|known| branch(known) == via).map(|known| known.turn);
        let next = requests.iter().map(|request| request.turn + 1).max().unwrap_or_default();
        request.turn = known.unwrap_or(next);
        requests.push(request.clone());
        request
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    text: String,
    /// How many other requests came before it. A retransmission has the turn of its request.
    pub(crate) turn: usize,
    /// From where it came.
    pub(crate) client: SocketAddr,
}

impl Request {
    /// The value of a header that it has.
    pub(crate) fn header(&self, name: &str) -> &str {
        header(&self.text, name).unwrap_or_else(|| panic!("{name} is missing in {}", self.text))
    }

    /// Whether it has this header.
    pub(crate) fn has(&self, name: &str) -> bool {
        header(&self.text, name).is_some()
    }

    /// Whether a challenge is answered in it.
    pub(crate) fn has_credentials(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        text.contains("authorization") || text.contains("digest ")
    }

    /// Whether it asks for the removal of a binding.
    pub(crate) fn removes(&self) -> bool {
        header(&self.text, "Expires") == Some("0")
    }

    /// The host and port in its address-of-record: where the tests' accounts have their peer.
    pub(crate) fn server(&self) -> &str {
        let aor = self.header("To").trim_start_matches("<sip:alice@");
        aor.split(['>', ';']).next().unwrap_or_default()
    }

    /// A reply to it, with these headers more, each with its line end.
    pub(crate) fn reply(&self, status: &str, headers: &str) -> Vec<u8> {
        let echoed = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| {
            let tag = if name == "To" { ";tag=hostile" } else { "" };
            format!("{name}: {}{tag}\r\n", self.header(name))
        });
        format!("SIP/2.0 {status}\r\n{}{headers}Content-Length: 0\r\n\r\n", echoed.concat()).into_bytes()
    }

    /// 200 with exactly what was asked for, and these headers more.
    pub(crate) fn granted_with(&self, headers: &str) -> Vec<u8> {
        let contact = if self.removes() || !self.has("Contact") {
            String::new()
        } else {
            format!("Contact: {}\r\n", self.header("Contact"))
        };
        self.reply("200 OK", &(contact + headers))
    }

    /// 200 with exactly what was asked for.
    pub(crate) fn granted(&self) -> Vec<u8> {
        self.granted_with("")
    }

    /// 401 with this challenge.
    pub(crate) fn challenged(&self, challenge: &str) -> Vec<u8> {
        self.reply("401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n"))
    }
}

/// The way back to the sender of a datagram.
pub(crate) struct Line<'a> {
    socket: &'a UdpSocket,
    client: SocketAddr,
    stage: &'a Stage,
}

impl Line<'_> {
    /// Sends one datagram from the address that the client has asked.
    pub(crate) fn send(&self, datagram: impl AsRef<[u8]>) {
        // The client may have ended.
        let _ = self.socket.send_to(datagram.as_ref(), self.client);
    }

    /// Sends one datagram from another address.
    pub(crate) fn send_from_elsewhere(&self, datagram: impl AsRef<[u8]>) {
        let other = UdpSocket::bind((LOOPBACK, 0)).expect("the loopback interface has a free port");
        let _ = other.send_to(datagram.as_ref(), self.client);
    }

    /// Whether the test has had enough.
    pub(crate) fn is_over(&self) -> bool {
        self.stage.is_over()
    }
}

/// One TCP connection.
pub(crate) struct Connection<'a> {
    stream: TcpStream,
    read: Vec<u8>,
    stage: &'a Stage,
}

impl Connection<'_> {
    /// The next request; `None` when the client has gone, or the test has had enough.
    pub(crate) fn request(&mut self) -> Option<Request> {
        // A REGISTER has no body.
        let request = self.head()?;
        let client = self.stream.peer_addr().ok()?;
        Some(self.stage.note(&request, client))
    }

    /// The next bytes up to an empty line, of SIP, HTTP or whatever else; `None` as for [`Self::request`].
    pub(crate) fn head(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 4096];
        loop {
            let end = self.read.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                return Some(self.read.drain(..end + 4).collect());
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => self.read.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }

    /// Sends bytes; false when nobody takes them any more.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        !self.stage.is_over() && self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends bytes one at a time, so slowly that each arrives by itself.
    pub(crate) fn drip(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        bytes.as_ref().iter().all(|byte| {
            // Its end wakes it up.
            thread::park_timeout(DRIP_EVERY);
            self.send([*byte])
        })
    }

    /// Sends the same again and again until nobody takes it any more.
    pub(crate) fn send_for_ever(&mut self, bytes: impl AsRef<[u8]>) {
        while self.send(bytes.as_ref()) {}
    }

    /// Says nothing until the client has gone.
    pub(crate) fn stay_silent(&mut self) {
        let mut buffer = [0; 4096];
        while matches!(self.stream.read(&mut buffer), Ok(length) if length > 0) {}
    }

    /// The connection will end with a RST instead of a FIN.
    pub(crate) fn reset_at_end(&self) {
        let at_once = linger { l_onoff: 1, l_linger: 0 };
        setsockopt(&self.stream, sockopt::Linger, &at_once).expect("a TCP stream takes it");
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// No script plays longer.
const AT_MOST: Duration = Duration::from_secs(60);
const LOOK_UP_EVERY: Duration = Duration::from_millis(20);
const DRIP_EVERY: Duration = Duration::from_micros(500);

/// A third of the time that a probe of these tests has.
const HESITATION: Duration = Duration::from_millis(700);

/// Holds a reply back, as a slow peer does.
pub(crate) fn hesitate() {
    // The pace of this peer, not a wait for anything.
    thread::sleep(HESITATION);
}
