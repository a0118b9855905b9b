//! Whatever a challenge says, it is either refused or answered in one readable header that the server's side accepts.

use sip_digest::server::{Expected, check};
use sip_digest::{Answer, Challenge, Offers, Request, Secret};
use sip_message::{ChallengeSource, Headers, Message, Writer, unfold, unquote};

use super::draw::{Draw, PASSWORD, shows_password};

const METHOD: &[u8] = b"REGISTER";
const URI: &[u8] = b"sip:example.test";

/// The bytes become the challenges of a 401, as they come: line breaks in them make further headers.
pub fn challenge(bytes: &[u8]) {
    if shows_password(bytes) {
        return;
    }
    let mut draw = Draw::new(bytes);
    let username = draw.text(24);
    let names: [&[u8]; 2] = [b"WWW-Authenticate: ", b"Proxy-Authenticate: "];
    let name = draw.pick(&names);
    let reply = [b"SIP/2.0 401 Unauthorized\r\n", name, draw.rest(), b"\r\n\r\n"].concat();
    let Ok(message) = Message::parse(&reply) else { return };
    let offers = Offers::read(message.headers());
    assert!(offers.offered().iter().all(|name| !name.contains(char::is_control)));
    assert!(offers.challenges().len() + offers.errors().len() <= 64);
    for source in [ChallengeSource::Www, ChallengeSource::Proxy] {
        let strongest = offers.strongest(source).map(Challenge::algorithm);
        assert_eq!(
            strongest,
            offers
                .challenges()
                .iter()
                .filter(|challenge| challenge.source() == source)
                .map(Challenge::algorithm)
                .max()
        );
    }
    for challenge in offers.challenges() {
        answer(challenge, &username);
    }
}

fn answer(challenge: &Challenge, username: &str) {
    let secret = Secret::Password(PASSWORD.into());
    let answer = Answer {
        nonce_count: 1,
        cnonce: "0123456789abcdef",
    };
    let request = Request {
        method: METHOD,
        uri: URI,
        body: b"",
    };
    let mut out = Vec::new();
    let mut written = Ok(());
    let mut writer = Writer::request(&mut out, METHOD, URI);
    writer.header("Authorization", |value| {
        written = challenge.write_answer(value, &answer, &request, username, &secret);
    });
    writer.finish(b"");
    written.expect("a password answers every challenge that was accepted");
    let message = Message::parse(&out).expect("a request with an answer is a message");
    let plain = message.headers();
    assert!(
        plain.len() <= 2,
        "an answer is one header, and nothing but Content-Length stands beside it"
    );
    assert!(!shows_password(&out), "the password went out");
    verify(challenge, plain, username, &secret);
}

/// The server's side comes to the same digest.
fn verify(challenge: &Challenge, headers: &Headers<'_>, username: &str, secret: &Secret) {
    let credentials = headers
        .credentials(ChallengeSource::Www)
        .next()
        .expect("the answer is there")
        .expect("the answer is readable");
    assert_eq!(
        credentials.params.text(b"nonce").map(|nonce| unfold(&nonce).into_owned()),
        Some(plain(challenge.nonce()))
    );
    let realm = plain(challenge.realm());
    let qop: Vec<_> = challenge.qop().into_iter().collect();
    let expected = Expected {
        realm: &realm,
        opaque: None,
        algorithm: challenge.algorithm(),
        qop: &qop,
        method: METHOD,
        uri: Some(URI),
        body: b"",
    };
    let verified = check(&credentials, &expected, username, secret);
    assert!(
        verified.is_ok(),
        "{verified:?}: {}",
        sip_message::printable(headers.iter().next().map_or(b"", |field| field.value))
    );
}

/// What stands between quotes, without its escapes.
fn plain(between: &[u8]) -> Vec<u8> {
    unquote(&[b"\"", between, b"\""].concat()).into_owned()
}
