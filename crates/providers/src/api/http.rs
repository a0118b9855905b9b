//! JSON over HTTP, for every provider alike: one call at a time, within its deadline and its limits, repeated where that is right, and
//! no word of a secret in any error (RFC 9110, RFC 9112).
//!
//! HTTP/1.1 only, no compression, no cookies, and no proxy: what `HTTPS_PROXY` says is for other programs, since a proxy would be one
//! more party that the evidence depends on.

use std::fmt;
use std::time::Duration;

use rand::RngExt as _;
use reqwest::header::{self, HeaderValue};
use reqwest::{Client, Url};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::answer::Reading;
use super::failure::Failure;
use super::near::Near;
use super::options::keeps_secrets;
use super::secrets::Secrets;
use super::{ApiError, ApiTrouble, HttpOptions, Request, SetupError, redirect, retry};
use crate::{Moment, text};

/// A client of one account at one provider. Asks one thing at a time.
pub struct Http {
    options: HttpOptions,
    client: Client,
    /// Held by the call whose turn it is; when the last request began.
    turn: Mutex<Option<Instant>>,
}

/// An answer with a status of 2xx and JSON in it; `null` where the status says that there is nothing.
#[derive(Clone)]
pub struct Reply {
    /// What was asked, as in [`ApiError::request`].
    pub request: String,
    /// The status.
    pub status: u16,
    /// The body. May hold secrets, though not those of the request: only what a decoder takes out of it is shown.
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
        let mut client = Client::builder();
        if options.asks_nearby_only() {
            client = client.dns_resolver(Near);
        }
        let client = client
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("regprobe/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(CONNECT_AT_MOST.min(options.deadline / 2))
            .pool_idle_timeout(IDLE_AT_MOST)
            .build()
            .map_err(|error| SetupError::Tls(error.without_url().to_string()))?;
        Ok(Self {
            options,
            client,
            turn: Mutex::new(None),
        })
    }

    /// Sends a call and reads its answer. Waits its turn first: the deadline begins after that.
    ///
    /// # Errors
    /// [`ApiError`] for everything that is no 2xx with JSON in it.
    pub async fn send(&self, request: &Request) -> Result<Reply, ApiError> {
        let secrets = Secrets::of(request, self.options.secret_path.as_ref());
        let mut turn = self.turn.lock().await;
        self.keep_pace(&turn).await;
        let deadline = Instant::now() + self.options.deadline.min(LONGEST_DEADLINE);
        let mut attempts = 0;
        let failure = loop {
            attempts += 1;
            let attempt = timeout_at(deadline, self.attempt(request, &secrets, &mut turn));
            let failure = match attempt.await.unwrap_or_else(|_| Err(self.out_of_time())) {
                Ok(reply) => {
                    return Ok(Reply {
                        request: self.shown(request, &secrets),
                        ..reply
                    });
                }
                Err(failure) => failure,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let per_mille = rand::rng().random_range(SHORTEST_WAIT..=1000);
            match retry::wait(&self.options.retry, &failure, attempts, request.repeatable, left, per_mille) {
                Some(wait) => sleep(wait).await,
                None => break failure,
            }
        };
        Err(self.error(failure, request, &secrets, attempts))
    }

    /// One attempt, and where it is sent on to.
    async fn attempt(&self, request: &Request, secrets: &Secrets, turn: &mut Option<Instant>) -> Result<Reply, Failure> {
        let mut url = self.url(request)?;
        let reading = Reading {
            envelope: self.options.envelope,
            secrets,
            host: self.host(),
        };
        for _ in 0..=REDIRECTS {
            self.keep_pace(turn).await;
            let asked_at = Moment::now();
            *turn = Some(Instant::now());
            let sent = self.prepared(request, url.clone())?.send().await;
            let response = sent.map_err(|error| Failure::of_network(error, self.host()))?;
            match redirect::next(&request.method, response.status().as_u16(), response.headers(), &url)? {
                Some(target) => url = target,
                None => return reading.read(response, asked_at).await,
            }
        }
        Err(Failure::new(
            ApiTrouble::Redirected,
            format!("redirected more than {REDIRECTS} times"),
        ))
    }

    /// Waits until the next request may begin.
    async fn keep_pace(&self, last: &Option<Instant>) {
        if let (Some(pace), Some(last)) = (self.options.pace, last) {
            sleep_until(*last + pace.min(LONGEST_DEADLINE)).await;
        }
    }

    fn url(&self, request: &Request) -> Result<Url, Failure> {
        let refused = |detail: &str| Err(Failure::new(ApiTrouble::BadRequest, detail));
        let path = request.path.trim_start_matches('/');
        if path.contains(['\\', '\t', '\r', '\n']) || path.split('/').any(is_step) {
            return refused("a path with steps up or down in it leads elsewhere");
        }
        if request.bearer.is_some() && !keeps_secrets(&self.options.base_url) {
            return refused("no token is sent over plain http");
        }
        let mut url = self.options.base_url.clone();
        let secret = self.options.secret_path.as_ref().map(|secret| secret.expose_secret());
        let below: Vec<_> = [secret.unwrap_or_default().trim_matches('/'), path]
            .into_iter()
            .filter(|piece| !piece.is_empty())
            .collect();
        if !below.is_empty() {
            url.set_path(&format!("{}/{}", url.path().trim_end_matches('/'), below.join("/")));
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }

    fn prepared(&self, request: &Request, url: Url) -> Result<reqwest::RequestBuilder, Failure> {
        let mut builder = self.client.request(request.method.clone(), url);
        builder = builder.header(header::ACCEPT, "application/json");
        builder = builder.header(header::ACCEPT_ENCODING, "identity");
        if let Some(token) = &request.bearer {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
            let mut value =
                value.map_err(|_| Failure::new(ApiTrouble::Unauthorized, "the key holds characters that no header can carry"))?;
            value.set_sensitive(true);
            builder = builder.header(header::AUTHORIZATION, value);
        }
        if let Some(body) = &request.body {
            builder = builder.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        Ok(builder)
    }

    fn out_of_time(&self) -> Failure {
        let words = format!("no complete answer from {} within {:?}", self.host(), self.options.deadline);
        Failure::new(ApiTrouble::Timeout, words)
    }

    fn host(&self) -> &str {
        self.options.base_url.host_str().unwrap_or_default()
    }

    /// A failure as it may be shown.
    fn error(&self, failure: Failure, request: &Request, secrets: &Secrets, attempts: u32) -> ApiError {
        let clean = |text: &str| text::field(&secrets.removed_from(text));
        ApiError {
            trouble: failure.trouble,
            status: failure.status,
            code: failure.code.as_deref().map(clean),
            detail: clean(&failure.detail),
            request: self.shown(request, secrets),
            attempts,
            retry_after: failure.retry_after,
            body: failure.body.map(|body| text::page(&secrets.removed_from(&body)).into_boxed_str()),
        }
    }

    /// What is asked, as people would write it.
    fn shown(&self, request: &Request, secrets: &Secrets) -> String {
        let secret = self.options.secret_path.as_ref().map_or("", |_| "/***");
        let base = self.options.base_url.path().trim_end_matches('/');
        let path = secrets.removed_from(&request.path);
        text::field(&format!("{} {base}{secret}/{}", request.method, path.trim_start_matches('/')))
    }
}

/// True for a piece of a path that URLs take as a step: `.`, `..`, also encoded. They take a backslash for a slash, and leave out tabs.
fn is_step(piece: &str) -> bool {
    matches!(&*piece.to_ascii_lowercase().replace("%2e", "."), "." | "..")
}

/// How many redirects of one attempt are followed.
const REDIRECTS: u32 = 3;
/// How long a connection may take to be made, TLS included: one that is not there by then is tried again.
const CONNECT_AT_MOST: Duration = Duration::from_secs(10);
/// How long a connection is kept for the next call. Servers give up theirs after 5 s at the earliest; a `POST` should not meet that.
const IDLE_AT_MOST: Duration = Duration::from_secs(4);
/// What a deadline is at most: a day.
const LONGEST_DEADLINE: Duration = Duration::from_secs(86_400);
/// How much of our own wait is waited at least, in per mille: many clients should not come back as one.
const SHORTEST_WAIT: u32 = 750;

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

#[cfg(test)]
mod tests {
    use tokio::net::TcpSocket;

    use super::*;
    use crate::{ClientOptions, RetryPolicy};

    /// How long a call takes that is refused each time, in the virtual time of the test: only our own waits take any.
    async fn refused(change: impl FnOnce(&mut HttpOptions)) -> (ApiError, Duration) {
        // Bound and not listening: refused at once, and nobody else gets the port meanwhile.
        let closed = TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}", closed.local_addr().unwrap()).parse().unwrap();
        let mut options = HttpOptions::new(ClientOptions::new(url), |_| None);
        change(&mut options);
        let http = Http::new(options).unwrap();
        let started = Instant::now();
        let error = http.send(&Request::get("/")).await.unwrap_err();
        assert_eq!(error.trouble, ApiTrouble::Unreachable, "{error}");
        (error, started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_between_attempts() {
        let (error, took) = refused(|_| {}).await;
        assert_eq!(error.attempts, 3);
        let longest = Duration::from_millis(500 + 1000);
        assert!((longest * 3 / 4..longest + Duration::from_millis(10)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_keep_their_distance() {
        let (_, took) = refused(|options| options.pace = Some(Duration::from_secs(5))).await;
        assert!((Duration::from_secs(10)..Duration::from_millis(10_010)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_begins_after_the_deadline() {
        let patient = RetryPolicy {
            attempts: u32::MAX,
            ..RetryPolicy::default()
        };
        let (error, took) = refused(|options| options.retry = patient).await;
        assert!(error.attempts > 5, "{error}");
        assert!((Duration::from_secs(20)..=Duration::from_secs(30)).contains(&took), "{took:?}");
    }
}
