//! One JSON line for each change (docs/watch.md): the contract `regprobe.watch.v1`, written from the model. Pure.

use std::time::Instant;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
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
pub(crate) struct Line {
    /// Always `regprobe.watch.v1`.
    schema: &'static str,
    /// When, RFC 3339, UTC.
    #[serde(serialize_with = "with_milliseconds")]
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
    #[serde(serialize_with = "with_milliseconds_or_null")]
    #[schemars(with = "Option<String>")]
    valid_until: Option<Timestamp>,
    /// When the next exchange begins by itself, RFC 3339, UTC; null when none does.
    #[serde(serialize_with = "with_milliseconds_or_null")]
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

/// RFC 3339 in UTC with three decimals, as in reports.
fn with_milliseconds<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

#[expect(clippy::ref_option, reason = "this is how serde hands a field over")]
fn with_milliseconds_or_null<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => with_milliseconds(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::watch::samples::{self, CHALLENGE, OK, entry, named, origin, took_part, with_password};

    fn line(what: What, replies: &[&str]) -> serde_json::Value {
        let (mut model, origin) = (samples::model(0), origin());
        let desk = with_password(&named(1, "desk\u{1b}[2J", "sip:desk@example.test"));
        let id = took_part(&mut model, desk, origin, replies, Duration::from_secs(60));
        let moment = Moment {
            at: origin.at + Duration::from_secs(1),
            wall: origin.wall_at(origin.at + Duration::from_secs(1)),
        };
        let written = Line::new(what, Some(State::NotRegistered), model.row(id).unwrap(), moment).written();
        assert!(written.ends_with("}\n") && !written.contains('\u{1b}'), "{written}");
        serde_json::from_str(&written).unwrap()
    }

    #[test]
    fn a_line_holds_what_a_reader_needs_to_act() {
        let line = line(What::Changed, &[CHALLENGE, OK]);
        assert_eq!(line["schema"], SCHEMA);
        assert_eq!(
            (&line["event"], &line["time"]),
            (&"changed".into(), &"2026-01-31T09:00:01.000Z".into())
        );
        assert_eq!(
            (&line["from"], &line["state"]),
            (&"NOT_REGISTERED_STATE".into(), &"REGISTERED_STATE".into())
        );
        assert_eq!(
            (&line["registered"], &line["sip_code"], &line["reason"]),
            (&true.into(), &200.into(), &"OK".into())
        );
        assert_eq!(
            (&line["valid_until"], &line["next_at"]),
            (&"2026-01-31T10:00:00.012Z".into(), &"2026-01-31T09:01:00.024Z".into())
        );
        assert_eq!((&line["round_trip_ms"], &line["advice"]), (&12.0.into(), &serde_json::Value::Null));
        assert!(line.get("may_be_bound").is_none());
    }

    #[test]
    fn a_failure_says_why_and_what_to_do() {
        let line = line(What::Removed, &[CHALLENGE, CHALLENGE]);
        assert_eq!((&line["cause"], &line["state_code"]), (&"wrong_credentials".into(), &6.into()));
        assert_eq!(
            (&line["waits_for_operator"], &line["next_at"]),
            (&true.into(), &serde_json::Value::Null)
        );
        assert!(line["detail"].is_string() && line["advice"].is_string(), "{line}");
        assert_eq!(line["may_be_bound"], false);
    }

    #[test]
    fn what_changes_nothing_is_told_only_to_those_who_ask() {
        let (mut model, origin) = (samples::model(0), origin());
        let id = took_part(&mut model, entry(1, "sip:a@h"), origin, &[OK], Duration::ZERO);
        let row = model.row(id).unwrap();
        for (news, quiet, verbose) in [
            (
                News::Changed {
                    from: State::NotRegistered,
                },
                Some(What::Changed),
                Some(What::Changed),
            ),
            (News::Unchanged, None, Some(What::Unchanged)),
            (News::Busy, None, Some(What::Busy)),
        ] {
            let told = |verbose| Line::of(news, verbose, row, origin).map(|line| line.event);
            assert_eq!((told(false), told(true)), (quiet, verbose), "{news:?}");
        }
    }
}
