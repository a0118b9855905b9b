//! Tests of the whole search against a small zone: each arm of the plan. What holds for any zone is in [`properties`].

mod properties;
mod zone;

use std::net::IpAddr;

use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

use self::zone::*;
use super::{LocateError, MAX_OUTSTANDING, MAX_QUESTIONS, MAX_TARGETS};
use crate::RecordKind::{A, Aaaa};
use crate::{DnsError, Families, Naptr, RecordKind, Records, Srv, Transport};

#[test]
fn addresses_are_used_as_they_stand() {
    let zone = Zone::default();
    for (uri, target) in [
        ("sip:alice@192.0.2.1", "udp 192.0.2.1:5060 numeric"),
        ("sip:192.0.2.1:5080;transport=tcp", "tcp 192.0.2.1:5080 numeric"),
        ("sips:[2001:db8::1]", "tls [2001:db8::1]:5061 numeric"),
        ("sip:[2001:db8::1]:7000;transport=tls", "tls [2001:db8::1]:7000 numeric"),
        ("sip:h.example;maddr=192.0.2.7", "udp 192.0.2.7:5060 numeric"),
    ] {
        let found = search(uri).run(&zone);
        assert_eq!((found.targets(), found.asked), (vec![target.into()], vec![]), "{uri}");
    }
}

#[test]
fn a_port_leaves_only_addresses_to_ask_for() {
    let zone = Zone::default().hosts("h.example", &["192.0.2.2", "192.0.2.1", "2001:db8::1"]);
    let found = search("sip:H.Example.:5080").run(&zone);
    assert_eq!(found.asked, ["Aaaa h.example", "A h.example"]);
    assert_eq!(
        found.targets(),
        ["udp [2001:db8::1]:5080 aaaa", "udp 192.0.2.2:5080 a", "udp 192.0.2.1:5080 a"]
    );
    assert_eq!(search("sips:h.example:5080").run(&zone).targets()[0], "tls [2001:db8::1]:5080 aaaa");
}

#[test]
fn a_transport_leaves_one_srv_to_ask_for() {
    let zone = Zone::default()
        .srv("_sip._tcp.h.example", &["1 1 5070 a.example"])
        .srv("_sips._tcp.h.example", &["1 1 5071 a.example"])
        .hosts("a.example", &["192.0.2.1"]);
    let found = search("sip:h.example;transport=tcp").run(&zone);
    assert_eq!(found.asked, ["Srv _sip._tcp.h.example", "Aaaa a.example", "A a.example"]);
    assert_eq!(found.targets(), ["tcp 192.0.2.1:5070 srv"]);
    assert_eq!(
        search("sip:h.example").by(Transport::Tls).run(&zone).targets(),
        ["tls 192.0.2.1:5071 srv"]
    );
    assert_eq!(
        search("sips:h.example;transport=tcp").run(&zone).targets(),
        ["tls 192.0.2.1:5071 srv"]
    );
}

#[test]
fn naptr_leads_to_srv_and_to_addresses() {
    let zone = Zone::default()
        .naptr(
            "h.example",
            &[
                "20 0 a SIP+D2U edge.example",
                "10 0 s SIP+D2T _sip._tcp.pool.example",
                "30 0 s SIPS+D2T _sips._tcp.pool.example",
            ],
        )
        .srv("_sip._tcp.pool.example", &["2 0 5070 b.example", "1 0 5070 a.example"])
        .srv("_sips._tcp.pool.example", &["1 0 5071 a.example"])
        .hosts("a.example", &["192.0.2.1"])
        .hosts("b.example", &["192.0.2.2"])
        .hosts("edge.example", &["192.0.2.3"]);
    let found = search("sip:h.example").run(&zone);
    assert_eq!(
        found.targets(),
        [
            "tcp 192.0.2.1:5070 naptr",
            "tcp 192.0.2.2:5070 naptr",
            "udp 192.0.2.3:5060 naptr",
            "tls 192.0.2.1:5071 naptr"
        ]
    );
    assert_eq!(
        found.asked[..3],
        ["Naptr h.example", "Srv _sip._tcp.pool.example", "Srv _sips._tcp.pool.example"]
    );
    assert_eq!(found.asked.len(), 3 + 6, "each host is asked for once: {:?}", found.asked);
    assert_eq!(search("sips:h.example").run(&zone).targets(), ["tls 192.0.2.1:5071 naptr"]);
}

#[test]
fn certificates_are_for_the_uris_host_whatever_srv_says() {
    let zone = Zone::default()
        .srv("_sips._tcp.h.example", &["1 1 5061 host7.hosting.example"])
        .hosts("host7.hosting.example", &["192.0.2.1"]);
    let targets = search("sips:H.example").run(&zone).outcome.unwrap();
    assert_eq!(&*targets[0].endpoint.server_name, "h.example");
}

#[test]
fn without_naptr_the_srv_of_each_transport_is_asked_for() {
    let zone = Zone::default()
        .srv("_sip._udp.h.example", &["1 1 5060 a.example"])
        .srv("_sip._tcp.h.example", &["1 1 5060 a.example"])
        .srv("_sips._tcp.h.example", &["1 1 5061 a.example"])
        .hosts("a.example", &["192.0.2.1"]);
    let found = search("sip:h.example").run(&zone);
    assert_eq!(
        found.targets(),
        ["udp 192.0.2.1:5060 srv", "tcp 192.0.2.1:5060 srv", "tls 192.0.2.1:5061 srv"]
    );
    assert_eq!(
        found.asked[..4],
        [
            "Naptr h.example",
            "Srv _sip._udp.h.example",
            "Srv _sip._tcp.h.example",
            "Srv _sips._tcp.h.example"
        ]
    );
    let secure = search("sips:h.example").run(&zone);
    assert_eq!(secure.asked[..2], ["Naptr h.example", "Srv _sips._tcp.h.example"]);
    assert_eq!(secure.targets(), ["tls 192.0.2.1:5061 srv"]);
}

#[test]
fn naptr_records_for_others_count_as_none() {
    let zone = Zone::default()
        .naptr("h.example", &["1 1 u E2U+sip ."])
        .srv("_sip._udp.h.example", &["1 1 5062 h.example"]);
    let zone = zone.hosts("h.example", &["192.0.2.1"]);
    assert_eq!(search("sip:h.example").run(&zone).targets(), ["udp 192.0.2.1:5062 srv"]);
}

#[test]
fn without_srv_the_host_itself_is_tried() {
    let zone = Zone::default().hosts("h.example", &["192.0.2.1"]);
    assert_eq!(search("sip:h.example").run(&zone).targets(), ["udp 192.0.2.1:5060 a"]);
    assert_eq!(search("sips:h.example").run(&zone).targets(), ["tls 192.0.2.1:5061 a"]);
    assert_eq!(search("sip:h.example;transport=tcp").run(&zone).targets(), ["tcp 192.0.2.1:5060 a"]);
    assert_eq!(
        search("sip:h.example;maddr=h.example").run(&zone).targets(),
        ["udp 192.0.2.1:5060 a"]
    );
}

#[test]
fn names_too_long_for_srv_are_hosts() {
    let name = format!("{}a", "a.".repeat(123));
    let zone = Zone::default().hosts(&name, &["192.0.2.1"]);
    assert_eq!(search(&format!("sip:{name}")).run(&zone).targets(), ["udp 192.0.2.1:5060 a"]);
}

#[test]
fn localhost_has_no_services() {
    let zone = Zone::default().hosts("localhost", &["127.0.0.1"]);
    let found = search("sip:localhost").run(&zone);
    assert_eq!(
        (found.targets(), found.asked),
        (
            vec!["udp 127.0.0.1:5060 a".into()],
            vec!["Aaaa localhost".into(), "A localhost".into()]
        )
    );
}

#[test]
fn a_service_that_is_decidedly_not_offered_is_not_tried_at_the_host() {
    let zone = Zone::default()
        .srv("_sip._udp.h.example", &["0 0 0 ."])
        .hosts("h.example", &["192.0.2.1"]);
    assert_eq!(search("sip:h.example").run(&zone).error(), not_found("_sip._udp.h.example"));
    assert_eq!(
        search("sip:h.example;transport=udp").run(&zone).error(),
        not_found("_sip._udp.h.example")
    );
    assert_eq!(search("sip:h.example;transport=tcp").run(&zone).targets(), ["tcp 192.0.2.1:5060 a"]);
    let zone = zone.srv("_sip._tcp.h.example", &["0 0 5060 h.example"]);
    assert_eq!(search("sip:h.example").run(&zone).targets(), ["tcp 192.0.2.1:5060 srv"]);
}

#[test]
fn naptr_that_leads_nowhere_is_not_followed_by_guesses() {
    let zone = Zone::default()
        .naptr(
            "h.example",
            &["1 1 s SIPS+D2T _sips._tcp.h.example", "2 1 s SIP+D2U _sip._udp.h.example"],
        )
        .srv("_sip._udp.h.example", &["1 1 5060 h.example"])
        .hosts("h.example", &["192.0.2.1"]);
    let found = search("sip:h.example").run(&zone);
    assert_eq!(found.asked, ["Naptr h.example", "Srv _sips._tcp.h.example"]);
    assert_eq!(found.error(), not_found("_sips._tcp.h.example"));
}

#[test]
fn nothing_anywhere_is_not_found() {
    assert_eq!(search("sip:h.example").run(&Zone::default()).error(), not_found("h.example"));
    assert_eq!(search("sips:h.example:5061").run(&Zone::default()).error(), not_found("h.example"));
    let dangling = Zone::default().srv("_sip._udp.h.example", &["1 1 5060 gone.example"]);
    assert_eq!(search("sip:h.example").run(&dangling).error(), not_found("gone.example"));
}

#[test]
fn questions_without_answer_stop_nothing_that_works() {
    for error in [DnsError::ServerFailure, DnsError::Refused, DnsError::Timeout] {
        let zone = Zone::default()
            .fails("h.example", RecordKind::Naptr, error)
            .fails("_sip._udp.h.example", RecordKind::Srv, error)
            .hosts("h.example", &["192.0.2.1"])
            .fails("h.example", Aaaa, error);
        assert_eq!(search("sip:h.example").run(&zone).targets(), ["udp 192.0.2.1:5060 a"]);
    }
}

#[test]
fn questions_without_answer_are_told_when_nothing_is_found() {
    let naptr = Zone::default().fails("h.example", RecordKind::Naptr, DnsError::Timeout);
    assert_eq!(search("sip:h.example").run(&naptr).error(), failed("h.example", DnsError::Timeout));
    let srv = naptr.fails("_sip._tcp.h.example", RecordKind::Srv, DnsError::ServerFailure);
    assert_eq!(
        search("sip:h.example").run(&srv).error(),
        failed("_sip._tcp.h.example", DnsError::ServerFailure)
    );
    let host = srv
        .srv("_sip._udp.h.example", &["1 1 5060 a.example"])
        .fails("a.example", A, DnsError::Refused);
    assert_eq!(search("sip:h.example").run(&host).error(), failed("a.example", DnsError::Refused));
}

#[test]
fn answers_of_another_type_count_as_failures() {
    let zone = Zone::default().with("h.example", RecordKind::Naptr, Ok(Records::Addresses(Vec::new())));
    assert_eq!(
        search("sip:h.example").run(&zone).error(),
        failed("h.example", DnsError::ServerFailure)
    );
    let zone = Zone::default().with("_sip._udp.h.example", RecordKind::Srv, Ok(Records::Naptr(Vec::new())));
    assert_eq!(
        search("sip:h.example").run(&zone).error(),
        failed("_sip._udp.h.example", DnsError::ServerFailure)
    );
}

#[test]
fn an_overridden_host_is_not_looked_up() {
    let found = search("sip:h.example")
        .said("H.example", 5070, "127.0.0.1")
        .said("h.example", 5070, "::1")
        .run(&Zone::default());
    assert_eq!(found.targets(), ["udp 127.0.0.1:5070 override", "udp [::1]:5070 override"]);
    assert!(found.asked.is_empty());
    let found = search("sips:h.example:7").said("h.example", 7, "127.0.0.1").run(&Zone::default());
    assert_eq!((found.targets(), found.asked), (vec!["tls 127.0.0.1:7 override".into()], vec![]));
    let found = search("sip:h.example").said("h.example", 0, "127.0.0.1").run(&Zone::default());
    assert_eq!(
        found.asked.first().map(String::as_str),
        Some("Naptr h.example"),
        "port 0 is no place to send to"
    );
    let found = search("sip:h.example:8").said("h.example", 7, "127.0.0.1").run(&Zone::default());
    assert_eq!(found.asked, ["Aaaa h.example", "A h.example"]);
}

#[test]
fn overrides_answer_for_the_hosts_of_srv_too() {
    let zone = Zone::default().srv("_sip._udp.h.example", &["1 1 5070 a.example", "2 1 5071 a.example"]);
    let found = search("sip:h.example;transport=udp")
        .said("a.example", 5070, "127.0.0.1")
        .run(&zone.hosts("a.example", &["192.0.2.1"]));
    assert_eq!(found.targets(), ["udp 127.0.0.1:5070 override", "udp 192.0.2.1:5071 srv"]);
}

#[test]
fn only_allowed_families_are_asked_for_and_used() {
    let zone = Zone::default().hosts("h.example", &["192.0.2.1", "2001:db8::1"]);
    for (families, kind, target) in [
        (Families::V4, "A h.example", "udp 192.0.2.1:5060 a"),
        (Families::V6, "Aaaa h.example", "udp [2001:db8::1]:5060 aaaa"),
    ] {
        let found = Search {
            families,
            ..search("sip:h.example:5060")
        }
        .run(&zone);
        assert_eq!((found.targets(), found.asked), (vec![target.into()], vec![kind.into()]));
        let wrong = if families == Families::V4 { "::1" } else { "127.0.0.1" };
        let found = Search {
            families,
            ..search("sip:h.example").said("h.example", 5060, wrong)
        }
        .run(&zone);
        assert_eq!(found.error(), not_found("h.example"));
    }
}

#[test]
fn what_can_not_be_followed_is_refused_at_once() {
    let locate = search("sips:h.example;transport=udp").locate();
    assert_eq!(
        locate.outcome(),
        Some(Err(LocateError::Refused {
            why: "a sips: URI never goes by UDP"
        }))
    );
}

#[test]
fn junk_in_records_is_skipped() {
    let zone = Zone::default()
        .srv(
            "_sip._udp.h.example",
            &["1 1 5060 \u{1b}[2J", "1 1 0 a.example", "2 1 5060 a..b", "3 1 5060 a.example."],
        )
        .hosts("a.example", &["0.0.0.0", "192.0.2.1", "::"]);
    assert_eq!(search("sip:h.example").run(&zone).targets(), ["udp 192.0.2.1:5060 srv"]);
}

#[test]
fn unknown_tokens_and_second_answers_are_ignored() {
    let mut rng = ChaCha12Rng::from_seed([1; 32]);
    let mut locate = search("sip:h.example:5060").locate();
    let (aaaa, _) = locate.poll_question().unwrap();
    let (a, _) = locate.poll_question().unwrap();
    let address = |text: &str| Ok(Records::Addresses(vec![text.parse().unwrap()]));
    locate.handle_answer(99, address("192.0.2.66"), &mut rng);
    locate.handle_answer(a, address("192.0.2.1"), &mut rng);
    locate.handle_answer(a, address("192.0.2.66"), &mut rng);
    assert_eq!(locate.outcome(), None);
    locate.handle_answer(aaaa, Err(DnsError::NoRecords), &mut rng);
    locate.handle_answer(a, address("192.0.2.66"), &mut rng);
    let targets = locate.outcome().unwrap().unwrap();
    assert_eq!((targets.len(), targets[0].endpoint.remote), (1, "192.0.2.1:5060".parse().unwrap()));
}

#[test]
fn an_answer_to_nothing_is_no_answer_to_naptr() {
    let mut locate = search("sip:h.example").locate();
    let (token, _) = locate.poll_question().unwrap();
    locate.handle_answer(token + 1, Err(DnsError::NoRecords), &mut ChaCha12Rng::from_seed([1; 32]));
    assert_eq!((locate.poll_question(), locate.outcome()), (None, None));
}

#[test]
fn a_loop_of_names_ends() {
    let zone = Zone::default()
        .naptr("h.example", &["1 1 s SIP+D2U h.example", "2 1 a SIP+D2T h.example"])
        .srv("h.example", &["1 1 5060 h.example"])
        .hosts("h.example", &["192.0.2.1"]);
    assert_eq!(
        search("sip:h.example").run(&zone).targets(),
        ["udp 192.0.2.1:5060 naptr", "tcp 192.0.2.1:5060 naptr"]
    );
}

#[test]
fn a_flood_of_records_asks_a_bounded_number_of_questions() {
    let names: Vec<String> = (0..10_000).map(|at| format!("{} 1 5060 h{at}.example", at % 7)).collect();
    let lines: Vec<&str> = names.iter().map(String::as_str).collect();
    let zone = ["_sip._udp", "_sip._tcp", "_sips._tcp"]
        .iter()
        .fold(Zone::default(), |zone, service| zone.srv(&format!("{service}.h.example"), &lines));
    let found = search("sip:h.example").run(&zone);
    assert!(found.asked.len() <= MAX_QUESTIONS as usize, "{} questions", found.asked.len());
    assert!(found.asked.len() > MAX_OUTSTANDING, "each that was held back has had its turn");
    assert!(matches!(found.outcome, Err(LocateError::NotFound { .. })));
}

#[test]
fn errors_say_the_name_and_what_happened() {
    assert_eq!(not_found("h.example").to_string(), "nothing usable is known in DNS for h.example");
    assert_eq!(
        failed("h.example", DnsError::Timeout).to_string(),
        "DNS did not answer in time when asked for h.example"
    );
}
