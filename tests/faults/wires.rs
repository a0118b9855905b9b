//! Three networks with wires between them: the program's, a router, the registrar's. All addresses are those of documentation
//! (RFC 5737), and nothing can leave.
//!
//! ```text
//!   client                          router                          server
//!   192.0.2.10/24 (lan) ── 192.0.2.1 (client) · 198.51.100.1 (server) ── 198.51.100.10/24 (lan)
//! ```

use std::ffi::OsString;
use std::net::SocketAddr;

use crate::support::namespace::Namespace;

/// The networks. They go with it.
pub(crate) struct Wires {
    /// Where the program runs.
    pub(crate) client: Namespace,
    /// What forwards, or does not.
    pub(crate) router: Namespace,
    /// Where the registrar runs.
    pub(crate) server: Namespace,
}

impl Wires {
    /// Lays them.
    ///
    /// # Errors
    /// Why this machine does not let us.
    pub(crate) fn lay() -> Result<Self, String> {
        let router = Namespace::new()?;
        let wires = Self {
            client: router.beside()?,
            server: router.beside()?,
            router,
        };
        wires.router.set("ipv4/ip_forward", 1)?;
        wires.connect(&wires.client, "client", "192.0.2.10/24", "192.0.2.1")?;
        wires.connect(&wires.server, "server", "198.51.100.10/24", "198.51.100.1")?;
        Ok(wires)
    }

    /// Where a registrar listens: nobody else is there.
    pub(crate) fn registrar(&self) -> SocketAddr {
        "198.51.100.10:5060".parse().expect("an address")
    }

    /// Puts another host in the place of the registrar's, which knows nothing of what was before. The way in.
    pub(crate) fn reboot_server(&mut self) -> Vec<OsString> {
        self.router.ip("link del server");
        self.server = self.router.beside().expect("it was let before");
        let connected = self.connect(&self.server, "server", "198.51.100.10/24", "198.51.100.1");
        connected.unwrap_or_else(|error| panic!("{error}"));
        self.server.entry()
    }

    /// The link between router and registrar takes packets of so many bytes and no larger ones.
    pub(crate) fn narrow(&self, mtu: u32) {
        self.router.ip(&format!("link set server mtu {mtu}"));
        self.server.ip(&format!("link set lan mtu {mtu}"));
    }

    fn connect(&self, end: &Namespace, name: &str, address: &str, gateway: &str) -> Result<(), String> {
        let (id, router) = (end.id(), self.router.id());
        end.try_ip(&[
            format!("link add lan type veth peer name {name} netns {router}"),
            format!("address add {address} dev lan"),
            "link set lan up".to_owned(),
        ])
        .map_err(|error| format!("{name} ({id}): {error}"))?;
        self.router
            .try_ip(&[format!("address add {gateway}/24 dev {name}"), format!("link set {name} up")])?;
        end.try_ip(&[format!("route add default via {gateway}")])
    }
}

#[test]
fn the_networks_are_gone_with_their_value_and_after_a_panic() {
    let Ok(wires) = Wires::lay() else {
        // What is not let leaves nothing behind either; the scenarios say that it is not.
        return;
    };
    let holders = |wires: &Wires| [&wires.client, &wires.router, &wires.server].map(Namespace::id);
    let is_there = |id: u32| std::fs::exists(format!("/proc/{id}")).unwrap();
    let first = holders(&wires);
    assert!(first.into_iter().all(is_there));
    drop(wires);
    assert!(!first.into_iter().any(is_there));

    let (sender, receiver) = std::sync::mpsc::channel();
    let failing = std::thread::spawn(move || {
        let wires = Wires::lay().unwrap();
        sender.send(holders(&wires)).unwrap();
        panic!("on purpose, with wires in hand");
    });
    assert!(failing.join().is_err());
    assert!(!receiver.recv().unwrap().into_iter().any(is_there));
}
