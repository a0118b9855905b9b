//! JSON over HTTP, for every provider alike: base URL, deadline, limits, retries, and no word of a secret in any error (RFC 9110).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, Method, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{ApiError, ApiTrouble};
use crate::{Moment, text};

/// Where and how an API is reached.
#[derive(Clone)]
pub struct HttpOptions {
    /// What every path is below, such as `https://api.telnyx.com/v2`.
    pub base_url: Url,
    /// A secret piece of the path between the base URL and the rest, such as the code of a webhook. Shown as `***`.
    pub secret_path: Option<SecretString>,
    /// How long one call may take, retries and waits included.
    pub deadline: Duration,
    /// When and how often a call is repeated.
    pub retry: RetryPolicy,
    /// A PEM file with the certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Reads the provider's own error format.
    pub envelope: fn(&Value) -> Option<Envelope>,
}

/// What a provider's error format says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The provider's code.
    pub code: Option<String>,
    /// What it says about it; not escaped yet.
    pub detail: String,
    /// What it means, where that differs from what the HTTP status says.
    pub trouble: Option<ApiTrouble>,
}

/// When and how often a call is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts, the first included: 3.
    pub attempts: u32,
    /// The first wait, which doubles: 500 ms.
    pub base: Duration,
    /// The longest wait of our own: 8 s.
    pub cap: Duration,
    /// The longest wait that a provider may ask for: 60 s.
    pub asked_cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(8),
            asked_cap: Duration::from_secs(60),
        }
    }
}

/// Why a client cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The URL cannot be a base.
    #[error("{0}: not a base URL; write one such as https://api.example.com/v2")]
    BaseUrl(String),
    /// TLS cannot be used as asked.
    #[error("{0}")]
    Tls(String),
}

/// A client of one account at one provider. Asks one thing at a time.
pub struct Http {
    options: HttpOptions,
    client: Client,
    turn: tokio::sync::Mutex<()>,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
    bearer: Option<SecretString>,
}

/// An answer with a status of 2xx and JSON in it.
#[derive(Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body. May hold secrets: only what a decoder takes out of it is shown.
    pub body: Value,
    /// The Date header.
    pub server_date: Option<Moment>,
    /// When the last attempt began.
    pub asked_at: Moment,
    /// When the body was there.
    pub answered_at: Moment,
}

impl Request {
    /// `GET`.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// `POST`.
    #[must_use]
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// `PUT`.
    #[must_use]
    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// `PATCH`.
    #[must_use]
    pub fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    /// `DELETE`.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// With `name=value` in the query, encoded here.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// With `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(mut self, token: SecretString) -> Self {
        self.bearer = Some(token);
        self
    }

    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            body: None,
            bearer: None,
        }
    }
}

impl Http {
    /// A client by these options. Sends nothing.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(options: HttpOptions) -> Result<Self, SetupError> {
        if options.base_url.cannot_be_a_base() {
            return Err(SetupError::BaseUrl(text::field(options.base_url.as_str())));
        }
        let tls = sip_net::https_config(options.ca_file.as_deref()).map_err(|error| SetupError::Tls(error.to_string()))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("regprobe/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| SetupError::Tls(error.to_string()))?;
        Ok(Self {
            options,
            client,
            turn: tokio::sync::Mutex::new(()),
        })
    }

    /// Sends a call and reads its answer.
    ///
    /// # Errors
    /// [`ApiError`] for everything that is no 2xx with JSON in it.
    pub async fn send(&self, request: &Request) -> Result<Reply, ApiError> {
        let _turn = self.turn.lock().await;
        let asked_at = Moment::now();
        let failed = |trouble, status, detail: String| ApiError {
            trouble,
            status,
            code: None,
            detail: text::field(&detail),
            request: self.shown(request),
            attempts: 1,
            retry_after: None,
        };
        let sent = self.prepared(request).send().await;
        let response = sent.map_err(|error| failed(ApiTrouble::Unreachable, None, error.without_url().to_string()))?;
        let status = response.status().as_u16();
        let body = response.bytes().await;
        let body = body.map_err(|error| failed(ApiTrouble::Unreachable, Some(status), error.without_url().to_string()))?;
        let body: Value = serde_json::from_slice(&body).map_err(|error| failed(ApiTrouble::Contract, Some(status), error.to_string()))?;
        if !(200..300).contains(&status) {
            let envelope = (self.options.envelope)(&body).unwrap_or_default();
            let trouble = envelope.trouble.unwrap_or(ApiTrouble::of_status(status));
            return Err(ApiError {
                code: envelope.code,
                ..failed(trouble, Some(status), envelope.detail)
            });
        }
        Ok(Reply {
            status,
            body,
            server_date: None,
            asked_at,
            answered_at: Moment::now(),
        })
    }

    fn prepared(&self, request: &Request) -> reqwest::RequestBuilder {
        let mut url = self.options.base_url.clone();
        let secret = self.options.secret_path.as_ref().map(|secret| secret.expose_secret());
        let base = url.path().trim_end_matches('/').to_owned();
        let path: Vec<_> = [Some(&*base), secret, Some(request.path.trim_start_matches('/'))]
            .into_iter()
            .flatten()
            .collect();
        url.set_path(&path.join("/"));
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut builder = self.client.request(request.method.clone(), url).timeout(self.options.deadline);
        builder = builder.header(header::ACCEPT, "application/json");
        if let Some(token) = &request.bearer {
            builder = builder.bearer_auth(token.expose_secret());
        }
        if let Some(body) = &request.body {
            builder = builder.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        builder
    }

    /// The call as errors name it.
    fn shown(&self, request: &Request) -> String {
        let secret = self.options.secret_path.as_ref().map_or("", |_| "/***");
        let base = self.options.base_url.path().trim_end_matches('/');
        text::field(&format!(
            "{} {base}{secret}/{}",
            request.method,
            request.path.trim_start_matches('/')
        ))
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("base_url", &self.base_url.as_str())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Http").field(&self.options).finish()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
