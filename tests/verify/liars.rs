//! APIs that do not say what their client believes: outdated, mistaken, about somebody else, or not at all. And probes that cannot see.
//! The client and the registrar are as real as elsewhere.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::at_once;
use crate::provider::Provider;
use crate::situation::{Situation, Stage, TRUNK};
use crate::support::api::Reply;
use crate::support::http::Message;
use crate::support::run::Reported;

/// A verdict, its reason, and the exit status.
type Verdict = (&'static str, &'static str, i32);

fn hold(report: &Reported, (outcome, reason, status): Verdict) {
    report.holds(&[("/verdict/outcome", outcome.into()), ("/verdict/reason", reason.into())]);
    assert_eq!(report.status, status, "{report}");
}

/// What an API that is altered like this brings out in a situation.
struct Lie {
    situation: Situation,
    provider: Provider,
    alter: fn(&Message, &mut Reply),
    verdict: Verdict,
}

const LIES: [Lie; 12] = [
    // The binding is there and being refreshed, and the API has not noticed.
    Lie {
        situation: Situation::Refreshing,
        provider: Provider::Telnyx,
        alter: |request, (_, body)| {
            if request.start.contains("/sip_registration_status?") {
                body["registered"] = false.into();
                body["sip_registration_status"] = "failed".into();
                body["last_registration_response"] = Value::Null;
                body["sip_registration_details"] = json!({"auth_retries": 0, "failures": 3});
            } else {
                body["data"]["registration_status"] = "Failed".into();
            }
        },
        verdict: ("disagree", "false_negative_bound", 1),
    },
    // By its own data the registration has run out.
    Lie {
        situation: Situation::Removed,
        provider: Provider::Telzino,
        alter: |_, (_, body)| {
            let now = Timestamp::now().as_second();
            body["data"]["expires"] = (now - 3600).into();
            body["data"]["lastRegisterSent"] = Timestamp::from_second(now - 7200).unwrap().to_string().into();
        },
        verdict: ("stale", "expired_claim", 1),
    },
    // Flag and word contradict each other.
    Lie {
        situation: Situation::Healthy,
        provider: Provider::Telnyx,
        alter: |_, (_, body)| body["registered"] = false.into(),
        verdict: ("inconclusive", "api_self_contradiction", 3),
    },
    Lie {
        situation: Situation::Healthy,
        provider: Provider::Telnyx,
        alter: |_, (_, body)| body["connection_id"] = "another".into(),
        verdict: ("inconclusive", "api_wrong_object", 3),
    },
    Lie {
        situation: Situation::Healthy,
        provider: Provider::Telnyx,
        alter: |_, (_, body)| body["sip_registration_status"] = "sleeping".into(),
        verdict: ("inconclusive", "api_new_value", 3),
    },
    Lie {
        situation: Situation::Healthy,
        provider: Provider::Telnyx,
        alter: |request, reply| {
            if request.start.contains("/sip_registration_status?") {
                *reply = (410, json!({"errors": [{"code": "10005", "title": "Gone"}]}));
            }
        },
        verdict: ("inconclusive", "api_gone", 3),
    },
    Lie {
        situation: Situation::Healthy,
        provider: Provider::Telzino,
        alter: |_, reply| *reply = (404, json!({"error": "Not Found"})),
        verdict: ("inconclusive", "api_not_found", 3),
    },
    Lie {
        situation: Situation::Healthy,
        provider: Provider::Telzino,
        alter: |_, (_, body)| body["data"] = json!({"state": "NOT_FOUND", "stateCode": 0}),
        verdict: ("inconclusive", "api_not_found", 3),
    },
    Lie {
        situation: Situation::Healthy,
        provider: Provider::Telzino,
        alter: |_, reply| *reply = (403, json!({"error": "Forbidden"})),
        verdict: ("inconclusive", "api_auth", 3),
    },
    Lie {
        situation: Situation::Healthy,
        provider: Provider::Bitrix24,
        alter: |_, reply| *reply = (400, json!({"error": "REG_ID_NOT_FOUND", "error_description": "Settings not found"})),
        verdict: ("inconclusive", "api_not_found", 3),
    },
    Lie {
        situation: Situation::Healthy,
        provider: Provider::Bitrix24,
        alter: |request, (_, body)| {
            if request.start.contains("sip.status") {
                body["result"] = json!({"LAST_UPDATED": "yesterday"});
            }
        },
        verdict: ("inconclusive", "api_contract", 3),
    },
    Lie {
        situation: Situation::Healthy,
        provider: Provider::Bitrix24,
        alter: |request, (_, body)| {
            if request.start.contains("sip.status") {
                body["result"]["STATUS_RESULT"] = "wait".into();
                body["result"]["STATUS_CODE"] = 0.into();
            }
        },
        verdict: ("inconclusive", "orphan_binding", 3),
    },
];

#[test]
fn an_api_that_lies_is_found_out_and_one_that_says_nothing_is_not_believed() {
    at_once(&LIES, |lie| {
        let stage = Stage::set(lie.situation);
        let (_api, run) = lie.provider.altered(&stage, lie.situation, lie.alter);
        // Two refreshes or three lie between the looks, so that the binding ends later by more than a fetch is rounded.
        let grace = if lie.situation == Situation::Refreshing { "5s" } else { "200ms" };
        hold(&run.with(&["--grace", grace, "--expect-user", TRUNK]).verified(), lie.verdict);
    });
}

#[test]
fn a_stored_status_that_contradicts_the_live_one_is_reported_beside_the_verdict() {
    let stage = Stage::set(Situation::Healthy);
    let (_api, run) = Provider::Telnyx.altered(&stage, Situation::Healthy, |request, (_, body)| {
        if request.start.contains("/uac_connections/") {
            body["data"]["registration_status"] = "Not Registered".into();
            body["data"]["registration_status_updated_at"] = Value::Null;
        }
    });
    let report = run.with(&["--grace", "200ms"]).verified();
    hold(&report, ("agree", "registered", 0));
    assert!(report.strings("/verdict/notes", "reason").contains(&"source_conflict"), "{report}");
}

#[test]
fn a_probe_that_is_refused_says_what_that_means_for_the_line() {
    let stage = Stage::set(Situation::Healthy);
    let verify = |password: Option<&str>| {
        let (_api, run) = Provider::Telnyx.asked(&stage, Situation::Healthy);
        let run = run.with(&["--grace", "200ms"]);
        match password {
            Some(password) => run.password(password).verified(),
            None => run.without_password().verified(),
        }
    };
    let refused = verify(Some("changed since"));
    hold(&refused, ("disagree", "credentials_rejected_while_registered", 1));
    refused.holds(&[("/verdict/service", "at_risk".into())]);
    hold(&verify(None), ("inconclusive", "probe_no_credentials", 3));
}

#[test]
fn both_are_refused_for_the_same_password() {
    let stage = Stage::set(Situation::WrongPassword);
    for provider in [Provider::Telnyx, Provider::Telzino, Provider::Bitrix24] {
        let (_api, run) = provider.asked(&stage, Situation::WrongPassword);
        let report = run.with(&["--grace", "200ms"]).password(&stage.trunk.password).verified();
        hold(&report, ("agree", "reason_matches", 0));
        report.holds(&[("/verdict/service", "down".into())]);
    }
}
