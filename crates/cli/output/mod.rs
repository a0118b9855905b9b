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
    hand_over(bytes).map(|_| ())
}

/// The same; false when nobody reads it any more, so that more of it is not worth making.
///
/// # Errors
/// Whatever else standard output says.
pub(crate) fn hand_over(bytes: &[u8]) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        done => done.map(|()| true),
    }
}

/// Writes talk to standard error. Nobody has to listen.
pub(crate) fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Whether somebody looks at standard error while results go elsewhere.
pub(crate) fn talks() -> bool {
    io::stderr().is_terminal() && !io::stdout().is_terminal()
}
