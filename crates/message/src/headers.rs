//! The index over a header block: where each field's name and value lie (RFC 3261 §7.3). Values are not interpreted here.

use arrayvec::ArrayVec;

use crate::{MAX_HEAD, MAX_HEADERS, Name, ParseError, lexer};

/// One header field as it stands in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Which header this is.
    pub name: Name,
    /// The name's own bytes; empty for a line that is no header field at all.
    pub raw_name: &'a [u8],
    /// The value's own bytes without white space at the ends; folds are still inside (see [`crate::unfold`]).
    pub value: &'a [u8],
}

/// The header fields of one message, in order. Copies nothing.
#[derive(Clone)]
pub struct Headers<'a> {
    head: &'a [u8],
    slots: ArrayVec<Slot, MAX_HEADERS>,
}

/// Offsets into the head, which is at most 32 KiB long.
#[derive(Debug, Clone, Copy)]
struct Slot {
    name: Name,
    name_start: u16,
    name_end: u16,
    value_start: u16,
    value_end: u16,
}

impl<'a> Headers<'a> {
    /// An index over `head` that has not been filled. The index is 2.5 KiB, so it is filled in place and moved as little as can be.
    pub(crate) const fn empty(head: &'a [u8]) -> Self {
        Self {
            head,
            slots: ArrayVec::new_const(),
        }
    }

    /// Indexes the lines from `start` on, up to the empty line. Returns the offset of the body.
    pub(crate) fn fill(&mut self, start: usize) -> Result<usize, ParseError> {
        let mut at = start;
        loop {
            let Some(line) = line_at(self.head, at) else {
                return Err(if self.head.len() > MAX_HEAD {
                    ParseError::HeadTooLong
                } else {
                    ParseError::HeadUnfinished
                });
            };
            if line.next > MAX_HEAD {
                return Err(ParseError::HeadTooLong);
            }
            if line.end == line.start {
                return Ok(line.next);
            }
            match (self.head.get(at), self.slots.last_mut()) {
                (Some(b' ' | b'\t'), Some(last)) => last.value_end = offset(line.end),
                _ => self
                    .slots
                    .try_push(slot(self.head, &line))
                    .map_err(|_| ParseError::TooManyHeaders)?,
            }
            at = line.next;
        }
    }

    /// All fields in the order of the message.
    pub fn iter(&self) -> impl Iterator<Item = Field<'a>> + '_ {
        self.slots.iter().map(|slot| self.field(slot))
    }

    /// The value of the first field with this name.
    #[must_use]
    pub fn first(&self, name: Name) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The values of all fields with this name, one for each line.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.slots
            .iter()
            .filter(move |slot| slot.name == name)
            .map(|slot| self.field(slot).value)
    }

    /// The elements of all fields with this name, comma lists taken apart (RFC 3261 §7.3.1).
    pub fn list(&self, name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.all(name).flat_map(lexer::list)
    }

    /// The value of the first field with this name, in any case; for headers that [`Name`] does not know. Of those that it
    /// knows, the compact form is found as well.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&'a [u8]> {
        let known = Name::from_bytes(name.as_bytes());
        if known != Name::Other {
            return self.first(known);
        }
        self.iter()
            .find(|field| field.raw_name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }

    /// How many fields there are, lines that are no header field included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True when the message has no header at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Where in the head each field's line starts.
    pub(crate) fn offsets(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots.iter().map(|slot| usize::from(slot.name_start))
    }

    /// Whether white space stands between the name of the field at this place and its colon.
    pub(crate) fn has_space_before_colon(&self, at: usize) -> bool {
        let behind = self.slots.get(at).and_then(|slot| self.head.get(usize::from(slot.name_end)));
        behind != Some(&b':')
    }

    /// Whether the line at this place opens with white space, which only a fold may.
    pub(crate) fn is_fold(&self, at: usize) -> bool {
        let first = self.slots.get(at).and_then(|slot| self.head.get(usize::from(slot.name_start)));
        matches!(first, Some(b' ' | b'\t'))
    }

    fn field(&self, slot: &Slot) -> Field<'a> {
        let part = |start: u16, end: u16| self.head.get(usize::from(start)..usize::from(end)).unwrap_or_default();
        Field {
            name: slot.name,
            raw_name: part(slot.name_start, slot.name_end),
            value: lexer::trim(part(slot.value_start, slot.value_end)),
        }
    }
}

impl std::fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may carry credentials: only the names are shown.
        f.debug_list()
            .entries(self.iter().map(|field| crate::printable(field.raw_name)))
            .finish()
    }
}

/// One line of the head: its bounds without the line end, and where the next one starts.
struct Line {
    start: usize,
    end: usize,
    next: usize,
}

/// The line at `start`, ended by CRLF or by LF alone; `None` when no line end follows.
fn line_at(bytes: &[u8], start: usize) -> Option<Line> {
    let rest = bytes.get(start..)?;
    let length = memchr::memchr(b'\n', rest)?;
    let line = rest.get(..length)?;
    let kept = line.strip_suffix(b"\r").unwrap_or(line).len();
    Some(Line {
        start,
        end: start + kept,
        next: start + length + 1,
    })
}

/// The first line of `bytes` and the offset behind its line end.
pub(crate) fn first_line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let line = line_at(bytes, 0)?;
    Some((bytes.get(..line.end)?, line.next))
}

fn slot(bytes: &[u8], line: &Line) -> Slot {
    let text = bytes.get(line.start..line.end).unwrap_or_default();
    let colon = memchr::memchr(b':', text).unwrap_or(0);
    // RFC 3261 §7.3.1 allows white space between the name and the colon.
    let name = text.get(..colon).map_or(&[][..], |name| name.trim_ascii_end());
    let known = Name::from_bytes(name);
    // A line that is no field is kept whole, under an empty name, so that nothing is lost.
    let is_field = known != Name::Other || (!name.is_empty() && name.iter().all(|byte| lexer::is_token(*byte)));
    let (name, value_start) = if is_field {
        (name, line.start + colon + 1)
    } else {
        (&[][..], line.start)
    };
    Slot {
        name: known,
        name_start: offset(line.start),
        name_end: offset(line.start + name.len()),
        value_start: offset(value_start),
        value_end: offset(line.end),
    }
}

/// Offsets fit because [`Headers::fill`] stops at [`MAX_HEAD`].
fn offset(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(text: &[u8]) -> Headers<'_> {
        let mut headers = Headers::empty(text);
        headers.fill(0).unwrap();
        headers
    }

    #[test]
    fn names_in_any_form_and_folded_values_are_found() {
        let headers = index(b"v : SIP/2.0/UDP h\r\nSubject: one\r\n\ttwo\nTO:x\r\n\r\nbody");
        assert_eq!(headers.first(Name::Via), Some(&b"SIP/2.0/UDP h"[..]));
        assert_eq!(headers.named("subject"), Some(&b"one\r\n\ttwo"[..]));
        assert_eq!(headers.first(Name::To), Some(&b"x"[..]));
        assert_eq!(headers.len(), 3);
    }

    #[test]
    fn a_line_without_colon_is_kept_and_hides_nothing() {
        let headers = index(b"garbage\r\n: nameless\r\nExpires: 60\r\nnot a name: x\r\n folded\r\n\r\n");
        assert_eq!(headers.first(Name::Expires), Some(&b"60"[..]));
        let raw: Vec<_> = headers.iter().map(|field| (field.raw_name, field.value)).collect();
        assert_eq!(raw[0], (&b""[..], &b"garbage"[..]));
        assert_eq!(raw[1], (&b""[..], &b": nameless"[..]));
        assert_eq!(raw[3], (&b""[..], &b"not a name: x\r\n folded"[..]));
    }

    #[test]
    fn a_fold_without_a_line_before_it_is_no_field() {
        let headers = index(b" Via: x\r\nl: 0\r\n\r\n");
        assert_eq!(headers.first(Name::Via), None);
        assert_eq!(headers.named("Content-Length"), Some(&b"0"[..]));
        assert_eq!(headers.iter().next().unwrap().value, b"Via: x");
    }

    #[test]
    fn a_head_that_never_ends_is_refused() {
        assert_eq!(Headers::empty(b"A: b\r\n").fill(0).unwrap_err(), ParseError::HeadUnfinished);
        assert_eq!(
            Headers::empty(&vec![b'a'; MAX_HEAD + 1]).fill(0).unwrap_err(),
            ParseError::HeadTooLong
        );
    }

    #[test]
    fn a_head_may_be_as_long_as_the_limit_and_no_longer() {
        let of = |length: usize| [b"X:", vec![b'a'; length - 6].as_slice(), b"\r\n\r\n"].concat();
        assert_eq!(Headers::empty(&of(MAX_HEAD)).fill(0), Ok(MAX_HEAD));
        assert_eq!(Headers::empty(&of(MAX_HEAD + 1)).fill(0), Err(ParseError::HeadTooLong));
        assert_eq!(Headers::empty(&[b'a'; MAX_HEAD]).fill(0), Err(ParseError::HeadUnfinished));
    }

    #[test]
    fn the_257th_header_is_refused() {
        let many = |count: usize| format!("{}\r\n", "A: b\r\n".repeat(count)).into_bytes();
        assert_eq!(index(&many(MAX_HEADERS)).len(), MAX_HEADERS);
        assert_eq!(
            Headers::empty(&many(MAX_HEADERS + 1)).fill(0).unwrap_err(),
            ParseError::TooManyHeaders
        );
    }

    #[test]
    fn debug_shows_names_and_no_values() {
        assert_eq!(format!("{:?}", index(b"Authorization: secret\r\n\r\n")), r#"["Authorization"]"#);
    }
}
