//! One request on its way through the registrar, with what was found out about it on arrival. Borrowed from the message's bytes.

use std::time::Instant;

use sip_message::{Echo, Request};

use crate::Peer;
use crate::script::Facts;

/// A request that can be answered.
#[derive(Debug, Clone)]
pub(crate) struct Incoming<'m> {
    pub(crate) now: Instant,
    pub(crate) peer: Peer,
    pub(crate) request: &'m Request<'m>,
    pub(crate) echo: Echo<'m>,
    pub(crate) facts: Facts<'m>,
}

impl Incoming<'_> {
    /// Where its reply goes.
    pub(crate) fn destination(&self) -> Peer {
        Peer {
            source: self.echo.destination(self.peer.source, self.peer.reliable),
            ..self.peer
        }
    }
}
