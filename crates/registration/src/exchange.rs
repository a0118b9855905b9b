//! One exchange: from "where is the registrar" to its final reply, over as many targets and challenges as its bounds allow.
//! Not for what comes before and after it: refreshes, waits and removals are [`crate::registration`]'s.

mod asked;
mod bindings;
mod challenge;
mod locating;
mod reach;
mod reply;
mod request;

use std::net::SocketAddr;
use std::time::Instant;

use rand_chacha::ChaCha12Rng;
use sip_message::ChallengeSource;

use crate::admission::gates::Gates;
use crate::attempt::{Attempt, Ending, Notice, TargetOutcome};
use crate::branch::Branch;
use crate::encode::{Credential, Identity};
use crate::flows::{Flows, Joined, Residence, SiteId};
use crate::io::Opened;
use crate::locate::{Locate, Target};
use crate::outputs::Outputs;
use crate::parity::Listed;
use crate::report::Arrow;
use crate::transaction::{Absorbing, Due, Stray, Transaction};
use crate::{Account, Action, Cause, Closed, Endpoint, FlowId, Goal, Key, Policy, QueryId, State, TlsFailure, Transmit, Transport};

/// What an exchange may use while it handles one input.
pub(crate) struct Cx<'a> {
    pub(crate) now: Instant,
    pub(crate) key: Key,
    pub(crate) policy: &'a Policy,
    pub(crate) rng: &'a mut ChaCha12Rng,
    pub(crate) flows: &'a mut Flows,
    pub(crate) gates: &'a mut Gates,
    pub(crate) out: &'a mut Outputs,
}

/// What outlives an exchange and is carried from one to the next.
#[derive(Debug)]
pub(crate) struct Dialog {
    pub(crate) identity: Identity,
    /// The CSeq of the last request.
    pub(crate) cseq: u32,
    /// Credentials that were accepted last, to be sent ahead with the next request.
    pub(crate) credentials: Vec<Credential>,
    /// The Contact URI that a REGISTER asked to bind last.
    pub(crate) contact: Option<String>,
    /// The Contact URI that was bound last: another one when the address has changed since.
    pub(crate) bound: Option<String>,
    /// The seconds that a 423 taught us to ask for at least.
    pub(crate) least_expires: u32,
    /// Whom the last REGISTER was sent to.
    pub(crate) server: Option<Server>,
    /// The flow that was used last.
    pub(crate) flow: Option<FlowId>,
    /// Where that flow leads, or led.
    pub(crate) home: Option<SiteId>,
    pub(crate) absorbing: Absorbing,
}

/// How often something that is not SIP becomes a step; more of it would hide what follows.
const FOREIGN_STEPS: u32 = 8;
/// How many bytes are shown of what is not SIP.
const FOREIGN_SHOWN: usize = 60;

/// Whom a REGISTER was sent to.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    target: Target,
    uri: String,
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
    uri: String,
    expires: u32,
    brief_retries: u32,
    redirected: bool,
    /// After a redirect to another host no credentials go out.
    withhold_credentials: bool,
    credentials: Vec<Credential>,
    /// Whether they are the last exchange's: nothing was asked for in this one.
    are_old: bool,
    /// Whom we answered in this exchange: a second challenge from the same means that the answer was wrong, or stale.
    answered: Vec<ChallengeSource>,
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
        locate: Locate,
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
    contact: String,
    /// A second Contact URI to remove.
    former: Option<String>,
    local: SocketAddr,
    remote: SocketAddr,
    transport: Transport,
}

/// Who is meant, beside the context: borrowed from the registration.
pub(crate) struct Party<'a> {
    pub(crate) account: &'a Account,
    pub(crate) dialog: &'a mut Dialog,
}

impl Exchange {
    /// Starts. With an ending, it is over at once.
    pub(crate) fn start(cx: &mut Cx<'_>, party: &mut Party<'_>, goal: Goal) -> (Self, Option<Ending>) {
        let account = party.account;
        let next_hop = account.outbound_proxy.as_ref().unwrap_or(&account.registrar);
        // RFC 3261 §26.2.2: sips means TLS at every hop, the first one included, whatever the way there is called.
        // A sips next hop says so itself, and may then name its servers by NAPTR.
        let secure = account.aor.parts().secure || account.registrar.parts().secure;
        let in_the_clear = secure && !next_hop.parts().secure;
        let step = Step::locate(cx, next_hop, if in_the_clear { Some(Transport::Tls) } else { account.transport });
        let deadline = cx.now + cx.policy.timeout;
        let mut exchange = Self {
            goal,
            attempt: cx.out.pool.attempt(cx.now, goal),
            step,
            deadline,
            target_deadline: deadline,
            current: 0,
            uri: account.registrar.as_str().to_owned(),
            expires: account.expires.max(party.dialog.least_expires),
            brief_retries: 0,
            redirected: false,
            withhold_credentials: false,
            credentials: if cx.policy.credentials_ahead {
                Self::ahead(party.dialog)
            } else {
                Vec::new()
            },
            are_old: true,
            answered: Vec::new(),
            silent: Vec::new(),
            seen: Seen {
                listed: Listed::Nothing,
                challenged_again: false,
                overloaded: false,
                usable_min_expires: false,
            },
        };
        // A removal goes to whom the binding was made with: DNS may name another server by now, or nobody.
        let server = party.dialog.server.clone().filter(|_| goal == Goal::Unregister);
        if let Some(server) = &server {
            exchange.uri.clone_from(&server.uri);
            exchange.withhold_credentials = server.withhold_credentials;
        }
        if exchange.withhold_credentials {
            exchange.credentials.clear();
        }
        let ending = match server.map(|server| server.target).or_else(|| account.target.as_deref().cloned()) {
            Some(target) => exchange.use_targets(cx, party, vec![target]),
            None => exchange.go_on_locating(cx, party),
        };
        (exchange, ending)
    }

    /// The credentials of the last exchange, counted on: the nonce may still be good, which saves a round trip.
    fn ahead(dialog: &Dialog) -> Vec<Credential> {
        let mut credentials = dialog.credentials.clone();
        credentials.retain_mut(|credential| match credential.answer.nonce_count.checked_add(1) {
            Some(count) => {
                credential.answer.nonce_count = count;
                true
            }
            None => false,
        });
        credentials
    }

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
                    .step(cx.now, Arrow::Failed, "no address found", "DNS did not answer in time");
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
                    if self.encode(party, nonce, &mut cx.out.scratch).is_some() {
                        self.note_sent(cx);
                        cx.out.send(cx.key, nonce);
                    }
                    None
                }
                Due::TimedOut => {
                    let cause = if transaction.is_proceeding() {
                        Cause::OnlyProvisional
                    } else {
                        Cause::NoReply
                    };
                    party.dialog.absorbing.abandoned(sent.branch.nonce);
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
        self.attempt.step(
            cx.now,
            Arrow::Failed,
            cause.name().replace('_', " "),
            self.endpoint().map_or_else(String::new, endpoint_name),
        );
        if self.current + 1 >= self.attempt.targets.len() || cx.now >= self.deadline {
            return Some(self.give_up());
        }
        self.current += 1;
        // Another server: its challenge will be another one.
        self.credentials.clear();
        self.answered.clear();
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

    /// Writes down how it ended.
    pub(crate) fn conclude(mut self, now: Instant, dialog: &mut Dialog, ending: Ending) -> Box<Attempt> {
        match (self.attempt.targets.get(self.current).map(|tried| tried.outcome), ending) {
            (Some(TargetOutcome::InUse), Ending::Failed(cause)) => self.set_outcome(TargetOutcome::Failed(cause)),
            (Some(TargetOutcome::InUse), Ending::Succeeded) => self.set_outcome(TargetOutcome::Served),
            (_, Ending::Failed(_) | Ending::Succeeded | Ending::Interrupted) => {}
        }
        if let (Step::Waiting { sent, .. }, Ending::Interrupted) = (&self.step, ending) {
            self.attempt.may_be_bound |= self.goal == Goal::Register;
            dialog.absorbing.abandoned(sent.branch.nonce);
        }
        if self.goal == Goal::Register && self.attempt.requests > 0 {
            dialog.server = self.server();
        }
        self.attempt.call_id = dialog.identity.call_id().to_string();
        self.attempt.ended_at = now;
        self.attempt.ending = ending;
        self.attempt.opensips_state = match ending {
            Ending::Succeeded | Ending::Failed(_) => self.parity(ending.cause()),
            Ending::Interrupted => self.in_flight().unwrap_or(State::NotRegistered),
        };
        self.attempt
    }

    fn server(&self) -> Option<Server> {
        let target = self.attempt.targets.get(self.current)?.target.clone();
        Some(Server {
            target,
            uri: self.uri.clone(),
            withhold_credentials: self.withhold_credentials,
        })
    }

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
        self.attempt.step(cx.now, Arrow::Failed, "malformed reply", why);
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
            self.attempt.step(cx.now, Arrow::Failed, "not SIP", shown);
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
            let same = |sent: &&Credential| sent.challenge.nonce() == kept.challenge.nonce() && sent.answer.cnonce == kept.answer.cnonce;
            if let Some(sent) = sent.iter().find(same) {
                kept.answer.nonce_count = sent.answer.nonce_count;
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

    /// Our own address on an open flow.
    fn local(&self, flow: FlowId) -> Option<SocketAddr> {
        self.flows.get(flow)?.local()
    }
}

fn endpoint_name(endpoint: &Endpoint) -> String {
    format!("{} {}", endpoint.transport.name(), endpoint.remote)
}
