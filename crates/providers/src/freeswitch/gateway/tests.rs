//! A FreeSWITCH's gateway as a registration: every state, the ones that contradict, and whatever else may come.

use proptest::prelude::*;

use super::*;
use crate::Moment;

/// A gateway as FreeSWITCH 1.10 writes it.
fn xml(state: &str, status: &str, more: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n  <gateway>\n    <name>trunk</name>\n    <profile>external</profile>\n    \
         <scheme>Digest</scheme>\n    <realm>example.com</realm>\n    <username>alice</username>\n    <password>yes</password>\n    \
         <from>&lt;sip:alice@example.com;transport=tcp&gt;</from>\n    \
         <contact>&lt;sip:gw+trunk@192.0.2.7:5080;transport=tcp;gw=trunk&gt;</contact>\n    <exten>alice</exten>\n    \
         <to>sip:alice@registrar.example.com</to>\n    <proxy>sip:registrar.example.com</proxy>\n    <context>public</context>\n    \
         <expires>600</expires>\n    <freq>600</freq>\n    <ping>0</ping>\n    <pinging>0</pinging>\n    <state>{state}</state>\n    \
         <status>{status}</status>\n    <uptime-usec>5000000</uptime-usec>\n    <calls-in>0</calls-in>\n{more}  </gateway>\n"
    )
}

fn trunk() -> Gateway {
    "trunk".parse().unwrap()
}

fn heard(what: impl Into<String>) -> Heard<String> {
    Heard {
        what: what.into(),
        asked_at: Moment::from_unix(1_780_000_000).unwrap(),
        answered_at: Moment::from_unix(1_780_000_001).unwrap(),
    }
}

fn word_of(state: &str, status: &str) -> Word {
    decode(&trunk(), &heard(xml(state, status, ""))).word
}

fn is_contract(text: &str) -> bool {
    matches!(decode(&trunk(), &heard(text)).word, Word::Unknown(Unknown::Contract { .. }))
}

#[test]
fn a_registered_gateway_is_read_whole() {
    let answer = decode(&trunk(), &heard(xml("REGED", "UP", "")));
    assert_eq!(answer.word, Word::Registered);
    assert_eq!((answer.lifetime_s, answer.username.as_deref()), (Some(600), Some("alice")));
    assert_eq!((answer.expires_at, answer.next_action_at, answer.refreshed_at), (None, None, None));
    let contact = answer.contact.unwrap();
    assert_eq!(
        (contact.user.as_deref(), contact.host.as_deref(), contact.port),
        (Some("gw+trunk"), Some("192.0.2.7"), Some(5080))
    );
    let said = answer.said.iter().find(|said| said.field == "contact").unwrap();
    assert_eq!(said.value, "<sip:gw+trunk@192.0.2.7:5080;transport=tcp;gw=trunk>");
    assert_eq!(answer.said[0].field, "name", "the order is that of the answer");
}

#[test]
fn every_state_of_sofia_has_its_word() {
    for (state, word) in [
        ("UNREGED", Word::NotRegistered),
        ("TRYING", Word::Registering),
        ("REGISTER", Word::Registered),
        ("REGED", Word::Registered),
        ("UNREGISTER", Word::Unregistering),
        ("FAILED", Word::Failed),
        ("FAIL_WAIT", Word::Failed),
        ("EXPIRED", Word::Lapsed),
        ("NOREG", Word::Disabled),
        ("DOWN", Word::Disabled),
        ("TIMEOUT", Word::Timeout),
    ] {
        assert_eq!(word_of(state, "UP"), word, "{state}");
    }
    assert_eq!(word_of("REGISTER", "DOWN"), Word::Registering);
    assert!(matches!(word_of("REGED", "DOWN"), Word::Unknown(Unknown::SelfContradiction { .. })));
    assert!(matches!(word_of("reged", "UP"), Word::Unknown(Unknown::NewValue { .. })));
    assert!(matches!(word_of("REGED", "UP (ping)"), Word::Unknown(Unknown::NewValue { .. })));
    assert!(matches!(word_of("REGED", ""), Word::Unknown(Unknown::Contract { .. })));
}

#[test]
fn the_next_try_is_so_many_seconds_away_or_never() {
    let next = |retry: &str| decode(&trunk(), &heard(xml("FAILED", "DOWN", retry))).next_action_at;
    let at = next("    <retry>28s</retry>\n").unwrap();
    assert_eq!((at.at, at.zone_known), (Moment::from_unix(1_780_000_029).unwrap(), true));
    for other in ["", "<retry>NEVER</retry>", "<retry>-3s</retry>", "<retry>s</retry>"] {
        assert_eq!(next(other), None, "{other}");
    }
    assert!(next("<retry>18446744073709551615s</retry>").is_some(), "the end of time");
}

#[test]
fn an_unknown_gateway_is_not_found_and_another_one_not_taken_for_it() {
    assert_eq!(decode(&trunk(), &heard("Invalid Gateway!\n")).word, Word::NotFound);
    assert_eq!(found(&trunk(), "Invalid Gateway!\n"), Err(ApiTrouble::NotFound));
    let other: Gateway = "other".parse().unwrap();
    let word = decode(&other, &heard(xml("REGED", "UP", ""))).word;
    let Word::Unknown(Unknown::WrongObject { asked, answered, .. }) = word else {
        panic!("{word:?}")
    };
    assert_eq!((&*asked, &*answered), ("other", "trunk"));
    let with_profile: Gateway = "external::trunk".parse().unwrap();
    assert_eq!(decode(&with_profile, &heard(xml("REGED", "UP", ""))).word, Word::Registered);
}

#[test]
fn what_is_no_status_says_so() {
    let twice = format!("<gateways>{0}{0}</gateways>", xml("REGED", "UP", "").split_once("?>").unwrap().1);
    for text in [
        "",
        "-ERR sofia Command not found!\n",
        "<gateway>",
        "<gateway/>",
        "<a><b></a>",
        "Invalid Gateway! no",
        &twice,
    ] {
        assert!(is_contract(text) || text == "<gateway/>", "{text}");
        assert_ne!(decode(&trunk(), &heard(text)).word, Word::Registered);
    }
    assert!(is_contract(&"<a>".repeat(100_000)));
}

#[test]
fn what_stands_in_place_of_xml_is_shown_escaped_and_cut() {
    let text = format!("\u{1b}[2J{}", "x".repeat(100_000));
    let answer = decode(&trunk(), &heard(text));
    let shown = format!("{:?}", answer.word);
    assert!(!answer.raw.contains('\u{1b}') && answer.raw.len() < 20_000);
    let Word::Unknown(Unknown::Contract { problem }) = answer.word else {
        panic!("{shown}")
    };
    assert!(!problem.contains('\u{1b}') && problem.len() < 300, "{problem}");
}

#[test]
fn an_ampersand_alone_and_bytes_of_another_code_break_nothing() {
    let odd = xml("REGED", "UP", "").replace("sip:registrar.example.com</proxy>", "sip:a?b&c</proxy>");
    let odd = odd.replace("public", "caf\u{e9} &eacute; &#233;");
    let answer = decode(&trunk(), &heard(odd));
    assert_eq!(answer.word, Word::Registered);
    let said = |field: &str| answer.said.iter().find(|said| said.field == field).unwrap().value.clone();
    assert_eq!(said("proxy"), "sip:a?b&c");
    assert_eq!(said("context"), "caf\u{e9} &eacute; \u{e9}");
}

#[test]
fn no_entity_of_the_document_s_own_is_expanded() {
    let bomb = "<!DOCTYPE gateway [<!ENTITY a \"REGED\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let text = xml("&a;", "UP", "").replace("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>", bomb);
    let word = decode(&trunk(), &heard(text)).word;
    assert_eq!(
        word,
        Word::Unknown(Unknown::NewValue {
            field: "state".into(),
            value: "&a;".into()
        })
    );
}

#[test]
fn all_gateways_of_a_list_are_read() {
    let one = |name: &str, state: &str| {
        let text = xml(state, "UP", "").replace(">trunk<", &format!(">{name}<"));
        text.split_once("?>").unwrap().1.to_owned()
    };
    let list = heard(format!("<gateways>\n{}{}</gateways>\n", one("a", "REGED"), one("b", "FAIL_WAIT")));
    let listed: Vec<_> = all(&list).unwrap().into_iter().map(|one| (one.object, one.answer.word)).collect();
    assert_eq!(listed, [("a".to_owned(), Word::Registered), ("b".to_owned(), Word::Failed)]);
    assert_eq!(all(&heard("<gateways>\n</gateways>\n")), Ok(Vec::new()));
    for text in ["-ERR sofia Command not found!\n", "", "<gateways>"] {
        assert!(all(&heard(text)).is_err(), "{text}");
    }
}

#[test]
fn the_settings_are_those_that_a_probe_needs() {
    let settings = settings(&found(&trunk(), &xml("REGED", "UP", "")).unwrap());
    let text = |uri: Option<OwnedUri>| uri.map(|uri| uri.to_string());
    assert_eq!(text(settings.aor).as_deref(), Some("sip:alice@example.com"));
    assert_eq!(text(settings.registrar).as_deref(), Some("sip:registrar.example.com"));
    assert_eq!(settings.transport, Some(sip_registration::Transport::Tcp));
    assert_eq!(
        (settings.auth_user.as_deref(), settings.expires, settings.enabled),
        (Some("alice"), Some(600), Some(true))
    );
}

#[test]
fn a_gateway_s_name_cannot_hold_another_command() {
    for good in ["trunk", "external::trunk", "alice@example.com", "a-b_c.d+1"] {
        assert_eq!(good.parse::<Gateway>().unwrap().to_string(), good);
    }
    for bad in [
        "",
        "a b",
        "a\nb",
        "a\r\n\r\napi shutdown",
        "a\tb",
        "a;b",
        "${x}",
        "a'b",
        "a\\b",
        &"a".repeat(129),
    ] {
        assert_eq!(bad.parse::<Gateway>(), Err(NoGateway), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_decoder(text in "\\PC{0,200}") {
        prop_assert_ne!(decode(&trunk(), &heard(&*text)).word, Word::Registered);
        let _ = all(&heard(text));
    }

    #[test]
    fn only_a_state_and_a_status_that_agree_are_a_registration(
        state in prop_oneof!["REGED", "REGISTER", "[A-Z_]{1,9}", "\\PC{0,9}"], status in prop_oneof!["UP", "DOWN", "\\PC{0,5}"],
        cut in 0_usize..1200,
    ) {
        let whole = xml(&state, &status, "");
        let word = decode(&trunk(), &heard(&*whole)).word;
        prop_assert!(word != Word::Registered || (matches!(&*state, "REGED" | "REGISTER") && status == "UP"));
        let part = whole.char_indices().nth(cut).map_or("", |(at, _)| whole.get(..at).unwrap_or_default());
        if part.contains("<gateway>") && !part.contains("</gateway>") {
            prop_assert!(is_contract(part));
        }
    }
}
