//! Redirects: followed in place, never to another one.

use regprobe_providers::{ApiTrouble, Request};
use serde_json::json;

use crate::http;
use crate::support::{Response, Server};

fn asking() -> Request {
    Request::get("/status").query("id", "7").bearer("token-canary".to_owned().into())
}

#[tokio::test]
async fn nothing_goes_to_another_place_and_the_error_names_it() {
    let other = Server::start([Response::json(200, "{}")]);
    let port = other.address().port();
    for location in [
        format!("http://127.0.0.1:{port}/status?key=canary"),
        format!("http://localhost:{port}/status"),
        format!("//127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port}/"),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let server = Server::start([Response::redirect(status, &location)]);
            let error = http(server.url("/v2")).send(&asking()).await.unwrap_err();
            assert_eq!(
                (error.trouble, error.status, error.attempts),
                (ApiTrouble::Redirected, Some(status), 1)
            );
            assert!(error.detail.contains(&format!(":{port}, which is another place")), "{error}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn the_same_place_is_followed_with_the_token() {
    let server = Server::start([
        Response::redirect(301, "/v3/status?id=7"),
        Response::redirect(302, "./other"),
        Response::redirect(308, "/last"),
        Response::json(200, "{}"),
    ]);
    http(server.url("/v2")).send(&asking()).await.unwrap();
    assert_eq!(
        server.lines(),
        ["GET /v2/status?id=7", "GET /v3/status?id=7", "GET /v3/other", "GET /last"]
    );
    assert!(
        server
            .requests()
            .iter()
            .all(|seen| seen.header("authorization") == Some("Bearer token-canary"))
    );
}

#[tokio::test]
async fn a_circle_is_left_after_three_rounds() {
    let server = Server::answering(|_| Response::redirect(302, "/again"));
    let error = http(server.url("")).send(&asking()).await.unwrap_err();
    assert_eq!((error.trouble, server.requests().len()), (ApiTrouble::Redirected, 4));
    assert_eq!(error.detail, "redirected more than 3 times");
}

#[tokio::test]
async fn a_post_becomes_no_get() {
    let body = json!({ "a": 1 });
    for status in [301, 302, 303] {
        let server = Server::start([Response::redirect(status, "/other"), Response::json(200, "{}")]);
        let error = http(server.url("")).send(&Request::post("/").json(body.clone())).await.unwrap_err();
        assert_eq!((error.trouble, server.lines()), (ApiTrouble::Redirected, vec!["POST /".to_owned()]));
    }
    for status in [307, 308] {
        let server = Server::start([Response::redirect(status, "/other"), Response::json(200, "{}")]);
        http(server.url("")).send(&Request::post("/").json(body.clone())).await.unwrap();
        assert_eq!(server.lines(), ["POST /", "POST /other"]);
        assert_eq!(server.requests()[1].body, r#"{"a":1}"#);
    }
}

#[tokio::test]
async fn a_redirect_without_a_place_is_an_error() {
    for response in [
        Response::bytes(302, ""),
        Response::redirect(302, "https://"),
        Response::redirect(300, "/x"),
        Response::bytes(304, ""),
    ] {
        let server = Server::start([response]);
        let error = http(server.url("")).send(&asking()).await.unwrap_err();
        assert_eq!((error.trouble, server.requests().len()), (ApiTrouble::Redirected, 1), "{error}");
    }
}
