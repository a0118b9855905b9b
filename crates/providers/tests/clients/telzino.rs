//! Telzino: tokens, the status, and the storing of an account.

use regprobe_providers::telzino::{AgentId, Client, Credentials, Registration};
use regprobe_providers::{ApiTrouble, Unknown, Word};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{Response, Server};
use crate::{assert_clean, options};

const STATUS: &str = "GET /v1/agents/123e4567-e89b-12d3-a456-426614174000/sip/registration/status";
const STORE: &str = "PUT /v1/agents/123e4567-e89b-12d3-a456-426614174000/sip/registration";

fn agent() -> AgentId {
    "123e4567-e89b-12d3-a456-426614174000".parse().unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn with_token(server: &Server) -> Client {
    Client::new(Credentials::Token(secret("canary-token")), options(server.url(""))).unwrap()
}

fn with_credentials(server: &Server) -> Client {
    Client::new(Credentials::client("app-1", secret("canary-secret")), options(server.url(""))).unwrap()
}

fn registered() -> Response {
    let data = json!({"state": "REGISTERED_STATE", "stateCode": 3, "enabled": "yes", "expires": 1_771_765_200,
        "lastRegisterSent": "2026-02-22T12:00:00Z", "registrationTimeout": "3600", "isRegistered": true,
        "errorMessage": "Successfully registered"});
    Response::json(200, json!({"success": true, "data": data}))
}

fn token(token: &str, expires_in: Value) -> Response {
    Response::json(
        200,
        json!({"access_token": token, "token_type": "Bearer", "expires_in": expires_in}),
    )
}

#[tokio::test]
async fn a_ready_token_is_sent_as_it_is() {
    let server = Server::start([registered().header("Date", "Sun, 22 Feb 2026 12:00:10 GMT")]);
    let client = with_token(&server);
    let answer = client.answer(&agent()).await;
    assert_eq!(answer.word, Word::Registered);
    assert_eq!(answer.server_date.unwrap().to_string(), "2026-02-22T12:00:10.000Z");
    let seen = server.requests();
    assert_eq!(seen[0].line(), STATUS);
    assert_eq!(seen[0].header("authorization"), Some("Bearer canary-token"));
    assert_clean(&format!("{client:?}{answer:?}"));
}

#[tokio::test]
async fn credentials_are_exchanged_for_a_token_that_is_kept() {
    let server = Server::start([token("canary-first", json!(86400)), registered(), registered()]);
    let client = with_credentials(&server);
    for _ in 0..2 {
        assert_eq!(client.answer(&agent()).await.word, Word::Registered);
    }
    assert_eq!(server.lines(), ["POST /oauth/token", STATUS, STATUS]);
    let seen = server.requests();
    assert_eq!(seen[0].header("authorization"), None);
    let asked: Value = serde_json::from_str(&seen[0].body).unwrap();
    let expected = json!({"client_id": "app-1", "client_secret": "canary-secret", "audience": "https://api.telzino.com/",
        "grant_type": "client_credentials"});
    assert_eq!(asked, expected);
    assert_eq!(seen[2].header("authorization"), Some("Bearer canary-first"));
    assert_clean(&format!("{client:?}"));
}

#[tokio::test]
async fn a_token_that_ends_soon_is_used_once() {
    let server = Server::start([token("first", json!("5")), registered(), token("second", json!(5)), registered()]);
    let client = with_credentials(&server);
    for _ in 0..2 {
        assert_eq!(client.answer(&agent()).await.word, Word::Registered);
    }
    assert_eq!(server.lines(), ["POST /oauth/token", STATUS, "POST /oauth/token", STATUS]);
    assert_eq!(server.requests()[3].header("authorization"), Some("Bearer second"));
}

#[tokio::test]
async fn a_kept_token_that_is_refused_is_renewed_once() {
    let refused = || Response::json(401, json!({"message": "invalid token canary-second"}));
    let server = Server::start([
        token("canary-first", json!(86400)),
        registered(),
        refused(),
        token("canary-second", json!(86400)),
        registered(),
        refused(),
        token("canary-third", json!(86400)),
        refused(),
    ]);
    let client = with_credentials(&server);
    assert_eq!(client.answer(&agent()).await.word, Word::Registered);
    assert_eq!(client.answer(&agent()).await.word, Word::Registered);
    let answer = client.answer(&agent()).await;
    assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Unauthorized));
    let tokens: Vec<_> = server.requests().into_iter().filter(|seen| seen.line() == STATUS).collect();
    let tokens: Vec<_> = tokens.iter().filter_map(|seen| seen.header("authorization")).collect();
    let [first, second, third] = ["canary-first", "canary-second", "canary-third"].map(|token| format!("Bearer {token}"));
    assert_eq!(tokens, [&first, &first, &second, &second, &third]);
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn a_ready_or_a_fresh_token_that_is_refused_is_not_renewed() {
    let refused = || Response::json(401, json!({"error": "unauthorized"}));
    let server = Server::start([refused()]);
    let answer = with_token(&server).answer(&agent()).await;
    assert_eq!(
        (answer.word, server.requests().len()),
        (Word::Unavailable(ApiTrouble::Unauthorized), 1)
    );
    assert_clean(&answer.raw);

    let server = Server::start([token("canary-first", json!(86400)), refused()]);
    let answer = with_credentials(&server).answer(&agent()).await;
    assert_eq!(
        (answer.word, server.requests().len()),
        (Word::Unavailable(ApiTrouble::Unauthorized), 2)
    );
}

#[tokio::test]
async fn a_refused_exchange_is_told_without_the_secret() {
    let echo = json!({"error": "access_denied", "error_description": "canary-secret is wrong"});
    let server = Server::start([
        Response::json(401, echo),
        token("canary token", json!(1)),
        Response::json(200, "{}"),
    ]);
    let client = with_credentials(&server);
    let answer = client.answer(&agent()).await;
    assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Unauthorized));
    assert_eq!(answer.raw, "POST /oauth/token: HTTP 401, access_denied: *** is wrong");
    for _ in 0..2 {
        let answer = client.answer(&agent()).await;
        assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Contract));
        assert_clean(&format!("{answer:?}"));
    }
}

#[tokio::test]
async fn where_no_token_is_given_out_nothing_is_said_of_the_agent() {
    let server = Server::start([Response::json(404, json!({"message": "not found"}))]);
    let answer = with_credentials(&server).answer(&agent()).await;
    assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Contract), "{}", answer.raw);
}

#[tokio::test]
async fn every_refusal_has_its_trouble() {
    for (status, word, requests) in [
        (400, Word::Unavailable(ApiTrouble::BadRequest), 1),
        (403, Word::Unavailable(ApiTrouble::Forbidden), 1),
        (404, Word::NotFound, 1),
        (429, Word::Unavailable(ApiTrouble::RateLimited), 3),
        (500, Word::Unavailable(ApiTrouble::Server), 3),
    ] {
        let server = Server::answering(move |_| Response::json(status, json!({"success": false, "message": "no"})));
        let answer = with_token(&server).answer(&agent()).await;
        assert_eq!((answer.word, server.requests().len()), (word, requests), "{status}");
        assert!(answer.raw.contains(&format!("HTTP {status}: no")), "{}", answer.raw);
    }
}

#[tokio::test]
async fn an_account_is_stored_and_no_more_is_claimed() {
    let echo = json!({"sipDomain": "sip.example.com", "username": "1001", "password": "canary-password", "proxy": null, "port": 5060,
        "transport": "udp", "subscribe": false, "authUsername": null, "did": null, "registrationEnabled": true, "extension": "1001"});
    let server = Server::start([
        Response::json(200, json!({"success": true, "data": echo})),
        Response::json(
            200,
            json!({"success": true, "message": "SIP account registered successfully with canary-password"}),
        ),
    ]);
    let client = with_token(&server);
    let account = Registration::new("sip.example.com", "1001", secret("canary-password")).unwrap();
    let stored = client.store(&agent(), &account).await.unwrap();
    assert_eq!(
        (stored.extension.as_deref(), stored.registration_enabled),
        (Some("1001"), Some(true))
    );
    assert_clean(&format!("{stored:?}{account:?}"));

    let former = Registration::former("1001@sip.example.com", "sip.example.com", "1001", secret("canary-password")).unwrap();
    let stored = client.store(&agent(), &former).await.unwrap();
    assert_eq!(stored.message.as_deref(), Some("SIP account registered successfully with ***"));
    assert_eq!(stored.registration_enabled, None);
    assert_eq!(server.lines(), [STORE, STORE]);
    let bodies: Vec<Value> = server
        .requests()
        .iter()
        .map(|seen| serde_json::from_str(&seen.body).unwrap())
        .collect();
    assert_eq!(
        bodies[0],
        json!({"sipDomain": "sip.example.com", "username": "1001", "password": "canary-password"})
    );
    assert_eq!(bodies[1]["aor"], "1001@sip.example.com");
}

#[tokio::test]
async fn an_account_that_was_not_stored_is_an_error_that_does_not_show_it() {
    let server = Server::start([
        Response::json(200, json!({"success": false, "message": "no room"})),
        Response::json(400, json!({"message": "password canary-password is too short"})),
        Response::json(200, "[]"),
    ]);
    let client = with_token(&server);
    let account = Registration::new("sip.example.com", "1001", secret("canary-password")).unwrap();
    let mut errors = Vec::new();
    for _ in 0..3 {
        let error = client.store(&agent(), &account).await.unwrap_err();
        assert_clean(&format!("{error} {error:?}"));
        errors.push(error);
    }
    assert_eq!(errors[0].to_string(), format!("{STORE}: HTTP 200: success is false: no room"));
    assert_eq!((errors[1].trouble, errors[2].trouble), (ApiTrouble::BadRequest, ApiTrouble::Other));
}

#[tokio::test]
async fn a_status_that_follows_no_contract_says_nothing() {
    let server = Server::start([
        Response::json(200, "[]"),
        Response::json(200, json!({"success": false, "message": "down"})),
    ]);
    let client = with_token(&server);
    for _ in 0..2 {
        let answer = client.answer(&agent()).await;
        assert!(matches!(answer.word, Word::Unknown(Unknown::Contract { .. })), "{answer:?}");
    }
}
