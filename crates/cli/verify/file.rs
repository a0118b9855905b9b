//! The file of checks for `verify --all`: TOML, in which every check is a command line of `regprobe verify PROVIDER` with `_` for `-`.
//! So the keys, their values and what excludes what are exactly those of the command line. Reads text only; nothing is sent.
//!
//! Every mistake is found in one go and named by line and column. Values never appear in a message unless the option's own text
//! shows them, which no option for a secret does.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser as _};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, de};

use crate::args::verify::Provider;
use crate::args::{Cli, Command};
use crate::failure;
use crate::output::text::safe;

/// One check of a file.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Its name, if it has one.
    pub(crate) name: Option<String>,
    /// The line of the file at which it begins, from 1.
    pub(crate) line: usize,
    /// What it would be on the command line.
    pub(crate) provider: Provider,
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mistake {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column in characters, from 1.
    pub(crate) column: usize,
    /// What is wrong there, and what would be right.
    pub(crate) problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.problem)
    }
}

/// How many mistakes are looked for at most: who has made more begins with these.
pub(crate) const MOST_MISTAKES: usize = 100;
/// How many keys a check may have, right ones or wrong: several times as many as there are.
const MOST_KEYS: usize = 300;

/// Reads a file of checks. Paths in options whose name ends in `_file` are taken from the file's own folder.
///
/// The checks that can be read, and every mistake in the order of the file, but [`MOST_MISTAKES`] at most: with one of them no check is to
/// be made, and what the others name can be looked at all the same.
pub(crate) fn read(text: &str, folder: &Path) -> (Vec<Listed>, Vec<Mistake>) {
    let (root, problems) = DeTable::parse_recoverable(text);
    let mut reading = Reading {
        text,
        folder,
        verify: verify_command(),
        mistakes: Vec::new(),
    };
    for problem in &problems {
        reading.syntax(problem);
    }
    let listed = if problems.is_empty() {
        reading.root(root.get_ref())
    } else {
        Vec::new()
    };
    reading.mistakes.sort();
    reading.mistakes.dedup();
    (listed, reading.mistakes)
}

/// The options of one check by their keys, with the place of each.
type Options<'a> = BTreeMap<String, (Range<usize>, &'a DeValue<'a>)>;

struct Reading<'a> {
    text: &'a str,
    folder: &'a Path,
    /// What `regprobe verify` understands.
    verify: clap::Command,
    mistakes: Vec<Mistake>,
}

impl<'a> Reading<'a> {
    fn mistake(&mut self, at: usize, problem: impl Into<String>) {
        if self.is_enough() {
            return;
        }
        let before = self.text.get(..at.min(self.text.len())).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        self.mistakes.push(Mistake {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            problem: problem.into(),
        });
    }

    const fn is_enough(&self) -> bool {
        self.mistakes.len() >= MOST_MISTAKES
    }

    fn syntax(&mut self, problem: &de::Error) {
        let at = problem.span().map_or(0, |span| span.start);
        self.mistake(at, safe(problem.message()));
    }

    fn root(&mut self, root: &'a DeTable<'a>) -> Vec<Listed> {
        let mut defaults = Options::new();
        let mut by_provider = BTreeMap::new();
        let mut checks: &[Spanned<DeValue<'_>>] = &[];
        for (key, value) in root {
            match (&**key.get_ref(), value.get_ref()) {
                ("defaults", DeValue::Table(table)) => {
                    for (key, value) in table {
                        match value.get_ref() {
                            DeValue::Table(options) if options.len() > MOST_KEYS => {
                                self.mistake(key.span().start, "there are not so many options");
                            }
                            DeValue::Table(options) => {
                                by_provider.insert(key.get_ref().to_string(), self.options(options));
                                self.known_provider(key);
                            }
                            single => {
                                defaults.insert(key.get_ref().to_string(), (key.span(), single));
                            }
                        }
                    }
                }
                ("check", DeValue::Array(array)) => checks = array,
                ("defaults", _) => self.mistake(key.span().start, "`defaults` is a table: write [defaults]"),
                ("check", _) => self.mistake(key.span().start, "checks are a list: write [[check]] above each"),
                (other, _) => {
                    let problem = format!("`{}` is unknown here; there are [defaults] and [[check]]", safe(other));
                    self.mistake(key.span().start, problem);
                }
            }
        }
        self.known_defaults(&defaults);
        if checks.is_empty() && self.mistakes.is_empty() {
            self.mistake(
                0,
                "there is no check in this file; write [[check]], with provider = \"telnyx\" and its options below",
            );
        }
        let checks = checks.iter();
        checks.filter_map(|check| self.check(check, &defaults, &by_provider)).collect()
    }

    fn options(&self, table: &'a DeTable<'a>) -> Options<'a> {
        let options = table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), (key.span(), value.get_ref())));
        options.collect()
    }

    fn is_provider(&self, name: &str) -> bool {
        self.verify.find_subcommand(name).is_some()
    }

    fn providers(&self) -> String {
        let names: Vec<_> = self.verify.get_subcommands().map(clap::Command::get_name).collect();
        names.join(", ")
    }

    fn known_provider(&mut self, key: &Spanned<de::DeString<'_>>) {
        if !self.is_provider(key.get_ref()) {
            let problem = format!("`{}` is no provider; there are {}", safe(key.get_ref()), self.providers());
            self.mistake(key.span().start, problem);
        }
    }

    /// A default that no provider has an option for is a slip of the pen.
    fn known_defaults(&mut self, defaults: &Options<'_>) {
        for (key, (place, _)) in defaults {
            if !self.verify.get_subcommands().any(|provider| has_option(provider, key)) {
                self.mistake(place.start, format!("`{}` is an option of no provider", safe(key)));
            }
        }
    }

    fn check(
        &mut self,
        check: &'a Spanned<DeValue<'a>>,
        defaults: &Options<'a>,
        by_provider: &BTreeMap<String, Options<'a>>,
    ) -> Option<Listed> {
        let at = Some(check.span().start).filter(|_| !self.is_enough())?;
        let DeValue::Table(table) = check.get_ref() else {
            self.mistake(at, "a check is a table: write [[check]] and its options below");
            return None;
        };
        let mut own = self.options(table);
        let name = self.text_option(own.remove("name"), "name");
        let Some(provider) = own.remove("provider") else {
            self.mistake(at, format!("`provider` is missing; it is one of {}", self.providers()));
            return None;
        };
        let place = provider.0.start;
        let provider = self.text_option(Some(provider), "provider")?;
        let Some(command) = self.verify.find_subcommand(&provider) else {
            self.mistake(
                place,
                format!("`{}` is no provider; there are {}", safe(&provider), self.providers()),
            );
            return None;
        };
        let mut options: Options<'a> = BTreeMap::new();
        let general = defaults.iter().filter(|(key, _)| has_option(command, key));
        let special = by_provider.get(&provider).into_iter().flatten();
        for (key, value) in general.chain(special) {
            options.insert(key.clone(), value.clone());
        }
        let own_keys: Vec<_> = own.keys().cloned().collect();
        options.append(&mut own);
        if options.len() > MOST_KEYS {
            self.mistake(at, "a check with so many keys is none");
            return None;
        }
        let provider = self.command_line(at, &provider, options, &own_keys)?;
        let line = self.text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        Some(Listed { name, line, provider })
    }

    fn text_option(&mut self, option: Option<(Range<usize>, &DeValue<'_>)>, key: &str) -> Option<String> {
        let (place, value) = option?;
        if let DeValue::String(text) = value {
            return Some(text.to_string());
        }
        self.mistake(place.start, format!("`{key}` is a text: write {key} = \"...\""));
        None
    }

    /// Parses the options as a command line. An option that is refused is noted and left out, so that the others show their mistakes too.
    /// A default gives way to an option of the check's own that excludes it.
    fn command_line(&mut self, at: usize, provider: &str, mut options: Options<'a>, own: &[String]) -> Option<Provider> {
        let before = self.mistakes.len();
        let mut refused = Vec::new();
        for key in ["output", "all", "init", "jobs", "help", "version"] {
            if let Some((place, _)) = options.remove(key) {
                self.mistake(
                    place.start,
                    format!("`{key}` belongs to the command line of `regprobe verify --all`"),
                );
            }
        }
        loop {
            let mut line = vec!["regprobe".to_owned(), "verify".to_owned(), provider.to_owned()];
            for (key, (place, value)) in &options {
                match self.words(key, value) {
                    Some(words) => line.extend(words),
                    None => self.mistake(
                        place.start,
                        format!("`{}` is a text, a number, true or false, or a list of these", safe(key)),
                    ),
                }
            }
            let error = match Cli::try_parse_from(line) {
                Ok(Cli {
                    command: Command::Verify(verify),
                }) if self.mistakes.len() == before => return verify.provider,
                Ok(_) => return None,
                Err(error) => failure::redacted(error),
            };
            if overruled(&error, own).is_some_and(|key| options.remove(&key).is_some()) {
                continue;
            }
            let culprit = culprit(&error).filter(|key| options.contains_key(key));
            let place = culprit.as_ref().and_then(|key| options.remove(key)).map(|(place, _)| place.start);
            // What was refused is not missing too.
            let only_refused = missing(&error).is_some_and(|missing| missing.iter().all(|key| refused.contains(key)));
            if !only_refused {
                self.mistake(place.unwrap_or(at), problem(&error, culprit.as_deref(), provider));
            }
            place.filter(|_| !self.is_enough())?;
            refused.extend(culprit);
        }
    }

    /// An option as words of a command line; `None` for what no command line can say.
    fn words(&self, key: &str, value: &DeValue<'_>) -> Option<Vec<String>> {
        let option = format!("--{}", key.replace('_', "-"));
        let word = |text: &str| vec![format!("{option}={}", self.in_folder(key, text))];
        match value {
            DeValue::String(text) => Some(word(text)),
            DeValue::Integer(number) => Some(word(number.as_str())),
            DeValue::Float(number) => Some(word(number.as_str())),
            DeValue::Boolean(true) => Some(vec![option]),
            DeValue::Boolean(false) => Some(Vec::new()),
            DeValue::Array(items) => {
                let words: Option<Vec<_>> = items.iter().map(|item| self.words(key, item.get_ref())).collect();
                Some(words?.into_iter().flatten().collect())
            }
            DeValue::Datetime(_) | DeValue::Table(_) => None,
        }
    }

    fn in_folder(&self, key: &str, text: &str) -> String {
        if !key.ends_with("_file") || text == "-" {
            return text.to_owned();
        }
        self.folder.join(text).to_string_lossy().into_owned()
    }
}

/// The key that a refusal is about.
fn culprit(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    key_of(argument)
}

/// `--connection-id <ID>` as it is written in a file.
fn key_of(argument: &str) -> Option<String> {
    let name = argument.split([' ', '=', '<']).next()?.strip_prefix("--")?;
    Some(name.replace('-', "_"))
}

/// The default that an option of the check's own excludes.
fn overruled(error: &clap::Error, own: &[String]) -> Option<String> {
    let is_own = |key: &String| own.contains(key);
    let prior = priors(error);
    let culprit = culprit(error).filter(|_| error.kind() == ErrorKind::ArgumentConflict)?;
    if is_own(&culprit) {
        prior.into_iter().find(|key| !is_own(key))
    } else {
        prior.iter().any(is_own).then_some(culprit)
    }
}

/// What a refused option excludes, or is excluded by.
fn priors(error: &clap::Error) -> Vec<String> {
    match error.get(ContextKind::PriorArg) {
        Some(ContextValue::String(other)) => key_of(other).into_iter().collect(),
        Some(ContextValue::Strings(others)) => others.iter().filter_map(|other| key_of(other)).collect(),
        _ => Vec::new(),
    }
}

/// The keys that a refusal misses.
fn missing(error: &clap::Error) -> Option<Vec<String>> {
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(missing))) => {
            Some(missing.iter().filter_map(|argument| key_of(argument)).collect())
        }
        _ => None,
    }
}

/// The refusal in the words of a file.
fn problem(error: &clap::Error, culprit: Option<&str>, provider: &str) -> String {
    let key = culprit.map(safe).unwrap_or_default();
    if let Some(missing) = missing(error) {
        return format!("missing for {provider}: `{}`", missing.join("`, `"));
    }
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, _) => match error.get(ContextKind::SuggestedArg) {
            Some(ContextValue::String(other)) => {
                let other = key_of(other).unwrap_or_default();
                format!("`{key}` is no option of {provider}; did you mean `{other}`?")
            }
            _ => format!("`{key}` is no option of {provider}; `regprobe verify {provider} --help` lists them"),
        },
        (ErrorKind::ArgumentConflict, _) => {
            format!("`{key}` cannot stand beside `{}`", priors(error).join("`, `"))
        }
        _ => {
            let source = std::error::Error::source(error).map(ToString::to_string);
            let rendered = || {
                error
                    .render()
                    .to_string()
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .trim_start_matches("error: ")
                    .to_owned()
            };
            let why = source.unwrap_or_else(rendered);
            if key.is_empty() {
                safe(&why)
            } else {
                format!("`{key}`: {}", safe(&why))
            }
        }
    }
}

fn has_option(provider: &clap::Command, key: &str) -> bool {
    let option = key.replace('_', "-");
    provider.get_arguments().any(|argument| argument.get_long() == Some(&*option))
}

fn verify_command() -> clap::Command {
    let mut program = Cli::command();
    program.build();
    program.find_subcommand("verify").expect("the program has this sub-command").clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<Listed> {
        let (listed, mistakes) = read(text, Path::new("/etc/regprobe"));
        assert!(mistakes.is_empty(), "{mistakes:?}");
        listed
    }

    fn mistakes(text: &str) -> Vec<String> {
        let (_, mistakes) = read(text, Path::new(""));
        assert!(!mistakes.is_empty());
        mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_example_is_a_file_of_checks() {
        let names: Vec<_> = listed(include_str!("example.toml"))
            .into_iter()
            .filter_map(|check| check.name)
            .collect();
        assert_eq!(names, ["Berlin trunk", "Alice", "Support line", "Kamailio trunk 1"]);
    }

    #[test]
    fn defaults_hold_where_a_provider_has_the_option_and_a_check_goes_before_them() {
        let checks = listed(
            "[defaults]\ntimeout = '3s'\napi_url = 'https://one.test'\n[defaults.telnyx]\ncredential_type = 'telephony_credential'\n\
             [[check]]\nprovider = 'telnyx'\nusername = 'u'\napi_url = 'https://two.test'\n\
             [[check]]\nprovider = 'kamailio'\nrpc = 'http://127.0.0.1:5060/RPC'\nuuid = 'x'\ntimeout = '7s'\nassume_listing = true\n\
             expect_host = ['192.0.2.0/24', 'pbx.test']\nother_secret = false\n",
        );
        let Provider::Telnyx(telnyx) = &checks[0].provider else {
            panic!("{checks:?}")
        };
        assert_eq!((&checks[0].name, &checks[1].name), (&None, &None));
        assert_eq!(telnyx.look.exchange.timeout.as_secs(), 3);
        assert_eq!(telnyx.access.api_url.as_ref().map(|url| url.as_str()), Some("https://two.test/"));
        assert!(telnyx.credential_type.is_some());
        let Provider::Kamailio(kamailio) = &checks[1].provider else {
            panic!("{checks:?}")
        };
        let expected = &kamailio.look.expected;
        assert_eq!(kamailio.look.exchange.timeout.as_secs(), 7);
        assert_eq!(
            (expected.expect_host.len(), expected.assume_listing, expected.other_secret),
            (2, true, false)
        );
    }

    #[test]
    fn a_default_gives_way_to_what_excludes_it() {
        let checks = listed(
            "[defaults]\npassword_env = 'ALL'\n[defaults.telnyx]\napi_key_env = 'KEY'\n\
             [[check]]\nprovider = 'telnyx'\nusername = 'u'\napi_key_file = 'k'\npassword_file = 'p'\n\
             [[check]]\nprovider = 'telnyx'\nusername = 'u'\n",
        );
        let [Provider::Telnyx(own), Provider::Telnyx(default)] = [&checks[0].provider, &checks[1].provider] else {
            panic!("{checks:?}")
        };
        assert_eq!(own.access.api_key_file.as_deref(), Some(Path::new("/etc/regprobe/k")));
        assert_eq!(own.look.credentials.password_file.as_deref(), Some(Path::new("/etc/regprobe/p")));
        assert_eq!(
            (&*own.look.credentials.password_env, &*default.access.api_key_env),
            ("REGPROBE_PASSWORD", "KEY")
        );
        assert_eq!(default.look.credentials.password_env, "ALL");
        // Two of the defaults, or two of a check, have nobody to give way to.
        let found = mistakes("[defaults]\npassword_env = 'A'\npassword_file = 'b'\n[[check]]\nprovider = 'telnyx'\nusername = 'u'\n");
        assert!(
            found.iter().any(|mistake| mistake.ends_with("cannot stand beside `password_file`")),
            "{found:?}"
        );
    }

    #[test]
    fn files_are_looked_for_beside_the_file_of_checks() {
        let checks = listed("[[check]]\nprovider = 'telnyx'\nconnection_id = 'x'\napi_key_file = 'keys/telnyx'\nca_file = '/ca.pem'\n");
        let Provider::Telnyx(telnyx) = &checks[0].provider else {
            panic!("{checks:?}")
        };
        assert_eq!(telnyx.access.api_key_file.as_deref(), Some(Path::new("/etc/regprobe/keys/telnyx")));
        assert_eq!(telnyx.look.tls.ca_file.as_deref(), Some(Path::new("/ca.pem")));
    }

    #[test]
    fn every_mistake_is_found_at_once_and_named_by_its_place() {
        let found = mistakes(
            "speed = 1\n[defaults]\nbogus = 1\n[defaults.acme]\n\n[[check]]\nprovider = 'telnyx'\n  conection_id = 'x'\n  timeout = 'soon'\n\
             aor = 'sip:nobody'\noutput = 'json'\n[[check]]\nname = 7\n[[check]]\nprovider = 'skype'\n[[check]]\nprovider = 'kamailio'\n\
             rpc = {}\n[[check]]\nprovider = 'telnyx'\nusername = 'u'\nconnection_id = 'x'\n",
        );
        for expected in [
            "1:1: `speed` is unknown here",
            "3:1: `bogus` is an option of no provider",
            "4:11: `acme` is no provider; there are telnyx, telzino, bitrix24",
            "6:1: missing for telnyx: `connection_id`",
            "8:3: `conection_id` is no option of telnyx; did you mean `connection_id`?",
            "9:3: `timeout`: this is not a duration",
            "10:1: `aor`: the user is missing",
            "11:1: `output` belongs to the command line",
            "12:1: `provider` is missing",
            "13:1: `name` is a text",
            "15:1: `skype` is no provider",
            "16:1: missing for kamailio: `uuid`, `rpc`",
            "18:1: `rpc` is a text, a number",
        ] {
            assert!(found.iter().any(|mistake| mistake.starts_with(expected)), "{expected}: {found:#?}");
        }
        let conflict = "`connection_id` cannot stand beside `username`";
        assert!(found.iter().any(|mistake| mistake.ends_with(conflict)), "{found:#?}");
    }

    #[test]
    fn broken_toml_is_named_by_its_place_and_an_empty_file_says_what_belongs_into_it() {
        let found = mistakes("[[check]]\nprovider = 'telnyx\nconnection_id = 1\nx = = 2\n");
        assert!(found.iter().any(|mistake| mistake.starts_with("2:")), "{found:?}");
        assert!(mistakes("# nothing\n")[0].contains("write [[check]]"));
        assert!(mistakes("check = 3\n")[0].contains("[[check]]"));
        assert!(mistakes("check = [3]\n")[0].contains("[[check]]"));
    }

    #[test]
    fn a_file_of_nothing_but_mistakes_is_given_up() {
        // It would take hours if the place of each were looked for.
        let roots: String = (0..100_000).map(|number| format!("k{number} = 1\n")).collect();
        assert_eq!(mistakes(&roots).len(), MOST_MISTAKES);
        let check = "[[check]]\nprovider = 'telnyx'\nusername = 'u'\n".to_owned() + &roots;
        assert_eq!(mistakes(&check), ["1:1: a check with so many keys is none"]);
        assert_eq!(mistakes(&"[[check]]\n".repeat(3000)).len(), MOST_MISTAKES);
        assert_eq!(
            mistakes(&"[[check]]\nprovider = 'telnyx'\nusername = 'u'\ncolour = 1\n".repeat(300)).len(),
            MOST_MISTAKES
        );
    }

    #[test]
    fn what_is_deeper_than_any_check_is_a_mistake() {
        for deep in ["x = ".to_owned() + &"[".repeat(100_000), "a.".repeat(100_000) + "b = 1"] {
            assert!(!mistakes(&deep).is_empty());
        }
    }

    #[test]
    fn a_password_written_into_a_uri_is_not_repeated() {
        let found = mistakes("[[check]]\nprovider = 'telzino'\nagent_id = 'x'\naor = 'sip:alice:canary@pbx.test'\n");
        assert!(!found.concat().contains("canary"), "{found:?}");
        assert!(found[1].starts_with("4:1: `aor`: it holds a password"), "{found:?}");
    }
}
