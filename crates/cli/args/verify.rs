//! `regprobe verify` as clap sees it. A check in a file is such a command line too (see `verify::file`), so everything that can be
//! said of a check is said here once.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use regprobe_providers::HostPattern;
use regprobe_providers::freeswitch::Gateway;
use regprobe_providers::telnyx::Key;
use regprobe_providers::telzino::AgentId;
use sip_message::OwnedUri;

use super::access::{AsteriskAccess, Bitrix24Access, FreeswitchAccess, KamailioAccess, OpensipsAccess, TelnyxAccess, TelzinoAccess};
use super::credentials::CredentialArgs;
use super::{ExchangeArgs, NetworkArgs, OutputArg, TlsArgs};
use crate::values::{self, Aor};

// `regprobe verify`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_value_name = "PROVIDER",
    subcommand_help_heading = "Providers"
)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// Whose word.
    #[command(subcommand)]
    pub(crate) provider: Option<Provider>,
    /// Make every check in this TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) all: Option<PathBuf>,
    /// Print a commented example of such a file
    #[arg(long, conflicts_with = "all")]
    pub(crate) init: bool,
    /// How many checks may run at once; each provider account is asked one thing at a time whatever this says
    #[arg(long, value_name = "N", default_value = "8", requires = "all", value_parser = values::jobs)]
    pub(crate) jobs: usize,
    /// A line a check and a summary, or JSON: one line a check
    #[arg(long, value_name = "FORM", value_enum, default_value = "human", requires = "all")]
    pub(crate) output: BatchOutput,
}

const EXAMPLES: &str = "\
Examples:
  regprobe verify telnyx --connection-id 2f3c0e4a
  regprobe verify telzino --agent-id 123e4567-e89b-12d3-a456-426614174000 --aor alice@pbx.example.com
  regprobe verify bitrix24 --reg-id 5505 --webhook-file portal.webhook
  regprobe verify kamailio --rpc http://127.0.0.1:5060/RPC --uuid trunk1
  regprobe verify --init > verify.toml; regprobe verify --all verify.toml --output json

Exit status: 0 the claim is true, 1 it is false or outdated, 3 it cannot be said, 2 wrong command line (nothing was sent), \
130 interrupted.
What the verdicts mean: docs/verify.md, or `regprobe explain REASON`.";

/// How the checks of a file are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BatchOutput {
    Human,
    Json,
}

// Whose word is verified.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Provider {
    /// Telnyx: a UAC connection, a telephony credential or a credential connection
    #[command(
        after_help = "Examples:\n  regprobe verify telnyx --connection-id 2f3c0e4a\n  regprobe verify telnyx --credential-type telephony_credential --username gencred123"
    )]
    Telnyx(Box<Telnyx>),
    /// Telzino: the registration of an agent
    #[command(
        mut_arg("aor", |aor| aor.required(true).help("The account that is registered: Telzino's API does not say it")),
        mut_arg("registrar", |registrar| registrar.help("The registrar's URI or host [default: the AOR's domain]")),
        mut_arg("proxy", |proxy| proxy.help("Send through this server (outbound proxy)"))
    )]
    Telzino(Box<Telzino>),
    /// Bitrix24: a SIP registration of the cloud PBX
    #[command(name = "bitrix24")]
    Bitrix24(Box<Bitrix24>),
    /// OpenSIPS: a registrant (module uac_registrant)
    #[command(
        mut_arg("aor", |aor| aor.required(true).help("The AOR of the record, as OpenSIPS lists it")),
        mut_arg("registrar", |registrar| registrar.required(true).help("The registrar of the record, as OpenSIPS lists it"))
    )]
    Opensips(Box<Opensips>),
    /// Kamailio: a remote registration (module uac)
    Kamailio(Box<Kamailio>),
    /// FreeSWITCH: a gateway
    Freeswitch(Box<Freeswitch>),
    /// Asterisk: an outbound registration (PJSIP)
    Asterisk(Box<Asterisk>),
}

// `regprobe verify telnyx`.
#[derive(Debug, Args)]
pub(crate) struct Telnyx {
    /// The connection's id: of a UAC connection, or of a credential connection with --credential-type
    #[arg(long, value_name = "ID", required_unless_present = "username")]
    pub(crate) connection_id: Option<Key>,
    /// The user name of a telephony credential or of a credential connection
    #[arg(long, value_name = "NAME", conflicts_with = "connection_id")]
    pub(crate) username: Option<Key>,
    /// What kind of credential it is [default: uac_external_credential; with --username telephony_credential]
    #[arg(long, value_name = "KIND", value_enum)]
    pub(crate) credential_type: Option<CredentialType>,
    /// How Telnyx is reached.
    #[command(flatten)]
    pub(crate) access: TelnyxAccess,
    /// How the registrar is looked at.
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// `--credential-type`, in Telnyx' own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum CredentialType {
    UacExternalCredential,
    TelephonyCredential,
    SipCredentialConnection,
}

// `regprobe verify telzino`.
#[derive(Debug, Args)]
pub(crate) struct Telzino {
    /// The agent's UUID
    #[arg(long, value_name = "UUID")]
    pub(crate) agent_id: AgentId,
    /// How Telzino is reached.
    #[command(flatten)]
    pub(crate) access: TelzinoAccess,
    /// How the registrar is looked at.
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

// `regprobe verify bitrix24`.
#[derive(Debug, Args)]
pub(crate) struct Bitrix24 {
    /// The registration's REG_ID
    #[arg(long, value_name = "N", value_parser = values::bitrix24_reg_id)]
    pub(crate) reg_id: u64,
    /// How Bitrix24 is reached.
    #[command(flatten)]
    pub(crate) access: Bitrix24Access,
    /// How the registrar is looked at.
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

// `regprobe verify opensips`. The record is named by --aor, --contact and --registrar.
#[derive(Debug, Args)]
pub(crate) struct Opensips {
    /// The Contact of the record, as OpenSIPS lists it (binding)
    #[arg(long, value_name = "URI", value_parser = values::contact)]
    pub(crate) contact: OwnedUri,
    /// How OpenSIPS is reached.
    #[command(flatten)]
    pub(crate) access: OpensipsAccess,
    /// How the registrar is looked at.
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

// `regprobe verify kamailio`.
#[derive(Debug, Args)]
pub(crate) struct Kamailio {
    /// The record's l_uuid
    #[arg(long, value_name = "UUID", value_parser = values::identifier)]
    pub(crate) uuid: String,
    /// How Kamailio is reached.
    #[command(flatten)]
    pub(crate) access: KamailioAccess,
    /// How the registrar is looked at.
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

// `regprobe verify freeswitch`.
#[derive(Debug, Args)]
pub(crate) struct Freeswitch {
    /// The gateway's name
    #[arg(long, value_name = "NAME")]
    pub(crate) gateway: Gateway,
    /// How FreeSWITCH is reached.
    #[command(flatten)]
    pub(crate) access: FreeswitchAccess,
    /// How the registrar is looked at.
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

// `regprobe verify asterisk`.
#[derive(Debug, Args)]
pub(crate) struct Asterisk {
    /// The registration's object name
    #[arg(long, value_name = "NAME", value_parser = values::identifier)]
    pub(crate) registration: String,
    /// How Asterisk is reached.
    #[command(flatten)]
    pub(crate) access: AsteriskAccess,
    /// How the registrar is looked at.
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

// How the registrar is looked at, whoever claims something about it.
#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    /// The account that is registered [default: what the API says]
    #[arg(long, value_name = "AOR", help_heading = "Registration", value_parser = values::aor)]
    pub(crate) aor: Option<Aor>,
    /// The registrar's URI or host [default: what the API says, or else the AOR's domain]
    #[arg(long, value_name = "URI", help_heading = "Registration", value_parser = values::registrar)]
    pub(crate) registrar: Option<OwnedUri>,
    /// Send through this server (outbound proxy) [default: what the API says]
    #[arg(long, value_name = "URI", help_heading = "Registration", value_parser = values::server)]
    pub(crate) proxy: Option<OwnedUri>,
    /// What the provider's binding looks like.
    #[command(flatten)]
    pub(crate) expected: ExpectedArgs,
    /// What may be done to find out.
    #[command(flatten)]
    pub(crate) mode: ModeArgs,
    /// With what.
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    /// Which way.
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Over which TLS.
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// How long and how far.
    #[command(flatten)]
    pub(crate) exchange: ExchangeArgs,
    /// Shown how.
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

// How to show what came of it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct ShowArgs {
    /// A table and a verdict, one JSON object (indented on a terminal), or one line for Nagios and its kin
    #[arg(long, value_name = "FORM", value_enum, default_value = "human")]
    pub(crate) output: OutputArg,
    /// Show every exchange with whole messages, secrets redacted
    #[arg(long)]
    pub(crate) trace: bool,
}

// What the provider's binding looks like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Expected binding (default: what the API's own data say)")]
pub(crate) struct ExpectedArgs {
    /// The user part of its Contact; repeatable
    #[arg(long, value_name = "USER")]
    pub(crate) expect_user: Vec<String>,
    /// The host of its Contact: a name, an address, an address with port, or a network such as 192.0.2.0/24; repeatable
    #[arg(long, value_name = "HOST", value_parser = values::host_pattern)]
    pub(crate) expect_host: Vec<HostPattern>,
    /// Its +sip.instance; repeatable
    #[arg(long, value_name = "URN")]
    pub(crate) expect_instance: Vec<String>,
    /// This registrar lists what is bound: an empty list means that nothing is bound
    #[arg(long)]
    pub(crate) assume_listing: bool,
    /// The probe's password is not the provider's: a refusal of the one says nothing about the other
    #[arg(long)]
    pub(crate) other_secret: bool,
}

// What may be done to find out.
#[derive(Debug, Args)]
#[command(next_help_heading = "Looking")]
pub(crate) struct ModeArgs {
    /// Only read the bindings, or also bind a Contact of our own for a moment
    #[arg(long, value_name = "MODE", value_enum, default_value = "fetch")]
    pub(crate) mode: Mode,
    /// register: go on although somebody is bound, whom some registrars throw out for it
    #[arg(long)]
    pub(crate) allow_displacement: bool,
    /// Send an OPTIONS to the account through the registrar and see it arrive; needs --mode register, or --own-binding
    #[arg(long)]
    pub(crate) check_inbound: bool,
    /// --check-inbound: the binding that is there is yours, and may be rung
    #[arg(long, requires = "check_inbound")]
    pub(crate) own_binding: bool,
    /// Also ask each server that DNS names for the registrar by itself, and say where they differ
    #[arg(long)]
    pub(crate) every_target: bool,
    /// How long to wait before a contradiction is looked at again, such as 40s or 1m; plain numbers are seconds [default: 32s, or the
    /// provider's own delay]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(crate) grace: Option<Duration>,
}

/// `--mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    Fetch,
    Register,
}
