//! What the client of a situation believes of its registration, read from the client itself at the moment that it is asked, so that
//! a provider's API in front of it says what it would say. The module tells no reasons; those the situation knows.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::situation::{Situation, Stage, TRUNK};
use crate::support::jsonrpc::call;
use crate::support::kamailio_uac::{FLAG_DISABLED, FLAG_ONLINE};

/// Whose belief it is: enough to ask again at any time, from any thread.
#[derive(Clone, Debug)]
pub(crate) struct Believer {
    client: SocketAddr,
    situation: Situation,
}

/// A belief, in no provider's words.
#[derive(Clone, Debug)]
pub(crate) struct Belief {
    /// The state.
    pub(crate) state: State,
    /// The user at the registrar.
    pub(crate) user: String,
    /// Where the REGISTER goes, such as `127.0.0.1:5060`.
    pub(crate) registrar: String,
    /// The Contact, without its scheme.
    pub(crate) contact: String,
    /// The lifetime that is asked for, in seconds.
    pub(crate) lifetime_s: i64,
    /// When the registration ends, in seconds since 1970; 0 when there is none.
    pub(crate) ends_at: i64,
}

/// The state of a belief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is registered.
    Registered,
    /// The registrar refused it with this status.
    Refused(u16, &'static str),
    /// The registrar did not answer.
    Timeout,
    /// No registration is wanted.
    Off,
}

impl Believer {
    /// The client of a stage.
    pub(crate) fn of(stage: &Stage, situation: Situation) -> Self {
        Self {
            client: stage.client.address(),
            situation,
        }
    }

    /// What it believes now.
    pub(crate) fn belief(&self) -> Belief {
        let info = call(self.client, "uac.reg_info", &json!(["l_uuid", TRUNK]));
        let info = info.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        let text = |key: &str| info[key].as_str().unwrap_or_else(|| panic!("no {key}: {info}")).to_owned();
        let state = self.state(number(&info, "flags"));
        Belief {
            state,
            user: text("r_username"),
            registrar: text("auth_proxy").trim_start_matches("sip:").to_owned(),
            contact: format!("{TRUNK}@{}", text("contact_addr")),
            lifetime_s: number(&info, "expires"),
            ends_at: if state == State::Registered {
                number(&info, "timer_expires")
            } else {
                0
            },
        }
    }

    fn state(&self, flags: i64) -> State {
        let has = |flag: u64| flags.cast_unsigned() & flag != 0;
        if has(FLAG_ONLINE) && !has(FLAG_DISABLED) {
            return State::Registered;
        }
        match self.situation {
            Situation::WrongPassword | Situation::GivenUp => State::Refused(401, "Unauthorized"),
            Situation::UnknownUser => State::Refused(404, "Not Found"),
            Situation::DeadRegistrar => State::Timeout,
            Situation::Disabled | Situation::SwitchedOff | Situation::Unregistered => State::Off,
            Situation::Healthy
            | Situation::Refreshing
            | Situation::DiedLater
            | Situation::Removed
            | Situation::Displaced
            | Situation::Restarted => panic!("{:?}: flags {flags}", self.situation),
        }
    }
}

impl Belief {
    /// When it was registered or refreshed last, in seconds since 1970.
    pub(crate) fn refreshed_at(&self) -> i64 {
        self.ends_at - self.lifetime_s
    }
}

fn number(info: &Value, key: &str) -> i64 {
    info[key].as_i64().unwrap_or_else(|| panic!("no {key}: {info}"))
}
