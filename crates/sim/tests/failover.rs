//! The next target of RFC 3263 is taken when the first is dead, refuses or is overloaded; and what that looks like on the wire.

use std::net::IpAddr;
use std::time::Duration;

use sip_registration::{Cause, Ending, Goal, Policy, RecordKind, State, Transport};
use sip_sim::{Outage, Phone, RegistrarId, World, account, registrar};

/// `pbx.test` with NAPTR and SRV records: first a host that is `a.pbx.test`, then `b.pbx.test`. A registrar at each.
fn two_servers(transport: Transport) -> (World, [RegistrarId; 2], Phone) {
    let mut world = World::new(5);
    world.record();
    let servers = [("a.pbx.test", [192, 0, 2, 1]), ("b.pbx.test", [192, 0, 2, 2])].map(|(name, address)| {
        let address = IpAddr::from(address);
        world.zone().address(name, address);
        world.add_registrar(registrar(), &[(transport, (address, transport.default_port()).into())])
    });
    let (service, label) = match transport {
        Transport::Udp => ("SIP+D2U", "_sip._udp.pbx.test"),
        Transport::Tcp => ("SIP+D2T", "_sip._tcp.pbx.test"),
        Transport::Tls => ("SIPS+D2T", "_sips._tcp.pbx.test"),
    };
    world.zone().naptr("pbx.test", (10, service, label));
    world.zone().srv(label, (10, 1, transport.default_port(), "a.pbx.test"));
    world.zone().srv(label, (20, 1, transport.default_port(), "b.pbx.test"));
    let agent = world.add_agent(Policy::default());
    let alice = world.add(agent, account("alice", "sip:pbx.test"));
    (world, servers, alice)
}

fn registers_at_the_second(transport: Transport, outage: Outage, within: Duration) -> World {
    let (mut world, [first, second], alice) = two_servers(transport);
    world.stop(first, outage);
    world.order(alice, Goal::Register);
    world.run_for(within);
    let state = world.status(alice).map(|status| status.state);
    assert_eq!(state, Some(State::Registered), "\n{}", world.ladder());
    assert_eq!((world.bindings(first, alice), world.bindings(second, alice)), (0, 1));
    assert_eq!(world.history(alice).attempts, 1, "it is one exchange");
    world.audit();
    world
}

#[test]
fn a_dead_first_target_costs_its_share_of_the_time_over_every_transport() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        // Half of the 32 seconds is the first target's.
        registers_at_the_second(transport, Outage::Silent, Duration::from_secs(17));
    }
}

#[test]
fn a_first_target_that_refuses_costs_a_round_trip_over_every_transport() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        registers_at_the_second(transport, Outage::Refusing, Duration::from_secs(1));
    }
}

/// NAPTR, SRV and addresses, a host without a listener, and a registration at the next one.
const FAILOVER: &str = "
    0.000                          registrar 0: stops
    0.000                          dns: Naptr pbx.test: 10 50 SIP+D2U _sip._udp.pbx.test
    0.000                          alice@example.test: REGISTERING_STATE
    0.005                          dns: Srv _sip._udp.pbx.test: 10 1 5060 a.pbx.test, 20 1 5060 b.pbx.test
    0.010                          dns: Aaaa a.pbx.test: NoRecords
    0.010                          dns: A a.pbx.test: 192.0.2.1
    0.015                          dns: Aaaa b.pbx.test: NoRecords
    0.015                          dns: A b.pbx.test: 192.0.2.2
    0.020  ──► udp 192.0.2.1:5060  REGISTER sip:alice@example.test 1, expires 3600
    0.040                          flow: Unreachable(NobodyListens)
    0.040  ──► udp 192.0.2.2:5060  REGISTER sip:alice@example.test 2, expires 3600
    0.060  ◄── udp 192.0.2.2:5060  401 Unauthorized 2
    0.060  ──► udp 192.0.2.2:5060  REGISTER sip:alice@example.test 3, expires 3600, authorized
    0.060                          alice@example.test: AUTHENTICATING_STATE
    0.080  ◄── udp 192.0.2.2:5060  200 OK 3
    0.080                          alice@example.test: Register Succeeded, 3 requests, 0 again
    0.080                          alice@example.test: REGISTERED_STATE, bound for 3599.980 s
";

#[test]
fn a_failover_looks_like_this() {
    let world = registers_at_the_second(Transport::Udp, Outage::Refusing, Duration::from_secs(1));
    assert_eq!(format!("\n{}", world.ladder()), FAILOVER, "\n{}", world.ladder());
}

#[test]
fn an_overloaded_first_target_hands_over() {
    let (mut world, _, alice) = two_servers(Transport::Udp);
    let config = sip_registrar::Config {
        faults: vec!["status=503".parse().unwrap()],
        ..registrar()
    };
    let overloaded = world.add_registrar(config, &[(Transport::Udp, ([192, 0, 2, 3], 5060).into())]);
    world.zone().address("c.pbx.test", "192.0.2.3".parse().unwrap());
    world.zone().srv("_sip._udp.pbx.test", (5, 1, 5060, "c.pbx.test"));
    world.order(alice, Goal::Register);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.registrar(overloaded).counters().refusals, 1);
    assert_eq!(
        world.status(alice).map(|status| status.state),
        Some(State::Registered),
        "\n{}",
        world.ladder()
    );
}

#[test]
fn dns_that_fails_is_told_from_a_name_that_is_not_there() {
    for (error, cause) in [
        (sip_registration::DnsError::ServerFailure, Cause::DnsFailed),
        (sip_registration::DnsError::Timeout, Cause::DnsFailed),
        (sip_registration::DnsError::NoSuchName, Cause::DnsNotFound),
    ] {
        let (mut world, _, _) = two_servers(Transport::Udp);
        for (name, kind) in [
            ("gone.test", RecordKind::Naptr),
            ("gone.test", RecordKind::A),
            ("gone.test", RecordKind::Aaaa),
            ("_sip._udp.gone.test", RecordKind::Srv),
            ("_sip._tcp.gone.test", RecordKind::Srv),
            ("_sips._tcp.gone.test", RecordKind::Srv),
        ] {
            world.zone().fail(name, kind, error);
        }
        let agent = world.add_agent(Policy::one_shot());
        let bob = world.add(agent, account("bob", "sip:gone.test"));
        world.order(bob, Goal::Register);
        assert!(world.run_until_idle(Duration::from_secs(60)), "a one-shot comes to rest");
        assert_eq!(world.history(bob).last, Some(Ending::Failed(cause)), "\n{}", world.ladder());
    }
}
