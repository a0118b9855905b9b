//! Credentials, which register at Telnyx: devices and PBXs do, and Telnyx is their registrar.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::{Client, Key, SIP_EDGE, unexpected};
use crate::reading::{identifier, text, unwrap_data};
use crate::{ApiError, Request, Settings, address_of_record, server_uri};

/// A credential connection. Texts are escaped and cut; fields without a place of their own are kept in `other`, secrets removed.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct CredentialConnection {
    /// Its id.
    pub id: String,
    /// What its owner calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_name: Option<String>,
    /// Whether it is switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// The user that registers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The stored status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_status: Option<String>,
    /// When that was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_status_updated_at: Option<String>,
    /// Everything else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Client {
    /// A credential connection: `GET /credential_connections/{id}`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn credential_connection(&self, id: &Key) -> Result<CredentialConnection, ApiError> {
        let reply = self.ask(Request::get("/credential_connections").segment(id.as_str())).await?;
        let read = CredentialConnection::of(unwrap_data(&reply.body));
        read.ok_or_else(|| unexpected(&reply, "the answer has no connection with an id in it"))
    }
}

impl CredentialConnection {
    fn of(object: &Value) -> Option<Self> {
        let mut fields = Fields::of(object);
        Some(Self {
            id: fields.take("id", identifier)?,
            connection_name: fields.take("connection_name", text),
            active: fields.take("active", Value::as_bool),
            user_name: fields.take("user_name", text),
            registration_status: fields.take("registration_status", text),
            registration_status_updated_at: fields.take("registration_status_updated_at", text),
            other: fields.rest(),
        })
    }

    /// What a probe needs to look at the same registration.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let user = self.user_name.as_deref().and_then(|user| user.parse().ok());
        Settings {
            name: self.connection_name.clone(),
            enabled: self.active,
            ..user.as_ref().map(settings).unwrap_or_default()
        }
    }
}

/// The registration of a user at Telnyx.
pub(super) fn settings(username: &Key) -> Settings {
    let edge = server_uri(SIP_EDGE);
    Settings {
        aor: edge.as_ref().and_then(|edge| address_of_record(username.as_str(), edge)),
        registrar: edge,
        ..Settings::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_credential_registers_at_telnyx_under_its_user_name() {
        let connection =
            CredentialConnection::of(&json!({"id": "7", "user_name": "office1", "active": false, "password": "canary"})).unwrap();
        let settings = connection.settings();
        assert_eq!(settings.aor.unwrap().as_str(), "sip:office1@sip.telnyx.com");
        assert_eq!(settings.registrar.unwrap().as_str(), "sip:sip.telnyx.com");
        assert_eq!(settings.enabled, Some(false));
        assert!(!serde_json::to_string(&connection).unwrap().contains("canary"));
    }
}
