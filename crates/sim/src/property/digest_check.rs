//! The server's check of credentials accepts what was computed with the password, and nothing that says anything else.

use sip_digest::server::{Expected, Verified, check, names};
use sip_digest::{Algorithm, Challenge, Offers, Qop, Secret};
use sip_message::{ChallengeSource, Credentials, Message, Status, Writer};

use super::draw::Draw;

const EXPECTED: Expected<'_> = Expected {
    realm: b"example.test",
    opaque: None,
    algorithm: Algorithm::Sha256,
    qop: &[Qop::Auth],
    method: b"REGISTER",
    uri: Some(b"sip:example.test"),
    body: b"",
};

/// The parameters that the digest covers, and the digest.
const COVERED: [&[u8]; 7] = [b"username", b"realm", b"nonce", b"cnonce", b"nc", b"qop", b"response"];

/// The bytes are credentials once as they are, and once as changes to good ones.
pub fn digest_check(bytes: &[u8]) {
    let secret = Secret::Password("sesame".into());
    let good = good_credentials(&secret);
    judge(bytes, &good, &secret);
    let mut draw = Draw::new(bytes);
    let mut changed = good.clone();
    while !draw.is_empty() {
        change(&mut changed, &mut draw);
    }
    judge(&changed, &good, &secret);
}

/// Overwrites, inserts, removes or doubles a few bytes.
pub(crate) fn change(text: &mut Vec<u8>, draw: &mut Draw<'_>) {
    let at = usize::from(draw.short()) % (text.len() + 1);
    let end = (at + draw.below(8)).min(text.len());
    match draw.below(4) {
        0 => {
            text.splice(at..end, draw.bytes(8).iter().copied());
        }
        1 => {
            text.splice(at..at, draw.bytes(16).iter().copied());
        }
        2 => {
            text.drain(at..end);
        }
        _ => {
            let doubled = text.get(at..end).unwrap_or_default().to_vec();
            text.splice(at..at, doubled);
        }
    }
}

/// What is accepted says the same as the good ones in everything that the digest covers.
fn judge(bytes: &[u8], good: &[u8], secret: &Secret) {
    let Ok(credentials) = Credentials::parse(bytes) else { return };
    let known = names(&credentials, "alice");
    let verified = check(&credentials, &EXPECTED, "alice", secret);
    let Ok(Verified { qop, nonce_count }) = verified else { return };
    assert_eq!((known, qop, nonce_count), (Ok(true), Some(Qop::Auth), Some(1)));
    let good = Credentials::parse(good).expect("the good ones are readable");
    for name in COVERED {
        let text = |credentials: &Credentials<'_>| credentials.params.text(name).map(|text| text.trim_ascii().to_ascii_lowercase());
        assert_eq!(text(&credentials), text(&good), "{} differs", sip_message::printable(name));
    }
}

/// What a client answers to a challenge of ours.
fn good_credentials(secret: &Secret) -> Vec<u8> {
    let issue = sip_digest::server::Issue {
        realm: EXPECTED.realm,
        nonce: b"00112233445566778899aabbccddeeff",
        opaque: None,
        algorithm: EXPECTED.algorithm,
        qop: EXPECTED.qop,
        stale: false,
        userhash: false,
        utf8: false,
    };
    let mut reply = Vec::new();
    let mut writer = Writer::response(&mut reply, Status::new(401).expect("401 is a status"), b"Unauthorized");
    writer.header("WWW-Authenticate", |value| issue.write_challenge(value)).finish(b"");
    let reply = Message::parse(&reply).expect("what is written can be read");
    let offers = Offers::read(reply.headers());
    let challenge: &Challenge = offers.strongest(ChallengeSource::Www).expect("our own challenge can be answered");
    let answer = sip_digest::Answer {
        nonce_count: 1,
        cnonce: "0a4f113b",
    };
    let request = sip_digest::Request {
        method: EXPECTED.method,
        uri: b"sip:example.test",
        body: b"",
    };
    let mut out = Vec::new();
    Writer::request(&mut out, EXPECTED.method, request.uri)
        .header("Authorization", |value| {
            challenge
                .write_answer(value, &answer, &request, "alice", secret)
                .expect("a password answers everything");
        })
        .finish(b"");
    let message = Message::parse(&out).expect("what is written can be read");
    message
        .headers()
        .first(sip_message::Name::Authorization)
        .expect("it was written")
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_good_credentials_are_good() {
        let secret = Secret::Password("sesame".into());
        let good = good_credentials(&secret);
        let credentials = Credentials::parse(&good).unwrap();
        assert!(check(&credentials, &EXPECTED, "alice", &secret).is_ok());
        assert!(check(&credentials, &EXPECTED, "alice", &Secret::Password("other".into())).is_err());
    }
}
