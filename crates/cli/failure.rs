//! Why a run ended without a report, and how that is said. Nothing here repeats a secret.

use std::io;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use thiserror::Error;

use crate::exit;
use crate::output::style::Style;
use crate::output::{self, nagios};
use crate::plan::PlanError;
use crate::providers::Refusal;
use crate::secret::Refused;

/// The end of a run without a report.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// clap's own: a wrong argument, and also `--help` and `--version`.
    #[error("{0}")]
    CommandLine(#[from] clap::Error),
    /// Arguments that make no sense together.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A secret that cannot be used.
    #[error(transparent)]
    Secret(#[from] Refused),
    /// An API that gave no usable answer.
    #[error(transparent)]
    Api(#[from] Box<Refusal>),
    /// Anything else that is wrong with an argument or a file that it names.
    #[error("{0}")]
    Usage(String),
    /// A check that turned out to lack something when its API had been asked already.
    #[error("{0}")]
    NotMade(String),
    /// Our own side cannot go on.
    #[error("{0}")]
    Internal(#[from] io::Error),
    /// Ctrl-C where nothing has to be cleaned up: before anything was sent, or in the middle of a question to an API.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// Several as one: each is said. There is at least one.
    pub(crate) fn all(mut failures: Vec<Self>) -> Self {
        if let Some(at) = failures
            .iter()
            .position(|failure| failures.len() == 1 || matches!(failure, Self::Interrupted))
        {
            return failures.swap_remove(at);
        }
        Self::Usage(failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: "))
    }

    /// Tells the user, and gives the exit status. A monitoring system gets one line on standard output instead.
    pub(crate) fn tell(self, nagios: bool) -> u8 {
        let status = self.status();
        match self {
            Self::CommandLine(error) => return tell_command_line(redacted(error), nagios),
            other if nagios => write_line(&other.to_string()),
            other @ (Self::Plan(_) | Self::Secret(_) | Self::Api(_) | Self::Usage(_) | Self::NotMade(_) | Self::Internal(_)) => {
                output::tell(&format!("error: {other}\n"));
            }
            Self::Interrupted => {}
        }
        exit::without_report(status, nagios)
    }

    fn status(&self) -> u8 {
        match self {
            Self::CommandLine(_) | Self::Plan(_) | Self::Secret(_) | Self::Usage(_) => exit::USAGE,
            Self::NotMade(_) => exit::NOT_MADE,
            Self::Api(refusal) => refusal.status(),
            Self::Internal(_) => exit::INTERNAL,
            Self::Interrupted => exit::INTERRUPTED,
        }
    }
}

fn tell_command_line(error: clap::Error, nagios: bool) -> u8 {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return show(&error);
    }
    if nagios {
        write_line(&in_one_line(&error.render().to_string()));
    } else {
        // Nobody has to listen.
        let _ = error.print();
    }
    exit::without_report(exit::USAGE, nagios)
}

/// Writes the help or the version that was asked for. clap's own way would take a reader that has gone away for an error.
fn show(asked_for: &clap::Error) -> u8 {
    let text = match crate::style() {
        Style::Colour => asked_for.render().ansi().to_string(),
        Style::Plain => asked_for.render().to_string(),
    };
    match output::print(text.as_bytes()) {
        Ok(()) => exit::SUCCESS,
        Err(error) => Failure::Internal(error).tell(false),
    }
}

/// The message without the usage below it. `<ID>` loses its brackets: they would be escaped, for web pages.
fn in_one_line(rendered: &str) -> String {
    let message = rendered
        .trim_start_matches("error: ")
        .lines()
        .take_while(|line| !line.trim().is_empty());
    let text = message.map(str::trim).collect::<Vec<_>>().join(" ");
    let is_placeholder = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || b"_-:|[]".contains(&byte));
    let mut line = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        line += before;
        match after.split_once('>') {
            Some((word, behind)) if is_placeholder(word) => {
                line += word;
                rest = behind;
            }
            Some(_) | None => {
                line.push('<');
                rest = after;
            }
        }
    }
    line + rest
}

fn write_line(text: &str) {
    // Where standard output is gone, the exit status still tells.
    let _ = output::print(nagios::unknown(text).as_bytes());
}

/// Takes out the text of an argument that may hold a password, written on the command line by mistake, and what could act on a
/// terminal.
pub(crate) fn redacted(mut error: clap::Error) -> clap::Error {
    let is_mixed = |name: &String| name.starts_with("--user ") || name.starts_with("--set ") || name.contains("-env ");
    let names_user = matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(name)) if is_mixed(name));
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidArg, ContextKind::InvalidSubcommand] {
        let Some(ContextValue::String(text)) = error.get(kind) else {
            continue;
        };
        let shown = if holds_password(text) || (names_user && kind == ContextKind::InvalidValue) {
            "(not shown)".to_owned()
        } else {
            sip_message::printable(text.as_bytes())
        };
        error.insert(kind, ContextValue::String(shown));
    }
    error
}

/// True for a URI with a password, and for what looks like one.
fn holds_password(text: &str) -> bool {
    let rest = text
        .split_once("sip:")
        .or_else(|| text.split_once("sips:"))
        .map_or(text, |(_, rest)| rest);
    rest.split_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn a_uri_with_a_password_is_not_repeated_and_others_are() {
        let message = |aor: &str| {
            redacted(Cli::try_parse_from(["regprobe", "probe", aor]).unwrap_err())
                .render()
                .to_string()
        };
        for aor in ["sip:alice:canary@h", "sips:alice:canary@h", "alice:canary@h", "SIP:alice:canary@h"] {
            let message = message(aor);
            assert!(!message.contains("canary") && message.contains("REGPROBE_PASSWORD"), "{message}");
        }
        assert!(message("pbx.example.com").contains("pbx.example.com"));
    }

    #[test]
    fn a_password_in_the_wrong_place_is_not_repeated_either() {
        for line in [
            &["probe", "a@h", "sip:alice:canary@h"][..],
            &["registrar", "--user", ":canary"],
            &["registrar", "--user", "alice:can\tary"],
            &["providers", "telnyx", "connections", "update", "7", "--set", "sip_password=canary"],
            &["providers", "telnyx", "connections", "update", "7", "--set", "canary"],
        ] {
            let words = ["regprobe"].iter().chain(line);
            let message = redacted(Cli::try_parse_from(words).unwrap_err()).render().to_string();
            assert!(!message.contains("can"), "{message}");
        }
    }

    #[test]
    fn what_could_act_on_a_terminal_is_escaped() {
        let hostile = "a\x1b[2Jb";
        for line in [&["probe", hostile][..], &["probe", "a@h", hostile], &[hostile]] {
            let words = ["regprobe"].iter().chain(line);
            let message = redacted(Cli::try_parse_from(words).unwrap_err()).render().to_string();
            assert!(message.contains("a\\x1b[2Jb"), "{message:?}");
        }
    }

    #[test]
    fn a_plugin_gets_the_whole_reason_in_one_line_with_bare_placeholders() {
        let line = |words: &str| {
            let error = Cli::try_parse_from(words.split(' ')).unwrap_err();
            in_one_line(&redacted(error).render().to_string())
        };
        assert_eq!(
            line("regprobe verify telnyx --connection-id abc --own-binding"),
            "the following required arguments were not provided: --check-inbound"
        );
        assert_eq!(
            line("regprobe verify --all x --output nagios"),
            "invalid value 'nagios' for '--output FORM' [possible values: human, json]"
        );
        assert_eq!(in_one_line("error: a <b 'x<y>' <ID> <"), "a <b 'x<y>' ID <");
    }

    #[test]
    fn every_end_without_a_report_has_its_status() {
        assert_eq!(Failure::NotMade(String::new()).status(), 3);
        assert_eq!(Failure::Usage(String::new()).status(), 2);
        assert_eq!(Failure::Plan(PlanError::Trace).status(), 2);
        assert_eq!(Failure::from(io::Error::other("x")).status(), 5);
        assert_eq!(Failure::Interrupted.status(), 130);
    }
}
