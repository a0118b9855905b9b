//! What is going to happen, in the order of time; at one moment, in the order in which it was planned. Not what it does.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Instant;

/// Things that are due at moments.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<Planned<T>>>,
    serial: u64,
}

#[derive(Debug)]
struct Planned<T> {
    at: Instant,
    serial: u64,
    what: T,
}

impl<T> Queue<T> {
    pub(crate) const fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            serial: 0,
        }
    }

    pub(crate) fn push(&mut self, at: Instant, what: T) {
        let serial = self.serial;
        self.serial += 1;
        self.heap.push(Reverse(Planned { at, serial, what }));
    }

    /// When the next thing is due.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(planned)| planned.at)
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        self.heap.pop().map(|Reverse(planned)| planned.what)
    }
}

impl<T> Planned<T> {
    const fn place(&self) -> (Instant, u64) {
        (self.at, self.serial)
    }
}

impl<T> PartialEq for Planned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl<T> Eq for Planned<T> {}

impl<T> PartialOrd for Planned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Planned<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn things_come_in_the_order_of_time_and_then_of_planning() {
        let (start, mut queue) = (Instant::now(), Queue::new());
        for (milliseconds, what) in [(2, 'c'), (1, 'a'), (2, 'd'), (1, 'b')] {
            queue.push(start + Duration::from_millis(milliseconds), what);
        }
        assert_eq!(queue.next_at(), Some(start + Duration::from_millis(1)));
        assert_eq!(std::iter::from_fn(|| queue.pop()).collect::<String>(), "abcd");
        assert_eq!(queue.next_at(), None);
    }
}
