//! The rows of a list, read by a thread of its own: standard input may let us wait, and the registrars shall not wait with us. A few
//! rows are read ahead, never more.

use std::path::Path;
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;

use crate::accounts::{self, BadRow, Reader, Row};
use crate::failure::Failure;

/// A row as it was read.
pub(super) type Read = Result<Row, BadRow>;

/// The rows that come.
pub(super) struct Feed {
    batches: mpsc::Receiver<Vec<Read>>,
    thread: JoinHandle<()>,
    /// No more will come.
    ended: bool,
}

impl Feed {
    /// Reads from `reader`; row by row where somebody may be typing them.
    ///
    /// # Errors
    /// [`Failure::Usage`] when there is no row at all: a list that is just being written looks like that.
    pub(super) fn start(reader: Reader, list: &Path) -> Result<Self, Failure> {
        let mut reader = reader.peekable();
        if reader.peek().is_none() {
            return Err(Failure::Usage(format!("{}: it holds no account", accounts::shown(list))));
        }
        let size = if list == Path::new("-") { 1 } else { BATCH };
        let (sender, batches) = mpsc::channel(AHEAD);
        let thread = thread::Builder::new().name("rows".to_owned()).spawn(move || {
            loop {
                let batch: Vec<Read> = reader.by_ref().take(size).collect();
                // The run may have ended before the list.
                if batch.is_empty() || sender.blocking_send(batch).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self {
            batches,
            thread,
            ended: false,
        })
    }

    /// The next rows; empty at the end. May be dropped and called again: nothing is lost.
    pub(super) async fn next(&mut self) -> Vec<Read> {
        let batch = self.batches.recv().await;
        self.ended = batch.is_none();
        batch.unwrap_or_default()
    }

    /// Whether all rows have come.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether it came to its end in good order.
    pub(super) fn was_whole(self) -> bool {
        drop(self.batches);
        !self.ended || self.thread.join().is_ok()
    }
}

/// How many rows are handed over at once.
const BATCH: usize = 256;
/// How many times as many may wait to be taken.
const AHEAD: usize = 4;
