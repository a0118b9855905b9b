//! A reply before it is printed, so that a fault can still change it (RFC 3261 §8.2.6). Not the decision what to reply.

use sip_message::{Status, Value, Writer};

use crate::Peer;
use crate::echo::{Echo, ViaChanges};
use crate::phrases::phrase;

/// A status code that the registrar itself gives, with its usual phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer(Status);

impl Answer {
    pub(crate) const TRYING: Self = Self::known(100);
    pub(crate) const OK: Self = Self::known(200);
    pub(crate) const MOVED_TEMPORARILY: Self = Self::known(302);
    pub(crate) const BAD_REQUEST: Self = Self::known(400);
    pub(crate) const UNAUTHORIZED: Self = Self::known(401);
    pub(crate) const FORBIDDEN: Self = Self::known(403);
    pub(crate) const NOT_FOUND: Self = Self::known(404);
    pub(crate) const METHOD_NOT_ALLOWED: Self = Self::known(405);
    pub(crate) const PROXY_AUTHENTICATION_REQUIRED: Self = Self::known(407);
    pub(crate) const UNSUPPORTED_URI_SCHEME: Self = Self::known(416);
    pub(crate) const BAD_EXTENSION: Self = Self::known(420);
    pub(crate) const INTERVAL_TOO_BRIEF: Self = Self::known(423);
    pub(crate) const FIRST_HOP_LACKS_OUTBOUND: Self = Self::known(439);
    pub(crate) const SERVICE_UNAVAILABLE: Self = Self::known(503);

    const fn known(code: u16) -> Self {
        match Status::new(code) {
            Some(status) => Self(status),
            None => panic!("the constants above are status codes"),
        }
    }
}

/// A reply in the making.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) status: Status,
    pub(crate) reason: Vec<u8>,
    /// The values of the Contact headers.
    pub(crate) contacts: Vec<Vec<u8>>,
    /// The other headers, in order.
    pub(crate) fields: Vec<(&'static str, Vec<u8>)>,
    /// What the log says about it.
    pub(crate) note: String,
}

impl Draft {
    pub(crate) fn new(answer: Answer) -> Self {
        Self::with_reason(answer.0, phrase(answer.0.code()).as_bytes())
    }

    pub(crate) fn with_reason(status: Status, reason: &[u8]) -> Self {
        Self {
            status,
            reason: reason.to_vec(),
            contacts: Vec::new(),
            fields: Vec::new(),
            note: String::new(),
        }
    }

    /// A 400 whose phrase says what is wrong with the request (RFC 3261 §21.4.1).
    pub(crate) fn bad_request(phrase: &'static str) -> Self {
        Self::with_reason(Answer::BAD_REQUEST.0, phrase.as_bytes())
    }

    pub(crate) fn field(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub(crate) fn number(self, name: &'static str, value: u32) -> Self {
        self.field(name, value.to_string())
    }

    /// Prints the reply to `echo`'s request.
    pub(crate) fn print(&self, peer: Peer, echo: &Echo<'_>, changes: &ViaChanges, tag: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let mut writer = Writer::response(&mut out, self.status, &self.reason);
        for via in echo.vias(peer, changes) {
            writer.text("Via", via);
        }
        let repeated = [
            ("From", echo.from()),
            ("To", echo.to(tag)),
            ("Call-ID", echo.call_id()),
            ("CSeq", echo.cseq()),
        ];
        for (name, value) in repeated {
            if let Some(value) = value {
                writer.text(name, value);
            }
        }
        for contact in &self.contacts {
            writer.text("Contact", contact);
        }
        for (name, value) in &self.fields {
            writer.text(name, value);
        }
        writer.finish(b"");
        out
    }
}

/// The bytes of a header value. A [`Value`] can only be had from a writer, so one is opened for it.
pub(crate) fn value_bytes(fill: impl FnOnce(&mut Value<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::response(&mut out, Answer::OK.0, b"").header("", fill);
    let name_ends = out.iter().position(|byte| *byte == b':').map_or(0, |colon| colon + 2);
    let value = out.get(name_ends..).unwrap_or_default();
    value.strip_suffix(b"\r\n").unwrap_or(value).to_vec()
}

#[cfg(test)]
mod tests {
    use sip_message::Message;

    use super::*;

    #[test]
    fn a_value_is_what_was_filled_in() {
        assert_eq!(
            value_bytes(|value| {
                value.text(b"Digest realm=").quoted(b"a:b");
            }),
            b"Digest realm=\"a:b\""
        );
        assert_eq!(value_bytes(|_| {}), b"");
    }

    #[test]
    fn a_draft_repeats_the_request_and_adds_its_own() {
        let bytes = b"REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nf: <sip:a@h>;tag=1\r\nt: <sip:a@h>\r\n\
            i: c\r\n 1\r\nCSeq: 7 REGISTER\r\n\r\n";
        let Message::Request(request) = Message::parse(bytes).unwrap() else {
            panic!()
        };
        let peer = Peer {
            flow: 0,
            source: "192.0.2.1:5060".parse().unwrap(),
            reliable: true,
        };
        let draft = Draft::new(Answer::INTERVAL_TOO_BRIEF).number("Min-Expires", 60);
        assert_eq!(
            String::from_utf8(draft.print(peer, &Echo::read(&request).unwrap(), &ViaChanges::default(), "x")).unwrap(),
            "SIP/2.0 423 Interval Too Brief\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:a@h>;tag=x\r\nCall-ID: c 1\r\nCSeq: 7 REGISTER\r\nMin-Expires: 60\r\nContent-Length: 0\r\n\r\n"
        );
    }
}
