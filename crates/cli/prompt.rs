//! Asks for a password on the terminal, without echo, and leaves the terminal as it was, also after Ctrl-C. Not for deciding
//! whether to ask.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};

use nix::sys::termios::{self, LocalFlags, SetArg, SpecialCharacterIndices, Termios};
use zeroize::Zeroizing;

use crate::secret;

/// Asks once. An empty answer stands for no password.
///
/// # Errors
/// [`io::ErrorKind::Interrupted`] after Ctrl-C, otherwise what the terminal says.
pub(crate) fn password(user: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let user = sip_message::printable(user.as_bytes());
    let keys = terminal.try_clone()?;
    // Quiet before the question stands there: what is typed from then on never shows.
    let quiet = Quiet::new(&keys)?;
    write!(terminal, "Password for {user} (empty: go on without one): ")?;
    let typed = read_line(&keys);
    drop(quiet);
    writeln!(terminal)?;
    typed
}

/// Asks a question that is to be agreed to; anything but yes is no.
///
/// # Errors
/// What the terminal says.
pub(crate) fn agrees(question: &str) -> io::Result<bool> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    write!(terminal, "{} [y/N] ", sip_message::printable(question.as_bytes()))?;
    let mut typed = String::new();
    BufReader::new(terminal.take(LONGEST_ANSWER)).read_line(&mut typed)?;
    Ok(is_yes(&typed))
}

/// How a question is answered that may come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// This time.
    Yes,
    /// From now on.
    Always,
    /// Neither.
    No,
}

/// Asks a question that may come again; anything but yes and always is no.
///
/// # Errors
/// What the terminal says.
pub(crate) fn consents(question: &str) -> io::Result<Consent> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    write!(terminal, "{} [y/N/a] ", sip_message::printable(question.as_bytes()))?;
    let mut typed = String::new();
    BufReader::new(terminal.take(LONGEST_ANSWER)).read_line(&mut typed)?;
    Ok(consent(&typed))
}

fn consent(typed: &str) -> Consent {
    let is = |words: [&str; 2]| words.iter().any(|word| typed.trim().eq_ignore_ascii_case(word));
    if is(["a", "always"]) {
        Consent::Always
    } else if is(["y", "yes"]) {
        Consent::Yes
    } else {
        Consent::No
    }
}

/// The most that is read of an answer, in bytes.
const LONGEST_ANSWER: u64 = 64;

fn is_yes(typed: &str) -> bool {
    let typed = typed.trim();
    ["y", "yes"].iter().any(|yes| typed.eq_ignore_ascii_case(yes))
}

/// Keys come one by one, without echo and without signals, as long as this lives.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = termios::tcgetattr(terminal)?;
        let mut settings = before.clone();
        settings
            .local_flags
            .remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG | LocalFlags::IEXTEN);
        let at_least = SpecialCharacterIndices::VMIN as usize;
        let within = SpecialCharacterIndices::VTIME as usize;
        (settings.control_chars[at_least], settings.control_chars[within]) = (1, 0);
        termios::tcsetattr(terminal, SetArg::TCSAFLUSH, &settings)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // If the terminal is gone there is nobody left to tell.
        let _ = termios::tcsetattr(self.terminal, SetArg::TCSAFLUSH, &self.before);
    }
}

fn read_line(keys: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(secret::LIMIT + 1));
    for key in BufReader::new(keys).bytes() {
        match edit(&mut line, key?) {
            Edit::More => {}
            Edit::Done => break,
            Edit::Interrupted => return Err(io::ErrorKind::Interrupted.into()),
        }
    }
    Ok(line)
}

#[derive(Debug, PartialEq, Eq)]
enum Edit {
    More,
    Done,
    Interrupted,
}

/// What one key does to the line: the few that people use while they type blindly.
fn edit(line: &mut Vec<u8>, key: u8) -> Edit {
    match key {
        b'\r' | b'\n' | END => return Edit::Done,
        INTERRUPT | QUIT => return Edit::Interrupted,
        BACKSPACE | DELETE => erase(line),
        ERASE_LINE => line.clear(),
        _ if line.len() <= secret::LIMIT => line.push(key),
        _ => {}
    }
    Edit::More
}

/// Takes the last character off, all bytes of it.
fn erase(line: &mut Vec<u8>) {
    while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
}

const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const ERASE_LINE: u8 = 0x15;
const QUIT: u8 = 0x1c;
const DELETE: u8 = 0x7f;

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> io::Result<String> {
        read_line(keys).map(|line| String::from_utf8(line.to_vec()).unwrap())
    }

    #[test]
    fn a_line_ends_with_return_or_the_end_of_input() {
        assert_eq!(typed(b"secret\nmore").unwrap(), "secret");
        assert_eq!(typed(b"secret\r").unwrap(), "secret");
        assert_eq!(typed(b"secret\x04").unwrap(), "secret");
        assert_eq!(typed(b"secret").unwrap(), "secret");
    }

    #[test]
    fn mistakes_can_be_taken_back_character_by_character_or_all_at_once() {
        assert_eq!(typed("sex\u{e4}\x7f\x08cret\n".as_bytes()).unwrap(), "secret");
        assert_eq!(typed(b"wrong\x15secret\n").unwrap(), "secret");
        assert_eq!(typed(b"\x7f\x7fx\n").unwrap(), "x");
    }

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes(" Yes\n"));
        assert!(["", "\n", "n\n", "yess\n", "nyes\n"].iter().all(|no| !is_yes(no)));
    }

    #[test]
    fn only_always_is_always() {
        assert_eq!(
            ["a\n", " Always", "y", "YES\n"].map(consent),
            [Consent::Always, Consent::Always, Consent::Yes, Consent::Yes]
        );
        assert!(["", "\n", "n", "all", "ya"].iter().all(|no| consent(no) == Consent::No));
    }

    #[test]
    fn control_c_interrupts() {
        assert_eq!(typed(b"sec\x03ret\n").unwrap_err().kind(), io::ErrorKind::Interrupted);
    }
}
