//! A registrar on free ports of the loopback, served by a task of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

use sip_digest::Secret;
use sip_net::{LabCertificate, Listener, serve};
use sip_registrar::{Config, Event, Registrar, User};
use sip_registration::Transport;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// A registrar that runs until it is stopped.
pub(crate) struct Lab {
    addresses: Vec<(Transport, SocketAddr)>,
    /// The file with the certificate to trust.
    pub(crate) authority: PathBuf,
    /// What the registrar tells about each message.
    pub(crate) events: mpsc::UnboundedReceiver<Event>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Registrar>,
}

impl Lab {
    /// alice may register, over UDP, TCP and TLS, at `host`.
    pub(crate) async fn start(host: &str, config: Config) -> Self {
        let free: SocketAddr = format!("{host}:0").parse().unwrap();
        let certificate = LabCertificate::issue(&["localhost", host.trim_matches(['[', ']'])]).unwrap();
        let listeners = vec![
            Listener::udp(free).await.unwrap(),
            Listener::tcp(free).await.unwrap(),
            Listener::tls(free, certificate.server_config().unwrap()).await.unwrap(),
        ];
        let addresses = listeners
            .iter()
            .map(|listener| (listener.transport(), listener.address()))
            .collect();
        let users = vec![User::new("alice", Secret::Password("secret".into()))];
        let registrar = Registrar::new(Config { users, ..config }, [7; 32]);
        let (stop, stopped) = oneshot::channel();
        let (log, events) = mpsc::unbounded_channel();
        let served = tokio::spawn(serve(listeners, registrar, move |event| drop(log.send(event)), async move {
            drop(stopped.await)
        }));
        let authority = std::env::temp_dir().join(format!("sip-net-lab-{:016x}.pem", rand::random::<u64>()));
        std::fs::write(&authority, &certificate.authority).unwrap();
        Self {
            addresses,
            authority,
            events,
            stop,
            served,
        }
    }

    /// A Request-URI that leads to it.
    pub(crate) fn uri(&self, transport: Transport) -> String {
        format!("sip:{};transport={}", self.address(transport), transport.name())
    }

    pub(crate) fn address(&self, transport: Transport) -> SocketAddr {
        self.addresses.iter().find(|(of, _)| *of == transport).unwrap().1
    }

    /// Stops it and shows what it knows.
    pub(crate) async fn stop(self) -> Registrar {
        let _ = std::fs::remove_file(&self.authority);
        self.stop.send(()).unwrap();
        self.served.await.unwrap()
    }
}
