//! What can be made to go wrong on purpose, and when. How it is written as text is `fault_text`'s; what it does, `faulty`'s.

use std::net::SocketAddr;
use std::time::Duration;

use sip_message::{OwnedUri, Status};

/// One fault of a script. The faults of a [`crate::Config`] are tried in order, each at its own place on a request's way: where
/// only one can take effect (arrival, instead, credentials) it is the first that fits, elsewhere all that fit do.
///
/// A fault can be read from text; [`Fault::FORMS`] lists the forms.
///
/// ```
/// use sip_registrar::Fault;
/// let fault: Fault = "status=503;retry-after=30;method=REGISTER;times=2".parse()?;
/// assert_eq!(fault.when.times, Some(2));
/// # Ok::<(), sip_registrar::FaultError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// For which requests.
    pub when: When,
}

/// The requests that a fault is for. By default all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct When {
    /// Only this method.
    pub method: Option<String>,
    /// Only this user in To.
    pub user: Option<String>,
    /// Only requests with credentials, or only those without.
    pub credentials: Option<bool>,
    /// Lets this many requests that fit pass before the first one that goes wrong.
    pub after: u32,
    /// Takes effect this often; `None` for ever.
    pub times: Option<u32>,
}

/// What goes wrong, by the place on a request's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The request never arrives. Each datagram counts, retransmissions too.
    Arrival(Arrival),
    /// Something else than the registrar answers.
    Instead(Instead),
    /// Challenges are not what they should be.
    Challenges(Challenges),
    /// Credentials are not taken.
    Credentials(CredentialsFault),
    /// Another expiry than asked for.
    Interval(Interval),
    /// A 200 to a REGISTER is not what it should be.
    Confirmation(Confirmation),
    /// Any final reply is not what it should be.
    Alteration(Alteration),
    /// The reply is sent late, often, in part or with others.
    Delivery(Delivery),
    /// Replies are lost on their way. Each one that is sent counts, repeated ones too.
    ReplyLoss(Loss),
}

/// What happens to a request before anybody reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// It is lost.
    Silence,
    /// Some are lost.
    Loss(Loss),
    /// Its connection is closed without a reply; over UDP it is lost.
    Close,
}

/// Which messages are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The n-th, counted from 1.
    Nth(u32),
    /// The first `lost` of every `every`.
    Of {
        /// How many are lost.
        lost: u32,
        /// Of how many.
        every: u32,
    },
    /// Each with this probability in percent.
    Percent(u8),
}

/// What is replied instead of what the registrar would say. The request has no other effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// A status with headers.
    Status {
        /// The code.
        status: Status,
        /// The phrase.
        reason: Vec<u8>,
        /// Headers beside the usual ones.
        headers: Vec<(&'static str, Vec<u8>)>,
    },
    /// 302 to these.
    Redirect(Vec<OwnedUri>),
    /// These bytes, well-formed or not. `{via}`, `{from}`, `{to}`, `{call-id}` and `{cseq}` stand for the values that a reply
    /// repeats, `{head}` for all five header lines.
    Bytes(Vec<u8>),
}

/// What is wrong with challenges. In the values `{realm}` and `{nonce}` stand for ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenges {
    /// This header value instead of ours; several faults make several headers.
    Replace(Vec<u8>),
    /// This header value in front of ours.
    Add(Vec<u8>),
}

/// What is done about credentials, right as they may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsFault {
    /// Refused and challenged again with a new nonce.
    Wrong,
    /// Refused and challenged again with the same nonce.
    WrongSameNonce,
    /// Right ones are refused with `stale=true` and a new nonce.
    Stale,
    /// Refused with no challenge at all.
    WithoutChallenge,
}

/// What is done about the expiry that a REGISTER asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interval {
    /// 423 with this Min-Expires, in seconds.
    TooBrief {
        /// The Min-Expires.
        min_expires: u32,
        /// Whatever is asked for, removals included; otherwise only what is less.
        always: bool,
    },
    /// This many seconds are granted; 0 binds nothing and lists the contact with `expires=0`.
    Grant(u32),
}

/// What is wrong with a 200 to a REGISTER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// It lists no contact.
    NoContact,
    /// It lists only this contact.
    OnlyOther(OwnedUri),
    /// Its contacts have this address: what an application gateway in a router makes of them.
    RewriteContact(SocketAddr),
    /// Its reason phrase sounds like a failure.
    Phrase(Vec<u8>),
    /// The `rspauth` in its Authentication-Info is wrong.
    WrongRspauth,
}

/// What is wrong with a final reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alteration {
    /// Its reason phrase is this one.
    Reason(Vec<u8>),
    /// Its top Via says that it was sent by this address: the work of an application gateway.
    RewriteVia(SocketAddr),
    /// Its top Via says that the request was seen to come from this address: the work of a NAT.
    SeenFrom(SocketAddr),
    /// It has a header with a value of this many bytes.
    HugeHeader(usize),
}

/// How a reply is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// This much later.
    Delay(Duration),
    /// Never; a 100 comes in its place.
    ProvisionalOnly,
    /// This much later; a 100 comes at once.
    Provisional(Duration),
    /// This many times more.
    Duplicate(u32),
    /// Only its first bytes, this many; a stream is closed after them.
    Cut(usize),
    /// Whole; a stream is closed after it.
    CloseAfter,
}

impl Fault {
    /// The fault for these requests only.
    #[must_use]
    pub fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    /// The fault, this often and then no more.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.when.times = Some(times);
        self
    }
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self {
            kind,
            when: When::default(),
        }
    }
}

impl FaultKind {
    /// The word that this fault's text form opens with.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Arrival(Arrival::Silence) => "silence",
            Self::Arrival(Arrival::Loss(_)) => "loss",
            Self::Arrival(Arrival::Close) => "close",
            Self::Instead(Instead::Status { .. }) => "status",
            Self::Instead(Instead::Redirect(_)) => "redirect",
            Self::Instead(Instead::Bytes(_)) => "bytes",
            Self::Challenges(Challenges::Replace(_)) => "challenge",
            Self::Challenges(Challenges::Add(_)) => "extra-challenge",
            Self::Credentials(CredentialsFault::Wrong | CredentialsFault::WrongSameNonce) => "wrong-credentials",
            Self::Credentials(CredentialsFault::Stale) => "stale",
            Self::Credentials(CredentialsFault::WithoutChallenge) => "reject-without-challenge",
            Self::Interval(Interval::TooBrief { .. }) => "too-brief",
            Self::Interval(Interval::Grant(_)) => "grant",
            Self::Confirmation(Confirmation::NoContact) => "no-contact",
            Self::Confirmation(Confirmation::OnlyOther(_)) => "only-other",
            Self::Confirmation(Confirmation::RewriteContact(_)) => "rewrite-contact",
            Self::Confirmation(Confirmation::Phrase(_)) => "failure-phrase",
            Self::Confirmation(Confirmation::WrongRspauth) => "wrong-rspauth",
            Self::Alteration(Alteration::Reason(_)) => "reason",
            Self::Alteration(Alteration::RewriteVia(_)) => "rewrite-via",
            Self::Alteration(Alteration::SeenFrom(_)) => "nat",
            Self::Alteration(Alteration::HugeHeader(_)) => "huge-header",
            Self::Delivery(Delivery::Delay(_)) => "delay",
            Self::Delivery(Delivery::ProvisionalOnly | Delivery::Provisional(_)) => "provisional",
            Self::Delivery(Delivery::Duplicate(_)) => "duplicate",
            Self::Delivery(Delivery::Cut(_)) => "cut",
            Self::Delivery(Delivery::CloseAfter) => "close-after",
            Self::ReplyLoss(_) => "reply-loss",
        }
    }
}
