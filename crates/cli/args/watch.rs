//! `regprobe watch` as clap sees it. What the accounts and the way to them need is `accounts`'; here is what keeping them adds.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::accounts::AccountsArgs;
use crate::values::{self, Rate};

/// Shown below the help.
pub(crate) const EXAMPLES: &str = "\
Examples:
  regprobe watch accounts.toml
  regprobe watch lines.csv --registrar pbx.example.com --rate 20/s
  regprobe watch accounts.toml --output jsonl >> registrations.jsonl
  kill -HUP $(pidof regprobe)              Read the list again

Exit status: 0 ended by q or SIGTERM, and all bindings are removed; 1 the same, but some may still be there; 2 the
command line or the list is wrong (nothing was sent); 5 internal error; 130 ended by Ctrl-C.";

// `regprobe watch`.
#[derive(Debug, Args)]
#[command(
    mut_arg("expires", |argument| argument.default_value("3600")),
    mut_arg("timeout", |argument| argument.default_value("32s")
        .help("The longest that one exchange may take, such as 3s, 500ms or 1m, plain numbers are seconds; 32s is the RFC's own"))
)]
pub(crate) struct Watch {
    /// Whose registrations, and which way.
    #[command(flatten)]
    pub(crate) accounts: AccountsArgs,
    /// Start no more exchanges than this at one registrar: first ones, refreshes, retries and removals alike; such as 50/s or 30/m
    #[arg(long, value_name = "RATE", help_heading = "Keeping", default_value = "50/s", value_parser = values::rate)]
    pub(crate) rate: Rate,
    /// Wait this long after a first failure, and twice as long after each further one, up to half an hour; Retry-After wins
    #[arg(long, value_name = "DURATION", help_heading = "Keeping", default_value = "30s", value_parser = values::duration)]
    pub(crate) retry: Duration,
    /// Spread the accounts over this many threads
    #[arg(long, value_name = "N", help_heading = "Keeping", default_value = "1", value_parser = values::limit)]
    pub(crate) shards: NonZeroUsize,
    /// A live table on a terminal and JSON lines elsewhere (auto), or JSON lines in any case
    #[arg(long, value_name = "FORM", help_heading = "Output", value_enum, default_value = "auto")]
    pub(crate) output: WatchOutput,
    /// JSON lines: also those for exchanges that begin, and for those that change nothing, such as refreshes
    #[arg(long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WatchOutput {
    Auto,
    Jsonl,
}
