//! Telzino: an agent's SIP account is stored there, a sync service hands it to an OpenSIPS, and that one registers it to the customer's
//! registrar. Not for anything else that an agent has.

mod agent;
mod registration;
mod status;
mod token;

use std::fmt;

use serde_json::Value;

use crate::{
    Answer, ApiError, ApiTrouble, ClientOptions, Envelope, Http, HttpOptions, Moment, Reply, Request, SetupError, SourceKind, text,
};

pub use agent::{AgentId, NoAgentId};
pub use registration::{Invalid, Registration, Stored};
pub use status::decode;
use token::Tokens;
pub use token::{AUDIENCE, Credentials};

/// Where Telzino's API is.
pub const BASE_URL: &str = "https://api.telzino.com";

/// A client of one Telzino account.
pub struct Client {
    http: Http,
    tokens: Tokens,
}

impl Client {
    /// A client with these credentials. Sends nothing.
    ///
    /// # Errors
    /// [`SetupError`], also for a token that no header can carry.
    pub fn new(credentials: Credentials, options: ClientOptions) -> Result<Self, SetupError> {
        Ok(Self {
            tokens: Tokens::new(credentials)?,
            http: Http::new(HttpOptions::new(options, envelope))?,
        })
    }

    /// What Telzino says about an agent's registration.
    pub async fn answer(&self, agent: &AgentId) -> Answer {
        let asked_at = Moment::now();
        match self.send(status_of(agent)).await {
            Ok(reply) => decode(&reply),
            Err(error) => Answer::unavailable(SourceKind::Telzino, asked_at, Moment::now(), &error),
        }
    }

    /// Stores the SIP account of an agent. That it registers is said by nothing but its status, some seconds later.
    ///
    /// # Errors
    /// [`ApiError`], also when Telzino says with a status of 200 that it did not.
    pub async fn store(&self, agent: &AgentId, registration: &Registration) -> Result<Stored, ApiError> {
        let request = Request::put("/v1/agents")
            .segment(agent.as_str())
            .segment("sip")
            .segment("registration");
        let reply = self
            .send(request.json(registration.body()).key_in_body(registration.password()))
            .await?;
        Stored::read(registration, &reply.body).map_err(|detail| ApiError::of_reply(&reply, ApiTrouble::Other, &reply.request, &detail))
    }

    /// Sends a call; when an older token is refused, once more with a new one.
    async fn send(&self, request: Request) -> Result<Reply, ApiError> {
        let token = self.tokens.token(&self.http).await?;
        let outcome = self.http.send(&request.clone().bearer(token.secret.clone())).await;
        match outcome {
            Err(error) if error.trouble == ApiTrouble::Unauthorized && token.may_have_run_out => {
                let token = self.tokens.instead_of(&token, &self.http).await?;
                self.http.send(&request.bearer(token.secret)).await
            }
            Ok(_) | Err(_) => outcome,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("http", &self.http).finish_non_exhaustive()
    }
}

fn status_of(agent: &AgentId) -> Request {
    let request = Request::get("/v1/agents").segment(agent.as_str()).segment("sip");
    request.segment("registration").segment("status")
}

/// Telzino documents no format of its errors. These are the words that such bodies usually have, and those of OAuth 2.0
/// (RFC 6749 §5.2).
fn envelope(body: &Value) -> Option<Envelope> {
    let inner = &body["error"];
    let words = [&body["error_description"], &inner["message"], &body["message"], inner];
    let detail = words.into_iter().find_map(Value::as_str)?;
    let code = [&inner["code"], &body["code"], inner].into_iter().find_map(Value::as_str);
    Some(Envelope {
        code: code.filter(|code| *code != detail).map(text::field),
        detail: detail.to_owned(),
        ..Envelope::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_read_in_every_usual_form() {
        let read = |body: Value| envelope(&body).map(|envelope| (envelope.code, envelope.detail));
        let told = |code: Option<&str>, detail: &str| Some((code.map(str::to_owned), detail.to_owned()));
        assert_eq!(
            read(json!({"error": "access_denied", "error_description": "no"})),
            told(Some("access_denied"), "no")
        );
        assert_eq!(read(json!({"success": false, "message": "no agent"})), told(None, "no agent"));
        assert_eq!(read(json!({"error": {"code": "E1", "message": "no"}})), told(Some("E1"), "no"));
        assert_eq!(read(json!({"error": "no"})), told(None, "no"));
        for odd in [json!(null), json!([1]), json!("x"), json!({"error": 7}), json!({"message": {}})] {
            assert_eq!(read(odd), None);
        }
    }
}
