//! Finding messages in a stream (RFC 3261 §18.3, §20.14) and the keep-alives between them (RFC 5626 §4.4.1).
//! Not for interpreting them: a frame is the bytes of one message.

use thiserror::Error;

use crate::{Headers, MAX_HEAD, MAX_MESSAGE, Name, ParseError, headers, lexer};

/// Cuts a stream into messages. Holds at most one unfinished message, [`MAX_MESSAGE`] bytes, beyond what was last pushed.
///
/// Push what was read, then call [`Framer::poll`] until it answers `Ok(None)`. After an error it takes in nothing more.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Bytes in front that have been handed out.
    consumed: usize,
    progress: Progress,
}

/// How far the message in front is known, so that a drip of bytes is not read again and again.
#[derive(Debug)]
enum Progress {
    /// No end of the head is among the first `scanned` bytes.
    Head { scanned: usize },
    /// The head has ended; head and body are `length` bytes.
    Body { length: usize },
    /// The stream is past saving.
    Failed(FrameError),
}

/// What stood next in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// One whole message.
    Message(&'a [u8]),
    /// A line end between messages: half a keep-alive ping, or a whole pong (RFC 5626 §4.4.1).
    LineEnd,
}

/// Why a stream cannot be read on; the flow has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The head is too long or has too many fields.
    #[error("{0}")]
    Head(#[from] ParseError),
    /// Content-Length is no number, or two of them disagree.
    #[error("Content-Length is malformed or contradicts itself")]
    ContentLength,
    /// Head and body together are longer than [`MAX_MESSAGE`].
    #[error("message longer than 64 KiB")]
    TooLong,
}

impl Default for Progress {
    fn default() -> Self {
        Self::Head { scanned: 0 }
    }
}

impl Framer {
    /// Adds bytes as they were read.
    pub fn push(&mut self, bytes: &[u8]) {
        if let Progress::Failed(_) = self.progress {
            return;
        }
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        // One large read must not be paid for as long as the flow lives.
        self.buffer.shrink_to(MAX_MESSAGE);
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame, or `Ok(None)` when more bytes are needed.
    ///
    /// # Errors
    /// See [`FrameError`]; the stream is then past saving, and every further call gives the same error.
    pub fn poll(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        match self.advance() {
            Ok(Some(Step::LineEnd(length))) => {
                self.take(length);
                Ok(Some(Frame::LineEnd))
            }
            Ok(Some(Step::Message(length))) => Ok(Some(Frame::Message(self.take(length)))),
            Ok(None) => Ok(None),
            Err(error) => {
                *self = Self {
                    progress: Progress::Failed(error),
                    ..Self::default()
                };
                Err(error)
            }
        }
    }

    /// Looks how long the next frame is; `None` when that cannot be told or it is not there yet.
    fn advance(&mut self) -> Result<Option<Step>, FrameError> {
        let pending = self.buffer.get(self.consumed..).unwrap_or_default();
        let length = match self.progress {
            Progress::Failed(error) => return Err(error),
            Progress::Body { length } => length,
            Progress::Head { scanned } => {
                if let Some(length) = line_end(pending) {
                    return Ok(Some(Step::LineEnd(length)));
                }
                let Some(head) = head_length(pending, scanned) else {
                    self.progress = Progress::Head { scanned: pending.len() };
                    return if pending.len() > MAX_HEAD {
                        Err(ParseError::HeadTooLong.into())
                    } else {
                        Ok(None)
                    };
                };
                head + content_length(pending.get(..head).unwrap_or_default())?
            }
        };
        if length > MAX_MESSAGE {
            return Err(FrameError::TooLong);
        }
        self.progress = Progress::Body { length };
        Ok((pending.len() >= length).then_some(Step::Message(length)))
    }

    /// Hands out the first `length` bytes.
    fn take(&mut self, length: usize) -> &[u8] {
        let start = self.consumed;
        self.consumed += length;
        self.progress = Progress::default();
        self.buffer.get(start..self.consumed).unwrap_or_default()
    }

    /// What is held and not yet handed out.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        self.buffer.get(self.consumed..).unwrap_or_default()
    }

    /// Bytes that are held and not yet handed out.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.buffer.len() - self.consumed
    }
}

/// What the next frame is and how many bytes it takes.
enum Step {
    LineEnd(usize),
    Message(usize),
}

/// The length of the line end that `bytes` opens with.
fn line_end(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\r', b'\n', ..] => Some(2),
        [b'\n', ..] => Some(1),
        _ => None,
    }
}

/// The length of the head with its empty line; lines may end in CRLF or LF.
fn head_length(bytes: &[u8], scanned: usize) -> Option<usize> {
    // The empty line may straddle what was scanned before.
    let from = scanned.saturating_sub(3);
    let tail = bytes.get(from..)?;
    memchr::memchr_iter(b'\n', tail).find_map(|at| {
        let after = from + at + 1;
        line_end(bytes.get(after..)?).map(|length| after + length)
    })
}

/// The body's length in bytes. Without the header there is no body (RFC 3261 §20.14 wants it on streams; some leave it out).
fn content_length(head: &[u8]) -> Result<usize, FrameError> {
    let (_, start) = headers::first_line(head).ok_or(ParseError::HeadUnfinished)?;
    let mut headers = Headers::empty(head);
    headers.fill(start)?;
    let mut agreed: Option<usize> = None;
    for value in headers.all(Name::ContentLength) {
        // Any number of digits is a number, but over the limit it does not matter which.
        let length = lexer::saturating(value).ok_or(FrameError::ContentLength)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE {
            return Err(FrameError::TooLong);
        }
        if agreed.is_some_and(|known| known != length) {
            return Err(FrameError::ContentLength);
        }
        agreed = Some(length);
    }
    Ok(agreed.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &[u8] = b"SIP/2.0 200 OK\r\nl: 3\r\n\r\nabc";

    fn frames(framer: &mut Framer) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        while let Some(frame) = framer.poll().unwrap() {
            found.push(match frame {
                Frame::Message(bytes) => bytes.to_vec(),
                Frame::LineEnd => b"\n".to_vec(),
            });
        }
        found
    }

    #[test]
    fn messages_come_out_whole_however_they_went_in() {
        let mut stream = b"\r\n\r\n".to_vec();
        stream.extend_from_slice(REPLY);
        stream.extend_from_slice(REPLY);
        let expected = [&b"\n"[..], b"\n", REPLY, REPLY];
        for size in 1..stream.len() {
            let mut framer = Framer::default();
            let found: Vec<_> = stream
                .chunks(size)
                .flat_map(|chunk| {
                    framer.push(chunk);
                    frames(&mut framer)
                })
                .collect();
            assert_eq!(found, expected, "chunks of {size}");
            assert_eq!(framer.pending(), 0);
        }
    }

    #[test]
    fn one_large_read_is_not_kept_as_capacity() {
        let mut framer = Framer::default();
        framer.push(&REPLY.repeat(100_000));
        while framer.poll().unwrap().is_some() {}
        framer.push(b"S");
        assert!(framer.buffer.capacity() <= 2 * MAX_MESSAGE);
    }

    #[test]
    fn the_rest_is_what_was_not_handed_out() {
        let mut framer = Framer::default();
        framer.push(&[REPLY, b"SIP/2.0 4"].concat());
        assert_eq!(framer.poll(), Ok(Some(Frame::Message(REPLY))));
        assert_eq!((framer.rest(), framer.pending()), (&b"SIP/2.0 4"[..], 9));
    }

    #[test]
    fn the_caps_are_what_is_still_taken() {
        let mut framer = Framer::default();
        framer.push(&[b'x'; MAX_HEAD]);
        assert_eq!(framer.poll(), Ok(None));
        assert_eq!(framer.pending(), MAX_HEAD);
        framer.push(b"x");
        assert_eq!(framer.poll(), Err(ParseError::HeadTooLong.into()));

        let head = |body: usize| format!("SIP/2.0 200 OK\r\nl: {body}\r\n\r\n").into_bytes();
        let longest = MAX_MESSAGE - head(MAX_MESSAGE - 30).len();
        let mut framer = Framer::default();
        framer.push(&head(longest));
        assert_eq!(framer.poll(), Ok(None));
        framer.push(&vec![b'x'; longest]);
        assert!(matches!(framer.poll(), Ok(Some(Frame::Message(message))) if message.len() == MAX_MESSAGE));
        let mut framer = Framer::default();
        framer.push(&head(longest + 1));
        assert_eq!(framer.poll(), Err(FrameError::TooLong));
    }

    #[test]
    fn a_line_end_may_come_in_halves() {
        let mut framer = Framer::default();
        framer.push(b"\r");
        assert_eq!(framer.poll(), Ok(None));
        framer.push(b"\nSIP/2.0 200 OK\r\n\r\n");
        assert_eq!(framer.poll(), Ok(Some(Frame::LineEnd)));
        assert_eq!(framer.poll(), Ok(Some(Frame::Message(b"SIP/2.0 200 OK\r\n\r\n"))));
    }

    #[test]
    fn lf_only_messages_and_missing_lengths_are_framed() {
        let mut framer = Framer::default();
        framer.push(b"SIP/2.0 200 OK\nVia: x\n\nSIP/2.0 100 T\n\n");
        assert_eq!(frames(&mut framer), [&b"SIP/2.0 200 OK\nVia: x\n\n"[..], b"SIP/2.0 100 T\n\n"]);
    }

    #[test]
    fn lengths_that_lie_close_the_flow() {
        for (length, error) in [
            ("-1", FrameError::ContentLength),
            ("x", FrameError::ContentLength),
            ("2147483648", FrameError::TooLong),
            ("4294967296", FrameError::TooLong),
            ("18446744073709551616", FrameError::TooLong),
            ("65536", FrameError::TooLong),
            ("99999999999999999999999999999999999999999999999999", FrameError::TooLong),
            ("", FrameError::ContentLength),
            ("3, 3", FrameError::ContentLength),
            ("3\r\nl: 4", FrameError::ContentLength),
        ] {
            let mut framer = Framer::default();
            framer.push(format!("SIP/2.0 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes());
            assert_eq!(framer.poll(), Err(error), "{length}");
            framer.push(REPLY);
            assert_eq!(framer.poll(), Err(error), "an error stays");
            assert_eq!(framer.pending(), 0, "and what follows is not kept");
        }
    }

    #[test]
    fn an_endless_head_is_cut_off_at_the_limit() {
        let line = b"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
        let mut framer = Framer::default();
        framer.push(b"SIP/2.0 200 OK\r\n");
        let mut lines = 0;
        while framer.poll() == Ok(None) {
            framer.push(line);
            lines += 1;
            assert!(lines < 1000, "the framer must give up");
        }
        assert_eq!(framer.poll(), Err(FrameError::Head(ParseError::HeadTooLong)));
        assert!(lines * line.len() > MAX_HEAD - line.len(), "and not before the limit");
    }
}
