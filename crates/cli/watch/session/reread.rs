//! SIGHUP: the file is read again, and what differs is carried out. A file that cannot be used changes nothing.

use super::Session;
use crate::failure::Failure;
use crate::output;
use crate::output::text::counted;
use crate::watch::display::Display;
use crate::watch::entry::Entry;
use crate::watch::model::Id;
use crate::watch::reconcile::{Change, Changes, reconcile};
use crate::watch::terminal;

/// What a reading of the file has changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    stayed: usize,
    started: usize,
    changed: usize,
    gone: usize,
}

impl<R: FnMut() -> Result<Vec<Entry>, String>> Session<R> {
    pub(super) async fn hang_up(&mut self) -> Result<(), Failure> {
        if matches!(self.display, Display::Screen(_)) && !terminal::is_there() {
            self.lose_terminal().await;
            return Ok(());
        }
        if self.departure.is_some() {
            return Ok(());
        }
        let said = match (self.read)() {
            Ok(entries) => self.apply(entries).await?.to_string(),
            Err(why) => format!("nothing is changed: {why}"),
        };
        match &self.display {
            Display::Screen(_) => {
                self.model.notify(Some(format!("read again: {}", said.replace('\n', " "))));
                // Warnings about the list may have been written over it.
                self.display.clear()?;
            }
            Display::Lines | Display::Nowhere => output::tell(&format!("{}: read again: {said}\n", self.model.file())),
        }
        self.is_stale = true;
        Ok(())
    }

    async fn apply(&mut self, entries: Vec<Entry>) -> Result<Tally, Failure> {
        let Changes { wanted, gone } = reconcile(&self.model.entries(), entries);
        let mut tally = Tally::default();
        let mut order = Vec::new();
        for id in gone {
            tally.gone += usize::from(self.model.row(id).is_some_and(|row| !row.is_leaving));
            self.successors.remove(&id);
            self.dismiss(id).await;
        }
        for (change, entry) in wanted {
            let (id, count) = match change {
                Change::Start => (self.start(entry).await?, &mut tally.started),
                Change::Stay(id) if !self.is_on_its_way_out(id) => {
                    self.model.describe(id, entry);
                    (id, &mut tally.stayed)
                }
                Change::Renew(id) if !self.is_on_its_way_out(id) && !self.successors.contains_key(&id) => {
                    self.renew(id, entry).await;
                    (id, &mut tally.changed)
                }
                // A binding that is being removed is made again afterwards.
                Change::Stay(id) | Change::Renew(id) | Change::Replace(id) => {
                    self.replace(id, entry).await;
                    (id, &mut tally.changed)
                }
            };
            *count += 1;
            order.push(id);
        }
        self.model.arrange(order);
        Ok(tally)
    }

    fn is_on_its_way_out(&self, id: Id) -> bool {
        self.model.row(id).is_some_and(|row| row.is_leaving)
    }

    async fn dismiss(&mut self, id: Id) {
        self.model.dismiss(id, true);
        if let Some(member) = self.members.get(&id) {
            self.fleet.remove(*member).await;
        }
    }

    /// The binding stays, and is refreshed at once with the new values.
    async fn renew(&mut self, id: Id, entry: Entry) {
        if let Some(member) = self.members.get(&id) {
            self.fleet.renew(*member, entry.account.clone()).await;
        }
        self.model.describe(id, entry);
    }

    /// The old binding goes first, or its removal could hit the new one.
    async fn replace(&mut self, id: Id, entry: Entry) {
        self.dismiss(id).await;
        self.model.dismiss(id, false);
        self.model.describe(id, entry.clone());
        self.successors.insert(id, entry);
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            stayed,
            started,
            changed,
            gone,
        } = self;
        write!(
            f,
            "{} unchanged, {changed} changed, {started} new, {gone} gone",
            counted(*stayed, "account")
        )
    }
}
