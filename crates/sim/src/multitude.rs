//! Very many registrations of one registrant at one registrar, kept for virtual hours: what a million of them take in time and memory.
//! Nothing is lost or late here and no registrar keeps anything; for what a network does there is [`crate::World`].

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_digest::Algorithm;
use sip_registrar::Responder;
use sip_registration::{
    Account, Action, Attempt, ContactPlan, Ending, Event, FlowId, Goal, Input, Key, Opened, Policy, Registrant, Status,
};

use crate::account;
use crate::clock::origin;

/// Registrations of one registrant, and what becomes of them.
///
/// ```
/// use std::time::Duration;
/// use sip_sim::Multitude;
/// let mut lines = Multitude::new(1, 50, sip_registration::Policy::default());
/// lines.register_within(Duration::from_secs(10));
/// lines.run_for(Duration::from_secs(3600));
/// assert_eq!((lines.tally().registered, lines.tally().lapses), (50, 0));
/// ```
#[derive(Debug)]
pub struct Multitude {
    registrant: Registrant,
    keys: Vec<Key>,
    responder: Responder,
    now: Instant,
    /// Replies on their way back. Every round trip takes equally long, so that they arrive in the order in which they were sent.
    replies: VecDeque<Reply>,
    /// Buffers to write the next replies into.
    spare: Vec<Vec<u8>>,
    request: Vec<u8>,
    tally: Tally,
}

#[derive(Debug)]
struct Reply {
    at: Instant,
    flow: FlowId,
    source: SocketAddr,
    bytes: Vec<u8>,
}

/// What became of them.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many were registered for the first time.
    pub registered: u64,
    /// Refreshes that succeeded.
    pub refreshes: u64,
    /// The same by the minute in which they succeeded, counted from the beginning.
    pub by_minute: Vec<u64>,
    /// Registrations and refreshes that failed.
    pub failures: u64,
    /// Changes of state that left somebody without a valid binding who had been replied to before.
    pub lapses: u64,
}

/// Seconds that are asked for and granted.
const GRANTED: u32 = 3600;
/// What a round trip takes.
const ROUND_TRIP: Duration = Duration::from_millis(20);
/// Where everybody sends from.
const LOCAL: ([u8; 4], u16) = ([192, 0, 2, 1], 5060);

impl Multitude {
    /// So many accounts, none of which has been ordered anything yet. They share what is equal in them.
    #[must_use]
    pub fn new(seed: u8, count: u32, policy: Policy) -> Self {
        let mut registrant = Registrant::new([seed; 32], policy);
        let template = Account {
            expires: GRANTED,
            ..account("template", "sip:192.0.2.10")
        };
        let keys = (0..count).map(|number| registrant.add(origin(), Arc::new(line(&template, number))));
        Self {
            keys: keys.collect(),
            registrant,
            responder: Responder::new("example.test", Algorithm::Md5, GRANTED),
            now: origin(),
            replies: VecDeque::new(),
            spare: Vec::new(),
            request: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// What became of everybody so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The time since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now - origin()
    }

    /// Registers everybody who has not been yet, one after the other over this time.
    ///
    /// # Panics
    /// With more registrations than a `u32` counts.
    pub fn register_within(&mut self, time: Duration) {
        let keys = std::mem::take(&mut self.keys);
        let count = u32::try_from(keys.len()).expect("a u32 counts them");
        let began_at = self.now;
        for (key, number) in keys.into_iter().zip(0_u32..) {
            self.run_until(began_at + time.mul_f64(f64::from(number) / f64::from(count)));
            self.registrant.order(self.now, key, Goal::Register);
            self.drain();
        }
        self.run_until(began_at + time);
    }

    /// Lets this much time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Goes from reply to reply and from deadline to deadline.
    fn run_until(&mut self, until: Instant) {
        loop {
            let reply = self.replies.front().map(|reply| reply.at);
            let deadline = self.registrant.poll_timeout();
            let Some(at) = reply.into_iter().chain(deadline).min().filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(at);
            match self.replies.pop_front_if(|reply| reply.at <= self.now) {
                Some(reply) => self.receive(reply),
                None => self.registrant.handle_timeout(self.now),
            }
            self.drain();
        }
        self.now = until;
    }

    fn receive(&mut self, reply: Reply) {
        let Reply { flow, source, bytes, .. } = reply;
        let received = Input::Received {
            flow,
            source,
            bytes: &bytes,
        };
        self.registrant.handle_input(self.now, received);
        self.spare.push(bytes);
    }

    fn drain(&mut self) {
        while let Some(action) = self.registrant.poll_action() {
            self.act(action);
        }
        while let Some(transmit) = self.registrant.poll_transmit(&mut self.request) {
            let mut bytes = self.spare.pop().unwrap_or_default();
            if self.responder.respond(LOCAL.into(), false, &self.request, &mut bytes).is_some() {
                self.replies.push_back(Reply {
                    at: self.now + ROUND_TRIP,
                    flow: transmit.flow,
                    source: transmit.to,
                    bytes,
                });
            }
        }
        while let Some((_, event)) = self.registrant.poll_event() {
            match event {
                Event::Attempt(attempt) => self.count(attempt),
                Event::Changed(status) => self.watch(&status),
                Event::Request(_) | Event::Removed => {}
            }
        }
    }

    /// Every flow opens at once, and there are no names to look up.
    fn act(&mut self, action: Action) {
        match action {
            Action::Open(flow, _) => {
                let opened = Opened {
                    local: LOCAL.into(),
                    connected_at: None,
                    tls: None,
                };
                self.registrant.handle_input(self.now, Input::Opened(flow, opened));
            }
            Action::Query(..) | Action::Close(_) => {}
        }
    }

    fn count(&mut self, attempt: Box<Attempt>) {
        match attempt.ending {
            // A refresh carries the credentials of the registration before it, which was asked for them.
            Ending::Succeeded if attempt.requests == 1 => {
                self.tally.refreshes += 1;
                let minute = usize::try_from(self.elapsed().as_secs() / 60).unwrap_or(usize::MAX);
                if minute >= self.tally.by_minute.len() {
                    self.tally.by_minute.resize(minute + 1, 0);
                }
                self.tally.by_minute[minute] += 1;
            }
            Ending::Succeeded => self.tally.registered += 1,
            Ending::Failed(_) | Ending::Interrupted => self.tally.failures += 1,
        }
        self.registrant.recycle(attempt);
    }

    /// Whoever has got a reply has a binding from then on, whatever state comes next.
    fn watch(&mut self, status: &Status) {
        self.tally.lapses += u64::from(status.last_reply.is_some() && status.valid_until.is_none());
    }
}

/// One account out of the template.
fn line(template: &Account, number: u32) -> Account {
    let user = format!("line{number}");
    Account {
        aor: format!("sip:{user}@example.test").parse().expect("the AOR is a URI"),
        contact: ContactPlan::Automatic { user: user.into() },
        ..template.clone()
    }
}
