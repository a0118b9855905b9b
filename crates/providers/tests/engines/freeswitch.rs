//! FreeSWITCH's event socket: the dialogue as it goes, and as it should not.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::time::Duration;

use regprobe_providers::freeswitch::{Client, Gateway};
use regprobe_providers::{ApiTrouble, Endpoint, Word};
use tokio::net::TcpSocket;

use crate::line_server::{LineServer, Turn};

const STATUS: &str = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n  <gateway>\n    <name>trunk</name>\n    <username>alice</username>\n    \
                      <from>&lt;sip:alice@example.com;transport=udp&gt;</from>\n    <proxy>sip:registrar.example.com</proxy>\n    \
                      <expires>600</expires>\n    <state>REGED</state>\n    <status>UP</status>\n  </gateway>\n";
const GREETING: &str = "Content-Type: auth/request\n\n";
const ACCEPTED: &str = "Content-Type: command/reply\nReply-Text: +OK accepted\n\n";

fn response(body: &str) -> String {
    format!("Content-Type: api/response\nContent-Length: {}\n\n{body}", body.len())
}

/// A FreeSWITCH with the password `canary` that says this to the one question.
fn freeswitch(answer: impl Fn() -> Turn + Send + 'static) -> LineServer {
    LineServer::start(move |command| match command {
        "" => Turn::say(GREETING),
        "auth canary\n\n" => Turn::say(ACCEPTED),
        auth if auth.starts_with("auth ") => Turn::say("Content-Type: command/reply\nReply-Text: -ERR invalid\n\n"),
        _ => answer(),
    })
}

fn client_with(server: &LineServer, password: &str, deadline: Duration) -> Client {
    let endpoint: Endpoint = server.address().to_string().parse().unwrap();
    Client::new(endpoint, password.to_owned().into(), deadline).unwrap()
}

fn trunk() -> Gateway {
    "trunk".parse().unwrap()
}

/// The word of a server that says this; the deadline is far off.
async fn word(server: &LineServer) -> Word {
    client_with(server, "canary", Duration::from_secs(60)).answer(&trunk()).await.word
}

#[tokio::test]
async fn a_gateway_is_asked_for_by_its_name_after_the_login() {
    let server = freeswitch(|| Turn::say(response(STATUS)));
    let client = client_with(&server, "canary", Duration::from_secs(60));
    let answer = client.answer(&trunk()).await;
    assert_eq!(answer.word, Word::Registered);
    assert_eq!(server.heard(), ["auth canary\n\n", "api sofia xmlstatus gateway trunk\n\n"]);
    assert!(!format!("{answer:?}{client:?}").contains("canary"));
    let settings = client.settings(&trunk()).await.unwrap();
    assert_eq!(settings.aor.unwrap().as_str(), "sip:alice@example.com");
    let listed = client.list().await.unwrap();
    assert_eq!((listed.len(), &*listed[0].object), (1, "trunk"));
    assert_eq!(server.heard().last().unwrap(), "api sofia xmlstatus gateway\n\n");
}

#[tokio::test]
async fn a_password_that_is_sent_back_is_not_shown() {
    let echo = |command: &str| match command {
        "" => Turn::say(GREETING),
        "auth canary-canary\n\n" => Turn::say(ACCEPTED),
        "api sofia xmlstatus gateway trunk\n\n" => Turn::say(response(&STATUS.replace(">alice<", ">canary-canary<"))),
        _ => Turn::say("Content-Type: command/reply\nReply-Text: -ERR canary-canary\n\n"),
    };
    let server = LineServer::start(echo);
    let client = client_with(&server, "canary-canary", Duration::from_secs(60));
    let answer = client.answer(&trunk()).await;
    assert_eq!((answer.word.clone(), answer.username.as_deref()), (Word::Registered, Some("***")));
    let error = client.list().await.unwrap_err();
    assert_eq!(&*error.detail, "-ERR ***");
    assert!(!format!("{answer:?}{error:?}").contains("canary"));
}

#[tokio::test]
async fn an_unknown_gateway_is_not_found() {
    let server = freeswitch(|| Turn::say(response("Invalid Gateway!\n")));
    assert_eq!(word(&server).await, Word::NotFound);
    let error = client_with(&server, "canary", Duration::from_secs(60))
        .settings(&trunk())
        .await
        .unwrap_err();
    assert_eq!(error.trouble, ApiTrouble::NotFound);
}

#[tokio::test]
async fn what_is_said_in_between_is_left_out() {
    let event = "Content-Length: 9\nContent-Type: text/event-plain\n\na: b\n\nc\nd";
    let server = freeswitch(move || Turn::say(format!("\n{event}{}", response(STATUS))));
    assert_eq!(word(&server).await, Word::Registered);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let wrong = freeswitch(|| Turn::say(response(STATUS)));
    let client = client_with(&wrong, "guessed-canary", Duration::from_secs(60));
    let answer = client.answer(&trunk()).await;
    assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Unauthorized));
    assert!(!answer.raw.contains("canary"), "{}", answer.raw);
    let rude =
        LineServer::start(|_| Turn::Last(b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n".into()));
    assert_eq!(word(&rude).await, Word::Unavailable(ApiTrouble::Forbidden));
    let denied = freeswitch(|| Turn::say("Content-Type: command/reply\nReply-Text: -ERR permission denied\n\n"));
    assert_eq!(word(&denied).await, Word::Unavailable(ApiTrouble::Forbidden));
    let hung_up = freeswitch(|| Turn::say("Content-Type: text/disconnect-notice\nContent-Length: 4\n\nBye\n"));
    assert_eq!(word(&hung_up).await, Word::Unavailable(ApiTrouble::Unreachable));
}

#[tokio::test]
async fn another_protocol_is_recognised_before_the_password_is_sent() {
    for greeting in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "Asterisk Call Manager/7.0.3\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
    ] {
        let server = LineServer::start(move |_| Turn::say(greeting));
        assert_eq!(word(&server).await, Word::Unavailable(ApiTrouble::Contract), "{greeting}");
        assert_eq!(server.heard(), [""; 0]);
    }
}

#[tokio::test]
async fn no_answer_is_read_beyond_its_limits() {
    let too_large = Word::Unavailable(ApiTrouble::TooLarge);
    let line = freeswitch(|| Turn::Endless(vec![b'x'; 4096]));
    assert_eq!(word(&line).await, too_large);
    let fields = freeswitch(|| Turn::Endless(b"X: y\n".repeat(100)));
    assert_eq!(word(&fields).await, too_large);
    let blocks = freeswitch(|| Turn::Endless(b"Content-Type: text/event-plain\n\n".repeat(100)));
    assert_eq!(word(&blocks).await, too_large);
    let empty = freeswitch(|| Turn::Endless(b"\n".repeat(4096)));
    assert_eq!(word(&empty).await, too_large);
    for length in ["2000000", "18446744073709551615"] {
        let giant = freeswitch(move || Turn::Silence(format!("Content-Type: api/response\nContent-Length: {length}\n\n<gateway>").into()));
        assert_eq!(word(&giant).await, too_large, "{length}");
    }
    let odd = freeswitch(|| Turn::say("Content-Type: api/response\nContent-Length: -1\n\n"));
    assert_eq!(word(&odd).await, Word::Unavailable(ApiTrouble::Contract));
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_none() {
    let cut_off = Word::Unavailable(ApiTrouble::Unreachable);
    for words in [
        "",
        "Content-Type: api/resp",
        "Content-Type: api/response\n",
        "Content-Type: api/response\nContent-Length: 500\n\n<gateway>",
    ] {
        let server = freeswitch(move || Turn::Last(words.into()));
        assert_eq!(word(&server).await, cut_off, "{words}");
    }
    let at_once = LineServer::start(|_| Turn::Last(Vec::new()));
    assert_eq!(word(&at_once).await, cut_off);
}

#[tokio::test]
async fn the_deadline_is_for_the_whole_question() {
    let silent = LineServer::start(|_| Turn::Silence(Vec::new()));
    let stuck = freeswitch(|| Turn::Silence(b"Content-Type: api/response\nContent-Length: 500\n\n<gateway>".into()));
    for server in [silent, stuck] {
        let answer = client_with(&server, "canary", Duration::from_millis(100)).answer(&trunk()).await;
        assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Timeout));
    }
}

#[tokio::test]
async fn nobody_there_is_said() {
    // Bound and never listening: the port is nobody else's.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = socket.local_addr().unwrap().to_string().parse().unwrap();
    let client = Client::new(endpoint, "canary".to_owned().into(), Duration::from_secs(60)).unwrap();
    assert_eq!(client.answer(&trunk()).await.word, Word::Unavailable(ApiTrouble::Unreachable));
}

#[tokio::test]
async fn no_password_is_sent_across_a_network() {
    // TEST-NET-1 (RFC 5737): nothing is sent there.
    let client = Client::new(
        "192.0.2.1:8021".parse().unwrap(),
        "canary".to_owned().into(),
        Duration::from_secs(60),
    )
    .unwrap();
    let answer = client.answer(&trunk()).await;
    assert_eq!(answer.word, Word::Unavailable(ApiTrouble::BadRequest));
    assert!(answer.raw.contains("tunnel"), "{}", answer.raw);
}
