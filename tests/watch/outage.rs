//! Registrars that go away and come back, and those that are not there at all.

use super::account;
use super::program::{Registrar, Watch};

const ALICE: &str = "sip:alice@example.test";

#[test]
fn a_registrar_that_comes_back_finds_its_accounts_registered_again() {
    for transport in ["udp", "tcp"] {
        let registrar = Registrar::start(&[("alice", "secret")], &["--min-expires", "1", "--max-expires", "2"]);
        let list = account(&registrar, "alice", "secret", &format!("transport = \"{transport}\""));
        let mut watch = Watch::start(&list, &["--retry", "200ms"]);
        watch.registered(ALICE);
        watch.forget();
        let gone = registrar.kill();
        let cause = if transport == "udp" { "unreachable" } else { "connection_refused" };
        let failed = watch.failed(ALICE, cause);
        assert!(failed["next_at"].is_string() && failed["failures"].as_u64() >= Some(1), "{failed}");
        let registrar = gone.comes_back();
        watch.registered(ALICE);
        assert_eq!((watch.terminate().status, registrar.bound("alice")), (0, 0), "{transport}");
    }
}

#[test]
fn retry_after_is_obeyed() {
    let registrar = Registrar::start(&[("alice", "secret")], &["--fault", "status=503;retry-after=3600"]);
    let mut watch = Watch::start(&account(&registrar, "alice", "secret", ""), &["--retry", "100ms"]);
    let failed = watch.failed(ALICE, "overloaded");
    let at = |key: &str| failed[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(at("next_at").duration_since(at("time")).as_secs() >= 3000, "{failed}");
    assert_eq!(watch.terminate().status, 0);
}

#[test]
fn keep_alives_are_sent_between_refreshes_when_asked_for() {
    let registrar = Registrar::start(&[("alice", "secret")], &[]);
    let words = ["--keep-alive", "options", "--keep-alive-interval", "1s"];
    let mut watch = Watch::start(&account(&registrar, "alice", "secret", ""), &words);
    watch.registered(ALICE);
    super::support::wait::await_that(|| registrar.log().contains(" OPTIONS sip:"));
    assert_eq!((watch.terminate().status, registrar.bound("alice")), (0, 0));
}
