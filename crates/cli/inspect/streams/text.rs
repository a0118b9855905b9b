//! The bytes of one direction of a connection, in order: cut into messages, or passed over where they are not SIP. Not for their order.

use sip_message::{Frame, FrameError, Framer, MAX_MESSAGE};

/// Bytes that have not been told yet.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// What stands since the end of the last message; the framer has been given the same, when `is_sip`.
    pending: Vec<u8>,
    is_sip: bool,
    framer: Framer,
}

/// Whether bytes are SIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Their first line has a version of SIP.
    Sip,
    /// They are something else.
    Other,
    /// Their first line has no end yet.
    Open,
}

/// Looks at the first line that says something.
pub(super) fn judge(bytes: &[u8]) -> Judgement {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(bytes.len());
    let rest = bytes.get(start..bytes.len().min(start + LONGEST_LINE)).unwrap_or_default();
    let end = rest.iter().position(|byte| *byte == b'\n');
    let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    if line.windows(4).any(|word| word.eq_ignore_ascii_case(b"SIP/")) {
        return Judgement::Sip;
    }
    let may_become = line.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace());
    if end.is_none() && rest.len() < LONGEST_LINE && may_become {
        Judgement::Open
    } else {
        Judgement::Other
    }
}

impl Text {
    /// Takes bytes, and tells the messages that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], tell: &mut impl FnMut(&[u8], Option<String>)) {
        self.pending.extend_from_slice(bytes);
        if self.is_sip {
            self.framer.push(bytes);
        } else if !self.begin() {
            return;
        }
        self.cut(tell);
    }

    /// How much is held, in bytes: here and by the framer.
    pub(super) const fn held(&self) -> usize {
        self.pending.len() + self.framer.pending()
    }

    /// Tells what is unfinished; nothing more belongs to it.
    pub(super) fn end(&mut self, tell: &mut impl FnMut(&[u8], Option<String>)) {
        let unfinished = std::mem::take(self);
        if unfinished.is_sip && unfinished.pending.iter().any(|byte| !byte.is_ascii_whitespace()) {
            tell(&unfinished.pending, Some(CUT_SHORT.to_owned()));
        }
    }

    /// Begins to cut, when the pending bytes are SIP. What is not is let go.
    fn begin(&mut self) -> bool {
        match judge(&self.pending) {
            Judgement::Sip => {
                self.is_sip = true;
                self.framer.push(&self.pending);
                return true;
            }
            // Blanks alone say nothing, however many they are.
            Judgement::Open if self.pending.iter().all(u8::is_ascii_whitespace) => self.pending.clear(),
            Judgement::Open => {}
            Judgement::Other => *self = Self::default(),
        }
        false
    }

    fn cut(&mut self, tell: &mut impl FnMut(&[u8], Option<String>)) {
        loop {
            let taken = match self.framer.poll() {
                Ok(None) => return,
                Ok(Some(Frame::LineEnd)) => 1 + usize::from(self.pending.starts_with(b"\r")),
                Ok(Some(Frame::Message(message))) => {
                    tell(message, None);
                    message.len()
                }
                Err(error) => {
                    let shown = self.pending.get(..MAX_MESSAGE).unwrap_or(&self.pending);
                    tell(shown, Some(lost(error)));
                    *self = Self::default();
                    return;
                }
            };
            self.pending.drain(..taken.min(self.pending.len()));
            // What follows a message may be something else, which is not to be taken for a head.
            if judge(&self.pending) == Judgement::Other {
                *self = Self::default();
                return;
            }
        }
    }
}

fn lost(error: FrameError) -> String {
    format!("the connection cannot be read on: {error}")
}

const CUT_SHORT: &str = "the message is cut short: the connection or the capture ends, or bytes are missing from it";

/// Where a first line has to have ended, in bytes.
const LONGEST_LINE: usize = 4096;
