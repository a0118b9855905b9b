//! How Telzino is shown who asks: a ready token, or client credentials that are exchanged for one (RFC 6749 §4.4). A token is kept until
//! shortly before its end, never shown and never written anywhere.

use std::fmt;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{ApiError, ApiTrouble, Http, Reply, Request, SetupError, reading};

/// The audience that Telzino's documents name.
pub const AUDIENCE: &str = "https://api.telzino.com/";

/// What a client shows.
#[derive(Clone)]
pub enum Credentials {
    /// A ready token.
    Token(SecretString),
    /// An application's credentials, for which Telzino gives a token.
    Client {
        /// Its identifier.
        id: String,
        /// Its secret.
        secret: SecretString,
        /// What the token is for: [`AUDIENCE`].
        audience: String,
    },
}

impl Credentials {
    /// An application's credentials for the documented audience.
    #[must_use]
    pub fn client(id: impl Into<String>, secret: SecretString) -> Self {
        Self::Client {
            id: id.into(),
            secret,
            audience: AUDIENCE.to_owned(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token(***)"),
            Self::Client { id, audience, .. } => {
                let mut shown = f.debug_struct("Client");
                shown.field("id", id).field("audience", audience).finish_non_exhaustive()
            }
        }
    }
}

/// The credentials and the token that they gave.
pub(super) struct Tokens {
    credentials: Credentials,
    kept: Mutex<Option<Kept>>,
}

/// A token to send now.
pub(super) struct Token {
    pub(super) secret: SecretString,
    /// Whether a new one can help when this one is refused.
    pub(super) may_have_run_out: bool,
}

struct Kept {
    secret: SecretString,
    usable_until: Option<Instant>,
}

impl Tokens {
    pub(super) fn new(credentials: Credentials) -> Result<Self, SetupError> {
        if let Credentials::Token(secret) = &credentials
            && !fits_a_header(secret.expose_secret())
        {
            let why = "a Telzino token is one word of printable ASCII characters";
            return Err(SetupError::Secret(why.to_owned()));
        }
        Ok(Self {
            credentials,
            kept: Mutex::new(None),
        })
    }

    /// The token that is there, or a new one.
    pub(super) async fn token(&self, http: &Http) -> Result<Token, ApiError> {
        let mut kept = self.kept.lock().await;
        self.current_or_new(&mut kept, http).await
    }

    /// A new token, unless somebody else has replaced the refused one meanwhile.
    pub(super) async fn instead_of(&self, refused: &Token, http: &Http) -> Result<Token, ApiError> {
        let mut kept = self.kept.lock().await;
        if kept
            .as_ref()
            .is_some_and(|kept| kept.secret.expose_secret() == refused.secret.expose_secret())
        {
            *kept = None;
        }
        self.current_or_new(&mut kept, http).await
    }

    async fn current_or_new(&self, kept: &mut Option<Kept>, http: &Http) -> Result<Token, ApiError> {
        let (id, secret, audience) = match &self.credentials {
            Credentials::Token(secret) => {
                return Ok(Token {
                    secret: secret.clone(),
                    may_have_run_out: false,
                });
            }
            Credentials::Client { id, secret, audience } => (id, secret, audience),
        };
        if let Some(kept) = kept
            .as_ref()
            .filter(|kept| kept.usable_until.is_none_or(|end| Instant::now() < end))
        {
            return Ok(Token {
                secret: kept.secret.clone(),
                may_have_run_out: true,
            });
        }
        let body = json!({
            "client_id": id,
            "client_secret": secret.expose_secret(),
            "audience": audience,
            "grant_type": "client_credentials",
        });
        let reply = http.send(&Request::post(PATH).json(body).repeatable()).await.map_err(placed)?;
        let fresh = read(&reply)?;
        let secret = fresh.secret.clone();
        *kept = Some(fresh);
        Ok(Token {
            secret,
            may_have_run_out: false,
        })
    }
}

const PATH: &str = "/oauth/token";
/// So long before its end a token is not used any more: a call may take that long.
const MARGIN: Duration = Duration::from_secs(60);

/// RFC 6749 §5.1: `access_token`, `token_type`, `expires_in` in seconds. A type that is not said is taken for a Bearer token.
fn read(reply: &Reply) -> Result<Kept, ApiError> {
    let body = reading::unwrap_data(&reply.body);
    let kind = body["token_type"].as_str().unwrap_or("Bearer");
    if !kind.eq_ignore_ascii_case("Bearer") {
        return Err(unusable(reply, "the token is no Bearer token"));
    }
    let secret = body["access_token"].as_str().filter(|token| fits_a_header(token));
    let secret = secret.ok_or_else(|| unusable(reply, "there is no usable access_token in the answer"))?;
    Ok(Kept {
        secret: SecretString::from(secret),
        usable_until: usable_for(&body["expires_in"]).and_then(|lifetime| Instant::now().checked_add(lifetime)),
    })
}

/// How long a token is used; without a lifetime, until it is refused.
fn usable_for(expires_in: &Value) -> Option<Duration> {
    reading::count(expires_in).map(|seconds| Duration::from_secs(seconds).saturating_sub(MARGIN))
}

/// Where no token is given out there is no API of Telzino's: that says nothing about an agent.
fn placed(error: ApiError) -> ApiError {
    if error.trouble == ApiTrouble::NotFound {
        return ApiError {
            trouble: ApiTrouble::Contract,
            ..error
        };
    }
    error
}

fn unusable(reply: &Reply, detail: &str) -> ApiError {
    ApiError::of_reply(reply, ApiTrouble::Contract, &reply.request, detail)
}

fn fits_a_header(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;

    fn reply(body: Value) -> Reply {
        let now = Moment::from_unix(0).unwrap();
        Reply {
            request: String::new(),
            status: 200,
            body,
            server_date: None,
            asked_at: now,
            answered_at: now,
        }
    }

    #[test]
    fn a_token_is_read_with_its_lifetime() {
        let kept = read(&reply(
            json!({"access_token": "canary", "token_type": "bearer", "expires_in": 86400}),
        ))
        .unwrap();
        assert_eq!(kept.secret.expose_secret(), "canary");
        assert!(kept.usable_until.is_some());
        assert_eq!(usable_for(&json!("86400")), Some(Duration::from_secs(86340)));
        assert_eq!(usable_for(&json!(5)), Some(Duration::ZERO));
        assert_eq!((usable_for(&json!(null)), usable_for(&json!(-5))), (None, None));
        assert!(read(&reply(json!({"data": {"access_token": "canary"}}))).is_ok());
    }

    #[test]
    fn what_is_no_token_is_an_error_that_does_not_show_it() {
        for body in [
            json!({}),
            json!([]),
            json!({"access_token": ""}),
            json!({"access_token": 7}),
            json!({"access_token": "canary\r\nX: y"}),
            json!({"access_token": "canary", "token_type": "canary"}),
        ] {
            let error = read(&reply(body)).err().unwrap();
            assert_eq!(error.trouble, ApiTrouble::Contract);
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }

    #[test]
    fn no_secret_is_shown_and_none_that_breaks_a_header_is_taken() {
        let client = Credentials::client("app", "canary".to_owned().into());
        let token = Credentials::Token("canary".to_owned().into());
        assert!(!format!("{client:?} {token:?}").contains("canary"));
        for bad in ["", "canary canary", "canary\n", "canäry"] {
            let error = Tokens::new(Credentials::Token(bad.to_owned().into())).err().unwrap();
            assert!(matches!(&error, SetupError::Secret(why) if !why.contains("can")), "{error}");
        }
    }
}
