//! The registrar as a machine: messages and time go in, replies and events come out (RFC 3261 §8.2, §10.3, §17.2.2). No sockets, no clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use sip_message::{ChallengeSource, Message, Method, Name, ParseError, Request, Uri, printable};

use crate::aor::Aor;
use crate::authentication::Authenticator;
use crate::draft::{Answer, Draft};
use crate::echo::{Echo, ViaChanges};
use crate::location::Location;
use crate::peer::Outbox;
use crate::transactions::{Repeat, Replies, TransactionKey, Transactions};
use crate::{AfterReply, BindingView, Config, Counters, Event, Peer, Reply};

/// A registrar. Feed it with [`handle_message`](Self::handle_message) and [`handle_timeout`](Self::handle_timeout), then drain
/// [`poll_reply`](Self::poll_reply) and [`poll_event`](Self::poll_event) until they are empty, and come back at
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Registrar {
    pub(crate) config: Arc<Config>,
    pub(crate) random: ChaCha12Rng,
    pub(crate) authenticator: Authenticator,
    pub(crate) location: Location,
    pub(crate) counters: Counters,
    transactions: Transactions,
    outbox: Outbox,
    events: VecDeque<Event>,
}

impl Registrar {
    /// A registrar without bindings. Equal seeds and equal inputs give equal replies; for nonces that nobody can guess the seed
    /// has to be random.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let config = Arc::new(config);
        Self {
            random: ChaCha12Rng::from_seed(seed),
            authenticator: Authenticator::new(Arc::clone(&config)),
            location: Location::new(config.max_contacts, config.limits.bindings),
            counters: Counters::default(),
            transactions: Transactions::new(config.limits),
            outbox: Outbox::new(config.limits),
            events: VecDeque::new(),
            config,
        }
    }

    /// Takes one whole message from `peer`: a datagram, or what a framer cut out of a stream. A stream's keep-alive ping
    /// (`CR LF CR LF`, RFC 5626 §4.4.1) may be handed over as well and is answered.
    pub fn handle_message(&mut self, now: Instant, peer: Peer, bytes: &[u8]) {
        self.handle_timeout(now);
        match Message::parse(bytes) {
            Ok(Message::Request(request)) => self.handle_request(now, peer, &request),
            Ok(Message::Response(response)) => self.ignore(peer, format!("response {}", response.status.code()), "not ours to answer"),
            Err(ParseError::Empty) => self.handle_keep_alive(now, peer, bytes),
            Err(error) => self.ignore(peer, "unreadable message".to_owned(), &error.to_string()),
        }
    }

    /// Lets time pass: delayed replies become due, bindings, nonces and transactions end.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.outbox.release(now);
        self.location.expire(now);
        self.transactions.expire(now);
        self.authenticator.expire(now);
    }

    /// The next reply to send; its bytes replace what is in `out`. There are none when the flow is only to be closed.
    pub fn poll_reply(&mut self, out: &mut Vec<u8>) -> Option<Reply> {
        let (reply, bytes) = self.outbox.pop()?;
        out.clear();
        out.extend_from_slice(&bytes);
        Some(reply)
    }

    /// The next line for a log.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` when nothing is going to happen by itself.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.outbox.next_at(), self.location.next_at(), self.transactions.next_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The bindings of an address of record, the oldest first; `sip:alice@example.test` or `alice@example.test`.
    #[must_use]
    pub fn bindings(&self, aor: &str) -> Vec<BindingView> {
        let bindings = Aor::from_text(aor).map(|aor| self.location.bindings(&aor));
        bindings.unwrap_or_default().iter().map(crate::location::Binding::view).collect()
    }

    /// The running totals.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    fn handle_request(&mut self, now: Instant, peer: Peer, request: &Request<'_>) {
        self.counters.requests += 1;
        let Some(echo) = Echo::read(request) else {
            return self.ignore(peer, title(request), "no readable Via to answer to");
        };
        if request.method == Method::Ack {
            return self.ignore(peer, title(request), "an ACK is never answered");
        }
        let key = (!peer.reliable).then(|| TransactionKey::of(request, &echo));
        match key.as_ref().map_or(Repeat::New, |key| self.transactions.repeat(now, key)) {
            Repeat::New => {}
            Repeat::Nothing => return self.repeated(peer, request),
            Repeat::Bytes(bytes) => {
                self.repeated(peer, request);
                return self.send(now, now, echo.destination(peer), AfterReply::KeepOpen, bytes);
            }
        }
        let draft = self.answer(now, peer, request, &echo);
        self.reply(now, peer, request, &echo, key, draft);
    }

    /// RFC 3261 §8.2: what is checked of every request before its method counts.
    fn answer(&mut self, now: Instant, peer: Peer, request: &Request<'_>, echo: &Echo<'_>) -> Draft {
        let draft = match self.inspect(request) {
            Err(draft) => draft,
            Ok(()) => match request.method {
                Method::Register => self.register(now, peer, request, echo).unwrap_or_else(|draft| draft),
                Method::Options => self.capabilities(),
                _ => Draft::new(Answer::METHOD_NOT_ALLOWED).field("Allow", ALLOW),
            },
        };
        self.finish(now, draft)
    }

    fn inspect(&self, request: &Request<'_>) -> Result<(), Draft> {
        let headers = &request.headers;
        let whole = |present: bool, phrase| if present { Ok(()) } else { Err(Draft::bad_request(phrase)) };
        whole(headers.call_id().is_some_and(|call_id| !call_id.is_empty()), "Missing Call-ID")?;
        whole(headers.from().is_some(), "Missing From")?;
        whole(
            headers.from().is_some_and(|from| from.is_ok_and(|from| from.uri().is_ok())),
            "Malformed From",
        )?;
        whole(headers.to().is_some(), "Missing To")?;
        whole(headers.to().is_some_and(|to| to.is_ok_and(|to| to.uri().is_ok())), "Malformed To")?;
        let cseq = headers.cseq().ok_or_else(|| Draft::bad_request("Missing CSeq"))?;
        let cseq = cseq.map_err(|_| Draft::bad_request("Malformed CSeq"))?;
        whole(cseq.method == request.method, "CSeq Names Another Method")?;
        match Uri::parse(request.uri) {
            Ok(Uri::Sip(_)) => {}
            Ok(Uri::Tel(_) | Uri::Other(_)) => return Err(Draft::new(Answer::UNSUPPORTED_URI_SCHEME)),
            Err(_) => return Err(Draft::bad_request("Malformed Request-URI")),
        }
        self.understand(request)
    }

    /// RFC 3261 §8.2.2.3: an option that is required but not supported.
    fn understand(&self, request: &Request<'_>) -> Result<(), Draft> {
        let supported: Vec<_> = self.options().split(", ").collect();
        let unknown: Vec<_> = request
            .headers
            .list(Name::Require)
            .filter(|option| !supported.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(option)))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Draft::new(Answer::BAD_EXTENSION).field("Unsupported", unknown.join(&b", "[..])))
    }

    /// RFC 3261 §11.2.
    fn capabilities(&self) -> Draft {
        let draft = Draft::new(Answer::OK).field("Allow", ALLOW).field("Accept", "application/sdp");
        match self.options() {
            "" => draft,
            options => draft.field("Supported", options),
        }
    }

    /// The option tags that are supported, as a header lists them.
    pub(crate) fn options(&self) -> &'static str {
        match (self.config.path, self.config.outbound) {
            (true, true) => "path, outbound",
            (true, false) => "path",
            (false, true) => "outbound",
            (false, false) => "",
        }
    }

    /// A 401 or 407 with one challenge for each algorithm.
    pub(crate) fn challenge(&mut self, now: Instant, stale: bool) -> Draft {
        let values = self.authenticator.challenges(now, &mut self.random, stale);
        self.challenge_with(values)
    }

    fn challenge_with(&mut self, values: Vec<Vec<u8>>) -> Draft {
        self.counters.challenges += 1;
        let (answer, name) = match self.authenticator.source() {
            ChallengeSource::Www => (Answer::UNAUTHORIZED, "WWW-Authenticate"),
            ChallengeSource::Proxy => (Answer::PROXY_AUTHENTICATION_REQUIRED, "Proxy-Authenticate"),
        };
        values.into_iter().fold(Draft::new(answer), |draft, value| draft.field(name, value))
    }

    /// What every reply has.
    fn finish(&self, now: Instant, mut draft: Draft) -> Draft {
        if let Some(clock) = self.config.clock {
            let elapsed = now.saturating_duration_since(clock.at).as_secs();
            draft = draft.field("Date", crate::date::rfc1123(clock.unix_seconds.saturating_add(elapsed)));
        }
        match self.config.server.as_str() {
            "" => draft,
            server => draft.field("Server", server),
        }
    }

    fn reply(&mut self, now: Instant, peer: Peer, request: &Request<'_>, echo: &Echo<'_>, key: Option<TransactionKey>, draft: Draft) {
        let tag = format!("{:016x}", self.random.next_u64());
        let bytes: Arc<[u8]> = draft.print(peer, echo, &ViaChanges::default(), &tag).into();
        let code = draft.status.code();
        if !matches!(code, 200..=299 | 401 | 407) {
            self.counters.refusals += 1;
        }
        if let Some(key) = key {
            let replies = Replies {
                provisional: None,
                last: Some((now, Arc::clone(&bytes))),
            };
            self.transactions.insert(now, key, replies);
        }
        let note = if draft.note.is_empty() {
            printable(&draft.reason)
        } else {
            draft.note
        };
        self.tell(peer, title(request), Some(code), note);
        self.send(now, now, echo.destination(peer), AfterReply::KeepOpen, bytes);
    }

    fn send(&mut self, now: Instant, due: Instant, peer: Peer, then: AfterReply, bytes: Arc<[u8]>) {
        if !self.outbox.push(now, due, Reply { peer, then }, bytes) {
            self.counters.dropped += 1;
        }
    }

    fn repeated(&mut self, peer: Peer, request: &Request<'_>) {
        self.counters.retransmissions += 1;
        self.tell(peer, title(request), None, "retransmission".to_owned());
    }

    /// RFC 5626 §4.4.1: a ping on a stream is answered with a single CR LF; a datagram's keep-alive with nothing.
    fn handle_keep_alive(&mut self, now: Instant, peer: Peer, bytes: &[u8]) {
        self.counters.ignored += 1;
        if peer.reliable && bytes == b"\r\n\r\n" {
            self.send(now, now, peer, AfterReply::KeepOpen, b"\r\n"[..].into());
        }
    }

    fn ignore(&mut self, peer: Peer, what: String, why: &str) {
        self.counters.ignored += 1;
        self.tell(peer, what, None, why.to_owned());
    }

    fn tell(&mut self, peer: Peer, request: String, status: Option<u16>, note: String) {
        if self.events.len() < self.config.limits.events {
            self.events.push_back(Event {
                peer,
                request,
                status,
                note,
            });
        }
    }
}

/// The methods that are answered with something else than 405.
const ALLOW: &str = "REGISTER, OPTIONS";

/// The longest part of a request that an event shows, in bytes.
const LONGEST_SHOWN: usize = 256;

/// Method and address of record, for people.
fn title(request: &Request<'_>) -> String {
    let cut = |bytes: &[u8]| printable(bytes.get(..LONGEST_SHOWN).unwrap_or(bytes));
    let to = request.headers.to().and_then(Result::ok).map_or(request.uri, |to| to.raw_uri);
    format!("{} {}", cut(request.method.as_bytes()), cut(to))
}
