//! `regprobe verify`: one check, or a file of them. Plans, runs and shows; what is concluded is `regprobe-providers`' to say.

mod batch;
pub(crate) mod file;
mod plan;

use std::io::{self, IsTerminal as _};

use regprobe_providers::{Check, CheckError, Needed, Source, Verification, verify};

use crate::args::OutputArg;
use crate::args::verify::{Provider, Verify};
use crate::failure::Failure;
use crate::output::verify as shown;
use crate::output::{self, json};
use crate::run::{drive, until_twice};
use crate::secret::Surroundings;
use crate::{exit, signals, style};

use crate::clients::Clients;

/// What `--init` prints.
const EXAMPLE: &str = include_str!("verify/example.toml");

/// Carries `regprobe verify` out; the exit status.
///
/// # Errors
/// [`Failure`] when it does not come to a verdict.
pub(crate) fn run(args: &Verify, surroundings: Surroundings) -> Result<u8, Failure> {
    match (&args.provider, &args.all) {
        (Some(provider), _) => one(provider, surroundings),
        (None, Some(path)) => batch::run(path, args, surroundings),
        (None, None) if !args.init => Err(Failure::Usage(
            "name a provider, or use --all FILE or --init; `regprobe verify --help` lists the providers".to_owned(),
        )),
        (None, None) => {
            output::print(EXAMPLE.as_bytes())?;
            Ok(exit::SUCCESS)
        }
    }
}

fn one(provider: &Provider, surroundings: Surroundings) -> Result<u8, Failure> {
    let show = &plan::look(provider).show;
    let (form, trace) = (show.output, show.trace);
    let check = plan::check(&mut Clients::new(surroundings), provider).map_err(Failure::all)?;
    let tell = io::stderr().is_terminal();
    let progress = |step| {
        if tell || matches!(step, regprobe_providers::Progress::Displaced(_)) {
            output::tell(&format!("{step}\n"));
        }
    };
    let verification = drive(until_twice(verify(&check, progress, signals::ended())))??;
    let mut verification = verification.map_err(|error| refused(&check, &error))?;
    if !trace {
        verification.probes = None;
    }
    let check_inbound = check.inbound.is_some();
    output::print(render(&verification, form, check_inbound).as_bytes())?;
    Ok(status(&verification, form, check_inbound))
}

/// A check that cannot be made for want of a word on the command line. Where that showed only when the API had been asked, the
/// status is not that of "nothing was sent".
fn refused(check: &Check, error: &CheckError) -> Failure {
    let asked = match check.source {
        Source::Telzino { .. } => false,
        Source::Telnyx { .. }
        | Source::TelnyxCheck { .. }
        | Source::Bitrix24 { .. }
        | Source::Opensips { .. }
        | Source::Kamailio { .. }
        | Source::Freeswitch { .. }
        | Source::Asterisk { .. } => !matches!(error, CheckError::NothingOfOurs),
    };
    if asked {
        Failure::NotMade(problem(error))
    } else {
        Failure::Usage(problem(error))
    }
}

/// Why a check cannot be made, and what to write so that it can.
fn problem(error: &CheckError) -> String {
    match error {
        CheckError::Missing { needed, .. } | CheckError::NoSettings { needed, .. } => {
            let example = match needed {
                Needed::Aor => "USER@DOMAIN",
                Needed::Registrar | Needed::Proxy => "HOST",
                Needed::Transport => "tls",
            };
            format!("{error}; name it with {} {example}", needed.option())
        }
        CheckError::NextHop { .. } | CheckError::Insecure { .. } | CheckError::NothingOfOurs => error.to_string(),
    }
}

fn render(verification: &Verification, form: OutputArg, check_inbound: bool) -> String {
    match form {
        OutputArg::Human => shown::render(verification, style()),
        OutputArg::Json => json::render(verification, io::stdout().is_terminal()),
        OutputArg::Nagios => shown::nagios(verification, check_inbound),
    }
}

fn status(verification: &Verification, form: OutputArg, check_inbound: bool) -> u8 {
    match form {
        OutputArg::Human | OutputArg::Json => verification.exit_code(),
        OutputArg::Nagios => shown::judge(verification, check_inbound).status(),
    }
}
