//! How long Kamailio binds (RFC 3261 §10.2.1.1, §10.2.8, §10.3): what is asked, what is granted, what is said about it.

use crate::alice;
use crate::support::kamailio::{Kamailio, Setup, TooBrief};
use crate::support::run::Run;

#[test]
fn a_423_is_obeyed_and_told() {
    let kamailio = Kamailio::start(Setup {
        min_expires_s: 600,
        too_brief: TooBrief::Refused,
        ..Setup::default()
    });
    let report = Run::probe(&alice(kamailio.udp())).report().registered();
    report.holds(&[("/binding/expires_s", 600.into()), ("/binding/removal", "confirmed".into())]);
    assert!(report.finding("interval_raised").contains("600 s"), "{report}");
    assert!(
        !report.findings().contains(&"expires_lengthened"),
        "600 s were asked for in the end: {report}"
    );
}

#[test]
fn a_longer_time_than_asked_is_told() {
    let kamailio = Kamailio::start(Setup {
        min_expires_s: 600,
        ..Setup::default()
    });
    let report = Run::probe(&alice(kamailio.udp())).report().registered();
    report.holds(&[("/binding/expires_s", 600.into())]);
    assert_eq!(report.finding("expires_lengthened"), "asked for 300 s, granted 600 s");
}

#[test]
fn a_shorter_time_than_asked_is_told_and_the_wished_one_is_asked_for() {
    let kamailio = Kamailio::start(Setup {
        max_expires_s: 120,
        ..Setup::default()
    });
    let report = Run::probe(&alice(kamailio.udp())).report().registered();
    report.holds(&[("/binding/expires_s", 120.into())]);
    assert_eq!(report.finding("expires_shortened"), "asked for 300 s, granted 120 s");
    let report = Run::probe(&alice(kamailio.udp())).with(&["--expires", "100"]).report().registered();
    report.holds(&[("/binding/expires_s", 100.into())]);
    assert!(!report.findings().contains(&"expires_shortened"), "{report}");
}
