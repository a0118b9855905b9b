//! What goes wrong between us and Telnyx: each becomes an answer that names it, and none a state.

use regprobe_providers::telnyx::Subject;
use regprobe_providers::{ApiTrouble, SourceKind, Word};
use serde_json::json;

use crate::samples::r5;
use crate::support::{After, Response, Server};
use crate::{ID, client, key, uac};

fn refusal(code: &str, title: &str) -> String {
    json!({"errors": [{"code": code, "title": title, "detail": "says why", "source": {"pointer": "/connection_id"}}]}).to_string()
}

#[tokio::test]
async fn each_status_has_its_own_trouble() {
    for (status, code, trouble) in [
        (400, "10015", ApiTrouble::BadRequest),
        (401, "10009", ApiTrouble::Unauthorized),
        (403, "10010", ApiTrouble::Forbidden),
        (410, "10005", ApiTrouble::Gone),
        (422, "10015", ApiTrouble::Unprocessable),
    ] {
        let server = Server::start([Response::json(status, refusal(code, "Refused"))]);
        let answer = client(&server).answer(&uac()).await;
        assert_eq!(answer.word, Word::Unavailable(trouble), "{status}");
        assert!(
            answer.raw.contains(code) && answer.raw.contains("Refused: says why (at /connection_id)"),
            "{}",
            answer.raw
        );
        assert!(!answer.raw.contains("canary"));
        assert_eq!(server.lines().len(), 1, "{status} is not asked again");
    }
}

#[tokio::test]
async fn an_object_that_is_not_there_is_not_found() {
    let server = Server::start([Response::json(404, refusal("10005", "Resource not found"))]);
    assert_eq!(client(&server).answer(&uac()).await.word, Word::NotFound);
}

#[tokio::test]
async fn a_404_that_is_none_of_telnyx_is_a_wrong_url() {
    for response in [
        Response::text(404, "text/html", "<h1>Not Found</h1>"),
        Response::json(404, json!({"message": "no route"})),
    ] {
        let answer = client(&Server::start([response])).answer(&uac()).await;
        assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Contract), "{}", answer.raw);
    }
}

#[tokio::test]
async fn a_page_in_the_place_of_an_answer_is_kept_as_it_came() {
    let words = "x".repeat(400);
    let page = format!("<html><title>Sign in</title>\u{1b}[2J\n<p>{words} password=hunter2hunter2 KEYcanary</p></html>");
    let server = Server::start([Response::text(200, "text/html", page)]);
    let answer = client(&server).answer(&uac()).await;
    assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Contract));
    assert!(
        answer
            .trouble()
            .starts_with("GET /v2/sip_registration_status: HTTP 200: no JSON but text/html: Sign in"),
        "{}",
        answer.raw
    );
    let page = answer.raw.lines().nth(1).unwrap();
    assert!(page.starts_with(r"<html><title>Sign in</title>\x1b[2J\x0a<p>xxx"), "{page}");
    assert!(page.contains(&words) && page.ends_with(" password=*** ***</p></html>"), "{page}");
    let endless = "y ".repeat(100_000);
    let answer = client(&Server::start([Response::text(200, "text/plain", endless)]))
        .answer(&uac())
        .await;
    assert!((16_000..17_000).contains(&answer.raw.len()), "{}", answer.raw.len());
}

#[tokio::test]
async fn the_withdrawn_check_says_that_it_is_gone() {
    let server = Server::start([Response::json(410, "{}")]);
    let answer = client(&server).check_answer(&key(ID)).await;
    assert_eq!(
        (answer.source, answer.word),
        (SourceKind::TelnyxCredentialCheck, Word::Unavailable(ApiTrouble::Gone))
    );
    let line = format!("POST /v2/credential_connections/{ID}/actions/check_registration_status");
    assert_eq!(server.lines(), [line]);
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_and_the_answer_read_then() {
    let limited = || Response::json(429, refusal("10011", "Too many requests")).header("x-ratelimit-reset", "0");
    let server = Server::start([limited(), Response::json(200, r5())]);
    assert_eq!(client(&server).answer(&uac()).await.word, Word::Registered);
    let server = Server::start([limited(), limited(), limited(), Response::json(200, r5())]);
    assert_eq!(
        client(&server).answer(&uac()).await.word,
        Word::Unavailable(ApiTrouble::RateLimited)
    );
}

#[tokio::test]
async fn an_answer_that_is_cut_off_or_no_json_is_no_state() {
    let whole = r5().to_string();
    for response in [
        Response::text(200, "text/html", "<html>registered</html>"),
        Response::json(200, &whole[..whole.len() / 2]),
        Response::json(200, ""),
    ] {
        let server = Server::start([response.clone(), response.clone(), response]);
        let word = client(&server).answer(&uac()).await.word;
        assert_eq!(word, Word::Unavailable(ApiTrouble::Contract));
    }
}

#[tokio::test]
async fn a_server_that_leaves_is_unreachable() {
    let reset = || Response::raw("").then(After::Reset);
    let server = Server::start([reset(), reset(), reset(), reset()]);
    assert_eq!(
        client(&server).answer(&uac()).await.word,
        Word::Unavailable(ApiTrouble::Unreachable)
    );
}

#[tokio::test]
async fn the_three_kinds_of_credentials_are_asked_for_by_their_own_keys() {
    let server = Server::answering(|_| Response::json(200, r5()));
    let client = client(&server);
    client.answer(&uac()).await;
    client.answer(&Subject::TelephonyCredential(key("gencred+x y"))).await;
    client.answer(&Subject::CredentialConnection(key("office1"))).await;
    client.stored_answer(&key(ID)).await;
    assert_eq!(
        server.lines(),
        [
            format!("GET /v2/sip_registration_status?credential_type=uac_external_credential&connection_id={ID}"),
            "GET /v2/sip_registration_status?credential_type=telephony_credential&username=gencred%2Bx+y".to_owned(),
            "GET /v2/sip_registration_status?credential_type=sip_credential_connection&username=office1".to_owned(),
            format!("GET /v2/uac_connections/{ID}"),
        ]
    );
    assert!(
        server
            .requests()
            .iter()
            .all(|seen| seen.header("authorization") == Some("Bearer KEYcanary"))
    );
    assert!(!format!("{client:?}").contains("canary"));
}
