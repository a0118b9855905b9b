//! Decodes the records of `uac_registrant`. Pure.
//!
//! `expires` is the lifetime that was granted, or asked for as long as none was. `registration_t_out` is when the next REGISTER is due,
//! or up to a timer interval later; it is no end of the binding. Both times are written by `ctime` in OpenSIPS' own zone, unnamed.

use serde_json::Value;
use sip_registration::Transport;

use super::Registrant;
use crate::reading::{self, Lines};
use crate::{About, Answer, ClaimedTime, Listed, Moment, Reply, Settings, SourceKind, Unknown, Word};
use crate::{server_uri, text, transport_named, transport_of};

const CONTRACT: &str = "opensips uac_registrant";

/// Decodes the result of `uac_registrant:list` or `reg_list`, of one record or of all. Any JSON gives an answer.
#[must_use]
pub fn decode(asked: &Registrant, reply: &Reply) -> Answer {
    let answer = Answer {
        contract: Some(CONTRACT),
        ..Answer::blank_of(SourceKind::Opensips, reply)
    };
    if let Some(record) = chosen(asked, &reply.body) {
        return of_record(record, answer);
    }
    let word = match (&reply.body["Registrant"], &reply.body["Records"]) {
        (Value::Object(_), _) => Word::Unknown(another(asked, &reply.body["Registrant"])),
        (_, Value::Array(_)) => Word::NotFound,
        _ => return answer,
    };
    Answer { word, ..answer }
}

/// How this record registers.
#[must_use]
pub fn settings(record: &Value) -> Settings {
    let uri = |name: &str| record[name].as_str().and_then(server_uri);
    let registrar = uri("registrar");
    let outbound_proxy = uri("proxy");
    let next_hop = outbound_proxy.as_ref().or(registrar.as_ref());
    Settings {
        name: None,
        enabled: reading::yes_or_no(&record["enabled"]),
        aor: uri("AOR"),
        transport: socket_transport(record).or_else(|| next_hop.and_then(transport_of)),
        registrar,
        outbound_proxy,
        auth_user: None,
        expires: reading::count(&record["expires"]),
        contact: record["binding"].as_str().and_then(reading::contact),
    }
}

/// The record that was asked for.
pub(super) fn chosen<'a>(asked: &Registrant, result: &'a Value) -> Option<&'a Value> {
    records(result)
        .find(|record| record["AOR"] == *asked.aor && record["binding"] == *asked.contact && record["registrar"] == *asked.registrar)
}

/// All records of a result.
pub(super) fn records(result: &Value) -> impl Iterator<Item = &Value> {
    let all = result["Records"].as_array().into_iter().flatten();
    all.chain(result.get("Registrant")).filter(|record| record.is_object())
}

/// A record of a list, as it would answer for itself.
pub(super) fn listed(record: &Value, reply: &Reply) -> Listed {
    // Its own text and not that of the whole list.
    let blank = Answer {
        contract: Some(CONTRACT),
        server_date: reply.server_date,
        ..Answer::blank(SourceKind::Opensips, reply.asked_at, reply.answered_at)
    };
    Listed {
        object: reading::text(&record["AOR"]).unwrap_or_default(),
        answer: of_record(record, blank),
        settings: settings(record),
    }
}

fn of_record(record: &Value, blank: Answer) -> Answer {
    let mut lines = Lines::default();
    lines.say_all(record, about);
    let word = word(record).unwrap_or_else(Word::Unknown);
    let registered = word == Word::Registered;
    Answer {
        word,
        lifetime_s: reading::count(&record["expires"]).filter(|&seconds| seconds > 0),
        next_action_at: happened(&record["registration_t_out"]),
        refreshed_at: happened(&record["last_register_sent"]).filter(|_| registered),
        contact: record["binding"].as_str().and_then(reading::contact),
        username: user_of(&record["AOR"]),
        said: lines.into_said(),
        raw: text::raw(record),
        ..blank
    }
}

/// The state, held against the switch beside it. What is under way outlives the switch; a registration does not.
fn word(record: &Value) -> Result<Word, Unknown> {
    let Some(name) = reading::text(&record["state"]) else {
        return Err(Unknown::contract("state is missing"));
    };
    let Some(word) = state(&name) else {
        return Err(Unknown::new_value("state", &record["state"]));
    };
    let enabled = reading::yes_or_no(&record["enabled"]);
    if enabled.is_none() && !record["enabled"].is_null() {
        return Err(Unknown::new_value("enabled", &record["enabled"]));
    }
    match (enabled, word) {
        (Some(false), Word::Registered) => Err(Unknown::contradiction(format!("state {name}"), "enabled no")),
        (Some(false), word @ (Word::Registering | Word::Authenticating | Word::Unregistering)) => Ok(word),
        (Some(false), _) => Ok(Word::Disabled),
        (Some(true) | None, word) => Ok(word),
    }
}

/// The ten states of `uac_registrant` by their names.
fn state(name: &str) -> Option<Word> {
    Some(match name {
        "NOT_REGISTERED_STATE" => Word::NotRegistered,
        "REGISTERING_STATE" => Word::Registering,
        "AUTHENTICATING_STATE" => Word::Authenticating,
        "REGISTERED_STATE" => Word::Registered,
        "REGISTER_TIMEOUT_STATE" => Word::Timeout,
        "INTERNAL_ERROR_STATE" => Word::InternalError,
        "WRONG_CREDENTIALS_STATE" => Word::WrongCredentials,
        "REGISTRAR_ERROR_STATE" => Word::RegistrarError { code: None },
        "UNREGISTERING_STATE" | "AUTHENTICATING_UNREGISTER_STATE" => Word::Unregistering,
        _ => return None,
    })
}

/// A time that is not the beginning of time, which stands for "never" in every zone.
fn happened(value: &Value) -> Option<ClaimedTime> {
    const SECONDS_OF_TWO_DAYS: i64 = 2 * 86_400;
    let never = Moment::from_unix(SECONDS_OF_TWO_DAYS)?;
    reading::moment(value).filter(|time| time.at > never)
}

fn user_of(aor: &Value) -> Option<String> {
    reading::contact(aor.as_str()?)?.user
}

/// The transport of a socket such as `udp:192.0.2.7:5060`.
fn socket_transport(record: &Value) -> Option<Transport> {
    let (transport, _) = record["socket"].as_str()?.split_once(':')?;
    transport_named(transport)
}

/// Which of the three names is another one.
fn another(asked: &Registrant, record: &Value) -> Unknown {
    let asked_for = [("AOR", &asked.aor), ("binding", &asked.contact), ("registrar", &asked.registrar)];
    let different = asked_for.into_iter().find(|(field, wanted)| record[*field] != ***wanted);
    let (field, wanted) = different.unwrap_or(("AOR", &asked.aor));
    Unknown::WrongObject {
        field: field.to_owned(),
        asked: text::field(wanted),
        answered: text::field(record[field].as_str().unwrap_or_default()),
    }
}

fn about(field: &str) -> About {
    match field {
        "AOR" => About::Identity,
        "state" => About::State,
        "enabled" => About::Enabled,
        "expires" => About::Lifetime,
        "last_register_sent" => About::Refresh,
        "registration_t_out" => About::NextAction,
        "binding" => About::Contact,
        "socket" => About::Transport,
        _ => About::Other,
    }
}

#[cfg(test)]
mod tests;
