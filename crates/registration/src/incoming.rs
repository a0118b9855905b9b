//! A request from the other side: what its answer needs of it, and what is told of it. Not for what it is answered: that is
//! [`crate::answer`]'s.

use std::net::SocketAddr;
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use sip_message::{Echo, Method, Request, SipUri, Status, Uri};

use crate::FlowId;
use crate::attempt::shown;
use crate::branch::Branch;

/// A request that the other side sent us. Texts are escaped.
///
/// That it arrived can be a proof that the registration is reached through its binding: when it is the one that somebody sent to the
/// address-of-record. Whoever sent it knows it by its Call-ID ([`crate::Attempt::call_id`] for a [`crate::Goal::Ping`] of our own) or,
/// when a server on the way made a request of its own of it, by a From that nobody else has. `hops` is then at least 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingRequest {
    /// When it came.
    pub at: Instant,
    /// On which flow.
    pub flow: FlowId,
    /// From where.
    pub source: SocketAddr,
    /// Whether that is the host that the flow leads to. Nobody else is answered.
    pub from_peer: bool,
    /// Its method.
    pub method: String,
    /// Its Request-URI.
    pub uri: String,
    /// Whether the Request-URI names a Contact of ours that is bound, or may be.
    pub names_us: bool,
    /// The URI of its From.
    pub from: String,
    /// Its Call-ID.
    pub call_id: String,
    /// How many hops it has come: 1 straight from whoever made it, more when proxies passed it on.
    pub hops: usize,
    /// The status that it was answered with, if it was.
    pub answer: Option<u16>,
}

/// A request that can be answered: it has all that an answer repeats (RFC 3261 §8.2.6.2).
#[derive(Debug)]
pub(crate) struct Asked<'m> {
    pub(crate) request: &'m Request<'m>,
    pub(crate) echo: Echo<'m>,
    pub(crate) source: SocketAddr,
    /// All of it.
    pub(crate) bytes: &'m [u8],
}

/// Makes To tags that nobody can guess (RFC 3261 §19.3), the same for a request and its retransmission.
#[derive(Debug, Clone)]
pub(crate) struct TagKey([u8; 32]);

impl TagKey {
    pub(crate) const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }
}

impl<'m> Asked<'m> {
    /// `None` when something is missing that an answer repeats, or To cannot be read, which takes our tag: whoever sent it could do
    /// nothing with an answer. An ACK is never answered (RFC 3261 §17).
    pub(crate) fn read(source: SocketAddr, request: &'m Request<'m>, bytes: &'m [u8]) -> Option<Self> {
        let echo = Echo::read(request)?;
        let headers = &request.headers;
        let whole = headers.from().is_some()
            && headers.to().is_some_and(|to| to.is_ok())
            && headers.call_id().is_some_and(|call_id| !call_id.is_empty())
            && headers.cseq().is_some();
        (whole && request.method != Method::Ack).then_some(Self {
            request,
            echo,
            source,
            bytes,
        })
    }

    /// The Request-URI, when it is a SIP URI.
    pub(crate) fn uri(&self) -> Option<SipUri<'m>> {
        Uri::parse(self.request.uri).ok()?.sip().copied()
    }

    /// The branch of the hop that sent it, if it is of our making.
    pub(crate) fn branch(&self) -> Option<Branch> {
        Branch::find(self.echo.top.branch()?)
    }

    /// The tag of its answer's To. RFC 3261 §8.2.7: who keeps no state gives a request that comes again the same tag again.
    pub(crate) fn tag(&self, key: &TagKey) -> String {
        let headers = &self.request.headers;
        let cseq = headers.first(sip_message::Name::CSeq);
        let from = headers.first(sip_message::Name::From);
        let mut hash = Sha256::new_with_prefix(key.0);
        for part in [Some(self.echo.top_element), headers.call_id(), cseq, from] {
            let part = part.unwrap_or_default();
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize().iter().take(8).fold(String::with_capacity(16), |mut tag, byte| {
            use std::fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(tag, "{byte:02x}");
            tag
        })
    }

    /// What is told of it.
    pub(crate) fn told(&self, at: Instant, flow: FlowId, names_us: bool, from_peer: bool, answer: Option<Status>) -> IncomingRequest {
        let headers = &self.request.headers;
        let from = headers.from().and_then(Result::ok).map_or(&b""[..], |from| from.raw_uri);
        IncomingRequest {
            at,
            flow,
            source: self.source,
            from_peer,
            method: shown(self.request.method.as_bytes()),
            uri: shown(self.request.uri),
            names_us,
            from: shown(from),
            call_id: shown(headers.call_id().unwrap_or_default()),
            hops: headers.vias().count(),
            answer: answer.map(Status::code),
        }
    }
}
