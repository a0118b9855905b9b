//! The structure that keeps the deadlines in order. In a file of its own, with its tests beside it in `timers.rs`, because the benchmark
//! that chose it takes it in as it stands.
//!
//! A heap of degree four with a table of where each registration stands in it, so that a deadline is moved where it is: nothing is
//! left behind to be skipped later, and once both have grown to the number of registrations nothing is allocated. It was chosen by
//! figures, which stand in docs/performance.md beside those of what was not chosen (`cargo bench -p sip-registration --bench timers`).

use std::time::{Duration, Instant};

use crate::Key;

/// The deadlines of all registrations.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// The moment that deadlines are counted from: that of the first one.
    origin: Option<Instant>,
    /// No entry is due before its parent.
    heap: Vec<Entry>,
    /// The place in the heap of each registration's entry, by the registration's index.
    places: Vec<u32>,
}

/// A deadline and whose it is, in one number that orders as both do: comparing two of them does not branch, which halves what the
/// heap takes. From the highest bit on: the nanoseconds from [`BIAS`] before the origin, the key's index, its generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(u128);

/// Nanoseconds, nearly three centuries: a deadline may lie that far before or after the origin.
const BIAS: u64 = 1 << 63;

/// Four children lie beside each other in memory; with two the heap would be twice as deep.
const DEGREE: usize = 4;

/// The place of an entry that is not there. A heap that long would not fit beside the registrations.
const NOWHERE: u32 = u32::MAX;

impl Timers {
    /// Sets, moves or takes away a registration's deadline. A key's index has one deadline, whatever its generation.
    pub(crate) fn set(&mut self, key: Key, at: Option<Instant>) {
        let entry = at.map(|at| Entry::new(at, *self.origin.get_or_insert(at), key));
        match (self.place(key), entry) {
            (None, None) => {}
            (None, Some(entry)) => {
                self.heap.push(entry);
                self.rise(self.heap.len() - 1, entry);
            }
            (Some(place), Some(entry)) => self.settle(place, entry),
            (Some(place), None) => {
                self.take(place);
            }
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.first()?.at(self.origin?)
    }

    /// Takes out the first registration whose deadline has come.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<Key> {
        let at = self.next()?;
        if at > now {
            return None;
        }
        self.take(0).map(Entry::key)
    }

    fn place(&self, key: Key) -> Option<usize> {
        let place = *self.places.get(key.index as usize)?;
        (place != NOWHERE).then_some(place as usize)
    }

    /// Takes an entry out; the last one fills its place.
    fn take(&mut self, place: usize) -> Option<Entry> {
        let last = self.heap.pop()?;
        let taken = self.heap.get(place).copied();
        if taken.is_some() {
            self.settle(place, last);
        }
        let taken = taken.unwrap_or(last);
        self.note(taken.key(), NOWHERE);
        Some(taken)
    }

    /// Puts an entry to a place whose own is gone, or where it belongs from there.
    fn settle(&mut self, place: usize, entry: Entry) {
        if place > 0 && self.heap.get((place - 1) / DEGREE).is_some_and(|parent| entry < *parent) {
            self.rise(place, entry);
        } else {
            self.sink(place, entry);
        }
    }

    fn rise(&mut self, mut place: usize, entry: Entry) {
        while place > 0 {
            let above = (place - 1) / DEGREE;
            let Some(parent) = self.heap.get(above).copied().filter(|parent| entry < *parent) else {
                break;
            };
            self.put(place, parent);
            place = above;
        }
        self.put(place, entry);
    }

    fn sink(&mut self, mut place: usize, entry: Entry) {
        while let Some((below, child)) = self.first_child(place).filter(|(_, child)| *child < entry) {
            self.put(place, child);
            place = below;
        }
        self.put(place, entry);
    }

    /// The earliest of a place's children, and where it is.
    fn first_child(&self, place: usize) -> Option<(usize, Entry)> {
        let from = place * DEGREE + 1;
        let children = self.heap.get(from..self.heap.len().min(from + DEGREE))?;
        let (mut below, mut earliest) = (from, *children.first()?);
        for (child, place) in children.iter().zip(from..) {
            below = if *child < earliest { place } else { below };
            earliest = earliest.min(*child);
        }
        Some((below, earliest))
    }

    fn put(&mut self, place: usize, entry: Entry) {
        if let Some(slot) = self.heap.get_mut(place) {
            *slot = entry;
            self.note(entry.key(), u32::try_from(place).unwrap_or(NOWHERE));
        }
    }

    fn note(&mut self, key: Key, place: u32) {
        let index = key.index as usize;
        if index >= self.places.len() {
            self.places.resize(index + 1, NOWHERE);
        }
        if let Some(noted) = self.places.get_mut(index) {
            *noted = place;
        }
    }
}

impl Entry {
    fn new(at: Instant, origin: Instant, key: Key) -> Self {
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let at = match at.checked_duration_since(origin) {
            Some(after) => BIAS.saturating_add(nanoseconds(after)),
            None => BIAS.saturating_sub(nanoseconds(origin.saturating_duration_since(at))),
        };
        Self(u128::from(at) << 64 | u128::from(key.index) << 32 | u128::from(key.generation))
    }

    fn at(self, origin: Instant) -> Option<Instant> {
        let at = (self.0 >> 64) as u64;
        match at.checked_sub(BIAS) {
            Some(after) => origin.checked_add(Duration::from_nanos(after)),
            None => origin.checked_sub(Duration::from_nanos(BIAS - at)),
        }
    }

    const fn key(self) -> Key {
        Key {
            index: (self.0 >> 32) as u32,
            generation: self.0 as u32,
        }
    }
}
