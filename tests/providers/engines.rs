//! OpenSIPS, Kamailio, FreeSWITCH and Asterisk.

use serde_json::{Value, json};

use crate::line_server::{LineServer, Turn};
use crate::support::api::Api;
use crate::{Done, KEY, SIP_PASSWORD, body, regprobe};

/// An engine whose JSON-RPC gives this result to every method.
fn rpc(result: Value) -> Api {
    Api::start(move |request| {
        let id = body(request)["id"].clone();
        (200, json!({"jsonrpc": "2.0", "result": result, "id": id}))
    })
}

/// A record of Kamailio's that was registered when the time began to be counted, and so has run out.
fn kamailio_record() -> Value {
    json!({"l_uuid": "trunk1", "l_username": "alice", "r_username": "alice", "r_domain": "pbx.example.com", "realm": "pbx.example.com",
        "auth_username": "alice", "auth_password": SIP_PASSWORD, "auth_proxy": "sip:127.0.0.1:5060", "expires": 300, "flags": 20,
        "diff_expires": 200, "timer_expires": 2_000_000_200_u32, "reg_init": 0, "reg_delay": 0, "contact_addr": "127.0.0.1:5070",
        "socket": "."})
}

#[track_caller]
fn shows(done: &Done, parts: &[&str]) {
    for part in parts {
        assert!(done.text().contains(part), "{part:?}: {done:?}");
    }
}

#[test]
fn kamailios_registrations_are_listed_and_shown_without_their_passwords() {
    let api = rpc(json!([kamailio_record()]));
    let url = api.url("/RPC");
    let ask = |words: &[&str]| {
        let words: Vec<_> = ["kamailio"].iter().chain(words).copied().chain(["--rpc", &url]).collect();
        Done::of(regprobe(&words, &[]))
    };
    shows(
        &ask(&["registrations"]),
        &[
            "trunk1",
            "registered",
            "sip:alice@pbx.example.com",
            "until 2033-05-18",
            "\n1 registration\n",
        ],
    );
    shows(&ask(&["registration", "trunk1"]), &["Kamailio trunk1 says: registered\n", "flags"]);
    let json = ask(&["registrations", "--output", "json"]).json();
    assert_eq!(
        (&json[0]["object"], &json[0]["answer"]["word"]["state"]),
        (&"trunk1".into(), &"registered".into())
    );
    assert_eq!(body(&api.requests()[0])["method"], "uac.reg_dump");
}

#[test]
fn opensipss_registrants_are_listed() {
    let record = json!({"AOR": "sip:alice@pbx.example.com", "expires": 600, "state": "REGISTERED_STATE", "last_register_sent": "Thu Jan 15 10:00:00 2026",
        "registration_t_out": "Thu Jan 15 10:08:20 2026", "registrar": "sip:pbx.example.com", "binding": "sip:alice@192.0.2.7", "enabled": "yes"});
    let api = rpc(json!({"Records": [record]}));
    let url = api.url("/mi");
    let done = Done::of(regprobe(&["opensips", "registrations", "--mi", &url], &[]));
    shows(
        &done,
        &[
            "sip:alice@pbx.example.com",
            "registered",
            "next at 2026-01-15T10:08:20\n",
            "\n1 registration\n",
        ],
    );
}

#[test]
fn an_engine_that_knows_no_such_call_is_no_answer() {
    let api = Api::start(|request| {
        let id = body(request)["id"].clone();
        (
            200,
            json!({"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": id}),
        )
    });
    let url = api.url("/RPC");
    let done = Done::of(regprobe(&["kamailio", "registrations", "--rpc", &url], &[]));
    done.failed(5, &["-32601", "\n  next    "]);
}

const GATEWAY: &str = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n  <gateway>\n    <name>carrier</name>\n    <username>alice</username>\n    \
                       <from>&lt;sip:alice@pbx.example.com&gt;</from>\n    <proxy>sip:pbx.example.com</proxy>\n    <expires>600</expires>\n    \
                       <state>REGED</state>\n    <status>UP</status>\n  </gateway>\n";

#[test]
fn freeswitchs_gateways_are_asked_for_by_the_password_of_its_event_socket() {
    let login = format!("auth {KEY}\n\n");
    let server = LineServer::start(move |command| match command {
        "" => Turn::say("Content-Type: auth/request\n\n"),
        command if command == login => Turn::say("Content-Type: command/reply\nReply-Text: +OK accepted\n\n"),
        command if command.starts_with("auth ") => Turn::say("Content-Type: command/reply\nReply-Text: -ERR invalid\n\n"),
        command if command.contains("gateway stranger") => Turn::say(response("Invalid Gateway!\n")),
        command if command.contains("gateway carrier") => Turn::say(response(GATEWAY)),
        _ => Turn::say(response(&format!("<gateways>{}</gateways>", GATEWAY.split_once("?>").unwrap().1))),
    });
    let address = server.address().to_string();
    let ask = |password: &str, words: &[&str]| {
        let words: Vec<_> = ["freeswitch"].iter().chain(words).copied().chain(["--esl", &address]).collect();
        Done::of(regprobe(&words, &[("FREESWITCH_PASSWORD", password)]))
    };
    shows(
        &ask(KEY, &["gateways"]),
        &["carrier", "registered", "sip:alice@pbx.example.com", "\n1 gateway\n"],
    );
    shows(
        &ask(KEY, &["gateway", "carrier"]),
        &["FreeSWITCH carrier says: registered\n", "REGED"],
    );
    assert_eq!(ask(KEY, &["gateway", "stranger"]).status, 1);
    ask("another", &["gateways"]).failed(5, &["refuses the password", "FREESWITCH_PASSWORD"]);
}

fn response(body: &str) -> String {
    format!("Content-Type: api/response\nContent-Length: {}\n\n{body}", body.len())
}

#[test]
fn asterisks_registrations_are_listed() {
    let server = LineServer::start(|command| {
        let id = command
            .lines()
            .find_map(|line| line.strip_prefix("ActionID: "))
            .unwrap_or_default()
            .trim()
            .to_owned();
        let reply = |rest: &str| Turn::say(format!("Response: Success\r\nActionID: {id}\r\n{rest}\r\n"));
        if command.is_empty() {
            Turn::say("Asterisk Call Manager/11.0.0\r\n")
        } else if command.contains("Action: Challenge") {
            reply("Challenge: 123456789\r\n")
        } else if command.contains("Action: Login") {
            reply("Message: Authentication accepted\r\n")
        } else {
            let event = format!(
                "\r\nEvent: OutboundRegistrationDetail\r\nActionID: {id}\r\nObjectType: registration\r\nObjectName: trunk\r\n\
                ClientUri: sip:alice@pbx.example.com\r\nServerUri: sip:pbx.example.com\r\nStatus: Registered\r\nNextReg: 120\r\n"
            );
            let end = format!("\r\nEvent: OutboundRegistrationDetailComplete\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: 1\r\n");
            reply(&format!("EventList: start\r\n{event}{end}"))
        }
    });
    let address = server.address().to_string();
    let ask = |words: &[&str]| {
        let words: Vec<_> = ["asterisk"]
            .iter()
            .chain(words)
            .copied()
            .chain(["--ami", &address, "--ami-user", "monitor"])
            .collect();
        Done::of(regprobe(&words, &[("ASTERISK_SECRET", KEY)]))
    };
    shows(
        &ask(&["registrations"]),
        &["trunk", "registered", "sip:pbx.example.com", "\n1 registration\n"],
    );
    shows(&ask(&["registration", "trunk"]), &["Asterisk trunk says: registered\n"]);
    assert_eq!(ask(&["registration", "stranger"]).status, 1);
    // The secret answers a challenge and never goes out itself.
    let heard = server.heard();
    assert!(
        heard.iter().any(|command| command.contains("Action: Login")) && heard.iter().all(|command| !command.contains(KEY)),
        "{heard:?}"
    );
}

#[test]
fn an_engine_that_hangs_up_says_nothing_or_never_ends_is_no_answer() {
    type Greeting = fn() -> Turn;
    let greetings: [(Greeting, &str, &str); 3] = [
        (|| Turn::Last(b"Content-Type: auth/req".into()), "30s", "closed before the answer"),
        (|| Turn::Silence(Vec::new()), "100ms", "--api-timeout"),
        (|| Turn::Endless(b"X: y\n".repeat(1000)), "30s", "a line without an end"),
    ];
    for (greeting, timeout, said) in greetings {
        let server = LineServer::start(move |_| greeting());
        let address = server.address().to_string();
        let words = ["freeswitch", "gateways", "--esl", &address, "--api-timeout", timeout];
        Done::of(regprobe(&words, &[("FREESWITCH_PASSWORD", KEY)])).failed(5, &[said]);
    }
}
