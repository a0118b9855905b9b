//! A registration that is kept allocates nothing: ten thousand refreshes, each drained of everything that it puts out. In a test
//! program of its own, because it counts every allocation.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use sip_digest::{Algorithm, Secret};
use sip_registrar::Responder;
use sip_registration::{Account, Action, ContactPlan, Ending, Event, FlowId, Input, Opened, Policy, Registrant};

const REGISTRATIONS: u64 = 100;
const CYCLES: u64 = 10_000;

/// What the registrar grants, in seconds.
const GRANTED: u32 = 3600;

/// Registrations on one flow, and their time.
struct Line {
    registrant: Registrant,
    flow: FlowId,
    local: SocketAddr,
    registrar: SocketAddr,
    responder: Responder,
    now: Instant,
    request: Vec<u8>,
    reply: Vec<u8>,
    succeeded: u64,
}

impl Line {
    fn registered() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a moment to count from; its value does not matter")]
        let now = Instant::now();
        let mut registrant = Registrant::new([7; 32], Policy::default());
        for user in 0..REGISTRATIONS {
            let key = registrant.add(now, Arc::new(account(user)));
            registrant.register(now, key);
        }
        let Some(Action::Open(flow, endpoint)) = registrant.poll_action() else {
            panic!("an address needs no look-up")
        };
        let local = SocketAddr::from(([192, 0, 2, 1], 5060));
        let opened = Opened {
            local,
            connected_at: None,
            tls: None,
        };
        registrant.handle_input(now, Input::Opened(flow, opened));
        let mut line = Self {
            registrant,
            flow,
            local,
            registrar: endpoint.remote,
            responder: Responder::new("example.test", Algorithm::Md5, GRANTED),
            now,
            request: Vec::with_capacity(2048),
            reply: Vec::with_capacity(2048),
            succeeded: 0,
        };
        line.answer_all();
        assert_eq!(line.succeeded, REGISTRATIONS);
        line
    }

    /// Goes from deadline to deadline until so many exchanges more have succeeded.
    fn run(&mut self, exchanges: u64) {
        let until = self.succeeded + exchanges;
        while self.succeeded < until {
            self.now = self.registrant.poll_timeout().expect("a kept registration has a deadline");
            self.registrant.handle_timeout(self.now);
            self.answer_all();
        }
    }

    /// Answers each request and takes everything that comes out.
    fn answer_all(&mut self) {
        while self.registrant.poll_transmit(&mut self.request).is_some() {
            let answered = self.responder.respond(self.local, false, &self.request, &mut self.reply);
            assert_eq!(answered, Some(self.local));
            let received = Input::Received {
                flow: self.flow,
                source: self.registrar,
                bytes: &self.reply,
            };
            self.registrant.handle_input(self.now, received);
        }
        assert_eq!(self.registrant.poll_action(), None);
        while let Some((_, event)) = self.registrant.poll_event() {
            match event {
                Event::Attempt(attempt) => {
                    assert_eq!(attempt.ending, Ending::Succeeded);
                    self.succeeded += 1;
                    self.registrant.recycle(attempt);
                }
                Event::Changed(_) | Event::Request(_) | Event::Removed => {}
            }
        }
    }
}

fn account(user: u64) -> Account {
    Account {
        aor: format!("sip:user{user}@example.test").parse().expect("the AOR is a URI"),
        registrar: "sip:192.0.2.10".parse().expect("the registrar is a URI"),
        outbound_proxy: None,
        transport: None,
        target: None,
        auth_user: None,
        secret: Some(Secret::Password("sesame".into())),
        contact: ContactPlan::Automatic {
            user: format!("user{user}").into(),
        },
        advertise: None,
        instance: None,
        reg_id: None,
        expires: GRANTED,
        user_agent: "test".into(),
    }
}

#[test]
fn ten_thousand_refreshes_allocate_nothing() {
    let mut line = Line::registered();
    // Buffers grow to their size in the first rounds.
    line.run(2 * REGISTRATIONS);
    let began_at = line.now;
    let allocated = measure(|| line.run(CYCLES));
    assert_eq!((allocated.count_total, allocated.bytes_current), (0, 0), "{allocated:?}");
    // They were refreshes, each when at least half and at most nine tenths of the granted time were over, not one exchange after another.
    let rounds = u32::try_from(CYCLES / REGISTRATIONS).unwrap();
    let granted = Duration::from_secs(GRANTED.into());
    let taken = line.now - began_at;
    assert!(
        taken > (rounds - 1) * granted / 2 && taken < (rounds + 1) * granted * 9 / 10,
        "{taken:?}"
    );
}

#[test]
fn the_count_would_show_an_allocation() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1_u8]))).count_total, 1);
}
