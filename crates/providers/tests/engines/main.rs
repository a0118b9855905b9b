//! The clients of OpenSIPS, Kamailio, FreeSWITCH and Asterisk against servers that say what real ones say, and what none should.

#[path = "../support/mod.rs"]
mod support;

mod asterisk;
mod freeswitch;
mod kamailio;
mod line_server;
mod opensips;
