//! A gate between the program and its registrar that holds one message of an exchange, known by what it is and not by when it comes, and
//! says so. What it held goes on later, or never. Not for the network's other faults: see `support::proxy`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::port::LOOPBACK;
use crate::support::sip_client::header;

/// The messages of a probe against a registrar that takes each nonce once, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// REGISTER without credentials.
    Register,
    /// Its 401.
    Challenge,
    /// REGISTER with credentials.
    Answer,
    /// Its 200: the binding is there.
    Bound,
    /// The removal.
    Removal,
    /// Its 401.
    RemovalChallenge,
    /// The removal with fresh credentials.
    RemovalAnswer,
    /// Its 200: the binding is gone.
    Removed,
}

/// What is held beside the message and its retransmissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// Nothing: the network was slow with this one. On a stream, what is behind it.
    Message,
    /// Everything from then on, both ways: the network is gone.
    Way,
}

/// What becomes of what was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives after all, in its order.
    Delivered,
    /// It is lost.
    Lost,
}

/// How the program and the registrar speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

impl Transport {
    /// As `--transport` has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// The gate. It ends with its value.
pub(crate) struct Gate {
    address: SocketAddr,
    core: Arc<Core>,
    thread: Option<JoinHandle<()>>,
}

/// Which message is held: the one of this user at this step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold<'a> {
    /// The user part of the AOR.
    pub(crate) user: &'a str,
    /// The message.
    pub(crate) step: Step,
    /// And what beside it.
    pub(crate) width: Width,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    ToRegistrar,
    ToProgram,
}

/// Call-ID and CSeq: which transaction a message belongs to.
type Transaction = (String, String);

struct Core {
    registrar: SocketAddr,
    user: String,
    step: Step,
    width: Width,
    over: AtomicBool,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    /// What each transaction of the user is.
    requests: BTreeMap<Transaction, Step>,
    /// The transactions that the registrar has answered.
    answered: BTreeSet<Transaction>,
    /// The transaction that is held, and in which direction.
    held: Option<(Way, Transaction)>,
    queue: Vec<(Way, String, Outlet)>,
    /// Nothing is held any more.
    open: bool,
}

/// Where a message goes on.
#[derive(Clone)]
enum Outlet {
    Datagram(Arc<UdpSocket>, SocketAddr),
    Stream(Arc<TcpStream>),
}

impl Outlet {
    fn send(&self, message: &str) {
        // The program may be gone.
        let _ = match self {
            Self::Datagram(socket, to) => socket.send_to(message.as_bytes(), to).map(drop),
            Self::Stream(stream) => (&**stream).write_all(message.as_bytes()),
        };
    }
}

impl Gate {
    /// A gate to this registrar.
    pub(crate) fn start(transport: Transport, registrar: SocketAddr, hold: Hold<'_>) -> Self {
        let core = Arc::new(Core {
            registrar,
            user: format!("sip:{}@", hold.user),
            step: hold.step,
            width: hold.width,
            over: AtomicBool::new(false),
            state: Mutex::default(),
            news: Condvar::new(),
        });
        let inner = Arc::clone(&core);
        let (address, thread) = match transport {
            Transport::Udp => {
                let front = Arc::new(datagrams());
                let address = front.local_addr().unwrap();
                (address, thread::spawn(move || inner.pass_datagrams(&front)))
            }
            Transport::Tcp => {
                let listener = TcpListener::bind((LOOPBACK, 0)).unwrap();
                let address = listener.local_addr().unwrap();
                (address, thread::spawn(move || inner.pass_streams(&listener)))
            }
        };
        Self {
            address,
            core,
            thread: Some(thread),
        }
    }

    /// Where to ask it.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the message has come and is held.
    #[track_caller]
    pub(crate) fn await_held(&self) {
        self.await_queued(1);
    }

    /// Waits until so many messages are held.
    #[track_caller]
    pub(crate) fn await_queued(&self, count: usize) {
        let is_missing = |state: &mut State| state.queue.len() < count;
        let (state, waited) = self.core.news.wait_timeout_while(self.core.locked(), WITHIN, is_missing).unwrap();
        drop(state);
        assert!(!waited.timed_out(), "{:?} of {} has not come", self.core.step, self.core.user);
    }

    /// Opens. What was held is delivered in its order and once, and the registrar has answered it; or it is lost.
    #[track_caller]
    pub(crate) fn open(&self, fate: Fate) {
        let mut state = self.core.locked();
        state.open = true;
        let held = std::mem::take(&mut state.queue);
        if fate == Fate::Lost {
            return;
        }
        let mut delivered = BTreeSet::new();
        for (way, message, outlet) in held {
            if !delivered.insert(message.clone()) {
                continue;
            }
            outlet.send(&message);
            if way == Way::ToRegistrar {
                let transaction = transaction(&message);
                let is_missing = |state: &mut State| !state.answered.contains(&transaction);
                let (later, waited) = self.core.news.wait_timeout_while(state, WITHIN, is_missing).unwrap();
                assert!(!waited.timed_out(), "the registrar has not answered {message}");
                state = later;
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.core.over.store(true, Ordering::SeqCst);
        // Wakes a listener.
        drop(TcpStream::connect(self.address));
        let passed = self.thread.take().map(JoinHandle::join);
        if matches!(passed, Some(Err(_))) && !thread::panicking() {
            panic!("the gate has failed, see above");
        }
    }
}

impl Core {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn pass_datagrams(&self, front: &Arc<UdpSocket>) {
        let back = Arc::new(datagrams());
        let program = Mutex::new(None);
        thread::scope(|scope| {
            scope.spawn(|| {
                while let Some((message, _)) = self.next_datagram(&back) {
                    if let Some(program) = *program.lock().unwrap() {
                        self.take(Way::ToProgram, message, &Outlet::Datagram(Arc::clone(front), program));
                    }
                }
            });
            while let Some((message, from)) = self.next_datagram(front) {
                *program.lock().unwrap() = Some(from);
                self.take(Way::ToRegistrar, message, &Outlet::Datagram(Arc::clone(&back), self.registrar));
            }
        });
    }

    /// The next datagram; nothing when it is over. An ICMP error of somebody who has gone is nobody's business.
    fn next_datagram(&self, socket: &UdpSocket) -> Option<(String, SocketAddr)> {
        let mut buffer = [0; 65_535];
        while !self.is_over() {
            if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                return Some((text(&buffer[..length]), from));
            }
        }
        None
    }

    fn pass_streams(&self, listener: &TcpListener) {
        thread::scope(|scope| {
            for program in listener.incoming() {
                let program = program.unwrap();
                if self.is_over() {
                    return;
                }
                let registrar = Arc::new(TcpStream::connect(self.registrar).unwrap());
                let program = Arc::new(program);
                for (way, from, to) in [
                    (Way::ToRegistrar, Arc::clone(&program), Arc::clone(&registrar)),
                    (Way::ToProgram, registrar, program),
                ] {
                    from.set_read_timeout(Some(LOOK_UP_EVERY)).unwrap();
                    scope.spawn(move || self.pass_stream(way, &from, to));
                }
            }
        });
    }

    /// Cuts a stream into its messages, which have no bodies here. Who has gone closes nothing: what was held may still arrive.
    fn pass_stream(&self, way: Way, from: &TcpStream, to: Arc<TcpStream>) {
        let outlet = Outlet::Stream(to);
        let (mut held, mut buffer) = (Vec::new(), [0; 65_535]);
        while !self.is_over() {
            match (&*from).read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => held.extend_from_slice(&buffer[..length]),
                Err(error) if is_pause(&error) => continue,
                Err(_) => return,
            }
            while let Some(end) = held.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let message = text(&held.drain(..end + 4).collect::<Vec<_>>());
                self.take(way, message, &outlet);
            }
        }
    }

    /// Passes a message on, or holds it.
    fn take(&self, way: Way, message: String, outlet: &Outlet) {
        let mut state = self.locked();
        let transaction = transaction(&message);
        let step = message
            .contains(&self.user)
            .then(|| state.step(way, &message, &transaction))
            .flatten();
        if way == Way::ToProgram {
            state.answered.insert(transaction.clone());
        }
        let (is_first, is_open) = (state.held.is_none(), state.open);
        if is_first && !is_open && step == Some(self.step) {
            state.held = Some((way, transaction.clone()));
        }
        let is_stream = matches!(outlet, Outlet::Stream(_));
        let is_held = state.held.as_ref().is_some_and(|(held, which)| {
            let behind = is_stream && *held == way;
            self.width == Width::Way || behind || (*held == way && *which == transaction)
        });
        if is_held && !is_open {
            state.queue.push((way, message, outlet.clone()));
        } else {
            outlet.send(&message);
        }
        drop(state);
        self.news.notify_all();
    }
}

impl State {
    /// What a message of the user is; a reply is known by its request.
    fn step(&mut self, way: Way, message: &str, transaction: &Transaction) -> Option<Step> {
        match way {
            Way::ToRegistrar => {
                let known = self.requests.get(transaction).copied();
                let step = known.unwrap_or_else(|| self.request(message));
                self.requests.insert(transaction.clone(), step);
                Some(step)
            }
            Way::ToProgram => match (self.requests.get(transaction)?, message.split(' ').nth(1)?) {
                (Step::Register, "401") => Some(Step::Challenge),
                (Step::Answer, "200") => Some(Step::Bound),
                (Step::Removal, "401") => Some(Step::RemovalChallenge),
                (Step::Removal | Step::RemovalAnswer, "200") => Some(Step::Removed),
                _ => None,
            },
        }
    }

    fn request(&self, message: &str) -> Step {
        let removes = header(message, "Expires") == Some("0") || message.contains(";expires=0");
        let is_first = !self.requests.values().any(|step| *step == Step::Removal);
        match (removes, header(message, "Authorization")) {
            (false, None) => Step::Register,
            (false, Some(_)) => Step::Answer,
            (true, _) if is_first => Step::Removal,
            (true, _) => Step::RemovalAnswer,
        }
    }
}

fn transaction(message: &str) -> Transaction {
    let value = |name| header(message, name).unwrap_or_default().to_owned();
    (value("Call-ID"), value("CSeq"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("neither of them sends anything but UTF-8 here")
}

fn datagrams() -> UdpSocket {
    let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    socket.set_read_timeout(Some(LOOK_UP_EVERY)).unwrap();
    socket
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

const LOOK_UP_EVERY: Duration = Duration::from_millis(10);
const WITHIN: Duration = Duration::from_secs(20);
