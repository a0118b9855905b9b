//! TCP connections whose other end is gone without a word, under a watch: its host is cut off, or has been rebooted.

use crate::way::{Fault, Way};

const ALICE: &str = "sip:alice@example.test";
const BRIEF: [&str; 4] = ["--min-expires", "1", "--max-expires", "2"];

#[test]
fn a_connection_that_nobody_acknowledges_is_lost_and_one_that_is_acknowledged_and_not_answered_is_silent() {
    Way::each("tcp", &BRIEF, |way| {
        let mut watch = way.watch(&["--retry", "200ms", "--timeout", "2s"]);
        watch.registered(ALICE);
        watch.forget();
        way.break_by(Fault::Silence);
        // The proxy's kernel acknowledges what the proxy throws away.
        let failed = if way.is_wired() {
            let failed = watch.failed(ALICE, "connection_lost");
            let detail = failed["detail"].as_str().unwrap();
            assert!(detail.contains("its host does not acknowledge what we send"), "{failed}");
            failed
        } else {
            watch.failed(ALICE, "no_reply")
        };
        assert!(failed["next_at"].is_string(), "{failed}");
        way.mend(Fault::Silence);
        watch.registered(ALICE);
        let ended = watch.terminate();
        assert_eq!((ended.status, way.registrar.bound("alice")), (0, 0), "{}", ended.errors);
    });
}

#[test]
fn a_host_that_was_rebooted_resets_what_comes_next_and_finds_the_account_registered_again() {
    Way::each("tcp", &BRIEF, |way| {
        let mut watch = way.watch(&["--retry", "200ms", "--timeout", "6s"]);
        watch.registered(ALICE);
        watch.forget();
        way.reboot(&BRIEF);
        let failed = watch.failed(ALICE, "connection_lost");
        assert!(failed["detail"].as_str().unwrap().contains("it was reset"), "{failed}");
        watch.registered(ALICE);
        let ended = watch.terminate();
        assert_eq!((ended.status, way.registrar.bound("alice")), (0, 0), "{}", ended.errors);
    });
}

#[test]
fn a_way_that_is_cut_under_a_request_that_has_arrived_is_a_silence() {
    Way::each("tcp", &["--fault", "delay=5s"], |way| {
        let running = way.probe(&["--timeout", "1500ms"]).start();
        crate::support::wait::await_that(|| way.registrar.requests("alice") >= 1);
        way.break_by(Fault::Silence);
        running.report().failed("no_reply", 4).holds(&[("/retransmissions", 0.into())]);
    });
}
