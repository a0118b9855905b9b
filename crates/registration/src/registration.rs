//! The life of one registration between its exchanges: bound, failed, refreshed, tried again, removed (docs/states.md).
//! Not for what happens on the wire: that is [`crate::exchange`]'s.

use std::sync::Arc;
use std::time::Instant;

use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;
use sip_message::Response;

use crate::attempt::{Attempt, Bound, Ending, LastReply};
use crate::branch::Branch;
use crate::encode::Identity;
use crate::exchange::{Cx, Dialog, Exchange, Party};
use crate::outputs::Event;
use crate::status::Status;
use crate::transaction::{Absorbing, Stray};
use crate::{Account, Cause, Closed, FlowId, Goal, State, backoff};

/// One registration.
///
/// ```text
///                 order, refresh_at, retry_at
///   Resting ─────────────────────────────────► Busy(exchange)
///      ▲  ▲──────────── succeeded ────────────────┘   │
///      └────── order ────── Failed { retry_at } ◄─────┘ failed
/// ```
/// The binding lives beside the state, because it stays valid during a refresh and after a failed one.
#[derive(Debug)]
pub(crate) struct Registration {
    account: Arc<Account>,
    phase: Phase,
    held: Option<Held>,
    dialog: Dialog,
    failures: u32,
    credential_failures: u32,
    last_reply: Option<LastReply>,
    /// What the user ordered while an exchange was under way.
    ordered: Option<Goal>,
    /// It goes away as soon as its binding is removed.
    leaving: bool,
    gone: bool,
    announced: (State, Instant),
    /// Where its deadline stands in the timers.
    pub(crate) scheduled: Option<Instant>,
}

#[derive(Debug)]
enum Phase {
    Resting,
    Busy(Box<Exchange>),
    Failed { cause: Cause, retry_at: Option<Instant> },
}

/// A binding that the registrar confirmed.
#[derive(Debug, Clone)]
struct Held {
    bound: Bound,
    /// When to refresh it; never for a one-shot.
    refresh_at: Option<Instant>,
}

impl Registration {
    pub(crate) fn new(now: Instant, account: Arc<Account>, rng: &mut ChaCha12Rng) -> Self {
        let dialog = Dialog {
            identity: Identity {
                call_id: rng.random(),
                from_tag: rng.random(),
            },
            cseq: 0,
            credentials: Vec::new(),
            contact: None,
            least_expires: 0,
            flow: None,
            absorbing: Absorbing::default(),
        };
        Self {
            account,
            phase: Phase::Resting,
            held: None,
            dialog,
            failures: 0,
            credential_failures: 0,
            last_reply: None,
            ordered: None,
            leaving: false,
            gone: false,
            announced: (State::NotRegistered, now),
            scheduled: None,
        }
    }

    /// OpenSIPS' state.
    pub(crate) fn state(&self) -> State {
        let at_rest = if self.held.is_some() {
            State::Registered
        } else {
            State::NotRegistered
        };
        match &self.phase {
            Phase::Resting => at_rest,
            Phase::Busy(exchange) => match (exchange.goal, exchange.is_authenticating()) {
                (Goal::Register, false) => State::Registering,
                (Goal::Register, true) => State::Authenticating,
                (Goal::Unregister | Goal::Clear, false) => State::Unregistering,
                (Goal::Unregister | Goal::Clear, true) => State::AuthenticatingUnregister,
                (Goal::Fetch | Goal::Ping | Goal::Locate, _) => at_rest,
            },
            Phase::Failed { cause, .. } => cause.state(),
        }
    }

    pub(crate) fn status(&self) -> Status {
        let (cause, next_at) = match &self.phase {
            Phase::Resting => (None, self.held.as_ref().and_then(|held| held.refresh_at)),
            Phase::Busy(_) => (None, None),
            Phase::Failed { cause, retry_at } => (Some(*cause), *retry_at),
        };
        Status {
            state: self.state(),
            cause,
            last_reply: self.last_reply.clone(),
            since: self.announced.1,
            failures: self.failures,
            next_at,
            waits_for_operator: matches!(self.phase, Phase::Failed { retry_at: None, .. }),
            valid_until: self.held.as_ref().map(|held| held.bound.valid_until),
        }
    }

    /// The earliest moment at which something is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let own = match &self.phase {
            Phase::Resting => self.held.as_ref().and_then(|held| held.refresh_at),
            Phase::Busy(exchange) => Some(exchange.deadline()),
            Phase::Failed { retry_at, .. } => *retry_at,
        };
        let lapse = self.held.as_ref().map(|held| held.bound.valid_until);
        own.into_iter().chain(lapse).min()
    }

    /// True once it is over for good.
    pub(crate) const fn is_gone(&self) -> bool {
        self.gone
    }

    /// Tells of a change of state, once.
    pub(crate) fn announce(&mut self, cx: &mut Cx<'_>) {
        let state = self.state();
        if state != self.announced.0 {
            self.announced = (state, cx.now);
            cx.out.events.push_back((cx.key, Event::Changed(self.status())));
        }
    }

    /// The user orders an exchange. While another one is under way it waits for its turn, but for a removal, which interrupts.
    pub(crate) fn order(&mut self, cx: &mut Cx<'_>, goal: Goal) {
        match &self.phase {
            Phase::Busy(exchange) if exchange.goal == goal => {}
            Phase::Busy(_) if matches!(goal, Goal::Unregister | Goal::Clear) => {
                self.interrupt(cx);
                self.start(cx, goal);
            }
            Phase::Busy(_) => self.ordered = Some(goal),
            Phase::Resting | Phase::Failed { .. } => {
                self.credential_failures = 0;
                self.start(cx, goal);
            }
        }
    }

    /// The user stops the exchange that is under way.
    pub(crate) fn interrupt(&mut self, cx: &mut Cx<'_>) {
        self.ordered = None;
        if matches!(self.phase, Phase::Busy(_)) {
            self.finish(cx, Ending::Interrupted);
        }
    }

    /// The user wants it gone: its binding is removed first, if there is one.
    pub(crate) fn leave(&mut self, cx: &mut Cx<'_>) {
        self.leaving = true;
        let registering = matches!(&self.phase, Phase::Busy(exchange) if exchange.goal == Goal::Register);
        if self.held.is_some() || registering {
            self.order(cx, Goal::Unregister);
        } else {
            self.interrupt(cx);
            self.vanish(cx);
        }
    }

    fn vanish(&mut self, cx: &mut Cx<'_>) {
        if let Some(flow) = self.dialog.flow.take() {
            cx.leave(flow);
        }
        self.gone = true;
        cx.out.events.push_back((cx.key, Event::Removed));
    }

    fn start(&mut self, cx: &mut Cx<'_>, goal: Goal) {
        let mut party = Party {
            account: &self.account,
            dialog: &mut self.dialog,
        };
        let (exchange, ending) = Exchange::start(cx, &mut party, goal);
        self.phase = Phase::Busy(Box::new(exchange));
        self.end_if(cx, ending);
    }

    /// Lets the exchange handle something, and ends it when it says so.
    fn exchange(&mut self, cx: &mut Cx<'_>, handle: impl FnOnce(&mut Exchange, &mut Cx<'_>, &mut Party<'_>) -> Option<Ending>) {
        let Phase::Busy(exchange) = &mut self.phase else { return };
        let mut party = Party {
            account: &self.account,
            dialog: &mut self.dialog,
        };
        let ending = handle(exchange, cx, &mut party);
        self.end_if(cx, ending);
    }

    fn end_if(&mut self, cx: &mut Cx<'_>, ending: Option<Ending>) {
        if let Some(ending) = ending {
            self.finish(cx, ending);
        }
    }

    pub(crate) fn handle_answer(&mut self, cx: &mut Cx<'_>, token: u32, answer: Result<crate::Records, crate::DnsError>) {
        self.exchange(cx, |exchange, cx, party| exchange.handle_answer(cx, party, token, answer));
    }

    pub(crate) fn handle_opened(&mut self, cx: &mut Cx<'_>, flow: FlowId, opened: &crate::Opened) {
        self.exchange(cx, |exchange, cx, party| exchange.handle_opened(cx, party, flow, opened));
    }

    /// A flow of ours is gone. A binding on a stream cannot be reached any more and is made again soon (RFC 5626 §4.4).
    pub(crate) fn handle_closed(&mut self, cx: &mut Cx<'_>, flow: FlowId, closed: &Closed) {
        if self.dialog.flow == Some(flow) && !matches!(self.phase, Phase::Busy(_)) {
            self.dialog.flow = None;
            if let Some(Held {
                refresh_at: Some(refresh_at),
                ..
            }) = &mut self.held
            {
                *refresh_at = (*refresh_at).min(backoff::reconnect_at(cx.now, cx.rng));
            }
        }
        self.exchange(cx, |exchange, cx, party| exchange.handle_closed(cx, party, flow, closed));
    }

    /// A reply with our branch. Returns false when it answers nothing that waits.
    pub(crate) fn handle_response(
        &mut self,
        cx: &mut Cx<'_>,
        branch: Branch,
        source: std::net::SocketAddr,
        response: &Response<'_>,
        bytes: &[u8],
    ) -> bool {
        if matches!(&self.phase, Phase::Busy(exchange) if exchange.awaits(branch)) {
            self.exchange(cx, |exchange, cx, party| {
                exchange.handle_response(cx, party, source, response, bytes)
            });
            return true;
        }
        let stray = self.dialog.absorbing.judge(cx.now, branch.nonce);
        if let (Phase::Busy(exchange), Stray::Duplicate | Stray::Late) = (&mut self.phase, stray) {
            exchange.attempt.strays += 1;
            if stray == Stray::Late {
                exchange.handle_late();
            }
        }
        false
    }

    /// A message with our branch that cannot be read, or a stream that cannot be read on.
    pub(crate) fn handle_unreadable(&mut self, cx: &mut Cx<'_>, branch: Option<Branch>, why: &str) {
        if branch.is_none_or(|branch| matches!(&self.phase, Phase::Busy(exchange) if exchange.awaits(branch))) {
            self.exchange(cx, |exchange, cx, _| exchange.handle_unreadable(cx, why));
        }
    }

    pub(crate) fn encode(&mut self, nonce: u64, datagram: &mut Vec<u8>) -> Option<FlowId> {
        let Phase::Busy(exchange) = &self.phase else { return None };
        exchange.encode(
            &Party {
                account: &self.account,
                dialog: &mut self.dialog,
            },
            nonce,
            datagram,
        )
    }

    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.held.as_ref().is_some_and(|held| cx.now >= held.bound.valid_until) {
            // No status says registered after this.
            self.held = None;
        }
        match &self.phase {
            Phase::Resting => {
                if self.held.as_ref().and_then(|held| held.refresh_at).is_some_and(|at| cx.now >= at) {
                    self.start(cx, Goal::Register);
                }
            }
            Phase::Busy(_) => self.exchange(cx, Exchange::handle_timeout),
            Phase::Failed { retry_at, .. } => {
                if retry_at.is_some_and(|at| cx.now >= at) {
                    self.start(cx, Goal::Register);
                }
            }
        }
    }

    /// An exchange is over: keeps what it taught, tells of it, and goes on to what was ordered meanwhile.
    fn finish(&mut self, cx: &mut Cx<'_>, ending: Ending) {
        let Phase::Busy(exchange) = std::mem::replace(&mut self.phase, Phase::Resting) else {
            return;
        };
        let attempt = exchange.conclude(cx.now, ending);
        self.last_reply.clone_from(&attempt.last_reply);
        match attempt.goal {
            Goal::Register => self.finish_register(cx, &attempt),
            Goal::Unregister | Goal::Clear => self.finish_removal(&attempt),
            Goal::Fetch | Goal::Ping | Goal::Locate => {}
        }
        cx.out.events.push_back((cx.key, Event::Attempt(Box::new(attempt))));
        if self.leaving && !matches!(ending, Ending::Interrupted) {
            self.vanish(cx);
        } else if let Some(goal) = self.ordered.take() {
            self.start(cx, goal);
        }
    }

    fn finish_register(&mut self, cx: &mut Cx<'_>, attempt: &Attempt) {
        match attempt.ending {
            Ending::Succeeded => {
                (self.failures, self.credential_failures) = (0, 0);
                self.held = attempt.binding.clone().map(|bound| {
                    let granted = bound.valid_until.saturating_duration_since(cx.now);
                    let refresh_at = cx.policy.maintain.then(|| backoff::refresh_at(cx.now, granted, cx.policy, cx.rng));
                    Held { bound, refresh_at }
                });
            }
            Ending::Interrupted => {}
            Ending::Failed(cause) => {
                if matches!(cause, Cause::GrantedZero | Cause::BindingNotConfirmed) {
                    self.held = None;
                }
                self.failures = self.failures.saturating_add(1);
                let retry_at = self.next_try(cx, cause, attempt);
                self.phase = Phase::Failed { cause, retry_at };
                self.start_anew(cx);
            }
        }
    }

    /// When to try again by itself. Refused credentials are tried a bounded number of times, or the account gets locked.
    fn next_try(&mut self, cx: &mut Cx<'_>, cause: Cause, attempt: &Attempt) -> Option<Instant> {
        let refused = cause.state() == State::WrongCredentials || (cause == Cause::Forbidden && attempt.auth.credentials_sent);
        if refused {
            self.credential_failures = self.credential_failures.saturating_add(1);
        }
        if !cx.policy.maintain || (refused && self.credential_failures >= cx.policy.credential_attempts) {
            return None;
        }
        let asked = attempt.retry_after.map(|seconds| std::time::Duration::from_secs(seconds.into()));
        Some(backoff::retry_at(cx.now, self.failures, asked, cx.policy, cx.rng))
    }

    /// After a failure the next try is another dialog: new Call-ID, new From tag, no credentials sent ahead. The contact stays,
    /// so that what may have been bound can be removed.
    fn start_anew(&mut self, cx: &mut Cx<'_>) {
        self.dialog.identity = Identity {
            call_id: cx.rng.random(),
            from_tag: cx.rng.random(),
        };
        self.dialog.cseq = 0;
        self.dialog.credentials.clear();
    }

    fn finish_removal(&mut self, attempt: &Attempt) {
        match attempt.ending {
            Ending::Succeeded => self.held = None,
            Ending::Interrupted => {}
            Ending::Failed(cause) => self.phase = Phase::Failed { cause, retry_at: None },
        }
    }
}
