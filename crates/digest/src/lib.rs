//! Digest access authentication for SIP (RFC 7616, RFC 8760; RFC 2617 and RFC 2069 peers too), client and server side, as pure functions.
//!
//! No clock, no I/O, no randomness: the client nonce and its count are arguments, so the same state always gives the same bytes.
//!
//! ```
//! use sip_digest::{Answer, Offers, Request, Secret};
//! use sip_message::{ChallengeSource, Message, Writer};
//! let reply = Message::parse(b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\r\n")?;
//! let offers = Offers::read(reply.headers());
//! let challenge = offers.strongest(ChallengeSource::Www).expect("one challenge that is supported");
//! let answer = Answer { nonce_count: 1, cnonce: "5ec4e7" };
//! let request = Request { method: b"REGISTER", uri: b"sip:r", body: b"" };
//! let secret = Secret::Password("secret".to_owned().into());
//! let (mut out, mut written) = (Vec::new(), Ok(()));
//! Writer::request(&mut out, b"REGISTER", b"sip:r")
//!     .header("Authorization", |value| written = challenge.write_answer(value, &answer, &request, "alice", &secret))
//!     .finish(b"");
//! written?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod algorithm;
mod answer;
mod calculation;
mod challenge;
mod hash;
mod info;
mod offers;
mod secret;
pub mod server;
mod username;

pub use algorithm::{Algorithm, Qop};
pub use answer::{Answer, AnswerError, Request};
pub use challenge::{Challenge, ChallengeError};
pub use info::{InfoError, NextNonce};
pub use offers::Offers;
pub use secret::{Ha1, Secret, SecretError};
