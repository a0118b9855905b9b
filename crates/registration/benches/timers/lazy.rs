//! A binary heap that is never searched: a moved deadline leaves its old entry behind, which is skipped when its time comes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use crate::Key;

#[derive(Default)]
pub(crate) struct Lazy {
    heap: BinaryHeap<Reverse<(Instant, Key, u32)>>,
    /// The number of the entry that counts, and whether there is one.
    present: Vec<(u32, bool)>,
}

impl Lazy {
    pub(crate) fn set(&mut self, key: Key, at: Option<Instant>) {
        let index = key.index as usize;
        if index >= self.present.len() {
            self.present.resize(index + 1, (0, false));
        }
        let (number, there) = &mut self.present[index];
        (*number, *there) = (number.wrapping_add(1), at.is_some());
        self.heap.extend(at.map(|at| Reverse((at, key, *number))));
    }

    pub(crate) fn next(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, key, number))) = self.heap.peek() {
            if self.present[key.index as usize] == (*number, true) {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }

    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<Key> {
        self.next().filter(|at| *at <= now)?;
        let Reverse((_, key, _)) = self.heap.pop()?;
        self.present[key.index as usize].1 = false;
        Some(key)
    }
}
