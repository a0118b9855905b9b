//! UAC connections of Telnyx: listed, shown, made, changed and removed.

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::http::Message;
use crate::{KEY, SIP_PASSWORD, body, lines, password_file, telnyx};

/// A connection as Telnyx has it, with passwords that it should not give out and one field that no client knows.
fn connection(id: u64, name: &str) -> Value {
    json!({"id": id.to_string(), "connection_name": name, "active": true, "user_name": "telnyxuser", "password": SIP_PASSWORD,
        "registration_status": "Registered", "tags": ["a\u{1b}[2J"],
        "external_uac_settings": {"proxy": "pbx.example.com", "username": "alice", "password": SIP_PASSWORD, "transport": "TLS",
            "expiration_sec": 600},
        "internal_uac_settings": {"destination_uri": "1006@assistant-abc123.sip.telnyx.com"}})
}

/// Three connections on pages of two.
fn three() -> Api {
    Api::start(|request| {
        let (page, total) = if request.start.contains("page[number]=2") || request.start.contains("page%5Bnumber%5D=2") {
            (json!([connection(3, "Lobby")]), 2)
        } else {
            (json!([connection(1, "Office"), connection(2, "Warehouse")]), 2)
        };
        (200, json!({"data": page, "meta": {"total_pages": total, "page_size": 2}}))
    })
}

/// Gives every request this connection.
fn one() -> Api {
    Api::start(|_| (200, json!({"data": connection(7, "Office")})))
}

#[test]
fn a_list_goes_over_all_pages() {
    let api = three();
    let done = telnyx(&api, &["connections", "list", "--page-size", "2"]);
    let text = done.text();
    for part in [
        "id",
        "stored status",
        "Office",
        "Warehouse",
        "Lobby",
        "alice at pbx.example.com by TLS",
        "\n3 connections\n",
    ] {
        assert!(text.contains(part), "{part:?}: {text}");
    }
    assert_eq!(lines(&api).len(), 2, "{:?}", lines(&api));
    let bearer = format!("Bearer {KEY}");
    assert!(
        api.requests()
            .iter()
            .all(|request| request.header("authorization") == Some(&*bearer))
    );
}

#[test]
fn a_list_ends_where_it_is_told_to() {
    let api = three();
    let done = telnyx(&api, &["connections", "list", "--limit", "2"]);
    assert!(done.text().ends_with("\nthe first 2 connections; there may be more\n"), "{done:?}");
    let [line] = &lines(&api)[..] else {
        panic!("one page is enough: {:?}", lines(&api))
    };
    assert!(line.contains("=2"), "no more is asked for than is shown: {line}");
}

#[test]
fn a_list_is_filtered_and_ordered_by_telnyx() {
    let api = Api::start(|_| (200, json!({"data": [], "meta": {"total_pages": 0}})));
    let words = [
        "connections",
        "list",
        "--name-contains",
        "Off",
        "--fqdn",
        "a.example",
        "--outbound-voice-profile-id",
        "9",
        "--sort",
        "-created_at",
    ];
    assert_eq!(telnyx(&api, &words).text(), "0 connections\n");
    let [line] = &lines(&api)[..] else { panic!("{:?}", lines(&api)) };
    let line = line.replace("%5B", "[").replace("%5D", "]");
    for part in [
        "filter[connection_name][contains]=Off",
        "filter[fqdn]=a.example",
        "filter[outbound_voice_profile_id]=9",
        "sort=-created_at",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    telnyx(&api, &["connections", "list", "--name-contains", "of"]).failed(2, &["--name-contains", "at least 3 characters"]);
    telnyx(&api, &["connections", "list", "--page-size", "251"]).failed(2, &["--page-size", "1 to 250"]);
    assert_eq!(lines(&api).len(), 1, "what is refused here is not sent");
}

#[test]
fn json_is_one_array_or_one_object() {
    let list = telnyx(&three(), &["connections", "list", "--output", "json"]).json();
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    let one = telnyx(&one(), &["connections", "get", "7", "--output", "json"]).json();
    assert_eq!(one["external_uac_settings"]["expiration_sec"], 600);
    assert_eq!(
        (&one["password"], &one["external_uac_settings"]["password"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn one_is_shown_with_everything_that_is_known_of_it() {
    let api = one();
    let done = telnyx(&api, &["connections", "get", "a/b c"]);
    let text = done.text();
    assert!(text.starts_with("UAC connection 7 (Office)\n"), "{text}");
    for part in ["registers", "alice", "600 s", "1006@assistant-abc123.sip.telnyx.com", "tags"] {
        assert!(text.contains(part), "{part:?}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert_eq!(
        lines(&api),
        ["GET /v2/uac_connections/a%2Fb%20c"],
        "an id is one segment, whatever it holds"
    );
}

#[test]
fn one_is_made_from_what_is_named_and_nothing_else() {
    let api = one();
    let file = password_file();
    let words = [
        "connections",
        "create",
        "--name",
        "Office",
        "--proxy",
        "pbx.example.com",
        "--username",
        "alice",
        "--password-file",
        &file,
        "--transport",
        "tls",
        "--expiration",
        "600",
        "--destination-uri",
        "1006@assistant-abc123.sip.telnyx.com",
        "--active",
        "true",
    ];
    let done = telnyx(&api, &words);
    assert!(done.output.starts_with("created: UAC connection 7 (Office)\n"), "{done:?}");
    assert!(done.errors.starts_with("note: Telnyx made a password of its own"), "{done:?}");
    let [request] = &api.requests()[..] else {
        panic!("{:?}", lines(&api))
    };
    assert_eq!(request.start, "POST /v2/uac_connections HTTP/1.1");
    let external = json!({"proxy": "pbx.example.com", "username": "alice", "password": SIP_PASSWORD, "transport": "TLS",
        "expiration_sec": 600});
    let internal = json!({"destination_uri": "1006@assistant-abc123.sip.telnyx.com"});
    assert_eq!(
        body(request),
        json!({"connection_name": "Office", "active": true, "external_uac_settings": external, "internal_uac_settings": internal})
    );
}

#[test]
fn what_telnyx_did_not_keep_is_said() {
    let api = one();
    let words = [
        "connections",
        "update",
        "7",
        "--outbound-proxy",
        "edge.example.com",
        "--from-user",
        "",
        "--output",
        "json",
    ];
    let done = telnyx(&api, &words);
    assert_eq!(done.status, 0);
    assert!(
        done.errors.starts_with("warning: Telnyx did not keep ") && done.errors.contains("outbound_proxy"),
        "{done:?}"
    );
    let json: Value = serde_json::from_str(&done.output).unwrap();
    assert_eq!(json["connection"]["id"], "7");
    assert!(
        json["ignored"]
            .as_array()
            .unwrap()
            .contains(&"external_uac_settings.outbound_proxy".into()),
        "{json}"
    );
    let external = json!({"outbound_proxy": "edge.example.com", "from_user": null});
    assert_eq!(body(&api.requests()[0]), json!({"external_uac_settings": external}));
}

#[test]
fn a_password_comes_from_the_variable_that_is_named_and_from_no_other() {
    let api = one();
    let silent = telnyx(&api, &["connections", "update", "7", "--active", "true"]);
    assert!(silent.text().starts_with("changed: "), "{silent:?}");
    assert_eq!(body(&api.requests()[0]), json!({"active": true}));
    telnyx(&api, &["connections", "update", "7", "--password-env", "PBX_PASSWORD"]);
    assert_eq!(
        body(&api.requests()[1]),
        json!({"external_uac_settings": {"password": SIP_PASSWORD}})
    );
}

#[test]
fn a_change_of_nothing_is_not_sent() {
    let api = one();
    telnyx(&api, &["connections", "update", "7"]).failed(2, &["nothing to change"]);
    telnyx(&api, &["connections", "update", "7", "--proxy", "two words"]).failed(2, &["--proxy", "sip:pbx.example.com"]);
    assert_eq!(lines(&api), [""; 0]);
}

#[test]
fn a_change_that_meets_another_is_made_again() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let count = AtomicU32::new(0);
    let api = Api::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => (
            409,
            json!({"errors": [{"code": "10015", "title": "Conflict", "detail": "an update is under way"}]}),
        ),
        _ => (200, json!({"data": connection(7, "Lobby")})),
    });
    let done = telnyx(&api, &["connections", "update", "7", "--name", "Lobby"]);
    assert!(done.text().starts_with("changed: UAC connection 7 (Lobby)"), "{done:?}");
    assert_eq!(lines(&api), ["PATCH /v2/uac_connections/7"; 2]);
}

#[test]
fn nothing_is_deleted_unless_somebody_agrees() {
    let api = one();
    telnyx(&api, &["connections", "delete", "7"]).failed(2, &["--yes"]);
    assert_eq!(lines(&api), [""; 0]);
    assert_eq!(
        telnyx(&api, &["connections", "delete", "7", "--yes"]).text(),
        "deleted: UAC connection 7 (Office)\n"
    );
    assert_eq!(lines(&api), ["DELETE /v2/uac_connections/7"]);
    assert_eq!(
        telnyx(&api, &["connections", "delete", "7", "--yes", "--output", "json"]).json()["connection_name"],
        "Office"
    );
}

/// `script` gives the program a terminal, and types.
fn at_a_terminal(api: &Api, typed: &str) -> (Option<i32>, String) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let program = env!("CARGO_BIN_EXE_regprobe");
    let line = format!("{program} providers telnyx connections delete 7");
    let mut child = Command::new(crate::support::process::find("script"))
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .envs([("TELNYX_API_KEY", KEY), ("TELNYX_BASE_URL", &api.url("/v2")), ("TERM", "dumb")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    (done.status.code(), String::from_utf8(done.stdout).unwrap())
}

#[test]
fn at_a_terminal_it_is_asked_what_would_be_deleted() {
    let api = one();
    let (status, shown) = at_a_terminal(&api, "n\n");
    assert!(
        shown.contains("Delete UAC connection 7 (Office), which registers alice at pbx.example.com by TLS?"),
        "{shown}"
    );
    assert!(shown.contains("nothing was deleted") && status == Some(3), "{status:?} {shown}");
    assert_eq!(lines(&api), ["GET /v2/uac_connections/7"]);
    let (status, shown) = at_a_terminal(&api, "y\n");
    assert!(
        shown.contains("deleted: UAC connection 7 (Office)") && status == Some(0),
        "{status:?} {shown}"
    );
    assert_eq!(lines(&api).last().unwrap(), "DELETE /v2/uac_connections/7");
}

#[test]
fn a_removal_without_a_word_is_told_by_what_is_known() {
    let api = Api::start(|request: &Message| {
        if request.start.starts_with("DELETE") {
            return (204, Value::Null);
        }
        (200, json!({"data": connection(7, "Office")}))
    });
    let delete = ["connections", "delete", "7", "--yes"];
    assert_eq!(telnyx(&api, &delete).text(), "deleted: UAC connection 7\n");
    let json = telnyx(&api, &[&delete[..], &["--output", "json"]].concat()).json();
    assert_eq!(json["id"], "7");
    let (status, shown) = at_a_terminal(&api, "y\n");
    assert!(
        shown.contains("deleted: UAC connection 7 (Office)") && status == Some(0),
        "{status:?} {shown}"
    );
}

#[test]
fn a_change_that_was_ignored_is_not_called_one() {
    let done = telnyx(&one(), &["connections", "update", "7", "--set", "bogus=1"]);
    assert!(
        done.output.starts_with("nothing was changed: UAC connection 7 (Office)\n"),
        "{done:?}"
    );
    assert!(done.errors.starts_with("warning: Telnyx did not keep bogus;"), "{done:?}");
    let done = telnyx(&one(), &["connections", "update", "7", "--set", "bogus=1", "--active", "true"]);
    assert!(done.output.starts_with("changed: "), "{done:?}");
}

#[test]
fn a_wrong_value_is_named_once_and_by_its_option() {
    let api = one();
    for (words, said) in [
        (
            &["list", "--sort", "size"][..],
            "'--sort <FIELD>': size is no field to sort by; write created_at",
        ),
        (&["list", "--page-size", "251"], "--page-size: 251 is out of range"),
        (
            &["create", "--name", "", "--proxy", "h"],
            "'--name <NAME>': it is empty; write a name of at most 256 bytes",
        ),
        (&["update", "7", "--expiration", "0"], "--expiration: 0 would un-register"),
        (&["update", "7", "--expiration", "soon"], "not a number of seconds"),
        (&["update", "7", "--set", "active=true"], "--set: active is checked"),
        (&["update", "7", "--set", "a.b=x"], "a field is named without dots"),
        (
            &["update", "7", "--destination-uri", "x"],
            "--destination-uri: x is none; write EXTENSION",
        ),
    ] {
        telnyx(&api, &[&["connections"], words].concat()).failed(2, &[said]);
    }
    assert_eq!(lines(&api), [""; 0]);
}

#[test]
fn what_is_no_connection_is_refused_as_an_answer() {
    let api = Api::start(|_: &Message| (200, json!({"data": {"record_type": "uac_connection"}})));
    telnyx(&api, &["connections", "get", "7"]).failed(
        5,
        &[
            "GET /v2/uac_connections/7: ",
            "no connection with an id",
            "\n  next    check that the URL",
        ],
    );
}
