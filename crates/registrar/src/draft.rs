//! A reply before it is printed, so that a fault can still change it (RFC 3261 §8.2.6). Not the decision what to reply.

use std::net::SocketAddr;

use sip_message::{Echo, Status, Value, Via, Writer};

use crate::Peer;

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

/// The top Via as it is sent back.
#[derive(Debug, Clone, Default)]
pub(crate) struct ViaChanges {
    /// The address that the request is said to have come from; `None` says the truth.
    pub(crate) seen_from: Option<SocketAddr>,
    /// Another `sent-by` than the one that came.
    pub(crate) sent_by: Option<String>,
}

impl Draft {
    pub(crate) fn new(status: Status) -> Self {
        Self::with_reason(status, status.phrase().unwrap_or_default().as_bytes())
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
        Self::with_reason(Status::BAD_REQUEST, phrase.as_bytes())
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
        for (hop, via) in echo.vias(changes.seen_from.unwrap_or(peer.source)).enumerate() {
            match &changes.sent_by {
                Some(sent_by) if hop == 0 => writer.text("Via", with_sent_by(&via, sent_by).unwrap_or(via)),
                Some(_) | None => writer.text("Via", via),
            };
        }
        echo.write_dialog(&mut writer, tag);
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

/// A Via as a router rewrites it; `None` for one that cannot be read.
fn with_sent_by(via: &[u8], sent_by: &str) -> Option<Vec<u8>> {
    let parsed = Via::parse(via).ok()?;
    let before_params = [b"SIP/2.0/", parsed.transport, b" ", sent_by.as_bytes()];
    Some([&before_params.concat(), parsed.params.as_bytes()].concat())
}

/// The bytes of a header value. A [`Value`] can only be had from a writer, so one is opened for it.
pub(crate) fn value_bytes(fill: impl FnOnce(&mut Value<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::response(&mut out, Status::OK, b"").header("", fill);
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
    fn a_nat_and_an_alg_can_be_played() {
        let bytes = b"REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;rport=1;branch=z,SIP/2.0/UDP h\r\n\r\n";
        let Message::Request(request) = Message::parse(bytes).unwrap() else {
            panic!()
        };
        let peer = Peer {
            flow: 0,
            source: "192.0.2.9:40000".parse().unwrap(),
            reliable: false,
        };
        let changes = ViaChanges {
            seen_from: Some("203.0.113.7:1024".parse().unwrap()),
            sent_by: Some("203.0.113.7:9".to_owned()),
        };
        let printed = Draft::new(Status::OK).print(peer, &Echo::read(&request).unwrap(), &changes, "x");
        assert_eq!(
            String::from_utf8(printed).unwrap(),
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 203.0.113.7:9;rport=1024;branch=z;received=203.0.113.7\r\n\
             Via: SIP/2.0/UDP h\r\nContent-Length: 0\r\n\r\n"
        );
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
        let draft = Draft::new(Status::INTERVAL_TOO_BRIEF).number("Min-Expires", 60);
        assert_eq!(
            String::from_utf8(draft.print(peer, &Echo::read(&request).unwrap(), &ViaChanges::default(), "x")).unwrap(),
            "SIP/2.0 423 Interval Too Brief\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:a@h>;tag=x\r\nCall-ID: c 1\r\nCSeq: 7 REGISTER\r\nMin-Expires: 60\r\nContent-Length: 0\r\n\r\n"
        );
    }
}
