//! Equal seeds give equal worlds, to the byte; another seed gives another one. The hash is of everything that happened.

use std::time::Duration;

use sip_registration::{Goal, Policy, Transport};
use sip_sim::{Link, World, account, registrar};

/// A world with a bit of everything: three transports, DNS, loss, doubling, reordering, cuts, faults, an outage, removals.
fn life(seed: u64) -> (u64, u64) {
    let mut world = World::new(seed);
    world.set_link(Link { cut: 0.02, ..Link::bad() });
    let address = |port: u16| std::net::SocketAddr::from(([192, 0, 2, 1], port));
    let listens = [
        (Transport::Udp, address(5060)),
        (Transport::Tcp, address(5060)),
        (Transport::Tls, address(5061)),
    ];
    let faults = ["status=503;times=20", "provisional=300ms;after=50;times=20", "duplicate=2;times=30"];
    let config = sip_registrar::Config {
        faults: faults
            .map(|fault| fault.parse().expect("the test has faults that can be read"))
            .to_vec(),
        ..registrar()
    };
    let registrar = world.add_registrar(config, &listens);
    world.zone().address("pbx.test", address(0).ip());
    let agents: Vec<_> = (0..3).map(|_| world.add_agent(Policy::default())).collect();
    let transports = [None, Some(Transport::Udp), Some(Transport::Tcp), Some(Transport::Tls)];
    let phones: Vec<_> = (0..120)
        .map(|number| {
            let account = sip_registration::Account {
                transport: transports[number % transports.len()],
                expires: 300,
                ..account(&format!("u{number}"), "sip:pbx.test")
            };
            world.add(agents[number % agents.len()], account)
        })
        .collect();
    for phone in &phones {
        world.order(*phone, Goal::Register);
    }
    world.run_for(Duration::from_secs(900));
    world.stop(registrar, sip_sim::Outage::Refusing);
    world.run_for(Duration::from_secs(100));
    world.start(registrar);
    world.run_for(Duration::from_secs(900));
    world.audit();
    for phone in &phones[..60] {
        world.remove(*phone);
    }
    world.run_for(Duration::from_secs(300));
    (world.log_hash(), world.log_entries())
}

#[test]
fn equal_seeds_give_equal_worlds() {
    let (hash, entries) = life(1);
    assert!(entries > 2_000, "{entries} things happened");
    assert_eq!(life(1), (hash, entries));
}

#[test]
fn other_seeds_give_other_worlds() {
    let hashes: std::collections::BTreeSet<_> = (1..=4).map(|seed| life(seed).0).collect();
    assert_eq!(hashes.len(), 4);
}
