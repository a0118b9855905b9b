//! Reading allocates nothing: not the index, not the framer's search, not the views that a registration reads. Writing into a
//! buffer that has been used before allocates nothing either. In a test program of its own, because it counts every allocation.

use std::hint::black_box;

use allocation_counter::measure;
use sip_message::{Contact, Frame, Framer, Message, Response, SipUri, Status, Writer};

const CHALLENGE: &[u8] = b"SIP/2.0 401 Unauthorized\r\n\
    Via: SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bK1;rport=40112;received=2001:db8::7\r\n\
    From: \"Alice \\\"A\\\"\" <sip:alice@example.test>;tag=f1\r\nTo: <sip:alice@example.test>;tag=t1\r\n\
    Call-ID: c1@192.0.2.9\r\nCSeq: 2\r\n REGISTER\r\n\
    WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n,1\", algorithm=SHA-256, qop=\"auth\", opaque=\"o\"\r\n\
    WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n2\"\r\nContent-Length: 0\r\n\r\n";

const SUCCESS: &[u8] = b"SIP/2.0 200 OK\r\n\
    v: SIP/2.0/TLS 192.0.2.9;branch=z9hG4bK2\r\nf: <sip:alice@example.test>;tag=f1\r\nt: <sip:alice@example.test>;tag=t1\r\n\
    i: c1@192.0.2.9\r\nCSeq: 3 REGISTER\r\n\
    m: \"A, B\" <sip:alice@192.0.2.9;transport=tls>;expires=60;+sip.instance=\"<urn:uuid:1>\";reg-id=1, <sip:a%6cice@h>;expires=30\r\n\
    Expires: 300\r\nRetry-After: 5 (soon)\r\nService-Route: <sip:home.test;lr>\r\nServer: registrar\r\nl: 0\r\n\r\n";

/// Reads all that a registration reads of a reply.
fn read_all(reply: &Response<'_>) -> u64 {
    let headers = &reply.headers;
    let via = headers.via().expect("a Via is there").expect("the Via is readable");
    let own = SipUri::parse(b"sip:alice@192.0.2.9;transport=TLS").expect("our own URI is valid");
    let mut sum = u64::from(reply.status.code()) + u64::from(via.rport().unwrap_or(0));
    sum += via.branch().map_or(0, <[u8]>::len) as u64 + u64::from(via.received().is_some());
    sum += headers.call_id().map_or(0, <[u8]>::len) as u64;
    sum += u64::from(headers.cseq().expect("a CSeq is there").expect("the CSeq is readable").number);
    for address in [headers.from(), headers.to()] {
        sum += address
            .expect("the address is there")
            .expect("the address is readable")
            .tag()
            .map_or(0, <[u8]>::len) as u64;
    }
    for field in headers.challenges() {
        let challenge = field.challenge.expect("the challenge is readable");
        for name in [&b"realm"[..], b"nonce", b"algorithm", b"qop", b"opaque", b"stale"] {
            sum += challenge.param(name).map_or(0, <[u8]>::len) as u64;
        }
    }
    for contact in headers.contacts() {
        if let Contact::Address(address) = contact.expect("the Contact is readable") {
            let uri = address.uri().expect("the URI is readable");
            sum += u64::from(uri.sip().expect("a sip URI").equivalent(&own));
            sum += u64::from(address.expires().unwrap_or(0)) + u64::from(address.reg_id().unwrap_or(0));
            sum += address.instance().map_or(0, |instance| instance.len()) as u64;
        }
    }
    sum += u64::from(headers.expires().map_or(0, |seconds| seconds.expect("Expires is readable")));
    sum += headers
        .retry_after()
        .map_or(0, |retry| u64::from(retry.expect("Retry-After is readable").seconds));
    sum + headers.product().map_or(0, <[u8]>::len) as u64
}

#[test]
fn reading_a_reply_and_all_its_fields_allocates_nothing() {
    for bytes in [CHALLENGE, SUCCESS] {
        let allocated = measure(|| match Message::parse(black_box(bytes)) {
            Ok(Message::Response(reply)) => {
                black_box(read_all(&reply));
            }
            Ok(Message::Request(_)) | Err(_) => panic!("a readable response was meant"),
        });
        assert_eq!(allocated.count_total, 0, "{} bytes were allocated", allocated.bytes_total);
    }
}

#[test]
fn the_count_would_show_an_allocation() {
    assert_eq!(measure(|| drop(black_box(vec![1_u8]))).count_total, 1);
}

#[test]
fn framing_a_stream_allocates_only_its_buffer() {
    let mut framer = Framer::default();
    framer.push(&[CHALLENGE, SUCCESS].concat());
    let allocated = measure(|| {
        for _ in 0..2 {
            assert!(matches!(framer.poll(), Ok(Some(Frame::Message(_)))));
        }
        assert_eq!(framer.poll(), Ok(None));
        framer.push(black_box(SUCCESS));
        assert!(matches!(framer.poll(), Ok(Some(Frame::Message(_)))));
    });
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn writing_into_a_used_buffer_allocates_nothing() {
    let mut out = Vec::with_capacity(2048);
    let allocated = measure(|| {
        let ok = Status::new(200).expect("200 is a status");
        let mut writer = Writer::response(black_box(&mut out), ok, b"OK");
        writer.text("Call-ID", "c1").number("Expires", 60_u32).header("Contact", |value| {
            value
                .quoted(b"A \"B\"")
                .text(b" <sip:a@")
                .display(std::net::Ipv6Addr::LOCALHOST)
                .text(b">");
        });
        writer.finish(b"body");
    });
    assert_eq!(allocated.count_total, 0);
}
