//! Fleets against a registrar on real sockets: every account registers and leaves, over shared sockets and connections, and over one
//! connection for each.

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use sip_net::fleet::Fleet;
use sip_net::{Network, TlsOptions};
use sip_registrar::Config;
use sip_registration::{Account, ContactPlan, Ending, Event, Goal, Policy, Transport};

use crate::accounts::alice;
use crate::lab::Lab;

async fn lab() -> Lab {
    let any_user = Some(sip_digest::Secret::Password("secret".into()));
    Lab::start(
        "127.0.0.1",
        Config {
            any_user,
            ..Config::default()
        },
    )
    .await
}

fn account(number: usize, uri: &str) -> Arc<Account> {
    Arc::new(Account {
        aor: format!("sip:user{number}@example.test").parse().unwrap(),
        contact: ContactPlan::Automatic {
            user: format!("user{number}").into(),
        },
        ..alice(uri)
    })
}

/// Registers so many accounts and removes them again; returns the places that the registrar was asked from.
async fn register_and_leave(transport: Transport, accounts: usize, flows: u32) -> BTreeSet<u16> {
    let mut lab = lab().await;
    let policy = Policy {
        flows_per_target: NonZeroU32::new(flows).unwrap(),
        ..Policy::one_shot()
    };
    let network = Network {
        tls: TlsOptions {
            ca_file: Some(lab.authority.clone()),
            ..TlsOptions::default()
        },
        ..Network::default()
    };
    let mut fleet = Fleet::start(NonZeroUsize::new(2).unwrap(), &policy, &network).unwrap();
    for number in 0..accounts {
        let member = fleet.add(account(number, &lab.uri(transport))).await;
        fleet.order(member, Goal::Register).await;
    }
    let mut left = accounts;
    while left > 0 {
        match fleet.next().await.unwrap() {
            (member, Event::Attempt(attempt)) if attempt.goal == Goal::Register => {
                assert_eq!(attempt.ending, Ending::Succeeded, "{}", attempt.words);
                fleet.recycle(member, attempt).await;
                fleet.remove(member).await;
            }
            (_, Event::Removed) => left -= 1,
            (_, Event::Attempt(_) | Event::Changed(_) | Event::Request(_)) => {}
        }
    }
    fleet.close().await.unwrap();
    let mut places = BTreeSet::new();
    while let Ok(event) = lab.events.try_recv() {
        places.insert(event.peer.source.port());
    }
    let counters = lab.stop().await.counters();
    let all = accounts as u64;
    assert_eq!((counters.registrations, counters.removals), (all, all), "{transport:?}");
    places
}

#[tokio::test]
async fn every_account_registers_and_leaves_by_one_socket_or_connection_of_each_shard() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let places = register_and_leave(transport, 300, 1).await;
        assert_eq!(places.len(), 2, "{transport:?}");
    }
}

/// 40 flows for 2 shards: each deals its own accounts to 20, so that each account shares with hardly anybody.
#[tokio::test]
async fn accounts_are_dealt_to_as_many_flows_as_the_policy_says() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let places = register_and_leave(transport, 200, 40).await;
        assert_eq!(places.len(), 40, "{transport:?}");
    }
}
