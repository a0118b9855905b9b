//! Checks that cannot be made: what is missing shows only when the API was asked, since the API could have said it.

use serde_json::{Value, json};

use crate::provider::TELNYX_KEY;
use crate::support::api::Api;
use crate::support::run::Run;
use crate::support::scratch::Scratch;

/// A Telnyx that has a connection and does not say whom it registers.
fn silent_about_the_account() -> Api {
    Api::start(|request| {
        let status = json!({"data": {
            "connection_id": "7", "credential_type": "uac_external_credential", "registered": true, "sip_registration_status": "connected",
        }});
        let connection = json!({"data": {"id": "7", "connection_name": "Berlin", "active": true}});
        let asked_for_status = request.start.contains("sip_registration_status");
        (200, if asked_for_status { status } else { connection })
    })
}

#[test]
fn a_check_alone_says_what_to_write_and_not_that_nothing_was_sent() {
    let api = silent_about_the_account();
    let run = Run::new(&["verify", "telnyx", "--connection-id", "7", "--api-url", &api.url("/v2")]).variable("TELNYX_API_KEY", TELNYX_KEY);
    let done = run.clone().printed();
    assert_eq!((done.status, &*done.output), (3, ""), "{done:?}");
    assert!(done.errors.contains("; name it with --aor USER@DOMAIN"), "{done:?}");
    assert!(!api.requests().is_empty());
    let plugin = run.with(&["--output", "nagios"]).printed();
    assert_eq!(plugin.status, 3);
    assert!(plugin.output.starts_with("SIP UNKNOWN - --aor: "), "{plugin:?}");
}

#[test]
fn a_check_of_a_file_is_told_by_a_line_of_its_own_schema() {
    let (api, scratch) = (silent_about_the_account(), Scratch::new("unmade"));
    let checks = format!(
        "[[check]]\nprovider = 'telnyx'\nconnection_id = '7'\napi_url = '{}'\n",
        api.url("/v2")
    );
    let file = scratch.write("checks.toml", &checks);
    let run = Run::new(&["verify", "--all", file.to_str().unwrap()]).variable("TELNYX_API_KEY", TELNYX_KEY);
    let done = run.clone().with(&["--output", "json"]).printed();
    let line: Value = serde_json::from_str(&done.output).unwrap();
    let schema = Run::new(&["schema", "problem"]).printed().output;
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    assert!(schema.is_valid(&line), "{line}");
    assert_eq!(
        (&line["schema"], &line["name"], &line["provider"], &line["object"]),
        (&json!("regprobe.problem.v1"), &json!("Telnyx 7"), &json!("telnyx_uac"), &json!("7"))
    );
    assert!(
        line["problem"].as_str().unwrap().ends_with("; name it with --aor USER@DOMAIN"),
        "{line}"
    );
    assert_eq!(done.status, 3, "{done:?}");
    let shown = run.printed();
    assert!(shown.output.starts_with("? NOT MADE      Telnyx 7  "), "{shown:?}");
    assert!(shown.errors.ends_with("1 check: 1 not made\n"), "{shown:?}");
}
