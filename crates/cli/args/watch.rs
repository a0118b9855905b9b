//! `regprobe watch` as clap sees it. What the accounts and the way to them need is `accounts`'; here is what keeping them adds.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, ValueEnum};
use sip_registration::{DatagramPing, KeepAlive};

use super::accounts::AccountsArgs;
use super::capture::CaptureArgs;
use crate::values::{self, Rate, ValueError};

/// Shown below the help.
pub(crate) const EXAMPLES: &str = "\
Examples:
  regprobe watch accounts.toml
  regprobe watch lines.csv --registrar pbx.example.com --rate 20/s
  regprobe watch accounts.toml --output jsonl >> registrations.jsonl
  regprobe watch accounts.toml --hep homer.example.com:9060
  kill -HUP $(pidof regprobe)              Read the list again

Exit status: 0 ended by q or SIGTERM, and all bindings are removed; 1 the same, but some may still be there; 2 the command line or \
the list is wrong (nothing was sent); 5 internal error; 130 ended by Ctrl-C. Keys, lines and SIGHUP: docs/watch.md.";

// `regprobe watch`.
#[derive(Debug, Args)]
#[command(
    mut_args(super::credentials::unasked),
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
    /// What keeps flows open between refreshes: nothing (off), or on UDP line ends that nobody answers (crlf) or an OPTIONS (options), and
    /// on TCP and TLS the double CRLF of RFC 5626 in both cases [default: that on TCP and TLS, and nothing on UDP]
    #[arg(long, value_name = "WHAT", help_heading = "Keeping", value_enum)]
    pub(crate) keep_alive: Option<KeepAliveArg>,
    /// How often that is sent, less a random fifth, such as 25s [default: 29s on UDP, 2m on TCP and TLS]
    #[arg(long, value_name = "DURATION", help_heading = "Keeping", value_parser = interval)]
    pub(crate) keep_alive_interval: Option<Duration>,
    /// Spread the accounts over this many threads
    #[arg(long, value_name = "N", help_heading = "Keeping", default_value = "1", value_parser = values::limit)]
    pub(crate) shards: NonZeroUsize,
    /// A live table on a terminal and JSON lines elsewhere (auto), or JSON lines in any case
    #[arg(long, value_name = "FORM", help_heading = "Output", value_enum, default_value = "auto")]
    pub(crate) output: WatchOutput,
    /// JSON lines: also those for exchanges that begin, and for those that change nothing, such as refreshes
    #[arg(long, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// With what evidence.
    #[command(flatten)]
    pub(crate) capture: CaptureArgs,
}

/// `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WatchOutput {
    Auto,
    Jsonl,
}

/// `--keep-alive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeepAliveArg {
    Off,
    Crlf,
    Options,
}

/// Reads the time between two keep-alives. Many flows at more than one a second each would be a flood.
fn interval(text: &str) -> Result<Duration, ValueError> {
    let interval = values::duration(text)?;
    if interval < Duration::from_secs(1) {
        return Err(ValueError::Other("this time is at least 1s"));
    }
    Ok(interval)
}

impl Watch {
    /// What the options about keep-alives come to.
    pub(crate) fn keep_alives(&self) -> KeepAlive {
        let every = |usual: Duration| self.keep_alive_interval.unwrap_or(usual);
        let datagrams = match self.keep_alive {
            Some(KeepAliveArg::Off) => return KeepAlive::OFF,
            Some(KeepAliveArg::Crlf) => DatagramPing::Crlf(every(KeepAlive::DATAGRAM_INTERVAL)),
            Some(KeepAliveArg::Options) => DatagramPing::Options(every(KeepAlive::DATAGRAM_INTERVAL)),
            None => DatagramPing::Off,
        };
        KeepAlive {
            streams: Some(every(KeepAlive::STREAM_INTERVAL)),
            datagrams,
            ..KeepAlive::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    fn watch(line: &str) -> Watch {
        let words = ["regprobe", "watch", "list.toml"].into_iter().chain(line.split_whitespace());
        let Command::Watch(watch) = Cli::try_parse_from(words).unwrap().command else {
            panic!("watch")
        };
        *watch
    }

    #[test]
    fn what_is_kept_has_other_defaults_than_a_probe() {
        let watch = watch("");
        assert_eq!(watch.accounts.binding.expires, 3600);
        assert_eq!(watch.accounts.exchange.timeout, Duration::from_secs(32));
        assert_eq!((watch.rate.to_string().as_str(), watch.retry), ("50/s", Duration::from_secs(30)));
    }

    #[test]
    fn streams_are_kept_alive_unless_told_otherwise_and_datagrams_when_told_so() {
        let (minutes, seconds) = (Some(Duration::from_secs(120)), Duration::from_secs);
        for (line, streams, datagrams) in [
            ("", minutes, DatagramPing::Off),
            ("--keep-alive off", None, DatagramPing::Off),
            ("--keep-alive crlf", minutes, DatagramPing::Crlf(seconds(29))),
            ("--keep-alive options", minutes, DatagramPing::Options(seconds(29))),
            (
                "--keep-alive crlf --keep-alive-interval 20s",
                Some(seconds(20)),
                DatagramPing::Crlf(seconds(20)),
            ),
        ] {
            let keep_alives = watch(line).keep_alives();
            assert_eq!((keep_alives.streams, keep_alives.datagrams), (streams, datagrams), "{line}");
        }
        assert!(Cli::try_parse_from(["regprobe", "watch", "x", "--keep-alive-interval", "10ms"]).is_err());
    }
}
