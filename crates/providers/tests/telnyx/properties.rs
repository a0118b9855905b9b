//! Whatever an API answers: no panic, no secret, and "registered" only when everything in it says so.

use proptest::prelude::*;
use regprobe_providers::Word;
use regprobe_providers::telnyx::{Subject, decode, decode_check, decode_stored};
use serde_json::{Value, json};

use crate::samples::{r1, r2, r5, r7, telephony};
use crate::{ID, key, reply, uac};

/// Any JSON, small.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        value_of_a_state().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name_of_a_field(), inner, 0..6).prop_map(|fields| json!(fields)),
        ]
    })
}

fn value_of_a_state() -> impl Strategy<Value = String> {
    let words = "registered|Registered|trying|failed|unknown|REGED|UNREGED|ACTIVE|INACTIVE|yes|true|200 OK|401 Unauthorized";
    prop::sample::select(words.split('|').map(str::to_owned).collect::<Vec<_>>())
}

fn name_of_a_field() -> impl Strategy<Value = String> {
    let names = "data|registered|status|sip_registration_status|external_state|pair_state|registration_status|connection_id|\
                 last_registration_response|sip_registration_details|expires|uptime|next_action_at|password|credential_type|x";
    prop::sample::select(names.split('|').map(str::to_owned).collect::<Vec<_>>())
}

/// A good answer with some of its indicators replaced.
fn damaged_sample() -> impl Strategy<Value = Value> {
    let sample = prop::sample::select(vec![r1(), r2(), r5(), r7(), telephony()]);
    let value = prop_oneof![
        any::<bool>().prop_map(Value::from),
        value_of_a_state().prop_map(Value::from),
        any_json()
    ];
    let damage = prop::collection::vec((name_of_an_indicator(), value), 1..3);
    (sample, damage).prop_map(|(mut sample, damage)| {
        for (field, value) in damage {
            sample[field] = value;
        }
        sample
    })
}

fn name_of_an_indicator() -> impl Strategy<Value = String> {
    let names = "registered|registered|sip_registration_status|external_state|pair_state|last_registration_response|connection_id|data";
    prop::sample::select(names.split('|').map(str::to_owned).collect::<Vec<_>>())
}

fn subjects() -> [Subject; 3] {
    [
        uac(),
        Subject::TelephonyCredential(key("gencred1")),
        Subject::CredentialConnection(key("gencred1")),
    ]
}

/// What has to be true of an answer before it may be called registered, said without the decoder's words.
fn says_registered(body: &Value) -> bool {
    let inside = |body: &Value| body.get("data").filter(|data| data.is_object()).cloned();
    let once = inside(body).unwrap_or_else(|| body.clone());
    let answer = inside(&once).unwrap_or(once);
    let is = |field: &str, words: &[&str]| {
        let value = answer
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        words.contains(&&*value)
    };
    let says = [
        ("sip_registration_status", &["registered"][..]),
        ("external_state", &["reged", "register"]),
        ("pair_state", &["active"]),
    ];
    let state = says.iter().any(|(field, words)| is(field, words))
        && says
            .iter()
            .all(|(field, words)| answer.get(*field).is_none_or(Value::is_null) || is(field, words));
    state && answer.get("registered") == Some(&json!(true)) && !is("last_registration_response", &["401 unauthorized"])
}

proptest! {
    #[test]
    fn any_answer_is_read_and_none_is_registered_unless_it_says_so(body in prop_oneof![any_json(), damaged_sample()]) {
        for subject in subjects() {
            let answer = decode(&subject, &reply(body.clone()));
            prop_assert!(answer.word != Word::Registered || says_registered(&body), "{body}");
        }
    }

    #[test]
    fn any_stored_status_and_any_check_is_read(body in any_json()) {
        let _ = (decode_stored(&key(ID), &reply(body.clone())), decode_check(&reply(body)));
    }
}
