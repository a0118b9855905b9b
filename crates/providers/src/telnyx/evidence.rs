//! What else an account shows about its SIP: external connections, what their operations left in the log, and SIPREC connectors, whose
//! host and port can be probed. Read-only; corroborating evidence, never a claim.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::pages::List;
use super::{Client, Key, Pages, unexpected};
use crate::reading::{count, identifier, text, unwrap_data};
use crate::{ApiError, Request};

/// An external connection: SIP trunking with a partner of Telnyx. Texts are escaped and cut.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct ExternalConnection {
    /// Its id.
    pub id: String,
    /// The partner: `zoom`, `operator_connect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_sip_connection: Option<String>,
    /// Whether it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Whether its credential is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_active: Option<bool>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Everything else, as it came, secrets removed.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A line of the log of external connections. Texts are escaped and cut.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct LogMessage {
    /// Telnyx' code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What happened, in short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The connection that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_connection_id: Option<String>,
    /// Everything else, as it came, secrets removed.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A SIPREC connector: where recordings are sent. Texts are escaped and cut.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct SiprecConnector {
    /// Its name.
    pub name: String,
    /// Its host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The subdomain of its application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_subdomain: Option<String>,
    /// Everything else, as it came, secrets removed.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

const CONNECTIONS: &str = "/external_connections";
const LOG: &str = "/external_connections/log_messages";
/// The most on a page of either list.
const PAGE: u32 = 250;

impl Client {
    /// The external connections of the account.
    #[must_use]
    pub fn external_connections(&self) -> Pages<'_, ExternalConnection> {
        let list = List {
            asked: "GET /external_connections",
            items: "data",
            read: ExternalConnection::of,
        };
        Pages::new(self, Request::get(CONNECTIONS), PAGE, list)
    }

    /// An external connection.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn external_connection(&self, id: &Key) -> Result<ExternalConnection, ApiError> {
        let reply = self.ask(Request::get(CONNECTIONS).segment(id.as_str())).await?;
        let problem = "the answer has no connection with an id in it";
        ExternalConnection::of(unwrap_data(&reply.body)).ok_or_else(|| unexpected(&reply, problem))
    }

    /// The log of all external connections, or of one.
    #[must_use]
    pub fn log_messages(&self, of: Option<&Key>) -> Pages<'_, LogMessage> {
        let request = match of {
            Some(id) => Request::get(LOG).query("filter[external_connection_id]", id.as_str()),
            None => Request::get(LOG),
        };
        let list = List {
            asked: "GET /external_connections/log_messages",
            items: "log_messages",
            read: LogMessage::of,
        };
        Pages::new(self, request, PAGE, list)
    }

    /// The lines of one log message.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn log_message(&self, id: &Key) -> Result<Vec<LogMessage>, ApiError> {
        let reply = self.ask(Request::get(LOG).segment(id.as_str())).await?;
        let list = reply.body.get("log_messages").and_then(Value::as_array);
        let read = list.and_then(|list| list.iter().map(LogMessage::of).collect());
        read.ok_or_else(|| unexpected(&reply, "the answer has no list in log_messages"))
    }

    /// A SIPREC connector.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn siprec_connector(&self, name: &Key) -> Result<SiprecConnector, ApiError> {
        let reply = self.ask(Request::get("/siprec_connectors").segment(name.as_str())).await?;
        let problem = "the answer has no connector with a name in it";
        SiprecConnector::of(unwrap_data(&reply.body)).ok_or_else(|| unexpected(&reply, problem))
    }
}

impl ExternalConnection {
    fn of(object: &Value) -> Option<Self> {
        let mut fields = Fields::of(object);
        Some(Self {
            id: fields.take("id", identifier)?,
            external_sip_connection: fields.take("external_sip_connection", text),
            active: fields.take("active", Value::as_bool),
            credential_active: fields.take("credential_active", Value::as_bool),
            created_at: fields.take("created_at", text),
            updated_at: fields.take("updated_at", text),
            other: fields.rest(),
        })
    }
}

impl LogMessage {
    fn of(object: &Value) -> Option<Self> {
        object.is_object().then(|| {
            let mut fields = Fields::of(object);
            Self {
                code: fields.take("code", identifier),
                title: fields.take("title", text),
                detail: fields.take("detail", text),
                external_connection_id: object.pointer("/meta/external_connection_id").and_then(identifier),
                other: fields.rest(),
            }
        })
    }
}

impl SiprecConnector {
    fn of(object: &Value) -> Option<Self> {
        let mut fields = Fields::of(object);
        Some(Self {
            name: fields.take("name", text)?,
            host: fields.take("host", text),
            port: fields.take("port", count),
            app_subdomain: fields.take("app_subdomain", text),
            other: fields.rest(),
        })
    }
}
