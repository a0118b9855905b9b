//! `;name=value` parameters of headers and URIs (RFC 3261 §25.1 `generic-param`). Names compare without case.

use std::borrow::Cow;

use crate::lexer::{self, Brackets, Split};

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name's own bytes.
    pub name: &'a [u8],
    /// The value's own bytes, quotes included; `None` for a parameter without value.
    pub value: Option<&'a [u8]>,
}

/// The parameters that follow a value, still unparsed: `;a=b;c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Params<'a>(&'a [u8]);

impl<'a> Params<'a> {
    /// The parameters in these bytes, which are empty or open with a `;`.
    #[must_use]
    pub const fn new(raw: &'a [u8]) -> Self {
        Self(raw)
    }

    /// The parameters behind a value: from its first `;` on, whatever stands before it.
    pub(crate) fn after(value: &'a [u8]) -> Self {
        Self(memchr::memchr(b';', value).and_then(|at| value.get(at..)).unwrap_or_default())
    }

    /// The parameters in order; empty ones (`;;`) are skipped.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        Split::new(self.0, b';', Brackets::Hold)
            .map(lexer::trim)
            .filter(|part| !part.is_empty())
            .map(|part| match lexer::split_once(part, b'=') {
                Some((name, value)) => Param {
                    name: lexer::trim(name),
                    value: Some(lexer::trim(value)),
                },
                None => Param { name: part, value: None },
            })
    }

    /// The first parameter with this name: `Some(None)` when it has no value.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Option<&'a [u8]>> {
        Split::new(self.0, b';', Brackets::Hold).find_map(|part| value_of(part, name.as_bytes()))
    }

    /// The first value under this name, as it stands.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.find(name).flatten()
    }

    /// The first value under this name as a person reads it: on one line, without quotes and escapes.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.value(name).map(lexer::plain)
    }

    /// The first value under this name as a whole number, quoted or not.
    #[must_use]
    pub fn number<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        lexer::decimal(self.digits(name)?)
    }

    /// The first value under this name as a number of seconds, quoted or not; larger values than fit become `u32::MAX`.
    pub(crate) fn seconds(&self, name: &str) -> Option<u32> {
        lexer::saturating(self.digits(name)?)
    }

    /// Whether the first value under this name is a number below zero.
    pub(crate) fn is_negative(&self, name: &str) -> bool {
        let digits = self.digits(name).and_then(|value| value.strip_prefix(b"-"));
        digits.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
    }

    fn digits(&self, name: &str) -> Option<&'a [u8]> {
        let value = self.value(name)?;
        Some(lexer::trim(lexer::strip_quotes(value).unwrap_or(value)))
    }

    /// The unparsed bytes, from the first `;` on.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// The value of a parameter when it has this name. Looks no further than the name when it has another.
fn value_of<'a>(part: &'a [u8], name: &[u8]) -> Option<Option<&'a [u8]>> {
    let (start, rest) = lexer::trim_start(part).split_at_checked(name.len())?;
    if start.is_empty() || !start.eq_ignore_ascii_case(name) {
        return None;
    }
    match lexer::trim(rest) {
        [] => Some(None),
        [b'=', value @ ..] => Some(Some(lexer::trim_start(value))),
        // A longer name that opens with this one.
        [_, ..] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_be_missing_quoted_and_spaced() {
        let params = Params::new(br#"; Expires = "60";lr;;+sip.instance="<urn:uuid:1;2>" ; q=0.5"#);
        assert_eq!(params.number::<u32>("expires"), Some(60));
        assert_eq!(params.find("lr"), Some(None));
        assert_eq!(params.text("+SIP.instance").unwrap().as_ref(), b"<urn:uuid:1;2>");
        assert_eq!(params.value("q"), Some(&b"0.5"[..]));
        assert_eq!(params.find("none"), None);
        assert_eq!(params.find("l"), None);
        assert_eq!(params.find("lrx"), None);
        assert_eq!(params.find(""), None);
        assert_eq!(params.iter().count(), 4);
    }
}
