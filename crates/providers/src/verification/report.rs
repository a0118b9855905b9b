//! The report `regprobe.verify.v1`: what came of one check, with everything that it was concluded from. Fields are added, never renamed
//! or retyped. Types only.

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use sip_registration::{Removal, Report};

use crate::{Answer, Line, Moment, Observation, Role, SeenBinding, Service, SourceKind, Verdict};

/// The name of the contract, in [`Verification::schema`].
pub const VERIFICATION_SCHEMA: &str = "regprobe.verify.v1";

/// What came of verifying one claim.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Verification {
    /// Always `regprobe.verify.v1`.
    pub schema: &'static str,
    /// What the user, or else the API, calls it. Escaped.
    pub name: Option<String>,
    /// Whose claim.
    pub provider: SourceKind,
    /// About what: the identifier that was asked for. Escaped.
    pub object: String,
    /// Which end of the registration the provider is.
    pub role: Role,
    /// The address-of-record that was looked at; null when nobody could say.
    pub aor: Option<String>,
    /// The registrar that was asked.
    pub registrar: Option<String>,
    /// The outbound proxy that was used.
    pub outbound_proxy: Option<String>,
    /// The transport that was used last: `udp`, `tcp`, `tls`; null when it never came to that.
    pub transport: Option<&'static str>,
    /// When the check began.
    pub started_at: Moment,
    /// How long it took, in milliseconds, waiting for the second look included.
    pub took_ms: u64,
    /// How often the registrar and the API were looked at together.
    pub looks: u32,
    /// How far apart two looks had to be for a contradiction to count, in milliseconds.
    pub grace_ms: u64,
    /// The moment that the verdict counts ages from.
    pub judged_at: Moment,
    /// The verdict.
    pub verdict: Verdict,
    /// The fields of the claim, one by one, beside what was seen.
    pub claims: Vec<Line>,
    /// What the API said, the oldest first, sources that only corroborate included.
    pub answers: Vec<Answer>,
    /// What the wire showed, the oldest first. The verdict follows from this and the answers alone.
    pub observations: Vec<Observation>,
    /// What each server of the registrar showed by itself, where there are several and each was asked: when the user wanted it, or
    /// before a binding was called missing.
    pub nodes: Vec<Observation>,
    /// What binding a Contact of our own showed; null when that was not asked for or not come to.
    pub self_test: Option<SelfTest>,
    /// What came of sending OPTIONS to the AOR; null when that was not asked for or not come to.
    pub inbound: Option<InboundTest>,
    /// What else is wrong, in words: settings that the API did not give, another domain than the API names, servers of one registrar that
    /// list different bindings.
    pub warnings: Vec<String>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// The report of each exchange with the registrar, with its messages; null without trace.
    pub probes: Option<Vec<Report>>,
}

/// What binding a Contact of our own showed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SelfTest {
    /// What came of it.
    pub outcome: SelfTestOutcome,
    /// One sentence on it.
    pub detail: String,
    /// The Contact of our own, as the registrar stored it; null when it never was.
    pub contact: Option<String>,
    /// What was bound before.
    pub before: Vec<SeenBinding>,
    /// What the registrar listed when ours was bound, ours not among it.
    pub during: Vec<SeenBinding>,
    /// What was bound in the end; null when that could not be seen.
    pub after: Option<Vec<SeenBinding>>,
    /// Those of before that the registrar listed no more when ours was bound.
    pub displaced: Vec<SeenBinding>,
    /// Those of before that were there no more in the end. Nobody but their owner can bring them back.
    pub lost: Vec<SeenBinding>,
    /// What became of our own binding.
    pub removal: Removal,
    /// Whether a fetch listed our own binding while it was there; null when that could not be seen.
    pub lists_bindings: Option<bool>,
    /// Every exchange of it, in order.
    pub exchanges: Vec<Observation>,
}

/// What came of binding a Contact of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelfTestOutcome {
    /// It was not done: others are bound, and nobody allowed to displace them.
    Declined,
    /// The registrar did not bind it.
    NotBound,
    /// It was bound, and nobody else lost anything.
    Harmless,
    /// It was bound, and whether anybody else lost anything cannot be seen: the registrar hides bindings, or did not say afterwards.
    Unseen,
    /// The registrar threw somebody else's binding out.
    Displaced,
    /// It was stopped half-way.
    Interrupted,
}

/// What came of sending OPTIONS to the AOR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InboundTest {
    /// What came of it.
    pub outcome: InboundOutcome,
    /// One sentence on it.
    pub detail: String,
    /// The status code of the last reply; null without one.
    pub code: Option<u16>,
    /// What answered, by its own word. Escaped.
    pub product: Option<String>,
}

/// What came of sending OPTIONS to the AOR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InboundOutcome {
    /// It arrived at our own Contact, which answered with a mark that nobody else knows.
    Arrived,
    /// Somebody bound answered.
    Answered,
    /// The registrar answered by itself: that says nothing about who is bound.
    AnsweredByRegistrar,
    /// The registrar does not pass on what we send: that says nothing either.
    Refused,
    /// It reached nobody.
    NotReached,
}

impl Verification {
    /// The exit status of `regprobe verify`: the verdict's, or 130 when it was interrupted.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        const INTERRUPTED: u8 = 130;
        if self.interrupted {
            INTERRUPTED
        } else {
            self.verdict.outcome.exit_code()
        }
    }

    /// What it means for the line now: the verdict's word, unless the test with a Contact of our own has cost somebody a binding since.
    /// Until its owner registers anew, a line whose last binding that was is down.
    #[must_use]
    pub fn service(&self) -> Service {
        let Some(test) = self.self_test.as_ref().filter(|test| !test.lost.is_empty()) else {
            return self.verdict.service;
        };
        match (self.verdict.service, &test.after) {
            (_, Some(after)) if after.is_empty() => Service::Down,
            (Service::Up | Service::AtRisk, _) => Service::AtRisk,
            (Service::Down | Service::Unknown, _) => self.verdict.service,
        }
    }
}

/// The JSON Schema of [`Verification`].
#[must_use]
pub fn verification_schema() -> Schema {
    schema_for!(Verification)
}
