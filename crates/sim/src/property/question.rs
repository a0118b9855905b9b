//! Requests of the other side, made up by the fuzzer's bytes: whole ones, spoiled ones, and our own that come back.

use sip_message::{Message, Name, NameAddr};

use super::digest_check::change;
use super::draw::Draw;

const METHODS: [&str; 10] = [
    "OPTIONS", "OPTIONS", "INVITE", "ACK", "CANCEL", "BYE", "NOTIFY", "REGISTER", "MESSAGE", "FROB",
];

/// Line by line; the first of each kind is the usual one.
const VIAS: [&str; 6] = [
    "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKq",
    "Via: SIP/2.0/UDP 192.0.2.1;branch=0",
    "v:SIP/2.0/TCP h:0",
    "Via: SIP/2.0/UDP h:5070;branch=z9hG4bK0-0.0000000000000000,SIP/2.0/UDP a,b,,c",
    "Via: SIP/2.0/UDP h;maddr=203.0.113.9;received=203.0.113.8;rport=9",
    "Via: nonsense",
];
const TOS: [&str; 4] = ["To: <sip:u0@h>", "t:sip:u1@h;tag=x", "To: \"\u{1b}", "To: *"];
const LINES: [&str; 8] = [
    "Require: 100rel, x,\r\n\ty",
    "Max-Forwards: 0",
    "Contact: <sip:q@h>",
    "Route: <sip:192.0.2.1;lr>",
    "Content-Length: 4294967295",
    "Call-ID: another",
    "Authorization: Digest response=\"00\"",
    "\u{202e}: x",
];

/// A request as the bytes say. `ours` is one of our own, whose Contact may be asked for; it may come back as it is.
pub(crate) fn drawn(draw: &mut Draw<'_>, ours: &[u8]) -> Vec<u8> {
    if draw.once_in(8) {
        return ours.to_vec();
    }
    let method = draw.pick(&METHODS);
    let uri = match draw.below(4) {
        0 | 1 => contact(ours),
        2 => draw.pick(&["sip:192.0.2.7", "sip:nobody@h", "tel:1", "sips:u0@h", "x"]).into(),
        _ => draw.text(20),
    };
    let mut text = format!(
        "{method} {uri} SIP/2.0\r\n{}\r\nFrom: <sip:q@h>;tag=q\r\n{}\r\nCall-ID: {}\r\nCSeq: 1 {method}\r\n",
        draw.pick(&VIAS),
        draw.pick(&TOS),
        draw.byte(),
    );
    for _ in 0..draw.below(3) {
        text += draw.pick(&LINES);
        text += "\r\n";
    }
    text += "Content-Length: 0\r\n\r\n";
    let mut bytes = text.into_bytes();
    for _ in 0..draw.below(3) {
        change(&mut bytes, draw);
    }
    bytes
}

/// The Contact that a request of ours asks to bind.
fn contact(ours: &[u8]) -> String {
    let uri = Message::parse(ours).ok().and_then(|message| {
        let contact = message.headers().first(Name::Contact)?;
        Some(String::from_utf8_lossy(NameAddr::parse(contact).ok()?.raw_uri).into_owned())
    });
    uri.unwrap_or_else(|| "sip:u0@h".to_owned())
}
