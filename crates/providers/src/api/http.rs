//! JSON over HTTP, for every provider alike: base URL, deadline, limits, retries, and no word of a secret in any error (RFC 9110).

use std::fmt;

use reqwest::{Client, header};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::options::keeps_secrets;
use super::{ApiError, ApiTrouble, HttpOptions, Request, SetupError};
use crate::{Moment, text};

/// A client of one account at one provider. Asks one thing at a time.
pub struct Http {
    options: HttpOptions,
    client: Client,
    turn: tokio::sync::Mutex<()>,
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

impl Http {
    /// A client by these options. Sends nothing.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(options: HttpOptions) -> Result<Self, SetupError> {
        options.check()?;
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
        if request.bearer.is_some() && !keeps_secrets(&self.options.base_url) {
            return Err(failed(ApiTrouble::Tls, None, "no token is sent over plain http".to_owned()));
        }
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
