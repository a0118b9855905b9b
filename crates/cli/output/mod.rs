//! What goes to standard output and how it is written there. Everything here turns values into text; only [`print()`] writes.

pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod nagios;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod style;
pub(crate) mod text;

use std::io::{self, Write as _};

/// Writes bytes to standard output. A reader that has gone away (`regprobe schema | head`) is no error.
///
/// # Errors
/// Whatever else standard output says, such as a full disk.
pub(crate) fn print(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
