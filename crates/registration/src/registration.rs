//! The life of one registration between its exchanges: bound, failed, refreshed, tried again, removed (docs/states.md).
//! Not for what happens on the wire: that is [`crate::exchange`]'s.

mod asked;
mod leaving;
mod orders;
mod renewing;
mod starting;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;
use sip_message::Response;

use self::orders::Orders;
use self::starting::Waiting;
use crate::admission::gates::GateId;
use crate::attempt::{Attempt, Bound, CallId, Ending, LastReply};
use crate::branch::Branch;
use crate::encode::Identity;
use crate::exchange::{Cx, Dialog, Exchange, Party};
use crate::flows::SiteId;
use crate::outputs::Event;
use crate::status::Status;
use crate::transaction::{Absorbing, Stray};
use crate::{Account, Cause, Closed, DnsError, FlowId, Goal, Opened, QueryId, Records, State, Transmit, backoff};

/// One registration.
///
/// ```text
///                 order, refresh, retry
///   standing ─────────────────────────────► exchange under way
///      ▲ Fine                                     │
///      └─────────── succeeded ────────────────────┤
///      │ Failed                                   │
///      └─────────── failed ───────────────────────┘
/// ```
/// The binding and the standing live beside the exchange: a binding stays valid during a refresh and after a failed one, and a
/// look at the bindings in between makes no difference to when the next try is due.
#[derive(Debug)]
pub(crate) struct Registration {
    account: Arc<Account>,
    /// What the last registration or removal left.
    standing: Standing,
    exchange: Option<Box<Exchange>>,
    /// What is to start and has to wait; never beside an exchange.
    waiting: Option<Waiting>,
    /// Whether what is under way or waits began by itself: a refresh, a retry.
    by_itself: bool,
    /// Where it has to wait.
    gate: Option<GateId>,
    /// The binding that the registrar confirmed last.
    held: Option<Bound>,
    /// A registration that failed or was interrupted may have bound something all the same.
    perhaps_bound: bool,
    dialog: Dialog,
    failures: u32,
    /// Where it is counted among those that failed.
    struggles_at: Option<SiteId>,
    credential_failures: u32,
    last_reply: Option<LastReply>,
    /// What the user ordered while an exchange was under way, each once.
    ordered: Orders,
    /// It goes away as soon as its binding is removed.
    leaving: bool,
    gone: bool,
    /// The state that was told last.
    announced: State,
    announced_at: Instant,
}

#[derive(Debug, Clone, Copy)]
enum Standing {
    /// Nothing has failed. A kept registration is refreshed in time.
    Fine { refresh_at: Option<Instant> },
    /// The last registration or removal failed.
    Failed { cause: Cause, next: Next },
}

/// What follows a failure.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// Nothing by itself.
    Nothing,
    /// Another try.
    Try(Instant),
    /// Nothing before the operator acts: the credentials were refused too often.
    Operator,
}

/// RFC 3261 §8.1.1.5: CSeq stays below 2³¹. Far fewer requests than what is left here fit into an exchange.
const LAST_CSEQ: u32 = 0x7fff_0000;

impl Registration {
    pub(crate) fn new(now: Instant, account: Arc<Account>, gate: Option<GateId>, rng: &mut ChaCha12Rng) -> Self {
        let dialog = Dialog {
            identity: Identity {
                call_id: CallId::new(rng.random()),
                from_tag: rng.random(),
            },
            cseq: 0,
            credentials: Box::default(),
            known: None,
            contact: None,
            is_bound: false,
            former: None,
            least_expires: 0,
            server: None,
            flow: None,
            has_claimed: false,
            home: None,
            absorbing: Absorbing::default(),
        };
        Self {
            account,
            standing: Standing::Fine { refresh_at: None },
            exchange: None,
            waiting: None,
            by_itself: false,
            gate,
            held: None,
            perhaps_bound: false,
            dialog,
            failures: 0,
            struggles_at: None,
            credential_failures: 0,
            last_reply: None,
            ordered: Orders::default(),
            leaving: false,
            gone: false,
            announced: State::NotRegistered,
            announced_at: now,
        }
    }

    /// OpenSIPS' state.
    pub(crate) fn state(&self) -> State {
        let at_rest = match self.standing {
            Standing::Failed { cause, .. } => cause.state(),
            Standing::Fine { .. } if self.held.is_some() => State::Registered,
            Standing::Fine { .. } => State::NotRegistered,
        };
        self.exchange.as_ref().and_then(|exchange| exchange.in_flight()).unwrap_or(at_rest)
    }

    pub(crate) fn status(&self) -> Status {
        let shown = match &self.exchange {
            Some(exchange) if exchange.in_flight().is_some() => Standing::Fine { refresh_at: None },
            Some(_) | None => self.standing,
        };
        let (cause, next) = match shown {
            Standing::Fine { .. } => (None, Next::Nothing),
            Standing::Failed { cause, next } => (Some(cause), next),
        };
        Status {
            state: self.state(),
            cause,
            last_reply: self.last_reply.clone(),
            since: self.announced_at,
            failures: self.failures,
            next_at: match &self.waiting {
                Some(waiting) => waiting.until(),
                None => shown.due_at(),
            },
            waits_for_admission: self.waiting.is_some(),
            waits_for_operator: self.waiting.is_none() && matches!(next, Next::Operator),
            valid_until: self.held.as_ref().map(|bound| bound.valid_until),
        }
    }

    /// The earliest moment at which something is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let own = match (&self.exchange, &self.waiting) {
            (Some(exchange), _) => Some(exchange.deadline()),
            (None, Some(waiting)) => waiting.until(),
            (None, None) => self.standing.due_at(),
        };
        let lapse = self.held.as_ref().map(|bound| bound.valid_until);
        own.into_iter().chain(lapse).min()
    }

    /// True once it is over for good.
    pub(crate) const fn is_gone(&self) -> bool {
        self.gone
    }

    /// Tells of a change of state, once.
    pub(crate) fn announce(&mut self, cx: &mut Cx<'_>) {
        let state = self.state();
        if state != self.announced {
            (self.announced, self.announced_at) = (state, cx.now);
            cx.out.events.push_back((cx.key, Event::Changed(self.status())));
        }
    }

    /// Forgets a binding whose time is over: no status says registered after it. True when its refresh was still waiting for its turn.
    pub(crate) fn lapse(&mut self, now: Instant) -> bool {
        let lapsed = self.held.take_if(|bound| now >= bound.valid_until).is_some();
        lapsed && self.waiting.as_ref().is_some_and(Waiting::keeps_a_binding)
    }

    /// The user orders an exchange. While another one is under way it waits for its turn, but for a removal, which interrupts.
    pub(crate) fn order(&mut self, cx: &mut Cx<'_>, goal: Goal) {
        if self.leaving {
            return;
        }
        if goal == Goal::Register {
            self.credential_failures = 0;
        }
        match self.goal() {
            _ if goal.removes() => self.remove_at_once(cx, goal),
            Some(present) if present == goal || self.ordered.contains(goal) => {}
            Some(_) => self.ordered.push(goal),
            None => self.put_off(cx, goal),
        }
    }

    /// What is under way, or waits to be.
    fn goal(&self) -> Option<Goal> {
        let waiting = self.waiting.as_ref().map(|waiting| waiting.goal);
        self.exchange.as_ref().map(|exchange| exchange.goal).or(waiting)
    }

    /// A removal goes before everything that was ordered earlier, and is not begun twice.
    fn remove_at_once(&mut self, cx: &mut Cx<'_>, goal: Goal) {
        self.ordered.clear();
        if self.goal() != Some(goal) {
            self.withdraw(cx);
            self.finish(cx, Ending::Interrupted);
            self.start(cx, goal);
        }
    }

    /// The user stops what is under way, what waits, and what was to come. Nothing more happens by itself before the next order: it makes
    /// no difference whether a refresh was under way at this moment, had just ended, or was about to begin.
    pub(crate) fn interrupt(&mut self, cx: &mut Cx<'_>) {
        self.ordered.clear();
        self.withdraw(cx);
        self.finish(cx, Ending::Interrupted);
        self.recover(cx);
        self.standing.stop();
        if self.leaving {
            self.vanish(cx);
        }
    }

    /// Lets the exchange handle something, and ends it when it says so.
    fn exchange(&mut self, cx: &mut Cx<'_>, handle: impl FnOnce(&mut Exchange, &mut Cx<'_>, &mut Party<'_>) -> Option<Ending>) {
        let Some(exchange) = &mut self.exchange else { return };
        let mut party = Party {
            account: &self.account,
            dialog: &mut self.dialog,
            held: self.held.as_ref(),
        };
        let ending = handle(exchange, cx, &mut party);
        self.end_if(cx, ending);
    }

    fn end_if(&mut self, cx: &mut Cx<'_>, ending: Option<Ending>) {
        if let Some(ending) = ending {
            self.finish(cx, ending);
        }
    }

    pub(crate) fn handle_answer(&mut self, cx: &mut Cx<'_>, query: QueryId, token: u32, answer: Result<Records, DnsError>) {
        self.exchange(cx, |exchange, cx, party| exchange.handle_answer(cx, party, query, token, answer));
    }

    /// A flow opened that so many wait for.
    pub(crate) fn handle_opened(&mut self, cx: &mut Cx<'_>, flow: FlowId, opened: &Opened, crowd: usize) {
        if !self.stagger(cx, flow, crowd) {
            self.exchange(cx, |exchange, cx, party| exchange.handle_opened(cx, party, flow, opened));
        }
    }

    /// A flow of ours is gone. A binding on it may not be reached any more and is made again soon (RFC 5626 §4.4).
    pub(crate) fn handle_closed(&mut self, cx: &mut Cx<'_>, flow: FlowId, closed: &Closed) {
        if self.dialog.flow == Some(flow) {
            self.dialog.flow = None;
            let crowd = cx.flows.stranded(self.dialog.home);
            self.come_back_soon(cx, crowd);
        }
        self.exchange(cx, |exchange, cx, party| exchange.handle_closed(cx, party, flow, closed));
    }

    /// What the exchange under way shows so far.
    pub(crate) fn attempt(&self) -> Option<&Attempt> {
        self.exchange.as_ref().map(|exchange| &*exchange.attempt)
    }

    /// A reply with our branch.
    ///
    /// # Errors
    /// What it is instead of the answer to a request that waits.
    pub(crate) fn handle_response(
        &mut self,
        cx: &mut Cx<'_>,
        branch: Branch,
        source: SocketAddr,
        response: &Response<'_>,
        bytes: &[u8],
    ) -> Result<(), Stray> {
        if self.awaits(branch) {
            self.exchange(cx, |exchange, cx, party| {
                exchange.handle_response(cx, party, source, response, bytes)
            });
            return Ok(());
        }
        let stray = self.dialog.absorbing.judge(cx.now, branch.nonce);
        if let Some(exchange) = &mut self.exchange {
            exchange.handle_stray(stray);
        }
        Err(stray)
    }

    /// A message with our branch that cannot be read.
    pub(crate) fn handle_unreadable(&mut self, cx: &mut Cx<'_>, branch: Branch, why: &str) {
        if self.awaits(branch) {
            self.exchange(cx, |exchange, cx, _| Some(exchange.handle_unreadable(cx, why)));
        }
    }

    /// Bytes that are no SIP came where we wait for a reply.
    pub(crate) fn handle_foreign_bytes(&mut self, cx: &Cx<'_>, flow: FlowId, bytes: &[u8]) {
        if let Some(exchange) = self.exchange.as_mut().filter(|exchange| exchange.waits_on(flow)) {
            exchange.handle_foreign_bytes(cx, bytes);
        }
    }

    /// The stream cannot be read on. Who waits there for a reply has got one that makes no sense.
    pub(crate) fn handle_unframed(&mut self, cx: &mut Cx<'_>, flow: FlowId, why: &str) {
        if self.exchange.as_ref().is_some_and(|exchange| exchange.waits_on(flow)) {
            self.exchange(cx, |exchange, cx, _| Some(exchange.handle_unreadable(cx, why)));
        }
        self.handle_closed(cx, flow, &Closed::Ended);
    }

    fn awaits(&self, branch: Branch) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.awaits(branch))
    }

    pub(crate) fn encode(&mut self, nonce: u64, datagram: &mut Vec<u8>) -> Option<Transmit> {
        let exchange = self.exchange.as_ref()?;
        exchange.encode(
            &Party {
                account: &self.account,
                dialog: &mut self.dialog,
                held: None,
            },
            nonce,
            datagram,
        )
    }

    /// An exchange is over: keeps what it taught, tells of it, and goes on to what was ordered meanwhile.
    fn finish(&mut self, cx: &mut Cx<'_>, ending: Ending) {
        let Some(mut exchange) = self.exchange.take() else { return };
        if let Some(gate) = self.gate {
            cx.gates.finished(cx.now, gate, &cx.policy.admission);
        }
        exchange.leave_silent(cx, self.dialog.flow);
        let attempt = exchange.conclude(cx, &mut self.dialog, ending);
        let renewed = exchange.renewed.take();
        cx.out.pool.put_exchange(exchange);
        self.last_reply.clone_from(&attempt.last_reply);
        match attempt.goal {
            Goal::Register => self.finish_register(cx, &attempt),
            Goal::Unregister | Goal::Clear => self.finish_removal(&attempt),
            Goal::Fetch | Goal::Ping | Goal::Locate => {}
        }
        if let Some(account) = renewed {
            self.adopt(account);
        }
        cx.out.events.push_back((cx.key, Event::Attempt(attempt)));
        if self.leaving && ending != Ending::Interrupted {
            self.vanish(cx);
        } else if let Some(goal) = self.ordered.pop() {
            self.by_itself = false;
            self.start(cx, goal);
        }
    }

    fn finish_register(&mut self, cx: &mut Cx<'_>, attempt: &Attempt) {
        self.perhaps_bound |= attempt.may_be_bound;
        self.recover(cx);
        self.standing = match attempt.ending {
            Ending::Succeeded => {
                (self.failures, self.credential_failures) = (0, 0);
                self.dialog.is_bound = true;
                self.perhaps_bound = false;
                // A reply may take longer than what it grants.
                self.held = attempt.binding.clone().filter(|bound| cx.now < bound.valid_until);
                Standing::Fine {
                    refresh_at: attempt.binding.as_ref().and_then(|bound| Self::refresh_at(cx, bound)),
                }
            }
            Ending::Interrupted => Standing::Fine { refresh_at: None },
            Ending::Failed(cause) => {
                if matches!(cause, Cause::GrantedZero | Cause::BindingNotConfirmed) {
                    self.held = None;
                }
                self.failures = self.failures.saturating_add(1);
                self.start_anew(cx);
                Standing::Failed {
                    cause,
                    next: self.next_try(cx, cause, attempt),
                }
            }
        };
    }

    /// When to refresh: in a part of what was granted, which counts from the sending.
    fn refresh_at(cx: &mut Cx<'_>, bound: &Bound) -> Option<Instant> {
        let granted = Duration::from_secs(bound.granted.into());
        let since = bound.valid_until.checked_sub(granted).unwrap_or(cx.now);
        let refresh_at = backoff::refresh_at(since, granted, cx.policy, cx.rng);
        cx.policy.maintain.then(|| refresh_at.max(cx.now))
    }

    /// When to try again by itself. Refused credentials are tried a bounded number of times, or the account gets locked.
    fn next_try(&mut self, cx: &mut Cx<'_>, cause: Cause, attempt: &Attempt) -> Next {
        let refused = cause.state() == State::WrongCredentials || (cause == Cause::Forbidden && attempt.auth.credentials_sent);
        if refused {
            self.credential_failures = self.credential_failures.saturating_add(1);
        }
        if !cx.policy.maintain {
            return Next::Nothing;
        }
        if refused && self.credential_failures >= cx.policy.credential_attempts {
            return Next::Operator;
        }
        let asked = attempt.retry_after.map(|seconds| Duration::from_secs(seconds.into()));
        let crowd = self.struggle(cx);
        Next::Try(backoff::retry_at(cx.now, self.failures, asked, crowd, cx.policy, cx.rng))
    }

    /// After a failure the next try is another dialog: new Call-ID, new From tag, no credentials sent ahead. The contact stays,
    /// so that what may have been bound can be removed.
    fn start_anew(&mut self, cx: &mut Cx<'_>) {
        self.dialog.identity = Identity {
            call_id: CallId::new(cx.rng.random()),
            from_tag: cx.rng.random(),
        };
        self.dialog.cseq = 0;
        self.dialog.credentials = Box::default();
    }

    fn finish_removal(&mut self, attempt: &Attempt) {
        self.standing = match attempt.ending {
            Ending::Succeeded => {
                (self.held, self.dialog.is_bound, self.dialog.former) = (None, false, None);
                self.perhaps_bound = false;
                Standing::Fine { refresh_at: None }
            }
            Ending::Interrupted => Standing::Fine { refresh_at: None },
            Ending::Failed(cause) => Standing::Failed {
                cause,
                next: Next::Nothing,
            },
        };
    }
}

impl Standing {
    /// Nothing is due by itself any more.
    const fn stop(&mut self) {
        match self {
            Self::Fine { refresh_at } => *refresh_at = None,
            Self::Failed { next: Next::Operator, .. } => {}
            Self::Failed { next, .. } => *next = Next::Nothing,
        }
    }

    /// When a registration is due by itself.
    const fn due_at(self) -> Option<Instant> {
        match self {
            Self::Fine { refresh_at } => refresh_at,
            Self::Failed { next: Next::Try(at), .. } => Some(at),
            Self::Failed {
                next: Next::Nothing | Next::Operator,
                ..
            } => None,
        }
    }
}

impl Goal {
    const fn removes(self) -> bool {
        match self {
            Self::Unregister | Self::Clear => true,
            Self::Register | Self::Fetch | Self::Ping | Self::Locate => false,
        }
    }
}
