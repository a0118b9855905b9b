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
    /// Who added it.
    pub agent: &'a [u8],
    /// The text, without quotes and escapes.
    pub text: Cow<'a, [u8]>,
}

/// A Reason (RFC 3326).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The protocol that the cause is of: `SIP`, `Q.850`, ...
    pub protocol: &'a [u8],
    /// The `cause`.
    pub cause: Option<u16>,
    /// The `text`, without quotes and escapes.
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
        let value = lexer::trim(value);
        let end = value.iter().position(|byte| lexer::is_space(*byte)).ok_or(ValueError::Malformed)?;
        let (digits, method) = value.split_at_checked(end).ok_or(ValueError::Malformed)?;
        let method = lexer::trim(method);
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
        None | Some(b';' | b' ' | b'\t' | b'\r' | b'\n' | b'(') => Ok(lexer::decimal(digits).unwrap_or(u32::MAX)),
        Some(_) => Err(ValueError::Malformed),
    }
}

impl<'a> RetryAfter<'a> {
    /// Reads `seconds [(comment)] [;duration=seconds]`.
    ///
    /// # Errors
    /// [`ValueError`] when it does not open with a number of seconds.
    pub fn parse(value: &'a [u8]) -> Result<Self, ValueError> {
        let after_comment = memchr::memrchr(b')', value).map_or(0, |close| close + 1);
        let params = value.get(after_comment..).and_then(|rest| rest.get(memchr::memchr(b';', rest)?..));
        let comment = memchr::memchr(b'(', value).and_then(|open| value.get(open + 1..after_comment.checked_sub(1)?));
        Ok(Self {
            seconds: seconds(value)?,
            comment,
            duration: params.and_then(|raw| Params::new(raw).number("duration")),
        })
    }
}

impl<'a> Warning<'a> {
    /// Reads one warning: `code agent "text"`.
    ///
    /// # Errors
    /// [`ValueError`] when the code is no three digits or a part is missing.
    pub fn parse(element: &'a [u8]) -> Result<Self, ValueError> {
        let (code, rest) = element.split_at_checked(3).ok_or(ValueError::Malformed)?;
        let code = lexer::decimal(code).ok_or(ValueError::Number)?;
        let rest = lexer::trim(rest);
        let end = rest.iter().position(|byte| lexer::is_space(*byte)).ok_or(ValueError::Malformed)?;
        let (agent, text) = rest.split_at_checked(end).ok_or(ValueError::Malformed)?;
        Ok(Self {
            code,
            agent,
            text: lexer::unquote(lexer::trim(text)),
        })
    }
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
        assert!(RetryAfter::parse(b"5 )(").is_ok());
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
        assert!(Warning::parse(b"39").is_err());
        assert!(Reason::parse(b";cause=1").is_err());
    }
}
