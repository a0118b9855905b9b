//! The real program where the network has faults, and what its report calls them. Loss, doubling, delay, another order, resets and
//! changing NAT mappings are made by a proxy in the test's own process (`support::proxy`), by a script that knows no time. What only a
//! kernel does (links, routes, addresses, fragments) is done in network namespaces (`way`), and with the proxy's nearest equivalent
//! besides; where namespaces may not be made, with that alone, which is said.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

mod addresses;
mod datagrams;
mod fragments;
mod half_open;
mod interruption;
mod links;
mod streams;

#[path = "../lab/mod.rs"]
mod lab;
#[path = "../watch/program.rs"]
mod program;
#[path = "../support/mod.rs"]
mod support;
mod way;
mod wires;
