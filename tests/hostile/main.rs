//! Hostile peers against the real program: whatever a scripted peer on the loopback interface sends, the program ends in a typed
//! cause within its timeout, with bounded memory and clean output, and gives no secret away. `program` holds every run to the
//! limits, the other modules are one kind of attack each.

mod asked;
mod bindings;
mod certificates;
mod challenges;
mod credentials;
mod files;
mod floods;
mod framing;
mod handshake;
#[path = "../lab/mod.rs"]
mod lab;
mod naming;
mod output;
mod pins;
mod portals;
mod program;
mod redirects;
mod spoofing;
#[path = "../support/mod.rs"]
mod support;

use std::thread;

use support::hostile::Request;

/// A challenge like any other.
const CHALLENGE: &str = "Digest realm=\"example.test\", nonce=\"5f1c\", qop=\"auth\", algorithm=SHA-256";

/// The Contact that a request wants bound, as a header line; nothing for a removal or a look.
fn contact_of(request: &Request) -> String {
    if request.removes() || !request.has("Contact") {
        String::new()
    } else {
        format!("Contact: {}\r\n", request.header("Contact"))
    }
}

/// Checks several cases beside each other: most of them wait for a timeout.
fn at_once<T: Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| check(case));
        }
    });
}
