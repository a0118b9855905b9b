//! The loop of a run: rows come from the list, those whose turn it is are registered and removed again, results go to the desk. Which
//! row is next is the window's to say, what goes over the wire the core's.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_net::{Driver, REMOVAL_AT_MOST};
use sip_registration::{Attempt, Cause, Ending, Event, Goal, Key, Status};
use tokio::task::JoinHandle;

use super::desk::{Desk, Probed};
use super::feed::{Feed, Read};
use super::line::Why;
use super::pace::Pace;
use super::past::{Past, Turn};
use super::window::{Answer, Window};
use crate::accounts::Row;
use crate::prompt::{self, Consent};
use crate::signals;

/// A run.
pub(super) struct Run {
    /// The registrations under way.
    pub(super) driver: Driver,
    /// Rows that come.
    pub(super) feed: Feed,
    /// Rows that were done before.
    pub(super) past: Past,
    /// Rows that wait.
    pub(super) window: Window,
    /// How fast rows may begin in all.
    pub(super) pace: Pace,
    /// Where results go.
    pub(super) desk: Desk,
    /// Bindings stay.
    pub(super) keep: bool,
    /// Whether somebody can be asked.
    pub(super) asks: bool,
    /// After how many failures nothing begins any more.
    pub(super) fail_fast: Option<u64>,
    /// The rows under way.
    pub(super) under_way: BTreeMap<Key, Probed>,
    /// Whom somebody is being asked about, and will be.
    pub(super) questions: Questions,
    /// How the run goes.
    pub(super) course: Course,
}

/// How a run goes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// On.
    #[default]
    On,
    /// Nothing begins any more; every other row is told as not done.
    FailedFast,
    /// It is to end at once; what may be bound is removed until then.
    Ending {
        /// When that is over.
        until: Instant,
        /// Who wants it: the user, or else nobody reads the results any more.
        interrupted: bool,
    },
}

/// Questions for whoever is at the terminal, one after the other.
#[derive(Debug, Default)]
pub(super) struct Questions {
    asked: Option<(Arc<str>, JoinHandle<Answer>)>,
    next: VecDeque<Arc<str>>,
}

impl Run {
    /// Runs to the end of the list, or until the user wants it to end.
    ///
    /// # Errors
    /// What standard output says, such as a full disk; what may be bound was removed.
    pub(super) async fn finish(mut self) -> (Self, io::Result<()>) {
        let mut trouble = Ok(());
        let (ended, insisted) = (signals::ended(), signals::insisted());
        tokio::pin!(ended, insisted);
        loop {
            self.begin_rows();
            let at_once = self.course != Course::On;
            match self.desk.flush(Instant::now(), at_once) {
                Ok(true) => {}
                Ok(false) => self.end(false),
                Err(error) => {
                    self.end(false);
                    trouble = Err(error);
                }
            }
            if self.is_over() {
                break;
            }
            let wants_rows = self.wants_rows();
            let wake_at = self.wake_at();
            tokio::select! {
                biased;
                () = &mut ended, if self.ends_at().is_none() => self.end(true),
                // Twice: what is not removed by now stays, and is named.
                () = &mut insisted => break,
                told = self.driver.next_before(wake_at) => self.hear(told),
                answer = answered(&mut self.questions.asked), if self.questions.asked.is_some() => self.answered(answer),
                rows = self.feed.next(), if wants_rows => self.take_in(rows),
            }
            if self.ends_at().is_some_and(|until| Instant::now() >= until) {
                break;
            }
        }
        self.tell_the_rest();
        let flushed = self.desk.flush(Instant::now(), true);
        (self, trouble.and(flushed.map(|_| ())))
    }

    fn is_over(&self) -> bool {
        let nothing_waits = self.under_way.is_empty() && self.window.is_empty();
        let nothing_comes = match self.course {
            Course::On | Course::FailedFast => self.feed.has_ended(),
            Course::Ending { .. } => true,
        };
        nothing_waits && nothing_comes
    }

    fn wants_rows(&self) -> bool {
        !self.feed.has_ended()
            && match self.course {
                Course::On => self.window.wants_rows(),
                Course::FailedFast => true,
                Course::Ending { .. } => false,
            }
    }

    const fn ends_at(&self) -> Option<Instant> {
        match self.course {
            Course::On | Course::FailedFast => None,
            Course::Ending { until, .. } => Some(until),
        }
    }

    fn take_in(&mut self, rows: Vec<Read>) {
        for row in rows {
            match row {
                Ok(row) => match self.past.turn(&row) {
                    Turn::Skip(registered) => self.desk.tally.skip(registered),
                    Turn::Probe if self.course == Course::FailedFast => self.desk.not_probed(&row, Why::NotDone),
                    Turn::Probe => {
                        if let Some(row) = self.window.take_in(row) {
                            self.desk.not_probed(&row, Why::HeldBack);
                        }
                    }
                },
                Err(bad) => match self.past.turn_of_bad(&bad) {
                    Turn::Skip(registered) => self.desk.tally.skip(registered),
                    Turn::Probe => {
                        self.desk.bad(&bad);
                        self.check_failures();
                    }
                },
            }
        }
    }

    /// When there is something to do that nobody tells of.
    fn wake_at(&self) -> Option<Instant> {
        let begin_at = (self.course == Course::On && self.window.has_next()).then(|| self.pace.next_at());
        [begin_at, self.desk.flush_at(), self.ends_at()].into_iter().flatten().min()
    }

    /// Begins with the rows whose turn it is.
    fn begin_rows(&mut self) {
        if self.course != Course::On || !self.window.has_next() {
            return;
        }
        let (registrant, now) = self.driver.registrant();
        let bundle = self.pace.bundle(now, self.window.room(), self.window.worth_starting());
        for _ in 0..bundle {
            let Some((hop, row)) = self.window.next() else { return };
            self.pace.begun(now);
            let account = Arc::new(row.account);
            let key = registrant.add(now, Arc::clone(&account));
            registrant.register(now, key);
            let probed = Probed {
                number: row.number,
                line: row.line,
                name: row.name,
                account,
                hop,
                attempt: None,
                removal: None,
            };
            self.under_way.insert(key, probed);
        }
    }

    /// Takes what happened, and whatever else has happened meanwhile.
    fn hear(&mut self, told: Option<(Key, Event)>) {
        let mut told = told;
        while let Some((key, event)) = told {
            match event {
                Event::Attempt(attempt) => self.hear_attempt(key, attempt),
                Event::Removed => {
                    if let Some(probed) = self.under_way.remove(&key) {
                        self.row_ended(probed);
                    }
                }
                Event::Changed(_) | Event::Request(_) => {}
            }
            told = self.driver.try_next();
        }
    }

    fn hear_attempt(&mut self, key: Key, attempt: Box<Attempt>) {
        let Some(probed) = self.under_way.get_mut(&key) else { return };
        match attempt.goal {
            Goal::Register => {
                let keep = self.keep && attempt.ending == Ending::Succeeded && self.course == Course::On;
                probed.attempt = Some(attempt);
                let (registrant, now) = self.driver.registrant();
                if keep {
                    registrant.forget(now, key);
                } else {
                    registrant.remove(now, key);
                }
            }
            Goal::Unregister => probed.removal = Some(attempt),
            Goal::Clear | Goal::Fetch | Goal::Ping | Goal::Locate => {}
        }
    }

    fn row_ended(&mut self, probed: Probed) {
        match probed.attempt.as_ref().map(|attempt| attempt.ending) {
            None => self.give_back(probed),
            Some(Ending::Interrupted) => {
                self.desk.withdrawn(&probed);
                self.window.done(&probed.hop, false);
            }
            Some(ending) => {
                self.desk.probed(&probed);
                let attempts = [probed.attempt, probed.removal];
                attempts.into_iter().flatten().for_each(|attempt| self.driver.recycle(attempt));
                if self.window.done(&probed.hop, ending == Ending::Failed(Cause::WrongCredentials)) {
                    self.hold(&probed.hop);
                }
                self.check_failures();
            }
        }
    }

    /// A row that waited for its turn at the registrar does not begin any more.
    fn give_back(&mut self, probed: Probed) {
        let row = Row {
            number: probed.number,
            line: probed.line,
            name: probed.name,
            account: Arc::unwrap_or_clone(probed.account),
        };
        match self.course {
            Course::On => {
                if let Some(row) = self.window.give_back(&probed.hop, row) {
                    self.desk.not_probed(&row, Why::HeldBack);
                }
            }
            Course::FailedFast => {
                self.window.done(&probed.hop, false);
                self.desk.not_probed(&row, Why::NotDone);
            }
            Course::Ending { .. } => {
                self.window.done(&probed.hop, false);
            }
        }
    }

    /// Too many passwords were wrong at a registrar: what has not begun there waits for an answer.
    fn hold(&mut self, hop: &Arc<str>) {
        if self.asks && self.course == Course::On {
            self.questions.next.push_back(Arc::clone(hop));
            self.ask();
        } else {
            self.decide(hop, Answer::Stop);
        }
        self.withdraw_waiting(|run, hop| run.window.is_held(hop));
    }

    /// Takes those back that wait for admission.
    fn withdraw_waiting(&mut self, which: impl Fn(&Self, &str) -> bool) {
        let waiting: Vec<Key> = self
            .under_way
            .iter()
            .filter(|(_, probed)| which(self, &probed.hop))
            .map(|(key, _)| *key)
            .collect();
        let (registrant, now) = self.driver.registrant();
        for key in waiting {
            let has_begun = |status: Status| !status.waits_for_admission;
            if !registrant.status(key).is_none_or(has_begun) {
                registrant.remove(now, key);
            }
        }
    }

    fn ask(&mut self) {
        if self.questions.asked.is_some() {
            return;
        }
        let Some(hop) = self.questions.next.pop_front() else {
            self.desk.progress.pause(false);
            return;
        };
        self.desk.progress.pause(true);
        let wrong = self.window.wrong_passwords(&hop);
        let question = format!("{wrong} wrong passwords at {hop}: go on?");
        let asking = tokio::task::spawn_blocking(move || match prompt::consents(&question) {
            Ok(Consent::Yes) => Answer::GoOn,
            Ok(Consent::Always) => Answer::Always,
            // Where the terminal is gone there is nobody left to say yes.
            Ok(Consent::No) | Err(_) => Answer::Stop,
        });
        self.questions.asked = Some((hop, asking));
    }

    fn answered(&mut self, answer: Answer) {
        let Some((hop, _)) = self.questions.asked.take() else { return };
        self.decide(&hop, answer);
        if answer == Answer::Always {
            for hop in std::mem::take(&mut self.questions.next) {
                self.decide(&hop, answer);
            }
        }
        self.ask();
    }

    fn decide(&mut self, hop: &Arc<str>, answer: Answer) {
        for row in self.window.answer(hop, answer) {
            self.desk.not_probed(&row, Why::HeldBack);
        }
    }

    fn check_failures(&mut self) {
        let enough = self.fail_fast.is_some_and(|most| self.desk.tally.failed >= most);
        if enough && self.course == Course::On {
            self.course = Course::FailedFast;
            for row in self.window.give_up() {
                self.desk.not_probed(&row, Why::NotDone);
            }
            self.withdraw_waiting(|_, _| true);
        }
    }

    /// Ends everything; what may be bound is removed first.
    fn end(&mut self, interrupted: bool) {
        if self.ends_at().is_some() {
            return;
        }
        let until = Instant::now() + REMOVAL_AT_MOST.saturating_sub(TO_SPARE);
        self.course = Course::Ending { until, interrupted };
        drop(self.window.give_up());
        let (registrant, now) = self.driver.registrant();
        for key in self.under_way.keys() {
            registrant.remove(now, *key);
        }
    }

    /// What was registered and could not be removed in time has a result too.
    fn tell_the_rest(&mut self) {
        for probed in std::mem::take(&mut self.under_way).into_values() {
            match probed.attempt.as_ref().map(|attempt| attempt.ending) {
                Some(Ending::Succeeded | Ending::Failed(_)) => self.desk.probed(&probed),
                Some(Ending::Interrupted) => self.desk.withdrawn(&probed),
                None => {}
            }
        }
    }
}

async fn answered(asked: &mut Option<(Arc<str>, JoinHandle<Answer>)>) -> Answer {
    match asked {
        Some((_, asking)) => asking.await.unwrap_or(Answer::Stop),
        None => std::future::pending().await,
    }
}

/// What the end of a run takes beside the removals.
const TO_SPARE: Duration = Duration::from_millis(200);
