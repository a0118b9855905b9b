//! What holds for all answers of all APIs: a function that panics when it does not. The fuzz target `answers` is one line and calls it;
//! `tests/corpus.rs` replays its corpus on stable. Not for HTTP, whose limits tests/api holds.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::telnyx::Subject;
use crate::{
    Answer, Claim, Expectation, Fields, Heard, Moment, Reply, Word, asterisk, bitrix24, freeswitch, jsonrpc, kamailio, opensips, telnyx,
    telzino, verdict,
};

/// A secret of the provider's, which stands wherever such an answer may hold one. It must not be seen.
const SECRET: &str = "canary-password";
/// What is asked for; the seeds answer about it.
const NAME: &str = "1293384261075731499";
/// The longest that an answer may become, for one of no length: its raw text and its fields are cut.
const LONGEST: usize = 64 * 1024;
/// How many bytes may become of one that came: as JSON within JSON, an escape is written as an escape again.
const LONGER: usize = 64;

/// The first byte says whose answer the others are. Whatever they are, they are decoded to an answer that is the same each time, safe to
/// show, of bounded length and without a secret; and the verdict on it is bounded and safe to show too.
pub fn answers(bytes: &[u8]) {
    let Some((whose, body)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(body).into_owned();
    if text.contains(SECRET) {
        return;
    }
    let decoded = match whose % 12 {
        0..10 => {
            let Ok(body) = serde_json::from_slice::<Value>(body) else { return };
            of_json(whose % 12, with_secrets(body))
        }
        10 => vec![twice(|| of_freeswitch(&text))],
        _ => vec![twice(|| of_asterisk(&text))],
    };
    for answer in &decoded {
        harmless(answer, body.len());
        judged(answer, body.len());
    }
}

fn of_json(whose: u8, body: Value) -> Vec<Answer> {
    let reply = reply(body);
    let decode: Vec<Answer> = match whose {
        0 => telnyx_subjects()
            .iter()
            .map(|subject| twice(|| telnyx::decode(subject, &reply)))
            .collect(),
        1 => vec![twice(|| telnyx::decode_stored(&key(), &reply))],
        2 => vec![twice(|| telnyx::decode_check(&reply))],
        3 => vec![twice(|| telzino::decode(&reply))],
        4 => vec![twice(|| bitrix24::decode(150_907, &reply))],
        5 => vec![twice(|| bitrix24::decode_stored(150_907, &reply))],
        6 => vec![twice(|| kamailio::decode("ok1", &reply))],
        7 => vec![twice(|| opensips::decode(&registrant(), &reply))],
        // The same two inside of JSON-RPC.
        8 => result(reply).map(|reply| kamailio::decode("ok1", &reply)).into_iter().collect(),
        _ => result(reply)
            .map(|reply| opensips::decode(&registrant(), &reply))
            .into_iter()
            .collect(),
    };
    decode
}

/// What a decoder makes of it, which is the same each time.
fn twice(decode: impl Fn() -> Answer) -> Answer {
    let answer = decode();
    assert_eq!(decode(), answer, "decoded again it is another answer");
    answer
}

fn result(reply: Reply) -> Option<Reply> {
    match jsonrpc::result(reply, &7.into()) {
        Ok(reply) => Some(reply),
        Err(failure) => {
            assert!(failure.envelope().detail.len() <= LONGEST * LONGER, "an error without end");
            None
        }
    }
}

fn of_freeswitch(text: &str) -> Answer {
    let gateway = "trunk".parse().expect("a name of letters is one");
    freeswitch::decode(&gateway, &heard(text.to_owned()))
}

/// The text is the events, empty lines between them; a secret stands at the end.
fn of_asterisk(text: &str) -> Answer {
    let mut registrations = asterisk::Registrations::default();
    let secret = format!("Event: AuthDetail\nUsername: u\nPassword: {SECRET}\nMd5Cred: {SECRET}");
    for event in text.split("\n\n").chain([secret.as_str()]) {
        registrations.hear(Fields::read(event));
    }
    let settings = asterisk::settings("trunk", &registrations);
    assert!(!format!("{settings:?}").contains(SECRET), "a secret is among the settings");
    asterisk::decode("trunk", &heard(registrations))
}

/// Safe to show, of bounded length, without a secret.
fn harmless(answer: &Answer, length: usize) {
    let shown = serde_json::to_value(answer).expect("an answer is JSON");
    let text = shown.to_string();
    assert!(!text.contains(SECRET), "a secret is shown: {text}");
    assert!(!format!("{answer:?}").contains(SECRET), "a secret is in the debugging text");
    assert!(text.len() <= LONGEST + LONGER * length, "{} bytes of {length}", text.len());
    strings(&shown);
    assert!(
        answer.word != Word::Registered || answer.contract.is_some(),
        "registered by no contract: {text}"
    );
    assert!(answer.lifetime_s.is_none() || answer.contract.is_some());
}

/// No verdict is built on an answer alone without saying so, and its lines are harmless as well.
fn judged(answer: &Answer, length: usize) {
    let claim = Claim {
        source: answer.source,
        answers: vec![answer.clone()],
    };
    let judged = verdict(&claim, &[], &Expectation::of(answer.source), moment());
    assert_eq!(verdict(&claim, &[], &Expectation::of(answer.source), moment()), judged);
    let shown = serde_json::to_value(&judged).expect("a verdict is JSON");
    assert!(shown.to_string().len() <= 2 * (LONGEST + LONGER * length));
    strings(&shown);
}

/// No text of a value moves a cursor, ends a line, or hides or turns what stands beside it.
fn strings(value: &Value) {
    let acts = |character: char| {
        character.is_control()
            || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    match value {
        Value::String(text) => assert!(!text.contains(acts), "{text:?}"),
        Value::Array(items) => items.iter().for_each(strings),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            assert!(!name.contains(acts), "{name:?}");
            strings(value);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The same with a secret in every object, under names that say so.
fn with_secrets(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Map<String, Value> = fields.into_iter().map(|(name, value)| (name, with_secrets(value))).collect();
            for name in ["password", "auth_ha1"] {
                fields.insert(name.to_owned(), SECRET.into());
            }
            fields.into()
        }
        Value::Array(items) => items.into_iter().map(with_secrets).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn reply(body: Value) -> Reply {
    let mut request = String::new();
    // Writing to a String cannot fail.
    let _ = write!(request, "GET /v2/{NAME}");
    Reply {
        request,
        status: 200,
        body,
        server_date: None,
        asked_at: moment(),
        answered_at: moment(),
    }
}

fn heard<T>(what: T) -> Heard<T> {
    Heard {
        what,
        asked_at: moment(),
        answered_at: moment(),
    }
}

fn moment() -> Moment {
    Moment::from_unix(1_780_402_000).expect("a moment of this century")
}

fn key() -> telnyx::Key {
    NAME.parse().expect("digits are a key")
}

fn telnyx_subjects() -> [Subject; 3] {
    [
        Subject::UacConnection(key()),
        Subject::TelephonyCredential(key()),
        Subject::CredentialConnection(key()),
    ]
}

fn registrant() -> opensips::Registrant {
    opensips::Registrant {
        aor: "sip:alice@example.com".to_owned(),
        contact: "sip:alice@192.0.2.7:5060".to_owned(),
        registrar: "sip:registrar.example.com".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceKind;

    #[test]
    fn every_seed_that_is_named_registered_is_decoded_as_registered() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/answers");
        let mut found = 0;
        for seed in std::fs::read_dir(folder).unwrap().map(|seed| seed.unwrap().path()) {
            let bytes = std::fs::read(&seed).unwrap();
            let (whose, body) = bytes.split_first().unwrap();
            if seed.file_name().unwrap().to_string_lossy().ends_with("-registered") {
                let text = String::from_utf8(body.to_vec()).unwrap();
                let answers = match whose {
                    10 => vec![of_freeswitch(&text)],
                    11 => vec![of_asterisk(&text)],
                    _ => of_json(*whose, with_secrets(serde_json::from_slice(body).unwrap())),
                };
                let words: Vec<_> = answers.iter().map(|answer| &answer.word).collect();
                assert!(words.contains(&&Word::Registered), "{}: {words:?}", seed.display());
                found += 1;
            }
        }
        assert!(found >= 5, "{found} seeds");
    }

    #[test]
    fn the_source_is_the_one_that_was_asked() {
        assert_eq!(of_freeswitch("").source, SourceKind::Freeswitch);
        assert_eq!(of_asterisk("").source, SourceKind::Asterisk);
    }
}
