//! Bitrix24: its SDK for JavaScript, its SDK for Python, and the one that people use instead; all over TLS, by webhook and by token.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use regprobe_providers::bitrix24::{Access, Client, webhook};
use regprobe_providers::{ClientOptions, Url, Word};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::official::Sdk;
use crate::support::{Authority, Response, Seen, Server};
use crate::wire::Wire;

const SDKS: [(Sdk, &str); 3] = [
    (Sdk::Npm("@bitrix24/b24jssdk", "2.2.0"), "b24jssdk.mjs"),
    (Sdk::Pypi("b24pysdk", "1.3.2"), "b24pysdk.py"),
    (Sdk::Pypi("fast-bitrix24", "1.8.14"), "fast_bitrix24.py"),
];

const REG_ID: u64 = 150_907;

#[tokio::test]
async fn every_sdk_and_we_ask_the_same_by_webhook() {
    compare("webhook", "1/code8h2kd93", |portal| {
        let url = portal.join("rest/1/code8h2kd93/").unwrap();
        webhook(&SecretString::from(url.as_str())).unwrap().1
    })
    .await;
}

#[tokio::test]
async fn every_sdk_and_we_ask_the_same_by_token() {
    compare("token", "token-of-an-application", |_| {
        Access::Token(SecretString::from("token-of-an-application"))
    })
    .await;
}

/// The same three calls by each SDK and by us: the same requests, and each understands the answers.
async fn compare(name: &str, secret: &str, access: impl Fn(&Url) -> Access) {
    let authority = Authority::new();
    let calls = json!([
        ["voximplant.sip.status", { "REG_ID": REG_ID }],
        ["voximplant.sip.get", { "FILTER": { "REG_ID": REG_ID } }],
        ["voximplant.sip.connector.status", {}],
    ]);
    let ours = {
        let server = portal(&authority);
        ask(&server, &authority, access(&server.url("/"))).await;
        essence(&server.requests())
    };
    assert_eq!(ours.len(), 3);
    for (sdk, script) in SDKS {
        let server = portal(&authority);
        let file = Some(authority.file());
        let printed = sdk.run_trusting(file, script, &server.url("/"), &[name, secret, &calls.to_string()]);
        let results: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(results[0]["STATUS_RESULT"], "success", "{sdk:?}");
        assert_eq!(essence(&server.requests()), ours, "{sdk:?}");
    }
}

async fn ask(server: &Server, authority: &Authority, access: Access) {
    let options = ClientOptions {
        ca_file: Some(authority.file().to_owned()),
        ..ClientOptions::new(server.url(""))
    };
    let client = Client::new(access, options).unwrap();
    assert_eq!(client.answer(REG_ID).await.word, Word::Registered);
    assert_eq!(client.stored(REG_ID).await.word, Word::Registered);
    assert_eq!(client.connector().await.unwrap().paid, Some(true));
}

/// A portal with one line, which gives the documented answers to the three calls.
fn portal(authority: &Authority) -> Server {
    // The JavaScript SDK fails without any of these.
    let time = json!({"start": 1_773_323_644, "finish": 1_773_323_644.7, "duration": 0.7, "processing": 0,
        "date_start": "2026-03-12T16:54:04+01:00", "date_finish": "2026-03-12T16:54:04+01:00",
        "operating_reset_at": 1_773_324_244, "operating": 0.1});
    let results = [
        json!({"REG_ID": REG_ID, "LAST_UPDATED": "2026-03-12 09:10:51", "ERROR_MESSAGE": "", "STATUS_CODE": 200,
            "STATUS_RESULT": "success"}),
        json!([{"TYPE": "cloud", "REG_ID": REG_ID.to_string(), "REGISTRATION_STATUS_CODE": "200"}]),
        json!({"FREE_MINUTES": 60, "PAID": true}),
    ];
    let answer = |result| Response::json(200, json!({"result": result, "total": 1, "time": time}));
    Server::start_tls(authority.server(&["127.0.0.1"]), results.map(answer))
}

/// What an answer can depend on: line, body, its type, and no key in a header. The JavaScript SDK tells about itself in the query.
fn essence(requests: &[Seen]) -> Vec<(String, Value, Option<String>)> {
    let essence = |seen| {
        let wire = Wire::of(seen);
        assert!(wire.query.iter().all(|(name, _)| name.starts_with("bx24_")), "{:?}", wire.query);
        assert_eq!(seen.header("authorization"), None);
        let line = wire.line.trim_end_matches(".json").to_owned();
        (line, wire.body, seen.header("content-type").map(str::to_owned))
    };
    requests.iter().map(essence).collect()
}
