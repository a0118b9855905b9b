//! The same work in rsipstack.

use std::hint::black_box;

use rsipstack::sip::prelude::{HeadersExt as _, ToTypedHeader as _};

pub(crate) fn index(bytes: &[u8]) -> rsipstack::sip::Response {
    rsipstack::sip::Response::try_from(bytes).expect("the message is a readable response")
}

/// Everything that a registration looks at in a reply.
pub(crate) fn fields(reply: &rsipstack::sip::Response) -> Option<usize> {
    let via = reply.via_header().ok()?.typed().ok()?;
    let mut sum = usize::from(reply.status_code.code()) + via.branch()?.value().len();
    black_box(via.received()?.ok()?);
    sum += reply.call_id_header().ok()?.value().len() + usize::try_from(reply.cseq_header().ok()?.typed().ok()?.seq).ok()?;
    sum += reply.from_header().ok()?.typed().ok()?.tag()?.value().len();
    sum += reply.to_header().ok()?.typed().ok()?.tag()?.value().len();
    for header in reply.headers.iter() {
        match header {
            rsipstack::sip::Header::WwwAuthenticate(challenge) => {
                let challenge = challenge.typed().ok()?;
                black_box((challenge.algorithm, challenge.qop));
                sum += challenge.realm.len() + challenge.nonce.len() + challenge.opaque?.len();
            }
            rsipstack::sip::Header::Contact(contact) => {
                let contact = contact.typed().ok()?;
                sum += usize::try_from(contact.expires()?).ok()?;
                black_box(contact.uri);
            }
            rsipstack::sip::Header::Expires(expires) => sum += expires.value().parse::<usize>().ok()?,
            _ => {}
        }
    }
    Some(sum)
}

/// A REGISTER with an answered challenge; values are strings.
pub(crate) fn write() -> Vec<u8> {
    let mut headers = rsipstack::sip::Headers::default();
    headers.push(
        rsipstack::sip::headers::Via::new("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0000000100000001.0123456789abcdef;rport").into(),
    );
    headers.push(rsipstack::sip::headers::MaxForwards::from(70_u32).into());
    headers.push(rsipstack::sip::headers::From::new("<sip:alice@pbx.example.com>;tag=8f3a6c1e0b2d4f57").into());
    headers.push(rsipstack::sip::headers::To::new("<sip:alice@pbx.example.com>").into());
    headers.push(rsipstack::sip::headers::CallId::new("4c1fe2f5a7b94e3c9d0a6b8c7d5e4f32").into());
    headers.push(rsipstack::sip::headers::CSeq::new("2 REGISTER").into());
    headers.push(rsipstack::sip::headers::Contact::new("<sip:alice@192.0.2.10:5060>;expires=300").into());
    headers.push(rsipstack::sip::headers::Expires::from(300_u32).into());
    let answer = "Digest username=\"alice\", realm=\"pbx.example.com\", nonce=\"5f1a7c2b9d3e4f60718293a4b5c6d7e8\", \
        uri=\"sip:pbx.example.com\", response=\"6629fae49393a05397450978507c4ef1\", algorithm=MD5, opaque=\"0f1e2d3c\", \
        qop=auth, nc=00000001, cnonce=\"0a4f113b\"";
    headers.push(rsipstack::sip::headers::Authorization::new(answer).into());
    headers.push(rsipstack::sip::headers::UserAgent::new("regprobe/0.1.0").into());
    headers.push(rsipstack::sip::headers::Supported::new("path, outbound").into());
    headers.push(rsipstack::sip::headers::Allow::new("OPTIONS").into());
    headers.push(rsipstack::sip::headers::ContentLength::from(0_u32).into());
    let request = rsipstack::sip::Request {
        method: rsipstack::sip::Method::Register,
        uri: rsipstack::sip::Uri::try_from("sip:pbx.example.com").expect("the URI is valid"),
        version: rsipstack::sip::Version::V2,
        headers,
        body: Vec::new(),
    };
    rsipstack::sip::SipMessage::from(request).into()
}
