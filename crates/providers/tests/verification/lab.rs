//! A registrar, an API, and checks of the one against the other.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use regprobe_providers::{Check, ClientOptions, ContactPattern, Given, Progress, Source, Verification, telzino, verify};
use sip_digest::Secret;
use sip_net::{Listener, Options, probe, serve};
use sip_registrar::{Config, Event, Fault, Registrar, User};
use sip_registration::{Account, ContactPlan, Override, Policy};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::support::{Response, Server};

/// Must be found in nothing that is shown.
pub(crate) const PASSWORD: &str = "canary of alice";
pub(crate) const AOR: &str = "sip:alice@example.test";

/// A registrar where alice may register, and a provider's API.
pub(crate) struct Lab {
    pub(crate) registrar: SocketAddr,
    pub(crate) api: Server,
    events: mpsc::UnboundedReceiver<Event>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Registrar>,
}

impl Lab {
    /// The registrar behaves like this, and the API answers every question about a status so.
    pub(crate) async fn start(config: Config, status: &'static str) -> Self {
        let listeners = loop {
            if let Some(listeners) = at("127.0.0.1:0").await {
                break listeners;
            }
        };
        Self::on(listeners, config, status)
    }

    /// The same at two addresses and one port, as two servers of one name have it.
    pub(crate) async fn start_two(status: &'static str) -> [Self; 2] {
        loop {
            let Some(one) = at("127.0.0.1:0").await else { continue };
            if let Some(other) = at(&format!("127.0.0.2:{}", one[0].address().port())).await {
                return [one, other].map(|listeners| Self::on(listeners, Config::default(), status));
            }
        }
    }

    fn on(listeners: Vec<Listener>, config: Config, status: &'static str) -> Self {
        let registrar = listeners[0].address();
        let users = vec![User::new("alice", password())];
        let served = Registrar::new(Config { users, ..config }, [7; 32]);
        let (stop, stopped) = oneshot::channel();
        let (log, events) = mpsc::unbounded_channel();
        let served = tokio::spawn(serve(listeners, served, move |event| drop(log.send(event)), async move {
            drop(stopped.await)
        }));
        Self {
            registrar,
            api: Server::answering(move |_| Response::json(200, status)),
            events,
            stop,
            served,
        }
    }

    /// A check of alice here, with the right password and without any patience.
    pub(crate) fn check(&self) -> Check {
        self.check_at(self.registrar)
    }

    /// The same by way of another address.
    pub(crate) fn check_at(&self, registrar: SocketAddr) -> Check {
        let token = telzino::Credentials::Token("token".into());
        let client = telzino::Client::new(token, ClientOptions::new(self.api.url(""))).unwrap();
        let source = Source::Telzino {
            client: Arc::new(client),
            agent: "123e4567-e89b-12d3-a456-426614174000".parse().unwrap(),
        };
        let given = Given {
            aor: Some(AOR.parse().unwrap()),
            registrar: Some(format!("sip:{registrar}").parse().unwrap()),
            secret: Some(password()),
            ..Given::default()
        };
        Check {
            given,
            network: within(Duration::from_secs(5)),
            grace: Some(Duration::from_millis(20)),
            ..Check::new(source)
        }
    }

    /// Binds this Contact, as a device would.
    pub(crate) async fn bind(&self, contact: &str) {
        let account = Account {
            contact: ContactPlan::Fixed(contact.parse().unwrap()),
            ..alice(self.registrar)
        };
        let keep = Options {
            keep: true,
            ..Options::default()
        };
        let report = probe(account, &keep).await;
        assert!(report.registered, "{}", report.detail);
    }

    /// What was asked of the registrar since the last time: method and status, such as `REGISTER 401`.
    pub(crate) fn asked(&mut self) -> Vec<String> {
        let mut asked = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            let method = event.request.split(' ').next().unwrap_or_default();
            asked.push(format!("{method} {}", event.status.unwrap_or_default()));
        }
        asked
    }

    /// Stops it; the Contacts that are bound at the end.
    pub(crate) async fn stop(self) -> Vec<String> {
        self.stop.send(()).unwrap();
        let registrar = self.served.await.unwrap();
        registrar.bindings(AOR).into_iter().map(|binding| binding.contact).collect()
    }
}

/// UDP and TCP at one address and port; `None` when somebody else has one of them.
async fn at(address: &str) -> Option<Vec<Listener>> {
    let datagrams = Listener::udp(address.parse().unwrap()).await.ok()?;
    let streams = Listener::tcp(datagrams.address()).await.ok()?;
    Some(vec![datagrams, streams])
}

/// The name of these servers, by which a check finds them all.
pub(crate) fn named(mut check: Check, servers: &[SocketAddr]) -> Check {
    let port = servers[0].port();
    check.given.registrar = Some(format!("sip:registrar.invalid:{port}").parse().unwrap());
    let overrides = servers.iter().map(|server| Override {
        host: "registrar.invalid".to_owned(),
        port,
        address: server.ip(),
    });
    check.network.policy.overrides = overrides.collect();
    check
}

/// A check that knows whose Contact it has to be.
pub(crate) fn expecting(check: Check, user: &str) -> Check {
    Check {
        contact: ContactPattern {
            users: vec![user.to_owned()],
            ..ContactPattern::default()
        },
        ..check
    }
}

/// A check to its end, and what it told meanwhile.
pub(crate) async fn run(check: &Check) -> (Verification, Vec<Progress>) {
    run_until(check, |_| false).await
}

/// A check that is stopped when it tells this.
pub(crate) async fn run_until(check: &Check, enough: impl Fn(&[Progress]) -> bool) -> (Verification, Vec<Progress>) {
    let told = RefCell::new(Vec::new());
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = RefCell::new(Some(stop));
    let tell = |step| {
        told.borrow_mut().push(step);
        if enough(&told.borrow())
            && let Some(stop) = stop.borrow_mut().take()
        {
            stop.send(()).unwrap();
        }
    };
    let verification = verify(check, tell, async {
        if stopped.await.is_err() {
            std::future::pending().await
        }
    })
    .await
    .unwrap();
    (verification, told.into_inner())
}

/// alice at this registrar.
pub(crate) fn alice(registrar: SocketAddr) -> Account {
    Account {
        aor: AOR.parse().unwrap(),
        registrar: format!("sip:{registrar}").parse().unwrap(),
        outbound_proxy: None,
        transport: None,
        target: None,
        auth_user: None,
        secret: Some(password()),
        challenges: None,
        contact: ContactPlan::Automatic { user: "alice".into() },
        advertise: None,
        instance: None,
        reg_id: None,
        expires: 300,
        user_agent: "a device".into(),
    }
}

/// An exchange may take this long.
pub(crate) fn within(timeout: Duration) -> Options {
    Options {
        policy: Policy {
            timeout,
            ..Policy::one_shot()
        },
        ..Options::default()
    }
}

pub(crate) fn faults(texts: &[&str]) -> Config {
    Config {
        faults: texts.iter().map(|text| text.parse::<Fault>().unwrap()).collect(),
        ..Config::default()
    }
}

pub(crate) fn password() -> Secret {
    Secret::Password(PASSWORD.into())
}

pub(crate) const REGISTERED: &str = r#"{"success":true,"data":{"state":"REGISTERED_STATE","stateCode":3,"isRegistered":true}}"#;
pub(crate) const UNREGISTERED: &str = r#"{"success":true,"data":{"state":"NOT_REGISTERED_STATE","stateCode":0,"isRegistered":false}}"#;
