//! Ladder tests: a scripted peer and a [`sip_registration::Registrant`] in virtual time. Each test draws the sequence diagram of its
//! scenario as text and holds it against the stored one in `stored/`, so that a reviewer reads the protocol and not the code.
//! `REWRITE_LADDERS=1` writes the stored ladders anew. No socket, no clock: the only instant taken is the origin.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod asked;
mod bindings;
mod challenges;
mod connections;
mod contract;
mod crowds;
mod failover;
mod findings;
mod intervals;
mod invariants;
mod orders;
mod peer;
mod picture;
mod pulse;
mod redirects;
mod removals;
mod requests;
mod rows;
mod server_proof;
mod setup;
mod tapped;
mod transactions;
mod trust;
mod waiting;
mod world;
