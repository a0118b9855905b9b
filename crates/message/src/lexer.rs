//! Byte-level scanning shared by every view: white space, quoted strings, lists (RFC 3261 §25.1). Not for the meaning of a header.

use std::borrow::Cow;

/// True for SP, HTAB, and CR or LF, which inside a header value can only be the trace of folding.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The bytes without white space at either end.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_space(*byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_space(*byte)).map_or(start, |last| last + 1);
    bytes.get(start..end).unwrap_or_default()
}

/// True for the bytes of a `token` (RFC 3261 §25.1).
pub(crate) const fn is_token(byte: u8) -> bool {
    // A table: this is asked of every byte of every unknown name.
    const TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0_u8;
        while byte.is_ascii() {
            table[byte as usize] =
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
            byte += 1;
        }
        table
    };
    TOKEN[byte as usize]
}

/// The longest token that `bytes` opens with, which may be empty, and what follows it.
pub(crate) fn token(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !is_token(*byte)).unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

/// The bytes without white space in front.
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_space(*byte)).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// Splits at the first `separator`; without one, all is left and nothing is right.
pub(crate) fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(separator, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// Where a separator does not separate, besides quoted strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brackets {
    /// `<...>` holds a URI, whose commas and semicolons are its own.
    Hold,
    /// `<` is a byte like any other, as in authentication parameters.
    Plain,
}

/// The parts between separators, untrimmed. Separators in quoted strings do not count, nor those in `<...>` where it holds.
///
/// A quote or bracket that never closes is a byte like any other, so that a malformed part does not swallow those after it.
/// Each byte is looked at a bounded number of times, however the brackets and quotes are strewn.
#[derive(Debug, Clone)]
pub(crate) struct Split<'a> {
    bytes: &'a [u8],
    separator: u8,
    brackets: Brackets,
    /// Where the next part starts; `None` after the last one.
    next: Option<usize>,
    /// False once a quote was met that never closes: no later one does, for it would have closed this one.
    quotes_close: bool,
}

impl<'a> Split<'a> {
    pub(crate) const fn new(bytes: &'a [u8], separator: u8, brackets: Brackets) -> Self {
        Self {
            bytes,
            separator,
            brackets,
            next: Some(0),
            quotes_close: true,
        }
    }

    /// The offset at which the part starts that [`Iterator::next`] will give.
    pub(crate) fn position(&self) -> usize {
        self.next.unwrap_or(self.bytes.len())
    }

    /// The offset of the next separator that separates, from `at` on.
    fn separator_after(&mut self, mut at: usize) -> Option<usize> {
        loop {
            let rest = self.bytes.get(at..)?;
            let found = match (self.quotes_close, self.brackets) {
                (true, Brackets::Hold) => memchr::memchr3(self.separator, b'"', b'<', rest)?,
                (true, Brackets::Plain) => memchr::memchr2(self.separator, b'"', rest)?,
                (false, Brackets::Hold) => memchr::memchr2(self.separator, b'<', rest)?,
                (false, Brackets::Plain) => memchr::memchr(self.separator, rest)?,
            };
            let opened = rest.get(found..)?;
            at += found
                + match opened.first()? {
                    b'"' => quoted_length(opened).unwrap_or_else(|| {
                        self.quotes_close = false;
                        1
                    }),
                    b'<' => bracketed_length(opened).unwrap_or(1),
                    _ => return Some(at + found),
                };
        }
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.next?;
        let end = self.separator_after(start);
        self.next = end.map(|end| end + 1);
        self.bytes.get(start..end.unwrap_or(self.bytes.len()))
    }
}

/// The length of the `<...>` that `bytes` opens with; `None` when it never closes, which another `<` before any `>` shows.
pub(crate) fn bracketed_length(bytes: &[u8]) -> Option<usize> {
    let inner = bytes.get(1..)?;
    let at = memchr::memchr2(b'<', b'>', inner)?;
    (inner.get(at) == Some(&b'>')).then_some(at + 2)
}

/// The elements of a comma-separated header value, trimmed, empty ones skipped; commas in quotes and `<...>` do not split.
pub fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    Split::new(value, b',', Brackets::Hold)
        .map(trim)
        .filter(|element| !element.is_empty())
}

/// The length of the quoted string that `bytes` opens with, quotes included; `None` when it does not open with one or never closes.
pub(crate) fn quoted_length(bytes: &[u8]) -> Option<usize> {
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The contents of a quoted string with its escapes resolved, or the bytes as they are when they are not quoted.
#[must_use]
pub fn unquote(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = strip_quotes(bytes) else {
        return Cow::Borrowed(bytes);
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut resolved = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for byte in inner.iter().copied() {
        if byte == b'\\' && !escaped {
            escaped = true;
        } else {
            resolved.push(byte);
            escaped = false;
        }
    }
    Cow::Owned(resolved)
}

/// The bytes between the quotes, untouched; `None` when `bytes` is not one whole quoted string.
pub(crate) fn strip_quotes(bytes: &[u8]) -> Option<&[u8]> {
    (quoted_length(bytes)? == bytes.len())
        .then(|| bytes.get(1..bytes.len() - 1))
        .flatten()
}

/// What a person reads: one line, without quotes and escapes.
pub(crate) fn plain(bytes: &[u8]) -> Cow<'_, [u8]> {
    match unfold(bytes) {
        Cow::Borrowed(line) => unquote(line),
        Cow::Owned(line) => Cow::Owned(unquote(&line).into_owned()),
    }
}

/// A value on one line: each fold (a line end with the white space around it) becomes one space (RFC 3261 §7.3.1).
#[must_use]
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\r', b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut line = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
        let (before, after) = rest.split_at(at);
        let kept = before.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
        line.extend_from_slice(before.get(..kept).unwrap_or_default());
        line.push(b' ');
        let next = after.iter().position(|byte| !is_space(*byte)).unwrap_or(after.len());
        rest = after.get(next..).unwrap_or_default();
    }
    line.extend_from_slice(rest);
    Cow::Owned(line)
}

/// A decimal number that fits, or `None`.
pub(crate) fn decimal<T: TryFrom<u64>>(digits: &[u8]) -> Option<T> {
    if digits.is_empty() {
        return None;
    }
    let number = digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })?;
    number.try_into().ok()
}

/// A decimal number, or the largest when it does not fit; `None` when it is no number.
pub(crate) fn saturating(digits: &[u8]) -> Option<u32> {
    let number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    number.then(|| decimal(digits).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_splits_only_outside_quotes_and_angles() {
        let parts: Vec<_> = list(br#""a, \"b" <sip:x,y>, , c"#).collect();
        assert_eq!(parts, [&br#""a, \"b" <sip:x,y>"#[..], b"c"]);
    }

    #[test]
    fn what_never_closes_swallows_nothing() {
        let parts = |value| list(value).collect::<Vec<_>>();
        assert_eq!(parts(b"<sip:a@h, <sip:b,c@h>, d"), [&b"<sip:a@h"[..], b"<sip:b,c@h>", b"d"]);
        assert_eq!(parts(b"\"a, <sip:b,c@h>, \\\", d"), [&b"\"a"[..], b"<sip:b,c@h>", b"\\\"", b"d"]);
        assert_eq!(parts(b"<, a"), [&b"<"[..], b"a"]);
    }

    #[test]
    fn quotes_inside_brackets_are_plain_bytes() {
        assert_eq!(list(b"<sip:a\"b@h>, <sip:c@h>").count(), 2);
    }

    #[test]
    fn brackets_hold_only_where_they_are_asked_to() {
        assert_eq!(Split::new(b"a=<,b=>", b',', Brackets::Plain).count(), 2);
        assert_eq!(Split::new(b"a=<,b=>", b',', Brackets::Hold).count(), 1);
    }

    #[test]
    fn unquote_resolves_escapes_and_leaves_the_rest() {
        assert_eq!(unquote(br#""a\"b\\c""#).as_ref(), br#"a"b\c"#);
        assert_eq!(unquote(b"plain").as_ref(), b"plain");
        assert_eq!(unquote(b"\"open").as_ref(), b"\"open");
        assert_eq!(unquote(br#""open\""#).as_ref(), br#""open\""#);
        assert_eq!(unquote(b"\"").as_ref(), b"\"");
        assert_eq!(unquote(b"\"\"").as_ref(), b"");
    }

    #[test]
    fn plain_text_has_neither_folds_nor_escapes() {
        assert_eq!(plain(b"\"a\r\n \\\"b\"").as_ref(), b"a \"b");
    }

    #[test]
    fn unfold_turns_each_fold_into_one_space() {
        assert_eq!(unfold(b"a \r\n\t b\n c").as_ref(), b"a b c");
        assert_eq!(unfold(b"a  b").as_ref(), b"a  b");
    }

    #[test]
    fn a_quoted_string_that_never_closes_has_no_length() {
        assert_eq!(quoted_length(br#""ab\""#), None);
        assert_eq!(quoted_length(br#""ab" x"#), Some(4));
    }

    #[test]
    fn a_decimal_refuses_signs_and_overflow() {
        assert_eq!(decimal::<u16>(b"65535"), Some(65535));
        assert_eq!(decimal::<u16>(b"65536"), None);
        assert_eq!(decimal::<u16>(b"+1"), None);
        assert_eq!(decimal::<u16>(b""), None);
        assert_eq!(saturating(&[b'9'; 60]), Some(u32::MAX));
        assert_eq!(saturating(b"0000000000000000000060"), Some(60));
        assert_eq!(saturating(b"6O"), None);
    }
}
