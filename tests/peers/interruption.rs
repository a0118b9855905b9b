//! Ctrl-C in the middle of an exchange: the program ends soon, with status 130, and leaves nothing bound.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::alice;
use crate::support::kamailio::{Kamailio, Setup};
use crate::support::port::{self, LOOPBACK};
use crate::support::run::Run;

#[test]
fn nobody_has_to_wait_for_silence() {
    let (silence, address) = port::black_hole();
    silence.set_read_timeout(Some(PATIENCE)).unwrap();
    let running = Run::probe(&alice(address)).with(&["--timeout", "60s"]).start();
    silence.recv(&mut [0; 2048]).unwrap();
    running.interrupt();
    let report = running.report();
    assert_eq!(report.status, 130, "{report}");
    assert!(report.text("/detail").starts_with("interrupted"), "{report}");
    report.holds(&[("/registered", false.into()), ("/network/targets/0/outcome", "interrupted".into())]);
}

/// A proxy that holds the first 200 back until it is told to go on; everything else passes. It ends with the registrar.
struct Relay {
    client_side: UdpSocket,
    server_side: UdpSocket,
    held: mpsc::Sender<()>,
    go_on: mpsc::Receiver<()>,
}

impl Relay {
    fn run(self) -> io::Result<()> {
        let mut holds = true;
        let mut bytes = [0; 65_535];
        loop {
            // Kamailio gives one reply to each request, to retransmissions as well.
            let (length, client) = self.client_side.recv_from(&mut bytes)?;
            self.server_side.send(&bytes[..length])?;
            let length = self.server_side.recv(&mut bytes)?;
            if holds && bytes.starts_with(b"SIP/2.0 200") {
                holds = false;
                self.held.send(()).unwrap();
                self.go_on.recv_timeout(PATIENCE).unwrap();
            }
            self.client_side.send_to(&bytes[..length], client)?;
        }
    }
}

/// A free UDP port that nobody waits at for ever, connected when a peer is given.
fn socket(peer: Option<SocketAddr>) -> UdpSocket {
    let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    if let Some(peer) = peer {
        socket.connect(peer).unwrap();
    }
    socket
}

#[test]
fn what_was_bound_in_the_meantime_is_removed() {
    let kamailio = Kamailio::start(Setup::default());
    let registrar = kamailio.udp();
    let (held, is_held) = mpsc::channel();
    let (may_go_on, go_on) = mpsc::channel();
    let relay = Relay {
        client_side: socket(None),
        server_side: socket(Some(registrar)),
        held,
        go_on,
    };
    let proxy = relay.client_side.local_addr().unwrap().to_string();
    thread::spawn(move || relay.run());

    let running = Run::probe("alice@example.test")
        .with(&["--proxy", &proxy, "--timeout", "60s"])
        .start();
    is_held.recv_timeout(PATIENCE).unwrap();
    let bound = Run::new(&["bindings", &alice(registrar)]).report().done();
    assert_eq!(
        bound.contacts().len(),
        1,
        "the registrar has bound us and its word is on the way: {bound}"
    );
    running.interrupt();
    may_go_on.send(()).unwrap();
    let report = running.report();
    assert_eq!(report.status, 130, "{report}");
    assert_eq!(
        Run::new(&["bindings", &alice(registrar)]).report().done().contacts(),
        [""; 0],
        "{report}"
    );
}

const PATIENCE: Duration = Duration::from_secs(10);
