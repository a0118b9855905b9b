//! `sip_registration_status`, the stored status and the check, decoded.

use regprobe_providers::telnyx::{Subject, decode, decode_check, decode_stored};
use regprobe_providers::{About, Answer, Role, SourceKind, Unknown, Word};
use serde_json::{Value, json};

use crate::samples::{NEXT_ACTION, r1, r2, r4, r5, r6, r7, telephony};
use crate::{ID, key, reply, uac};

fn phone() -> Subject {
    Subject::TelephonyCredential(key("gencred1"))
}

fn credential() -> Subject {
    Subject::CredentialConnection(key("gencred1"))
}

fn of(subject: &Subject, body: Value) -> Answer {
    decode(subject, &reply(body))
}

fn word(body: Value) -> Word {
    of(&uac(), body).word
}

/// A sample with some of its fields changed.
fn with(mut sample: Value, changes: &[(&str, Value)]) -> Value {
    for (field, value) in changes {
        sample[*field] = value.clone();
    }
    sample
}

#[test]
fn every_revision_is_told_and_read_as_registered() {
    for (subject, sample, contract) in [
        (uac(), r1(), "telnyx R1"),
        (uac(), r2(), "telnyx R2 to R3"),
        (uac(), r4(), "telnyx R4 to R8"),
        (uac(), r5(), "telnyx R5 to R8"),
        (phone(), r6(), "telnyx R6"),
        (phone(), telephony(), "telnyx R6 to R8"),
        (credential(), r7(), "telnyx R7 to R8"),
        (uac(), with(r5(), &[("last_registration_response", Value::Null)]), "telnyx R7 to R8"),
    ] {
        let answer = of(&subject, sample.clone());
        assert_eq!((answer.contract, &answer.word), (Some(contract), &Word::Registered), "{sample}");
        for wrapped in [json!({"data": sample}), json!({"data": {"data": sample}})] {
            assert_eq!(of(&subject, wrapped).word, Word::Registered, "{contract}");
        }
    }
}

#[test]
fn states_of_two_revisions_in_one_answer_have_to_agree() {
    let mixed = |external: &str, status: &str, registered: bool| {
        let changes = [
            ("external_state", json!(external)),
            ("sip_registration_status", json!(status)),
            ("registered", json!(registered)),
            ("last_registration_response", Value::Null),
        ];
        word(with(r2(), &changes))
    };
    assert_eq!(mixed("REGED", "registered", true), Word::Registered);
    assert_eq!(mixed("TRYING", "trying", false), Word::Registering);
    assert_eq!(mixed("TRYING", "connection_disabled", false), Word::Disabled);
    for (external, status, registered) in [
        ("REGED", "failed", true),
        ("REGED", "standby", true),
        ("TRYING", "failed", false),
        ("UNREGED", "unknown", false),
        ("UNREGED", "registered", false),
    ] {
        let word = mixed(external, status, registered);
        assert!(matches!(word, Word::Unknown(Unknown::SelfContradiction { .. })), "{word:?}");
    }
    let inactive = |registered: bool, status: &str| {
        let state = json!(status);
        word(with(
            r5(),
            &[
                ("pair_state", json!("INACTIVE")),
                ("registered", json!(registered)),
                ("sip_registration_status", state),
            ],
        ))
    };
    assert!(matches!(
        inactive(true, "registered"),
        Word::Unknown(Unknown::SelfContradiction { .. })
    ));
    assert_eq!(inactive(false, "standby"), Word::Disabled);
}

#[test]
fn the_early_answer_gives_user_lifetime_and_reply() {
    let answer = of(&uac(), r2());
    assert_eq!(answer.username.as_deref(), Some("1001"), "from_user is what is registered");
    assert_eq!(
        (answer.lifetime_s, answer.response.map(|response| response.code)),
        (Some(600), Some(200))
    );
    let without = with(
        r2(),
        &[("external_uac_settings", json!({"username": "telnyx-reg", "from_user": null}))],
    );
    assert_eq!(of(&uac(), without).username.as_deref(), Some("telnyx-reg"));
}

#[test]
fn no_secret_of_an_answer_is_kept() {
    let answer = of(&uac(), r2());
    assert!(!format!("{answer:?}").contains("canary"), "{answer:?}");
    assert!(
        answer
            .said
            .iter()
            .any(|said| said.field == "external_uac_settings.password" && said.value == "***")
    );
}

#[test]
fn expires_of_a_uac_connection_is_the_next_action_and_never_the_end() {
    let answer = of(&uac(), r5());
    assert_eq!(answer.next_action_at.map(|time| time.at.timestamp().as_second()), Some(NEXT_ACTION));
    assert_eq!((answer.expires_at, answer.lifetime_s), (None, None));
    let mut without = r5();
    without["sip_registration_details"]["next_action_at"] = Value::Null;
    assert!(of(&uac(), without).next_action_at.is_some(), "expires says it then");
}

#[test]
fn uptime_is_shown_and_no_sign_of_a_refresh() {
    let answer = of(&uac(), r5());
    assert_eq!(answer.refreshed_at, None);
    let uptime = answer.said.iter().find(|said| said.field == "sip_registration_details.uptime");
    assert_eq!(uptime.unwrap().about, About::Refresh);
}

#[test]
fn the_contact_comes_from_either_kind_of_details() {
    let contact = of(&uac(), r5()).contact.unwrap();
    assert_eq!(
        (contact.user.as_deref(), contact.host.as_deref()),
        (Some("telnyx-reg"), Some("pbx.example.com"))
    );
    let answer = of(&phone(), telephony());
    let contact = answer.contact.unwrap();
    assert_eq!(
        (contact.user, contact.host.as_deref(), contact.port),
        (None, Some("192.0.2.7"), Some(5062))
    );
    assert_eq!((answer.lifetime_s, answer.expires_at), (Some(3600), None));
    assert_eq!(answer.refreshed_at.unwrap().at.to_string(), "2026-06-02T11:59:11.000Z");
    assert_eq!(answer.username.as_deref(), Some("gencred1"));
}

#[test]
fn expires_of_a_credential_is_a_lifetime_unless_it_is_a_moment() {
    let mut sample = telephony();
    sample["sip_registration_details"]["expires"] = json!(NEXT_ACTION);
    let answer = of(&phone(), sample);
    assert_eq!((answer.lifetime_s, answer.expires_at.is_some()), (None, true));
}

#[test]
fn the_seven_words_are_read() {
    let told = |status: &str, registered| {
        word(with(
            r5(),
            &[("sip_registration_status", json!(status)), ("registered", json!(registered))],
        ))
    };
    assert_eq!(told("registered", true), Word::Registered);
    assert_eq!(told("trying", false), Word::Registering);
    assert_eq!(told("standby", false), Word::NotRegistered);
    assert_eq!(told("unregistering", false), Word::Unregistering);
    assert_eq!(told("connection_disabled", false), Word::Disabled);
    assert_eq!(told("failed", false), Word::Failed, "200 OK is no reason");
    assert_eq!(told("unknown", false), Word::Unknown(Unknown::SaysSo));
}

#[test]
fn the_words_of_the_early_contract_are_read() {
    let told = |state: &str, registered| word(with(r2(), &[("external_state", json!(state)), ("registered", json!(registered))]));
    assert_eq!((told("REGED", true), told("REGISTER", true)), (Word::Registered, Word::Registered));
    assert_eq!(
        (told("TRYING", false), told("UNREGED", false)),
        (Word::Registering, Word::NotRegistered)
    );
    assert_eq!((told("FAIL_WAIT", false), told("TIMEOUT", false)), (Word::Failed, Word::Timeout));
    assert_eq!((told("EXPIRED", false), told("NOREG", false)), (Word::Lapsed, Word::Disabled));
    assert_eq!(told("UNREGISTER", false), Word::Unregistering);
    let inactive = with(
        r2(),
        &[
            ("pair_state", json!("INACTIVE")),
            ("external_state", json!("UNREGED")),
            ("registered", json!(false)),
        ],
    );
    assert_eq!(word(inactive), Word::Disabled);
}

#[test]
fn a_failure_has_the_reason_that_the_last_reply_gives() {
    let failed = |response: Value| {
        let changes = [
            ("sip_registration_status", json!("failed")),
            ("registered", json!(false)),
            ("last_registration_response", response),
        ];
        word(with(r5(), &changes))
    };
    assert_eq!(failed(json!("401 Unauthorized")), Word::WrongCredentials);
    assert_eq!(failed(json!("407 Proxy Authentication Required")), Word::WrongCredentials);
    assert_eq!(failed(json!("408 Request Timeout")), Word::Timeout);
    assert_eq!(failed(json!("403 Forbidden")), Word::RegistrarError { code: Some(403) });
    assert_eq!(failed(json!("503 Service Unavailable")), Word::RegistrarError { code: Some(503) });
    for none in [Value::Null, json!("no reply"), json!("999 Nonsense"), json!(403)] {
        assert_eq!(failed(none.clone()), Word::Failed, "{none}");
    }
    let of_r1 = |response| {
        word(with(
            r1(),
            &[("registered", json!(false)), ("last_registration_response", json!(response))],
        ))
    };
    assert_eq!(
        (of_r1("401 Unauthorized"), of_r1("200 OK")),
        (Word::WrongCredentials, Word::NotRegistered)
    );
}

#[test]
fn indicators_that_contradict_each_other_are_no_state() {
    for (sample, one, other) in [
        (
            with(r5(), &[("registered", json!(false))]),
            "sip_registration_status registered",
            "registered false",
        ),
        (
            with(r5(), &[("sip_registration_status", json!("failed"))]),
            "sip_registration_status failed",
            "registered true",
        ),
        (
            with(r5(), &[("sip_registration_status", json!("unknown"))]),
            "sip_registration_status unknown",
            "registered true",
        ),
        (
            with(r5(), &[("last_registration_response", json!("403 Forbidden"))]),
            "registered true",
            "last_registration_response 403 Forbidden",
        ),
        (
            with(r2(), &[("registered", json!(false))]),
            "external_state REGED",
            "registered false",
        ),
        (
            with(r2(), &[("pair_state", json!("INACTIVE"))]),
            "pair_state INACTIVE",
            "registered true",
        ),
    ] {
        let (one, other) = (one.to_owned(), other.to_owned());
        assert_eq!(word(sample), Word::Unknown(Unknown::SelfContradiction { one, other }));
    }
}

#[test]
fn a_word_of_tomorrow_is_named_and_not_guessed() {
    let told = |sample, field: &str, value: &str| {
        let changed = with(sample, &[(field, json!(value))]);
        let (field, value) = (field.to_owned(), value.replace('\u{1b}', "\\x1b"));
        assert_eq!(word(changed), Word::Unknown(Unknown::NewValue { field, value }));
    };
    told(r5(), "sip_registration_status", "reregistering");
    told(r5(), "sip_registration_status", "\u{1b}[2Jx");
    told(r2(), "external_state", "STANDBY");
    told(r2(), "pair_state", "HALF");
}

#[test]
fn an_answer_about_something_else_is_not_ours() {
    let wrong = |subject: &Subject, sample, field: &str, asked: &str, answered: &str| {
        let (field, asked, answered) = (field.to_owned(), asked.to_owned(), answered.to_owned());
        assert_eq!(
            of(subject, sample).word,
            Word::Unknown(Unknown::WrongObject { field, asked, answered })
        );
    };
    wrong(&uac(), with(r5(), &[("connection_id", json!(7))]), "connection_id", ID, "7");
    wrong(&uac(), with(r2(), &[("connection_id", json!("7"))]), "connection_id", ID, "7");
    wrong(
        &phone(),
        with(telephony(), &[("credential_username", json!("bob"))]),
        "credential_username",
        "gencred1",
        "bob",
    );
    wrong(
        &credential(),
        telephony(),
        "credential_type",
        "sip_credential_connection",
        "telephony_credential",
    );
}

#[test]
fn the_id_of_the_same_connection_may_come_as_a_number() {
    assert_eq!(
        word(with(r5(), &[("connection_id", json!(1_293_384_261_075_731_499_i64))])),
        Word::Registered
    );
}

#[test]
fn the_spelling_of_one_page_of_the_documents_is_read_as_well() {
    let written = r2().to_string().replace("external", "third-party");
    let answer = of(&uac(), serde_json::from_str(&written).unwrap());
    assert_eq!((&answer.word, answer.username.as_deref()), (&Word::Registered, Some("1001")));
    let user = answer.said.iter().find(|said| said.field == "third-party_uac_settings.username");
    assert_eq!(user.unwrap().about, About::Username);
}

#[test]
fn what_is_missing_or_of_the_wrong_kind_follows_no_contract() {
    let mut without_registered = r5();
    without_registered.as_object_mut().unwrap().remove("registered");
    for body in [
        json!({}),
        json!([]),
        json!("registered"),
        json!(null),
        json!({"data": []}),
        json!({"registered": true}),
        without_registered,
        with(r5(), &[("registered", json!("yes"))]),
        with(r5(), &[("registered", json!(null))]),
        with(r5(), &[("sip_registration_status", json!(1))]),
        with(r5(), &[("sip_registration_status", json!(null))]),
        with(r2(), &[("external_state", json!(null))]),
    ] {
        let word = word(body.clone());
        assert!(matches!(word, Word::Unknown(Unknown::Contract { .. })), "{body}: {word:?}");
    }
}

#[test]
fn the_stored_status_says_when_it_was_stored() {
    let stored = |body| decode_stored(&key(ID), &reply(json!({"data": body})));
    let answer = stored(json!({"id": ID, "active": true, "registration_status": "Not Registered",
        "registration_status_updated_at": "2026-06-02T11:59:11Z", "password": "canary"}));
    assert_eq!((answer.source, &answer.word), (SourceKind::TelnyxUacStored, &Word::NotRegistered));
    assert_eq!(answer.updated_at.unwrap().at.to_string(), "2026-06-02T11:59:11.000Z");
    assert!(!answer.raw.contains("canary"));
    assert_eq!(
        stored(json!({"id": ID, "registration_status": null})).word,
        Word::Unknown(Unknown::SaysSo)
    );
    assert_eq!(
        stored(json!({"id": ID, "active": false, "registration_status": "Unregistered"})).word,
        Word::Disabled
    );
    let contradiction = stored(json!({"id": ID, "active": false, "registration_status": "Registered"})).word;
    assert!(matches!(contradiction, Word::Unknown(Unknown::SelfContradiction { .. })));
    assert!(matches!(
        stored(json!({"id": "7"})).word,
        Word::Unknown(Unknown::WrongObject { .. })
    ));
    assert!(matches!(stored(json!({"id": ID})).word, Word::Unknown(Unknown::Contract { .. })));
}

#[test]
fn the_check_comes_wrapped_twice_and_without_a_time_zone() {
    let body = json!({"data": {"data": {"record_type": "registration_status", "status": "Registered", "sip_username": "office1",
        "ip_address": "192.0.2.7", "port": 5060, "transport": "UDP", "user_agent": "x", "last_registration": "2026-06-02T11:59:11"}}});
    let answer = decode_check(&reply(body));
    assert_eq!((&answer.word, answer.source.role()), (&Word::Registered, Role::Registrar));
    let last = answer.refreshed_at.unwrap();
    assert_eq!((last.at.to_string().as_str(), last.zone_known), ("2026-06-02T11:59:11.000Z", false));
    assert_eq!(
        (answer.contact.unwrap().port, answer.username.as_deref()),
        (Some(5060), Some("office1"))
    );
    let word = |status: &str| decode_check(&reply(json!({"data": {"status": status}}))).word;
    assert_eq!(
        (word("Not Registered"), word("Unregistered")),
        (Word::NotRegistered, Word::NotRegistered)
    );
    assert_eq!(
        (word("Expired"), word("Failed"), word("Not Applicable")),
        (Word::Lapsed, Word::Failed, Word::Disabled)
    );
    assert!(matches!(word("Sleeping"), Word::Unknown(Unknown::NewValue { .. })));
    assert!(matches!(
        decode_check(&reply(json!({}))).word,
        Word::Unknown(Unknown::Contract { .. })
    ));
}
