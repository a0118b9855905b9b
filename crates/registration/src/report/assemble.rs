//! From the evidence of attempts to a report: the same facts with words and wall-clock times.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use sip_message::printable;

use super::{detail, findings};
use crate::attempt::{Attempt, Ending, LONGEST_SHOWN, Left, TargetOutcome, TriedTarget};
use crate::report::{
    Arrow, AuthReport, BindingReport, LadderStep, LastResponse, NetworkReport, PhasesReport, Removal, Report, SCHEMA, Severity,
    TargetReport, TlsReport, TranscriptEntry,
};
use crate::{Account, Cause, FindingId, Goal, Policy, State, TlsFacts, host_port};

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The account.
    pub account: &'a Account,
    /// The rules that held.
    pub policy: &'a Policy,
    /// The wall clock's time at [`Attempt::started_at`].
    pub started_at: Timestamp,
    /// The exchange.
    pub attempt: &'a Attempt,
    /// What was done about its binding.
    pub removal: RemovalEvidence<'a>,
}

/// What was done about a binding.
#[derive(Debug, Clone, Copy)]
pub enum RemovalEvidence<'a> {
    /// It was to be kept.
    Kept,
    /// Nothing.
    NotAttempted,
    /// This exchange.
    Tried(&'a Attempt),
}

impl Goal {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Unregister => "unregister",
            Self::Clear => "clear",
            Self::Fetch => "fetch",
            Self::Ping => "ping",
            Self::Locate => "locate",
        }
    }
}

impl Evidence<'_> {
    /// What became of the binding.
    #[must_use]
    pub const fn removal(&self) -> Removal {
        match self.removal {
            RemovalEvidence::Kept => Removal::Kept,
            RemovalEvidence::NotAttempted => Removal::NotAttempted,
            RemovalEvidence::Tried(Attempt {
                ending: Ending::Succeeded, ..
            }) => Removal::Confirmed,
            RemovalEvidence::Tried(_) => Removal::Unconfirmed,
        }
    }

    /// Which findings its report would have, the gravest first, appended to `found`. Makes no words, unlike [`Report::assemble`].
    pub fn findings(&self, found: &mut Vec<(FindingId, Severity)>) {
        findings::ids(self, found);
    }

    /// Until when the registrar may hold a binding of ours that was to go: RFC 3261 leaves it there until its time is over.
    #[must_use]
    pub fn may_be_bound_until(&self) -> Option<Timestamp> {
        let left = Left::default().after(self.attempt);
        let left = match self.removal {
            RemovalEvidence::Kept => Left::default(),
            RemovalEvidence::NotAttempted => left,
            RemovalEvidence::Tried(removal) => left.after(removal),
        };
        left.until().map(|until| self.wall_clock(until))
    }

    /// The end of the last exchange.
    pub(super) const fn ended_at(&self) -> Instant {
        match self.removal {
            RemovalEvidence::Kept | RemovalEvidence::NotAttempted => self.attempt.ended_at,
            RemovalEvidence::Tried(removal) => removal.ended_at,
        }
    }

    fn wall_clock(&self, at: Instant) -> Timestamp {
        let after = SignedDuration::try_from(at.saturating_duration_since(self.attempt.started_at)).unwrap_or(SignedDuration::MAX);
        to_milliseconds(self.started_at.checked_add(after).unwrap_or(Timestamp::MAX))
    }
}

impl Report {
    /// Puts evidence into words.
    #[must_use]
    pub fn assemble(evidence: &Evidence<'_>) -> Self {
        let Evidence {
            account, policy, attempt, ..
        } = evidence;
        let state = state(attempt);
        let used = attempt.targets.iter().rfind(|tried| tried.outcome != TargetOutcome::NotTried);
        Self {
            schema: SCHEMA,
            goal: attempt.goal.name(),
            aor: account.aor.to_string(),
            registrar: account.registrar.to_string(),
            outbound_proxy: account.outbound_proxy.as_ref().map(ToString::to_string),
            transport: used.map(|tried| tried.target.endpoint.transport.name()),
            started_at: to_milliseconds(evidence.started_at),
            state,
            state_code: state.code(),
            registered: state == State::Registered,
            cause: attempt.ending.cause(),
            detail: detail::detail(evidence),
            advice: attempt.ending.cause().map(|cause| advice(attempt, cause).to_owned()),
            last_response: attempt.last_reply.as_ref().map(|reply| LastResponse {
                code: reply.code,
                reason: reply.reason.to_string(),
            }),
            opensips_state: attempt.opensips_state,
            binding: binding(evidence),
            may_be_bound_until: evidence.may_be_bound_until(),
            other_bindings: attempt.other_bindings.clone(),
            auth: auth(account, attempt),
            network: NetworkReport {
                server: used.map(|tried| tried.target.endpoint.remote.to_string()),
                local: attempt.local.map(|local| local.to_string()),
                seen_as: attempt.seen_as.map(host_port),
                targets: attempt.targets.iter().map(|tried| target(tried, attempt.goal)).collect(),
            },
            tls: attempt.tls.as_deref().map(tls),
            phases_ms: phases(evidence),
            requests: attempt.requests + removal(evidence).map_or(0, |removal| removal.requests),
            retransmissions: attempt.retransmissions + removal(evidence).map_or(0, |removal| removal.retransmissions),
            retry_after_s: attempt.retry_after,
            server_product: attempt.product.as_deref().map(str::to_owned),
            findings: findings::findings(evidence),
            transcript: policy.trace.then(|| transcript(evidence)),
            ladder: ladder(evidence),
        }
    }
}

pub(super) const fn removal<'a>(evidence: &Evidence<'a>) -> Option<&'a Attempt> {
    match evidence.removal {
        RemovalEvidence::Kept | RemovalEvidence::NotAttempted => None,
        RemovalEvidence::Tried(removal) => Some(removal),
    }
}

fn state(attempt: &Attempt) -> State {
    match (attempt.ending, attempt.goal) {
        (Ending::Succeeded, Goal::Register) => State::Registered,
        (Ending::Failed(cause), _) => cause.state(),
        (Ending::Succeeded | Ending::Interrupted, _) => State::NotRegistered,
    }
}

fn advice(attempt: &Attempt, cause: Cause) -> &'static str {
    if cause == Cause::Forbidden && attempt.auth.credentials_sent {
        FindingId::CredentialsSuspect.explanation().todo
    } else {
        cause.explanation().todo
    }
}

fn binding(evidence: &Evidence<'_>) -> Option<BindingReport> {
    let bound = evidence.attempt.binding.as_ref()?;
    Some(BindingReport {
        contact: bound.stored.to_string(),
        expires_s: bound.granted,
        valid_until: evidence.wall_clock(bound.valid_until),
        removal: evidence.removal(),
    })
}

fn auth(account: &Account, attempt: &Attempt) -> AuthReport {
    let auth = &attempt.auth;
    AuthReport {
        challenged: auth.challenged,
        scheme: auth.algorithm.map(|_| "Digest".to_owned()),
        algorithm: auth.algorithm.map(ToOwned::to_owned),
        realm: auth.realm.as_deref().map(str::to_owned),
        realm_pinned: account.challenge_rules().realm.is_some(),
        min_digest: account.challenge_rules().min_digest.plain().name().to_owned(),
        qop: auth.qop.map(ToOwned::to_owned),
        offered: auth.offered.iter().map(ToString::to_string).collect(),
        stale_retries: auth.stale_retries,
        server_authenticated: auth.server_authenticated,
    }
}

fn target(tried: &TriedTarget, goal: Goal) -> TargetReport {
    let outcome = match (tried.outcome, goal) {
        (TargetOutcome::NotTried, _) => "not_tried",
        (TargetOutcome::InUse, _) => "interrupted",
        (TargetOutcome::Served, Goal::Register) => "registered",
        (TargetOutcome::Served, Goal::Unregister | Goal::Clear | Goal::Fetch | Goal::Ping | Goal::Locate) => "reached",
        (TargetOutcome::Failed(cause), _) => cause.name(),
    };
    TargetReport {
        address: tried.target.endpoint.remote.to_string(),
        transport: tried.target.endpoint.transport.name(),
        source: tried.target.source.name(),
        outcome: outcome.to_owned(),
        state_code: None,
        phases_ms: None,
    }
}

fn tls(facts: &TlsFacts) -> TlsReport {
    let text = |text: &str| printable(text.as_bytes());
    TlsReport {
        version: text(&facts.version),
        cipher: text(&facts.cipher),
        server_name: text(&facts.server_name),
        subject: text(&facts.subject),
        issuer: text(&facts.issuer),
        not_after: Timestamp::from_second(facts.not_after).unwrap_or(if facts.not_after < 0 { Timestamp::MIN } else { Timestamp::MAX }),
        days_left: facts.days_left,
        verified: facts.verified,
    }
}

fn phases(evidence: &Evidence<'_>) -> PhasesReport {
    let (attempt, phases) = (evidence.attempt, &evidence.attempt.phases);
    PhasesReport {
        dns: phases.dns.map(milliseconds),
        connect: phases.connect.map(milliseconds),
        tls: phases.tls.map(milliseconds),
        challenge: phases.challenge.map(milliseconds),
        authenticated: phases.authenticated.map(milliseconds),
        removal: removal(evidence).map(|removal| milliseconds(removal.ended_at.saturating_duration_since(removal.started_at))),
        total: Some(milliseconds(evidence.ended_at().saturating_duration_since(attempt.started_at))),
    }
}

fn ladder(evidence: &Evidence<'_>) -> Vec<LadderStep> {
    let start = evidence.attempt.started_at;
    let own = evidence.attempt.steps.iter().map(|step| LadderStep {
        at_ms: milliseconds(step.at.saturating_duration_since(start)),
        arrow: step.arrow(),
        what: step.what(),
        note: step.note(),
    });
    let removed = removal(evidence).map(|removal| {
        let (arrow, what, note) = match (removal.ending, &removal.last_reply) {
            (Ending::Succeeded, _) => (Arrow::Local, "binding removed", String::new()),
            (Ending::Failed(cause), None) => (Arrow::Failed, "binding not removed", cause.name().replace('_', " ")),
            (Ending::Failed(cause), Some(reply)) => (
                Arrow::Failed,
                "binding not removed",
                format!("{} · {} {}", cause.name().replace('_', " "), reply.code, reply.reason),
            ),
            (Ending::Interrupted, _) => (Arrow::Failed, "binding not removed", "no reply in time".to_owned()),
        };
        LadderStep {
            at_ms: milliseconds(removal.ended_at.saturating_duration_since(start)),
            arrow,
            what: what.to_owned(),
            note,
        }
    });
    own.chain(removed).collect()
}

fn transcript(evidence: &Evidence<'_>) -> Vec<TranscriptEntry> {
    let start = evidence.attempt.started_at;
    let steps = evidence
        .attempt
        .steps
        .iter()
        .chain(removal(evidence).into_iter().flat_map(|removal| &removal.steps));
    steps
        .filter_map(|step| {
            let message = step.message.as_ref()?;
            Some(TranscriptEntry {
                at_ms: milliseconds(step.at.saturating_duration_since(start)),
                direction: message.direction,
                peer: message.peer.to_string(),
                summary: summary(&message.text),
                text: message.text.clone(),
            })
        })
        .collect()
}

/// The first line; a phrase may be as long as its message.
fn summary(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.get(..line.floor_char_boundary(LONGEST_SHOWN)) {
        Some(start) if start.len() < line.len() => format!("{start}…"),
        Some(_) | None => line.to_owned(),
    }
}

/// Milliseconds with three decimals.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

fn to_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
