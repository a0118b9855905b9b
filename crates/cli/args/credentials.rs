//! What to answer a challenge with, and which challenges, as clap sees them.

use std::path::PathBuf;

use clap::{Arg, Args};
use sip_digest::Algorithm;

use crate::values;

/// The heading of credentials where somebody at a terminal is asked for the password.
pub(crate) const ASKED: &str = "Credentials (password: REGPROBE_PASSWORD, a file, or asked on the terminal)";

/// Takes that back from the heading, for sub-commands that ask nobody.
pub(crate) fn unasked(argument: Arg) -> Arg {
    if argument.get_help_heading() == Some(ASKED) {
        argument.help_heading("Credentials (password: REGPROBE_PASSWORD or a file)")
    } else {
        argument
    }
}

// What to answer a challenge with. The password comes from REGPROBE_PASSWORD, from a file, or from the terminal.
#[derive(Debug, Args)]
#[command(next_help_heading = ASKED)]
pub(crate) struct CredentialArgs {
    /// The user name for authentication [default: the AOR's user]
    #[arg(long, value_name = "NAME", value_parser = values::auth_user)]
    pub(crate) auth_user: Option<String>,
    /// Read the password from this file, or from standard input with -
    #[arg(long, value_name = "PATH")]
    pub(crate) password_file: Option<PathBuf>,
    /// The environment variable that holds the password
    #[arg(long, value_name = "NAME", value_parser = values::variable, default_value = crate::secret::VARIABLE, conflicts_with_all = ["password_file", "ha1_file"])]
    pub(crate) password_env: String,
    /// Read ALGORITHM:HEX, or the bare hex of an MD5, instead of a password: H(user:realm:password)
    #[arg(long, value_name = "PATH", conflicts_with = "password_file")]
    pub(crate) ha1_file: Option<PathBuf>,
    /// Which challenges.
    #[command(flatten)]
    pub(crate) challenges: ChallengeArgs,
}

// Which challenges are answered.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = ASKED)]
pub(crate) struct ChallengeArgs {
    /// Give the credentials to this realm only, letter by letter [default: the first realm that asks for them, if it is not empty]
    #[arg(long, value_name = "REALM", value_parser = values::pinned_realm)]
    pub(crate) realm: Option<String>,
    /// Answer no digest weaker than this: md5, sha-256 or sha-512-256
    #[arg(long, value_name = "ALGORITHM", default_value = "md5", value_parser = values::min_digest)]
    pub(crate) min_digest: Algorithm,
}
