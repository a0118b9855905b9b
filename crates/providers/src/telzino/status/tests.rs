//! Tests of the decoder, with the documented answer and what can become of it.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Moment;

fn reply(body: Value) -> Reply {
    let now = Moment::from_unix(1_771_761_700).unwrap();
    Reply {
        request: String::new(),
        status: 200,
        body,
        server_date: Some(now),
        asked_at: now,
        answered_at: now,
    }
}

/// As Telzino's documents show it.
fn documented() -> Value {
    json!({
        "state": "REGISTERED_STATE", "stateCode": 3, "enabled": "yes", "expires": 1_771_788_661,
        "lastRegisterSent": "2026-02-22T12:00:00Z", "registrationTimeout": "3600", "isRegistered": true,
        "errorMessage": "Successfully registered"
    })
}

/// The documented answer with these fields instead; null takes one away.
fn with(changes: Value) -> Answer {
    let mut data = documented();
    for (name, value) in changes.as_object().unwrap() {
        data[name] = value.clone();
    }
    decode(&reply(json!({"success": true, "data": data})))
}

fn unknown(answer: Answer) -> Unknown {
    match answer.word {
        Word::Unknown(unknown) => unknown,
        word => panic!("{word:?}"),
    }
}

#[test]
fn the_documented_answer_says_registered() {
    let answer = with(json!({}));
    assert_eq!((&answer.word, answer.contract), (&Word::Registered, Some("telzino v1")));
    assert_eq!((answer.lifetime_s, answer.response.clone()), (Some(3600), None));
    assert_eq!(answer.expires_at.unwrap().at.to_string(), "2026-02-22T19:31:01.000Z");
    assert_eq!(answer.refreshed_at.unwrap().at.to_string(), "2026-02-22T12:00:00.000Z");
    let message = answer.said.iter().find(|said| said.field == "errorMessage").unwrap();
    assert_eq!((&*message.value, message.about), ("Successfully registered", About::Response));
    assert_eq!(answer.said.len(), 8);
    assert_eq!(answer.server_date, Some(answer.asked_at));
}

#[test]
fn an_answer_is_read_wrapped_twice_once_and_not_at_all() {
    for body in [
        json!({"success": true, "data": {"data": documented()}}),
        json!({"data": documented()}),
        documented(),
    ] {
        assert_eq!(decode(&reply(body)).word, Word::Registered);
    }
}

#[test]
fn every_state_has_its_word_and_its_code() {
    for (state, code, word) in [
        ("NOT_REGISTERED_STATE", 0, Word::NotRegistered),
        ("REGISTERING_STATE", 1, Word::Registering),
        ("AUTHENTICATING_STATE", 2, Word::Authenticating),
        ("REGISTER_TIMEOUT_STATE", 4, Word::Timeout),
        ("INTERNAL_ERROR_STATE", 5, Word::InternalError),
        ("WRONG_CREDENTIALS_STATE", 6, Word::WrongCredentials),
        ("REGISTRAR_ERROR_STATE", 7, Word::RegistrarError { code: None }),
        ("UNREGISTERING_STATE", 8, Word::Unregistering),
        ("AUTHENTICATING_UNREGISTER_STATE", 9, Word::Unregistering),
        ("NOT_FOUND", 0, Word::NotFound),
    ] {
        let answer = |code| with(json!({"state": state, "stateCode": code, "isRegistered": false}));
        assert_eq!(answer(json!(code)).word, word, "{state}");
        assert_eq!(answer(json!(code.to_string())).word, word, "{state}");
        assert_eq!(answer(json!(null)).word, word, "{state}");
        let wrong = Unknown::SelfContradiction {
            one: format!("state {state}"),
            other: "stateCode 3".into(),
        };
        assert_eq!(unknown(answer(json!(3))), wrong);
    }
}

#[test]
fn not_found_is_known_by_its_name_and_never_by_its_code() {
    assert_eq!(
        with(json!({"state": "NOT_FOUND", "stateCode": 0, "isRegistered": false, "enabled": "no"})).word,
        Word::NotFound
    );
    let nameless = with(json!({"state": null, "stateCode": 0, "isRegistered": false}));
    assert!(matches!(unknown(nameless), Unknown::Contract { .. }));
    let refused = decode(&reply(json!({"success": false, "data": {"state": "NOT_FOUND", "stateCode": 0}})));
    assert_eq!(refused.word, Word::NotFound);
}

#[test]
fn registered_needs_every_indicator() {
    for (changes, other) in [
        (json!({"stateCode": 0}), "stateCode 0"),
        (json!({"isRegistered": false}), "isRegistered false"),
        (json!({"enabled": "no"}), "enabled no"),
    ] {
        let one = "state REGISTERED_STATE".to_owned();
        let other = other.to_owned();
        assert_eq!(unknown(with(changes)), Unknown::SelfContradiction { one, other });
    }
    let claimed = with(json!({"state": "WRONG_CREDENTIALS_STATE", "stateCode": 6}));
    let Unknown::SelfContradiction { other, .. } = unknown(claimed) else {
        panic!("no contradiction")
    };
    assert_eq!(other, "isRegistered true");
    assert!(matches!(unknown(with(json!({"isRegistered": null}))), Unknown::Contract { .. }));
    let failed = decode(&reply(json!({"success": false, "data": documented()})));
    assert!(matches!(unknown(failed), Unknown::SelfContradiction { .. }));
}

#[test]
fn values_that_nobody_has_seen_before_are_named_and_not_guessed() {
    for (changes, field, value) in [
        (json!({"state": "REGISTERED"}), "state", "REGISTERED"),
        (json!({"state": "registered_state"}), "state", "registered_state"),
        (json!({"stateCode": "three"}), "stateCode", "three"),
        (json!({"isRegistered": "maybe"}), "isRegistered", "maybe"),
        (json!({"isRegistered": 1}), "isRegistered", "1"),
        (json!({"enabled": "paused"}), "enabled", "paused"),
        (json!({"enabled": {"password": "canary"}}), "enabled", "{\"password\":\"***\"}"),
    ] {
        let (field, value) = (field.to_owned(), value.to_owned());
        assert_eq!(unknown(with(changes)), Unknown::NewValue { field, value });
    }
}

#[test]
fn an_account_that_is_switched_off_is_disabled() {
    let off = |state: &str, code| with(json!({"state": state, "stateCode": code, "isRegistered": false, "enabled": "no"})).word;
    assert_eq!(off("NOT_REGISTERED_STATE", 0), Word::Disabled);
    assert_eq!(off("WRONG_CREDENTIALS_STATE", 6), Word::Disabled);
    assert_eq!(off("UNREGISTERING_STATE", 8), Word::Unregistering);
}

#[test]
fn a_failed_request_is_no_state() {
    let answer = decode(&reply(json!({"success": false, "message": "internal"})));
    assert_eq!(answer.said.iter().find(|said| said.field == "message").unwrap().value, "internal");
    let Unknown::Contract { problem } = unknown(answer) else {
        panic!("no contract")
    };
    assert_eq!(problem, "success is false, and there is no state");
}

#[test]
fn the_message_names_the_reply_but_never_the_state() {
    let refused = json!({"state": "REGISTRAR_ERROR_STATE", "stateCode": 7, "isRegistered": false, "errorMessage": "403 Forbidden"});
    let answer = with(refused);
    assert_eq!(answer.word, Word::RegistrarError { code: Some(403) });
    assert_eq!(answer.response.unwrap().reason, "Forbidden");
    assert_eq!(with(json!({"errorMessage": "Wrong password"})).word, Word::Registered);
    assert_eq!(with(json!({"errorMessage": "200 OK"})).word, Word::Registered);
    let contradiction = Unknown::SelfContradiction {
        one: "state REGISTERED_STATE".into(),
        other: "errorMessage 403 Forbidden".into(),
    };
    assert_eq!(with(json!({"errorMessage": "403 Forbidden"})).word, Word::Unknown(contradiction));
}

#[test]
fn times_are_taken_for_what_they_look_like() {
    let answer = with(json!({"expires": 600, "registrationTimeout": "Sun Feb 22 12:55:00 2026", "lastRegisterSent": 1_771_761_600}));
    assert_eq!((answer.lifetime_s, answer.expires_at), (Some(600), None));
    let due = answer.next_action_at.unwrap();
    assert_eq!((due.at.to_string(), due.zone_known), ("2026-02-22T12:55:00.000Z".into(), false));
    assert!(answer.refreshed_at.unwrap().zone_known);
    let about = |field: &str| answer.said.iter().find(|said| said.field == field).unwrap().about;
    assert_eq!(
        (about("expires"), about("registrationTimeout")),
        (About::Lifetime, About::NextAction)
    );

    let odd = with(json!({"expires": "soon", "registrationTimeout": 0, "lastRegisterSent": {}}));
    assert_eq!((odd.lifetime_s, odd.expires_at, odd.refreshed_at), (None, None, None));
    assert_eq!(odd.word, Word::Registered);
}

#[test]
fn times_that_cannot_both_be_right_prove_nothing() {
    let zones = |answer: Answer| (answer.expires_at.unwrap().zone_known, answer.refreshed_at.unwrap().zone_known);
    assert_eq!(
        zones(with(json!({}))),
        (false, false),
        "the documented example is 7.5 hours apart at 3600 s"
    );
    assert_eq!(zones(with(json!({"expires": 1_771_765_200}))), (true, true));
    assert_eq!(
        zones(with(json!({"expires": 1_771_758_000}))),
        (true, true),
        "a binding may have ended before the last attempt"
    );
}

/// Any JSON, with the names and values of the contract among it.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        "\\PC{0,20}",
        prop::sample::select(vec!["REGISTERED_STATE", "NOT_FOUND", "yes", "no", "3", "3600", "403 Forbidden"]).prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..10_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let names = vec![
        "success",
        "data",
        "state",
        "stateCode",
        "enabled",
        "expires",
        "lastRegisterSent",
        "registrationTimeout",
        "isRegistered",
        "errorMessage",
        "password",
    ];
    leaf.prop_recursive(4, 48, 12, move |inner| {
        let name = prop::sample::select(names.clone()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..10).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_gives_an_answer(body in any_json()) {
        let answer = decode(&reply(body.clone()));
        if answer.word == Word::Registered {
            let status = reading::unwrap_data(&body);
            prop_assert_eq!(&status["state"], "REGISTERED_STATE");
            prop_assert_eq!(reading::yes_or_no(&status["isRegistered"]), Some(true));
            prop_assert!(reading::yes_or_no(&status["enabled"]) != Some(false));
            prop_assert!(status["stateCode"].is_null() || reading::integer(&status["stateCode"]) == Some(3));
        }
    }

    #[test]
    fn one_wrong_indicator_is_enough_to_deny_it(field in 0..4_usize, wrong in any_json()) {
        let name = ["state", "stateCode", "isRegistered", "enabled"][field];
        let right = [json!("REGISTERED_STATE"), json!(3), json!(true), json!("yes")][field].clone();
        let as_good = reading::integer(&wrong) == Some(3) || wrong == right || reading::yes_or_no(&wrong) == Some(true);
        let left_out = wrong.is_null() && matches!(name, "stateCode" | "enabled");
        prop_assume!(!(as_good || left_out));
        let answer = with(json!({ name: wrong }));
        prop_assert!(answer.word != Word::Registered, "{:?}", answer);
    }
}
