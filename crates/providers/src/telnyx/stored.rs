//! The status that is stored in a UAC connection. It was seen to say "Not Registered" for ever while the connection was registered, so
//! it only corroborates. Pure.

use serde_json::Value;

use super::Key;
use super::check::word;
use crate::reading::{Lines, identifier, moment, unwrap_data};
use crate::{About, Answer, Reply, SourceKind, Unknown, Word};

/// The fields of the connection that say something about its registration.
const SHOWN: [(&str, About); 6] = [
    ("registration_status", About::State),
    ("registration_status_updated_at", About::Update),
    ("active", About::Enabled),
    ("id", About::Identity),
    ("connection_name", About::Identity),
    ("updated_at", About::Other),
];

/// Reads the stored status of the connection `id`.
#[must_use]
pub fn decode_stored(id: &Key, reply: &Reply) -> Answer {
    let body = unwrap_data(&reply.body);
    let mut lines = Lines::default();
    for (name, about) in SHOWN {
        if let Some(value) = body.get(name) {
            lines.say(name, value, about);
        }
    }
    Answer {
        contract: Some("telnyx uac connection"),
        word: other_object(id, body).unwrap_or_else(|| stored_word(body)),
        updated_at: body.get("registration_status_updated_at").and_then(moment),
        said: lines.into_said(),
        ..Answer::blank_of(SourceKind::TelnyxUacStored, reply)
    }
}

fn other_object(id: &Key, body: &Value) -> Option<Word> {
    let answered = identifier(body.get("id").filter(|answered| !id.is(answered))?)?;
    Some(Word::Unknown(Unknown::WrongObject {
        field: "id".to_owned(),
        asked: id.to_string(),
        answered,
    }))
}

fn stored_word(body: &Value) -> Word {
    let status = body.get("registration_status");
    if status.is_some_and(Value::is_null) {
        return Word::Unknown(Unknown::SaysSo);
    }
    let word = word("registration_status", status);
    let is_off = body.get("active").and_then(Value::as_bool) == Some(false);
    match word {
        Word::Registered if is_off => Word::Unknown(Unknown::SelfContradiction {
            one: "registration_status Registered".to_owned(),
            other: "active false".to_owned(),
        }),
        Word::NotRegistered if is_off => Word::Disabled,
        word => word,
    }
}
