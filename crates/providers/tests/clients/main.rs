//! The clients of hosted providers against a server that says what their documents show, and what goes wrong in practice. Not for the
//! decoders of single answers, which have their own tests beside them.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "../support/mod.rs"]
mod support;

mod bitrix24;
mod telzino;

use std::time::Duration;

use regprobe_providers::{ClientOptions, RetryPolicy, Url};

/// Options with waits that no test notices.
fn options(base_url: Url) -> ClientOptions {
    ClientOptions {
        retry: RetryPolicy {
            base: Duration::from_millis(1),
            ..RetryPolicy::default()
        },
        ..ClientOptions::new(base_url)
    }
}

/// Fails when a secret of these tests is in a text.
fn assert_clean(shown: &str) {
    assert!(!shown.contains("canary"), "a secret is shown: {shown}");
}
