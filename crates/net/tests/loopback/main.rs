//! Probes over real sockets on the loopback: against our own registrar, against peers that misbehave, and with names to look up.
//! Not for what the core decides: its own tests show that in virtual time.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod accounts;
mod answering;
mod crowd;
mod driving;
mod fleet;
mod hostile;
mod lab;
mod name_server;
mod naming;
mod probing;
mod responding;
mod serving;
