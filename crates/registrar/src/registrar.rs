//! The registrar as a machine: messages and time go in, replies and events come out (RFC 3261 §8.2, §10.3, §17.2.2). No sockets, no clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use sip_message::{ChallengeSource, Echo, Message, Method, Name, ParseError, Request, Status, Uri, printable};

use crate::aor::Aor;
use crate::authentication::Authenticator;
use crate::draft::Draft;
use crate::faulty::Outcome;
use crate::incoming::Incoming;
use crate::location::Location;
use crate::peer::Outbox;
use crate::script::{Facts, Script};
use crate::transactions::{Repeat, TransactionKey, Transactions};
use crate::{AfterReply, BindingView, Config, Confirmation, Counters, Event, Fault, FaultKind, Peer, Reply};

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
    /// The proxy in front, if there is one.
    pub(crate) edge: Option<Authenticator>,
    pub(crate) script: Script,
    pub(crate) transactions: Transactions,
    outbox: Outbox,
    events: VecDeque<Event>,
}

impl Registrar {
    /// A registrar without bindings. Equal seeds and equal inputs give equal replies; for nonces that nobody can guess the seed
    /// has to be random.
    #[must_use]
    pub fn new(mut config: Config, seed: [u8; 32]) -> Self {
        // A proof can only be wrong where there is one.
        let false_proof = |fault: &Fault| fault.kind == FaultKind::Confirmation(Confirmation::WrongRspauth);
        config.rspauth |= config.faults.iter().any(false_proof);
        let config = Arc::new(config);
        let source = if config.proxy_auth {
            ChallengeSource::Proxy
        } else {
            ChallengeSource::Www
        };
        let edge = |realm: &String| Authenticator::new(Arc::clone(&config), realm, ChallengeSource::Proxy);
        Self {
            random: ChaCha12Rng::from_seed(seed),
            authenticator: Authenticator::new(Arc::clone(&config), &config.realm, source),
            edge: config.edge_realm.as_ref().map(edge),
            script: Script::new(&config.faults),
            location: Location::new(config.max_contacts, config.limits),
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
        if let Some(edge) = &mut self.edge {
            edge.expire(now);
        }
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
        let cx = Incoming {
            now,
            peer,
            request,
            echo,
            facts: Facts::of(request),
        };
        if self.is_lost(&cx) {
            return self.report(&cx, None, String::new());
        }
        let key = (!peer.reliable).then(|| TransactionKey::of(request, &cx.echo));
        match key.as_ref().map_or(Repeat::New, |key| self.transactions.repeat(now, key)) {
            Repeat::New => self.handle_new(&cx, key),
            Repeat::Nothing => self.repeated(&cx),
            Repeat::Bytes(bytes) => {
                self.transmit(&cx, now, AfterReply::KeepOpen, &bytes);
                self.repeated(&cx);
            }
        }
    }

    fn handle_new(&mut self, cx: &Incoming<'_>, key: Option<TransactionKey>) {
        let outcome = match self.instead(cx) {
            Some(outcome) => outcome,
            None => Outcome::Draft(self.answer(cx)),
        };
        let (status, note) = self.account(&outcome);
        self.deliver(cx, key, outcome);
        self.report(cx, status, note);
    }

    /// RFC 3261 §8.2: what is checked of every request before its method counts.
    fn answer(&mut self, cx: &Incoming<'_>) -> Draft {
        let draft = match self.inspect(cx.request) {
            Err(draft) => draft,
            Ok(()) => match cx.request.method {
                Method::Register => self.register(cx).unwrap_or_else(|draft| draft),
                Method::Options => self.capabilities(),
                _ => Draft::new(Status::METHOD_NOT_ALLOWED).field("Allow", ALLOW),
            },
        };
        self.finish(cx.now, draft)
    }

    /// Counts a reply, and says what the log is told about it.
    fn account(&mut self, outcome: &Outcome) -> (Option<u16>, String) {
        let Outcome::Draft(draft) = outcome else {
            return (None, "scripted bytes".to_owned());
        };
        let code = draft.status.code();
        if !matches!(code, 100..=299 | 401 | 407) {
            self.counters.refusals += 1;
        }
        let note = if draft.note.is_empty() {
            printable(&draft.reason)
        } else {
            draft.note.clone()
        };
        (Some(code), note)
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
            Ok(Uri::Tel(_) | Uri::Other(_)) => return Err(Draft::new(Status::UNSUPPORTED_URI_SCHEME)),
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
        Err(Draft::new(Status::BAD_EXTENSION).field("Unsupported", unknown.join(&b", "[..])))
    }

    /// RFC 3261 §11.2.
    fn capabilities(&self) -> Draft {
        let draft = Draft::new(Status::OK).field("Allow", ALLOW).field("Accept", "application/sdp");
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

    pub(crate) fn tag(&mut self) -> String {
        format!("{:016x}", self.random.next_u64())
    }

    pub(crate) fn send(&mut self, now: Instant, due: Instant, peer: Peer, then: AfterReply, bytes: Arc<[u8]>) {
        if !self.outbox.push(now, due, Reply { peer, then }, bytes) {
            self.counters.dropped += 1;
        }
    }

    fn repeated(&mut self, cx: &Incoming<'_>) {
        self.counters.retransmissions += 1;
        self.report(cx, None, "retransmission".to_owned());
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

    /// An event about a request, with the faults that took effect on it.
    fn report(&mut self, cx: &Incoming<'_>, status: Option<u16>, note: String) {
        let mut parts = vec![note];
        parts.extend(self.script.take_fired().into_iter().map(|name| format!("fault {name}")));
        parts.retain(|part| !part.is_empty());
        self.tell(cx.peer, title(cx.request), status, parts.join(", "));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::start;
    use crate::{Limits, User};

    const LIMITS: Limits = Limits {
        bindings: 5,
        binding_bytes: 4000,
        nonces: 4,
        transactions: 6,
        replies: 7,
        reply_bytes: 8000,
        events: 8,
    };

    /// Lines that a hostile client may put together; `|` ends a line.
    const LINES: &[&str] = &[
        "REGISTER sip:h SIP/2.0|",
        "OPTIONS sip:h SIP/2.0|",
        "REGISTER tel:1 SIP/2.0|",
        "SIP/2.0 200 OK|",
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1|",
        "Via: SIP/2.0/UDP h;branch=z9hG4bK2;rport;received=;maddr=1.2.3.4|",
        "Via: SIP/2.0/TCP [::1]:1;branch=x|",
        "Via: ,|",
        "From: <sip:a@h>;tag=1|",
        "To: <sip:alice@h>|",
        "To: <sip:%@h>;tag|",
        "To: \"|",
        "Call-ID: 1|",
        "Call-ID: \u{fffd}|",
        "CSeq: 1 REGISTER|",
        "CSeq: 4294967295 REGISTER|",
        "CSeq: 2 OPTIONS|",
        "Contact: <sip:alice@h>;expires=1|",
        "Contact: <sip:alice@h>;expires=4294967295;+sip.instance=\"<x>\";reg-id=0|",
        "Contact: <sip:a>, <sip:b>, <sip:c>, <sip:d>, <sip:e>, <sip:f>|",
        "Contact: *|",
        "Contact: <tel:1>;q|",
        "Expires: 0|",
        "Expires: 99999999999999|",
        "Path: <sip:p;lr;ob>|",
        "Supported: path, outbound|",
        "Require: x|",
        "Authorization: Digest username=\"alice\", realm=\"regprobe.invalid\", nonce=\"\", uri=\"sip:h\", response=\"\", nc=00000001, cnonce=\"\", qop=auth|",
        "Authorization: Digest username=\"alice|",
        "Proxy-Authorization: Basic x|",
        "|",
        " folded|",
    ];

    fn line() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            20 => prop::sample::select(LINES).prop_map(|line| line.replace('|', "\r\n").into_bytes()),
            1 => prop::collection::vec(any::<u8>(), 0..40),
            1 => (1_usize..3000).prop_map(|length| format!("Call-ID: {}\r\n", "x".repeat(length)).into_bytes()),
        ]
    }

    /// A request that is whole but for the lines added to it, or anything else.
    fn message() -> impl Strategy<Value = Vec<u8>> {
        let whole = "REGISTER sip:h SIP/2.0|Via: SIP/2.0/UDP h;branch=|From: <sip:a@h>|To: <sip:alice@h>|Call-ID: 1|CSeq: 1 REGISTER|";
        let whole = whole.replace('|', "\r\n");
        let added = || prop::collection::vec(line(), 0..12).prop_map(|lines| lines.concat());
        prop_oneof![
            3 => (any::<u16>(), added()).prop_map(move |(branch, lines)| {
                let head = whole.replace("branch=", &format!("branch=z9hG4bK{branch}"));
                [head.as_bytes(), &lines, b"\r\n"].concat()
            }),
            2 => added().prop_map(|lines| [lines.as_slice(), b"\r\n"].concat()),
            1 => prop::collection::vec(any::<u8>(), 0..200),
        ]
    }

    fn fault() -> impl Strategy<Value = Fault> {
        prop::sample::select(Fault::FORMS).prop_map(|(form, _)| form.parse().unwrap())
    }

    fn assert_bounded(registrar: &Registrar) {
        let (bindings, binding_bytes) = registrar.location.held();
        assert!(bindings <= LIMITS.bindings && binding_bytes <= LIMITS.binding_bytes);
        let (transactions, transaction_bytes) = registrar.transactions.held();
        assert!(transactions <= LIMITS.transactions && transaction_bytes <= LIMITS.reply_bytes);
        let (replies, reply_bytes) = registrar.outbox.held();
        assert!(replies <= LIMITS.replies && reply_bytes <= LIMITS.reply_bytes);
        assert!(registrar.authenticator.held() <= LIMITS.nonces);
        assert!(registrar.events.len() <= LIMITS.events);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_grow_beyond_its_limits(
            messages in prop::collection::vec((message(), any::<bool>(), 0_u64..40_000), 1..60),
            faults in prop::collection::vec(fault(), 0..4),
            open in any::<bool>(),
            drained in any::<bool>(),
        ) {
            let users = if open { Vec::new() } else { vec![User::new("alice", sip_digest::Secret::Password("secret".into()))] };
            let config = Config { users, open, faults, limits: LIMITS, min_expires: 1, ..Config::default() };
            let mut registrar = Registrar::new(config, [9; 32]);
            let (mut now, mut out) = (start(), Vec::new());
            for (bytes, reliable, milliseconds) in messages {
                now += std::time::Duration::from_millis(milliseconds);
                let peer = Peer { flow: 1, source: "192.0.2.1:5060".parse().unwrap(), reliable };
                registrar.handle_message(now, peer, &bytes);
                assert_bounded(&registrar);
                while drained && (registrar.poll_reply(&mut out).is_some() || registrar.poll_event().is_some()) {}
            }
            // Everything that waits for its time has one, and is gone a day after.
            now += std::time::Duration::from_secs(86_400);
            registrar.handle_timeout(now);
            prop_assert_eq!(registrar.poll_timeout(), None);
            while registrar.poll_reply(&mut out).is_some() {}
            prop_assert_eq!(registrar.outbox.held(), (0, 0));
            prop_assert_eq!(registrar.location.held(), (0, 0));
            prop_assert_eq!(registrar.transactions.held(), (0, 0));
        }
    }
}
