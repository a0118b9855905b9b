//! The real program against real peers, all started by the tests themselves on free loopback ports: Kamailio, dnsmasq, SIPp, and
//! for `regprobe registrar` the phones sipsak and baresip. Each test holds the JSON report and the exit status to what must be there.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

mod accounts;
mod asked;
mod bindings;
mod certificates;
mod faults;
mod intervals;
mod naming;
mod network;
mod phones;
mod timing;

#[path = "../lab/mod.rs"]
mod lab;
#[path = "../support/mod.rs"]
mod support;

use std::net::SocketAddr;

/// `alice` at an address.
fn alice(address: SocketAddr) -> String {
    format!("sip:alice@{address}")
}
