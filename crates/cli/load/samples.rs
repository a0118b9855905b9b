//! Loads for tests.

use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::load::job::Job;

/// What `regprobe load` makes of these words.
pub(crate) fn planned(line: &str) -> Result<Job, Failure> {
    let words = ["regprobe", "load"].into_iter().chain(line.split_whitespace());
    let Command::Load(args) = Cli::try_parse_from(words)?.command else {
        panic!("load")
    };
    Job::new(&args, 1)
}

/// The same of words that are right.
pub(crate) fn job(line: &str) -> Job {
    planned(line).unwrap()
}
