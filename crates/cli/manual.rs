//! `regprobe man` and `regprobe completions`: pages and scripts made from the same description of the command line that parses it.

use std::io::Write as _;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::Cli;
use crate::exit;
use crate::failure::Failure;
use crate::secret::VARIABLE;

/// The page of `regprobe` itself, or of the sub-command that these words lead to.
///
/// # Errors
/// [`Failure::Usage`] when there is no such sub-command.
pub(crate) fn page(words: &[String]) -> Result<Vec<u8>, Failure> {
    let mut program = Cli::command();
    // Building gives each the name under which `man` finds it: regprobe-probe(1).
    program.build();
    let mut found = &program;
    for word in words {
        found = found.find_subcommand(word).ok_or_else(|| unknown(word, found))?;
    }
    Ok(render(found.clone()))
}

fn unknown(word: &str, above: &Command) -> Failure {
    let known: Vec<&str> = above.get_subcommands().map(Command::get_name).collect();
    let word = sip_message::printable(word.as_bytes());
    Failure::Usage(match &known[..] {
        [] => format!("'{word}' is no sub-command with a page; '{}' has none", above.get_name()),
        known => format!("'{word}' is no sub-command with a page; there are {}", known.join(", ")),
    })
}

fn render(mut command: Command) -> Vec<u8> {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    command = command.after_help(None::<&str>);
    let mut page = Vec::new();
    let source = concat!("regprobe ", env!("CARGO_PKG_VERSION"));
    let man = clap_mangen::Man::new(command).source(source).manual("regprobe");
    let written = man.render(&mut page).and_then(|()| appendix(&after).to_writer(&mut page));
    written.expect("a Vec takes everything");
    page
}

/// What every page ends with: the examples and lists below the help, which are set line by line, statuses and environment.
fn appendix(after_help: &str) -> Roff {
    let mut page = Roff::new();
    let blocks = after_help.split("\n\n").filter_map(|block| block.split_once(":\n"));
    for (title, lines) in blocks {
        page.control("SH", [title.to_uppercase().as_str()]).control("nf", []);
        for line in lines.lines() {
            page.text([roman(line)]);
        }
        page.control("fi", []);
    }
    page.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in STATUSES {
        entry(&mut page, &status.to_string(), meaning);
    }
    page.control("PP", []).text([roman(
        "With --output nagios the status is the monitoring plugins' own: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
    )]);
    page.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in ENVIRONMENT {
        entry(&mut page, name, meaning);
    }
    page
}

fn entry(page: &mut Roff, term: &str, meaning: &str) {
    page.control("TP", []).text([bold(term)]).text([roman(meaning)]);
}

const STATUSES: [(u8, &str); 9] = [
    (
        exit::SUCCESS,
        "Registered. verify: the claim is true, also when it is that the line is down. For other sub-commands: it worked.",
    ),
    (
        exit::NOT_ALL,
        "verify: the claim is false or outdated. bulk: some account is not registered. load: fewer registered than were wanted. providers: there is no such object. watch: some bindings may still be there.",
    ),
    (
        exit::USAGE,
        "The command line, or a file that it names, is wrong. load: the host is not yours, or cannot be looked up. Nothing was sent.",
    ),
    (
        exit::NOT_MADE,
        "verify: it cannot be said whether the claim is true, or a check turned out to lack something when the API had been asked.",
    ),
    (4, "REGISTER_TIMEOUT_STATE: no final reply in time."),
    (
        exit::INTERNAL,
        "INTERNAL_ERROR_STATE: the request could not be delivered, or the reply could not be used. providers: the same of an API, or it refused. Also when our own side could not go on, such as standard output on a full disk.",
    ),
    (
        6,
        "WRONG_CREDENTIALS_STATE: credentials were asked for and not accepted, or there were none.",
    ),
    (7, "REGISTRAR_ERROR_STATE: the registrar refused."),
    (exit::INTERRUPTED, "Interrupted; a binding was removed first."),
];

const ENVIRONMENT: [(&str, &str); 8] = [
    (
        VARIABLE,
        "The password, unless --password-file, --password-env or --ha1-file is given. Empty counts as not set.",
    ),
    ("TELNYX_API_KEY", "verify, providers: the API key for Telnyx."),
    (
        "TELZINO_TOKEN",
        "verify, providers: the access token for Telzino; or TELZINO_CLIENT_ID and TELZINO_CLIENT_SECRET, from which one is made.",
    ),
    (
        "BITRIX24_WEBHOOK",
        "verify, providers: the URL of an inbound webhook of Bitrix24; or, with --portal, BITRIX24_TOKEN.",
    ),
    (
        "FREESWITCH_PASSWORD",
        "verify, providers: the password of FreeSWITCH's event socket.",
    ),
    ("ASTERISK_SECRET", "verify, providers: the secret of Asterisk's manager user."),
    ("NO_COLOR", "No colours, whatever the terminal can do."),
    ("SSLKEYLOGFILE", "Append the keys of TLS connections to this file, for Wireshark."),
];

/// The completion script for a shell.
pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "regprobe", &mut script);
    script.flush().expect("a Vec takes everything");
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &[String]) -> String {
        String::from_utf8(page(words).unwrap()).unwrap()
    }

    /// The words that lead to each sub-command, those of others included.
    fn all(command: &Command, above: &[String], found: &mut Vec<Vec<String>>) {
        for sub_command in command.get_subcommands() {
            let words: Vec<_> = above.iter().cloned().chain([sub_command.get_name().to_owned()]).collect();
            all(sub_command, &words, found);
            found.push(words);
        }
    }

    #[test]
    fn every_sub_command_has_a_page_with_statuses_and_environment() {
        let mut program = Cli::command();
        program.build();
        let mut found = Vec::new();
        all(&program, &[], &mut found);
        assert!(
            found.iter().any(|words| words.join(" ") == "providers telnyx connections update"),
            "{found:?}"
        );
        for words in found {
            let (page, name) = (text(&words), words.join("-"));
            let titles = [
                format!(".TH regprobe\\-{}", name.replace('-', "\\-")),
                format!(".TH regprobe-{name} "),
            ];
            assert!(titles.iter().any(|title| page.contains(title)), "{page}");
            assert!(page.contains("EXIT STATUS") && page.contains("REGPROBE_PASSWORD"), "{words:?}");
        }
        assert!(text(&[]).contains("SSLKEYLOGFILE"));
        assert!(text(&["verify".to_owned()]).contains("the claim is true, also when it is that the line is down"));
        let refused = |words: &[&str]| {
            page(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&["bogus"]).contains("probe, bindings"));
        assert!(refused(&["providers", "bogus"]).contains("telnyx, telzino"));
        assert_eq!(
            refused(&["demo", "bogus"]),
            "'bogus' is no sub-command with a page; 'demo' has none"
        );
    }

    #[test]
    fn every_shell_has_a_script_that_knows_the_options() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
            let script = String::from_utf8(completions(shell)).unwrap();
            assert!(script.contains("every-target"), "{shell}");
        }
    }
}
