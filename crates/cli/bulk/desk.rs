//! Where results arrive: each is put into its line, counted and shown. No decision about what is next.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use sip_registration::{Account, Attempt, Ending, Evidence, FindingId, Policy, RemovalEvidence, Report, Severity, State};

use super::line::{ResultLine, Why};
use super::progress::Progress;
use super::show::Sink;
use super::tally::Tally;
use crate::accounts::{BadRow, Row};
use crate::left_behind::{LeftBehind, LeftBehindList};

/// A row that was probed.
#[derive(Debug)]
pub(super) struct Probed {
    /// Which account of the list it is.
    pub(super) number: u64,
    /// Its line.
    pub(super) line: u64,
    /// Its name.
    pub(super) name: Option<String>,
    /// What was registered.
    pub(super) account: Arc<Account>,
    /// Where.
    pub(super) hop: Arc<str>,
    /// How the registration went; `None` before its end.
    pub(super) attempt: Option<Box<Attempt>>,
    /// How the removal of the binding went; `None` without one, or before its end.
    pub(super) removal: Option<Box<Attempt>>,
}

/// Where results arrive.
pub(super) struct Desk {
    policy: Policy,
    keep: bool,
    sink: Sink,
    /// The counts so far.
    pub(super) tally: Tally,
    /// What is shown meanwhile.
    pub(super) progress: Progress,
    /// Whose bindings may have stayed.
    pub(super) left: LeftBehindList,
    findings: Vec<(FindingId, Severity)>,
    /// The time of the last result, as it is written.
    started_at: String,
    clock: Clock,
    /// How many rows had come to an end when the progress was shown last.
    shown: u64,
    /// Until when results may wait.
    flush_at: Instant,
}

impl Desk {
    /// An empty one.
    pub(super) fn new(policy: Policy, keep: bool, sink: Sink, progress: Progress) -> Self {
        Self {
            policy,
            keep,
            sink,
            tally: Tally::default(),
            progress,
            left: LeftBehindList::default(),
            findings: Vec::new(),
            started_at: String::new(),
            clock: Clock::read(),
            shown: 0,
            flush_at: Instant::now(),
        }
    }

    /// A row was probed to its end.
    pub(super) fn probed(&mut self, probed: &Probed) {
        let Some(attempt) = probed.attempt.as_deref() else { return };
        let evidence = Evidence {
            account: &probed.account,
            policy: &self.policy,
            started_at: self.clock.showed(attempt.started_at),
            attempt,
            removal: self.removal(probed, attempt),
        };
        let why = attempt.ending.cause().map(Why::Cause);
        let state = why.map_or(State::Registered, Why::state);
        self.findings.clear();
        evidence.findings(&mut self.findings);
        // Words are made only where somebody needs them.
        let detail = why.map(|_| Report::assemble(&evidence).detail);
        let bound = attempt.binding.as_ref();
        let removal = (bound.is_some() || probed.removal.is_some()).then(|| evidence.removal());
        let total_ms = milliseconds(attempt);
        self.started_at.clear();
        write!(self.started_at, "{:.3}", evidence.started_at).expect("a text takes everything");
        let removed = probed.removal.as_deref();
        let line = ResultLine {
            row: probed.number,
            line: probed.line,
            name: probed.name.as_deref(),
            aor: Some(probed.account.aor.as_str()),
            registrar: Some(probed.account.registrar.as_str()),
            started_at: Some(&self.started_at),
            registered: why.is_none(),
            state,
            state_code: state.code(),
            cause: why,
            sip_code: attempt.last_reply.as_ref().map(|reply| reply.code),
            reason: attempt.last_reply.as_ref().map(|reply| &*reply.reason),
            granted_s: bound.map(|bound| bound.granted),
            removal,
            total_ms: Some(total_ms),
            requests: attempt.requests + removed.map_or(0, |removal| removal.requests),
            retransmissions: attempt.retransmissions + removed.map_or(0, |removal| removal.retransmissions),
            findings: &self.findings,
            detail: detail.as_deref(),
        };
        self.sink.take(&line);
        self.tally.take(Some(&probed.hop), why, Some(total_ms));
        self.leave_behind(probed, evidence.may_be_bound_until());
    }

    /// A row was interrupted: it has no result, and may have a binding all the same.
    pub(super) fn withdrawn(&mut self, probed: &Probed) {
        let Some(attempt) = probed.attempt.as_deref() else { return };
        let evidence = Evidence {
            account: &probed.account,
            policy: &self.policy,
            started_at: self.clock.showed(attempt.started_at),
            attempt,
            removal: self.removal(probed, attempt),
        };
        self.leave_behind(probed, evidence.may_be_bound_until());
    }

    fn leave_behind(&mut self, probed: &Probed, until: Option<Timestamp>) {
        if until.is_some() {
            let title = probed.name.clone().unwrap_or_else(|| probed.account.aor.to_string());
            self.left.push(LeftBehind { title, until });
            self.tally.left_bound += 1;
        }
    }

    fn removal<'a>(&self, probed: &'a Probed, attempt: &Attempt) -> RemovalEvidence<'a> {
        match &probed.removal {
            Some(removal) => RemovalEvidence::Tried(removal),
            None if self.keep && attempt.ending == Ending::Succeeded => RemovalEvidence::Kept,
            None => RemovalEvidence::NotAttempted,
        }
    }

    /// A row is no account.
    pub(super) fn bad(&mut self, bad: &BadRow) {
        let line = ResultLine {
            name: bad.name.as_deref(),
            aor: bad.aor.as_deref(),
            ..unsent(bad.number, bad.line, Why::BadRow, &bad.problem)
        };
        self.sink.take(&line);
        self.tally.take(None, Some(Why::BadRow), None);
    }

    /// A row is not probed in this run.
    pub(super) fn not_probed(&mut self, row: &Row, why: Why) {
        let detail = match why {
            Why::HeldBack => "too many passwords were wrong at this registrar; nothing was sent",
            Why::Cause(_) | Why::BadRow | Why::NotDone => "the run had ended before; nothing was sent",
        };
        let account = &row.account;
        let line = ResultLine {
            name: row.name.as_deref(),
            aor: Some(account.aor.as_str()),
            registrar: Some(account.registrar.as_str()),
            ..unsent(row.number, row.line, why, detail)
        };
        self.sink.take(&line);
        let hop = account.outbound_proxy.as_ref().unwrap_or(&account.registrar);
        self.tally.take(Some(&Arc::from(hop.as_str())), Some(why), None);
    }

    /// When results have to be written and shown that have come; `None` when there are none.
    pub(super) fn flush_at(&self) -> Option<Instant> {
        (self.sink.len() > 0 || self.shown != self.tally.come()).then_some(self.flush_at)
    }

    /// Writes the results that have come and shows how far the run is, once there are many or the first of them has waited for some
    /// milliseconds, or at once. False when nobody reads them any more.
    ///
    /// # Errors
    /// What standard output says.
    pub(super) fn flush(&mut self, now: Instant, at_once: bool) -> io::Result<bool> {
        if now < self.flush_at && self.sink.len() < MANY && !at_once {
            return Ok(true);
        }
        self.flush_at = now + LATE;
        self.clock = Clock::read();
        self.shown = self.tally.come();
        self.progress.show(&self.tally);
        if self.sink.len() == 0 {
            return Ok(true);
        }
        self.progress.apart(|| self.sink.flush())
    }
}

/// The line of a row for which nothing was sent.
fn unsent(row: u64, line: u64, why: Why, detail: &str) -> ResultLine<'_> {
    let state = why.state();
    ResultLine {
        row,
        line,
        name: None,
        aor: None,
        registrar: None,
        started_at: None,
        registered: false,
        state,
        state_code: state.code(),
        cause: Some(why),
        sip_code: None,
        reason: None,
        granted_s: None,
        removal: None,
        total_ms: None,
        requests: 0,
        retransmissions: 0,
        findings: &[],
        detail: Some(detail),
    }
}

/// Two clocks that were read at the same moment: what the one shows tells what the other showed.
#[derive(Debug, Clone, Copy)]
struct Clock {
    at: Instant,
    on_the_wall: Timestamp,
}

impl Clock {
    fn read() -> Self {
        Self {
            at: Instant::now(),
            on_the_wall: Timestamp::now(),
        }
    }

    /// What the clock on the wall showed at another moment.
    fn showed(&self, at: Instant) -> Timestamp {
        let before = SignedDuration::try_from(self.at.saturating_duration_since(at)).unwrap_or_default();
        let after = SignedDuration::try_from(at.saturating_duration_since(self.at)).unwrap_or_default();
        let shown = self.on_the_wall.checked_sub(before).and_then(|shown| shown.checked_add(after));
        shown.unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// How long the registration took, in milliseconds with three digits.
fn milliseconds(attempt: &Attempt) -> f64 {
    let took = attempt.ended_at.saturating_duration_since(attempt.started_at);
    (took.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// How long a result may wait for others to be written with it.
const LATE: Duration = Duration::from_millis(20);
/// How many bytes of results do not wait.
const MANY: usize = 64 * 1024;
