//! Many registrations that are ordered at once and share one connection: whoever is merely busy is waited for, at both ends.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sip_net::{Driver, Network, TlsOptions};
use sip_registrar::Config;
use sip_registration::{Account, Counters, Ending, Event, Policy, Registrant, Transport};

use crate::accounts::alice;
use crate::lab::Lab;

/// A driver with so many registrations ordered, before the first byte of any is written.
fn ordered(crowd: u32, registrar: &str, tls: TlsOptions) -> Driver {
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
    driver
}

/// Orders so many registrations, and waits for all of them.
async fn register(crowd: u32, registrar: &str, tls: TlsOptions) -> Counters {
    let mut driver = ordered(crowd, registrar, tls);
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

/// Ten megabytes for a peer that reads nothing until all has been tried: more than the kernel takes, and than we would keep.
#[tokio::test]
async fn a_peer_that_is_busy_for_long_gets_every_request_once_it_reads() {
    const CROWD: u32 = 20_000;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let registrar = format!("sip:{};transport=tcp", listener.local_addr().unwrap());
    let mut driver = ordered(CROWD, &registrar, TlsOptions::default());
    let (mut peer, mut told) = (None, Vec::new());
    listener.set_nonblocking(true).unwrap();
    for _ in 0..2 * CROWD / 256 {
        told.extend(driver.next_before(Some(Instant::now())).await);
        told.extend(std::iter::from_fn(|| driver.try_next()));
        peer = peer.or_else(|| listener.accept().ok());
    }
    let (mut stream, _) = peer.expect("the driver has connected");
    stream.set_nonblocking(false).unwrap();
    let reading = thread::spawn(move || {
        let (mut lines, mut requests) = (BufReader::new(&mut stream).lines(), 0);
        while requests < CROWD {
            let line = lines.next().expect("the connection stays").unwrap();
            requests += u32::from(line.starts_with("REGISTER "));
        }
        drop(lines);
        // Open until all has been looked at.
        stream
    });
    while !reading.is_finished() {
        told.extend(driver.next_before(Some(Instant::now())).await);
    }
    let stream = reading.join().unwrap();
    assert!(
        told.iter().all(|(_, event)| !matches!(event, Event::Attempt(_))),
        "nobody was given up"
    );
    drop(stream);
}
