//! One attempt that came to nothing: what kind of trouble it is, how far it got, and what the errors of the network mean in words.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::ApiTrouble;

/// Why one attempt failed. Its texts are as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) trouble: ApiTrouble,
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) detail: String,
    /// How long the provider asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// The text that came where JSON should have, whole.
    pub(super) body: Option<String>,
    /// True when no byte of the request can have been read by the provider.
    pub(super) unsent: bool,
}

impl Failure {
    pub(super) fn new(trouble: ApiTrouble, detail: impl Into<String>) -> Self {
        Self {
            trouble,
            status: None,
            code: None,
            detail: detail.into(),
            retry_after: None,
            body: None,
            unsent: false,
        }
    }

    /// The same, after an answer began with this status.
    pub(super) fn with_status(self, status: u16) -> Self {
        Self {
            status: Some(status),
            ..self
        }
    }

    /// What an error on the way means. `host` is what was called.
    pub(super) fn of_network(error: reqwest::Error, host: &str) -> Self {
        let error = error.without_url();
        let (trouble, detail) = if let Some(words) = sip_net::https_failure(&error) {
            (ApiTrouble::Tls, words)
        } else if error.is_timeout() {
            (ApiTrouble::Timeout, format!("no connection to {host} in time"))
        } else if error.is_dns() {
            (ApiTrouble::Unreachable, format!("{host} has no address: {}", innermost(&error)))
        } else if error.is_connect() {
            (ApiTrouble::Unreachable, format!("no connection to {host}: {}", innermost(&error)))
        } else if breaks_http(&error) {
            (ApiTrouble::Contract, format!("no HTTP: {}", innermost(&error)))
        } else {
            (ApiTrouble::Unreachable, format!("the connection broke: {}", innermost(&error)))
        };
        Self {
            unsent: error.is_connect(),
            ..Self::new(trouble, detail)
        }
    }
}

/// True when bytes came, but not those of HTTP: no status line, headers without end, a chunk of no size.
fn breaks_http(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| {
        let parse = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse);
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        parse || matches!(kind, Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput))
    })
}

/// The words of the last cause: those before it only say which layer met it.
fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        error.source()
    })
}
