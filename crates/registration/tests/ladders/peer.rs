//! The scripted peer: replies written by hand, with what a UAS echoes (RFC 3261 §8.2.6.2) copied from the request.

use std::net::SocketAddr;

use sip_digest::{Secret, server};
use sip_message::{ChallengeSource, Headers, Message, Name, Request, Value, Writer};

use crate::setup::PASSWORD;

/// A challenge with the strongest digest that is in use.
pub(crate) const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
/// The same with another nonce.
pub(crate) const ANOTHER_NONCE: &str = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\"";
/// The same, which says that only the nonce was refused.
pub(crate) const STALE: &str = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\", stale=true";
/// A proxy's challenge.
pub(crate) const PROXY_CHALLENGE: &str = "Proxy-Authenticate: Digest realm=\"proxy.test\", nonce=\"p1\", algorithm=SHA-256, qop=\"auth\"";
/// Our Contact, bound as asked; `{contact}` stands for what the request wants to bind.
pub(crate) const BOUND: &str = "Contact: {contact};expires=3600";

/// A reply: its status line after the version, and its headers line by line.
pub(crate) fn reply(request: &[u8], status: &str, headers: &[&str]) -> Vec<u8> {
    let request = parse(request);
    let echoed = |name, title: &str| {
        let value = request.headers.first(name).unwrap_or_default();
        format!("{title}: {}\r\n", String::from_utf8_lossy(value))
    };
    let mut text = format!("SIP/2.0 {status}\r\n");
    text += &echoed(Name::Via, "Via");
    text += &echoed(Name::From, "From");
    text += echoed(Name::To, "To").trim_end();
    text += ";tag=peer\r\n";
    text += &echoed(Name::CallId, "Call-ID");
    text += &echoed(Name::CSeq, "CSeq");
    let contact = contact(&request.headers);
    for header in headers {
        text += &header.replace("{contact}", &contact);
        text += "\r\n";
    }
    text += "Content-Length: 0\r\n\r\n";
    text.into_bytes()
}

/// A request of the registrar's, such as it sends to see whether we are still there; `headers` go in line by line.
pub(crate) fn ask(method: &str, uri: &str, call_id: &str, headers: &[&str]) -> Vec<u8> {
    let more: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!(
        "{method} {uri} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-{call_id}\r\n\
         From: <sip:ping@example.test>;tag=ping\r\n\
         To: <{uri}>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 {method}\r\n\
         {more}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// Another Via than the request's, in an otherwise finished reply.
pub(crate) fn with_via_param(reply: &[u8], param: &str) -> Vec<u8> {
    String::from_utf8_lossy(reply)
        .replacen(";rport;", &format!(";{param};"), 1)
        .into_bytes()
}

/// The received and rport parameters that a server adds to Via for a request from there (RFC 3581 §4).
pub(crate) fn seen_from(source: SocketAddr) -> String {
    format!("received={};rport={}", source.ip(), source.port())
}

/// Authentication-Info with the server's proof (RFC 7616 §3.5) for the credentials of this request.
pub(crate) fn proof(request: &[u8], next_nonce: Option<&[u8]>) -> String {
    let request = parse(request);
    let credentials = request.headers.credentials(ChallengeSource::Www).next().unwrap().unwrap();
    let mut out = Vec::new();
    let mut writer = Writer::request(&mut out, b"X", b"x");
    writer.header("Authentication-Info", |value: &mut Value<'_>| {
        let proof = server::Proof {
            credentials: &credentials,
            algorithm: server::algorithm(&credentials).unwrap(),
            username: "alice",
            secret: &Secret::Password(PASSWORD.to_owned().into()),
            body: b"",
            next_nonce,
        };
        proof.write_info(value).unwrap();
    });
    let text = String::from_utf8(out).unwrap();
    text.lines().nth(1).unwrap().to_owned()
}

/// The Contact of a request without its parameters, in angle brackets; for a request without one, the one that it would have had.
fn contact(headers: &Headers<'_>) -> String {
    let value = String::from_utf8_lossy(headers.first(Name::Contact).unwrap_or_default()).into_owned();
    value
        .split_once('>')
        .map_or_else(|| "<sip:alice@198.51.100.1:40000>".to_owned(), |(address, _)| format!("{address}>"))
}

pub(crate) fn parse(request: &[u8]) -> Request<'_> {
    match Message::parse(request) {
        Ok(Message::Request(request)) => request,
        Ok(Message::Response(_)) | Err(_) => panic!("we write requests that can be read: {}", String::from_utf8_lossy(request)),
    }
}
