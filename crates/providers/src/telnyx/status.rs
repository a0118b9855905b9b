//! Reading an answer of `GET /sip_registration_status`, whatever its revision. Pure: any JSON gives an answer, and "registered" only
//! when everything in it that could say otherwise agrees.

use serde_json::Value;

use super::Subject;
use super::fields::usual_name;
use super::revision::{Meaning, Revision, State, States, find};
use crate::reading::{Lines, Time, contact, count, identifier, moment, sip_response, text, time, unwrap_data};
use crate::{About, Answer, ClaimedContact, ClaimedResponse, Reply, Unknown, Word};

/// Reads what Telnyx answered about `subject`.
#[must_use]
pub fn decode(subject: &Subject, reply: &Reply) -> Answer {
    let blank = Answer::blank_of(subject.kind(), reply);
    let body = unwrap_data(&reply.body);
    if !body.is_object() {
        return undecodable(blank, body, "the answer is no JSON object");
    }
    match Revision::of(subject.kind(), body) {
        Some(revision) => decode_by(revision, subject, blank, body),
        None => undecodable(blank, body, "there is neither sip_registration_status nor external_state in it"),
    }
}

fn undecodable(blank: Answer, body: &Value, problem: &str) -> Answer {
    let mut lines = Lines::default();
    lines.say_all(body, |_| About::Other);
    Answer {
        word: contract(problem),
        said: lines.into_said(),
        ..blank
    }
}

fn decode_by(revision: &'static Revision, subject: &Subject, blank: Answer, body: &Value) -> Answer {
    let mut lines = Lines::default();
    lines.say_all(body, |name| revision.about(name));
    let mut answer = Answer {
        contract: Some(revision.name),
        said: lines.into_said(),
        ..blank
    };
    for field in revision.fields {
        if let Some(value) = find(body, field.name) {
            take(&mut answer, field.meaning, value);
        }
    }
    answer.word = match other_object(subject, body) {
        Some(other) => Word::Unknown(other),
        None => word(revision, body, answer.response.as_ref()).unwrap_or_else(Word::Unknown),
    };
    answer
}

/// Puts a field where its meaning belongs. A value of the wrong kind is shown, and not used.
fn take(answer: &mut Answer, meaning: Meaning, value: &Value) {
    match meaning {
        Meaning::Shown => {}
        Meaning::Response => answer.response = value.as_str().and_then(sip_response),
        Meaning::NextAction => answer.next_action_at = moment(value),
        Meaning::NextActionAtLast => answer.next_action_at = answer.next_action_at.or_else(|| moment(value)),
        Meaning::LifetimeOrEnd => match time(value) {
            Some(Time::At(moment)) => answer.expires_at = Some(moment),
            Some(Time::Lasts(lifetime)) => answer.lifetime_s = lifetime.as_secs().try_into().ok(),
            None => {}
        },
        Meaning::Lifetime => answer.lifetime_s = count(value),
        Meaning::Refresh => answer.refreshed_at = moment(value),
        Meaning::Contact => answer.contact = text(value).and_then(|written| contact(&written)),
        Meaning::ContactHost => contact_of(answer).host = text(value),
        Meaning::ContactPort => contact_of(answer).port = count(value),
        Meaning::Username | Meaning::FromUser => answer.username = text(value).or_else(|| answer.username.take()),
    }
}

fn contact_of(answer: &mut Answer) -> &mut ClaimedContact {
    answer.contact.get_or_insert_default()
}

/// What differs when the answer is about something else than was asked for.
fn other_object(subject: &Subject, body: &Value) -> Option<Unknown> {
    let keyed_by: &[&str] = match subject {
        Subject::UacConnection(_) => &["connection_id"],
        Subject::TelephonyCredential(_) | Subject::CredentialConnection(_) => &["credential_username", "username"],
    };
    let answered = |field: &'static str| Some((field, find(body, field).and_then(identifier)?));
    let other_key = keyed_by
        .iter()
        .find_map(|field| answered(field))
        .filter(|(field, _)| find(body, field).is_some_and(|key| !subject.key().is(key)))
        .map(|(field, key)| (field, subject.key().to_string(), key));
    let other_type = answered("credential_type")
        .filter(|(_, kind)| !usual_name(kind).eq_ignore_ascii_case(subject.credential_type()))
        .map(|(field, kind)| (field, subject.credential_type().to_owned(), kind));
    let (field, asked, answered) = other_type.or(other_key)?;
    Some(Unknown::WrongObject {
        field: field.to_owned(),
        asked,
        answered,
    })
}

/// The state, from every indicator of the revision.
fn word(revision: &Revision, body: &Value, response: Option<&ClaimedResponse>) -> Result<Word, Unknown> {
    let registered = registered(body)?;
    let leading = state(&revision.state, body)?.ok_or_else(|| problem("the field with the state is null"))?;
    let mut states = vec![(&revision.state, leading)];
    for beside in revision.beside {
        states.extend(state(beside, body)?.map(|state| (beside, state)));
    }
    let told = |field: &str| format!("{field} {}", find(body, field).and_then(text).unwrap_or_default());
    if let Some((indicator, _)) = states.iter().find(|(_, state)| !state.fits(registered)) {
        return Err(Unknown::SelfContradiction {
            one: told(indicator.field),
            other: format!("registered {registered}"),
        });
    }
    if let Some((indicator, _)) = states.iter().find(|(_, state)| !state.agrees(leading)) {
        return Err(Unknown::SelfContradiction {
            one: told(revision.state.field),
            other: told(indicator.field),
        });
    }
    if registered && response.is_some_and(|response| response.code >= 300) {
        return Err(Unknown::SelfContradiction {
            one: format!("registered {registered}"),
            other: told("last_registration_response"),
        });
    }
    if states.iter().any(|(_, state)| *state == State::Disabled) {
        return Ok(Word::Disabled);
    }
    word_of(leading, registered, response)
}

/// The boolean. A text such as "yes" is none: that would be guessing.
fn registered(body: &Value) -> Result<bool, Unknown> {
    match find(body, "registered") {
        Some(Value::Bool(registered)) => Ok(*registered),
        None | Some(Value::Null) => Err(problem("registered is missing")),
        Some(_) => Err(problem("registered is neither true nor false")),
    }
}

fn state(states: &States, body: &Value) -> Result<Option<State>, Unknown> {
    let Some(value) = find(body, states.field).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let word = text(value).ok_or_else(|| problem(&format!("{} is no text", states.field)))?;
    let known = states.words.iter().find(|(known, _)| word.eq_ignore_ascii_case(known));
    known.map(|&(_, state)| Some(state)).ok_or_else(|| Unknown::NewValue {
        field: states.field.to_owned(),
        value: word,
    })
}

fn word_of(state: State, registered: bool, response: Option<&ClaimedResponse>) -> Result<Word, Unknown> {
    Ok(match state {
        State::Registered => Word::Registered,
        State::Active if registered => Word::Registered,
        // R1 has no word for the state: what is not registered has failed when the registrar said so.
        State::Active => response
            .filter(|response| response.code >= 300)
            .map_or(Word::NotRegistered, failure),
        State::Idle => Word::NotRegistered,
        State::Trying => Word::Registering,
        State::Failed => response.map_or(Word::Failed, failure),
        State::TimedOut => Word::Timeout,
        State::Unregistering => Word::Unregistering,
        State::Disabled => Word::Disabled,
        State::Lapsed => Word::Lapsed,
        State::Unknown => return Err(Unknown::SaysSo),
    })
}

/// Why it failed, by the last reply. One that is no refusal is an older one and says nothing.
fn failure(response: &ClaimedResponse) -> Word {
    match response.code {
        401 | 407 => Word::WrongCredentials,
        408 => Word::Timeout,
        code @ 300.. => Word::RegistrarError { code: Some(code) },
        ..300 => Word::Failed,
    }
}

fn problem(problem: &str) -> Unknown {
    Unknown::Contract {
        problem: problem.to_owned(),
    }
}

fn contract(words: &str) -> Word {
    Word::Unknown(problem(words))
}
