//! Waiting for something that comes by itself, such as a timer of somebody else's program.

use std::thread;
use std::time::{Duration, Instant};

/// Looks until it is so. What is looked at tells nobody when it changes, so there is nothing to wait on but its next look.
#[track_caller]
pub(crate) fn await_that(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + WITHIN;
    while !is_so() {
        assert!(Instant::now() < deadline, "it has not become so within {WITHIN:?}");
        thread::sleep(LOOK_EVERY);
    }
}

const WITHIN: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(10);
