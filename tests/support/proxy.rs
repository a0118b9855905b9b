//! A proxy between the program and its registrar, in the test's own process, that does to each message what a script says: it is the
//! network that loses, doubles, holds back and cuts. The script decides by what passes, never by time, so that every run is the same
//! one. [`datagrams`] is for UDP, [`streams`] for TCP and TLS. Not for a peer that lies: see `hostile`.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) mod datagrams;
pub(crate) mod streams;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the registrar.
    Request,
    /// To the program.
    Reply,
}

/// What a script looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passing<'a> {
    /// Which way it goes.
    pub(crate) direction: Direction,
    /// How many have come in this direction, this one included; each retransmission is one. On a stream it is counted for each connection
    /// anew, and 0 is the connection itself, before it is taken on.
    pub(crate) number: usize,
    /// The connection, counted from 1; always 0 by UDP.
    pub(crate) connection: usize,
    /// The datagram, or what of a stream came at once.
    pub(crate) bytes: &'a [u8],
}

impl Passing<'_> {
    /// Whether it is this one of its direction.
    pub(crate) fn is(&self, direction: Direction, number: usize) -> bool {
        (self.direction, self.number) == (direction, number)
    }

    /// Whether it opens with these words.
    pub(crate) fn opens_with(&self, words: &str) -> bool {
        self.bytes.starts_with(words.as_bytes())
    }

    /// Whether these words are in it.
    pub(crate) fn has(&self, words: &str) -> bool {
        self.bytes.windows(words.len()).any(|part| part == words.as_bytes())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A script that has panicked leaves whole values behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
