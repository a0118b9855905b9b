//! One Digest challenge that can be answered: read from the wire, checked, owned (RFC 7616 §3.3). Not the choice among several.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrayvec::ArrayVec;
use sip_message::{AuthError, ChallengeField, ChallengeSource, printable, unfold};
use thiserror::Error;

use crate::{Algorithm, NextNonce, Qop};

/// A supported Digest challenge. Realm, nonce and opaque are the bytes between the quotes, unfolded and with their escapes:
/// these are hashed and sent back, untouched.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    source: ChallengeSource,
    algorithm: Algorithm,
    qop: Option<Qop>,
    stale: bool,
    userhash: bool,
    utf8: bool,
    /// Where in the text the nonce begins, and so on to its end; the realm stands before it.
    nonce_at: u16,
    opaque_at: u16,
    spelling_at: u16,
    has_opaque: bool,
    has_spelling: bool,
    /// Realm, nonce, opaque, and the algorithm as the challenge spelled it, one behind the other. Clones share it.
    text: Arc<[u8]>,
}

/// What a challenge says in bytes of its own choice.
struct Texts<'a> {
    realm: &'a [u8],
    nonce: &'a [u8],
    opaque: Option<&'a [u8]>,
    spelling: Option<&'a [u8]>,
}

/// Why a challenge cannot be answered. Texts are already safe to show.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChallengeError {
    /// It could not be read.
    #[error("malformed challenge: {0}")]
    Malformed(#[from] AuthError),
    /// A parameter that Digest needs is not there.
    #[error("challenge without {0}")]
    Missing(&'static str),
    /// A scheme other than Digest; Basic is never answered.
    #[error("unsupported authentication scheme {0}")]
    UnsupportedScheme(String),
    /// An algorithm that we do not know.
    #[error("unsupported digest algorithm {0}")]
    UnsupportedAlgorithm(String),
    /// Protection offered, but none of `auth` and `auth-int`.
    #[error("unsupported quality of protection {0}")]
    UnsupportedQop(String),
    /// A parameter longer than 4 KiB.
    #[error("{0} of the challenge is longer than 4096 bytes")]
    TooLong(&'static str),
    /// A parameter that cannot be sent back as it came: it holds a NUL, or ends in the middle of an escape.
    #[error("{0} of the challenge cannot be sent back as it came")]
    Unrepeatable(&'static str),
    /// More challenges in one message than are looked at.
    #[error("more than 32 challenges")]
    TooMany,
}

/// The longest realm, nonce or opaque that is answered, in bytes.
const LONGEST: usize = 4096;
/// How much of an unknown name is kept to be shown, in bytes.
const SHOWN: usize = 64;

impl Challenge {
    /// Which header it came in.
    #[must_use]
    pub const fn source(&self) -> ChallengeSource {
        self.source
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &[u8] {
        self.between(0, self.nonce_at)
    }

    /// The nonce.
    #[must_use]
    pub fn nonce(&self) -> &[u8] {
        self.between(self.nonce_at, self.opaque_at)
    }

    /// The opaque, if there is one.
    #[must_use]
    pub fn opaque(&self) -> Option<&[u8]> {
        self.has_opaque.then(|| self.between(self.opaque_at, self.spelling_at))
    }

    /// The algorithm; MD5 when the challenge names none.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The quality of protection of our answers: `auth` where offered, else `auth-int`; `None` when the challenge offers none.
    #[must_use]
    pub const fn qop(&self) -> Option<Qop> {
        self.qop
    }

    /// True when only the nonce was refused: the credentials were right (RFC 7616 §3.3).
    #[must_use]
    pub const fn stale(&self) -> bool {
        self.stale
    }

    /// True when the username is to be sent hashed (RFC 7616 §3.4.4).
    #[must_use]
    pub const fn userhash(&self) -> bool {
        self.userhash
    }

    /// True when the server asked for UTF-8 (RFC 7616 §3.3, `charset`), and so knows `username*`.
    #[must_use]
    pub const fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// The same challenge with the nonce that the server wants next. Its nonce count starts again at 1.
    #[must_use]
    pub fn with_nonce(&self, nonce: &NextNonce) -> Self {
        let texts = Texts {
            realm: self.realm(),
            nonce: nonce.bytes(),
            opaque: self.opaque(),
            spelling: self.spelling(),
        };
        Self {
            stale: false,
            nonce_at: texts.nonce_at(),
            opaque_at: texts.opaque_at(),
            spelling_at: texts.spelling_at(),
            text: texts.joined(),
            ..self.clone()
        }
    }

    /// The algorithm as the challenge spelled it; `None` when it named none.
    pub(crate) fn spelling(&self) -> Option<&[u8]> {
        self.has_spelling
            .then(|| self.text.get(usize::from(self.spelling_at)..).unwrap_or_default())
    }

    fn between(&self, start: u16, end: u16) -> &[u8] {
        self.text.get(usize::from(start)..usize::from(end)).unwrap_or_default()
    }
}

impl Texts<'_> {
    fn nonce_at(&self) -> u16 {
        offset(self.realm.len())
    }

    fn opaque_at(&self) -> u16 {
        self.nonce_at() + offset(self.nonce.len())
    }

    fn spelling_at(&self) -> u16 {
        self.opaque_at() + offset(self.opaque.map_or(0, <[u8]>::len))
    }

    fn joined(&self) -> Arc<[u8]> {
        let parts = [
            self.realm,
            self.nonce,
            self.opaque.unwrap_or_default(),
            self.spelling.unwrap_or_default(),
        ];
        // Nearly all of them are short, and then one allocation makes them.
        let mut short = ArrayVec::<u8, 256>::new();
        if parts.iter().all(|part| short.try_extend_from_slice(part).is_ok()) {
            return Arc::from(short.as_slice());
        }
        parts.concat().into()
    }
}

/// Realm, nonce and opaque are no longer than 4 KiB each.
fn offset(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

impl TryFrom<ChallengeField<'_>> for Challenge {
    type Error = ChallengeError;

    fn try_from(field: ChallengeField<'_>) -> Result<Self, ChallengeError> {
        let challenge = field.challenge?;
        if !challenge.is_digest() {
            return Err(ChallengeError::UnsupportedScheme(shown(challenge.scheme)));
        }
        let read = Parameters::read(&challenge);
        let algorithm = read.algorithm.map_or(Ok(Algorithm::Md5), |name| {
            Algorithm::parse(name).ok_or_else(|| ChallengeError::UnsupportedAlgorithm(shown(name)))
        })?;
        let realm = repeatable("realm", read.realm.ok_or(ChallengeError::Missing("realm"))?)?;
        let nonce = repeatable("nonce", read.nonce.ok_or(ChallengeError::Missing("nonce"))?)?;
        let opaque = read.opaque.map(|raw| repeatable("opaque", raw)).transpose()?;
        let texts = Texts {
            realm: &realm,
            nonce: &nonce,
            opaque: opaque.as_deref(),
            spelling: read.algorithm,
        };
        let is = |value: Option<&[u8]>, text: &[u8]| value.is_some_and(|value| value.eq_ignore_ascii_case(text));
        Ok(Self {
            source: field.source,
            algorithm,
            qop: read.qop.map_or(Ok(None), choose)?,
            stale: is(read.stale, b"true"),
            userhash: is(read.userhash, b"true"),
            utf8: is(read.charset, b"utf-8"),
            nonce_at: texts.nonce_at(),
            opaque_at: texts.opaque_at(),
            spelling_at: texts.spelling_at(),
            has_opaque: texts.opaque.is_some(),
            has_spelling: texts.spelling.is_some(),
            text: texts.joined(),
        })
    }
}

/// The parameters that are known, each looked at once. Names, and what is compared, without the white space around them.
#[derive(Default)]
struct Parameters<'a> {
    realm: Option<&'a [u8]>,
    nonce: Option<&'a [u8]>,
    opaque: Option<&'a [u8]>,
    algorithm: Option<&'a [u8]>,
    qop: Option<&'a [u8]>,
    stale: Option<&'a [u8]>,
    userhash: Option<&'a [u8]>,
    charset: Option<&'a [u8]>,
}

impl<'a> Parameters<'a> {
    fn read(challenge: &sip_message::Challenge<'a>) -> Self {
        let mut read = Self::default();
        for (name, value) in challenge.params.iter() {
            let word = value.trim_ascii();
            let known = [
                (&b"realm"[..], &mut read.realm, value),
                (b"nonce", &mut read.nonce, value),
                (b"opaque", &mut read.opaque, value),
                (b"algorithm", &mut read.algorithm, word),
                (b"qop", &mut read.qop, word),
                (b"stale", &mut read.stale, word),
                (b"userhash", &mut read.userhash, word),
                (b"charset", &mut read.charset, word),
            ];
            let place = known.into_iter().find(|(known, _, _)| known.eq_ignore_ascii_case(name));
            if let Some((_, place, value)) = place {
                // Of one that is there twice, which no challenge may have, the first counts.
                place.get_or_insert(value);
            }
        }
        read
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("source", &self.source)
            .field("realm", &printable(self.realm()))
            .field("nonce", &printable(self.nonce()))
            .field("opaque", &self.opaque().map(printable))
            .field("algorithm", &self.algorithm)
            .field("qop", &self.qop)
            .field("stale", &self.stale)
            .field("userhash", &self.userhash)
            .finish_non_exhaustive()
    }
}

/// A value that can be sent back between quotes and then reads as the same bytes.
pub(crate) fn repeatable<'a>(name: &'static str, raw: &'a [u8]) -> Result<Cow<'a, [u8]>, ChallengeError> {
    if raw.len() > LONGEST {
        return Err(ChallengeError::TooLong(name));
    }
    let value = unfold(raw);
    let plain = value
        .iter()
        .fold(true, |plain, byte| plain & (*byte != 0) & (*byte != b'\\') & (*byte != b'"'));
    if plain {
        return Ok(value);
    }
    let mut escaped = false;
    for byte in value.iter() {
        match byte {
            0 => return Err(ChallengeError::Unrepeatable(name)),
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Err(ChallengeError::Unrepeatable(name)),
            _ => {}
        }
    }
    if escaped {
        // Only a value without quotes can end so, and no such value is legal.
        return Err(ChallengeError::Unrepeatable(name));
    }
    Ok(value)
}

/// The quality of protection to answer with, of those in the list. An empty list offers none, as in RFC 2069.
fn choose(offered: &[u8]) -> Result<Option<Qop>, ChallengeError> {
    let known = offered
        .split(|byte| *byte == b',')
        .filter_map(|name| Qop::parse(name.trim_ascii()))
        .min();
    if known.is_none() && !offered.is_empty() {
        return Err(ChallengeError::UnsupportedQop(shown(offered)));
    }
    Ok(known)
}

/// A name from the wire, cut and made safe to show.
pub(crate) fn shown(name: &[u8]) -> String {
    printable(name.get(..SHOWN).unwrap_or(name))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Reads one WWW-Authenticate value.
    pub(crate) fn read(value: &[u8]) -> Result<Challenge, ChallengeError> {
        Challenge::try_from(ChallengeField {
            source: ChallengeSource::Www,
            challenge: sip_message::Challenge::parse(value),
        })
    }

    #[test]
    fn everything_that_a_challenge_says_is_kept() {
        let challenge = read(
            b"Digest realm=\"a \\\"b\\\"\", nonce=\"n\", opaque=\"o\", algorithm=sha-256-SESS, qop=\"auth-int, AUTH\", stale=TRUE, userhash=true, charset=utf-8",
        )
        .unwrap();
        assert_eq!(challenge.source(), ChallengeSource::Www);
        assert_eq!(challenge.realm(), br#"a \"b\""#);
        assert_eq!(challenge.nonce(), b"n");
        assert_eq!(challenge.opaque(), Some(&b"o"[..]));
        assert_eq!(challenge.algorithm(), Algorithm::Sha256Sess);
        assert_eq!(challenge.spelling(), Some(&b"sha-256-SESS"[..]));
        assert_eq!(challenge.qop(), Some(Qop::Auth));
        assert!(challenge.stale() && challenge.userhash() && challenge.is_utf8());
    }

    #[test]
    fn a_challenge_of_rfc_2069_is_md5_without_protection() {
        let challenge = read(b"Digest realm=\"r\", nonce=\"\"").unwrap();
        assert_eq!((challenge.algorithm(), challenge.qop()), (Algorithm::Md5, None));
        assert_eq!((challenge.spelling(), challenge.opaque()), (None, None));
        assert!(!challenge.stale() && !challenge.userhash() && !challenge.is_utf8());
        assert_eq!(read(b"Digest realm=\"r\", nonce=\"\", qop=\"\"").unwrap().qop(), None);
    }

    #[test]
    fn auth_int_is_taken_when_it_is_the_only_one() {
        let qop = |list: &str| read(format!("Digest realm=\"r\", nonce=\"n\", qop={list}").as_bytes()).map(|challenge| challenge.qop());
        assert_eq!(qop("auth-int"), Ok(Some(Qop::AuthInt)));
        assert_eq!(qop("\"auth-conf,auth-int\""), Ok(Some(Qop::AuthInt)));
        assert_eq!(qop("\"auth,auth-int\""), Ok(Some(Qop::Auth)));
        assert_eq!(qop("\"auth-conf\""), Err(ChallengeError::UnsupportedQop("auth-conf".into())));
    }

    #[test]
    fn what_cannot_be_answered_has_a_typed_error() {
        let error = |value: &[u8]| read(value).unwrap_err();
        assert_eq!(error(b"Digest realm"), ChallengeError::Malformed(AuthError::Parameter));
        assert_eq!(error(b"Digest nonce=\"n\""), ChallengeError::Missing("realm"));
        assert_eq!(error(b"Digest realm=\"r\""), ChallengeError::Missing("nonce"));
        assert_eq!(error(b"Basic realm=\"r\""), ChallengeError::UnsupportedScheme("Basic".into()));
        let unknown = error(b"Digest realm=\"r\", nonce=\"n\", algorithm=\"AKAv1\x1b-MD5\"");
        assert_eq!(unknown, ChallengeError::UnsupportedAlgorithm("AKAv1\\x1b-MD5".into()));
    }

    #[test]
    fn a_parameter_above_4_kib_is_refused() {
        let long = |name: &str, length: usize| {
            let value = "x".repeat(length);
            let mut parameters = vec![("realm", "r"), ("nonce", "n"), ("opaque", "o")];
            for parameter in &mut parameters {
                if parameter.0 == name {
                    parameter.1 = &value;
                }
            }
            let list: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
            read(format!("Digest {}", list.join(",")).as_bytes())
        };
        for name in ["realm", "nonce", "opaque"] {
            assert!(long(name, LONGEST).is_ok());
            assert_eq!(long(name, LONGEST + 1), Err(ChallengeError::TooLong(name)));
        }
    }

    #[test]
    fn a_value_that_cannot_be_sent_back_is_refused() {
        assert_eq!(
            read(b"Digest realm=\"r\", nonce=\"a\0b\""),
            Err(ChallengeError::Unrepeatable("nonce"))
        );
        assert_eq!(read(b"Digest realm=a\\, nonce=\"n\""), Err(ChallengeError::Unrepeatable("realm")));
        assert_eq!(read(b"Digest realm=\"a\\\\\", nonce=\"n\"").unwrap().realm(), br"a\\");
    }

    #[test]
    fn a_quote_that_is_not_escaped_would_end_the_value_that_is_sent_back() {
        for value in [&b"\""[..], b"a\"b", b"\\\\\""] {
            assert_eq!(repeatable("nonce", value), Err(ChallengeError::Unrepeatable("nonce")));
        }
        assert_eq!(repeatable("nonce", b"\\\"").as_deref(), Ok(&b"\\\""[..]));
    }

    #[test]
    fn folds_inside_a_value_become_spaces() {
        let challenge = read(b"Digest realm=\"a \r\n\t b\",\r\n nonce=\"n\\\r\n \"").unwrap();
        assert_eq!(challenge.realm(), b"a b");
        assert_eq!(challenge.nonce(), b"n\\ ");
    }

    #[test]
    fn the_next_nonce_replaces_only_the_nonce() {
        let challenge = read(b"Digest realm=\"r\", nonce=\"old\", opaque=\"o\", algorithm=md5-SESS, stale=true").unwrap();
        for nonce in [&b""[..], b"n", b"new", b"longer than the one before it"] {
            let next = challenge.with_nonce(&NextNonce::parse(nonce).unwrap());
            assert_eq!(
                (next.nonce(), next.realm(), next.opaque(), next.spelling()),
                (nonce, &b"r"[..], Some(&b"o"[..]), Some(&b"md5-SESS"[..]))
            );
            assert!(!next.stale());
        }
    }

    #[test]
    fn debug_escapes_what_came_from_the_wire() {
        let shown = format!("{:?}", read(b"Digest realm=\"\x1b[2J\", nonce=\"n\"").unwrap());
        assert!(shown.contains("realm: \"\\\\x1b[2J\""), "{shown}");
    }
}
