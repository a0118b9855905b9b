//! Who may register what: credentials, nonces, 403 and 404, through the public interface.

use std::time::Duration;

use sip_digest::{Algorithm, Qop, Secret};
use sip_message::AuthenticationInfo;
use sip_registrar::{Config, User};

use crate::laboratory::{CONTACT, Lab, Phone, config, credentials, open, password};

#[test]
fn every_algorithm_and_protection_can_be_asked_for() {
    for algorithm in Algorithm::ALL {
        for qop in [vec![], vec![Qop::Auth], vec![Qop::AuthInt], vec![Qop::Auth, Qop::AuthInt]] {
            let asked = Config {
                algorithms: vec![algorithm],
                qop: qop.clone(),
                opaque: Some("a, \"b\"".to_owned()),
                userhash: algorithm == Algorithm::Sha256,
                ..config()
            };
            let mut lab = Lab::new(asked);
            let mut alice = Phone::new("alice");
            assert_eq!(lab.register_with(&mut alice, "secret", CONTACT).code(), 200, "{algorithm} {qop:?}");
            assert_eq!(lab.register_with(&mut alice, "wrong", CONTACT).code(), 401, "{algorithm} {qop:?}");
        }
    }
}

#[test]
fn a_proxy_asks_with_407() {
    let mut lab = Lab::new(Config {
        proxy_auth: true,
        ..config()
    });
    let mut alice = Phone::new("alice");
    let challenge = lab.register(&mut alice, CONTACT);
    assert_eq!((challenge.code(), challenge.find("WWW-Authenticate")), (407, None));
    assert_eq!(challenge.all("Proxy-Authenticate").len(), 2);
    assert_eq!(lab.answer(&mut alice, &challenge, "secret", CONTACT).code(), 200);
}

#[test]
fn wrong_credentials_are_challenged_again_with_a_new_nonce_and_without_stale() {
    let mut lab = Lab::new(config());
    let mut alice = Phone::new("alice");
    let first = lab.register(&mut alice, CONTACT);
    let second = lab.answer(&mut alice, &first, "wrong", CONTACT);
    assert_eq!(second.code(), 401);
    assert_ne!(first.header("WWW-Authenticate"), second.header("WWW-Authenticate"));
    assert!(!second.header("WWW-Authenticate").contains("stale"));
    assert_eq!(lab.registrar.counters().wrong_credentials, 1);
    assert_eq!(lab.events()[1].note, "wrong digest");

    let mut stranger = Phone {
        auth_user: "mallory",
        ..alice
    };
    assert_eq!(lab.register_with(&mut stranger, "secret", CONTACT).code(), 401);
    assert_eq!(lab.events()[1].note, "credentials of another user");
}

#[test]
fn a_nonce_is_stale_after_its_lifetime() {
    let mut lab = Lab::new(Config {
        nonce_lifetime: Duration::from_secs(10),
        ..config()
    });
    let mut alice = Phone::new("alice");
    let challenge = lab.register(&mut alice, CONTACT);
    lab.wait(Duration::from_secs(10));
    let stale = lab.answer(&mut alice, &challenge, "secret", CONTACT);
    assert_eq!(stale.code(), 401);
    assert!(stale.header("WWW-Authenticate").contains("stale=true"));
    assert_eq!(lab.answer(&mut alice, &stale, "secret", CONTACT).code(), 200);
    // Only who knows the password is told that the nonce was at fault.
    lab.wait(Duration::from_secs(10));
    let wrong = lab.answer(&mut alice, &stale, "wrong", CONTACT);
    assert!(!wrong.header("WWW-Authenticate").contains("stale"));
}

#[test]
fn credentials_can_not_be_replayed_but_their_count_may_grow() {
    let mut lab = Lab::new(config());
    let mut alice = Phone::new("alice");
    let challenge = lab.register(&mut alice, CONTACT);
    let once = credentials(&alice, &challenge, "secret", 1);
    let twice = credentials(&alice, &challenge, "secret", 2);
    assert_eq!(lab.register(&mut alice, &format!("{once}{CONTACT}")).code(), 200);
    let replayed = lab.register(&mut alice, &format!("{once}{CONTACT}"));
    assert_eq!(replayed.code(), 401);
    assert!(replayed.header("WWW-Authenticate").contains("stale=true"));
    assert_eq!(lab.register(&mut alice, &format!("{twice}{CONTACT}")).code(), 200);
}

#[test]
fn nobody_registers_somebody_elses_address() {
    let mut lab = Lab::new(config());
    let mut bob = Phone {
        auth_user: "alice",
        ..Phone::new("bob")
    };
    assert_eq!(lab.register_with(&mut bob, "secret", CONTACT).code(), 403);
    let mut nobody = Phone {
        auth_user: "alice",
        ..Phone::new("nobody")
    };
    assert_eq!(lab.register_with(&mut nobody, "secret", CONTACT).code(), 404);
    assert_eq!(lab.registrar.bindings("bob@example.test"), []);
}

#[test]
fn unknown_addresses_and_domains_are_not_found() {
    let mut lab = Lab::new(open());
    assert_eq!(lab.register(&mut Phone::new("nobody"), CONTACT).code(), 404);
    let mut elsewhere = Lab::new(Config {
        domains: vec!["Other.Test".to_owned()],
        unknown_before_challenge: true,
        ..config()
    });
    assert_eq!(elsewhere.register(&mut Phone::new("alice"), CONTACT).code(), 404);
    let request = elsewhere.request(&mut Phone::new("alice"), CONTACT);
    let request = request.replace("To: <sip:alice@example.test>", "To: <sip:alice@other.test>");
    assert_eq!(elsewhere.ask(request.replace("bK2", "bK3")).code(), 401);
}

#[test]
fn any_user_with_the_common_password_may_register_its_own_address() {
    let mut lab = Lab::new(Config {
        any_user: Some(password("common")),
        ..config()
    });
    assert_eq!(lab.register_with(&mut Phone::new("u1234"), "common", CONTACT).code(), 200);
    assert_eq!(lab.register_with(&mut Phone::new("u1234"), "secret", CONTACT).code(), 401);
    assert_eq!(lab.register_with(&mut Phone::new("alice"), "common", CONTACT).code(), 401);
}

#[test]
fn an_ha1_serves_for_its_hash() {
    let hex = "cc0140d97f2b011fee9f86aa26b63fc472268267b652dcea0675e15d9da92468";
    let alice = User::new("alice", Secret::ha1(Algorithm::Sha256, hex).unwrap());
    let mut lab = Lab::new(Config {
        users: vec![alice],
        ..config()
    });
    assert_eq!(lab.register_with(&mut Phone::new("alice"), "secret", CONTACT).code(), 200);
}

#[test]
fn the_registrar_proves_that_it_knows_the_secret_too() {
    let mut lab = Lab::new(Config {
        rspauth: true,
        next_nonce: true,
        ..config()
    });
    let mut alice = Phone::new("alice");
    let reply = lab.register_with(&mut alice, "secret", CONTACT);
    let value = reply.header("Authentication-Info");
    let info = AuthenticationInfo::parse(value.as_bytes()).unwrap();
    assert_eq!(info.param(b"rspauth").map(<[u8]>::len), Some(64));
    assert_eq!(info.param(b"nextnonce").map(<[u8]>::len), Some(32));
    let plain = Lab::new(config()).register_with(&mut alice, "secret", CONTACT);
    assert_eq!((plain.code(), plain.find("Authentication-Info")), (200, None));
}

#[test]
fn unreadable_credentials_are_a_bad_request_and_other_realms_are_passed_over() {
    let mut lab = Lab::new(config());
    let mut alice = Phone::new("alice");
    let reply = lab.register(&mut alice, "Authorization: Digest realm=\"open\r\n");
    assert_eq!((reply.code(), reply.reason()), (400, "Malformed Credentials".to_owned()));
    let challenge = lab.register(&mut alice, "Authorization: Digest realm=\"other\", response=\"1\"\r\n");
    assert_eq!(challenge.code(), 401);
    let reply = lab.answer(
        &mut alice,
        &challenge,
        "secret",
        &format!("Authorization: Digest realm=\"other\"\r\n{CONTACT}"),
    );
    assert_eq!(reply.code(), 200);
    assert_eq!(lab.register(&mut alice, "Authorization: Basic YWxpY2U6c2VjcmV0\r\n").code(), 401);
}

#[test]
fn equal_seeds_give_equal_nonces_and_no_two_are_the_same() {
    let nonces = || {
        let mut lab = Lab::new(config());
        let mut alice = Phone::new("alice");
        [0; 3].map(|_| lab.register(&mut alice, CONTACT).header("WWW-Authenticate"))
    };
    let (left, right) = (nonces(), nonces());
    assert_eq!(left, right);
    assert!(left[0] != left[1] && left[1] != left[2] && left[0] != left[2]);
}

#[test]
fn debug_shows_no_secret() {
    let lab = Lab::new(config());
    assert!(!format!("{:?}", lab.registrar).contains("hunter2"));
}

#[test]
fn a_proxy_in_front_and_the_registrar_are_both_to_be_answered() {
    let mut lab = Lab::new(Config {
        edge_realm: Some("edge.test".to_owned()),
        ..config()
    });
    let mut alice = Phone::new("alice");
    let edge = lab.register(&mut alice, CONTACT);
    assert_eq!(edge.code(), 407);
    assert!(edge.header("Proxy-Authenticate").contains("realm=\"edge.test\""));
    let registrar = lab.answer(&mut alice, &edge, "secret", CONTACT);
    assert_eq!((registrar.code(), registrar.find("Proxy-Authenticate")), (401, None));
    let both = credentials(&alice, &edge, "secret", 2) + &credentials(&alice, &registrar, "secret", 1);
    assert_eq!(lab.register(&mut alice, &format!("{both}{CONTACT}")).code(), 200);
    let alone = credentials(&alice, &registrar, "secret", 2);
    assert_eq!(lab.register(&mut alice, &format!("{alone}{CONTACT}")).code(), 407);
}

#[test]
fn credentials_for_another_request_uri_are_wrong() {
    let mut lab = Lab::new(config());
    let mut alice = Phone::new("alice");
    let challenge = lab.register(&mut alice, CONTACT);
    let credentials = credentials(&alice, &challenge, "secret", 1);
    let request = lab.request(&mut alice, &format!("{credentials}{CONTACT}"));
    let elsewhere = request.replace("REGISTER sip:example.test ", "REGISTER sip:other.test ");
    assert_eq!(lab.ask(elsewhere).code(), 401);
    assert_eq!(lab.events()[1].note, "credentials for another URI");
    assert_eq!(
        lab.ask(
            request
                .replace("z9hG4bK2", "z9hG4bK3")
                .replace("REGISTER sip:example", "REGISTER sip:EXAMPLE")
        )
        .code(),
        200
    );
}
