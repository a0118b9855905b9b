//! What is known about the accounts that are kept, and what of it is looked at. Fed by events with their moment; what it shows is the
//! screen's and the lines' to say. Pure: no clock, no socket, no terminal.

mod press;
mod row;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use sip_registration::{Attempt, Policy, State, Status};

use super::entry::Entry;
use super::moment::Moment;
use crate::left_behind::{LeftBehind, LeftBehindList};

pub(crate) use press::{Press, Wish};
pub(crate) use row::{Past, Row};
pub(crate) use view::Mode;

use view::View;

/// One account for as long as it is kept, whatever becomes of the registration behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(u32);

impl Id {
    /// The account of this number.
    #[cfg(test)]
    pub(crate) const fn new(number: u32) -> Self {
        Self(number)
    }
}

/// What news about a registration comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Another state, cause or reply than before, to stay.
    Changed {
        /// The state before.
        from: State,
    },
    /// An exchange is over, and has changed nothing.
    Unchanged,
    /// An exchange has begun, or goes on with credentials.
    Busy,
}

/// The end of the watch, from the wish to leave on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leaving {
    /// How many accounts there were.
    pub(crate) of: usize,
    /// When it is given up.
    pub(crate) until: Instant,
}

/// An account that is gone, whose binding may have outlived it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gone {
    title: String,
    until: Instant,
}

/// The accounts, and what is looked at.
#[derive(Debug)]
pub(crate) struct Model {
    policy: Arc<Policy>,
    /// How many attempts are kept in all.
    memory: usize,
    rows: BTreeMap<Id, Row>,
    /// The accounts in the order of the file.
    order: Vec<Id>,
    next: u32,
    leaving: Option<Leaving>,
    left_behind: Vec<Gone>,
    /// What is looked at.
    pub(crate) view: View,
    /// What was said last about the watch itself, such as a file that cannot be read.
    notice: Option<String>,
    /// The file, safe to print.
    file: String,
}

impl Model {
    /// An empty one. `memory` is how many attempts are kept in all; an account has the last few of its own.
    pub(crate) fn new(file: String, policy: Arc<Policy>, memory: usize) -> Self {
        Self {
            policy,
            memory,
            rows: BTreeMap::new(),
            order: Vec::new(),
            next: 0,
            leaving: None,
            left_behind: Vec::new(),
            view: View::default(),
            notice: None,
            file,
        }
    }

    // Getters.

    /// The file.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The rules that hold.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What was said last.
    pub(crate) fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// An account.
    pub(crate) fn row(&self, id: Id) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// Every account in the order of the file.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Id, &Row)> {
        self.order.iter().filter_map(|id| Some((*id, self.rows.get(id)?)))
    }

    /// How many accounts there are.
    pub(crate) fn count(&self) -> usize {
        self.rows.len()
    }

    /// What the file said of every account that is here.
    pub(crate) fn entries(&self) -> Vec<(Id, Entry)> {
        self.rows().map(|(id, row)| (id, row.entry.clone())).collect()
    }

    /// How many accounts are in each state that occurs, by its code.
    pub(crate) fn totals(&self) -> BTreeMap<State, usize> {
        let mut totals = BTreeMap::new();
        for row in self.rows.values() {
            *totals.entry(row.shown_state()).or_default() += 1;
        }
        totals
    }

    /// The end, once it has begun.
    pub(crate) const fn leaving(&self) -> Option<Leaving> {
        self.leaving
    }

    /// The accounts that may still be bound: those whose removal was not confirmed, and those that are still here.
    pub(crate) fn left_behind(&self, moment: Moment) -> LeftBehindList {
        let here = self.rows().filter_map(|(_, row)| row.left_behind());
        let all = self.left_behind.iter().cloned().chain(here);
        let left = all.filter(|left| moment.at < left.until).map(|left| LeftBehind {
            title: left.title,
            until: Some(moment.wall_at(left.until)),
        });
        left.collect()
    }

    // Events.

    /// Says something about the watch itself.
    pub(crate) fn notify(&mut self, notice: Option<String>) {
        self.notice = notice;
    }

    /// Takes an account in, behind the others.
    pub(crate) fn add(&mut self, entry: Entry, now: Instant) -> Id {
        let id = Id(self.next);
        self.next = self.next.wrapping_add(1);
        self.rows.insert(id, Row::new(entry, now));
        self.order.push(id);
        id
    }

    /// Gives an account other values; what is known about its registration stays.
    pub(crate) fn describe(&mut self, id: Id, entry: Entry) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.entry = entry;
        }
    }

    /// The account is on its way out, or is wanted again after all.
    pub(crate) fn dismiss(&mut self, id: Id, is_leaving: bool) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.is_leaving = is_leaving;
        }
    }

    /// A look at a registration in between: what is due when may have changed without news, as when a flow is lost.
    pub(crate) fn glance(&mut self, id: Id, status: &Status) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.glance(status);
        }
    }

    /// Puts the accounts into this order; what it does not name comes last.
    pub(crate) fn arrange(&mut self, mut order: Vec<Id>) {
        let named: BTreeSet<Id> = order.iter().copied().collect();
        order.extend(self.order.iter().filter(|id| !named.contains(id)));
        self.order = order;
    }

    /// The user wants to go.
    pub(crate) fn leave(&mut self, until: Instant) {
        let of = self.rows.len();
        self.rows.values_mut().for_each(|row| row.is_leaving = true);
        self.leaving = Some(Leaving { of, until });
    }

    /// An exchange of this account is over. Gives back an older one whose turn to be forgotten has come.
    pub(crate) fn attempted(&mut self, id: Id, attempt: Box<Attempt>, moment: Moment) -> Option<Box<Attempt>> {
        let remembered = (self.memory / self.rows.len().max(1)).min(row::HISTORY);
        match self.rows.get_mut(&id) {
            Some(row) => row.attempted(attempt, moment, remembered, &self.policy),
            None => Some(attempt),
        }
    }

    /// Where the registration of this account stands now.
    pub(crate) fn stands(&mut self, id: Id, status: &Status, moment: Moment) -> Option<News> {
        self.rows.get_mut(&id)?.stands(status, moment.at)
    }

    /// The registration behind this account is gone, and another one takes its place.
    pub(crate) fn renew(&mut self, id: Id, now: Instant) {
        if let Some(row) = self.rows.get_mut(&id) {
            self.left_behind.extend(row.left_behind().filter(|left| now < left.until));
            row.begin_anew();
        }
    }

    /// The account is gone.
    pub(crate) fn remove(&mut self, id: Id, now: Instant) -> Option<Row> {
        let row = self.rows.remove(&id)?;
        // Now and then is enough: what is gone is not shown.
        if self.order.len() > 2 * self.rows.len() {
            self.order.retain(|each| self.rows.contains_key(each));
        }
        self.view.forget(id);
        self.left_behind.extend(row.left_behind().filter(|left| now < left.until));
        Some(row)
    }
}
