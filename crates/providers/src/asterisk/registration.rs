//! Decodes the events of `PJSIPShowRegistrationsOutbound`. Pure.
//!
//! `Status` is the last outcome: while a REGISTER is under way, the one before it. `Rejected` is said both when it will be tried again and
//! when it will not. `NextReg` is pjproject's, which Asterisk does not schedule by, and proves nothing.

use serde_json::Value;

use crate::dialogue::{Fields, Heard};
use crate::reading::{self, Lines};
use crate::{About, Answer, ClaimedContact, Listed, Settings, SourceKind, Unknown, Word};
use crate::{server_uri, text, transport_of};

const CONTRACT: &str = "asterisk pjsip";
/// The Contact's user where none is configured.
const DEFAULT_CONTACT_USER: &str = "s";

/// What was heard of outbound registrations, in the order in which it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registrations(Vec<Registration>);

/// One registration: its own event, and of that of its credentials the user's name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Registration {
    detail: Fields,
    auth_user: Option<String>,
}

impl Registrations {
    /// Hears an event of the list. `AuthDetail` holds a password: of it, only the user's name is kept.
    pub fn hear(&mut self, event: Fields) {
        if event.is("Event", "OutboundRegistrationDetail") {
            self.0.push(Registration {
                detail: event,
                auth_user: None,
            });
        } else if event.is("Event", "AuthDetail")
            && let Some(registration) = self.0.last_mut()
        {
            let user = event.value("Username").map(text::field).filter(|user| !user.is_empty());
            registration.auth_user = registration.auth_user.take().or(user);
        }
    }

    fn named(&self, name: &str) -> Option<&Registration> {
        self.0
            .iter()
            .find(|registration| registration.detail.value("ObjectName") == Some(name))
    }
}

/// Decodes the registration of this name. Any events give an answer.
#[must_use]
pub fn decode(registration: &str, heard: &Heard<Registrations>) -> Answer {
    let blank = blank(heard);
    match heard.what.named(registration) {
        Some(found) => of_detail(&found.detail, blank),
        None => Answer {
            word: Word::NotFound,
            raw: format!("{} outbound registrations, none of this name", heard.what.0.len()),
            ..blank
        },
    }
}

/// How the registration of this name registers.
#[must_use]
pub fn settings(registration: &str, registrations: &Registrations) -> Option<Settings> {
    registrations.named(registration).map(settings_of)
}

/// All registrations, each as it would answer for itself.
pub(super) fn all(heard: &Heard<Registrations>) -> Vec<Listed> {
    let listed = |registration: &Registration| Listed {
        object: text::field(registration.detail.value("ObjectName").unwrap_or_default()),
        answer: of_detail(&registration.detail, blank(heard)),
        settings: settings_of(registration),
    };
    heard.what.0.iter().map(listed).collect()
}

fn blank(heard: &Heard<Registrations>) -> Answer {
    Answer {
        contract: Some(CONTRACT),
        ..Answer::blank(SourceKind::Asterisk, heard.asked_at, heard.answered_at)
    }
}

fn of_detail(detail: &Fields, blank: Answer) -> Answer {
    let mut lines = Lines::default();
    let shown = detail.iter().filter(|(name, _)| !matches!(*name, "Event" | "ActionID"));
    for (name, value) in shown {
        lines.say(name, &Value::from(value), about(name));
    }
    let fields: serde_json::Map<_, _> = detail.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    Answer {
        word: word(detail).unwrap_or_else(Word::Unknown),
        lifetime_s: seconds(detail),
        contact: contact(detail),
        username: user(detail),
        said: lines.into_said(),
        raw: text::raw(&Value::Object(fields)),
        ..blank
    }
}

fn settings_of(registration: &Registration) -> Settings {
    let detail = &registration.detail;
    let uri = |name| detail.value(name).and_then(server_uri);
    let registrar = uri("ServerUri");
    let outbound_proxy = uri("OutboundProxy");
    Settings {
        name: detail.value("ObjectName").map(text::field),
        enabled: None,
        aor: uri("ClientUri"),
        transport: outbound_proxy.as_ref().or(registrar.as_ref()).and_then(transport_of),
        registrar,
        outbound_proxy,
        auth_user: registration.auth_user.clone(),
        expires: seconds(detail),
        contact: contact(detail),
    }
}

fn word(detail: &Fields) -> Result<Word, Unknown> {
    match detail.value("Status") {
        Some("Registered") => Ok(Word::Registered),
        Some("Unregistered" | "Stopped") => Ok(Word::NotRegistered),
        Some("Rejected") => Ok(Word::Failed),
        Some(other) => Err(Unknown::new_value("Status", &other.into())),
        None => Err(Unknown::contract("Status is missing")),
    }
}

fn seconds(detail: &Fields) -> Option<u32> {
    detail.value("Expiration")?.parse().ok().filter(|&seconds| seconds > 0)
}

fn user(detail: &Fields) -> Option<String> {
    reading::contact(detail.value("ClientUri")?)?.user
}

/// Asterisk says the user of its Contact, and nothing of the address.
fn contact(detail: &Fields) -> Option<ClaimedContact> {
    let user = detail.value("ContactUser")?;
    let user = if user.is_empty() { DEFAULT_CONTACT_USER } else { user };
    Some(ClaimedContact {
        user: Some(text::field(user)),
        ..ClaimedContact::default()
    })
}

fn about(field: &str) -> About {
    match field {
        "ObjectName" => About::Identity,
        "Status" => About::State,
        "Expiration" => About::Lifetime,
        "ContactUser" => About::Contact,
        "ClientUri" => About::Username,
        "Transport" => About::Transport,
        _ => About::Other,
    }
}

#[cfg(test)]
mod tests;
