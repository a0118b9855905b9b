//! What the user gives and what the API gives: which goes first, and what is missing.

use regprobe_providers::{Check, CheckError, Given, Inbound, Needed, SourceKind, verify};
use sip_registrar::Config;
use sip_registration::Transport;

use crate::lab::{Lab, REGISTERED, run};

async fn refusal(check: &Check) -> CheckError {
    verify(check, drop, std::future::pending()).await.unwrap_err()
}

#[tokio::test]
async fn what_nobody_gives_is_named_and_the_registrar_is_asked_nothing() {
    let mut lab = Lab::start(Config::default(), REGISTERED).await;
    let mut check = lab.check();
    check.given.aor = None;
    let error = refusal(&check).await;
    let missing = CheckError::Missing {
        needed: Needed::Aor,
        asked: SourceKind::Telzino,
    };
    assert_eq!(error, missing);
    assert_eq!(
        error.to_string(),
        "--aor: Telzino does not say which address-of-record it registers"
    );
    assert_eq!(lab.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_registrar_it_is_the_domain_of_the_aor() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let mut check = lab.check();
    check.given = Given {
        aor: Some(format!("sip:alice@{}", lab.registrar).parse().unwrap()),
        registrar: None,
        ..check.given
    };
    let (verification, _) = run(&check).await;
    assert_eq!(verification.registrar, Some(format!("sip:{}", lab.registrar)));
    assert!(!verification.observations.is_empty());
}

#[tokio::test]
async fn a_proxy_is_gone_through() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    let mut check = lab.check();
    check.given.registrar = Some("sip:example.test".parse().unwrap());
    check.given.outbound_proxy = Some(format!("sip:{};lr", lab.registrar).parse().unwrap());
    let (verification, _) = run(&check).await;
    assert_eq!(verification.outbound_proxy, Some(format!("sip:{};lr", lab.registrar)));
    assert_eq!(verification.observations[0].server, Some(lab.registrar.to_string()));
}

#[tokio::test]
async fn what_cannot_work_is_said_before_anything_is_sent() {
    let mut lab = Lab::start(Config::default(), REGISTERED).await;
    let mut check = lab.check();
    check.given.registrar = Some("sips:127.0.0.1".parse().unwrap());
    check.given.transport = Some(Transport::Udp);
    assert_eq!(refusal(&check).await, CheckError::Insecure { transport: Transport::Udp });

    let mut check = lab.check();
    check.given.registrar = Some("sip:127.0.0.1;transport=carrier-pigeon".parse().unwrap());
    let error = refusal(&check).await;
    assert!(
        matches!(
            error,
            CheckError::NextHop {
                needed: Needed::Registrar,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .starts_with("--registrar: sip:127.0.0.1;transport=carrier-pigeon: "),
        "{error}"
    );

    let check = Check {
        inbound: Some(Inbound::OurContact),
        ..lab.check()
    };
    assert_eq!(refusal(&check).await, CheckError::NothingOfOurs);
    assert_eq!(lab.asked(), Vec::<String>::new());
}
