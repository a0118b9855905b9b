//! A UDP proxy that loses, doubles, holds back and reorders datagrams, and a NAT whose mapping changes: what it sends goes out from
//! another port from then on, and what comes to the old one is lost.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Direction, Passing, locked};
use crate::support::port::LOOPBACK;

/// The proxy, between whoever asks it and one registrar.
pub(crate) struct Datagrams {
    core: Arc<Core>,
    address: SocketAddr,
    /// Who listens where it is asked.
    front: Option<JoinHandle<()>>,
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It passes.
    Pass,
    /// It is lost.
    Lose,
    /// It passes twice.
    Double,
    /// It passes right behind this one of that direction.
    Behind(Direction, usize),
    /// The mapping changes, then it passes.
    Rebind,
}

/// What is lost whatever the script says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nothing.
    Nothing,
    /// What goes to the registrar.
    Requests,
    /// What comes from it.
    Replies,
    /// What goes to the registrar and does not fit into one packet.
    LargeRequests,
    /// What comes from it and does not fit into one packet.
    LargeReplies,
    /// Everything.
    Everything,
}

type Script = Box<dyn FnMut(&Passing<'_>) -> Fate + Send>;

/// What the threads and the test share.
struct Core {
    registrar: SocketAddr,
    over: AtomicBool,
    state: Mutex<State>,
    news: Condvar,
    /// Who listens to the registrar: one for each mapping there was.
    backs: Mutex<Vec<JoinHandle<()>>>,
}

struct State {
    script: Script,
    cut: Cut,
    /// Where it is asked; `None` while nobody listens there.
    front: Option<Arc<UdpSocket>>,
    /// From where it asks the registrar.
    back: Arc<UdpSocket>,
    /// Who asked last: replies go there.
    client: Option<SocketAddr>,
    /// How many came: requests, replies.
    seen: [usize; 2],
    held: Vec<Held>,
}

/// A datagram that waits for another one.
struct Held {
    direction: Direction,
    bytes: Vec<u8>,
    behind: (Direction, usize),
}

impl Datagrams {
    /// A proxy to this registrar; the script is asked about every datagram.
    pub(crate) fn start(registrar: SocketAddr, script: impl FnMut(&Passing<'_>) -> Fate + Send + 'static) -> Self {
        let front = Arc::new(bound(SocketAddr::new(LOOPBACK, 0)));
        let address = front.local_addr().expect("a bound socket has an address");
        let back = Arc::new(bound(SocketAddr::new(LOOPBACK, 0)));
        let core = Arc::new(Core {
            registrar,
            over: AtomicBool::new(false),
            state: Mutex::new(State {
                script: Box::new(script),
                cut: Cut::Nothing,
                front: Some(Arc::clone(&front)),
                back: Arc::clone(&back),
                client: None,
                seen: [0; 2],
                held: Vec::new(),
            }),
            news: Condvar::new(),
            backs: Mutex::default(),
        });
        core.hear_registrar(back);
        let front = Some(core.listen(front, Direction::Request));
        Self { core, address, front }
    }

    /// Where to ask it.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From where the registrar hears it.
    pub(crate) fn seen_as(&self) -> SocketAddr {
        locked(&self.core.state).back.local_addr().expect("a bound socket has an address")
    }

    /// Loses this from now on.
    pub(crate) fn cut(&self, cut: Cut) {
        locked(&self.core.state).cut = cut;
    }

    /// Changes the mapping: the registrar hears it from another port from now on.
    pub(crate) fn rebind(&self) {
        self.core.rebind(&mut locked(&self.core.state));
    }

    /// Closes the port where it is asked: the kernel answers by ICMP that nobody is there.
    pub(crate) fn shut(&mut self) {
        let front = locked(&self.core.state).front.take();
        drop(front);
        // The thread of that port holds it until it looks up.
        if let Some(thread) = self.front.take() {
            thread.join().expect("the proxy has not failed");
        }
    }

    /// Opens that port again.
    pub(crate) fn open(&mut self) {
        let front = Arc::new(bound(self.address));
        locked(&self.core.state).front = Some(Arc::clone(&front));
        self.front = Some(self.core.listen(front, Direction::Request));
    }

    /// Waits until so many have come in this direction.
    #[track_caller]
    pub(crate) fn await_seen(&self, direction: Direction, number: usize) {
        let state = locked(&self.core.state);
        let is_missing = |state: &mut State| state.seen[direction as usize] < number;
        let waited = self.core.news.wait_timeout_while(state, WITHIN, is_missing);
        let (state, waited) = waited.expect("nobody panics with it");
        drop(state);
        assert!(!waited.timed_out(), "{direction:?} {number} has not come within {WITHIN:?}");
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.core.over.store(true, Ordering::SeqCst);
        let backs: Vec<_> = locked(&self.core.backs).drain(..).collect();
        let failed = backs
            .into_iter()
            .chain(self.front.take())
            .map(JoinHandle::join)
            .filter(Result::is_err);
        if failed.count() > 0 && !thread::panicking() {
            panic!("the script of the proxy has failed, see above");
        }
    }
}

impl Core {
    /// Takes what comes to a socket, until it is over or another socket has taken its place.
    fn listen(self: &Arc<Self>, socket: Arc<UdpSocket>, direction: Direction) -> JoinHandle<()> {
        let core = Arc::clone(self);
        thread::spawn(move || {
            let mut buffer = [0; 65_535];
            while !core.over.load(Ordering::SeqCst) {
                let came = socket.recv_from(&mut buffer);
                let mut state = locked(&core.state);
                if !state.listens(&socket, direction) {
                    return;
                }
                // An ICMP error of somebody who has gone shows here as well, and is nobody's business.
                if let Ok((length, from)) = came {
                    core.handle(&mut state, direction, from, &buffer[..length]);
                }
            }
        })
    }

    fn handle(self: &Arc<Self>, state: &mut State, direction: Direction, from: SocketAddr, bytes: &[u8]) {
        if direction == Direction::Request {
            state.client = Some(from);
        }
        let number = state.seen[direction as usize] + 1;
        let passing = Passing {
            direction,
            number,
            connection: 0,
            bytes,
        };
        let fate = if state.cut.loses(direction, bytes.len()) {
            Fate::Lose
        } else {
            (state.script)(&passing)
        };
        match fate {
            Fate::Pass => state.pass(self.registrar, direction, bytes),
            Fate::Lose => {}
            Fate::Double => {
                state.pass(self.registrar, direction, bytes);
                state.pass(self.registrar, direction, bytes);
            }
            Fate::Behind(other, count) => state.held.push(Held {
                direction,
                bytes: bytes.to_vec(),
                behind: (other, count),
            }),
            Fate::Rebind => {
                self.rebind(state);
                state.pass(self.registrar, direction, bytes);
            }
        }
        state.seen[direction as usize] = number;
        state.release(self.registrar);
        self.news.notify_all();
    }

    fn hear_registrar(self: &Arc<Self>, back: Arc<UdpSocket>) {
        let thread = self.listen(back, Direction::Reply);
        locked(&self.backs).push(thread);
    }

    fn rebind(self: &Arc<Self>, state: &mut State) {
        let back = Arc::new(bound(SocketAddr::new(LOOPBACK, 0)));
        state.back = Arc::clone(&back);
        self.hear_registrar(back);
    }
}

impl State {
    /// Whether what comes to this socket still counts.
    fn listens(&self, socket: &Arc<UdpSocket>, direction: Direction) -> bool {
        match direction {
            Direction::Request => self.front.as_ref().is_some_and(|front| Arc::ptr_eq(front, socket)),
            Direction::Reply => Arc::ptr_eq(&self.back, socket),
        }
    }

    /// Sends it on. Nobody may be there any more.
    fn pass(&self, registrar: SocketAddr, direction: Direction, bytes: &[u8]) {
        match (direction, &self.front, self.client) {
            (Direction::Request, _, _) => drop(self.back.send_to(bytes, registrar)),
            (Direction::Reply, Some(front), Some(client)) => drop(front.send_to(bytes, client)),
            (Direction::Reply, None, _) | (Direction::Reply, _, None) => {}
        }
    }

    /// Sends on what waited for something that has come.
    fn release(&mut self, registrar: SocketAddr) {
        let seen = self.seen;
        let is_due = |held: &mut Held| seen[held.behind.0 as usize] >= held.behind.1;
        let due: Vec<Held> = self.held.extract_if(.., is_due).collect();
        for held in due {
            self.pass(registrar, held.direction, &held.bytes);
        }
    }
}

impl Cut {
    fn loses(self, direction: Direction, length: usize) -> bool {
        match self {
            Self::Nothing => false,
            Self::Requests => direction == Direction::Request,
            Self::Replies => direction == Direction::Reply,
            Self::LargeRequests => direction == Direction::Request && length > ONE_PACKET,
            Self::LargeReplies => direction == Direction::Reply && length > ONE_PACKET,
            Self::Everything => true,
        }
    }
}

fn bound(address: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("the loopback interface has a free port");
    socket.set_read_timeout(Some(LOOK_UP_EVERY)).expect("the time is not zero");
    socket
}

/// What an Ethernet frame leaves for a datagram, behind the headers of IPv4 and UDP.
const ONE_PACKET: usize = 1500 - 20 - 8;

const LOOK_UP_EVERY: Duration = Duration::from_millis(20);
const WITHIN: Duration = Duration::from_secs(15);
