//! One exchange: from "where is the registrar" to its final reply, over as many targets and challenges as its bounds allow.
//! Not for what comes before and after it: refreshes, waits and removals are [`crate::registration`]'s.

mod bindings;
mod challenge;
mod reply;
mod request;

use std::net::SocketAddr;
use std::time::Instant;

use rand_chacha::ChaCha12Rng;
use sip_message::ChallengeSource;

use crate::attempt::{Attempt, Ending, Notice, TargetOutcome, TriedTarget};
use crate::branch::Branch;
use crate::encode::{Credential, Identity};
use crate::flows::{Flows, Joined};
use crate::io::{DnsError, Opened, Records};
use crate::locate::{Locate, LocateError, Target, TargetSource, Wish};
use crate::outputs::Outputs;
use crate::report::Arrow;
use crate::transaction::{Absorbing, Due, Transaction};
use crate::{Account, Action, Cause, Closed, Endpoint, FlowId, Goal, Key, Policy, TlsFailure, Transport};

/// What an exchange may use while it handles one input.
pub(crate) struct Cx<'a> {
    pub(crate) now: Instant,
    pub(crate) key: Key,
    pub(crate) policy: &'a Policy,
    pub(crate) rng: &'a mut ChaCha12Rng,
    pub(crate) flows: &'a mut Flows,
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
    /// The Contact URI that went out last.
    pub(crate) contact: Option<String>,
    /// The seconds that a 423 taught us to ask for at least.
    pub(crate) least_expires: u32,
    /// The flow that was used last.
    pub(crate) flow: Option<FlowId>,
    pub(crate) absorbing: Absorbing,
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
    pub(crate) attempt: Attempt,
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
    /// Whom we answered in this exchange: a second challenge from the same means that the answer was wrong, or stale.
    answered: Vec<ChallengeSource>,
    first_sent_at: Option<Instant>,
}

/// How far an exchange is.
#[derive(Debug)]
enum Step {
    Locating(Locate),
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
        let locate = Locate::new(&Wish {
            next_hop: next_hop.parts(),
            transport: account.transport,
            families: cx.policy.families,
            overrides: &cx.policy.overrides,
        });
        let deadline = cx.now + cx.policy.timeout;
        let mut exchange = Self {
            goal,
            attempt: Attempt::begin(cx.now, goal),
            step: Step::Locating(locate),
            deadline,
            target_deadline: deadline,
            current: 0,
            uri: account.registrar.as_str().to_owned(),
            expires: account.expires.max(party.dialog.least_expires),
            brief_retries: 0,
            redirected: false,
            withhold_credentials: false,
            credentials: Self::ahead(party.dialog),
            answered: Vec::new(),
            first_sent_at: None,
        };
        let ending = match &account.target {
            Some(target) => exchange.use_targets(cx, party, vec![target.clone()]),
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
    pub(crate) const fn is_authenticating(&self) -> bool {
        !self.credentials.is_empty()
    }

    /// When to call [`Self::handle_timeout`].
    pub(crate) fn deadline(&self) -> Instant {
        match &self.step {
            Step::Locating(_) => self.deadline,
            Step::Opening { .. } => self.target_deadline,
            Step::Waiting { transaction, .. } => transaction.deadline(),
        }
    }

    /// DNS answered one of our questions.
    pub(crate) fn handle_answer(
        &mut self,
        cx: &mut Cx<'_>,
        party: &mut Party<'_>,
        token: u32,
        answer: Result<Records, DnsError>,
    ) -> Option<Ending> {
        let Step::Locating(locate) = &mut self.step else { return None };
        locate.handle_answer(token, answer, cx.rng);
        self.go_on_locating(cx, party)
    }

    fn go_on_locating(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>) -> Option<Ending> {
        let Step::Locating(locate) = &mut self.step else { return None };
        while let Some((token, question)) = locate.poll_question() {
            let _ = self.attempt.phases.dns.get_or_insert_default();
            cx.out.query(cx.key, token, question);
        }
        let outcome = locate.outcome()?.map(<[Target]>::to_vec);
        if let Some(dns) = &mut self.attempt.phases.dns {
            *dns = cx.now - self.attempt.started_at;
        }
        match outcome {
            Ok(mut targets) => {
                if self.redirected {
                    targets.iter_mut().for_each(|target| target.source = TargetSource::Redirect);
                }
                self.note_targets(cx, &targets);
                self.use_targets(cx, party, targets)
            }
            Err(error) => Some(self.fail_to_locate(cx, &error)),
        }
    }

    fn note_targets(&mut self, cx: &Cx<'_>, targets: &[Target]) {
        if self.attempt.phases.dns.is_some() {
            let all: Vec<String> = targets
                .iter()
                .map(|target| format!("{} {}", target.endpoint.transport.name(), target.endpoint.remote))
                .collect();
            self.attempt.step(cx.now, Arrow::Local, "looked up", all.join(", "));
        }
    }

    fn fail_to_locate(&mut self, cx: &Cx<'_>, error: &LocateError) -> Ending {
        let cause = match error {
            LocateError::NotFound { .. } | LocateError::Refused { .. } => Cause::DnsNotFound,
            LocateError::Failed { .. } => Cause::DnsFailed,
        };
        self.attempt.words = error.to_string();
        self.attempt.step(cx.now, Arrow::Failed, "no address found", error.to_string());
        Ending::Failed(cause)
    }

    fn use_targets(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, targets: Vec<Target>) -> Option<Ending> {
        let tried = targets.into_iter().map(|target| TriedTarget {
            target,
            outcome: TargetOutcome::NotTried,
        });
        self.attempt.targets.extend(tried);
        if self.goal == Goal::Locate {
            return Some(Ending::Succeeded);
        }
        self.open(cx, party)
    }

    /// Goes to the present target: over a flow that is there, or by asking for one.
    fn open(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>) -> Option<Ending> {
        let Some(endpoint) = self.endpoint().cloned() else {
            return Some(self.give_up());
        };
        let left = u32::try_from(self.attempt.targets.len() - self.current).unwrap_or(u32::MAX);
        // What is left of the time is shared by the targets that are left, so that a dead first one does not use it all up.
        self.target_deadline = cx.now + self.deadline.saturating_duration_since(cx.now) / left.max(1);
        self.set_outcome(TargetOutcome::InUse);
        let joined = cx.flows.join(&endpoint, cx.key);
        let (Joined::Open(flow) | Joined::Opening(flow) | Joined::New(flow)) = joined;
        self.leave_previous(cx, party.dialog, flow);
        self.step = Step::Opening { flow, since: cx.now };
        match joined {
            Joined::Open(_) => self.send(cx, party),
            Joined::Opening(_) => None,
            Joined::New(_) => {
                cx.out.act(Action::Open(flow, endpoint));
                None
            }
        }
    }

    fn leave_previous(&self, cx: &mut Cx<'_>, dialog: &mut Dialog, flow: FlowId) {
        if let Some(previous) = dialog.flow.replace(flow).filter(|previous| *previous != flow) {
            cx.leave(previous);
        }
    }

    /// The flow that we wait for, or another one, opened.
    pub(crate) fn handle_opened(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, id: FlowId, opened: &Opened) -> Option<Ending> {
        let Step::Opening { flow, since } = self.step else { return None };
        if flow != id {
            return None;
        }
        if let Some(connected_at) = opened.connected_at {
            self.attempt.phases.connect = Some(connected_at.saturating_duration_since(since));
            let note = match &opened.tls {
                Some(tls) => {
                    self.attempt.phases.tls = Some(cx.now.saturating_duration_since(connected_at));
                    format!("{} {} · {}", tls.version, tls.cipher, tls.subject)
                }
                None => String::new(),
            };
            self.attempt
                .step(cx.now, Arrow::Local, "connected", sip_message::printable(note.as_bytes()));
        }
        self.send(cx, party)
    }

    /// A flow of ours is gone.
    pub(crate) fn handle_closed(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, id: FlowId, closed: &Closed) -> Option<Ending> {
        let flow = match &self.step {
            Step::Locating(_) => return None,
            Step::Opening { flow, .. } | Step::Waiting { flow, .. } => *flow,
        };
        if flow != id {
            return None;
        }
        let cause = match closed {
            Closed::Refused => Cause::ConnectionRefused,
            Closed::Unreachable | Closed::Local(_) => Cause::Unreachable,
            Closed::TimedOut => Cause::ConnectTimeout,
            Closed::Ended | Closed::Reset => Cause::ConnectionLost,
            Closed::Tls(TlsFailure::Expired, _) => Cause::CertificateExpired,
            Closed::Tls(TlsFailure::Untrusted, _) => Cause::CertificateUntrusted,
            Closed::Tls(TlsFailure::NameMismatch(_), _) => Cause::CertificateNameMismatch,
            Closed::Tls(TlsFailure::Handshake(_), _) => Cause::TlsHandshake,
        };
        self.note_closed(closed);
        party.dialog.flow = None;
        self.fail_target(cx, party, cause)
    }

    fn note_closed(&mut self, closed: &Closed) {
        match closed {
            Closed::Local(words) | Closed::Tls(TlsFailure::Handshake(words), None) => {
                self.attempt.words = sip_message::printable(words.as_bytes())
            }
            Closed::Tls(failure, facts) => {
                self.attempt.words = match failure {
                    TlsFailure::NameMismatch(names) => sip_message::printable(names.join(", ").as_bytes()),
                    TlsFailure::Handshake(words) => sip_message::printable(words.as_bytes()),
                    TlsFailure::Expired | TlsFailure::Untrusted => String::new(),
                };
                self.attempt.tls.clone_from(facts);
            }
            Closed::Refused | Closed::Unreachable | Closed::TimedOut | Closed::Ended | Closed::Reset => {}
        }
    }

    /// The deadline has passed.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>) -> Option<Ending> {
        match &mut self.step {
            Step::Locating(_) if cx.now >= self.deadline => {
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
            Step::Locating(_) | Step::Opening { .. } => None,
            Step::Waiting { transaction, sent, .. } => match transaction.handle_timeout(cx.now, cx.policy) {
                Due::Nothing => None,
                Due::Retransmit => {
                    let nonce = sent.branch.nonce;
                    self.attempt.retransmissions += 1;
                    self.note_sent(cx, None);
                    cx.out.send(cx.key, nonce);
                    None
                }
                Due::TimedOut => {
                    let cause = if transaction.is_proceeding() {
                        Cause::OnlyProvisional
                    } else {
                        Cause::NoReply
                    };
                    party.dialog.absorbing.abandoned(sent.branch.nonce);
                    self.attempt.may_be_bound |= self.goal == Goal::Register && !self.credentials.is_empty();
                    self.fail_target(cx, party, cause)
                }
            },
        }
    }

    /// The present target is no use: on to the next one, if the cause is one that another target may not share (RFC 3263 §4.3).
    fn fail_target(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, cause: Cause) -> Option<Ending> {
        self.set_outcome(TargetOutcome::Failed(cause));
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

    /// Writes down how it ended.
    pub(crate) fn conclude(mut self, now: Instant, ending: Ending) -> Attempt {
        match (self.attempt.targets.get(self.current).map(|tried| tried.outcome), ending) {
            (Some(TargetOutcome::InUse), Ending::Failed(cause)) => self.set_outcome(TargetOutcome::Failed(cause)),
            (Some(TargetOutcome::InUse), Ending::Succeeded) => self.set_outcome(TargetOutcome::Served),
            (_, Ending::Failed(_) | Ending::Succeeded | Ending::Interrupted) => {}
        }
        if matches!(self.step, Step::Waiting { .. }) && ending == Ending::Interrupted {
            self.attempt.may_be_bound |= self.goal == Goal::Register;
        }
        self.attempt.ended_at = now;
        self.attempt.ending = ending;
        self.attempt.opensips_state = self.parity(ending.cause());
        self.attempt
    }

    fn parity(&self, cause: Option<Cause>) -> crate::State {
        let listed = self.attempt.binding.is_some() || !self.attempt.other_bindings.is_empty();
        crate::parity::opensips_state(&crate::parity::Outcome {
            goal: self.goal,
            cause,
            status: self.attempt.last_reply.as_ref().map(|reply| reply.code),
            listed: if listed {
                crate::parity::Listed::Something
            } else {
                crate::parity::Listed::Nothing
            },
            stale_retries: self.attempt.auth.stale_retries,
        })
    }

    /// Whether this is the request that waits for a reply.
    pub(crate) fn awaits(&self, branch: Branch) -> bool {
        matches!(&self.step, Step::Waiting { sent, .. } if sent.branch == branch)
    }

    /// A message came with our branch, and it cannot be read.
    pub(crate) fn handle_unreadable(&mut self, cx: &Cx<'_>, why: &str) -> Option<Ending> {
        self.attempt.words = why.to_owned();
        self.attempt.may_be_bound |= self.goal == Goal::Register && !self.credentials.is_empty();
        self.attempt.step(cx.now, Arrow::Failed, "malformed reply", why);
        Some(Ending::Failed(Cause::MalformedReply))
    }

    /// A reply came after its transaction was over.
    pub(crate) fn handle_late(&mut self) {
        self.attempt.notice(Notice::LateReply);
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
