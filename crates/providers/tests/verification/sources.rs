//! Other sources than Telzino's, which gives no settings: how it registers comes from the API, and stored words are asked for first.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use regprobe_providers::{
    Check, CheckError, ClientOptions, Given, Level, Needed, Outcome, Reason, Service, Source, SourceKind, Verification, bitrix24, kamailio,
    telnyx, verify,
};
use serde_json::{Value, json};
use sip_registrar::Config;

use crate::lab::{AOR, Lab, PASSWORD, REGISTERED, password, run, within};
use crate::support::{After, Response, Seen, Server};

/// What a Kamailio says that registers alice by way of this registrar.
fn record(registrar: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({
        "l_uuid": "trunk1", "l_username": "trunk", "l_domain": "local.test", "r_username": "alice", "r_domain": "example.test",
        "realm": "example.test", "auth_username": "alice", "auth_password": "canary", "auth_ha1": "none",
        "auth_proxy": format!("sip:{registrar}"), "expires": 300, "flags": 20, "diff_expires": 300, "timer_expires": now + 300,
        "reg_init": now - 600, "reg_delay": 0, "contact_addr": "192.0.2.7:5060", "socket": null,
    })
}

fn answered(seen: &Seen, result: &Value) -> Response {
    let call: Value = serde_json::from_str(&seen.body).unwrap();
    Response::json(200, json!({"jsonrpc": "2.0", "result": result, "id": call["id"]}))
}

/// A check for which the user gives nothing but the password.
fn with_password_alone(source: Source) -> Check {
    Check {
        given: Given {
            secret: Some(password()),
            ..Given::default()
        },
        network: within(Duration::from_secs(5)),
        grace: Some(Duration::from_millis(20)),
        ..Check::new(source)
    }
}

fn of_kamailio(server: &Server) -> Check {
    let mut options = ClientOptions::new(server.url("/RPC"));
    options.retry.base = Duration::ZERO;
    with_password_alone(Source::Kamailio {
        client: Arc::new(kamailio::Client::new(options).unwrap()),
        uuid: "trunk1".to_owned(),
    })
}

fn of_bitrix24(server: &Server) -> Check {
    let access = bitrix24::Access::Token("canary-token".into());
    with_password_alone(Source::Bitrix24 {
        client: Arc::new(bitrix24::Client::new(access, ClientOptions::new(server.url(""))).unwrap()),
        reg_id: 5505,
    })
}

fn shows_no_secret(check: &Check, verification: &Verification) {
    let shown = format!("{check:?}{verification:?}{}", serde_json::to_string(verification).unwrap());
    assert!(!shown.contains("canary") && !shown.contains(PASSWORD), "{shown}");
}

#[tokio::test]
async fn what_the_api_says_leads_to_the_registrar() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    lab.bind("sip:trunk1@192.0.2.7:5060").await;
    let registrar = lab.registrar.to_string();
    let api = Server::answering(move |seen| answered(seen, &record(&registrar)));
    let mut check = of_kamailio(&api);
    check.network.policy.trace = true;
    let (verification, _) = run(&check).await;
    assert_eq!(verification.verdict.outcome, Outcome::Agree, "{}", verification.verdict.detail);
    assert_eq!(
        (
            verification.aor.as_deref(),
            verification.registrar.as_deref(),
            verification.outbound_proxy.clone()
        ),
        (
            Some("sip:alice@example.test"),
            Some("sip:example.test"),
            Some(format!("sip:{}", lab.registrar))
        )
    );
    assert_eq!((verification.name.as_deref(), &*verification.object), (Some("trunk1"), "trunk1"));
    shows_no_secret(&check, &verification);
}

#[tokio::test]
async fn the_user_goes_before_the_api() {
    let mut lab = Lab::start(Config::default(), REGISTERED).await;
    let api = Server::answering(|seen| answered(seen, &record("127.0.0.77:9")));
    let mut check = of_kamailio(&api);
    check.name = Some("my trunk".to_owned());
    check.given.registrar = Some(format!("sip:{}", lab.registrar).parse().unwrap());
    let (verification, _) = run(&check).await;
    assert_eq!(verification.outbound_proxy, None, "the API's proxy belongs to the API's registrar");
    // The same registrar is reached the same way: OpenSIPS wants it said to find the record.
    let mut same = of_kamailio(&api);
    same.given.registrar = Some("sip:EXAMPLE.test".parse().unwrap());
    let (found, _) = run(&Check { looks: 1, ..same }).await;
    assert_eq!(found.outbound_proxy.as_deref(), Some("sip:127.0.0.77:9"));
    assert_eq!(verification.name.as_deref(), Some("my trunk"));
    assert_eq!(verification.warnings, [""; 0]);
    assert_eq!(lab.asked().first().map(String::as_str), Some("REGISTER 401"));
}

#[tokio::test]
async fn an_api_that_cannot_be_asked_is_not_a_mistake_of_the_users() {
    let mut check = of_kamailio(&Server::start([]));
    check.given.secret = None;
    let (verification, _) = run(&check).await;
    assert_eq!(
        (verification.verdict.reason, verification.exit_code()),
        (Reason::ApiUnreachable, 3),
        "{}",
        verification.verdict.detail
    );
    assert_eq!((verification.aor.as_deref(), verification.observations.len()), (None, 0));
    assert!(
        verification.warnings[0].starts_with("Kamailio gave no settings: "),
        "{:?}",
        verification.warnings
    );
}

#[tokio::test]
async fn another_user_than_the_settings_name_is_another_registration() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let registrar = lab.registrar.to_string();
    let api = Server::answering(move |seen| {
        let mut record = record(&registrar);
        record["auth_username"] = json!("digest");
        record["r_username"] = json!("bob");
        answered(seen, &record)
    });
    let mut check = of_kamailio(&api);
    check.given.auth_user = Some("alice".to_owned());
    check.given.aor = Some(AOR.parse().unwrap());
    let (verification, _) = run(&check).await;
    assert_eq!(
        verification.verdict.reason,
        Reason::IdentityMismatch,
        "{}",
        verification.verdict.detail
    );
    assert_eq!((verification.looks, verification.warnings.len()), (1, 0));
    // Another domain may be another account.
    check.given.aor = Some("sip:alice@EXAMPLE.test".parse().unwrap());
    assert_eq!(run(&check).await.0.warnings.len(), 0);
    check.given.aor = Some("sip:alice@pbx.example.test".parse().unwrap());
    let warnings = run(&check).await.0.warnings;
    assert!(
        matches!(&*warnings, [warning] if warning.contains("sip:alice@pbx.example.test") && warning.contains("sip:bob@example.test")),
        "{warnings:?}"
    );
    // Who is asked for by the name for digest may be the same.
    check.given.aor = Some("sip:digest@example.test".parse().unwrap());
    let (verification, _) = run(&check).await;
    let lines = &verification.claims;
    assert_ne!(verification.verdict.reason, Reason::IdentityMismatch, "{lines:?}");
}

#[tokio::test]
async fn a_dead_key_is_sent_once_and_the_wire_is_looked_at_all_the_same() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    lab.bind("sip:line@192.0.2.7:5060").await;
    let api = Server::answering(|_| {
        Response::json(
            401,
            json!({"error": "NO_AUTH_FOUND", "error_description": "Wrong authorization data"}),
        )
    });
    let (verification, _) = run(&of_bitrix24(&api)).await;
    assert_eq!(verification.verdict.reason, Reason::ApiAuth, "{}", verification.verdict.detail);
    assert_eq!((api.lines().len(), verification.answers.len()), (1, 1));

    let mut check = of_bitrix24(&api);
    check.given.aor = Some(AOR.parse().unwrap());
    check.given.registrar = Some(format!("sip:{}", lab.registrar).parse().unwrap());
    check.contact.users = vec!["line".to_owned()];
    let (verification, _) = run(&check).await;
    assert_eq!((api.lines().len(), verification.observations.len()), (2, 1));
    assert_eq!(
        (
            verification.verdict.reason,
            verification.verdict.evidence,
            verification.verdict.service
        ),
        (Reason::ApiAuth, Level::E3, Service::Up),
        "{}",
        verification.verdict.detail
    );
}

#[tokio::test]
async fn an_api_that_hangs_is_waited_for_once() {
    let api = Server::answering(|_| Response::raw("").then(After::Silence));
    let access = bitrix24::Access::Token("canary-token".into());
    let mut options = ClientOptions::new(api.url(""));
    options.deadline = Duration::from_millis(50);
    let check = with_password_alone(Source::Bitrix24 {
        client: Arc::new(bitrix24::Client::new(access, options).unwrap()),
        reg_id: 5505,
    });
    let (verification, _) = run(&check).await;
    assert_eq!(
        verification.verdict.reason,
        Reason::ApiUnreachable,
        "{}",
        verification.verdict.detail
    );
    assert_eq!(verification.answers.len(), 1, "{:?}", verification.answers);
    assert!(api.connections() <= 1);
}

#[tokio::test]
async fn an_object_that_is_missing_is_asked_for_once_where_the_status_is_the_objects() {
    let missing = || Server::answering(|_| Response::json(404, json!({"errors": [{"code": "10005", "title": "Resource not found"}]})));
    let api = missing();
    let client = telnyx::Client::new("canary-key".into(), ClientOptions::new(api.url(""))).unwrap();
    let check = with_password_alone(Source::Telnyx {
        client: Arc::new(client),
        subject: telnyx::Subject::UacConnection("abc".parse().unwrap()),
    });
    let (verification, _) = run(&check).await;
    assert_eq!(verification.verdict.reason, Reason::ApiNotFound, "{}", verification.verdict.detail);
    assert_eq!(api.lines().len(), 1, "{:?}", api.lines());
}

#[tokio::test]
async fn settings_that_are_refused_while_the_status_is_not_have_to_be_given() {
    let api = Server::answering(|seen| {
        if seen.target.ends_with("sip.status") {
            return Response::json(
                200,
                json!({"result": {"REG_ID": 5505, "STATUS_CODE": 200, "STATUS_RESULT": "success"}}),
            );
        }
        Response::json(403, json!({"error": "ACCESS_DENIED", "error_description": "Access denied!"}))
    });
    let check = of_bitrix24(&api);
    let error = verify(&check, drop, std::future::pending()).await.unwrap_err();
    let CheckError::NoSettings { needed, asked, trouble } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((*needed, *asked), (Needed::Aor, SourceKind::Bitrix24));
    assert!(trouble.contains("ACCESS_DENIED"), "{trouble}");
    assert!(
        error
            .to_string()
            .starts_with("--aor: Bitrix24 could not say which address-of-record it registers: ")
    );
}

#[tokio::test]
async fn a_stored_word_is_asked_for_before_the_live_one_overwrites_it() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    lab.bind("sip:line@192.0.2.7:5060").await;
    let server = lab.registrar.to_string();
    let api = Server::answering(move |seen| {
        if seen.target.ends_with("sip.status") {
            return Response::json(
                200,
                json!({"result": {"REG_ID": 5505, "STATUS_CODE": 200, "STATUS_RESULT": "success"}}),
            );
        }
        Response::json(
            200,
            json!({"result": [{"TYPE": "cloud", "CONFIG_ID": "3", "REG_ID": "5505", "SERVER": server, "LOGIN": "alice",
                "PASSWORD": "canary", "REGISTRATION_STATUS_CODE": "200", "TITLE": "Office"}]}),
        )
    });
    let mut check = of_bitrix24(&api);
    check.given.aor = Some(AOR.parse().unwrap());
    check.contact.users = vec!["line".to_owned()];
    let (verification, _) = run(&check).await;
    let methods: Vec<_> = api.lines().iter().map(|line| line.rsplit('.').next().unwrap().to_owned()).collect();
    assert_eq!(methods, ["get", "get", "status"]);
    let sources: Vec<_> = verification.answers.iter().map(|answer| answer.source).collect();
    assert_eq!(sources, [SourceKind::Bitrix24Stored, SourceKind::Bitrix24]);
    assert_eq!(verification.verdict.outcome, Outcome::Agree, "{}", verification.verdict.detail);
    shows_no_secret(&check, &verification);
}
