//! Over TLS: whom the client trusts, and what it says of whom it does not.

use std::sync::Arc;

use regprobe_providers::{ApiError, ApiTrouble, Http, HttpOptions, Request, SetupError};

use crate::options;
use crate::support::{After, Authority, Response, Server};

async fn ask(server: &Server, authority: &Authority, host: &str) -> Result<u16, ApiError> {
    let http = Http::new(HttpOptions {
        ca_file: Some(authority.file().to_owned()),
        ..options(server.url_as(host, "/v2"))
    });
    let request = Request::get("/status").bearer("token-canary".to_owned().into());
    http.unwrap().send(&request).await.map(|reply| reply.status)
}

#[tokio::test]
async fn a_trusted_server_is_asked_by_name_and_by_address() {
    let authority = Authority::new();
    let server = Server::start_tls(
        authority.server(&["localhost", "127.0.0.1"]),
        [Response::json(200, "{}"), Response::json(200, "{}")],
    );
    assert_eq!(ask(&server, &authority, "localhost").await, Ok(200));
    assert_eq!(ask(&server, &authority, "127.0.0.1").await, Ok(200));
    assert_eq!(server.requests()[1].header("authorization"), Some("Bearer token-canary"));
}

#[tokio::test]
async fn a_certificate_that_is_expired_untrusted_or_for_another_name_gets_no_request() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (config, words) in [
        (
            authority.server_until(&["localhost"], 2001),
            "the certificate is expired since 2001-01-01",
        ),
        (stranger.server(&["localhost"]), "the certificate is untrusted"),
        (
            authority.server(&["api.example.com", "192.0.2.1"]),
            "the certificate is for api.example.com, 192.0.2.1, not for localhost",
        ),
    ] {
        let server = Server::start_tls(config, [Response::json(200, "{}")]);
        let error = ask(&server, &authority, "localhost").await.unwrap_err();
        assert_eq!((error.trouble, error.status, error.attempts), (ApiTrouble::Tls, None, 1), "{error}");
        assert!(error.detail.starts_with(words), "{error}");
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn without_a_ca_file_the_systems_authorities_count() {
    let server = Server::start_tls(Authority::new().server(&["localhost"]), [Response::json(200, "{}")]);
    let http = Http::new(options(server.url_as("localhost", ""))).unwrap();
    let error = http.send(&Request::get("/")).await.unwrap_err();
    assert_eq!(error.trouble, ApiTrouble::Tls, "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_plaintext_peer_gets_no_request_and_no_second_chance() {
    let server = Server::start([Response::json(200, "{}")]);
    let url = server.url_as("127.0.0.1", "").to_string().replace("http:", "https:");
    // The scripted server waits for the end of a request, which a ClientHello does not have: what answers is a listener of its own.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let hello = &mut [0; 512];
        let read = tokio::io::AsyncReadExt::read(&mut stream, hello).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        hello[..read].to_vec()
    });
    let plain = url.replace(&server.address().port().to_string(), &port.to_string());
    let http = Http::new(options(plain.parse().unwrap())).unwrap();
    let error = http
        .send(&Request::get("/").bearer("token-canary".to_owned().into()))
        .await
        .unwrap_err();
    assert_eq!((error.trouble, error.attempts), (ApiTrouble::Tls, 1), "{error}");
    assert!(error.detail.starts_with("the peer does not answer in TLS"), "{error}");
    let seen = answering.await.unwrap();
    assert!(!seen.windows(6).any(|window| window == b"canary"));
}

#[tokio::test]
async fn a_session_cut_off_without_its_goodbye_is_no_whole_answer() {
    let authority = Authority::new();
    let until_closed = Response::raw("HTTP/1.1 200 OK\r\n\r\n{}").then(After::Reset);
    let server = Server::start_tls(authority.server(&["localhost"]), std::iter::repeat_n(until_closed, 3));
    let error = ask(&server, &authority, "localhost").await.unwrap_err();
    assert_eq!((error.trouble, error.attempts), (ApiTrouble::Unreachable, 3), "{error}");
}

#[test]
fn a_ca_file_that_cannot_be_used_is_told_before_anything_is_sent() {
    let missing = Http::new(HttpOptions {
        ca_file: Some("/nonexistent/ca.pem".into()),
        ..options("https://api.example.com".parse().unwrap())
    });
    let error = missing.unwrap_err();
    assert!(
        matches!(&error, SetupError::Tls(words) if words.starts_with("/nonexistent/ca.pem: ")),
        "{error}"
    );
    drop(Arc::new(error));
}
