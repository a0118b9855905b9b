//! What the tests of several files share: one moment to count from.

use std::sync::LazyLock;
use std::time::Instant;

/// The moment that every test starts at. The only look at a clock: there is no other way to come by an `Instant`.
#[expect(
    clippy::disallowed_methods,
    reason = "an Instant can only be had from the clock; which one it is does not matter"
)]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

pub(crate) fn start() -> Instant {
    *START
}
