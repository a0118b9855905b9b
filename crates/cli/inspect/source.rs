//! Where the bytes come from: a file or standard input, no more of them than a message may have. Not for what they mean.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use sip_message::MAX_MESSAGE;

use crate::failure::Failure;
use crate::output::text::safe;

/// An open file, or standard input.
pub(super) struct Source {
    name: String,
    bytes: Box<dyn Read>,
}

impl Source {
    /// Opens a file, or standard input for `-` and for nothing.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it cannot be opened, and when nothing was named and a person sits at standard input.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            if io::stdin().is_terminal() {
                return Err(Failure::Usage(HINT.to_owned()));
            }
            return Ok(Self::standard_input());
        };
        if path == Path::new("-") {
            return Ok(Self::standard_input());
        }
        let name = safe(&path.to_string_lossy());
        let refused = |why: String| Failure::Usage(format!("{name}: {why}"));
        let file = File::open(path).map_err(|error| refused(error.to_string()))?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(refused("is a directory; name a file in it".to_owned()));
        }
        Ok(Self {
            name,
            bytes: Box::new(file),
        })
    }

    fn standard_input() -> Self {
        Self {
            name: "standard input".to_owned(),
            bytes: Box::new(io::stdin().lock()),
        }
    }

    /// What people know it by, safe for a terminal.
    pub(super) fn name(&self) -> String {
        self.name.clone()
    }

    /// The bytes of one message: all there are, or one more than a message may have.
    ///
    /// # Errors
    /// [`Failure::Usage`] when they cannot be read, and when they are a capture.
    pub(super) fn message(self) -> Result<Vec<u8>, Failure> {
        let most = u64::try_from(MAX_MESSAGE + 1).expect("64 KiB fit");
        let mut bytes = Vec::new();
        let read = self.bytes.take(most).read_to_end(&mut bytes);
        read.map_err(|error| Failure::Usage(format!("{}: {error}", self.name)))?;
        if CAPTURES.iter().any(|magic| bytes.starts_with(magic)) {
            return Err(Failure::Usage(format!(
                "{}: is a capture and no message; to inspect the messages in it: regprobe inspect --pcap",
                self.name
            )));
        }
        Ok(bytes)
    }

    /// The bytes of a capture, as they come.
    pub(super) fn capture(self) -> Box<dyn Read> {
        self.bytes
    }
}

const HINT: &str = "no file is named and standard input is a terminal; name a file, pipe a message in, or write `-` to type one and \
                    end it with Ctrl-D";

/// How captures begin: pcap with micro- and nanoseconds in both orders, and pcapng.
const CAPTURES: [[u8; 4]; 5] = [
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0x0a, 0x0d, 0x0d, 0x0a],
];
