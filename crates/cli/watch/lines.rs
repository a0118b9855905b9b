//! One JSON line for each change (docs/watch.md): the contract `regprobe.watch.v1`, written from the model. Pure.

use std::time::Instant;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sip_registration::{Cause, State};

use super::model::{News, Row};
use super::moment::Moment;
use crate::output::json;

/// The name of the contract, in every line.
const SCHEMA: &str = "regprobe.watch.v1";

/// What a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// The account is kept from now on.
    Added,
    /// Its state, its cause, or the code of its failure is another.
    Changed,
    /// An exchange is over and has changed nothing, such as a refresh. With `--verbose` only.
    Unchanged,
    /// An exchange has begun or goes on with credentials. With `--verbose` only.
    Busy,
    /// The account is not kept any more.
    Removed,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "Line of regprobe watch")]
pub(crate) struct Line {
    /// Always `regprobe.watch.v1`.
    schema: &'static str,
    /// When, RFC 3339, UTC.
    #[schemars(with = "String")]
    time: Timestamp,
    /// What this line tells.
    event: What,
    /// The account's name in the file, or else its AOR.
    name: String,
    /// The address-of-record.
    aor: String,
    /// The registrar.
    registrar: String,
    /// The state before, where it was another; null otherwise.
    from: Option<State>,
    /// The state.
    state: State,
    /// Its OpenSIPS code.
    state_code: u8,
    /// Whether the registrar has confirmed a binding that holds, whatever became of exchanges since.
    registered: bool,
    /// Why the last exchange failed; null when it did not.
    cause: Option<Cause>,
    /// The last final reply's status code.
    sip_code: Option<u16>,
    /// Its reason phrase, escaped.
    reason: Option<String>,
    /// Until when the binding holds, RFC 3339, UTC.
    #[schemars(with = "Option<String>")]
    valid_until: Option<Timestamp>,
    /// When the next exchange begins by itself, RFC 3339, UTC; null when none does.
    #[schemars(with = "Option<String>")]
    next_at: Option<Timestamp>,
    /// Whether nothing more happens before the operator acts: the credentials were refused.
    waits_for_operator: bool,
    /// How many exchanges in a row have failed.
    failures: u32,
    /// From the last request to its final reply, in milliseconds.
    round_trip_ms: Option<f64>,
    /// What happened, when the last exchange failed.
    detail: Option<String>,
    /// What to do about it.
    advice: Option<String>,
    /// `removed` only: whether the registrar may hold a binding of ours all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    may_be_bound: Option<bool>,
}

impl Line {
    /// What there is to tell about an account, from its row.
    pub(crate) fn new(what: What, from: Option<State>, row: &Row, moment: Moment) -> Self {
        let account = &row.entry.account;
        let state = row.busy.unwrap_or(row.settled.state);
        let wall = |at: Instant| moment.wall_at(at);
        // What went wrong before is no news once something is done about it.
        let words = row.words.as_ref().filter(|_| row.busy.is_none());
        Self {
            schema: SCHEMA,
            time: wall(moment.at),
            event: what,
            name: row.entry.title(),
            aor: account.aor.to_string(),
            registrar: account.registrar.to_string(),
            from,
            state,
            state_code: state.code(),
            registered: row.is_bound(moment.at),
            cause: row.shown_cause(),
            sip_code: row.settled.reply.as_ref().map(|reply| reply.code),
            reason: row.settled.reply.as_ref().map(|reply| reply.reason.clone()),
            valid_until: row.valid_until.map(wall),
            next_at: row.next_at.map(wall),
            waits_for_operator: row.waits_for_operator,
            failures: row.failures,
            round_trip_ms: row.round_trip.map(|took| (took.as_secs_f64() * 1e6).round() / 1e3),
            detail: words.map(|words| words.detail.clone()),
            advice: words.map(|words| words.advice.clone()),
            may_be_bound: (what == What::Removed).then(|| row.may_be_bound(moment.at)),
        }
    }

    /// The line for news, if it is to be told.
    pub(crate) fn of(news: News, verbose: bool, row: &Row, moment: Moment) -> Option<Self> {
        match news {
            News::Changed { from } => {
                let from = Some(from).filter(|from| *from != row.settled.state);
                Some(Self::new(What::Changed, from, row, moment))
            }
            News::Unchanged if verbose => Some(Self::new(What::Unchanged, None, row, moment)),
            News::Busy if verbose => Some(Self::new(What::Busy, Some(row.settled.state), row, moment)),
            News::Unchanged | News::Busy => None,
        }
    }

    /// The line as it is written, with its end.
    pub(crate) fn written(&self) -> String {
        json::render(self, false)
    }
}
