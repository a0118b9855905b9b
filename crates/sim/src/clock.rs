//! The moment from which virtual time counts. There is no other clock here.

use std::sync::LazyLock;
use std::time::Instant;

/// One moment for all worlds of a process; its value does not matter.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What virtual time counts from.
pub(crate) fn origin() -> Instant {
    *ORIGIN
}
