//! Each provider's word in each situation, held to the verdict that is right for it. The provider's API answers for a real client, and
//! the probe looks at the real registrar, whose bindings have to be the same afterwards.

use std::sync::Mutex;

use serde_json::Value;

use crate::at_once;
use crate::provider::Provider;
use crate::situation::{Situation, Stage};
use crate::support::run::Reported;

/// A verdict in its own words: state claimed, verdict, reason, evidence, service, and the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found<'a> {
    claimed: &'a str,
    outcome: &'a str,
    reason: &'a str,
    evidence: &'a str,
    service: &'a str,
    status: i32,
}

impl<'a> Found<'a> {
    fn in_report(report: &'a Reported, provider: Provider) -> Self {
        let own = |answer: &&Value| answer["source"] == provider.source();
        let claimed = report["/answers"].as_array().and_then(|answers| answers.iter().rfind(own));
        Self {
            claimed: claimed.and_then(|answer| answer["word"]["state"].as_str()).unwrap_or("nothing"),
            outcome: report.text("/verdict/outcome"),
            reason: report.text("/verdict/reason"),
            evidence: report.text("/verdict/evidence"),
            service: report.text("/verdict/service"),
            status: report.status,
        }
    }
}

/// The provider is right.
const fn agree<'a>(claimed: &'a str, reason: &'a str, evidence: &'a str, service: &'a str) -> Found<'a> {
    Found {
        claimed,
        outcome: "agree",
        reason,
        evidence,
        service,
        status: 0,
    }
}

/// The provider is wrong, and no call arrives.
const fn disagree<'a>(claimed: &'a str, reason: &'a str, evidence: &'a str) -> Found<'a> {
    Found {
        claimed,
        outcome: "disagree",
        reason,
        evidence,
        service: "down",
        status: 1,
    }
}

/// Nobody can say.
const fn inconclusive<'a>(claimed: &'a str, reason: &'a str, evidence: &'a str) -> Found<'a> {
    Found {
        claimed,
        outcome: "inconclusive",
        reason,
        evidence,
        service: "unknown",
        status: 3,
    }
}

/// What has to come out when the probe has the account's own password.
fn expected(provider: Provider, situation: Situation) -> Found<'static> {
    // Kamailio tells no reason of a failure, Telnyx none of a registrar that is silent, Bitrix24 not that a line is switched off.
    let tells_reasons = provider != Provider::Kamailio;
    let off = if provider == Provider::Bitrix24 {
        "not_registered"
    } else {
        "disabled"
    };
    match situation {
        Situation::Healthy | Situation::Refreshing => agree("registered", "registered", "E3", "up"),
        // The probe's password is right, so whoever says "wrong password" has another one.
        Situation::WrongPassword | Situation::GivenUp if tells_reasons => disagree("wrong_credentials", "reason_mismatch", "E1"),
        Situation::WrongPassword | Situation::GivenUp => agree("failed", "down", "E1", "down"),
        Situation::UnknownUser if tells_reasons => agree("registrar_error", "reason_matches", "E0", "down"),
        Situation::UnknownUser => agree("failed", "down", "E0", "down"),
        Situation::DeadRegistrar => match provider {
            Provider::Kamailio | Provider::Telnyx => agree("failed", "down", "None", "down"),
            Provider::Telzino | Provider::Bitrix24 => agree("timeout", "reason_matches", "None", "down"),
        },
        Situation::DiedLater => inconclusive("registered", "probe_unreachable", "None"),
        Situation::Unregistered if provider == Provider::Kamailio => agree("not_registered", "down", "E1", "down"),
        Situation::Disabled | Situation::Unregistered => agree(off, "down", "E1", "down"),
        // Telnyx names the Contact of a registration only; the others are told here whose it has to be, or say it themselves.
        Situation::SwitchedOff if provider == Provider::Telnyx => inconclusive(off, "contact_unmatchable", "E2"),
        Situation::SwitchedOff => inconclusive(off, "orphan_binding", "E3"),
        Situation::Removed | Situation::Restarted => disagree("registered", "false_positive_unbound", "E1"),
        Situation::Displaced => disagree("registered", "displaced", "E2"),
    }
}

/// What is wrong in a situation: a line for each verdict that is not the right one.
fn wrong(situation: Situation) -> Vec<String> {
    let stage = Stage::set(situation);
    let before = stage.bound();
    stage.shows(situation);
    let wrong = Mutex::new(Vec::new());
    at_once(&Provider::ALL, |&provider| {
        let report = provider.verify(&stage, situation, &["--grace", "200ms", "--timeout", "500ms"]);
        report.holds(&[("/role", "client".into()), ("/interrupted", false.into())]);
        let (found, expected) = (Found::in_report(&report, provider), expected(provider, situation));
        if found != expected {
            let verdict = &report["/verdict"];
            let line = format!("{situation:?}, {provider:?}: expected {expected:?}, found {found:?}: {verdict}");
            wrong.lock().unwrap().push(line);
        }
    });
    if situation != Situation::Refreshing {
        assert_eq!(stage.bound(), before, "{situation:?}: a verification changes nothing");
    }
    wrong.into_inner().unwrap()
}

#[test]
fn every_provider_is_told_right_in_every_situation() {
    let all = Mutex::new(Vec::new());
    at_once(&Situation::ALL, |&situation| {
        let found = wrong(situation);
        all.lock().unwrap().extend(found);
    });
    let all = all.into_inner().unwrap();
    assert!(all.is_empty(), "{}", all.join("\n\n"));
}
