//! A registrar's replies without a registrar: what a load test needs at the other end. It asks for credentials, and believes
//! whatever comes. Not for anything that has to be true: who wants an account checked or a binding kept takes [`crate::Registrar`].

use std::net::SocketAddr;

use sip_digest::server::Issue;
use sip_digest::{Algorithm, Qop};
use sip_message::{Contact, Headers, Host, Message, Method, Name, NameAddr, Request, Status, Value, Via, Writer};

/// Answers each request out of nothing but the request: 401 to a REGISTER without credentials, 200 with its Contacts to one with
/// credentials, 200 to OPTIONS, 405 to other methods.
///
/// **It verifies nothing and keeps nothing.** Any credentials are right, every Contact is granted, no binding can be fetched, and a
/// retransmission is answered like a new request. That makes it cheaper than any client, so that a load test measures the client;
/// it allocates nothing once the caller's buffer has grown.
///
/// ```
/// use sip_registrar::Responder;
/// let responder = Responder::new("example.test", sip_digest::Algorithm::Md5, 3600);
/// let mut reply = Vec::new();
/// let request = b"REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK1\r\n\
///     To: <sip:alice@example.test>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\r\n";
/// let source = ([192, 0, 2, 1], 40_000).into();
/// assert_eq!(responder.respond(source, false, request, &mut reply), Some(source));
/// assert!(reply.starts_with(b"SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;rport=40000;"));
/// ```
#[derive(Debug, Clone)]
pub struct Responder {
    realm: String,
    algorithm: Algorithm,
    max_expires: u32,
}

impl Responder {
    /// Challenges with this realm and algorithm, and grants at most `max_expires` seconds.
    #[must_use]
    pub fn new(realm: &str, algorithm: Algorithm, max_expires: u32) -> Self {
        Self {
            realm: realm.to_owned(),
            algorithm,
            max_expires,
        }
    }

    /// Writes the reply to one whole message that came from `source` into `reply`, over what was there, and says where it goes;
    /// over a `reliable` transport that is the connection it came on. `None` for what is not answered: no SIP, a response, an ACK,
    /// no readable Via.
    pub fn respond(&self, source: SocketAddr, reliable: bool, message: &[u8], reply: &mut Vec<u8>) -> Option<SocketAddr> {
        let Ok(Message::Request(request)) = Message::parse(message) else {
            return None;
        };
        let top = request.headers.list(Name::Via).next()?;
        let via = Via::parse(top).ok()?;
        let stamp = stamp(top, request.headers.call_id().unwrap_or_default());
        let (status, phrase) = outcome(&request)?;
        let mut writer = Writer::response(reply, status, phrase);
        writer.header("Via", |value| write_top(value, top, &via, source));
        for lower in request.headers.list(Name::Via).skip(1) {
            writer.text("Via", lower);
        }
        echo(&mut writer, &request.headers, &stamp);
        match status {
            Status::UNAUTHORIZED => self.challenge(&mut writer, &stamp),
            _ if request.method == Method::Register => self.grant(&mut writer, &request.headers),
            _ => {
                writer.text("Allow", ALLOW);
            }
        }
        writer.finish(b"");
        Some(destination(source, reliable, &via))
    }

    /// A nonce out of the request itself: another for each, and nothing to remember.
    fn challenge(&self, writer: &mut Writer<'_>, stamp: &[u8]) {
        let issue = Issue {
            realm: self.realm.as_bytes(),
            nonce: stamp,
            opaque: None,
            algorithm: self.algorithm,
            qop: &[Qop::Auth],
            stale: false,
            userhash: false,
            utf8: false,
        };
        writer.header("WWW-Authenticate", |value| issue.write_challenge(value));
    }

    /// RFC 3261 §10.3 step 8, as if every Contact had just been bound. Removed ones, and `*`, are not listed.
    fn grant(&self, writer: &mut Writer<'_>, headers: &Headers<'_>) {
        let default = headers.expires().and_then(Result::ok).unwrap_or(self.max_expires);
        for element in headers.list(Name::Contact) {
            let Ok(Contact::Address(contact)) = Contact::parse(element) else {
                continue;
            };
            let seconds = contact.expires().unwrap_or(default).min(self.max_expires);
            if seconds > 0 {
                writer.header("Contact", |value| write_contact(value, element, &contact, seconds));
            }
        }
    }
}

/// What a request is answered; `None` for an ACK, which never is.
fn outcome(request: &Request<'_>) -> Option<(Status, &'static [u8])> {
    let known = request.headers.first(Name::Authorization).is_some();
    match request.method {
        Method::Register if !known => Some((Status::UNAUTHORIZED, b"Unauthorized")),
        Method::Register | Method::Options => Some((Status::OK, b"OK")),
        Method::Ack => None,
        Method::Invite | Method::Bye | Method::Cancel | Method::Notify | Method::Other(_) => {
            Some((Status::METHOD_NOT_ALLOWED, b"Method Not Allowed"))
        }
    }
}

/// RFC 3581 §4: with `rport` back to where the request came from; RFC 3261 §18.2.2: without, to the port in `sent-by`.
fn destination(source: SocketAddr, reliable: bool, via: &Via<'_>) -> SocketAddr {
    if reliable || via.params.find("rport").is_some() {
        return source;
    }
    SocketAddr::new(source.ip(), via.port.unwrap_or(5060))
}

/// RFC 3261 §18.2.1, RFC 3581 §4: the topmost Via with `received` and `rport` filled in.
fn write_top(value: &mut Value<'_>, element: &[u8], via: &Via<'_>, source: SocketAddr) {
    let sent_by = element.len().saturating_sub(via.params.as_bytes().len());
    value.text(element.get(..sent_by).unwrap_or_default());
    let mut asked = false;
    for param in via.params.iter() {
        if param.name.eq_ignore_ascii_case(b"received") {
            continue;
        }
        value.text(b";").text(param.name);
        if param.name.eq_ignore_ascii_case(b"rport") {
            asked = true;
            value.text(b"=").number(source.port());
        } else if let Some(given) = param.value {
            value.text(b"=").text(given);
        }
    }
    let address = source.ip().to_canonical();
    if asked || via.host != Host::Address(address) {
        value.text(b";received=").display(address);
    }
}

/// RFC 3261 §8.2.6.2: From, To with a tag, Call-ID and CSeq, as far as the request has them.
fn echo(writer: &mut Writer<'_>, headers: &Headers<'_>, tag: &[u8]) {
    for (name, header) in [
        (Name::From, "From"),
        (Name::To, "To"),
        (Name::CallId, "Call-ID"),
        (Name::CSeq, "CSeq"),
    ] {
        let Some(given) = headers.first(name) else { continue };
        let untagged = name == Name::To && NameAddr::parse(given).is_ok_and(|to| to.tag().is_none());
        writer.header(header, |value| {
            value.text(given);
            if untagged {
                value.text(b";tag=").text(tag);
            }
        });
    }
}

/// The Contact as it was given, but for the seconds that it has now.
fn write_contact(value: &mut Value<'_>, element: &[u8], contact: &NameAddr<'_>, seconds: u32) {
    let address = element.len().saturating_sub(contact.params.as_bytes().len());
    value.text(element.get(..address).unwrap_or_default());
    for param in contact.params.iter().filter(|param| !param.name.eq_ignore_ascii_case(b"expires")) {
        value.text(b";").text(param.name);
        if let Some(given) = param.value {
            value.text(b"=").text(given);
        }
    }
    value.text(b";expires=").number(seconds);
}

/// Thirty-two hexadecimal digits that another request would not give: nonce and tag. Nobody has to be unable to guess them.
fn stamp(via: &[u8], call_id: &[u8]) -> [u8; 32] {
    let mut digits = [0; 32];
    let hash = u128::from(spread(via)) << 64 | u128::from(spread(call_id));
    for (at, digit) in digits.iter_mut().enumerate() {
        let nibble = (hash >> (4 * at)) & 0xf;
        *digit = *HEX.get(usize::try_from(nibble).unwrap_or(0)).unwrap_or(&b'0');
    }
    digits
}

/// As FNV-1a, but eight bytes at a time.
fn spread(bytes: &[u8]) -> u64 {
    let step = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, word| step(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| step(hash, u64::from(*byte)))
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The methods that are answered with something else than 405.
const ALLOW: &str = "REGISTER, OPTIONS";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEER: &str = "192.0.2.9:40000";

    fn reply(message: &str) -> Option<(SocketAddr, String)> {
        let mut reply = b"old".to_vec();
        let to = Responder::new("r", Algorithm::Sha256, 300).respond(PEER.parse().unwrap(), false, message.as_bytes(), &mut reply)?;
        Some((to, String::from_utf8(reply).unwrap()))
    }

    fn register(lines: &str) -> String {
        format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h:5070;branch=z9hG4bK1;rport\r\nv: SIP/2.0/UDP lower\r\n\
             f: <sip:a@h>;tag=1\r\nt: <sip:a@h>\r\ni: c\r\nCSeq: 7 REGISTER\r\n{lines}\r\n"
        )
    }

    fn confirmed(lines: &str) -> Vec<String> {
        let (_, text) = reply(&register(&format!("Authorization: x\r\n{lines}"))).unwrap();
        assert!(text.starts_with("SIP/2.0 200 OK\r\n"), "{text}");
        let contacts = text.lines().filter_map(|line| line.strip_prefix("Contact: "));
        contacts.map(str::to_owned).collect()
    }

    #[test]
    fn a_register_without_credentials_is_challenged_with_a_nonce_of_its_own() {
        let (to, text) = reply(&register("")).unwrap();
        let (_, again) = reply(&register("").replace("z9hG4bK1", "z9hG4bK2")).unwrap();
        assert_eq!(to, PEER.parse().unwrap());
        assert!(text.starts_with("SIP/2.0 401 Unauthorized\r\n"), "{text}");
        let Message::Response(response) = Message::parse(text.as_bytes()).unwrap() else {
            panic!()
        };
        let challenge = response.headers.challenges().next().unwrap().challenge.unwrap();
        let nonce = challenge.param(b"nonce").unwrap();
        assert_eq!(
            (challenge.param(b"realm"), challenge.param(b"algorithm"), challenge.param(b"qop")),
            (Some(&b"r"[..]), Some(&b"SHA-256"[..]), Some(&b"auth"[..]))
        );
        assert!(nonce.len() == 32 && !again.contains(std::str::from_utf8(nonce).unwrap()));
    }

    #[test]
    fn vias_and_the_dialog_come_back_and_the_sender_is_filled_in() {
        let (_, text) = reply(&register("")).unwrap();
        let lines: Vec<_> = text.lines().skip(1).take(6).collect();
        assert_eq!(lines[0], "Via: SIP/2.0/UDP h:5070;branch=z9hG4bK1;rport=40000;received=192.0.2.9");
        assert_eq!(lines[1..3], ["Via: SIP/2.0/UDP lower", "From: <sip:a@h>;tag=1"]);
        assert!(lines[3].starts_with("To: <sip:a@h>;tag="), "{}", lines[3]);
        assert_eq!(lines[4..6], ["Call-ID: c", "CSeq: 7 REGISTER"]);
    }

    #[test]
    fn without_rport_the_reply_goes_to_the_port_in_the_via() {
        let plain = |via: &str| register("").replace("h:5070;branch=z9hG4bK1;rport", via);
        let (to, text) = reply(&plain("192.0.2.9:5070;received=1.2.3.4")).unwrap();
        assert_eq!(to, "192.0.2.9:5070".parse().unwrap());
        assert!(text.contains("\r\nVia: SIP/2.0/UDP 192.0.2.9:5070\r\n"), "{text}");
        assert_eq!(reply(&plain("other")).unwrap().0, "192.0.2.9:5060".parse().unwrap());
        let mut over = Vec::new();
        let responder = Responder::new("r", Algorithm::Md5, 300);
        let source = PEER.parse().unwrap();
        assert_eq!(responder.respond(source, true, plain("other").as_bytes(), &mut over), Some(source));
    }

    #[test]
    fn every_contact_is_granted_what_it_asks_for_up_to_the_limit() {
        assert_eq!(
            confirmed(
                "Expires: 200\r\nm: \"A\" <sip:a@h;x=1>;+sip.instance=\"<urn:x>\";expires=60;reg-id=1, sip:b@h;q=1\r\nContact: <sip:c@h>;expires=9999\r\n"
            ),
            [
                "\"A\" <sip:a@h;x=1>;+sip.instance=\"<urn:x>\";reg-id=1;expires=60",
                "sip:b@h;q=1;expires=200",
                "<sip:c@h>;expires=300"
            ]
        );
        assert_eq!(confirmed("Contact: <sip:a@h>\r\n"), ["<sip:a@h>;expires=300"]);
    }

    #[test]
    fn what_is_removed_is_not_listed() {
        assert!(confirmed("Contact: *\r\nExpires: 0\r\n").is_empty());
        assert_eq!(
            confirmed("Contact: <sip:a@h>;expires=0, <sip:b@h>;expires=1\r\n"),
            ["<sip:b@h>;expires=1"]
        );
    }

    #[test]
    fn other_methods_are_refused_and_some_messages_never_answered() {
        let as_method = |method: &str| register("").replace("REGISTER", method);
        let (_, options) = reply(&as_method("OPTIONS")).unwrap();
        assert!(options.starts_with("SIP/2.0 200 OK\r\n") && options.contains("\r\nAllow: REGISTER, OPTIONS\r\n"));
        assert!(reply(&as_method("INVITE")).unwrap().1.starts_with("SIP/2.0 405 "));
        assert_eq!(reply(&as_method("ACK")), None);
        for message in [
            "",
            "\r\n\r\n",
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n\r\n",
            "REGISTER sip:h SIP/2.0\r\nTo: x\r\n\r\n",
        ] {
            assert_eq!(reply(message), None, "{message}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_a_reply_is_one_message_for_the_same_transaction(
            noise in prop::collection::vec(any::<u8>(), 0..40),
            at in 0_usize..400,
        ) {
            let mut bytes = register("Authorization: x\r\nContact: <sip:a@h>;expires=9, <sip:b@h>\r\n").into_bytes();
            let at = at.min(bytes.len());
            bytes.splice(at..(at + noise.len() / 2).min(bytes.len()), noise);
            let mut out = Vec::new();
            if Responder::new("r", Algorithm::Md5, 300).respond(PEER.parse().unwrap(), false, &bytes, &mut out).is_some() {
                let Ok(Message::Request(request)) = Message::parse(&bytes) else { panic!("answered no request") };
                let Ok(Message::Response(response)) = Message::parse(&out) else { panic!("wrote no response") };
                let same = |name| response.headers.first(name).map(<[u8]>::len) == request.headers.first(name).map(<[u8]>::len);
                prop_assert!(same(Name::CSeq) && same(Name::CallId) && same(Name::From));
                prop_assert_eq!(response.body, b"");
            }
        }
    }
}
