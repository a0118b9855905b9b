//! The report: what is in it, what is not, and that it is what its schema says.

use regprobe_providers::{Check, Given, Mode, VERIFICATION_SCHEMA, Verification, verification_schema, verify};
use serde_json::Value;
use sip_registrar::Config;
use sip_registration::Transport;

use crate::lab::{Lab, PASSWORD, REGISTERED, UNREGISTERED, run};

fn json(verification: &Verification) -> Value {
    serde_json::to_value(verification).unwrap()
}

#[tokio::test]
async fn with_trace_the_messages_are_in_it_and_no_secret_is() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let mut check = lab.check();
    check.network.policy.trace = true;
    let (verification, _) = run(&check).await;
    let probes = verification.probes.as_ref().unwrap();
    // A challenge that was answered before is answered ahead, and costs two messages less.
    let messages: Vec<_> = probes.iter().map(|report| report.transcript.as_ref().unwrap().len()).collect();
    assert_eq!(messages, [4, 4, 2, 2]);
    let shown = format!("{} {check:?} {verification:?}", json(&verification));
    assert!(
        !shown.contains(PASSWORD) && !shown.contains("Bearer") && shown.contains("REGISTER sip:"),
        "{shown}"
    );
}

#[tokio::test]
async fn both_fetches_share_one_flow() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let lab = Lab::start(Config::default(), UNREGISTERED).await;
        let mut check = Check {
            given: Given {
                transport: Some(transport),
                ..lab.check().given
            },
            ..lab.check()
        };
        check.network.policy.trace = true;
        let (verification, _) = run(&check).await;
        let local: Vec<_> = verification
            .probes
            .unwrap()
            .into_iter()
            .map(|report| report.network.local.unwrap())
            .collect();
        assert_eq!((local.len(), &local[0]), (2, &local[1]), "{transport:?}");
    }
}

#[tokio::test]
async fn it_is_what_its_schema_says() {
    let schema = serde_json::to_value(verification_schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let fetching = lab.check();
    let mut tracing = Check {
        mode: Mode::Register { allow_displacement: false },
        ..lab.check()
    };
    tracing.network.policy.trace = true;
    for check in [fetching, tracing] {
        let (verification, _) = run(&check).await;
        let json = json(&verification);
        let mistakes: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(mistakes.is_empty(), "{mistakes:?} in {json:#}");
        assert_eq!(json["schema"], VERIFICATION_SCHEMA);
        assert_eq!(json["verdict"]["reason"], "false_positive_unbound");
        assert_eq!(json["claims"].as_array().unwrap().len(), verification.claims.len());
        assert!(!verification.claims.is_empty() && json["verdict"].get("lines").is_none());
    }
}

#[test]
fn every_field_is_described() {
    fn described(at: &str, schema: &Value, missing: &mut Vec<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if property.get("description").is_none() && property.get("$ref").is_none() && property.get("const").is_none() {
                missing.push(format!("{at}.{name}"));
            }
        }
    }
    let schema = serde_json::to_value(verification_schema()).unwrap();
    let mut missing = Vec::new();
    described("Verification", &schema, &mut missing);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        described(name, definition, &mut missing);
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[tokio::test]
async fn a_check_can_move_to_another_thread() {
    let lab = Lab::start(Config::default(), UNREGISTERED).await;
    let check = lab.check();
    let verified = tokio::spawn(async move {
        verify(&check, drop, std::future::pending())
            .await
            .map(|verification| verification.looks)
    });
    assert_eq!(verified.await.unwrap(), Ok(1));
}
