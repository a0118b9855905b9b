//! The Telnyx client: every revision of the contract, the errors, the lists, and what no answer may make of it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "../support/mod.rs"]
mod support;

mod connections;
mod lists;
mod properties;
mod samples;
mod status;
mod trouble;

use std::time::Duration;

use regprobe_providers::telnyx::{Client, Key, Subject};
use regprobe_providers::{ClientOptions, Moment, Reply, RetryPolicy};
use serde_json::Value;

use crate::support::Server;

/// The connection that the tests ask about.
const ID: &str = "1293384261075731499";

fn client(server: &Server) -> Client {
    let retry = RetryPolicy {
        base: Duration::ZERO,
        ..RetryPolicy::default()
    };
    let options = ClientOptions {
        retry,
        ..ClientOptions::new(server.url("/v2"))
    };
    Client::new("KEYcanary".to_owned().into(), options).unwrap()
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

fn uac() -> Subject {
    Subject::UacConnection(key(ID))
}

/// An answer of 200 with this body.
fn reply(body: Value) -> Reply {
    let now = Moment::from_unix(1_780_401_600).unwrap();
    Reply {
        request: String::new(),
        status: 200,
        body,
        server_date: None,
        asked_at: now,
        answered_at: now,
    }
}
