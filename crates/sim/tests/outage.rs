//! A registrar that goes away and comes back: nobody claims what has lapsed, everybody returns, and not all at once.

use std::collections::BTreeMap;
use std::time::Duration;

use sip_registration::{Account, Goal, Policy, Transport};
use sip_sim::{Link, Outage, Phone, RegistrarId, World, account, registrar};

const CROWD: usize = 500;
const MINUTE: Duration = Duration::from_secs(60);

/// Five hundred registrations at twenty agents, for ten minutes each, all of them there.
fn crowd(config: sip_registrar::Config, transport: Transport) -> (World, RegistrarId, Vec<Phone>) {
    let mut world = World::new(11);
    let registrar = world.add_registrar(config, &[(transport, ([192, 0, 2, 1], 5060).into())]);
    let agents: Vec<_> = (0..20).map(|_| world.add_agent(Policy::default())).collect();
    let phones: Vec<Phone> = (0..CROWD)
        .map(|number| {
            let account = Account {
                expires: 600,
                transport: Some(transport),
                ..account(&format!("u{number}"), "sip:192.0.2.1:5060")
            };
            world.add(agents[number % agents.len()], account)
        })
        .collect();
    for phone in &phones {
        world.order(*phone, Goal::Register);
    }
    (world, registrar, phones)
}

fn bound(world: &World, phones: &[Phone]) -> usize {
    let claims = |phone: &&Phone| world.status(**phone).is_some_and(|status| status.valid_until.is_some());
    phones.iter().filter(claims).count()
}

/// The most exchanges that began within one second after `since`.
fn busiest_second(world: &World, phones: &[Phone], since: std::time::Instant) -> usize {
    let mut seconds = BTreeMap::<u64, usize>::new();
    for began in phones
        .iter()
        .flat_map(|phone| &world.history(*phone).began)
        .filter(|began| **began > since)
    {
        *seconds.entry((*began - since).as_secs()).or_default() += 1;
    }
    seconds.into_values().max().unwrap_or(0)
}

fn survives(transport: Transport, outage: Outage) {
    let (mut world, registrar, phones) = crowd(registrar(), transport);
    world.run_for(MINUTE);
    assert_eq!(bound(&world, &phones), CROWD);
    world.stop(registrar, outage);
    let stopped = world.now();
    for _ in 0..30 {
        world.run_for(MINUTE);
        world.audit();
    }
    assert_eq!(
        bound(&world, &phones),
        0,
        "after half an hour every binding of ten minutes has lapsed"
    );
    let busiest = busiest_second(&world, &phones, stopped + 15 * MINUTE);
    assert!(busiest < CROWD / 20, "{busiest} of {CROWD} came back in the same second");
    world.start(registrar);
    // The longest wait between two tries is half an hour.
    for _ in 0..32 {
        world.run_for(MINUTE);
        world.audit();
    }
    assert_eq!(bound(&world, &phones), CROWD, "over {}", transport.name());
    let most = phones.iter().map(|phone| world.history(*phone).attempts).max();
    assert!(most.is_some_and(|most| most < 30), "{most:?} attempts of one registration");
}

#[test]
fn a_crowd_survives_a_registrar_whose_host_is_dead() {
    survives(Transport::Udp, Outage::Silent);
    survives(Transport::Tcp, Outage::Silent);
}

#[test]
fn a_crowd_survives_a_registrar_that_refuses() {
    survives(Transport::Udp, Outage::Refusing);
    survives(Transport::Tcp, Outage::Refusing);
}

#[test]
fn a_registrar_that_forgot_everything_knows_everybody_again_after_one_refresh() {
    let (mut world, registrar, phones) = crowd(registrar(), Transport::Udp);
    world.run_for(MINUTE);
    world.restart(registrar);
    assert!(phones.iter().all(|phone| world.bindings(registrar, *phone) == 0));
    world.run_for(10 * MINUTE);
    assert!(phones.iter().all(|phone| world.bindings(registrar, *phone) == 1));
    world.audit();
}

#[test]
fn a_retry_after_is_obeyed_and_its_end_is_spread() {
    let config = sip_registrar::Config {
        faults: vec!["status=503;retry-after=400;times=500".parse().unwrap()],
        ..registrar()
    };
    let (mut world, _, phones) = crowd(config, Transport::Udp);
    let start = world.now();
    world.run_for(10 * MINUTE);
    for phone in &phones {
        let began = &world.history(*phone).began;
        let wait = began[1] - began[0];
        assert!(
            wait >= Duration::from_secs(400) && wait <= Duration::from_secs(441),
            "came back after {wait:?}"
        );
    }
    assert_eq!(bound(&world, &phones), CROWD);
    let busiest = busiest_second(&world, &phones, start + MINUTE);
    assert!(busiest < CROWD / 20, "{busiest} came back in the same second");
}

#[test]
fn streams_that_are_cut_are_opened_again_and_no_binding_is_lost() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let (mut world, registrar, phones) = crowd(registrar(), transport);
        world.set_link(Link { cut: 0.002, ..Link::bad() });
        for _ in 0..30 {
            world.run_for(MINUTE);
            world.audit();
        }
        // One that came back from another port may be bound twice until the older binding lapses.
        let there = phones.iter().filter(|phone| world.bindings(registrar, **phone) > 0).count();
        assert!(there >= CROWD * 99 / 100, "{there} are bound over {}", transport.name());
        let failed: u32 = phones.iter().map(|phone| world.history(*phone).causes.values().sum::<u32>()).sum();
        assert!(failed > 0, "cuts were noticed");
    }
}

#[test]
fn doubled_delayed_and_reordered_datagrams_do_no_harm() {
    let (mut world, registrar, phones) = crowd(registrar(), Transport::Udp);
    world.set_link(Link::bad());
    for _ in 0..60 {
        world.run_for(MINUTE);
        world.audit();
    }
    let there = phones.iter().filter(|phone| world.bindings(registrar, **phone) == 1).count();
    assert!(there >= CROWD * 99 / 100, "{there} are bound");
    for phone in &phones {
        world.remove(*phone);
    }
    world.run_for(2 * MINUTE);
    let left = phones.iter().filter(|phone| world.bindings(registrar, **phone) > 0).count();
    assert_eq!(left, 0);
}

#[test]
fn what_a_failed_registration_may_have_bound_is_removed_with_it() {
    let config = sip_registrar::Config {
        // Every 200 that would confirm a binding is lost, so that nobody knows of it.
        faults: vec!["reply-loss=100%;credentials=yes;times=11".parse().expect("it is a fault")],
        ..registrar()
    };
    let mut world = World::new(3);
    world.record();
    let registrar = world.add_registrar(config, &[(Transport::Udp, ([192, 0, 2, 1], 5060).into())]);
    let agent = world.add_agent(Policy::default());
    let alice = world.add(agent, account("alice", "sip:192.0.2.1"));
    world.order(alice, Goal::Register);
    world.run_for(Duration::from_secs(33));
    assert_eq!(
        world.status(alice).map(|status| status.state.code()),
        Some(4),
        "\n{}",
        world.ladder()
    );
    assert_eq!(world.bindings(registrar, alice), 1);
    world.remove(alice);
    world.run_for(MINUTE);
    assert_eq!(world.bindings(registrar, alice), 0, "\n{}", world.ladder());
    assert!(world.history(alice).removed);
}
