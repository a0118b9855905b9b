//! Decodes an agent's registration status. Pure. Its words are those of OpenSIPS' `uac_registrant`, translated by Telzino's own service:
//! the times may have lost their zone on the way, and the message says something friendly also when all is well.

use std::time::Duration;

use serde_json::Value;

use crate::reading::{self, Lines, Time};
use crate::{About, Answer, ClaimedResponse, Reply, SourceKind, Unknown, Word};

const CONTRACT: &str = "telzino v1";

/// Decodes an answer, wrapped or not. Any JSON gives an answer; only one whose indicators all agree says that it is registered.
#[must_use]
pub fn decode(reply: &Reply) -> Answer {
    let status = reading::unwrap_data(&reply.body);
    let response = status["errorMessage"].as_str().and_then(reading::sip_response);
    let mut answer = Answer {
        contract: Some(CONTRACT),
        word: word(&reply.body, status)
            .and_then(|word| unrefused(word, response.as_ref()))
            .unwrap_or_else(Word::Unknown),
        response,
        ..Answer::blank_of(SourceKind::Telzino, reply)
    };
    if let (Word::RegistrarError { code }, Some(response)) = (&mut answer.word, &answer.response) {
        *code = Some(response.code).filter(|code| *code >= 300);
    }
    read_times(&mut answer, status);
    answer.said = said(status);
    answer
}

/// The state, held against the other indicators: code, flag, switch, and whether the request was a success at all.
fn word(body: &Value, status: &Value) -> Result<Word, Unknown> {
    let succeeded = flag(body, "success")? != Some(false);
    let Some(name) = reading::text(&status["state"]) else {
        return Err(Unknown::contract(if succeeded {
            "state is missing"
        } else {
            "success is false, and there is no state"
        }));
    };
    let (word, code) = known(&name).ok_or_else(|| Unknown::new_value("state", &status["state"]))?;
    let state = format!("state {name}");
    if !succeeded && word != Word::NotFound {
        return Err(Unknown::contradiction(&*state, "success false"));
    }
    check_code(&status["stateCode"], code, &state)?;
    let is_registered = flag(status, "isRegistered")?;
    if is_registered.is_some_and(|is_registered| is_registered != (word == Word::Registered)) {
        return Err(Unknown::contradiction(&*state, format!("isRegistered {}", status["isRegistered"])));
    }
    let enabled = flag(status, "enabled")?;
    switched(word, is_registered, enabled, &state)
}

/// Who is registered was not refused last. A message that is no SIP reply says nothing.
fn unrefused(word: Word, response: Option<&ClaimedResponse>) -> Result<Word, Unknown> {
    match response.filter(|response| response.code >= 300 && word == Word::Registered) {
        Some(refusal) => Err(Unknown::contradiction(
            "state REGISTERED_STATE",
            format!("errorMessage {} {}", refusal.code, refusal.reason),
        )),
        None => Ok(word),
    }
}

/// OpenSIPS' states and their codes. `NOT_FOUND` shares its code with the first, and is known by its name alone.
fn known(name: &str) -> Option<(Word, i64)> {
    Some(match name {
        "NOT_REGISTERED_STATE" => (Word::NotRegistered, 0),
        "REGISTERING_STATE" => (Word::Registering, 1),
        "AUTHENTICATING_STATE" => (Word::Authenticating, 2),
        "REGISTERED_STATE" => (Word::Registered, 3),
        "REGISTER_TIMEOUT_STATE" => (Word::Timeout, 4),
        "INTERNAL_ERROR_STATE" => (Word::InternalError, 5),
        "WRONG_CREDENTIALS_STATE" => (Word::WrongCredentials, 6),
        "REGISTRAR_ERROR_STATE" => (Word::RegistrarError { code: None }, 7),
        "UNREGISTERING_STATE" => (Word::Unregistering, 8),
        "AUTHENTICATING_UNREGISTER_STATE" => (Word::Unregistering, 9),
        "NOT_FOUND" => (Word::NotFound, 0),
        _ => return None,
    })
}

fn check_code(said: &Value, code: i64, state: &str) -> Result<(), Unknown> {
    match reading::integer(said) {
        None if said.is_null() => Ok(()),
        None => Err(Unknown::new_value("stateCode", said)),
        Some(said) if said == code => Ok(()),
        Some(said) => Err(Unknown::contradiction(state, format!("stateCode {said}"))),
    }
}

/// What the state means with the switch in this position. An un-REGISTER under way outlives the switch, a registration does not.
fn switched(word: Word, is_registered: Option<bool>, enabled: Option<bool>, state: &str) -> Result<Word, Unknown> {
    let registered = word == Word::Registered;
    if registered && is_registered.is_none() {
        return Err(Unknown::contract("isRegistered is missing"));
    }
    match enabled {
        None | Some(true) => Ok(word),
        Some(false) if registered => Err(Unknown::contradiction(state, "enabled no")),
        Some(false) if matches!(word, Word::NotFound | Word::Unregistering) => Ok(word),
        Some(false) => Ok(Word::Disabled),
    }
}

/// The documents call `expires` a moment, where OpenSIPS has a duration, and `registrationTimeout` a duration, where OpenSIPS has a
/// moment: that of its next REGISTER. Each is taken for what it looks like.
fn read_times(answer: &mut Answer, status: &Value) {
    let mut lifetime = None;
    match reading::time(&status["expires"]) {
        Some(Time::At(end)) => answer.expires_at = Some(end),
        Some(Time::Lasts(expires)) => lifetime = Some(expires),
        None => {}
    }
    match reading::time(&status["registrationTimeout"]) {
        Some(Time::At(due)) => answer.next_action_at = Some(due),
        Some(Time::Lasts(timeout)) => lifetime = Some(timeout),
        None => {}
    }
    answer.lifetime_s = lifetime
        .and_then(|lifetime| lifetime.as_secs().try_into().ok())
        .filter(|&seconds| seconds > 0);
    answer.refreshed_at = reading::moment(&status["lastRegisterSent"]);
    doubt_impossible_times(answer);
}

/// A binding ends at the latest one lifetime after the last REGISTER. Where the answer says otherwise, as the documents' own example
/// does, a zone was lost in one of the two, and neither proves anything.
fn doubt_impossible_times(answer: &mut Answer) {
    const LEEWAY: Duration = Duration::from_secs(60);
    let (Some(end), Some(refreshed), Some(lifetime)) = (&mut answer.expires_at, &mut answer.refreshed_at, answer.lifetime_s) else {
        return;
    };
    let lifetime = Duration::from_secs(lifetime.into());
    if end.at > refreshed.at.after(lifetime + lifetime / 10 + LEEWAY) {
        end.zone_known = false;
        refreshed.zone_known = false;
    }
}

fn said(status: &Value) -> Vec<crate::Said> {
    let mut lines = Lines::default();
    if status.is_object() {
        lines.say_all(status, |name| about(name, status));
    }
    lines.into_said()
}

fn about(name: &str, status: &Value) -> About {
    let lasts = |name: &str| matches!(reading::time(&status[name]), Some(Time::Lasts(_)));
    match name {
        "state" | "stateCode" | "isRegistered" => About::State,
        "enabled" => About::Enabled,
        "expires" if lasts(name) => About::Lifetime,
        "expires" => About::Expiry,
        "registrationTimeout" if lasts(name) => About::Lifetime,
        "registrationTimeout" => About::NextAction,
        "lastRegisterSent" => About::Refresh,
        "errorMessage" => About::Response,
        _ => About::Other,
    }
}

/// A switch: yes, no, or not there.
fn flag(object: &Value, name: &str) -> Result<Option<bool>, Unknown> {
    let value = &object[name];
    match reading::yes_or_no(value) {
        None if !value.is_null() => Err(Unknown::new_value(name, value)),
        read => Ok(read),
    }
}

#[cfg(test)]
mod tests;
