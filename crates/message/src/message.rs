//! Whole messages: start line, header index, body (RFC 3261 §7). Not for finding a message in a stream: that is [`crate::Framer`].

use thiserror::Error;

use crate::{Headers, MAX_MESSAGE, Method, Name, Status, headers, lexer};

/// A request or a response, borrowed from the bytes that it was read from.
#[derive(Debug, Clone)]
pub enum Message<'a> {
    /// A message that opened with a request line.
    Request(Request<'a>),
    /// A message that opened with a status line.
    Response(Response<'a>),
}

/// A request (RFC 3261 §7.1).
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The method.
    pub method: Method<'a>,
    /// The Request-URI's own bytes.
    pub uri: &'a [u8],
    /// The header fields.
    pub headers: Headers<'a>,
    /// The body: `Content-Length` bytes, or what there is when there are fewer.
    pub body: &'a [u8],
}

/// A response (RFC 3261 §7.2).
#[derive(Debug, Clone)]
pub struct Response<'a> {
    /// The status code.
    pub status: Status,
    /// The reason phrase's own bytes; may be empty and need not be UTF-8.
    pub reason: &'a [u8],
    /// The header fields.
    pub headers: Headers<'a>,
    /// The body: `Content-Length` bytes, or what there is when there are fewer.
    pub body: &'a [u8],
}

/// Why bytes are not a SIP message. One bad header is never a reason: only the start line and the limits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseError {
    /// Nothing but line ends.
    #[error("empty message")]
    Empty,
    /// Longer than [`MAX_MESSAGE`].
    #[error("message longer than 64 KiB")]
    TooLong,
    /// The first line is neither a request line nor a status line of SIP/2.0.
    #[error("first line is no SIP/2.0 request or status line")]
    StartLine,
    /// No empty line ends the head.
    #[error("header block has no end")]
    HeadUnfinished,
    /// The head is longer than [`crate::MAX_HEAD`].
    #[error("header block longer than 32 KiB")]
    HeadTooLong,
    /// More fields than [`crate::MAX_HEADERS`].
    #[error("more than 256 header fields")]
    TooManyHeaders,
}

impl<'a> Message<'a> {
    /// Reads one message, as a datagram holds it: line ends before it are skipped, bytes after its body are left out.
    ///
    /// # Errors
    /// See [`ParseError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(ParseError::TooLong);
        }
        let start = bytes.iter().position(|byte| !lexer::is_space(*byte)).ok_or(ParseError::Empty)?;
        let bytes = bytes.get(start..).unwrap_or_default();
        let (line, next) = headers::first_line(bytes).ok_or(ParseError::HeadUnfinished)?;
        let start_line = StartLine::parse(line).ok_or(ParseError::StartLine)?;
        let mut headers = Headers::empty(bytes);
        let body_start = headers.fill(next)?;
        let body = body(&headers, bytes.get(body_start..).unwrap_or_default());
        Ok(match start_line {
            StartLine::Request { method, uri } => Self::Request(Request {
                method,
                uri,
                headers,
                body,
            }),
            StartLine::Response { status, reason } => Self::Response(Response {
                status,
                reason,
                headers,
                body,
            }),
        })
    }

    /// The header fields.
    #[must_use]
    pub const fn headers(&self) -> &Headers<'a> {
        match self {
            Self::Request(request) => &request.headers,
            Self::Response(response) => &response.headers,
        }
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        match self {
            Self::Request(request) => request.body,
            Self::Response(response) => response.body,
        }
    }
}

/// The first line of a message.
pub(crate) enum StartLine<'a> {
    /// RFC 3261 §7.1.
    Request { method: Method<'a>, uri: &'a [u8] },
    /// RFC 3261 §7.2.
    Response { status: Status, reason: &'a [u8] },
}

const VERSION: &[u8] = b"SIP/2.0";

impl<'a> StartLine<'a> {
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        match line.get(..VERSION.len()) {
            Some(version) if version.eq_ignore_ascii_case(VERSION) => Self::status_line(line.get(VERSION.len()..)?),
            _ => Self::request_line(line),
        }
    }

    /// RFC 3261 §7.2; a missing space before an empty reason phrase is forgiven.
    fn status_line(rest: &'a [u8]) -> Option<Self> {
        let code_at = rest.iter().position(|byte| !lexer::is_space(*byte)).filter(|spaces| *spaces > 0)?;
        let rest = rest.get(code_at..)?;
        let (code, reason) = rest.split_at_checked(3)?;
        let status = lexer::decimal(code).and_then(Status::new)?;
        match reason.first() {
            None | Some(b' ' | b'\t') => Some(Self::Response {
                status,
                reason: lexer::trim(reason),
            }),
            Some(_) => None,
        }
    }

    fn request_line(line: &'a [u8]) -> Option<Self> {
        let line = lexer::trim(line);
        let version_at = line.len().checked_sub(VERSION.len())?;
        let (rest, version) = line.split_at_checked(version_at)?;
        if !version.eq_ignore_ascii_case(VERSION) {
            return None;
        }
        let (method, uri) = lexer::split_once(rest, b' ')?;
        let uri = uri.strip_suffix(b" ").map(lexer::trim).filter(|uri| !uri.is_empty())?;
        let named = !method.is_empty() && method.iter().all(|byte| lexer::is_token(*byte));
        named.then(|| Self::Request {
            method: Method::from_bytes(method),
            uri,
        })
    }
}

/// RFC 3261 §18.3: bytes beyond Content-Length are not part of a datagram's message.
fn body<'a>(headers: &Headers<'a>, rest: &'a [u8]) -> &'a [u8] {
    let length = headers
        .first(Name::ContentLength)
        .and_then(lexer::saturating)
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(rest.len());
    rest.get(..length).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(bytes: &[u8]) -> Response<'_> {
        match Message::parse(bytes).unwrap() {
            Message::Response(response) => response,
            Message::Request(request) => panic!("{request:?}"),
        }
    }

    #[test]
    fn a_response_is_read_from_lf_only_lines_after_keep_alives() {
        let reply = response(b"\r\n\r\nSIP/2.0 200 OK\nExpires: 60\n\n");
        assert_eq!((reply.status.code(), reply.reason), (200, &b"OK"[..]));
        assert_eq!(reply.headers.first(Name::Expires), Some(&b"60"[..]));
    }

    #[test]
    fn reason_phrases_may_be_empty_missing_or_latin_1() {
        assert_eq!(response(b"SIP/2.0 401 \r\n\r\n").reason, b"");
        assert_eq!(response(b"SIP/2.0 401\r\n\r\n").reason, b"");
        assert_eq!(response(b"sip/2.0 \t401  No \r\n\r\n").reason, b"No");
        assert_eq!(
            response(b"SIP/2.0 403 Zugriff verweigert \xfcber\r\n\r\n").reason,
            b"Zugriff verweigert \xfcber"
        );
    }

    #[test]
    fn a_request_keeps_unknown_methods_and_its_uri() {
        let Message::Request(request) = Message::parse(b"FROB sip:a@[::1]:5060;x=y SIP/2.0\r\nl: 2\r\n\r\nabcd").unwrap() else {
            panic!()
        };
        assert_eq!(request.method, Method::Other(b"FROB"));
        assert_eq!(request.uri, b"sip:a@[::1]:5060;x=y");
        assert_eq!(request.body, b"ab");
    }

    #[test]
    fn a_body_shorter_than_declared_is_what_there_is() {
        assert_eq!(response(b"SIP/2.0 200 OK\r\nContent-Length: 4294967296\r\n\r\nab").body, b"ab");
    }

    #[test]
    fn start_lines_that_are_not_sip_are_refused() {
        for line in [
            "SIP/2.0 99 x",
            "SIP/2.0 700 x",
            "SIP/2.0 2000 x",
            "SIP/3.0 200 OK",
            "HTTP/1.1 200 OK",
            "REGISTER SIP/2.0",
            "SIP/2.0200 OK",
        ] {
            let bytes = format!("{line}\r\n\r\n");
            assert_eq!(Message::parse(bytes.as_bytes()).unwrap_err(), ParseError::StartLine, "{line}");
        }
        assert_eq!(Message::parse(b"\r\n\r\n").unwrap_err(), ParseError::Empty);
        assert_eq!(Message::parse(&vec![b'a'; MAX_MESSAGE + 1]).unwrap_err(), ParseError::TooLong);
        assert_eq!(Message::parse(&vec![b'a'; MAX_MESSAGE]).unwrap_err(), ParseError::HeadUnfinished);
    }
}
