//! An OpenSIPS' record as a registration: every state, and whatever else may come.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A record as OpenSIPS 3.4 and later write it.
fn record(state: &str, enabled: &str) -> Value {
    json!({
        "AOR": "sip:alice@example.com", "expires": 3600, "state": state, "enabled": enabled,
        "last_register_sent": "Tue Jun  2 11:59:11 2026", "registration_t_out": "Tue Jun  2 12:57:31 2026",
        "registrar": "sip:registrar.example.com", "binding": "sip:alice@192.0.2.7:5060", "binding_params": ";q=1",
        "socket": "tcp:192.0.2.7:5060", "proxy": "sip:proxy.example.com", "dst_IP": "IPv4", "ip": "192.0.2.1",
    })
}

fn asked() -> Registrant {
    Registrant {
        aor: "sip:alice@example.com".into(),
        contact: "sip:alice@192.0.2.7:5060".into(),
        registrar: "sip:registrar.example.com".into(),
    }
}

fn reply(body: Value) -> Reply {
    let at = Moment::from_unix(1_780_401_560).unwrap();
    Reply {
        request: String::new(),
        status: 200,
        body,
        server_date: None,
        asked_at: at,
        answered_at: at,
    }
}

fn word_of(state: &str, enabled: &str) -> Word {
    decode(&asked(), &reply(json!({"Registrant": record(state, enabled)}))).word
}

#[test]
fn a_registered_record_is_read_whole() {
    let answer = decode(&asked(), &reply(json!({"Registrant": record("REGISTERED_STATE", "yes")})));
    assert_eq!(answer.word, Word::Registered);
    let refreshed = answer.refreshed_at.unwrap();
    assert_eq!(
        (refreshed.at.to_string(), refreshed.zone_known),
        ("2026-06-02T11:59:11.000Z".into(), false)
    );
    let next = answer.next_action_at.unwrap();
    assert_eq!((next.at.to_string(), next.zone_known), ("2026-06-02T12:57:31.000Z".into(), false));
    assert_eq!(
        (answer.expires_at, answer.lifetime_s, answer.username.as_deref()),
        (None, Some(3600), Some("alice"))
    );
    let contact = answer.contact.unwrap();
    assert_eq!(
        (contact.user.as_deref(), contact.host.as_deref(), contact.port),
        (Some("alice"), Some("192.0.2.7"), Some(5060))
    );
    let about: Vec<_> = answer
        .said
        .iter()
        .filter(|said| said.about != About::Other)
        .map(|said| &*said.field)
        .collect();
    assert_eq!(
        about,
        [
            "AOR",
            "binding",
            "enabled",
            "expires",
            "last_register_sent",
            "registration_t_out",
            "socket",
            "state"
        ]
    );
}

#[test]
fn all_ten_states_have_their_words() {
    let words = [
        ("NOT_REGISTERED_STATE", Word::NotRegistered),
        ("REGISTERING_STATE", Word::Registering),
        ("AUTHENTICATING_STATE", Word::Authenticating),
        ("REGISTERED_STATE", Word::Registered),
        ("REGISTER_TIMEOUT_STATE", Word::Timeout),
        ("INTERNAL_ERROR_STATE", Word::InternalError),
        ("WRONG_CREDENTIALS_STATE", Word::WrongCredentials),
        ("REGISTRAR_ERROR_STATE", Word::RegistrarError { code: None }),
        ("UNREGISTERING_STATE", Word::Unregistering),
        ("AUTHENTICATING_UNREGISTER_STATE", Word::Unregistering),
    ];
    for (name, word) in words {
        assert_eq!(word_of(name, "yes"), word, "{name}");
    }
    for other in ["REGED", "registered_state", "3"] {
        assert!(matches!(word_of(other, "yes"), Word::Unknown(Unknown::NewValue { .. })), "{other}");
    }
    assert!(matches!(word_of("", "yes"), Word::Unknown(Unknown::Contract { .. })));
}

#[test]
fn a_record_that_is_switched_off_does_not_register() {
    for state in ["NOT_REGISTERED_STATE", "WRONG_CREDENTIALS_STATE", "REGISTER_TIMEOUT_STATE"] {
        assert_eq!(word_of(state, "no"), Word::Disabled, "{state}");
    }
    assert_eq!(word_of("AUTHENTICATING_UNREGISTER_STATE", "no"), Word::Unregistering);
    assert_eq!(word_of("REGISTERING_STATE", "no"), Word::Registering);
    assert!(matches!(
        word_of("REGISTERED_STATE", "no"),
        Word::Unknown(Unknown::SelfContradiction { .. })
    ));
    assert!(matches!(
        word_of("REGISTERED_STATE", "maybe"),
        Word::Unknown(Unknown::NewValue { .. })
    ));
}

#[test]
fn an_older_opensips_has_no_switch() {
    let mut older = record("REGISTERED_STATE", "yes");
    older.as_object_mut().unwrap().remove("enabled");
    let answer = decode(&asked(), &reply(json!({"Records": [older]})));
    assert_eq!(answer.word, Word::Registered);
    assert_eq!(settings(&record("REGISTERED_STATE", "no")).enabled, Some(false));
}

#[test]
fn a_register_that_was_never_sent_has_no_time() {
    let mut fresh = record("REGISTERED_STATE", "yes");
    fresh["last_register_sent"] = json!("Thu Jan  1 01:00:00 1970");
    fresh["registration_t_out"] = json!("Wed Dec 31 16:00:00 1969");
    let answer = decode(&asked(), &reply(json!({"Registrant": fresh})));
    assert_eq!((answer.refreshed_at, answer.next_action_at), (None, None));
    let failed = decode(&asked(), &reply(json!({"Registrant": record("REGISTER_TIMEOUT_STATE", "yes")})));
    assert_eq!(failed.refreshed_at, None, "an attempt is no refresh");
}

#[test]
fn among_many_the_one_is_found_by_all_three_names_and_alone_kept() {
    let mut other = record("REGISTERED_STATE", "yes");
    other["binding"] = json!("sip:bob@192.0.2.8");
    let both = json!({"Records": [other.clone(), record("REGISTER_TIMEOUT_STATE", "yes")]});
    let answer = decode(&asked(), &reply(both.clone()));
    assert_eq!(answer.word, Word::Timeout);
    assert!(!answer.raw.contains("bob"), "{}", answer.raw);
    assert_eq!(decode(&asked(), &reply(json!({"Records": [other.clone()]}))).word, Word::NotFound);
    assert_eq!(decode(&asked(), &reply(json!({"Records": []}))).word, Word::NotFound);
    let wrong = decode(&asked(), &reply(json!({"Registrant": other}))).word;
    let Word::Unknown(Unknown::WrongObject { field, answered, .. }) = wrong else {
        panic!("{wrong:?}")
    };
    assert_eq!((&*field, &*answered), ("binding", "sip:bob@192.0.2.8"));
    assert_eq!(
        records(&both)
            .map(|one| listed(one, &reply(both.clone())).object)
            .collect::<Vec<_>>(),
        ["sip:alice@example.com"; 2]
    );
}

#[test]
fn what_follows_no_contract_says_so() {
    for body in [
        json!(null),
        json!([]),
        json!("OK"),
        json!({}),
        json!({"Registrant": 7}),
        json!({"Records": {}}),
        json!({"Records": [7]}),
    ] {
        let word = decode(&asked(), &reply(body.clone())).word;
        assert!(
            matches!(word, Word::Unknown(Unknown::Contract { .. }) | Word::NotFound),
            "{body}: {word:?}"
        );
    }
}

#[test]
fn the_settings_are_those_that_a_probe_needs() {
    let settings = settings(&record("REGISTERED_STATE", "yes"));
    let text = |uri: Option<sip_message::OwnedUri>| uri.map(|uri| uri.to_string());
    assert_eq!(text(settings.aor).as_deref(), Some("sip:alice@example.com"));
    assert_eq!(text(settings.registrar).as_deref(), Some("sip:registrar.example.com"));
    assert_eq!(text(settings.outbound_proxy).as_deref(), Some("sip:proxy.example.com"));
    assert_eq!((settings.transport, settings.expires), (Some(Transport::Tcp), Some(3600)));
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("REGISTERED_STATE")),
        Just(json!("no")),
        Just(json!({"state": "REGISTERED_STATE"})),
        Just(json!([1])),
    ]
}

proptest! {
    #[test]
    fn no_record_breaks_the_decoder_and_none_is_registered_without_all_its_signs(
        state in any_value(), enabled in any_value(), expires in any_value(), sent in any_value(), binding in any_value(),
    ) {
        let mut body = record("REGISTERED_STATE", "yes");
        body["state"] = state.clone();
        body["enabled"] = enabled.clone();
        body["expires"] = expires;
        body["last_register_sent"] = sent;
        let alone = decode(&asked(), &reply(json!({"Registrant": body.clone()})));
        if alone.word == Word::Registered {
            prop_assert!(state == "REGISTERED_STATE" && (enabled.is_null() || enabled == "yes"), "{state} {enabled}");
        }
        body["binding"] = binding.clone();
        let other = decode(&asked(), &reply(json!({"Records": [body, binding]})));
        prop_assert!(other.word != Word::Registered || other.contact == alone.contact);
    }
}
