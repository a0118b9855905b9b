//! A check from its beginning to its report: settings, fetches around the API's answer (a sandwich), a second look where that settles
//! it, and with consent a Contact of our own and OPTIONS to the AOR. Nothing is judged here: that is the verdict's.
//!
//! ```text
//! settings ─► fetch P1 ─► API ─► fetch P2 ─► verdict ─┬─► report
//!                ▲                                    │ does not fit, and may be on its way
//!                └─────────────── grace ◄─────────────┘
//! ```
//!
//! A registrar that answers the first fetch with 200 and asks for no credentials is not asked again: some take even a REGISTER without
//! Contact for a registration then, and throw out who is bound.

mod check;
mod inbound;
mod look;
mod progress;
mod report;
mod resolve;
mod self_test;
mod stop;
mod survey;
mod wire;

use std::time::{Duration, Instant};

use sip_registration::locate::Target;
use sip_registration::{Account, Report};

pub use check::{Check, CheckError, Given, Inbound, Mode, Needed};
pub use progress::Progress;
pub use report::{InboundOutcome, InboundTest, SelfTest, SelfTestOutcome, VERIFICATION_SCHEMA, Verification, verification_schema};

use self::self_test::Turn;
use self::stop::Stop;
use self::wire::{Exchange, Wire};
use crate::{
    Answer, ApiError, Claim, Expectation, Moment, Observation, Question, Settings, Sight, SourceKind, Verdict, Word, text, verdict,
};

/// Verifies a claim. Stops when `shutdown` completes; a Contact of our own is removed first then. Who drops the future instead leaves such
/// a Contact to lapse by itself.
///
/// Needs a tokio runtime with I/O and time.
///
/// # Errors
/// [`CheckError`] when it is not known what to look at. The registrar has not been asked anything then.
pub async fn verify(
    check: &Check,
    mut progress: impl FnMut(Progress),
    shutdown: impl Future<Output = ()>,
) -> Result<Verification, CheckError> {
    resolve::consented(check)?;
    let (started_at, began) = (Moment::now(), Instant::now());
    let mut stop = Stop::new(shutdown);
    progress(Progress::Settings(check.source.kind()));
    let asked_at = Moment::now();
    let settings = stop.unless(check.source.settings()).await;
    let answered_at = Moment::now();
    let (settings, trouble) = match settings {
        Some(Ok(settings)) => (settings, None),
        Some(Err(error)) => (Settings::default(), Some(error)),
        None => (Settings::default(), None),
    };
    let account = resolve::account(check, &settings);
    let unknown = trouble
        .as_ref()
        .zip(account.as_ref().err())
        .map(|(trouble, error)| error.clone().because(trouble));
    let mut run = match account {
        Ok(account) => Run::with_registrar(check, account, &settings, progress, stop),
        // Nobody has said what to look at, because nobody was asked to the end.
        Err(CheckError::Missing { .. }) if trouble.is_some() || stop.came() => Run::without_registrar(check, progress, stop),
        Err(error) => return Err(error),
    };
    run.ask_others = trouble.is_none();
    run.refusal = trouble
        .as_ref()
        .filter(|error| check.source.is_answered_by(error))
        .map(|error| Answer::unavailable(check.source.kind(), asked_at, answered_at, error));
    run.carry_out().await;
    if let Some(error) = unknown.filter(|_| run.is_answered()) {
        return Err(error);
    }
    Ok(run.report(&settings, trouble.as_ref(), started_at, began).await)
}

/// A check under way.
struct Run<'a, P, F> {
    check: &'a Check,
    progress: P,
    stop: Stop<F>,
    /// `None` when nobody could say which registrar.
    wire: Option<Wire>,
    expectation: Expectation,
    claim: Claim,
    /// What the API said to the question for its settings, when it would say the same to any other.
    refusal: Option<Answer>,
    /// Whether other sources of the provider are asked too: by the call that gives the settings.
    ask_others: bool,
    observations: Vec<Observation>,
    /// Where the registrar's name leads.
    servers: Vec<Target>,
    /// What each of them showed, in this order, as far as they were asked one by one.
    nodes: Vec<Observation>,
    reports: Vec<Report>,
    /// What was used last.
    transport: Option<&'static str>,
    looks: u32,
    /// The registrar takes a REGISTER from anybody, and is not asked again.
    open: bool,
    /// The user part of our own Contact, and what its User-Agent says: nobody else knows them.
    mark: String,
    /// Our own Contact as the registrar stored it, once it was bound.
    own_contact: Option<String>,
    self_test: Option<SelfTest>,
    inbound: Option<InboundTest>,
}

impl<'a, P: FnMut(Progress), F: Future<Output = ()>> Run<'a, P, F> {
    fn with_registrar(check: &'a Check, account: Account, settings: &Settings, progress: P, stop: Stop<F>) -> Self {
        let mark = self_test::mark();
        let expectation = resolve::expectation(check, &account, settings);
        let account = match check.mode {
            Mode::Fetch => account,
            Mode::Register { .. } => self_test::marked(account, &mark),
        };
        Self {
            wire: Some(Wire::new(account, &check.network)),
            expectation,
            mark,
            ..Self::without_registrar(check, progress, stop)
        }
    }

    fn without_registrar(check: &'a Check, progress: P, stop: Stop<F>) -> Self {
        let source = check.source.kind();
        Self {
            check,
            progress,
            stop,
            wire: None,
            expectation: Expectation::of(source),
            claim: Claim {
                source,
                answers: Vec::new(),
            },
            refusal: None,
            ask_others: true,
            observations: Vec::new(),
            servers: Vec::new(),
            nodes: Vec::new(),
            reports: Vec::new(),
            transport: None,
            looks: 0,
            open: false,
            mark: String::new(),
            own_contact: None,
            self_test: None,
            inbound: None,
        }
    }

    /// Looks as often as it takes, and does in between and afterwards what the user consented to.
    async fn carry_out(&mut self) {
        self.look().await;
        if self.turn() == Turn::Now {
            self.test_ourselves().await;
        }
        if self.check.inbound == Some(Inbound::WhoeverIsBound) {
            self.try_whoever_is_bound().await;
        }
        while let Some(grace) = self.wait_for() {
            if self.idle(grace).await.is_none() {
                break;
            }
            self.look_elsewhere().await;
            if self.open {
                break;
            }
            self.look().await;
        }
        // Nobody is left to lose anything by it, or nobody minds.
        if self.self_test.is_none() && self.turn() != Turn::Never {
            self.test_ourselves().await;
        }
    }

    /// Whether the API said anything that could be held against the wire.
    fn is_answered(&self) -> bool {
        let unusable = |word: &Word| matches!(word, Word::Unavailable(_) | Word::NotFound);
        self.claim.own().any(|answer| !unusable(&answer.word))
    }

    fn judge(&self, now: Moment) -> Verdict {
        verdict(&self.claim, &self.observations, &self.expectation, now)
    }

    /// Keeps an exchange as evidence for the verdict.
    fn keep(&mut self, question: Question, exchange: &Exchange) {
        let seen = self.seen(question, exchange);
        self.observations.push(seen);
    }

    /// What an exchange showed. Its whole report is kept with `trace`.
    fn seen(&mut self, question: Question, exchange: &Exchange) -> Observation {
        self.transport = exchange.report.transport.or(self.transport);
        if self.check.network.policy.trace {
            self.reports.push(exchange.report.clone());
        }
        let mut seen = Observation {
            started_at: exchange.started_at,
            ended_at: exchange.ended_at(),
            ..Observation::of(question, &exchange.report, self.own_contact.as_deref())
        };
        // Credentials that went ahead answer a challenge of before.
        if let Sight::Bindings { challenged: asked, .. } | Sight::Rejected { authenticated: asked, .. } = &mut seen.sight {
            *asked |= exchange.attempt.auth.credentials_sent;
        }
        seen
    }

    async fn report(mut self, settings: &Settings, trouble: Option<&ApiError>, started_at: Moment, began: Instant) -> Verification {
        let judged_at = Moment::now();
        let verdict = self.judge(judged_at);
        let account = self.wire.as_ref().map(|wire| wire.account().clone());
        if let Some(wire) = self.wire.take() {
            wire.close().await;
        }
        let shown = |uri: &sip_message::OwnedUri| text::field(uri.as_str());
        let name = self.check.name.clone().or_else(|| settings.name.clone());
        let source = self.check.source.kind();
        let mut verification = Verification {
            schema: VERIFICATION_SCHEMA,
            name: name.map(|name| text::field(&name)),
            provider: source,
            object: text::field(&self.check.source.object()),
            role: source.role(),
            aor: account.as_ref().map(|account| shown(&account.aor)),
            registrar: account.as_ref().map(|account| shown(&account.registrar)),
            outbound_proxy: account.as_ref().and_then(|account| account.outbound_proxy.as_ref()).map(shown),
            transport: self.transport,
            started_at,
            took_ms: milliseconds(began.elapsed()),
            looks: self.looks,
            grace_ms: milliseconds(self.expectation.grace),
            judged_at,
            claims: verdict.lines.clone(),
            verdict,
            answers: self.claim.answers,
            observations: self.observations,
            self_test: self.self_test,
            inbound: self.inbound,
            warnings: trouble
                .map(|error| no_settings(source, error))
                .into_iter()
                .chain(account.as_ref().and_then(|account| resolve::other_domain(account, settings)))
                .chain(survey::differences(&self.nodes))
                .collect(),
            nodes: self.nodes,
            interrupted: self.stop.came(),
            probes: self.check.network.policy.trace.then_some(self.reports),
        };
        verification.verdict.service = verification.service();
        verification
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn no_settings(source: SourceKind, error: &ApiError) -> String {
    text::field(&format!("{} gave no settings: {error}", source.provider()))
}
