//! A crowd that waits for one flow. Who comes back by itself does not send at once with all the others when it opens; who was told to
//! begin does. No ladder is drawn: what counts is how many send when.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_registration::{Action, Closed, FlowId, Goal, Input, Opened, Policy, Registrant, Transport};

use crate::setup::Setup;
use crate::world;

/// So many may send at once on a flow that has just opened, whoever they are.
const AT_ONCE: usize = 100;
/// Longer than any wait after the first failure, and shorter than the patience of who waits for a flow.
const ALL_ARE_BACK: Duration = Duration::from_secs(31);

/// Registrations over one connection.
struct Crowd {
    registrant: Registrant,
    now: Instant,
}

impl Crowd {
    /// So many, which are all told to register.
    fn ordered(count: usize) -> Self {
        let setup = Setup::kept().transport(Transport::Tcp);
        let policy = Policy {
            timeout: 2 * ALL_ARE_BACK,
            ..setup.policy.clone()
        };
        let (mut registrant, now) = (Registrant::new([setup.seed; 32], policy), world::origin());
        for number in 0..count {
            let setup = setup
                .clone()
                .account(|account| account.aor = format!("sip:{number}@example.test").parse().unwrap());
            let key = registrant.add(now, Arc::new(setup.account));
            registrant.order(now, key, Goal::Register);
        }
        Self { registrant, now }
    }

    /// So many that were refused a connection, and wait again for one, by themselves.
    fn come_back(count: usize) -> Self {
        let mut crowd = Self::ordered(count);
        let flow = crowd.asked_for();
        crowd.registrant.handle_input(crowd.now, Input::Closed(flow, Closed::Refused));
        crowd.pass(ALL_ARE_BACK);
        crowd
    }

    /// The one flow that is asked for.
    fn asked_for(&mut self) -> FlowId {
        let asked: Vec<FlowId> = std::iter::from_fn(|| self.registrant.poll_action())
            .filter_map(|action| match action {
                Action::Open(flow, _) => Some(flow),
                Action::Query(..) | Action::Close(_) => None,
            })
            .collect();
        let [flow] = asked[..] else { panic!("one flow for all: {asked:?}") };
        flow
    }

    fn open(&mut self) {
        let flow = self.asked_for();
        let opened = Opened {
            local: ([198, 51, 100, 1], 40_000).into(),
            connected_at: None,
            tls: None,
        };
        self.registrant.handle_input(self.now, Input::Opened(flow, opened));
    }

    /// Lets time pass. Returns how many requests were sent at most at one moment, and how many in all.
    fn pass(&mut self, duration: Duration) -> (usize, usize) {
        let until = self.now + duration;
        let (mut most, mut all) = (0, 0);
        loop {
            let sent = self.sent();
            (most, all) = (most.max(sent), all + sent);
            match self.registrant.poll_timeout().filter(|due| *due <= until) {
                Some(due) => self.now = self.now.max(due),
                None => break,
            }
            self.registrant.handle_timeout(self.now);
        }
        self.now = until;
        (most, all)
    }

    fn sent(&mut self) -> usize {
        let mut bytes = Vec::new();
        std::iter::from_fn(|| self.registrant.poll_transmit(&mut bytes)).count()
    }
}

#[test]
fn those_who_come_back_by_themselves_spread_over_the_policys_time() {
    let count = AT_ONCE + 1;
    let mut crowd = Crowd::come_back(count);
    crowd.open();
    let spread = Policy::default().comeback_interval * u32::try_from(count).unwrap();
    let (most, all) = crowd.pass(spread);
    assert_eq!(all, count, "each sends once");
    assert!(most < count / 4, "{most} of {count} sent at one moment");
}

#[test]
fn a_hundred_that_come_back_send_at_once() {
    let mut crowd = Crowd::come_back(AT_ONCE);
    crowd.open();
    assert_eq!(crowd.sent(), AT_ONCE);
}

#[test]
fn those_who_were_told_to_begin_send_at_once() {
    let mut crowd = Crowd::ordered(2 * AT_ONCE);
    crowd.open();
    assert_eq!(crowd.sent(), 2 * AT_ONCE);
}
