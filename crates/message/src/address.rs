//! `name-addr` and `addr-spec` as From, To, Contact and the route headers hold them (RFC 3261 §20.10, §25.1).

use std::borrow::Cow;

use thiserror::Error;

use crate::{Params, Uri, UriError, lexer};

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
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(value: &'a [u8]) -> Result<Self, AddressError> {
        let value = lexer::trim(value);
        let display_length = match value.first() {
            Some(b'"') => lexer::quoted_length(value).ok_or(AddressError::Display)?,
            _ => 0,
        };
        let (quoted, rest) = value.split_at_checked(display_length).unwrap_or((&[], value));
        let Some(open) = memchr::memchr(b'<', rest).filter(|open| display_length > 0 || !opens_params(rest, *open)) else {
            return Self::bare(rest, quoted);
        };
        let display = if quoted.is_empty() {
            lexer::trim(rest.get(..open).unwrap_or_default())
        } else {
            quoted
        };
        let (raw_uri, params) = lexer::split_once(rest.get(open + 1..).unwrap_or_default(), b'>').ok_or(AddressError::Angle)?;
        Self::checked(display, lexer::trim(raw_uri), params)
    }

    /// Without angle brackets, parameters belong to the header and not to the URI (RFC 3261 §20.10).
    fn bare(rest: &'a [u8], display: &'a [u8]) -> Result<Self, AddressError> {
        let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let (raw_uri, params) = rest.split_at_checked(end).ok_or(AddressError::NoUri)?;
        Self::checked(display, lexer::trim(raw_uri), params)
    }

    const fn checked(display: &'a [u8], raw_uri: &'a [u8], params: &'a [u8]) -> Result<Self, AddressError> {
        if raw_uri.is_empty() {
            Err(AddressError::NoUri)
        } else {
            Ok(Self {
                display,
                raw_uri,
                params: Params::new(params),
            })
        }
    }

    /// The URI's parts.
    ///
    /// # Errors
    /// See [`UriError`].
    pub fn uri(&self) -> Result<Uri<'a>, UriError> {
        Uri::parse(self.raw_uri)
    }

    /// The display name without quotes and escapes.
    #[must_use]
    pub fn display_name(&self) -> Cow<'a, [u8]> {
        lexer::unquote(self.display)
    }

    /// The `tag` of From and To.
    #[must_use]
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.value("tag")
    }

    /// The `expires` of a Contact in seconds; larger values than fit become `u32::MAX`.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        let text = self.params.text("expires")?;
        let wide: u128 = lexer::decimal(lexer::trim(&text))?;
        Some(u32::try_from(wide).unwrap_or(u32::MAX))
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

/// In `sip:a@h;+sip.instance="<urn:x>"` the `<` belongs to a parameter: a quote stands before it.
fn opens_params(rest: &[u8], open: usize) -> bool {
    rest.get(..open).is_some_and(|before| memchr::memchr(b'"', before).is_some())
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
    fn a_token_display_name_and_latin_1_bytes_are_kept() {
        let address = NameAddr::parse(b"J\xfcrgen M <tel:+49>").unwrap();
        assert_eq!(address.display, b"J\xfcrgen M");
        assert_eq!(address.uri(), Ok(Uri::Tel(b"+49")));
    }

    #[test]
    fn malformed_addresses_have_typed_errors() {
        assert_eq!(NameAddr::parse(b"\"open <sip:a@h>"), Err(AddressError::Display));
        assert_eq!(NameAddr::parse(b"<sip:a@h"), Err(AddressError::Angle));
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
        assert_eq!(NameAddr::parse(b"<sip:a@h>;expires=\"60\"").unwrap().expires(), Some(60));
        assert_eq!(NameAddr::parse(b"<sip:a@h>;expires=x").unwrap().expires(), None);
        assert_eq!(Contact::parse(b" * "), Ok(Contact::Star));
    }
}
