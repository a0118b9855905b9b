//! Printing messages into the caller's buffer. CR, LF and NUL cannot be emitted out of a value, whatever the value holds.

use crate::Status;

/// Writes one message. Finish with [`Writer::finish`], which adds Content-Length and the body.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut Vec<u8>,
}

/// Writes the parts of one header value.
#[derive(Debug)]
pub struct Value<'b> {
    out: &'b mut Vec<u8>,
}

impl<'b> Writer<'b> {
    /// Opens a request. `uri` is written as it stands but for bytes that would end the line or the URI.
    pub fn request(out: &'b mut Vec<u8>, method: &[u8], uri: &[u8]) -> Self {
        out.clear();
        for part in [method, uri] {
            out.extend(part.iter().copied().filter(u8::is_ascii_graphic));
            out.push(b' ');
        }
        out.extend_from_slice(b"SIP/2.0\r\n");
        Self { out }
    }

    /// Opens a response.
    pub fn response(out: &'b mut Vec<u8>, status: Status, reason: &[u8]) -> Self {
        out.clear();
        out.extend_from_slice(b"SIP/2.0 ");
        Value { out }.number(status.code()).text(b" ").text(reason);
        out.extend_from_slice(b"\r\n");
        Self { out }
    }

    /// Writes one header; `fill` writes its value.
    pub fn header(&mut self, name: &'static str, fill: impl FnOnce(&mut Value<'_>)) -> &mut Self {
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b": ");
        fill(&mut Value { out: self.out });
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Writes one header whose value is one text.
    pub fn text(&mut self, name: &'static str, value: impl AsRef<[u8]>) -> &mut Self {
        self.header(name, |out| {
            out.text(value.as_ref());
        })
    }

    /// Writes one header whose value is one number.
    pub fn number(&mut self, name: &'static str, value: impl Into<u64>) -> &mut Self {
        self.header(name, |out| {
            out.number(value);
        })
    }

    /// Ends the head and writes the body.
    pub fn finish(&mut self, body: &[u8]) {
        self.number("Content-Length", body.len() as u64);
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(body);
    }
}

impl Value<'_> {
    /// Writes bytes as they stand; CR, LF and NUL become spaces.
    pub fn text(&mut self, bytes: &[u8]) -> &mut Self {
        let mut rest = bytes;
        // Nearly all texts are short and clean, and are told to be without a search.
        if bytes
            .iter()
            .fold(true, |clean, byte| clean & (*byte != b'\r') & (*byte != b'\n') & (*byte != 0))
        {
            self.out.extend_from_slice(bytes);
            return self;
        }
        while let Some((clean, after)) = memchr::memchr3(b'\r', b'\n', 0, rest).and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?)))
        {
            self.out.extend_from_slice(clean);
            self.out.push(b' ');
            rest = after;
        }
        self.out.extend_from_slice(rest);
        self
    }

    /// Writes a quoted string; quotes and backslashes inside are escaped.
    pub fn quoted(&mut self, bytes: &[u8]) -> &mut Self {
        self.text(b"\"").escaped(bytes).text(b"\"")
    }

    /// Writes a part of a quoted string, without the quotes around it; those inside are escaped, and backslashes.
    pub fn escaped(&mut self, bytes: &[u8]) -> &mut Self {
        let mut rest = bytes;
        while let Some((clean, special)) = memchr::memchr2(b'"', b'\\', rest).and_then(|at| rest.split_at_checked(at)) {
            let (escaped, after) = special.split_at_checked(1).unwrap_or((special, &[]));
            self.text(clean).text(b"\\").text(escaped);
            rest = after;
        }
        self.text(rest)
    }

    /// Writes a decimal number.
    pub fn number(&mut self, value: impl Into<u64>) -> &mut Self {
        let mut digits = [0_u8; 20];
        let mut rest = value.into();
        let mut start = digits.len();
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            // A remainder of ten fits a byte.
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            start = at;
            if rest == 0 {
                break;
            }
        }
        self.out.extend_from_slice(digits.get(start..).unwrap_or_default());
        self
    }

    /// Writes the lowest so many hexadecimal digits of a number, in lower case; 32 at most.
    pub fn hexadecimal(&mut self, value: u128, digits: usize) -> &mut Self {
        let mut text = [b'0'; 32];
        let mut rest = value;
        for digit in text.iter_mut().rev().take(digits) {
            let nibble = (rest & 15) as u8;
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            rest >>= 4;
        }
        self.out
            .extend_from_slice(text.get(text.len().saturating_sub(digits)..).unwrap_or_default());
        self
    }

    /// Writes what formats itself, such as an address, without a string of its own.
    pub fn display(&mut self, value: impl std::fmt::Display) -> &mut Self {
        struct Through<'v, 'b>(&'v mut Value<'b>);
        impl std::fmt::Write for Through<'_, '_> {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                self.0.text(text.as_bytes());
                Ok(())
            }
        }
        // Writing into a vector cannot fail, and a Display that fails has nothing more to say.
        let _ = std::fmt::Write::write_fmt(&mut Through(self), format_args!("{value}"));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, Name};

    #[test]
    fn a_written_request_reads_back() {
        let mut out = b"old".to_vec();
        let mut writer = Writer::request(&mut out, b"REGISTER", b"sip:example.test");
        writer.header("Via", |value| {
            value
                .text(b"SIP/2.0/UDP ")
                .display("127.0.0.1:5060")
                .text(b";branch=z9hG4bK")
                .number(7_u32);
        });
        writer.number("Max-Forwards", 70_u32).text("Call-ID", "abc");
        writer.finish(b"xy");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK7\r\nMax-Forwards: 70\r\nCall-ID: abc\r\nContent-Length: 2\r\n\r\nxy"
        );
        let message = Message::parse(&out).unwrap();
        assert_eq!(message.headers().via().unwrap().unwrap().branch(), Some(&b"z9hG4bK7"[..]));
        assert_eq!(message.body(), b"xy");
    }

    #[test]
    fn hexadecimal_digits_are_the_lowest_ones_in_lower_case() {
        let mut out = Vec::new();
        Writer::request(&mut out, b"X", b"x").header("Y", |value| {
            value.hexadecimal(0x0123_4567_89ab_cdef, 16).hexadecimal(0xabc, 2).hexadecimal(0, 3);
        });
        assert!(out.ends_with(b"Y: 0123456789abcdefbc000\r\n"));
    }

    #[test]
    fn no_value_can_end_its_line() {
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, b"REG\r\nISTER", b"sip:h SIP/2.0\r\nEvil: 1");
        writer.text("Call-ID", "x\r\nEvil: 1\0");
        writer.header("To", |value| {
            value.quoted(b"a\"\\\r\nEvil: 1").display("\nEvil: 2");
        });
        writer.finish(b"");
        let message = Message::parse(&out).unwrap();
        assert_eq!(message.headers().named("evil"), None);
        assert_eq!(message.headers().first(Name::CallId), Some(&b"x  Evil: 1"[..]));
    }

    #[test]
    fn numbers_have_all_their_digits() {
        for number in [0, 9, 10, 4_294_967_295, u64::MAX] {
            let mut out = Vec::new();
            Value { out: &mut out }.number(number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
