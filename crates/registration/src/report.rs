//! The report `regprobe.report.v1`: one contract for every output. Fields are added, never renamed or retyped. Types only.

mod assemble;
mod decision;
mod detail;
mod findings;
mod step;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Cause, FindingId, State};

pub use assemble::{Evidence, RemovalEvidence};

/// The name of the contract, in [`Report::schema`].
pub const SCHEMA: &str = "regprobe.report.v1";

/// What happened to one account, and what to do about it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    /// Always `regprobe.report.v1`.
    pub schema: &'static str,
    /// What the exchange was for: `register`, `unregister`, `clear`, `fetch`, `ping` or `locate`.
    pub goal: &'static str,
    /// The address-of-record.
    pub aor: String,
    /// The Request-URI.
    pub registrar: String,
    /// The outbound proxy.
    pub outbound_proxy: Option<String>,
    /// The transport that was used last: `udp`, `tcp`, `tls`; null when it never came to that.
    pub transport: Option<&'static str>,
    /// When the probe began, RFC 3339, UTC.
    #[serde(serialize_with = "with_milliseconds")]
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    /// The final state.
    pub state: State,
    /// Its OpenSIPS code.
    pub state_code: u8,
    /// Whether the registrar confirmed our binding.
    pub registered: bool,
    /// Why not; null while nothing has failed.
    pub cause: Option<Cause>,
    /// One sentence on what happened.
    pub detail: String,
    /// What to do; null when there is nothing to do.
    pub advice: Option<String>,
    /// The last final reply.
    pub last_response: Option<LastResponse>,
    /// The state that OpenSIPS would show after the same exchange.
    pub opensips_state: State,
    /// Our binding as the registrar confirmed it.
    pub binding: Option<BindingReport>,
    /// Until when the registrar may hold a binding of ours that was to go, as far as it has got our requests by now and granted no more than
    /// was asked, RFC 3339, UTC; null when nothing can be left, or it was left on purpose.
    #[serde(serialize_with = "with_milliseconds_or_null")]
    #[schemars(with = "Option<String>")]
    pub may_be_bound_until: Option<Timestamp>,
    /// The AOR's other bindings.
    pub other_bindings: Vec<OtherBinding>,
    /// How we authenticated.
    pub auth: AuthReport,
    /// Addresses and targets.
    pub network: NetworkReport,
    /// The TLS handshake; null without TLS.
    pub tls: Option<TlsReport>,
    /// How long each step took, in milliseconds.
    pub phases_ms: PhasesReport,
    /// Requests sent, retransmissions not counted.
    pub requests: u32,
    /// Requests sent again.
    pub retransmissions: u32,
    /// Seconds that the registrar asked to wait (Retry-After).
    pub retry_after_s: Option<u32>,
    /// What the peer says that it is (Server or User-Agent).
    pub server_product: Option<String>,
    /// What else was noticed.
    pub findings: Vec<Finding>,
    /// Whole messages, with `--trace`.
    pub transcript: Option<Vec<TranscriptEntry>>,
    /// The ladder for people: one entry a step. Not part of the JSON contract.
    #[serde(skip)]
    #[schemars(skip)]
    pub ladder: Vec<LadderStep>,
}

/// A final reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastResponse {
    /// The status code.
    pub code: u16,
    /// The reason phrase, escaped.
    pub reason: String,
}

/// Our binding.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BindingReport {
    /// The Contact as the registrar stored it.
    pub contact: String,
    /// How many seconds were granted.
    pub expires_s: u32,
    /// Until when, RFC 3339, UTC.
    #[serde(serialize_with = "with_milliseconds")]
    #[schemars(with = "String")]
    pub valid_until: Timestamp,
    /// What became of it.
    pub removal: Removal,
}

/// What became of our binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// It was to be kept.
    Kept,
    /// The registrar confirmed that it is gone.
    Confirmed,
    /// Removal was asked for and not confirmed.
    Unconfirmed,
    /// Removal was not asked for.
    NotAttempted,
}

/// How many of the others' bindings a report names at most; an AOR has a handful.
pub const MOST_BINDINGS: usize = 64;

/// Somebody else's binding at the same AOR.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OtherBinding {
    /// The Contact URI.
    pub contact: String,
    /// The seconds that it has left, where the registrar says so.
    pub expires_s: Option<u32>,
    /// Its preference, as it stands.
    pub q: Option<String>,
    /// Its `+sip.instance`.
    pub instance: Option<String>,
}

/// Authentication.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuthReport {
    /// Whether the registrar asked for credentials.
    pub challenged: bool,
    /// The scheme that was answered.
    pub scheme: Option<String>,
    /// The algorithm that was answered.
    pub algorithm: Option<String>,
    /// The realm that was answered, or offered last.
    pub realm: Option<String>,
    /// Whether only this realm was to be answered from the start (`--realm`); otherwise the first one that is answered decides.
    pub realm_pinned: bool,
    /// The weakest algorithm that is answered (`--min-digest`): `MD5`, `SHA-256` or `SHA-512-256`.
    pub min_digest: String,
    /// The quality of protection that was used; null for RFC 2069's none.
    pub qop: Option<String>,
    /// Every algorithm that was offered, in the order of the message.
    pub offered: Vec<String>,
    /// How often a stale nonce was replaced.
    pub stale_retries: u32,
    /// Whether the server proved that it knows the password (rspauth); null when it did not try.
    pub server_authenticated: Option<bool>,
}

/// Addresses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct NetworkReport {
    /// The address that was used last.
    pub server: Option<String>,
    /// Our own address on that flow.
    pub local: Option<String>,
    /// Our address as the registrar saw it (received, rport), when it differs.
    pub seen_as: Option<String>,
    /// Every target, in the order of RFC 3263.
    pub targets: Vec<TargetReport>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TargetReport {
    /// Address and port.
    pub address: String,
    /// `udp`, `tcp` or `tls`.
    pub transport: &'static str,
    /// How it was found: `numeric`, `override`, `redirect`, `naptr`, `srv`, `a` or `aaaa`.
    pub source: &'static str,
    /// `registered`, `reached` (for goals other than registering), `not_tried`, or a cause.
    pub outcome: String,
    /// With `--every-target`: the OpenSIPS code of its own final state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_code: Option<u8>,
    /// With `--every-target`: how long each of its steps took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phases_ms: Option<PhasesReport>,
}

/// The TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TlsReport {
    /// The protocol version.
    pub version: String,
    /// The cipher suite.
    pub cipher: String,
    /// The name that was verified.
    pub server_name: String,
    /// The certificate's subject.
    pub subject: String,
    /// The certificate's issuer.
    pub issuer: String,
    /// The end of the certificate's life, RFC 3339, UTC.
    #[serde(serialize_with = "with_milliseconds")]
    #[schemars(with = "String")]
    pub not_after: Timestamp,
    /// Whole days left.
    pub days_left: i64,
    /// Whether chain and name were verified.
    pub verified: bool,
}

/// Durations in milliseconds; null for a step that was not taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct PhasesReport {
    /// Looking up names.
    pub dns: Option<f64>,
    /// TCP.
    pub connect: Option<f64>,
    /// TLS.
    pub tls: Option<f64>,
    /// From the first request to its challenge.
    pub challenge: Option<f64>,
    /// From the last request to its final reply.
    pub authenticated: Option<f64>,
    /// The removal of the binding.
    pub removal: Option<f64>,
    /// All of it, the removal included.
    pub total: Option<f64>,
}

/// Something that was noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Which.
    pub id: FindingId,
    /// How bad.
    pub severity: Severity,
    /// What was seen.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Will hurt some day.
    Warning,
    /// Hurts now.
    Error,
}

/// One message on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TranscriptEntry {
    /// Milliseconds since the probe began.
    pub at_ms: f64,
    /// Which way.
    pub direction: Direction,
    /// The other side.
    pub peer: String,
    /// The first line, escaped, cut where it is long.
    pub summary: String,
    /// The whole message, secrets redacted, escaped line by line.
    pub text: String,
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From us.
    Sent,
    /// To us.
    Received,
}

/// One line of the ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct LadderStep {
    /// Milliseconds since the probe began.
    pub at_ms: f64,
    /// What kind of step.
    pub arrow: Arrow,
    /// What: `REGISTER 1`, `401 Unauthorized`, `binding removed`. Safe to print.
    pub what: String,
    /// More about it, or empty: `Digest SHA-256, MD5 · realm example.test`. Safe to print.
    pub note: String,
}

/// The direction of a step in a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrow {
    /// `→` a request of ours.
    Sent,
    /// `←` a reply.
    Received,
    /// `·` something that happened here: a look-up, a connection, a removal, a wait.
    Local,
    /// `✗` something failed.
    Failed,
}

/// The same, or null.
fn with_milliseconds_or_null<S: serde::Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => with_milliseconds(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// RFC 3339 in UTC with three decimals.
fn with_milliseconds<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

impl Report {
    /// The exit status of a probe: 0 when registered (or when a fetch, ping, removal or look-up succeeded), otherwise the OpenSIPS code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.cause.is_none() { 0 } else { self.state_code }
    }
}
