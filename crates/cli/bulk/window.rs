//! Which row is next: every registrar has a window of its own, so that a slow one holds up nobody else's rows, and trust of its own, so
//! that wrong passwords do not go on and on. Pure; how fast exchanges start is the core's business ([`sip_registration::Admission`]).
//!
//! A registrar is a next hop: the outbound proxy, or else the registrar. What nothing is known of any more is forgotten, so that a
//! list with a million registrars takes no more memory than one with ten.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::Arc;

use crate::accounts::Row;

/// How many rows may be where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Rows under way at one registrar.
    pub(super) at_one: usize,
    /// Rows under way in all.
    pub(super) in_all: usize,
    /// Rows that wait for their registrars.
    pub(super) waiting: usize,
    /// Wrong passwords at one registrar before it gets no more; 0 for any number.
    pub(super) wrong_passwords: u32,
}

/// The rows that were read and are not done.
#[derive(Debug)]
pub(super) struct Window {
    limits: Limits,
    registrars: HashMap<Arc<str>, Registrar>,
    /// Those that may be given a row, in turn.
    ready: VecDeque<Arc<str>>,
    waiting: usize,
    under_way: usize,
    /// Nobody is asked any more.
    trusts_all: bool,
}

#[derive(Debug, Default)]
struct Registrar {
    waiting: VecDeque<Row>,
    under_way: usize,
    wrong_passwords: u32,
    /// How many of them somebody has agreed to.
    forgiven: u32,
    trust: Trust,
    is_ready: bool,
}

/// Whether a registrar gets more rows.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// It does.
    #[default]
    Open,
    /// Somebody is being asked.
    Asking,
    /// It does not.
    Withdrawn,
}

/// What somebody says who was asked whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Yes, until as many are wrong again.
    GoOn,
    /// Yes, and do not ask again.
    Always,
    /// No.
    Stop,
}

impl Window {
    /// An empty one.
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            registrars: HashMap::new(),
            ready: VecDeque::new(),
            waiting: 0,
            under_way: 0,
            trusts_all: limits.wrong_passwords == 0,
        }
    }

    /// Whether reading on may lead to a row that can start.
    pub(super) fn wants_rows(&self) -> bool {
        self.ready.is_empty() && self.waiting < self.limits.waiting
    }

    /// Whether every row is done.
    pub(super) const fn is_empty(&self) -> bool {
        self.waiting == 0 && self.under_way == 0
    }

    /// Whether a row may start now.
    pub(super) fn has_next(&self) -> bool {
        self.under_way < self.limits.in_all && !self.ready.is_empty()
    }

    /// How many rows may start now, at least: several at the registrar whose turn it is, or one at each that is ready.
    pub(super) fn room(&self) -> usize {
        let Some(registrar) = self.ready.front().and_then(|hop| self.registrars.get(hop)) else {
            return 0;
        };
        let free = self.limits.at_one.saturating_sub(registrar.under_way);
        let here = free.min(registrar.waiting.len());
        here.max(self.ready.len()).min(self.limits.in_all.saturating_sub(self.under_way))
    }

    /// How many rows are worth starting before more could: half of what may be under way at one registrar, so that it never has to wait.
    pub(super) const fn worth_starting(&self) -> usize {
        self.limits.at_one.div_ceil(2)
    }

    /// Takes a row in, or gives it back when its registrar gets no more.
    pub(super) fn take_in(&mut self, row: Row) -> Option<Row> {
        let hop = self.hop(&row);
        let registrar = self.registrars.entry(Arc::clone(&hop)).or_default();
        if registrar.trust == Trust::Withdrawn {
            return Some(row);
        }
        registrar.waiting.push_back(row);
        self.waiting += 1;
        self.make_ready(&hop);
        None
    }

    /// The next row to start, and its registrar; it counts as under way.
    pub(super) fn next(&mut self) -> Option<(Arc<str>, Row)> {
        if self.under_way >= self.limits.in_all {
            return None;
        }
        while let Some(hop) = self.ready.pop_front() {
            let Some(registrar) = self.registrars.get_mut(&hop) else { continue };
            registrar.is_ready = false;
            let may = registrar.trust == Trust::Open && registrar.under_way < self.limits.at_one;
            if let Some(row) = may.then(|| registrar.waiting.pop_front()).flatten() {
                registrar.under_way += 1;
                (self.waiting, self.under_way) = (self.waiting - 1, self.under_way + 1);
                self.make_ready(&hop);
                return Some((hop, row));
            }
        }
        None
    }

    /// A row is done. True when its registrar gets no more until [`Window::answer`] says so.
    pub(super) fn done(&mut self, hop: &Arc<str>, wrong_password: bool) -> bool {
        let limit = self.limits.wrong_passwords;
        let Some(registrar) = self.leave(hop) else { return false };
        registrar.wrong_passwords += u32::from(wrong_password);
        let unforgiven = registrar.wrong_passwords - registrar.forgiven;
        let asks = registrar.trust == Trust::Open && wrong_password && unforgiven >= limit;
        if asks && !self.trusts_all {
            if let Some(registrar) = self.registrars.get_mut(hop) {
                registrar.trust = Trust::Asking;
            }
            return true;
        }
        self.settle(hop);
        false
    }

    /// A row that had not started is given back; it comes first again, or back at once when its registrar gets no more.
    pub(super) fn give_back(&mut self, hop: &Arc<str>, row: Row) -> Option<Row> {
        let registrar = self.leave(hop)?;
        if registrar.trust == Trust::Withdrawn {
            return Some(row);
        }
        registrar.waiting.push_front(row);
        self.waiting += 1;
        self.make_ready(hop);
        None
    }

    /// How many passwords were wrong at a registrar.
    pub(super) fn wrong_passwords(&self, hop: &str) -> u32 {
        self.registrars.get(hop).map_or(0, |registrar| registrar.wrong_passwords)
    }

    /// What is to become of a registrar after too many wrong passwords; the rows that it does not get.
    pub(super) fn answer(&mut self, hop: &Arc<str>, answer: Answer) -> Vec<Row> {
        let Some(registrar) = self.registrars.get_mut(hop) else {
            return Vec::new();
        };
        match answer {
            Answer::GoOn | Answer::Always => {
                registrar.trust = Trust::Open;
                registrar.forgiven = registrar.wrong_passwords;
                self.trusts_all |= answer == Answer::Always;
                self.settle(hop);
                Vec::new()
            }
            Answer::Stop => {
                registrar.trust = Trust::Withdrawn;
                let rows = Vec::from(mem::take(&mut registrar.waiting));
                self.waiting -= rows.len();
                rows
            }
        }
    }

    /// Whether rows of this registrar that have not started shall not.
    pub(super) fn is_held(&self, hop: &str) -> bool {
        self.registrars.get(hop).is_some_and(|registrar| registrar.trust != Trust::Open)
    }

    /// A row that waits, whatever its registrar: nothing is to start any more.
    pub(super) fn give_up(&mut self) -> Vec<Row> {
        self.ready.clear();
        self.waiting = 0;
        let mut rows: Vec<Row> = self
            .registrars
            .values_mut()
            .flat_map(|registrar| {
                registrar.is_ready = false;
                mem::take(&mut registrar.waiting)
            })
            .collect();
        rows.sort_unstable_by_key(|row| row.number);
        rows
    }

    fn hop(&self, row: &Row) -> Arc<str> {
        let uri = row.account.outbound_proxy.as_ref().unwrap_or(&row.account.registrar).as_str();
        self.registrars
            .get_key_value(uri)
            .map_or_else(|| Arc::from(uri), |(hop, _)| Arc::clone(hop))
    }

    fn leave(&mut self, hop: &Arc<str>) -> Option<&mut Registrar> {
        let registrar = self.registrars.get_mut(hop)?;
        registrar.under_way -= 1;
        self.under_way -= 1;
        Some(registrar)
    }

    /// Puts a registrar in turn, or forgets it when there is nothing to remember.
    fn settle(&mut self, hop: &Arc<str>) {
        let is_idle = self.registrars.get(hop).is_some_and(|registrar| {
            registrar.waiting.is_empty() && registrar.under_way == 0 && registrar.wrong_passwords == 0 && registrar.trust == Trust::Open
        });
        if is_idle {
            self.registrars.remove(hop);
        } else {
            self.make_ready(hop);
        }
    }

    fn make_ready(&mut self, hop: &Arc<str>) {
        let Some(registrar) = self.registrars.get_mut(hop) else { return };
        let may = registrar.trust == Trust::Open && registrar.under_way < self.limits.at_one && !registrar.waiting.is_empty();
        if may && !registrar.is_ready {
            registrar.is_ready = true;
            self.ready.push_back(Arc::clone(hop));
        }
    }
}

#[cfg(test)]
mod tests;
