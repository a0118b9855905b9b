//! The steps of an exchange for ladder and transcript, typed: each costs a few words of memory, and no text is written before somebody
//! wants to read it. [`crate::Report`] and the methods here put them into words.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_digest::Algorithm;
use sip_message::Status;

use crate::report::Direction;
use crate::{Cause, TlsFacts, Transport};

/// One step of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Instant,
    /// What happened; [`Step::arrow`], [`Step::what`] and [`Step::note`] say it.
    pub happening: Happening,
    /// The message, when messages are kept.
    pub message: Option<Box<TracedMessage>>,
}

/// A message that was kept for the transcript, secrets redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedMessage {
    /// Which way it went.
    pub direction: Direction,
    /// The other side.
    pub peer: SocketAddr,
    /// Its text, escaped line by line.
    pub text: String,
}

/// What happened in a step. Texts are escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// DNS said where the targets are.
    LookedUp(Box<[(Transport, SocketAddr)]>),
    /// There is no target, for this reason.
    NotLocated(Box<str>),
    /// A 3xx is followed to this URI.
    Following(Arc<str>),
    /// A connection stands, with what TLS showed.
    Connected(Option<Arc<TlsFacts>>),
    /// A request of ours went out.
    Sent {
        /// Its method.
        method: &'static str,
        /// Which request of the exchange it is, from 1.
        number: u32,
        /// What it carries, or that it went out before.
        carrying: Carrying,
    },
    /// A reply came.
    Received {
        /// Its status.
        code: u16,
        /// Its reason phrase.
        reason: Arc<str>,
        /// What it says beside that.
        note: ReplyNote,
    },
    /// A target failed.
    TargetFailed {
        /// Why.
        cause: Cause,
        /// Which.
        target: Option<(Transport, SocketAddr)>,
    },
    /// A reply came that cannot be read, for this reason.
    Malformed(Box<str>),
    /// Something came that is no SIP, and begins like this.
    NotSip(Box<str>),
    /// The other side asked something.
    Asked {
        /// The method.
        method: Arc<str>,
        /// Who it was, when it was not answered.
        unanswered: Option<SocketAddr>,
    },
    /// The other side's request was answered like this.
    Answered(Status),
    /// A request of our own came back.
    SentBack,
}

/// What a request of ours carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrying {
    /// No credentials.
    Nothing,
    /// Credentials by these algorithms; at most one for each of registrar and proxy.
    Credentials {
        /// The algorithm.
        first: Algorithm,
        /// The other one's.
        second: Option<Algorithm>,
        /// Whether nothing in this exchange has asked for them.
        ahead: bool,
    },
    /// The same as so long before.
    Again(Duration),
}

/// What a reply says beside its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyNote {
    /// Nothing.
    Nothing,
    /// It asks for credentials and has no challenge.
    NoChallenge,
    /// It asks for credentials.
    Challenge {
        /// Everything that was offered, separated by commas.
        offered: Arc<str>,
        /// The realm of the first challenge that can be answered.
        realm: Option<Arc<str>>,
    },
    /// It wants an interval of so many seconds at least.
    AtLeast(u32),
    /// It wants to be left alone for so many seconds.
    RetryAfter(u32),
    /// What it lists.
    Listing {
        /// The seconds granted to our binding; `None` when that is not listed.
        granted: Option<u32>,
        /// How many other bindings it lists.
        others: usize,
    },
}
