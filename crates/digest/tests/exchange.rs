//! Client and server against each other, whatever the names, secrets, nonces and bodies are; and against junk.
#![cfg(test)]

use proptest::prelude::*;
use sip_digest::server::{self, Expected, Issue, Proof, Refusal, Verified};
use sip_digest::{Algorithm, Answer, InfoError, Offers, Qop, Request, Secret};
use sip_message::{AuthenticationInfo, ChallengeSource, Credentials, Message, Status, Value, Writer};

/// One account with one challenge and one request.
#[derive(Debug, Clone)]
struct Scene {
    algorithm: Algorithm,
    qop: &'static [Qop],
    userhash: bool,
    utf8: bool,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    username: String,
    password: String,
    method: String,
    uri: String,
    body: Vec<u8>,
    nonce_count: u32,
    cnonce: String,
}

impl Scene {
    fn answer(&self) -> Answer<'_> {
        Answer {
            nonce_count: self.nonce_count,
            cnonce: &self.cnonce,
        }
    }
}

/// Bytes that a server can put between quotes.
fn quotable() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("no line end and no NUL", |byte| !matches!(byte, b'\r' | b'\n' | 0));
    prop::collection::vec(prop_oneof![4 => byte, 1 => prop::sample::select(&b"\"\\, =;<>"[..])], 0..60)
}

/// Any text, control characters included.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..30).prop_map(String::from_iter)
}

fn scene() -> impl Strategy<Value = Scene> {
    let qop: [&'static [Qop]; 4] = [&[], &[Qop::Auth], &[Qop::AuthInt], &[Qop::Auth, Qop::AuthInt]];
    let challenge = (
        prop::sample::select(Algorithm::ALL.to_vec()),
        prop::sample::select(qop.to_vec()),
        any::<(bool, bool)>(),
        quotable(),
        quotable(),
        prop::option::of(quotable()),
    );
    let request = (
        text(),
        text(),
        "[A-Z]{1,12}",
        "sip:[!#-\\[\\]-~]{1,40}",
        prop::collection::vec(any::<u8>(), 0..200),
        (any::<u32>(), "[0-9a-zA-Z+/=]{1,40}"),
    );
    (challenge, request).prop_map(
        |((algorithm, qop, (userhash, utf8), realm, nonce, opaque), (username, password, method, uri, body, (nonce_count, cnonce)))| {
            Scene {
                algorithm,
                qop,
                userhash,
                utf8,
                realm,
                nonce,
                opaque,
                username,
                password,
                method,
                uri,
                body,
                nonce_count,
                cnonce,
            }
        },
    )
}

impl Scene {
    /// The 401 and 407 in one that the server sends.
    fn reply(&self) -> Vec<u8> {
        let issue = |algorithm, nonce| Issue {
            realm: &self.realm,
            nonce,
            opaque: self.opaque.as_deref(),
            algorithm,
            qop: self.qop,
            stale: false,
            userhash: self.userhash,
            utf8: self.utf8,
        };
        let mut out = Vec::new();
        Writer::response(&mut out, Status::new(401).unwrap(), b"Unauthorized")
            .header("WWW-Authenticate", |value| {
                issue(self.algorithm, &self.nonce).write_challenge(value)
            })
            .header("Proxy-Authenticate", |value| {
                issue(Algorithm::Sha256, b"proxy").write_challenge(value)
            })
            .finish(b"");
        out
    }

    /// The request with both answers.
    fn request(&self, secret: &Secret) -> Vec<u8> {
        let reply = self.reply();
        let message = Message::parse(&reply).unwrap();
        let offers = Offers::read(message.headers());
        let request = Request {
            method: self.method.as_bytes(),
            uri: self.uri.as_bytes(),
            body: &self.body,
        };
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, request.method, request.uri);
        for (source, name) in [
            (ChallengeSource::Www, "Authorization"),
            (ChallengeSource::Proxy, "Proxy-Authorization"),
        ] {
            let challenge = offers.strongest(source).unwrap();
            if challenge.can_answer(secret).is_ok() {
                writer.header(name, |value| {
                    challenge
                        .write_answer(value, &self.answer(), &request, &self.username, secret)
                        .unwrap();
                });
            }
        }
        writer.finish(&self.body);
        out
    }

    fn expected(&self, source: ChallengeSource) -> Expected<'_> {
        Expected {
            realm: &self.realm,
            opaque: self.opaque.as_deref(),
            algorithm: match source {
                ChallengeSource::Www => self.algorithm,
                ChallengeSource::Proxy => Algorithm::Sha256,
            },
            qop: self.qop,
            method: self.method.as_bytes(),
            uri: Some(self.uri.as_bytes()),
            body: &self.body,
        }
    }

    fn password(&self) -> Secret {
        Secret::Password(self.password.clone().into())
    }

    fn check(&self, request: &[u8], source: ChallengeSource, expected: &Expected<'_>, secret: &Secret) -> Result<Verified, Refusal> {
        let message = Message::parse(request).unwrap();
        let credentials = message.headers().credentials(source).next().unwrap().unwrap();
        server::check(&credentials, expected, &self.username, secret)
    }
}

/// The header value that `fill` writes.
fn written(fill: impl FnOnce(&mut Value<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::request(&mut out, b"M", b"u").header("A", fill);
    let value = out.strip_prefix(b"M u SIP/2.0\r\nA: ").unwrap();
    value.strip_suffix(b"\r\n").unwrap().to_vec()
}

/// Another value than `bytes`, by one byte.
fn changed(bytes: &[u8], at: prop::sample::Index, by: u8) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let at = at.index(bytes.len());
    changed[at] = changed[at].wrapping_add(by);
    changed
}

proptest! {
    #[test]
    fn every_answer_of_the_client_is_accepted_by_the_server(scene in scene()) {
        let secret = scene.password();
        let request = scene.request(&secret);
        for source in [ChallengeSource::Www, ChallengeSource::Proxy] {
            let qop = scene.qop.first().copied();
            let verified = Verified { qop, nonce_count: qop.map(|_| scene.nonce_count) };
            prop_assert_eq!(scene.check(&request, source, &scene.expected(source), &secret), Ok(verified));
        }
    }

    #[test]
    fn the_server_proves_itself_and_hands_out_the_next_nonce(scene in scene(), body: Vec<u8>, next in quotable()) {
        let secret = scene.password();
        let (reply, request) = (scene.reply(), scene.request(&secret));
        let (reply, request) = (Message::parse(&reply).unwrap(), Message::parse(&request).unwrap());
        let credentials = request.headers().credentials(ChallengeSource::Www).next().unwrap().unwrap();
        let challenge = Offers::read(reply.headers()).strongest(ChallengeSource::Www).unwrap().clone();
        let proof = Proof {
            credentials: &credentials,
            algorithm: scene.algorithm,
            username: &scene.username,
            secret: &secret,
            body: &body,
            next_nonce: Some(&next),
        };
        let verify = |proof: &Proof<'_>| {
            let value = written(|value| proof.write_info(value).unwrap());
            let info = AuthenticationInfo::parse(&value).unwrap();
            challenge.verify_info(&info, &scene.answer(), scene.uri.as_bytes(), &body, &scene.username, &secret)
        };
        let nonce = verify(&proof).unwrap().unwrap();
        let issued = written(|value| { value.quoted(&next); });
        prop_assert_eq!([b"\"", nonce.bytes(), b"\""].concat(), issued);

        let other = Secret::Password(format!("{}x", scene.password).into());
        prop_assert_eq!(verify(&Proof { secret: &other, ..proof }), Err(InfoError::Response));
    }

    #[test]
    fn a_change_of_one_byte_is_refused(scene in scene(), at: prop::sample::Index, by in 1_u8..) {
        let secret = scene.password();
        let request = scene.request(&secret);
        let source = ChallengeSource::Www;
        let expected = scene.expected(source);

        let method = changed(scene.method.as_bytes(), at, by);
        let other = Expected { method: &method, ..expected };
        prop_assert_eq!(scene.check(&request, source, &other, &secret), Err(Refusal::Response));

        if scene.qop == [Qop::AuthInt] && !scene.body.is_empty() {
            let body = changed(&scene.body, at, by);
            let other = Expected { body: &body, ..expected };
            prop_assert_eq!(scene.check(&request, source, &other, &secret), Err(Refusal::Response));
        }
        // Within ASCII, because a password is text.
        if let Ok(password) = String::from_utf8(changed(format!("{}x", scene.password).as_bytes(), at, by)) {
            let extended = Scene { password: format!("{}x", scene.password), ..scene.clone() };
            let request = extended.request(&extended.password());
            let other = Secret::Password(password.into());
            prop_assert_eq!(extended.check(&request, source, &extended.expected(source), &other), Err(Refusal::Response));
        }
    }

    #[test]
    fn a_nonce_or_uri_changed_on_the_way_is_refused(mut scene in scene(), at: prop::sample::Index, place in 0_usize..4) {
        scene.nonce = b"0123456789abcdef".to_vec();
        scene.uri = "sip:0123456789abcdef@example.test".into();
        let secret = scene.password();
        let value = scene.request(&secret);
        let name: &[u8] = [&b", nonce=\""[..], b", uri=\"sip:", b"response=\"", b"nonce=\""][place];
        let start = value.windows(name.len()).position(|window| window == name).unwrap() + name.len();
        let at = start + at.index(16);
        let mut value = value;
        value[at] = if value[at] == b'7' { b'8' } else { b'7' };
        let expected = Expected { uri: None, ..scene.expected(ChallengeSource::Www) };
        prop_assert_eq!(scene.check(&value, ChallengeSource::Www, &expected, &secret), Err(Refusal::Response));
        if place == 1 {
            let expected = scene.expected(ChallengeSource::Www);
            prop_assert_eq!(scene.check(&value, ChallengeSource::Www, &expected, &secret), Err(Refusal::Uri));
        }
    }

    #[test]
    fn another_user_is_refused(scene in scene(), other in text()) {
        prop_assume!(other != scene.username);
        let secret = scene.password();
        let request = scene.request(&secret);
        let stranger = Scene { username: other, ..scene.clone() };
        let source = ChallengeSource::Www;
        prop_assert_eq!(stranger.check(&request, source, &scene.expected(source), &secret), Err(Refusal::Username));
    }

    #[test]
    fn an_answer_is_one_line_and_reads_back_whatever_the_challenge_was(opaque in near_value(), value in junk(), username in text(), password in text()) {
        let opened = b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", opaque=";
        let bytes = [&opened[..], &opaque, b"\r\nWWW-Authenticate: Digest realm=\"r\", ", &value, b"\r\n\r\n"].concat();
        let Ok(message) = Message::parse(&bytes) else { return Ok(()) };
        let answer = Answer { nonce_count: 1, cnonce: "c" };
        let request = Request { method: b"REGISTER", uri: b"sip:r", body: b"" };
        let secret = Secret::Password(password.into());
        for challenge in Offers::read(message.headers()).challenges() {
            let value = written(|value| challenge.write_answer(value, &answer, &request, &username, &secret).unwrap());
            prop_assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
            let credentials = Credentials::parse(&value).unwrap();
            prop_assert_eq!(credentials.param(b"realm"), Some(challenge.realm()));
            prop_assert_eq!(credentials.param(b"nonce"), Some(challenge.nonce()));
            prop_assert_eq!(credentials.param(b"opaque"), challenge.opaque());
            prop_assert_eq!(server::names(&credentials, &username), Ok(true));
        }
    }

    #[test]
    fn no_bytes_make_the_readers_panic(value in junk(), tail: Vec<u8>) {
        let bytes = [&b"SIP/2.0 401 U\r\nWWW-Authenticate: "[..], &value, b"\r\nProxy-Authenticate:", &tail, b"\r\n\r\n"].concat();
        if let Ok(message) = Message::parse(&bytes) {
            let offers = Offers::read(message.headers());
            prop_assert!(!offers.is_empty());
            let shown = format!("{offers:?}{}", offers.offered().concat());
            prop_assert!(!shown.chars().any(char::is_control));
        }
        let secret = Secret::Password("x".into());
        let expected = Expected {
            realm: b"r",
            opaque: None,
            algorithm: Algorithm::Md5,
            qop: &[],
            method: b"REGISTER",
            uri: None,
            body: b"",
        };
        for value in [value.clone(), [b"Digest ", &value[..]].concat(), tail] {
            if let Ok(credentials) = Credentials::parse(&value) {
                prop_assert!(server::check(&credentials, &expected, "u", &secret).is_err());
            }
            if let Ok(info) = AuthenticationInfo::parse(&value) {
                let message = Message::parse(b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n").unwrap();
                let offers = Offers::read(message.headers());
                let answer = Answer { nonce_count: 1, cnonce: "c" };
                let result = offers.challenges()[0].verify_info(&info, &answer, b"sip:r", b"", "u", &secret);
                prop_assert!(info.param(b"rspauth").is_none() || result.is_err());
            }
        }
    }
}

/// A parameter's value, quoted or not, with much of what makes quoting hard.
fn near_value() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec!["\\", "\"", "\\\"", " ", "\r\n ", "\n\t", "\0", "a", "\u{e4}", "\u{1b}"]);
    let value = prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat());
    (value, any::<bool>()).prop_map(|(value, is_quoted)| if is_quoted { format!("\"{value}\"") } else { value }.into_bytes())
}

/// Header bytes that are nearly a challenge, nearly credentials, or nothing at all.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "Digest ",
        "Basic ",
        "realm=",
        "nonce=",
        "opaque=",
        "qop=",
        "algorithm=",
        "stale=",
        "userhash=",
        "charset=",
        "username=",
        "username*=",
        "rspauth=",
        "nextnonce=",
        "nc=",
        "cnonce=",
        "response=",
        "uri=",
        "true",
        "auth",
        "auth-int",
        "MD5",
        "SHA-256-sess",
        "UTF-8",
        "''",
        "%4",
        "\"",
        "\"a\"",
        "\\",
        "\\\"",
        ",",
        ", ",
        "=",
        "\r\n ",
        "\n\t",
        "00000001",
        "x",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    let pair = (
        prop::sample::select(vec![
            "realm",
            "nonce",
            "opaque",
            "qop",
            "algorithm",
            "userhash",
            "charset",
            "username",
        ]),
        prop::collection::vec(any::<u8>(), 0..12),
    )
        .prop_map(|(name, value)| [name.as_bytes(), b"=\"", &value, b"\", "].concat());
    let nonce = Just(b"nonce=\"n\", ".to_vec());
    prop::collection::vec(
        prop_oneof![6 => word, 3 => pair, 2 => nonce, 1 => prop::collection::vec(any::<u8>(), 0..8)],
        0..24,
    )
    .prop_map(|parts| parts.concat())
}
