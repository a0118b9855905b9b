//! Another implementation computes the same digests: `digest_auth`, which shares no code with ours, not even the hash functions' versions.
//! It verifies our answers and our server's proof, and our server verifies its answers, for every algorithm, protection, hashed name and
//! name beyond ASCII. Where the two cannot agree is said at the end. What RFC 2617 and RFC 7616 print is in `vectors.rs`.
#![cfg(test)]

use digest_auth::{AuthContext, AuthorizationHeader, Charset, HttpMethod, WwwAuthenticateHeader};
use proptest::prelude::*;
use sip_digest::server::{self, Expected, Issue, Proof, Refusal};
use sip_digest::{Algorithm, Answer, Challenge, Offers, Qop, Request, Secret};
use sip_message::{AuthenticationInfo, ChallengeSource, Credentials, Message, Status, Value, Writer};

/// One account, one challenge, one request.
#[derive(Debug, Clone)]
struct Scene {
    algorithm: Algorithm,
    qop: Option<Qop>,
    userhash: bool,
    utf8: bool,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    username: String,
    password: String,
    method: String,
    uri: String,
    body: Vec<u8>,
    nonce_count: u32,
    cnonce: String,
}

/// Scenes with realms and names in any script.
fn scenes() -> impl Strategy<Value = Scene> {
    scenes_with("[ !#-\\[\\]-~äøЖ大\u{1f4de}]{0,20}", "[ -~äøЖ大\u{1f4de}]{1,12}")
}

/// Scenes in ASCII: its reader counts characters where it should count bytes, and so knows no other.
fn ascii_scenes() -> impl Strategy<Value = Scene> {
    scenes_with("[ !#-\\[\\]-~]{0,20}", "[ -~]{1,12}")
}

/// What these expressions match becomes realm and username. A backslash or quote in a realm is a case of its own, at the end.
fn scenes_with(realm: &'static str, username: &'static str) -> impl Strategy<Value = Scene> {
    let challenge = (
        prop::sample::select(Algorithm::ALL.to_vec()),
        prop::sample::select(vec![None, Some(Qop::Auth), Some(Qop::AuthInt)]),
        any::<(bool, bool)>(),
        realm,
        "[!#-\\[\\]-~]{1,40}",
        prop::option::of("[ !#-\\[\\]-~]{0,20}"),
    );
    let request = (
        username,
        "\\PC{0,20}",
        "[A-Z]{1,12}",
        "sip:[!#-\\[\\]-~]{1,40}",
        prop::collection::vec(any::<u8>(), 0..100),
        (1..u32::MAX, "[0-9a-zA-Z+/=]{1,40}"),
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
    fn secret(&self) -> Secret {
        Secret::Password(self.password.clone().into())
    }

    fn qops(&self) -> &[Qop] {
        self.qop.as_slice()
    }

    /// Our server's challenge: the value of WWW-Authenticate.
    fn issued(&self) -> String {
        let issue = Issue {
            realm: self.realm.as_bytes(),
            nonce: self.nonce.as_bytes(),
            opaque: self.opaque.as_deref().map(str::as_bytes),
            algorithm: self.algorithm,
            qop: self.qops(),
            stale: false,
            userhash: self.userhash,
            utf8: self.utf8,
        };
        written(|value| issue.write_challenge(value))
    }

    /// The same challenge as our client reads it.
    fn challenge(&self) -> Challenge {
        let mut reply = Vec::new();
        Writer::response(&mut reply, Status::new(401).unwrap(), b"Unauthorized")
            .header("WWW-Authenticate", |value| {
                value.text(self.issued().as_bytes());
            })
            .finish(b"");
        let reply = Message::parse(&reply).unwrap();
        Offers::read(reply.headers()).strongest(ChallengeSource::Www).unwrap().clone()
    }

    /// The same challenge as the other implementation has it.
    fn theirs(&self) -> WwwAuthenticateHeader {
        WwwAuthenticateHeader {
            domain: None,
            realm: self.realm.clone(),
            nonce: self.nonce.clone(),
            opaque: self.opaque.clone(),
            stale: false,
            algorithm: self.algorithm.name().parse().unwrap(),
            qop: self.qop.map(|qop| vec![qop.name().parse().unwrap()]),
            userhash: self.userhash,
            charset: if self.utf8 { Charset::UTF8 } else { Charset::ASCII },
            nc: self.nonce_count - 1,
        }
    }

    fn context<'a>(&'a self, method: &'a str, body: &'a [u8]) -> AuthContext<'a> {
        let mut context = AuthContext::new_with_method(&*self.username, &*self.password, &*self.uri, Some(body), HttpMethod::from(method));
        context.set_custom_cnonce(&*self.cnonce);
        context
    }

    fn answer(&self) -> Answer<'_> {
        Answer {
            nonce_count: self.nonce_count,
            cnonce: &self.cnonce,
        }
    }

    /// Our client's answer: the value of Authorization.
    fn answered(&self) -> String {
        let request = Request {
            method: self.method.as_bytes(),
            uri: self.uri.as_bytes(),
            body: &self.body,
        };
        let challenge = self.challenge();
        written(|value| {
            challenge
                .write_answer(value, &self.answer(), &request, &self.username, &self.secret())
                .unwrap()
        })
    }

    /// What the other implementation computes from what stands in our answer, and from the account. RFC 7616 §3.5: with an empty method
    /// and the reply's body, that is the server's proof.
    fn recomputed(&self, answered: &str, method: &str, body: &[u8]) -> AuthorizationHeader {
        let credentials = Credentials::parse(answered.as_bytes()).unwrap();
        let param = |name: &str| {
            credentials
                .param(name.as_bytes())
                .map(|value| String::from_utf8(value.to_vec()).unwrap())
        };
        let mut header = AuthorizationHeader {
            realm: param("realm").unwrap(),
            nonce: param("nonce").unwrap(),
            opaque: param("opaque"),
            userhash: param("userhash").as_deref() == Some("true"),
            algorithm: param("algorithm").unwrap().parse().unwrap(),
            response: String::new(),
            username: String::new(),
            uri: param("uri").unwrap(),
            qop: param("qop").map(|qop| qop.parse().unwrap()),
            cnonce: param("cnonce").or_else(|| Some(self.cnonce.clone())),
            nc: param("nc").map_or(self.nonce_count, |count| u32::from_str_radix(&count, 16).unwrap()),
        };
        header.digest(&self.context(method, body));
        header
    }

    fn checked(&self, credentials: &str) -> Result<Option<u32>, Refusal> {
        let expected = Expected {
            realm: self.realm.as_bytes(),
            opaque: self.opaque.as_deref().map(str::as_bytes),
            algorithm: self.algorithm,
            qop: self.qops(),
            method: self.method.as_bytes(),
            uri: Some(self.uri.as_bytes()),
            body: &self.body,
        };
        let credentials = Credentials::parse(credentials.as_bytes()).unwrap();
        server::check(&credentials, &expected, &self.username, &self.secret()).map(|verified| verified.nonce_count)
    }
}

/// The header value that `fill` writes.
fn written(fill: impl FnOnce(&mut Value<'_>)) -> String {
    let mut out = Vec::new();
    Writer::request(&mut out, b"M", b"u").header("A", fill);
    let text = String::from_utf8(out).unwrap();
    text.split_once("\r\nA: ").unwrap().1.trim_end_matches("\r\n").to_owned()
}

fn param(value: &str, name: &str) -> Option<String> {
    let credentials = Credentials::parse(value.as_bytes()).unwrap();
    credentials
        .param(name.as_bytes())
        .map(|value| String::from_utf8(value.to_vec()).unwrap())
}

proptest! {
    // 1024, unless `PROPTEST_CASES` says otherwise: 36 combinations and as many accounts.
    #![proptest_config(ProptestConfig { cases: 4 * ProptestConfig::default().cases, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_computes_what_our_client_answers(scene in scenes()) {
        let answered = scene.answered();
        let theirs = scene.recomputed(&answered, &scene.method, &scene.body);
        prop_assert_eq!(param(&answered, "response"), Some(theirs.response), "{}", answered);
        if scene.userhash {
            prop_assert_eq!(param(&answered, "username"), Some(theirs.username), "{}", answered);
        }
        let wrong = scene.recomputed(&answered, &format!("{}X", scene.method), &scene.body);
        prop_assert_ne!(param(&answered, "response"), Some(wrong.response));
    }

    #[test]
    fn it_reads_and_verifies_what_our_client_writes(scene in ascii_scenes()) {
        if scene.algorithm.is_session() && scene.qop.is_none() {
            // Its reader drops a cnonce that comes without protection.
            return Ok(());
        }
        let answered = scene.answered();
        let ours: AuthorizationHeader = answered.parse().unwrap();
        let mut theirs = ours.clone();
        theirs.digest(&scene.context(&scene.method, &scene.body));
        prop_assert_eq!(&theirs.response, &ours.response, "{}", answered);
        prop_assert_eq!(&theirs.username, &ours.username, "{}", answered);
    }

    #[test]
    fn our_server_verifies_what_it_answers(scene in scenes()) {
        let header = scene.theirs().respond(&scene.context(&scene.method, &scene.body)).unwrap().to_header_string();
        let verified = scene.checked(&header);
        if scene.algorithm.is_session() && scene.qop.is_none() {
            // RFC 7616 §3.4.2: A1 of a session needs the cnonce, and it sends none; nor does it name MD5-sess. Nobody could verify that.
            let refusal = if scene.algorithm == Algorithm::Md5Sess { Refusal::Algorithm } else { Refusal::Missing("cnonce") };
            prop_assert_eq!(verified, Err(refusal));
            return Ok(());
        }
        prop_assert_eq!(verified, Ok(scene.qop.map(|_| scene.nonce_count)), "{}", header);
        let other = Scene { password: format!("{}x", scene.password), ..scene.clone() };
        prop_assert_eq!(other.checked(&header), Err(Refusal::Response));
        let other = Scene { method: format!("{}X", scene.method), ..scene };
        prop_assert_eq!(other.checked(&header), Err(Refusal::Response));
    }

    #[test]
    fn it_reads_the_challenge_of_our_server(scene in ascii_scenes()) {
        let issued = scene.issued();
        let read: WwwAuthenticateHeader = issued.parse().unwrap();
        prop_assert_eq!(read, WwwAuthenticateHeader { nc: 0, ..scene.theirs() }, "{}", issued);
    }

    #[test]
    fn it_computes_the_proof_of_our_server_and_our_client_takes_its(scene in scenes(), reply_body: Vec<u8>) {
        let answered = scene.answered();
        let theirs = scene.recomputed(&answered, "", &reply_body).response;
        let credentials = Credentials::parse(answered.as_bytes()).unwrap();
        let secret = scene.secret();
        let proof = Proof {
            credentials: &credentials,
            algorithm: scene.algorithm,
            username: &scene.username,
            secret: &secret,
            body: &reply_body,
            next_nonce: None,
        };
        let info = written(|value| proof.write_info(value).unwrap());
        let ours = AuthenticationInfo::parse(info.as_bytes()).unwrap();
        prop_assert_eq!(ours.param(b"rspauth"), Some(theirs.as_bytes()), "{}", info);

        let info = format!("rspauth=\"{theirs}\"");
        let info = AuthenticationInfo::parse(info.as_bytes()).unwrap();
        prop_assert_eq!(scene.challenge().verify_info(&info, &scene.answer(), scene.uri.as_bytes(), &reply_body, &scene.username, &secret), Ok(None));
    }
}

/// The one digest on which the two differ. RFC 7616 §3.3: `unq` takes the quotes off a quoted string and nothing else, so we hash the
/// bytes as they stand between them; it resolves the escapes first.
#[test]
fn a_realm_with_an_escape_is_hashed_as_it_stands_and_there_resolved() {
    for (realm, same) in [("plain", true), ("a \\ b", false), ("a \"b\"", false)] {
        let scene = Scene {
            algorithm: Algorithm::Sha256,
            qop: Some(Qop::Auth),
            userhash: false,
            utf8: false,
            realm: realm.to_owned(),
            nonce: "n".to_owned(),
            opaque: None,
            username: "alice".to_owned(),
            password: "secret".to_owned(),
            method: "REGISTER".to_owned(),
            uri: "sip:h".to_owned(),
            body: Vec::new(),
            nonce_count: 1,
            cnonce: "c".to_owned(),
        };
        let ours = scene.answered();
        let theirs: AuthorizationHeader = ours.parse().unwrap();
        let mut computed = theirs.clone();
        computed.digest(&scene.context("REGISTER", b""));
        assert_eq!(computed.response == theirs.response, same, "{realm}");
        // What it computes from the bytes as they stand is what we compute.
        let raw = scene.recomputed(&ours, "REGISTER", b"");
        assert_eq!(param(&ours, "response"), Some(raw.response), "{realm}");
    }
}
