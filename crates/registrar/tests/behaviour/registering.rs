//! What a registrar without faults does: RFC 3261 §10.3 step by step, through the public interface.

use std::time::Duration;

use crate::laboratory::{CONTACT, Lab, Phone, config, open, password, start};
use sip_registrar::{Config, User, WallClock};

#[test]
fn a_right_password_binds_the_contact() {
    let mut lab = Lab::new(config());
    let mut alice = Phone::new("alice");
    let challenge = lab.register(&mut alice, CONTACT);
    assert_eq!(challenge.code(), 401);
    let algorithms: Vec<_> = challenge
        .all("WWW-Authenticate")
        .iter()
        .map(|value| value.contains("SHA-256"))
        .collect();
    assert_eq!(algorithms, [true, false]);

    let reply = lab.answer(&mut alice, &challenge, "secret", &format!("{CONTACT}Expires: 300\r\n"));
    assert_eq!(reply.code(), 200);
    assert_eq!(reply.header("Contact"), "<sip:alice@192.0.2.9:40000>;expires=300");
    assert_eq!(
        reply.header("Via"),
        "SIP/2.0/UDP 192.0.2.9:40000;rport=40000;branch=z9hG4bK2;received=192.0.2.9"
    );
    assert!(reply.header("To").starts_with("<sip:alice@example.test>;tag="));
    assert_eq!(
        (reply.header("From"), reply.header("Call-ID")),
        ("<sip:alice@example.test>;tag=f".to_owned(), "call-1".to_owned())
    );
    assert_eq!(reply.header("CSeq"), "2 REGISTER");
    assert_eq!(reply.header("Server"), "regprobe registrar");

    let bindings = lab.registrar.bindings("sip:alice@example.test");
    assert_eq!(bindings.len(), 1);
    assert_eq!(bindings[0].contact, "sip:alice@192.0.2.9:40000");
    assert_eq!(bindings[0].expires_at, start() + Duration::from_secs(300));
    let counters = lab.registrar.counters();
    assert_eq!((counters.requests, counters.challenges, counters.registrations), (2, 1, 1));
    let lines: Vec<_> = lab.events().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "192.0.2.9:40000 REGISTER sip:alice@example.test: 401, asked for credentials",
            "192.0.2.9:40000 REGISTER sip:alice@example.test: 200, 1 bound"
        ]
    );
}

#[test]
fn an_open_registrar_asks_for_nothing_and_dates_its_replies() {
    let clock = WallClock {
        at: start(),
        unix_seconds: 1_795_261_807,
    };
    let mut lab = Lab::new(Config {
        clock: Some(clock),
        server: String::new(),
        ..open()
    });
    lab.wait(Duration::from_secs(60));
    let reply = lab.register(&mut Phone::new("alice"), CONTACT);
    assert_eq!((reply.code(), reply.find("Server")), (200, None));
    assert_eq!(reply.header("Date"), "Sat, 21 Nov 2026 11:51:07 GMT");
}

#[test]
fn without_users_an_open_registrar_takes_anybody() {
    let mut lab = Lab::new(Config {
        open: true,
        ..Config::default()
    });
    assert_eq!(lab.register(&mut Phone::new("zoe"), CONTACT).code(), 200);
    assert_eq!(lab.registrar.bindings("zoe@example.test").len(), 1);
}

#[test]
fn bindings_lapse_when_their_time_is_over() {
    let mut lab = Lab::new(open());
    let mut alice = Phone::new("alice");
    lab.register(&mut alice, &format!("{CONTACT}Expires: 60\r\n"));
    lab.wait(Duration::from_millis(59_500));
    assert_eq!(
        lab.register(&mut alice, "").header("Contact"),
        "<sip:alice@192.0.2.9:40000>;expires=1"
    );
    lab.wait(Duration::from_millis(500));
    assert_eq!(lab.registrar.bindings("alice@example.test"), []);
    assert_eq!(lab.register(&mut alice, "").find("Contact"), None);
    lab.wait(Duration::from_secs(32));
    assert_eq!(lab.registrar.poll_timeout(), None);
}

#[test]
fn a_user_may_authenticate_under_another_name() {
    let alice = User {
        auth_name: Some("4711".to_owned()),
        ..User::new("alice", password("secret"))
    };
    let mut lab = Lab::new(Config {
        users: vec![alice],
        ..config()
    });
    let mut phone = Phone {
        auth_user: "4711",
        ..Phone::new("alice")
    };
    assert_eq!(lab.register_with(&mut phone, "secret", CONTACT).code(), 200);
    phone.auth_user = "alice";
    assert_eq!(lab.register_with(&mut phone, "secret", CONTACT).code(), 401);
}

#[test]
fn every_binding_is_listed_with_the_seconds_it_has_left() {
    let mut lab = Lab::new(open());
    let mut alice = Phone::new("alice");
    lab.register(
        &mut alice,
        "Contact: \"Desk, 2\" <sip:a@h1>;q=0.5;expires=100, <sip:a@h2>;expires=200\r\n",
    );
    lab.wait(Duration::from_secs(10));
    let reply = lab.register(&mut alice, "m: <sip:a@h3>;methods=\"INVITE\"\r\nExpires: 300\r\n");
    assert_eq!(
        reply.all("Contact"),
        [
            "\"Desk, 2\" <sip:a@h1>;q=0.5;expires=90",
            "<sip:a@h2>;expires=190",
            "<sip:a@h3>;methods=\"INVITE\";expires=300"
        ]
    );
    let fetched = lab.register(&mut alice, "");
    assert_eq!((fetched.code(), fetched.all("Contact").len()), (200, 3));
    assert_eq!(lab.registrar.counters().fetches, 1);
}

#[test]
fn expiry_is_the_contacts_then_the_headers_then_the_default_and_never_more_than_allowed() {
    let granted = |headers: &str| {
        let reply = Lab::new(Config {
            default_expires: 1800,
            ..open()
        })
        .register(&mut Phone::new("alice"), headers);
        reply.header("Contact").rsplit_once('=').unwrap().1.to_owned()
    };
    assert_eq!(granted("Contact: <sip:a@h>;expires=100\r\nExpires: 200\r\n"), "100");
    assert_eq!(granted("Contact: <sip:a@h>\r\nExpires: 200\r\n"), "200");
    assert_eq!(granted("Contact: <sip:a@h>\r\n"), "1800");
    assert_eq!(granted("Contact: <sip:a@h>;expires=soon\r\nExpires: 200\r\n"), "1800");
    assert_eq!(granted("Contact: <sip:a@h>\r\nExpires: soon\r\n"), "1800");
    assert_eq!(granted("Contact: <sip:a@h>;expires=99999999999\r\n"), "3600");
}

#[test]
fn an_interval_that_is_too_brief_is_refused_and_changes_nothing() {
    let mut lab = Lab::new(Config {
        min_expires: 120,
        ..open()
    });
    let mut alice = Phone::new("alice");
    let reply = lab.register(&mut alice, "Contact: <sip:a@h1>;expires=200, <sip:a@h2>;expires=119\r\n");
    assert_eq!((reply.code(), reply.header("Min-Expires")), (423, "120".to_owned()));
    assert_eq!(lab.registrar.bindings("alice@example.test"), []);
    // RFC 3261 §10.3 step 7: an hour is never too brief, whatever the configuration says.
    let mut strict = Lab::new(Config {
        min_expires: 7200,
        ..open()
    });
    assert_eq!(strict.register(&mut alice, "Contact: <sip:a@h1>;expires=3600\r\n").code(), 200);
    assert_eq!(strict.register(&mut alice, "Contact: <sip:a@h1>;expires=3599\r\n").code(), 423);
}

#[test]
fn an_expiry_of_zero_removes_that_contact_only() {
    let mut lab = Lab::new(open());
    let mut alice = Phone::new("alice");
    lab.register(&mut alice, "Contact: <sip:a@h1>, <sip:a@h2>\r\n");
    let reply = lab.register(&mut alice, "Contact: <sip:a@h1>;expires=0\r\n");
    assert_eq!(reply.all("Contact"), ["<sip:a@h2>;expires=3600"]);
    let again = lab.register(&mut alice, "Contact: <sip:a@h1>\r\nExpires: 0\r\n");
    assert_eq!((again.code(), again.all("Contact").len()), (200, 1));
    assert_eq!(lab.registrar.counters().removals, 2);
}

#[test]
fn a_star_removes_everything_but_only_alone_and_with_expires_zero() {
    let mut lab = Lab::new(open());
    let mut alice = Phone::new("alice");
    lab.register(&mut alice, "Contact: <sip:a@h1>, <sip:a@h2>\r\n");
    for (headers, phrase) in [
        ("Contact: *\r\n", "Contact * Needs Expires 0"),
        ("Contact: *\r\nExpires: 1\r\n", "Contact * Needs Expires 0"),
        ("Contact: *, <sip:a@h1>\r\nExpires: 0\r\n", "Contact * With Other Contacts"),
    ] {
        let reply = lab.register(&mut alice, headers);
        assert_eq!((reply.code(), reply.reason()), (400, phrase.to_owned()));
    }
    assert_eq!(lab.registrar.bindings("alice@example.test").len(), 2);
    let reply = lab.register(&mut alice, "Contact: *\r\nExpires: 0\r\n");
    assert_eq!((reply.code(), reply.find("Contact")), (200, None));
}

#[test]
fn a_cseq_that_does_not_grow_is_refused_within_its_call_id() {
    let mut lab = Lab::new(open());
    let mut alice = Phone {
        cseq: 10,
        ..Phone::new("alice")
    };
    lab.register(&mut alice, CONTACT);
    alice.cseq = 5;
    let reply = lab.register(&mut alice, &format!("{CONTACT}Expires: 0\r\n"));
    assert_eq!((reply.code(), reply.reason()), (400, "CSeq Not Higher Than Before".to_owned()));
    alice.call_id = "another";
    assert_eq!(lab.register(&mut alice, &format!("{CONTACT}Expires: 0\r\n")).code(), 200);
    assert_eq!(lab.registrar.bindings("alice@example.test"), []);
}

#[test]
fn too_many_contacts_are_refused_with_retry_after() {
    let mut lab = Lab::new(Config {
        max_contacts: 1,
        retry_after: 30,
        ..open()
    });
    let mut alice = Phone::new("alice");
    assert_eq!(lab.register(&mut alice, "Contact: <sip:a@h1>\r\n").code(), 200);
    let reply = lab.register(&mut alice, "Contact: <sip:a@h2>\r\n");
    assert_eq!((reply.code(), reply.header("Retry-After")), (503, "30".to_owned()));
    assert_eq!(lab.register(&mut alice, "Contact: <sip:a@h1>\r\n").code(), 200);
    assert_eq!(lab.registrar.bindings("alice@example.test")[0].contact, "sip:a@h1");
}

#[test]
fn an_instance_keeps_its_one_binding_when_its_address_changes() {
    let mut lab = Lab::new(open());
    let mut alice = Phone::new("alice");
    let at = |port: u16| {
        format!("Supported: outbound, path\r\nContact: <sip:alice@192.0.2.9:{port};ob>;+sip.instance=\"<urn:uuid:1>\";reg-id=1\r\n")
    };
    let reply = lab.register(&mut alice, &at(1));
    assert_eq!(reply.header("Require"), "outbound");
    alice.call_id = "after-a-restart";
    let reply = lab.register(&mut alice, &at(2));
    assert_eq!(
        reply.all("Contact"),
        ["<sip:alice@192.0.2.9:2;ob>;+sip.instance=\"<urn:uuid:1>\";reg-id=1;expires=3600"]
    );
    let binding = &lab.registrar.bindings("alice@example.test")[0];
    assert_eq!((binding.instance.as_deref(), binding.reg_id), (Some("urn:uuid:1"), Some(1)));
    // Without the option tag, reg-id means nothing and the URI decides.
    let reply = lab.register(&mut alice, &at(3).replace("outbound, ", ""));
    assert_eq!((reply.find("Require"), reply.all("Contact").len()), (None, 2));
}

#[test]
fn outbound_over_a_hop_that_does_not_know_it_is_refused() {
    let mut lab = Lab::new(open());
    let mut alice = Phone::new("alice");
    let contact = "Supported: outbound, path\r\nContact: <sip:a@h>;+sip.instance=\"<urn:uuid:1>\";reg-id=1\r\n";
    let hop = "Via: SIP/2.0/UDP phone;branch=z9hG4bKp\r\n";
    assert_eq!(lab.register(&mut alice, &format!("{hop}{contact}")).code(), 439);
    assert_eq!(
        lab.register(&mut alice, &format!("{hop}Path: <sip:edge;lr>\r\n{contact}")).code(),
        439
    );
    let reply = lab.register(&mut alice, &format!("{hop}Path: <sip:edge;lr;ob>\r\n{contact}"));
    assert_eq!((reply.code(), reply.all("Via").len()), (200, 2));
}

#[test]
fn a_path_is_kept_and_echoed_to_whom_it_may_concern() {
    let mut lab = Lab::new(open());
    let mut alice = Phone::new("alice");
    let headers = format!("{CONTACT}Path: <sip:p1;lr>, <sip:p2;lr>\r\nPath: <sip:p3;lr>\r\n");
    assert_eq!(lab.register(&mut alice, &headers).find("Path"), None);
    let reply = lab.register(&mut alice, &format!("{headers}Supported: path\r\n"));
    assert_eq!(reply.all("Path"), ["<sip:p1;lr>, <sip:p2;lr>", "<sip:p3;lr>"]);
    assert_eq!(
        lab.registrar.bindings("alice@example.test")[0].path,
        ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]
    );
    let mut deaf = Lab::new(Config { path: false, ..open() });
    let reply = deaf.register(&mut alice, &format!("{headers}Supported: path\r\n"));
    assert_eq!((reply.find("Path"), reply.header("Supported")), (None, "outbound".to_owned()));
    assert_eq!(
        deaf.register(&mut alice, &format!("{headers}Require: path\r\n"))
            .header("Unsupported"),
        "path"
    );
}

#[test]
fn a_contact_from_elsewhere_shows_where_it_was_received_from() {
    let mut lab = Lab::new(Config { received: true, ..open() });
    let mut alice = Phone::new("alice");
    let reply = lab.register(&mut alice, "Contact: <sip:alice@10.0.0.1:5060>;received=\"sip:6.6.6.6\"\r\n");
    assert_eq!(
        reply.header("Contact"),
        "<sip:alice@10.0.0.1:5060>;expires=3600;received=\"sip:192.0.2.9:40000\""
    );
    let reply = lab.register(&mut Phone::new("bob"), CONTACT);
    assert_eq!(reply.header("Contact"), "<sip:alice@192.0.2.9:40000>;expires=3600");
}

#[test]
fn unusable_contacts_are_refused() {
    let mut lab = Lab::new(open());
    for (contact, phrase) in [
        ("<sip:a", "Malformed Contact"),
        ("<alice>", "Unusable Contact"),
        ("<sip:>", "Unusable Contact"),
        (&format!("<sip:{}@h>", "a".repeat(3000)), "Unusable Contact"),
    ] {
        let reply = lab.register(&mut Phone::new("alice"), &format!("Contact: {contact}\r\n"));
        assert_eq!((reply.code(), reply.reason()), (400, phrase.to_owned()), "{contact}");
    }
}
