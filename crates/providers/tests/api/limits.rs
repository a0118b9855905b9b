//! Answers without end, without beginning, or in another language.

use std::time::Duration;

use regprobe_providers::{ApiError, ApiTrouble, Request};

use crate::support::{After, Response, Server};
use crate::{hasty, http};

/// What becomes of a POST, which is asked once.
async fn outcome(response: Response) -> ApiError {
    let server = Server::start([response]);
    let error = http(server.url("")).send(&Request::post("/")).await.unwrap_err();
    assert_eq!((error.attempts, server.requests().len()), (1, 1), "{error}");
    error
}

/// The same, when it takes a deadline.
async fn outcome_in_time(response: Response) -> ApiError {
    let server = Server::start([response]);
    hasty(server.url("")).send(&Request::post("/")).await.unwrap_err()
}

fn raw(text: &str) -> Response {
    Response::raw(text)
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read() {
    let declared = raw("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{").then(After::Silence);
    let error = outcome(declared).await;
    assert_eq!(
        (error.trouble, error.status, &*error.detail),
        (ApiTrouble::TooLarge, Some(200), "more than 1024 KiB")
    );
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let chunked = raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").then(After::Endless(chunk.clone().into_bytes()));
    assert_eq!(outcome(chunked).await.trouble, ApiTrouble::TooLarge);
    let until_closed = raw("HTTP/1.1 200 OK\r\n\r\n").then(After::Endless(vec![b' '; 4096]));
    assert_eq!(outcome(until_closed).await.trouble, ApiTrouble::TooLarge);
    // In an error the status counts, not its text.
    let failing = raw("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n").then(After::Endless(chunk.into_bytes()));
    let error = outcome(failing).await;
    assert_eq!((error.trouble, error.status), (ApiTrouble::Server, Some(503)));
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_read() {
    let server = Server::start([Response::json(200, format!("\"{}\"", "x".repeat(1024 * 1024 - 2)))]);
    let reply = http(server.url("")).send(&Request::get("/")).await.unwrap();
    assert_eq!(reply.body.as_str().map(str::len), Some(1024 * 1024 - 2));
}

#[tokio::test]
async fn a_body_cut_off_is_a_broken_connection() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    for (response, words) in [
        (
            raw(&format!("{head}Content-Length: 100\r\n\r\n{{\"registered\":true")).then(After::Close),
            "",
        ),
        (
            raw(&format!("{head}Content-Length: 100\r\n\r\n{{\"a\":")).then(After::Reset),
            "reset",
        ),
        (
            raw(&format!("{head}Transfer-Encoding: chunked\r\n\r\n10\r\n{{")).then(After::Close),
            "",
        ),
        (raw("").then(After::Close), "closed"),
        (raw("").then(After::Reset), ""),
        (raw("HTTP/1.1 200 OK\r\nContent-").then(After::Close), "closed"),
    ] {
        let error = outcome(response).await;
        assert_eq!(error.trouble, ApiTrouble::Unreachable, "{error}");
        assert!(error.detail.contains("connection") && error.detail.contains(words), "{error}");
    }
}

#[tokio::test]
async fn silence_and_an_endless_trickle_end_with_the_deadline() {
    let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "x".repeat(8000));
    for response in [
        raw("").then(After::Silence),
        raw("HTTP/1.1 200 OK\r\nX: ").then(After::Silence),
        Response::raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{").then(After::Silence),
        raw("").then(After::Endless(hint.into_bytes())),
        raw("HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n{").then(After::Silence),
    ] {
        let error = outcome_in_time(response).await;
        assert_eq!((error.trouble, error.status), (ApiTrouble::Timeout, None), "{error}");
        assert!(error.detail.ends_with("127.0.0.1 within 300ms"), "{error}");
    }
}

#[tokio::test]
async fn the_deadline_is_over_all_attempts() {
    let server = Server::answering(|_| Response::json(503, "{}"));
    let options = crate::options(server.url(""));
    let retry = regprobe_providers::RetryPolicy {
        attempts: u32::MAX,
        ..options.retry
    };
    let deadline = Duration::from_millis(200);
    let http = regprobe_providers::Http::new(regprobe_providers::HttpOptions {
        retry,
        deadline,
        ..options
    })
    .unwrap();
    let error = http.send(&Request::get("/")).await.unwrap_err();
    assert!(matches!(error.trouble, ApiTrouble::Server | ApiTrouble::Timeout), "{error}");
    assert!(
        error.attempts > 1 && error.to_string().ends_with(&format!("(tried {} times)", error.attempts)),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_no_http_is_no_contract() {
    let header = format!("X-Long: {}\r\n", "x".repeat(8000));
    for response in [
        raw("SIP/2.0 400 Bad Request\r\n\r\n").then(After::Close),
        raw("HTTP/1.1 two hundred\r\n\r\n").then(After::Close),
        raw("HTTP/1.1 200 OK\r\n").then(After::Endless(header.into())),
        raw("HTTP/1.1 200 OK\r\n").then(After::Endless(b"a:\r\n".repeat(1000))),
        raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12").then(After::Close),
        raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").then(After::Close),
    ] {
        let error = outcome(response).await;
        assert_eq!(error.trouble, ApiTrouble::Contract, "{error}");
        assert!(error.detail.starts_with("no HTTP: "), "{error}");
    }
}

#[tokio::test]
async fn html_and_other_texts_are_told_by_their_first_words() {
    let page = "<html><head><title>Sign in</title><script>var a = '<b>';</script></head><body><h1>Welcome\u{1b}[2J</h1>";
    let error = outcome(Response::text(200, "text/html", page)).await;
    assert_eq!((error.trouble, error.status), (ApiTrouble::Contract, Some(200)));
    assert_eq!(error.detail, r"no JSON but text/html: Sign in Welcome\x1b[2J");
    let error = outcome(Response::text(502, "text/html", "<h1>502 Bad Gateway</h1>nginx")).await;
    assert_eq!((error.trouble, &*error.detail), (ApiTrouble::Server, "502 Bad Gateway nginx"));
    let error = outcome(Response::bytes(503, "")).await;
    assert_eq!(error.to_string(), "POST /: HTTP 503: Service Unavailable");
    let error = outcome(Response::text(200, "application/json", "{\"registered\":tr")).await;
    assert_eq!(error.trouble, ApiTrouble::Contract);
    assert!(error.detail.starts_with("broken JSON: EOF"), "{error}");
    assert_eq!(outcome(Response::bytes(200, "")).await.detail, "an empty answer instead of JSON");
    let long = outcome(Response::text(500, "text/plain", "ü".repeat(2_000_000))).await;
    assert!(long.detail.len() < 300, "{long}");
}

#[tokio::test]
async fn what_is_compressed_is_not_unpacked() {
    // A gzip stream of zeros; whoever unpacks such a thing may get a thousand times as much.
    let bomb = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0x63, 0x60, 0x18, 5, 0xa3, 0x60, 0x14];
    let response = Response::bytes(200, bomb).header("Content-Type", "application/json");
    let error = outcome(response.header("Content-Encoding", "gzip")).await;
    assert_eq!(
        (error.trouble, &*error.detail),
        (ApiTrouble::Contract, "compressed, which was not asked for")
    );
    let server = Server::start([Response::json(200, "{}").header("Content-Encoding", "identity")]);
    assert!(http(server.url("")).send(&Request::get("/")).await.is_ok());
}

#[tokio::test]
async fn json_that_is_deeper_than_anybody_needs_is_no_contract() {
    let error = outcome(Response::json(200, "[".repeat(500_000))).await;
    assert!(error.detail.contains("recursion"), "{error}");
    let error = outcome(Response::json(400, "{\"a\":".repeat(100_000))).await;
    assert_eq!((error.trouble, &*error.detail), (ApiTrouble::BadRequest, "Bad Request"));
}
