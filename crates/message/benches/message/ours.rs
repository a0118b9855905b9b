//! The work in sip-message.

use std::hint::black_box;

use sip_message::{Contact, Message, Response, Writer};

/// The index of its headers.
pub(crate) fn index(bytes: &[u8]) -> Response<'_> {
    match Message::parse(bytes) {
        Ok(Message::Response(reply)) => reply,
        Ok(Message::Request(_)) | Err(_) => panic!("the message is a readable response"),
    }
}

/// Everything that a registration looks at in a reply.
pub(crate) fn fields(reply: &Response<'_>) -> Option<usize> {
    let headers = &reply.headers;
    let via = headers.via()?.ok()?;
    let mut sum = usize::from(reply.status.code()) + via.branch()?.len() + usize::from(via.rport()?);
    black_box(via.received()?);
    sum += headers.call_id()?.len() + usize::try_from(headers.cseq()?.ok()?.number).ok()?;
    sum += headers.from()?.ok()?.tag()?.len() + headers.to()?.ok()?.tag()?.len();
    for field in headers.challenges() {
        let challenge = field.challenge.ok()?;
        // In one pass, as sip-digest reads them: each name is compared until it is known.
        for (name, value) in challenge.params.iter() {
            let known = [&b"realm"[..], b"nonce", b"algorithm", b"opaque", b"qop"];
            sum += known.iter().position(|known| known.eq_ignore_ascii_case(name))? + value.len();
        }
    }
    for contact in headers.contacts() {
        if let Contact::Address(address) = contact.ok()? {
            black_box(address.uri().ok()?);
            sum += usize::try_from(address.expires()?).ok()?;
        }
    }
    if let Some(expires) = headers.expires() {
        sum += usize::try_from(expires.ok()?).ok()?;
    }
    Some(sum)
}

/// A REGISTER as the probe sends it, with an answered challenge.
pub(crate) fn write(out: &mut Vec<u8>) {
    let mut writer = Writer::request(out, b"REGISTER", b"sip:pbx.example.com");
    writer.header("Via", |value| {
        let local = std::net::SocketAddr::from(([192, 0, 2, 10], 5060));
        value.text(b"SIP/2.0/UDP ").display(local);
        value.text(b";branch=z9hG4bK0000000100000001.0123456789abcdef;rport");
    });
    writer.number("Max-Forwards", 70_u32);
    writer.text("From", "<sip:alice@pbx.example.com>;tag=8f3a6c1e0b2d4f57");
    writer.text("To", "<sip:alice@pbx.example.com>");
    writer.text("Call-ID", "4c1fe2f5a7b94e3c9d0a6b8c7d5e4f32");
    writer.header("CSeq", |value| {
        value.number(2_u32).text(b" REGISTER");
    });
    writer.header("Contact", |value| {
        value.text(b"<sip:alice@192.0.2.10:5060>;expires=").number(300_u32);
    });
    writer.number("Expires", 300_u32);
    writer.header("Authorization", |value| {
        value
            .text(b"Digest username=")
            .quoted(b"alice")
            .text(b", realm=")
            .quoted(b"pbx.example.com");
        value.text(b", nonce=").quoted(b"5f1a7c2b9d3e4f60718293a4b5c6d7e8");
        value.text(b", uri=").quoted(b"sip:pbx.example.com");
        value.text(b", response=").quoted(b"6629fae49393a05397450978507c4ef1");
        value.text(b", algorithm=MD5, opaque=").quoted(b"0f1e2d3c");
        value.text(b", qop=auth, nc=00000001, cnonce=").quoted(b"0a4f113b");
    });
    writer.text("User-Agent", "regprobe/0.1.0");
    writer.text("Supported", "path, outbound");
    writer.text("Allow", "OPTIONS");
    writer.finish(b"");
}
