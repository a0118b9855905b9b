//! The HTTP client against a server that says what the test scripts: well-behaved, slow, broken, hostile.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod asking;
mod limits;
mod redirects;
mod retries;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod transport;

use std::time::Duration;

use regprobe_providers::{ClientOptions, Envelope, Http, HttpOptions, RetryPolicy, Url};
use serde_json::Value;

/// Options that wait next to nothing between attempts, for an API whose errors are `{"code": .., "detail": ..}`.
fn options(base_url: Url) -> HttpOptions {
    let retry = RetryPolicy {
        attempts: 3,
        base: Duration::from_millis(1),
        cap: Duration::from_millis(2),
        asked_cap: Duration::from_secs(5),
    };
    HttpOptions::new(
        ClientOptions {
            retry,
            ..ClientOptions::new(base_url)
        },
        envelope,
    )
}

fn http(base_url: Url) -> Http {
    Http::new(options(base_url)).unwrap()
}

/// A client that gives up soon, for servers that never come to an end.
fn hasty(base_url: Url) -> Http {
    Http::new(HttpOptions {
        deadline: Duration::from_millis(300),
        ..options(base_url)
    })
    .unwrap()
}

fn envelope(body: &Value) -> Option<Envelope> {
    Some(Envelope {
        code: Some(body.get("code")?.as_str()?.to_owned()),
        detail: body.get("detail")?.as_str()?.to_owned(),
        ..Envelope::default()
    })
}
