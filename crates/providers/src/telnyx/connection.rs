//! UAC connections: Telnyx registers at the customer's PBX. Reading them, and asking for them.

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use sip_registration::Transport;

use super::fields::{Fields, external_name};
use super::pages::List;
use super::{Client, Key, Pages, UacChanged, UacChanges, UacQuery, changes, unexpected};
use crate::reading::{count, identifier, text, unwrap_data};
use crate::{ApiError, Reply, Request, Settings, address_of_record, registrar_at, server_uri, transport_named, transport_of};

/// A UAC connection. Texts are escaped and cut; fields without a place of their own are kept in `other`, secrets removed.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct UacConnection {
    /// Its id.
    pub id: String,
    /// What its owner calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_name: Option<String>,
    /// Whether it is switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Telnyx' own user name of it; not the one that it registers with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The password to that, where Telnyx tells it: when it was made or changed just now. Never serialised.
    #[serde(skip)]
    pub password: Option<SecretString>,
    /// The name under which it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// The stored status, which may be older than it looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_status: Option<String>,
    /// When that was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_status_updated_at: Option<String>,
    /// How it registers at the PBX.
    pub external_uac_settings: ExternalUacSettings,
    /// Where calls from the PBX go.
    pub internal_uac_settings: InternalUacSettings,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Everything else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// How a UAC connection registers at the PBX.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct ExternalUacSettings {
    /// The PBX: a host or a SIP URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// The server in front of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound_proxy: Option<String>,
    /// The user that is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The user name for digest, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_username: Option<String>,
    /// The user in From, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_user: Option<String>,
    /// The lifetime that is asked for, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_sec: Option<u32>,
    /// The transport.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "by_name")]
    #[schemars(with = "Option<String>")]
    pub transport: Option<Transport>,
    /// The password, where Telnyx tells it. Never serialised.
    #[serde(skip)]
    pub password: Option<SecretString>,
    /// Everything else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Where a UAC connection sends calls from the PBX.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct InternalUacSettings {
    /// `<extension>@<application>.sip.telnyx.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_uri: Option<String>,
    /// Everything else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

const PATH: &str = "/uac_connections";

impl Client {
    /// A UAC connection.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn uac_connection(&self, id: &Key) -> Result<UacConnection, ApiError> {
        let reply = self.ask(Request::get(PATH).segment(id.as_str())).await?;
        read(&reply)
    }

    /// The UAC connections that a query is about, page by page.
    #[must_use]
    pub fn uac_connections(&self, query: &UacQuery) -> Pages<'_, UacConnection> {
        let list = List {
            asked: "GET /uac_connections",
            items: "data",
            read: UacConnection::of,
        };
        Pages::new(self, query.queried(Request::get(PATH)), query.page_size(), list)
    }

    /// Makes a UAC connection. Without user name, password and destination of the inside Telnyx makes one that it will not change later.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn create_uac_connection(&self, name: &Key, changes: &UacChanges) -> Result<UacChanged, ApiError> {
        let body = changes.body_named(name);
        let reply = self.ask(Request::post(PATH).json(body.clone())).await?;
        let connection = read(&reply)?;
        Ok(changes::changed(&body, &reply, connection))
    }

    /// Changes what `changes` names, and nothing else. What Telnyx took and did not keep is named in the answer.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiTrouble::Conflict`](crate::ApiTrouble::Conflict) while an earlier change is still under way.
    pub async fn update_uac_connection(&self, id: &Key, changes: &UacChanges) -> Result<UacChanged, ApiError> {
        let body = changes.body();
        let request = Request::patch(PATH).segment(id.as_str()).json(body.clone());
        let reply = self.ask(request).await?;
        let connection = read(&reply)?;
        Ok(changes::changed(&body, &reply, connection))
    }

    /// Removes a UAC connection, and gives what it was; `None` when Telnyx says only that it is done (204, RFC 9110 §15.3.5).
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn delete_uac_connection(&self, id: &Key) -> Result<Option<UacConnection>, ApiError> {
        let reply = self.ask(Request::delete(PATH).segment(id.as_str())).await?;
        if reply.body.is_null() {
            return Ok(None);
        }
        read(&reply).map(Some)
    }
}

fn read(reply: &Reply) -> Result<UacConnection, ApiError> {
    UacConnection::of(unwrap_data(&reply.body)).ok_or_else(|| unexpected(reply, "the answer has no connection with an id in it"))
}

impl UacConnection {
    /// Reads one; `None` without an id.
    pub(super) fn of(object: &Value) -> Option<Self> {
        let mut fields = Fields::of(object);
        let external = fields
            .take("external_uac_settings", settings_object)
            .or_else(|| fields.take(&external_name("external_uac_settings"), settings_object));
        let internal = fields.take("internal_uac_settings", settings_object);
        Some(Self {
            id: fields.take("id", identifier)?,
            connection_name: fields.take("connection_name", text),
            active: fields.take("active", Value::as_bool),
            user_name: fields.take("user_name", text),
            password: fields.take_secret("password"),
            fqdn: fields.take("fqdn", text),
            registration_status: fields.take("registration_status", text),
            registration_status_updated_at: fields.take("registration_status_updated_at", text),
            external_uac_settings: external.as_ref().map(ExternalUacSettings::of).unwrap_or_default(),
            internal_uac_settings: internal.as_ref().map(InternalUacSettings::of).unwrap_or_default(),
            created_at: fields.take("created_at", text),
            updated_at: fields.take("updated_at", text),
            other: fields.rest(),
        })
    }

    /// What a probe needs to look at the same registration.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let external = &self.external_uac_settings;
        let proxy = external.proxy.as_deref().and_then(server_uri);
        let user = external.from_user.as_ref().or(external.username.as_ref());
        let digest_user = external.auth_username.as_ref().or(external.username.as_ref());
        Settings {
            name: self.connection_name.clone(),
            enabled: self.active,
            aor: proxy.as_ref().zip(user).and_then(|(proxy, user)| address_of_record(user, proxy)),
            registrar: proxy.as_ref().map(registrar_at),
            outbound_proxy: external.outbound_proxy.as_deref().and_then(server_uri),
            transport: external.transport.or_else(|| proxy.as_ref().and_then(transport_of)),
            auth_user: digest_user.filter(|digest_user| Some(*digest_user) != user).cloned(),
            expires: external.expiration_sec,
            contact: None,
        }
    }
}

impl ExternalUacSettings {
    fn of(object: &Value) -> Self {
        let mut fields = Fields::of(object);
        Self {
            proxy: fields.take("proxy", text),
            outbound_proxy: fields.take("outbound_proxy", text),
            username: fields.take("username", text),
            auth_username: fields.take("auth_username", text),
            from_user: fields.take("from_user", text),
            expiration_sec: fields.take("expiration_sec", count),
            transport: fields.take("transport", |value| value.as_str().and_then(transport_named)),
            password: fields.take_secret("password"),
            other: fields.rest(),
        }
    }
}

impl InternalUacSettings {
    fn of(object: &Value) -> Self {
        let mut fields = Fields::of(object);
        Self {
            destination_uri: fields.take("destination_uri", text),
            other: fields.rest(),
        }
    }
}

fn settings_object(value: &Value) -> Option<Value> {
    value.is_object().then(|| value.clone())
}

#[expect(clippy::ref_option, reason = "serde passes a field by reference")]
fn by_name<S: Serializer>(transport: &Option<Transport>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(transport.map_or("", Transport::via))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn connection(external: Value) -> UacConnection {
        UacConnection::of(&json!({"id": 7, "connection_name": "Office", "active": true, "external_uac_settings": external})).unwrap()
    }

    fn shown(settings: &Settings) -> (Option<String>, Option<String>, Option<&str>) {
        let aor = settings.aor.as_ref().map(ToString::to_string);
        let registrar = settings.registrar.as_ref().map(ToString::to_string);
        (aor, registrar, settings.auth_user.as_deref())
    }

    #[test]
    fn settings_are_those_of_the_outside() {
        let settings = connection(
            json!({"proxy": "sip:pbx.example.com:5080", "username": "telnyx-reg", "transport": "TCP",
            "expiration_sec": "600", "outbound_proxy": "edge.example.com"}),
        )
        .settings();
        let aor = "sip:telnyx-reg@pbx.example.com".to_owned();
        assert_eq!(shown(&settings), (Some(aor), Some("sip:pbx.example.com:5080".into()), None));
        assert_eq!(
            (settings.transport, settings.expires, settings.enabled),
            (Some(Transport::Tcp), Some(600), Some(true))
        );
        assert_eq!(settings.outbound_proxy.unwrap().as_str(), "sip:edge.example.com");
    }

    #[test]
    fn from_user_names_the_aor_and_the_digest_user_stays() {
        let settings = connection(json!({"proxy": "pbx.example.com", "username": "login", "from_user": "1001"})).settings();
        assert_eq!(shown(&settings).0.as_deref(), Some("sip:1001@pbx.example.com"));
        assert_eq!(settings.auth_user.as_deref(), Some("login"));
        let settings = connection(json!({"proxy": "pbx.example.com", "username": "u", "auth_username": "digest"})).settings();
        assert_eq!(
            shown(&settings),
            (
                Some("sip:u@pbx.example.com".into()),
                Some("sip:pbx.example.com".into()),
                Some("digest")
            )
        );
    }

    #[test]
    fn settings_that_are_missing_or_wrong_are_not_guessed() {
        let settings = connection(json!({"proxy": "two words", "username": "u", "transport": "SCTP"})).settings();
        assert_eq!(shown(&settings), (None, None, None));
        assert_eq!(settings.transport, None);
        assert_eq!(connection(json!(null)).settings().aor, None);
    }

    #[test]
    fn fields_of_tomorrow_are_kept_and_secrets_are_not_shown() {
        let mut object = json!({"id": "7", "tags": ["a"], "password": "canary", "registration_status": null, "sip_token": "canary",
            "third-party_uac_settings": {"username": "u", "password": "canary", "user_agent": "x", "transport": "SCTP"}});
        let connection = UacConnection::of(&object).unwrap();
        let written = serde_json::to_string(&connection).unwrap();
        assert!(
            !written.contains("canary") && !format!("{connection:?}").contains("canary"),
            "{written}"
        );
        assert!(
            written.contains(r#""tags":["a"]"#) && written.contains(r#""user_agent":"x""#) && written.contains("SCTP"),
            "{written}"
        );
        assert!(connection.password.is_some() && connection.external_uac_settings.password.is_some());
        object["note"] = json!(["\u{202e}\u{9b}2J", {"\u{1b}[2J": "Bearer canary-0"}]);
        let written = serde_json::to_string(&UacConnection::of(&object).unwrap()).unwrap();
        let note = r#""note":["\\u{202e}\\u{9b}2J",{"\\x1b[2J":"Bearer ***"}]"#;
        assert!(written.contains(note), "{written}");
        object["password"] = json!("********");
        assert!(UacConnection::of(&object).unwrap().password.is_none());
    }
}
