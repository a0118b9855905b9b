//! What goes out and what comes back when all is well.

use regprobe_providers::{ApiTrouble, Http, HttpOptions, Moment, Request};
use serde_json::{Value, json};

use crate::support::{Response, Server};
use crate::{http, options};

#[tokio::test]
async fn a_request_has_method_path_query_body_and_token_where_the_server_expects_them() {
    let server = Server::start([Response::json(200, r#"{"registered":true}"#), Response::json(201, "[]")]);
    let http = http(server.url("/v2/"));
    let get = Request::get("/sip_registration_status").query("username", "gencred+x y");
    let reply = http.send(&get.bearer("key".to_owned().into())).await.unwrap();
    assert_eq!((reply.status, reply.body), (200, json!({ "registered": true })));
    let post = Request::post("uac_connections").segment("a/b").json(json!({ "name": "ü" }));
    assert_eq!(http.send(&post).await.unwrap().status, 201);

    let seen = server.requests();
    assert_eq!(seen[0].line(), "GET /v2/sip_registration_status?username=gencred%2Bx+y");
    assert_eq!(seen[0].header("authorization"), Some("Bearer key"));
    assert_eq!(seen[0].header("accept"), Some("application/json"));
    assert_eq!(seen[0].header("accept-encoding"), Some("identity"));
    assert!(seen[0].header("user-agent").unwrap().starts_with("regprobe/"));
    assert_eq!(seen[1].line(), "POST /v2/uac_connections/a%2Fb");
    assert_eq!(seen[1].header("content-type"), Some("application/json"));
    assert_eq!((seen[1].header("authorization"), &*seen[1].body), (None, r#"{"name":"ü"}"#));
    assert_eq!(server.connections(), 1, "the connection is used again");
}

#[tokio::test]
async fn a_secret_piece_of_the_path_goes_between_base_and_path() {
    let server = Server::start([Response::json(200, "{}"), Response::json(200, "{}")]);
    let http = Http::new(HttpOptions {
        secret_path: Some("/7/code/".to_owned().into()),
        ..options(server.url("/rest/"))
    });
    http.unwrap().send(&Request::post("voximplant.sip.get")).await.unwrap();
    crate::http(server.url("/RPC/")).send(&Request::post("")).await.unwrap();
    assert_eq!(server.lines(), ["POST /rest/7/code/voximplant.sip.get", "POST /RPC/"]);
}

#[tokio::test]
async fn the_servers_date_and_our_own_times_come_with_the_answer() {
    let dated = Response::json(200, "{}").header("Date", "Tue, 02 Jun 2026 11:59:11 GMT");
    let server = Server::start([dated, Response::json(200, "{}").header("Date", "yesterday")]);
    let http = http(server.url(""));
    let before = Moment::now();
    let reply = http.send(&Request::get("/a")).await.unwrap();
    assert_eq!(reply.server_date, Moment::from_unix(1_780_401_551));
    assert!(before <= reply.asked_at && reply.asked_at <= reply.answered_at && reply.answered_at <= Moment::now());
    assert_eq!(http.send(&Request::get("/b")).await.unwrap().server_date, None);
}

#[tokio::test]
async fn json_is_json_whatever_its_type_says() {
    let server = Server::start([
        Response::text(200, "text/html; charset=utf-8", r#"{"a":1}"#),
        Response::bytes(200, "\u{feff}[1]"),
        Response::bytes(204, ""),
    ]);
    let http = http(server.url(""));
    for expected in [json!({ "a": 1 }), json!([1]), Value::Null] {
        assert_eq!(http.send(&Request::get("/")).await.unwrap().body, expected);
    }
}

#[tokio::test]
async fn one_thing_is_asked_at_a_time() {
    let server = Server::start(std::iter::repeat_n(Response::json(200, "{}"), 4));
    let http = http(server.url(""));
    let ask = || async { http.send(&Request::get("/")).await.unwrap() };
    let (first, second, third, fourth) = tokio::join!(ask(), ask(), ask(), ask());
    let mut replies = [first, second, third, fourth];
    replies.sort_by_key(|reply| reply.asked_at);
    assert!(replies.windows(2).all(|two| two[0].answered_at <= two[1].asked_at));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_path_that_leads_elsewhere_is_not_asked() {
    let server = Server::start([]);
    let http = http(server.url("/v2/uac_connections"));
    for path in ["/../balance", "/a/./b", "/%2e%2E/balance", r"\..\balance", "/.\t./balance"] {
        let error = http.send(&Request::get(path)).await.unwrap_err();
        assert_eq!((error.trouble, error.status), (ApiTrouble::BadRequest, None), "{path}");
    }
    assert!(http.send(&Request::get("").segment("..")).await.is_err());
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_token_goes_over_no_network_in_the_clear_and_is_no_second_header() {
    let public = HttpOptions {
        confidential: regprobe_providers::Confidential::Nothing,
        ..options("http://192.0.2.1/".parse().unwrap())
    };
    let request = Request::get("/").bearer("canary".to_owned().into());
    let error = Http::new(public).unwrap().send(&request).await.unwrap_err();
    assert!(error.detail.contains("plain http"), "{error}");
    let server = Server::start([]);
    let split = Request::get("/").bearer("canary\r\nX-Other: 1".to_owned().into());
    let error = http(server.url("")).send(&split).await.unwrap_err();
    assert_eq!(error.trouble, ApiTrouble::Unauthorized);
    assert!(!error.to_string().contains("canary"), "{error}");
    assert_eq!(server.connections(), 0);
}
