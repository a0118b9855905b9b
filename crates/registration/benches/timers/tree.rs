//! An ordered set: the simplest that is right. It has to be told the old deadline, which it keeps beside itself here.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::Key;

#[derive(Default)]
pub(crate) struct Tree {
    ordered: BTreeSet<(Instant, Key)>,
    present: Vec<Option<Instant>>,
}

impl Tree {
    pub(crate) fn set(&mut self, key: Key, at: Option<Instant>) {
        let index = key.index as usize;
        if index >= self.present.len() {
            self.present.resize(index + 1, None);
        }
        if let Some(old) = std::mem::replace(&mut self.present[index], at) {
            self.ordered.remove(&(old, key));
        }
        self.ordered.extend(at.map(|at| (at, key)));
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.ordered.first().map(|(at, _)| *at)
    }

    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<Key> {
        self.ordered.first().filter(|(at, _)| *at <= now)?;
        let (_, key) = self.ordered.pop_first()?;
        self.present[key.index as usize] = None;
        Some(key)
    }
}
