//! A phone and a laboratory for the tests: requests written by hand, challenges answered with `sip-digest`'s client side, virtual time.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use sip_digest::{Answer, Offers, Request, Secret};
use sip_message::{ChallengeSource, Message, Response, Writer};
use sip_registrar::{AfterReply, Config, Event, Peer, Registrar, Reply, User};

/// The moment that every test starts at.
#[expect(
    clippy::disallowed_methods,
    reason = "an Instant can only be had from the clock; which one it is does not matter"
)]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

pub(crate) fn start() -> Instant {
    *START
}

pub(crate) fn password(text: &str) -> Secret {
    Secret::Password(text.into())
}

/// Alice with `secret` and Bob with `hunter2`.
pub(crate) fn config() -> Config {
    Config {
        realm: "example.test".to_owned(),
        users: vec![User::new("alice", password("secret")), User::new("bob", password("hunter2"))],
        ..Config::default()
    }
}

pub(crate) fn open() -> Config {
    Config { open: true, ..config() }
}

/// A registrar, the time, and one peer.
pub(crate) struct Lab {
    pub(crate) registrar: Registrar,
    pub(crate) now: Instant,
    pub(crate) peer: Peer,
    serial: u32,
}

/// One reply that came out.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) reply: Reply,
    pub(crate) bytes: Vec<u8>,
}

impl Lab {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            registrar: Registrar::new(config, [7; 32]),
            now: start(),
            peer: Peer {
                flow: 1,
                source: "192.0.2.9:40000".parse().unwrap(),
                reliable: false,
            },
            serial: 0,
        }
    }

    pub(crate) fn over_tcp(config: Config) -> Self {
        let mut lab = Self::new(config);
        lab.peer.reliable = true;
        lab
    }

    pub(crate) fn wait(&mut self, time: Duration) -> Vec<Got> {
        self.now += time;
        self.registrar.handle_timeout(self.now);
        self.drain()
    }

    pub(crate) fn send(&mut self, message: impl AsRef<[u8]>) -> Vec<Got> {
        self.registrar.handle_message(self.now, self.peer, message.as_ref());
        self.drain()
    }

    pub(crate) fn drain(&mut self) -> Vec<Got> {
        let mut all = Vec::new();
        let mut bytes = Vec::new();
        while let Some(reply) = self.registrar.poll_reply(&mut bytes) {
            all.push(Got {
                reply,
                bytes: bytes.clone(),
            });
        }
        all
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.registrar.poll_event()).collect()
    }

    /// Sends and expects exactly one reply.
    pub(crate) fn ask(&mut self, message: impl AsRef<[u8]>) -> Got {
        let mut all = self.send(message);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// A REGISTER of `phone` with a new branch and CSeq, and these headers beside the usual ones.
    pub(crate) fn request(&mut self, phone: &mut Phone, headers: &str) -> String {
        self.serial += 1;
        phone.cseq += 1;
        phone.request("REGISTER", &format!("z9hG4bK{}", self.serial), headers)
    }

    /// One REGISTER without credentials.
    pub(crate) fn register(&mut self, phone: &mut Phone, headers: &str) -> Got {
        let request = self.request(phone, headers);
        self.ask(request)
    }

    /// A REGISTER that answers the challenge of `to` with this password.
    pub(crate) fn answer(&mut self, phone: &mut Phone, to: &Got, secret: &str, headers: &str) -> Got {
        let credentials = credentials(phone, to, secret, 1);
        self.register(phone, &format!("{credentials}{headers}"))
    }

    /// The whole dance: REGISTER, challenge, REGISTER with the answer.
    pub(crate) fn register_with(&mut self, phone: &mut Phone, secret: &str, headers: &str) -> Got {
        let challenge = self.register(phone, headers);
        self.answer(phone, &challenge, secret, headers)
    }
}

/// Someone who registers.
#[derive(Debug, Clone)]
pub(crate) struct Phone {
    pub(crate) user: &'static str,
    pub(crate) auth_user: &'static str,
    pub(crate) call_id: &'static str,
    pub(crate) cseq: u32,
}

impl Phone {
    pub(crate) fn new(user: &'static str) -> Self {
        Self {
            user,
            auth_user: user,
            call_id: "call-1",
            cseq: 0,
        }
    }

    pub(crate) fn request(&self, method: &str, branch: &str, headers: &str) -> String {
        let Self { user, call_id, cseq, .. } = self;
        format!(
            "{method} sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:40000;rport;branch={branch}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@example.test>;tag=f\r\nTo: <sip:{user}@example.test>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
             {headers}\r\n"
        )
    }
}

pub(crate) const CONTACT: &str = "Contact: <sip:alice@192.0.2.9:40000>\r\n";

/// The Authorization or Proxy-Authorization line that answers the strongest challenge of a reply.
pub(crate) fn credentials(phone: &Phone, to: &Got, secret: &str, nonce_count: u32) -> String {
    let response = to.response();
    let offers = Offers::read(&response.headers);
    let (challenge, name) = [
        (ChallengeSource::Www, "Authorization"),
        (ChallengeSource::Proxy, "Proxy-Authorization"),
    ]
    .into_iter()
    .find_map(|(source, name)| Some((offers.strongest(source)?, name)))
    .unwrap_or_else(|| panic!("no usable challenge: {to:?}"));
    let request = Request {
        method: b"REGISTER",
        uri: b"sip:example.test",
        body: b"",
    };
    let answer = Answer {
        nonce_count,
        cnonce: "c0ffee",
    };
    let mut out = Vec::new();
    Writer::request(&mut out, b"X", b"x").header(name, |value| {
        challenge
            .write_answer(value, &answer, &request, phone.auth_user, &password(secret))
            .unwrap();
    });
    let text = String::from_utf8(out).unwrap();
    text.split_once("\r\n").unwrap().1.to_owned()
}

impl Got {
    pub(crate) fn response(&self) -> Response<'_> {
        match Message::parse(&self.bytes) {
            Ok(Message::Response(response)) => response,
            other => panic!("{other:?}: {self:?}"),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn code(&self) -> u16 {
        self.response().status.code()
    }

    pub(crate) fn reason(&self) -> String {
        String::from_utf8_lossy(self.response().reason).into_owned()
    }

    /// The first header of this name; panics when there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        self.find(name).unwrap_or_else(|| panic!("no {name}: {}", self.text()))
    }

    pub(crate) fn find(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let response = self.response();
        let fields = response.headers.iter().filter(|field| field.raw_name == name.as_bytes());
        fields.map(|field| String::from_utf8_lossy(field.value).into_owned()).collect()
    }

    pub(crate) fn closes(&self) -> bool {
        self.reply.then == AfterReply::Close
    }
}
