//! What a client of an API is made from: where the API is, how long it may take, whom to trust, when to try again. Sends nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;
use serde_json::Value;

use super::ApiTrouble;
use crate::text;

/// What every client of an HTTP API is made from, whoever the provider is.
#[derive(Clone)]
pub struct ClientOptions {
    /// What every path is below, such as `https://api.telnyx.com/v2`; from a user's text by [`base_url`].
    pub base_url: Url,
    /// How long one call may take, retries and waits included: 30 s.
    pub deadline: Duration,
    /// A PEM file with the certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// When and how often a call is repeated.
    pub retry: RetryPolicy,
}

/// Where and how an API is reached: a client's options, and what only the provider's own module knows.
#[derive(Clone)]
pub struct HttpOptions {
    /// What every path is below, such as `https://api.telnyx.com/v2`.
    pub base_url: Url,
    /// A secret piece of the path between the base URL and the rest, such as the code of a webhook. Shown as `***`.
    pub secret_path: Option<SecretString>,
    /// Where secrets are, and with that where plain HTTP may go.
    pub confidential: Confidential,
    /// How long one call may take, retries and waits included.
    pub deadline: Duration,
    /// When and how often a call is repeated.
    pub retry: RetryPolicy,
    /// The shortest time from the beginning of one request to that of the next.
    pub pace: Option<Duration>,
    /// A PEM file with the certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Reads the provider's own error format.
    pub envelope: fn(&Value) -> Option<Envelope>,
}

/// What of a call holds secrets, which plain HTTP would show to everybody on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidential {
    /// Nothing: plain HTTP goes anywhere.
    Nothing,
    /// Its answers: plain HTTP goes to this machine and to private networks, by whatever name.
    Answers,
    /// Its requests, in whatever part: plain HTTP goes to `localhost` and to addresses of this machine and of private networks.
    Requests,
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
    /// How long it asks to wait, where no header says so.
    pub retry_after: Option<Duration>,
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
    /// The longest wait that a provider may ask for: 60 s. Who asks for more is told about, not waited for.
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

/// Why a client cannot be made. Holds nothing of a URL but its host: the rest may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The URL cannot be a base.
    #[error("the API's URL {0}; write one such as https://api.example.com/v2")]
    BaseUrl(String),
    /// A secret would cross a network in the clear.
    #[error("{0} is asked over plain http, where everybody on the way reads secrets; write https")]
    PlainText(String),
    /// A secret that no request can carry.
    #[error("{0}")]
    Secret(String),
    /// TLS cannot be used as asked.
    #[error("{0}")]
    Tls(String),
}

impl ClientOptions {
    /// The defaults for this base URL.
    #[must_use]
    pub fn new(base_url: Url) -> Self {
        Self {
            base_url,
            deadline: Duration::from_secs(30),
            ca_file: None,
            retry: RetryPolicy::default(),
        }
    }
}

impl HttpOptions {
    /// For an API that gets secrets and whose errors `envelope` reads; no secret in the path, no pace.
    #[must_use]
    pub fn new(options: ClientOptions, envelope: fn(&Value) -> Option<Envelope>) -> Self {
        Self {
            base_url: options.base_url,
            secret_path: None,
            confidential: Confidential::Requests,
            deadline: options.deadline,
            retry: options.retry,
            pace: None,
            ca_file: options.ca_file,
            envelope,
        }
    }

    /// Says whether this can work.
    pub(super) fn check(&self) -> Result<(), SetupError> {
        let base = &self.base_url;
        base_fault(base).map_or(Ok(()), |why| Err(SetupError::BaseUrl(why.to_owned())))?;
        let fits = match self.confidential {
            Confidential::Nothing => true,
            Confidential::Answers => keeps_secrets(base) || is_name(base),
            Confidential::Requests => keeps_secrets(base),
        };
        if !fits || self.secret_path.is_some() && !keeps_secrets(base) {
            return Err(SetupError::PlainText(text::field(base.host_str().unwrap_or_default())));
        }
        Ok(())
    }

    /// True when the addresses that a name leads to have to be looked at.
    pub(super) fn asks_nearby_only(&self) -> bool {
        self.confidential == Confidential::Answers && !keeps_secrets(&self.base_url)
    }
}

/// Reads the URL that every path of an API is below.
///
/// # Errors
/// [`SetupError::BaseUrl`] for what is neither http nor https, and for a user, a query or a fragment in it.
pub fn base_url(text: &str) -> Result<Url, SetupError> {
    let text = text.trim();
    let refused = |why: &str| SetupError::BaseUrl(why.to_owned());
    if !text.contains("://") {
        return Err(refused("has no http:// or https:// in front"));
    }
    let url = Url::parse(text).map_err(|error| refused(&format!("cannot be read: {error}")))?;
    base_fault(&url).map_or(Ok(url), |why| Err(refused(why)))
}

fn base_fault(url: &Url) -> Option<&'static str> {
    if !matches!(url.scheme(), "http" | "https") {
        return Some("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("has a user or a password in it, which would be shown");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some("has a ? or a # in it");
    }
    None
}

/// True when no stranger sees what goes there: TLS, or an address of this machine or of a private network.
pub(super) fn keeps_secrets(url: &Url) -> bool {
    url.scheme() == "https" || url.host_str().is_some_and(is_near)
}

fn is_near(host: &str) -> bool {
    address(host).map_or_else(|| is_localhost(host), is_near_address)
}

fn is_name(url: &Url) -> bool {
    url.host_str().is_some_and(|host| address(host).is_none())
}

fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

/// True for an address of this machine or of a private network.
pub(crate) const fn is_near_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

/// RFC 6761 §6.3: such a name is this machine and nothing else.
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// RFC 1122 §3.2.1.3, RFC 1918, RFC 3927.
const fn is_private(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_private() || address.is_link_local()
}

/// RFC 4291 §2.5.3 and §2.5.6, RFC 4193; IPv4 in IPv6 as what it is.
const fn is_private_v6(address: Ipv6Addr) -> bool {
    match address.to_ipv4_mapped() {
        Some(address) => is_private(address),
        None => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("host", &self.base_url.host_str())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("host", &self.base_url.host_str())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_http_and_holds_no_secret_and_no_query() {
        for good in [
            "https://api.example.com/v2",
            " http://127.0.0.1:8080/ ",
            "HTTPS://PORTAL.example.com/rest",
        ] {
            assert!(base_url(good).is_ok(), "{good}");
        }
        for (bad, words) in [
            ("api.example.com", "no http://"),
            ("ftp://api.example.com", "neither http nor https"),
            ("https://", "cannot be read"),
            ("https://user:canary@api.example.com", "a user or a password"),
            ("https://canary@api.example.com", "a user or a password"),
            ("https://api.example.com/?key=canary", "a ? or a #"),
            ("https://api.example.com/#canary", "a ? or a #"),
            ("https://canary canary/", "cannot be read"),
            ("https://api.example.com:canary/", "cannot be read"),
        ] {
            let error = base_url(bad).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("canary"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_secret_goes_over_plain_http_to_private_addresses_only() {
        let outcome = |url: &str, confidential| {
            let options = HttpOptions::new(ClientOptions::new(Url::parse(url).unwrap()), |_| None);
            HttpOptions { confidential, ..options }.check()
        };
        for private in [
            "http://localhost",
            "http://api.localhost.:8080",
            "http://127.0.0.9",
            "http://10.1.2.3",
            "http://172.31.0.1",
            "http://192.168.1.1",
            "http://169.254.0.1",
            "http://[::1]",
            "http://[fd00::1]",
            "http://[fe80::1]",
            "http://[::ffff:10.0.0.1]",
            "https://api.example.com",
        ] {
            assert_eq!(outcome(private, Confidential::Requests), Ok(()), "{private}");
            assert_eq!(outcome(private, Confidential::Answers), Ok(()), "{private}");
        }
        for public in [
            "http://api.example.com",
            "http://localhost.example.com",
            "http://192.0.2.1",
            "http://172.32.0.1",
            "http://[2001:db8::1]",
            "http://[::ffff:192.0.2.1]",
        ] {
            let refused = |confidential| matches!(outcome(public, confidential), Err(SetupError::PlainText(_)));
            assert!(refused(Confidential::Requests), "{public}");
            assert_eq!(refused(Confidential::Answers), !public.contains("example.com"), "{public}");
            assert_eq!(outcome(public, Confidential::Nothing), Ok(()), "{public}");
        }
    }

    #[test]
    fn a_secret_in_the_path_is_a_secret_whatever_the_options_say() {
        let options = HttpOptions::new(ClientOptions::new(Url::parse("http://portal.example.com").unwrap()), |_| None);
        let options = HttpOptions {
            confidential: Confidential::Nothing,
            secret_path: Some("rest/1/canary".to_owned().into()),
            ..options
        };
        let error = options.check().unwrap_err();
        assert_eq!(error, SetupError::PlainText("portal.example.com".to_owned()));
        assert!(!format!("{options:?}").contains("canary"));
    }
}
