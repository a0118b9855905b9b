//! A small sans-IO SIP registrar (UAS, RFC 3261 §10.3) for demos, labs and tests. No socket, no clock, no thread.
//!
//! ```
//! use sip_digest::Secret;
//! use sip_registrar::{Config, Peer, Registrar, User};
//! let config = Config { users: vec![User::new("alice", Secret::Password("secret".into()))], ..Config::default() };
//! let mut registrar = Registrar::new(config, [7; 32]);
//! let peer = Peer { flow: 1, source: ([127, 0, 0, 1], 5070).into(), reliable: false };
//! registrar.handle_message(std::time::Instant::now(), peer, b"REGISTER sip:example.test SIP/2.0\r\n\
//!     Via: SIP/2.0/UDP 127.0.0.1:5070;rport;branch=z9hG4bK1\r\nFrom: <sip:alice@example.test>;tag=1\r\nTo: <sip:alice@example.test>\r\n\
//!     Call-ID: 1\r\nCSeq: 1 REGISTER\r\nContact: <sip:alice@127.0.0.1:5070>\r\n\r\n");
//! let mut reply = Vec::new();
//! assert!(registrar.poll_reply(&mut reply).is_some());
//! assert!(reply.starts_with(b"SIP/2.0 401 Unauthorized\r\n"));
//! ```

mod aor;
mod authentication;
mod challenging;
mod config;
mod date;
mod draft;
mod event;
mod fault;
mod fault_text;
mod faulty;
mod incoming;
mod location;
mod nonces;
mod peer;
mod register;
mod registrar;
mod responder;
mod script;
mod template;
#[cfg(test)]
mod testing;
mod transactions;

pub use config::{Config, Limits, User, WallClock};
pub use event::{Counters, Event};
pub use fault::{
    Alteration, Arrival, Challenges, Confirmation, CredentialsFault, Delivery, Fault, FaultKind, Instead, Interval, Loss, When,
};
pub use fault_text::FaultError;
pub use location::BindingView;
pub use peer::{AfterReply, Peer, Reply};
pub use registrar::Registrar;
pub use responder::Responder;
