//! The server's side: challenges written, credentials checked, the proof in Authentication-Info (RFC 7616 §3.3, §3.4.6, §3.5).
//! Not the nonces: which one was issued, is stale or replayed is known to whoever issued it.
//!
//! ```
//! use sip_digest::server::{Expected, Issue, Refusal, check};
//! use sip_digest::{Algorithm, Qop, Secret};
//! use sip_message::{Credentials, Status, Writer};
//! let issue = Issue {
//!     realm: b"r",
//!     nonce: b"n",
//!     opaque: None,
//!     algorithm: Algorithm::Sha256,
//!     qop: &[Qop::Auth],
//!     stale: false,
//!     userhash: false,
//!     utf8: false,
//! };
//! let mut out = Vec::new();
//! Writer::response(&mut out, Status::new(401).expect("401 is a status"), b"Unauthorized")
//!     .header("WWW-Authenticate", |value| issue.write_challenge(value))
//!     .finish(b"");
//!
//! let credentials = Credentials::parse(b"Digest username=\"alice\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"00\", \
//!     algorithm=SHA-256, qop=auth, cnonce=\"c\", nc=00000001")?;
//! let expected = Expected {
//!     realm: b"r",
//!     opaque: None,
//!     algorithm: Algorithm::Sha256,
//!     qop: &[Qop::Auth],
//!     method: b"REGISTER",
//!     uri: Some(b"sip:r"),
//!     body: b"",
//! };
//! assert_eq!(check(&credentials, &expected, "alice", &Secret::Password("secret".into())), Err(Refusal::Response));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;

use sip_message::{Credentials, SipUri, Value, unfold};
use thiserror::Error;

use crate::answer::between_quotes;
use crate::calculation::{Calculation, parse_count};
use crate::challenge::repeatable;
use crate::username::{decode_extended, hashed};
use crate::{Algorithm, AnswerError, Qop, Secret};

/// A challenge to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issue<'a> {
    /// The realm, plain: quotes in it are escaped here.
    pub realm: &'a [u8],
    /// The nonce, plain.
    pub nonce: &'a [u8],
    /// The opaque, plain.
    pub opaque: Option<&'a [u8]>,
    /// The algorithm; always named.
    pub algorithm: Algorithm,
    /// The protection offered; none as in RFC 2069.
    pub qop: &'a [Qop],
    /// Only the nonce was refused.
    pub stale: bool,
    /// The username is to come hashed.
    pub userhash: bool,
    /// Names and passwords are in UTF-8, and `username*` is understood.
    pub utf8: bool,
}

/// What credentials are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The realm that was issued, plain.
    pub realm: &'a [u8],
    /// The opaque that was issued and must come back; `None` takes any.
    pub opaque: Option<&'a [u8]>,
    /// The algorithm that was issued.
    pub algorithm: Algorithm,
    /// The protection that was offered: credentials use one of these, or none where none was offered.
    pub qop: &'a [Qop],
    /// The request's method.
    pub method: &'a [u8],
    /// The Request-URI, which the credentials must name in these bytes or an equivalent URI (RFC 3261 §19.1.4). `None` takes any:
    /// a proxy on the way may have rewritten it.
    pub uri: Option<&'a [u8]>,
    /// The request's body; it counts only with `auth-int`.
    pub body: &'a [u8],
}

/// What credentials that are right say beside that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The protection used.
    pub qop: Option<Qop>,
    /// How often the client has used the nonce by its own count; `None` without protection. A count that does not grow is a replay.
    pub nonce_count: Option<u32>,
}

/// Why credentials are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Another scheme than Digest.
    #[error("not Digest credentials")]
    Scheme,
    /// A parameter that is needed is not there.
    #[error("credentials without {0}")]
    Missing(&'static str),
    /// A parameter that cannot be what it should be.
    #[error("malformed {0} in the credentials")]
    Malformed(&'static str),
    /// Another realm than the one issued.
    #[error("credentials for another realm")]
    Realm,
    /// Another algorithm than the one issued.
    #[error("credentials with another algorithm")]
    Algorithm,
    /// A protection that was not offered, or none where some was.
    #[error("credentials with another quality of protection")]
    Qop,
    /// Another opaque than the one issued, or none.
    #[error("credentials with another opaque")]
    Opaque,
    /// Another URI than the request's.
    #[error("credentials for another URI")]
    Uri,
    /// Another user.
    #[error("credentials of another user")]
    Username,
    /// The digest is wrong: another password, or something changed on the way.
    #[error("wrong digest")]
    Response,
    /// The secret at hand cannot check this algorithm.
    #[error(transparent)]
    Secret(#[from] AnswerError),
}

/// What goes into Authentication-Info: the proof that the server knows the secret too (RFC 7616 §3.5).
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    /// The credentials of the request, checked before.
    pub credentials: &'a Credentials<'a>,
    /// The algorithm that was issued.
    pub algorithm: Algorithm,
    /// The plain username.
    pub username: &'a str,
    /// The user's secret.
    pub secret: &'a Secret,
    /// The reply's body.
    pub body: &'a [u8],
    /// The nonce that the next request should use, plain.
    pub next_nonce: Option<&'a [u8]>,
}

impl Issue<'_> {
    /// Writes the value of WWW-Authenticate or Proxy-Authenticate, without the header's name.
    pub fn write_challenge(&self, value: &mut Value<'_>) {
        value.text(b"Digest realm=").quoted(self.realm).text(b", nonce=").quoted(self.nonce);
        if let Some(opaque) = self.opaque {
            value.text(b", opaque=").quoted(opaque);
        }
        value.text(b", algorithm=").text(self.algorithm.name().as_bytes());
        for (at, qop) in self.qop.iter().enumerate() {
            value.text(if at == 0 { b", qop=\"" } else { b"," }).text(qop.name().as_bytes());
        }
        if !self.qop.is_empty() {
            value.text(b"\"");
        }
        for (said, parameter) in [
            (self.stale, &b", stale=true"[..]),
            (self.userhash, b", userhash=true"),
            (self.utf8, b", charset=UTF-8"),
        ] {
            if said {
                value.text(parameter);
            }
        }
    }
}

/// Checks credentials against what was expected and one user's secret.
///
/// # Errors
/// See [`Refusal`]; the first thing that is wrong, in its order.
pub fn check(credentials: &Credentials<'_>, expected: &Expected<'_>, username: &str, secret: &Secret) -> Result<Verified, Refusal> {
    let given = Given::read(credentials)?;
    if credentials.params.text(b"realm").map(unfolded).as_deref() != Some(expected.realm) {
        return Err(Refusal::Realm);
    }
    if algorithm(credentials) != Some(expected.algorithm) {
        return Err(Refusal::Algorithm);
    }
    if given.qop.map_or(!expected.qop.is_empty(), |qop| !expected.qop.contains(&qop)) {
        return Err(Refusal::Qop);
    }
    if expected.opaque.is_some() && credentials.params.text(b"opaque").map(unfolded).as_deref() != expected.opaque {
        return Err(Refusal::Opaque);
    }
    if expected.uri.is_some_and(|uri| !same_uri(uri, &given.uri)) {
        return Err(Refusal::Uri);
    }
    if !names(credentials, username)? {
        return Err(Refusal::Username);
    }
    let response = parameter(credentials, "response")?.ok_or(Refusal::Missing("response"))?;
    let ha1 = secret.digits(expected.algorithm, username.as_bytes(), &given.realm)?;
    let digest = given.calculation(expected.algorithm, expected.method, expected.body)?.digest(ha1);
    if !digest.matches(&response) {
        return Err(Refusal::Response);
    }
    Ok(Verified {
        qop: given.qop,
        nonce_count: given.qop.and(parse_count(&given.nonce_count)),
    })
}

/// The algorithm that the credentials say they use: MD5 when they name none, `None` when we do not know it.
#[must_use]
pub fn algorithm(credentials: &Credentials<'_>) -> Option<Algorithm> {
    credentials
        .param(b"algorithm")
        .map_or(Some(Algorithm::Md5), |name| Algorithm::parse(name.trim_ascii()))
}

/// Whether the credentials are this user's: by plain name, by `username*` or by hash (RFC 7616 §3.4.4).
///
/// # Errors
/// [`Refusal::Missing`] and [`Refusal::Malformed`] for the username; [`Refusal::Algorithm`] for a hash that we do not know.
pub fn names(credentials: &Credentials<'_>, username: &str) -> Result<bool, Refusal> {
    let plain = credentials.params.text(b"username").map(unfolded);
    let extended = credentials.param(b"username*");
    let is_hashed = credentials
        .param(b"userhash")
        .is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"true"));
    match (plain, extended) {
        (Some(given), None) if is_hashed => {
            let realm = parameter(credentials, "realm")?.ok_or(Refusal::Missing("realm"))?;
            let algorithm = algorithm(credentials).ok_or(Refusal::Algorithm)?;
            Ok(hashed(algorithm, username, &realm).matches(&given))
        }
        (Some(given), None) => Ok(given == username.as_bytes()),
        (None, Some(given)) if !is_hashed => decode_extended(given)
            .map(|name| name == username.as_bytes())
            .ok_or(Refusal::Malformed("username*")),
        (None, None) => Err(Refusal::Missing("username")),
        (Some(_), Some(_)) | (None, Some(_)) => Err(Refusal::Malformed("username*")),
    }
}

impl Proof<'_> {
    /// Writes the value of Authentication-Info, without the header's name.
    ///
    /// # Errors
    /// See [`Refusal`]; credentials that passed [`check`] have none.
    pub fn write_info(&self, value: &mut Value<'_>) -> Result<(), Refusal> {
        let given = Given::read(self.credentials)?;
        let ha1 = self.secret.digits(self.algorithm, self.username.as_bytes(), &given.realm)?;
        // RFC 7616 §3.5: like the response, but without the method and with the reply's body.
        let digest = given.calculation(self.algorithm, b"", self.body)?.digest(ha1);
        between_quotes(value, b"rspauth=\"", digest.as_bytes());
        if let Some(qop) = given.qop {
            value
                .text(b", qop=")
                .text(qop.name().as_bytes())
                .text(b", nc=")
                .text(&given.nonce_count);
            between_quotes(value, b", cnonce=\"", &given.cnonce);
        }
        if let Some(nonce) = self.next_nonce {
            value.text(b", nextnonce=").quoted(nonce);
        }
        Ok(())
    }
}

/// The parameters that are hashed, as they stand between the quotes.
struct Given<'a> {
    realm: Cow<'a, [u8]>,
    nonce: Cow<'a, [u8]>,
    uri: Cow<'a, [u8]>,
    cnonce: Cow<'a, [u8]>,
    nonce_count: Cow<'a, [u8]>,
    qop: Option<Qop>,
}

impl<'a> Given<'a> {
    fn read(credentials: &Credentials<'a>) -> Result<Self, Refusal> {
        if !credentials.is_digest() {
            return Err(Refusal::Scheme);
        }
        let needed = |name| parameter(credentials, name)?.ok_or(Refusal::Missing(name));
        let qop = parameter(credentials, "qop")?
            .map(|name| Qop::parse(name.trim_ascii()).ok_or(Refusal::Qop))
            .transpose()?;
        let counted = |name| {
            if qop.is_some() {
                needed(name)
            } else {
                Ok(parameter(credentials, name)?.unwrap_or_default())
            }
        };
        let given = Self {
            realm: needed("realm")?,
            nonce: needed("nonce")?,
            uri: needed("uri")?,
            cnonce: counted("cnonce")?,
            nonce_count: counted("nc")?,
            qop,
        };
        if qop.is_some() && parse_count(&given.nonce_count).is_none() {
            return Err(Refusal::Malformed("nc"));
        }
        Ok(given)
    }

    fn calculation<'s>(&'s self, algorithm: Algorithm, method: &'s [u8], body: &'s [u8]) -> Result<Calculation<'s>, Refusal> {
        if algorithm.is_session() && self.cnonce.is_empty() {
            return Err(Refusal::Missing("cnonce"));
        }
        Ok(Calculation {
            algorithm,
            nonce: &self.nonce,
            cnonce: &self.cnonce,
            nonce_count: &self.nonce_count,
            qop: self.qop,
            method,
            uri: &self.uri,
            body,
        })
    }
}

fn parameter<'a>(credentials: &Credentials<'a>, name: &'static str) -> Result<Option<Cow<'a, [u8]>>, Refusal> {
    credentials
        .param(name.as_bytes())
        .map(|raw| repeatable(name, raw).map_err(|_| Refusal::Malformed(name)))
        .transpose()
}

/// The resolved text on one line.
fn unfolded(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => unfold(text),
        Cow::Owned(text) => Cow::Owned(unfold(&text).into_owned()),
    }
}

fn same_uri(request: &[u8], given: &[u8]) -> bool {
    let equivalent = || Some(SipUri::parse(request).ok()?.equivalent(&SipUri::parse(given).ok()?));
    request == given || equivalent().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use sip_message::Writer;

    use super::*;

    const EXPECTED: Expected<'_> = Expected {
        realm: b"testrealm@host.com",
        opaque: Some(b"5ccc069c403ebaf9f0171e9517f40e41"),
        algorithm: Algorithm::Md5,
        qop: &[Qop::Auth, Qop::AuthInt],
        method: b"GET",
        uri: Some(b"/dir/index.html"),
        body: b"",
    };

    /// The credentials of RFC 2617 §3.5.
    const MUFASA: &str = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
        uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", \
        opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";

    fn secret() -> Secret {
        Secret::Password("Circle Of Life".into())
    }

    fn checked(credentials: &str, expected: &Expected<'_>) -> Result<Verified, Refusal> {
        check(&Credentials::parse(credentials.as_bytes()).unwrap(), expected, "Mufasa", &secret())
    }

    fn value(fill: impl FnOnce(&mut Value<'_>)) -> String {
        let mut out = Vec::new();
        Writer::request(&mut out, b"M", b"u").header("A", fill);
        String::from_utf8(out).unwrap().split_once("A: ").unwrap().1.trim_end().to_owned()
    }

    #[test]
    fn the_credentials_of_rfc_2617_are_right() {
        let verified = Verified {
            qop: Some(Qop::Auth),
            nonce_count: Some(1),
        };
        assert_eq!(checked(MUFASA, &EXPECTED), Ok(verified));
        let folded = MUFASA
            .replace(", ", ",\r\n ")
            .replace("Digest ", "DIGEST\t")
            .replace("6629fae4", "6629FAE4");
        assert_eq!(checked(&folded, &EXPECTED), Ok(verified));
    }

    #[test]
    fn each_thing_that_is_wrong_has_its_own_refusal() {
        for (from, to, refusal) in [
            ("Digest ", "Basic ", Refusal::Scheme),
            ("testrealm", "otherrealm", Refusal::Realm),
            ("qop=auth", "qop=auth, algorithm=SHA-256", Refusal::Algorithm),
            ("qop=auth", "qop=auth, algorithm=AKAv1-MD5", Refusal::Algorithm),
            ("qop=auth", "qop=auth-conf", Refusal::Qop),
            ("qop=auth, nc=00000001, cnonce=\"0a4f113b\", ", "", Refusal::Qop),
            ("5ccc", "6ccc", Refusal::Opaque),
            (", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"", "", Refusal::Opaque),
            ("index", "other", Refusal::Uri),
            ("Mufasa", "Simba", Refusal::Username),
            ("response=\"6", "response=\"7", Refusal::Response),
            ("nc=00000001", "nc=00000002", Refusal::Response),
            ("qop=auth", "qop=auth-int", Refusal::Response),
            ("nonce=\"dcd", "nonce=\"ecd", Refusal::Response),
            ("nc=00000001", "nc=1", Refusal::Malformed("nc")),
            ("0a4f113b", "0a4f\0", Refusal::Malformed("cnonce")),
            ("username=\"Mufasa\"", "username*=Mufasa", Refusal::Malformed("username*")),
            (
                "username=\"Mufasa\"",
                "username=\"Mufasa\", username*=UTF-8''Mufasa",
                Refusal::Malformed("username*"),
            ),
            (
                "username=\"Mufasa\"",
                "userhash=true, username*=UTF-8''Mufasa",
                Refusal::Malformed("username*"),
            ),
            ("username=\"Mufasa\", ", "", Refusal::Missing("username")),
            ("realm=\"testrealm@host.com\", ", "", Refusal::Missing("realm")),
            ("nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", ", "", Refusal::Missing("nonce")),
            ("uri=\"/dir/index.html\", ", "", Refusal::Missing("uri")),
            ("nc=00000001, ", "", Refusal::Missing("nc")),
            ("cnonce=\"0a4f113b\", ", "", Refusal::Missing("cnonce")),
            ("response=\"6629fae49393a05397450978507c4ef1\", ", "", Refusal::Missing("response")),
        ] {
            let changed = MUFASA.replace(from, to);
            assert_ne!(changed, MUFASA);
            assert_eq!(checked(&changed, &EXPECTED), Err(refusal), "{from} -> {to}");
        }
    }

    #[test]
    fn protection_is_refused_where_none_was_offered() {
        let bare = Expected { qop: &[], ..EXPECTED };
        assert_eq!(checked(MUFASA, &bare), Err(Refusal::Qop));
        let rfc_2069 = MUFASA
            .replace("qop=auth, nc=00000001, cnonce=\"0a4f113b\", ", "")
            .replace("6629fae49393a05397450978507c4ef1", "670fd8c2df070c60b045671b8b24ff02");
        assert_eq!(checked(&rfc_2069, &bare).map(|verified| verified.nonce_count), Ok(None));
    }

    #[test]
    fn a_session_without_client_nonce_is_refused() {
        let credentials = MUFASA.replace("qop=auth, nc=00000001, cnonce=\"0a4f113b\"", "algorithm=MD5-sess");
        let expected = Expected {
            qop: &[],
            algorithm: Algorithm::Md5Sess,
            ..EXPECTED
        };
        assert_eq!(checked(&credentials, &expected), Err(Refusal::Missing("cnonce")));
    }

    #[test]
    fn an_equivalent_uri_is_the_requests_own() {
        assert!(same_uri(b"sip:Example.test;lr", b"sip:example.TEST;lr"));
        assert!(same_uri(b"/dir", b"/dir"));
        assert!(!same_uri(b"sip:example.test", b"sip:example.test:5060"));
        assert!(!same_uri(b"/dir", b"/DIR"));
    }

    #[test]
    fn a_challenge_says_what_was_asked_for() {
        let issue = Issue {
            realm: b"a \"b\"",
            nonce: b"n",
            opaque: Some(b"o"),
            algorithm: Algorithm::Sha512_256Sess,
            qop: &[Qop::Auth, Qop::AuthInt],
            stale: true,
            userhash: true,
            utf8: true,
        };
        assert_eq!(
            value(|value| issue.write_challenge(value)),
            "Digest realm=\"a \\\"b\\\"\", nonce=\"n\", opaque=\"o\", algorithm=SHA-512-256-sess, qop=\"auth,auth-int\", \
             stale=true, userhash=true, charset=UTF-8"
        );
        let bare = Issue {
            opaque: None,
            qop: &[],
            stale: false,
            userhash: false,
            utf8: false,
            ..issue
        };
        assert_eq!(
            value(|value| bare.write_challenge(value)),
            "Digest realm=\"a \\\"b\\\"\", nonce=\"n\", algorithm=SHA-512-256-sess"
        );
    }

    #[test]
    fn the_proof_answers_the_credentials() {
        let credentials = Credentials::parse(MUFASA.as_bytes()).unwrap();
        let secret = secret();
        let proof = Proof {
            credentials: &credentials,
            algorithm: Algorithm::Md5,
            username: "Mufasa",
            secret: &secret,
            body: b"",
            next_nonce: Some(b"next"),
        };
        assert_eq!(
            value(|value| proof.write_info(value).unwrap()),
            "rspauth=\"376602cfd2f4e8e5e78b948a85263e85\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", nextnonce=\"next\""
        );
    }
}
