//! Decodes the status of a gateway. Pure.
//!
//! `state` is the registration, `status` whether calls go through, which an OPTIONS ping may deny. `uptime-usec` is since when it is up
//! and `expires` what is asked for; neither the end of the binding nor the next REGISTER is told, but after a failure the next try is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;
use sip_message::OwnedUri;

use super::xml::{Elements, gateways, only};
use crate::dialogue::Heard;
use crate::reading::{self, Lines};
use crate::{About, Answer, ApiTrouble, ClaimedTime, Listed, Settings, SourceKind, Unknown, Word};
use crate::{address_of_record, server_uri, text, transport_of};

const CONTRACT: &str = "freeswitch xmlstatus";
/// The name of a gateway, free of everything that could make another command of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway(String);

/// Why a text is no [`Gateway`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a gateway's name is of at most 128 letters, digits and - . _ : @ + ~")]
pub struct NoGateway;

impl FromStr for Gateway {
    type Err = NoGateway;

    fn from_str(text: &str) -> Result<Self, NoGateway> {
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:@+~".contains(&byte);
        if text.is_empty() || text.len() > 128 || !text.bytes().all(harmless) {
            return Err(NoGateway);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Gateway {
    /// True when this is what it is called; FreeSWITCH also finds it by `profile::name`, and answers with the name alone.
    fn is_called(&self, name: &str) -> bool {
        self.0 == name || self.0.rsplit_once("::").is_some_and(|(_, bare)| bare == name)
    }
}

/// Decodes what `sofia xmlstatus gateway NAME` says. Any text gives an answer.
#[must_use]
pub fn decode(gateway: &Gateway, heard: &Heard<String>) -> Answer {
    let blank = Answer {
        contract: Some(CONTRACT),
        raw: text::raw(&Value::from(&*heard.what)),
        ..Answer::blank(SourceKind::Freeswitch, heard.asked_at, heard.answered_at)
    };
    let word = match only(&heard.what) {
        Ok(elements) => match wrong_name(gateway, &elements) {
            None => return of_elements(&elements, blank),
            Some(unknown) => Word::Unknown(unknown),
        },
        Err(_) if is_unknown_gateway(&heard.what) => Word::NotFound,
        Err(problem) => Word::Unknown(Unknown::contract(text::field(&problem))),
    };
    Answer { word, ..blank }
}

/// How it registers. Its address-of-record is its From, which is its To as well unless `distinct-to` is set.
#[must_use]
pub fn settings(elements: &Elements) -> Settings {
    let uri = |name| elements.value(name).and_then(server_uri);
    let from = uri("from");
    Settings {
        name: elements.value("name").map(text::field),
        enabled: elements.value("state").map(|state| !matches!(state, "NOREG" | "DOWN")),
        aor: from.as_ref().and_then(aor),
        registrar: uri("proxy"),
        outbound_proxy: None,
        transport: from.as_ref().and_then(transport_of),
        auth_user: elements.value("username").map(text::field),
        expires: seconds(elements),
        contact: elements.value("contact").and_then(reading::contact),
    }
}

/// The gateway that was asked for.
pub(super) fn found(gateway: &Gateway, heard: &str) -> Result<Elements, ApiTrouble> {
    match only(heard) {
        Ok(elements) if wrong_name(gateway, &elements).is_none() => Ok(elements),
        Err(_) if is_unknown_gateway(heard) => Err(ApiTrouble::NotFound),
        Ok(_) | Err(_) => Err(ApiTrouble::Contract),
    }
}

/// Every gateway of a list, as it would answer for itself.
pub(super) fn all(heard: &Heard<String>) -> Result<Vec<Listed>, String> {
    let listed = |elements: Elements| Listed {
        object: elements.value("name").map(text::field).unwrap_or_default(),
        answer: of_elements(
            &elements,
            Answer {
                contract: Some(CONTRACT),
                ..Answer::blank(SourceKind::Freeswitch, heard.asked_at, heard.answered_at)
            },
        ),
        settings: settings(&elements),
    };
    Ok(gateways(&heard.what)?.into_iter().map(listed).collect())
}

fn of_elements(elements: &Elements, blank: Answer) -> Answer {
    let mut lines = Lines::default();
    for (name, value) in elements.iter() {
        lines.say(name, &Value::from(value), about(name));
    }
    let again = elements.value("retry").and_then(|retry| retry.strip_suffix('s')?.parse().ok());
    let in_time = |seconds| ClaimedTime {
        at: blank.answered_at.after(Duration::from_secs(seconds)),
        zone_known: true,
    };
    Answer {
        word: word(elements).unwrap_or_else(Word::Unknown),
        lifetime_s: seconds(elements),
        next_action_at: again.map(in_time),
        contact: elements.value("contact").and_then(reading::contact),
        username: elements.value("username").map(text::field),
        said: lines.into_said(),
        ..blank
    }
}

/// The state, held against the status. REGISTER lasts for the second in which FreeSWITCH takes up a 200, TRYING as long as a refresh.
fn word(elements: &Elements) -> Result<Word, Unknown> {
    let missing = |field: &str| Unknown::contract(format!("{field} is missing"));
    let state = elements.value("state").ok_or_else(|| missing("state"))?;
    let status = elements.value("status").ok_or_else(|| missing("status"))?;
    let up = match status {
        "UP" => true,
        "DOWN" => false,
        _ => return Err(Unknown::new_value("status", &status.into())),
    };
    Ok(match state {
        "REGED" | "REGISTER" if up => Word::Registered,
        "REGED" => {
            return Err(Unknown::contradiction("state REGED", "status DOWN"));
        }
        "TRYING" | "REGISTER" => Word::Registering,
        "UNREGED" => Word::NotRegistered,
        "UNREGISTER" => Word::Unregistering,
        "FAILED" | "FAIL_WAIT" => Word::Failed,
        "TIMEOUT" => Word::Timeout,
        "EXPIRED" => Word::Lapsed,
        "NOREG" | "DOWN" => Word::Disabled,
        _ => return Err(Unknown::new_value("state", &state.into())),
    })
}

fn wrong_name(gateway: &Gateway, elements: &Elements) -> Option<Unknown> {
    let name = elements.value("name").unwrap_or_default();
    (!gateway.is_called(name)).then(|| Unknown::WrongObject {
        field: "name".to_owned(),
        asked: gateway.to_string(),
        answered: text::field(name),
    })
}

/// What it says instead of XML.
fn is_unknown_gateway(heard: &str) -> bool {
    heard.trim() == "Invalid Gateway!"
}

fn seconds(elements: &Elements) -> Option<u32> {
    elements.value("expires")?.parse().ok().filter(|&seconds| seconds > 0)
}

fn aor(from: &OwnedUri) -> Option<OwnedUri> {
    let user = String::from_utf8(from.parts().user_name()?).ok()?;
    address_of_record(&user, from)
}

fn about(element: &str) -> About {
    match element {
        "name" => About::Identity,
        "state" | "status" => About::State,
        "expires" => About::Lifetime,
        "retry" => About::NextAction,
        "uptime-usec" => About::Refresh,
        "contact" => About::Contact,
        "username" => About::Username,
        _ => About::Other,
    }
}

#[cfg(test)]
mod tests;
