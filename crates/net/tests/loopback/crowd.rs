//! Many registrations that are ordered at once and share one connection: whoever is merely busy is waited for, at both ends.

use std::sync::Arc;
use std::time::Duration;

use sip_net::{Driver, Network, TlsOptions};
use sip_registrar::Config;
use sip_registration::{Account, Counters, Ending, Event, Policy, Registrant, Transport};

use crate::accounts::alice;
use crate::lab::Lab;

/// Orders so many registrations before the first byte of any is written, and waits for all of them.
async fn register(crowd: u32, registrar: &str, tls: TlsOptions) -> Counters {
    let policy = Policy {
        timeout: Duration::from_secs(120),
        ..Policy::one_shot()
    };
    let network = Network { tls, ..Network::default() };
    let mut driver = Driver::new(Registrant::new([9; 32], policy), network);
    for number in 0..crowd {
        let account = Account {
            aor: format!("sip:user{number}@example.test").parse().unwrap(),
            ..alice(registrar)
        };
        let (registrant, now) = driver.registrant();
        let key = registrant.add(now, Arc::new(account));
        registrant.register(now, key);
    }
    let mut registered = 0;
    while registered < crowd {
        if let (_, Event::Attempt(attempt)) = driver.next().await {
            assert_eq!(attempt.ending, Ending::Succeeded, "after {registered}: {}", attempt.words);
            registered += 1;
        }
    }
    let counters = driver.registrant().0.counters();
    driver.close().await;
    counters
}

/// Three megabytes of requests, and then as much again with credentials; the replies are as many.
#[tokio::test]
async fn six_thousand_that_are_ordered_at_once_go_over_one_connection() {
    for (transport, crowd) in [(Transport::Tcp, 6000), (Transport::Tls, 3000)] {
        let lab = Lab::start(
            "127.0.0.1",
            Config {
                any_user: Some(sip_digest::Secret::Password("secret".into())),
                ..Config::default()
            },
        )
        .await;
        let tls = TlsOptions {
            ca_file: Some(lab.authority.clone()),
            ..TlsOptions::default()
        };
        let counters = register(crowd, &lab.uri(transport), tls).await;
        assert_eq!(counters.strays, 0);
        let served = lab.stop().await.counters();
        assert_eq!(
            (served.requests, served.registrations),
            (2 * u64::from(crowd), crowd.into()),
            "{transport:?}: nobody asks twice"
        );
    }
}
