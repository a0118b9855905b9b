//! The bytes of a list: a file or standard input. Bounded, whatever it holds.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Flaw, LONGEST_ROW};
use crate::secret;

/// Where a list comes from.
pub(super) struct Source {
    bytes: BufReader<Box<dyn Read + Send>>,
    open_to_all: bool,
    /// Its length in bytes, where the system knows it.
    length: u64,
}

impl Source {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        if path == Path::new("-") {
            secret::claim_standard_input("the list of accounts").map_err(|flaw| flaw.to_string())?;
            return Ok(Self::new(Box::new(io::stdin())));
        }
        let file = File::open(path).map_err(|error| error.to_string())?;
        let metadata = file.metadata().map_err(|error| error.to_string())?;
        if metadata.is_dir() {
            return Err("is a directory; name the list in it".to_owned());
        }
        let open_to_all = metadata.is_file() && metadata.permissions().mode() & 0o004 != 0;
        Ok(Self {
            open_to_all,
            length: metadata.len(),
            ..Self::new(Box::new(file))
        })
    }

    fn new(bytes: Box<dyn Read + Send>) -> Self {
        Self {
            bytes: BufReader::with_capacity(BUFFER, bytes),
            open_to_all: false,
            length: 0,
        }
    }

    /// These bytes, which nobody else can read.
    pub(super) fn of(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Box::new(io::Cursor::new(bytes.into())))
    }

    /// Whether everybody on this machine can read it.
    pub(super) const fn is_open_to_all(&self) -> bool {
        self.open_to_all
    }

    /// The next line into `line`, whose old content goes, with its line end. False at the end.
    ///
    /// # Errors
    /// [`LineError::TooLong`] when it is longer than a row may be; the rest of it was passed over.
    pub(super) fn line(&mut self, line: &mut Vec<u8>) -> Result<bool, LineError> {
        line.clear();
        let most = LONGEST_ROW as u64 + 1;
        let read = self.bytes.by_ref().take(most).read_until(b'\n', line)?;
        if read > LONGEST_ROW {
            self.skip_line(line)?;
            return Err(LineError::TooLong);
        }
        Ok(read > 0)
    }

    /// Passes over what is left of a line, by way of this buffer.
    fn skip_line(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let is_over = buffer.ends_with(b"\n");
            buffer.clear();
            if is_over || self.bytes.by_ref().take(BUFFER as u64).read_until(b'\n', buffer)? == 0 {
                return Ok(());
            }
        }
    }

    /// All of it as text.
    ///
    /// # Errors
    /// The place from which on it is no text, or why it cannot be read.
    pub(super) fn whole(self) -> Result<String, Flaw> {
        let mut bytes = Vec::new();
        if self.length <= LARGEST_WHOLE {
            let read = self.bytes.take(LARGEST_WHOLE + 1).read_to_end(&mut bytes);
            read.map_err(|error| Flaw::at(1, 1, format!("cannot be read: {error}")))?;
        }
        if self.length.max(bytes.len() as u64) > LARGEST_WHOLE {
            return Err(Flaw::at(
                1,
                1,
                "TOML of more than 64 MiB; write a list of that length as CSV or JSON lines",
            ));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = valid.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
            Flaw::at(line, 1, "is not UTF-8 text from here on; save it as UTF-8")
        })?;
        Ok(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))
    }

    /// The bytes as they come.
    pub(super) const fn bytes(&mut self) -> &mut impl BufRead {
        &mut self.bytes
    }
}

/// Why a line was not read.
#[derive(Debug)]
pub(super) enum LineError {
    /// It is longer than a row may be.
    TooLong,
    /// The system's words.
    Io(io::Error),
}

impl From<io::Error> for LineError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// How much is read at once, in bytes.
const BUFFER: usize = 64 * 1024;
/// The longest list that is read whole, in bytes.
const LARGEST_WHOLE: u64 = 64 * 1024 * 1024;
