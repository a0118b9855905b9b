//! Many registrations on one driver, and what a driver does not touch.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sip_net::{Driver, Network, Options, TlsOptions, probe};
use sip_registrar::{Config, User};
use sip_registration::{Account, ContactPlan, DatagramPing, Ending, Event, Goal, KeepAlive, Policy, Registrant, State, Transport};

use crate::accounts::alice;
use crate::lab::Lab;

fn driver() -> Driver {
    driver_by(Policy::one_shot())
}

fn driver_by(policy: Policy) -> Driver {
    let registrant = Registrant::new([9; 32], policy);
    // A CA file that is not there, and a name server that is not ours to ask: both are an error only when they are used.
    let tls = TlsOptions {
        ca_file: Some("/nonexistent/ca.pem".into()),
        ..TlsOptions::default()
    };
    Driver::new(
        registrant,
        Network {
            tls,
            dns: Some("192.0.2.1:53".parse().unwrap()),
            timeout: Duration::from_secs(10),
            favourite_port: None,
            local: None,
            tap: None,
        },
    )
}

#[tokio::test]
async fn five_hundred_accounts_register_and_leave_over_one_driver() {
    let secret = || sip_digest::Secret::Password("secret".into());
    for transport in [Transport::Udp, Transport::Tcp] {
        let any_user = Some(secret());
        let lab = Lab::start(
            "127.0.0.1",
            Config {
                any_user,
                ..Config::default()
            },
        )
        .await;
        let mut driver = driver();
        let mut waiting = BTreeSet::new();
        for number in 0..500 {
            let account = Account {
                aor: format!("sip:user{number}@example.test").parse().unwrap(),
                contact: ContactPlan::Automatic {
                    user: format!("user{number}").into(),
                },
                ..alice(&lab.uri(transport))
            };
            let (registrant, now) = driver.registrant();
            let key = registrant.add(now, Arc::new(account));
            registrant.register(now, key);
            waiting.insert(key);
        }
        while !waiting.is_empty() {
            match driver.next().await {
                (key, Event::Attempt(attempt)) if attempt.goal == Goal::Register => {
                    assert_eq!(attempt.ending, Ending::Succeeded, "{}", attempt.words);
                    let (registrant, now) = driver.registrant();
                    registrant.remove(now, key);
                }
                (key, Event::Removed) => assert!(waiting.remove(&key)),
                (_, Event::Attempt(_) | Event::Changed(_) | Event::Request(_)) => {}
            }
        }
        driver.close().await;
        let counters = lab.stop().await.counters();
        assert_eq!((counters.registrations, counters.removals), (500, 500), "{transport:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_can_be_a_task_of_a_runtime_with_many_threads() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let account = alice(&lab.uri(Transport::Tcp));
    let report = tokio::spawn(async move { probe(account, &Options::default()).await })
        .await
        .unwrap();
    assert!(report.registered, "{}", report.detail);
    lab.stop().await;
}

/// A load generator that cannot keep up with itself has another order due whenever it looks.
#[tokio::test]
async fn a_caller_that_is_always_late_hears_of_what_happens_all_the_same() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut driver = driver();
        let (registrant, now) = driver.registrant();
        let key = registrant.add(now, Arc::new(alice(&lab.uri(transport))));
        driver.order(key, Goal::Register);
        let late = now;
        let attempt = loop {
            if let Some((_, Event::Attempt(attempt))) = driver.next_before(Some(late)).await {
                break attempt;
            }
        };
        assert_eq!(attempt.ending, Ending::Succeeded, "{transport:?} {attempt:?}");
        assert!(
            driver
                .next_before(Some(late + Duration::from_millis(1)))
                .await
                .is_none_or(|(of, _)| of == key)
        );
    }
    lab.stop().await;
}

#[tokio::test]
async fn a_future_that_is_dropped_half_way_loses_nothing() {
    let lab = Lab::start(
        "127.0.0.1",
        Config {
            users: vec![User::new("alice", sip_digest::Secret::Password("secret".into()))],
            ..Config::default()
        },
    )
    .await;
    let mut driver = driver();
    let (registrant, now) = driver.registrant();
    let key = registrant.add(now, Arc::new(alice(&lab.uri(Transport::Tcp))));
    driver.order(key, Goal::Register);
    let attempt = loop {
        tokio::select! {
            biased;
            () = tokio::task::yield_now() => {}
            (_, event) = driver.next() => if let Event::Attempt(attempt) = event { break attempt },
        }
    };
    assert_eq!(attempt.ending, Ending::Succeeded);
    lab.stop().await;
}

/// RFC 5626 §4.4.1: our own listener answers a ping, and the flow stays; so does one that OPTIONS keeps open.
#[tokio::test]
async fn flows_are_kept_alive_between_refreshes() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let users = vec![User::new("alice", sip_digest::Secret::Password("secret".into()))];
        let lab = Lab::start(
            "127.0.0.1",
            Config {
                users,
                ..Config::default()
            },
        )
        .await;
        let every = Duration::from_millis(5);
        let policy = Policy {
            keep_alive: KeepAlive {
                streams: Some(every),
                datagrams: DatagramPing::Options(every),
                ..KeepAlive::default()
            },
            ..Policy::default()
        };
        let mut driver = driver_by(policy);
        let (registrant, now) = driver.registrant();
        let key = registrant.add(now, Arc::new(alice(&lab.uri(transport))));
        registrant.register(now, key);
        while driver.registrant().0.counters().keep_alives_answered < 5 {
            let (_, now) = driver.registrant();
            driver.next_before(Some(now + every)).await;
        }
        let (registrant, _) = driver.registrant();
        assert_eq!(registrant.status(key).map(|status| status.state), Some(State::Registered));
        assert_eq!(registrant.counters().keep_alives_missed, 0);
        driver.close().await;
        assert_eq!(
            lab.stop().await.counters().registrations,
            1,
            "{transport:?}: nobody registers twice"
        );
    }
}
