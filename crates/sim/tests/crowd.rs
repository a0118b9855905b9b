//! Ten thousand registrations for a virtual hour, over links that lose nothing up to four datagrams in ten each way. Every claim of
//! every registration is held against what the registrar knows, by the registrar's own clock.

use std::time::Duration;

use sip_registration::{Ending, Goal, Policy, Transport};
use sip_sim::{Link, Phone, RegistrarId, World, account, registrar};

const CROWD: usize = 10_000;
const MINUTE: Duration = Duration::from_secs(60);
const MINUTES: u32 = 60;

/// Ten thousand registrations at ten agents, which begin within the first minute.
struct Crowd {
    world: World,
    registrar: RegistrarId,
    phones: Vec<Phone>,
}

impl Crowd {
    fn new(loss: f64) -> Self {
        let mut world = World::new(2_026);
        world.set_link(Link::lossy(loss));
        let registrar = world.add_registrar(registrar(), &[(Transport::Udp, ([192, 0, 2, 1], 5060).into())]);
        let agents: Vec<_> = (0..10).map(|_| world.add_agent(Policy::default())).collect();
        let phones: Vec<Phone> = (0..CROWD)
            .map(|number| world.add(agents[number % agents.len()], account(&format!("u{number}"), "sip:192.0.2.1")))
            .collect();
        for (phone, milliseconds) in phones.iter().zip((0..).step_by(5)) {
            world.order_after(Duration::from_millis(milliseconds), *phone, Goal::Register);
        }
        Self { world, registrar, phones }
    }

    /// Lives the hour. Says after each minute how many have a binding at the registrar.
    fn live(&mut self) -> Vec<usize> {
        let minutes = (0..MINUTES).map(|_| {
            self.world.run_for(MINUTE);
            self.world.audit();
            self.bound()
        });
        minutes.collect()
    }

    fn bound(&self) -> usize {
        self.phones
            .iter()
            .filter(|phone| self.world.bindings(self.registrar, **phone) == 1)
            .count()
    }

    /// How many know that they are bound.
    fn claiming(&self) -> usize {
        let claims = |phone: &&Phone| self.world.status(**phone).is_some_and(|status| status.valid_until.is_some());
        self.phones.iter().filter(claims).count()
    }

    fn requests(&self) -> u32 {
        self.phones.iter().map(|phone| self.world.history(*phone).requests).sum()
    }

    /// Removes everybody; two minutes are more than any removal may take.
    fn leave(&mut self) {
        for phone in &self.phones {
            self.world.remove(*phone);
        }
        self.world.run_for(2 * MINUTE);
        assert!(
            self.phones.iter().all(|phone| self.world.status(*phone).is_none()),
            "removed registrations are gone"
        );
    }
}

#[test]
fn over_a_link_that_loses_nothing_no_binding_ever_has_a_gap() {
    let mut crowd = Crowd::new(0.0);
    assert_eq!(crowd.live(), [CROWD; MINUTES as usize]);
    assert_eq!(crowd.claiming(), CROWD);
    // Half to nine tenths of an hour: everybody refreshes once. The first nonce is too old by then, which costs a request.
    let each = crowd.requests() / CROWD as u32;
    assert!((3..=4).contains(&each), "{each} requests each");
    assert!(crowd.phones.iter().all(|phone| crowd.world.history(*phone).retransmissions == 0));
    crowd.leave();
    assert_eq!(crowd.bound(), 0);
}

/// What has to hold whatever is lost, and how many may be left out at most.
fn lossy_hour(loss: f64, missing: usize) {
    let mut crowd = Crowd::new(loss);
    let bound = crowd.live();
    assert!(bound[9..].iter().all(|bound| *bound + missing >= CROWD), "{bound:?}");
    assert!(crowd.claiming() + missing >= CROWD, "{} are registered", crowd.claiming());
    // A lost request is sent again within its transaction, not begun anew: the number of requests hardly grows.
    assert!(crowd.requests() <= 5 * CROWD as u32, "{} requests", crowd.requests());
    crowd.leave();
    for phone in &crowd.phones {
        let left = crowd.world.bindings(crowd.registrar, *phone);
        let unconfirmed = matches!(crowd.world.history(*phone).last, Some(Ending::Failed(_)));
        assert!(left == 0 || unconfirmed, "a removal that was confirmed left a binding");
    }
    assert!(crowd.bound() <= missing, "{} bindings are left", crowd.bound());
}

#[test]
fn one_datagram_in_ten_may_be_lost_each_way() {
    lossy_hour(0.1, 0);
}

#[test]
fn two_datagrams_in_ten_may_be_lost_each_way() {
    lossy_hour(0.2, CROWD / 500);
}

#[test]
fn four_datagrams_in_ten_may_be_lost_each_way() {
    // A transaction whose eleven requests or their replies are all lost fails: 0.64 to the eleventh power, 0.7 %.
    lossy_hour(0.4, CROWD / 50);
}
