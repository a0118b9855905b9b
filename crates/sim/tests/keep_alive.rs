//! A registrar that falls silent under an open connection: who pings notices and comes back, who does not waits for the next refresh.

use std::time::Duration;

use sip_registration::{Account, Goal, KeepAlive, Policy, Transport};
use sip_sim::{AgentId, Outage, Phone, World, account, registrar};

const CROWD: usize = 300;
const MINUTE: Duration = Duration::from_secs(60);

/// Three hundred on one connection, for an hour; the registrar is silent from the tenth to the fifteenth minute. Says how many
/// registered again within ten minutes from then on.
fn silence(transport: Transport, keep_alive: KeepAlive) -> (World, AgentId, usize) {
    let mut world = World::new(5);
    let registrar = world.add_registrar(registrar(), &[(transport, ([192, 0, 2, 1], 5060).into())]);
    let agent = world.add_agent(Policy {
        keep_alive,
        ..Policy::default()
    });
    let phones: Vec<Phone> = (0..CROWD)
        .map(|number| {
            let account = Account {
                transport: Some(transport),
                ..account(&format!("u{number}"), "sip:192.0.2.1:5060")
            };
            world.add(agent, account)
        })
        .collect();
    for phone in &phones {
        world.order(*phone, Goal::Register);
    }
    world.run_for(10 * MINUTE);
    let before = world.counters(agent);
    assert_eq!(before.keep_alives_missed, 0);
    world.stop(registrar, Outage::Silent);
    world.run_for(5 * MINUTE);
    world.start(registrar);
    world.run_for(10 * MINUTE);
    world.audit();
    let again = phones.iter().filter(|phone| world.history(**phone).succeeded >= 2).count();
    (world, agent, again)
}

#[test]
fn a_silent_connection_is_noticed_and_left_by_all_who_share_it() {
    let (world, agent, again) = silence(Transport::Tcp, KeepAlive::default());
    assert_eq!(again, CROWD);
    let counters = world.counters(agent);
    // One ping each two minutes, for all of them together.
    assert!((5..=14).contains(&counters.keep_alives_sent), "{counters:?}");
    assert!(counters.keep_alives_answered >= 4, "{counters:?}");
    assert_eq!(
        counters.keep_alives_missed, 1,
        "the next connection opens when the registrar is back"
    );
}

#[test]
fn without_pings_nobody_knows() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let (world, agent, again) = silence(transport, KeepAlive::OFF);
        assert_eq!((again, world.counters(agent).keep_alives_sent), (0, 0));
    }
}

#[test]
fn a_silent_datagram_flow_is_noticed_by_options() {
    let interval = KeepAlive::DATAGRAM_INTERVAL;
    let keep_alive = KeepAlive {
        datagrams: sip_registration::DatagramPing::Options(interval),
        ..KeepAlive::OFF
    };
    let (world, agent, again) = silence(Transport::Udp, keep_alive);
    assert_eq!(again, CROWD);
    let counters = world.counters(agent);
    let sent = 25 * 60 / interval.as_secs();
    assert!((sent - 15..=sent + 15).contains(&counters.keep_alives_sent), "{counters:?}");
    assert_eq!(
        counters.keep_alives_sent,
        counters.keep_alives_answered + counters.keep_alives_missed
    );
}
