//! The situations of RFC 5118 (IPv6 in SIP), in messages of our own. The rest of the torture is in `torture.rs`.

use std::net::{IpAddr, Ipv6Addr};

use sip_message::{Contact, Host, Message, NameAddr, Request, SipUri, UriError, Via};

fn request(bytes: &[u8]) -> Request<'_> {
    match Message::parse(bytes).expect("the message is readable") {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a request was meant"),
    }
}

fn v6(text: &str) -> IpAddr {
    IpAddr::V6(text.parse::<Ipv6Addr>().expect("the test writes a valid address"))
}

/// §4.1
#[test]
fn a_valid_ipv6_reference_is_read_everywhere() {
    let bytes = b"REGISTER sip:[2001:db8::10] SIP/2.0\r\nTo: sip:user@example.test\r\nFrom: sip:user@example.test;tag=81\r\n\
        Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111\r\nCall-ID: SSG9559905523997077@hlau_4100\r\n\
        Contact: \"Caller\" <sip:caller@[2001:db8::1]>\r\nCSeq: 8612 REGISTER\r\nContent-Length: 0\r\n\r\n";
    let request = request(bytes);
    assert_eq!(SipUri::parse(request.uri).unwrap().host.address(), Some(v6("2001:db8::10")));
    assert_eq!(request.headers.via().unwrap().unwrap().host.address(), Some(v6("2001:db8::9:1")));
    let Some(Ok(Contact::Address(contact))) = request.headers.contacts().next() else {
        panic!("the Contact is readable")
    };
    assert_eq!(contact.uri().unwrap().sip().unwrap().host.address(), Some(v6("2001:db8::1")));
}

/// §4.2: invalid, but sent by real equipment.
#[test]
fn a_reference_without_brackets_is_taken_as_an_address() {
    let uri = SipUri::parse(b"sip:2001:db8::10").unwrap();
    assert_eq!((uri.host.address(), uri.port), (Some(v6("2001:db8::10")), None));
    assert_eq!(uri.host.to_string(), "[2001:db8::10]", "and printed as it should have been");
}

/// §4.3 and §4.4
#[test]
fn brackets_tell_a_port_from_a_group() {
    let inside = SipUri::parse(b"sip:[2001:db8::10:5070]").unwrap();
    assert_eq!((inside.host.address(), inside.port), (Some(v6("2001:db8::10:5070")), None));
    let outside = SipUri::parse(b"sip:[2001:db8::10]:5070").unwrap();
    assert_eq!((outside.host.address(), outside.port), (Some(v6("2001:db8::10")), Some(5070)));
    assert!(!inside.equivalent(&outside));
}

/// §4.5
#[test]
fn received_may_have_brackets_or_not() {
    for received in ["[2001:db8::9:255]", "2001:db8::9:255"] {
        let text = format!("SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKas3");
        let via = Via::parse(text.as_bytes()).unwrap();
        assert_eq!(via.received().and_then(|host| host.address()), Some(v6("2001:db8::9:255")));
        assert_eq!(via.branch(), Some(&b"z9hG4bKas3"[..]));
    }
}

/// §4.6 and §4.8
#[test]
fn addresses_in_a_session_description_are_only_a_body() {
    let body = "v=0\r\no=u 1 1 IN IP6 2001:db8::20\r\nc=IN IP6 2001:db8::20\r\nm=audio 6000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n";
    let text = format!(
        "INVITE sip:user@[2001:db8::10] SIP/2.0\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(request(text.as_bytes()).body, body.as_bytes());
}

/// §4.7
#[test]
fn both_families_may_stand_in_one_message() {
    let bytes = b"BYE sip:user@host.example.test SIP/2.0\r\n\
        Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144\r\n\
        Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200\r\n\r\n";
    let vias: Vec<_> = request(bytes).headers.vias().map(Result::unwrap).collect();
    assert_eq!(vias[0].port, Some(6050));
    assert_eq!(vias[1].host.to_string(), "192.0.2.1");
    assert_eq!(
        (vias[2].host.to_string(), vias[2].received().unwrap().to_string()),
        ("[2001:db8::9:255]".into(), "192.0.2.200".into())
    );
}

/// §4.9
#[test]
fn a_mapped_address_is_an_ipv6_address() {
    let contact = NameAddr::parse(b"\"T. Watson\" <sip:watson@[::ffff:192.0.2.10]>").unwrap();
    let uri = contact.uri().unwrap();
    assert_eq!(uri.sip().unwrap().host.address(), Some(v6("::ffff:192.0.2.10")));
    assert_ne!(uri.sip().unwrap().host, Host::parse(b"192.0.2.10").unwrap());
}

/// §4.10
#[test]
fn the_third_colon_of_the_old_grammar_is_forgiven() {
    let with_bug = SipUri::parse(b"sip:user@[2001:db8:::192.0.2.1]").unwrap();
    let without = SipUri::parse(b"sip:user@[2001:db8::192.0.2.1]").unwrap();
    assert!(with_bug.equivalent(&without));
}

#[test]
fn what_is_no_reference_is_refused() {
    for uri in [
        "sip:[2001:db8::10",
        "sip:[2001:db8::10]5060",
        "sip:[2001:db8::1::2]",
        "sip:[]",
        "sip:[fe80::1%25eth0]",
        "sip:u@][",
    ] {
        assert_eq!(SipUri::parse(uri.as_bytes()), Err(UriError::Host), "{uri}");
    }
}
