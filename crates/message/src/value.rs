//! Small values: CSeq, seconds, Retry-After, Warning, Reason (RFC 3261 §20, RFC 3326).

use std::borrow::Cow;

use thiserror::Error;

use crate::{Method, Params, lexer};

/// A CSeq (RFC 3261 §20.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// The sequence number.
    pub number: u32,
    /// The method.
    pub method: Method<'a>,
}

/// A Retry-After (RFC 3261 §20.33).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter<'a> {
    /// How long to wait, in seconds.
    pub seconds: u32,
    /// The comment in parentheses, without them.
    pub comment: Option<&'a [u8]>,
    /// How long the server will then be there, in seconds.
    pub duration: Option<u32>,
}

/// A Warning (RFC 3261 §20.43).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning<'a> {
    /// The three-digit code.
    pub code: u16,
    /// Who added it; empty when the server left it out.
    pub agent: &'a [u8],
    /// The text, on one line, without quotes and escapes.
    pub text: Cow<'a, [u8]>,
}

/// A Reason (RFC 3326).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The protocol that the cause is of: `SIP`, `Q.850`, ...
    pub protocol: &'a [u8],
    /// The `cause`.
    pub cause: Option<u16>,
    /// The `text`, on one line, without quotes and escapes.
    pub text: Option<Cow<'a, [u8]>>,
}

/// A small value that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ValueError {
    /// No number where one must stand, or one that does not fit.
    #[error("no usable number")]
    Number,
    /// The value is cut short or holds something else.
    #[error("malformed value")]
    Malformed,
}

impl<'a> CSeq<'a> {
    /// Reads `number method`.
    ///
    /// # Errors
    /// [`ValueError::Number`] above 2³²-1 or without digits, [`ValueError::Malformed`] without a method.
    pub fn parse(value: &'a [u8]) -> Result<Self, ValueError> {
        let (digits, method) = split_at_space(lexer::trim(value)).ok_or(ValueError::Malformed)?;
        if !method.iter().all(|byte| lexer::is_token(*byte)) {
            return Err(ValueError::Malformed);
        }
        Ok(Self {
            number: lexer::decimal(digits).ok_or(ValueError::Number)?,
            method: Method::from_bytes(method),
        })
    }
}

/// Reads `delta-seconds`, what follows it ignored; larger values than fit become `u32::MAX` (RFC 3261 §20.19).
pub(crate) fn seconds(value: &[u8]) -> Result<u32, ValueError> {
    let value = lexer::trim(value);
    let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    let (digits, rest) = value.split_at_checked(end).ok_or(ValueError::Malformed)?;
    match rest.first() {
        _ if digits.is_empty() => Err(ValueError::Number),
        None | Some(b';' | b' ' | b'\t' | b'\r' | b'\n' | b'(') => lexer::saturating(digits).ok_or(ValueError::Number),
        Some(_) => Err(ValueError::Malformed),
    }
}

impl<'a> RetryAfter<'a> {
    /// Reads `seconds [(comment)] [;duration=seconds]`.
    ///
    /// # Errors
    /// [`ValueError`] when it does not open with a number of seconds.
    pub fn parse(value: &'a [u8]) -> Result<Self, ValueError> {
        let value = lexer::trim(value);
        let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
        let behind = lexer::trim(value.get(end..).unwrap_or_default());
        let (comment, params) = comment_length(behind)
            .and_then(|length| Some((behind.get(1..length - 1)?, behind.get(length..)?)))
            .map_or((None, behind), |(comment, params)| (Some(comment), params));
        Ok(Self {
            seconds: seconds(value)?,
            comment,
            duration: Params::after(params).seconds("duration"),
        })
    }
}

/// The length of the comment that `bytes` opens with, parentheses included; comments nest and hold escapes (RFC 3261 §25.1).
fn comment_length(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, byte) in bytes.iter().copied().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return bytes.starts_with(b"(").then_some(at + 1);
        }
    }
    None
}

impl<'a> Warning<'a> {
    /// Reads one warning: `code agent "text"`. Some servers leave the agent out, or the quotes.
    ///
    /// # Errors
    /// [`ValueError`] when the code is no three digits or the text is missing.
    pub fn parse(element: &'a [u8]) -> Result<Self, ValueError> {
        let (code, rest) = split_at_space(lexer::trim(element)).ok_or(ValueError::Malformed)?;
        let code = lexer::decimal(code).filter(|_| code.len() == 3).ok_or(ValueError::Number)?;
        let (agent, text) = match rest.first() {
            Some(b'"') => (&[][..], rest),
            _ => split_at_space(rest).ok_or(ValueError::Malformed)?,
        };
        let text = lexer::quoted_length(text).and_then(|length| text.get(..length)).unwrap_or(text);
        Ok(Self {
            code,
            agent,
            text: lexer::plain(text),
        })
    }
}

/// The first word and what follows the white space after it; `None` when nothing follows.
fn split_at_space(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| lexer::is_space(*byte))?;
    let (word, rest) = bytes.split_at_checked(end)?;
    Some((word, lexer::trim(rest))).filter(|(_, rest)| !rest.is_empty())
}

impl<'a> Reason<'a> {
    /// Reads one reason: `protocol;cause=n;text="..."`.
    ///
    /// # Errors
    /// [`ValueError::Malformed`] without a protocol.
    pub fn parse(element: &'a [u8]) -> Result<Self, ValueError> {
        let end = memchr::memchr(b';', element).unwrap_or(element.len());
        let (protocol, raw) = element.split_at_checked(end).ok_or(ValueError::Malformed)?;
        let (protocol, params) = (lexer::trim(protocol), Params::new(raw));
        if protocol.is_empty() {
            return Err(ValueError::Malformed);
        }
        Ok(Self {
            protocol,
            cause: params.number("cause"),
            text: params.text("text"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cseq_fits_32_bits_and_names_a_method() {
        assert_eq!(
            CSeq::parse(b" 4711\r\n REGISTER "),
            Ok(CSeq {
                number: 4711,
                method: Method::Register
            })
        );
        assert_eq!(CSeq::parse(b"4294967295 X").unwrap().number, u32::MAX);
        assert_eq!(CSeq::parse(b"4294967296 X"), Err(ValueError::Number));
        assert_eq!(CSeq::parse(b"1"), Err(ValueError::Malformed));
        assert_eq!(CSeq::parse(b"1 RE GISTER"), Err(ValueError::Malformed));
    }

    #[test]
    fn seconds_saturate_and_stop_at_what_follows() {
        assert_eq!(seconds(b" 3600 "), Ok(3600));
        assert_eq!(seconds(b"99999999999"), Ok(u32::MAX));
        assert_eq!(seconds(b"60;x=y"), Ok(60));
        assert_eq!(seconds(b"-1"), Err(ValueError::Number));
        assert_eq!(seconds(b"1h"), Err(ValueError::Malformed));
        assert_eq!(seconds(b""), Err(ValueError::Number));
    }

    #[test]
    fn retry_after_has_comment_and_duration() {
        let full = RetryAfter::parse(b"18000 (in a meeting;x=1) ;duration=3600").unwrap();
        assert_eq!(
            full,
            RetryAfter {
                seconds: 18000,
                comment: Some(b"in a meeting;x=1"),
                duration: Some(3600)
            }
        );
        assert_eq!(
            RetryAfter::parse(b"5").unwrap(),
            RetryAfter {
                seconds: 5,
                comment: None,
                duration: None
            }
        );
        assert!(RetryAfter::parse(b"Fri, 26 Sep").is_err());
        assert_eq!(RetryAfter::parse(b"5 )(").unwrap().comment, None);
        assert_eq!(RetryAfter::parse(b"5 (open").unwrap().comment, None);
        let nested = RetryAfter::parse(br#"5(a (b) \) c);x="(d);";duration=99999999999"#).unwrap();
        assert_eq!((nested.comment, nested.duration), (Some(&br"a (b) \) c"[..]), Some(u32::MAX)));
    }

    #[test]
    fn warnings_and_reasons_are_unquoted() {
        let warning = Warning::parse(br#"399 pbx.example "limit \"exceeded\"""#).unwrap();
        assert_eq!(
            (warning.code, warning.agent, warning.text.as_ref()),
            (399, &b"pbx.example"[..], &br#"limit "exceeded""#[..])
        );
        let reason = Reason::parse(br#"Q.850;cause=16;text="Terminated""#).unwrap();
        assert_eq!(
            (reason.protocol, reason.cause, reason.text.as_deref()),
            (&b"Q.850"[..], Some(16), Some(&b"Terminated"[..]))
        );
        for (value, code, agent, text) in [
            (&b"399 \"no agent\""[..], 399, &b""[..], &b"no agent"[..]),
            (b"392\r\n [2001:db8::1]:5060 \"a\r\n b\" junk", 392, b"[2001:db8::1]:5060", b"a b"),
            (b"399 pbx no quotes", 399, b"pbx", b"no quotes"),
        ] {
            let warning = Warning::parse(value).unwrap();
            assert_eq!((warning.code, warning.agent, warning.text.as_ref()), (code, agent, text));
        }
        for value in ["39", "39 h \"t\"", "3990 h \"t\"", "399", "399 h"] {
            assert!(Warning::parse(value.as_bytes()).is_err(), "{value}");
        }
        assert!(Reason::parse(b";cause=1").is_err());
    }
}
