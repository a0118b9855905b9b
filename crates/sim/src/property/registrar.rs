//! Whatever comes in, a registrar answers with readable replies, a bounded number of them, and holds no more than its limits.

use std::time::Duration;

use sip_message::{Message, Method};
use sip_registrar::{Config, Fault, Limits, Peer, Registrar};

use super::digest_check::change;
use super::draw::Draw;
use crate::clock::origin;
use crate::registrar as knows_everybody;

const LIMITS: Limits = Limits {
    bindings: 6,
    binding_bytes: 6000,
    nonces: 4,
    transactions: 6,
    replies: 8,
    reply_bytes: 200_000,
    events: 8,
};

/// What stands in requests; the bytes choose and change them.
const LINES: [&str; 24] = [
    "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1;rport",
    "Via: SIP/2.0/TCP [2001:db8::1];branch=z9hG4bK2;received=1.2.3.4",
    "From: <sip:alice@example.test>;tag=1",
    "To: <sip:alice@example.test>",
    "To: <sip:bob@example.test>",
    "Call-ID: 1",
    "Call-ID: 2",
    "CSeq: 1 REGISTER",
    "CSeq: 2 REGISTER",
    "CSeq: 4294967295 OPTIONS",
    "Contact: <sip:alice@192.0.2.9>",
    "Contact: <sip:alice@192.0.2.9>;expires=0",
    "Contact: <sip:alice@192.0.2.8>;+sip.instance=\"<urn:uuid:1>\";reg-id=1;expires=70",
    "Contact: *",
    "Expires: 0",
    "Expires: 60",
    "Expires: 99999999999",
    "Path: <sip:p.test;lr;ob>",
    "Supported: path, outbound",
    "Require: 100rel",
    "Authorization: Digest username=\"alice\", realm=\"example.test\", nonce=\"x\", uri=\"sip:example.test\", response=\"y\"",
    "Proxy-Authorization: Digest username=\"",
    "Content-Length: 0",
    "X: y",
];

const STARTS: [&str; 4] = [
    "REGISTER sip:example.test SIP/2.0",
    "OPTIONS sip:example.test SIP/2.0",
    "REGISTER tel:1 SIP/2.0",
    "ACK sip:example.test SIP/2.0",
];

/// The bytes are a configuration and then a conversation: requests, changed and whole, and time.
pub fn registrar(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let mut registrar = Registrar::new(config(&mut draw), [7; 32]);
    let mut now = origin();
    for turn in 0..64_u64 {
        if draw.is_empty() {
            break;
        }
        now += Duration::from_millis(u64::from(draw.short()) * 7);
        let peer = Peer {
            flow: turn % 3,
            source: ([192, 0, 2, 9], 5060 + u16::from(draw.byte() % 2)).into(),
            reliable: draw.once_in(3),
        };
        registrar.handle_message(now, peer, &request(&mut draw));
        drain(&mut registrar, LIMITS.replies);
        let held: usize = ["alice", "bob"]
            .iter()
            .map(|user| registrar.bindings(&format!("sip:{user}@example.test")).len())
            .sum();
        assert!(held <= LIMITS.bindings, "{held} bindings are held");
        assert!(
            registrar
                .bindings("alice@example.test")
                .iter()
                .all(|binding| binding.expires_at > now)
        );
    }
    come_to_rest(&mut registrar);
}

fn config(draw: &mut Draw<'_>) -> Config {
    let faults = (0..draw.below(4)).filter_map(|_| draw.text(60).parse::<Fault>().ok()).collect();
    let choices = draw.byte();
    let chosen = |bit: u8| choices & 1 << bit != 0;
    Config {
        open: chosen(0),
        proxy_auth: chosen(1),
        edge_realm: chosen(2).then(|| "edge".to_owned()),
        userhash: chosen(3),
        rspauth: chosen(4),
        received: chosen(5),
        max_contacts: 3,
        limits: LIMITS,
        faults,
        ..knows_everybody()
    }
}

/// A request out of lines, or bytes as they are.
fn request(draw: &mut Draw<'_>) -> Vec<u8> {
    if draw.once_in(8) {
        return draw.bytes(255).to_vec();
    }
    let mut text = draw.pick(&STARTS).as_bytes().to_vec();
    // Most requests have what every request needs.
    let usual = if draw.once_in(4) { 0 } else { 8 };
    for line in LINES.iter().take(usual) {
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(line.as_bytes());
    }
    for _ in 0..draw.below(8) {
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(draw.pick(&LINES).as_bytes());
    }
    text.extend_from_slice(b"\r\n\r\n");
    for _ in 0..draw.below(4) {
        change(&mut text, draw);
    }
    text
}

/// Takes all replies, which can be read unless a fault says otherwise.
fn drain(registrar: &mut Registrar, most: usize) {
    let mut reply = Vec::new();
    let mut replies = 0;
    while registrar.poll_reply(&mut reply).is_some() {
        replies += 1;
        assert!(reply.len() <= LIMITS.reply_bytes, "a reply of {} bytes", reply.len());
        if let Ok(Message::Response(response)) = Message::parse(&reply) {
            let cseq = response.headers.cseq().and_then(Result::ok);
            assert!(cseq.is_none_or(|cseq| cseq.method != Method::Ack), "an ACK is never answered");
        }
    }
    assert!(replies <= most, "{replies} replies at once");
    while let Some(event) = registrar.poll_event() {
        assert!(!event.to_string().contains(char::is_control), "an event is one line");
    }
}

/// When nothing comes in any more, nothing goes on for ever.
fn come_to_rest(registrar: &mut Registrar) {
    for _ in 0..1000 {
        let Some(at) = registrar.poll_timeout() else { return };
        registrar.handle_timeout(at);
        drain(registrar, LIMITS.replies);
        assert!(registrar.poll_timeout() != Some(at), "the registrar does not go on from a deadline");
    }
    panic!("the registrar does not come to rest");
}
