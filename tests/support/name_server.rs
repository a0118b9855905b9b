//! A name server that lies: a script of the test's own decides about every answer, over UDP and over TCP on one free loopback port. It
//! writes its messages byte by byte (RFC 1035 §4) and shares no code with the crates under test. It ends with its value. Not for
//! well-behaved zones: those are dnsmasq's.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::port::LOOPBACK;

/// The name server.
#[derive(Debug)]
pub(crate) struct NameServer {
    address: SocketAddr,
    stage: Arc<Stage>,
    threads: Vec<JoinHandle<()>>,
}

/// What its threads and the test share.
#[derive(Debug, Default)]
struct Stage {
    over: AtomicBool,
    asked: Mutex<Vec<(u16, String)>>,
    connections: Mutex<Vec<TcpStream>>,
}

/// A question as it came.
#[derive(Debug)]
pub(crate) struct Question {
    /// What is asked for; see [`kind`].
    pub(crate) kind: u16,
    /// Of which name, in lower case and without the final dot.
    pub(crate) name: String,
    /// How often the same was asked before.
    pub(crate) turn: usize,
    /// Whether it came over TCP.
    pub(crate) by_stream: bool,
    /// Its message up to the end of the question, from the identifier on.
    head: Vec<u8>,
}

/// What becomes of a question.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// These bytes.
    Message(Vec<u8>),
    /// Over TCP the first half of them, and then silence.
    Half(Vec<u8>),
    /// Nothing.
    Silence,
    /// Over TCP the connection ends.
    Hangup,
}

/// The types of records (RFC 1035 §3.2.2, RFC 2782, RFC 3403, RFC 3596).
pub(crate) mod kind {
    pub(crate) const A: u16 = 1;
    pub(crate) const CNAME: u16 = 5;
    pub(crate) const AAAA: u16 = 28;
    pub(crate) const SRV: u16 = 33;
    pub(crate) const NAPTR: u16 = 35;
}

type Script = dyn FnMut(&Question) -> Answer + Send;

impl NameServer {
    /// Starts one; the script is called for every question, those that are asked again included.
    pub(crate) fn start(script: impl FnMut(&Question) -> Answer + Send + 'static) -> Self {
        // A port that is free for both.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind((LOOPBACK, 0)).expect("the loopback interface has a free port");
            let address = udp.local_addr().expect("a bound socket has an address");
            if let Ok(tcp) = TcpListener::bind(address) {
                break (udp, tcp);
            }
        };
        udp.set_read_timeout(Some(LOOK_UP_EVERY)).expect("the time is not zero");
        let address = udp.local_addr().expect("a bound socket has an address");
        let stage = Arc::new(Stage::default());
        let script: Arc<Mutex<Box<Script>>> = Arc::new(Mutex::new(Box::new(script)));
        let (theirs, same) = ((Arc::clone(&stage), Arc::clone(&script)), (Arc::clone(&stage), script));
        let threads = vec![
            thread::spawn(move || by_datagrams(&udp, &theirs.0, &theirs.1)),
            thread::spawn(move || by_streams(&tcp, &same.0, &same.1)),
        ];
        Self { address, stage, threads }
    }

    /// For `--dns`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// How many questions have come so far.
    pub(crate) fn asked(&self) -> usize {
        locked(&self.stage.asked).len()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stage.over.store(true, Ordering::SeqCst);
        for connection in locked(&self.stage.connections).drain(..) {
            // The client may have closed it already.
            let _ = connection.shutdown(Shutdown::Both);
        }
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        let failed = self.threads.drain(..).filter_map(|thread| thread.join().err()).count();
        if failed > 0 && !thread::panicking() {
            panic!("the script of the name server has failed, see above");
        }
    }
}

impl Stage {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn question(&self, message: &[u8], by_stream: bool) -> Option<Question> {
        let mut name = Vec::new();
        let mut at = HEADER;
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            name.push(String::from_utf8_lossy(message.get(at..at + length)?).to_ascii_lowercase());
            at += length;
        }
        let kind = u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]);
        let name = name.join(".");
        let mut asked = locked(&self.asked);
        let same = (kind, name.clone());
        let turn = asked.iter().filter(|known| **known == same).count();
        asked.push(same);
        Some(Question {
            kind,
            name,
            turn,
            by_stream,
            head: message.get(..at + 4)?.to_vec(),
        })
    }
}

impl Question {
    /// Whether it is this one.
    pub(crate) fn asks(&self, kind: u16, name: &str) -> bool {
        self.kind == kind && self.name == name
    }

    /// An answer of these records; each is made by [`record`] or its kin.
    pub(crate) fn answered(&self, records: &[Vec<u8>]) -> Vec<u8> {
        self.message(0x8180, records)
    }

    /// An answer of records where there are some, and otherwise that the name does not exist.
    pub(crate) fn answered_or_unknown(&self, records: &[Vec<u8>]) -> Answer {
        Answer::Message(self.message(if records.is_empty() { 0x8183 } else { 0x8180 }, records))
    }

    /// An answer without records that has this response code (RFC 1035 §4.1.1).
    pub(crate) fn refused(&self, code: u16) -> Vec<u8> {
        self.message(0x8180 | code, &[])
    }

    /// An answer that says that it was cut off (RFC 1035 §4.1.1, TC).
    pub(crate) fn cut_off(&self) -> Vec<u8> {
        self.message(0x8380, &[])
    }

    fn message(&self, flags: u16, records: &[Vec<u8>]) -> Vec<u8> {
        let count = u16::try_from(records.len()).expect("a message counts its records in 16 bits");
        let mut message = self.head.clone();
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        message[4..12].copy_from_slice(&[[0, 1], count.to_be_bytes(), [0, 0], [0, 0]].concat());
        message.extend(records.iter().flatten());
        message
    }
}

/// A record of the name that was asked for.
pub(crate) fn record(kind: u16, time_to_live: u32, data: &[u8]) -> Vec<u8> {
    // RFC 1035 §4.1.4: a pointer to the question's name.
    record_of(&[0xc0, HEADER as u8], kind, time_to_live, data)
}

/// A record of any name, which is written already.
pub(crate) fn record_of(owner: &[u8], kind: u16, time_to_live: u32, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("a record has 64 KiB at most");
    let kind_and_class = [kind.to_be_bytes(), [0, 1]].concat();
    [owner, &kind_and_class, &time_to_live.to_be_bytes(), &length.to_be_bytes(), data].concat()
}

/// An address, of either family.
pub(crate) fn address(address: &str) -> Vec<u8> {
    match address.parse().expect("it is an address") {
        std::net::IpAddr::V4(address) => record(kind::A, 60, &address.octets()),
        std::net::IpAddr::V6(address) => record(kind::AAAA, 60, &address.octets()),
    }
}

/// A place where a service is (RFC 2782).
pub(crate) fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Vec<u8> {
    let numbers = [priority, weight, port].map(u16::to_be_bytes).concat();
    record(kind::SRV, 60, &[numbers, name(target)].concat())
}

/// A pointer to services (RFC 3403 §4).
pub(crate) fn naptr(order: u16, flags: &str, service: &str, replacement: &str) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    let numbers = [order, 1].map(u16::to_be_bytes).concat();
    let data = [numbers, text(flags), text(service), text(""), name(replacement)].concat();
    record(kind::NAPTR, 60, &data)
}

/// Another name for the one that was asked for.
pub(crate) fn alias(target: &str) -> Vec<u8> {
    record(kind::CNAME, 60, &name(target))
}

/// A name as it is written, without compression.
pub(crate) fn name(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut bytes: Vec<u8> = labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    bytes.push(0);
    bytes
}

fn by_datagrams(socket: &UdpSocket, stage: &Stage, script: &Mutex<Box<Script>>) {
    let mut buffer = [0; 65_535];
    while !stage.is_over() {
        let Ok((length, client)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        let Some(question) = stage.question(&buffer[..length], false) else {
            continue;
        };
        let answer = locked(script)(&question);
        match answer {
            Answer::Message(message) | Answer::Half(message) => {
                // The client may have ended.
                let _ = socket.send_to(&message, client);
            }
            Answer::Silence | Answer::Hangup => {}
        }
    }
}

fn by_streams(listener: &TcpListener, stage: &Stage, script: &Mutex<Box<Script>>) {
    thread::scope(|scope| {
        for stream in listener.incoming() {
            if stage.is_over() {
                return;
            }
            let Ok(stream) = stream else { continue };
            if let Ok(handle) = stream.try_clone() {
                locked(&stage.connections).push(handle);
            }
            // A connection that breaks is the client's business.
            scope.spawn(move || converse(stream, stage, script));
        }
    });
}

fn converse(mut stream: TcpStream, stage: &Stage, script: &Mutex<Box<Script>>) -> std::io::Result<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut message = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut message)?;
        let Some(question) = stage.question(&message, true) else {
            return Ok(());
        };
        let answer = locked(script)(&question);
        let (message, end) = match answer {
            Answer::Message(message) => (message.clone(), message.len()),
            Answer::Half(message) => (message.clone(), message.len() / 2),
            Answer::Silence => continue,
            Answer::Hangup => return stream.shutdown(Shutdown::Both),
        };
        let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(&message[..end])?;
    }
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The length of a message's header, in bytes (RFC 1035 §4.1.1).
const HEADER: usize = 12;
const LOOK_UP_EVERY: Duration = Duration::from_millis(20);
