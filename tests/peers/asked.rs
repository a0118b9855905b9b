//! Registrations that Kamailio reaches: what it relays to a binding, and what it asks its bindings itself, is answered, and who does not
//! answer is dropped. The registrations are kept by `sip_net::Driver`: a probe of the program ends before anybody asks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sip_net::{Driver, Network, TlsOptions};
use sip_registration::{Account, Attempt, ContactPlan, Ending, Event, Goal, IncomingRequest, Key, Policy, Registrant};
use tokio::runtime::{Builder, Runtime};

use crate::alice;
use crate::support::kamailio::{Kamailio, PASSWORD, Setup};
use crate::support::run::Run;
use crate::support::sip_client::{SipClient, header, status};

const PATIENCE: Duration = Duration::from_secs(15);
const AGENT: &str = "regprobe test agent";

/// A driver for alice.
struct Phone {
    runtime: Runtime,
    driver: Driver,
    key: Key,
}

impl Phone {
    /// alice at a registrar.
    fn new(registrar: &str, authority: &Path) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let tls = TlsOptions {
            ca_file: Some(authority.to_owned()),
            ..TlsOptions::default()
        };
        let network = Network { tls, ..Network::default() };
        let mut driver = runtime.block_on(async { Driver::new(Registrant::new(rand::random(), Policy::default()), network) });
        let (registrant, now) = driver.registrant();
        let key = registrant.add(now, Arc::new(account(registrar)));
        Self { runtime, driver, key }
    }

    /// Another account that shares the flows.
    fn add(&mut self, registrar: &str) -> Key {
        let (registrant, now) = self.driver.registrant();
        registrant.add(now, Arc::new(account(registrar)))
    }

    fn exchange(&mut self, key: Key, goal: Goal) -> Attempt {
        self.driver.order(key, goal);
        let attempt = self.next(|_, event| match event {
            Event::Attempt(attempt) => Some(*attempt),
            Event::Changed(_) | Event::Request(_) | Event::Removed => None,
        });
        assert_eq!(attempt.ending, Ending::Succeeded, "{attempt:?}");
        attempt
    }

    /// The next request that comes. Its answer is on the wire, or its connection's to write.
    fn asked(&mut self) -> IncomingRequest {
        self.next(|_, event| match event {
            Event::Request(request) => Some(*request),
            Event::Attempt(_) | Event::Changed(_) | Event::Removed => None,
        })
    }

    fn next<T>(&mut self, wanted: impl Fn(Key, Event) -> Option<T>) -> T {
        let driver = &mut self.driver;
        let found = async {
            loop {
                let (key, event) = driver.next().await;
                if let Some(found) = wanted(key, event) {
                    return found;
                }
            }
        };
        let found = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, found).await });
        found.unwrap_or_else(|_| panic!("it did not come within {PATIENCE:?}"))
    }

    /// Lets the driver run until this has come.
    fn meanwhile<T: Send + 'static>(&mut self, wait: impl FnOnce() -> T + Send + 'static) -> T {
        let driver = &mut self.driver;
        self.runtime.block_on(async {
            let waiting = tokio::task::spawn_blocking(wait);
            tokio::pin!(waiting);
            loop {
                tokio::select! {
                    found = &mut waiting => return found.unwrap(),
                    _ = driver.next() => {}
                }
            }
        })
    }
}

fn account(registrar: &str) -> Account {
    Account {
        aor: "sip:alice@example.test".parse().unwrap(),
        registrar: registrar.parse().unwrap(),
        outbound_proxy: None,
        transport: None,
        target: None,
        auth_user: None,
        secret: Some(sip_digest::Secret::Password(PASSWORD.into())),
        challenges: None,
        contact: ContactPlan::Automatic { user: "phone".into() },
        advertise: None,
        instance: None,
        reg_id: None,
        expires: 300,
        user_agent: AGENT.into(),
    }
}

/// OPTIONS to alice.
fn options(client: &SipClient, call_id: &str) -> String {
    client
        .request("OPTIONS", call_id, 1)
        .replacen("sip:example.test", "sip:alice@example.test", 1)
}

#[test]
fn what_is_sent_to_the_address_of_record_arrives_at_the_binding_and_is_answered() {
    let kamailio = Kamailio::start(Setup::default());
    for (transport, registrar) in [("udp", kamailio.udp()), ("tcp", kamailio.tcp()), ("tls", kamailio.tls())] {
        let registrar = format!("sip:{registrar};transport={transport}");
        let mut phone = Phone::new(&registrar, kamailio.ca_file());
        let client = SipClient::new(kamailio.udp());
        client.send(&options(&client, &format!("{transport}-before")));
        assert_eq!(status(&client.expect_reply()), (404, "1 OPTIONS"), "nobody is bound");

        phone.exchange(phone.key, Goal::Register);
        let call_id = format!("{transport}-bound");
        client.send(&options(&client, &call_id));
        let told = phone.asked();
        assert!(told.call_id.starts_with(&call_id) && told.names_us && told.from_peer, "{told:?}");
        assert_eq!(
            (told.method.as_str(), told.hops, told.answer),
            ("OPTIONS", 2, Some(200)),
            "{registrar}"
        );
        let reply = phone.meanwhile(move || client.expect_reply());
        assert_eq!(status(&reply), (200, "1 OPTIONS"), "{registrar}");
        assert_eq!(header(&reply, "Server"), Some(AGENT), "{reply}");

        phone.exchange(phone.key, Goal::Unregister);
        let client = SipClient::new(kamailio.udp());
        client.send(&options(&client, &format!("{transport}-after")));
        assert_eq!(status(&client.expect_reply()), (404, "1 OPTIONS"), "nobody is bound any more");
    }
}

/// The same registrant asks for its own address-of-record: what comes back is its own answer.
#[test]
fn a_ping_of_the_own_address_of_record_comes_around() {
    let kamailio = Kamailio::start(Setup::default());
    let mut phone = Phone::new(&format!("sip:{}", kamailio.udp()), kamailio.ca_file());
    phone.exchange(phone.key, Goal::Register);
    let asker = phone.add(&alice(kamailio.udp()));
    let attempt = phone.exchange(asker, Goal::Ping);
    assert_eq!(attempt.last_reply.map(|reply| reply.code), Some(200));
    assert_eq!(attempt.product.as_deref(), Some(AGENT));
    phone.exchange(phone.key, Goal::Unregister);
}

/// Kamailio's own keep-alives have a branch of RFC 2543 and no Max-Forwards.
#[test]
fn a_registrar_that_drops_who_does_not_answer_keeps_us() {
    let kamailio = Kamailio::start(Setup {
        asks: true,
        ..Setup::default()
    });
    let mut phone = Phone::new(&format!("sip:{}", kamailio.udp()), kamailio.ca_file());
    phone.exchange(phone.key, Goal::Register);
    // Nobody listens there.
    let silent = Run::probe(&alice(kamailio.udp())).with(&["--keep"]).report().registered();
    let silent = silent.text("/binding/contact").to_owned();
    let own = loop {
        let told = phone.asked();
        assert_eq!(
            (told.from.as_str(), told.hops, told.answer),
            ("sip:asks@example.test", 1, Some(200)),
            "{told:?}"
        );
        let listed = Run::new(&["bindings", &alice(kamailio.udp())]).report().done();
        let left = |contact: &str| {
            let bindings = listed["/other_bindings"].as_array().unwrap();
            bindings
                .iter()
                .find(|binding| binding["contact"] == contact)
                .and_then(|binding| binding["expires_s"].as_u64())
        };
        if left(&silent).is_none_or(|seconds| seconds <= 10) {
            break left(&told.uri);
        }
    };
    assert!(own.is_some_and(|seconds| seconds > 200), "ours is to stay: {own:?}");
}
