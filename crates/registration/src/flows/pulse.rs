//! The pulse of the flows: when each is pinged, and what its peer's silence means (RFC 5626 §4.4). Not for how a ping is sent.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;

use super::Flows;
use crate::branch::Branch;
use crate::keep_alive::DatagramPing;
use crate::{FlowId, Policy, Transport};

/// When something is due on which flow.
#[derive(Debug, Default)]
pub(super) struct Pulses(BTreeSet<(Instant, FlowId)>);

/// How it stands with the pings of one flow.
///
/// ```text
///            due: send            due: nobody answers
///  Resting ─────────────► Pinged ─────────────────────► Resting, another ping, or the flow is lost
///     ▲                     │
///     └──────answered───────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pulse {
    /// It has none.
    #[default]
    None,
    /// The next ping is due then.
    Resting(Instant),
    /// A ping waits until then for its answer.
    Pinged {
        until: Instant,
        /// Names the request, when it is one.
        nonce: u64,
        /// How many before it went unanswered.
        missed: u32,
    },
}

/// What is to be done about a flow whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Send this.
    Ping(Ping),
    /// A ping went unanswered; nothing else follows.
    Missed,
    /// A ping went unanswered, and here is another one.
    MissedOnce(Ping),
    /// The flow may be dead: its registrations have to show whether it is.
    Suspect,
    /// The flow is dead.
    Lost,
}

/// A ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ping {
    /// A double CRLF.
    Crlf,
    /// An OPTIONS with this branch.
    Options(u64),
}

/// How many requests in a row go unanswered before a flow is suspect.
const MISSED: u32 = 2;

impl Pulse {
    const fn due_at(&self) -> Option<Instant> {
        match self {
            Self::None => None,
            Self::Resting(at) | Self::Pinged { until: at, .. } => Some(*at),
        }
    }
}

impl Flows {
    /// When the next flow has to be looked after.
    pub(crate) fn next_pulse(&self) -> Option<Instant> {
        self.pulses.0.first().map(|(at, _)| *at)
    }

    /// A flow is open, or was heard of: its next ping is an interval away.
    pub(crate) fn rest(&mut self, now: Instant, id: FlowId, policy: &Policy, rng: &mut ChaCha12Rng) {
        let Some(transport) = self.by_id.get(&id).map(|flow| flow.endpoint.transport) else {
            return;
        };
        let interval = policy.keep_alive.interval(transport).filter(|_| policy.maintain);
        let pulse = interval.map_or(Pulse::None, |interval| Pulse::Resting(now + jittered(interval, rng)));
        self.set_pulse(id, pulse);
    }

    /// What is due on which flow; call it until nothing is.
    pub(crate) fn poll_beat(&mut self, now: Instant, policy: &Policy, rng: &mut ChaCha12Rng) -> Option<(FlowId, Beat)> {
        let (_, id) = *self.pulses.0.first().filter(|(at, _)| *at <= now)?;
        let flow = self.by_id.get(&id)?;
        let (transport, answers) = (flow.endpoint.transport, self.sites.answers_pings(flow.site));
        let beat = match (flow.pulse, transport) {
            (Pulse::None | Pulse::Resting(_), _) => self.ping(now, id, 0, policy, rng).map_or(Beat::Missed, Beat::Ping),
            (Pulse::Pinged { .. }, Transport::Tcp | Transport::Tls) if answers => Beat::Lost,
            (Pulse::Pinged { .. }, Transport::Tcp | Transport::Tls) => Beat::Missed,
            (Pulse::Pinged { missed, .. }, Transport::Udp) if missed + 1 < MISSED => {
                let again = self.ping(now, id, missed + 1, policy, rng);
                again.map_or(Beat::Missed, Beat::MissedOnce)
            }
            (Pulse::Pinged { .. }, Transport::Udp) => Beat::Suspect,
        };
        match beat {
            Beat::Ping(Ping::Options(_)) | Beat::MissedOnce(_) => {}
            Beat::Ping(Ping::Crlf) if transport.is_reliable() => {}
            Beat::Ping(Ping::Crlf) | Beat::Missed | Beat::Suspect | Beat::Lost => self.rest(now, id, policy, rng),
        }
        Some((id, beat))
    }

    /// Makes the next ping of a flow, and waits for its answer.
    fn ping(&mut self, now: Instant, id: FlowId, missed: u32, policy: &Policy, rng: &mut ChaCha12Rng) -> Option<Ping> {
        let nonce = rng.random();
        let ping = match (self.by_id.get(&id)?.endpoint.transport, policy.keep_alive.datagrams) {
            (Transport::Udp, DatagramPing::Off) => return None,
            (Transport::Udp, DatagramPing::Options(_)) => Ping::Options(nonce),
            (Transport::Udp, DatagramPing::Crlf(_)) | (Transport::Tcp | Transport::Tls, _) => Ping::Crlf,
        };
        let until = now + policy.keep_alive.answer_time;
        self.set_pulse(id, Pulse::Pinged { until, nonce, missed });
        Some(ping)
    }

    /// A line end came on a stream. True when a ping waited for it.
    pub(crate) fn handle_pong(&mut self, now: Instant, id: FlowId, policy: &Policy, rng: &mut ChaCha12Rng) -> bool {
        let Some(flow) = self.by_id.get(&id).filter(|flow| matches!(flow.pulse, Pulse::Pinged { .. })) else {
            return false;
        };
        self.sites.has_answered_ping(flow.site);
        self.rest(now, id, policy, rng);
        true
    }

    /// A response came that answers no exchange. True when it answers the ping of this flow.
    pub(crate) fn handle_ping_response(
        &mut self,
        now: Instant,
        id: FlowId,
        branch: Branch,
        policy: &Policy,
        rng: &mut ChaCha12Rng,
    ) -> bool {
        let waits = |pulse| matches!(pulse, Pulse::Pinged { nonce, .. } if nonce == branch.nonce);
        let is_meant = self.by_id.get(&id).is_some_and(|flow| waits(flow.pulse));
        if is_meant {
            self.rest(now, id, policy, rng);
        }
        is_meant
    }

    pub(super) fn set_pulse(&mut self, id: FlowId, pulse: Pulse) {
        let Some(flow) = self.by_id.get_mut(&id) else { return };
        let former = std::mem::replace(&mut flow.pulse, pulse);
        if let Some(at) = former.due_at() {
            self.pulses.0.remove(&(at, id));
        }
        if let Some(at) = pulse.due_at() {
            self.pulses.0.insert((at, id));
        }
    }
}

/// RFC 5626 §4.4.1: 80 to 100 % of the interval.
fn jittered(interval: Duration, rng: &mut ChaCha12Rng) -> Duration {
    let least = interval * 4 / 5;
    if interval <= least {
        interval
    } else {
        rng.random_range(least..=interval)
    }
}
