//! Where to send: RFC 3263 as a pure plan, with the choice among SRV records of RFC 2782. Asks questions, never DNS itself.

mod branch;
mod hosts;
mod name;
mod naptr;
mod next_hop;
mod search;
mod srv;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use sip_message::{Host, SipUri};
use thiserror::Error;

pub use self::search::Locate;
use crate::{DnsError, Endpoint, Families, Override, Transport};

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

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Where the request goes next: the outbound proxy or the registrar.
    pub next_hop: SipUri<'a>,
    /// The transport to use; wins over the URI's own `transport`. `None` lets the URI decide, then RFC 3263.
    pub transport: Option<Transport>,
    /// Which addresses may be used.
    pub families: Families,
    /// Names that are not looked up.
    pub overrides: &'a [Override],
}

/// Where a next hop is that names an address, as [`Locate`] would find it; `None` when there is anything to look up or to refuse.
pub(crate) fn next_hop_address(uri: &SipUri<'_>, transport: Option<Transport>, families: Families) -> Option<(Transport, SocketAddr)> {
    let Host::Address(address) = uri.host else {
        return None;
    };
    if uri.params.find("maddr").is_some() {
        return None;
    }
    let wish = Wish {
        next_hop: *uri,
        transport,
        families,
        overrides: &[],
    };
    let hop = next_hop::NextHop::read(&wish).ok()?;
    let transport = hop.transport_or_default();
    Some((transport, (address, hop.port.unwrap_or(transport.default_port())).into()))
}

/// Why there is no target.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LocateError {
    /// DNS answered, and there is nothing usable: no such name, no records, the service is not offered, no address of a family that
    /// may be used.
    #[error("nothing usable is known in DNS for {name}")]
    NotFound {
        /// The name that led nowhere.
        name: String,
    },
    /// DNS did not answer a question, and without it there is nothing usable.
    #[error("{} when asked for {name}", words(*.error))]
    Failed {
        /// The name that was asked for.
        name: String,
        /// What came instead of an answer.
        error: DnsError,
    },
    /// The URI or the wish can not be followed. Nothing was asked.
    #[error("{why}")]
    Refused {
        /// In words.
        why: &'static str,
    },
}

const fn words(error: DnsError) -> &'static str {
    match error {
        DnsError::NoSuchName => "DNS knows no such name (NXDOMAIN)",
        DnsError::NoRecords => "DNS has no records of that type",
        DnsError::ServerFailure => "DNS failed (SERVFAIL or an answer without sense)",
        DnsError::Refused => "DNS refused to answer (REFUSED)",
        DnsError::Timeout => "DNS did not answer in time",
    }
}

/// How many questions one search asks at most.
const MAX_QUESTIONS: u32 = 64;
/// How many of them wait for an answer at the same time: an answer can be 64 KiB long, and takes a MiB once it is read.
const MAX_OUTSTANDING: usize = 2;
/// How many targets one search finds at most.
const MAX_TARGETS: usize = 64;
/// How many records of one answer are looked at.
const MAX_RECORDS: usize = 256;
