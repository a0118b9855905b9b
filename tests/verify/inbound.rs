//! `--check-inbound`: an OPTIONS to the AOR, through the registrar, that arrives where the registrar says that somebody is bound.

use crate::provider::Provider;
use crate::situation::{Situation, Stage};
use crate::support::port;

#[test]
fn an_options_to_the_aor_reaches_the_provider_through_its_binding() {
    let stage = Stage::set(Situation::Healthy);
    let before = stage.bound();
    let report = Provider::Kamailio.verify(&stage, Situation::Healthy, &["--check-inbound", "--own-binding"]);
    report.holds(&[
        ("/inbound/outcome", "answered".into()),
        ("/inbound/code", 200.into()),
        ("/verdict/evidence", "E5".into()),
        ("/verdict/reason", "registered".into()),
    ]);
    assert_eq!((report.status, stage.bound()), (0, before));
}

#[test]
fn an_options_to_the_aor_arrives_at_a_contact_of_our_own() {
    let stage = Stage::set(Situation::Removed);
    let words = ["--check-inbound", "--mode", "register", "--grace", "200ms"];
    let report = Provider::Kamailio.verify(&stage, Situation::Removed, &words);
    report.holds(&[
        ("/inbound/outcome", "arrived".into()),
        ("/inbound/code", 200.into()),
        ("/verdict/reason", "false_positive_unbound".into()),
    ]);
    assert_eq!((report.status, stage.bound()), (1, Some(Vec::new())));
}

#[test]
fn an_options_to_the_aor_reaches_nobody_where_a_dead_device_is_bound() {
    let stage = Stage::set(Situation::Removed);
    let (_dead, address) = port::black_hole();
    stage.registrar().unwrap().bind(&stage.trunk.user, &format!("sip:alice@{address}"));
    let words = ["--check-inbound", "--own-binding", "--grace", "200ms", "--timeout", "400ms"];
    let report = Provider::Kamailio.verify(&stage, Situation::Removed, &words);
    report.holds(&[
        ("/inbound/outcome", "not_reached".into()),
        ("/verdict/evidence", "E2".into()),
        ("/verdict/reason", "displaced".into()),
    ]);
}
