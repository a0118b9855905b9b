//! Asterisk's manager interface: the dialogue as it goes, and as it should not.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::time::Duration;

use regprobe_providers::asterisk::Client;
use regprobe_providers::{ApiTrouble, Fields, Word};

use crate::line_server::{LineServer, Turn};

const GREETING: &str = "Asterisk Call Manager/7.0.3\r\n";
const FOLLOW: &str = "EventList: start\r\nMessage: Following are Events for each Outbound registration\r\n";
const DETAIL: &str = "Event: OutboundRegistrationDetail\r\nObjectType: registration\r\nObjectName: trunk\r\nExpiration: 3600\r\n\
                      ServerUri: sip:registrar.example.com\r\nClientUri: sip:alice@example.com\r\nContactUser: trunk1\r\n\
                      OutboundAuth: trunk-auth\r\nStatus: Registered\r\nNextReg: 3548\r\n";
const AUTH: &str = "Event: AuthDetail\r\nObjectName: trunk-auth\r\nUsername: alice-auth\r\nPassword: canary\r\n";
const COMPLETE: &str = "Event: OutboundRegistrationDetailComplete\r\nEventList: Complete\r\nRegistered: 1\r\nNotRegistered: 0\r\n";

/// A block with this ActionID.
fn block(id: &str, fields: &str) -> String {
    format!("{fields}ActionID: {id}\r\n\r\n")
}

/// An Asterisk whose user `monitor` has the secret `canary`; `answer` says what it makes of the list, given the ActionID.
fn asterisk(answer: impl Fn(&str) -> Turn + Send + 'static) -> LineServer {
    LineServer::start(move |command| {
        let action = Fields::read(command);
        let id = action.value("ActionID").unwrap_or_default().to_owned();
        match action.value("Action") {
            None => Turn::say(GREETING),
            Some("Challenge") => Turn::say(block(&id, "Response: Success\r\nChallenge: 123456789\r\n")),
            // echo -n 123456789canary | md5sum
            Some("Login")
                if action.value("Key") == Some("058083704e6500ae7f0bac0419c730b9") && action.value("Username") == Some("monitor") =>
            {
                let accepted = block(&id, "Response: Success\r\nMessage: Authentication accepted\r\n");
                Turn::say(format!(
                    "{accepted}Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"
                ))
            }
            Some("Login") => Turn::say(block(&id, "Response: Error\r\nMessage: Authentication failed\r\n")),
            Some(_) => answer(&id),
        }
    })
}

/// The list as it should be.
fn list(id: &str) -> String {
    [
        block(id, &format!("Response: Success\r\n{FOLLOW}")),
        block(id, DETAIL),
        block(id, AUTH),
        block(id, COMPLETE),
    ]
    .concat()
}

fn client_with(server: &LineServer, secret: &str, deadline: Duration) -> Client {
    Client::new(
        server.address().to_string().parse().unwrap(),
        "monitor",
        secret.to_owned().into(),
        deadline,
    )
    .unwrap()
}

async fn word(server: &LineServer) -> Word {
    client_with(server, "canary", Duration::from_secs(60)).answer("trunk").await.word
}

#[tokio::test]
async fn a_registration_is_found_in_the_list_and_no_secret_goes_either_way() {
    let server = asterisk(|id| Turn::say(list(id)));
    let client = client_with(&server, "canary", Duration::from_secs(60));
    let answer = client.answer("trunk").await;
    assert_eq!(answer.word, Word::Registered);
    let listed = client.list().await.unwrap();
    let settings = client.settings("trunk").await.unwrap();
    assert_eq!((listed.len(), settings.auth_user.as_deref()), (1, Some("alice-auth")));
    let heard = server.heard();
    let actions: Vec<_> = heard
        .iter()
        .map(|command| Fields::read(command).value("Action").unwrap().to_owned())
        .collect();
    assert_eq!(
        actions.first_chunk(),
        Some(&["Challenge", "Login", "PJSIPShowRegistrationsOutbound"].map(str::to_owned))
    );
    let shown = format!("{answer:?}{listed:?}{settings:?}{client:?}{heard:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(Fields::read(&heard[1]).is("Events", "off"));
}

#[tokio::test]
async fn an_absent_registration_is_not_found() {
    let server = asterisk(|id| Turn::say(list(id)));
    let client = client_with(&server, "canary", Duration::from_secs(60));
    assert_eq!(client.answer("other").await.word, Word::NotFound);
    assert_eq!(client.settings("other").await.unwrap_err().trouble, ApiTrouble::NotFound);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let server = asterisk(|id| Turn::say(list(id)));
    let answer = client_with(&server, "guessed-canary", Duration::from_secs(60))
        .answer("trunk")
        .await;
    assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Unauthorized));
    assert!(!answer.raw.contains("canary"), "{}", answer.raw);
    for (message, trouble) in [
        ("Permission denied", ApiTrouble::Forbidden),
        (
            "Invalid/unknown command: PJSIPShowRegistrationsOutbound. Use Action: ListCommands to show available commands.",
            ApiTrouble::Contract,
        ),
        ("Unable to retreive outbound registrations", ApiTrouble::Server),
    ] {
        let server = asterisk(move |id| Turn::say(block(id, &format!("Response: Error\r\nMessage: {message}\r\n"))));
        assert_eq!(word(&server).await, Word::Unavailable(trouble), "{message}");
    }
}

#[tokio::test]
async fn another_protocol_is_recognised_before_anything_is_sent() {
    for greeting in ["Content-Type: auth/request\n\n", "SSH-2.0-OpenSSH\r\n"] {
        let server = LineServer::start(move |_| Turn::say(greeting));
        assert_eq!(word(&server).await, Word::Unavailable(ApiTrouble::Contract), "{greeting}");
        assert_eq!(server.heard(), [""; 0]);
    }
}

#[tokio::test]
async fn what_belongs_to_another_action_is_left_out() {
    let server = asterisk(|id| {
        let others = block("another", &DETAIL.replace("Registered", "Rejected"));
        let unasked = "Event: OutboundRegistrationDetail\r\nObjectName: trunk\r\nStatus: Rejected\r\n\r\n";
        Turn::say(format!("{others}{unasked}{}", list(id)))
    });
    assert_eq!(word(&server).await, Word::Registered);
    let never_ours = asterisk(|_| Turn::Last(list("another").into()));
    assert_eq!(word(&never_ours).await, Word::Unavailable(ApiTrouble::Unreachable));
}

#[tokio::test]
async fn a_list_that_is_not_complete_proves_nothing() {
    let cut_off = asterisk(|id| Turn::Last(list(id).replace(COMPLETE, "").into()));
    assert_eq!(word(&cut_off).await, Word::Unavailable(ApiTrouble::Unreachable));
    let cancelled = asterisk(|id| Turn::say(list(id).replace("EventList: Complete", "EventList: cancelled")));
    assert_eq!(word(&cancelled).await, Word::Unavailable(ApiTrouble::Contract));
    let in_a_field = asterisk(|id| Turn::Last(list(id).split_once("ClientUri").unwrap().0.into()));
    assert_eq!(word(&in_a_field).await, Word::Unavailable(ApiTrouble::Unreachable));
}

#[tokio::test]
async fn no_list_is_read_beyond_its_limits() {
    let too_large = Word::Unavailable(ApiTrouble::TooLarge);
    let line = asterisk(|_| Turn::Endless(vec![b'x'; 4096]));
    assert_eq!(word(&line).await, too_large);
    let fields = asterisk(|_| Turn::Endless(b"X: y\r\n".repeat(100)));
    assert_eq!(word(&fields).await, too_large);
    let events = asterisk(|id| Turn::Endless(block(id, DETAIL).into()));
    assert_eq!(word(&events).await, too_large);
    let others = asterisk(|_| Turn::Endless(block("another", DETAIL).into()));
    assert_eq!(word(&others).await, too_large);
}

#[tokio::test]
async fn the_deadline_is_for_the_whole_question() {
    let silent = LineServer::start(|_| Turn::Silence(Vec::new()));
    let stuck = asterisk(|id| Turn::Silence(list(id).replace(COMPLETE, "").into()));
    for server in [silent, stuck] {
        let answer = client_with(&server, "canary", Duration::from_millis(100)).answer("trunk").await;
        assert_eq!(answer.word, Word::Unavailable(ApiTrouble::Timeout));
    }
}
