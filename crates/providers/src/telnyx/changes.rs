//! What a UAC connection is to become. Each value is checked as it is given, so that a wrong one names its field before anything is
//! sent; what Telnyx takes with a 200 and does not keep is found afterwards.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use sip_registration::Transport;

use super::revision::find;
use super::{Invalid, Key, UacConnection, server_uri};
use crate::reading::{integer, unwrap_data};
use crate::{Reply, text};

/// Changes of a UAC connection: only what is named is sent. Debug shows names alone.
#[derive(Clone, Default)]
pub struct UacChanges {
    top: Map<String, Value>,
    external: Map<String, Value>,
    internal: Map<String, Value>,
    password: Option<SecretString>,
    external_password: Option<SecretString>,
}

/// A connection after a change.
#[derive(Debug, Clone)]
pub struct UacChanged {
    /// As Telnyx has it now.
    pub connection: UacConnection,
    /// The fields that were sent and are not there as sent. Telnyx answers 200 to fields that it ignores.
    pub ignored: Vec<String>,
    /// True when those are all that were sent: nothing has become different.
    pub all_ignored: bool,
}

impl UacChanges {
    /// Another name.
    #[must_use]
    pub fn connection_name(self, name: &Key) -> Self {
        self.set("connection_name", json!(name.as_str()))
    }

    /// On or off.
    #[must_use]
    pub fn active(self, active: bool) -> Self {
        self.set("active", json!(active))
    }

    /// Telnyx' own user name of the connection.
    ///
    /// # Errors
    /// [`Invalid`] for anything but 4 to 32 letters and digits.
    pub fn user_name(self, name: &str) -> Result<Self, Invalid> {
        let is_right = (4..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let right = "4 to 32 letters and digits";
        let name = checked("user_name", name, is_right, right)?;
        Ok(self.set("user_name", name))
    }

    /// The password to that.
    ///
    /// # Errors
    /// [`Invalid`] for fewer than 8 characters and more than 128.
    pub fn password(mut self, password: SecretString) -> Result<Self, Invalid> {
        if !(8..=128).contains(&password.expose_secret().chars().count()) {
            return Err(Invalid {
                field: "password",
                problem: "it is too short or too long".to_owned(),
                right: "8 to 128 characters",
            });
        }
        self.password = Some(password);
        Ok(self)
    }

    /// The PBX that Telnyx registers at.
    ///
    /// # Errors
    /// [`Invalid`] for what is no host and no SIP URI.
    pub fn proxy(self, proxy: &str) -> Result<Self, Invalid> {
        let proxy = checked("external_uac_settings.proxy", proxy, server_uri(proxy).is_some(), SERVER)?;
        Ok(self.set_external("proxy", proxy))
    }

    /// The server in front of the PBX; `None` takes it away.
    ///
    /// # Errors
    /// [`Invalid`] for what is no host and no SIP URI.
    pub fn outbound_proxy(self, proxy: Option<&str>) -> Result<Self, Invalid> {
        let field = "external_uac_settings.outbound_proxy";
        let proxy = optional(proxy, |proxy| checked(field, proxy, server_uri(proxy).is_some(), SERVER))?;
        Ok(self.set_external("outbound_proxy", proxy))
    }

    /// The user that is registered at the PBX.
    ///
    /// # Errors
    /// [`Invalid`] for anything but 4 to 256 characters without white space, the first a letter or a digit.
    pub fn username(self, username: &str) -> Result<Self, Invalid> {
        let starts_well = username.starts_with(|first: char| first.is_ascii_alphanumeric());
        let is_right = (4..=256).contains(&username.len()) && starts_well && is_one_word(username);
        let right = "4 to 256 characters without spaces, the first a letter or a digit";
        let username = checked("external_uac_settings.username", username, is_right, right)?;
        Ok(self.set_external("username", username))
    }

    /// The user name for digest; `None` makes it the user that is registered.
    ///
    /// # Errors
    /// [`Invalid`] for an empty one, and for control characters.
    pub fn auth_username(self, username: Option<&str>) -> Result<Self, Invalid> {
        let field = "external_uac_settings.auth_username";
        let username = optional(username, |username| checked(field, username, is_printable(username), ONE_LINE))?;
        Ok(self.set_external("auth_username", username))
    }

    /// The user in From; `None` makes it the user that is registered.
    ///
    /// # Errors
    /// [`Invalid`] for an empty one, and for white space.
    pub fn from_user(self, user: Option<&str>) -> Result<Self, Invalid> {
        let field = "external_uac_settings.from_user";
        let user = optional(user, |user| checked(field, user, is_one_word(user), "one word"))?;
        Ok(self.set_external("from_user", user))
    }

    /// The password at the PBX.
    ///
    /// # Errors
    /// [`Invalid`] for an empty one.
    pub fn external_password(mut self, password: SecretString) -> Result<Self, Invalid> {
        if password.expose_secret().is_empty() {
            return Err(Invalid {
                field: "external_uac_settings.password",
                problem: "it is empty".to_owned(),
                right: "the password of the account at the PBX",
            });
        }
        self.external_password = Some(password);
        Ok(self)
    }

    /// The transport to the PBX.
    #[must_use]
    pub fn transport(self, transport: Transport) -> Self {
        self.set_external("transport", json!(transport.via()))
    }

    /// The seconds that are asked for.
    ///
    /// # Errors
    /// [`Invalid`] for none.
    pub fn expiration(self, seconds: u32) -> Result<Self, Invalid> {
        if seconds == 0 {
            return Err(Invalid {
                field: "external_uac_settings.expiration_sec",
                problem: "0 would un-register".to_owned(),
                right: "a number of seconds above 0, such as 600",
            });
        }
        Ok(self.set_external("expiration_sec", json!(seconds)))
    }

    /// Where calls from the PBX go.
    ///
    /// # Errors
    /// [`Invalid`] for anything but `<extension>@<application>.sip.telnyx.com`.
    pub fn destination_uri(mut self, uri: &str) -> Result<Self, Invalid> {
        let uri = checked("internal_uac_settings.destination_uri", uri, is_destination(uri), DESTINATION)?;
        self.internal.insert("destination_uri".to_owned(), uri);
        Ok(self)
    }

    /// Any other field of the connection, by Telnyx' name and unchecked.
    ///
    /// # Errors
    /// [`Invalid`] for the fields that have a method of their own.
    pub fn other(self, name: &str, value: Value) -> Result<Self, Invalid> {
        let own = [
            "connection_name",
            "active",
            "user_name",
            "password",
            "external_uac_settings",
            "internal_uac_settings",
        ];
        if own.contains(&name) {
            return Err(Invalid {
                field: "",
                problem: format!("{name} is checked, and is not set this way"),
                right: "it by the option of its own",
            });
        }
        Ok(self.set(name, value))
    }

    /// True when nothing is to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body() == json!({})
    }

    /// What is sent. Holds the passwords.
    pub(super) fn body(&self) -> Value {
        let mut body = self.top.clone();
        let password = |password: &Option<SecretString>| password.as_ref().map(|password| json!(password.expose_secret()));
        let mut external = self.external.clone();
        external.extend(password(&self.external_password).map(|password| ("password".to_owned(), password)));
        body.extend(password(&self.password).map(|password| ("password".to_owned(), password)));
        for (name, settings) in [
            ("external_uac_settings", external),
            ("internal_uac_settings", self.internal.clone()),
        ] {
            if !settings.is_empty() {
                body.insert(name.to_owned(), settings.into());
            }
        }
        body.into()
    }

    /// The same with a name, for a new connection.
    pub(super) fn body_named(&self, name: &Key) -> Value {
        self.clone().connection_name(name).body()
    }

    fn set(mut self, name: &str, value: Value) -> Self {
        self.top.insert(name.to_owned(), value);
        self
    }

    fn set_external(mut self, name: &str, value: Value) -> Self {
        self.external.insert(name.to_owned(), value);
        self
    }
}

impl fmt::Debug for UacChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<String> = Vec::new();
        for_each_leaf("", &self.body(), &mut |name, _| names.push(name.to_owned()));
        f.debug_tuple("UacChanges").field(&names).finish()
    }
}

/// Holds what was sent against what came back.
pub(super) fn changed(sent: &Value, reply: &Reply, connection: UacConnection) -> UacChanged {
    let now = unwrap_data(&reply.body);
    let (mut ignored, mut sent_fields) = (Vec::new(), 0);
    for_each_leaf("", sent, &mut |name, value| {
        sent_fields += 1;
        if !text::is_secret(name) && !is_same(value, find(now, name).unwrap_or(&Value::Null)) {
            ignored.push(name.to_owned());
        }
    });
    UacChanged {
        all_ignored: sent_fields > 0 && ignored.len() == sent_fields,
        connection,
        ignored,
    }
}

/// Whether a value was kept: a number may come back as a text.
fn is_same(sent: &Value, kept: &Value) -> bool {
    sent == kept || integer(sent).is_some_and(|number| integer(kept) == Some(number))
}

fn for_each_leaf(above: &str, value: &Value, leaf: &mut impl FnMut(&str, &Value)) {
    match value.as_object() {
        Some(fields) => {
            for (name, value) in fields {
                let dot = if above.is_empty() { "" } else { "." };
                for_each_leaf(&format!("{above}{dot}{name}"), value, leaf);
            }
        }
        None => leaf(above, value),
    }
}

const SERVER: &str = "a host, HOST:PORT or a SIP URI, such as sip:pbx.example.com:5060";
const ONE_LINE: &str = "a name without control characters";
const DESTINATION: &str = "EXTENSION@APPLICATION.sip.telnyx.com without sip: in front, the extension of letters, digits, - and _, \
                           such as 1006@assistant-abc123.sip.telnyx.com";

fn checked(field: &'static str, value: &str, is_right: bool, right: &'static str) -> Result<Value, Invalid> {
    if is_right {
        return Ok(json!(value));
    }
    let problem = if value.is_empty() {
        "it is empty".to_owned()
    } else {
        format!("{} is none", text::field(value))
    };
    Err(Invalid { field, problem, right })
}

fn optional(value: Option<&str>, check: impl FnOnce(&str) -> Result<Value, Invalid>) -> Result<Value, Invalid> {
    value.map_or(Ok(Value::Null), check)
}

fn is_printable(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

fn is_one_word(text: &str) -> bool {
    is_printable(text) && !text.chars().any(char::is_whitespace)
}

/// `<extension>@<application>.sip.telnyx.com`; `sipdev` is Telnyx' own test bed.
fn is_destination(uri: &str) -> bool {
    let Some((extension, host)) = uri.split_once('@') else {
        return false;
    };
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let application = [".sip.telnyx.com", ".sipdev.telnyx.com"]
        .iter()
        .find_map(|domain| host.strip_suffix(domain));
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_word);
    is_label(extension) && application.is_some_and(|application| application.split('.').all(is_label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<T>(result: Result<T, Invalid>) -> String {
        result.err().unwrap().to_string()
    }

    #[test]
    fn only_what_is_named_is_sent() {
        assert!(UacChanges::default().is_empty());
        let changes = UacChanges::default()
            .active(false)
            .transport(Transport::Tls)
            .expiration(600)
            .unwrap();
        let changes = changes
            .outbound_proxy(None)
            .unwrap()
            .external_password("s3cret".to_owned().into())
            .unwrap();
        let external = json!({"transport": "TLS", "expiration_sec": 600, "outbound_proxy": null, "password": "s3cret"});
        assert_eq!(changes.body(), json!({"active": false, "external_uac_settings": external}));
        assert!(!format!("{changes:?}").contains("s3cret"));
    }

    #[test]
    fn a_wrong_value_names_its_field_and_what_would_be_right() {
        let changes = UacChanges::default;
        for wrong in [
            "1006",
            "1006@sip.telnyx.com",
            "sip:1006@a.sip.telnyx.com",
            "@a.sip.telnyx.com",
            "a b@c.sip.telnyx.com",
            "1006@a..sip.telnyx.com",
            "1006@a.sip.telnyx.com.evil.example",
            "1006@pbx.example.com",
        ] {
            let error = told(changes().destination_uri(wrong));
            assert!(error.starts_with("internal_uac_settings.destination_uri: "), "{error}");
            assert!(error.contains("1006@assistant-abc123.sip.telnyx.com"), "{error}");
        }
        assert!(changes().destination_uri("1006@assistant-abc123.sip.telnyx.com").is_ok());
        assert!(told(changes().username("abc")).starts_with("external_uac_settings.username: abc is none; write 4 to 256"));
        assert!(changes().username("-abcd").is_err() && changes().username("ab cd").is_err());
        assert!(changes().username(&"a".repeat(257)).is_err() && changes().username("telnyx.reg").is_ok());
        assert!(told(changes().expiration(0)).contains("above 0"));
        assert!(told(changes().proxy("two words")).contains("sip:pbx.example.com:5060"));
        assert!(told(changes().user_name("office-1")).contains("letters and digits"));
        let error = told(changes().password("short".to_owned().into()));
        assert!(error.contains("8 to 128") && !error.contains("short\""), "{error}");
        assert!(changes().other("active", json!(true)).is_err() && changes().other("tags", json!(["a"])).is_ok());
    }
}
