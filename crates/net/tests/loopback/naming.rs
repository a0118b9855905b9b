//! Names that lead to targets: DNS, failover, every target by itself.

use std::net::UdpSocket;
use std::time::Duration;

use hickory_proto::rr::rdata::SRV;
use hickory_proto::rr::{Name, RData};
use sip_net::{Options, probe};
use sip_registrar::Config;
use sip_registration::{Cause, FindingId, State, Transport};

use crate::accounts::{alice, within};
use crate::lab::Lab;
use crate::name_server::{Zone, loopback, serving};

fn closed_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A dead first target and a living second one.
fn zone(lab: &Lab) -> Zone {
    vec![
        ("_sip._udp.example.test.", srv(10, closed_port(), "dead.example.test.")),
        (
            "_sip._udp.example.test.",
            srv(20, lab.address(Transport::Udp).port(), "alive.example.test."),
        ),
        ("dead.example.test.", loopback()),
        ("alive.example.test.", loopback()),
        ("example.test.", loopback()),
    ]
}

#[tokio::test]
async fn a_dead_target_is_left_for_the_next_one() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let report = probe(
        alice("sip:example.test"),
        &Options {
            dns: Some(serving(zone(&lab))),
            ..Options::default()
        },
    )
    .await;
    assert_eq!(report.state, State::Registered, "{}", report.detail);
    let outcomes: Vec<_> = report
        .network
        .targets
        .iter()
        .map(|target| (target.source, target.outcome.as_str()))
        .collect();
    assert_eq!(outcomes, [("srv", "unreachable"), ("srv", "registered")]);
    assert!(report.findings.iter().any(|finding| finding.id == FindingId::FailedOver));
    assert!(report.phases_ms.dns.is_some());
    lab.stop().await;
}

#[tokio::test]
async fn the_next_target_can_be_tried_from_the_same_port() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut zone = zone(&lab);
    zone[0].1 = srv(10, silent.local_addr().unwrap().port(), "dead.example.test.");
    let local = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = Options {
        dns: Some(serving(zone)),
        local: Some(local),
        ..within(Duration::from_secs(2))
    };
    let report = probe(alice("sip:example.test"), &options).await;
    assert_eq!(
        (report.state, report.network.local),
        (State::Registered, Some(local.to_string())),
        "{}",
        report.detail
    );
    assert_eq!(report.network.targets[0].outcome, "no_reply");
    lab.stop().await;
}

#[tokio::test]
async fn every_target_is_probed_by_itself_and_the_worst_one_decides() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let options = Options {
        every_target: true,
        dns: Some(serving(zone(&lab))),
        ..Options::default()
    };
    let report = probe(alice("sip:example.test"), &options).await;
    assert_eq!(
        (report.cause, report.exit_code(), report.goal),
        (Some(Cause::Unreachable), 5, "register")
    );
    let targets: Vec<_> = report
        .network
        .targets
        .iter()
        .map(|target| (target.source, target.outcome.as_str(), target.state_code))
        .collect();
    assert_eq!(targets, [("srv", "unreachable", Some(5)), ("srv", "registered", Some(3))]);
    assert!(
        report
            .network
            .targets
            .iter()
            .all(|target| target.phases_ms.as_ref().is_some_and(|phases| phases.total.is_some()))
    );
    assert!(report.detail.starts_with("1 of 2 targets good; 127.0.0.1:"), "{}", report.detail);
    assert!(report.ladder.iter().any(|step| step.what == "target 2"));
    assert!(
        report.ladder.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms),
        "{:?}",
        report.ladder
    );
    assert!(lab.stop().await.bindings("sip:alice@example.test").is_empty());
}

#[tokio::test]
async fn every_target_of_a_name_that_does_not_exist_is_none() {
    let options = Options {
        every_target: true,
        dns: Some(serving(Vec::new())),
        ..Options::default()
    };
    let report = probe(alice("sip:example.test"), &options).await;
    assert_eq!(
        (report.cause, report.goal, report.network.targets.len()),
        (Some(Cause::DnsNotFound), "register", 0)
    );
}

#[tokio::test]
async fn a_name_that_does_not_exist_and_a_server_that_does_not_answer_are_told_apart() {
    let absent = Options {
        dns: Some(serving(Vec::new())),
        ..Options::default()
    };
    let report = probe(alice("sip:example.test"), &absent).await;
    assert_eq!(
        (report.cause, report.state_code, report.requests),
        (Some(Cause::DnsNotFound), 5, 0),
        "{}",
        report.detail
    );
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let options = Options {
        dns: Some(silent.local_addr().unwrap()),
        ..within(Duration::from_secs(2))
    };
    let report = probe(alice("sip:example.test"), &options).await;
    assert_eq!(
        (report.cause, report.state_code, report.requests),
        (Some(Cause::DnsFailed), 5, 0),
        "{}",
        report.detail
    );
}

fn srv(priority: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, 1, port, Name::from_ascii(target).unwrap()))
}
