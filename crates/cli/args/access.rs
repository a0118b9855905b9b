//! The arguments by which a provider's API is reached: shared by `verify` and `providers`. Secrets come from the environment or from
//! files; the variable that holds one can be named, so that a file of checks can use several accounts.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use regprobe_providers::{Endpoint, Url};

use crate::values;

// How long a call may take, and whom it trusts.
#[derive(Debug, Args)]
#[command(next_help_heading = "API")]
pub(crate) struct CallArgs {
    /// Trust the authorities in this PEM file instead of the system's when the API is asked
    #[arg(long, value_name = "PEM")]
    pub(crate) api_ca_file: Option<PathBuf>,
    /// The longest that one question to the API may take, repetitions included, such as 5s; plain numbers are seconds
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::duration)]
    pub(crate) api_timeout: Duration,
}

// Telnyx.
#[derive(Debug, Args)]
#[command(next_help_heading = "API")]
pub(crate) struct TelnyxAccess {
    /// Read the API key from this file, or from standard input with -
    #[arg(long, value_name = "PATH")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// The environment variable that holds the API key
    #[arg(long, value_name = "NAME", value_parser = values::variable, default_value = "TELNYX_API_KEY", conflicts_with = "api_key_file")]
    pub(crate) api_key_env: String,
    /// Where the API is.
    #[arg(help = "Another base URL than Telnyx' own [default: https://api.telnyx.com/v2, or TELNYX_BASE_URL]")]
    #[arg(long, value_name = "URL", value_parser = regprobe_providers::base_url)]
    pub(crate) api_url: Option<Url>,
    /// How.
    #[command(flatten)]
    pub(crate) call: CallArgs,
}

// Telzino: a token, or the client credentials that one is made from.
#[derive(Debug, Args)]
#[command(next_help_heading = "API")]
pub(crate) struct TelzinoAccess {
    /// Read the access token from this file, or from standard input with -
    #[arg(long, value_name = "PATH")]
    pub(crate) token_file: Option<PathBuf>,
    /// The environment variable that holds the access token
    #[arg(long, value_name = "NAME", value_parser = values::variable, default_value = "TELZINO_TOKEN", conflicts_with = "token_file")]
    pub(crate) token_env: String,
    /// Get a token for this client instead [default: TELZINO_CLIENT_ID, when there is no token]
    #[arg(long, value_name = "ID", value_parser = values::identifier, conflicts_with_all = ["token_file", "token_env"])]
    pub(crate) client_id: Option<String>,
    /// Read the client's secret from this file, or from standard input with -
    #[arg(long, value_name = "PATH", conflicts_with_all = ["token_file", "token_env"])]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The environment variable that holds the client's secret
    #[arg(
        long,
        value_name = "NAME",
        default_value = "TELZINO_CLIENT_SECRET",
        conflicts_with = "client_secret_file"
    )]
    pub(crate) client_secret_env: String,
    /// Where the API is.
    #[arg(help = "Another base URL than Telzino's own [default: https://api.telzino.com, or TELZINO_BASE_URL]")]
    #[arg(long, value_name = "URL", value_parser = regprobe_providers::base_url)]
    pub(crate) api_url: Option<Url>,
    /// How.
    #[command(flatten)]
    pub(crate) call: CallArgs,
}

// Bitrix24: a webhook, or an access token and the portal that it is for.
#[derive(Debug, Args)]
#[command(next_help_heading = "API")]
pub(crate) struct Bitrix24Access {
    /// Read the URL of an inbound webhook, https://PORTAL/rest/USER/CODE/, from this file, or from standard input with -
    #[arg(long, value_name = "PATH")]
    pub(crate) webhook_file: Option<PathBuf>,
    /// The environment variable that holds the webhook's URL
    #[arg(long, value_name = "NAME", value_parser = values::variable, default_value = "BITRIX24_WEBHOOK", conflicts_with = "webhook_file")]
    pub(crate) webhook_env: String,
    /// Use an OAuth access token at this portal instead of a webhook
    #[arg(long, value_name = "URL", value_parser = values::portal, conflicts_with_all = ["webhook_file", "webhook_env"])]
    pub(crate) portal: Option<Url>,
    /// Read the access token from this file, or from standard input with -
    #[arg(long, value_name = "PATH", requires = "portal")]
    pub(crate) token_file: Option<PathBuf>,
    /// The environment variable that holds the access token
    #[arg(long, value_name = "NAME", value_parser = values::variable, default_value = "BITRIX24_TOKEN", conflicts_with = "token_file")]
    pub(crate) token_env: String,
    /// How.
    #[command(flatten)]
    pub(crate) call: CallArgs,
}

// OpenSIPS.
#[derive(Debug, Args)]
#[command(next_help_heading = "API")]
pub(crate) struct OpensipsAccess {
    /// The URL of its management interface (mi_http), such as http://127.0.0.1:8888/mi
    #[arg(long, value_name = "URL", value_parser = regprobe_providers::base_url)]
    pub(crate) mi: Url,
    /// How.
    #[command(flatten)]
    pub(crate) call: CallArgs,
}

// Kamailio.
#[derive(Debug, Args)]
#[command(next_help_heading = "API")]
pub(crate) struct KamailioAccess {
    /// The URL of its JSON-RPC (jsonrpcs over xhttp), such as http://127.0.0.1:5060/RPC
    #[arg(long, value_name = "URL", value_parser = regprobe_providers::base_url)]
    pub(crate) rpc: Url,
    /// How.
    #[command(flatten)]
    pub(crate) call: CallArgs,
}

// FreeSWITCH.
#[derive(Debug, Args)]
#[command(next_help_heading = "API")]
pub(crate) struct FreeswitchAccess {
    /// Where its event socket listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8021")]
    pub(crate) esl: Endpoint,
    /// Read the event socket's password from this file, or from standard input with -
    #[arg(long, value_name = "PATH")]
    pub(crate) esl_password_file: Option<PathBuf>,
    /// The environment variable that holds the event socket's password
    #[arg(
        long,
        value_name = "NAME",
        default_value = "FREESWITCH_PASSWORD",
        conflicts_with = "esl_password_file"
    )]
    pub(crate) esl_password_env: String,
    /// The longest that the question may take
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::duration)]
    pub(crate) api_timeout: Duration,
}

// Asterisk.
#[derive(Debug, Args)]
#[command(next_help_heading = "API")]
pub(crate) struct AsteriskAccess {
    /// Where its manager interface listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5038")]
    pub(crate) ami: Endpoint,
    /// The manager user
    #[arg(long, value_name = "NAME")]
    pub(crate) ami_user: String,
    /// Read the manager user's secret from this file, or from standard input with -
    #[arg(long, value_name = "PATH")]
    pub(crate) ami_secret_file: Option<PathBuf>,
    /// The environment variable that holds the manager user's secret
    #[arg(long, value_name = "NAME", value_parser = values::variable, default_value = "ASTERISK_SECRET", conflicts_with = "ami_secret_file")]
    pub(crate) ami_secret_env: String,
    /// The longest that the question may take
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::duration)]
    pub(crate) api_timeout: Duration,
}
