//! Canaries in every place where a secret goes out, and a server that sends each of them back in every place where it can.

use std::time::Duration;

use regprobe_providers::{ApiTrouble, Http, HttpOptions, Request};
use serde_json::json;

use crate::options;
use crate::support::{After, Response, Seen, Server};

const TOKEN: &str = "KEY-token canary";
const PATH: &str = "7/path-canary";
const BODY: &str = "body/canary";

fn request() -> Request {
    Request::put("/x")
        .bearer(TOKEN.to_owned().into())
        .json(json!({ "user": "alice", "sip": { "password": BODY } }))
}

/// Everything that we know of a request, as a server may quote it.
fn quoted(seen: &Seen) -> String {
    format!("{} {:?} {}", seen.target, seen.headers, seen.body)
}

/// Every answer that makes an error.
fn answers(seen: &Seen) -> Vec<(ApiTrouble, Response)> {
    let quoted = quoted(seen);
    let escaped = json!({ "code": quoted, "detail": quoted, "echo": { "url": quoted } });
    let unread = json!({ "error": quoted, TOKEN: { PATH: BODY } });
    let head = format!("HTTP/1.1 200 {TOKEN}\r\nX-Echo: {TOKEN} {PATH} {BODY}\r\n");
    let away = format!("https://elsewhere.example.net/{PATH}?{TOKEN}").replace(' ', "-");
    vec![
        (ApiTrouble::Unauthorized, Response::json(401, &escaped)),
        (ApiTrouble::Server, Response::json(500, &unread)),
        (ApiTrouble::NotFound, Response::text(404, "text/html", format!("<p>{quoted}</p>"))),
        (ApiTrouble::Contract, Response::text(200, &format!("text/{TOKEN}"), &quoted)),
        (ApiTrouble::Contract, Response::json(200, format!("{{\"a\": {quoted}"))),
        (ApiTrouble::Contract, Response::bytes(200, "").header("Content-Encoding", TOKEN)),
        (
            ApiTrouble::Contract,
            Response::raw(format!("{TOKEN} {PATH} {BODY}\r\n\r\n")).then(After::Close),
        ),
        (
            ApiTrouble::Contract,
            Response::raw(format!("{head}Transfer-Encoding: chunked\r\n\r\n{TOKEN}")).then(After::Close),
        ),
        (
            ApiTrouble::TooLarge,
            Response::raw(format!("{head}Content-Length: 1234567890\r\n\r\n{TOKEN}")).then(After::Close),
        ),
        (
            ApiTrouble::Unreachable,
            Response::raw(format!("{head}Content-Length: 1000\r\n\r\n{TOKEN}")).then(After::Close),
        ),
        (
            ApiTrouble::Timeout,
            Response::raw(format!("{head}Content-Length: 1000\r\n\r\n{TOKEN}")).then(After::Silence),
        ),
        (ApiTrouble::Redirected, Response::redirect(307, away)),
        (ApiTrouble::Redirected, Response::redirect(302, format!("/rest/{PATH}"))),
        (ApiTrouble::RateLimited, Response::json(429, &escaped).header("Retry-After", TOKEN)),
    ]
}

fn client(server: &Server) -> Http {
    let options = options(server.url("/rest"));
    Http::new(HttpOptions {
        secret_path: Some(PATH.to_owned().into()),
        deadline: Duration::from_millis(500),
        retry: regprobe_providers::RetryPolicy {
            attempts: 1,
            ..options.retry
        },
        ..options
    })
    .unwrap()
}

#[tokio::test]
async fn no_error_holds_a_secret_of_its_request() {
    let probe = Server::start([Response::json(200, "{}")]);
    client(&probe).send(&request()).await.unwrap();
    let seen = &probe.requests()[0];
    let sent = quoted(seen);
    for secret in [TOKEN, PATH, BODY] {
        assert!(sent.contains(secret), "{secret} has to go out for this test to mean anything");
    }
    for (trouble, answer) in answers(seen) {
        let server = Server::start([answer]);
        let http = client(&server);
        let error = http.send(&request()).await.unwrap_err();
        assert_eq!(error.trouble, trouble, "{error}");
        assert_eq!(error.request, "PUT /rest/***/x");
        let shown = format!("{error} {error:?} {http:?} {:?}", request());
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[tokio::test]
async fn no_answer_holds_the_keys_of_its_request() {
    let echo = json!({ "url": format!("https://portal.example.com/rest/{PATH}/x"), "key": format!("Bearer {TOKEN}") });
    let server = Server::start([Response::json(200, echo)]);
    let reply = client(&server).send(&request()).await.unwrap();
    assert_eq!(
        reply.body,
        json!({ "url": "https://portal.example.com/rest/***/x", "key": "Bearer ***" })
    );
    assert_eq!(format!("{reply:?}"), "Reply { status: 200, .. }");
}

#[test]
fn no_client_shows_its_secrets() {
    let options = HttpOptions {
        secret_path: Some("canary".to_owned().into()),
        ..options("https://portal.example.com/canary/".parse().unwrap())
    };
    let shown = format!("{options:?} {:?}", Http::new(options.clone()).unwrap());
    assert!(!shown.contains("canary") && shown.contains("portal.example.com"), "{shown}");
}
