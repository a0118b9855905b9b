//! The result of one row: one compact object, the contract of `bulk` (docs/bulk.md). Fields are added, never renamed or retyped. Types
//! only; what is shown in which form is `show`'s to say.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use sip_registration::{Cause, FindingId, Removal, Severity, State};

/// What came of one row of a list of accounts.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ResultLine<'a> {
    /// Which account of the list it is, from 1; the header is none.
    pub(crate) row: u64,
    /// The line of the list at which it begins, from 1.
    pub(crate) line: u64,
    /// The name that the list gives it.
    pub(crate) name: Option<&'a str>,
    /// The address-of-record; null in a row in which there is none that can be read.
    pub(crate) aor: Option<&'a str>,
    /// The Request-URI of the REGISTER.
    pub(crate) registrar: Option<&'a str>,
    /// When it began, RFC 3339, UTC; null when nothing was sent.
    pub(crate) started_at: Option<&'a str>,
    /// Whether the registrar confirmed our binding.
    pub(crate) registered: bool,
    /// The final state.
    pub(crate) state: State,
    /// Its OpenSIPS code.
    pub(crate) state_code: u8,
    /// Why not; null when registered.
    pub(crate) cause: Option<Why>,
    /// The status code of the last final reply.
    pub(crate) sip_code: Option<u16>,
    /// Its reason phrase, escaped.
    pub(crate) reason: Option<&'a str>,
    /// How many seconds were granted.
    pub(crate) granted_s: Option<u32>,
    /// What became of the binding; null when there was none.
    pub(crate) removal: Option<Removal>,
    /// From the first look-up to the registrar's last word on the registration, in milliseconds; the removal is not in it.
    pub(crate) total_ms: Option<f64>,
    /// Requests sent for it, retransmissions not counted.
    pub(crate) requests: u32,
    /// Requests sent again.
    pub(crate) retransmissions: u32,
    /// What else was noticed.
    #[serde(serialize_with = "only_ids")]
    #[schemars(with = "Vec<FindingId>")]
    pub(crate) findings: &'a [(FindingId, Severity)],
    /// One sentence on what happened; null when registered.
    pub(crate) detail: Option<&'a str>,
}

fn only_ids<S: Serializer>(findings: &[(FindingId, Severity)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(findings.iter().map(|(id, _)| id))
}

/// Why a row is not registered: a cause of the report, or one of the list's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// The registration failed.
    Cause(Cause),
    /// The row is no account.
    BadRow,
    /// Too many passwords were wrong at its registrar before its turn came; nothing was sent.
    HeldBack,
    /// The run had failed often enough before its turn came (`--fail-fast`); nothing was sent.
    NotDone,
}

impl Why {
    /// Those of the list's own.
    pub(crate) const OWN: [Self; 3] = [Self::BadRow, Self::HeldBack, Self::NotDone];

    /// The word.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cause(cause) => cause.name(),
            Self::BadRow => "bad_row",
            Self::HeldBack => "held_back",
            Self::NotDone => "not_done",
        }
    }

    /// The state that it ends in.
    pub(crate) const fn state(self) -> State {
        match self {
            Self::Cause(cause) => cause.state(),
            Self::BadRow | Self::HeldBack | Self::NotDone => State::NotRegistered,
        }
    }

    /// Whether the row had its turn. One that had not is no failure, and a later run makes up for it.
    pub(crate) const fn had_its_turn(self) -> bool {
        match self {
            Self::Cause(_) | Self::BadRow => true,
            Self::HeldBack | Self::NotDone => false,
        }
    }
}

impl Serialize for Why {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl JsonSchema for Why {
    fn schema_name() -> Cow<'static, str> {
        "Why".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let causes = Cause::ALL.map(Self::Cause).into_iter();
        let names: Vec<&str> = causes.chain(Self::OWN).map(Self::name).collect();
        json_schema!({ "type": "string", "description": "Why a row is not registered.", "enum": names })
    }
}
