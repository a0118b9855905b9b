//! How a watch ends, with which status, and what it says about bindings that it could not remove.

use super::account;
use super::program::{Registrar, Watch};
use super::support::port;

const ALICE: &str = "sip:alice@example.test";

#[test]
fn control_c_removes_the_bindings_and_keep_leaves_them() {
    let registrar = Registrar::start(&[("alice", "secret")], &[]);
    for (words, bound) in [(&[][..], 0), (&["--keep"], 1)] {
        let mut watch = Watch::start(&account(&registrar, "alice", "secret", ""), words);
        watch.registered(ALICE);
        // `timeout` sends its signal to the program and to the group that it is in.
        watch.interrupt();
        watch.interrupt();
        let ended = watch.ended();
        assert_eq!(
            (ended.status, registrar.bound("alice")),
            (130, bound),
            "{words:?}: {}",
            ended.errors
        );
        assert_eq!(ended.errors, "");
    }
}

#[test]
fn a_second_control_c_leaves_at_once_and_says_what_may_still_be_bound() {
    let registrar = Registrar::start(&[("alice", "secret")], &["--fault", "silence;after=2"]);
    let mut watch = Watch::start(&account(&registrar, "alice", "secret", "name = \"front desk\""), &["--verbose"]);
    watch.registered("front desk");
    watch.forget();
    watch.interrupt();
    let line = watch.line("busy", "front desk");
    assert_eq!(line["state"], "AUTHENTICATING_UNREGISTER_STATE", "accepted credentials go ahead");
    watch.insist();
    let ended = watch.ended();
    assert_eq!(ended.status, 130);
    assert!(
        ended.errors.contains("1 account may still be bound:\n  front desk until 2"),
        "{}",
        ended.errors
    );
}

#[test]
fn a_removal_that_nobody_confirms_is_told_and_has_a_status_of_its_own() {
    let registrar = Registrar::start(&[("alice", "secret")], &["--fault", "silence;after=2"]);
    let mut watch = Watch::start(&account(&registrar, "alice", "secret", ""), &["--timeout", "1s"]);
    watch.registered(ALICE);
    let ended = watch.terminate();
    assert_eq!(ended.status, 1, "{}", ended.errors);
    assert!(ended.errors.contains("may still be bound"), "{}", ended.errors);
    let last = ended.lines.last().unwrap();
    assert_eq!(
        (&last["event"], &last["may_be_bound"], &last["cause"]),
        (&"removed".into(), &true.into(), &"no_reply".into())
    );
}

#[test]
fn a_list_that_cannot_be_used_at_the_start_sends_nothing() {
    let (socket, silent) = port::black_hole();
    socket.set_nonblocking(true).unwrap();
    let good = format!("[[account]]\naor = \"sip:alice@{silent}\"\n");
    for (list, fragments) in [
        (String::new(), &["list.toml", "holds no account"][..]),
        (good.clone() + &good, &["list.toml:3", "is already on line 1"]),
        (good.clone() + "pasword = \"x\"\n", &["list.toml:3", "pasword"]),
    ] {
        let ended = Watch::start(&list, &[]).ended();
        assert_eq!((ended.status, ended.lines.len()), (2, 0), "{list}: {}", ended.errors);
        assert!(
            fragments.iter().all(|fragment| ended.errors.contains(fragment)),
            "{list}: {}",
            ended.errors
        );
    }
    assert!(socket.recv(&mut [0; 2048]).is_err(), "something was sent");
}
