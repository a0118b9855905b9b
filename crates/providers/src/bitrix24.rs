//! Bitrix24: the SIP lines of its cloud telephony, which Voximplant registers to the customer's registrar. Not for calls, numbers or
//! anything else of a portal; nothing here changes a line.

mod access;
mod errors;
mod line;
mod status;

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    Answer, ApiError, ApiTrouble, ClientOptions, Http, HttpOptions, Moment, Reply, Request, Settings, SetupError, SourceKind, reading,
};

pub use access::{Access, NoWebhook, webhook};
pub use line::{Line, LineKind, decode_stored};
pub use status::decode;

/// The shortest time from one request to the next: a portal's bucket leaks twice a second.
const PACE: Duration = Duration::from_millis(500);
/// More pages of 50 lines than any portal has.
const MOST_PAGES: usize = 100;
/// The most lines that a page has, and some more.
const MOST_ON_PAGE: usize = 100;

/// A client of one portal.
pub struct Client {
    http: Http,
    access: Access,
}

/// The state of the paid service without which no line registers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Connector {
    /// How many minutes are left for trying it, free of charge.
    pub free_minutes: Option<u32>,
    /// Whether it is paid for.
    pub paid: Option<bool>,
    /// Until when, in Bitrix24's words.
    pub paid_until: Option<String>,
}

impl Client {
    /// A client of the portal at the base URL, such as `https://portal.bitrix24.com`. Sends nothing.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(access: Access, options: ClientOptions) -> Result<Self, SetupError> {
        Ok(Self {
            http: Http::new(paced(&access, options)?)?,
            access,
        })
    }

    /// What Voximplant says about a registration at this moment. Bitrix24 stores it for [`Client::stored`].
    pub async fn answer(&self, reg_id: u64) -> Answer {
        let asked_at = Moment::now();
        match self.call(STATUS, &json!({ "REG_ID": reg_id })).await {
            Ok(reply) => decode(reg_id, &reply),
            Err(error) => Answer::unavailable(SourceKind::Bitrix24, asked_at, Moment::now(), &error),
        }
    }

    /// What Bitrix24 stored about it when somebody asked last.
    pub async fn stored(&self, reg_id: u64) -> Answer {
        let asked_at = Moment::now();
        match self.call(GET, &of(reg_id)).await {
            Ok(reply) => decode_stored(reg_id, &reply),
            Err(error) => Answer::unavailable(SourceKind::Bitrix24Stored, asked_at, Moment::now(), &error),
        }
    }

    /// How the line of a registration is set up, as far as Bitrix24 gives it.
    ///
    /// # Errors
    /// [`ApiError`], with [`ApiTrouble::NotFound`] when no line that we may see has this registration.
    pub async fn settings(&self, reg_id: u64) -> Result<Settings, ApiError> {
        let reply = self.call(GET, &of(reg_id)).await?;
        let lines = line::read(&reply.body).map_err(|problem| failed(GET, &reply, ApiTrouble::Contract, problem))?;
        let line = lines.iter().find(|line| line.reg_id == Some(reg_id));
        let missing = "no line that this access may see has this REG_ID";
        line.map(Line::settings)
            .ok_or_else(|| failed(GET, &reply, ApiTrouble::NotFound, missing))
    }

    /// Every line that belongs to who asks: an application sees its own, and no others.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiTrouble::TooLarge`] after 100 pages, or for one of more than 100 lines.
    pub async fn lines(&self) -> Result<Vec<Line>, ApiError> {
        let mut lines = Vec::new();
        let mut start = Some(0);
        for _ in 0..MOST_PAGES {
            let Some(from) = start else { break };
            let reply = self.call(GET, &json!({ "start": from })).await?;
            let page = line::read(&reply.body).map_err(|problem| failed(GET, &reply, ApiTrouble::Contract, problem))?;
            if page.len() > MOST_ON_PAGE {
                return Err(failed(GET, &reply, ApiTrouble::TooLarge, "a page of more lines than any has"));
            }
            lines.extend(page);
            start = next_of(&reply, from)?;
        }
        let too_many = |from| {
            ApiError::new(
                ApiTrouble::TooLarge,
                &shown(GET),
                &format!("there are still more lines after {from}"),
            )
        };
        start.map_or(Ok(lines), |from: u64| Err(too_many(from)))
    }

    /// Whether the SIP connector is paid for.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn connector(&self) -> Result<Connector, ApiError> {
        let reply = self.call(CONNECTOR, &json!({})).await?;
        let result = &reply.body["result"];
        if !result.is_object() {
            return Err(failed(CONNECTOR, &reply, ApiTrouble::Contract, "result is no object"));
        }
        Ok(Connector {
            free_minutes: reading::count(&result["FREE_MINUTES"]),
            paid: reading::yes_or_no(&result["PAID"]),
            paid_until: reading::text(&result["PAID_DATE_END"]),
        })
    }

    /// Calls a method. All that are called here only read, so that they may be repeated.
    async fn call(&self, method: &str, parameters: &Value) -> Result<Reply, ApiError> {
        let mut request = Request::post(method).repeatable();
        let mut body = parameters.as_object().cloned().unwrap_or_else(Map::new);
        if let Access::Token(token) = &self.access {
            body.insert("auth".to_owned(), token.expose_secret().into());
            request = request.key_in_body(token.clone());
        }
        let reply = self.http.send(&request.json(Value::Object(body))).await?;
        match errors::envelope(&reply.body) {
            None => Ok(reply),
            Some(envelope) => Err(ApiError {
                code: envelope.code,
                ..failed(method, &reply, envelope.trouble.unwrap_or(ApiTrouble::Other), &envelope.detail)
            }),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("http", &self.http)
            .field("access", &self.access)
            .finish()
    }
}

const STATUS: &str = "voximplant.sip.status";
const GET: &str = "voximplant.sip.get";
const CONNECTOR: &str = "voximplant.sip.connector.status";

/// What this access is asked with, and how fast.
fn paced(access: &Access, options: ClientOptions) -> Result<HttpOptions, SetupError> {
    let (options, secret_path) = access.place(options)?;
    Ok(HttpOptions {
        secret_path,
        pace: Some(PACE),
        ..HttpOptions::new(options, errors::envelope)
    })
}

/// Only the line of this registration.
fn of(reg_id: u64) -> Value {
    json!({ "FILTER": { "REG_ID": reg_id } })
}

/// Where the next page begins; `None` after the last. A page that leads nowhere ends the walk with an error.
fn next_of(reply: &Reply, from: u64) -> Result<Option<u64>, ApiError> {
    match &reply.body["next"] {
        Value::Null => Ok(None),
        next => match reading::count(next) {
            Some(next) if next > from => Ok(Some(next)),
            Some(_) | None => Err(failed(GET, reply, ApiTrouble::Contract, "next leads to no further page")),
        },
    }
}

fn failed(method: &str, reply: &Reply, trouble: ApiTrouble, detail: &str) -> ApiError {
    ApiError::of_reply(reply, trouble, &shown(method), detail)
}

fn shown(method: &str) -> String {
    format!("POST {method}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confidential;

    #[test]
    fn a_portal_is_asked_at_most_twice_a_second() {
        let portal = || ClientOptions::new("https://portal.bitrix24.com".parse().unwrap());
        let token = paced(&Access::Token("canary".to_owned().into()), portal()).unwrap();
        let code = "canary".to_owned().into();
        let webhook = paced(&Access::Webhook { user: 1, code }, portal()).unwrap();
        assert_eq!(
            (token.pace, webhook.pace),
            (Some(Duration::from_millis(500)), Some(Duration::from_millis(500)))
        );
        assert_eq!(
            (token.confidential, webhook.confidential),
            (Confidential::Requests, Confidential::Requests)
        );
    }

    #[test]
    fn pages_lead_forward_or_end() {
        let from = |next: Value| {
            let now = Moment::from_unix(0).unwrap();
            let reply = Reply {
                request: String::new(),
                status: 200,
                body: json!({ "next": next }),
                server_date: None,
                asked_at: now,
                answered_at: now,
            };
            next_of(&reply, 50).map_err(|error| error.trouble)
        };
        assert_eq!(
            (from(json!(null)), from(json!(100)), from(json!("100"))),
            (Ok(None), Ok(Some(100)), Ok(Some(100)))
        );
        for odd in [json!(50), json!(0), json!(-1), json!("x"), json!({}), json!(true)] {
            assert_eq!(from(odd), Err(ApiTrouble::Contract));
        }
    }
}
