//! The command line as clap sees it: names, help and which options exclude each other. What the words mean is `values`' and
//! `plan`'s to say; nothing here reads a file, the environment or the network.
//!
//! The structs have plain comments, because clap takes their doc comments for the help of the sub-command that they are part of.

pub(crate) mod access;
pub(crate) mod accounts;
pub(crate) mod bulk;
pub(crate) mod capture;
pub(crate) mod credentials;
pub(crate) mod inspect;
pub(crate) mod load;
pub(crate) mod providers;
pub(crate) mod verify;
pub(crate) mod watch;

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use sip_digest::Algorithm;
use sip_message::OwnedUri;
use sip_registrar::Fault;
use sip_registration::{Advertised, Override};

use self::credentials::{CredentialArgs, unasked};
use crate::values::{self, Aor, Instance};

/// Registers to a SIP registrar like a phone and tells exactly what happened, and why.
#[derive(Debug, Parser)]
#[command(name = "regprobe", version, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = TOP_EXAMPLES, max_term_width = 110)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const TOP_EXAMPLES: &str = "\
Examples:
  regprobe demo                            See it work, on this machine alone
  regprobe probe alice@pbx.example.com     Is this account registered, and if not, why?
  regprobe bulk accounts.csv               Which of these are not?
  regprobe explain no_reply                What does that word mean, and what now?

Exit status: 0 registered, or it worked; 1 verify: the claim is false, bulk and load: some did not register, watch: some may still \
be bound, providers: no such object; 2 wrong command line (nothing was sent); 3 verify: it cannot be said; 4 timeout, 5 internal \
error, inspect: malformed, 6 wrong credentials, 7 registrar error; 130 interrupted. More: `regprobe explain 3`, `regprobe man`.";

/// The sub-commands. Only the one that is used is described to clap: all of them cost a third of a millisecond at each start.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Register, report what happened, and remove the binding again
    #[command(after_help = PROBE_EXAMPLES)]
    Probe(Box<Probe>),
    /// List the bindings of an account; changes nothing
    #[command(after_help = "Example:\n  regprobe bindings alice@pbx.example.com")]
    Bindings(Box<Bindings>),
    /// Remove a binding: this machine's own, one Contact, or all
    #[command(after_help = UNREGISTER_EXAMPLES)]
    Unregister(Box<Unregister>),
    /// Ask whether a SIP server answers (OPTIONS)
    #[command(after_help = PING_EXAMPLES)]
    Ping(Box<Ping>),
    /// Probe every account of a list, each once, and say which are not registered and why
    Bulk(Box<bulk::Bulk>),
    /// Load your own registrar: registrations at a rate, kept, or all at once
    Load(Box<load::Load>),
    /// Hold what a provider's API says about a registration against what the registrar shows
    Verify(Box<verify::Verify>),
    /// Ask the providers' APIs directly: list, show and change what registers there
    #[command(subcommand, subcommand_value_name = "PROVIDER", subcommand_help_heading = "Providers", after_help = providers::EXAMPLES)]
    Providers(providers::Provider),
    /// Keep a list of accounts registered, and show how they stand
    #[command(after_help = watch::EXAMPLES)]
    Watch(Box<watch::Watch>),
    /// Serve as a small registrar for a lab, with scripted faults
    Registrar(Box<Registrar>),
    /// Probe a registrar of its own on the loopback interface, to see how reports look
    Demo,
    /// Read one SIP message, or those of a capture, and say all that is odd about it
    Inspect(inspect::Inspect),
    /// Say what a word of a report or an exit status means and what to do about it
    #[command(
        after_help = "Examples:\n  regprobe explain                 List all words\n  regprobe explain stale_loop\n  regprobe explain 6               The state with this code, also an exit status\n  regprobe explain displaced       The reason of a verdict"
    )]
    Explain(Explain),
    /// Print the JSON Schema of a report
    #[command(
        after_help = "Examples:\n  regprobe schema            The report of probe, bindings, unregister and ping\n  regprobe schema verify     The report of verify\n  regprobe schema bulk       The line of bulk --output jsonl for one row\n  regprobe schema problem    The line of verify --all for a check that cannot be made\n  regprobe schema watch      The line of watch\n  regprobe schema load       What load measured\n  regprobe schema inspect    A message as inspect reads it"
    )]
    Schema(Schema),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  regprobe completions bash > ~/.local/share/bash-completion/completions/regprobe")]
    Completions(Completions),
    /// Print a manual page
    #[command(
        after_help = "Examples:\n  regprobe man | man -l -\n  regprobe man probe | man -l -\n  regprobe man verify telnyx | man -l -"
    )]
    Man(Man),
}

const PROBE_EXAMPLES: &str = "\
Examples:
  regprobe probe alice@pbx.example.com
  regprobe probe sip:alice@example.com --proxy edge.example.com --transport tls
  regprobe probe alice@pbx.example.com --password-file alice.secret --output json
  regprobe probe alice@pbx.example.com --output nagios -w 500 -c 2000
  regprobe probe alice@pbx.example.com --pcap alice.pcapng    # for Wireshark";

const UNREGISTER_EXAMPLES: &str = "\
Examples:
  regprobe unregister alice@pbx.example.com
  regprobe unregister alice@pbx.example.com --contact sip:alice@198.51.100.7:5060
  regprobe unregister alice@pbx.example.com --all";

const PING_EXAMPLES: &str = "\
Examples:
  regprobe ping pbx.example.com
  regprobe ping sip:192.0.2.1:5080 --transport tcp --timeout 3s";

/// The faults and their texts are the registrar's own.
fn registrar_examples() -> String {
    let forms = Fault::FORMS.iter().map(|(form, meaning)| format!("  {form:<44}  {meaning}\n"));
    format!(
        "{REGISTRAR_EXAMPLES}\n\nFaults (SPEC), each also with ;method=NAME ;user=NAME ;after=N ;times=N:\n{}",
        forms.collect::<String>()
    )
}

const REGISTRAR_EXAMPLES: &str = "\
Examples:
  regprobe registrar --user alice:secret
  regprobe registrar --listen udp:127.0.0.1:5060 --listen tls:127.0.0.1:5061 --users-file lab.users
  regprobe registrar --user alice:secret --algorithm SHA-256 --algorithm MD5 --fault silence
  regprobe registrar --stateless --algorithm MD5            # for load tests: it must not be the bottleneck";

// `regprobe probe`.
#[derive(Debug, Args)]
pub(crate) struct Probe {
    /// Whom.
    #[command(flatten)]
    pub(crate) account: AccountArgs,
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
    /// Probe each target that DNS names by itself, one verdict for each; the worst decides
    #[arg(long, help_heading = "Exchange", conflicts_with = "keep")]
    pub(crate) every_target: bool,
    /// Shown how.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// With what evidence.
    #[command(flatten)]
    pub(crate) capture: capture::CaptureArgs,
}

// `regprobe bindings`.
#[derive(Debug, Args)]
pub(crate) struct Bindings {
    /// Whom.
    #[command(flatten)]
    pub(crate) account: AccountArgs,
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
    pub(crate) output: OutputArgs,
}

// `regprobe unregister`.
#[derive(Debug, Args)]
pub(crate) struct Unregister {
    /// Whom.
    #[command(flatten)]
    pub(crate) account: AccountArgs,
    /// Remove every binding of the account, other people's phones included (Contact: *)
    #[arg(long, help_heading = "Binding", conflicts_with = "contact")]
    pub(crate) all: bool,
    /// Remove exactly this binding [default: those that `probe --keep` left from this machine]
    #[arg(long, value_name = "URI", help_heading = "Binding", value_parser = values::contact)]
    pub(crate) contact: Option<OwnedUri>,
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
    pub(crate) output: OutputArgs,
}

// `regprobe ping`.
#[derive(Debug, Args)]
#[command(mut_args(unasked))]
pub(crate) struct Ping {
    /// Whom to ask: sip:HOST, sip:HOST:PORT, sip:USER@HOST, or the same without sip:
    #[arg(value_name = "URI", value_parser = values::server)]
    pub(crate) uri: OwnedUri,
    /// Send through this server (a preloaded Route)
    #[arg(long, value_name = "URI", help_heading = "Network", value_parser = values::server)]
    pub(crate) proxy: Option<OwnedUri>,
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
    pub(crate) output: OutputArgs,
}

// Whose registration it is about.
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    /// The account: sip:USER@DOMAIN, sips:USER@DOMAIN or USER@DOMAIN
    #[arg(value_name = "AOR", value_parser = values::aor)]
    pub(crate) aor: Aor,
    /// The registrar's URI or host [default: the AOR's domain]
    #[arg(long, value_name = "URI", help_heading = "Network", value_parser = values::registrar)]
    pub(crate) registrar: Option<OwnedUri>,
    /// Send through this server (outbound proxy, a preloaded Route)
    #[arg(long, value_name = "URI", help_heading = "Network", value_parser = values::server)]
    pub(crate) proxy: Option<OwnedUri>,
}

// What to bind.
#[derive(Debug, Args)]
#[command(next_help_heading = "Binding")]
pub(crate) struct BindingArgs {
    /// The Contact to bind [default: the AOR's user at the local address]
    #[arg(long, value_name = "URI", value_parser = values::contact)]
    pub(crate) contact: Option<OwnedUri>,
    /// Send +sip.instance; without a value a UUID made from the AOR, the same in every run
    #[arg(long, value_name = "UUID|URN", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = values::instance)]
    pub(crate) instance: Option<Instance>,
    /// Send reg-id (RFC 5626)
    #[arg(long, value_name = "N", requires = "instance", value_parser = values::reg_id)]
    pub(crate) reg_id: Option<NonZeroU32>,
    /// The seconds to ask for
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = values::expires)]
    pub(crate) expires: u32,
    /// Leave the binding in place instead of removing it at the end
    #[arg(long)]
    pub(crate) keep: bool,
}

// Which way to the server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// The transport; auto follows RFC 3263
    #[arg(long, value_name = "TRANSPORT", value_enum, default_value = "auto")]
    pub(crate) transport: TransportArg,
    /// Send from this address
    #[arg(long, value_name = "IP[:PORT]", value_parser = values::local)]
    pub(crate) local: Option<SocketAddr>,
    /// Show this address in Via and Contact instead of the local one
    #[arg(long, value_name = "HOST[:PORT]", value_parser = values::advertised)]
    pub(crate) advertise: Option<Advertised>,
    /// Use IPv4 only
    #[arg(short = '4', long = "ipv4", conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// Use IPv6 only
    #[arg(short = '6', long = "ipv6")]
    pub(crate) ipv6: bool,
    /// Ask this name server instead of the system's
    #[arg(long, value_name = "IP[:PORT]", value_parser = values::name_server)]
    pub(crate) dns: Option<SocketAddr>,
    /// Take this address for that host and port, without DNS; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDRESS", value_parser = values::resolve)]
    pub(crate) resolve: Vec<Override>,
}

// How to trust and be trusted.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// Trust the authorities in this PEM file instead of the system's
    #[arg(long, value_name = "PEM")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Show this certificate when the server asks for one
    #[arg(long, value_name = "PEM", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,
    /// The private key of that certificate
    #[arg(long, value_name = "PEM", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// The name that the certificate has to be for [default: the host of the URI]
    #[arg(long, value_name = "NAME", value_parser = values::server_name)]
    pub(crate) tls_server_name: Option<String>,
    /// Accept any certificate; the report then says that nothing was verified
    #[arg(long, conflicts_with = "ca_file")]
    pub(crate) insecure: bool,
}

// How long and how far to go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Exchange")]
pub(crate) struct ExchangeArgs {
    /// The longest that it may take, such as 3s, 500ms or 1m, plain numbers are seconds; 32s is the RFC's own; the removal of the binding has what is left of it,
    /// or 0.9s; with --every-target each target has all of it
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = values::duration)]
    pub(crate) timeout: Duration,
    /// Follow a 3xx, once
    #[arg(long)]
    pub(crate) follow_redirects: bool,
}

// How to show what happened.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// A ladder and a verdict, one JSON object (indented on a terminal), or one line for Nagios and its kin
    #[arg(long, value_name = "FORM", value_enum, default_value = "human")]
    pub(crate) output: OutputArg,
    /// Show whole messages, secrets redacted
    #[arg(long)]
    pub(crate) trace: bool,
    /// nagios: WARNING from this many milliseconds
    #[arg(short = 'w', long, value_name = "MS", value_parser = values::number::<u32>)]
    pub(crate) warning: Option<u32>,
    /// nagios: CRITICAL from this many milliseconds
    #[arg(short = 'c', long, value_name = "MS", value_parser = values::number::<u32>)]
    pub(crate) critical: Option<u32>,
}

/// `--transport`. The values have no help of their own: that would double the length of every `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransportArg {
    Auto,
    Udp,
    Tcp,
    Tls,
}

/// `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputArg {
    Human,
    Json,
    Nagios,
}

// `regprobe registrar`.
#[derive(Debug, Args)]
#[command(after_help = registrar_examples())]
pub(crate) struct Registrar {
    /// Listen here: udp:IP:PORT, tcp:IP:PORT or tls:IP:PORT; port 0 takes a free one; repeatable
    #[arg(long, value_name = "TRANSPORT:IP:PORT", value_parser = values::listen, default_values = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"])]
    pub(crate) listen: Vec<values::Listen>,
    /// An account for the lab; the password shows in the process list, so no real one here; repeatable
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = values::user, help_heading = "Accounts")]
    pub(crate) user: Vec<values::User>,
    /// Read accounts from this file, one NAME:PASSWORD a line
    #[arg(long, value_name = "PATH", help_heading = "Accounts")]
    pub(crate) users_file: Option<PathBuf>,
    /// Ask nobody for credentials
    #[arg(long, help_heading = "Accounts")]
    pub(crate) open: bool,
    /// For load tests, where the registrar must not be the bottleneck: challenge each REGISTER without credentials, believe each one
    /// with any, and remember nothing; no log
    #[arg(long, help_heading = "Load", conflicts_with_all = KEPT)]
    pub(crate) stateless: bool,
    /// stateless: answer on this many threads, among which the system divides the clients by their address and port
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::threads, requires = "stateless", conflicts_with_all = KEPT, help_heading = "Load")]
    pub(crate) threads: NonZeroUsize,
    /// The realm of challenges
    #[arg(long, default_value = "regprobe.lab", help_heading = "Accounts", value_parser = values::realm)]
    pub(crate) realm: String,
    /// Offer this digest algorithm: MD5, SHA-256, SHA-512-256, each also with -sess; repeatable, in the order given [default: SHA-256 MD5]
    #[arg(long, value_name = "NAME", help_heading = "Accounts", value_parser = values::algorithm)]
    pub(crate) algorithm: Vec<Algorithm>,
    /// The shortest time that is granted, in seconds; less is answered 423
    #[arg(long, value_name = "SECONDS", help_heading = "Bindings", value_parser = values::number::<u32>)]
    pub(crate) min_expires: Option<u32>,
    /// The longest time that is granted, in seconds
    #[arg(long, value_name = "SECONDS", help_heading = "Bindings", value_parser = values::number::<u32>)]
    pub(crate) max_expires: Option<u32>,
    /// The most Contacts of one account
    #[arg(long, value_name = "N", help_heading = "Bindings", value_parser = values::number::<usize>)]
    pub(crate) max_contacts: Option<usize>,
    /// Misbehave like this; repeatable; the forms are listed below
    #[arg(long, value_name = "SPEC", help_heading = "Faults")]
    pub(crate) fault: Vec<Fault>,
    /// The certificate chain for tls listeners [default: one of an authority of its own, new in each run]
    #[arg(long, value_name = "PEM", requires = "key", help_heading = "TLS")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of that certificate
    #[arg(long, value_name = "PEM", requires = "cert", help_heading = "TLS")]
    pub(crate) key: Option<PathBuf>,
    /// Write that authority's certificate here, for the --ca-file of a probe
    #[arg(long, value_name = "PEM", conflicts_with = "cert", help_heading = "TLS")]
    pub(crate) save_ca: Option<PathBuf>,
}

/// What only a registrar that keeps something has a use for.
const KEPT: [&str; 6] = ["user", "users_file", "open", "min_expires", "max_contacts", "fault"];

// `regprobe explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A state, its code, a cause, a finding, a verdict or its reason, a level of evidence, an anomaly, an exit status; without one all are listed
    #[arg(value_name = "WORD")]
    pub(crate) word: Option<String>,
}

// `regprobe schema`.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Whose report
    #[arg(value_enum, default_value = "probe")]
    pub(crate) report: SchemaOf,
}

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    Probe,
    Verify,
    /// The line for one row of bulk
    Bulk,
    /// The line for a check of a file that could not be made
    Problem,
    Watch,
    /// What a load measured
    Load,
    /// A message as inspect reads it
    Inspect,
}

// `regprobe completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

// `regprobe man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The sub-command whose page is wanted, in its words [default: the page of regprobe itself]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn refused(line: &str) -> String {
        let words = line.split_whitespace();
        Cli::try_parse_from(words).map(|_| line.to_owned()).unwrap_err().to_string()
    }

    #[test]
    fn clap_accepts_its_own_description() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_common_case_needs_two_words() {
        let cli = Cli::try_parse_from(["regprobe", "probe", "alice@pbx.example.com"]).unwrap();
        let Command::Probe(probe) = cli.command else { panic!("probe") };
        assert_eq!(probe.account.aor.uri.as_str(), "sip:alice@pbx.example.com");
        assert_eq!((probe.exchange.timeout, probe.binding.expires), (Duration::from_secs(10), 300));
        assert_eq!(probe.output.output, OutputArg::Human);
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        for line in [
            "regprobe probe a@h -4 -6",
            "regprobe probe a@h --keep --every-target",
            "regprobe probe a@h --password-file x --ha1-file y",
            "regprobe probe a@h --client-cert x",
            "regprobe probe a@h --client-key x",
            "regprobe probe a@h --insecure --ca-file x",
            "regprobe probe a@h --reg-id 1",
            "regprobe unregister a@h --all --contact sip:a@h",
            "regprobe registrar --cert x",
            "regprobe registrar --stateless --user a:b",
            "regprobe registrar --stateless --fault silence",
            "regprobe registrar --open --threads 2",
        ] {
            assert!(refused(line).starts_with("error: "), "{line}");
        }
    }

    #[test]
    fn an_instance_never_swallows_the_aor() {
        let cli = Cli::try_parse_from(["regprobe", "probe", "--instance", "alice@h"]).unwrap();
        let Command::Probe(probe) = cli.command else { panic!("probe") };
        assert_eq!(probe.binding.instance, Some(Instance::Derived));
    }

    #[test]
    fn every_sub_command_keeps_its_own_description() {
        let mut program = Cli::command();
        let before: Vec<String> = program
            .get_subcommands()
            .filter_map(|each| each.get_about().map(ToString::to_string))
            .collect();
        program.build();
        let after: Vec<String> = program
            .get_subcommands()
            .filter_map(|each| each.get_about().map(ToString::to_string))
            .collect();
        assert_eq!((before.len(), &before), (16, &after));
    }

    fn help(words: &[&str]) -> String {
        let mut program = Cli::command();
        program.build();
        let mut found = &mut program;
        for word in words {
            found = found.find_subcommand_mut(word).unwrap();
        }
        found.render_help().to_string()
    }

    #[test]
    fn nobody_is_told_to_wait_for_a_question_that_does_not_come() {
        for (words, asked) in [
            (&["probe"][..], true),
            (&["bindings"], true),
            (&["unregister"], true),
            (&["load"], true),
            (&["verify", "telnyx"], true),
            (&["ping"], false),
            (&["bulk"], false),
            (&["watch"], false),
        ] {
            let help = help(words);
            let heading = help.lines().find(|line| line.starts_with("Credentials (")).unwrap();
            assert_eq!(heading.contains("asked on the terminal"), asked, "{words:?}: {heading}");
        }
    }

    /// clap breaks lines where the terminal ends: what was broken before would be broken twice.
    #[test]
    fn paragraphs_below_the_help_are_not_broken_by_hand() {
        fn check(command: &clap::Command) {
            let below = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for (line, next) in below.lines().zip(below.lines().skip(1)) {
                let goes_on = !next.is_empty() && !next.starts_with(' ');
                assert!(!goes_on || line.is_empty() || line.ends_with('.'), "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        let mut program = Cli::command();
        program.build();
        check(&program);
        for name in ["load", "watch"] {
            let help = help(&[name]);
            let mut examples = help.lines().filter(|line| line.starts_with("  regprobe "));
            assert!(examples.all(|line| line.len() <= 80), "{help}");
        }
    }

    #[test]
    fn every_option_is_described() {
        fn described(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            assert!(command.get_about().is_some(), "{}", command.get_name());
            command.get_subcommands().for_each(described);
        }
        let mut program = Cli::command();
        program.build();
        described(&program);
    }
}
