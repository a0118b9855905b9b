//! What went over the wire, each message with what was decided about it, for who wants to look on. Nothing of it is kept before
//! [`Registrant::tap`]. Not for the words themselves: they are those of the ladder (`report/decision.rs`).

use std::collections::VecDeque;
use std::net::SocketAddr;

use sip_message::{FrameError, ParseError, Request, Response, Status};

use super::Registrant;
use crate::attempt::Attempt;
use crate::outputs::Event;
use crate::registration::Registration;
use crate::report::Direction;
use crate::transaction::Stray;
use crate::{FlowId, Key, Transmit, Transport};

/// A message as it went or came: one datagram, or what a stream was cut into. Secrets are still in it ([`crate::redacted`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tapped {
    /// Which way.
    pub direction: Direction,
    /// By what.
    pub transport: Transport,
    /// Our own address.
    pub local: SocketAddr,
    /// The other side's.
    pub remote: SocketAddr,
    /// The bytes, in clear also where TLS carried them.
    pub bytes: Vec<u8>,
    /// Why it was sent, or what came of it. Safe to print.
    pub decision: String,
}

/// What is kept for [`Registrant::poll_tapped`].
#[derive(Debug, Default)]
pub(super) struct Tapping {
    tapped: VecDeque<Tapped>,
    /// What has been decided about the message that is being handled; `None` between messages.
    decided: Option<Vec<String>>,
}

/// How far a registration was before it handled something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    steps: usize,
    provisionals: u32,
    requests: u32,
    events: usize,
}

/// Where a message came from or went to.
#[derive(Debug, Clone, Copy)]
struct Way {
    transport: Transport,
    local: SocketAddr,
    remote: SocketAddr,
}

impl Registrant {
    /// Keeps from now on what goes over the wire, for [`Self::poll_tapped`], which then has to be called after every input and every
    /// [`Self::poll_transmit`]: what is not taken stays in memory.
    pub fn tap(&mut self) {
        self.tapping.get_or_insert_default();
        self.flows.keep_rests();
    }

    /// The next message that went or came since [`Self::tap`].
    pub fn poll_tapped(&mut self) -> Option<Tapped> {
        let tapping = self.tapping.as_mut()?;
        for rest in self.flows.rests.drain(..) {
            tapping.tapped.push_back(Tapped {
                direction: Direction::Received,
                transport: rest.transport,
                local: rest.local,
                remote: rest.remote,
                bytes: rest.bytes,
                decision: "incomplete: so much of a message had come when the connection ended".to_owned(),
            });
        }
        tapping.tapped.pop_front()
    }

    /// Handles what came as one message, and keeps it with what was decided.
    pub(super) fn handle_tapped(&mut self, flow: FlowId, source: SocketAddr, bytes: &[u8], handle: impl FnOnce(&mut Self)) {
        let way = self.way(flow, source);
        let (Some(tapping), Some(way)) = (&mut self.tapping, way) else {
            return handle(self);
        };
        tapping.decided = Some(Vec::new());
        handle(self);
        let Some(tapping) = &mut self.tapping else { return };
        let decided = tapping.decided.take().unwrap_or_default();
        let decision = if decided.is_empty() {
            "ignored".to_owned()
        } else {
            decided.join("; ")
        };
        tapping.keep(Direction::Received, way, bytes.to_vec(), decision);
    }

    /// Keeps what is on its way out.
    pub(super) fn tap_sent(&mut self, transmit: Transmit, bytes: &[u8], why: impl FnOnce(&Self) -> String) -> Transmit {
        if self.tapping.is_some()
            && let Some(way) = self.way(transmit.flow, transmit.to)
        {
            let why = why(self);
            if let Some(tapping) = &mut self.tapping {
                tapping.keep(Direction::Sent, way, bytes.to_vec(), why);
            }
        }
        transmit
    }

    /// Keeps a line end of a stream, together with those before it.
    pub(super) fn tap_line_end(&mut self, flow: FlowId, source: SocketAddr, is_pong: bool) {
        let way = self.way(flow, source);
        let (Some(tapping), Some(way)) = (&mut self.tapping, way) else {
            return;
        };
        let decision = if is_pong { "the answer to our keep-alive" } else { IDLE };
        match tapping.tapped.back_mut() {
            Some(last) if last.decision == decision && last.is_on(way) && last.bytes.len() < MOST_LINE_ENDS => {
                last.bytes.extend_from_slice(b"\r\n");
            }
            Some(_) | None => tapping.keep(Direction::Received, way, b"\r\n".to_vec(), decision.to_owned()),
        }
    }

    /// Keeps the part of a stream that cannot be cut into messages.
    pub(super) fn tap_unframed(&mut self, flow: FlowId, source: SocketAddr, bytes: &[u8], error: FrameError) {
        self.handle_tapped(flow, source, bytes, |registrant| {
            registrant.decide(|| format!("malformed: {error}; the connection is given up"));
        });
    }

    /// Why this registration sends what it sends.
    pub(super) fn why_sent(&self, key: Key) -> String {
        let attempt = self.registration(key).and_then(Registration::attempt);
        attempt.map_or_else(String::new, Attempt::sending)
    }

    /// Notes a decision about the message that is being handled.
    pub(super) fn decide(&mut self, words: impl FnOnce() -> String) {
        if let Some(decided) = self.tapping.as_mut().and_then(|tapping| tapping.decided.as_mut()) {
            decided.push(words());
        }
    }

    /// What came of bytes that are no message, unless a registration has said it.
    pub(super) fn decide_unreadable(&mut self, error: &ParseError) {
        if self.has_nothing_said() {
            self.decide(|| format!("ignored: malformed, {error}"));
        }
    }

    /// True while nothing was said of the message that is being handled.
    fn has_nothing_said(&self) -> bool {
        let decided = self.tapping.as_ref().and_then(|tapping| tapping.decided.as_ref());
        decided.is_some_and(Vec::is_empty)
    }

    /// Why a reply was passed over that a registration has looked at.
    pub(super) fn decide_reply(&mut self, flow: FlowId, source: SocketAddr, response: &Response<'_>) {
        if !self.has_nothing_said() {
            return;
        }
        let is_challenge = matches!(response.status.code(), 401 | 407);
        let is_elsewhere = self.flows.get(flow).is_none_or(|flow| flow.endpoint.remote != source);
        self.decide(|| {
            if is_challenge && is_elsewhere {
                "ignored: a challenge from where no request went".to_owned()
            } else {
                "ignored: its Via or CSeq is not that of the request that waits".to_owned()
            }
        });
    }

    /// Why a reply that nobody waits for was passed over.
    pub(super) fn decide_stray(&mut self, stray: Option<Stray>) {
        self.decide(|| {
            let why = match stray {
                Some(Stray::Duplicate) => "it came a second time",
                Some(Stray::Late) => "its transaction is over",
                Some(Stray::Foreign) | None => "its branch is none of ours",
            };
            format!("ignored: {why}")
        });
    }

    /// What came of a request from the other side.
    pub(super) fn decide_answer(&mut self, request: &Request<'_>, status: Option<Status>) {
        self.decide(|| {
            let method = sip_message::printable(request.method.as_bytes());
            match status {
                Some(status) => format!("{method}: answered {} {}", status.code(), status.phrase().unwrap_or_default()),
                None => format!("{method}: not answered"),
            }
        });
    }

    /// How far a registration is, if that is to be told.
    pub(super) fn mark(tapping: Option<&Tapping>, attempt: Option<&Attempt>, events: usize) -> Option<Mark> {
        tapping?.decided.as_ref()?;
        Some(Mark {
            steps: attempt.map_or(0, |attempt| attempt.steps.len()),
            provisionals: attempt.map_or(0, |attempt| attempt.provisionals),
            requests: attempt.map_or(0, |attempt| attempt.requests),
            events,
        })
    }

    fn way(&self, flow: FlowId, remote: SocketAddr) -> Option<Way> {
        let flow = self.flows.get(flow).filter(|_| self.tapping.is_some())?;
        Some(Way {
            transport: flow.endpoint.transport,
            local: flow.local()?,
            remote,
        })
    }
}

impl Tapping {
    /// Notes what a registration did since `mark`: of the exchange that was under way then, and of one that took its place.
    pub(super) fn note<'a>(&mut self, mark: Mark, key: Key, events: impl Iterator<Item = &'a (Key, Event)>, present: Option<&Attempt>) {
        let Some(decided) = &mut self.decided else { return };
        let mut mark = mark;
        for (_, event) in events.skip(mark.events).filter(|(whose, _)| *whose == key) {
            if let Event::Attempt(attempt) = event {
                mark.note(attempt, decided);
                decided.push(attempt.outcome());
                mark = Mark {
                    steps: 0,
                    provisionals: 0,
                    requests: 0,
                    ..mark
                };
            }
        }
        if let Some(attempt) = present {
            mark.note(attempt, decided);
        }
    }

    fn keep(&mut self, direction: Direction, way: Way, bytes: Vec<u8>, decision: String) {
        self.tapped.push_back(Tapped {
            direction,
            transport: way.transport,
            local: way.local,
            remote: way.remote,
            bytes,
            decision,
        });
    }
}

impl Mark {
    fn note(&self, attempt: &Attempt, decided: &mut Vec<String>) {
        let steps = attempt.steps.get(self.steps..).unwrap_or_default();
        decided.extend(steps.iter().filter_map(crate::Step::decision));
        if attempt.provisionals > self.provisionals {
            decided.push("provisional: waits on".to_owned());
        }
        // The ladder is full.
        if attempt.requests > self.requests && attempt.steps.len() == Attempt::MAX_STEPS {
            decided.push("another request follows".to_owned());
        }
    }
}

impl Tapped {
    fn is_on(&self, way: Way) -> bool {
        self.direction == Direction::Received && (self.transport, self.local, self.remote) == (way.transport, way.local, way.remote)
    }
}

/// The end of a stream's bytes that no message was cut from: `left` of what the framer held and what was pushed.
pub(super) fn unframed(held: &[u8], pushed: &[u8], left: usize) -> Vec<u8> {
    let all = [held, pushed].concat();
    all.get(all.len().saturating_sub(left)..).unwrap_or_default().to_vec()
}

/// What line ends and zeros between messages are that nobody has asked for.
pub(super) const IDLE: &str = "the other side keeps the flow alive: ignored";

/// So many bytes of line ends are told as one.
const MOST_LINE_ENDS: usize = 4096;
