//! A list of accounts and the way to their registrars, as clap sees them: what `bulk` and `watch` have in common. The options are those
//! of a probe and hold for every account that does not say otherwise (see `accounts`).

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sip_message::OwnedUri;

use super::credentials::CredentialArgs;
use super::{BindingArgs, ExchangeArgs, NetworkArgs, TlsArgs};
use crate::values;

// Which accounts, and what holds for all of them.
#[derive(Debug, Args)]
pub(crate) struct AccountsArgs {
    /// The list of accounts: CSV with a header, JSON lines or TOML with a table `account` for each; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What the list is written in [default: by the name's end, .csv, .tsv, .jsonl, .ndjson or .toml; CSV for standard input]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<FormatArg>,
    /// What stands between the columns of CSV: one character, or `tab` [default: the one of comma, semicolon and tab that the header has]
    #[arg(long, value_name = "CHARACTER", value_parser = values::delimiter)]
    pub(crate) delimiter: Option<u8>,
    /// The registrar's URI or host [default: the AOR's domain]
    #[arg(long, value_name = "URI", help_heading = "Network", value_parser = values::registrar)]
    pub(crate) registrar: Option<OwnedUri>,
    /// Send through this server (outbound proxy, a preloaded Route)
    #[arg(long, value_name = "URI", help_heading = "Network", value_parser = values::server)]
    pub(crate) proxy: Option<OwnedUri>,
    /// With what.
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    /// What to bind.
    #[command(flatten)]
    pub(crate) binding: BindingArgs,
    /// Which way.
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Over which TLS.
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// How long and how far.
    #[command(flatten)]
    pub(crate) exchange: ExchangeArgs,
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    Csv,
    Jsonl,
    Toml,
}
