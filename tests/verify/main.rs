//! `regprobe verify` against the truth: a real Kamailio registers at another real Kamailio, in the situations of the field, and each
//! provider's word on it is held against the registrar. `situation` makes the situations and proves that they are there.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

mod batch;
mod belief;
mod edge;
mod inbound;
mod liars;
mod provider;
mod register;
mod secrets;
mod situation;
#[path = "../support/mod.rs"]
mod support;
mod unmade;
mod verdicts;

use std::thread;

/// Checks several cases beside each other: most of them wait for a timer of somebody else's.
fn at_once<T: Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| check(case));
        }
    });
}
