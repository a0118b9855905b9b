//! Messages for somebody who looks on while drivers send and receive: handed over in batches, to another thread, through a room of
//! bounded size. Nothing of it happens in a driver without a [`Tap`]. Not for files and formats.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use sip_registration::Tapped;

/// Where drivers leave what they send and receive. Clones share one room.
#[derive(Debug, Clone)]
pub struct Tap {
    room: Arc<Room>,
    /// How long a driver waits for room before it leaves a message out.
    patience: Duration,
}

/// The other end of a [`Tap`].
#[derive(Debug)]
pub struct Outlet {
    room: Arc<Room>,
}

/// A message, and when it went or came.
#[derive(Debug, Clone)]
pub struct Captured {
    /// By the wall clock.
    pub at: SystemTime,
    /// What went or came.
    pub message: Tapped,
    /// How many messages before it, since the one before, were left out because there was no room.
    pub missing: u64,
}

#[derive(Debug)]
struct Room {
    held: Mutex<Held>,
    /// For how many bytes there is room.
    most: usize,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct Held {
    waiting: VecDeque<Captured>,
    bytes: usize,
    missing: u64,
    /// Whoever waited for room in vain does not wait again before there was some.
    is_stuck: bool,
    is_closed: bool,
}

/// A tap with room for so many bytes. A driver that finds it full waits for `patience` at most, then leaves messages out until there is
/// room again, and counts them.
#[must_use]
pub fn tap(most: usize, patience: Duration) -> (Tap, Outlet) {
    let room = Arc::new(Room {
        held: Mutex::default(),
        most,
        filled: Condvar::new(),
        emptied: Condvar::new(),
    });
    let outlet = Outlet { room: Arc::clone(&room) };
    (Tap { room, patience }, outlet)
}

impl Tap {
    /// No more is wanted: [`Outlet::next`] ends once all that was handed over is taken.
    pub fn close(&self) {
        self.room.held().is_closed = true;
        self.room.filled.notify_all();
    }

    /// Hands a message over that went or came at `at`.
    pub(crate) fn hand_over(&self, at: Instant, message: Tapped) {
        let at = SystemTime::now().checked_sub(at.elapsed()).unwrap_or_else(SystemTime::now);
        let size = size(&message);
        let is_full = |held: &mut Held| held.bytes > 0 && held.bytes + size > self.room.most && !held.is_closed;
        let mut held = self.room.held();
        if is_full(&mut held) && !held.is_stuck && !self.patience.is_zero() {
            let waited = self.room.emptied.wait_timeout_while(held, self.patience, is_full);
            held = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if held.is_closed {
            return;
        }
        if is_full(&mut held) {
            held.is_stuck = true;
            held.missing += 1;
            return;
        }
        held.bytes += size;
        let missing = mem::take(&mut held.missing);
        held.waiting.push_back(Captured { at, message, missing });
        drop(held);
        self.room.filled.notify_one();
    }
}

impl Outlet {
    /// Everything that waits; waits for it, but for `within` at most, and is then empty. `None` once the tap is closed and all is taken.
    #[must_use]
    pub fn next(&self, within: Duration) -> Option<VecDeque<Captured>> {
        let is_idle = |held: &mut Held| held.waiting.is_empty() && !held.is_closed;
        let waited = self.room.filled.wait_timeout_while(self.room.held(), within, is_idle);
        let mut held = waited.unwrap_or_else(PoisonError::into_inner).0;
        if held.waiting.is_empty() && held.is_closed {
            return None;
        }
        held.bytes = 0;
        held.is_stuck = false;
        let taken = mem::take(&mut held.waiting);
        drop(held);
        self.room.emptied.notify_all();
        Some(taken)
    }

    /// How many messages were left out behind the last one that was handed over.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.room.held().missing
    }
}

impl Room {
    /// Whoever panicked with it left it whole: every change is one of plain values.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a message takes of the room.
fn size(message: &Tapped) -> usize {
    message.bytes.len() + message.decision.len() + size_of::<Captured>()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use sip_registration::{Direction, Transport};

    use super::*;

    fn message(length: usize) -> Tapped {
        Tapped {
            direction: Direction::Sent,
            transport: Transport::Udp,
            local: "127.0.0.1:5060".parse().unwrap(),
            remote: "127.0.0.1:5061".parse().unwrap(),
            bytes: vec![b'x'; length],
            decision: String::new(),
        }
    }

    fn lengths(batch: Option<VecDeque<Captured>>) -> Vec<(usize, u64)> {
        let batch = batch.unwrap_or_default().into_iter();
        batch.map(|captured| (captured.message.bytes.len(), captured.missing)).collect()
    }

    #[test]
    fn what_finds_no_room_is_left_out_and_counted_where_it_is_missing() {
        let (tap, outlet) = tap(10_000, Duration::ZERO);
        for length in [6000, 5000, 4000, 1] {
            tap.hand_over(Instant::now(), message(length));
        }
        assert_eq!(lengths(outlet.next(Duration::ZERO)), [(6000, 0), (1, 1 + 1)]);
        tap.hand_over(Instant::now(), message(20_000));
        tap.hand_over(Instant::now(), message(20_000));
        assert_eq!(outlet.missing(), 1);
        tap.close();
        tap.hand_over(Instant::now(), message(7));
        assert_eq!(lengths(outlet.next(Duration::ZERO)), [(20_000, 0)], "alone it always has room");
        assert!(outlet.next(Duration::ZERO).is_none());
    }

    #[test]
    fn who_has_patience_loses_nothing_to_a_slow_reader() {
        let (tap, outlet) = tap(2000, Duration::from_secs(60));
        let writer = thread::spawn(move || {
            for _ in 0..200 {
                tap.hand_over(Instant::now(), message(900));
            }
            tap.close();
        });
        let batches = std::iter::from_fn(|| outlet.next(Duration::from_secs(60)));
        assert_eq!(batches.map(|batch| batch.len()).sum::<usize>(), 200);
        assert_eq!(outlet.missing(), 0);
        writer.join().unwrap();
    }

    #[test]
    fn patience_is_lost_but_once() {
        let (tap, outlet) = tap(1000, Duration::from_millis(1));
        for _ in 0..1000 {
            tap.hand_over(Instant::now(), message(900));
        }
        assert_eq!((lengths(outlet.next(Duration::ZERO)).len(), outlet.missing()), (1, 999));
    }

    #[test]
    fn the_wall_clock_says_when_it_happened_and_not_when_it_was_handed_over() {
        let (tap, outlet) = tap(1000, Duration::ZERO);
        let ago = Duration::from_secs(5);
        let happened_at = Instant::now().checked_sub(ago).unwrap_or_else(Instant::now);
        tap.hand_over(happened_at, message(1));
        let captured = outlet.next(Duration::ZERO).unwrap().pop_front().unwrap();
        assert!(captured.at.elapsed().unwrap() >= happened_at.elapsed().saturating_sub(Duration::from_secs(1)));
    }
}
