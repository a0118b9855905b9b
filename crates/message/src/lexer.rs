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
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Splits at the first `separator`; without one, all is left and nothing is right.
pub(crate) fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(separator, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// The position of the first `wanted` byte outside quoted strings and `<...>`.
pub(crate) fn find_outside(bytes: &[u8], wanted: u8) -> Option<usize> {
    let (mut quoted, mut angled, mut escaped) = (false, false, false);
    for (at, byte) in bytes.iter().copied().enumerate() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            _ if byte == wanted && !angled => return Some(at),
            b'"' => quoted = true,
            b'<' => angled = true,
            b'>' => angled = false,
            _ => {}
        }
    }
    None
}

/// The elements of a comma-separated header value, trimmed, empty ones skipped; commas in quotes and `<...>` do not split.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let current = rest?;
        let (element, tail) = match find_outside(current, b',') {
            Some(at) => (current.get(..at)?, current.get(at + 1..)),
            None => (current, None),
        };
        rest = tail;
        Some(trim(element))
    })
    .filter(|element| !element.is_empty())
}

/// The length of the quoted string that `bytes` opens with, quotes included; `None` when it does not open with one or never closes.
pub(crate) fn quoted_length(bytes: &[u8]) -> Option<usize> {
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut escaped = false;
    for (at, byte) in bytes.iter().copied().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
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

/// The bytes between the quotes, untouched.
pub(crate) fn strip_quotes(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(b"\"")?.strip_suffix(b"\"")
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
pub(crate) fn decimal<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
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
    fn unquote_resolves_escapes_and_leaves_the_rest() {
        assert_eq!(unquote(br#""a\"b\\c""#).as_ref(), br#"a"b\c"#);
        assert_eq!(unquote(b"plain").as_ref(), b"plain");
        assert_eq!(unquote(b"\"open").as_ref(), b"\"open");
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
    }
}
