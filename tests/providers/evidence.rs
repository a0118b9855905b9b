//! What else Telnyx shows: the live status, credential and external connections, their log, SIPREC connectors.

use serde_json::json;

use crate::lab::Lab;
use crate::support::api::Api;
use crate::{lines, telnyx};

#[test]
fn a_status_is_telnyxs_word_alone() {
    let api = Api::start(|_| {
        (
            200,
            json!({"data": {"registered": true, "sip_registration_status": "registered", "credential_type": "uac_external_credential",
            "connection_id": "7"}}),
        )
    });
    let done = telnyx(&api, &["status", "--connection-id", "7"]);
    assert!(done.text().starts_with("Telnyx 7 says: registered\n"), "{done:?}");
    assert!(
        done.output.contains("sip_registration_status") && done.output.contains("`regprobe verify` holds it"),
        "{done:?}"
    );
    let json = telnyx(&api, &["status", "--connection-id", "7", "--output", "json"]).json();
    assert_eq!(
        (&json["word"]["state"], &json["source"]),
        (&"registered".into(), &"telnyx_uac".into())
    );
    assert_eq!(
        lines(&api)[0],
        "GET /v2/sip_registration_status?credential_type=uac_external_credential&connection_id=7"
    );
}

#[test]
fn an_answer_that_says_nothing_is_shown_as_it_came_and_is_no_success() {
    let api = Api::start(|_| (200, json!({"data": {"record_type": "something new"}})));
    let done = telnyx(&api, &["status", "--connection-id", "7"]);
    assert_eq!(done.status, 5, "{done:?}");
    assert!(
        done.output.contains("nothing that can be used") && done.output.contains("something new"),
        "{done:?}"
    );
}

#[test]
fn a_check_says_that_it_leaves_a_trace() {
    let api = Api::start(|_| {
        (
            200,
            json!({"data": {"status": "Registered", "ip_address": "192.0.2.7", "port": 5060}}),
        )
    });
    let done = telnyx(&api, &["credential-connections", "check", "7"]);
    assert!(
        done.errors.starts_with("note: what Telnyx finds now becomes the stored status"),
        "{done:?}"
    );
    assert!(
        done.output.starts_with("Telnyx 7 says: registered\n") && done.status == 0,
        "{done:?}"
    );
    assert_eq!(lines(&api), ["POST /v2/credential_connections/7/actions/check_registration_status"]);
}

#[test]
fn what_belongs_to_an_account_can_be_read() {
    let api = Api::start(|request| {
        let path = request.start.split(' ').nth(1).unwrap_or_default().to_owned();
        let message = json!({"code": "20100", "title": "Failed", "detail": "no number", "meta": {"external_connection_id": "7"}});
        match path.split('?').next().unwrap_or_default() {
            "/v2/external_connections/log_messages" | "/v2/external_connections/log_messages/m" => {
                (200, json!({"log_messages": [message], "meta": {"total_pages": 1}}))
            }
            "/v2/external_connections" => (
                200,
                json!({"data": [{"id": "7", "external_sip_connection": "zoom", "active": true}]}),
            ),
            "/v2/external_connections/7" => (200, json!({"data": {"id": "7", "external_sip_connection": "zoom"}})),
            "/v2/credential_connections/9" => (200, json!({"data": {"id": "9", "user_name": "office1"}})),
            _ => (404, json!({})),
        }
    });
    for (words, parts) in [
        (&["external-connections", "list"][..], &["zoom", "1 external connection\n"][..]),
        (&["external-connections", "get", "7"], &["external connection 7", "zoom"]),
        (
            &["log-messages", "list", "--connection-id", "7"],
            &["20100", "no number", "1 message\n"],
        ),
        (&["log-messages", "get", "m"], &["20100", "1 message\n"]),
        (&["credential-connections", "get", "9"], &["credential connection 9", "office1"]),
    ] {
        let done = telnyx(&api, words);
        assert!(parts.iter().all(|part| done.text().contains(part)), "{done:?}");
        let json: Vec<_> = words.iter().copied().chain(["--output", "json"]).collect();
        let json = telnyx(&api, &json).json();
        assert!(json.is_array() || json.is_object(), "{json}");
    }
}

#[test]
fn a_siprec_connector_is_asked_whether_it_answers() {
    let lab = Lab::start("secret", &[]);
    let (host, port) = lab.address("udp").rsplit_once(':').unwrap();
    let (host, port): (String, u16) = (host.to_owned(), port.parse().unwrap());
    let api = Api::start(move |_| {
        (
            200,
            json!({"data": {"name": "recorder", "host": host, "port": port, "app_subdomain": "rec"}}),
        )
    });
    let shown = telnyx(&api, &["siprec", "get", "recorder"]);
    assert!(
        shown.text().starts_with("SIPREC connector recorder\n") && !shown.output.contains("OPTIONS"),
        "{shown:?}"
    );
    let pinged = telnyx(&api, &["siprec", "get", "recorder", "--ping"]);
    assert!(pinged.text().contains("OPTIONS") && pinged.output.contains("200"), "{pinged:?}");
    let json = telnyx(&api, &["siprec", "get", "recorder", "--ping", "--output", "json"]).json();
    assert_eq!(
        (&json["connector"]["name"], &json["ping"]["last_response"]["code"]),
        (&"recorder".into(), &200.into())
    );
}

#[test]
fn a_siprec_connector_that_is_silent_has_the_status_of_a_ping() {
    let (_socket, address) = crate::support::port::black_hole();
    let api = Api::start(move |_| {
        (
            200,
            json!({"data": {"name": "r", "host": address.ip().to_string(), "port": address.port()}}),
        )
    });
    let done = telnyx(&api, &["siprec", "get", "r", "--ping", "--transport", "udp", "--timeout", "100ms"]);
    assert_eq!(done.status, 4, "{done:?}");
    let nowhere = Api::start(|_| (200, json!({"data": {"name": "r"}})));
    telnyx(&nowhere, &["siprec", "get", "r", "--ping"]).failed(5, &["no host"]);
}
