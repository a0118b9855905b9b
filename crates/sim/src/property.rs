//! What holds for all bytes: functions that panic when it does not. The fuzz targets in `fuzz/` are one line each and call these;
//! `tests/corpus.rs` replays every seed and every finding on stable.

mod challenge;
mod digest_check;
mod dns;
mod draw;
mod escape;
mod framer;
mod headers;
mod locate;
mod message;
mod policy;
mod question;
mod registrant;
mod registrar;
mod reply;
mod request;
mod uri;
mod watch;

pub use challenge::challenge;
pub use digest_check::digest_check;
pub use escape::escape;
pub use framer::framer;
pub use headers::headers;
pub use locate::locate;
pub use message::message;
pub use registrant::registrant;
pub use registrar::registrar;
pub use request::request;
pub use uri::uri;

/// A property: it panics when the bytes show that it does not hold.
pub type Property = fn(&[u8]);

/// Every property under the name of its fuzz target and of its folder in `fuzz/corpus`.
pub const ALL: [(&str, Property); 11] = [
    ("message", message),
    ("headers", headers),
    ("uri", uri),
    ("framer", framer),
    ("challenge", challenge),
    ("request", request),
    ("digest_check", digest_check),
    ("locate", locate),
    ("escape", escape),
    ("registrar", registrar),
    ("registrant", registrant),
];
