//! The loop of a watch: orders to the fleet, its events into the model, the model onto the display. It ends when everything that was
//! bound is removed, when the time for that is over, or at once.

mod reread;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_net::fleet::{Fleet, FleetError, Member};
use sip_registration::{Account, Event, Goal};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::display::Display;
use super::entry::Entry;
use super::lines::{Line, What};
use super::model::{Id, Model, Row, Wish};
use super::moment::Moment;
use super::signals::{Signal, Signals};
use super::terminal::{self, Input};
use crate::failure::Failure;
use crate::left_behind::LeftBehindList;

/// How it came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// Ctrl-C.
    Interrupted,
    /// `q`, SIGTERM, or nobody is left to see or read it.
    Asked,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// At whose word.
    pub(crate) departure: Departure,
    /// What may still be bound.
    pub(crate) left_behind: LeftBehindList,
}

/// What a watch is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Whether lines are written for what changes nothing, too.
    pub(crate) verbose: bool,
    /// Leaves the bindings where they are at the end.
    pub(crate) keep: bool,
    /// How long a removal of them all may take, for each account beyond [`LEAVE_WITHIN`].
    pub(crate) pace: Duration,
}

/// A watch that runs.
pub(crate) struct Session<R> {
    fleet: Fleet,
    model: Model,
    display: Display,
    terms: Terms,
    /// Reads the file again.
    read: R,
    ids: BTreeMap<Member, Id>,
    members: BTreeMap<Id, Member>,
    /// What takes the place of a registration as soon as its binding is removed.
    successors: BTreeMap<Id, Entry>,
    departure: Option<Departure>,
    drawn_at: Instant,
    glanced_at: Instant,
    is_stale: bool,
}

/// What happened.
enum Happened {
    Signal(Signal),
    Input(Option<Input>),
    Told(Result<(Member, Event), FleetError>),
    Time,
}

impl<R: FnMut() -> Result<Vec<Entry>, String>> Session<R> {
    /// One that holds nothing yet. `read` reads the file again, and says why it cannot be used.
    pub(crate) fn new(fleet: Fleet, model: Model, display: Display, terms: Terms, read: R) -> Self {
        Self {
            fleet,
            model,
            display,
            terms,
            read,
            ids: BTreeMap::new(),
            members: BTreeMap::new(),
            successors: BTreeMap::new(),
            departure: None,
            drawn_at: Instant::now(),
            glanced_at: Instant::now(),
            is_stale: true,
        }
    }

    /// Keeps these accounts registered until the user wants to leave.
    ///
    /// # Errors
    /// [`Failure::Internal`] when standard output, the terminal or a shard fails.
    pub(crate) async fn run(
        mut self,
        entries: Vec<Entry>,
        mut signals: Signals,
        mut inputs: Option<mpsc::Receiver<Input>>,
    ) -> Result<Ended, Failure> {
        for entry in entries {
            self.start(entry).await?;
        }
        self.draw().await?;
        while !self.is_over() {
            let due = self.due();
            let happened = tokio::select! {
                biased;
                signal = signals.next() => Happened::Signal(signal),
                input = next_input(&mut inputs) => Happened::Input(input),
                told = self.fleet.next() => Happened::Told(told),
                // The screen counts down and a farewell ends without any of them having news.
                () = sleep_until(due.into()) => Happened::Time,
            };
            if matches!(happened, Happened::Input(None)) {
                inputs = None;
            }
            self.take(happened).await?;
        }
        self.end().await
    }

    async fn take(&mut self, happened: Happened) -> Result<(), Failure> {
        match happened {
            Happened::Signal(Signal::Interrupt) => self.leave(Departure::Interrupted).await,
            Happened::Signal(Signal::Terminate) => self.leave(Departure::Asked).await,
            Happened::Signal(Signal::HangUp) => self.hang_up().await?,
            Happened::Input(Some(Input::Key(press))) => {
                self.model.notify(None);
                self.display.fit(&mut self.model, Instant::now())?;
                let wish = self.model.press(press);
                self.carry_out(wish).await;
                self.drawn_at = Instant::now() - DRAW_EVERY;
                self.is_stale = true;
            }
            Happened::Input(Some(Input::Resized)) => self.is_stale = true,
            // The terminal is gone, and with it whoever looked.
            Happened::Input(None) => self.leave(Departure::Asked).await,
            Happened::Told(told) => {
                let (member, event) = told.map_err(lost)?;
                self.hear(member, event).await?;
                for _ in 0..AT_ONCE {
                    let Some((member, event)) = self.fleet.try_next() else { break };
                    self.hear(member, event).await?;
                }
            }
            Happened::Time => self.is_stale = true,
        }
        if self.is_stale && Instant::now() >= self.drawn_at + DRAW_EVERY {
            self.draw().await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, wish: Wish) {
        match wish {
            Wish::Look => {}
            Wish::Try(ids) => {
                for id in ids {
                    if let Some(member) = self.members.get(&id) {
                        self.fleet.order(*member, Goal::Register).await;
                    }
                }
            }
            // A `q` too many leaves nothing behind; that is Ctrl-C's to do.
            Wish::Leave if self.departure.is_some() => {}
            Wish::Leave => self.leave(Departure::Asked).await,
            Wish::Interrupt => self.leave(Departure::Interrupted).await,
        }
    }

    async fn start(&mut self, entry: Entry) -> Result<Id, Failure> {
        let moment = Moment::now();
        let account = entry.account.clone();
        let id = self.model.add(entry, moment.at);
        self.tell(id, |row| Some(Line::new(What::Added, None, row, moment))).await?;
        self.register(id, account).await;
        Ok(id)
    }

    async fn register(&mut self, id: Id, account: Arc<Account>) {
        let member = self.fleet.add(account).await;
        self.ids.insert(member, id);
        self.members.insert(id, member);
        self.fleet.order(member, Goal::Register).await;
    }

    async fn hear(&mut self, member: Member, event: Event) -> Result<(), Failure> {
        let Some(&id) = self.ids.get(&member) else { return Ok(()) };
        let moment = Moment::now();
        self.is_stale = true;
        match event {
            Event::Attempt(attempt) => {
                self.model.attempted(id, attempt, moment);
            }
            Event::Changed(status) => {
                if let Some(news) = self.model.stands(id, &status, moment) {
                    let verbose = self.terms.verbose;
                    self.tell(id, |row| Line::of(news, verbose, row, moment)).await?;
                }
            }
            Event::Request(_) => {}
            Event::Removed => self.removed(member, id, moment).await?,
        }
        Ok(())
    }

    async fn removed(&mut self, member: Member, id: Id, moment: Moment) -> Result<(), Failure> {
        self.ids.remove(&member);
        self.members.remove(&id);
        if let Some(successor) = self.successors.remove(&id) {
            self.model.renew(id, moment.at);
            self.register(id, successor.account).await;
            return Ok(());
        }
        self.tell(id, |row| Some(Line::new(What::Removed, None, row, moment))).await?;
        self.model.remove(id, moment.at);
        Ok(())
    }

    /// Writes a line about an account, where lines are written.
    async fn tell(&mut self, id: Id, line: impl FnOnce(&Row) -> Option<Line>) -> Result<(), Failure> {
        let is_read = match (&self.display, self.model.row(id)) {
            (Display::Lines, Some(row)) => line(row).map_or(Ok(true), |line| crate::output::hand_over(line.written().as_bytes()))?,
            (Display::Lines | Display::Screen(_) | Display::Nowhere, _) => true,
        };
        if !is_read && self.departure.is_none() {
            self.leave(Departure::Asked).await;
        }
        Ok(())
    }

    /// The first wish removes what is bound, the second leaves at once.
    async fn leave(&mut self, departure: Departure) {
        let is_second = self.departure.replace(departure).is_some();
        self.successors.clear();
        let now = Instant::now();
        if is_second || self.terms.keep {
            self.model.leave(now);
            return;
        }
        let accounts = u32::try_from(self.model.count()).unwrap_or(u32::MAX);
        self.model.leave(now + LEAVE_WITHIN + self.terms.pace.saturating_mul(accounts));
        for member in self.ids.keys() {
            self.fleet.remove(*member).await;
        }
        self.is_stale = true;
    }

    fn is_over(&self) -> bool {
        let leaving = self.model.leaving();
        leaving.is_some_and(|leaving| self.model.count() == 0 || Instant::now() >= leaving.until)
    }

    async fn end(mut self) -> Result<Ended, Failure> {
        let left_behind = if self.terms.keep {
            LeftBehindList::default()
        } else {
            self.model.left_behind(Moment::now())
        };
        self.display.end();
        // Flows are closed in good manners, but for somebody who has asked twice.
        if self.model.count() == 0 || self.terms.keep {
            self.fleet.close().await.map_err(lost)?;
        }
        Ok(Ended {
            departure: self.departure.unwrap_or(Departure::Asked),
            left_behind,
        })
    }

    /// When there is something to do without news.
    fn due(&self) -> Instant {
        let draws = match &self.display {
            Display::Screen(_) => Some(self.drawn_at + if self.is_stale { DRAW_EVERY } else { COUNT_EVERY }),
            Display::Lines | Display::Nowhere => None,
        };
        let until = self.model.leaving().map(|leaving| leaving.until);
        draws.into_iter().chain(until).min().unwrap_or_else(|| Instant::now() + IDLE)
    }

    async fn draw(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        (self.drawn_at, self.is_stale) = (now, false);
        let Display::Screen(_) = &self.display else { return Ok(()) };
        if self.departure.is_none() && now >= self.glanced_at + COUNT_EVERY {
            self.glanced_at = now;
            self.glance().await?;
        }
        if let Err(error) = self.display.draw(&mut self.model, now) {
            if terminal::is_there() {
                return Err(error.into());
            }
            self.lose_terminal().await;
        }
        Ok(())
    }

    /// Nobody looks any more: what is bound is removed unseen.
    async fn lose_terminal(&mut self) {
        self.display.end();
        if self.departure.is_none() {
            self.leave(Departure::Asked).await;
        }
    }

    /// What is due when may change without news, as when a flow is lost: asks for the accounts that are on the screen.
    async fn glance(&mut self) -> Result<(), Failure> {
        let shown: Vec<Id> = {
            let shown = self.model.shown();
            let window = self.model.window(shown.len());
            shown.get(window).unwrap_or_default().iter().map(|(id, _)| *id).collect()
        };
        for id in shown {
            let Some(member) = self.members.get(&id) else { continue };
            if let Some(status) = self.fleet.status(*member).await.map_err(lost)? {
                self.model.glance(id, &status);
            }
        }
        Ok(())
    }
}

fn lost(error: FleetError) -> Failure {
    Failure::Internal(io::Error::other(error))
}

async fn next_input(inputs: &mut Option<mpsc::Receiver<Input>>) -> Option<Input> {
    match inputs {
        Some(inputs) => inputs.recv().await,
        None => std::future::pending().await,
    }
}

/// How long the removal of all bindings may take, beside what their pace needs.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);
/// The screen is drawn no more often than this, keys excepted.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// How often what counts down is drawn.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// A watch without a screen has nothing to do by itself; it wakes up now and then all the same.
const IDLE: Duration = Duration::from_secs(3600);
/// How many events are taken in one go.
const AT_ONCE: usize = 1000;
