//! What goes to standard output and how it is written there. Everything here turns values into text; only [`print()`] writes.

pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod nagios;
pub(crate) mod objects;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod verify;

use std::io::{self, IsTerminal as _, Write as _};

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

/// Whether somebody looks at standard error while results go elsewhere.
pub(crate) fn talks() -> bool {
    io::stderr().is_terminal() && !io::stdout().is_terminal()
}
