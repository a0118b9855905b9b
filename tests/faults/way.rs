//! The way between the program and `regprobe registrar`, which a test breaks and mends while both run. A scenario is played over two of
//! them: three network namespaces with wires between (`wires`), and the proxy in the test's own process, which does what comes nearest.
//! Where namespaces may not be made, that alone is left, and standard error says so.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;

use crate::program::{Registrar, Watch};
use crate::support::proxy::datagrams::{Cut, Datagrams};
use crate::support::proxy::streams::Streams;
use crate::support::proxy::{datagrams, streams};
use crate::support::run::Run;
use crate::wires::Wires;

/// A way, with the registrar at its end.
pub(crate) struct Way {
    // First: what runs in a network ends before it.
    pub(crate) registrar: Registrar,
    transport: &'static str,
    pub(crate) means: Means,
}

/// What it is made of.
pub(crate) enum Means {
    /// Networks of their own.
    Wires(Box<Wires>),
    /// A proxy for UDP.
    Datagrams(Datagrams),
    /// A proxy for TCP.
    Streams(Streams),
}

/// How it is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The program's own link is down. The proxy: nobody is at its port.
    OwnLink,
    /// The program's host has no default route any more. The proxy: nobody is at its port.
    NoRoute,
    /// A router says that there is no way to the registrar. The proxy: nobody is at its port.
    Rejected,
    /// What goes to the registrar is lost without a word.
    RequestsLost,
    /// What comes from it is lost without a word.
    RepliesLost,
    /// Both.
    Silence,
    /// What goes to the registrar in fragments is lost: its host does not put any together.
    RequestFragmentsLost,
    /// What comes from it in fragments is lost: the program's host does not put any together.
    ReplyFragmentsLost,
}

impl Way {
    /// Plays a scenario over each way, to a registrar with user `alice` and these options.
    pub(crate) fn each(transport: &'static str, options: &[&str], mut scenario: impl FnMut(&mut Self)) {
        match Wires::lay() {
            Ok(wires) => scenario(&mut Self::wired(wires, transport, options)),
            Err(why) => say(&format!(
                "namespaces may not be made here ({why}): only the proxy's nearest equivalent is tested"
            )),
        }
        scenario(&mut Self::relayed(transport, options));
    }

    fn wired(wires: Wires, transport: &'static str, options: &[&str]) -> Self {
        Self {
            registrar: Registrar::start_at(&wires.server.entry(), wires.registrar(), &ALICE, options),
            transport,
            means: Means::Wires(Box::new(wires)),
        }
    }

    fn relayed(transport: &'static str, options: &[&str]) -> Self {
        let registrar = Registrar::start(&ALICE, options);
        let means = if transport == "udp" {
            Means::Datagrams(Datagrams::start(registrar.address(), |_| datagrams::Fate::Pass))
        } else {
            Means::Streams(Streams::start(registrar.address(), |_| streams::Fate::Pass))
        };
        Self {
            registrar,
            transport,
            means,
        }
    }

    /// Where the program finds the registrar.
    pub(crate) fn address(&self) -> SocketAddr {
        match &self.means {
            Means::Wires(wires) => wires.registrar(),
            Means::Datagrams(proxy) => proxy.address(),
            Means::Streams(proxy) => proxy.address(),
        }
    }

    /// Whether it is made of wires.
    pub(crate) const fn is_wired(&self) -> bool {
        matches!(self.means, Means::Wires(_))
    }

    /// A probe of `alice`.
    pub(crate) fn probe(&self, words: &[&str]) -> Run {
        self.probe_as(&self.address().to_string(), words)
    }

    /// The same, where the registrar is called by this URI.
    pub(crate) fn probe_as(&self, registrar: &str, words: &[&str]) -> Run {
        Run::probe("alice@example.test")
            .with(&["--registrar", registrar, "--transport", self.transport, "--trace"])
            .with(words)
            .by(&self.entry())
    }

    /// A watch of `alice`, as `list.toml`.
    pub(crate) fn watch(&self, words: &[&str]) -> Watch {
        let list = format!(
            "[[account]]\naor = \"sip:alice@example.test\"\nregistrar = \"sip:{}\"\ntransport = \"{}\"\npassword = \"secret\"\n",
            self.address(),
            self.transport
        );
        Watch::by(&self.entry(), "list.toml", &list, words)
    }

    /// Breaks it.
    pub(crate) fn break_by(&mut self, fault: Fault) {
        match &mut self.means {
            Means::Wires(wires) => wires.break_by(fault),
            Means::Datagrams(proxy) => match fault {
                Fault::OwnLink | Fault::NoRoute | Fault::Rejected => proxy.shut(),
                Fault::RequestsLost => proxy.cut(Cut::Requests),
                Fault::RepliesLost => proxy.cut(Cut::Replies),
                Fault::Silence => proxy.cut(Cut::Everything),
                Fault::RequestFragmentsLost => proxy.cut(Cut::LargeRequests),
                Fault::ReplyFragmentsLost => proxy.cut(Cut::LargeReplies),
            },
            // What has vanished is gone for good; new connections are taken on all the same.
            Means::Streams(proxy) => proxy.vanish(),
        }
    }

    /// Mends it.
    pub(crate) fn mend(&mut self, fault: Fault) {
        match &mut self.means {
            Means::Wires(wires) => wires.mend(fault),
            Means::Datagrams(proxy) => match fault {
                Fault::OwnLink | Fault::NoRoute | Fault::Rejected => proxy.open(),
                Fault::RequestsLost | Fault::RepliesLost | Fault::Silence | Fault::RequestFragmentsLost | Fault::ReplyFragmentsLost => {
                    proxy.cut(Cut::Nothing)
                }
            },
            Means::Streams(_) => {}
        }
    }

    /// The registrar's host loses its power and is there again at once. It knows nothing of its connections any more, and nobody was told.
    pub(crate) fn reboot(&mut self, options: &[&str]) {
        match &mut self.means {
            Means::Wires(wires) => {
                wires.break_by(Fault::Silence);
                let (entry, address) = (wires.reboot_server(), wires.registrar());
                self.registrar = Registrar::start_at(&entry, address, &ALICE, options);
                wires.mend(Fault::Silence);
            }
            // The registrar behind it forgets nothing: what comes on a connection from before is reset all the same.
            Means::Streams(proxy) => proxy.forget(),
            Means::Datagrams(_) => unreachable!("UDP has no connections"),
        }
    }

    fn entry(&self) -> Vec<OsString> {
        match &self.means {
            Means::Wires(wires) => wires.client.entry(),
            Means::Datagrams(_) | Means::Streams(_) => Vec::new(),
        }
    }
}

impl Wires {
    fn break_by(&self, fault: Fault) {
        match fault {
            Fault::OwnLink => self.client.ip("link set lan down"),
            Fault::NoRoute => self.client.ip("route del default"),
            Fault::Rejected => self.router.ip("route add unreachable 198.51.100.10"),
            Fault::RequestsLost => self.router.ip("route add blackhole 198.51.100.10"),
            Fault::RepliesLost => self.router.ip("route add blackhole 192.0.2.10"),
            Fault::Silence => {
                self.break_by(Fault::RequestsLost);
                self.break_by(Fault::RepliesLost);
            }
            Fault::RequestFragmentsLost => self.server.keep_fragments(0),
            Fault::ReplyFragmentsLost => self.client.keep_fragments(0),
        }
    }

    fn mend(&self, fault: Fault) {
        match fault {
            Fault::OwnLink => {
                self.client.ip("link set lan up");
                self.mend(Fault::NoRoute);
            }
            Fault::NoRoute => self.client.ip("route add default via 192.0.2.1"),
            Fault::Rejected => self.router.ip("route del unreachable 198.51.100.10"),
            Fault::RequestsLost => self.router.ip("route del blackhole 198.51.100.10"),
            Fault::RepliesLost => self.router.ip("route del blackhole 192.0.2.10"),
            Fault::Silence => {
                self.mend(Fault::RequestsLost);
                self.mend(Fault::RepliesLost);
            }
            Fault::RequestFragmentsLost => self.server.keep_fragments(ROOM_FOR_FRAGMENTS),
            Fault::ReplyFragmentsLost => self.client.keep_fragments(ROOM_FOR_FRAGMENTS),
        }
    }
}

/// Past the test harness, which keeps what tests print to itself.
fn say(what: &str) {
    // Standard error may be closed.
    let _ = writeln!(std::io::stderr(), "faults: {what}");
}

/// Linux' own, in bytes.
const ROOM_FOR_FRAGMENTS: u64 = 4 << 20;

const ALICE: [(&str, &str); 1] = [("alice", "secret")];
