//! What Telnyx answers when it is made to look: `check_registration_status` of a credential connection. Pure. The words of the stored
//! status are the same and are read here as well.

use serde_json::Value;

use crate::reading::{Lines, count, moment, text, unwrap_data};
use crate::{About, Answer, ClaimedContact, Reply, SourceKind, Unknown, Word};

/// Reads the answer, which comes wrapped in `data` once or twice.
#[must_use]
pub fn decode_check(reply: &Reply) -> Answer {
    let body = unwrap_data(&reply.body);
    let mut lines = Lines::default();
    lines.say_all(body, about);
    let field = |name| body.get(name);
    let contact = ClaimedContact {
        user: None,
        host: field("ip_address").and_then(text),
        port: field("port").and_then(count),
    };
    Answer {
        contract: Some("telnyx credential check"),
        word: word("status", field("status")),
        // The sample in the documents has no time zone.
        refreshed_at: field("last_registration").and_then(moment),
        contact: (contact != ClaimedContact::default()).then_some(contact),
        username: field("sip_username").and_then(text),
        said: lines.into_said(),
        ..Answer::blank_of(SourceKind::TelnyxCredentialCheck, reply)
    }
}

/// The state behind one of the six words.
pub(super) fn word(field: &str, value: Option<&Value>) -> Word {
    let Some(word) = value.and_then(text) else {
        let problem = format!("{field} is missing or no text");
        return Word::Unknown(Unknown::Contract { problem });
    };
    match &*word.to_ascii_lowercase() {
        "registered" => Word::Registered,
        "not registered" | "unregistered" => Word::NotRegistered,
        "failed" => Word::Failed,
        "expired" => Word::Lapsed,
        // Said of connections that authenticate by address or name and do not register.
        "not applicable" => Word::Disabled,
        _ => Word::Unknown(Unknown::NewValue {
            field: field.to_owned(),
            value: word,
        }),
    }
}

fn about(name: &str) -> About {
    match name {
        "status" => About::State,
        "last_registration" => About::Refresh,
        "ip_address" | "port" => About::Contact,
        "sip_username" => About::Username,
        "transport" => About::Transport,
        _ => About::Other,
    }
}
