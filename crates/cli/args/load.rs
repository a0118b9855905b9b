//! `regprobe load` as clap sees it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use sip_message::OwnedUri;

use super::credentials::{ASKED, ChallengeArgs};
use super::{NetworkArgs, TlsArgs};
use crate::load::schedule::Shape;
use crate::load::template::{self, AorTemplate, Template};
use crate::load::values::{self as load, Connections, Users};
use crate::values::{self, Rate};

// `regprobe load`.
#[derive(Debug, Args)]
#[command(after_help = verbatim(EXAMPLES))]
pub(crate) struct Load {
    /// The accounts.
    #[arg(help = verbatim("The accounts: sip:USER@DOMAIN with {n} in the user for the number, or {n:05} with zeros in front of it"))]
    #[arg(value_name = "AOR", value_parser = template::aor)]
    pub(crate) aor: AorTemplate,
    /// The numbers of the users, FIRST..LAST, or how many from 1 on
    #[arg(long, value_name = "RANGE", value_parser = load::users)]
    pub(crate) users: Option<Users>,
    /// How much of it, and when.
    #[command(flatten)]
    pub(crate) amount: AmountArgs,
    /// What becomes of the bindings.
    #[command(flatten)]
    pub(crate) binding: BindingArgs,
    /// With what.
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    /// Where to.
    #[command(flatten)]
    pub(crate) registrar: RegistrarArgs,
    /// Over how many flows and threads.
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Which way.
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Over which TLS.
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// Shown how.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  regprobe load 'user{n}@pbx.example.test' --users 1..1000
  regprobe load 'user{n:05}@10.0.0.5' --users 1..9999 --rate 2000/s
  regprobe load 'user{n}@10.0.0.5' --users 50000 --ramp 1000,5000,20000/s
  regprobe load 'user{n}@10.0.0.5' --users 9000 --keep-alive --duration 5m
  regprobe load 'user{n}@10.0.0.5' --users 90 --transport tcp --connections each
  regprobe load 'user{n}@10.0.0.5' --users 9000 --storm --jitter 5s

Exit status: 0 all registered, or the wanted --share of them; 1 some did not; 2 wrong command line, or a host that is not yours \
or cannot be looked up (nothing was sent); 5 our own side could not go on, or standard output takes nothing; 130 interrupted, \
after what was measured so far was shown. More: docs/load.md.";

/// clap takes `{n}` in its texts for a line break, unless something that nobody sees stands in it: a style that changes nothing.
fn verbatim(text: &str) -> String {
    text.replace("{n}", "{\u{1b}[0mn}")
}

// How much.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
pub(crate) struct AmountArgs {
    /// How many registrations fall due: 500/s, 30/m; plain numbers are per second. However slow the registrar is, they fall due
    #[arg(long, value_name = "RATE", default_value = "100/s", value_parser = values::rate)]
    pub(crate) rate: Rate,
    /// Change the rate evenly from FROM to TO, or by steps that last equally long: 100..5000/s, or 100,500,1000/s
    #[arg(long, value_name = "RATES", value_parser = load::ramp, conflicts_with_all = ["rate", "keep_alive", "storm"])]
    pub(crate) ramp: Option<Shape>,
    /// How long: 30s, 5m; what is open at the end is waited for
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = values::duration)]
    pub(crate) duration: Duration,
    /// The most exchanges that are open at once; what falls due beyond that is held back, and counted [default: 10000, with --storm as many as users]
    #[arg(long, value_name = "N", value_parser = load::open)]
    pub(crate) open: Option<NonZeroUsize>,
    /// How long one exchange may take before it counts as failed; 32s is the RFC's own
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = values::duration)]
    pub(crate) timeout: Duration,
    /// Register each user once, refresh it in time like a phone, and tell of every lapse
    #[arg(long, conflicts_with = "storm")]
    pub(crate) keep_alive: bool,
    /// Register every user at once, as after an outage, try again like phones do, and tell when all are back
    #[arg(long)]
    pub(crate) storm: bool,
    /// Let each user of a storm begin at a random moment within this time
    #[arg(long, value_name = "DURATION", requires = "storm", value_parser = values::duration)]
    pub(crate) jitter: Option<Duration>,
    /// Succeed when this share registered, in percent
    #[arg(long, value_name = "PERCENT", default_value = "100", value_parser = load::share)]
    pub(crate) share: f64,
}

// What to bind.
#[derive(Debug, Args)]
#[command(next_help_heading = "Binding")]
pub(crate) struct BindingArgs {
    /// The seconds to ask for
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = values::expires)]
    pub(crate) expires: u32,
    /// Leave the bindings in place instead of removing them at the end
    #[arg(long)]
    pub(crate) keep: bool,
}

// What to answer challenges with.
#[derive(Debug, Args)]
#[command(next_help_heading = ASKED)]
pub(crate) struct CredentialArgs {
    /// The user name for authentication.
    #[arg(help = verbatim("The user name for authentication, with or without {n} [default: the AOR's user]"))]
    #[arg(long, value_name = "NAME", value_parser = template::auth_user)]
    pub(crate) auth_user: Option<Template>,
    /// The file of the password.
    #[arg(help = verbatim("Read the password from this file, or from standard input with -; {n} in it is the number of the user"))]
    #[arg(long, value_name = "PATH")]
    pub(crate) password_file: Option<PathBuf>,
    /// The variable of the password.
    #[arg(help = verbatim("The environment variable that holds the password; {n} in it is the number of the user"))]
    #[arg(long, value_name = "NAME", value_parser = values::variable, default_value = crate::secret::VARIABLE, conflicts_with = "password_file")]
    pub(crate) password_env: String,
    /// Send the credentials of the last exchange ahead for as long as the nonce is good, instead of being challenged each time
    #[arg(long)]
    pub(crate) reuse_nonce: bool,
    /// Which challenges.
    #[command(flatten)]
    pub(crate) challenges: ChallengeArgs,
}

// Where to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct RegistrarArgs {
    /// The registrar's URI or host [default: the AOR's domain]
    #[arg(long, value_name = "URI", value_parser = values::registrar)]
    pub(crate) registrar: Option<OwnedUri>,
    /// Send through this server (outbound proxy, a preloaded Route)
    #[arg(long, value_name = "URI", value_parser = values::server)]
    pub(crate) proxy: Option<OwnedUri>,
    /// I answer for this host: load it although its address is public; repeatable for a proxy and its registrar
    #[arg(long, value_name = "HOST", value_parser = load::host)]
    pub(crate) this_registrar_is_mine: Vec<String>,
}

// Over what.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct EngineArgs {
    /// Over how many sockets or connections, or `each`: one for each user
    #[arg(long, value_name = "N|each", default_value = "1", value_parser = load::connections)]
    pub(crate) connections: Connections,
    /// Share the users among so many threads, each with sockets of its own
    #[arg(long, value_name = "N", default_value = "1", value_parser = load::shards)]
    pub(crate) shards: NonZeroUsize,
}

// How to show what was measured.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// A summary for people, or one JSON object
    #[arg(long, value_name = "FORM", value_enum, default_value = "human")]
    pub(crate) output: LoadOutput,
}

/// `--output` of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LoadOutput {
    Human,
    Json,
}
