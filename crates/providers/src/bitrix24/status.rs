//! Decodes `voximplant.sip.status`, and the pair of code and message that it shares with the stored status. Pure. The code is a SIP
//! status code, or one that Voximplant made up.

use serde_json::Value;

use crate::reading::{self, Lines};
use crate::{About, Answer, ClaimedResponse, Reply, SourceKind, Unknown, Word, text};

const CONTRACT: &str = "bitrix24 voximplant.sip.status";

/// Decodes an answer to a question for this registration. Any JSON gives an answer; only a success with code 200 says registered.
#[must_use]
pub fn decode(reg_id: u64, reply: &Reply) -> Answer {
    let result = &reply.body["result"];
    let message = reading::text(&result["ERROR_MESSAGE"]);
    let code = read_code("STATUS_CODE", &result["STATUS_CODE"]);
    let response = response(&code, message.as_deref());
    let word = checked(reg_id, result).and_then(|()| word(result, code?, message.as_deref()));
    Answer {
        contract: Some(CONTRACT),
        response,
        word: word.unwrap_or_else(Word::Unknown),
        said: said(result),
        ..Answer::blank_of(SourceKind::Bitrix24, reply)
    }
}

/// A status code, a number or a string with one in it; null is none.
pub(super) fn read_code(field: &str, value: &Value) -> Result<Option<i64>, Unknown> {
    match reading::integer(value) {
        None if !value.is_null() => Err(Unknown::new_value(field, value)),
        code => Ok(code),
    }
}

/// Why a registration failed by its code and message; `None` for a code that is no failure.
pub(super) fn failure(code: i64, message: Option<&str>) -> Option<Word> {
    Some(match code {
        401 | 407 => Word::WrongCredentials,
        408 => Word::Timeout,
        502 if is_local(message) => Word::InternalError,
        // A gateway of the registrar's, or of Voximplant's own: nobody says which.
        502 if message.is_none() => Word::Failed,
        // RFC 3261 §21.3 leaves a redirect to the client, and this one has given up.
        300..=399 => Word::InternalError,
        400..=699 => Word::RegistrarError {
            code: u16::try_from(code).ok(),
        },
        _ => return None,
    })
}

/// The SIP reply that a code stands for. 408 and the 502 of a name that cannot be resolved are made where no reply came.
pub(super) fn response(code: &Result<Option<i64>, Unknown>, message: Option<&str>) -> Option<ClaimedResponse> {
    let Ok(Some(code @ 100..=699)) = *code else { return None };
    if code == 408 || (code == 502 && (message.is_none() || is_local(message))) {
        return None;
    }
    Some(ClaimedResponse {
        code: u16::try_from(code).ok()?,
        reason: message.unwrap_or_default().to_owned(),
    })
}

/// True for the message of the documents' 502, "Unable to resolve hostname".
fn is_local(message: Option<&str>) -> bool {
    message.is_some_and(|message| message.to_ascii_lowercase().contains("resolve"))
}

fn checked(reg_id: u64, result: &Value) -> Result<(), Unknown> {
    if !result.is_object() {
        return Err(Unknown::contract("result is no object"));
    }
    let answered = &result["REG_ID"];
    if answered.is_null() || reading::count(answered) == Some(reg_id) {
        return Ok(());
    }
    Err(Unknown::WrongObject {
        field: "REG_ID".to_owned(),
        asked: reg_id.to_string(),
        answered: text::field(
            &answered
                .as_str()
                .map_or_else(|| text::redacted(answered.clone()).to_string(), str::to_owned),
        ),
    })
}

fn word(result: &Value, code: Option<i64>, message: Option<&str>) -> Result<Word, Unknown> {
    let state = &result["STATUS_RESULT"];
    match (state.as_str(), code) {
        (Some("success"), Some(200)) => Ok(Word::Registered),
        (Some("success"), Some(code)) => Err(contradiction("success", code)),
        (Some("success"), None) => Err(Unknown::contract("STATUS_CODE is missing")),
        (Some("error"), None | Some(0)) => Ok(Word::Failed),
        (Some("error" | "wait"), Some(code @ 200..=299)) => Err(contradiction(state.as_str().unwrap_or_default(), code)),
        (Some("error"), Some(code)) => failure(code, message).ok_or_else(|| Unknown::new_value("STATUS_CODE", &result["STATUS_CODE"])),
        // With these two the code is that of the attempt before.
        (Some("wait"), _) => Ok(Word::NotRegistered),
        (Some("in_progress"), _) => Ok(Word::Registering),
        (None, _) if state.is_null() => Err(Unknown::contract("STATUS_RESULT is missing")),
        (Some(_) | None, _) => Err(Unknown::new_value("STATUS_RESULT", state)),
    }
}

fn said(result: &Value) -> Vec<crate::Said> {
    let mut lines = Lines::default();
    if result.is_object() {
        lines.say_all(result, about);
    }
    lines.into_said()
}

fn about(name: &str) -> About {
    match name {
        "REG_ID" => About::Identity,
        "STATUS_RESULT" => About::State,
        "STATUS_CODE" | "ERROR_MESSAGE" => About::Response,
        // LAST_UPDATED is the last change, hours ago on a healthy line and without a zone: it says nothing about freshness.
        _ => About::Other,
    }
}

fn contradiction(state: &str, code: i64) -> Unknown {
    Unknown::contradiction(format!("STATUS_RESULT {state}"), format!("STATUS_CODE {code}"))
}

#[cfg(test)]
mod tests;
