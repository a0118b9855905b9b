//! Tests of the decoders, with the documented answer and what can become of it.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Moment;
use crate::bitrix24::decode_stored;

fn reply(body: Value) -> Reply {
    let now = Moment::from_unix(1_773_323_644).unwrap();
    Reply {
        request: String::new(),
        status: 200,
        body,
        server_date: Some(now),
        asked_at: now,
        answered_at: now,
    }
}

/// The documented answer with these fields instead.
fn with(changes: Value) -> Answer {
    let mut result = json!({"REG_ID": 150_907, "LAST_UPDATED": "2026-03-12 09:10:51", "ERROR_MESSAGE": "", "STATUS_CODE": 200,
        "STATUS_RESULT": "success"});
    for (name, value) in changes.as_object().unwrap() {
        result[name] = value.clone();
    }
    decode(150_907, &reply(json!({"result": result, "time": {"operating": 0.1}})))
}

fn word(result: &str, code: Value, message: &str) -> Word {
    with(json!({"STATUS_RESULT": result, "STATUS_CODE": code, "ERROR_MESSAGE": message})).word
}

#[test]
fn the_documented_answer_says_registered_and_nothing_about_its_age() {
    let answer = with(json!({}));
    assert_eq!(
        (&answer.word, answer.contract),
        (&Word::Registered, Some("bitrix24 voximplant.sip.status"))
    );
    assert_eq!(answer.response.unwrap().code, 200);
    assert_eq!((answer.updated_at, answer.refreshed_at, answer.expires_at), (None, None, None));
    let updated = answer.said.iter().find(|said| said.field == "LAST_UPDATED").unwrap();
    assert_eq!((&*updated.value, updated.about), ("2026-03-12 09:10:51", About::Other));
    assert_eq!(answer.said.len(), 5);
}

#[test]
fn numbers_may_come_as_strings() {
    assert_eq!(with(json!({"REG_ID": "150907", "STATUS_CODE": "200"})).word, Word::Registered);
}

#[test]
fn every_result_and_code_has_its_word() {
    for (result, code, message, expected) in [
        ("error", 401, "Unauthorized", Word::WrongCredentials),
        ("error", 407, "", Word::WrongCredentials),
        ("error", 403, "Forbidden", Word::RegistrarError { code: Some(403) }),
        ("error", 404, "", Word::RegistrarError { code: Some(404) }),
        ("error", 408, "Request Timeout", Word::Timeout),
        ("error", 302, "", Word::InternalError),
        ("error", 502, "Unable to resolve hostname", Word::InternalError),
        ("error", 502, "Bad Gateway", Word::RegistrarError { code: Some(502) }),
        ("error", 502, "", Word::Failed),
        ("error", 503, "", Word::RegistrarError { code: Some(503) }),
        ("error", 699, "", Word::RegistrarError { code: Some(699) }),
        ("error", 0, "", Word::Failed),
        ("in_progress", 0, "", Word::Registering),
        ("in_progress", 200, "", Word::Registering),
        ("in_progress", 401, "", Word::Registering),
        ("wait", 0, "", Word::NotRegistered),
        ("wait", 503, "", Word::NotRegistered),
    ] {
        assert_eq!(word(result, json!(code), message), expected, "{result} {code} {message}");
    }
    assert_eq!(word("error", json!(null), ""), Word::Failed);
    assert_eq!(word("wait", json!(null), ""), Word::NotRegistered);
}

#[test]
fn a_result_and_a_code_that_do_not_fit_contradict_each_other() {
    for (result, code) in [
        ("success", 0),
        ("success", 401),
        ("success", 202),
        ("success", -1),
        ("error", 200),
        ("wait", 200),
    ] {
        let unknown = Unknown::SelfContradiction {
            one: format!("STATUS_RESULT {result}"),
            other: format!("STATUS_CODE {code}"),
        };
        assert_eq!(word(result, json!(code), ""), Word::Unknown(unknown));
    }
}

#[test]
fn what_is_missing_or_new_is_named_and_not_guessed() {
    let new = |field: &str, value: &str| {
        Word::Unknown(Unknown::NewValue {
            field: field.into(),
            value: value.into(),
        })
    };
    assert_eq!(word("registered", json!(200), ""), new("STATUS_RESULT", "registered"));
    assert_eq!(word("Success", json!(200), ""), new("STATUS_RESULT", "Success"));
    assert_eq!(word("success", json!("OK"), ""), new("STATUS_CODE", "OK"));
    assert_eq!(word("error", json!(100), ""), new("STATUS_CODE", "100"));
    assert_eq!(word("error", json!(700), ""), new("STATUS_CODE", "700"));
    assert_eq!(with(json!({"STATUS_RESULT": true})).word, new("STATUS_RESULT", "true"));
    for changes in [json!({"STATUS_RESULT": null}), json!({"STATUS_CODE": null})] {
        assert!(matches!(with(changes).word, Word::Unknown(Unknown::Contract { .. })));
    }
    for body in [
        json!(null),
        json!([]),
        json!({}),
        json!({"result": []}),
        json!({"result": "success"}),
    ] {
        assert!(matches!(decode(1, &reply(body)).word, Word::Unknown(Unknown::Contract { .. })));
    }
}

#[test]
fn an_answer_about_another_registration_is_not_this_ones() {
    for (answered, shown) in [(json!(150_908), "150908"), (json!("x"), "x"), (json!(-150_907), "-150907")] {
        let unknown = Unknown::WrongObject {
            field: "REG_ID".into(),
            asked: "150907".into(),
            answered: shown.into(),
        };
        assert_eq!(with(json!({"REG_ID": answered})).word, Word::Unknown(unknown));
    }
    assert_eq!(with(json!({"REG_ID": null})).word, Word::Registered);
}

#[test]
fn a_code_is_a_reply_only_where_there_was_one() {
    let response = |code: u16, message: &str| {
        let answer = with(json!({"STATUS_RESULT": "error", "STATUS_CODE": code, "ERROR_MESSAGE": message}));
        answer.response.map(|response| (response.code, response.reason))
    };
    assert_eq!(response(403, "Forbidden"), Some((403, "Forbidden".into())));
    assert_eq!(response(403, "Доступ запрещён"), Some((403, "Доступ запрещён".into())));
    for (code, message) in [(408, ""), (502, "Unable to resolve hostname"), (502, ""), (0, ""), (900, "")] {
        assert_eq!(response(code, message), None, "{code} {message}");
    }
}

/// Any JSON, with the names and values of both contracts among it.
fn any_json() -> impl Strategy<Value = Value> {
    let words = vec![
        "success",
        "error",
        "wait",
        "in_progress",
        "200",
        "502",
        "1",
        "Unable to resolve hostname",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![0, 1, 200, 401, 408, 502]).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        prop::sample::select(words).prop_map(Value::from),
    ];
    let names = vec![
        "result",
        "next",
        "REG_ID",
        "STATUS_CODE",
        "STATUS_RESULT",
        "ERROR_MESSAGE",
        "LAST_UPDATED",
        "REGISTRATION_STATUS_CODE",
        "REGISTRATION_ERROR_MESSAGE",
        "LOGIN",
        "SERVER",
        "PASSWORD",
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
    fn any_json_gives_an_answer(body in any_json(), result in any_json()) {
        for body in [body, json!({ "result": &result }), json!({ "result": [&result] })] {
            let live = decode(1, &reply(body.clone()));
            if live.word == Word::Registered {
                let result = &body["result"];
                prop_assert_eq!(&result["STATUS_RESULT"], "success");
                prop_assert_eq!(reading::integer(&result["STATUS_CODE"]), Some(200));
            }
            let stored = decode_stored(1, &reply(body.clone()));
            if stored.word == Word::Registered {
                let has_it = |line: &Value| reading::integer(&line["REG_ID"]) == Some(1)
                    && reading::integer(&line["REGISTRATION_STATUS_CODE"]) == Some(200);
                prop_assert!(body["result"].as_array().unwrap().iter().any(has_it));
            }
            for line in crate::bitrix24::line::read(&body).unwrap_or_default() {
                let _ = line.settings();
            }
        }
    }
}
