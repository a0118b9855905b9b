//! Our requests held against those of the providers' own SDKs: both ask the same server on loopback, and the wire has to be the same.
//! The SDKs come from npm and PyPI; `scripts/install-peers` installs them. Without them these tests fail, none is skipped.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "../support/mod.rs"]
mod support;

mod bitrix24;
mod official;
mod telnyx;
mod wire;
