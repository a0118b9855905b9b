//! SIP grammar for a registering user agent: parse, frame and print messages (RFC 3261 §25). No time, no I/O, no randomness.
//!
//! Reading is zero-copy and never needs UTF-8. A message is indexed once ([`Message::parse`]); every header keeps its raw
//! bytes, and a typed view is parsed only when it is asked for, so that one bad header never hides a usable 200.
//!
//! ```
//! use sip_message::{Message, StatusClass};
//! let Message::Response(reply) = Message::parse(b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n")? else {
//!     panic!("a status line makes a response")
//! };
//! assert_eq!(reply.status.class(), StatusClass::ClientError);
//! let challenge = reply.headers.challenges().next().expect("one challenge").challenge?;
//! assert_eq!(challenge.param(b"realm"), Some(&b"r"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod anomalies;
mod auth;
mod escape;
mod framer;
mod headers;
mod host;
mod lexer;
mod message;
mod method;
mod name;
mod params;
mod reply;
mod status;
mod uri;
mod value;
mod via;
mod views;
mod writer;

pub use address::{AddressError, Contact, NameAddr};
pub use anomalies::{Anomaly, Found, Inspection, Kind, Weight, inspect};
pub use auth::{AuthError, AuthParams, AuthenticationInfo, Challenge, ChallengeField, ChallengeSource, Credentials};
pub use escape::printable;
pub use framer::{Frame, FrameError, Framer};
pub use headers::{Field, Headers};
pub use host::Host;
pub use lexer::{list, unfold, unquote};
pub use message::{Message, ParseError, Request, Response};
pub use method::Method;
pub use name::Name;
pub use params::{Param, Params};
pub use reply::Echo;
pub use status::{Status, StatusClass};
pub use uri::{OwnedUri, SipUri, Uri, UriError};
pub use value::{CSeq, Reason, RetryAfter, ValueError, Warning};
pub use via::{Via, ViaError};
pub use writer::{Value, Writer};

/// The longest message that is read, in bytes, head and body together.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// The longest head (start line and header block, with the empty line) that is read, in bytes.
pub const MAX_HEAD: usize = 32 * 1024;
/// The most header fields that a message may have.
pub const MAX_HEADERS: usize = 256;
