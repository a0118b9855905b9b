//! How a provider is talked to, whatever it is asked: the errors here, HTTP in `http`. No vocabulary of any provider.

mod answer;
mod failure;
mod http;
mod near;
mod options;
mod redirect;
mod request;
mod retry;
mod secrets;

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::text;

pub use http::{Http, Reply};
pub(crate) use options::is_near_address;
pub use options::{ClientOptions, Confidential, Envelope, HttpOptions, RetryPolicy, SetupError, base_url};
pub use request::Request;

/// Why an API gave no usable answer. Texts are escaped, cut, and free of secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ApiError {
    /// What kind of trouble.
    pub trouble: ApiTrouble,
    /// The HTTP status, when it came to one.
    pub status: Option<u16>,
    /// The provider's own code: `10009`, `QUERY_LIMIT_EXCEEDED`, `-32601`.
    pub code: Option<String>,
    /// What the provider or the network said.
    pub detail: String,
    /// What was asked, as people would write it: `GET /v2/uac_connections/abc`. Path tokens are redacted.
    pub request: String,
    /// How often it was tried.
    pub attempts: u32,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// The text that came instead of JSON, 16 KiB at most: the page of a proxy or a log-in. Not part of what is displayed.
    pub body: Option<Box<str>>,
}

/// The kinds of trouble with an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(tag = "trouble", rename_all = "snake_case")]
pub enum ApiTrouble {
    /// No connection: DNS, refused, reset, cut off.
    Unreachable,
    /// No answer within the deadline.
    Timeout,
    /// TLS: an untrusted, expired or wrong certificate among others.
    Tls,
    /// 400: a parameter is missing or wrong.
    BadRequest,
    /// 401: the key is missing, wrong or expired.
    Unauthorized,
    /// 403: the key may not do this.
    Forbidden,
    /// 404: there is no such object.
    NotFound,
    /// 409: an earlier change is still under way.
    Conflict,
    /// 410: this API is gone.
    Gone,
    /// 422: a value is not accepted.
    Unprocessable,
    /// 429, or another word for "too fast".
    RateLimited,
    /// 5xx.
    Server,
    /// A redirect to another host, or too many of them; credentials did not follow.
    Redirected,
    /// More than 1 MiB, or more pages than anybody has.
    TooLarge,
    /// An answer that follows no known contract: no JSON, cut off, of the wrong shape.
    Contract,
    /// Any other status.
    Other,
}

impl ApiError {
    /// Trouble of no HTTP status and no code of its own. Both texts are escaped and cut here.
    pub(crate) fn new(trouble: ApiTrouble, request: &str, detail: &str) -> Self {
        Self {
            trouble,
            status: None,
            code: None,
            detail: text::field(detail),
            request: text::field(request),
            attempts: 1,
            retry_after: None,
            body: None,
        }
    }

    /// Trouble with what a reply of 2xx says.
    pub(crate) fn of_reply(reply: &Reply, trouble: ApiTrouble, request: &str, detail: &str) -> Self {
        Self {
            status: Some(reply.status),
            ..Self::new(trouble, request, detail)
        }
    }
}

impl ApiTrouble {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Unreachable,
        Self::Timeout,
        Self::Tls,
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::Gone,
        Self::Unprocessable,
        Self::RateLimited,
        Self::Server,
        Self::Redirected,
        Self::TooLarge,
        Self::Contract,
        Self::Other,
    ];

    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Gone => "gone",
            Self::Unprocessable => "unprocessable",
            Self::RateLimited => "rate_limited",
            Self::Server => "server",
            Self::Redirected => "redirected",
            Self::TooLarge => "too_large",
            Self::Contract => "contract",
            Self::Other => "other",
        }
    }

    /// What a status says.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            408 => Self::Timeout,
            409 => Self::Conflict,
            410 => Self::Gone,
            422 => Self::Unprocessable,
            429 => Self::RateLimited,
            500..=599 => Self::Server,
            300..=399 => Self::Redirected,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.request)?;
        match (self.status, &self.code) {
            (Some(status), Some(code)) => write!(f, "HTTP {status}, {code}: ")?,
            (Some(status), None) => write!(f, "HTTP {status}: ")?,
            (None, Some(code)) => write!(f, "{code}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.detail)?;
        if self.attempts > 1 {
            write!(f, " (tried {} times)", self.attempts)?;
        }
        Ok(())
    }
}
