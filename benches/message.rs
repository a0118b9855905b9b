//! What it costs to read a challenge, to read a success with three bindings, and to write a REGISTER; rsip does the same work in the
//! same run. `cargo bench --bench message`. The time of a peer beside ours is the measure, not the nanoseconds of one machine.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rsip::prelude::{HeadersExt as _, ToTypedHeader as _, UntypedHeader as _};
use sip_message::{Contact, Message, Response, Writer};

/// 13 headers.
const CHALLENGE: &[u8] = b"SIP/2.0 401 Unauthorized\r\n\
    Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0000000100000000.0123456789abcdef;rport=40112;received=198.51.100.7\r\n\
    From: \"Alice\" <sip:alice@pbx.example.com>;tag=8f3a6c1e0b2d4f57\r\n\
    To: \"Alice\" <sip:alice@pbx.example.com>;tag=as5f0c5b1d\r\n\
    Call-ID: 4c1fe2f5a7b94e3c9d0a6b8c7d5e4f32@192.0.2.10\r\n\
    CSeq: 1 REGISTER\r\n\
    Server: Example PBX 20.11.1\r\n\
    Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH, MESSAGE\r\n\
    Supported: replaces, timer, path, outbound\r\n\
    Date: Sat, 21 Nov 2026 11:10:09 GMT\r\n\
    WWW-Authenticate: Digest realm=\"pbx.example.com\", nonce=\"5f1a7c2b9d3e4f60718293a4b5c6d7e8\", algorithm=MD5, opaque=\"0f1e2d3c\", qop=\"auth\"\r\n\
    X-Request: 00112233-4455-6677-8899-aabbccddeeff\r\n\
    Warning: 399 pbx.example.com \"please authenticate\"\r\n\
    Content-Length: 0\r\n\r\n";

/// 14 headers with three Contacts.
const SUCCESS: &[u8] = b"SIP/2.0 200 OK\r\n\
    Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0000000100000001.0123456789abcdef;rport=40112;received=198.51.100.7\r\n\
    From: \"Alice\" <sip:alice@pbx.example.com>;tag=8f3a6c1e0b2d4f57\r\n\
    To: \"Alice\" <sip:alice@pbx.example.com>;tag=as5f0c5b1d\r\n\
    Call-ID: 4c1fe2f5a7b94e3c9d0a6b8c7d5e4f32@192.0.2.10\r\n\
    CSeq: 2 REGISTER\r\n\
    Server: Example PBX 20.11.1\r\n\
    Allow: INVITE, ACK, CANCEL, OPTIONS, BYE\r\n\
    Supported: replaces, path\r\n\
    Contact: <sip:alice@192.0.2.10:5060>;expires=300\r\n\
    Contact: <sip:alice@192.0.2.11:5062>;expires=120\r\n\
    Contact: <sip:alice@192.0.2.12:5064>;expires=60\r\n\
    Expires: 300\r\n\
    Date: Sat, 21 Nov 2026 11:10:09 GMT\r\n\
    Content-Length: 0\r\n\r\n";

fn ours(bytes: &[u8]) -> Response<'_> {
    match Message::parse(bytes) {
        Ok(Message::Response(reply)) => reply,
        Ok(Message::Request(_)) | Err(_) => panic!("the message is a readable response"),
    }
}

/// Everything that a registration looks at in a reply.
fn our_fields(reply: &Response<'_>) -> Option<usize> {
    let headers = &reply.headers;
    let via = headers.via()?.ok()?;
    let mut sum = usize::from(reply.status.code()) + via.branch()?.len() + usize::from(via.rport()?);
    black_box(via.received()?);
    sum += headers.call_id()?.len() + usize::try_from(headers.cseq()?.ok()?.number).ok()?;
    sum += headers.from()?.ok()?.tag()?.len() + headers.to()?.ok()?.tag()?.len();
    for field in headers.challenges() {
        let challenge = field.challenge.ok()?;
        for name in [&b"realm"[..], b"nonce", b"algorithm", b"opaque", b"qop"] {
            sum += challenge.param(name)?.len();
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

fn rsips(bytes: &[u8]) -> rsip::Response {
    rsip::Response::try_from(bytes).expect("the message is a readable response")
}

/// The same with rsip.
fn rsip_fields(reply: &rsip::Response) -> Option<usize> {
    let via = reply.via_header().ok()?.typed().ok()?;
    let mut sum = usize::from(reply.status_code.code()) + via.branch()?.value().len();
    black_box(via.received().ok()??);
    sum += reply.call_id_header().ok()?.value().len() + usize::try_from(reply.cseq_header().ok()?.typed().ok()?.seq).ok()?;
    sum += reply.from_header().ok()?.typed().ok()?.tag()?.value().len();
    sum += reply.to_header().ok()?.typed().ok()?.tag()?.value().len();
    for header in reply.headers.iter() {
        match header {
            rsip::Header::WwwAuthenticate(challenge) => {
                let challenge = challenge.typed().ok()?;
                black_box((challenge.algorithm, challenge.qop));
                sum += challenge.realm.len() + challenge.nonce.len() + challenge.opaque?.len();
            }
            rsip::Header::Contact(contact) => {
                let contact = contact.typed().ok()?;
                sum += usize::try_from(contact.expires()?.seconds().ok()?).ok()?;
                black_box(contact.uri);
            }
            rsip::Header::Expires(expires) => sum += usize::try_from(expires.seconds().ok()?).ok()?,
            _ => {}
        }
    }
    Some(sum)
}

/// A REGISTER as the probe sends it, with an answered challenge.
fn write_register(out: &mut Vec<u8>) {
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

/// The same with rsip, whose values are strings.
fn write_with_rsip() -> Vec<u8> {
    let mut headers = rsip::Headers::default();
    headers.push(rsip::headers::Via::new("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0000000100000001.0123456789abcdef;rport").into());
    headers.push(rsip::headers::MaxForwards::from(70_u32).into());
    headers.push(rsip::headers::From::new("<sip:alice@pbx.example.com>;tag=8f3a6c1e0b2d4f57").into());
    headers.push(rsip::headers::To::new("<sip:alice@pbx.example.com>").into());
    headers.push(rsip::headers::CallId::new("4c1fe2f5a7b94e3c9d0a6b8c7d5e4f32").into());
    headers.push(rsip::headers::CSeq::new("2 REGISTER").into());
    headers.push(rsip::headers::Contact::new("<sip:alice@192.0.2.10:5060>;expires=300").into());
    headers.push(rsip::headers::Expires::from(300_u32).into());
    let answer = "Digest username=\"alice\", realm=\"pbx.example.com\", nonce=\"5f1a7c2b9d3e4f60718293a4b5c6d7e8\", \
        uri=\"sip:pbx.example.com\", response=\"6629fae49393a05397450978507c4ef1\", algorithm=MD5, opaque=\"0f1e2d3c\", \
        qop=auth, nc=00000001, cnonce=\"0a4f113b\"";
    headers.push(rsip::headers::Authorization::new(answer).into());
    headers.push(rsip::headers::UserAgent::new("regprobe/0.1.0").into());
    headers.push(rsip::headers::Supported::new("path, outbound").into());
    headers.push(rsip::headers::Allow::new("OPTIONS").into());
    headers.push(rsip::headers::ContentLength::from(0_u32).into());
    let request = rsip::Request {
        method: rsip::Method::Register,
        uri: rsip::Uri::try_from("sip:pbx.example.com").expect("the URI is valid"),
        version: rsip::Version::V2,
        headers,
        body: Vec::new(),
    };
    rsip::SipMessage::from(request).into()
}

fn message(criterion: &mut Criterion) {
    for (name, bytes) in [("401", CHALLENGE), ("200", SUCCESS)] {
        // A figure for unlike work would mean nothing: both must have read all there is.
        our_fields(&ours(bytes)).expect("we read every field");
        rsip_fields(&rsips(bytes)).expect("rsip reads every field");
        criterion.bench_function(&format!("index {name}"), |bencher| {
            bencher.iter(|| black_box(ours(black_box(bytes))).status)
        });
        criterion.bench_function(&format!("index {name}, rsip"), |bencher| bencher.iter(|| rsips(black_box(bytes))));
        criterion.bench_function(&format!("all fields {name}"), |bencher| {
            bencher.iter(|| our_fields(&ours(black_box(bytes))))
        });
        criterion.bench_function(&format!("all fields {name}, rsip"), |bencher| {
            bencher.iter(|| rsip_fields(&rsips(black_box(bytes))))
        });
    }
    let mut out = Vec::with_capacity(2048);
    criterion.bench_function("write REGISTER", |bencher| {
        bencher.iter(|| {
            write_register(black_box(&mut out));
            out.len()
        });
    });
    criterion.bench_function("write REGISTER, rsip", |bencher| bencher.iter(write_with_rsip));
}

criterion_group!(benches, message);
criterion_main!(benches);
