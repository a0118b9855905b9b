//! Is the Contact reachable: OPTIONS through a proxy that relays it, through one that has nobody to relay it to, and to a registrar that
//! answers everything by itself.

use std::sync::Arc;

use regprobe_providers::{Check, Inbound, InboundOutcome, Level, Mode, Question, Sight};
use sip_net::{Driver, Network};
use sip_registrar::Config;
use sip_registration::{Account, ContactPlan, Ending, Event, Goal, Policy, Registrant};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::edge::{Edge, Habit};
use crate::lab::{Lab, REGISTERED, UNREGISTERED, alice, expecting, run, within};

fn at_our_contact(check: Check) -> Check {
    Check {
        mode: Mode::Register { allow_displacement: false },
        inbound: Some(Inbound::OurContact),
        ..check
    }
}

fn at_whoever_is_bound(check: Check) -> Check {
    Check {
        inbound: Some(Inbound::WhoeverIsBound),
        ..check
    }
}

#[tokio::test]
async fn options_that_arrive_at_our_own_contact_are_known_by_its_mark() {
    let lab = Lab::start(Config::default(), UNREGISTERED).await;
    let edge = Edge::before(lab.registrar, Habit::RelaysOptions).await;
    let (verification, _) = run(&at_our_contact(lab.check_at(edge.address))).await;
    let test = verification.inbound.unwrap();
    assert_eq!((test.outcome, test.code), (InboundOutcome::Arrived, Some(200)), "{}", test.detail);
    let arrived = Sight::Reached {
        code: Some(200),
        at_our_contact: true,
    };
    assert!(
        verification
            .observations
            .iter()
            .any(|seen| seen.question == Question::Inbound && seen.sight == arrived)
    );
    assert_eq!(lab.stop().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_registrar_that_answers_by_itself_proves_nothing() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    for check in [at_our_contact(lab.check()), at_whoever_is_bound(lab.check())] {
        let (verification, _) = run(&check).await;
        let test = verification.inbound.unwrap();
        assert_eq!(
            (test.outcome, test.code),
            (InboundOutcome::AnsweredByRegistrar, Some(200)),
            "{}",
            test.detail
        );
        assert!(verification.observations.iter().all(|seen| seen.question != Question::Inbound));
        assert!(verification.verdict.evidence < Level::E5);
    }
}

#[tokio::test]
async fn a_device_that_is_bound_and_answers_is_reached() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let edge = Edge::before(lab.registrar, Habit::RelaysOptions).await;
    let device = device(&edge).await;
    let check = expecting(lab.check_at(edge.address), "device");
    let (verification, _) = run(&at_whoever_is_bound(check)).await;
    let test = verification.inbound.unwrap();
    assert_eq!((test.outcome, test.code), (InboundOutcome::Answered, Some(200)), "{}", test.detail);
    assert_eq!(test.product.as_deref(), Some("a device"));
    assert_eq!(verification.verdict.evidence, Level::E5, "{}", verification.verdict.detail);
    device.abort();
}

#[tokio::test]
async fn a_contact_that_nobody_answers_at_is_not_reached() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let edge = Edge::before(lab.registrar, Habit::RelaysOptions).await;
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    lab.bind(&format!("sip:alice@{}", silent.local_addr().unwrap())).await;
    let check = Check {
        network: within(std::time::Duration::from_millis(400)),
        ..at_whoever_is_bound(lab.check_at(edge.address))
    };
    let (verification, _) = run(&check).await;
    let test = verification.inbound.unwrap();
    assert_eq!((test.outcome, test.code), (InboundOutcome::NotReached, None), "{}", test.detail);
    assert!(verification.verdict.evidence < Level::E5);
}

#[tokio::test]
async fn an_account_without_a_contact_is_not_reached() {
    let lab = Lab::start(Config::default(), UNREGISTERED).await;
    let edge = Edge::before(lab.registrar, Habit::RelaysOptions).await;
    let (verification, _) = run(&at_whoever_is_bound(lab.check_at(edge.address))).await;
    let test = verification.inbound.unwrap();
    assert_eq!(
        (test.outcome, test.code),
        (InboundOutcome::NotReached, Some(480)),
        "{}",
        test.detail
    );
}

/// A device that registers by way of the edge, stays, and answers what it is asked.
async fn device(edge: &Edge) -> JoinHandle<()> {
    let mut driver = Driver::new(Registrant::new([3; 32], Policy::one_shot()), Network::default());
    let account = Account {
        contact: ContactPlan::Automatic { user: "device".into() },
        ..alice(edge.address)
    };
    let (registrant, now) = driver.registrant();
    let key = registrant.add(now, Arc::new(account));
    driver.order(key, Goal::Register);
    loop {
        if let (_, Event::Attempt(attempt)) = driver.next().await {
            assert_eq!(attempt.ending, Ending::Succeeded, "{}", attempt.words);
            break;
        }
    }
    tokio::spawn(async move {
        loop {
            let _ = driver.next().await;
        }
    })
}
