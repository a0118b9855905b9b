//! Tokio flows over UDP, TCP and TLS, DNS execution, and the one-call [`probe()`].
//!
//! Everything that touches the world is here, and nothing that decides: SIP is `sip-registration`'s, or on the other side
//! `sip-registrar`'s. A [`Driver`] runs many registrations, a [`fleet`] still more of them on several threads, [`probe()`] one exchange of one account,
//! [`serve`] a registrar.
//!
//! All of it but a fleet runs on tokio's current-thread runtime without a second thread. The system's root certificates are read by the first
//! TLS handshake, a resolver is opened by the first question, and neither otherwise.
//!
//! ```
//! use sip_net::{Listener, Options, probe, serve};
//! use sip_registrar::{Config, Registrar, User};
//! use sip_registration::{Account, ContactPlan};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A registrar of our own on a free port of the loopback.
//! let users = vec![User::new("alice", sip_digest::Secret::Password("secret".into()))];
//! let registrar = Registrar::new(Config { users, ..Config::default() }, rand::random());
//! let listener = Listener::udp("127.0.0.1:0".parse()?).await?;
//! let uri = format!("sip:{}", listener.address());
//! tokio::spawn(serve(vec![listener], registrar, drop, std::future::pending()));
//!
//! let account = Account {
//!     aor: "sip:alice@example.test".parse()?,
//!     registrar: uri.parse()?,
//!     outbound_proxy: None,
//!     transport: None,
//!     target: None,
//!     auth_user: None,
//!     secret: Some(sip_digest::Secret::Password("secret".into())),
//!     challenges: None,
//!     contact: ContactPlan::Automatic { user: "alice".into() },
//!     advertise: None,
//!     instance: None,
//!     reg_id: None,
//!     expires: 300,
//!     user_agent: "example".into(),
//! };
//! let report = probe(account, &Options::default()).await;
//! assert!(report.registered);
//! assert_eq!(report.state.name(), "REGISTERED_STATE");
//! # Ok(())
//! # }
//! ```

#![allow(
    clippy::result_large_err,
    reason = "a flow fails once; the facts of a TLS handshake are worth their bytes"
)]

mod certificate;
mod descriptors;
mod dns;
mod driver;
mod every_target;
pub mod fleet;
mod flow;
mod https;
mod hub;
mod inbound;
mod lab;
mod line;
mod lines;
mod listener;
mod outbound;
mod probe;
mod responding;
mod stream;
mod tap;
mod tcp;
mod tls;
mod udp;
mod verifier;
mod watches;
mod world;

pub use descriptors::allow_descriptors;
pub use driver::{Driver, Network};
pub use https::{https_config, https_failure};
pub use lab::{LIFE, LabCertificate};
pub use listener::{Listener, ListenerError, serve, server_config, server_config_from_files};
pub use probe::{Options, Probed, REMOVAL_AT_MOST, probe, probe_until};
pub use responding::Responding;
pub use tap::{Captured, Outlet, Tap, tap};
pub use tls::{TlsOptions, TlsOptionsError};
