//! The verdict: a claim held against what the wire showed. Types here, the rules below; all of it pure, so that a stored claim and
//! stored observations give the same verdict for ever.

mod advice;
mod case;
mod clock;
mod column;
mod explain;
mod level;
mod lines;
mod matching;
mod matrix;
mod notes;
mod reason;
mod row;
mod series;
mod stale;
mod trouble;
mod words;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

pub use reason::Reason;

use crate::{About, Claim, Expectation, Moment, Observation, Standing};
use case::Case;
use matching::Owners;
use series::Settled;

/// Holds a claim against what was seen.
///
/// Each of the source's answers lies between two looks at the registrar's table; what they show together is a cell of the matrix in
/// docs/verdict-matrix.md. The last answer decides, and those before it say for how long it has been so: a contradiction counts when
/// two sandwiches, at least [`Expectation::grace`] apart, show it, and is [`Reason::WithinGrace`] before that, with
/// [`Verdict::contradiction`] saying from when on another look counts. Reasons are tried in the order inconclusive, stale, disagree,
/// agree. An inconclusive verdict, and an agreement that the wire does not bear out, leave what was found before in
/// [`Verdict::standing`].
///
/// Pure: the same evidence gives the same verdict. `now` is only used to say how long something takes from now on.
#[must_use]
pub fn verdict(claim: &Claim, observations: &[Observation], expectation: &Expectation, now: Moment) -> Verdict {
    let case = Case::new(claim, observations, expectation);
    match series::settle(&case) {
        Some(settled) => of(&case, &settled, now),
        None => never_asked(&case),
    }
}

fn of(case: &Case<'_>, settled: &Settled<'_>, now: Moment) -> Verdict {
    let evidence = level::level(case, settled);
    Verdict {
        outcome: settled.reason.outcome(),
        reason: settled.reason,
        evidence,
        service: level::service(settled),
        freshness: stale::freshness(case, settled.sandwich.answer, &settled.view),
        detail: words::detail(case, settled, now),
        advice: advice::advice(case, settled, now),
        rule: words::rule(settled),
        lines: lines::lines(case, settled, evidence),
        notes: notes::notes(case, settled),
        standing: settled.standing,
        contradiction: settled.contradiction,
    }
}

/// Whether a look shows the binding that the last answer is about.
pub(crate) fn shows_the_expected(claim: &Claim, look: &Observation, expectation: &Expectation) -> bool {
    let case = Case::new(claim, std::slice::from_ref(look), expectation);
    let (Some(answer), Some(bindings)) = (case.answers.last(), case::listed(look)) else {
        return false;
    };
    matches!(case.marks(answer).owners(bindings, look.ended_at), Owners::Expected(_))
}

fn never_asked(case: &Case<'_>) -> Verdict {
    let reason = Reason::ApiUnreachable;
    let provider = case.claim.source.provider();
    Verdict {
        outcome: reason.outcome(),
        reason,
        evidence: level::without_answer(case),
        service: Service::Unknown,
        freshness: Freshness::Unknown,
        detail: format!("{provider} was never asked."),
        advice: Some("Run it again.".to_owned()),
        rule: "without an answer there is no claim".to_owned(),
        lines: Vec::new(),
        notes: Vec::new(),
        standing: case
            .expectation
            .previous
            .filter(|standing| matches!(standing.reason.outcome(), Outcome::Disagree | Outcome::Stale)),
        contradiction: None,
    }
}

/// What came of holding a claim against the wire.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Verdict {
    /// The verdict.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// What the wire has proved about the registration, by itself.
    pub evidence: Level,
    /// What it means for the one who pays for the line.
    pub service: Service,
    /// Whether the source's own data show how old they are.
    pub freshness: Freshness,
    /// One sentence on what was claimed and what was seen.
    pub detail: String,
    /// What to do; `None` when there is nothing to do.
    pub advice: Option<String>,
    /// The rule that decided, in words: the row and the column of the matrix, or the test.
    pub rule: String,
    /// The fields of the claim, one by one, beside what was seen. A report in JSON has them beside the verdict, as its `claims`.
    #[serde(skip)]
    pub lines: Vec<Line>,
    /// What else was noticed: each a reason that did not decide.
    pub notes: Vec<Note>,
    /// A disagreement that was found before and that this verdict did not clear.
    pub standing: Option<Standing>,
    /// What another look could settle.
    pub contradiction: Option<Contradiction>,
}

/// Something that does not fit and was not seen for long enough to count, or that is still under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Contradiction {
    /// What the verdict becomes when another look shows the same.
    pub reason: Reason,
    /// When it was first seen.
    pub since: Moment,
    /// From when on another look settles it.
    pub counts_from: Moment,
}

impl Contradiction {
    /// How long to wait before the look that settles it.
    #[must_use]
    pub fn wait(&self, now: Moment) -> Duration {
        Duration::try_from(self.counts_from.since(now)).unwrap_or_default()
    }
}

/// The four verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The claim is true.
    Agree,
    /// The claim is false.
    Disagree,
    /// The claim is older than it may be, and false by now.
    Stale,
    /// It cannot be said.
    Inconclusive,
}

impl Outcome {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Agree, Self::Disagree, Self::Stale, Self::Inconclusive];

    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Disagree => "disagree",
            Self::Stale => "stale",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// The exit status of `regprobe verify`.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Agree => 0,
            Self::Disagree | Self::Stale => 1,
            Self::Inconclusive => 3,
        }
    }
}

/// What is proved about a registration. Each level holds all those below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub enum Level {
    /// Nothing answered.
    None,
    /// The registrar is reachable: it gave some SIP answer.
    E0,
    /// It accepted the account and its credentials.
    E1,
    /// Somebody is bound.
    E2,
    /// The binding is the expected one. "Registered" needs this.
    E3,
    /// The binding is being refreshed: its time was seen to rise. "Alive" needs this.
    E4,
    /// It was reached through its binding.
    E5,
}

/// What it means for the one who pays for the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Registered where calls are looked for.
    Up,
    /// Works now, and will not after the next refresh.
    AtRisk,
    /// No call can arrive.
    Down,
    /// Not known.
    Unknown,
}

/// How old a source's data are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// The data themselves show that they are new.
    Fresh,
    /// They do not say.
    Unknown,
}

/// One field of a claim beside what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Line {
    /// The field.
    pub claim: String,
    /// What it says.
    pub said: String,
    /// What it is about.
    pub about: About,
    /// What the wire showed.
    pub seen: String,
    /// What this makes of the field.
    pub standing: Held,
    /// By which rule.
    pub rule: String,
}

/// What becomes of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The wire shows the same.
    Confirmed,
    /// The wire shows something else.
    Contradicted,
    /// The wire has no word on it.
    Unproven,
}

/// Something that was noticed and did not decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// What kind.
    pub reason: Reason,
    /// What was seen.
    pub detail: String,
}

#[cfg(test)]
mod tests;
