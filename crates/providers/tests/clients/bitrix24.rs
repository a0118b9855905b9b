//! Bitrix24: both ways of access, the three methods, and the errors.

use std::time::Duration;

use regprobe_providers::bitrix24::{Access, Client, LineKind, webhook};
use regprobe_providers::{ApiTrouble, SetupError, Word};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{Response, Seen, Server};
use crate::{assert_clean, options};

fn by_webhook(server: &Server) -> Client {
    let url = server.url("/rest/1/canary8h2kd93/");
    let (portal, access) = webhook(&SecretString::from(url.as_str())).unwrap();
    Client::new(access, options(portal)).unwrap()
}

fn by_token(server: &Server) -> Client {
    Client::new(Access::Token(SecretString::from("canary-token")), options(server.url(""))).unwrap()
}

fn answered(result: Value) -> Response {
    Response::json(200, json!({"result": result, "time": {"start": 1_773_323_644, "operating": 0.15}}))
}

fn success() -> Response {
    answered(
        json!({"REG_ID": 150_907, "LAST_UPDATED": "2026-03-12 09:10:51", "ERROR_MESSAGE": "", "STATUS_CODE": 200,
        "STATUS_RESULT": "success"}),
    )
}

/// With an echo of what was sent, as careless servers write it.
fn refused(seen: &Seen, status: u16, code: &str) -> Response {
    let description = format!("{} {}", seen.target, seen.body);
    Response::json(status, json!({"error": code, "error_description": description}))
}

fn line(reg_id: &str, code: &str) -> Value {
    json!({"TYPE": "cloud", "CONFIG_ID": "3", "REG_ID": reg_id, "SERVER": "sip.example.com", "LOGIN": "1001",
        "PASSWORD": "canary-password", "AUTH_USER": "auth1001", "OUTBOUND_PROXY": "proxy.example.com:5080",
        "REGISTRATION_STATUS_CODE": code, "REGISTRATION_ERROR_MESSAGE": "", "TITLE": "Office"})
}

#[tokio::test]
async fn a_webhook_stands_in_the_path_and_nowhere_else() {
    let server = Server::start([success()]);
    let client = by_webhook(&server);
    let answer = client.answer(150_907).await;
    assert_eq!(answer.word, Word::Registered);
    let seen = server.requests();
    assert_eq!(seen[0].line(), "POST /rest/1/canary8h2kd93/voximplant.sip.status");
    assert_eq!((&*seen[0].body, seen[0].header("authorization")), (r#"{"REG_ID":150907}"#, None));
    assert_clean(&format!("{client:?}{answer:?}"));
}

#[tokio::test]
async fn a_token_stands_in_the_body_and_nowhere_else() {
    let server = Server::start([success()]);
    let client = by_token(&server);
    let answer = client.answer(150_907).await;
    assert_eq!(answer.word, Word::Registered);
    let seen = server.requests();
    assert_eq!(seen[0].line(), "POST /rest/voximplant.sip.status");
    assert_eq!(seen[0].header("authorization"), None);
    let body: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(body, json!({"REG_ID": 150_907, "auth": "canary-token"}));
    assert_clean(&format!("{client:?}{answer:?}"));
}

#[tokio::test]
async fn every_error_code_has_its_word_and_shows_no_secret() {
    use ApiTrouble::{BadRequest, Forbidden, Gone, Unauthorized};
    for (status, code, word) in [
        (400, "REG_ID_NOT_FOUND", Word::NotFound),
        (403, "ACCESS_DENIED", Word::Unavailable(Forbidden)),
        (403, "insufficient_scope", Word::Unavailable(Forbidden)),
        (401, "expired_token", Word::Unavailable(Unauthorized)),
        (401, "NO_AUTH_FOUND", Word::Unavailable(Unauthorized)),
        (400, "INVALID_REQUEST", Word::Unavailable(BadRequest)),
        (404, "ERROR_METHOD_NOT_FOUND", Word::Unavailable(Gone)),
        (200, "ACCESS_DENIED", Word::Unavailable(Forbidden)),
        (200, "REG_ID_NOT_FOUND", Word::NotFound),
    ] {
        let server = Server::answering(move |seen| refused(seen, status, code));
        for client in [by_webhook(&server), by_token(&server)] {
            let answer = client.answer(7).await;
            assert_eq!(answer.word, word, "{status} {code}");
            assert!(answer.raw.contains(code), "{}", answer.raw);
            assert_clean(&answer.raw);
        }
        assert_eq!(server.requests().len(), 2, "{status} {code} is not repeated");
    }
}

#[tokio::test]
async fn limits_are_waited_for_and_told() {
    let limited = async |status: u16, code: &'static str| {
        let server = Server::answering(move |seen| refused(seen, status, code));
        let answer = by_webhook(&server).answer(7).await;
        assert_eq!(
            (&answer.word, server.requests().len()),
            (&Word::Unavailable(ApiTrouble::RateLimited), 3),
            "{code}"
        );
        assert!(answer.raw.contains(code) && answer.raw.contains("tried 3 times"), "{}", answer.raw);
        assert_clean(&answer.raw);
    };
    tokio::join!(
        limited(503, "QUERY_LIMIT_EXCEEDED"),
        limited(503, "OVERLOAD_LIMIT"),
        limited(429, "OPERATION_TIME_LIMIT")
    );
}

#[tokio::test]
async fn a_method_that_is_shut_for_long_is_not_asked_again() {
    let time = json!({"date_finish": "2026-03-12T16:54:04+01:00", "operating_reset_at": 1_773_331_444});
    let body = json!({"error": "OPERATION_TIME_LIMIT", "error_description": "Method is blocked", "time": time});
    let server = Server::start([Response::json(429, body)]);
    let error = by_webhook(&server).lines().await.unwrap_err();
    assert_eq!(
        (error.trouble, error.retry_after, error.attempts),
        (ApiTrouble::RateLimited, Some(Duration::from_secs(600)), 1)
    );
}

#[tokio::test]
async fn lines_that_are_none_and_more_of_them_than_a_page_has_are_no_list() {
    for (lines, trouble) in [
        (json!([line("9", "200"), 7]), ApiTrouble::Contract),
        (json!(vec![json!({}); 101]), ApiTrouble::TooLarge),
    ] {
        let server = Server::start([answered(lines)]);
        assert_eq!(by_webhook(&server).lines().await.unwrap_err().trouble, trouble);
    }
}

#[tokio::test]
async fn a_renamed_portal_is_named_and_gets_nothing() {
    let other = Server::start([]);
    let target = other.url_as("localhost", "/rest/1/canary8h2kd93/voximplant.sip.status");
    let server = Server::start([Response::redirect(302, target)]);
    let answer = by_webhook(&server).answer(7).await;
    assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Redirected));
    assert!(
        answer.raw.contains(other.url_as("localhost", "").as_str().trim_end_matches('/')),
        "{}",
        answer.raw
    );
    assert_clean(&answer.raw);
    assert_eq!((server.requests().len(), other.connections()), (1, 0));
}

#[tokio::test]
async fn the_stored_status_is_that_of_one_line_without_its_password() {
    let lines = json!([line("9", "502"), line("150907", "200")]);
    let server = Server::start([answered(lines), answered(json!([])), answered(json!([line("9", "200")]))]);
    let client = by_webhook(&server);
    let answer = client.stored(150_907).await;
    assert_eq!((&answer.word, answer.username.as_deref()), (&Word::Registered, Some("1001")));
    assert_clean(&format!("{answer:?}"));
    for _ in 0..2 {
        assert_eq!(client.stored(150_907).await.word, Word::NotFound);
    }
    let seen = server.requests();
    assert_eq!(seen[0].line(), "POST /rest/1/canary8h2kd93/voximplant.sip.get");
    assert_eq!(seen[0].body, r#"{"FILTER":{"REG_ID":150907}}"#);
}

#[tokio::test]
async fn the_settings_are_those_of_the_line() {
    let server = Server::start([answered(json!([line("150907", "200")])), answered(json!([])), answered(json!("x"))]);
    let client = by_token(&server);
    let settings = client.settings(150_907).await.unwrap();
    assert_eq!(settings.aor.unwrap().as_str(), "sip:1001@sip.example.com");
    assert_eq!(settings.registrar.unwrap().as_str(), "sip:sip.example.com");
    assert_eq!(settings.outbound_proxy.unwrap().as_str(), "sip:proxy.example.com:5080");
    assert_eq!(
        (settings.auth_user.as_deref(), settings.name.as_deref()),
        (Some("auth1001"), Some("Office"))
    );
    assert_eq!(client.settings(150_907).await.unwrap_err().trouble, ApiTrouble::NotFound);
    assert_eq!(client.settings(150_907).await.unwrap_err().trouble, ApiTrouble::Contract);
}

#[tokio::test]
async fn lines_are_read_page_by_page() {
    let page = |from: i64, next: Value| {
        let lines: Vec<_> = (from..from + 2).map(|id| line(&id.to_string(), "0")).collect();
        Response::json(200, json!({"result": lines, "total": 4, "next": next}))
    };
    let server = Server::start([page(1, json!(50)), page(3, json!(null))]);
    let lines = by_webhook(&server).lines().await.unwrap();
    assert_eq!(lines.iter().filter_map(|line| line.reg_id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(lines.iter().all(|line| line.kind == LineKind::Cloud));
    let bodies: Vec<_> = server.requests().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, [r#"{"start":0}"#, r#"{"start":50}"#]);
    assert_clean(&format!("{lines:?}{}", serde_json::to_string(&lines).unwrap()));
}

#[tokio::test]
async fn pages_that_lead_in_circles_end() {
    let server = Server::answering(|_| Response::json(200, json!({"result": [], "next": 50})));
    let error = by_webhook(&server).lines().await.unwrap_err();
    assert_eq!((error.trouble, server.requests().len()), (ApiTrouble::Contract, 2));
}

#[tokio::test]
async fn the_connector_says_whether_it_is_paid() {
    let paid = json!({"FREE_MINUTES": "60", "PAID": true, "PAID_DATE_END": "2026-12-31"});
    let server = Server::start([
        answered(paid),
        answered(json!({"FREE_MINUTES": 60, "PAID": false})),
        answered(json!(null)),
    ]);
    let client = by_webhook(&server);
    let connector = client.connector().await.unwrap();
    assert_eq!(
        (connector.free_minutes, connector.paid, connector.paid_until.as_deref()),
        (Some(60), Some(true), Some("2026-12-31"))
    );
    let connector = client.connector().await.unwrap();
    assert_eq!((connector.paid, connector.paid_until), (Some(false), None));
    assert_eq!(client.connector().await.unwrap_err().trouble, ApiTrouble::Contract);
    assert_eq!(
        server.requests()[0].line(),
        "POST /rest/1/canary8h2kd93/voximplant.sip.connector.status"
    );
}

#[test]
fn no_webhook_goes_over_plain_http_to_a_stranger() {
    let (portal, access) = webhook(&SecretString::from("http://portal.bitrix24.com/rest/1/canary8h2kd93/")).unwrap();
    let error = Client::new(access, options(portal)).unwrap_err();
    assert!(matches!(error, SetupError::PlainText(_)));
    assert_clean(&error.to_string());
}
