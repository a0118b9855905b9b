//! A crowd that has lost its registrar and comes back: how many arrive in each second, without any spreading, with what the core does by
//! itself, and with a pace. `cargo nextest run -p sip-sim --test storm --no-capture` prints the curves that docs/storm.md shows.

use std::num::NonZeroU32;
use std::time::Duration;

use sip_registration::{Account, Admission, Goal, Policy, Transport};
use sip_sim::{Outage, Phone, RegistrarId, World, account, registrar};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A crowd at one agent, on one flow.
struct Crowd {
    world: World,
    registrar: RegistrarId,
    phones: Vec<Phone>,
}

/// What arrived at the registrar in each second after it was back, and when everybody was.
#[derive(Debug)]
struct Curve {
    name: &'static str,
    arrivals: Vec<u32>,
    all_back: Duration,
}

impl Crowd {
    fn new(size: usize, transport: Transport, policy: Policy, expires: u32) -> Self {
        let mut world = World::new(2_026);
        let registrar = world.add_registrar(registrar(), &[(transport, ([192, 0, 2, 1], 5060).into())]);
        let agent = world.add_agent(policy);
        let phones = (0..size).map(|number| {
            let account = Account {
                expires,
                transport: Some(transport),
                ..account(&format!("u{number}"), "sip:192.0.2.1:5060")
            };
            world.add(agent, account)
        });
        let phones = phones.collect();
        Self { world, registrar, phones }
    }

    fn order_all(&mut self) {
        for phone in &self.phones {
            self.world.order(*phone, Goal::Register);
        }
    }

    fn attempts(&self) -> Vec<u32> {
        self.phones.iter().map(|phone| self.world.history(*phone).succeeded).collect()
    }

    /// Lets the world run until everybody has registered once more than before.
    fn curve(mut self, name: &'static str, before: &[u32], at_most: Duration) -> Curve {
        let start = self.world.elapsed();
        let is_back = |(now, before): (u32, &u32)| now > *before;
        while !self.attempts().into_iter().zip(before).all(is_back) {
            self.world.run_for(SECOND);
            assert!(self.world.elapsed() - start < at_most, "{name}: not everybody is back");
        }
        self.world.audit();
        let arrivals = self.world.arrivals(self.registrar);
        Curve {
            name,
            arrivals: arrivals.get(start.as_secs() as usize..).unwrap_or_default().to_vec(),
            all_back: self.world.elapsed() - start,
        }
    }
}

impl Curve {
    fn peak(&self) -> u32 {
        self.arrivals.iter().copied().max().unwrap_or(0)
    }

    /// The most in a second over the mean until the last arrived: 1 is perfectly flat.
    fn roughness(&self) -> f64 {
        let total: u32 = self.arrivals.iter().sum();
        f64::from(self.peak()) * self.arrivals.len() as f64 / f64::from(total)
    }
}

/// The curves side by side, a line for every `step` seconds.
fn print(title: &str, step: usize, curves: &[Curve]) {
    eprintln!("\n{title}\n");
    let names: String = curves.iter().map(|curve| format!("{:>14}", curve.name)).collect();
    eprintln!("{:>10}{names}", "second");
    let longest = curves.iter().map(|curve| curve.arrivals.len()).max().unwrap_or(0);
    for from in (0..longest).step_by(step) {
        let counts = curves.iter().map(|curve| {
            let until = (from + step).min(curve.arrivals.len());
            curve.arrivals.get(from..until).map_or(0, |counts| counts.iter().sum())
        });
        let counts: String = counts.map(|count: u32| format!("{count:>14}")).collect();
        eprintln!("{from:>10}{counts}");
    }
    let line = |name: &str, value: &dyn Fn(&Curve) -> String| {
        let values: String = curves.iter().map(|curve| format!("{:>14}", value(curve))).collect();
        eprintln!("{name:>10}{values}");
    };
    line("peak/s", &|curve| curve.peak().to_string());
    line("peak/mean", &|curve| format!("{:.2}", curve.roughness()));
    line("all back", &|curve| format!("{} s", curve.all_back.as_secs()));
}

/// What was done before crowds were spread.
fn unspread() -> Policy {
    Policy {
        comeback_interval: Duration::ZERO,
        ..Policy::default()
    }
}

fn paced(starts_a_second: u32) -> Policy {
    Policy {
        admission: Admission::paced(NonZeroU32::new(starts_a_second).expect("it is not zero"), SECOND),
        ..Policy::default()
    }
}

/// Ten thousand on one TCP connection, which is reset.
fn cut(name: &'static str, policy: Policy) -> Curve {
    let mut crowd = Crowd::new(10_000, Transport::Tcp, policy, 3600);
    crowd.order_all();
    crowd.world.run_for(2 * MINUTE);
    let before = crowd.attempts();
    assert!(before.iter().all(|succeeded| *succeeded == 1));
    crowd.world.stop(crowd.registrar, Outage::Refusing);
    crowd.world.start(crowd.registrar);
    crowd.curve(name, &before, 5 * MINUTE)
}

#[test]
fn ten_thousand_whose_connection_is_cut_come_back_evenly() {
    let curves = [
        cut("unspread", unspread()),
        cut("spread", Policy::default()),
        cut("200/s", paced(200)),
    ];
    print(
        "10,000 registrations on one TCP connection that is reset: requests a second",
        2,
        &curves,
    );
    let [unspread, spread, paced] = &curves;
    assert!(unspread.peak() > 4_000, "without spreading all are back within two seconds");
    // Ten thousand times 2 ms.
    assert!(spread.all_back >= 18 * SECOND && spread.all_back <= 25 * SECOND);
    assert!(spread.peak() < 700 && spread.roughness() < 1.4, "{spread:?}");
    assert!(paced.all_back >= 45 * SECOND && paced.all_back <= 60 * SECOND);
    assert!(paced.peak() <= 210 && paced.roughness() < 1.3, "{paced:?}");
}

/// Ten thousand on one TCP connection, which is reset; and then nobody answers for a minute, so that all of them wait for the next one.
fn cut_and_silent(name: &'static str, policy: Policy) -> Curve {
    let mut crowd = Crowd::new(10_000, Transport::Tcp, policy, 3600);
    crowd.order_all();
    crowd.world.run_for(2 * MINUTE);
    let before = crowd.attempts();
    crowd.world.stop(crowd.registrar, Outage::Refusing);
    crowd.world.stop(crowd.registrar, Outage::Silent);
    crowd.world.run_for(MINUTE);
    crowd.world.start(crowd.registrar);
    crowd.curve(name, &before, 5 * MINUTE)
}

#[test]
fn ten_thousand_that_wait_for_one_connection_do_not_fall_upon_it_when_it_opens() {
    let mut bounded = paced(200);
    bounded.admission.most_in_flight = NonZeroU32::new(100);
    let curves = [
        cut_and_silent("unspread", unspread()),
        cut_and_silent("spread", Policy::default()),
        cut_and_silent("200/s, 100", bounded),
    ];
    print(
        "10,000 registrations on one TCP connection that is reset and cannot be opened for a minute: requests a second",
        5,
        &curves,
    );
    let [unspread, spread, bounded] = &curves;
    assert!(unspread.peak() > 10_000, "{unspread:?}");
    // Two requests each, because nothing is sent ahead after a failure, in about 20 s; and not only those come who wait for the connection.
    assert!(spread.peak() < 3_000 && spread.all_back < MINUTE, "{spread:?}");
    assert!(bounded.peak() <= 2 * 200 && bounded.all_back < MINUTE, "{bounded:?}");
}

/// Five thousand that are all told to register while the registrar is silent, which it is for five minutes.
fn silence(name: &'static str, policy: Policy) -> Curve {
    let mut crowd = Crowd::new(5_000, Transport::Udp, policy, 600);
    crowd.world.stop(crowd.registrar, Outage::Silent);
    crowd.order_all();
    crowd.world.run_for(5 * MINUTE);
    crowd.world.start(crowd.registrar);
    let before = vec![0; crowd.phones.len()];
    crowd.curve(name, &before, 10 * MINUTE)
}

#[test]
fn five_thousand_whose_registrar_was_silent_come_back_without_a_storm() {
    let mut bounded = paced(200);
    bounded.admission.most_in_flight = NonZeroU32::new(100);
    let curves = [silence("unbounded", Policy::default()), silence("200/s, 100", bounded)];
    print(
        "5,000 registrations at a UDP registrar that was silent for 5 minutes: requests a second",
        10,
        &curves,
    );
    let [unbounded, bounded] = &curves;
    // Those that ask at that moment are all answered as they ask again: every 4 s, with all that the challenge costs.
    assert!(unbounded.peak() > 500, "{unbounded:?}");
    // A start is two requests: one is challenged. The hundred under way add as many at the beginning.
    assert!(bounded.peak() <= 2 * 200 + 100 && bounded.roughness() < 1.5, "{bounded:?}");
    assert!(bounded.all_back < MINUTE, "nobody is waited for who has given up: {bounded:?}");
}
