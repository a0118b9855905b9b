//! One exchange: from "where is the registrar" to its final reply, over as many targets and challenges as its bounds allow.
//! Not for what comes before and after it: refreshes, waits and removals are [`crate::registration`]'s.

mod asked;
mod bindings;
mod challenge;
mod echo;
mod locating;
mod reach;
mod reply;
mod request;
mod start;
mod trust;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rand_chacha::ChaCha12Rng;
use sip_message::OwnedUri;

use self::challenge::Answered;
pub(crate) use self::start::Address;
pub(crate) use self::trust::Known;
use crate::admission::gates::Gates;
use crate::attempt::{Attempt, Bound, Ending, Happening, Notice, TargetOutcome};
use crate::branch::Branch;
use crate::encode::{Credential, Identity};
use crate::flows::{Condition, Flows, Joined, Residence, SiteId};
use crate::io::Opened;
use crate::locate::{Locate, Target};
use crate::outputs::Outputs;
use crate::parity::Listed;
use crate::texts::Texts;
use crate::transaction::{Absorbing, Due, Stray, Transaction};
use crate::{
    Account, Action, Cause, Closed, Endpoint, FlowId, Goal, Key, Policy, QueryId, State, TlsFacts, TlsFailure, Transmit, Transport,
};

/// What an exchange may use while it handles one input.
pub(crate) struct Cx<'a> {
    pub(crate) now: Instant,
    pub(crate) key: Key,
    pub(crate) policy: &'a Policy,
    pub(crate) rng: &'a mut ChaCha12Rng,
    pub(crate) flows: &'a mut Flows,
    pub(crate) gates: &'a mut Gates,
    pub(crate) out: &'a mut Outputs,
    pub(crate) texts: &'a mut Texts,
}

/// What outlives an exchange and is carried from one to the next.
#[derive(Debug)]
pub(crate) struct Dialog {
    pub(crate) identity: Identity,
    /// The CSeq of the last request.
    pub(crate) cseq: u32,
    /// Credentials that were accepted last, to be sent ahead with the next request.
    pub(crate) credentials: Box<[Credential]>,
    /// Whom we have answered so far, and what they offered.
    pub(crate) known: Option<Arc<Known>>,
    /// The Contact URI that a REGISTER asked to bind last.
    pub(crate) contact: Option<Arc<str>>,
    /// Whether the registrar has confirmed that one.
    pub(crate) is_bound: bool,
    /// The one that it had confirmed before, when the address or the connection was another: it stays bound until it lapses or is removed.
    pub(crate) former: Option<Box<Former>>,
    /// The seconds that a 423 taught us to ask for at least.
    pub(crate) least_expires: u32,
    /// Whom the last REGISTER was sent to.
    pub(crate) server: Option<Arc<Server>>,
    /// The flow that was used last.
    pub(crate) flow: Option<FlowId>,
    /// Whether the flows know that requests for `contact` come on it.
    pub(crate) has_claimed: bool,
    /// Where that flow leads, or led.
    pub(crate) home: Option<SiteId>,
    pub(crate) absorbing: Absorbing,
}

/// A Contact of ours that was another one.
#[derive(Debug)]
pub(crate) struct Former {
    pub(crate) contact: Arc<str>,
}

impl Dialog {
    /// This Contact is asked for now. One that was confirmed is remembered, to be removed at the end.
    pub(crate) fn ask_for(&mut self, contact: &Arc<str>) {
        let before = self.contact.replace(Arc::clone(contact)).filter(|before| before != contact);
        if let Some(before) = before.filter(|_| self.is_bound) {
            self.former = Some(Box::new(Former { contact: before }));
            self.is_bound = false;
        }
    }
}

/// How often something that is not SIP becomes a step; more of it would hide what follows.
const FOREIGN_STEPS: u32 = 8;
/// How many bytes are shown of what is not SIP.
const FOREIGN_SHOWN: usize = 60;

/// Whom a REGISTER was sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    target: Target,
    uri: OwnedUri,
    withhold_credentials: bool,
}

/// An exchange under way.
///
/// ```text
///  Locating ──targets──► Opening ──flow open──► Waiting ──final reply──► over
///     │                   │  ▲                   │   │ ▲
///     └─no target─► over  │  └──── next target ──┘   └─┘ 401, 407, 423, stale: another request
///                         └──no target left──► over
/// ```
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) goal: Goal,
    pub(crate) attempt: Box<Attempt>,
    step: Step,
    /// The whole exchange ends by then.
    deadline: Instant,
    /// The present target's share of the time ends then.
    target_deadline: Instant,
    /// The index of the present target.
    current: usize,
    uri: OwnedUri,
    expires: u32,
    brief_retries: u32,
    redirected: bool,
    /// After a redirect to another host no credentials go out.
    withhold_credentials: bool,
    credentials: Vec<Credential>,
    /// Whether they are the last exchange's: nothing was asked for in this one.
    are_old: bool,
    /// Whom we answered in this exchange: a second challenge from the same means that the answer was wrong, or stale.
    answered: Answered,
    /// The account for what follows it, when that was renewed meanwhile: this one keeps to what it began with, because a request that
    /// goes out again is the same request (RFC 3261 §17.1.2.2).
    pub(crate) renewed: Option<Arc<Account>>,
    /// The UDP flows of targets that kept silent, still open: their replies may only be late, and that is worth telling.
    silent: Vec<FlowId>,
    seen: Seen,
}

/// What OpenSIPS would have stumbled over; see [`crate::parity`].
#[derive(Debug, Clone, Copy)]
struct Seen {
    listed: Listed,
    challenged_again: bool,
    overloaded: bool,
    usable_min_expires: bool,
}

/// How far an exchange is.
#[derive(Debug)]
enum Step {
    Locating {
        locate: Box<Locate>,
        since: Instant,
        /// Answers to questions before this one belong to an earlier search.
        first_query: QueryId,
    },
    Opening {
        flow: FlowId,
        since: Instant,
    },
    Waiting {
        flow: FlowId,
        transaction: Transaction,
        sent: Sent,
    },
}

/// The request that waits for its reply.
#[derive(Debug, Clone)]
struct Sent {
    branch: Branch,
    cseq: u32,
    at: Instant,
    contact: Arc<str>,
    /// A second Contact URI to remove.
    former: Option<Arc<str>>,
    local: SocketAddr,
    /// What we call that address.
    sent_by: Arc<str>,
    remote: SocketAddr,
    transport: Transport,
}

/// Who is meant, beside the context: borrowed from the registration.
pub(crate) struct Party<'a> {
    pub(crate) account: &'a Account,
    pub(crate) dialog: &'a mut Dialog,
    /// The binding that the registrar confirmed last, as long as it holds.
    pub(crate) held: Option<&'a Bound>,
}

impl Exchange {
    /// Whether the request that waits carries credentials.
    const fn is_authenticating(&self) -> bool {
        !self.credentials.is_empty()
    }

    /// When to call [`Self::handle_timeout`].
    pub(crate) fn deadline(&self) -> Instant {
        match &self.step {
            Step::Locating { .. } => self.deadline,
            Step::Opening { .. } => self.target_deadline,
            Step::Waiting { transaction, .. } => transaction.deadline(),
        }
    }

    /// The deadline has passed.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>) -> Option<Ending> {
        match &mut self.step {
            Step::Locating { since, .. } if cx.now >= self.deadline => {
                self.attempt.phases.dns = self.attempt.phases.dns.map(|dns| dns + cx.now.saturating_duration_since(*since));
                "DNS did not answer in time".clone_into(&mut self.attempt.words);
                self.attempt
                    .step(cx.now, Happening::NotLocated("DNS did not answer in time".into()));
                Some(Ending::Failed(Cause::DnsFailed))
            }
            Step::Opening { flow, .. } if cx.now >= self.target_deadline => {
                let flow = *flow;
                cx.leave(flow);
                party.dialog.flow = None;
                self.fail_target(cx, party, Cause::ConnectTimeout)
            }
            Step::Locating { .. } | Step::Opening { .. } => None,
            Step::Waiting { flow, transaction, sent } => match transaction.handle_timeout(cx.now, cx.policy) {
                Due::Nothing => None,
                Due::Retransmit => {
                    let nonce = sent.branch.nonce;
                    self.attempt.retransmissions += 1;
                    self.note_sent(cx, party);
                    cx.out.send(cx.key, nonce);
                    None
                }
                Due::TimedOut => {
                    let cause = if transaction.is_proceeding() {
                        Cause::OnlyProvisional
                    } else {
                        Cause::NoReply
                    };
                    party.dialog.absorbing.abandoned(cx.now, sent.branch.nonce);
                    if self.answered.anybody() {
                        let (transport, remote) = (sent.transport, sent.remote);
                        self.attempt.notice(Notice::SilentAfterChallenge { transport, remote });
                    }
                    if sent.transport.is_reliable() {
                        let flow = *flow;
                        // A connection that delivers no reply is as good as dead: the next try opens another one.
                        cx.flows.retire(flow);
                        cx.leave(flow);
                        party.dialog.flow = None;
                    } else if self.current + 1 < self.attempt.targets.len() {
                        self.silent.extend(party.dialog.flow.take());
                    }
                    self.attempt.may_be_bound |= self.may_have_bound();
                    self.attempt.unanswered |= self.may_have_bound();
                    self.fail_target(cx, party, cause)
                }
            },
        }
    }

    /// Whether the request that waits may have made a binding although its reply does not come.
    fn may_have_bound(&self) -> bool {
        self.goal == Goal::Register && !self.credentials.is_empty()
    }

    /// The present target is no use: on to the next one, if the cause is one that another target may not share (RFC 3263 §4.3).
    fn fail_target(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, cause: Cause) -> Option<Ending> {
        self.set_outcome(TargetOutcome::Failed(cause));
        self.seen.overloaded |= cause == Cause::Overloaded;
        let target = self.endpoint().map(|endpoint| (endpoint.transport, endpoint.remote));
        self.attempt.step(cx.now, Happening::TargetFailed { cause, target });
        if self.current + 1 >= self.attempt.targets.len() || cx.now >= self.deadline {
            return Some(self.give_up());
        }
        self.current += 1;
        // What was said of the one before says nothing of this one.
        self.attempt.words.clear();
        // Another server: its challenge will be another one.
        self.credentials.clear();
        self.answered = Answered::default();
        self.open(cx, party)
    }

    /// No target is left. A reply says more than a silence, so that a 503 counts more than the failures after it.
    fn give_up(&self) -> Ending {
        let causes = || {
            self.attempt.targets.iter().filter_map(|tried| match tried.outcome {
                TargetOutcome::Failed(cause) => Some(cause),
                TargetOutcome::NotTried | TargetOutcome::InUse | TargetOutcome::Served => None,
            })
        };
        let cause = causes().find(|cause| *cause == Cause::Overloaded).or_else(|| causes().next_back());
        Ending::Failed(cause.unwrap_or(Cause::DnsNotFound))
    }

    fn set_outcome(&mut self, outcome: TargetOutcome) {
        if let Some(tried) = self.attempt.targets.get_mut(self.current) {
            tried.outcome = outcome;
        }
    }

    fn endpoint(&self) -> Option<&Endpoint> {
        self.attempt.targets.get(self.current).map(|tried| &tried.target.endpoint)
    }

    /// Nobody listens for late replies any more. The flow of the present target stays.
    pub(crate) fn leave_silent(&mut self, cx: &mut Cx<'_>, present: Option<FlowId>) {
        for flow in self.silent.drain(..).filter(|flow| Some(*flow) != present) {
            cx.leave(flow);
        }
    }

    /// Writes down how it ended, and hands the evidence out.
    pub(crate) fn conclude(&mut self, cx: &mut Cx<'_>, dialog: &mut Dialog, ending: Ending) -> Box<Attempt> {
        match (self.attempt.targets.get(self.current).map(|tried| tried.outcome), ending) {
            (Some(TargetOutcome::InUse), Ending::Failed(cause)) => self.set_outcome(TargetOutcome::Failed(cause)),
            (Some(TargetOutcome::InUse), Ending::Succeeded) => self.set_outcome(TargetOutcome::Served),
            (_, Ending::Failed(_) | Ending::Succeeded | Ending::Interrupted) => {}
        }
        if let (Step::Waiting { sent, .. }, Ending::Interrupted) = (&self.step, ending) {
            self.attempt.may_be_bound |= self.goal == Goal::Register;
            self.attempt.unanswered = true;
            dialog.absorbing.abandoned(cx.now, sent.branch.nonce);
        }
        if self.goal == Goal::Register && self.attempt.requests > 0 {
            self.keep_server(cx, dialog);
        }
        self.attempt.asked_for = self.expires;
        self.attempt.call_id = dialog.identity.call_id;
        self.attempt.ended_at = cx.now;
        self.attempt.ending = ending;
        self.attempt.opensips_state = match ending {
            Ending::Succeeded | Ending::Failed(_) => self.parity(ending.cause()),
            Ending::Interrupted => self.in_flight().unwrap_or(State::NotRegistered),
        };
        let other = cx.out.pool.attempt(cx.now, self.goal);
        std::mem::replace(&mut self.attempt, other)
    }

    /// Remembers whom the REGISTER went to. Registrations with the same share it.
    fn keep_server(&self, cx: &mut Cx<'_>, dialog: &mut Dialog) {
        let Some(tried) = self.attempt.targets.get(self.current) else {
            dialog.server = None;
            return;
        };
        let is_same = |server: &Server| {
            (&server.target, &server.uri, server.withhold_credentials) == (&tried.target, &self.uri, self.withhold_credentials)
        };
        if dialog.server.as_deref().is_some_and(is_same) {
            return;
        }
        let recent = cx.out.pool.servers.iter().find(|server| is_same(server)).cloned();
        dialog.server = Some(recent.unwrap_or_else(|| {
            let server = Arc::new(Server {
                target: tried.target.clone(),
                uri: self.uri.clone(),
                withhold_credentials: self.withhold_credentials,
            });
            cx.out.pool.servers.truncate(Self::SHARED_SERVERS - 1);
            cx.out.pool.servers.push_front(Arc::clone(&server));
            server
        }));
    }

    /// How many of those that were used last are looked through for one to share.
    const SHARED_SERVERS: usize = 8;

    /// The state while it is under way; `None` for a goal that has none of its own.
    pub(crate) const fn in_flight(&self) -> Option<State> {
        match (self.goal, self.is_authenticating()) {
            (Goal::Register, false) => Some(State::Registering),
            (Goal::Register, true) => Some(State::Authenticating),
            (Goal::Unregister | Goal::Clear, false) => Some(State::Unregistering),
            (Goal::Unregister | Goal::Clear, true) => Some(State::AuthenticatingUnregister),
            (Goal::Fetch | Goal::Ping | Goal::Locate, _) => None,
        }
    }

    fn parity(&self, cause: Option<Cause>) -> State {
        crate::parity::opensips_state(&crate::parity::Outcome {
            goal: self.goal,
            cause,
            status: self.attempt.last_reply.as_ref().map(|reply| reply.code),
            listed: self.seen.listed,
            redirected: self.redirected,
            overloaded: self.seen.overloaded,
            challenged_again: self.seen.challenged_again,
            usable_min_expires: self.seen.usable_min_expires,
        })
    }

    /// Whether this is the request that waits for a reply.
    pub(crate) fn awaits(&self, branch: Branch) -> bool {
        matches!(&self.step, Step::Waiting { sent, .. } if sent.branch == branch)
    }

    /// Whether a request waits for its reply on this flow.
    pub(crate) fn waits_on(&self, id: FlowId) -> bool {
        matches!(self.step, Step::Waiting { flow, .. } if flow == id)
    }

    /// Whether it waits for this flow to open, and nothing has gone out yet.
    pub(crate) fn opens(&self, id: FlowId) -> bool {
        self.attempt.requests == 0 && matches!(self.step, Step::Opening { flow, .. } if flow == id)
    }

    /// A message came with our branch, and it cannot be read.
    pub(crate) fn handle_unreadable(&mut self, cx: &Cx<'_>, why: &str) -> Ending {
        self.attempt.words = why.to_owned();
        self.attempt.may_be_bound |= self.may_have_bound();
        self.attempt.step(cx.now, Happening::Malformed(why.into()));
        Ending::Failed(Cause::MalformedReply)
    }

    /// Bytes that are no SIP came while we wait: they answer nothing, and they say that somebody else listens there.
    pub(crate) fn handle_foreign_bytes(&mut self, cx: &Cx<'_>, bytes: &[u8]) {
        let line = bytes
            .trim_ascii_start()
            .split(|byte| matches!(byte, b'\r' | b'\n'))
            .next()
            .unwrap_or_default();
        let shown = sip_message::printable(line.get(..FOREIGN_SHOWN).unwrap_or(line));
        self.attempt.words = format!("what came is not SIP: {shown}");
        self.attempt.strays = self.attempt.strays.saturating_add(1);
        if self.attempt.strays <= FOREIGN_STEPS {
            self.attempt.step(cx.now, Happening::NotSip(shown.into()));
        }
    }

    /// A reply came that answers nothing that waits.
    pub(crate) fn handle_stray(&mut self, stray: Stray) {
        match stray {
            Stray::Duplicate => {}
            Stray::Late => self.attempt.notice(Notice::LateReply),
            Stray::Foreign => return,
        }
        self.attempt.strays = self.attempt.strays.saturating_add(1);
    }
}

impl Dialog {
    /// A nonce count that went out is used up, whatever comes of its request (RFC 7616 §3.4).
    fn note_counts(&mut self, sent: &[Credential]) {
        for kept in &mut self.credentials {
            let same = |sent: &&Credential| sent.cnonce == kept.cnonce && sent.challenge.nonce() == kept.challenge.nonce();
            if let Some(sent) = sent.iter().find(same) {
                kept.nonce_count = sent.nonce_count;
            }
        }
    }
}

impl Cx<'_> {
    /// Takes the registration off a flow, and closes the flow when it was the last one there.
    pub(crate) fn leave(&mut self, flow: FlowId) {
        if self.flows.leave(flow, self.key) {
            self.out.act(Action::Close(flow));
        }
    }

    /// What TLS showed on an open flow.
    fn tls(&self, flow: FlowId) -> Option<Arc<TlsFacts>> {
        match &self.flows.get(flow)?.condition {
            Condition::Open { tls, .. } => tls.clone(),
            Condition::Opening => None,
        }
    }

    /// Our own address on an open flow, and how it is written.
    fn local(&self, flow: FlowId) -> Option<(SocketAddr, Arc<str>)> {
        match &self.flows.get(flow)?.condition {
            Condition::Open { local, host_port, .. } => Some((*local, Arc::clone(host_port))),
            Condition::Opening => None,
        }
    }
}
