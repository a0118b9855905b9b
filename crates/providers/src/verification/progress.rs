//! What goes on, told while it goes on. For people and logs; everything that counts is in the report.

use std::fmt;
use std::time::Duration;

use crate::{Reason, SourceKind};

/// A step that begins, or something that should not wait for the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The API is asked how it registers.
    Settings(SourceKind),
    /// The registrar is asked which bindings are there.
    Fetching,
    /// The API is asked for its claim.
    Asking(SourceKind),
    /// The registrar is sent OPTIONS, to see if it is there at all.
    Pinging,
    /// What was found does not fit, and is looked at again after this time.
    Waiting {
        /// What was found.
        found: Reason,
        /// How long.
        grace: Duration,
    },
    /// A Contact of our own is bound.
    Binding,
    /// The registrar threw these Contacts out for ours.
    Displaced(Vec<String>),
    /// The Contact of our own is removed.
    Removing,
    /// OPTIONS goes to the AOR.
    Inbound,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(source) => write!(f, "asking {} how it registers", source.provider()),
            Self::Fetching => f.write_str("asking the registrar which bindings are there"),
            Self::Asking(source) => write!(f, "asking {} what it claims", source.provider()),
            Self::Pinging => f.write_str("sending OPTIONS to the registrar"),
            Self::Waiting { found, grace } => {
                write!(
                    f,
                    "{}; looking again in {:.1} s",
                    found.name().replace('_', " "),
                    grace.as_secs_f64()
                )
            }
            Self::Binding => f.write_str("binding a Contact of our own"),
            Self::Displaced(contacts) => write!(f, "warning: the registrar threw out {}", contacts.join(", ")),
            Self::Removing => f.write_str("removing our own Contact"),
            Self::Inbound => f.write_str("sending OPTIONS to the AOR, through the registrar"),
        }
    }
}
