//! What to verify, and how far that may go. Values only.

use std::sync::Arc;
use std::time::Duration;

use sip_digest::Secret;
use sip_message::OwnedUri;
use sip_registration::{Advertised, ChallengeRules, Transport};

use crate::{ApiError, ContactPattern, Listing, Source, SourceKind, Standing};

/// One claim to verify.
#[derive(Debug)]
pub struct Check {
    /// What the user calls it; the API's own name when `None`.
    pub name: Option<String>,
    /// Whose claim, about what.
    pub source: Source,
    /// What the user says about the registration. Goes before what the API says.
    pub given: Given,
    /// How the registrar is reached: TLS, DNS, local address, time limits. With `every_target` each of its servers is asked by itself
    /// first. Its `goal` and `keep` make no difference.
    pub network: sip_net::Options,
    /// What may be done at the registrar.
    pub mode: Mode,
    /// Whether it is tried if calls arrive.
    pub inbound: Option<Inbound>,
    /// Whose binding it has to be; without a mark the claim's own Contact decides.
    pub contact: ContactPattern,
    /// Whether this registrar is known to list bindings.
    pub listing: Listing,
    /// Whether the probe's secret is meant to be the provider's.
    pub same_secret: bool,
    /// How far apart two looks are; [`SourceKind::grace`] when `None`.
    pub grace: Option<Duration>,
    /// How often to look at most, the first included: 2.
    pub looks: u32,
    /// A disagreement that was found before.
    pub previous: Option<Standing>,
}

impl Check {
    /// The check that disturbs nothing: bindings are fetched, twice where that settles it, and everything that is not given comes from
    /// the API.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self {
            name: None,
            source,
            given: Given::default(),
            network: sip_net::Options::default(),
            mode: Mode::Fetch,
            inbound: None,
            contact: ContactPattern::default(),
            listing: Listing::Unknown,
            same_secret: true,
            grace: None,
            looks: 2,
            previous: None,
        }
    }
}

/// What the user says about a registration. What is `None` comes from the API, if it says so.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The address-of-record.
    pub aor: Option<OwnedUri>,
    /// The registrar; the AOR's domain when nobody names one (RFC 3261 §10.2). With another one than the API's the API's outbound
    /// proxy is not used.
    pub registrar: Option<OwnedUri>,
    /// Where requests go instead of the registrar.
    pub outbound_proxy: Option<OwnedUri>,
    /// The transport.
    pub transport: Option<Transport>,
    /// The user name for digest.
    pub auth_user: Option<String>,
    /// What to answer challenges with. No API gives it.
    pub secret: Option<Secret>,
    /// Which challenges are answered; `None` for the usual rules.
    pub challenges: Option<Arc<ChallengeRules>>,
    /// The address that Via and a Contact of our own show instead of the local one.
    pub advertise: Option<Advertised>,
}

/// What may be done at the registrar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Bindings are read (RFC 3261 §10.2.3), and nothing is changed.
    #[default]
    Fetch,
    /// Besides, a Contact of our own is bound for a moment and removed again: it shows what the registrar does with a second Contact,
    /// and whether it lists what is bound. A registrar that hides bindings may throw out one that nobody could see before.
    Register {
        /// Binds it even when others are bound, whom some registrars then throw out.
        allow_displacement: bool,
    },
}

/// How it is tried if calls arrive: OPTIONS to the AOR, through the registrar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inbound {
    /// At the Contact of our own, while it is bound; needs [`Mode::Register`].
    OurContact,
    /// At whoever is bound, with the user's word that it is a device of the user's own.
    WhoeverIsBound,
}

/// Why a claim cannot be verified. The registrar has not been asked anything then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Neither the user nor the API says it.
    #[error("{}: {} does not say {}", needed.option(), asked.provider(), needed.words())]
    Missing {
        /// What is missing.
        needed: Needed,
        /// Who was asked for it.
        asked: SourceKind,
    },
    /// The user does not say it, and the API could not be asked for it.
    #[error("{}: {} could not say {}: {trouble}", needed.option(), asked.provider(), needed.words())]
    NoSettings {
        /// What is missing.
        needed: Needed,
        /// Who was asked for it.
        asked: SourceKind,
        /// What the API said instead.
        trouble: String,
    },
    /// A URI that cannot be followed, whatever DNS says.
    #[error("{}: {uri}: {why}", needed.option())]
    NextHop {
        /// Which one.
        needed: Needed,
        /// The URI, escaped.
        uri: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The transport is not encrypted, and a `sips:` URI asks for TLS (RFC 3261 §26.2.2).
    #[error("{}: {} is not encrypted, and a sips: URI asks for tls", Needed::Transport.option(), transport.name())]
    Insecure {
        /// Which transport.
        transport: Transport,
    },
    /// [`Inbound::OurContact`] without [`Mode::Register`].
    #[error("--check-inbound: needs a Contact of our own at the registrar (--mode register), or your word that the one bound is yours")]
    NothingOfOurs,
}

impl CheckError {
    /// The same, when what is missing was asked for in vain.
    pub(super) fn because(self, trouble: &ApiError) -> Self {
        match self {
            Self::Missing { needed, asked } => Self::NoSettings {
                needed,
                asked,
                trouble: trouble.to_string(),
            },
            other @ (Self::NoSettings { .. } | Self::NextHop { .. } | Self::Insecure { .. } | Self::NothingOfOurs) => other,
        }
    }
}

/// What the probe has to know, named as on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// The address-of-record.
    Aor,
    /// The registrar.
    Registrar,
    /// The outbound proxy.
    Proxy,
    /// The transport.
    Transport,
}

impl Needed {
    /// The option that gives it.
    #[must_use]
    pub const fn option(self) -> &'static str {
        match self {
            Self::Aor => "--aor",
            Self::Registrar => "--registrar",
            Self::Proxy => "--proxy",
            Self::Transport => "--transport",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Aor => "which address-of-record it registers",
            Self::Registrar => "where it registers",
            Self::Proxy => "through which proxy it registers",
            Self::Transport => "over which transport it registers",
        }
    }
}
