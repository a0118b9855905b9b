//! What is expected of the registration that is verified: whose Contact it has to be, and by which measure. Pure.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::{Moment, Reason, SourceKind};

/// What a claim is held to.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// The user part of the AOR that the probe asked for. A source that registers another user is not what was looked at.
    pub user: Option<String>,
    /// The users that the provider registers by its settings: that of its AOR, and the one for digest where that is another. Empty when it
    /// does not say.
    pub registered_users: Vec<String>,
    /// Whose binding it has to be.
    pub contact: ContactPattern,
    /// Whether this registrar lists bindings at all.
    pub listing: Listing,
    /// Whether the probe's secret is meant to be the provider's. Then a refusal of the one says something about the other.
    pub same_secret: bool,
    /// How far apart two looks have to be before a contradiction counts.
    pub grace: Duration,
    /// Up to which difference of the clocks their times are compared: 5 s.
    pub skew_limit: Duration,
    /// A disagreement that was found before, which an inconclusive look does not clear.
    pub previous: Option<Standing>,
}

impl Expectation {
    /// What is expected of any claim of this source, without a word from the user.
    #[must_use]
    pub fn of(source: SourceKind) -> Self {
        Self {
            user: None,
            registered_users: Vec::new(),
            contact: ContactPattern::default(),
            listing: Listing::Unknown,
            same_secret: true,
            grace: source.grace(),
            skew_limit: Duration::from_secs(5),
            previous: None,
        }
    }
}

/// Which Contacts are the provider's. A kind of mark that is empty excludes nothing; without any mark nothing can be told apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactPattern {
    /// The user parts, one of which it has to be.
    pub users: Vec<String>,
    /// The hosts, one of which it has to be at.
    pub hosts: Vec<HostPattern>,
    /// The `+sip.instance` values, one of which it has to carry.
    pub instances: Vec<String>,
}

impl ContactPattern {
    /// True when it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.users.is_empty() && self.hosts.is_empty() && self.instances.is_empty()
    }
}

/// Where a Contact may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// At this name, compared without case.
    Name(String),
    /// At this address, with this port when one is given.
    Address(IpAddr, Option<u16>),
    /// In this network.
    Network(IpNet),
}

/// Whether a registrar lists the bindings of an AOR to whoever may read them. Some hide them (OpenSIPS with `only-request-contacts`),
/// and then nothing listed does not mean nothing bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// It was seen to list, or the user says so.
    Lists,
    /// It was seen to hide a binding of our own.
    Hides,
    /// It was tried with a Contact of our own, which was not seen to be bound.
    Undecided,
    /// Nobody has tried.
    Unknown,
}

/// A disagreement that was found before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Standing {
    /// What it was.
    pub reason: Reason,
    /// When it was last seen.
    pub seen_at: Moment,
}
