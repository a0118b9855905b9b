//! `regprobe verify`: one check, or a file of them. Plans, runs and shows; what is concluded is `regprobe-providers`' to say.

mod batch;
pub(crate) mod file;
mod plan;

use std::io::{self, IsTerminal as _};

use regprobe_providers::{CheckError, Verification, verify};

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
        (None, None) => {
            output::print(EXAMPLE.as_bytes())?;
            Ok(exit::SUCCESS)
        }
    }
}

fn one(provider: &Provider, surroundings: Surroundings) -> Result<u8, Failure> {
    let show = &plan::look(provider).show;
    let (form, trace) = (show.output, show.trace);
    let check = plan::check(&mut Clients::new(surroundings), provider)?;
    let tell = io::stderr().is_terminal();
    let progress = |step| {
        if tell || matches!(step, regprobe_providers::Progress::Displaced(_)) {
            eprintln!("{step}");
        }
    };
    let verification = drive(until_twice(verify(&check, progress, signals::ended())))??;
    let mut verification = verification.map_err(|error| refused(&error))?;
    if !trace {
        verification.probes = None;
    }
    output::print(render(&verification, form).as_bytes())?;
    Ok(status(&verification, form))
}

/// A check that cannot be made for want of a word on the command line.
fn refused(error: &CheckError) -> Failure {
    Failure::Usage(error.to_string())
}

fn render(verification: &Verification, form: OutputArg) -> String {
    match form {
        OutputArg::Human => shown::render(verification, style()),
        OutputArg::Json => json::render(verification, io::stdout().is_terminal()),
        OutputArg::Nagios => shown::nagios(verification),
    }
}

fn status(verification: &Verification, form: OutputArg) -> u8 {
    match form {
        OutputArg::Human | OutputArg::Json => verification.exit_code(),
        OutputArg::Nagios => shown::judge(verification).status(),
    }
}
