//! What the registrar does, seen through its public interface only.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod authenticating;
mod faults;
mod laboratory;
mod registering;
mod requests;
