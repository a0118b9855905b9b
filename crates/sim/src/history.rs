//! What became of a registration so far, in counts: small enough to be kept for ten thousand. Not the evidence, which is the attempt's.

use std::collections::BTreeMap;
use std::time::Instant;

use sip_registration::{Attempt, Cause, Ending};

/// What became of one registration so far.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Exchanges that ended.
    pub attempts: u32,
    /// Exchanges that reached their goal.
    pub succeeded: u32,
    /// How the last exchange ended.
    pub last: Option<Ending>,
    /// Why exchanges failed, and how often.
    pub causes: BTreeMap<Cause, u32>,
    /// Requests sent, retransmissions not counted.
    pub requests: u32,
    /// Requests sent again.
    pub retransmissions: u32,
    /// When each exchange began.
    pub began: Vec<Instant>,
    /// It was removed and is gone.
    pub removed: bool,
}

impl History {
    pub(crate) fn add(&mut self, attempt: &Attempt) {
        self.attempts += 1;
        self.last = Some(attempt.ending);
        self.requests += attempt.requests;
        self.retransmissions += attempt.retransmissions;
        self.began.push(attempt.started_at);
        match attempt.ending {
            Ending::Succeeded => self.succeeded += 1,
            Ending::Failed(cause) => *self.causes.entry(cause).or_default() += 1,
            Ending::Interrupted => {}
        }
    }
}
