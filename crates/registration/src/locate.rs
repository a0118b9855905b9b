//! Where to send: RFC 3263 as a pure plan, with the choice among SRV records of RFC 2782. Asks questions, never DNS itself.

use crate::Endpoint;

/// One place to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Transport, address and the name for TLS.
    pub endpoint: Endpoint,
    /// How it was found.
    pub source: TargetSource,
}

/// How a target was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetSource {
    /// The URI names an address.
    Numeric,
    /// The user said what the name means.
    Override,
    /// A 3xx named it.
    Redirect,
    /// By NAPTR, then SRV or an address.
    Naptr,
    /// By SRV.
    Srv,
    /// By an IPv4 address record.
    A,
    /// By an IPv6 address record.
    Aaaa,
}

impl TargetSource {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Numeric => "numeric",
            Self::Override => "override",
            Self::Redirect => "redirect",
            Self::Naptr => "naptr",
            Self::Srv => "srv",
            Self::A => "a",
            Self::Aaaa => "aaaa",
        }
    }
}
