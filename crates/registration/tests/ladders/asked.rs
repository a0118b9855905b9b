//! Requests from the other side: what each is answered with (RFC 3261 §8.2, §11.2), to whom, how often, and what is told of it.

use std::sync::Arc;
use std::time::Duration;

use sip_message::Message;
use sip_registration::{Account, Action, Arrow, ContactPlan, Ending, Event, FlowId, Goal, Input, Opened, Registrant, State, Transport};

use crate::peer::{BOUND, CHALLENGE, ask};
use crate::setup::Setup;
use crate::world::{World, stored};

const CONTACT: &str = "sip:alice@198.51.100.1:40000";

/// alice is bound, and all is quiet.
fn bound() -> World {
    let mut world = World::new(Setup::kept());
    world.bind();
    world
}

fn flow(world: &World) -> FlowId {
    world.last_request().flow
}

/// The peer asks on the flow of the last request. Returns the status of the answer, if there is one.
fn asked(world: &mut World, request: &[u8]) -> Option<u16> {
    let before = world.answers.len();
    world.deliver(flow(world), request);
    assert!(world.answers.len() <= before + 1, "one answer at most");
    let (_, answer) = world.answers.get(before)?;
    match Message::parse(answer.as_bytes()).unwrap() {
        Message::Response(response) => Some(response.status.code()),
        Message::Request(_) => panic!("{answer}"),
    }
}

#[test]
fn a_registrar_that_asks_whether_we_are_there_is_told_so() {
    let mut world = bound();
    let before = world.status();
    assert_eq!(asked(&mut world, &ask("OPTIONS", CONTACT, "1", &[])), Some(200));
    assert_eq!(world.status(), before, "it changes nothing about the registration");
    let counters = world.registrant.counters();
    assert_eq!((counters.requests, counters.answered, counters.strays), (1, 1, 0));
    let told = &world.asked[0];
    assert_eq!((told.call_id.as_str(), told.from.as_str()), ("1", "sip:ping@example.test"));
    world.is_as_stored();
}

#[test]
fn whole_answers_are_as_stored() {
    let mut text = String::new();
    let requests = [
        ask("OPTIONS", CONTACT, "1", &[]),
        ask("REGISTER", CONTACT, "1", &[]),
        ask("OPTIONS", CONTACT, "1", &["Require: 100rel,\r\n timer"]),
        // Folds and lists become lines; what a proxy put under its own Via comes back as it was.
        ask(
            "OPTIONS",
            CONTACT,
            "1",
            &["v: SIP/2.0/TCP\r\n a.test;branch=1 , SIP/2.0/UDP b.test"],
        ),
    ];
    for request in requests {
        let mut world = bound();
        asked(&mut world, &request);
        let (to, answer) = &world.answers[0];
        text += &format!("--- to {to}\n{}", answer.replace("\r\n", "\n"));
    }
    stored("asked/whole", &text);
}

#[test]
fn a_request_during_an_exchange_stands_in_its_ladder_and_transcript() {
    let mut world = World::new(Setup::probe().policy(|policy| policy.trace = true));
    world.register();
    assert_eq!(
        asked(&mut world, &ask("OPTIONS", CONTACT, "1", &[])),
        Some(200),
        "the binding is being made"
    );
    world.reply("200 OK", &[BOUND]);
    let attempt = world.attempt();
    let words: Vec<_> = attempt.steps.iter().map(|step| (step.arrow(), step.what())).collect();
    let shown: Vec<_> = words.iter().map(|(arrow, what)| (*arrow, what.as_str())).collect();
    let expected = [
        (Arrow::Sent, "REGISTER 1"),
        (Arrow::Received, "OPTIONS"),
        (Arrow::Sent, "200 OK"),
        (Arrow::Received, "200 OK"),
    ];
    assert_eq!((shown.as_slice(), attempt.asked), (&expected[..], 1));
    let messages: Vec<_> = attempt
        .steps
        .iter()
        .flat_map(|step| &step.message)
        .map(|message| &message.text)
        .collect();
    assert!(messages[1].starts_with(&format!("OPTIONS {CONTACT}")));
    assert!(messages[2].starts_with("SIP/2.0 200 OK") && messages[2].contains("Allow: "));
    world.is_as_stored();
}

#[test]
fn every_method_and_every_fault_is_answered_in_the_words_of_the_rfc() {
    let to_tag = "To: <sip:alice@198.51.100.1>;tag=x";
    let rows: [(&str, &str, &[&str], u16); 18] = [
        ("OPTIONS", CONTACT, &[], 200),
        ("OPTIONS", "sips:alice@other.test;transport=tls", &[], 200),
        ("OPTIONS", "sip:%61lice@198.51.100.1", &[], 200),
        ("OPTIONS", "sip:198.51.100.1:40000", &[], 200),
        ("OPTIONS", "sip:bob@198.51.100.1:40000", &[], 404),
        ("OPTIONS", "tel:+4930", &[], 416),
        ("OPTIONS", "nonsense", &[], 400),
        ("OPTIONS", CONTACT, &["Require: x"], 420),
        ("INVITE", CONTACT, &[], 480),
        ("INVITE", "sip:bob@198.51.100.1:40000", &[], 404),
        ("CANCEL", CONTACT, &[], 481),
        ("BYE", CONTACT, &[], 481),
        ("NOTIFY", CONTACT, &[], 481),
        ("REGISTER", CONTACT, &[], 405),
        ("MESSAGE", CONTACT, &[], 405),
        ("FROBNICATE", CONTACT, &[], 501),
        ("MESSAGE", "tel:+4930", &[], 405),
        ("REFER", CONTACT, &[], 405),
    ];
    for (method, uri, headers, status) in rows {
        assert_eq!(asked(&mut bound(), &ask(method, uri, "1", headers)), Some(status), "{method} {uri}");
    }
    let in_dialog = String::from_utf8(ask("OPTIONS", CONTACT, "1", &[])).unwrap();
    let in_dialog = in_dialog.replace(&format!("To: <{CONTACT}>"), to_tag);
    assert_eq!(asked(&mut bound(), in_dialog.as_bytes()), Some(481));
    let miscounted = in_dialog.replace("1 OPTIONS", "1 INVITE");
    assert_eq!(asked(&mut bound(), miscounted.as_bytes()), Some(400));
}

#[test]
fn an_ack_and_what_cannot_be_answered_are_only_counted() {
    let whole = String::from_utf8(ask("OPTIONS", CONTACT, "1", &[])).unwrap();
    let without = |name: &str| {
        let kept = whole.lines().filter(|line| !line.starts_with(name));
        kept.map(|line| format!("{line}\r\n")).collect::<String>()
    };
    let mut requests = vec![
        String::from_utf8(ask("ACK", CONTACT, "1", &[])).unwrap(),
        whole.replace("To: <", "To: \"<"),
        whole.replace("SIP/2.0/UDP", "HTTP"),
    ];
    requests.extend(["Via", "From", "To", "Call-ID", "CSeq"].map(without));
    for request in requests {
        let mut world = bound();
        assert_eq!(asked(&mut world, request.as_bytes()), None, "{request}");
        let counters = world.registrant.counters();
        assert_eq!((counters.requests, counters.answered, world.asked.len()), (1, 0, 0), "{request}");
    }
}

#[test]
fn what_comes_again_gets_the_same_answer_again_and_nobody_can_guess_its_tag() {
    let mut world = bound();
    for call_id in ["1", "1", "2"] {
        asked(&mut world, &ask("OPTIONS", CONTACT, call_id, &[]));
    }
    let mut other = World::new(Setup { seed: 8, ..Setup::kept() });
    other.bind();
    asked(&mut other, &ask("OPTIONS", CONTACT, "1", &[]));
    let [first, again, second] = world.answers.as_slice() else {
        panic!("three answers")
    };
    let tag = |answer: &str| {
        answer
            .lines()
            .find_map(|line| line.strip_prefix("To: ")?.split_once(";tag="))
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(first, again);
    assert_eq!(tag(&first.1).len(), 16);
    assert!(tag(&first.1) != tag(&second.1) && tag(&first.1) != tag(&other.answers[0].1));
}

#[test]
fn an_answer_goes_to_the_source_or_to_the_port_of_its_via() {
    let mut world = bound();
    let here = |port: u16| ([192, 0, 2, 10], port).into();
    let request = String::from_utf8(ask("OPTIONS", CONTACT, "1", &[])).unwrap();
    let (with_rport, elsewhere) = (request.replace(";branch", ";rport;branch"), request.replace(":5060;", ":5090;"));
    for text in [&with_rport, &elsewhere, &request.replace(":5060;", ":0;")] {
        world.deliver_from(here(40_404), flow(&world), text.as_bytes());
    }
    let to: Vec<_> = world.answers.iter().map(|(to, _)| *to).collect();
    assert_eq!(to, [here(40_404), here(5090)], "nothing can be sent to port 0");
    let via = "Via: SIP/2.0/UDP 192.0.2.10:5060;rport=40404;branch=z9hG4bK-1;received=192.0.2.10\r\n";
    assert!(world.answers[0].1.contains(via), "{}", world.answers[0].1);
}

#[test]
fn somebody_else_is_told_of_and_gets_no_answer() {
    let mut world = bound();
    world.deliver_from(
        "203.0.113.66:5060".parse().unwrap(),
        flow(&world),
        &ask("OPTIONS", CONTACT, "1", &[]),
    );
    assert_eq!((world.answers.len(), world.asked.len()), (0, 1));
    assert!(!world.asked[0].from_peer && world.asked[0].names_us);
    world.is_as_stored();
}

#[test]
fn who_is_not_bound_is_not_found() {
    let mut world = World::new(Setup::probe());
    world.order(Goal::Fetch);
    assert_eq!(
        asked(&mut world, &ask("OPTIONS", CONTACT, "1", &[])),
        Some(404),
        "a look binds nothing"
    );
    world.reply("200 OK", &[]);
    world.register();
    world.reply("200 OK", &[BOUND]);
    assert_eq!(asked(&mut world, &ask("OPTIONS", CONTACT, "2", &[])), Some(200));
    world.order(Goal::Unregister);
    assert_eq!(
        asked(&mut world, &ask("OPTIONS", CONTACT, "3", &[])),
        Some(200),
        "it is bound until the registrar says that it is not"
    );
    world.reply("200 OK", &[]);
    assert_eq!(asked(&mut world, &ask("OPTIONS", CONTACT, "4", &[])), Some(404));
    world.is_as_stored();
}

#[test]
fn a_binding_that_has_lapsed_is_not_found() {
    let mut world = World::new(Setup::probe());
    world.register();
    world.reply("200 OK", &["Contact: {contact};expires=60"]);
    world.wait(Duration::from_secs(61));
    assert_eq!(asked(&mut world, &ask("OPTIONS", CONTACT, "1", &[])), Some(404));
}

/// A flood is answered eight times and then four times a second, and our own exchange goes on as if nothing had come.
#[test]
fn a_flood_is_answered_a_few_times_and_delays_nothing() {
    let mut world = World::new(Setup::probe());
    world.register();
    let request = world.last_request().clone();
    let source = world.flows[&request.flow].endpoint.remote;
    let flood = |world: &mut World| {
        let before = world.answers.len();
        for number in 0..1000 {
            let bytes = ask("OPTIONS", CONTACT, &number.to_string(), &[]);
            let bytes = bytes.as_slice();
            let flow = request.flow;
            world.registrant.handle_input(world.now, Input::Received { flow, source, bytes });
        }
        world.settle();
        world.answers.len() - before
    };
    assert_eq!((flood(&mut world), flood(&mut world)), (8, 0));
    world.wait(Duration::from_secs(1));
    assert_eq!(flood(&mut world), 4);
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    assert_eq!((world.state(), world.asked.len()), (State::Registered, 12));
    assert_eq!(world.attempt().ending, Ending::Succeeded);
    assert!(world.attempt().steps.len() < 20, "{:?}", world.attempt().steps);
    let counters = world.registrant.counters();
    assert_eq!((counters.requests, counters.answered), (3000, 12));
}

/// Answers nobody can use to make us send much more than they sent: the smallest request that is answered, and one that is all commas.
#[test]
fn an_answer_is_hardly_longer_than_its_request() {
    let smallest = b"OPTIONS sip:h SIP/2.0\nv:SIP/2.0/UDP h\nf:a\nt:sip:a\ni:a\nCSeq:1 OPTIONS\n\n".to_vec();
    let commas = [
        &b"OPTIONS sip:h SIP/2.0\nv:SIP/2.0/UDP h"[..],
        &b",a".repeat(5000),
        b"\nf:a\nt:sip:a\ni:a\nCSeq:1 OPTIONS\n\n",
    ]
    .concat();
    let (mut world, room) = (bound(), 512);
    assert_eq!(asked(&mut world, &smallest), Some(200));
    assert!(world.answers[0].1.len() <= smallest.len() + room);
    assert_eq!(asked(&mut world, &commas), None);
    // A name for itself that the user made long does not make us mute.
    let mut world = World::new(
        Setup::kept()
            .transport(Transport::Udp)
            .account(|account| account.user_agent = "x".repeat(2000).into()),
    );
    world.bind();
    assert_eq!(asked(&mut world, &smallest), Some(200));
    assert!(!world.answers[0].1.contains("Server"));
}

/// The answer to it would come back as well, as the registrar's word about our registration.
#[test]
fn a_request_of_our_own_that_comes_back_is_not_answered() {
    let mut world = World::new(Setup::probe());
    world.register();
    let own = world.last_request().bytes.clone();
    assert_eq!(asked(&mut world, &own), None);
    world.reply("401 Unauthorized", &[CHALLENGE]);
    assert_eq!(asked(&mut world, &own), None, "nor when it was answered meanwhile");
    world.wait_for_the_end();
    world.is_as_stored();
}

/// Who asks through the registrar whether our own binding leads to us gets our own answer: the proof that calls arrive.
#[test]
fn a_ping_of_our_own_comes_around_through_the_registrar() {
    let mut world = bound();
    world.order(Goal::Ping);
    let ping = String::from_utf8(world.last_request().bytes.clone()).unwrap();
    let relayed = ping
        .replacen("OPTIONS sip:192.0.2.10 ", &format!("OPTIONS {CONTACT} "), 1)
        .replacen("Via: ", "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK77.1\r\nVia: ", 1);
    assert_eq!(asked(&mut world, relayed.as_bytes()), Some(200));
    let answer = world.answers[0].1.clone();
    let top = answer.find("Via: ").unwrap();
    let end = top + answer[top..].find("\r\n").unwrap() + 2;
    let passed_on = [&answer[..top], &answer[end..]].concat();
    world.deliver(flow(&world), passed_on.as_bytes());
    let attempt = world.attempt();
    assert_eq!((attempt.goal, attempt.ending), (Goal::Ping, Ending::Succeeded));
    assert_eq!(attempt.product.as_deref(), Some("regprobe"), "it is our own answer");
    assert_eq!((&world.asked[0].call_id, world.asked[0].hops), (&attempt.call_id.to_string(), 2));
    world.is_as_stored();
}

#[test]
fn over_a_stream_the_answer_goes_back_on_its_connection() {
    let mut world = World::new(Setup::kept().transport(Transport::Tcp));
    world.register();
    world.wait(Duration::from_millis(5));
    world.reply("200 OK", &[BOUND]);
    // Two in one read, the second in two pieces.
    let both = [ask("OPTIONS", CONTACT, "1", &[]), ask("OPTIONS", "sip:bob@h", "2", &[])].concat();
    let (first, second) = both.split_at(both.len() - 30);
    world.deliver(flow(&world), first);
    world.deliver(flow(&world), second);
    let statuses: Vec<_> = world.answers.iter().map(|(_, answer)| &answer[8..11]).collect();
    assert_eq!(statuses, ["200", "404"]);
    world.is_as_stored();
}

/// Two accounts over one flow: each answers for its own Contact, in its own name, and who asks for the host asks for either.
#[test]
fn the_account_whose_contact_is_asked_for_answers() {
    let setup = Setup::kept();
    let world = World::new(setup.clone());
    let (mut registrant, now) = (Registrant::new([1; 32], setup.policy.clone()), world.origin);
    let keys = ["one", "two"].map(|user| {
        let contact = ContactPlan::Automatic { user: user.into() };
        let account = Account {
            contact,
            user_agent: format!("agent {user}").into(),
            ..setup.account.clone()
        };
        let key = registrant.add(now, Arc::new(account));
        registrant.register(now, key);
        key
    });
    let Some(Action::Open(flow, endpoint)) = registrant.poll_action() else {
        panic!("one flow for both")
    };
    let opened = Opened {
        local: "198.51.100.1:40000".parse().unwrap(),
        connected_at: None,
        tls: None,
    };
    registrant.handle_input(now, Input::Opened(flow, opened));
    let mut bytes = Vec::new();
    while registrant.poll_transmit(&mut bytes).is_some() {}
    let answers = ["sip:one@h", "sip:two@h", "sip:three@h", "sip:h"].map(|uri| {
        let source = endpoint.remote;
        let request = ask("OPTIONS", uri, "1", &[]);
        let bytes = request.as_slice();
        registrant.handle_input(now, Input::Received { flow, source, bytes });
        let mut answer = Vec::new();
        registrant.poll_transmit(&mut answer).unwrap();
        let key = std::iter::from_fn(|| registrant.poll_event()).find_map(|(key, event)| matches!(event, Event::Request(_)).then_some(key));
        let answer = String::from_utf8(answer).unwrap();
        let server = answer.lines().find_map(|line| line.strip_prefix("Server: ")).unwrap();
        (answer[8..11].to_owned(), server.to_owned(), key.unwrap())
    });
    let expected = [
        ("200", "agent one", keys[0]),
        ("200", "agent two", keys[1]),
        ("404", "agent one", keys[0]),
        ("200", "agent one", keys[0]),
    ];
    assert_eq!(
        answers,
        expected.map(|(status, server, key)| (status.to_owned(), server.to_owned(), key))
    );
}
