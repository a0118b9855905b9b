//! One shard of a load: gives orders when they fall due, passes on what happens, and removes the bindings afterwards. The core and its
//! sockets are `sip-net`'s; when an order is due is `schedule`'s to say, and what counts for what is `book`'s.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_net::Driver;
use sip_net::fleet::Shard;
use sip_registration::{Event, Goal, Key};

use crate::load::book::Book;
use crate::load::crew::Crew;
use crate::load::job::{Job, Mode};
use crate::load::live::{Board, Wish};
use crate::load::schedule::{Dues, Schedule, Shape};
use crate::load::tally::Tally;
use crate::load::usage::{self, Processor};

/// What a shard has to tell in the end.
#[derive(Debug)]
pub(crate) struct Done {
    /// What it counted.
    pub(crate) tally: Tally,
    /// What the registrations cost, setting up and removing not counted.
    pub(crate) processor: Processor,
    /// Datagrams lost at full receive buffers, by socket.
    pub(crate) drops: BTreeMap<u64, u64>,
}

/// Runs one shard from its first order to the removal of its last binding.
pub(crate) async fn run(mut shard: Shard, job: Arc<Job>, board: Arc<Board>) -> Done {
    let crew = hire(&mut shard, &job);
    let phase = Phase::registering(&shard, &job);
    let mut engine = Engine {
        index: shard.index,
        driver: shard.driver,
        book: Book::new(crew, &job, phase.began_at),
        phase,
        post_at: Instant::now(),
        job,
        board,
    };
    let before = Processor::of_thread();
    engine.go().await;
    let processor = Processor::of_thread().since(before);
    engine.conclude();
    let drops = usage::receive_drops();
    let removing = engine.remove().await;
    engine.driver.close().await;
    Done {
        tally: engine.book.close(removing),
        processor,
        drops,
    }
}

/// Adds the shard's users: every so manyth.
fn hire(shard: &mut Shard, job: &Job) -> Crew {
    let mut crew = Crew::default();
    let (registrant, now) = shard.driver.registrant();
    for place in (shard.index as u64..job.needed()).step_by(shard.of.get()) {
        crew.hire(registrant.add(now, Arc::new(job.account(place))));
    }
    crew
}

struct Engine {
    index: usize,
    driver: Driver,
    job: Arc<Job>,
    board: Arc<Board>,
    book: Book,
    phase: Phase,
    /// When the board is due to be told.
    post_at: Instant,
}

/// Orders of one kind.
struct Phase {
    goal: Goal,
    began_at: Instant,
    /// After this moment no order is given that had to wait, however late the timer is for the others.
    ends_at: Instant,
    dues: Peekable<Dues>,
    /// The most exchanges that may be open.
    open: usize,
    /// When an order that was due could not be given for the last time.
    blocked_at: Option<Instant>,
    /// Before this moment no further bundle goes out.
    bundle_at: Instant,
}

impl Phase {
    fn new(goal: Goal, schedule: &Schedule, (index, of): (usize, usize), open: usize, seed: u64) -> Self {
        let began_at = Instant::now();
        Self {
            goal,
            began_at,
            ends_at: began_at + schedule.duration(),
            dues: schedule.dues(index, of, seed).peekable(),
            open,
            blocked_at: None,
            bundle_at: began_at,
        }
    }

    fn registering(shard: &Shard, job: &Job) -> Self {
        Self::new(
            Goal::Register,
            &job.schedule,
            (shard.index, shard.of.get()),
            job.open_in(shard.index),
            job.seed,
        )
    }

    /// When the next order falls due.
    fn due_at(&mut self) -> Option<Instant> {
        let began_at = self.began_at;
        self.dues.peek().map(|&due| began_at + due)
    }

    /// No order is left to be given.
    fn is_spent(&mut self, now: Instant) -> bool {
        let next = self.due_at();
        next.is_none_or(|due_at| now >= self.ends_at && self.is_late(due_at))
    }

    /// The order that was due at this moment has had to wait.
    fn is_late(&self, due_at: Instant) -> bool {
        self.blocked_at.is_some_and(|blocked_at| blocked_at >= due_at)
    }

    /// How many orders fell due by this moment and were not given. To be asked once.
    fn not_given(&mut self, now: Instant) -> u64 {
        let (began_at, until) = (self.began_at, now.min(self.ends_at));
        let left = self.dues.by_ref().take_while(|&due| began_at + due <= until);
        left.count() as u64
    }
}

/// How many orders are given in one go, so that replies have their turn in between.
const BURST: usize = 128;

/// Orders go out in bundles, so that system calls have many messages each: none later than it is due, none earlier than by this.
const EARLY: Duration = Duration::from_millis(3);

/// From one bundle to the next at least. A timer's grain is a millisecond, which is what is left until the first of them is due.
const APART: Duration = Duration::from_millis(2);

impl Engine {
    /// Gives the orders of this phase and waits for the ends of their exchanges.
    async fn go(&mut self) {
        loop {
            let now = self.give();
            if now >= self.post_at {
                self.post_at = now + Board::EVERY;
                self.board.post(self.index, self.book.counts());
            }
            if self.is_over(now) {
                break;
            }
            let wake_at = self.wake_at(now);
            if let Some((key, event)) = self.driver.next_before(Some(wake_at)).await {
                self.take(key, event);
            }
        }
        self.board.post(self.index, self.book.counts());
    }

    /// Gives what is due, as far as users are free and exchanges may be open; the moment.
    fn give(&mut self) -> Instant {
        let (registrant, now) = self.driver.registrant();
        if now < self.phase.bundle_at {
            return now;
        }
        for _ in 0..BURST {
            let Some(due_at) = self.phase.due_at().filter(|due_at| *due_at <= now + EARLY) else {
                self.phase.bundle_at = now + APART;
                break;
            };
            let late = self.phase.is_late(due_at);
            if late && now >= self.phase.ends_at {
                break;
            }
            let may_open = self.book.open() < self.phase.open;
            let Some(key) = may_open.then(|| self.book.order(due_at, late)).flatten() else {
                self.phase.blocked_at = Some(now);
                break;
            };
            self.phase.dues.next();
            registrant.order(now, key, self.phase.goal);
        }
        now
    }

    /// The next moment at which there is something to do without being told.
    fn wake_at(&mut self, now: Instant) -> Instant {
        let blocked = self.book.open() >= self.phase.open || !self.book.has_free() || self.phase.is_spent(now);
        let due_at = self.phase.due_at().filter(|_| !blocked);
        due_at.map_or(self.post_at, |due_at| (due_at - EARLY).max(self.phase.bundle_at).min(self.post_at))
    }

    /// Whether this phase is over.
    fn is_over(&mut self, now: Instant) -> bool {
        match (self.board.wish(), self.phase.goal) {
            (Wish::Leave, _) | (Wish::Stop, Goal::Register) => return true,
            (Wish::GoOn | Wish::Stop, _) => {}
        }
        let settled = self.phase.is_spent(now) && self.book.open() == 0;
        match (self.phase.goal, self.job.mode) {
            (Goal::Register, Mode::KeepAlive) => settled && now >= self.phase.ends_at,
            (Goal::Register, Mode::Storm) => now >= self.phase.ends_at || self.book.all_are_back(),
            (Goal::Register, Mode::Cycle) => settled,
            (Goal::Unregister | Goal::Clear | Goal::Fetch | Goal::Ping | Goal::Locate, _) => settled || now >= self.phase.ends_at,
        }
    }

    /// Takes what happened, and whatever else has happened meanwhile.
    fn take(&mut self, key: Key, event: Event) {
        let (registrant, _) = self.driver.registrant();
        let mut told = Some((key, event));
        while let Some((key, event)) = told {
            if let Some(attempt) = self.book.take(key, event) {
                registrant.recycle(attempt);
            }
            told = registrant.poll_event();
        }
    }

    fn conclude(&mut self) {
        let now = Instant::now();
        let not_given = self.phase.not_given(now);
        self.book.conclude(now, not_given);
    }

    /// Removes what is bound, or may be, in as much time as it took to bind it; how long it took.
    async fn remove(&mut self) -> Duration {
        if self.job.keep {
            return Duration::ZERO;
        }
        let bound = self.book.turn();
        if bound == 0 || self.board.wish() == Wish::Leave {
            return Duration::ZERO;
        }
        let rate = self.job.removal_rate(bound);
        let orders = Schedule::new(Shape::Constant(rate), self.job.schedule.duration(), bound);
        let time = orders.span() + self.job.policy.timeout;
        let orders = Schedule::new(Shape::Constant(rate), time, bound);
        self.phase = Phase::new(Goal::Unregister, &orders, (0, 1), self.phase.open, self.job.seed);
        self.go().await;
        self.phase.began_at.elapsed()
    }
}
