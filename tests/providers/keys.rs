//! Keys as they are copied: the blanks around them are no part of them.

use serde_json::json;

use crate::support::api::Api;
use crate::{Done, KEY, regprobe};

#[test]
fn the_blanks_around_a_copied_key_are_not_sent() {
    let api = Api::start(|_| (200, json!({"data": [], "meta": {"total_pages": 1, "total_results": 0}})));
    let key = format!("\t{KEY}  ");
    let words = ["telnyx", "connections", "list", "--output", "json", "--api-url", &api.url("/v2")];
    let done = Done::of(regprobe(&words, &[("TELNYX_API_KEY", &key)]));
    assert_eq!(done.json(), json!([]));
    let sent = api.requests();
    assert_eq!(sent[0].header("authorization"), Some(&*format!("Bearer {KEY}")));
}

#[test]
fn blanks_alone_are_no_key() {
    let words = ["telnyx", "connections", "list", "--api-url", "http://127.0.0.1:1/v2"];
    Done::of(regprobe(&words, &[("TELNYX_API_KEY", "  ")])).failed(2, &["TELNYX_API_KEY: is empty"]);
}
