//! Kamailio over HTTP: its answers as version 5.6.3 gave them, and answers that are none.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::time::Duration;

use regprobe_providers::kamailio::Client;
use regprobe_providers::{Answer, ApiTrouble, ClientOptions, SetupError, Unknown, Word};
use serde_json::{Value, json};

use crate::support::{Response, Seen, Server};

/// The record of a healthy registration.
fn record() -> Value {
    json!({
        "l_uuid": "ok1", "l_username": "lalice", "l_domain": "local.test", "r_username": "alice", "r_domain": "example.test",
        "realm": "example.test", "auth_username": "alice", "auth_password": "canary", "auth_ha1": "none",
        "auth_proxy": "sip:127.0.0.1:15060", "expires": 60, "flags": 20, "diff_expires": 51, "timer_expires": 1_795_271_543,
        "reg_init": 1_795_271_483, "reg_delay": 0, "contact_addr": "127.0.0.1:15070", "socket": null,
    })
}

/// The call that came, and the id to answer it by.
fn call(seen: &Seen) -> (Value, Value) {
    let mut call: Value = serde_json::from_str(&seen.body).unwrap();
    let id = call["id"].take();
    (call, id)
}

fn result(seen: &Seen, result: &Value) -> Response {
    Response::json(200, json!({"jsonrpc": "2.0", "result": result, "id": call(seen).1}))
}

/// Kamailio's HTTP status is the code.
fn error(seen: &Seen, code: u16, message: &str) -> Response {
    let error = json!({"code": code, "message": message});
    Response::json(code, json!({"jsonrpc": "2.0", "error": error, "id": call(seen).1}))
}

fn client(server: &Server) -> Client {
    let mut options = ClientOptions::new(server.url("/RPC"));
    options.retry.base = Duration::ZERO;
    Client::new(options).unwrap()
}

async fn answer_to(answering: impl FnMut(&Seen) -> Response + Send + 'static) -> (Answer, Server) {
    let server = Server::answering(answering);
    (client(&server).answer("ok1").await, server)
}

#[tokio::test]
async fn a_record_is_asked_for_by_its_uuid_and_the_password_stays_out_of_everything() {
    let (answer, server) = answer_to(|seen| result(seen, &record())).await;
    assert_eq!(answer.word, Word::Registered);
    assert_eq!(answer.server_date.unwrap().to_string(), "2026-11-21T14:31:32.000Z");
    assert!(!format!("{answer:?}").contains("canary"));
    assert_eq!(server.lines(), ["POST /RPC"]);
    let (call, _) = call(&server.requests()[0]);
    assert_eq!(call["method"], "uac.reg_info");
    assert_eq!(call["params"], json!(["l_uuid", "ok1"]));
}

#[tokio::test]
async fn over_plain_http_no_stranger_sees_the_password() {
    let url = |text: &str| ClientOptions::new(text.parse().unwrap());
    assert!(matches!(
        Client::new(url("http://192.0.2.1:5060/RPC")),
        Err(SetupError::PlainText(host)) if host == "192.0.2.1"
    ));
    assert!(Client::new(url("https://192.0.2.1/RPC")).is_ok() && Client::new(url("http://pbx.example.com/RPC")).is_ok());
}

#[tokio::test]
async fn the_whole_table_is_listed() {
    let mut other = record();
    other["l_uuid"] = json!("bad");
    other["flags"] = json!(16);
    let table = json!([record(), other]);
    let server = Server::answering(move |seen| result(seen, &table));
    let listed = client(&server).list().await.unwrap();
    let all: Vec<_> = listed.iter().map(|one| (&*one.object, one.answer.word.clone())).collect();
    assert_eq!(all, [("ok1", Word::Registered), ("bad", Word::Failed)]);
    assert_eq!(listed[1].settings.aor.as_ref().unwrap().as_str(), "sip:alice@example.test");
    let (call, _) = call(&server.requests()[0]);
    assert_eq!((call["method"].as_str(), call.get("params")), (Some("uac.reg_dump"), None));
}

#[tokio::test]
async fn an_empty_table_is_a_list_and_something_else_is_none() {
    let server = Server::answering(|seen| result(seen, &json!([])));
    assert_eq!(client(&server).list().await.unwrap().len(), 0);
    for odd in [json!("OK"), json!(null), json!([record(), 7])] {
        let server = Server::answering(move |seen| result(seen, &odd));
        assert_eq!(client(&server).list().await.unwrap_err().trouble, ApiTrouble::Contract);
    }
}

#[tokio::test]
async fn a_table_of_thousands_is_read_once_and_one_of_nothing_but_brackets_is_not() {
    let table = |records: usize| vec![json!({"l_uuid": "x", "auth_password": "canary"}); records];
    let server = Server::answering(move |seen| result(seen, &json!(table(4096))));
    let listed = client(&server).list().await.unwrap();
    assert_eq!(
        (listed.len(), &*listed[4095].answer.raw),
        (4096, r#"{"auth_password":"***","l_uuid":"x"}"#)
    );
    let server = Server::answering(|seen| result(seen, &json!(vec![json!({}); 4097])));
    assert_eq!(client(&server).list().await.unwrap_err().trouble, ApiTrouble::TooLarge);
}

#[tokio::test]
async fn an_unknown_record_is_not_found() {
    let (answer, server) = answer_to(|seen| error(seen, 404, "Record not found")).await;
    assert_eq!(answer.word, Word::NotFound);
    assert_eq!(answer.raw, "POST /RPC uac.reg_info: HTTP 404, 404: Record not found");
    let missing = client(&server).settings("ok1").await.unwrap_err();
    assert_eq!(missing.trouble, ApiTrouble::NotFound);
}

#[tokio::test]
async fn a_404_without_json_rpc_says_nothing_about_the_record() {
    for body in ["<h1>Not found</h1>", "{}", ""] {
        let (answer, _server) = answer_to(move |_| Response::text(404, "text/html", body)).await;
        assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Contract), "{body}");
    }
}

#[tokio::test]
async fn a_kamailio_without_the_module_is_asked_once() {
    let (answer, server) = answer_to(|seen| error(seen, 500, "Method Not Found")).await;
    assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Contract));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn trouble_of_its_own_is_asked_again() {
    let mut times = 0;
    let (answer, server) = answer_to(move |seen| {
        times += 1;
        if times == 1 {
            error(seen, 500, "Internal error creating rpc")
        } else {
            result(seen, &record())
        }
    })
    .await;
    assert_eq!(answer.word, Word::Registered);
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn an_answer_to_another_call_is_none() {
    let (answer, _server) = answer_to(|_| Response::json(200, json!({"jsonrpc": "2.0", "result": record(), "id": "7"}))).await;
    assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Contract));
    let (answer, _server) = answer_to(|seen| {
        let mut other = record();
        other["l_uuid"] = json!("ok2");
        result(seen, &other)
    })
    .await;
    assert!(
        matches!(answer.word, Word::Unknown(Unknown::WrongObject { .. })),
        "{:?}",
        answer.word
    );
}
