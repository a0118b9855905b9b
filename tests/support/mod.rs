//! Real programs for the tests: each type here starts one on free loopback ports, waits until it answers, and ends it when
//! dropped. A test that fails shows their logs and keeps their directories. Not for peers of our own making: those are in
//! `sip-registrar` and `sip-sim`.
//!
//! ```text
//! let kamailio = Kamailio::start(Setup { algorithm: Algorithm::Sha256, ..Setup::default() });
//! let dns = Dnsmasq::start(Zone::default().host("pbx.example.test", kamailio.udp().ip()));
//! let sipp = Sipp::start(&Scenario::silence());
//! let report = Run::probe("alice@example.test").with(&["--dns", &dns.address().to_string()]).report().registered();
//! ```
//!
//! Two of them make a pair: `KamailioClient` registers at `Kamailio`, as a provider does at its customer's registrar.
//!
//! A peer must be dropped by the thread that started it: the kernel ends it together with that thread (`process`).

#![allow(dead_code, reason = "each test program compiles this module and uses its own part of it")]

pub(crate) mod api;
pub(crate) mod certificates;
pub(crate) mod dnsmasq;
pub(crate) mod hostile;
pub(crate) mod http;
pub(crate) mod jsonrpc;
pub(crate) mod kamailio;
pub(crate) mod kamailio_uac;
pub(crate) mod location;
pub(crate) mod name_server;
pub(crate) mod namespace;
pub(crate) mod port;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod run;
pub(crate) mod scenario;
pub(crate) mod scratch;
pub(crate) mod secrets;
pub(crate) mod sip_client;
pub(crate) mod sipp;
pub(crate) mod wait;
