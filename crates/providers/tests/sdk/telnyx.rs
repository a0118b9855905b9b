//! Telnyx: the SDKs of four versions, from the contract with `external_state` to the newest, and our client. All make the same calls in
//! the same order against the same answers.

use regprobe_providers::ClientOptions;
use regprobe_providers::telnyx::{Client, Key, Subject, UacChanges, UacQuery};
use serde_json::json;
use sip_registration::Transport;

use crate::official::Sdk;
use crate::support::{Response, Seen, Server};
use crate::wire::Wire;

const ID: &str = "1293384261075731499";

/// An answer that every client is content with.
fn answer(seen: &Seen) -> Response {
    let object = json!({"id": ID, "name": "rec", "record_type": "any"});
    let is_list = seen.target.contains("page%5Bsize%5D");
    let body = if seen.target.starts_with("/v2/sip_registration_status") {
        json!({"registered": true, "sip_registration_status": "registered"})
    } else if seen.target.contains("/log_messages") {
        json!({"log_messages": [{"code": "1", "title": "x"}], "meta": {"total_pages": 1, "page_number": 1}})
    } else if is_list {
        let page = if seen.target.contains("page%5Bnumber%5D=2") { 2 } else { 1 };
        let total = if seen.target.contains("external_connections") { 1 } else { 2 };
        let data = json!([{"id": format!("{page}-1")}, {"id": format!("{page}-2")}]);
        json!({"data": data, "meta": {"total_pages": total, "page_number": page, "page_size": 2, "total_results": 4}})
    } else {
        json!({"data": object})
    };
    Response::json(200, body)
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

/// The same calls as in the scripts, in the same order.
async fn ours() -> Vec<Wire> {
    let server = Server::answering(answer);
    let client = Client::new("KEYtest".to_owned().into(), ClientOptions::new(server.url("/v2"))).unwrap();
    client.answer(&Subject::UacConnection(key(ID))).await;
    client.answer(&Subject::TelephonyCredential(key("gencred+x y"))).await;
    client.answer(&Subject::CredentialConnection(key("office1"))).await;

    let query = UacQuery::default().name_contains("off").unwrap().fqdn("a.uac.telnyx.com");
    let query = query.outbound_voice_profile("17").sorted("-connection_name".parse().unwrap());
    client.uac_connections(&query.page_of(2).unwrap()).all().await.unwrap();
    client.uac_connection(&key(ID)).await.unwrap();
    client.create_uac_connection(&key("Office PBX ü"), &office()).await.unwrap();
    let change = UacChanges::default().active(false).outbound_proxy(None).unwrap();
    client.update_uac_connection(&key(ID), &change).await.unwrap();
    client.delete_uac_connection(&key(ID)).await.unwrap();

    client.credential_connection(&key(ID)).await.unwrap();
    client.check_answer(&key(ID)).await;
    client.external_connections().all().await.unwrap();
    client.external_connection(&key(ID)).await.unwrap();
    client.log_messages(Some(&key(ID))).all().await.unwrap();
    client.log_message(&key(ID)).await.unwrap();
    client.siprec_connector(&key("my rec/1")).await.unwrap();
    Wire::all(&server.requests())
}

fn office() -> UacChanges {
    let changes = UacChanges::default().proxy("sip:pbx.example.com:5060").unwrap();
    let changes = changes
        .outbound_proxy(Some("edge.example.com"))
        .unwrap()
        .username("telnyx-reg")
        .unwrap();
    let changes = changes.auth_username(Some("login")).unwrap().from_user(Some("1001")).unwrap();
    let changes = changes.expiration(600).unwrap().transport(Transport::Tls);
    let changes = changes.external_password("s3cret".to_owned().into()).unwrap();
    changes.destination_uri("1006@assistant-abc123.sip.telnyx.com").unwrap()
}

fn theirs(sdk: Sdk, script: &str) -> Vec<Wire> {
    let server = Server::answering(answer);
    sdk.run(script, &server.url("/v2"), &[]);
    Wire::all(&server.requests())
}

/// One by one, so that a difference names its call.
fn assert_same(theirs: &[Wire], ours: &[Wire]) {
    for (theirs, ours) in theirs.iter().zip(ours) {
        assert_eq!(theirs, ours);
    }
    assert_eq!((theirs.len(), ours.len()), (16, 16));
}

#[tokio::test]
async fn npm_with_the_resource_for_the_status_asks_what_we_ask() {
    assert_same(&theirs(Sdk::Npm("telnyx", "7.19.0"), "telnyx.mjs"), &ours().await);
}

#[tokio::test]
async fn npm_without_the_resource_for_the_status_asks_what_we_ask() {
    assert_same(&theirs(Sdk::Npm("telnyx", "7.24.0"), "telnyx.mjs"), &ours().await);
}

#[tokio::test]
async fn the_newest_python_asks_what_we_ask() {
    assert_same(&theirs(Sdk::Pypi("telnyx", "4.189.0"), "telnyx.py"), &ours().await);
}

#[tokio::test]
async fn the_python_of_the_second_revision_asks_what_we_ask_and_for_the_owner() {
    let mut theirs = theirs(Sdk::Pypi("telnyx", "4.146.1"), "telnyx.py");
    // R2 wanted the owner of the connection; R3 takes it from the key.
    let owner = ("user_id".to_owned(), "323".to_owned());
    assert_eq!(theirs[0].query.pop(), Some(owner));
    assert_same(&theirs, &ours().await);
}
