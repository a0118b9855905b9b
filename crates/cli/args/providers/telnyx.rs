//! `regprobe providers telnyx` as clap sees it.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use regprobe_providers::telnyx::{Key, Sort};

use super::{Over, ShowArgs};
use crate::args::access::TelnyxAccess;
use crate::args::verify::CredentialType;
use crate::args::{ExchangeArgs, NetworkArgs, TlsArgs};
use crate::values;

/// Reads an order; the option is named by who shows the error.
fn order(text: &str) -> Result<Sort, String> {
    text.parse::<Sort>().map_err(|why| why.unnamed())
}

/// Reads what a connection is to be called.
fn connection_name(text: &str) -> Result<Key, String> {
    let right = "a name of at most 256 bytes in one line, such as Office";
    text.parse::<Key>().map_err(|why| format!("{}; write {right}", why.problem))
}

/// Reads how long a registration is asked for; 0 is refused where it is known what it would do.
fn seconds(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "this is not a number of seconds, such as 600".to_owned())
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  regprobe providers telnyx status --connection-id 2f3c0e4a
  regprobe providers telnyx connections list --sort -created_at --limit 10
  regprobe providers telnyx siprec get recorder --ping";

/// What Telnyx can be asked.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Telnyx {
    /// What Telnyx says about a registration at this moment
    Status(Box<Status>),
    /// UAC connections, which register at a PBX
    #[command(subcommand, after_help = CONNECTION_EXAMPLES)]
    Connections(Connections),
    /// Credential connections, at which a PBX or a device registers
    #[command(subcommand)]
    CredentialConnections(CredentialConnections),
    /// External connections: SIP trunking with a partner of Telnyx
    #[command(subcommand)]
    ExternalConnections(ExternalConnections),
    /// What the operations of external connections left in the log
    #[command(subcommand)]
    LogMessages(LogMessages),
    /// SIPREC connectors: where recordings are sent
    #[command(subcommand)]
    Siprec(Siprec),
}

const CONNECTION_EXAMPLES: &str = "\
Examples:
  regprobe providers telnyx connections create --name Office --proxy pbx.example.com --username 1001 --password-file pbx.secret \\
    --destination-uri 1006@assistant-abc123.sip.telnyx.com
  regprobe providers telnyx connections update 2f3c0e4a --transport tls --outbound-proxy edge.example.com
  regprobe providers telnyx connections delete 2f3c0e4a --yes";

// How Telnyx is asked, and how what came is shown.
#[derive(Debug, Args)]
pub(crate) struct Call {
    /// How Telnyx is reached.
    #[command(flatten)]
    pub(crate) access: TelnyxAccess,
    /// Shown how.
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

// A question about one thing.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its id, as the list shows it
    #[arg(value_name = "ID")]
    pub(crate) id: Key,
    /// How.
    #[command(flatten)]
    pub(crate) call: Call,
}

// A question for all there are.
#[derive(Debug, Args)]
pub(crate) struct All {
    /// No more than this many
    #[arg(long, value_name = "N", value_parser = values::limit)]
    pub(crate) limit: Option<NonZeroUsize>,
    /// How.
    #[command(flatten)]
    pub(crate) call: Call,
}

// `regprobe providers telnyx status`.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The id of a UAC connection
    #[arg(long, value_name = "ID", required_unless_present = "username")]
    pub(crate) connection_id: Option<Key>,
    /// The user name of a telephony credential or of a credential connection
    #[arg(long, value_name = "NAME", conflicts_with = "connection_id")]
    pub(crate) username: Option<Key>,
    /// What kind of credential it is [default: uac_external_credential; with --username telephony_credential]
    #[arg(long, value_name = "KIND", value_enum)]
    pub(crate) credential_type: Option<CredentialType>,
    /// How.
    #[command(flatten)]
    pub(crate) call: Call,
}

/// What can be done with UAC connections.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Connections {
    /// List them
    List(Box<List>),
    /// Show one
    Get(Box<One>),
    /// Make one
    Create(Box<Create>),
    /// Change one: only what is named, and nothing else
    Update(Box<Update>),
    /// Remove one; what it registered is registered no more
    Delete(Box<Delete>),
}

// `regprobe providers telnyx connections list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Those with these characters in their name, three at least; case does not count
    #[arg(long, value_name = "TEXT")]
    pub(crate) name_contains: Option<String>,
    /// The one with this FQDN
    #[arg(long, value_name = "FQDN")]
    pub(crate) fqdn: Option<String>,
    /// Those with this outbound voice profile
    #[arg(long, value_name = "ID")]
    pub(crate) outbound_voice_profile_id: Option<String>,
    /// By created_at, connection_name or active; with - in front the other way round
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true, value_parser = order)]
    pub(crate) sort: Option<Sort>,
    /// How many are asked for at a time, 1 to 250 [default: 250, or --limit when that is less]
    #[arg(long, value_name = "N", value_parser = values::number::<u32>)]
    pub(crate) page_size: Option<u32>,
    /// How many.
    #[command(flatten)]
    pub(crate) all: All,
}

// `regprobe providers telnyx connections create`.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What to call it
    #[arg(long, value_name = "NAME", value_parser = connection_name)]
    pub(crate) name: Key,
    /// What it is to be.
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    /// How.
    #[command(flatten)]
    pub(crate) call: Call,
}

// `regprobe providers telnyx connections update`.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Its id, as the list shows it
    #[arg(value_name = "ID")]
    pub(crate) id: Key,
    /// What to call it from now on
    #[arg(long, value_name = "NAME", value_parser = connection_name)]
    pub(crate) name: Option<Key>,
    /// What it is to be.
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    /// How.
    #[command(flatten)]
    pub(crate) call: Call,
}

// What a UAC connection is to be. Passwords come from files and from variables that are named here, never by themselves: a variable that
// happens to be set changes no password.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registration at the PBX (external_uac_settings)")]
pub(crate) struct SettingArgs {
    /// The PBX: HOST, HOST:PORT or a SIP URI
    #[arg(long, value_name = "SERVER")]
    pub(crate) proxy: Option<String>,
    /// The server in front of it; empty takes it away
    #[arg(long, value_name = "SERVER")]
    pub(crate) outbound_proxy: Option<String>,
    /// The user that registers
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// The user name for digest, where it is another; empty takes it away
    #[arg(long, value_name = "NAME")]
    pub(crate) auth_username: Option<String>,
    /// The user in From, where it is another; empty takes it away
    #[arg(long, value_name = "NAME")]
    pub(crate) from_user: Option<String>,
    /// Read the password at the PBX from this file, or from standard input with -
    #[arg(long, value_name = "PATH")]
    pub(crate) password_file: Option<PathBuf>,
    /// Take the password at the PBX from this environment variable
    #[arg(long, value_name = "NAME", value_parser = values::variable, conflicts_with = "password_file")]
    pub(crate) password_env: Option<String>,
    /// The transport to the PBX
    #[arg(long, value_name = "TRANSPORT", value_enum)]
    pub(crate) transport: Option<Over>,
    /// The seconds to ask for
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) expiration: Option<u32>,
    /// Where calls from the PBX go: EXTENSION@APPLICATION.sip.telnyx.com
    #[arg(long, value_name = "URI", help_heading = "Connection")]
    pub(crate) destination_uri: Option<String>,
    /// Whether it is switched on
    #[arg(long, value_name = "BOOL", help_heading = "Connection")]
    pub(crate) active: Option<bool>,
    /// Telnyx' own user name of the connection: 4 to 32 letters and digits
    #[arg(long, value_name = "NAME", help_heading = "Connection")]
    pub(crate) telnyx_username: Option<String>,
    /// Read the password to that from this file, or from standard input with -
    #[arg(long, value_name = "PATH", help_heading = "Connection")]
    pub(crate) telnyx_password_file: Option<PathBuf>,
    /// Take the password to that from this environment variable
    #[arg(long, value_name = "NAME", value_parser = values::variable, help_heading = "Connection", conflicts_with = "telnyx_password_file")]
    pub(crate) telnyx_password_env: Option<String>,
    /// Any other field by Telnyx' name, as JSON or as bare text, unchecked; repeatable
    #[arg(long, value_name = "FIELD=VALUE", help_heading = "Connection", value_parser = values::field)]
    pub(crate) set: Vec<(String, serde_json::Value)>,
}

// `regprobe providers telnyx connections delete`.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Which, and how.
    #[command(flatten)]
    pub(crate) one: One,
    /// Do not ask; needed where nobody can be asked
    #[arg(long)]
    pub(crate) yes: bool,
}

/// What can be done with credential connections.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum CredentialConnections {
    /// Show one
    Get(Box<One>),
    /// Make Telnyx look into its own table. Has a side effect: what it finds becomes the connection's stored status
    Check(Box<One>),
}

/// What can be done with external connections.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum ExternalConnections {
    /// List them
    List(Box<All>),
    /// Show one
    Get(Box<One>),
}

/// What can be done with the log.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum LogMessages {
    /// List the messages
    List(Box<Log>),
    /// Show the lines of one message
    Get(Box<One>),
}

// `regprobe providers telnyx log-messages list`.
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// Only those of this external connection
    #[arg(long, value_name = "ID")]
    pub(crate) connection_id: Option<Key>,
    /// How many.
    #[command(flatten)]
    pub(crate) all: All,
}

/// What can be done with SIPREC connectors.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Siprec {
    /// Show one, and with --ping ask whether it answers
    Get(Box<Connector>),
}

// `regprobe providers telnyx siprec get`.
#[derive(Debug, Args)]
pub(crate) struct Connector {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: Key,
    /// How.
    #[command(flatten)]
    pub(crate) call: Call,
    /// Send an OPTIONS to its host and port from here; the exit status is then that of `regprobe ping`
    #[arg(long, help_heading = "Ping")]
    pub(crate) ping: bool,
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
