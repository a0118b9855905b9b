//! A Kamailio's record as a registration: every set of flags that a real one showed, and whatever else may come.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ClaimedTime;

/// Kamailio's own clock in the records below.
const NOW: i64 = 1_795_271_492;

/// A record as Kamailio 5.6.3 writes it.
fn record(flags: u32, expires: u32, timer_expires: i64) -> Value {
    json!({
        "l_uuid": "ok1", "l_username": "lalice", "l_domain": "local.test", "r_username": "alice", "r_domain": "example.test",
        "realm": "example.test", "auth_username": "alice-auth", "auth_password": "canary", "auth_ha1": "canary",
        "auth_proxy": "sip:127.0.0.1:15060;transport=tcp", "expires": expires, "flags": flags, "diff_expires": timer_expires - NOW,
        "timer_expires": timer_expires, "reg_init": 1_795_271_483, "reg_delay": 0, "contact_addr": "127.0.0.1:15070", "socket": null,
    })
}

/// An answer that we got an hour later by our own clock.
fn reply(body: Value) -> Reply {
    let ours = Moment::from_unix(NOW + 3600).unwrap();
    Reply {
        request: String::new(),
        status: 200,
        body,
        server_date: None,
        asked_at: ours,
        answered_at: ours,
    }
}

fn word_of(flags: u32, expires: u32, timer_expires: i64) -> Word {
    decode("ok1", &reply(record(flags, expires, timer_expires))).word
}

fn at(seconds: i64) -> Option<ClaimedTime> {
    let at = Moment::from_unix(seconds).unwrap();
    Some(ClaimedTime { at, zone_known: true })
}

#[test]
fn a_healthy_registration_ends_when_its_timer_does() {
    let answer = decode("ok1", &reply(record(20, 60, NOW + 51)));
    assert_eq!(answer.word, Word::Registered);
    assert_eq!(answer.expires_at, at(NOW + 51));
    assert_eq!((answer.next_action_at, answer.refreshed_at), (None, None));
    assert_eq!(answer.server_date, Moment::from_unix(NOW));
    assert_eq!((answer.lifetime_s, answer.username.as_deref()), (Some(60), Some("alice")));
    let contact = answer.contact.unwrap();
    assert_eq!(
        (contact.user.as_deref(), contact.host.as_deref(), contact.port),
        (Some("ok1"), Some("127.0.0.1"), Some(15070))
    );
}

#[test]
fn every_combination_that_a_real_kamailio_showed_has_its_word() {
    let words = [
        (0, 60, 0, Word::NotRegistered),
        (1, 60, 0, Word::Disabled),
        (16, 60, NOW + 21, Word::Failed),
        (16, 60, NOW - 71, Word::Failed),
        (16, 0, NOW - 23, Word::NotRegistered),
        (17, 60, NOW, Word::Failed),
        (17, 0, NOW, Word::Disabled),
        (18, 60, NOW - 9, Word::Registering),
        (26, 60, NOW, Word::Authenticating),
        (18, 0, NOW, Word::Unregistering),
        (26, 0, NOW, Word::Unregistering),
        (20, 60, NOW + 1, Word::Registered),
        (20, 60, NOW, Word::Lapsed),
        (20, 60, NOW - 33, Word::Lapsed),
        (4, 60, NOW + 30, Word::Registered),
        (21, 60, NOW + 1, Word::Disabled),
        (21, 60, NOW - 2, Word::Disabled),
    ];
    for (flags, expires, timer, word) in words {
        assert_eq!(
            word_of(flags, expires, timer),
            word,
            "flags {flags}, expires {expires}, timer {}",
            timer - NOW
        );
    }
}

#[test]
fn bits_that_contradict_each_other_or_are_unknown_say_nothing() {
    for flags in [6, 14, 22, 30, 12, 24, 28] {
        let word = word_of(flags, 60, NOW + 30);
        assert!(
            matches!(word, Word::Unknown(Unknown::SelfContradiction { .. })),
            "{flags}: {word:?}"
        );
    }
    for flags in [32, 52, 1024 + 20] {
        let word = word_of(flags, 60, NOW + 30);
        assert!(matches!(word, Word::Unknown(Unknown::NewValue { .. })), "{flags}: {word:?}");
    }
}

#[test]
fn the_timer_is_about_what_the_flags_say() {
    let about_timer = |flags| {
        let answer = decode("ok1", &reply(record(flags, 60, NOW + 21)));
        let said = answer.said.iter().find(|said| said.field == "timer_expires").unwrap().about;
        (said, answer.expires_at.is_some(), answer.next_action_at.is_some())
    };
    assert_eq!(about_timer(20), (About::Expiry, true, false));
    assert_eq!(about_timer(16), (About::NextAction, false, true));
    assert_eq!(about_timer(18), (About::Refresh, false, false));
    assert_eq!(about_timer(21), (About::Other, false, false));
    assert_eq!(about_timer(1), (About::Other, false, false));
}

#[test]
fn no_password_is_kept() {
    let body = json!([record(20, 60, NOW + 51)]);
    let answer = decode("ok1", &reply(body.clone()));
    let shown = format!("{answer:?}{}", serde_json::to_string(&answer).unwrap());
    assert!(!shown.contains("canary"), "{shown}");
    let all: Vec<_> = records(&body).map(|one| listed(one, &reply(body.clone()))).collect();
    assert!(!format!("{all:?}").contains("canary"));
}

#[test]
fn the_settings_are_those_that_a_probe_needs() {
    let settings = settings(&record(20, 60, NOW + 51));
    let text = |uri: Option<sip_message::OwnedUri>| uri.map(|uri| uri.to_string());
    assert_eq!(text(settings.aor).as_deref(), Some("sip:alice@example.test"));
    assert_eq!(text(settings.registrar).as_deref(), Some("sip:example.test"));
    assert_eq!(text(settings.outbound_proxy).as_deref(), Some("sip:127.0.0.1:15060;transport=tcp"));
    assert_eq!(settings.transport, Some(sip_registration::Transport::Tcp));
    assert_eq!((settings.auth_user.as_deref(), settings.expires), (Some("alice-auth"), Some(60)));
    assert_eq!((settings.enabled, settings.name.as_deref()), (Some(true), Some("ok1")));
}

#[test]
fn what_is_not_set_is_not_taken_for_a_value() {
    let mut bare = record(17, 60, NOW);
    bare["auth_proxy"] = json!("none");
    bare["socket"] = json!("udp:127.0.0.1:15070");
    bare["contact_addr"] = json!("10.9.8.7:5090;transport=udp");
    bare["contact_user"] = json!("trunk");
    bare["auth_username"] = json!(".");
    let settings = settings(&bare);
    assert_eq!(
        (settings.outbound_proxy, settings.auth_user, settings.enabled),
        (None, None, Some(false))
    );
    assert_eq!(settings.transport, Some(sip_registration::Transport::Udp));
    let contact = settings.contact.unwrap();
    assert_eq!(
        (contact.user.as_deref(), contact.host.as_deref(), contact.port),
        (Some("trunk"), Some("10.9.8.7"), Some(5090))
    );
}

#[test]
fn another_record_is_not_taken_for_the_one_asked_for() {
    let word = decode("ok2", &reply(record(20, 60, NOW + 51))).word;
    let Word::Unknown(Unknown::WrongObject { asked, answered, .. }) = word else {
        panic!("{word:?}")
    };
    assert_eq!((&*asked, &*answered), ("ok2", "ok1"));
    let two = json!([record(20, 60, NOW + 51), record(20, 60, NOW + 51)]);
    for body in [two, json!([]), json!(null), json!("ok1"), json!([[record(20, 60, NOW + 51)]])] {
        let word = decode("ok1", &reply(body)).word;
        assert!(matches!(word, Word::Unknown(Unknown::Contract { .. })), "{word:?}");
    }
}

#[test]
fn without_its_own_clock_the_date_header_counts_and_then_ours() {
    let mut without = record(20, 60, NOW + 51);
    without["diff_expires"] = Value::Null;
    let mut reply = reply(without);
    assert_eq!(decode("ok1", &reply).word, Word::Lapsed);
    reply.server_date = Moment::from_unix(NOW);
    assert_eq!(decode("ok1", &reply).word, Word::Registered);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        (0_i64..64).prop_map(Value::from),
        (NOW - 90..NOW + 90).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!([{}])),
        Just(json!({"a": true})),
    ]
}

proptest! {
    #[test]
    fn no_record_breaks_the_decoder_and_none_is_registered_without_all_its_signs(
        flags in any_value(), timer in any_value(), diff in any_value(), expires in any_value(), address in any_value(),
    ) {
        let mut body = record(20, 60, NOW + 51);
        body["flags"] = flags.clone();
        body["timer_expires"] = timer;
        body["diff_expires"] = diff;
        body["expires"] = expires;
        body["contact_addr"] = address;
        let answer = decode("ok1", &reply(body));
        if answer.word == Word::Registered {
            let flags = reading::integer(&flags).unwrap();
            prop_assert!(flags == 4 || flags == 20, "{flags}");
            prop_assert!(answer.expires_at.is_some());
        }
        let shown = format!("{answer:?}");
        prop_assert!(!shown.contains("canary"));
    }
}
