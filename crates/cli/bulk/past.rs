//! What an earlier run has left: its results (`--output jsonl`), by account and not by the place in the list, so that a list may have
//! grown or been sorted meanwhile. A line that was cut off when the run was killed counts as none.
//!
//! Accounts are remembered by a hash of AOR, registrar and name: some fifty bytes for each result, whatever they are called.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::Deserialize;

use super::line::Why;
use crate::accounts::{BadRow, Row};
use crate::args::bulk::Bulk;
use crate::failure::Failure;
use crate::{output, secret};

/// What is to become of a row, as far as earlier runs have a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is probed.
    Probe,
    /// It is not; whether it was registered when it was, if it ever was.
    Skip(Option<bool>),
}

/// The results of earlier runs.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Rows with a result are done.
    resume: Option<Results>,
    /// Rows with a failure are not.
    only_failed: Option<Results>,
}

impl Past {
    /// Reads the files that the command line names.
    ///
    /// # Errors
    /// [`Failure::Usage`] when one cannot be read, or holds no results.
    pub(super) fn read(args: &Bulk) -> Result<Self, Failure> {
        let read = |option: &str, path: &Path| {
            let wrong = |why: String| Failure::Usage(format!("{option} {}: {why}", secret::shown(path)));
            Results::read(path).map_err(wrong)
        };
        Ok(Self {
            resume: args.resume.as_deref().map(|path| read("--resume", path)).transpose()?,
            only_failed: args.only_failed.as_deref().map(|path| read("--only-failed", path)).transpose()?,
        })
    }

    /// What is to become of a row.
    pub(super) fn turn(&mut self, row: &Row) -> Turn {
        let (aor, registrar) = (row.account.aor.as_str(), row.account.registrar.as_str());
        self.decide(|results| results.take(results.key(aor, registrar, row.name.as_deref()), row.number))
    }

    /// The same for a row that is no account, which is known by its number only.
    pub(super) fn turn_of_bad(&mut self, bad: &BadRow) -> Turn {
        self.decide(|results| results.bad.contains(&bad.number).then_some(false))
    }

    fn decide(&mut self, mut last: impl FnMut(&mut Results) -> Option<bool>) -> Turn {
        let resumed = self.resume.as_mut().map(&mut last);
        let failed = self.only_failed.as_mut().map(&mut last);
        match (resumed, failed) {
            (None, None) | (Some(None), _) | (_, Some(Some(false))) => Turn::Probe,
            (Some(last @ Some(_)), _) | (None, Some(last)) => Turn::Skip(last),
        }
    }
}

/// The results of one file.
#[derive(Debug, Default)]
struct Results {
    seed: RandomState,
    /// The last result of the first row that has this key, and which row that was.
    first: HashMap<Key, (u64, bool)>,
    /// Those of further rows with the same account.
    others: HashMap<Key, Vec<(u64, bool)>>,
    /// The numbers of rows that were no accounts.
    bad: BTreeSet<u64>,
}

/// A hash of an account.
type Key = (u64, u64);

/// The fields of a result that are looked at.
#[derive(Debug, Deserialize)]
struct Line {
    row: u64,
    aor: Option<String>,
    registrar: Option<String>,
    name: Option<String>,
    registered: bool,
    cause: Option<String>,
}

impl Results {
    fn read(path: &Path) -> Result<Self, String> {
        let mut file = File::open(path).map_err(|error| error.to_string())?;
        end_last_line(&mut file).map_err(|error| error.to_string())?;
        let mut results = Self::default();
        let mut lines = BufReader::with_capacity(64 * 1024, file);
        let (mut line, mut number, mut broken, mut first_broken) = (Vec::new(), 0_u64, 0_u64, 0_u64);
        loop {
            line.clear();
            let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            if read.map_err(|error| error.to_string())? == 0 {
                break;
            }
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice::<Line>(&line) {
                Ok(line) => results.take_in(line),
                Err(_) => {
                    broken += 1;
                    first_broken = if first_broken == 0 { number } else { first_broken };
                }
            }
        }
        if broken > 0 && results.is_empty() {
            return Err("holds no result of `regprobe bulk --output jsonl`".to_owned());
        }
        if broken > 0 {
            let shown = secret::shown(path);
            output::tell(&format!(
                "warning: {shown}:{first_broken}: {} without a result, cut off perhaps; such rows are probed again\n",
                output::text::counted(usize::try_from(broken).unwrap_or(usize::MAX), "line"),
            ));
        }
        Ok(results)
    }

    fn is_empty(&self) -> bool {
        self.first.is_empty() && self.bad.is_empty()
    }

    fn take_in(&mut self, line: Line) {
        let is = |why: Why| line.cause.as_deref() == Some(why.name());
        if is(Why::HeldBack) || is(Why::NotDone) {
            return;
        }
        let (Some(aor), Some(registrar)) = (&line.aor, &line.registrar) else {
            if is(Why::BadRow) {
                self.bad.insert(line.row);
            }
            return;
        };
        let key = self.key(aor, registrar, line.name.as_deref());
        let result = (line.row, line.registered);
        let first = self.first.entry(key).or_insert(result);
        if first.0 == line.row {
            *first = result;
            return;
        }
        let others = self.others.entry(key).or_default();
        match others.iter_mut().find(|other| other.0 == line.row) {
            Some(other) => *other = result,
            None => others.push(result),
        }
    }

    fn key(&self, aor: &str, registrar: &str, name: Option<&str>) -> Key {
        let half = |salt: u8| self.seed.hash_one((salt, aor, registrar, name));
        (half(0), half(1))
    }

    /// The last result of an account, each for one row: that of its own number, or else any.
    fn take(&mut self, key: Key, number: u64) -> Option<bool> {
        if let Some(others) = self.others.get_mut(&key).filter(|others| !others.is_empty()) {
            let is_first = self.first.get(&key).is_some_and(|first| first.0 == number);
            if !is_first {
                let at = others.iter().position(|other| other.0 == number).unwrap_or_default();
                return Some(others.swap_remove(at).1);
            }
        }
        self.first.remove(&key).map(|(_, registered)| registered)
    }
}

/// A run that was killed may have left half a line. When our results go to the same file, they begin on a line of their own.
fn end_last_line(file: &mut File) -> io::Result<()> {
    use std::os::fd::AsFd as _;
    let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let (ours, theirs) = (out.metadata()?, file.metadata()?);
    let is_same = ours.is_file() && (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino());
    if is_same && theirs.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            output::print(b"\n")?;
        }
        file.seek(SeekFrom::Start(0))?;
    }
    Ok(())
}

/// The longest line that is read, in bytes. No result is as long.
const LONGEST_LINE: u64 = 1024 * 1024;

#[cfg(test)]
mod tests;
