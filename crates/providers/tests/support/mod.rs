//! A provider's HTTP/1.1 server for tests: it says exactly the bytes that a test scripts, well-formed or not, over TCP or TLS, and
//! keeps what it was asked. Knows nothing of any provider, and nothing of the client under test.
//!
//! ```text
//! let server = Server::start([Response::json(503, "{}"), Response::json(200, r#"{"registered":true}"#)]);
//! let client = Client::new(key, ClientOptions::new(server.url("/v2")));
//! assert_eq!(server.requests()[1].target, "/v2/sip_registration_status?connection_id=7");
//! ```
//!
//! A test program takes it in by `#[path = "../support/mod.rs"] mod support;`.
//! A server has a thread and a free loopback port of its own, so that a blocking test and a whole program can use it as well.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(
    dead_code,
    unused_imports,
    reason = "each test program compiles this module and uses its own part of it"
)]

pub(crate) mod authority;
pub(crate) mod response;
pub(crate) mod server;

pub(crate) use authority::Authority;
pub(crate) use response::{After, Response};
pub(crate) use server::{Seen, Server};
