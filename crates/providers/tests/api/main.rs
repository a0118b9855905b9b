//! The HTTP client against a server that says what the test scripts: well-behaved, slow, broken, hostile.

#[path = "../support/mod.rs"]
mod support;

mod asking;
