//! `regprobe bulk` as clap sees it.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::accounts::AccountsArgs;
use super::capture::CaptureArgs;
use crate::values::{self, Rate, ValueError, rate};

// `regprobe bulk`.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    mut_args(super::credentials::unasked),
    mut_arg("timeout", |argument| argument.help(
        "The longest that one row may take, such as 3s, 500ms or 1m, plain numbers are seconds; 32s is the RFC's own; the removal of its binding may \
         take as long again"
    ))
)]
pub(crate) struct Bulk {
    /// Which accounts.
    #[command(flatten)]
    pub(crate) accounts: AccountsArgs,
    /// How fast and how far.
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    /// Go on where this file of results (--output jsonl) ends: rows that have a result in it are not probed again
    #[arg(long, value_name = "RESULTS", help_heading = "Going on")]
    pub(crate) resume: Option<PathBuf>,
    /// Probe again those rows whose last result in this file is a failure; with --resume also those without one
    #[arg(long, value_name = "RESULTS", help_heading = "Going on")]
    pub(crate) only_failed: Option<PathBuf>,
    /// The rows that failed and a summary, or one line for each row in the order in which they end
    #[arg(long, value_name = "FORM", value_enum, default_value = "human", help_heading = "Output")]
    pub(crate) output: BulkOutput,
    /// With what evidence.
    #[command(flatten)]
    pub(crate) capture: CaptureArgs,
}

// How fast and how far.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Begin with at most so many rows, such as 500/s or 30/m [default: as many as the registrars are given]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) rate: Option<Rate>,
    /// Start at most so many exchanges at one registrar; a row that registers takes two, its binding is removed again
    /// [default: 100/s, or twice --rate]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) registrar_rate: Option<Rate>,
    /// Have at most so many rows under way at one registrar
    #[arg(long, value_name = "N", default_value = "20", value_parser = at_least_one)]
    pub(crate) registrar_jobs: NonZeroU32,
    /// After so many wrong passwords at one registrar ask before it gets more, or hold its other rows back where nobody can be asked;
    /// 0 for any number
    #[arg(long, value_name = "N", default_value = "5", value_parser = values::number::<u32>)]
    pub(crate) max_wrong_passwords: u32,
    /// Begin with no further row once this many have failed, 1 for the first [default: go on to the end of the list]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) fail_fast: Option<NonZeroU32>,
}

/// Reads how many rows.
fn at_least_one(text: &str) -> Result<NonZeroU32, ValueError> {
    text.parse()
        .map_err(|_| ValueError::Other("this is not a number of rows; write 1 or more"))
}

/// `--output` of `bulk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BulkOutput {
    Human,
    Jsonl,
    Csv,
}

const EXAMPLES: &str = "\
Examples:
  regprobe bulk accounts.csv
  regprobe bulk accounts.csv --rate 500/s --output jsonl > results.jsonl
  regprobe bulk accounts.csv --resume old.jsonl --output jsonl >> old.jsonl
  regprobe bulk accounts.csv --only-failed results.jsonl
  regprobe bulk accounts.csv --pcap run.pcapng --hep homer.example.com:9060
  regprobe bulk - --format jsonl --registrar pbx.example.com < accounts.jsonl

Columns of the list: aor, name, registrar, proxy, transport, auth_user, password, password_file, password_env, ha1, ha1_file, \
realm, min_digest, contact, instance, reg_id, expires, advertise; a password may be @FILE, $VARIABLE or env:VARIABLE. What a row leaves out, the \
options say. More: docs/bulk.md.

Exit status: 0 every account is registered; 1 some are not; 2 the command line or the list is wrong (nothing was sent); 5 the \
results cannot be written; 130 interrupted.";

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn the_time_of_a_row_is_told_without_options_that_bulk_does_not_have() {
        let help = Cli::try_parse_from(["regprobe", "bulk", "--help"]).unwrap_err().to_string();
        assert!(help.contains("--timeout") && !help.contains("every-target"), "{help}");
    }

    #[test]
    fn each_exit_status_is_told() {
        for status in ["0 every", "1 some", "2 the command line", "5 the results", "130 interrupted"] {
            assert!(EXAMPLES.contains(status), "{status}");
        }
        let mut examples = EXAMPLES.lines().filter(|line| line.starts_with("  regprobe "));
        assert!(examples.all(|line| line.len() <= 80), "they are not broken on a usual terminal");
    }

    #[test]
    fn a_number_of_rows_is_one_or_more() {
        for option in ["--fail-fast", "--registrar-jobs"] {
            let of = |number: &str| Cli::try_parse_from(["regprobe", "bulk", "x.csv", option, number]);
            assert!(of("1").is_ok());
            for number in ["0", "-1", "x", ""] {
                let refusal = of(number).unwrap_err().to_string();
                assert!(
                    refusal.contains("write 1 or more") || refusal.contains("unexpected argument"),
                    "{refusal}"
                );
            }
        }
    }
}
