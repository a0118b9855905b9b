//! One shard of a load: gives orders when they fall due, takes the ends of exchanges, and removes the bindings afterwards. The core
//! and its sockets are `sip-net`'s; when an order is due is `schedule`'s to say.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_net::Driver;
use sip_net::fleet::Shard;
use sip_registration::{Attempt, Ending, Event, Goal, Key};
use tokio::time::sleep_until;

use crate::load::crew::Crew;
use crate::load::job::{Job, Mode};
use crate::load::live::{Board, Counts, Wish};
use crate::load::schedule::{Dues, Schedule, Shape};
use crate::load::tally::{Slice, Tally};
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
    let mut engine = Engine {
        phase: Phase::registering(&shard, &job),
        index: shard.index,
        driver: shard.driver,
        tally: Tally::new(job.schedule.slices()),
        post_at: Instant::now(),
        crew,
        job,
        board,
    };
    let before = Processor::of_thread();
    engine.go().await;
    let processor = Processor::of_thread().since(before);
    engine.conclude();
    let drops = usage::receive_drops();
    if !engine.job.keep && engine.board.wish() != Wish::Leave {
        engine.remove().await;
    }
    engine.driver.close().await;
    Done {
        tally: engine.tally,
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
    crew: Crew,
    tally: Tally,
    phase: Phase,
    /// When the board is due to be told.
    post_at: Instant,
}

/// Orders of one kind.
struct Phase {
    goal: Goal,
    began_at: Instant,
    /// After this moment no order is given.
    ends_at: Instant,
    dues: Peekable<Dues>,
    /// The most exchanges that may be open.
    open: usize,
    /// When an order that was due could not be given for the last time.
    blocked_at: Option<Instant>,
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
        }
    }

    fn registering(shard: &Shard, job: &Job) -> Self {
        let open = job.open.get().div_ceil(shard.of.get());
        Self::new(Goal::Register, &job.schedule, (shard.index, shard.of.get()), open, job.seed)
    }

    /// When the next order falls due.
    fn due_at(&mut self) -> Option<Instant> {
        let began_at = self.began_at;
        self.dues.peek().map(|&due| began_at + due)
    }

    /// No order is left to be given.
    fn is_spent(&mut self, now: Instant) -> bool {
        now >= self.ends_at || self.dues.peek().is_none()
    }
}

/// How many orders are given in one go, so that replies have their turn in between.
const BURST: usize = 128;

/// Orders go out in bundles, because a timer has no finer grain: none later than it is due, none earlier than by this.
const EARLY: Duration = Duration::from_millis(1);

async fn wait_until(wake_at: Instant, now: Instant) {
    if wake_at > now {
        sleep_until(wake_at.into()).await;
    } else {
        // More is due already; sockets have their turn first.
        tokio::task::yield_now().await;
    }
}

impl Engine {
    /// Gives the orders of this phase and waits for the ends of their exchanges.
    async fn go(&mut self) {
        loop {
            let now = Instant::now();
            self.give(now);
            if now >= self.post_at {
                self.post_at = now + Board::EVERY;
                self.post();
            }
            if self.is_over(now) {
                break;
            }
            let wake_at = self.wake_at();
            tokio::select! {
                biased;
                (key, event) = self.driver.next() => self.take(key, event),
                () = wait_until(wake_at, now) => {}
            }
        }
        self.post();
    }

    /// Gives what is due, as far as users are free and exchanges may be open.
    fn give(&mut self, now: Instant) {
        if now >= self.phase.ends_at {
            return;
        }
        for _ in 0..BURST {
            let Some(due_at) = self.phase.due_at().filter(|due_at| *due_at <= now + EARLY) else {
                return;
            };
            let key = if self.crew.open() < self.phase.open {
                self.crew.order(due_at)
            } else {
                None
            };
            let Some(key) = key else {
                self.phase.blocked_at = Some(now);
                return;
            };
            self.phase.dues.next();
            self.driver.order(key, self.phase.goal);
            self.count_order(due_at);
        }
    }

    fn count_order(&mut self, due_at: Instant) {
        match self.phase.goal {
            Goal::Register => {
                self.tally.given += 1;
                self.tally.held_back += u64::from(self.phase.blocked_at.is_some_and(|blocked_at| blocked_at >= due_at));
                let slice = self.slice(due_at);
                if let Some(slice) = self.tally.slices.get_mut(slice) {
                    slice.given += 1;
                }
            }
            Goal::Unregister | Goal::Clear | Goal::Fetch | Goal::Ping | Goal::Locate => {}
        }
    }

    /// The next moment at which there is something to do without being told.
    fn wake_at(&mut self) -> Instant {
        let blocked = self.crew.open() >= self.phase.open || !self.crew.has_free();
        let due_at = self.phase.due_at().filter(|_| !blocked);
        due_at.map_or(self.post_at, |due_at| (due_at - EARLY).min(self.post_at))
    }

    /// Whether this phase is over.
    fn is_over(&mut self, now: Instant) -> bool {
        match (self.board.wish(), self.phase.goal) {
            (Wish::Leave, _) | (Wish::Stop, Goal::Register) => return true,
            (Wish::GoOn | Wish::Stop, _) => {}
        }
        let settled = self.phase.is_spent(now) && self.crew.open() == 0;
        match (self.phase.goal, self.job.mode) {
            (Goal::Register, Mode::KeepAlive) => settled && now >= self.phase.ends_at,
            (Goal::Register, Mode::Storm) => now >= self.phase.ends_at || self.tally.back.count() >= self.crew.len() as u64,
            (Goal::Register, Mode::Cycle) => settled,
            (Goal::Unregister | Goal::Clear | Goal::Fetch | Goal::Ping | Goal::Locate, _) => settled || now >= self.phase.ends_at,
        }
    }

    /// Takes what happened, and whatever else has happened meanwhile.
    fn take(&mut self, key: Key, event: Event) {
        self.handle(key, event);
        while let Some((key, event)) = self.driver.registrant().0.poll_event() {
            self.handle(key, event);
        }
    }

    fn handle(&mut self, key: Key, event: Event) {
        match event {
            Event::Attempt(attempt) => {
                match (self.phase.goal, attempt.goal) {
                    (Goal::Register, Goal::Register) => self.registered(key, &attempt),
                    (Goal::Unregister, Goal::Unregister) => self.removed(key, &attempt),
                    // What was cut off when the phase before this one ended.
                    (_, Goal::Register | Goal::Unregister | Goal::Clear | Goal::Fetch | Goal::Ping | Goal::Locate) => {}
                }
                self.driver.registrant().0.recycle(attempt);
            }
            Event::Changed(_) | Event::Request(_) | Event::Removed => {}
        }
    }

    fn registered(&mut self, key: Key, attempt: &Attempt) {
        let again = self.job.mode == Mode::Cycle;
        let Some(ended) = self.crew.registered(key, attempt.into(), again) else {
            return;
        };
        self.tally.requests += u64::from(attempt.requests);
        self.tally.retransmissions += u64::from(attempt.retransmissions);
        self.tally.keeping.lapses += u64::from(ended.lapsed);
        match attempt.ending {
            Ending::Succeeded => {
                self.count_success(attempt, ended.due_at, ended.first);
            }
            Ending::Failed(cause) => {
                let code = attempt.last_reply.as_ref().map(|reply| reply.code);
                self.tally.failed(cause, code);
                if let Some(due_at) = ended.due_at {
                    let slice = self.slice(due_at);
                    self.with_slice(slice, |slice| slice.failed += 1);
                }
            }
            Ending::Interrupted => self.tally.unfinished += u64::from(ended.due_at.is_some()),
        }
        if let (Some(due_at), true) = (ended.due_at, attempt.retransmissions > 0) {
            let slice = self.slice(due_at);
            self.with_slice(slice, |slice| slice.retransmissions += u64::from(attempt.retransmissions));
        }
    }

    fn count_success(&mut self, attempt: &Attempt, due_at: Option<Instant>, first: bool) {
        let since_start = attempt.ended_at.saturating_duration_since(self.phase.began_at);
        let took = attempt.ended_at.saturating_duration_since(attempt.started_at);
        if let Some(due_at) = due_at {
            self.tally.registered += 1;
            self.tally.confirmed_by = self.tally.confirmed_by.max(since_start);
            self.tally.service.record(took);
            let slice = self.slice(due_at);
            self.with_slice(slice, |slice| {
                slice.registered += 1;
                // What was sent a little early counts from when it was sent.
                slice.latency.record_between(due_at.min(attempt.started_at), attempt.ended_at);
            });
        }
        match self.job.mode {
            Mode::Cycle => {}
            Mode::KeepAlive => {
                let granted = attempt.binding.as_ref().map_or(0, |bound| bound.granted);
                self.tally.keeping.granted = self.tally.keeping.granted.max(Duration::from_secs(granted.into()));
                if due_at.is_none() {
                    self.tally.keeping.refreshed(since_start, took);
                }
            }
            Mode::Storm if first => self.tally.back.record(since_start),
            Mode::Storm => {}
        }
    }

    fn removed(&mut self, key: Key, attempt: &Attempt) {
        self.crew.removed(key, attempt.into());
        match attempt.ending {
            Ending::Succeeded => self.tally.removal.removed += 1,
            Ending::Failed(_) => self.tally.removal.failed += 1,
            Ending::Interrupted => {}
        }
    }

    /// The part of the time that an order belongs to.
    fn slice(&self, due_at: Instant) -> usize {
        let due = due_at.saturating_duration_since(self.phase.began_at).as_micros();
        let whole = self.job.schedule.span().as_micros().max(1);
        let parts = self.tally.slices.len();
        usize::try_from(due * parts as u128 / whole).unwrap_or(usize::MAX).min(parts - 1)
    }

    fn with_slice(&mut self, at: usize, change: impl FnOnce(&mut Slice)) {
        if let Some(slice) = self.tally.slices.get_mut(at) {
            change(slice);
        }
    }

    /// Counts what is only known at the end of the registrations.
    fn conclude(&mut self) {
        let now = Instant::now();
        let cut_at = now.min(self.phase.ends_at);
        let began_at = self.phase.began_at;
        let not_given = self.phase.dues.by_ref().take_while(|&due| began_at + due <= cut_at).count();
        self.tally.offered = self.tally.given + not_given as u64;
        self.tally.unfinished += self.crew.open() as u64;
        self.tally.took = now.saturating_duration_since(began_at);
        if self.job.mode == Mode::KeepAlive {
            let (held, lapsed) = self.crew.held(now);
            self.tally.keeping.held = held;
            self.tally.keeping.lapses += lapsed;
        }
    }

    /// Removes what is bound, or may be, in as much time as it took to bind it.
    async fn remove(&mut self) {
        let bound = self.crew.turn();
        self.tally.removal.bound = bound;
        if bound == 0 {
            return;
        }
        let rate = self.job.removal_rate(bound);
        let open = self.phase.open;
        let orders = Schedule::new(Shape::Constant(rate), self.job.schedule.duration(), bound);
        let time = orders.span() + self.job.policy.timeout;
        let orders = Schedule::new(Shape::Constant(rate), time, bound);
        self.phase = Phase::new(Goal::Unregister, &orders, (0, 1), open, self.job.seed);
        self.go().await;
        self.tally.removal.took = self.phase.began_at.elapsed();
    }

    fn post(&self) {
        let counts = Counts {
            given: self.tally.given,
            registered: self.tally.registered + self.tally.keeping.service.count(),
            failed: self.tally.failed,
            retransmissions: self.tally.retransmissions,
            open: self.crew.open() as u64,
        };
        self.board.post(self.index, counts);
    }
}
