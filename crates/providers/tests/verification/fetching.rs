//! Checks that only read: what is sent, how often, and what comes of it.

use std::net::SocketAddr;
use std::time::Duration;

use regprobe_providers::{Check, Given, Listing, Outcome, Progress, Question, Reason, Sight, SourceKind, VERIFICATION_SCHEMA};
use sip_digest::Secret;
use sip_registrar::Config;
use sip_registration::Report;
use tokio::net::UdpSocket;

use crate::lab::{Lab, REGISTERED, UNREGISTERED, expecting, faults, named, run, run_until, within};

const DEVICE: &str = "sip:device@192.0.2.7:5060";

#[tokio::test]
async fn a_true_claim_is_confirmed_by_two_fetches_around_it() {
    let mut lab = Lab::start(Config::default(), REGISTERED).await;
    lab.bind(DEVICE).await;
    lab.asked();
    let (verification, told) = run(&expecting(lab.check(), "device")).await;
    assert_eq!(
        (verification.verdict.outcome, verification.verdict.reason),
        (Outcome::Agree, Reason::Registered),
        "{}",
        verification.verdict.detail
    );
    assert_eq!(lab.asked(), ["REGISTER 401", "REGISTER 200", "REGISTER 401", "REGISTER 200"]);
    assert_eq!(lab.api.requests().len(), 1);
    let claim = SourceKind::Telzino;
    let steps = [
        Progress::Settings(claim),
        Progress::Fetching,
        Progress::Asking(claim),
        Progress::Fetching,
    ];
    assert_eq!(told, steps);
    let [before, after] = &*verification.observations else {
        panic!("{:?}", verification.observations)
    };
    let answer = &verification.answers[0];
    assert!(before.ended_at <= answer.asked_at && answer.answered_at <= after.started_at);
    assert_eq!(
        (verification.schema, verification.looks, verification.exit_code()),
        (VERIFICATION_SCHEMA, 1, 0)
    );
    assert_eq!(verification.aor.as_deref(), Some("sip:alice@example.test"));
    assert!(verification.probes.is_none() && verification.self_test.is_none() && !verification.interrupted);
    assert_eq!(lab.stop().await, [DEVICE]);
}

#[tokio::test]
async fn both_fetches_go_to_the_server_that_answered_the_first() {
    let lab = Lab::start(Config::default(), UNREGISTERED).await;
    // Nobody listens at the first address of the name.
    let nobody = SocketAddr::new("127.0.0.77".parse().unwrap(), lab.registrar.port());
    let mut check = named(lab.check(), &[nobody, lab.registrar]);
    check.network.policy.trace = true;
    let (verification, _) = run(&check).await;
    assert_eq!(verification.verdict.outcome, Outcome::Agree, "{:?}", verification.observations);
    let tried: Vec<Vec<String>> = verification.probes.unwrap().into_iter().map(targets).collect();
    let served = lab.registrar.to_string();
    assert_eq!(tried, [vec![nobody.to_string(), served.clone()], vec![served]]);
}

fn targets(report: Report) -> Vec<String> {
    report.network.targets.into_iter().map(|target| target.address).collect()
}

#[tokio::test]
async fn servers_of_one_name_that_list_different_bindings_are_named() {
    let [one, other] = Lab::start_two(REGISTERED).await;
    other.bind(DEVICE).await;
    let mut check = expecting(named(one.check(), &[one.registrar, other.registrar]), "device");
    check.network.every_target = true;
    let (verification, _) = run(&check).await;
    let servers: Vec<_> = verification.nodes.iter().map(|node| node.server.clone().unwrap()).collect();
    assert_eq!(servers, [one.registrar.to_string(), other.registrar.to_string()]);
    let [warning] = &*verification.warnings else {
        panic!("{:?}", verification.warnings)
    };
    assert!(warning.contains(&format!("{} lists nothing", one.registrar)), "{warning}");
    assert!(warning.contains(&format!("{} lists {DEVICE}", other.registrar)), "{warning}");
    // The sandwich is taken where the binding is.
    assert!(
        verification
            .observations
            .iter()
            .all(|seen| seen.server == Some(other.registrar.to_string()))
    );
    assert_eq!(verification.verdict.outcome, Outcome::Agree, "{}", verification.verdict.detail);

    one.bind(DEVICE).await;
    let (verification, _) = run(&check).await;
    assert_eq!((verification.nodes.len(), verification.warnings), (2, vec![]));
}

#[tokio::test]
async fn no_binding_is_called_missing_before_every_server_of_the_name_was_asked() {
    let [mut one, mut other] = Lab::start_two(REGISTERED).await;
    other.bind(DEVICE).await;
    other.asked();
    let check = expecting(named(one.check(), &[one.registrar, other.registrar]), "device");
    let (verification, _) = run(&check).await;
    assert_eq!(verification.verdict.reason, Reason::Registered, "{}", verification.verdict.detail);
    assert_eq!(
        (verification.looks, verification.nodes.len(), verification.warnings.len()),
        (2, 2, 1)
    );
    assert!(one.asked().iter().chain(&other.asked()).all(|asked| asked.starts_with("REGISTER ")));

    // Somebody else at the first, nobody at the second: then it is so.
    one.bind("sip:phone@192.0.2.9:5060").await;
    let check = expecting(named(one.check(), &[one.registrar, other.registrar]), "trunk");
    let (verification, _) = run(&check).await;
    assert_eq!(verification.verdict.reason, Reason::Displaced, "{}", verification.verdict.detail);
    assert_eq!(verification.nodes.len(), 2);

    // Where it is at the first one, the other is none of our business.
    one.bind(DEVICE).await;
    other.asked();
    let check = expecting(named(one.check(), &[one.registrar, other.registrar]), "device");
    let (verification, _) = run(&check).await;
    assert_eq!((verification.verdict.reason, verification.nodes.len()), (Reason::Registered, 0));
    assert_eq!(other.asked(), [""; 0]);
}

#[tokio::test]
async fn of_many_servers_that_are_open_or_refuse_us_one_is_asked() {
    let open = Config {
        open: true,
        ..Config::default()
    };
    for (config, secret, asked) in [
        (open, "canary", vec!["REGISTER 200"]),
        (Config::default(), "wrong", vec!["REGISTER 401", "REGISTER 401"]),
    ] {
        let mut lab = Lab::start(config, REGISTERED).await;
        let nobody = SocketAddr::new("127.0.0.77".parse().unwrap(), lab.registrar.port());
        let mut check = named(lab.check(), &[lab.registrar, nobody]);
        check.network.every_target = true;
        check.given.secret = Some(Secret::Password(secret.into()));
        check.looks = 1;
        let (verification, _) = run(&check).await;
        assert_eq!(lab.asked(), asked);
        assert_eq!(verification.observations.len(), 1);
    }
}

#[tokio::test]
async fn a_claim_without_a_binding_is_false_when_a_second_look_shows_the_same() {
    let mut lab = Lab::start(Config::default(), REGISTERED).await;
    let (verification, told) = run(&lab.check()).await;
    assert_eq!(
        (verification.verdict.outcome, verification.verdict.reason),
        (Outcome::Disagree, Reason::FalsePositiveUnbound),
        "{}",
        verification.verdict.detail
    );
    assert_eq!(
        (verification.looks, verification.answers.len(), verification.exit_code()),
        (2, 2, 1)
    );
    assert!(told.iter().any(|step| matches!(step, Progress::Waiting { .. })), "{told:?}");
    assert_eq!(lab.asked().iter().filter(|asked| *asked == "REGISTER 200").count(), 4);
    assert!(
        verification
            .observations
            .iter()
            .all(|seen| matches!(&seen.sight, Sight::Bindings { bindings, challenged: true } if bindings.is_empty()))
    );
}

#[tokio::test]
async fn one_look_alone_settles_no_contradiction() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let check = Check { looks: 1, ..lab.check() };
    let (verification, _) = run(&check).await;
    assert_eq!(
        (verification.verdict.reason, verification.looks, verification.exit_code()),
        (Reason::WithinGrace, 1, 3)
    );
}

#[tokio::test]
async fn somebody_else_in_its_place_is_a_displacement() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    lab.bind("sip:stranger@198.51.100.9").await;
    let (verification, _) = run(&expecting(lab.check(), "device")).await;
    assert_eq!(
        (verification.verdict.outcome, verification.verdict.reason),
        (Outcome::Disagree, Reason::Displaced),
        "{}",
        verification.verdict.detail
    );
    assert_eq!(lab.stop().await, ["sip:stranger@198.51.100.9"]);
}

#[tokio::test]
async fn refused_credentials_are_sent_once_in_each_look() {
    let mut lab = Lab::start(Config::default(), REGISTERED).await;
    let mut check = lab.check();
    check.given.secret = Some(Secret::Password("wrong".into()));
    let (verification, _) = run(&check).await;
    assert_eq!(
        verification.verdict.reason,
        Reason::CredentialsRejectedWhileRegistered,
        "{}",
        verification.verdict.detail
    );
    assert_eq!(lab.asked(), ["REGISTER 401"; 4], "two looks, each with a challenge and its refusal");
}

#[tokio::test]
async fn without_a_password_nothing_is_proved() {
    let mut lab = Lab::start(Config::default(), REGISTERED).await;
    let mut check = lab.check();
    check.given.secret = None;
    let (verification, _) = run(&check).await;
    assert_eq!(
        (verification.verdict.reason, verification.exit_code()),
        (Reason::ProbeNoCredentials, 3)
    );
    assert_eq!(lab.asked(), ["REGISTER 401", "REGISTER 401"]);
}

#[tokio::test]
async fn a_silent_registrar_is_pinged_once() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let check = Check {
        network: within(Duration::from_millis(300)),
        ..lab.check_at(silent.local_addr().unwrap())
    };
    let (verification, told) = run(&check).await;
    assert_eq!(
        (verification.verdict.reason, verification.exit_code()),
        (Reason::ProbeUnreachable, 3)
    );
    assert_eq!(told.iter().filter(|step| **step == Progress::Pinging).count(), 1);
    let questions: Vec<_> = verification.observations.iter().map(|seen| seen.question).collect();
    assert_eq!(questions, [Question::Fetch, Question::Fetch, Question::Ping]);
}

#[tokio::test]
async fn a_registrar_that_refuses_us_and_answers_a_ping_is_alive() {
    let mut lab = Lab::start(faults(&["status=403;method=REGISTER"]), REGISTERED).await;
    let (verification, _) = run(&lab.check()).await;
    assert_eq!(
        verification.verdict.reason,
        Reason::ProbeVantageBlocked,
        "{}",
        verification.verdict.detail
    );
    assert_eq!(lab.asked().iter().filter(|asked| *asked == "OPTIONS 200").count(), 1);
    assert!(
        verification
            .observations
            .iter()
            .any(|seen| seen.sight == Sight::Alive { code: 200 })
    );
}

#[tokio::test]
async fn an_open_registrar_is_asked_once_and_never_again() {
    for status in [REGISTERED, UNREGISTERED] {
        let open = Config {
            open: true,
            ..Config::default()
        };
        let mut lab = Lab::start(open, status).await;
        let (verification, told) = run(&lab.check()).await;
        assert_eq!(lab.asked(), ["REGISTER 200"], "{status}");
        assert_eq!(lab.api.requests().len(), 1);
        assert!(!told.iter().any(|step| matches!(step, Progress::Waiting { .. })));
        let noted = verification.verdict.notes.iter().any(|note| note.reason == Reason::RegistrarOpen);
        assert!(
            noted || verification.verdict.reason == Reason::RegistrarOpen,
            "{:?}",
            verification.verdict
        );
    }
}

#[tokio::test]
async fn bindings_that_change_under_the_question_are_a_race_that_a_second_look_settles() {
    for (looks, reason) in [(1, Reason::RefreshRace), (2, Reason::Registered)] {
        let lab = Lab::start(faults(&["no-contact;after=2;times=1"]), REGISTERED).await;
        lab.bind(DEVICE).await;
        let check = Check {
            looks,
            ..expecting(lab.check(), "device")
        };
        let (verification, _) = run(&check).await;
        assert_eq!(
            (verification.verdict.reason, verification.looks),
            (reason, looks),
            "{:?}",
            verification.observations
        );
    }
}

#[tokio::test]
async fn an_empty_list_of_an_unknown_registrar_proves_nothing_unless_the_user_says_that_it_lists() {
    let mute = || Config {
        server: "OpenSIPS (3.4.0)".to_owned(),
        ..Config::default()
    };
    let lab = Lab::start(mute(), REGISTERED).await;
    let (verification, _) = run(&lab.check()).await;
    assert_eq!(verification.verdict.reason, Reason::RegistrarMayHideBindings);
    let check = Check {
        listing: Listing::Lists,
        ..lab.check()
    };
    let (verification, _) = run(&check).await;
    assert_eq!(verification.verdict.reason, Reason::FalsePositiveUnbound);
}

#[tokio::test]
async fn an_api_that_fails_is_no_disagreement() {
    let lab = Lab::start(Config::default(), "this is not JSON").await;
    let (verification, _) = run(&lab.check()).await;
    assert_eq!((verification.verdict.reason, verification.exit_code()), (Reason::ApiContract, 3));
}

#[tokio::test]
async fn a_check_can_be_stopped_at_every_step() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let (_, steps) = run(&lab.check()).await;
    for count in 1..=steps.len() {
        let (verification, told) = run_until(&lab.check(), |told| told.len() == count).await;
        assert!(verification.interrupted, "after {told:?}");
        assert_eq!((told.len(), verification.exit_code()), (count, 130));
        assert_eq!(
            verification.verdict.outcome,
            Outcome::Inconclusive,
            "after {told:?}: {}",
            verification.verdict.detail
        );
    }
    assert_eq!(lab.stop().await, Vec::<String>::new());
}

#[tokio::test]
async fn another_user_than_the_claims_is_not_what_was_asked_for() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let check = Check {
        given: Given {
            aor: Some("sip:bob@example.test".parse().unwrap()),
            ..lab.check().given
        },
        ..lab.check()
    };
    let (verification, _) = run(&check).await;
    // bob does not exist here: the registrar says so, and nothing is bound.
    assert_eq!(verification.aor.as_deref(), Some("sip:bob@example.test"));
    assert_ne!(verification.verdict.outcome, Outcome::Agree);
}
