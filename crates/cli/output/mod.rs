//! What goes to standard output and how it is written there. Everything here turns values into text; only [`print()`] writes.

pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod nagios;
pub(crate) mod objects;
pub(crate) mod property;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod verify;

use std::io::{self, IsTerminal as _, Write as _};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::{fstat, stat};

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
        done => done
            .map(|()| true)
            .map_err(|error| io::Error::new(error.kind(), format!("standard output cannot be written: {error}"))),
    }
}

/// For what is of no use but for its output.
///
/// Where standard output was closed when the program began (`>&-`), Rust's runtime has put /dev/null in its place, open for reading and
/// writing, so that every write succeeds. A shell's `> /dev/null` is open for writing alone; some programs that start others open it
/// both ways, which looks the same.
///
/// # Errors
/// When it was closed.
pub(crate) fn ensure_open() -> io::Result<()> {
    let out = io::stdout();
    let both_ways = fcntl(&out, FcntlArg::F_GETFL).is_ok_and(|flags| OFlag::from_bits_truncate(flags) & OFlag::O_ACCMODE == OFlag::O_RDWR);
    if both_ways && fstat(&out).is_ok_and(|out| stat("/dev/null").is_ok_and(|null| null.st_rdev == out.st_rdev)) {
        return Err(io::Error::other(CLOSED));
    }
    Ok(())
}

const CLOSED: &str = "standard output is closed, and what belongs there would be lost; where nobody shall read it, \
                      open /dev/null for it, and for writing only: > /dev/null";

/// Writes talk to standard error. Nobody has to listen.
pub(crate) fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Whether somebody looks at standard error while results go elsewhere.
pub(crate) fn talks() -> bool {
    io::stderr().is_terminal() && !io::stdout().is_terminal()
}
