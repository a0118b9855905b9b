//! Many registrations behind one surface: inputs find theirs, outputs wait to be drained. No clock, no socket, no decision of its own.

mod pulse;
mod requests;
mod tapping;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use sip_message::{Frame, FrameError, Framer, Message, Response};

pub use self::tapping::Tapped;
use self::tapping::{IDLE, Tapping};
use crate::admission::gates::Gates;
use crate::attempt::Attempt;
use crate::branch::Branch;
use crate::exchange::Cx;
use crate::flows::Flows;
use crate::incoming::TagKey;
use crate::outputs::{Event, Outputs};
use crate::registration::Registration;
use crate::status::Status;
use crate::texts::Texts;
use crate::timers::Timers;
use crate::{Account, Action, Closed, FlowId, Goal, Input, Key, Opened, Policy, Transmit};

/// Registrations, driven from outside.
///
/// Feed it facts (`handle_*`) and orders (`register`, `unregister`, ...), then drain it until nothing comes: first
/// [`poll_action`](Self::poll_action), then [`poll_transmit`](Self::poll_transmit), then [`poll_event`](Self::poll_event). Call
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) has come. `now` never goes backwards.
#[derive(Debug)]
pub struct Registrant {
    policy: Policy,
    rng: ChaCha12Rng,
    /// For keep-alives.
    pulse_rng: ChaCha12Rng,
    slots: Vec<Slot>,
    free: Vec<u32>,
    flows: Flows,
    gates: Gates,
    timers: Timers,
    /// Who is due; empty but for the buffer between calls.
    due: Vec<Key>,
    out: Outputs,
    texts: Texts,
    counters: Counters,
    tag_key: TagKey,
    /// What is kept for who looks on.
    tapping: Option<Tapping>,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    registration: Option<Box<Registration>>,
}

/// Messages that no exchange waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Replies that answered nothing that waits: late, double, or not ours.
    pub strays: u64,
    /// Requests from the other side.
    pub requests: u64,
    /// Those of them that were answered.
    pub answered: u64,
    /// Bytes that are no SIP message.
    pub unreadable: u64,
    /// Pings that kept flows alive ([`crate::KeepAlive`]).
    pub keep_alives_sent: u64,
    /// Those of them that were answered.
    pub keep_alives_answered: u64,
    /// Those of them that were not answered in time, although an answer was waited for.
    pub keep_alives_missed: u64,
    /// Bindings that ended while their refresh waited for its turn ([`crate::Admission`]): the pace is too small for what it has to keep.
    pub lapsed_waiting: u64,
}

impl Registrant {
    /// An empty one. Equal seeds and equal inputs give equal outputs; the seed must be unpredictable on a real network.
    #[must_use]
    pub fn new(seed: [u8; 32], policy: Policy) -> Self {
        // Other streams of the same seed, so that what is asked of us, and keep-alives, draw nothing that our own requests would.
        let [mut for_tags, pulse_rng] = [1, 2].map(|stream| {
            let mut rng = ChaCha12Rng::from_seed(seed);
            rng.set_stream(stream);
            rng
        });
        Self {
            policy,
            rng: ChaCha12Rng::from_seed(seed),
            pulse_rng,
            slots: Vec::new(),
            free: Vec::new(),
            flows: Flows::default(),
            gates: Gates::default(),
            timers: Timers::default(),
            due: Vec::new(),
            out: Outputs::default(),
            texts: Texts::default(),
            counters: Counters::default(),
            tag_key: TagKey::new(for_tags.random()),
            tapping: None,
        }
    }

    // Getters.

    /// Where a registration stands; `None` when it is gone.
    #[must_use]
    pub fn status(&self, key: Key) -> Option<Status> {
        self.registration(key).map(Registration::status)
    }

    /// Messages that no exchange waited for.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    // Orders.

    /// Takes an account in. Nothing is sent before the first order.
    pub fn add(&mut self, now: Instant, account: Arc<Account>) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let gate = self.gates.join(now, &account, &self.policy.admission);
        let registration = Box::new(Registration::new(now, account, gate, &mut self.rng));
        let mut generation = 0;
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.registration = Some(registration);
            generation = slot.generation;
        }
        Key { index, generation }
    }

    /// Registers, or refreshes at once.
    pub fn register(&mut self, now: Instant, key: Key) {
        self.order(now, key, Goal::Register);
    }

    /// Removes our own binding; a registration under way is interrupted.
    pub fn unregister(&mut self, now: Instant, key: Key) {
        self.order(now, key, Goal::Unregister);
    }

    /// Orders any exchange.
    pub fn order(&mut self, now: Instant, key: Key, goal: Goal) {
        self.with(now, key, |registration, cx| registration.order(cx, goal));
        self.admit(now);
    }

    /// Gives a registration other values — credentials, the time to ask for, the product's name — and registers at once with them. The
    /// binding stays the same one: AOR, registrar, Contact and the way there have to be those of the account that it was added with.
    pub fn renew(&mut self, now: Instant, key: Key, account: Arc<Account>) {
        self.with(now, key, |registration, cx| registration.renew(cx, account));
        self.admit(now);
    }

    /// Stops everything, whatever the moment: the exchange under way, whose [`crate::Attempt`] ends as interrupted, what waits behind it,
    /// and the refresh or the next try that was to come. Nothing more happens by itself before the next order; a binding that is there
    /// ends when its time is over, unless [`Self::register`] keeps it.
    pub fn interrupt(&mut self, now: Instant, key: Key) {
        self.with(now, key, |registration, cx| registration.interrupt(cx));
        self.admit(now);
    }

    /// Removes the binding, if there is one, and then the registration; [`Event::Removed`] tells when.
    pub fn remove(&mut self, now: Instant, key: Key) {
        self.with(now, key, |registration, cx| registration.leave(cx));
        self.admit(now);
    }

    /// Removes the registration and leaves its binding, if there is one, to the registrar: nothing more is sent.
    /// [`Event::Removed`] tells that it is gone.
    pub fn forget(&mut self, now: Instant, key: Key) {
        self.with(now, key, |registration, cx| registration.forget(cx));
    }

    // Facts.

    /// Takes a fact of the world.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Answer(query, answer) => {
                if let Some((key, token)) = self.out.answered(query) {
                    self.with(now, key, |registration, cx| registration.handle_answer(cx, query, token, answer));
                }
            }
            Input::Opened(flow, opened) => self.handle_opened(now, flow, &opened),
            Input::Closed(flow, closed) => {
                self.out.relieve(flow);
                self.handle_closed(now, flow, &closed);
            }
            Input::Congested(flow) => self.out.jam(flow),
            Input::Relieved(flow) => self.out.relieve(flow),
            Input::Received { flow, source, bytes } => self.handle_bytes(now, flow, source, bytes),
        }
        self.admit(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        // All that is due now, and each once: what is due again at once has to wait for the next call.
        let mut due = std::mem::take(&mut self.due);
        due.extend(std::iter::from_fn(|| self.timers.pop_expired(now)));
        for key in due.drain(..) {
            self.with(now, key, |registration, cx| {
                registration.handle_timeout(cx);
            });
        }
        self.due = due;
        self.beat(now);
        self.admit(now);
    }

    // Outputs.

    /// The next thing to do in the world.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.out.actions.pop_front()
    }

    /// The next thing to send: writes it into `datagram`, whose old content goes. Requests go first, then keep-alives, which may be mere
    /// line ends, then answers to the other side's requests.
    pub fn poll_transmit(&mut self, datagram: &mut Vec<u8>) -> Option<Transmit> {
        while let Some((key, nonce)) = self.out.next_send() {
            let slot = self
                .slots
                .get_mut(key.index as usize)
                .filter(|slot| slot.generation == key.generation);
            let encoded = slot
                .and_then(|slot| slot.registration.as_mut())
                .and_then(|registration| registration.encode(nonce, datagram));
            // A request that was answered or given up meanwhile is not sent any more.
            if let Some(transmit) = encoded
                && !self.out.put_aside(transmit.flow, (key, nonce))
            {
                return Some(self.tap_sent(transmit, datagram, |registrant| registrant.why_sent(key)));
            }
        }
        if let Some(transmit) = self.write_ping(datagram) {
            return Some(self.tap_sent(transmit, datagram, |_| "keeps the flow alive".to_owned()));
        }
        while let Some(answer) = self.out.answers.pop() {
            let (flow, to) = (answer.flow, answer.to);
            if self.flows.get(flow).is_some() {
                *datagram = answer.message;
                let transmit = Transmit { flow, to };
                return Some(self.tap_sent(transmit, datagram, |_| "the answer to a request of the other side".to_owned()));
            }
        }
        None
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<(Key, Event)> {
        self.out.events.pop_front()
    }

    /// Takes an [`Event::Attempt`] back that was looked at, for its buffers: the next exchange uses them again. Who keeps attempts pays
    /// with allocations, and with nothing else.
    pub fn recycle(&mut self, attempt: Box<Attempt>) {
        self.out.pool.put(attempt);
    }

    /// When to call [`Self::handle_timeout`]; `None` when nothing waits.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.timers.next(), self.gates.next(), self.flows.next_pulse()]
            .into_iter()
            .flatten()
            .min()
    }

    // Within.

    /// Lets those start whose turn has come at their registrar.
    fn admit(&mut self, now: Instant) {
        while let Some(key) = self.gates.pop_ready(now, &self.policy.admission) {
            self.with(now, key, Registration::handle_admitted);
        }
    }

    fn registration(&self, key: Key) -> Option<&Registration> {
        let slot = self.slots.get(key.index as usize)?;
        slot.registration.as_deref().filter(|_| slot.generation == key.generation)
    }

    fn with<R>(&mut self, now: Instant, key: Key, handle: impl FnOnce(&mut Registration, &mut Cx<'_>) -> R) -> Option<R> {
        let slot = self
            .slots
            .get_mut(key.index as usize)
            .filter(|slot| slot.generation == key.generation)?;
        let registration = slot.registration.as_mut()?;
        let mark = Self::mark(self.tapping.as_ref(), registration.attempt(), self.out.events.len());
        let mut cx = Cx {
            now,
            key,
            policy: &self.policy,
            rng: &mut self.rng,
            flows: &mut self.flows,
            gates: &mut self.gates,
            out: &mut self.out,
            texts: &mut self.texts,
        };
        self.counters.lapsed_waiting += u64::from(registration.lapse(now));
        let result = handle(registration, &mut cx);
        let deadline = if registration.is_gone() {
            None
        } else {
            registration.announce(&mut cx);
            registration.deadline()
        };
        self.timers.set(key, deadline);
        if let (Some(tapping), Some(mark)) = (&mut self.tapping, mark) {
            tapping.note(mark, key, self.out.events.iter(), registration.attempt());
        }
        if registration.is_gone() {
            slot.registration = None;
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(key.index);
        }
        Some(result)
    }

    fn handle_opened(&mut self, now: Instant, flow: FlowId, opened: &Opened) {
        let users = self.flows.opened(flow, opened);
        let crowd = users.len();
        for key in users {
            self.with(now, key, |registration, cx| registration.handle_opened(cx, flow, opened, crowd));
        }
        self.flows.rest(now, flow, &self.policy, &mut self.pulse_rng);
    }

    fn handle_closed(&mut self, now: Instant, flow: FlowId, closed: &Closed) {
        for key in self.flows.remove(flow).unwrap_or_default() {
            self.with(now, key, |registration, cx| registration.handle_closed(cx, flow, closed));
        }
    }

    /// A datagram is a message; a stream is cut into messages first.
    fn handle_bytes(&mut self, now: Instant, flow: FlowId, source: SocketAddr, bytes: &[u8]) {
        let Some(framer) = self.flows.framer(flow) else {
            // Line ends and zeros are the keep-alives of others, which mean nothing.
            let is_message = bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n' | 0));
            if is_message && self.flows.get(flow).is_some() {
                self.handle_message(now, flow, source, bytes);
            } else {
                self.handle_tapped(flow, source, bytes, |registrant| registrant.decide(|| IDLE.to_owned()));
            }
            return;
        };
        // Taken out while its messages are handled, which may close the flow.
        let mut framer = std::mem::take(framer);
        let held = if self.tapping.is_some() {
            framer.rest().to_vec()
        } else {
            Vec::new()
        };
        framer.push(bytes);
        let mut left = framer.pending();
        match self.handle_frames(now, flow, source, &mut framer, &mut left) {
            Ok(()) => {
                if let Some(place) = self.flows.framer(flow) {
                    *place = framer;
                }
            }
            Err(error) => self.abandon_stream(now, flow, source, error, &tapping::unframed(&held, bytes, left)),
        }
    }

    /// Handles what a stream holds; `left` is then how many bytes of it are not handled.
    fn handle_frames(
        &mut self,
        now: Instant,
        flow: FlowId,
        source: SocketAddr,
        framer: &mut Framer,
        left: &mut usize,
    ) -> Result<(), FrameError> {
        while let Some(frame) = framer.poll()? {
            match frame {
                Frame::Message(message) => self.handle_message(now, flow, source, message),
                Frame::LineEnd => self.handle_line_end(now, flow, source),
            }
            *left = framer.pending();
        }
        Ok(())
    }

    /// The stream is past saving: whoever waits on it is told, and it is closed.
    fn abandon_stream(&mut self, now: Instant, flow: FlowId, source: SocketAddr, error: FrameError, rest: &[u8]) {
        self.counters.unreadable += 1;
        self.tap_unframed(flow, source, rest, error);
        for key in self.flows.remove(flow).unwrap_or_default() {
            self.with(now, key, |registration, cx| {
                registration.handle_unframed(cx, flow, &error.to_string())
            });
        }
        self.out.act(Action::Close(flow));
    }

    fn handle_message(&mut self, now: Instant, flow: FlowId, source: SocketAddr, bytes: &[u8]) {
        if self.tapping.is_some() {
            self.handle_tapped(flow, source, bytes, |registrant| registrant.take_message(now, flow, source, bytes));
        } else {
            self.take_message(now, flow, source, bytes);
        }
    }

    fn take_message(&mut self, now: Instant, flow: FlowId, source: SocketAddr, bytes: &[u8]) {
        match Message::parse(bytes) {
            Ok(Message::Response(response)) => self.take_response(now, flow, source, &response, bytes),
            Ok(Message::Request(request)) => {
                self.handle_request(now, flow, source, &request, bytes);
            }
            Err(error) => {
                self.counters.unreadable += 1;
                if let Some(branch) = Branch::find(bytes) {
                    self.with(now, branch.key, |registration, cx| {
                        registration.handle_unreadable(cx, branch, &error.to_string())
                    });
                } else if let Some(key) = self.flows.sole_user(flow) {
                    self.with(now, key, |registration, cx| registration.handle_foreign_bytes(cx, flow, bytes));
                }
                self.decide_unreadable(&error);
            }
        }
    }

    fn take_response(&mut self, now: Instant, flow: FlowId, source: SocketAddr, response: &Response<'_>, bytes: &[u8]) {
        let branch = Branch::of(&response.headers);
        let heard = branch.and_then(|branch| {
            self.with(now, branch.key, |registration, cx| {
                registration.handle_response(cx, branch, source, response, bytes)
            })
        });
        if heard == Some(Ok(())) {
            self.decide_reply(flow, source, response);
        } else if self.answers_ping(now, flow, branch) {
            self.decide(|| "the answer to our keep-alive".to_owned());
        } else {
            self.counters.strays += 1;
            self.decide_stray(heard.and_then(Result::err));
        }
    }
}
