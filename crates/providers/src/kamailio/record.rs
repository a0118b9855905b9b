//! Decodes the records of Kamailio's `uac`. Pure.
//!
//! `flags` are bits: 1 disabled, 2 a REGISTER is under way, 4 online, 8 with credentials, 16 looked after since the start. What
//! `timer_expires` means depends on them: while online it is the end of the binding, when the REGISTER was sent plus what was granted;
//! while one is under way it is when that was sent; after a failure it is when the next one is due. `diff_expires` is the same against
//! Kamailio's own clock, which is thereby known. `expires` is what is asked for; an un-REGISTER by command leaves 0 there for good.
//! No flag says why something failed.

use serde_json::Value;

use crate::reading::{self, Lines};
use crate::{About, Answer, ClaimedContact, Listed, Moment, Reply, Settings, SourceKind, Unknown, Word};
use crate::{address_of_record, server_uri, text, transport_named, transport_of};

const CONTRACT: &str = "kamailio uac";

const DISABLED: u32 = 1;
const ONGOING: u32 = 2;
const ONLINE: u32 = 4;
const AUTH_SENT: u32 = 8;
const INITIALISED: u32 = 16;
const KNOWN: u32 = DISABLED | ONGOING | ONLINE | AUTH_SENT | INITIALISED;

/// Decodes the result of `uac.reg_info` for the record with this `l_uuid`. Any JSON gives an answer.
#[must_use]
pub fn decode(uuid: &str, reply: &Reply) -> Answer {
    let blank = Answer {
        contract: Some(CONTRACT),
        ..Answer::blank_of(SourceKind::Kamailio, reply)
    };
    match chosen(uuid, &reply.body) {
        Ok(record) => of_record(record, blank),
        Err(unknown) => Answer {
            word: Word::Unknown(unknown),
            ..blank
        },
    }
}

/// How this record registers.
#[must_use]
pub fn settings(record: &Value) -> Settings {
    let registrar = set(&record["r_domain"]).and_then(|domain| server_uri(&domain));
    let user = set(&record["r_username"]);
    let outbound_proxy = set(&record["auth_proxy"]).and_then(|proxy| server_uri(&proxy));
    let socket = set(&record["socket"]).and_then(|socket| transport_named(socket.split_once(':')?.0));
    let next_hop = outbound_proxy.as_ref().or(registrar.as_ref());
    Settings {
        name: set(&record["l_uuid"]),
        enabled: flags(record).ok().map(|flags| flags & DISABLED == 0),
        aor: user
            .zip(registrar.as_ref())
            .and_then(|(user, domain)| address_of_record(&user, domain)),
        transport: socket.or_else(|| next_hop.and_then(transport_of)),
        registrar,
        outbound_proxy,
        auth_user: set(&record["auth_username"]),
        expires: reading::count(&record["expires"]).filter(|&seconds| seconds > 0),
        contact: contact(record),
    }
}

/// The record that was asked for, alone or in a list of one.
pub(super) fn chosen<'a>(uuid: &str, result: &'a Value) -> Result<&'a Value, Unknown> {
    let mut records = records(result);
    let record = match (records.next(), records.next()) {
        (Some(record), None) => record,
        (None, _) => return Err(Unknown::contract("no record in it")),
        (Some(_), Some(_)) => return Err(Unknown::contract("more than one record in it")),
    };
    if record["l_uuid"] == *uuid {
        return Ok(record);
    }
    Err(Unknown::WrongObject {
        field: "l_uuid".to_owned(),
        asked: text::field(uuid),
        answered: text::field(record["l_uuid"].as_str().unwrap_or_default()),
    })
}

/// All records of a result.
pub(super) fn records(result: &Value) -> impl Iterator<Item = &Value> {
    let one = Some(result).filter(|result| result.is_object());
    one.into_iter()
        .chain(result.as_array().into_iter().flatten())
        .filter(|record| record.is_object())
}

/// A record of a list, as it would answer for itself.
pub(super) fn listed(record: &Value, reply: &Reply) -> Listed {
    // Its own text and not that of the whole list.
    let blank = Answer {
        contract: Some(CONTRACT),
        server_date: reply.server_date,
        ..Answer::blank(SourceKind::Kamailio, reply.asked_at, reply.answered_at)
    };
    Listed {
        object: reading::text(&record["l_uuid"]).unwrap_or_default(),
        answer: of_record(record, blank),
        settings: settings(record),
    }
}

fn of_record(record: &Value, blank: Answer) -> Answer {
    let clock = clock(record);
    let now = clock.or(blank.server_date).unwrap_or(blank.answered_at);
    let timer = Timer::of(record);
    let mut lines = Lines::default();
    lines.say_all(record, |field| about(field, timer));
    let moment = |wanted| reading::moment(&record["timer_expires"]).filter(|_| timer == wanted);
    Answer {
        server_date: clock.or(blank.server_date),
        word: word(record, now).unwrap_or_else(Word::Unknown),
        lifetime_s: reading::count(&record["expires"]).filter(|&seconds| seconds > 0),
        expires_at: moment(Timer::EndOfBinding),
        next_action_at: moment(Timer::NextRegister),
        contact: contact(record),
        username: set(&record["r_username"]),
        said: lines.into_said(),
        raw: text::raw(record),
        ..blank
    }
}

/// The state, by the bits and by the timer.
fn word(record: &Value, now: Moment) -> Result<Word, Unknown> {
    let flags = flags(record)?;
    let has = |bit| flags & bit != 0;
    let wanted = reading::integer(&record["expires"]) != Some(0);
    match (has(ONGOING), has(ONLINE), has(AUTH_SENT)) {
        (true, true, _) => Err(contradiction(flags, "under way and online")),
        (false, _, true) => Err(contradiction(flags, "with credentials and not under way")),
        (true, false, _) if !wanted => Ok(Word::Unregistering),
        (true, false, true) => Ok(Word::Authenticating),
        (true, false, false) => Ok(Word::Registering),
        (false, true, false) if has(DISABLED) => Ok(Word::Disabled),
        (false, true, false) => online(record, now),
        // It disables itself when it is not to try again; by command it can only get here after a failure as well.
        (false, false, false) if has(INITIALISED) && wanted => Ok(Word::Failed),
        (false, false, false) if has(DISABLED) => Ok(Word::Disabled),
        (false, false, false) => Ok(Word::NotRegistered),
    }
}

/// Online says that it registered; only with the timer does it say that this still holds.
fn online(record: &Value, now: Moment) -> Result<Word, Unknown> {
    let end = reading::moment(&record["timer_expires"]).ok_or_else(|| Unknown::contract("timer_expires is missing"))?;
    Ok(if end.at > now { Word::Registered } else { Word::Lapsed })
}

/// The bits; those that no known Kamailio has are a new value.
fn flags(record: &Value) -> Result<u32, Unknown> {
    let value = &record["flags"];
    if value.is_null() {
        return Err(Unknown::contract("flags are missing"));
    }
    let known = reading::count(value).filter(|flags: &u32| flags & !KNOWN == 0);
    known.ok_or_else(|| Unknown::new_value("flags", value))
}

/// What `timer_expires` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    EndOfBinding,
    SentAt,
    NextRegister,
    Nothing,
}

impl Timer {
    fn of(record: &Value) -> Self {
        match flags(record) {
            Ok(flags) if flags & DISABLED != 0 => Self::Nothing,
            Ok(flags) if flags & ONGOING != 0 => Self::SentAt,
            Ok(flags) if flags & ONLINE != 0 => Self::EndOfBinding,
            Ok(flags) if flags & INITIALISED != 0 && reading::integer(&record["expires"]) != Some(0) => Self::NextRegister,
            Ok(_) | Err(_) => Self::Nothing,
        }
    }
}

/// Kamailio's own time when it answered, to the second.
fn clock(record: &Value) -> Option<Moment> {
    let timer = reading::integer(&record["timer_expires"])?;
    let ahead = reading::integer(&record["diff_expires"])?;
    const SECONDS_SINCE_1970: std::ops::Range<i64> = 1_000_000_000..100_000_000_000;
    let now = timer.checked_sub(ahead).filter(|now| SECONDS_SINCE_1970.contains(now))?;
    Moment::from_unix(now)
}

/// The Contact that it registers: the `l_uuid`, or in newer ones the `contact_user`, at `contact_addr`.
fn contact(record: &Value) -> Option<ClaimedContact> {
    let user = set(&record["contact_user"]).or_else(|| set(&record["l_uuid"]))?;
    let address = set(&record["contact_addr"]);
    let uri = address.and_then(|address| reading::contact(&format!("sip:{address}")));
    Some(ClaimedContact {
        user: Some(user),
        ..uri.unwrap_or_default()
    })
}

/// A field that is set: Kamailio writes `none` or leaves a dot where it is not.
fn set(value: &Value) -> Option<String> {
    reading::text(value).filter(|text| !matches!(&**text, "none" | "."))
}

fn contradiction(flags: u32, meaning: &str) -> Unknown {
    Unknown::contradiction(format!("flags {flags}"), format!("{meaning} at once"))
}

fn about(field: &str, timer: Timer) -> About {
    match field {
        "l_uuid" => About::Identity,
        "flags" => About::State,
        "expires" => About::Lifetime,
        "timer_expires" | "diff_expires" => match timer {
            Timer::EndOfBinding => About::Expiry,
            Timer::SentAt => About::Refresh,
            Timer::NextRegister => About::NextAction,
            Timer::Nothing => About::Other,
        },
        "contact_addr" | "contact_user" => About::Contact,
        "r_username" => About::Username,
        "socket" => About::Transport,
        _ => About::Other,
    }
}

#[cfg(test)]
mod tests;
