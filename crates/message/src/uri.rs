//! SIP, SIPS and tel URIs: reading and the comparison of RFC 3261 §19.1.4. Not for resolving them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::{Host, Params, lexer};

/// A URI of any scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uri<'a> {
    /// `sip:` or `sips:` (RFC 3261 §19.1).
    Sip(SipUri<'a>),
    /// `tel:` with the number and its parameters (RFC 3966).
    Tel(&'a [u8]),
    /// Another scheme, all of it.
    Other(&'a [u8]),
}

/// A `sip:` or `sips:` URI. `==` compares the bytes' meaning field by field; for the protocol's own sense of "the same
/// address" use [`SipUri::equivalent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SipUri<'a> {
    /// True for `sips:`.
    pub secure: bool,
    /// The user part, escapes as they stand.
    pub user: Option<&'a [u8]>,
    /// The password part, which nobody should use.
    pub password: Option<&'a [u8]>,
    /// The host.
    pub host: Host<'a>,
    /// The port, when one is given.
    pub port: Option<u16>,
    /// The URI parameters.
    pub params: Params<'a>,
    /// The headers part behind `?`, unparsed.
    pub headers: &'a [u8],
}

/// Why bytes are no URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UriError {
    /// No `scheme:` in front.
    #[error("no scheme such as sip: in front")]
    Scheme,
    /// The host is missing or is no host, or the port is no number up to 65535.
    #[error("host or port is missing or malformed")]
    Host,
    /// Another scheme than sip or sips where only those will do.
    #[error("not a sip: or sips: URI")]
    NotSip,
    /// White space, control characters, quotes, or bytes that are not ASCII.
    #[error("characters that no URI may hold")]
    Characters,
}

impl<'a> Uri<'a> {
    /// Reads a URI.
    ///
    /// # Errors
    /// See [`UriError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, UriError> {
        let bytes = lexer::trim(bytes);
        let (scheme, rest) = lexer::split_once(bytes, b':').ok_or(UriError::Scheme)?;
        match scheme {
            _ if scheme.eq_ignore_ascii_case(b"sip") => SipUri::parse_rest(false, rest).map(Self::Sip),
            _ if scheme.eq_ignore_ascii_case(b"sips") => SipUri::parse_rest(true, rest).map(Self::Sip),
            _ if scheme.eq_ignore_ascii_case(b"tel") => Ok(Self::Tel(rest)),
            _ if is_scheme(scheme) => Ok(Self::Other(bytes)),
            _ => Err(UriError::Scheme),
        }
    }

    /// The SIP or SIPS URI, when it is one.
    #[must_use]
    pub const fn sip(&self) -> Option<&SipUri<'a>> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Other(_) => None,
        }
    }
}

/// RFC 3261 §25.1 `scheme`.
fn is_scheme(name: &[u8]) -> bool {
    let may_follow = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(may_follow)
}

impl<'a> SipUri<'a> {
    /// Reads a `sip:` or `sips:` URI.
    ///
    /// # Errors
    /// See [`UriError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, UriError> {
        match Uri::parse(bytes)? {
            Uri::Sip(uri) => Ok(uri),
            Uri::Tel(_) | Uri::Other(_) => Err(UriError::NotSip),
        }
    }

    fn parse_rest(secure: bool, rest: &'a [u8]) -> Result<Self, UriError> {
        let (userinfo, hostpart, headers) = Self::split_userinfo(rest);
        let params_at = memchr::memchr(b';', hostpart).unwrap_or(hostpart.len());
        let (hostport, params) = hostpart.split_at_checked(params_at).ok_or(UriError::Host)?;
        let (host, port) = Host::with_port(hostport).ok_or(UriError::Host)?;
        let (user, password) = match userinfo.map(|info| (info, lexer::split_once(info, b':'))) {
            None => (None, None),
            Some((_, Some((user, password)))) => (Some(user), Some(password)),
            Some((user, None)) => (Some(user), None),
        };
        Ok(Self {
            secure,
            user,
            password,
            host,
            port,
            params: Params::new(params),
            headers,
        })
    }

    /// The value of `;transport=`.
    #[must_use]
    pub fn transport(&self) -> Option<&'a [u8]> {
        self.params.value("transport")
    }

    /// The `uri-param`s by which RFC 3261 §19.1.4 tells URIs apart even when only one of the two has them.
    const DISTINGUISHING: [&'static str; 5] = ["user", "ttl", "method", "maddr", "transport"];

    /// The user part of a `sip:` or `sips:` URI, escapes as they stand. Looks at nothing behind it.
    #[must_use]
    pub fn user_of(uri: &'a [u8]) -> Option<&'a [u8]> {
        let (scheme, rest) = lexer::split_once(uri, b':')?;
        let is_sip = scheme.eq_ignore_ascii_case(b"sip") || scheme.eq_ignore_ascii_case(b"sips");
        let (userinfo, _, _) = Self::split_userinfo(rest);
        let userinfo = userinfo.filter(|_| is_sip)?;
        Some(lexer::split_once(userinfo, b':').map_or(userinfo, |(user, _)| user))
    }

    /// What stands between scheme and host, then the host with its parameters, then the headers part.
    fn split_userinfo(rest: &'a [u8]) -> (Option<&'a [u8]>, &'a [u8], &'a [u8]) {
        // Users such as `alice@corp.example` stand unescaped in the wild: the last `@` before the headers ends the user part.
        let first_at = memchr::memchr(b'@', rest).unwrap_or(0);
        let headers_at = rest
            .get(first_at..)
            .and_then(|tail| memchr::memchr(b'?', tail))
            .map(|at| first_at + at);
        let (body, headers) = headers_at
            .and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?)))
            .unwrap_or((rest, b""));
        match memchr::memrchr(b'@', body) {
            Some(at) => (body.get(..at), body.get(at + 1..).unwrap_or_default(), headers),
            None => (None, body, headers),
        }
    }

    /// The user's name: the user part with its escapes resolved (RFC 3261 §19.1.2); what digest means by a user name.
    #[must_use]
    pub fn user_name(&self) -> Option<Vec<u8>> {
        self.user_name_bytes().map(Iterator::collect)
    }

    /// The bytes of [`Self::user_name`], one by one.
    pub fn user_name_bytes(&self) -> Option<impl Iterator<Item = u8> + use<'a>> {
        self.user.map(Self::unescaped)
    }

    /// The bytes of a part of a URI with its escapes resolved, one by one.
    pub fn unescaped(part: &'a [u8]) -> impl Iterator<Item = u8> + use<'a> {
        characters(part).map(|character| match character {
            Character::Plain(byte) | Character::EscapedReserved(byte) => byte,
        })
    }

    /// True when both address the same resource (RFC 3261 §19.1.4).
    ///
    /// Of a parameter given twice only the first counts. URIs with more than 64 parameters or headers are the same only when
    /// their bytes are, so that a hostile pair costs no more than a long one.
    #[must_use]
    pub fn equivalent(&self, other: &Self) -> bool {
        self.secure == other.secure
            && same(self.user, other.user, Case::Sensitive)
            && same(self.password, other.password, Case::Sensitive)
            && self.host == other.host
            && self.port == other.port
            && self.params_match(other)
            && self.headers_match(other)
    }

    fn params_match(&self, other: &Self) -> bool {
        if self.params == other.params {
            return true;
        }
        let countable = |uri: &Self| uri.params.iter().nth(MAX_COMPARED).is_none();
        countable(self)
            && countable(other)
            && Self::DISTINGUISHING
                .iter()
                .all(|name| self.params.find(name).is_some() == other.params.find(name).is_some())
            && self.params.iter().all(|param| {
                let first = |uri: &Self| uri.params.iter().find(|twin| twin.name.eq_ignore_ascii_case(param.name));
                match (first(self), first(other)) {
                    (Some(mine), Some(theirs)) => same(mine.value, theirs.value, Case::Ignored),
                    // Any other parameter that stands in one only is passed over.
                    (Some(_) | None, None) | (None, Some(_)) => true,
                }
            })
    }

    /// Headers are never ignored and may come in any order.
    fn headers_match(&self, other: &Self) -> bool {
        if self.headers == other.headers {
            return true;
        }
        let all = |uri: &Self| uri.headers.split(|byte| *byte == b'&');
        let has = |uri: &Self, wanted: &[u8]| all(uri).any(|header| same(Some(header), Some(wanted), Case::Ignored));
        all(self).nth(MAX_COMPARED).is_none()
            && all(other).nth(MAX_COMPARED).is_none()
            && all(self).all(|header| has(other, header))
            && all(other).all(|header| has(self, header))
    }
}

/// The most parameters or headers of a URI that are compared one by one.
const MAX_COMPARED: usize = 64;

/// Whether case tells two texts apart: in the user part it does, in all else it does not.
#[derive(Clone, Copy)]
enum Case {
    Sensitive,
    Ignored,
}

/// Compares texts whose characters may be escaped, without a copy.
fn same(left: Option<&[u8]>, right: Option<&[u8]>, case: Case) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => match case {
            Case::Sensitive => characters(left).eq(characters(right)),
            Case::Ignored => characters(left).map(Character::lower).eq(characters(right).map(Character::lower)),
        },
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// A byte of a URI. RFC 3261 §19.1.4: an escape is the same as its character, unless that is a reserved one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Character {
    Plain(u8),
    EscapedReserved(u8),
}

impl Character {
    const fn lower(self) -> Self {
        match self {
            Self::Plain(byte) => Self::Plain(byte.to_ascii_lowercase()),
            Self::EscapedReserved(byte) => Self::EscapedReserved(byte),
        }
    }
}

/// Resolves `%41`; a `%` that opens no escape stays.
fn characters(bytes: &[u8]) -> impl Iterator<Item = Character> {
    let mut rest = bytes;
    std::iter::from_fn(move || match rest {
        [b'%', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            rest = after;
            let byte = hex(*high) << 4 | hex(*low);
            Some(match byte {
                // RFC 3261 §25.1 `reserved`, and the escape's own sign.
                b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',' | b'%' => Character::EscapedReserved(byte),
                _ => Character::Plain(byte),
            })
        }
        [byte, after @ ..] => {
            rest = after;
            Some(Character::Plain(*byte))
        }
        [] => None,
    })
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10),
    }
}

/// A SIP or SIPS URI that owns its text, is valid, and holds nothing that could break out of a header. Clones share the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnedUri(Arc<str>);

impl OwnedUri {
    /// The URI's parts.
    #[must_use]
    pub fn parts(&self) -> SipUri<'_> {
        SipUri::parse(self.0.as_bytes()).expect("the text was parsed when the value was made and never changes")
    }

    /// True for `sips:`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.as_bytes().get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"sips:"))
    }

    /// The URI as it was given, shared with this one.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The URI as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OwnedUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))
        {
            return Err(UriError::Characters);
        }
        SipUri::parse(text.as_bytes())?;
        Ok(Self(text.into()))
    }
}

impl fmt::Display for OwnedUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for OwnedUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equivalent(left: &str, right: &str) -> bool {
        let (left, right) = (SipUri::parse(left.as_bytes()).unwrap(), SipUri::parse(right.as_bytes()).unwrap());
        assert_eq!(left.equivalent(&right), right.equivalent(&left), "equivalence is symmetric");
        left.equivalent(&right)
    }

    #[test]
    fn an_owned_uri_is_shown_as_it_was_given() {
        let uri: OwnedUri = "SIP:A@h;x=%41".parse().unwrap();
        assert_eq!((uri.as_str(), &*uri.text()), ("SIP:A@h;x=%41", "SIP:A@h;x=%41"));
        assert_eq!(
            (format!("{uri}"), format!("{uri:?}")),
            ("SIP:A@h;x=%41".into(), "<SIP:A@h;x=%41>".into())
        );
    }

    #[test]
    fn only_sips_is_secure() {
        let is_secure = |text: &str| text.parse::<OwnedUri>().unwrap().is_secure();
        assert!(is_secure("sips:a@h") && is_secure("SIPS:h"));
        assert!(!is_secure("sip:sips@h") && !is_secure("sip:h;transport=tls"));
    }

    #[test]
    fn the_parts_of_a_full_uri_are_found() {
        let uri = SipUri::parse(b"SIPS:al%69ce:pw@[2001:db8::1]:5061;transport=tcp;lr?subject=x&a=b").unwrap();
        assert!(uri.secure);
        assert_eq!(
            (uri.user, uri.password, uri.port),
            (Some(&b"al%69ce"[..]), Some(&b"pw"[..]), Some(5061))
        );
        assert_eq!(uri.transport(), Some(&b"tcp"[..]));
        assert_eq!(uri.headers, b"subject=x&a=b");
    }

    #[test]
    fn users_may_hold_semicolons_question_marks_and_at_signs() {
        assert_eq!(SipUri::parse(b"sip:user;par=u@example.net").unwrap().user, Some(&b"user;par=u"[..]));
        assert_eq!(SipUri::parse(b"sip:a@corp.example@pbx").unwrap().user, Some(&b"a@corp.example"[..]));
        assert_eq!(SipUri::parse(b"sip:h;lr?to=x").unwrap().headers, b"to=x");
    }

    #[test]
    fn a_user_name_has_no_escapes() {
        let name = |uri: &[u8]| SipUri::parse(uri).unwrap().user_name();
        assert_eq!(name(b"sip:j%C3%BCrgen%40x%2@h"), Some("jürgen@x%2".as_bytes().to_vec()));
        assert_eq!(name(b"sip:h"), None);
        for uri in [
            &b"sip:j%C3%BCrgen%40x%2@h"[..],
            b"sip:h",
            b"SIPS:a@b:pw@h;x?y@z",
            b"sip:a?b@h",
            b"sip:h;a@b",
        ] {
            assert_eq!(SipUri::user_of(uri), SipUri::parse(uri).ok().and_then(|uri| uri.user), "{uri:?}");
        }
        assert_eq!(SipUri::user_of(b"tel:a@h"), None);
    }

    #[test]
    fn the_rfcs_equal_pairs_are_equivalent() {
        // RFC 3261 §19.1.4, the pairs that it calls equivalent.
        assert!(equivalent(
            "sip:%61lice@atlanta.com;transport=TCP",
            "sip:alice@AtLanTa.CoM;Transport=tcp"
        ));
        assert!(equivalent("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
        assert!(equivalent("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"));
        assert!(equivalent(
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x"
        ));
        assert!(equivalent(
            "sip:a@h;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:a@h;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"
        ));
    }

    #[test]
    fn the_rfcs_unequal_pairs_are_not() {
        for (left, right) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a@h", "sips:a@h"),
            ("sip:a@h", "sip:h"),
        ] {
            assert!(!equivalent(left, right), "{left} {right}");
        }
    }

    #[test]
    fn a_percent_sign_that_opens_no_escape_is_one() {
        for user in ["a%4", "a%4g", "a%g4", "a%"] {
            assert!(equivalent(&format!("sip:{user}@h"), &format!("sip:{user}@h")));
            assert!(!equivalent(&format!("sip:{user}@h"), "sip:aD@h"), "{user}");
        }
        assert!(!equivalent("sip:a%4gb@h", "sip:aPb@h") && !equivalent("sip:a%g4b@h", "sip:a\x04b@h"));
        assert!(equivalent("sip:%61@h", "sip:a@h"));
    }

    #[test]
    fn an_escaped_reserved_character_is_not_the_plain_one() {
        assert!(!equivalent("sip:a%3Bb@h", "sip:a;b@h"));
        assert!(equivalent("sip:a%3Bb@h", "sip:a%3bb@h"));
        assert!(equivalent("sip:a%2Db%zz@h", "sip:a-b%zz@h"));
        assert!(!equivalent("sip:a%2541@h", "sip:a%41@h"));
    }

    #[test]
    fn repeated_and_countless_parameters_keep_equivalence_sound() {
        assert!(equivalent("sip:h;a=1;a=2", "sip:h;a=1;a=2"));
        assert!(equivalent("sip:h;a=1;a=2", "sip:h;a=1"));
        assert!(!equivalent("sip:h;a=1;a=2", "sip:h;a=2;a=1"));
        let many = format!("sip:h{}", ";a".repeat(65));
        assert!(equivalent(&many, &many));
        assert!(!equivalent(&many, "sip:h;a"));
        let many = format!("sip:h?a{}", "&a".repeat(65));
        assert!(equivalent(&many, &many));
        assert!(!equivalent(&many, "sip:h?a"));
    }

    #[test]
    fn tel_and_other_schemes_are_kept_and_junk_is_refused() {
        assert_eq!(Uri::parse(b"tel:+1-201-555-0123;x=y"), Ok(Uri::Tel(b"+1-201-555-0123;x=y")));
        assert_eq!(Uri::parse(b"http://h/"), Ok(Uri::Other(b"http://h/")));
        assert_eq!(Uri::parse(b"alice"), Err(UriError::Scheme));
        assert_eq!(Uri::parse(b"sip:"), Err(UriError::Host));
        assert_eq!(Uri::parse(b"sip:/"), Err(UriError::Host));
        assert_eq!(SipUri::parse(b"tel:1"), Err(UriError::NotSip));
    }

    #[test]
    fn an_owned_uri_can_not_break_out_of_a_header() {
        for text in ["sip:a@h\r\nEvil: 1", "sip:a@h>", "sip:a b@h", "sip:\"a\"@h", "sip:\u{e4}@h"] {
            assert_eq!(text.parse::<OwnedUri>(), Err(UriError::Characters), "{text:?}");
        }
        assert_eq!("sip:a@h".parse::<OwnedUri>().unwrap().parts().user, Some(&b"a"[..]));
    }
}
