//! What goes wrong with an API, and how that is said: the error, what to do, and the exit status.

use std::process::Stdio;
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::port;
use crate::{Done, KEY, lab, regprobe, telnyx};

const AGENT: &str = "123e4567-e89b-12d3-a456-426614174000";

fn refusing(status: u16, code: &'static str, detail: &'static str, pointer: &'static str) -> Api {
    Api::start(move |_| {
        let source = json!({"pointer": pointer});
        (
            status,
            json!({"errors": [{"code": code, "title": "Refused", "detail": detail, "source": source}]}),
        )
    })
}

#[test]
fn what_is_not_there_has_a_status_of_its_own() {
    let api = refusing(404, "10005", "Resource not found", "/");
    for words in [
        &["connections", "get", "7"][..],
        &["connections", "get", "7", "--output", "json"],
        &["connections", "delete", "7", "--yes"],
        &["external-connections", "get", "7"],
        &["log-messages", "get", "7"],
        &["siprec", "get", "recorder", "--ping"],
        &["status", "--connection-id", "7"],
    ] {
        telnyx(&api, words).failed(1, &["HTTP 404", "Resource not found", "\n  next    check the id or name"]);
    }
}

#[test]
fn what_is_not_there_is_named_with_the_list_that_shows_what_is() {
    let api = refusing(404, "10005", "Resource not found", "/");
    for words in [&["connections", "get", "office-7"][..], &["status", "--connection-id", "office-7"]] {
        telnyx(&api, words).failed(1, &["office-7", "`regprobe providers telnyx connections list`"]);
    }
    let done = Done::of(regprobe(
        &["telnyx", "connections", "get", "7", "--api-url", &api.url("")],
        &[("TELNYX_API_KEY", KEY)],
    ));
    done.failed(1, &["check --api-url: Telnyx' own ends with /v2"]);
}

#[test]
fn an_answer_in_the_wrong_place_is_in_the_json_as_it_came() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let page = "<html><title>Sign in</title><p>to the proxy</p></html>";
    let served = std::thread::spawn(move || {
        use std::io::{BufReader, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        crate::support::http::Message::read(&mut BufReader::new(stream.try_clone().unwrap())).unwrap();
        let length = page.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        )
        .unwrap();
    });
    let words = ["telnyx", "status", "--connection-id", "7", "--output", "json"];
    let done = Done::of(regprobe(&words, &[("TELNYX_API_KEY", KEY), ("TELNYX_BASE_URL", &url)]));
    served.join().unwrap();
    assert_eq!(done.status, 5, "{done:?}");
    assert!(done.errors.contains("no JSON but text/html: Sign in to the proxy"), "{done:?}");
    assert!(done.errors.contains("(--api-url)") && !done.errors.contains("<html>"), "{done:?}");
    let json: Value = serde_json::from_str(&done.output).unwrap();
    assert_eq!(json["word"]["state"], "unavailable");
    assert!(json["raw"].as_str().unwrap().ends_with(page), "{json}");
}

#[test]
fn an_engine_that_is_down_is_named_by_host_and_port() {
    let closed = port::closed().to_string();
    for (words, option, key) in [
        (
            &["freeswitch", "gateways", "--esl", &closed][..],
            "--esl HOST:PORT",
            "FREESWITCH_PASSWORD",
        ),
        (
            &["asterisk", "registrations", "--ami-user", "monitor", "--ami", &closed],
            "--ami HOST:PORT",
            "ASTERISK_SECRET",
        ),
    ] {
        let done = Done::of(regprobe(words, &[(key, KEY)]));
        done.failed(5, &[&format!("no connection to {closed}: "), option]);
        assert!(!done.errors.contains("proxy"), "{done:?}");
    }
}

#[test]
fn every_refusal_names_its_reason_and_the_next_step() {
    for (status, code, detail, said) in [
        (401, "10009", "Authentication failed", "TELNYX_API_KEY or --api-key-file"),
        (403, "10010", "Authorization failed", "give it the right"),
        (422, "10015", "is too short", "(at /external_uac_settings/username)"),
        (410, "10000", "gone", "look for a newer version"),
        (400, "10004", "missing", "correct what Telnyx names"),
    ] {
        let api = refusing(status, code, detail, "/external_uac_settings/username");
        let what = format!("HTTP {status}, {code}: Refused: {detail}");
        telnyx(&api, &["connections", "list"]).failed(5, &[&what, said, "\n  next    "]);
        assert_eq!(api.requests().len(), 1, "what is refused is not asked again");
    }
}

#[test]
fn an_api_that_echoes_the_key_does_not_make_us_show_it() {
    let api = Api::start(|request| {
        let said = request.header("authorization").unwrap_or_default().to_owned();
        (
            401,
            json!({"errors": [{"code": "10009", "title": "No", "detail": format!("who is {said}?")}]}),
        )
    });
    telnyx(&api, &["connections", "list"]).failed(5, &["HTTP 401"]);
}

#[test]
fn nobody_there_is_no_answer() {
    let url = format!("http://{}/v2", port::closed());
    let words = ["telnyx", "connections", "list", "--api-timeout", "5s"];
    let done = Done::of(regprobe(&words, &[("TELNYX_API_KEY", KEY), ("TELNYX_BASE_URL", &url)]));
    done.failed(5, &["\n  next    check the way to Telnyx"]);
}

#[test]
fn without_a_key_nothing_is_asked() {
    let api = refusing(500, "x", "x", "/");
    let url = api.url("/v2");
    let done = Done::of(regprobe(&["telnyx", "connections", "list", "--api-url", &url], &[]));
    done.failed(
        2,
        &["an API key of Telnyx is missing: set TELNYX_API_KEY, or name a file with --api-key-file"],
    );
    assert_eq!(api.requests().len(), 0);
    for (words, missing) in [
        (&["bitrix24", "lines"][..], "a webhook of Bitrix24 is missing: set BITRIX24_WEBHOOK"),
        (
            &["bitrix24", "lines", "--portal", "https://portal.bitrix24.com"],
            "an access token for --portal is missing: set",
        ),
        (&["telzino", "status", AGENT], "access to Telzino is missing: set TELZINO_TOKEN"),
        (
            &["freeswitch", "gateways"],
            "the password of FreeSWITCH's event socket is missing: set",
        ),
        (
            &["asterisk", "registrations", "--ami-user", "monitor"],
            "the secret of Asterisk's manager user is missing: set",
        ),
    ] {
        Done::of(regprobe(words, &[])).failed(2, &[missing]);
    }
}

#[test]
fn a_file_of_authorities_that_is_not_there_is_named_with_its_option() {
    let done = Done::of(regprobe(
        &["telnyx", "connections", "list", "--api-ca-file", "nofile.pem"],
        &[("TELNYX_API_KEY", KEY)],
    ));
    done.failed(2, &["--api-ca-file: nofile.pem: "]);
}

#[test]
fn the_help_names_the_url_that_is_asked() {
    for (words, url) in [
        (&["telnyx", "connections", "list"][..], "https://api.telnyx.com/v2"),
        (&["telzino", "status"], "https://api.telzino.com"),
    ] {
        let words: Vec<_> = words.iter().chain(&["--help"]).copied().collect();
        let done = Done::of(regprobe(&words, &[]));
        let help = done.text().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(&format!("[default: {url}, or ")), "{done:?}");
    }
}

#[test]
fn control_c_ends_a_question() {
    let (asked, is_asked) = mpsc::channel();
    let (hold, never) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new((asked, never));
    let api = Api::start(move |_| {
        let (asked, never) = &*held.lock().unwrap();
        asked.send(()).unwrap();
        // Until the test is over.
        let _ = never.recv();
        (200, Value::Null)
    });
    let url = api.url("/v2");
    let words = ["telnyx", "connections", "update", "7", "--active", "false"];
    let child = regprobe(&words, &[("TELNYX_API_KEY", KEY), ("TELNYX_BASE_URL", &url)])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    is_asked.recv().unwrap();
    lab::interrupt(&child);
    let done = child.wait_with_output().unwrap();
    let said = lab::text(&done.stderr);
    assert_eq!((done.status.code(), lab::text(&done.stdout).as_str()), (Some(130), ""), "{said}");
    assert!(said.contains("the change may have been made"), "{said}");
    drop(hold);
}
