//! `--mode register` against the registrars of the field: those that take a further Contact, those that are full, and those that throw
//! the others out. What it does there is held against the registrar's own table.

use serde_json::{Value, json};

use crate::at_once;
use crate::provider::Provider;
use crate::situation::{Situation, Stage};
use crate::support::kamailio::{Save, Setup};
use crate::support::run::Reported;

/// Verifies with consent to bind a Contact of our own.
fn register(stage: &Stage, situation: Situation, words: &[&str]) -> Reported {
    let words = [&["--mode", "register", "--grace", "200ms"], words].concat();
    Provider::Kamailio.verify(stage, situation, &words)
}

fn contacts(report: &Reported, list: &str) -> Vec<String> {
    let contacts = report.strings(&format!("/self_test/{list}"), "contact");
    contacts.into_iter().map(str::to_owned).collect()
}

#[test]
fn whoever_is_bound_is_left_alone_without_the_word_displacement() {
    at_once(&[Setup::default(), full(), alone()], |setup| {
        let stage = Stage::registered_at(setup.clone());
        let before = stage.bound();
        let report = register(&stage, Situation::Healthy, &[]);
        report.holds(&[("/self_test/outcome", "declined".into()), ("/self_test/contact", Value::Null)]);
        assert_eq!(contacts(&report, "before"), [stage.contact()]);
        report.holds(&[("/verdict/outcome", "agree".into()), ("/verdict/reason", "registered".into())]);
        assert_eq!((report.status, stage.bound()), (0, before));
    });
}

#[test]
fn a_registrar_that_takes_a_further_contact_shows_that_nobody_is_harmed() {
    let stage = Stage::registered_at(Setup::default());
    let before = stage.bound();
    let report = register(&stage, Situation::Healthy, &["--allow-displacement"]);
    report.holds(&[
        ("/self_test/outcome", "harmless".into()),
        ("/self_test/removal", "confirmed".into()),
        ("/self_test/lists_bindings", true.into()),
        ("/self_test/displaced", json!([])),
        ("/self_test/lost", json!([])),
        ("/verdict/reason", "registered".into()),
    ]);
    let ours = report.text("/self_test/contact");
    assert!(
        !ours.contains("trunk1") && !ours.contains("alice"),
        "a Contact that is nobody else's: {ours}"
    );
    assert_eq!(contacts(&report, "during"), [stage.contact()]);
    assert_eq!(contacts(&report, "after"), [stage.contact()]);
    assert_eq!((report.status, stage.bound()), (0, before));
}

#[test]
fn a_registrar_that_is_full_binds_nothing_and_loses_nothing() {
    let stage = Stage::registered_at(full());
    let before = stage.bound();
    let report = register(&stage, Situation::Healthy, &["--allow-displacement"]);
    report.holds(&[
        ("/self_test/outcome", "not_bound".into()),
        ("/self_test/lost", json!([])),
        ("/verdict/reason", "registered".into()),
    ]);
    assert!(report.text("/self_test/detail").contains("503"), "{report}");
    assert_eq!((report.status, stage.bound()), (0, before));
}

#[test]
fn a_registrar_that_keeps_the_last_contact_only_is_found_out_and_the_loss_is_reported() {
    let stage = Stage::registered_at(alone());
    let (_, run) = Provider::Kamailio.asked(&stage, Situation::Healthy);
    let run = run.with(&["--mode", "register", "--allow-displacement", "--grace", "200ms"]);
    let (report, warnings) = run.verified_with_warnings();
    assert_eq!(
        warnings,
        format!("warning: the registrar threw out {}\n", stage.contact()),
        "at once, and in words"
    );
    report.holds(&[
        ("/self_test/outcome", "displaced".into()),
        ("/self_test/removal", "confirmed".into()),
        ("/self_test/during", json!([])),
        ("/self_test/after", json!([])),
    ]);
    assert_eq!(contacts(&report, "displaced"), [stage.contact()]);
    assert_eq!(contacts(&report, "lost"), [stage.contact()]);
    // Only the registrar did that; nothing of the provider's was removed by us, and nothing of ours is left.
    assert_eq!(stage.registrar().unwrap().contacts(&stage.trunk.user), [""; 0]);
}

#[test]
fn a_line_that_the_test_itself_took_down_is_not_called_up() {
    let cases = [("human", 0, "AGREE  registered (the line is down"), ("nagios", 2, "SIP CRITICAL")];
    at_once(&cases, |&(output, status, words)| {
        let stage = Stage::registered_at(alone());
        let (_, run) = Provider::Kamailio.asked(&stage, Situation::Healthy);
        let run = run.with(&["--mode", "register", "--allow-displacement", "--output", output]);
        let printed = run.printed();
        assert_eq!(printed.status, status, "the claim was true: {printed:?}");
        assert!(printed.output.contains(words), "{printed:?}");
    });
}

#[test]
fn an_empty_account_is_tried_without_a_further_word_and_is_empty_again() {
    let stage = Stage::set(Situation::Removed);
    let report = register(&stage, Situation::Removed, &[]);
    report.holds(&[
        ("/self_test/outcome", "harmless".into()),
        ("/self_test/removal", "confirmed".into()),
        ("/self_test/lists_bindings", true.into()),
        ("/verdict/outcome", "disagree".into()),
        ("/verdict/reason", "false_positive_unbound".into()),
    ]);
    assert_eq!((report.status, stage.bound()), (1, Some(Vec::new())));
}

/// One Contact for each AOR, and 503 for a further one.
fn full() -> Setup {
    Setup {
        max_contacts: Some(1),
        ..Setup::default()
    }
}

/// One Contact for each AOR, and the last one wins.
fn alone() -> Setup {
    Setup {
        save: Save::Alone,
        ..Setup::default()
    }
}
