//! Credentials that are refused are not tried again before somebody acts; and no secret is in any output.

use super::account;
use super::program::{Registrar, Watch};
use super::support::secrets::assert_clean;

const ALICE: &str = "sip:alice@example.test";
const CANARY: &str = "c4nary p@ss/w0rd";

#[test]
fn a_wrong_password_waits_for_the_operator_and_a_new_one_is_used() {
    let registrar = Registrar::start(&[("alice", "secret"), ("bob", "secret")], &["--min-expires", "1"]);
    let bob = account(&registrar, "bob", "secret", "expires = 2");
    let mut watch = Watch::start(
        &(account(&registrar, "alice", "wrong", "") + &bob),
        &["--verbose", "--retry", "100ms"],
    );
    let failed = watch.failed(ALICE, "wrong_credentials");
    assert_eq!((&failed["state_code"], &failed["waits_for_operator"]), (&6.into(), &true.into()));
    assert!(failed["next_at"].is_null() && failed["advice"].is_string(), "{failed}");
    let tries = registrar.requests("alice");
    // While another account is refreshed twice, nothing is sent for this one, although failures are tried again soon.
    watch.line("unchanged", "sip:bob@example.test");
    watch.line("unchanged", "sip:bob@example.test");
    assert_eq!(registrar.requests("alice"), tries, "{}", registrar.log());
    watch.reread(&(account(&registrar, "alice", "secret", "") + &bob));
    watch.registered(ALICE);
    assert_eq!((watch.terminate().status, registrar.bound("alice")), (0, 0));
}

#[test]
fn no_secret_is_in_any_output() {
    let registrar = Registrar::start(&[("alice", CANARY), ("bob", "another")], &[]);
    let list = account(&registrar, "alice", CANARY, "") + &account(&registrar, "bob", CANARY, "");
    let mut watch = Watch::start(&list, &["--verbose"]);
    watch.registered(ALICE);
    watch.failed("sip:bob@example.test", "wrong_credentials");
    for broken in [
        list.clone() + &list,
        list.clone() + "[[account]]\npassword = 5\n",
        format!("{list}[[account]]\naor = \"sip:a:{CANARY}@h\"\n"),
        format!("{list}password = \"{CANARY}\n"),
    ] {
        assert!(watch.reread(&broken).contains("nothing is changed"));
    }
    let ended = watch.terminate();
    assert_eq!(ended.status, 0, "{}", ended.errors);
    let lines: String = ended.lines.iter().map(ToString::to_string).collect();
    assert_clean("watch", &(lines + &ended.errors + &registrar.log()), &[CANARY]);
}

#[test]
fn a_secret_may_stand_in_the_environment_or_in_a_file() {
    let registrar = Registrar::start(&[("alice", "secret")], &[]);
    let list = account(&registrar, "alice", "", "").replace("password = \"\"", "password_env = \"SECRET\"");
    let mut watch = Watch::start(&list, &[]);
    watch.registered(ALICE);
    assert_eq!((watch.terminate().status, registrar.bound("alice")), (0, 0));
}
