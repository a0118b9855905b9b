//! UAC connections: made, read, changed, removed; and the other objects that are read.

use regprobe_providers::ApiTrouble;
use regprobe_providers::telnyx::{Subject, UacChanges};
use serde_json::{Value, json};

use crate::support::{Response, Server};
use crate::{ID, client, key, uac};

fn connection() -> Value {
    json!({
        "id": ID,
        "record_type": "uac_connection",
        "connection_name": "Office PBX",
        "active": true,
        "user_name": "mysipuser",
        "password": "canary-generated",
        "fqdn": "abc.uac.telnyx.com",
        "registration_status": "Not Registered",
        "registration_status_updated_at": null,
        "external_uac_settings": {"proxy": "sip:pbx.example.com:5060", "username": "telnyx-reg", "password": "********", "transport": "TCP"},
        "internal_uac_settings": {"destination_uri": "1006@assistant-abc123.sip.telnyx.com"},
        "anchorsite_override": "Latency",
    })
}

fn in_data(body: Value) -> Response {
    Response::json(200, json!({"data": body}))
}

fn changes() -> UacChanges {
    UacChanges::default()
        .proxy("sip:pbx.example.com:5060")
        .unwrap()
        .username("telnyx-reg")
        .unwrap()
}

#[tokio::test]
async fn a_connection_is_made_with_what_was_named_and_its_password_is_told_once() {
    let server = Server::start([Response::json(201, json!({"data": connection()}))]);
    let changes = changes().external_password("canary".to_owned().into()).unwrap();
    let made = client(&server).create_uac_connection(&key("Office PBX"), &changes).await.unwrap();
    let seen = &server.requests()[0];
    let external = json!({"proxy": "sip:pbx.example.com:5060", "username": "telnyx-reg", "password": "canary"});
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(seen.line(), "POST /v2/uac_connections");
    assert_eq!(body, json!({"connection_name": "Office PBX", "external_uac_settings": external}));
    assert!(made.connection.password.is_some() && made.connection.external_uac_settings.password.is_none());
    assert!(!format!("{made:?}").contains("canary"));
    assert_eq!(made.ignored, [""; 0]);
}

#[tokio::test]
async fn a_change_that_telnyx_ignored_is_named() {
    let server = Server::start([in_data(connection())]);
    let changes = changes()
        .expiration(600)
        .unwrap()
        .active(false)
        .other("tags", json!(["a"]))
        .unwrap();
    let changed = client(&server).update_uac_connection(&key(ID), &changes).await.unwrap();
    assert_eq!(server.lines(), [format!("PATCH /v2/uac_connections/{ID}")]);
    assert_eq!(changed.ignored, ["active", "external_uac_settings.expiration_sec", "tags"]);
}

#[tokio::test]
async fn a_change_that_comes_back_in_another_dress_was_kept() {
    let mut kept = connection();
    kept["external_uac_settings"]["expiration_sec"] = json!("600");
    let server = Server::start([in_data(kept)]);
    let changes = changes().expiration(600).unwrap().outbound_proxy(None).unwrap();
    let changed = client(&server).update_uac_connection(&key(ID), &changes).await.unwrap();
    assert_eq!(changed.ignored, [""; 0]);
}

#[tokio::test]
async fn a_change_during_another_is_tried_again_and_then_named() {
    let busy = || {
        Response::json(
            409,
            json!({"errors": [{"code": "10015", "title": "a previous update is still in progress"}]}),
        )
    };
    let server = Server::start([busy(), in_data(connection())]);
    assert!(client(&server).update_uac_connection(&key(ID), &changes()).await.is_ok());
    let server = Server::start([busy(), busy(), busy(), busy()]);
    let error = client(&server).update_uac_connection(&key(ID), &changes()).await.unwrap_err();
    assert_eq!((error.trouble, error.attempts), (ApiTrouble::Conflict, 3));
    assert!(error.detail.contains("still in progress"));
}

#[tokio::test]
async fn a_refused_value_names_its_place() {
    let body = json!({"errors": [{"code": "10015", "title": "Invalid", "detail": "int_username is required",
        "source": {"pointer": "/internal_uac_settings"}}]});
    let server = Server::start([Response::json(422, body)]);
    let error = client(&server)
        .create_uac_connection(&key("Office PBX"), &changes())
        .await
        .unwrap_err();
    assert_eq!((error.trouble, server.lines().len()), (ApiTrouble::Unprocessable, 1));
    assert_eq!(error.detail, "Invalid: int_username is required (at /internal_uac_settings)");
}

#[tokio::test]
async fn a_removed_connection_is_given_back() {
    let server = Server::start([in_data(connection())]);
    let removed = client(&server).delete_uac_connection(&key(ID)).await.unwrap().unwrap();
    assert_eq!((removed.id.as_str(), server.requests()[0].body.as_str()), (ID, ""));
    assert_eq!(server.lines(), [format!("DELETE /v2/uac_connections/{ID}")]);
}

#[tokio::test]
async fn a_removal_without_a_word_is_a_removal() {
    let server = Server::start([Response::bytes(204, "")]);
    assert!(client(&server).delete_uac_connection(&key(ID)).await.unwrap().is_none());
}

#[tokio::test]
async fn an_error_names_the_object_that_was_asked_for() {
    let server = Server::answering(|_| Response::json(200, json!({"data": {"record_type": "x"}})));
    let client = client(&server);
    let asked = |path: &str| format!("GET /v2/{path}/{ID}: HTTP 200: the answer has no ");
    for (error, path) in [
        (client.uac_connection(&key(ID)).await.unwrap_err(), "uac_connections"),
        (client.credential_connection(&key(ID)).await.unwrap_err(), "credential_connections"),
        (client.external_connection(&key(ID)).await.unwrap_err(), "external_connections"),
        (client.log_message(&key(ID)).await.unwrap_err(), "external_connections/log_messages"),
        (client.siprec_connector(&key(ID)).await.unwrap_err(), "siprec_connectors"),
    ] {
        assert!(error.to_string().starts_with(&asked(path)), "{error}");
    }
}

#[tokio::test]
async fn a_change_of_which_nothing_was_kept_says_so() {
    let server = Server::answering(|_| in_data(connection()));
    let change = |changes: UacChanges| {
        let server = &server;
        async move { client(server).update_uac_connection(&key(ID), &changes).await.unwrap() }
    };
    let bogus = || UacChanges::default().other("bogus", json!(1)).unwrap();
    assert!(change(bogus()).await.all_ignored);
    assert!(!change(bogus().active(true)).await.all_ignored, "one of two was kept");
    assert!(!change(changes()).await.all_ignored);
}

#[tokio::test]
async fn settings_come_from_the_connection_and_of_a_credential_from_its_name() {
    let server = Server::start([in_data(connection())]);
    let client = client(&server);
    let settings = client.settings(&uac()).await.unwrap();
    assert_eq!(settings.aor.unwrap().as_str(), "sip:telnyx-reg@pbx.example.com");
    let credential = Subject::TelephonyCredential(key("gencred1"));
    assert_eq!(
        client.settings(&credential).await.unwrap().aor.unwrap().as_str(),
        "sip:gencred1@sip.telnyx.com"
    );
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn an_answer_without_a_connection_in_it_follows_no_contract() {
    for body in [json!({}), json!({"data": {}}), json!([]), json!({"data": null})] {
        let server = Server::start([Response::json(200, &body)]);
        let error = client(&server).uac_connection(&key(ID)).await.unwrap_err();
        assert_eq!(error.trouble, ApiTrouble::Contract, "{body}");
    }
}

#[tokio::test]
async fn the_other_objects_are_read() {
    let log =
        json!({"log_messages": [{"code": "20001", "title": "Upload failed", "meta": {"external_connection_id": "7", "ticket_id": "t"}}]});
    let server = Server::start([
        in_data(json!({"id": "7", "external_sip_connection": "zoom", "active": true, "inbound": {"channel_limit": 10}})),
        Response::json(200, log),
        in_data(json!({"name": "rec", "host": "siprec.example.com", "port": 5060, "record_type": "siprec_connector"})),
        in_data(json!({"id": "8", "user_name": "office1", "password": "canary"})),
    ]);
    let client = client(&server);
    let external = client.external_connection(&key("7")).await.unwrap();
    assert_eq!(
        (external.external_sip_connection.as_deref(), external.active),
        (Some("zoom"), Some(true))
    );
    assert_eq!(external.other["inbound"], json!({"channel_limit": 10}));
    let lines = client.log_message(&key("9")).await.unwrap();
    assert_eq!(
        (lines[0].code.as_deref(), lines[0].external_connection_id.as_deref()),
        (Some("20001"), Some("7"))
    );
    let connector = client.siprec_connector(&key("my rec/1")).await.unwrap();
    assert_eq!(
        (connector.host.as_deref(), connector.port),
        (Some("siprec.example.com"), Some(5060))
    );
    let credential = client.credential_connection(&key("8")).await.unwrap();
    assert_eq!(credential.user_name.as_deref(), Some("office1"));
    assert_eq!(
        server.lines(),
        [
            "GET /v2/external_connections/7",
            "GET /v2/external_connections/log_messages/9",
            "GET /v2/siprec_connectors/my%20rec%2F1",
            "GET /v2/credential_connections/8",
        ]
    );
}
