//! The probe against a registrar that behaves, over every transport.

use std::net::{TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use sip_digest::Secret;
use sip_net::{Options, TlsOptions, probe, probe_until};
use sip_registrar::Config;
use sip_registration::{Account, Cause, Goal, Removal, State, Transport};

use crate::accounts::{alice, within};
use crate::lab::Lab;

#[tokio::test]
async fn registers_and_removes_its_binding_over_every_transport_and_family() {
    for host in ["127.0.0.1", "[::1]"] {
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            let lab = Lab::start(host, Config::default()).await;
            let tls = TlsOptions {
                ca_file: Some(lab.authority.clone()),
                ..TlsOptions::default()
            };
            let report = probe(alice(&lab.uri(transport)), &Options { tls, ..Options::default() }).await;
            assert_eq!((report.state, report.cause), (State::Registered, None), "{}", report.detail);
            assert_eq!(report.transport, Some(transport.name()));
            assert_eq!(report.network.server, Some(lab.address(transport).to_string()));
            assert_eq!(report.auth.algorithm.as_deref(), Some("SHA-256"));
            assert_eq!(report.binding.unwrap().removal, Removal::Confirmed);
            let phases = report.phases_ms;
            assert_eq!(
                (phases.connect.is_some(), phases.tls.is_some()),
                (transport != Transport::Udp, transport == Transport::Tls)
            );
            assert_eq!(phases.dns, None);
            assert_eq!(
                report.tls.map(|tls| (tls.verified, tls.version)),
                (transport == Transport::Tls).then(|| (true, "TLSv1.3".to_owned()))
            );
            let registrar = lab.stop().await;
            assert_eq!(registrar.counters().registrations, 1);
            assert!(registrar.bindings("sip:alice@example.test").is_empty());
        }
    }
}

#[tokio::test]
async fn a_kept_binding_stays() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let report = probe(
        alice(&lab.uri(Transport::Udp)),
        &Options {
            keep: true,
            ..Options::default()
        },
    )
    .await;
    assert_eq!(report.binding.unwrap().removal, Removal::Kept);
    assert_eq!(lab.stop().await.bindings("sip:alice@example.test").len(), 1);
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_leaves_nothing_behind() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let account = Account {
        secret: Some(Secret::Password("wrong".into())),
        ..alice(&lab.uri(Transport::Tcp))
    };
    let report = probe(account, &Options::default()).await;
    assert_eq!((report.cause, report.exit_code()), (Some(Cause::WrongCredentials), 6));
    assert!(lab.stop().await.bindings("sip:alice@example.test").is_empty());
}

#[tokio::test]
async fn the_other_goals_come_to_their_ends() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let uri = lab.uri(Transport::Udp);
    probe(
        alice(&uri),
        &Options {
            keep: true,
            ..Options::default()
        },
    )
    .await;
    for (goal, others) in [
        (Goal::Locate, 0),
        (Goal::Ping, 0),
        (Goal::Fetch, 1),
        (Goal::Clear, 0),
        (Goal::Fetch, 0),
    ] {
        let report = probe(
            alice(&uri),
            &Options {
                goal,
                ..Options::default()
            },
        )
        .await;
        assert_eq!(
            (report.exit_code(), report.other_bindings.len(), report.goal),
            (0, others, goal.name()),
            "{}",
            report.detail
        );
    }
    lab.stop().await;
}

#[tokio::test]
async fn a_closed_port_is_reported_at_once_and_not_after_the_timeout() {
    let began = Instant::now();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = probe(alice(&format!("sip:{udp};transport=udp")), &within(Duration::from_secs(600))).await;
    assert_eq!(
        (report.cause, report.state_code),
        (Some(Cause::Unreachable), 5),
        "{}",
        report.detail
    );
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for transport in ["tcp", "tls"] {
        let report = probe(
            alice(&format!("sip:{tcp};transport={transport}")),
            &within(Duration::from_secs(600)),
        )
        .await;
        assert_eq!(
            (report.cause, report.state_code),
            (Some(Cause::ConnectionRefused), 5),
            "{}",
            report.detail
        );
    }
    assert!(began.elapsed() < Duration::from_secs(60), "waited for a timeout");
}

#[tokio::test]
async fn silence_ends_at_the_timeout() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let report = probe(
        alice(&format!("sip:{}", silent.local_addr().unwrap())),
        &within(Duration::from_millis(700)),
    )
    .await;
    assert_eq!((report.cause, report.state_code), (Some(Cause::NoReply), 4), "{}", report.detail);
    assert_eq!(report.retransmissions, 1, "Timer E after 500 ms, and Timer F before the next");
}

#[tokio::test]
async fn a_registrar_that_nobody_trusts_gets_no_request() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let other = Lab::start("127.0.0.1", Config::default()).await;
    let tls = TlsOptions {
        ca_file: Some(other.authority.clone()),
        ..TlsOptions::default()
    };
    let report = probe(alice(&lab.uri(Transport::Tls)), &Options { tls, ..Options::default() }).await;
    assert_eq!(
        (report.cause, report.requests),
        (Some(Cause::CertificateUntrusted), 0),
        "{}",
        report.detail
    );
    assert!(
        report.tls.is_some_and(|tls| !tls.verified),
        "and the certificate is described all the same"
    );
    assert_eq!(lab.stop().await.counters().requests, 0);
    other.stop().await;
}

#[tokio::test]
async fn a_local_address_is_used_and_a_foreign_one_is_our_own_fault() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let options = Options {
            local: Some("127.0.0.9:0".parse().unwrap()),
            ..Options::default()
        };
        let report = probe(alice(&lab.uri(transport)), &options).await;
        assert!(report.registered && report.network.local.unwrap().starts_with("127.0.0.9:"));
        let options = Options {
            local: Some("192.0.2.1:0".parse().unwrap()),
            ..Options::default()
        };
        let report = probe(alice(&lab.uri(transport)), &options).await;
        assert_eq!(
            (report.registered, report.requests, report.state_code),
            (false, 0, 5),
            "{}",
            report.detail
        );
    }
    lab.stop().await;
}

#[tokio::test]
async fn an_interruption_removes_the_binding_that_is_being_made() {
    // The 200 comes late: the registrar has the binding, and we do not know it yet.
    let faults = vec!["delay=60m;credentials=yes;times=1".parse().unwrap()];
    let mut lab = Lab::start(
        "127.0.0.1",
        Config {
            faults,
            ..Config::default()
        },
    )
    .await;
    let (account, options) = (alice(&lab.uri(Transport::Tcp)), within(Duration::from_secs(600)));
    let bound = async { while lab.events.recv().await.unwrap().status != Some(200) {} };
    let probed = probe_until(account, &options, bound, std::future::pending()).await;
    assert!(probed.interrupted && !probed.report.registered);
    assert!(probed.report.detail.contains("removed"), "{}", probed.report.detail);
    let registrar = lab.stop().await;
    assert_eq!((registrar.counters().registrations, registrar.counters().removals), (1, 1));
    assert!(registrar.bindings("sip:alice@example.test").is_empty());
}

#[tokio::test]
async fn an_interruption_before_anything_was_bound_sends_nothing_more() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let probed = probe_until(
        alice(&format!("sip:{}", silent.local_addr().unwrap())),
        &within(Duration::from_secs(600)),
        std::future::ready(()),
        std::future::pending(),
    )
    .await;
    assert!(probed.interrupted && probed.report.requests <= 1, "{}", probed.report.detail);
}
