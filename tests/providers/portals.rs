//! Telzino and Bitrix24.

use serde_json::json;

use crate::support::api::Api;
use crate::{Done, KEY, SIP_PASSWORD, body, lines, password_file, regprobe};

const AGENT: &str = "123e4567-e89b-12d3-a456-426614174000";

#[track_caller]
fn telzino(api: &Api, words: &[&str]) -> Done {
    let words: Vec<_> = ["telzino"].iter().chain(words).copied().collect();
    let url = api.url("");
    Done::of(regprobe(&words, &[("TELZINO_TOKEN", KEY), ("TELZINO_BASE_URL", &url)]))
}

#[track_caller]
fn bitrix24(api: &Api, words: &[&str]) -> Done {
    let words: Vec<_> = ["bitrix24"].iter().chain(words).copied().collect();
    let webhook = api.url("/rest/1/c4narycode0123456789/");
    let done = Done::of(regprobe(&words, &[("BITRIX24_WEBHOOK", &webhook)]));
    assert!(!format!("{}{}", done.output, done.errors).contains("c4narycode"), "{done:?}");
    done
}

#[test]
fn telzino_stores_and_does_not_call_that_registered() {
    let api = Api::start(|request| {
        let echo = serde_json::from_str::<serde_json::Value>(&request.body).unwrap();
        (
            200,
            json!({"success": true, "message": "SIP account registered successfully", "data": echo}),
        )
    });
    let file = password_file();
    let words = [
        "store",
        AGENT,
        "--domain",
        "pbx.example.com",
        "--username",
        "1001",
        "--password-file",
        &file,
        "--port",
        "5080",
        "--transport",
        "tcp",
    ];
    let done = telzino(&api, &words);
    assert!(
        done.text().starts_with(&format!("stored for {AGENT}; whether it registers")),
        "{done:?}"
    );
    let [request] = &api.requests()[..] else {
        panic!("{:?}", lines(&api))
    };
    assert_eq!(request.start, format!("PUT /v1/agents/{AGENT}/sip/registration HTTP/1.1"));
    let sent = body(request);
    assert_eq!(
        (&sent["sipDomain"], &sent["port"], &sent["transport"]),
        (&"pbx.example.com".into(), &5080.into(), &"tcp".into())
    );
    assert_eq!(sent["password"], SIP_PASSWORD);
}

#[test]
fn what_telzino_could_not_use_is_not_sent() {
    let api = Api::start(|_| (500, json!({})));
    let file = password_file();
    let store = |more: &[&str]| {
        let words: Vec<_> = ["store", AGENT, "--username", "1001", "--password-file", &file]
            .iter()
            .chain(more)
            .copied()
            .collect();
        telzino(&api, &words)
    };
    store(&["--domain", "pbx.example.com:5060"]).failed(2, &["--domain: "]);
    store(&["--domain", "pbx.example.com", "--did", "front desk"]).failed(2, &["--did: "]);
    store(&["--domain", "pbx.example.com", "--port", "0"]).failed(2, &["--port: "]);
    telzino(&api, &["store", AGENT, "--domain", "h", "--username", "u"]).failed(2, &["REGPROBE_PASSWORD", "--password-file"]);
    assert_eq!(lines(&api), [""; 0]);
}

#[test]
fn telzino_that_stored_nothing_is_quoted_with_the_whole_path() {
    let api = Api::start(|_| (200, json!({"success": false, "message": "no agent"})));
    let file = password_file();
    let words = [
        "telzino",
        "store",
        AGENT,
        "--domain",
        "pbx.example.com",
        "--username",
        "1001",
        "--password-file",
        &file,
    ];
    let done = Done::of(regprobe(&words, &[("TELZINO_TOKEN", KEY), ("TELZINO_BASE_URL", &api.url("/edge"))]));
    done.failed(
        5,
        &[&format!(
            "PUT /edge/v1/agents/{AGENT}/sip/registration: HTTP 200: success is false: no agent"
        )],
    );
}

#[test]
fn an_expired_token_of_bitrix24_is_readable() {
    let api = Api::start(|_| {
        (
            401,
            json!({"error": "expired_token", "error_description": "The access token provided has expired"}),
        )
    });
    bitrix24(&api, &["status", "7"]).failed(5, &["expired_token: The access token provided has expired"]);
    let api = Api::start(|_| (200, json!({"result": [{}]})));
    let done = bitrix24(&api, &["stored", "7"]);
    assert_eq!(done.status, 5, "{done:?}");
}

#[test]
fn telzinos_word_on_an_agent_and_its_absence_are_two_statuses() {
    let says =
        |state: &'static str, code: u32| Api::start(move |_| (200, json!({"success": true, "data": {"state": state, "stateCode": code}})));
    let done = telzino(&says("REGISTERED_STATE", 3), &["status", AGENT]);
    assert!(done.output.starts_with(&format!("Telzino {AGENT} says: ")), "{done:?}");
    let done = telzino(&Api::start(|_| (401, json!({"message": "Unauthorized"}))), &["status", AGENT]);
    done.failed(5, &["HTTP 401", "TELZINO_TOKEN"]);
}

#[test]
fn the_secret_of_a_client_without_its_id_is_sent_nowhere() {
    let api = Api::start(|_| (200, json!({"access_token": "t", "success": true, "data": {}})));
    let url = api.url("");
    let file = crate::lab::scratch("client.secret", b"c4nary-of-the-client");
    let file = file.to_str().unwrap();
    let base = ("TELZINO_BASE_URL", &*url);
    let secret = ("TELZINO_CLIENT_SECRET", "c4nary-of-the-client");
    for (words, variables, beside) in [
        (&[][..], &[base, secret][..], "TELZINO_CLIENT_SECRET"),
        (&[], &[base, secret, ("TELZINO_CLIENT_ID", "")], "TELZINO_CLIENT_SECRET"),
        (&["--client-secret-file", file], &[base], "--client-secret-file"),
        (
            &["--client-secret-file", file],
            &[base, ("TELZINO_TOKEN", KEY), ("TELZINO_CLIENT_ID", " ")],
            "--client-secret-file",
        ),
    ] {
        let words: Vec<_> = ["telzino", "status", AGENT].iter().chain(words).copied().collect();
        let done = Done::of(regprobe(&words, variables));
        done.failed(2, &[&format!("TELZINO_CLIENT_ID is missing beside {beside}")]);
        assert!(!done.errors.contains("c4nary"), "{done:?}");
    }
    let done = Done::of(regprobe(&["telzino", "status", AGENT], &[base, ("TELZINO_CLIENT_ID", "app")]));
    done.failed(2, &["the secret of the Telzino client is missing: set TELZINO_CLIENT_SECRET"]);
    let done = Done::of(regprobe(&["telzino", "status", AGENT, "--client-id", ""], &[base, secret]));
    assert_eq!((done.status, api.requests().len()), (2, 0), "{done:?}");
}

#[test]
fn bitrix24_lists_lines_without_their_passwords() {
    let api = Api::start(|request| {
        if request.start.contains("connector") {
            return (
                200,
                json!({"result": {"FREE_MINUTES": "60", "PAID": true, "PAID_DATE_END": "2026-12-31"}}),
            );
        }
        let line = json!({"TYPE": "cloud", "CONFIG_ID": "3", "REG_ID": "5505", "SERVER": "pbx.example.com", "LOGIN": "alice",
            "PASSWORD": SIP_PASSWORD, "REGISTRATION_STATUS_CODE": "200", "TITLE": "Office"});
        (200, json!({"result": [line], "total": 1}))
    });
    let done = bitrix24(&api, &["lines"]);
    assert!(
        ["5505", "Office", "alice at pbx.example.com", "\n1 line\n"]
            .iter()
            .all(|part| done.text().contains(part)),
        "{done:?}"
    );
    assert_eq!(bitrix24(&api, &["lines", "--output", "json"]).json()[0]["reg_id"], 5505);
    let stored = bitrix24(&api, &["stored", "5505"]);
    assert!(stored.text().starts_with("Bitrix24 5505 says: registered\n"), "{stored:?}");
    let connector = bitrix24(&api, &["connector"]);
    assert!(
        connector.text().contains("paid until") && connector.output.contains("2026-12-31"),
        "{connector:?}"
    );
    assert_eq!(bitrix24(&api, &["stored", "7"]).status, 1, "another line is not this one");
}

#[test]
fn bitrix24_says_not_found_also_when_its_telephony_is_silent() {
    let api = Api::start(|_| {
        (
            400,
            json!({"error": "REG_ID_NOT_FOUND", "error_description": "no such registration"}),
        )
    });
    bitrix24(&api, &["status", "7"]).failed(1, &["REG_ID_NOT_FOUND", "its own telephony did not answer"]);
    let api = Api::start(|_| (401, json!({"error": "INVALID_TOKEN", "error_description": "no"})));
    bitrix24(&api, &["lines"]).failed(5, &["INVALID_TOKEN", "BITRIX24_WEBHOOK"]);
}
