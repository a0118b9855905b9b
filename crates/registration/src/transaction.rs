//! The timers of a non-INVITE client transaction (RFC 3261 §17.1.2). Not for its bytes: a retransmission is encoded anew.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use crate::Policy;

/// A request that waits for its final reply.
///
/// ```text
///            ┌────────── E: send again, E = min(2·E, T2)
///            ▼         │
///  start ► Trying ─────┘──1xx──► Proceeding ─┐ E: send again, E = T2
///            │                      ▲────────┘
///            └───── F or a final reply: over ◄┘      (Timer K, which absorbs duplicates, is `Absorbing`)
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transaction {
    phase: Phase,
    /// Timer E; none on a reliable transport.
    retransmission: Option<Retransmission>,
    /// Timer F.
    timeout_at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Trying,
    Proceeding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Retransmission {
    at: Instant,
    interval: Duration,
}

/// What a transaction wants when its deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing yet.
    Nothing,
    /// Send the request again.
    Retransmit,
    /// Give up.
    TimedOut,
}

impl Transaction {
    /// Starts when the request is first sent. Timer F fires after 64·T1, or at `no_later_than` if that is sooner.
    pub(crate) fn start(now: Instant, reliable: bool, policy: &Policy, no_later_than: Instant) -> Self {
        // RFC 3261 §17.1.2.2: Timer E starts at T1, for unreliable transports only; Timer F at 64·T1 for all.
        let retransmission = (!reliable).then(|| Retransmission {
            at: now + policy.t1,
            interval: policy.t1,
        });
        Self {
            phase: Phase::Trying,
            retransmission,
            timeout_at: no_later_than.min(now + 64 * policy.t1),
        }
    }

    /// A 1xx came: RFC 3261 §17.1.2.2, "Proceeding". Timer E keeps running and goes on with T2 when it next fires.
    pub(crate) const fn handle_provisional(&mut self) {
        self.phase = Phase::Proceeding;
    }

    /// True once a 1xx has come.
    pub(crate) const fn is_proceeding(&self) -> bool {
        matches!(self.phase, Phase::Proceeding)
    }

    /// What is due at `now`. Timer F goes before Timer E.
    pub(crate) fn handle_timeout(&mut self, now: Instant, policy: &Policy) -> Due {
        if now >= self.timeout_at {
            return Due::TimedOut;
        }
        match &mut self.retransmission {
            Some(retransmission) if now >= retransmission.at => {
                retransmission.interval = match self.phase {
                    Phase::Trying => policy.t2.min(2 * retransmission.interval),
                    Phase::Proceeding => policy.t2,
                };
                retransmission.at = now + retransmission.interval;
                Due::Retransmit
            }
            Some(_) | None => Due::Nothing,
        }
    }

    /// When to ask again.
    pub(crate) fn deadline(&self) -> Instant {
        self.retransmission
            .map_or(self.timeout_at, |retransmission| retransmission.at.min(self.timeout_at))
    }
}

/// The branches of requests that are over. Duplicates of an answered one are absorbed for T4 (Timer K, RFC 3261 §17.1.2.2);
/// a reply to one that timed out, or after Timer K, is late. Holds the last few only, in few bytes: every registration has one of these.
#[derive(Debug, Clone, Default)]
pub(crate) struct Absorbing {
    /// The latter half of each branch, the latest first. Nobody else knows them, so that half of it will do.
    ended: [Option<NonZeroU32>; Self::KEPT],
    /// Timer K of each in milliseconds after `since`, at most 65 s of them; 0 for one that was never answered, or whose Timer K is over.
    absorbs_until: [u16; Self::KEPT],
    since: Option<Instant>,
}

/// What a reply without a waiting transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stray {
    /// A retransmitted final reply.
    Duplicate,
    /// It came after its transaction was over.
    Late,
    /// It is no reply to us.
    Foreign,
}

impl Absorbing {
    const KEPT: usize = 8;

    /// The transaction was answered: what comes again within T4 is a duplicate. We differ: Timer K is zero on a reliable
    /// transport, but a reply that comes twice is a duplicate there too, and not late.
    pub(crate) fn answered(&mut self, now: Instant, branch: u64, policy: &Policy) {
        self.settle(now);
        let since = *self.since.get_or_insert(now);
        let until = (now + policy.t4).saturating_duration_since(since).as_millis();
        self.push(branch, u16::try_from(until).unwrap_or(u16::MAX));
    }

    /// The transaction was given up.
    pub(crate) fn abandoned(&mut self, now: Instant, branch: u64) {
        self.settle(now);
        self.push(branch, 0);
    }

    /// Judges a reply that no waiting transaction claims.
    pub(crate) fn judge(&self, now: Instant, branch: u64) -> Stray {
        let mut known = self.ended.iter().zip(self.absorbs_until);
        match known.find(|(ended, _)| **ended == Some(half(branch))) {
            Some((_, until)) if self.elapsed(now) < until.into() => Stray::Duplicate,
            Some(_) => Stray::Late,
            None => Stray::Foreign,
        }
    }

    /// Milliseconds since the moment from which Timers K are counted.
    fn elapsed(&self, now: Instant) -> u128 {
        self.since.map_or(0, |since| now.saturating_duration_since(since).as_millis())
    }

    /// Forgets the Timers K that are over, so that the others can be counted from a moment that is not long ago.
    fn settle(&mut self, now: Instant) {
        let elapsed = self.elapsed(now);
        for until in &mut self.absorbs_until {
            if u128::from(*until) <= elapsed {
                *until = 0;
            }
        }
        if self.absorbs_until == [0; Self::KEPT] {
            self.since = None;
        }
    }

    fn push(&mut self, branch: u64, until: u16) {
        self.ended.rotate_right(1);
        self.absorbs_until.rotate_right(1);
        let ([ended, ..], [absorbs_until, ..]) = (&mut self.ended, &mut self.absorbs_until);
        (*ended, *absorbs_until) = (Some(half(branch)), until);
    }
}

/// The latter half of a branch, but for its last bit, which is set: none is zero.
fn half(branch: u64) -> NonZeroU32 {
    NonZeroU32::MIN | (branch & 0xffff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(transaction: &mut Transaction, start: Instant, policy: &Policy, provisional_at: Option<u64>) -> (Vec<u64>, u64) {
        let mut sent = vec![0];
        loop {
            let now = transaction.deadline();
            let at = u64::try_from((now - start).as_millis()).unwrap();
            if provisional_at.is_some_and(|provisional| provisional <= at) {
                transaction.handle_provisional();
            }
            match transaction.handle_timeout(now, policy) {
                Due::Retransmit => sent.push(at),
                Due::TimedOut => return (sent, at),
                Due::Nothing => panic!("a deadline without anything due"),
            }
        }
    }

    #[test]
    fn retransmits_at_t1_then_doubles_to_t2_until_timer_f() {
        let (start, policy) = (crate::tests::origin(), Policy::default());
        let mut transaction = Transaction::start(start, false, &policy, start + Duration::from_secs(3600));
        let (sent, ended) = milliseconds(&mut transaction, start, &policy, None);
        // RFC 3261 §17.1.2.2: 500 ms, 1 s, 2 s, 4 s, 4 s, ... for 64·T1 = 32 s.
        assert_eq!(sent, [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
        assert_eq!(ended, 32000);
    }

    #[test]
    fn retransmits_every_t2_after_a_provisional() {
        let (start, policy) = (crate::tests::origin(), Policy::default());
        let mut transaction = Transaction::start(start, false, &policy, start + Duration::from_secs(3600));
        let (sent, ended) = milliseconds(&mut transaction, start, &policy, Some(400));
        assert_eq!(sent, [0, 500, 4500, 8500, 12500, 16500, 20500, 24500, 28500]);
        assert_eq!(ended, 32000);
        assert!(transaction.is_proceeding());
    }

    #[test]
    fn a_reliable_transport_sends_once() {
        let (start, policy) = (crate::tests::origin(), Policy::default());
        let mut transaction = Transaction::start(start, true, &policy, start + Duration::from_secs(3600));
        assert_eq!(milliseconds(&mut transaction, start, &policy, None), (vec![0], 32000));
    }

    #[test]
    fn the_exchange_may_end_it_sooner() {
        let (start, policy) = (crate::tests::origin(), Policy::default());
        let mut transaction = Transaction::start(start, false, &policy, start + Duration::from_secs(2));
        assert_eq!(milliseconds(&mut transaction, start, &policy, None), (vec![0, 500, 1500], 2000));
    }

    #[test]
    fn duplicates_are_absorbed_for_t4_and_late_after() {
        let (start, policy) = (crate::tests::origin(), Policy::default());
        let mut absorbing = Absorbing::default();
        assert_eq!(absorbing.judge(start, 0), Stray::Foreign);
        absorbing.answered(start, 1, &policy);
        absorbing.abandoned(start, 6);
        assert_eq!(absorbing.judge(start + Duration::from_millis(4999), 1), Stray::Duplicate);
        assert_eq!(absorbing.judge(start + Duration::from_secs(5), 1), Stray::Late);
        assert_eq!(absorbing.judge(start, 6), Stray::Late);
        assert_eq!(absorbing.judge(start, 5), Stray::Foreign);
        (10..20).for_each(|branch| absorbing.abandoned(start, branch));
        assert_eq!(absorbing.judge(start, 1), Stray::Foreign);
    }
}
