//! The situations of the field, each made for real with a client and a registrar, and seen in both before a test goes on.

use std::net::UdpSocket;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::secrets::AUTH_PASSWORD;
use crate::support::kamailio::{Kamailio, PASSWORD, Save, Setup};
use crate::support::kamailio_uac::{FLAG_BEGUN, FLAG_DISABLED, FLAG_ONLINE, KamailioClient, Manners, Retry, Trunk};
use crate::support::location::Bound;
use crate::support::port;
use crate::support::process::find;
use crate::support::run::Run;

/// What has become of the provider's registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Situation {
    /// It is registered.
    Healthy,
    /// It is registered, and refreshed every other second.
    Refreshing,
    /// It has another password than the registrar.
    WrongPassword,
    /// The registrar does not know its user.
    UnknownUser,
    /// The registrar has never answered.
    DeadRegistrar,
    /// It was registered, and the registrar does not answer any more.
    DiedLater,
    /// It failed, and was therefore switched off for good.
    GivenUp,
    /// It was switched off before it ever registered.
    Disabled,
    /// It was registered, and then switched off without a word to the registrar.
    SwitchedOff,
    /// It was registered, and has removed its binding.
    Unregistered,
    /// Somebody has removed its binding at the registrar.
    Removed,
    /// Another client has registered, and the registrar keeps the last one only.
    Displaced,
    /// The registrar has lost its table.
    Restarted,
}

impl Situation {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::Healthy,
        Self::Refreshing,
        Self::WrongPassword,
        Self::UnknownUser,
        Self::DeadRegistrar,
        Self::DiedLater,
        Self::GivenUp,
        Self::Disabled,
        Self::SwitchedOff,
        Self::Unregistered,
        Self::Removed,
        Self::Displaced,
        Self::Restarted,
    ];
}

/// A provider and its customer's registrar in one of the situations.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The provider.
    pub(crate) client: KamailioClient,
    /// What it is to register.
    pub(crate) trunk: Trunk,
    registrar: Registrar,
}

/// What stands where the provider sends its REGISTER.
#[derive(Debug)]
#[expect(dead_code, reason = "what is silent is held, not used")]
enum Registrar {
    Alive(Kamailio),
    Frozen(Kamailio),
    /// Nobody: a socket that takes the requests.
    Absent(UdpSocket),
}

impl Stage {
    /// Makes the situation, and returns when it is seen to be there.
    pub(crate) fn set(situation: Situation) -> Self {
        match situation {
            Situation::Healthy => Self::registered(),
            Situation::Refreshing => Self::refreshing(),
            Situation::WrongPassword => Self::failed(|trunk| trunk.password = AUTH_PASSWORD.to_owned()),
            Situation::UnknownUser => Self::failed(|trunk| trunk.user = "nobody".to_owned()),
            Situation::DeadRegistrar => Self::dead(),
            Situation::DiedLater => Self::registered().frozen(),
            Situation::GivenUp => Self::given_up(),
            Situation::Disabled => Self::disabled(),
            Situation::SwitchedOff => Self::registered().switched_off(),
            Situation::Unregistered => Self::registered().unregistered(),
            Situation::Removed => Self::registered().removed(),
            Situation::Displaced => Self::displaced(),
            Situation::Restarted => Self::registered().restarted(),
        }
    }

    /// The Contact that the provider binds.
    pub(crate) fn contact(&self) -> String {
        self.client.contact(&self.trunk)
    }

    /// The registrar, when it is alive.
    pub(crate) fn registrar(&self) -> Option<&Kamailio> {
        match &self.registrar {
            Registrar::Alive(kamailio) => Some(kamailio),
            Registrar::Frozen(_) | Registrar::Absent(_) => None,
        }
    }

    /// What the registrar has bound for the provider's user; `None` when nobody is there to ask.
    pub(crate) fn bound(&self) -> Option<Vec<Bound>> {
        Some(self.registrar()?.bound(&self.trunk.user))
    }

    /// A healthy registration at a registrar of this kind.
    pub(crate) fn registered_at(setup: Setup) -> Self {
        Self::at(setup, Manners::default(), |_| ()).awaited(REGISTERED, true)
    }

    /// A fetch by `regprobe bindings` shows what has to be seen from outside.
    pub(crate) fn shows(&self, situation: Situation) {
        let proxy = format!("sip:{}", self.trunk.registrar);
        let fetch = Run::new(&["bindings", &self.trunk.aor(), "--proxy", &proxy, "--timeout", "1s"]).report();
        match situation {
            Situation::Healthy | Situation::Refreshing | Situation::SwitchedOff => {
                assert_eq!(fetch.done().contacts(), [self.contact()], "{situation:?}");
            }
            Situation::Displaced => assert_eq!(fetch.done().contacts(), [OTHER_CLIENT]),
            Situation::WrongPassword
            | Situation::GivenUp
            | Situation::Disabled
            | Situation::Unregistered
            | Situation::Removed
            | Situation::Restarted => assert_eq!(fetch.done().contacts(), [""; 0], "{situation:?}"),
            Situation::UnknownUser => drop(fetch.failed("unknown_user", 7)),
            Situation::DeadRegistrar | Situation::DiedLater => drop(fetch.failed("no_reply", 4)),
        }
    }

    fn registered() -> Self {
        Self::registered_at(Setup::default())
    }

    fn refreshing() -> Self {
        let often = Manners {
            looks_every_s: 2,
            ..Manners::default()
        };
        let brief = Setup {
            min_expires_s: 1,
            ..Setup::default()
        };
        let stage = Self::at(brief, often, |trunk| trunk.expires_s = 5).awaited(REGISTERED, true);
        let first = stage.bound();
        await_that("a refresh", || stage.bound() != first, &stage);
        stage
    }

    fn failed(spoil: impl FnOnce(&mut Trunk)) -> Self {
        Self::at(Setup::default(), Manners::default(), spoil).awaited(FAILED, false)
    }

    fn given_up() -> Self {
        let manners = Manners {
            retry: Retry::Never,
            ..Manners::default()
        };
        Self::at(Setup::default(), manners, |trunk| trunk.password = AUTH_PASSWORD.to_owned()).awaited(GIVEN_UP, false)
    }

    fn dead() -> Self {
        let client = KamailioClient::start(Manners::default());
        let (socket, address) = port::black_hole();
        let trunk = Trunk::new(TRUNK, address);
        client.add(&trunk);
        let stage = Self {
            client,
            trunk,
            registrar: Registrar::Absent(socket),
        };
        stage.awaited(FAILED, false)
    }

    fn disabled() -> Self {
        let registrar = Kamailio::start(Setup::default());
        let client = KamailioClient::start(Manners::default());
        let trunk = Trunk::new(TRUNK, registrar.udp());
        client.add_disabled(&trunk);
        let stage = Self {
            client,
            trunk,
            registrar: Registrar::Alive(registrar),
        };
        stage.awaited(FLAG_DISABLED, false)
    }

    fn switched_off(self) -> Self {
        self.client.disable(&self.trunk);
        self.awaited(REGISTERED | FLAG_DISABLED, true)
    }

    fn unregistered(self) -> Self {
        self.client.unregister(&self.trunk);
        // The module takes the 200 without a Contact for a failure, to be tried again later.
        self.awaited(FAILED, false)
    }

    fn removed(self) -> Self {
        self.alive().unbind(&self.trunk.user, &self.contact());
        self.awaited(REGISTERED, false)
    }

    fn displaced() -> Self {
        let last_wins = Setup {
            save: Save::Alone,
            ..Setup::default()
        };
        let stage = Self::registered_at(last_wins);
        register_by_sipsak(&stage);
        assert_eq!(stage.alive().contacts(&stage.trunk.user), [OTHER_CLIENT]);
        stage.awaited(REGISTERED, false)
    }

    fn restarted(mut self) -> Self {
        if let Registrar::Alive(kamailio) = &mut self.registrar {
            kamailio.restart();
        }
        self.awaited(REGISTERED, false)
    }

    fn frozen(mut self) -> Self {
        if let Registrar::Alive(kamailio) = self.registrar {
            kamailio.freeze();
            self.registrar = Registrar::Frozen(kamailio);
        }
        self
    }

    fn at(setup: Setup, manners: Manners, change: impl FnOnce(&mut Trunk)) -> Self {
        let registrar = Kamailio::start(setup);
        let client = KamailioClient::start(manners);
        let mut trunk = Trunk::new(TRUNK, registrar.udp());
        change(&mut trunk);
        client.add(&trunk);
        Self {
            client,
            trunk,
            registrar: Registrar::Alive(registrar),
        }
    }

    fn alive(&self) -> &Kamailio {
        self.registrar().expect("the situation has a registrar that is alive")
    }

    /// Waits until the provider's flags and the presence of its binding are these.
    fn awaited(self, flags: u64, bound: bool) -> Self {
        await_that("the flags", || self.client.flags(&self.trunk) == flags, &self);
        if let Some(registrar) = self.registrar() {
            let is_bound = || registrar.contacts(&self.trunk.user).contains(&self.contact());
            await_that("the binding", || is_bound() == bound, &self);
        }
        self
    }
}

/// Registers another client of the same user with a program that is not ours.
fn register_by_sipsak(stage: &Stage) {
    let address = format!("sip:{}@{}", stage.trunk.user, stage.trunk.registrar);
    let done = Command::new(find("sipsak"))
        .args(["-U", "-i", "-s", &address, "-C", OTHER_CLIENT])
        .args(["-a", PASSWORD, "-u", &stage.trunk.user, "-x", "3600"])
        .output()
        .expect("sipsak can be started");
    assert!(done.status.success(), "{done:?}");
}

fn await_that(what: &str, mut is_so: impl FnMut() -> bool, stage: &Stage) {
    let deadline = Instant::now() + ESTABLISHED_WITHIN;
    while !is_so() {
        let (info, bound) = (stage.client.info(&stage.trunk.uuid), stage.bound());
        assert!(Instant::now() < deadline, "{what} did not come: {info:?}, {bound:?}");
        thread::sleep(POLL_EVERY);
    }
}

/// Where the client is that displaces the provider's.
pub(crate) const OTHER_CLIENT: &str = "sip:alice@198.51.100.7:5060";
/// The provider's name for what it registers.
pub(crate) const TRUNK: &str = "trunk1";

const REGISTERED: u64 = FLAG_BEGUN | FLAG_ONLINE;
const FAILED: u64 = FLAG_BEGUN;
const GIVEN_UP: u64 = FLAG_BEGUN | FLAG_DISABLED;
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(15);
const POLL_EVERY: Duration = Duration::from_millis(20);
