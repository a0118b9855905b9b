//! One account: where its registration stands, and what its last exchanges showed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sip_registration::{Attempt, Cause, Evidence, Left, Policy, RemovalEvidence, Report, State, Status};

use super::{Gone, News};
use crate::output::text::safe;
use crate::watch::entry::Entry;
use crate::watch::moment::Moment;

/// How many exchanges of one account are remembered at most.
pub(crate) const HISTORY: usize = 6;

/// One account.
#[derive(Debug)]
pub(crate) struct Row {
    /// What the file says.
    pub(crate) entry: Entry,
    /// What stays until the next exchange is over.
    pub(crate) settled: Settled,
    /// The state of the exchange under way.
    pub(crate) busy: Option<State>,
    /// Until when a binding holds.
    pub(crate) valid_until: Option<Instant>,
    /// When the next exchange begins by itself.
    pub(crate) next_at: Option<Instant>,
    /// How many exchanges in a row have failed.
    pub(crate) failures: u32,
    /// It will not try again by itself.
    pub(crate) waits_for_operator: bool,
    /// Its next exchange is due, and waits for its turn at the registrar.
    pub(crate) waits_for_admission: bool,
    /// From the last request to its final reply.
    pub(crate) round_trip: Option<Duration>,
    /// What happened and what to do, when the last exchange failed.
    pub(crate) words: Option<Words>,
    /// The last exchanges, the newest first.
    pub(crate) history: VecDeque<Past>,
    /// It goes as soon as its binding is removed.
    pub(crate) is_leaving: bool,
    /// What its exchanges may have left at the registrar, confirmed or not.
    left: Left,
}

/// What stays until the next exchange is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The state; never one of an exchange under way.
    pub(crate) state: State,
    /// Why it is no better.
    pub(crate) cause: Option<Cause>,
    /// The last final reply.
    pub(crate) reply: Option<Reply>,
    /// Since when state, cause and the code of a failure are these.
    pub(crate) since: Instant,
}

/// A final reply, safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) code: u16,
    /// The reason phrase.
    pub(crate) reason: String,
}

/// What an exchange comes to in words, safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// What happened.
    pub(crate) detail: String,
    /// What to do.
    pub(crate) advice: String,
}

/// An exchange that is over.
#[derive(Debug)]
pub(crate) struct Past {
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// What it showed.
    pub(crate) attempt: Box<Attempt>,
}

impl Row {
    /// An account that nothing was done for yet.
    pub(crate) fn new(entry: Entry, now: Instant) -> Self {
        Self {
            entry,
            settled: Settled {
                state: State::NotRegistered,
                cause: None,
                reply: None,
                since: now,
            },
            busy: None,
            valid_until: None,
            next_at: None,
            failures: 0,
            waits_for_operator: false,
            waits_for_admission: false,
            round_trip: None,
            words: None,
            history: VecDeque::new(),
            is_leaving: false,
            left: Left::default(),
        }
    }

    /// The state to show. While a valid binding is refreshed it is registered all the same, but not while it is removed.
    pub(crate) fn shown_state(&self) -> State {
        match self.busy {
            Some(State::Registering | State::Authenticating) if self.settled.state == State::Registered => State::Registered,
            Some(busy) => busy,
            None => self.settled.state,
        }
    }

    /// Why it is no better, unless something is being done about it.
    pub(crate) fn shown_cause(&self) -> Option<Cause> {
        self.settled.cause.filter(|_| self.busy.is_none())
    }

    /// Whether a binding is there, for all that we know.
    pub(crate) fn is_bound(&self, now: Instant) -> bool {
        self.valid_until.is_some_and(|until| now < until)
    }

    /// Whether the registrar may hold a binding of ours, confirmed or not.
    pub(crate) fn may_be_bound(&self, now: Instant) -> bool {
        self.left_behind().is_some_and(|left| now < left.until)
    }

    /// Whether it is one of those to look after.
    pub(crate) const fn is_failing(&self) -> bool {
        is_failure(self.settled.state)
    }

    pub(super) fn left_behind(&self) -> Option<Gone> {
        Some(Gone {
            title: self.entry.title(),
            until: self.valid_until.max(self.left.until())?,
        })
    }

    /// Another registration takes the place of the one that is gone.
    pub(super) fn begin_anew(&mut self) {
        (self.busy, self.valid_until, self.next_at) = (None, None, None);
        (self.failures, self.waits_for_operator, self.left) = (0, false, Left::default());
    }

    pub(super) fn attempted(&mut self, attempt: Box<Attempt>, moment: Moment, remembered: usize, policy: &Policy) -> Option<Box<Attempt>> {
        let started_at = moment.wall_at(attempt.started_at);
        self.left = self.left.after(&attempt);
        self.round_trip = attempt.phases.authenticated.or(attempt.phases.challenge);
        self.words = attempt.ending.cause().map(|_| {
            let report = report(&self.entry, &attempt, started_at, policy);
            Words {
                detail: safe(&report.detail),
                advice: safe(report.advice.as_deref().unwrap_or_default()),
            }
        });
        self.history.push_front(Past { started_at, attempt });
        let forgotten = (self.history.len() > remembered).then(|| self.history.pop_back()).flatten();
        self.history.truncate(remembered);
        forgotten.map(|past| past.attempt)
    }

    /// What may have changed without news.
    pub(super) fn glance(&mut self, status: &Status) {
        (self.valid_until, self.next_at) = (status.valid_until, status.next_at);
        self.waits_for_admission = status.waits_for_admission;
    }

    pub(super) fn stands(&mut self, status: &Status, now: Instant) -> Option<News> {
        self.glance(status);
        if is_in_flight(status.state) {
            let is_new = self.busy.replace(status.state) != Some(status.state);
            return is_new.then_some(News::Busy);
        }
        self.busy = None;
        (self.failures, self.waits_for_operator) = (status.failures, status.waits_for_operator);
        let reply = status.last_reply.as_ref().map(|reply| Reply {
            code: reply.code,
            reason: safe(&reply.reason),
        });
        let code = |cause: Option<Cause>, reply: &Option<Reply>| cause.and_then(|_| reply.as_ref().map(|reply| reply.code));
        let before = &self.settled;
        let differs =
            (before.state, before.cause) != (status.state, status.cause) || code(before.cause, &before.reply) != code(status.cause, &reply);
        let from = before.state;
        self.settled = Settled {
            state: status.state,
            cause: status.cause,
            reply,
            since: if differs { now } else { before.since },
        };
        Some(if differs { News::Changed { from } } else { News::Unchanged })
    }

    /// One of the remembered exchanges with all its words.
    pub(crate) fn report(&self, past: &Past, policy: &Policy) -> Report {
        report(&self.entry, &past.attempt, past.started_at, policy)
    }
}

fn report(entry: &Entry, attempt: &Attempt, started_at: Timestamp, policy: &Policy) -> Report {
    Report::assemble(&Evidence {
        account: &entry.account,
        policy,
        started_at,
        attempt,
        removal: RemovalEvidence::Kept,
    })
}

/// Whether an exchange is under way in this state.
pub(crate) const fn is_in_flight(state: State) -> bool {
    match state {
        State::Registering | State::Authenticating | State::Unregistering | State::AuthenticatingUnregister => true,
        State::NotRegistered
        | State::Registered
        | State::RegisterTimeout
        | State::InternalError
        | State::WrongCredentials
        | State::RegistrarError => false,
    }
}

/// Whether something is wrong in this state.
pub(crate) const fn is_failure(state: State) -> bool {
    match state {
        State::RegisterTimeout | State::InternalError | State::WrongCredentials | State::RegistrarError => true,
        State::NotRegistered
        | State::Registered
        | State::Registering
        | State::Authenticating
        | State::Unregistering
        | State::AuthenticatingUnregister => false,
    }
}
