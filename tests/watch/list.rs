//! SIGHUP: the list is read again, and only what differs in it is touched.

use super::account;
use super::program::{Registrar, Watch};

const ALICE: &str = "sip:alice@example.test";
const BOB: &str = "sip:bob@example.test";
const CAROL: &str = "sip:carol@example.test";

fn office() -> Registrar {
    Registrar::start(&[("alice", "secret"), ("bob", "secret"), ("carol", "secret")], &[])
}

#[test]
fn accounts_come_and_go_and_nothing_is_sent_for_the_others() {
    let registrar = office();
    let (alice, bob, carol) = (
        account(&registrar, "alice", "secret", ""),
        account(&registrar, "bob", "secret", ""),
        account(&registrar, "carol", "secret", ""),
    );
    let mut watch = Watch::start(&(alice.clone() + &bob), &[]);
    watch.registered(ALICE);
    watch.registered(BOB);
    let before = registrar.requests("alice");
    let said = watch.reread(&(carol + &alice));
    assert!(said.contains("1 account unchanged, 0 changed, 1 new, 1 gone"), "{said}");
    let removed = watch.line("removed", BOB);
    assert_eq!((&removed["may_be_bound"], registrar.bound("bob")), (&false.into(), 0));
    watch.registered(CAROL);
    assert_eq!(registrar.requests("alice"), before, "{}", registrar.log());
    let ended = watch.terminate();
    assert_eq!((ended.status, registrar.bound("alice"), registrar.bound("carol")), (0, 0, 0));
}

#[test]
fn what_is_bound_changes_one_after_the_other() {
    let registrar = office();
    let mut watch = Watch::start(&account(&registrar, "alice", "secret", "name = \"desk\""), &[]);
    watch.registered("desk");
    watch.forget();
    let said = watch.reread(&account(&registrar, "bob", "secret", "name = \"desk\""));
    assert!(said.contains("0 accounts unchanged, 1 changed, 0 new, 0 gone"), "{said}");
    let registered = watch.registered("desk");
    assert_eq!(registered["aor"], BOB);
    assert_eq!((registrar.bound("alice"), registrar.bound("bob")), (0, 1));
    assert_eq!((watch.terminate().status, registrar.bound("bob")), (0, 0));
}

#[test]
fn a_list_that_cannot_be_used_changes_nothing_and_says_why() {
    let registrar = office();
    let alice = account(&registrar, "alice", "secret", "");
    let mut watch = Watch::start(&alice, &[]);
    watch.registered(ALICE);
    let (lines, requests) = (watch.lines(), registrar.requests("alice"));
    for (list, fragments) in [
        (String::new(), &["nothing is changed", "holds no account"][..]),
        ("[[account]\n".to_owned(), &["nothing is changed", "list.toml:1:"]),
        (
            "[[account]]\naor = \"alice\"\n".to_owned(),
            &["nothing is changed", "list.toml:2:", "USER@DOMAIN"],
        ),
        (
            alice.clone() + &alice,
            &["nothing is changed", "list.toml:6: sip:alice@example.test is already on line 1"],
        ),
    ] {
        let said = watch.reread(&list);
        assert!(fragments.iter().all(|fragment| said.contains(fragment)), "{list}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
    assert_eq!((watch.lines(), registrar.requests("alice")), (lines, requests));
    assert_eq!((watch.terminate().status, registrar.bound("alice")), (0, 0));
}

#[test]
fn an_account_that_is_taken_back_while_it_leaves_is_registered_again() {
    let registrar = office();
    let (alice, bob) = (account(&registrar, "alice", "secret", ""), account(&registrar, "bob", "secret", ""));
    let mut watch = Watch::start(&(alice.clone() + &bob), &[]);
    watch.registered(ALICE);
    watch.registered(BOB);
    watch.reread(&alice);
    watch.reread(&(alice + &bob));
    // Whether it was gone by then or not: in the end it is there.
    super::support::wait::await_that(|| registrar.bound("bob") == 1 && registrar.log().contains("bob@example.test: 200, 0 bound"));
    assert_eq!((watch.terminate().status, registrar.bound("bob")), (0, 0));
}

#[test]
fn new_values_are_registered_without_a_removal_and_another_way_with_one() {
    let registrar = office();
    let mut watch = Watch::start(&account(&registrar, "alice", "secret", ""), &["--verbose"]);
    watch.registered(ALICE);
    watch.forget();
    let said = watch.reread(&account(&registrar, "alice", "secret", "expires = 600"));
    assert!(said.contains("0 accounts unchanged, 1 changed, 0 new, 0 gone"), "{said}");
    let refreshed = watch.line("unchanged", ALICE);
    let at = |key: &str| refreshed[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(at("valid_until").duration_since(at("time")).as_secs() <= 600, "{refreshed}");
    assert!(!registrar.log().contains("200, 0 bound"), "{}", registrar.log());
    watch.reread(&account(&registrar, "alice", "secret", "expires = 600\ntransport = \"tcp\""));
    super::support::wait::await_that(|| registrar.log().contains("200, 0 bound") && registrar.bound("alice") == 1);
    assert_eq!((watch.terminate().status, registrar.bound("alice")), (0, 0));
}
