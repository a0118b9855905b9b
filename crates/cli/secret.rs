//! Where a password or HA1 comes from, and what is refused before it is used. No text of an error or warning ever holds a
//! secret: only the place that it came from, and what is wrong with it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use secrecy::{ExposeSecret as _, SecretString};
use sip_digest::{Algorithm, Secret, SecretError};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::args::credentials::CredentialArgs;

/// The environment variable that may hold the password, unless another is named.
pub(crate) const VARIABLE: &str = "REGPROBE_PASSWORD";
/// The longest secret that is accepted, in bytes.
pub(crate) const LIMIT: usize = 1024 * 1024;

/// The option that has read standard input.
static STANDARD_INPUT: OnceLock<&str> = OnceLock::new();

/// Where the secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file with one line of text, such as that of `--password-file PATH`.
    File {
        /// Which option names it.
        option: &'static str,
        /// Where it is.
        path: PathBuf,
    },
    /// The same option with `-`.
    StandardInput {
        /// Which option says so.
        option: &'static str,
    },
    /// `--ha1-file PATH`.
    Ha1File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// The terminal.
    Ask,
    /// Nowhere: the exchange goes without credentials.
    Nowhere,
}

/// What the surroundings offer beside the options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings {
    /// Whether the environment variable of this name holds something.
    pub(crate) variable: fn(&str) -> bool,
    /// Whether somebody can be asked: standard input and standard error are a terminal.
    pub(crate) terminal: bool,
}

impl Source {
    /// A file goes before the environment, and the environment before asking. A variable that the user names has to be there.
    pub(crate) fn choose(args: &CredentialArgs, surroundings: Surroundings) -> Self {
        let variable = &args.password_env;
        match (&args.password_file, &args.ha1_file) {
            (Some(path), _) => Self::file("--password-file", path),
            (None, Some(path)) => Self::Ha1File(path.clone()),
            (None, None) if variable != VARIABLE || (surroundings.variable)(variable) => Self::Environment(variable.clone()),
            (None, None) if surroundings.terminal => Self::Ask,
            (None, None) => Self::Nowhere,
        }
    }

    /// Where a key of an API comes from: its file, or its variable when that is set or has another name than the usual one.
    pub(crate) fn of_key(option: &'static str, file: Option<&Path>, (variable, usual): (&str, &str), surroundings: Surroundings) -> Self {
        match file {
            Some(path) => Self::file(option, path),
            None if variable != usual || (surroundings.variable)(variable) => Self::Environment(variable.to_owned()),
            None => Self::Nowhere,
        }
    }

    fn file(option: &'static str, path: &Path) -> Self {
        if path == Path::new("-") {
            return Self::StandardInput { option };
        }
        Self::File {
            option,
            path: path.to_owned(),
        }
    }
}

impl fmt::Display for Source {
    /// As an error names it: the argument and its place, never the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { option, path } => write!(f, "{option} {}", shown(path)),
            Self::StandardInput { option } => write!(f, "{option} - (standard input)"),
            Self::Ha1File(path) => write!(f, "--ha1-file {}", shown(path)),
            Self::Environment(variable) => f.write_str(&sip_message::printable(variable.as_bytes())),
            Self::Ask => f.write_str("the password typed in"),
            Self::Nowhere => f.write_str("no password"),
        }
    }
}

/// A path that is safe on a terminal.
pub(crate) fn shown(path: &Path) -> String {
    sip_message::printable(path.as_os_str().as_encoded_bytes())
}

/// Why a secret was refused.
#[derive(Debug, Error)]
#[error("{from}: {flaw}")]
pub(crate) struct Refused {
    /// Where it came from.
    from: Source,
    /// What is wrong with it.
    flaw: Flaw,
}

/// What is wrong with a secret.
#[derive(Debug, Error)]
pub(crate) enum Flaw {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// A variable that was named and is not there.
    #[error("is not set in the environment, or empty")]
    NotSet,
    /// Nothing in it.
    #[error("is empty; it has to hold one line with the secret")]
    Empty,
    /// Standard input, which another option has read.
    #[error("standard input can hold only one secret, and it is that of {0}; name a file")]
    Taken(&'static str),
    /// More than [`LIMIT`].
    #[error("is longer than 1 MiB; this is not a password")]
    TooLong,
    /// Bytes that are no text.
    #[error("is not UTF-8 text; save it as UTF-8")]
    NotUtf8,
    /// More than one line.
    #[error("holds a line break; it has to hold one line with the secret and nothing else")]
    LineBreak,
    /// A NUL.
    #[error("holds a NUL byte; it has to be plain text")]
    Nul,
    /// `algorithm:` in front of an HA1 is none of ours.
    #[error("names an unknown algorithm; write MD5:HEX, SHA-256:HEX or SHA-512-256:HEX")]
    Algorithm,
    /// Its digits are wrong.
    #[error("{0}")]
    Ha1(#[from] SecretError),
}

/// A secret, and what is to be said about the place that it came from.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The secret; `None` when there is none.
    pub(crate) secret: Option<Secret>,
    /// A warning for standard error.
    pub(crate) warning: Option<String>,
}

/// Reads the secret. `ask` is called only for [`Source::Ask`] and gives what was typed.
///
/// # Errors
/// [`Refused`], which names the source and never its content.
pub(crate) fn load(source: &Source, ask: impl FnOnce() -> io::Result<Zeroizing<Vec<u8>>>) -> Result<Loaded, Refused> {
    let from = |flaw| Refused {
        from: source.clone(),
        flaw,
    };
    let quiet = |secret| Loaded { secret, warning: None };
    match source {
        Source::Ha1File(path) => {
            let (bytes, warning) = read_file(path).map_err(from)?;
            Ok(Loaded {
                secret: Some(ha1(&bytes).map_err(from)?),
                warning,
            })
        }
        Source::Ask => match ask().map_err(|error| from(Flaw::Unreadable(error)))? {
            typed if typed.is_empty() => Ok(quiet(None)),
            typed => Ok(quiet(Some(Secret::Password(text(&typed).map_err(from)?)))),
        },
        Source::Nowhere => Ok(quiet(None)),
        Source::File { .. } | Source::StandardInput { .. } | Source::Environment(_) => {
            let (secret, warning) = line_of(source).map_err(from)?;
            Ok(Loaded {
                secret: Some(Secret::Password(secret)),
                warning,
            })
        }
    }
}

/// Reads a key of an API: like a password, but nobody is asked for it. The second value is what is to be said about its file.
///
/// # Errors
/// [`Refused`], which names the source and never its content.
pub(crate) fn key(source: &Source) -> Result<Option<(SecretString, Option<String>)>, Refused> {
    match source {
        Source::Ask | Source::Nowhere => Ok(None),
        Source::Ha1File(_) | Source::File { .. } | Source::StandardInput { .. } | Source::Environment(_) => {
            line_of(source).map(Some).map_err(|flaw| Refused {
                from: source.clone(),
                flaw,
            })
        }
    }
}

/// Reads the secret of one account of a list, of a file or a variable; the second value is what is to be said about the file's mode.
///
/// # Errors
/// [`Flaw`], which never shows it.
pub(crate) fn of_list(source: &Source, is_hash: bool) -> Result<(Secret, Option<String>), Flaw> {
    let (secret, warning) = line_of(source)?;
    Ok((written(secret.expose_secret(), is_hash)?, warning))
}

/// Takes a secret as it is written: a password, or an HA1 as that of a file.
///
/// # Errors
/// [`Flaw`], which never shows it.
pub(crate) fn written(secret: &str, is_hash: bool) -> Result<Secret, Flaw> {
    if is_hash {
        ha1(secret.as_bytes())
    } else {
        Ok(Secret::Password(text(secret.as_bytes())?))
    }
}

/// Says that this option reads standard input.
///
/// # Errors
/// [`Flaw::Taken`] when another one does.
pub(crate) fn claim_standard_input(option: &'static str) -> Result<(), Flaw> {
    // Whoever comes second would find nothing there.
    STANDARD_INPUT
        .set(option)
        .map_err(|_| Flaw::Taken(STANDARD_INPUT.get().copied().unwrap_or_default()))
}

/// A key without the blanks around it, which no key has and a copied one often does. A password may have them.
///
/// # Errors
/// [`Refused`] when nothing is left.
pub(crate) fn trimmed(key: &SecretString, from: &Source) -> Result<SecretString, Refused> {
    match key.expose_secret().trim() {
        "" => Err(Refused {
            from: from.clone(),
            flaw: Flaw::Empty,
        }),
        key => Ok(SecretString::from(key)),
    }
}

/// The one line of text of a file, of standard input or of a variable; the second value is what is to be said about a file's mode.
fn line_of(source: &Source) -> Result<(SecretString, Option<String>), Flaw> {
    match source {
        Source::File { path, .. } | Source::Ha1File(path) => {
            let (bytes, warning) = read_file(path)?;
            Ok((text(&bytes)?, warning))
        }
        Source::StandardInput { option } => {
            claim_standard_input(option)?;
            Ok((text(&read_all(io::stdin().lock())?)?, None))
        }
        Source::Environment(variable) => {
            let value = std::env::var_os(variable).filter(|value| !value.is_empty()).ok_or(Flaw::NotSet)?;
            Ok((text(&Zeroizing::new(value.into_encoded_bytes()))?, None))
        }
        Source::Ask | Source::Nowhere => Err(Flaw::Empty),
    }
}

/// Whether a variable of the environment is set and not empty.
pub(crate) fn variable_is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Reads a file of secrets, up to the limit; the second value is what is to be said about its mode.
///
/// # Errors
/// [`Flaw::Unreadable`].
pub(crate) fn read_file(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Option<String>), Flaw> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let open_to_all = metadata.is_file() && metadata.permissions().mode() & 0o004 != 0;
    let warning = open_to_all.then(|| format!("everybody on this machine can read {0}; close it with: chmod 600 {0}", shown(path)));
    Ok((read_all(file)?, warning))
}

/// Reads up to the limit into memory that never moves, so that wiping it wipes all of it. Hardly any secret needs the large piece.
fn read_all(mut source: impl Read) -> Result<Zeroizing<Vec<u8>>, Flaw> {
    let mut few = with_room(USUAL);
    read_up_to(&mut source, USUAL, &mut few)?;
    if few.len() < USUAL {
        return Ok(few);
    }
    let mut many = with_room(LIMIT + 1);
    many.extend_from_slice(&few);
    read_up_to(&mut source, LIMIT + 1 - USUAL, &mut many)?;
    Ok(many)
}

/// More secrets than not are shorter than this, in bytes.
const USUAL: usize = 1024;

/// With some room to spare, because reading to the end looks for the end in it.
fn with_room(size: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(size + 64))
}

fn read_up_to(source: &mut impl Read, most: usize, bytes: &mut Vec<u8>) -> io::Result<usize> {
    source.take(u64::try_from(most).expect("a MiB fits")).read_to_end(bytes)
}

/// One line of text without its line end. Blanks belong to it.
fn line(bytes: &[u8]) -> Result<&str, Flaw> {
    if bytes.len() > LIMIT {
        return Err(Flaw::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::NotUtf8)?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    match text {
        "" => Err(Flaw::Empty),
        _ if text.contains(['\n', '\r']) => Err(Flaw::LineBreak),
        _ if text.contains('\0') => Err(Flaw::Nul),
        _ => Ok(text),
    }
}

fn text(bytes: &[u8]) -> Result<SecretString, Flaw> {
    Ok(SecretString::from(line(bytes)?))
}

fn ha1(bytes: &[u8]) -> Result<Secret, Flaw> {
    let text = line(bytes)?.trim();
    let (algorithm, hex) = match text.split_once(':') {
        Some((name, hex)) => (Algorithm::parse(name.trim().as_bytes()).ok_or(Flaw::Algorithm)?, hex.trim()),
        None => (Algorithm::Md5, text),
    };
    Ok(Secret::ha1(algorithm, hex)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "939e7578ed9e3c518a452acee763bce9";

    fn args(password_file: Option<&str>, ha1_file: Option<&str>) -> CredentialArgs {
        CredentialArgs {
            challenges: crate::plan::ANY_CHALLENGE,
            auth_user: None,
            password_file: password_file.map(Into::into),
            password_env: VARIABLE.to_owned(),
            ha1_file: ha1_file.map(Into::into),
        }
    }

    #[test]
    fn options_go_before_the_environment_and_that_before_asking() {
        let both = Surroundings {
            variable: |_| true,
            terminal: true,
        };
        let option = "--password-file";
        let choose = |password, ha1, surroundings| Source::choose(&args(password, ha1), surroundings);
        let path = "x".into();
        assert_eq!(choose(Some("x"), None, both), Source::File { option, path });
        assert_eq!(choose(Some("-"), None, both), Source::StandardInput { option });
        assert_eq!(choose(None, Some("y"), both), Source::Ha1File("y".into()));
        assert_eq!(choose(None, None, both), Source::Environment(VARIABLE.to_owned()));
        assert_eq!(
            choose(
                None,
                None,
                Surroundings {
                    variable: |_| false,
                    terminal: true
                }
            ),
            Source::Ask
        );
        assert_eq!(
            choose(
                None,
                None,
                Surroundings {
                    variable: |_| false,
                    terminal: false
                }
            ),
            Source::Nowhere
        );
    }

    #[test]
    fn one_line_end_goes_and_blanks_stay() {
        assert_eq!(line(b" pass word \n").unwrap(), " pass word ");
        assert_eq!(line(b"word\r\n").unwrap(), "word");
        assert_eq!(line("g\u{e4}st".as_bytes()).unwrap(), "g\u{e4}st");
    }

    #[test]
    fn a_key_has_no_blanks_around_it_and_is_not_empty_without_them() {
        let trimmed = |text: &str| trimmed(&SecretString::from(text), &Source::Nowhere).map(|key| key.expose_secret().to_owned());
        assert_eq!(trimmed(" KEY-1 \t").unwrap(), "KEY-1");
        assert!(trimmed(" \t").is_err());
    }

    #[test]
    fn secrets_that_are_no_line_of_text_are_refused_without_showing_them() {
        let long = vec![b'x'; LIMIT + 1];
        for bytes in [
            &b""[..],
            b"\n",
            b"canary\n\n",
            b"canary\nmore",
            b"can\0ary",
            b"canary\xff",
            b"canary\r",
            &long,
        ] {
            let flaw = text(bytes).unwrap_err();
            assert!(!format!("{flaw} {flaw:?}").contains("canary"));
        }
        assert!(text(&long[1..]).is_ok());
    }

    #[test]
    fn an_ha1_names_its_algorithm_or_is_an_md5() {
        assert!(ha1(format!("{MD5}\n").as_bytes()).is_ok());
        assert!(ha1(format!("md5:{MD5}").as_bytes()).is_ok());
        assert!(ha1(format!("SHA-256: {MD5}{MD5}\n").as_bytes()).is_ok());
        let flaw = |text: String| ha1(text.as_bytes()).unwrap_err().to_string();
        assert!(flaw(format!("SHA-256:{MD5}")).contains("64 hexadecimal digits, not 32"));
        assert!(flaw(format!("AKAv1:{MD5}")).contains("unknown algorithm"));
        for wrong in [
            format!("alice:realm:{MD5}"),
            MD5.to_uppercase(),
            MD5.replace('9', "x"),
            format!("{MD5}\n{MD5}"),
        ] {
            assert!(!flaw(wrong.clone()).contains(&wrong[..16]));
        }
    }

    #[test]
    fn a_variable_that_was_named_has_to_be_there() {
        let silent = Surroundings {
            variable: |_| false,
            terminal: true,
        };
        let named = CredentialArgs {
            password_env: "REGPROBE_TEST_NO_SUCH_VARIABLE".to_owned(),
            ..args(None, None)
        };
        let source = Source::choose(&named, silent);
        let refused = load(&source, || panic!("nobody is asked")).unwrap_err().to_string();
        assert_eq!(refused, "REGPROBE_TEST_NO_SUCH_VARIABLE: is not set in the environment, or empty");
        let usual = Source::of_key("--api-key-file", None, ("TELNYX_API_KEY", "TELNYX_API_KEY"), silent);
        assert!(key(&usual).unwrap().is_none());
    }

    #[test]
    fn nothing_typed_means_no_credentials() {
        let typed = |bytes: &[u8]| load(&Source::Ask, || Ok(Zeroizing::new(bytes.to_vec()))).map(|loaded| loaded.secret.is_some());
        assert!(!typed(b"").unwrap());
        assert!(typed(b"secret").unwrap());
    }
}
