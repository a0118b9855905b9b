//! What is asked again, and what is not.

use std::time::Duration;

use regprobe_providers::{ApiError, ApiTrouble, Envelope, Http, HttpOptions, Reply, Request};
use serde_json::json;
use tokio::net::TcpSocket;

use crate::support::{After, Response, Server};
use crate::{http, options};

/// What a request comes to when the server says this and then 200, and how often it was asked.
async fn after(first: Response, request: Request) -> (Result<Reply, ApiError>, usize) {
    let server = Server::start([first, Response::json(200, "{}")]);
    let outcome = http(server.url("")).send(&request).await;
    (outcome, server.requests().len())
}

fn methods() -> [Request; 6] {
    let rpc = Request::post("/rpc").repeatable();
    [
        Request::get("/"),
        Request::put("/"),
        Request::delete("/"),
        rpc,
        Request::post("/"),
        Request::patch("/"),
    ]
}

#[tokio::test]
async fn a_failed_server_is_asked_again_when_that_changes_nothing() {
    for status in [500, 502, 503, 504] {
        for (request, repeatable) in methods().into_iter().zip([true, true, true, true, false, false]) {
            let (outcome, requests) = after(Response::json(status, "{}"), request).await;
            assert_eq!(
                (outcome.is_ok(), requests),
                (repeatable, 1 + usize::from(repeatable)),
                "{status} {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_when_that_changes_nothing() {
    for first in [
        Response::raw("").then(After::Close),
        Response::raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{").then(After::Reset),
    ] {
        for (request, repeatable) in methods().into_iter().zip([true, true, true, true, false, false]) {
            let (outcome, requests) = after(first.clone(), request).await;
            assert_eq!(
                (outcome.is_ok(), requests),
                (repeatable, 1 + usize::from(repeatable)),
                "{outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_was_not_done_is_asked_again_whatever_it_is() {
    for status in [409, 429] {
        for request in methods() {
            let (outcome, requests) = after(Response::json(status, "{}").header("Retry-After", "0"), request.json(json!([1]))).await;
            assert_eq!((outcome.is_ok(), requests), (true, 2), "{status} {outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_final() {
    for (status, trouble) in [
        (400, ApiTrouble::BadRequest),
        (401, ApiTrouble::Unauthorized),
        (403, ApiTrouble::Forbidden),
        (404, ApiTrouble::NotFound),
        (408, ApiTrouble::Timeout),
        (410, ApiTrouble::Gone),
        (418, ApiTrouble::Other),
        (422, ApiTrouble::Unprocessable),
        (501, ApiTrouble::Server),
    ] {
        let body = r#"{"code":"10009","detail":"Authentication\nfailed"}"#;
        let refused = Response::json(status, body).header("Retry-After", "0");
        let (outcome, requests) = after(refused, Request::get("/v2/x")).await;
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.trouble, error.status, error.attempts, requests),
            (trouble, Some(status), 1, 1)
        );
        assert_eq!(
            error.to_string(),
            format!(r"GET /v2/x: HTTP {status}, 10009: Authentication\x0afailed")
        );
    }
}

#[tokio::test]
async fn the_last_of_too_many_attempts_is_told() {
    let server = Server::start([500, 502, 503].map(|status| Response::json(status, "{}")));
    let error = http(server.url("")).send(&Request::get("/")).await.unwrap_err();
    assert_eq!((error.status, error.attempts, server.requests().len()), (Some(503), 3, 3));
    assert!(error.to_string().ends_with("(tried 3 times)"), "{error}");
}

#[tokio::test]
async fn every_attempt_is_the_same_request() {
    let server = Server::start([Response::json(429, "{}").header("Retry-After", "0"), Response::json(201, "{}")]);
    let request = Request::post("/x")
        .query("a", "b")
        .json(json!({"c": "d"}))
        .bearer("key".to_owned().into());
    http(server.url("")).send(&request).await.unwrap();
    let seen = server.requests();
    assert_eq!(
        (seen[0].line(), &seen[0].body, &seen[0].headers),
        (seen[1].line(), &seen[1].body, &seen[1].headers)
    );
}

#[tokio::test]
async fn a_wait_beyond_our_patience_is_told_instead_of_waited() {
    for (name, value, seconds) in [
        ("Retry-After", "999999", 999_999),
        ("Retry-After", "99999999999999999999999", u64::MAX),
        ("x-ratelimit-reset", "17", 17),
        ("Retry-After", "6", 6),
    ] {
        let (outcome, requests) = after(Response::json(429, "{}").header(name, value), Request::get("/")).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.trouble, error.attempts, requests), (ApiTrouble::RateLimited, 1, 1));
        assert_eq!(error.retry_after, Some(Duration::from_secs(seconds)));
    }
    let dated = Response::json(503, "{}")
        .header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("Retry-After", "Sun, 06 Nov 1994 09:49:37 GMT");
    let error = after(dated, Request::get("/")).await.0.unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_told_instead_of_waited() {
    let server = Server::answering(|_| Response::json(429, "{}").header("Retry-After", "2"));
    let http = Http::new(HttpOptions {
        deadline: Duration::from_secs(2),
        ..options(server.url(""))
    });
    let error = http.unwrap().send(&Request::get("/")).await.unwrap_err();
    assert_eq!((error.trouble, error.attempts), (ApiTrouble::RateLimited, 1));
    assert_eq!(error.retry_after, Some(Duration::from_secs(2)));
}

#[tokio::test]
async fn the_providers_own_words_count_more_than_the_status() {
    let envelope = |body: &serde_json::Value| {
        Some(Envelope {
            code: Some(body.get("error")?.as_str()?.to_owned()),
            detail: "too fast".to_owned(),
            trouble: Some(ApiTrouble::RateLimited),
            retry_after: body.get("reset").and_then(serde_json::Value::as_u64).map(Duration::from_secs),
        })
    };
    let limit = |reset: u64| Response::json(503, json!({ "error": "QUERY_LIMIT_EXCEEDED", "reset": reset }));
    let server = Server::start([limit(0), limit(77)]);
    let http = Http::new(HttpOptions {
        envelope,
        ..options(server.url(""))
    });
    let error = http.unwrap().send(&Request::post("/")).await.unwrap_err();
    assert_eq!(
        (error.trouble, error.status, error.attempts),
        (ApiTrouble::RateLimited, Some(503), 2)
    );
    assert_eq!(error.retry_after, Some(Duration::from_secs(77)));
    assert_eq!(error.code.as_deref(), Some("QUERY_LIMIT_EXCEEDED"));
}

#[tokio::test]
async fn a_call_that_nobody_took_is_made_again_whatever_it_is() {
    // Bound and not listening: refused, and nobody else gets the port meanwhile.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap()).parse().unwrap();
    let error = http(url).send(&Request::post("/")).await.unwrap_err();
    assert_eq!((error.trouble, error.status, error.attempts), (ApiTrouble::Unreachable, None, 3));
    assert!(
        error.detail.starts_with("no connection to 127.0.0.1: ") && error.detail.contains("refused"),
        "{error}"
    );
}

#[tokio::test]
async fn a_name_without_an_address_is_named() {
    // No resolver is asked for a label of 64 letters (RFC 1035 §2.3.4).
    let name = format!("{}.test", "a".repeat(64));
    let http = Http::new(HttpOptions {
        confidential: regprobe_providers::Confidential::Nothing,
        ..options(format!("http://{name}/").parse().unwrap())
    });
    let error = http.unwrap().send(&Request::post("/")).await.unwrap_err();
    assert_eq!((error.trouble, error.attempts), (ApiTrouble::Unreachable, 3));
    assert!(error.detail.starts_with(&format!("{name} has no address: ")), "{error}");
}
