//! What the wire showed, as the verdict uses it: one observation for each exchange with the registrar. Types; how a probe's report
//! becomes one stands in `reading`. Pure.

mod reading;

use schemars::JsonSchema;
use serde::Serialize;
use sip_registration::Cause;

use crate::Moment;

/// One exchange with the registrar, and what it showed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Observation {
    /// When it began.
    pub started_at: Moment,
    /// When it ended; bindings count their seconds from here.
    pub ended_at: Moment,
    /// What was asked.
    pub question: Question,
    /// From where it was seen, as the user names the place; `None` is here. What one place alone sees may be about the place.
    pub vantage: Option<String>,
    /// The address that answered, or that was asked last.
    pub server: Option<String>,
    /// What the registrar says that it is, escaped.
    pub product: Option<String>,
    /// The Contact of our own that is or was bound, never taken for anybody else's.
    pub own_contact: Option<String>,
    /// What it showed.
    pub sight: Sight,
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Which bindings are there: REGISTER with neither Contact nor Expires (RFC 3261 §10.2.3).
    Fetch,
    /// Bind a Contact of our own, with the user's consent.
    Register,
    /// Remove that Contact.
    Unregister,
    /// Are you there: OPTIONS to the registrar, to tell a dead one from one that refuses us.
    Ping,
    /// Is the Contact reachable: OPTIONS to the AOR, through the registrar.
    Inbound,
}

/// What an exchange showed. Texts are escaped.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "saw", rename_all = "snake_case")]
pub enum Sight {
    /// A 2xx to REGISTER, with these bindings.
    Bindings {
        /// Everything that is bound, our own Contact included.
        bindings: Vec<SeenBinding>,
        /// Whether credentials were asked for. Without, the registrar is open to everybody.
        challenged: bool,
    },
    /// Credentials were asked for, and there were none to answer with.
    Challenged {
        /// 401 or 407.
        code: u16,
    },
    /// The credentials were refused.
    Refused {
        /// 401 or 407.
        code: u16,
    },
    /// Any other 3xx, 4xx or 6xx.
    Rejected {
        /// The status code.
        code: u16,
        /// Its reason phrase.
        reason: String,
        /// Whether credentials had been sent before.
        authenticated: bool,
    },
    /// A 5xx: the registrar is sick.
    ServerError {
        /// The status code.
        code: u16,
        /// Its reason phrase.
        reason: String,
    },
    /// No usable answer: silence, DNS, transport, TLS, or a reply that cannot be used.
    Silent {
        /// Why.
        #[serde(serialize_with = "by_name")]
        #[schemars(with = "String")]
        cause: Cause,
        /// What is known about it.
        detail: String,
        /// Whether a SIP reply of any kind came before, such as a challenge: then something is there.
        answered: bool,
    },
    /// OPTIONS to the registrar was answered, with whatever code.
    Alive {
        /// The status code.
        code: u16,
    },
    /// OPTIONS to the AOR arrived at our own Contact, or was answered by whoever is bound.
    Reached {
        /// The status code; `None` when the request was seen to arrive and the reply was not.
        code: Option<u16>,
        /// Whether it was seen to arrive at our own Contact. Otherwise the answer alone says so.
        at_our_contact: bool,
    },
    /// OPTIONS to the AOR reached nobody.
    NotReached {
        /// The status code; `None` without an answer.
        code: Option<u16>,
        /// What is known about it.
        detail: String,
    },
}

/// A binding as the registrar lists it. Texts are escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SeenBinding {
    /// The Contact URI.
    pub contact: String,
    /// The seconds that it has left.
    pub expires_s: Option<u32>,
    /// Its `+sip.instance`.
    pub instance: Option<String>,
}

fn by_name<S: serde::Serializer>(cause: &Cause, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(cause.name())
}
