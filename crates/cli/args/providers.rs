//! `regprobe providers` as clap sees it: the clients of the providers' APIs, for a look or a change. How an API is reached is said in
//! `access`, as for `verify`.

pub(crate) mod telnyx;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use regprobe_providers::freeswitch::Gateway;
use regprobe_providers::telzino::AgentId;
use sip_registration::Transport;

use super::access::{AsteriskAccess, Bitrix24Access, FreeswitchAccess, KamailioAccess, OpensipsAccess, TelzinoAccess};
use crate::values;

pub(crate) const EXAMPLES: &str = "\
Examples:
  regprobe providers telnyx connections list --name-contains office
  regprobe providers telnyx connections update 2f3c0e4a --transport tls --expiration 600
  regprobe providers telzino status 123e4567-e89b-12d3-a456-426614174000
  regprobe providers bitrix24 lines --webhook-file portal.webhook --output json
  regprobe providers kamailio registrations --rpc http://127.0.0.1:5060/RPC

Exit status: 0 it worked, 1 there is no such object, 2 wrong command line (nothing was sent), \
3 somebody was asked and said no (nothing was changed), 5 the API could not be asked, refused, or gave no \
answer that can be used, 130 interrupted.
What a provider says is its word alone: `regprobe verify` holds it against the registrar.";

/// Whose API is asked.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Provider {
    /// Telnyx: UAC connections and what belongs to them
    #[command(subcommand, after_help = telnyx::EXAMPLES)]
    Telnyx(telnyx::Telnyx),
    /// Telzino: the SIP accounts of agents
    #[command(subcommand, after_help = TELZINO_EXAMPLES)]
    Telzino(Telzino),
    /// Bitrix24: the SIP lines of a portal
    #[command(name = "bitrix24", subcommand, after_help = BITRIX24_EXAMPLES)]
    Bitrix24(Bitrix24),
    /// OpenSIPS: its registrants (module uac_registrant)
    #[command(
        subcommand,
        after_help = "Example:\n  regprobe providers opensips registrations --mi http://127.0.0.1:8888/mi"
    )]
    Opensips(Opensips),
    /// Kamailio: its remote registrations (module uac)
    #[command(
        subcommand,
        after_help = "Example:\n  regprobe providers kamailio registration trunk1 --rpc http://127.0.0.1:5060/RPC"
    )]
    Kamailio(Kamailio),
    /// FreeSWITCH: its gateways
    #[command(
        subcommand,
        after_help = "Example:\n  regprobe providers freeswitch gateway carrier --esl 127.0.0.1:8021"
    )]
    Freeswitch(Freeswitch),
    /// Asterisk: its outbound registrations (PJSIP)
    #[command(
        subcommand,
        after_help = "Example:\n  regprobe providers asterisk registrations --ami 127.0.0.1:5038 --ami-user monitor"
    )]
    Asterisk(Asterisk),
}

// How to show what came.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct ShowArgs {
    /// A table, or JSON: one object or one array, indented on a terminal
    #[arg(long, value_name = "FORM", value_enum, default_value = "human")]
    pub(crate) output: Form,
}

/// `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Human,
    Json,
}

/// The transport of an account that is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Over {
    Udp,
    Tcp,
    Tls,
}

impl From<Over> for Transport {
    fn from(over: Over) -> Self {
        match over {
            Over::Udp => Self::Udp,
            Over::Tcp => Self::Tcp,
            Over::Tls => Self::Tls,
        }
    }
}

const TELZINO_EXAMPLES: &str = "\
Examples:
  regprobe providers telzino status 123e4567-e89b-12d3-a456-426614174000
  regprobe providers telzino store 123e4567-e89b-12d3-a456-426614174000 --domain pbx.example.com --username 1001";

const BITRIX24_EXAMPLES: &str = "\
Examples:
  regprobe providers bitrix24 lines --webhook-file portal.webhook
  regprobe providers bitrix24 status 5505";

/// What Telzino can be asked.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Telzino {
    /// What Telzino says about the registration of an agent
    Status(Box<TelzinoStatus>),
    /// Store the SIP account of an agent, in place of the one that is there; it registers some seconds later, or fails to
    #[command(after_help = STORE_EXAMPLES)]
    Store(Box<TelzinoStore>),
}

const STORE_EXAMPLES: &str = "\
Examples:
  regprobe providers telzino store 123e4567-e89b-12d3-a456-426614174000 --domain pbx.example.com --username 1001
  regprobe providers telzino store 123e4567-e89b-12d3-a456-426614174000 --aor 1001@pbx.example.com --realm asterisk --username 1001";

// `regprobe providers telzino status`.
#[derive(Debug, Args)]
pub(crate) struct TelzinoStatus {
    /// The agent's UUID
    #[arg(value_name = "AGENT")]
    pub(crate) agent: AgentId,
    /// How Telzino is reached.
    #[command(flatten)]
    pub(crate) access: TelzinoAccess,
    /// Shown how.
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

// `regprobe providers telzino store`.
#[derive(Debug, Args)]
pub(crate) struct TelzinoStore {
    /// The agent's UUID
    #[arg(value_name = "AGENT")]
    pub(crate) agent: AgentId,
    /// What is stored.
    #[command(flatten)]
    pub(crate) account: TelzinoAccount,
    /// How Telzino is reached.
    #[command(flatten)]
    pub(crate) access: TelzinoAccess,
    /// Shown how.
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

// The SIP account of an agent.
#[derive(Debug, Args)]
#[command(next_help_heading = "SIP account")]
pub(crate) struct TelzinoAccount {
    /// The registrar: a host without a port
    #[arg(long, value_name = "HOST", required_unless_present = "aor")]
    pub(crate) domain: Option<String>,
    /// The account in the form of the API's former revision: USER@HOST, instead of --domain
    #[arg(long, value_name = "USER@HOST", conflicts_with = "domain", requires = "realm")]
    pub(crate) aor: Option<String>,
    /// The realm for digest, which the former revision wants
    #[arg(long, value_name = "REALM", requires = "aor")]
    pub(crate) realm: Option<String>,
    /// The user that registers
    #[arg(long, value_name = "NAME")]
    pub(crate) username: String,
    /// Read the account's password from this file, or from standard input with -
    #[arg(long, value_name = "PATH")]
    pub(crate) password_file: Option<PathBuf>,
    /// The environment variable that holds the account's password
    #[arg(long, value_name = "NAME", value_parser = values::variable, default_value = crate::secret::VARIABLE, conflicts_with = "password_file")]
    pub(crate) password_env: String,
    /// The user name for digest, where it is another
    #[arg(long, value_name = "NAME", conflicts_with = "aor")]
    pub(crate) auth_username: Option<String>,
    /// Through this proxy: a host without a port
    #[arg(long, value_name = "HOST")]
    pub(crate) proxy: Option<String>,
    /// To this port [default: Telzino's, 5060]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Over this transport [default: Telzino's, udp]
    #[arg(long, value_name = "TRANSPORT", value_enum)]
    pub(crate) transport: Option<Over>,
    /// Whether to send SUBSCRIBE for presence as well [default: Telzino's, false]
    #[arg(long, value_name = "BOOL")]
    pub(crate) subscribe: Option<bool>,
    /// The number that calls come from, such as +15551234567
    #[arg(long, value_name = "NUMBER", conflicts_with = "aor")]
    pub(crate) did: Option<String>,
}

/// What Bitrix24 can be asked.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Bitrix24 {
    /// What Voximplant says about a registration at this moment; Bitrix24 stores it
    Status(Box<Bitrix24Line>),
    /// What Bitrix24 stored about a registration when somebody asked last
    Stored(Box<Bitrix24Line>),
    /// The SIP lines that this access may see
    Lines(Box<Bitrix24Call>),
    /// Whether the SIP connector is paid for, without which no line registers
    Connector(Box<Bitrix24Call>),
}

// A question about one line.
#[derive(Debug, Args)]
pub(crate) struct Bitrix24Line {
    /// The registration's REG_ID
    #[arg(value_name = "REG_ID", value_parser = values::bitrix24_reg_id)]
    pub(crate) reg_id: u64,
    /// How.
    #[command(flatten)]
    pub(crate) call: Bitrix24Call,
}

// How Bitrix24 is asked.
#[derive(Debug, Args)]
pub(crate) struct Bitrix24Call {
    /// How Bitrix24 is reached.
    #[command(flatten)]
    pub(crate) access: Bitrix24Access,
    /// Shown how.
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

/// What OpenSIPS can be asked.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Opensips {
    /// Every registration that it makes
    Registrations(Box<OpensipsRegistrations>),
}

// `regprobe providers opensips registrations`.
#[derive(Debug, Args)]
pub(crate) struct OpensipsRegistrations {
    /// How OpenSIPS is reached.
    #[command(flatten)]
    pub(crate) access: OpensipsAccess,
    /// Shown how.
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

/// What Kamailio can be asked.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Kamailio {
    /// Every registration that it makes
    Registrations(Box<KamailioCall>),
    /// One registration
    Registration(Box<KamailioRegistration>),
}

// `regprobe providers kamailio registration`.
#[derive(Debug, Args)]
pub(crate) struct KamailioRegistration {
    /// The record's l_uuid
    #[arg(value_name = "UUID", value_parser = values::identifier)]
    pub(crate) uuid: String,
    /// How.
    #[command(flatten)]
    pub(crate) call: KamailioCall,
}

// How Kamailio is asked.
#[derive(Debug, Args)]
pub(crate) struct KamailioCall {
    /// How Kamailio is reached.
    #[command(flatten)]
    pub(crate) access: KamailioAccess,
    /// Shown how.
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

/// What FreeSWITCH can be asked.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Freeswitch {
    /// Every gateway
    Gateways(Box<FreeswitchCall>),
    /// One gateway
    Gateway(Box<FreeswitchGateway>),
}

// `regprobe providers freeswitch gateway`.
#[derive(Debug, Args)]
pub(crate) struct FreeswitchGateway {
    /// The gateway's name
    #[arg(value_name = "NAME")]
    pub(crate) name: Gateway,
    /// How.
    #[command(flatten)]
    pub(crate) call: FreeswitchCall,
}

// How FreeSWITCH is asked.
#[derive(Debug, Args)]
pub(crate) struct FreeswitchCall {
    /// How FreeSWITCH is reached.
    #[command(flatten)]
    pub(crate) access: FreeswitchAccess,
    /// Shown how.
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

/// What Asterisk can be asked.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Asterisk {
    /// Every registration that it makes
    Registrations(Box<AsteriskCall>),
    /// One registration
    Registration(Box<AsteriskRegistration>),
}

// `regprobe providers asterisk registration`.
#[derive(Debug, Args)]
pub(crate) struct AsteriskRegistration {
    /// The registration's name, its section in pjsip.conf
    #[arg(value_name = "NAME", value_parser = values::identifier)]
    pub(crate) name: String,
    /// How.
    #[command(flatten)]
    pub(crate) call: AsteriskCall,
}

// How Asterisk is asked.
#[derive(Debug, Args)]
pub(crate) struct AsteriskCall {
    /// How Asterisk is reached.
    #[command(flatten)]
    pub(crate) access: AsteriskAccess,
    /// Shown how.
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::args::Cli;

    fn parses(line: &str) -> Result<Cli, String> {
        let words = ["regprobe", "providers"].into_iter().chain(line.split_whitespace());
        Cli::try_parse_from(words).map_err(|error| error.to_string())
    }

    const AGENT: &str = "123e4567-e89b-12d3-a456-426614174000";

    #[test]
    fn every_provider_has_its_questions() {
        for line in [
            "telnyx status --connection-id 7",
            "telnyx status --username gencred1 --credential-type telephony_credential",
            "telnyx connections list --name-contains off --fqdn a.example --outbound-voice-profile-id 9 --sort -created_at --page-size 50 --limit 3",
            "telnyx connections get 7 --output json",
            "telnyx connections create --name Office --proxy pbx.example.com --username alice --password-file x --active true",
            "telnyx connections update 7 --transport tls --outbound-proxy edge.example.com --set tags=[]",
            "telnyx connections delete 7 --yes",
            "telnyx credential-connections get 7",
            "telnyx credential-connections check 7",
            "telnyx external-connections list",
            "telnyx external-connections get 7",
            "telnyx log-messages list --connection-id 7 --limit 10",
            "telnyx log-messages get 7",
            "telnyx siprec get recorder --ping --timeout 2s",
            &format!("telzino status {AGENT}"),
            &format!(
                "telzino store {AGENT} --domain pbx.example.com --username 1001 --port 5080 --transport tcp --subscribe true --did +1555"
            ),
            &format!("telzino store {AGENT} --aor 1001@pbx.example.com --realm r --username 1001"),
            "bitrix24 status 5505",
            "bitrix24 stored 5505 --portal p.bitrix24.com",
            "bitrix24 lines --output json",
            "bitrix24 connector",
            "opensips registrations --mi http://127.0.0.1:8888/mi",
            "kamailio registrations --rpc http://127.0.0.1:5060/RPC",
            "kamailio registration trunk1 --rpc http://127.0.0.1:5060/RPC",
            "freeswitch gateways",
            "freeswitch gateway carrier --esl 127.0.0.1:8021",
            "asterisk registrations --ami-user monitor",
            "asterisk registration trunk --ami-user monitor",
        ] {
            assert!(parses(line).is_ok(), "{line}: {}", parses(line).unwrap_err());
        }
    }

    #[test]
    fn what_is_missing_or_contradicts_is_named() {
        for (line, named) in [
            ("telnyx status", "--connection-id"),
            ("telnyx status --connection-id 7 --username u", "--username"),
            ("telnyx connections get", "<ID>"),
            ("telnyx connections get ..", "write the id or name as Telnyx shows it"),
            ("telnyx connections list --sort size", "created_at, connection_name or active"),
            ("telnyx connections list --limit 0", "--limit"),
            ("telnyx connections create --proxy h", "--name"),
            ("telnyx connections update 7 --password-file x --password-env Y", "--password-env"),
            ("telnyx connections update 7 --transport sctp", "udp, tcp, tls"),
            ("telzino status 7", "UUID"),
            (&format!("telzino store {AGENT} --username u"), "--domain"),
            (&format!("telzino store {AGENT} --username u --aor a@h"), "--realm"),
            (
                &format!("telzino store {AGENT} --username u --aor a@h --realm r --domain h"),
                "--domain",
            ),
            (&format!("telzino store {AGENT} --username u --aor a@h --realm r --did 1"), "--did"),
            ("bitrix24 status first", "<REG_ID>"),
            ("kamailio registrations", "--rpc"),
            ("freeswitch gateway a;b", "letters, digits"),
            ("asterisk registrations", "--ami-user"),
            ("telnyx connections list --output nagios", "human, json"),
        ] {
            let message = parses(line).unwrap_err();
            assert!(message.starts_with("error: ") && message.contains(named), "{line}: {message}");
        }
    }

    #[test]
    fn no_password_fits_on_a_command_line() {
        for line in [
            "telnyx connections update 7 --password canary",
            "telnyx connections create --name Office --telnyx-password canary",
        ] {
            let message = parses(line).unwrap_err();
            assert!(!message.contains("canary"), "{message}");
        }
    }
}
