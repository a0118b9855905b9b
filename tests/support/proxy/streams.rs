//! A TCP proxy that resets, ends, or goes silent in the middle of a connection, whatever travels on it: of TLS it sees records.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, JoinHandle};

use nix::libc::linger;
use nix::sys::socket::{setsockopt, sockopt};

use super::{Direction, Passing, locked};
use crate::support::port::LOOPBACK;

/// The proxy, between whoever connects to it and one registrar.
pub(crate) struct Streams {
    core: Arc<Core>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

/// What becomes of what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It passes.
    Pass,
    /// It is lost, and the program gets a RST.
    Reset,
    /// It is lost, and the program gets a FIN.
    End,
    /// It is lost, and so is everything else on this connection, in both directions: the other end has vanished without a word.
    Vanish,
}

type Script = Box<dyn FnMut(&Passing<'_>) -> Fate + Send>;

/// What the threads and the test share.
struct Core {
    registrar: SocketAddr,
    over: AtomicBool,
    script: Mutex<Script>,
    /// Every connection, as long as it is there.
    pairs: Mutex<Vec<Weak<Pair>>>,
}

/// A connection of the program, and the one to the registrar that belongs to it. It is closed when its last thread has ended.
struct Pair {
    number: usize,
    front: TcpStream,
    back: TcpStream,
    vanished: AtomicBool,
    forgotten: AtomicBool,
    seen: [AtomicUsize; 2],
}

impl Streams {
    /// A proxy to this registrar; the script is asked about each connection, and about everything that comes on one.
    pub(crate) fn start(registrar: SocketAddr, script: impl FnMut(&Passing<'_>) -> Fate + Send + 'static) -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let core = Arc::new(Core {
            registrar,
            over: AtomicBool::new(false),
            script: Mutex::new(Box::new(script)),
            pairs: Mutex::default(),
        });
        let theirs = Arc::clone(&core);
        Self {
            core,
            address,
            thread: Some(thread::spawn(move || theirs.serve(&listener))),
        }
    }

    /// Where to connect to.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The other end of every connection vanishes without a word.
    pub(crate) fn vanish(&self) {
        for pair in self.core.pairs() {
            pair.vanished.store(true, Ordering::SeqCst);
        }
    }

    /// The other end of every connection knows nothing of it any more: what is written next is answered with a RST.
    pub(crate) fn forget(&self) {
        for pair in self.core.pairs() {
            pair.forgotten.store(true, Ordering::SeqCst);
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.core.over.store(true, Ordering::SeqCst);
        for pair in self.core.pairs() {
            pair.end();
        }
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        let served = self.thread.take().map(JoinHandle::join);
        if matches!(served, Some(Err(_))) && !thread::panicking() {
            panic!("the script of the proxy has failed, see above");
        }
    }
}

impl Core {
    fn serve(self: &Arc<Self>, listener: &TcpListener) {
        thread::scope(|scope| {
            for (number, front) in (1..).zip(listener.incoming()) {
                if self.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(front) = front else { continue };
                let Some(pair) = self.pair(number, front) else { continue };
                locked(&self.pairs).push(Arc::downgrade(&pair));
                let other = Arc::clone(&pair);
                scope.spawn(move || self.carry(&pair, Direction::Request));
                scope.spawn(move || self.carry(&other, Direction::Reply));
            }
        });
    }

    /// Takes a connection on, if the script does and the registrar is there.
    fn pair(&self, number: usize, front: TcpStream) -> Option<Arc<Pair>> {
        let passing = Passing {
            direction: Direction::Request,
            number: 0,
            connection: number,
            bytes: &[],
        };
        let fate = (locked(&self.script))(&passing);
        let back = TcpStream::connect(self.registrar).ok()?;
        front.set_nodelay(true).ok()?;
        back.set_nodelay(true).ok()?;
        let pair = Pair {
            number,
            front,
            back,
            vanished: AtomicBool::new(fate == Fate::Vanish),
            forgotten: AtomicBool::new(false),
            seen: [const { AtomicUsize::new(0) }; 2],
        };
        match fate {
            Fate::Pass | Fate::Vanish => Some(Arc::new(pair)),
            Fate::End => None,
            Fate::Reset => {
                pair.reset_at_end();
                None
            }
        }
    }

    /// Carries one direction until either end closes or the script has had enough. A FIN is passed on.
    fn carry(&self, pair: &Pair, direction: Direction) {
        let (mut from, mut to) = match direction {
            Direction::Request => (&pair.front, &pair.back),
            Direction::Reply => (&pair.back, &pair.front),
        };
        let mut buffer = [0; 65_536];
        loop {
            let Some(length) = from.read(&mut buffer).ok().filter(|length| *length > 0) else {
                if !pair.vanished.load(Ordering::SeqCst) {
                    let _ = to.shutdown(Shutdown::Write);
                }
                return;
            };
            match self.fate(pair, direction, &buffer[..length]) {
                // Nobody may be there any more.
                Fate::Pass => drop(to.write_all(&buffer[..length])),
                Fate::Vanish => pair.vanished.store(true, Ordering::SeqCst),
                Fate::End => return pair.end(),
                Fate::Reset => {
                    pair.reset_at_end();
                    // Wakes the other direction. Its end is the program's RST.
                    let _ = pair.back.shutdown(Shutdown::Both);
                    let _ = pair.front.shutdown(Shutdown::Read);
                    return;
                }
            }
        }
    }

    fn fate(&self, pair: &Pair, direction: Direction, bytes: &[u8]) -> Fate {
        if pair.vanished.load(Ordering::SeqCst) {
            return Fate::Vanish;
        }
        if pair.forgotten.load(Ordering::SeqCst) {
            return Fate::Reset;
        }
        let number = pair.seen[direction as usize].fetch_add(1, Ordering::SeqCst) + 1;
        let passing = Passing {
            direction,
            number,
            connection: pair.number,
            bytes,
        };
        (locked(&self.script))(&passing)
    }

    fn pairs(&self) -> Vec<Arc<Pair>> {
        locked(&self.pairs).iter().filter_map(Weak::upgrade).collect()
    }
}

impl Pair {
    /// The program's connection will end with a RST instead of a FIN.
    fn reset_at_end(&self) {
        let at_once = linger { l_onoff: 1, l_linger: 0 };
        setsockopt(&self.front, sockopt::Linger, &at_once).expect("a TCP stream takes it");
        self.vanished.store(true, Ordering::SeqCst);
    }

    fn end(&self) {
        // Either end may have closed already.
        let _ = self.front.shutdown(Shutdown::Both);
        let _ = self.back.shutdown(Shutdown::Both);
    }
}
