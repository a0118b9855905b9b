//! An Asterisk's events as a registration: every status, the ones that contradict, and whatever else may come.

use proptest::prelude::*;

use super::*;
use crate::Moment;

/// The events of one registration as Asterisk 20 writes them.
fn events(name: &str, status: &str) -> [String; 2] {
    let detail = format!(
        "Event: OutboundRegistrationDetail\r\nActionID: 1\r\nObjectType: registration\r\nObjectName: {name}\r\nRetryInterval: 60\r\n\
         MaxRetries: 10\r\nExpiration: 3600\r\nServerUri: sip:registrar.example.com\r\nClientUri: sip:alice@example.com\r\n\
         ContactUser: trunk1\r\nTransport: transport-udp\r\nOutboundProxy: sip:proxy.example.com;transport=tcp;lr\r\n\
         OutboundAuth: trunk-auth\r\nStatus: {status}\r\nNextReg: 3548\r\n"
    );
    let auth = "Event: AuthDetail\r\nActionID: 1\r\nObjectType: auth\r\nObjectName: trunk-auth\r\nUsername: alice-auth\r\n\
                Password: canary\r\nMd5Cred: canary\r\nAuthType: userpass\r\n";
    [detail, auth.to_owned()]
}

fn heard(events: &[String]) -> Heard<Registrations> {
    let mut what = Registrations::default();
    for event in events {
        what.hear(Fields::read(event));
    }
    Heard {
        what,
        asked_at: Moment::from_unix(1_780_000_000).unwrap(),
        answered_at: Moment::from_unix(1_780_000_001).unwrap(),
    }
}

fn word_of(status: &str) -> Word {
    decode("trunk", &heard(&events("trunk", status))).word
}

#[test]
fn a_registered_trunk_is_read_whole_and_next_reg_proves_nothing() {
    let answer = decode("trunk", &heard(&events("trunk", "Registered")));
    assert_eq!(answer.word, Word::Registered);
    assert_eq!((answer.lifetime_s, answer.username.as_deref()), (Some(3600), Some("alice")));
    assert_eq!((answer.expires_at, answer.next_action_at), (None, None));
    assert_eq!(answer.contact.unwrap().user.as_deref(), Some("trunk1"));
    let next = answer.said.iter().find(|said| said.field == "NextReg").unwrap();
    assert_eq!((&*next.value, next.about), ("3548", About::Other));
}

#[test]
fn every_status_has_its_word() {
    for (status, word) in [
        ("Registered", Word::Registered),
        ("Unregistered", Word::NotRegistered),
        ("Stopped", Word::NotRegistered),
        ("Rejected", Word::Failed),
    ] {
        assert_eq!(word_of(status), word, "{status}");
    }
    for new in ["registered", "Registered (exp. 9s)", "Reged"] {
        assert!(matches!(word_of(new), Word::Unknown(Unknown::NewValue { .. })), "{new}");
    }
    let mut without = events("trunk", "Registered");
    without[0] = without[0].replace("Status: Registered\r\n", "");
    assert!(matches!(
        decode("trunk", &heard(&without)).word,
        Word::Unknown(Unknown::Contract { .. })
    ));
}

#[test]
fn an_absent_registration_is_not_found() {
    let both = [events("other", "Registered"), events("trunk2", "Registered")].concat();
    let answer = decode("trunk", &heard(&both));
    assert_eq!(answer.word, Word::NotFound);
    assert_eq!(settings("trunk", &heard(&both).what), None);
    assert_eq!(decode("trunk", &heard(&[])).word, Word::NotFound);
}

#[test]
fn of_the_credentials_only_the_user_is_kept() {
    let heard = heard(&[events("trunk", "Registered"), events("other", "Rejected")].concat());
    let listed = all(&heard);
    let shown = format!("{heard:?}{listed:?}{:?}", decode("trunk", &heard));
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(listed.iter().map(|one| &*one.object).collect::<Vec<_>>(), ["trunk", "other"]);
    assert_eq!(listed[1].settings.auth_user.as_deref(), Some("alice-auth"));
}

#[test]
fn the_settings_are_those_that_a_probe_needs() {
    let settings = settings("trunk", &heard(&events("trunk", "Registered")).what).unwrap();
    let text = |uri: Option<sip_message::OwnedUri>| uri.map(|uri| uri.to_string());
    assert_eq!(text(settings.aor).as_deref(), Some("sip:alice@example.com"));
    assert_eq!(text(settings.registrar).as_deref(), Some("sip:registrar.example.com"));
    assert_eq!(
        text(settings.outbound_proxy).as_deref(),
        Some("sip:proxy.example.com;transport=tcp;lr")
    );
    assert_eq!(settings.transport, Some(sip_registration::Transport::Tcp));
    assert_eq!((settings.expires, settings.auth_user.as_deref()), (Some(3600), Some("alice-auth")));
}

#[test]
fn a_contact_without_a_user_of_its_own_is_asterisk_s_s() {
    let mut bare = events("trunk", "Registered");
    bare[0] = bare[0].replace("ContactUser: trunk1", "ContactUser: ");
    assert_eq!(decode("trunk", &heard(&bare)).contact.unwrap().user.as_deref(), Some("s"));
    bare[0] = bare[0].replace("ContactUser: \r\n", "");
    assert_eq!(decode("trunk", &heard(&bare)).contact, None);
}

proptest! {
    #[test]
    fn no_event_breaks_the_decoder_and_none_but_registered_is_a_registration(status in "\\PC{0,20}", junk in "\\PC{0,80}") {
        let word = word_of(&status);
        prop_assert!(word != Word::Registered || status.trim() == "Registered");
        let odd = heard(&[junk.clone(), format!("Event: AuthDetail\nUsername: {junk}"), format!("Event: OutboundRegistrationDetail\n{junk}")]);
        prop_assert_ne!(decode("trunk", &odd).word, Word::Registered);
        let _ = all(&odd);
    }
}
