//! What is seen of a load while it runs: counts that the shards post now and then, and one line of them a second on a terminal.

use std::convert::Infallible;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{output, signals};

/// Where shards and the user leave word for each other. Nothing of it is touched for each message.
#[derive(Debug)]
pub(crate) struct Board {
    shards: Vec<Posted>,
    wishes: AtomicU8,
}

/// What a shard has counted so far.
#[derive(Debug, Default)]
struct Posted {
    given: AtomicU64,
    registered: AtomicU64,
    failed: AtomicU64,
    retransmissions: AtomicU64,
    open: AtomicU64,
}

/// The same as plain numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Orders given.
    pub(crate) given: u64,
    /// Registrations confirmed, refreshes among them.
    pub(crate) registered: u64,
    /// Tries that failed.
    pub(crate) failed: u64,
    /// Requests sent again.
    pub(crate) retransmissions: u64,
    /// Exchanges that are open.
    pub(crate) open: u64,
}

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wish {
    /// That it goes on.
    GoOn,
    /// No more registrations; what may be bound is removed.
    Stop,
    /// Nothing more at all.
    Leave,
}

impl Board {
    /// How often a shard posts, and looks for wishes.
    pub(crate) const EVERY: Duration = Duration::from_millis(100);

    /// An empty one.
    pub(crate) fn new(shards: usize) -> Arc<Self> {
        Arc::new(Self {
            shards: std::iter::repeat_with(Posted::default).take(shards).collect(),
            wishes: AtomicU8::new(0),
        })
    }

    /// Leaves the counts of one shard.
    pub(crate) fn post(&self, shard: usize, counts: Counts) {
        if let Some(posted) = self.shards.get(shard) {
            posted.given.store(counts.given, Ordering::Relaxed);
            posted.registered.store(counts.registered, Ordering::Relaxed);
            posted.failed.store(counts.failed, Ordering::Relaxed);
            posted.retransmissions.store(counts.retransmissions, Ordering::Relaxed);
            posted.open.store(counts.open, Ordering::Relaxed);
        }
    }

    /// What all shards have posted.
    fn counts(&self) -> Counts {
        let sum = |of: fn(&Posted) -> &AtomicU64| self.shards.iter().map(|posted| of(posted).load(Ordering::Relaxed)).sum();
        Counts {
            given: sum(|posted| &posted.given),
            registered: sum(|posted| &posted.registered),
            failed: sum(|posted| &posted.failed),
            retransmissions: sum(|posted| &posted.retransmissions),
            open: sum(|posted| &posted.open),
        }
    }

    /// What the user wants now.
    pub(crate) fn wish(&self) -> Wish {
        match self.wishes.load(Ordering::Relaxed) {
            0 => Wish::GoOn,
            1 => Wish::Stop,
            _ => Wish::Leave,
        }
    }

    /// Takes the user's word for as long as it is polled: each Ctrl-C is a wish more.
    pub(crate) async fn listen(&self) -> Infallible {
        loop {
            signals::ended().await;
            // More than two say nothing new.
            let _ = self
                .wishes
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |wishes| wishes.checked_add(1));
            sleep(signals::SAME_WISH).await;
        }
    }

    /// Shows a line a second for as long as it is polled, if somebody looks at standard error.
    pub(crate) async fn show(&self) -> Infallible {
        if !std::io::stderr().is_terminal() {
            return std::future::pending().await;
        }
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let began = Instant::now();
        let mut before = (began, Counts::default());
        loop {
            ticks.tick().await;
            let now = (Instant::now(), self.counts());
            output::tell(&format!("\r\x1b[K{}", line(now.0 - began, now.0 - before.0, before.1, now.1)));
            before = now;
        }
    }

    /// Takes the line away again.
    pub(crate) fn clear(&self) {
        if std::io::stderr().is_terminal() {
            output::tell("\r\x1b[K");
        }
    }
}

/// `  12 s  20000/s registered  23 open  0 failed  0 sent again`, of what happened in the last `span`.
fn line(since: Duration, span: Duration, before: Counts, now: Counts) -> String {
    let per_second = |before: u64, now: u64| {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
        now.saturating_sub(before) * 1000 / millis
    };
    format!(
        "{:>4} s  ordered {}/s  registered {}/s  open {}  failed {}  sent again {}",
        since.as_secs(),
        per_second(before.given, now.given),
        per_second(before.registered, now.registered),
        now.open,
        now.failed,
        now.retransmissions,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_shows_the_rates_of_the_last_moment_and_the_sums_of_all() {
        let counts = |given, registered, failed| Counts {
            given,
            registered,
            failed,
            retransmissions: 3,
            open: 5,
        };
        let text = line(
            Duration::from_secs(12),
            Duration::from_millis(500),
            counts(100, 90, 1),
            counts(600, 550, 2),
        );
        assert_eq!(text, "  12 s  ordered 1000/s  registered 920/s  open 5  failed 2  sent again 3");
    }

    #[test]
    fn what_shards_post_is_summed_and_wishes_are_counted() {
        let board = Board::new(2);
        let counts = Counts {
            given: 4,
            registered: 3,
            failed: 1,
            retransmissions: 2,
            open: 1,
        };
        board.post(0, counts);
        board.post(1, counts);
        board.post(2, counts);
        assert_eq!((board.counts().given, board.counts().open), (8, 2));
        assert_eq!(board.wish(), Wish::GoOn);
        board.wishes.store(9, Ordering::Relaxed);
        assert_eq!(board.wish(), Wish::Leave);
    }
}
