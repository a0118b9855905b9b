//! `name-addr` and `addr-spec` as From, To, Contact and the route headers hold them (RFC 3261 §20.10, §25.1).

use std::borrow::Cow;

use thiserror::Error;

use crate::{Params, SipUri, Uri, UriError, lexer};

/// A display name, a URI and the header's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The display name as it stands, quotes included; empty when there is none.
    pub display: &'a [u8],
    /// The URI's own bytes.
    pub raw_uri: &'a [u8],
    /// The parameters behind the URI.
    pub params: Params<'a>,
}

/// One element of a Contact header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact<'a> {
    /// `*`: all bindings (RFC 3261 §10.2.2).
    Star,
    /// One address.
    Address(NameAddr<'a>),
}

/// Why bytes are no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// A display name whose quotes never close.
    #[error("display name never ends")]
    Display,
    /// `<` without `>`.
    #[error("address has < without >")]
    Angle,
    /// Nothing where a URI should stand.
    #[error("no URI")]
    NoUri,
}

impl<'a> NameAddr<'a> {
    /// Reads one address; commas are the caller's affair.
    ///
    /// Display names that are neither quoted nor made of tokens are taken as they stand (RFC 4475 §3.1.2.15).
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(value: &'a [u8]) -> Result<Self, AddressError> {
        let value = lexer::trim(value);
        let quoted = match value.first() {
            Some(b'"') => lexer::quoted_length(value).ok_or(AddressError::Display)?,
            _ => 0,
        };
        let (name, rest) = value.split_at_checked(quoted).unwrap_or((&[], value));
        let Some(open) = memchr::memchr(b'<', rest).filter(|open| !belongs_to_param(rest, *open)) else {
            // RFC 3261 §20.10: without brackets, parameters belong to the header and not to the URI.
            let uri = before_params(rest);
            return Self::checked(name, uri, Params::new(rest.get(uri.len()..).unwrap_or_default()));
        };
        let display = value.get(..quoted + open).unwrap_or_default();
        let bracketed = rest.get(open..).unwrap_or_default();
        let (uri, behind) = lexer::bracketed_length(bracketed)
            .and_then(|length| Some((bracketed.get(1..length - 1)?, bracketed.get(length..)?)))
            .ok_or(AddressError::Angle)?;
        Self::checked(display, uri, Params::after(behind))
    }

    fn checked(display: &'a [u8], uri: &'a [u8], params: Params<'a>) -> Result<Self, AddressError> {
        let raw_uri = lexer::trim(uri);
        if raw_uri.is_empty() {
            return Err(AddressError::NoUri);
        }
        Ok(Self {
            display: lexer::trim(display),
            raw_uri,
            params,
        })
    }

    /// The URI's parts.
    ///
    /// # Errors
    /// See [`UriError`].
    pub fn uri(&self) -> Result<Uri<'a>, UriError> {
        Uri::parse(self.raw_uri)
    }

    /// The display name as a person reads it: on one line, without quotes and escapes.
    #[must_use]
    pub fn display_name(&self) -> Cow<'a, [u8]> {
        lexer::plain(self.display)
    }

    /// The `tag` of From and To; an empty one is none.
    #[must_use]
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.value("tag").filter(|tag| !tag.is_empty())
    }

    /// The `expires` of a Contact in seconds; larger values than fit become `u32::MAX`.
    ///
    /// We differ from RFC 3261 §25.1 `delta-seconds`: some registrars go on counting below zero when a binding has run out, so a
    /// negative number is 0 and not none at all, which would count as bound.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        self.params
            .seconds("expires")
            .or_else(|| self.params.is_negative("expires").then_some(0))
    }

    /// The `+sip.instance` of a Contact without quotes and angle brackets (RFC 5626 §4.1).
    #[must_use]
    pub fn instance(&self) -> Option<Cow<'a, [u8]>> {
        let text = self.params.text("+sip.instance")?;
        Some(match text {
            Cow::Borrowed(text) => Cow::Borrowed(strip_angles(text)),
            Cow::Owned(text) => Cow::Owned(strip_angles(&text).to_vec()),
        })
    }

    /// The `reg-id` of a Contact (RFC 5626 §4.2).
    #[must_use]
    pub fn reg_id(&self) -> Option<u32> {
        self.params.number("reg-id")
    }

    /// The `q` of a Contact as it stands.
    #[must_use]
    pub fn q(&self) -> Option<&'a [u8]> {
        self.params.value("q")
    }
}

impl<'a> Contact<'a> {
    /// Reads one element of a Contact header.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(element: &'a [u8]) -> Result<Self, AddressError> {
        match lexer::trim(element) {
            b"*" => Ok(Self::Star),
            other => NameAddr::parse(other).map(Self::Address),
        }
    }
}

/// In `sip:a@h;+sip.instance="<urn:x>"` the `<` belongs to a parameter: a bare URI stands before the first `;`, and a value
/// has just begun.
fn belongs_to_param(rest: &[u8], open: usize) -> bool {
    let before = lexer::trim(rest.get(..open).unwrap_or_default());
    matches!(before.last(), Some(b'"' | b'=')) && {
        let bare = before_params(before);
        bare.len() < before.len() && Uri::parse(bare).is_ok()
    }
}

/// What stands before the parameters of the header: before the first `;` that is not in the user part.
///
/// RFC 3261 §20 wants brackets around a URI with a `;` in it. Where they are missing, an `@` tells: the user part may hold a `;`
/// (§25.1 `user-unreserved`), but no unquoted value of a parameter may hold an `@`.
fn before_params(rest: &[u8]) -> &[u8] {
    let first = memchr::memchr(b';', rest).unwrap_or(rest.len());
    let plain_until = memchr::memchr2(b'"', b'<', rest).unwrap_or(rest.len());
    let in_user =
        memchr::memchr(b'@', rest.get(..plain_until).unwrap_or_default()).filter(|at| *at > first && SipUri::user_of(rest).is_some());
    let from = in_user.unwrap_or(0);
    let end = rest.get(from..).and_then(|tail| memchr::memchr(b';', tail)).map(|at| from + at);
    rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest)
}

fn strip_angles(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"<").and_then(|inner| inner.strip_suffix(b">")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_names_may_hold_anything() {
        let address = NameAddr::parse(br#" "Bob, \"X\" <y>" <sip:bob@h;lr> ;tag=1 ; x"#).unwrap();
        assert_eq!(address.display_name().as_ref(), br#"Bob, "X" <y>"#);
        assert_eq!(address.raw_uri, b"sip:bob@h;lr");
        assert_eq!(address.tag(), Some(&b"1"[..]));
        assert_eq!(address.params.find("x"), Some(None));
    }

    #[test]
    fn without_brackets_parameters_belong_to_the_header() {
        let address = NameAddr::parse(b"sip:bob@h;expires=60;+sip.instance=\"<urn:uuid:1>\";reg-id=2").unwrap();
        assert_eq!(address.raw_uri, b"sip:bob@h");
        assert_eq!(address.expires(), Some(60));
        assert_eq!(address.instance().unwrap().as_ref(), b"urn:uuid:1");
        assert_eq!(address.reg_id(), Some(2));
    }

    #[test]
    fn without_brackets_a_semicolon_before_the_at_sign_is_in_the_user_part() {
        for (text, uri, tag) in [
            ("sip:user;par=u%40x@h;tag=1", "sip:user;par=u%40x@h", Some("1")),
            ("sips:;a;b@h", "sips:;a;b@h", None),
            ("sip:bob@h;tag=a@b", "sip:bob@h", Some("a@b")),
            ("sip:h;x=\"a@b\";tag=2", "sip:h", Some("2")),
            ("tel:+1;ext=2@h;tag=3", "tel:+1", Some("3")),
            ("sip:bob@h", "sip:bob@h", None),
        ] {
            let address = NameAddr::parse(text.as_bytes()).unwrap();
            assert_eq!((address.raw_uri, address.tag()), (uri.as_bytes(), tag.map(str::as_bytes)), "{text}");
        }
    }

    #[test]
    fn a_token_display_name_and_latin_1_bytes_are_kept() {
        let address = NameAddr::parse(b"J\xfcrgen M <tel:+49>").unwrap();
        assert_eq!(address.display, b"J\xfcrgen M");
        assert_eq!(address.uri(), Ok(Uri::Tel(b"+49")));
    }

    #[test]
    fn a_bracket_in_a_parameter_opens_no_uri() {
        for params in [";+sip.instance=\"<urn:x>\"", ";x=<urn:x>", ";a=b;x = \"\\\"<y>\""] {
            let text = format!("sip:bob@h{params}");
            assert_eq!(NameAddr::parse(text.as_bytes()).unwrap().raw_uri, b"sip:bob@h", "{text}");
            let text = format!("<sip:bob@h>{params}");
            assert_eq!(NameAddr::parse(text.as_bytes()).unwrap().raw_uri, b"sip:bob@h", "{text}");
            let text = format!("\"Bob\" sip:bob@h{params}");
            assert_eq!(NameAddr::parse(text.as_bytes()).unwrap().raw_uri, b"sip:bob@h", "{text}");
        }
    }

    #[test]
    fn an_angle_after_an_equals_sign_opens_the_uri_unless_a_parameter_has_begun() {
        let address = NameAddr::parse(b"sip:a=<sip:b@h>").unwrap();
        assert_eq!((address.display, address.raw_uri), (&b"sip:a="[..], &b"sip:b@h"[..]));
    }

    #[test]
    fn odd_display_names_hide_no_uri() {
        for display in [
            "Bob \"the man\"",
            "O\"Brien",
            "Bell, Alexander",
            "sip:bob@pbx",
            "Bob; x=\"y\"",
            "\"Bob\" Smith",
            "\"\"",
            "'Bob'",
            "",
        ] {
            let text = format!("{display}<sip:bob@h>;tag=7");
            let address = NameAddr::parse(text.as_bytes()).unwrap();
            assert_eq!(
                (address.display, address.raw_uri, address.tag()),
                (display.as_bytes(), &b"sip:bob@h"[..], Some(&b"7"[..])),
                "{text}"
            );
        }
        assert_eq!(
            NameAddr::parse(b"\"Bob\r\n \\\"B\\\"\" <sip:b@h>").unwrap().display_name().as_ref(),
            b"Bob \"B\""
        );
    }

    #[test]
    fn odd_parameters_are_passed_over() {
        let address = NameAddr::parse(b"<sip:a@h> junk;;tag;=;tag=;expires = \"60\" ;TAG=late").unwrap();
        assert_eq!((address.tag(), address.expires()), (None, Some(60)));
        assert_eq!(NameAddr::parse(b"<sip:a@h>tag=1").unwrap().tag(), None);
        assert_eq!(NameAddr::parse(b"<sip:a@h>;tag=").unwrap().tag(), None);
    }

    #[test]
    fn malformed_addresses_have_typed_errors() {
        assert_eq!(NameAddr::parse(b"\"open <sip:a@h>"), Err(AddressError::Display));
        assert_eq!(NameAddr::parse(b"<sip:a@h"), Err(AddressError::Angle));
        assert_eq!(NameAddr::parse(b"<sip:a@h;x, <sip:b@h>"), Err(AddressError::Angle));
        assert_eq!(NameAddr::parse(b";tag"), Err(AddressError::NoUri));
        assert_eq!(NameAddr::parse(b"<>"), Err(AddressError::NoUri));
        assert_eq!(NameAddr::parse(b"\"x\\"), Err(AddressError::Display));
    }

    #[test]
    fn expires_saturates_and_star_is_known() {
        assert_eq!(
            NameAddr::parse(b"<sip:a@h>;expires=99999999999999999999").unwrap().expires(),
            Some(u32::MAX)
        );
        assert_eq!(
            NameAddr::parse(format!("<sip:a@h>;expires={}", "9".repeat(60)).as_bytes())
                .unwrap()
                .expires(),
            Some(u32::MAX)
        );
        assert_eq!(NameAddr::parse(b"<sip:a@h>;expires=\"60\"").unwrap().expires(), Some(60));
        for wrong in ["x", "-", "-x", "--1"] {
            let contact = format!("<sip:a@h>;expires={wrong}");
            assert_eq!(NameAddr::parse(contact.as_bytes()).unwrap().expires(), None, "{wrong}");
        }
        assert_eq!(NameAddr::parse(b"<sip:a@h>;expires=-5").unwrap().expires(), Some(0));
        assert_eq!(Contact::parse(b" * "), Ok(Contact::Star));
    }
}
