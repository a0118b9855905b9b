//! The list of accounts, as often as it is read: at the start, and again at each SIGHUP.

use std::path::Path;
use std::sync::Arc;

use crate::accounts::{self, Reader, Template};
use crate::args::accounts::AccountsArgs;
use crate::failure::Failure;
use crate::output::text::safe;
use crate::secret::Surroundings;

use super::entry::Entry;
use super::reconcile::duplicates;

/// A list of accounts, and what the command line says of each of them.
#[derive(Debug)]
pub(crate) struct List<'a> {
    args: &'a AccountsArgs,
    template: Template,
}

impl<'a> List<'a> {
    /// The list that the command line names. Its secret is read now, and not again.
    ///
    /// # Errors
    /// [`Failure`] when that secret cannot be used.
    pub(crate) fn new(args: &'a AccountsArgs, surroundings: Surroundings) -> Result<Self, Failure> {
        Ok(Self {
            args,
            template: Reader::template(args, surroundings)?,
        })
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        accounts::shown(&self.args.file)
    }

    /// Reads it for another time.
    ///
    /// # Errors
    /// What is wrong with it, and that standard input can be read but once.
    pub(crate) fn read_again(&self) -> Result<Vec<Entry>, String> {
        if self.args.file == Path::new("-") {
            return Err("standard input cannot be read twice; give the list as a file".to_owned());
        }
        self.read()
    }

    /// Reads it to its end. One mistake is enough to refuse all of it.
    ///
    /// # Errors
    /// Every mistake with its line, up to [`MOST_MISTAKES`].
    pub(crate) fn read(&self) -> Result<Vec<Entry>, String> {
        let name = self.name();
        let reader = Reader::open(self.args, self.template.clone()).map_err(|failure| failure.to_string())?;
        let (mut entries, mut mistakes) = (Vec::new(), Vec::new());
        for row in reader {
            match row {
                Ok(row) => entries.push(Entry {
                    line: row.line,
                    name: row.name.map(|name| safe(&name)),
                    account: Arc::new(row.account),
                }),
                Err(bad) => mistakes.push(format!("{name}:{bad}")),
            }
        }
        mistakes.extend(duplicates(&entries).into_iter().map(|duplicate| format!("{name}:{duplicate}")));
        if mistakes.is_empty() && entries.is_empty() {
            // A file that is just being written looks like that.
            mistakes.push(format!("{name}: it holds no account"));
        }
        if mistakes.is_empty() { Ok(entries) } else { Err(told(mistakes)) }
    }
}

fn told(mut mistakes: Vec<String>) -> String {
    let more = mistakes.len().saturating_sub(MOST_MISTAKES);
    mistakes.truncate(MOST_MISTAKES);
    if more > 0 {
        mistakes.push(format!("and {more} more mistakes"));
    }
    mistakes.join("\nerror: ")
}

/// How many mistakes of a list are told.
const MOST_MISTAKES: usize = 20;
