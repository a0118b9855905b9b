//! Challenges and credentials (RFC 3261 §20.44, §20.7, RFC 7616, RFC 7615): reading only. The arithmetic is `sip-digest`'s.

use std::borrow::Cow;

use thiserror::Error;

use crate::lexer::{self, Brackets, Split};

/// A WWW-Authenticate or Proxy-Authenticate challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// The scheme as it stands: `Digest`, `Basic`, ...
    pub scheme: &'a [u8],
    /// The parameters.
    pub params: AuthParams<'a>,
}

/// An Authorization or Proxy-Authorization value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// The scheme as it stands.
    pub scheme: &'a [u8],
    /// The parameters.
    pub params: AuthParams<'a>,
}

/// An Authentication-Info value (RFC 7615 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthenticationInfo<'a> {
    /// The parameters: `nextnonce`, `qop`, `rspauth`, `cnonce`, `nc`.
    pub params: AuthParams<'a>,
}

/// Which header a challenge came in, and so which header answers it (RFC 3261 §22.2, §22.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChallengeSource {
    /// `WWW-Authenticate`, answered by `Authorization`.
    Www,
    /// `Proxy-Authenticate`, answered by `Proxy-Authorization`.
    Proxy,
}

/// One challenge of a message with the header that it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChallengeField<'a> {
    /// The header.
    pub source: ChallengeSource,
    /// The challenge, or why it could not be read.
    pub challenge: Result<Challenge<'a>, AuthError>,
}

/// `name=value` pairs that have been checked: each well-formed, none twice, not more than 32.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuthParams<'a>(&'a [u8]);

/// Why a challenge, credentials or authentication info could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AuthError {
    /// Nothing where a scheme should stand.
    #[error("no authentication scheme")]
    Scheme,
    /// A parameter without `=`, name or value.
    #[error("malformed parameter")]
    Parameter,
    /// A quoted string that never closes.
    #[error("quoted string never ends")]
    Quote,
    /// The same parameter twice: which one counts would be anybody's guess.
    #[error("parameter given twice")]
    Duplicate,
    /// More parameters than 32.
    #[error("more than 32 parameters")]
    TooMany,
}

impl<'a> Challenge<'a> {
    /// Reads a header value that holds one challenge; of several in a list it takes the first (see [`Self::parse_list`]).
    ///
    /// # Errors
    /// See [`AuthError`].
    pub fn parse(value: &'a [u8]) -> Result<Self, AuthError> {
        Self::parse_list(value).next().unwrap_or(Err(AuthError::Scheme))
    }

    /// Reads each challenge of one header value. SIP wants one a header (RFC 3261 §20.44); some servers send a list as HTTP does.
    pub fn parse_list(value: &'a [u8]) -> impl Iterator<Item = Result<Self, AuthError>> + use<'a> {
        let mut elements = Split::new(value, b',', Brackets::Plain);
        // Where the challenge begins whose elements are being passed.
        let mut begun: Option<usize> = None;
        std::iter::from_fn(move || {
            loop {
                let at = elements.position();
                let Some(element) = elements.next() else {
                    return begun.take().and_then(|start| value.get(start..));
                };
                let element = lexer::trim(element);
                match begun {
                    None if element.is_empty() => {}
                    None => begun = Some(at),
                    Some(start) if opens_challenge(element) => {
                        begun = Some(at);
                        return value.get(start..at);
                    }
                    Some(_) => {}
                }
            }
        })
        .map(|one| scheme_and_params(lexer::trim(one)).map(|(scheme, params)| Self { scheme, params }))
    }

    /// The value of a parameter: quotes stripped, escapes kept, because digest hashes and echoes the bytes between the quotes.
    #[must_use]
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.params.raw(name)
    }

    /// True for the scheme that we answer.
    #[must_use]
    pub const fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"Digest")
    }
}

impl<'a> Credentials<'a> {
    /// Reads an Authorization or Proxy-Authorization value.
    ///
    /// # Errors
    /// See [`AuthError`].
    pub fn parse(value: &'a [u8]) -> Result<Self, AuthError> {
        scheme_and_params(lexer::trim(value)).map(|(scheme, params)| Self { scheme, params })
    }

    /// The value of a parameter, quotes stripped, escapes kept.
    #[must_use]
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.params.raw(name)
    }

    /// True for the scheme that we check.
    #[must_use]
    pub const fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"Digest")
    }
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials([redacted])")
    }
}

impl std::fmt::Debug for AuthParams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| crate::printable(name))).finish()
    }
}

impl<'a> AuthenticationInfo<'a> {
    /// Reads an Authentication-Info value.
    ///
    /// # Errors
    /// See [`AuthError`].
    pub fn parse(value: &'a [u8]) -> Result<Self, AuthError> {
        AuthParams::parse(value).map(|params| Self { params })
    }

    /// The value of a parameter, quotes stripped, escapes kept.
    #[must_use]
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.params.raw(name)
    }
}

impl<'a> AuthParams<'a> {
    fn parse(value: &'a [u8]) -> Result<Self, AuthError> {
        let mut names = arrayvec::ArrayVec::<&[u8], MAX_PARAMS>::new();
        let mut pairs = Pairs(value);
        while let Some(pair) = pairs.next() {
            let name = match pair {
                Ok(pair) => pair.name,
                Err(AuthError::Parameter) if continues_qop(names.last(), pairs.0) => {
                    pairs.pass_over();
                    continue;
                }
                Err(error) => return Err(error),
            };
            if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                return Err(AuthError::Duplicate);
            }
            names.try_push(name).map_err(|_| AuthError::TooMany)?;
        }
        Ok(Self(value))
    }

    fn pairs(&self) -> impl Iterator<Item = Pair<'a>> + use<'a> {
        let mut pairs = Pairs(self.0);
        std::iter::from_fn(move || {
            loop {
                match pairs.next()? {
                    Ok(pair) => return Some(pair),
                    Err(_) => pairs.pass_over(),
                }
            }
        })
    }

    /// The pairs in order; values without their quotes, escapes kept.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.pairs().map(|pair| (pair.name, pair.value()))
    }

    /// The value under this name, in any case, quotes stripped and escapes kept; folds are still inside.
    #[must_use]
    pub fn raw(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.named(name).map(|pair| pair.value())
    }

    /// The value under this name as a person reads it: on one line, with escapes resolved.
    #[must_use]
    pub fn text(&self, name: &[u8]) -> Option<Cow<'a, [u8]>> {
        self.named(name).map(|pair| lexer::plain(pair.raw))
    }

    fn named(&self, name: &[u8]) -> Option<Pair<'a>> {
        self.pairs().find(|pair| pair.name.eq_ignore_ascii_case(name))
    }
}

/// One `name = value`, the value's quotes still on.
struct Pair<'a> {
    name: &'a [u8],
    raw: &'a [u8],
}

impl<'a> Pair<'a> {
    fn value(&self) -> &'a [u8] {
        lexer::strip_quotes(self.raw).unwrap_or(self.raw)
    }
}

/// Reads pair by pair; after an error it stands before the parameter that is malformed.
struct Pairs<'a>(&'a [u8]);

impl<'a> Pairs<'a> {
    fn next(&mut self) -> Option<Result<Pair<'a>, AuthError>> {
        let start = self.0.iter().position(|byte| !lexer::is_space(*byte) && *byte != b',')?;
        self.0 = self.0.get(start..)?;
        Some(pair(self.0).map(|(pair, rest)| {
            self.0 = rest;
            pair
        }))
    }

    /// Goes on behind the next comma.
    fn pass_over(&mut self) {
        self.0 = lexer::split_once(self.0, b',').map_or(&[], |(_, rest)| rest);
    }
}

/// The pair that `bytes` opens with, and what follows it.
fn pair(bytes: &[u8]) -> Result<(Pair<'_>, &[u8]), AuthError> {
    let (name, rest) = lexer::token(bytes);
    let value = lexer::trim_start(rest).strip_prefix(b"=").map(lexer::trim_start);
    let value = value.filter(|_| !name.is_empty()).ok_or(AuthError::Parameter)?;
    if value.starts_with(b"\"") {
        let length = lexer::quoted_length(value).ok_or(AuthError::Quote)?;
        let (raw, rest) = value.split_at_checked(length).ok_or(AuthError::Quote)?;
        let rest = lexer::trim_start(rest);
        return match rest.first() {
            None | Some(b',') => Ok((Pair { name, raw }, rest)),
            Some(_) => Err(AuthError::Parameter),
        };
    }
    let end = memchr::memchr(b',', value).unwrap_or(value.len());
    let (raw, rest) = value.split_at_checked(end).ok_or(AuthError::Parameter)?;
    let raw = lexer::trim(raw);
    if raw.is_empty() || raw.iter().any(|byte| matches!(byte, b'"' | 0..=b' ')) {
        return Err(AuthError::Parameter);
    }
    Ok((Pair { name, raw }, rest))
}

/// The most parameters that a value may have.
const MAX_PARAMS: usize = 32;

fn scheme_and_params(value: &[u8]) -> Result<(&[u8], AuthParams<'_>), AuthError> {
    let end = value.iter().position(|byte| lexer::is_space(*byte)).unwrap_or(value.len());
    let (scheme, rest) = value.split_at_checked(end).ok_or(AuthError::Scheme)?;
    if scheme.is_empty() || !scheme.iter().all(|byte| lexer::is_token(*byte)) {
        return Err(AuthError::Scheme);
    }
    if !scheme.eq_ignore_ascii_case(b"Digest") {
        // Other schemes have other grammars (token68); nothing of them is read beyond the name.
        return Ok((scheme, AuthParams(b"")));
    }
    Ok((scheme, AuthParams::parse(rest)?))
}

/// Some servers leave the quotes of `qop="auth,auth-int"` out, which makes the second option look like a parameter without value.
/// The first option is one that can be answered, so the rest is passed over.
fn continues_qop(before: Option<&&[u8]>, rest: &[u8]) -> bool {
    let option = lexer::trim(lexer::split_once(rest, b',').map_or(rest, |(option, _)| option));
    before.is_some_and(|name| name.eq_ignore_ascii_case(b"qop"))
        && (option.eq_ignore_ascii_case(b"auth") || option.eq_ignore_ascii_case(b"auth-int"))
}

/// `token SP token =`: a scheme followed by its first parameter. Nothing stands around the element.
fn opens_challenge(element: &[u8]) -> bool {
    let (_scheme, after) = lexer::token(element);
    lexer::trim_start(after).first().is_some_and(|byte| lexer::is_token(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_in_any_case_and_spacing() {
        let challenge =
            Challenge::parse(b"DIGEST Realm = \"a, \\\"b\\\"\" ,\r\n nonce=\"n,=\",qop=\"auth,auth-int\", algorithm=SHA-256,stale=TRUE")
                .unwrap();
        assert!(challenge.is_digest());
        assert_eq!(challenge.param(b"realm"), Some(&br#"a, \"b\""#[..]));
        assert_eq!(challenge.params.text(b"realm").unwrap().as_ref(), br#"a, "b""#);
        assert_eq!(challenge.param(b"NONCE"), Some(&b"n,="[..]));
        assert_eq!(challenge.param(b"qop"), Some(&b"auth,auth-int"[..]));
        assert_eq!(challenge.param(b"stale"), Some(&b"TRUE"[..]));
        assert_eq!(challenge.params.iter().count(), 5);
    }

    #[test]
    fn a_list_of_challenges_is_taken_apart() {
        let list: Vec<_> = Challenge::parse_list(
            b"Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256, Digest realm=\"r\", nonce=\"2\", Basic realm=\"x\"",
        )
        .map(|challenge| challenge.unwrap())
        .collect();
        assert_eq!(list.len(), 3);
        assert_eq!(list[0].param(b"nonce"), Some(&b"1"[..]));
        assert_eq!(list[1].param(b"nonce"), Some(&b"2"[..]));
        assert!(!list[2].is_digest());
    }

    #[test]
    fn malformed_challenges_have_typed_errors() {
        for (value, error) in [
            (&b""[..], AuthError::Scheme),
            (b"\"Digest\" realm=\"r\"", AuthError::Scheme),
            (b"Digest realm", AuthError::Parameter),
            (b"Digest =", AuthError::Parameter),
            (b"Digest realm=", AuthError::Parameter),
            (b"Digest realm=\"open", AuthError::Quote),
            (b"Digest realm=\"a\"b", AuthError::Parameter),
            (b"Digest realm=a b", AuthError::Parameter),
            (b"Digest nonce=\"1\", NONCE=\"2\"", AuthError::Duplicate),
        ] {
            assert_eq!(Challenge::parse(value), Err(error), "{}", crate::printable(value));
        }
        let many: String = (0..33).map(|n| format!("p{n}=x,")).collect();
        assert_eq!(Challenge::parse(format!("Digest {many}").as_bytes()), Err(AuthError::TooMany));
    }

    #[test]
    fn a_malformed_challenge_in_a_list_hides_no_other() {
        let list: Vec<_> = Challenge::parse_list(b", Digest realm, Digest nonce=\"2\",, Negotiate abc==, Digest nonce=\"3")
            .map(|challenge| challenge.map(|challenge| challenge.param(b"nonce")))
            .collect();
        assert_eq!(
            list,
            [Err(AuthError::Parameter), Ok(Some(&b"2"[..])), Ok(None), Err(AuthError::Quote)]
        );
        assert_eq!(Challenge::parse_list(b" , ").count(), 0);
    }

    #[test]
    fn an_unquoted_qop_list_is_forgiven_and_brackets_are_plain() {
        let challenge = Challenge::parse(b"Digest qop=auth,auth-int, nonce=a<b, opaque=c>d").unwrap();
        assert_eq!(challenge.param(b"qop"), Some(&b"auth"[..]));
        assert_eq!(challenge.param(b"nonce"), Some(&b"a<b"[..]));
        assert_eq!(challenge.param(b"opaque"), Some(&b"c>d"[..]));
        assert_eq!(Challenge::parse(b"Digest nonce=a, auth"), Err(AuthError::Parameter));
    }

    #[test]
    fn lone_commas_are_skipped() {
        assert_eq!(
            Challenge::parse(b"Digest ,, nonce=\"1\",").unwrap().param(b"nonce"),
            Some(&b"1"[..])
        );
    }

    #[test]
    fn debug_never_shows_credentials() {
        let credentials = Credentials::parse(b"Digest username=\"alice\", response=\"0123\"").unwrap();
        assert_eq!(credentials.param(b"username"), Some(&b"alice"[..]));
        assert_eq!(format!("{credentials:?}"), "Credentials([redacted])");
        assert!(credentials.is_digest() && !Credentials::parse(b"Basic YTpi").unwrap().is_digest());
        assert_eq!(format!("{:?}", credentials.params), "[\"username\", \"response\"]");
    }

    #[test]
    fn authentication_info_has_no_scheme() {
        let info = AuthenticationInfo::parse(b"nextnonce=\"n\", rspauth=\"0\", nc=00000001").unwrap();
        assert_eq!(info.param(b"nc"), Some(&b"00000001"[..]));
    }
}
