//! What a registrar is told before it starts: its users, its policy, its limits, its faults. Not for anything that changes while it runs.

use std::time::{Duration, Instant};

use sip_digest::{Algorithm, Qop, Secret};

use crate::Fault;

/// How a [`crate::Registrar`] behaves. [`Config::default`] is a strict registrar without users; set what differs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The realm of every challenge.
    pub realm: String,
    /// The domains whose addresses may be registered, compared without case; empty accepts every domain.
    pub domains: Vec<String>,
    /// Who may register.
    pub users: Vec<User>,
    /// Accepts every user name that is not in [`Config::users`] with this secret. A password: an HA1 belongs to one name.
    pub any_user: Option<Secret>,
    /// Asks for no credentials. Without [`Config::users`] every address may then be registered.
    pub open: bool,
    /// Challenges with 407 and Proxy-Authenticate instead of 401 and WWW-Authenticate (RFC 3261 §22.3).
    pub proxy_auth: bool,
    /// Puts a proxy in front that asks first, with 407 and this realm, for the same users' credentials. Both challenges have to be
    /// answered in one request then (RFC 3261 §22.3).
    pub edge_realm: Option<String>,
    /// Answers 404 to an unknown address before any challenge. RFC 3261 §10.3 authenticates first, so the default is false.
    pub unknown_before_challenge: bool,
    /// One challenge header for each, in this order (RFC 8760 §2.4 wants the preferred one first).
    pub algorithms: Vec<Algorithm>,
    /// The qualities of protection that a challenge offers; empty offers none (RFC 2069's digest).
    pub qop: Vec<Qop>,
    /// The `opaque` of every challenge, which credentials must echo.
    pub opaque: Option<String>,
    /// Offers and accepts hashed user names (RFC 7616 §3.4.4).
    pub userhash: bool,
    /// Sends Authentication-Info with `rspauth` in a 200 (RFC 7615).
    pub rspauth: bool,
    /// Sends a `nextnonce` in the Authentication-Info of a 200 (RFC 7615).
    pub next_nonce: bool,
    /// How long a nonce is good; after that a right answer is refused with `stale=true`.
    pub nonce_lifetime: Duration,
    /// Shorter expiries, in seconds, are refused with 423 (RFC 3261 §10.3 step 7).
    pub min_expires: u32,
    /// Longer expiries, in seconds, are cut to this.
    pub max_expires: u32,
    /// The expiry in seconds of a Contact that asks for none.
    pub default_expires: u32,
    /// The most bindings of one address; a REGISTER that wants more gets 503.
    pub max_contacts: usize,
    /// The `Retry-After` in seconds of that 503.
    pub retry_after: u32,
    /// Supports Path (RFC 3327): stores it, and echoes it to a peer that says `Supported: path`.
    pub path: bool,
    /// Supports outbound (RFC 5626): `+sip.instance` with `reg-id` names a binding.
    pub outbound: bool,
    /// Adds Kamailio's `received="sip:address:port"` to a Contact that was registered from elsewhere than it says.
    pub received: bool,
    /// The Server header; empty sends none.
    pub server: String,
    /// What time it is, for the Date header; `None` sends none.
    pub clock: Option<WallClock>,
    /// How much memory peers may use.
    pub limits: Limits,
    /// What goes wrong on purpose, in the order in which they are tried.
    pub faults: Vec<Fault>,
}

/// Someone who may register.
#[derive(Debug, Clone)]
pub struct User {
    /// The user part of the address of record.
    pub name: String,
    /// The user name in credentials; `None` when it is the same.
    pub auth_name: Option<String>,
    /// The password or HA1.
    pub secret: Secret,
}

/// One moment on both clocks, from which every other follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// The moment on the clock that every call's `now` is of.
    pub at: Instant,
    /// The same moment in seconds since 1970-01-01 00:00:00 UTC.
    pub unix_seconds: u64,
}

/// Caps on everything that a peer can make grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bindings of all addresses together; above it 503.
    pub bindings: usize,
    /// Bytes of all bindings together: contacts, Call-IDs, paths; above it 503.
    pub binding_bytes: usize,
    /// Nonces that are remembered; the oldest goes first and is then stale.
    pub nonces: usize,
    /// Server transactions that are remembered to answer retransmissions; the oldest goes first.
    pub transactions: usize,
    /// Replies that wait to be polled or to become due; further ones are dropped.
    pub replies: usize,
    /// Bytes of remembered replies, and again of waiting ones.
    pub reply_bytes: usize,
    /// Events that wait to be polled; further ones are dropped.
    pub events: usize,
}

impl User {
    /// A user whose credentials carry the same name as the address.
    #[must_use]
    pub fn new(name: impl Into<String>, secret: Secret) -> Self {
        Self {
            name: name.into(),
            auth_name: None,
            secret,
        }
    }

    /// The user name that credentials carry.
    #[must_use]
    pub fn credentials_name(&self) -> &str {
        self.auth_name.as_deref().unwrap_or(&self.name)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            realm: "regprobe.invalid".to_owned(),
            domains: Vec::new(),
            users: Vec::new(),
            any_user: None,
            open: false,
            proxy_auth: false,
            edge_realm: None,
            unknown_before_challenge: false,
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            qop: vec![Qop::Auth],
            opaque: None,
            userhash: false,
            rspauth: false,
            next_nonce: false,
            nonce_lifetime: Duration::from_secs(300),
            // The bounds that Kamailio's registrar module documents as common practice: a minute and an hour.
            min_expires: 60,
            max_expires: 3600,
            // RFC 3261 §10.2.1.1: an hour when nothing is asked for.
            default_expires: 3600,
            max_contacts: 10,
            retry_after: 60,
            path: true,
            outbound: true,
            received: false,
            server: "regprobe registrar".to_owned(),
            clock: None,
            limits: Limits::default(),
            faults: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bindings: 100_000,
            binding_bytes: 64 * 1024 * 1024,
            nonces: 65_536,
            transactions: 65_536,
            replies: 65_536,
            reply_bytes: 32 * 1024 * 1024,
            events: 4096,
        }
    }
}
