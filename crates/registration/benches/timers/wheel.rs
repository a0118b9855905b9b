//! A hierarchical wheel, its lists threaded through a table by the registration's index: setting and moving touch nothing but
//! neighbours. Deadlines of one tick come out in no order, and `next` may be the time at which a coarse slot is dealt to finer ones.

use std::time::{Duration, Instant};

use crate::Key;

/// 2²⁰ ns, about a millisecond.
const TICK_BITS: u32 = 20;
const LEVELS: usize = 6;
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
const NOBODY: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Node {
    /// Nanoseconds since the wheel began.
    at: u64,
    generation: u32,
    before: u32,
    after: u32,
    /// Level and slot; [`NOBODY`] when it has no deadline.
    place: u32,
}

pub(crate) struct Wheel {
    began: Instant,
    /// The tick up to which everything is taken out.
    current: u64,
    nodes: Vec<Node>,
    heads: [[u32; SLOTS]; LEVELS],
    /// Which slots of a level have somebody in them.
    filled: [u64; LEVELS],
}

impl Wheel {
    pub(crate) fn new(began: Instant) -> Self {
        Self {
            began,
            current: 0,
            nodes: Vec::new(),
            heads: [[NOBODY; SLOTS]; LEVELS],
            filled: [0; LEVELS],
        }
    }

    pub(crate) fn set(&mut self, key: Key, at: Option<Instant>) {
        let index = key.index as usize;
        if index >= self.nodes.len() {
            let nowhere = Node {
                at: 0,
                generation: 0,
                before: NOBODY,
                after: NOBODY,
                place: NOBODY,
            };
            self.nodes.resize(index + 1, nowhere);
        }
        self.unlink(key.index);
        if let Some(at) = at {
            let node = &mut self.nodes[index];
            node.at = u64::try_from(at.saturating_duration_since(self.began).as_nanos()).expect("centuries fit");
            node.generation = key.generation;
            self.link(key.index);
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        let (level, slot) = self.first()?;
        let at = if level == 0 {
            self.earliest(slot)
        } else {
            self.slot_tick(level, slot) << TICK_BITS
        };
        Some(self.began + Duration::from_nanos(at))
    }

    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<Key> {
        let now = u64::try_from(now.saturating_duration_since(self.began).as_nanos()).expect("centuries fit");
        loop {
            let (level, slot) = self.first()?;
            if self.slot_tick(level, slot) << TICK_BITS > now {
                return None;
            }
            self.current = self.current.max(self.slot_tick(level, slot));
            if level == 0 {
                let mut index = self.heads[0][slot];
                while index != NOBODY && self.nodes[index as usize].at > now {
                    index = self.nodes[index as usize].after;
                }
                if index == NOBODY {
                    return None;
                }
                self.unlink(index);
                let generation = self.nodes[index as usize].generation;
                return Some(Key { index, generation });
            }
            self.deal(level, slot);
        }
    }

    /// Puts those of a coarse slot that has come where they belong now.
    fn deal(&mut self, level: usize, slot: usize) {
        let mut index = std::mem::replace(&mut self.heads[level][slot], NOBODY);
        self.filled[level] &= !(1 << slot);
        while index != NOBODY {
            let after = self.nodes[index as usize].after;
            self.link(index);
            index = after;
        }
    }

    /// The first slot that has somebody in it: of the finest level that has one.
    fn first(&self) -> Option<(usize, usize)> {
        let level = self.filled.iter().position(|filled| *filled != 0)?;
        Some((level, self.filled[level].trailing_zeros() as usize))
    }

    /// The tick with which a slot begins: the coarser digits are those of the present.
    fn slot_tick(&self, level: usize, slot: usize) -> u64 {
        let shift = SLOT_BITS * u32::try_from(level).expect("few levels");
        let above = self.current >> shift >> SLOT_BITS << SLOT_BITS;
        (above | u64::try_from(slot).expect("few slots")) << shift
    }

    fn earliest(&self, slot: usize) -> u64 {
        let mut index = self.heads[0][slot];
        let mut earliest = u64::MAX;
        while index != NOBODY {
            let node = &self.nodes[index as usize];
            earliest = earliest.min(node.at);
            index = node.after;
        }
        earliest
    }

    fn link(&mut self, index: u32) {
        let tick = (self.nodes[index as usize].at >> TICK_BITS).max(self.current);
        let differing = 63_u32.saturating_sub((tick ^ self.current).leading_zeros());
        let level = ((differing / SLOT_BITS) as usize).min(LEVELS - 1);
        let shift = SLOT_BITS * u32::try_from(level).expect("few levels");
        let slot = usize::try_from(tick >> shift).expect("a word") % SLOTS;
        let head = std::mem::replace(&mut self.heads[level][slot], index);
        self.filled[level] |= 1 << slot;
        if head != NOBODY {
            self.nodes[head as usize].before = index;
        }
        let node = &mut self.nodes[index as usize];
        (node.before, node.after) = (NOBODY, head);
        node.place = u32::try_from(level * SLOTS + slot).expect("few slots");
    }

    fn unlink(&mut self, index: u32) {
        let Node { before, after, place, .. } = self.nodes[index as usize];
        if place == NOBODY {
            return;
        }
        if after != NOBODY {
            self.nodes[after as usize].before = before;
        }
        if before == NOBODY {
            let (level, slot) = (place as usize / SLOTS, place as usize % SLOTS);
            self.heads[level][slot] = after;
            if after == NOBODY {
                self.filled[level] &= !(1 << slot);
            }
        } else {
            self.nodes[before as usize].after = after;
        }
        self.nodes[index as usize].place = NOBODY;
    }
}
