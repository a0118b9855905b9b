//! Whole checks over real sockets on the loopback: a registrar that somebody else is bound at or not, and an API that says what the
//! test scripts. Not for the verdict's own rules: its tests hold every cell of the matrix.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "../support/mod.rs"]
mod support;

mod edge;
mod fetching;
mod given;
mod inbound;
mod lab;
mod registering;
mod report;
mod sources;
