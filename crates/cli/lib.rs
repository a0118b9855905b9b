//! The regprobe program as a library, so that what it reads and shows can be fuzzed: from arguments to an exit status. Every stage is a
//! module of its own; only `run`, `bulk`, `load`, `watch`, `lab` and `demo` exchange SIP, and `capture` sends copies of it to a collector.
//! Standard output is data, standard error is talk.

mod accounts;
mod args;
mod bulk;
mod capture;
mod clients;
mod demo;
mod exit;
mod explain;
mod failure;
mod identity;
mod inspect;
mod lab;
mod left_behind;
mod load;
mod manual;
mod output;
mod plan;
mod prompt;
pub mod property;
mod providers;
mod removal;
mod run;
mod secret;
mod signals;
mod tags;
mod values;
mod verify;
mod watch;

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::Parser as _;
use terminal_size::{Width, terminal_size_of};

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::style::Style;
use crate::plan::Plan;
use crate::secret::Surroundings;

/// The whole program: reads the arguments of the process, does what they say, and gives the exit status.
#[must_use]
pub fn main() -> ExitCode {
    if let Some((Width(columns), _)) = terminal_size_of(io::stdout()) {
        output::text::fit_to(columns);
    }
    std::panic::set_hook(Box::new(tell_panic));
    let arguments: Vec<OsString> = env::args_os().collect();
    let nagios = exit::wants_nagios(&arguments);
    let done = Cli::try_parse_from(arguments)
        .map_err(Failure::from)
        .and_then(|cli| obey(cli.command));
    ExitCode::from(done.unwrap_or_else(|failure| failure.tell(nagios)))
}

/// Carries one sub-command out; its exit status.
fn obey(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Probe(args) => run::exchange(Plan::probe(&args, surroundings())?),
        Command::Bindings(args) => run::exchange(Plan::bindings(&args, surroundings())?),
        Command::Unregister(args) => run::exchange(Plan::unregister(&args, surroundings())?),
        Command::Ping(args) => run::exchange(Plan::ping(&args, surroundings())?),
        Command::Bulk(args) => bulk::run(&args, surroundings()),
        Command::Load(args) => load::run(&args, surroundings()),
        Command::Verify(args) => verify::run(&args, surroundings()),
        Command::Providers(provider) => providers::run(&provider, surroundings()),
        Command::Watch(args) => watch::run(&args, surroundings()),
        Command::Registrar(args) => lab::serve(&args),
        Command::Demo => demo::run(),
        Command::Inspect(args) => inspect::run(&args),
        Command::Explain(args) => show(explain_words(args.word.as_deref())?.as_bytes()),
        Command::Schema(args) => show(output::json::schema(args.report).as_bytes()),
        Command::Completions(args) => show(&manual::completions(args.shell)),
        Command::Man(args) => show(&manual::page(&args.command)?),
    }
}

fn explain_words(word: Option<&str>) -> Result<String, Failure> {
    match word {
        None => Ok(explain::list(style())),
        Some(text) => explain::pages(text, style()).ok_or_else(|| Failure::Usage(explain::unknown(text))),
    }
}

fn show(bytes: &[u8]) -> Result<u8, Failure> {
    output::ensure_open()?;
    output::print(bytes)?;
    Ok(exit::SUCCESS)
}

fn surroundings() -> Surroundings {
    Surroundings {
        variable: secret::variable_is_set,
        terminal: io::stdin().is_terminal() && io::stderr().is_terminal(),
    }
}

/// How text for people looks on this standard output.
fn style() -> Style {
    Style::choose(
        io::stdout().is_terminal(),
        env::var_os("NO_COLOR").as_deref(),
        env::var_os("TERM").as_deref(),
    )
}

/// Says where it happened and not what: the message of a panic may hold anything, secrets included.
fn tell_panic(info: &PanicHookInfo<'_>) {
    let place = info
        .location()
        .map(|location| format!(" at {}:{}", location.file(), location.line()))
        .unwrap_or_default();
    output::tell(&format!(
        "error: regprobe has a bug{place} and cannot go on; please report this place and how to get there\n"
    ));
}
