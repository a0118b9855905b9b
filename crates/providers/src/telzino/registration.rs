//! The SIP account of an agent as it is stored at Telzino, in both documented revisions of the request. That something is stored does not
//! say that it is registered, whatever the message says.

use std::fmt;

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sip_message::OwnedUri;
use sip_registration::Transport;

use crate::reading;

/// A SIP account to store. Every value in it is valid.
#[derive(Clone)]
pub struct Registration {
    revision: Revision,
    fields: Map<String, Value>,
    password: SecretString,
}

/// What the API of the day calls things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Revision {
    /// `aor` and `sipRealm`; transports in capitals.
    Former,
    /// `sipDomain`; transports in small letters; `authUsername` and `did`.
    Current,
}

/// A value that Telzino could not use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// Which field, by Telzino's name.
    pub field: &'static str,
    /// What is wrong with it. Holds nothing of the value.
    pub problem: &'static str,
}

/// What Telzino says that it has stored. Its echo of the password is not among it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stored {
    /// Its message. The former revision says "registered successfully" and means stored.
    pub message: Option<String>,
    /// The extension under which the agent is known, which Telzino sets to the user name.
    pub extension: Option<String>,
    /// Whether Telzino is going to register it.
    pub registration_enabled: Option<bool>,
    /// The fields whose echo is not what was sent.
    pub differing: Vec<String>,
}

impl Registration {
    /// An account as the current revision has it.
    ///
    /// # Errors
    /// [`Invalid`]: `domain` is a host without port, `username` fits the user part of a SIP URI, `password` is neither empty nor holds
    /// control characters.
    pub fn new(domain: &str, username: &str, password: SecretString) -> Result<Self, Invalid> {
        let fields = [("sipDomain", host("sipDomain", domain)?), ("username", user("username", username)?)];
        Self::of(Revision::Current, fields, password)
    }

    /// An account as the former revision has it. `aor` is `user@host`.
    ///
    /// # Errors
    /// [`Invalid`], as for [`Registration::new`].
    pub fn former(aor: &str, realm: &str, username: &str, password: SecretString) -> Result<Self, Invalid> {
        let fields = [
            ("aor", address("aor", aor)?),
            ("sipRealm", line("sipRealm", realm)?),
            ("username", user("username", username)?),
        ];
        Self::of(Revision::Former, fields, password)
    }

    /// Through this proxy: a host without port.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn proxy(self, proxy: &str) -> Result<Self, Invalid> {
        let proxy = host("proxy", proxy)?;
        Ok(self.with("proxy", proxy.into()))
    }

    /// To this port instead of 5060.
    ///
    /// # Errors
    /// [`Invalid`] for 0.
    pub fn port(self, port: u16) -> Result<Self, Invalid> {
        if port == 0 {
            return Err(invalid("port", "is 1 to 65535"));
        }
        Ok(self.with("port", port.into()))
    }

    /// Over this transport instead of UDP.
    #[must_use]
    pub fn transport(self, transport: Transport) -> Self {
        let name = match self.revision {
            Revision::Former => transport.via(),
            Revision::Current => transport.name(),
        };
        self.with("transport", name.into())
    }

    /// With or without SUBSCRIBE for presence; without is Telzino's default.
    #[must_use]
    pub fn subscribe(self, subscribe: bool) -> Self {
        self.with("subscribe", subscribe.into())
    }

    /// With this user name for digest.
    ///
    /// # Errors
    /// [`Invalid`], also in the former revision, which has no such field.
    pub fn auth_username(self, username: &str) -> Result<Self, Invalid> {
        let username = line("authUsername", username)?;
        self.current("authUsername")
            .map(|registration| registration.with("authUsername", username.into()))
    }

    /// With this number as the caller's in INVITE: digits, with or without a plus.
    ///
    /// # Errors
    /// [`Invalid`], also in the former revision, which has no such field.
    pub fn did(self, number: &str) -> Result<Self, Invalid> {
        // E.164 §6.2.1: at most fifteen digits.
        let digits = number.strip_prefix('+').unwrap_or(number);
        if !(1..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid("did", "is a number such as +15551234567"));
        }
        let number = number.to_owned();
        self.current("did").map(|registration| registration.with("did", number.into()))
    }

    /// The request's body, with the password in it.
    pub(super) fn body(&self) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("password".to_owned(), json!(self.password.expose_secret()));
        Value::Object(fields)
    }

    /// The password alone, to be kept out of the answer.
    pub(super) fn password(&self) -> SecretString {
        self.password.clone()
    }

    fn of<const N: usize>(revision: Revision, fields: [(&str, String); N], password: SecretString) -> Result<Self, Invalid> {
        if password.expose_secret().is_empty() || password.expose_secret().chars().any(char::is_control) {
            return Err(invalid("password", "is neither empty nor holds control characters"));
        }
        Ok(Self {
            revision,
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect(),
            password,
        })
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    fn current(self, field: &'static str) -> Result<Self, Invalid> {
        match self.revision {
            Revision::Current => Ok(self),
            Revision::Former => Err(invalid(field, "is not known to the former revision of the API")),
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Registration");
        shown.field("revision", &self.revision).field("fields", &self.fields);
        shown.finish_non_exhaustive()
    }
}

impl Stored {
    /// Reads the answer to what was sent; the error is what Telzino says when it was not stored.
    pub(super) fn read(sent: &Registration, body: &Value) -> Result<Self, String> {
        let password = sent.password.expose_secret();
        let message = body["message"].as_str().map(|message| message.replace(password, "***"));
        let message = message.and_then(|message| reading::text(&message.into()));
        if body["success"] == json!(false) {
            return Err(message.map_or_else(|| "success is false".to_owned(), |why| format!("success is false: {why}")));
        }
        let echo = reading::unwrap_data(body);
        if body["success"] != json!(true) && !body["data"].is_object() {
            return Err("the answer does not say whether it was stored".to_owned());
        }
        let differs = |(name, value): &(&String, &Value)| !echo[name.as_str()].is_null() && !same(&echo[name.as_str()], value);
        Ok(Self {
            message,
            extension: reading::text(&echo["extension"]),
            registration_enabled: reading::yes_or_no(&echo["registrationEnabled"]),
            differing: sent.fields.iter().filter(differs).map(|(name, _)| name.clone()).collect(),
        })
    }
}

/// Equal, apart from capitals and from numbers that come as strings.
fn same(echo: &Value, sent: &Value) -> bool {
    let words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    words(echo).eq_ignore_ascii_case(&words(sent))
}

fn host(field: &'static str, value: &str) -> Result<String, Invalid> {
    let uri: Option<OwnedUri> = format!("sip:{value}").parse().ok();
    match uri {
        Some(uri) if uri.as_str() == format!("sip:{}", uri.parts().host) => Ok(value.to_owned()),
        Some(_) | None => Err(invalid(field, "is a host name or an address, without port and parameters")),
    }
}

fn user(field: &'static str, value: &str) -> Result<String, Invalid> {
    let uri: Option<OwnedUri> = format!("sip:{value}@h.invalid").parse().ok();
    match uri {
        Some(uri) if !value.is_empty() && !value.contains('@') && uri.parts().user == Some(value.as_bytes()) => Ok(value.to_owned()),
        Some(_) | None => Err(invalid(field, "is a user name as in sip:1001@sip.example.com, without the host")),
    }
}

fn address(field: &'static str, value: &str) -> Result<String, Invalid> {
    let problem = "is an address such as 1001@sip.example.com";
    let bare = value.strip_prefix("sip:").unwrap_or(value);
    let (name, domain) = bare.rsplit_once('@').ok_or(invalid(field, problem))?;
    user(field, name).and(host(field, domain)).map_err(|_| invalid(field, problem))?;
    Ok(bare.to_owned())
}

fn line(field: &'static str, value: &str) -> Result<String, Invalid> {
    if value.trim().is_empty() || value.chars().any(char::is_control) {
        return Err(invalid(field, "is neither empty nor holds control characters"));
    }
    Ok(value.to_owned())
}

const fn invalid(field: &'static str, problem: &'static str) -> Invalid {
    Invalid { field, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SecretString {
        "canary".to_owned().into()
    }

    #[test]
    fn the_current_revision_is_written_as_documented() {
        let registration = Registration::new("sip.example.com", "1001", secret()).unwrap();
        assert_eq!(
            registration.body(),
            json!({"sipDomain": "sip.example.com", "username": "1001", "password": "canary"})
        );
        let full = registration
            .proxy("proxy.example.com")
            .unwrap()
            .port(5061)
            .unwrap()
            .transport(Transport::Tls);
        let full = full
            .subscribe(true)
            .auth_username("auth-1001")
            .unwrap()
            .did("+15551234567")
            .unwrap();
        assert_eq!(
            full.body(),
            json!({"sipDomain": "sip.example.com", "username": "1001", "password": "canary", "proxy": "proxy.example.com", "port": 5061,
                "transport": "tls", "subscribe": true, "authUsername": "auth-1001", "did": "+15551234567"})
        );
        assert!(!format!("{full:?}").contains("canary"));
    }

    #[test]
    fn the_former_revision_is_written_as_documented() {
        let registration = Registration::former("sip:agent@sip.example.com", "sip.example.com", "agent", secret()).unwrap();
        let registration = registration.transport(Transport::Udp).port(5060).unwrap().subscribe(false);
        assert_eq!(
            registration.body(),
            json!({"aor": "agent@sip.example.com", "sipRealm": "sip.example.com", "username": "agent", "password": "canary",
                "port": 5060, "transport": "UDP", "subscribe": false})
        );
        assert_eq!(registration.clone().did("1").unwrap_err().field, "did");
        assert_eq!(registration.auth_username("x").unwrap_err().field, "authUsername");
    }

    #[test]
    fn what_telzino_could_not_use_is_refused_before_it_is_sent() {
        let field = |outcome: Result<Registration, Invalid>| outcome.unwrap_err().field;
        for domain in ["", "sip:sip.example.com", "sip.example.com:5060", "a b", "a;b", "a\r\nb", "alice@a"] {
            assert_eq!(field(Registration::new(domain, "1001", secret())), "sipDomain", "{domain}");
        }
        for username in ["", "a@b", "a b", "a\n", "a:b"] {
            assert_eq!(field(Registration::new("a.example", username, secret())), "username", "{username}");
        }
        for password in ["", "can\0ary", "canary\r\n"] {
            let error = Registration::new("a.example", "1", password.to_owned().into()).unwrap_err();
            assert!(error.field == "password" && !error.to_string().contains("canary"));
        }
        for aor in ["alice", "@a.example", "alice@", "alice@a.example:5060"] {
            assert_eq!(field(Registration::former(aor, "a.example", "alice", secret())), "aor", "{aor}");
        }
        let good = || Registration::new("a.example", "1", secret()).unwrap();
        assert_eq!((field(good().port(0)), field(good().proxy("a:1"))), ("port", "proxy"));
        for number in ["", "+", "15551234567 ", "0123456789012345", "+1-555"] {
            assert_eq!(field(good().did(number)), "did", "{number}");
        }
    }

    #[test]
    fn the_answer_is_stored_and_never_registered_and_holds_no_password() {
        let sent = Registration::new("sip.example.com", "1001", secret()).unwrap();
        let sent = sent.transport(Transport::Udp).port(5060).unwrap();
        let echo = json!({"success": true, "data": {"sipDomain": "sip.example.com", "username": "1001", "password": "canary", "proxy": null,
            "port": "5060", "transport": "UDP", "registrationEnabled": true, "extension": "1001"}});
        let stored = Stored::read(&sent, &echo).unwrap();
        assert_eq!(
            (stored.extension.as_deref(), stored.registration_enabled),
            (Some("1001"), Some(true))
        );
        assert_eq!(stored.differing, Vec::<String>::new());
        assert!(!format!("{stored:?}{}", serde_json::to_string(&stored).unwrap()).contains("canary"));
        let stored = Stored::read(&sent, &json!({"success": true, "data": {"port": 5061}})).unwrap();
        assert_eq!(stored.differing, ["port"]);
        let stored = Stored::read(&sent, &json!({"success": true, "message": "SIP account registered successfully"})).unwrap();
        assert_eq!(stored.message.as_deref(), Some("SIP account registered successfully"));
        let stored = Stored::read(&sent, &json!({"success": true, "message": "1001 with canary is stored"})).unwrap();
        assert_eq!(stored.message.as_deref(), Some("1001 with *** is stored"));
    }

    #[test]
    fn a_refusal_with_a_good_status_is_a_refusal() {
        let sent = Registration::new("sip.example.com", "1001", secret()).unwrap();
        let refused = |body: Value| Stored::read(&sent, &body).unwrap_err();
        assert_eq!(refused(json!({"success": false, "message": "no"})), "success is false: no");
        assert_eq!(refused(json!({"success": false})), "success is false");
        for odd in [json!([]), json!(null), json!("stored"), json!({}), json!({"message": "stored"})] {
            assert!(refused(odd).contains("does not say"));
        }
    }
}
