//! Who a request is from: credentials looked up and checked, challenges made (RFC 3261 §22, RFC 8760). The arithmetic is `sip-digest`'s.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rand_chacha::ChaCha12Rng;
use sip_digest::Secret;
use sip_digest::server::{self, Expected, Issue, Proof, Refusal};
use sip_message::{ChallengeSource, Credentials, Request, Status};

use crate::Config;
use crate::nonces::{Nonces, Worth};

/// Checks credentials against the users of a [`Config`].
#[derive(Debug)]
pub(crate) struct Authenticator {
    config: Arc<Config>,
    realm: String,
    source: ChallengeSource,
    /// Positions in [`Config::users`], by the name in credentials.
    by_credentials: BTreeMap<Vec<u8>, usize>,
    /// Positions in [`Config::users`], by the user part of the address.
    by_address: BTreeMap<Vec<u8>, usize>,
    nonces: Nonces,
}

/// What the credentials of a request are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// They are right.
    Granted(Granted),
    /// There are none for our realm.
    Absent,
    /// They are right but for their nonce.
    Stale(&'static str),
    /// They are wrong.
    Refused(Refusal),
    /// They cannot be read.
    Malformed,
}

/// Who has proved to be whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Granted {
    /// The user part that this user may register.
    pub(crate) user: Vec<u8>,
    /// The value of Authentication-Info, when the configuration wants one.
    pub(crate) info: Option<Vec<u8>>,
}

/// A user found by credentials.
struct Found<'c> {
    credentials_name: String,
    user: Vec<u8>,
    secret: &'c Secret,
}

impl Authenticator {
    /// Asks in `realm`, with WWW-Authenticate or Proxy-Authenticate.
    pub(crate) fn new(config: Arc<Config>, realm: &str, source: ChallengeSource) -> Self {
        let index = |name: fn(&crate::User) -> &str| {
            let names = config.users.iter().enumerate();
            names.map(|(at, user)| (name(user).as_bytes().to_vec(), at)).collect()
        };
        Self {
            by_credentials: index(crate::User::credentials_name),
            by_address: index(|user| &user.name),
            nonces: Nonces::new(config.nonce_lifetime, config.limits.nonces),
            config,
            realm: realm.to_owned(),
            source,
        }
    }

    /// The status of a challenge and the name of its headers (RFC 3261 §22.2, §22.3).
    pub(crate) const fn challenge_header(&self) -> (Status, &'static str) {
        match self.source {
            ChallengeSource::Www => (Status::UNAUTHORIZED, "WWW-Authenticate"),
            ChallengeSource::Proxy => (Status::PROXY_AUTHENTICATION_REQUIRED, "Proxy-Authenticate"),
        }
    }

    /// True when the user part is somebody's whose secret is known.
    pub(crate) fn knows(&self, user: &[u8]) -> bool {
        self.by_address.contains_key(user) || self.config.any_user.is_some()
    }

    pub(crate) fn expire(&mut self, now: Instant) {
        self.nonces.expire(now);
    }

    /// Judges the credentials of a request.
    pub(crate) fn judge(&mut self, now: Instant, request: &Request<'_>, random: &mut ChaCha12Rng) -> Judgement {
        let mut readable = None;
        for credentials in request.headers.credentials(self.source) {
            let Ok(credentials) = credentials else {
                return Judgement::Malformed;
            };
            // RFC 3261 §22.3: several realms on the way each have their own.
            let realm = credentials.params.text(b"realm");
            if realm.as_deref() == Some(self.realm.as_bytes()) || !credentials.is_digest() {
                readable = Some(credentials);
            }
        }
        let Some(credentials) = readable else {
            return Judgement::Absent;
        };
        match self.check(now, &credentials, request, random) {
            Ok(judgement) => judgement,
            Err(refusal) => Judgement::Refused(refusal),
        }
    }

    fn check(
        &mut self,
        now: Instant,
        credentials: &Credentials<'_>,
        request: &Request<'_>,
        random: &mut ChaCha12Rng,
    ) -> Result<Judgement, Refusal> {
        let config = Arc::clone(&self.config);
        let found = self.find(&config, credentials)?;
        let algorithm = server::algorithm(credentials)
            .filter(|algorithm| config.algorithms.contains(algorithm))
            .ok_or(Refusal::Algorithm)?;
        let expected = Expected {
            realm: self.realm.as_bytes(),
            opaque: config.opaque.as_deref().map(str::as_bytes),
            algorithm,
            qop: &config.qop,
            method: request.method.as_bytes(),
            uri: Some(request.uri),
            body: request.body,
        };
        let verified = server::check(credentials, &expected, &found.credentials_name, found.secret)?;
        let nonce = credentials.param(b"nonce").unwrap_or_default();
        match self.nonces.redeem(now, nonce, verified.nonce_count) {
            Worth::Stale => return Ok(Judgement::Stale("nonce too old or unknown")),
            Worth::Replayed => return Ok(Judgement::Stale("nonce count used before")),
            Worth::Good => {}
        }
        let next_nonce = config.next_nonce.then(|| self.nonces.issue(now, random));
        let proof = Proof {
            credentials,
            algorithm,
            username: &found.credentials_name,
            secret: found.secret,
            body: b"",
            next_nonce: next_nonce.as_deref().map(str::as_bytes),
        };
        let wanted = config.rspauth || config.next_nonce;
        Ok(Judgement::Granted(Granted {
            user: found.user,
            info: wanted.then(|| info(&proof)).transpose()?,
        }))
    }

    fn find<'c>(&self, config: &'c Config, credentials: &Credentials<'_>) -> Result<Found<'c>, Refusal> {
        let plain = credentials.params.text(b"username").unwrap_or_default();
        let listed = match self.by_credentials.get(plain.as_ref()) {
            Some(at) => config.users.get(*at),
            // Hashed and extended names have to be tried one by one (RFC 7616 §3.4.4).
            None => config
                .users
                .iter()
                .find(|user| server::names(credentials, user.credentials_name()) == Ok(true)),
        };
        if let Some(user) = listed {
            return Ok(Found {
                credentials_name: user.credentials_name().to_owned(),
                user: user.name.clone().into_bytes(),
                secret: &user.secret,
            });
        }
        let name = std::str::from_utf8(&plain).ok().filter(|name| !name.is_empty());
        name.zip(config.any_user.as_ref())
            .map(|(name, secret)| Found {
                credentials_name: name.to_owned(),
                user: name.as_bytes().to_vec(),
                secret,
            })
            .ok_or(Refusal::Username)
    }

    /// How many nonces are held.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.nonces.held()
    }

    /// A new nonce to challenge with.
    pub(crate) fn issue(&mut self, now: Instant, random: &mut ChaCha12Rng) -> String {
        self.nonces.issue(now, random)
    }

    /// The nonce that a request's credentials for our realm used, if it is one of ours.
    pub(crate) fn nonce_of(&self, now: Instant, request: &Request<'_>) -> Option<String> {
        let credentials = request.headers.credentials(self.source).find_map(Result::ok)?;
        let nonce = credentials.param(b"nonce")?;
        self.nonces.is_live(now, nonce).then(|| String::from_utf8_lossy(nonce).into_owned())
    }

    /// The values of the challenge headers, one for each algorithm, all with this nonce.
    pub(crate) fn challenges(&self, nonce: &str, stale: bool) -> Vec<Vec<u8>> {
        let config = &self.config;
        let issue = |algorithm| Issue {
            realm: self.realm.as_bytes(),
            nonce: nonce.as_bytes(),
            opaque: config.opaque.as_deref().map(str::as_bytes),
            algorithm,
            qop: &config.qop,
            stale,
            userhash: config.userhash,
            utf8: config.userhash,
        };
        let write = |algorithm: &_| crate::draft::value_bytes(|value| issue(*algorithm).write_challenge(value));
        config.algorithms.iter().map(write).collect()
    }
}

fn info(proof: &Proof<'_>) -> Result<Vec<u8>, Refusal> {
    let mut written = Ok(());
    let value = crate::draft::value_bytes(|value| written = proof.write_info(value));
    written.map(|()| value)
}
