//! Replies to a request of ours, made up by the fuzzer's bytes: the right Via, CSeq and Call-ID, and everything else as the bytes say.

use sip_message::{Message, Name};

use super::digest_check::change;
use super::draw::Draw;

/// What a reply repeats of its request (RFC 3261 §8.2.6.2).
#[derive(Debug, Clone, Default)]
pub(crate) struct Template {
    repeated: Vec<u8>,
    contact: Vec<u8>,
}

const STARTS: [&str; 20] = [
    "200 OK",
    "401 Unauthorized",
    "200 OK",
    "401 Unauthorized",
    "407 Proxy Authentication Required",
    "423 Interval Too Brief",
    "200 Registration failed",
    "100 Trying",
    "183 Session Progress",
    "202 Accepted",
    "302 Moved Temporarily",
    "400 Bad Request",
    "403 Forbidden",
    "404 Not Found",
    "408 Request Timeout",
    "486 Busy Here",
    "500 Server Internal Error",
    "503 Service Unavailable",
    "603 Decline",
    "699 \u{1b}[2J",
];

const LINES: [&str; 28] = [
    "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256",
    "WWW-Authenticate: Digest realm=\"a\", nonce=\"2\", qop=\"auth\", algorithm=SHA-256",
    "WWW-Authenticate: Digest realm=\"a\", nonce=\"3\", stale=true, algorithm=MD5",
    "WWW-Authenticate: Digest realm=\"a\\\"b\", nonce=\"\\\\4\", qop=\"auth-int\", algorithm=SHA-512-256-sess, opaque=\"o\"",
    "WWW-Authenticate: Digest realm=\"a\", nonce=\"5\", userhash=true, charset=UTF-8",
    "WWW-Authenticate: Basic realm=\"a\"",
    "WWW-Authenticate: AKAv1-MD5 realm=\"a\"",
    "WWW-Authenticate:",
    "Proxy-Authenticate: Digest realm=\"p\", nonce=\"6\", qop=auth",
    "Proxy-Authenticate: Digest realm=\"p\", nonce=\"7\", stale=true",
    "Authentication-Info: nextnonce=\"8\"",
    "Authentication-Info: rspauth=\"00\", qop=auth, nc=00000001, cnonce=\"x\"",
    "Contact: <sip:other@192.0.2.9>;expires=60",
    "Contact: <sip:192.0.2.2:5070;transport=tcp>",
    "Contact: *",
    "Expires: 0",
    "Expires: 1",
    "Expires: 4294967295",
    "Min-Expires: 90",
    "Min-Expires: 7200",
    "Min-Expires: 4294967295",
    "Retry-After: 0",
    "Retry-After: 4294967295 (later);duration=1",
    "Warning: 399 a \"b\u{202e}\"",
    "Server: \u{1b}]52;c;x\u{7}",
    "Via: SIP/2.0/UDP 192.0.2.200;branch=z9hG4bKother",
    "Service-Route: <sip:s.test;lr>",
    "CSeq: 1 INVITE",
];

impl Template {
    /// For this request.
    pub(crate) fn of(request: &[u8]) -> Self {
        let Ok(message) = Message::parse(request) else {
            return Self::default();
        };
        let mut repeated = Vec::new();
        let mut contact = Vec::new();
        for field in message.headers().iter() {
            let into = match field.name {
                Name::Via | Name::From | Name::To | Name::CallId | Name::CSeq => &mut repeated,
                Name::Contact => &mut contact,
                _ => continue,
            };
            into.extend_from_slice(&[field.raw_name, b": ", field.value, b"\r\n"].concat());
        }
        Self { repeated, contact }
    }

    /// A 401 with this challenge, byte for byte.
    pub(crate) fn challenged_by(&self, challenge: &[u8]) -> Vec<u8> {
        [
            b"SIP/2.0 401 Unauthorized\r\n",
            self.repeated.as_slice(),
            b"WWW-Authenticate: ",
            challenge,
            b"\r\n\r\n",
        ]
        .concat()
    }

    /// A reply as the bytes say.
    pub(crate) fn drawn(&self, draw: &mut Draw<'_>) -> Vec<u8> {
        let mut text = format!("SIP/2.0 {}\r\n", draw.pick(&STARTS)).into_bytes();
        text.extend_from_slice(&self.repeated);
        if !draw.once_in(4) {
            text.extend_from_slice(&self.contact);
        }
        for _ in 0..draw.below(5) {
            text.extend_from_slice(draw.pick(&LINES).as_bytes());
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        if draw.once_in(3) {
            for _ in 0..=draw.below(3) {
                change(&mut text, draw);
            }
        }
        text
    }
}
