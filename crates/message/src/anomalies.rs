//! What is odd about a message, for people who have to find out whose fault it is (`regprobe inspect`). Reads by the same index and views
//! as everything else and says what they tolerate; not for the way of a message through the program, because it allocates.

mod fields;
mod kinds;
mod lines;
mod place;
mod texts;
mod whole;

use crate::message::StartLine;
use crate::{Field, Headers, MAX_HEAD, MAX_MESSAGE, Message, Method, ParseError, headers, lexer};

pub use kinds::{Anomaly, Weight};
pub use place::Found;
use place::Places;

/// A message, or what is left of one, with everything that is odd about it.
#[derive(Debug, Clone)]
pub struct Inspection<'a> {
    /// Whether [`Message::parse`] reads it.
    pub usable: Result<(), ParseError>,
    /// What it is; `None` when its first line does not tell.
    pub kind: Option<Kind<'a>>,
    /// The first line's own bytes, without its end.
    pub start_line: &'a [u8],
    /// The header fields; of an unusable message those in front of what makes it so.
    pub headers: Headers<'a>,
    /// The body, as the program reads it; empty in an unusable message.
    pub body: &'a [u8],
    /// What is odd, in the order of the lines; what is about the whole message comes last.
    pub found: Vec<Found<'a>>,
    places: Places<'a>,
}

/// Whether a message asks or answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A request with this method.
    Request(Method<'a>),
    /// A response with this status code; in an unusable message it may be any number, and the largest
    /// stands for all that do not fit.
    Response(u16),
}

/// Reads one message as a datagram holds it, and says all that is odd about it. Takes bytes of any kind and any length.
#[must_use]
pub fn inspect(bytes: &[u8]) -> Inspection<'_> {
    let message = Message::parse(bytes);
    let start = bytes.iter().position(|byte| !lexer::is_space(*byte)).unwrap_or(bytes.len());
    // Nothing behind this is a part of a head; so it bounds what has to be looked at.
    let known = bytes.get(start..bytes.len().min(start + MAX_MESSAGE)).unwrap_or_default();
    let (start_line, next) = headers::first_line(known).unwrap_or((beginning(known), known.len()));
    let mut headers = Headers::empty(known);
    let body_at = headers.fill(next).ok();
    let places = Places::new(bytes, start, &headers);
    let mut inspection = Inspection {
        usable: message.as_ref().map(|_| ()).map_err(|error| *error),
        kind: kind(start_line),
        start_line,
        headers,
        body: message.as_ref().map_or(&[][..], Message::body),
        found: Vec::new(),
        places,
    };
    inspection.look(known, body_at);
    inspection
}

impl<'a> Inspection<'a> {
    /// The header fields, each with the number of its line; the first line of the bytes is 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, Field<'a>)> + '_ {
        self.places.lines().zip(self.headers.iter())
    }

    /// The line on which the message starts.
    #[must_use]
    pub const fn start_line_number(&self) -> usize {
        self.places.start_line()
    }

    /// Looks at all that is known; the body starts at `body_at` when the head has an end.
    fn look(&mut self, known: &'a [u8], body_at: Option<usize>) {
        let mut found = Vec::new();
        lines::look(known.get(..body_at.unwrap_or(MAX_HEAD)).unwrap_or(known), self, &mut found);
        for (line, field) in self.lines() {
            fields::look(line, &field, self.kind, &mut found);
        }
        whole::look_at_headers(self, &mut found);
        if let Some(body_at) = body_at {
            whole::look_for_missing(self, &mut found);
            whole::look_at_body(self, known.get(body_at..).unwrap_or_default(), &mut found);
        }
        // Stable: what was found on one line stays in its order, and what has no line is behind all that has.
        found.sort_by_key(|found: &Found<'_>| found.line.unwrap_or(usize::MAX));
        if let Err(error) = self.usable {
            found.insert(0, Found::of_message(self.reason(error)));
        }
        self.found = found;
    }

    fn reason(&self, error: ParseError) -> Anomaly {
        match error {
            ParseError::Empty => Anomaly::Empty,
            ParseError::TooLong => Anomaly::MessageTooLong,
            ParseError::StartLine if names_another_version(self.start_line) => Anomaly::SipVersionUnknown,
            ParseError::StartLine => Anomaly::StartLineMalformed,
            ParseError::HeadUnfinished => Anomaly::HeadUnfinished,
            ParseError::HeadTooLong => Anomaly::HeadTooLong,
            ParseError::TooManyHeaders => Anomaly::TooManyHeaders,
        }
    }
}

/// The first line where no line end follows.
fn beginning(bytes: &[u8]) -> &[u8] {
    lexer::trim(bytes.get(..bytes.len().min(MAX_HEAD)).unwrap_or(bytes))
}

/// What a start line says that the message is, even where the rest of the line cannot be used.
fn kind(line: &[u8]) -> Option<Kind<'_>> {
    match StartLine::parse(line) {
        Some(StartLine::Request { method, .. }) => Some(Kind::Request(method)),
        Some(StartLine::Response { status, .. }) => Some(Kind::Response(status.code())),
        None => {
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let (first, second) = (words.next()?, words.next()?);
            if is_version(first) {
                return lexer::saturating(second).map(|code| Kind::Response(u16::try_from(code).unwrap_or(u16::MAX)));
            }
            let asks = words.next_back().is_some_and(is_version) && first.iter().all(|byte| lexer::is_token(*byte));
            asks.then(|| Kind::Request(Method::from_bytes(first)))
        }
    }
}

/// Whether the line would be a start line, were it not for its version.
fn names_another_version(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let version = if is_version(first) {
        first
    } else {
        words.next_back().unwrap_or_default()
    };
    is_version(version) && !version.eq_ignore_ascii_case(b"SIP/2.0")
}

fn is_version(word: &[u8]) -> bool {
    word.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/"))
}

#[cfg(test)]
mod tests;
