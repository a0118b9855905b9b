//! `regprobe demo`: a registrar of its own on free loopback ports, and the command lines that people would write against it. Each
//! goes the road of a real one, from the argument parser to the printed report; only the process around it is shared.

use std::path::PathBuf;

use clap::Parser as _;
use secrecy::SecretString;
use sip_digest::Secret;
use sip_net::{LabCertificate, Listener, ListenerError};
use sip_registrar::{Config, Registrar, User};
use sip_registration::{Cause, Report};
use tokio::sync::oneshot;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::style::Tone;
use crate::plan::Plan;
use crate::secret::Surroundings;
use crate::{exit, output, run, style};

/// One line of the demo.
struct Scene {
    /// What it shows.
    title: &'static str,
    /// The options behind `regprobe probe sip:alice@HOST:PORT`.
    options: &'static [&'static str],
    /// Against which registrar.
    peer: Peer,
    /// The password.
    password: &'static str,
    /// How it has to end.
    cause: Option<Cause>,
}

#[derive(Debug, Clone, Copy)]
enum Peer {
    Udp,
    Tcp,
    Tls,
    Silent,
}

/// What is known to everybody who reads this file: the demo's registrar listens on loopback, for seconds.
const PASSWORD: &str = "secret";

const SCENES: [Scene; 5] = [
    Scene {
        title: "The right password, over UDP",
        options: &[],
        peer: Peer::Udp,
        password: PASSWORD,
        cause: None,
    },
    Scene {
        title: "The same over TCP",
        options: &["--transport", "tcp"],
        peer: Peer::Tcp,
        password: PASSWORD,
        cause: None,
    },
    Scene {
        title: "The same over TLS",
        options: &["--transport", "tls"],
        peer: Peer::Tls,
        password: PASSWORD,
        cause: None,
    },
    Scene {
        title: "A wrong password",
        options: &[],
        peer: Peer::Udp,
        password: "wrong",
        cause: Some(Cause::WrongCredentials),
    },
    Scene {
        title: "Nobody answers",
        options: &["--timeout", "2s"],
        peer: Peer::Silent,
        password: PASSWORD,
        cause: Some(Cause::NoReply),
    },
];

/// Runs every scene, prints its report, and succeeds if all ended as they should.
///
/// # Errors
/// [`Failure`] when loopback cannot be used.
pub(crate) fn run() -> Result<u8, Failure> {
    run::runtime()?.block_on(async {
        let stage = Stage::build().await?;
        let silence = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
        let silent_address = silence.local_addr()?.to_string();
        let addresses = stage.addresses(silent_address);
        let (over, end) = oneshot::channel::<()>();
        let registrar = sip_net::serve(stage.listeners, stage.registrar, drop, async { drop(end.await) });
        let scenes = async {
            let done = play(&addresses, &stage.authority).await;
            drop(over);
            done
        };
        let (_registrar, done) = tokio::join!(registrar, scenes);
        done
    })
}

/// The registrar and where it listens.
struct Stage {
    listeners: Vec<Listener>,
    registrar: Registrar,
    authority: Authority,
}

impl Stage {
    async fn build() -> Result<Self, Failure> {
        let unusable = |error: ListenerError| Failure::Internal(std::io::Error::other(error));
        let certificate = LabCertificate::issue(&["127.0.0.1"]).map_err(unusable)?;
        let any = ([127, 0, 0, 1], 0).into();
        let listeners = vec![
            Listener::udp(any).await.map_err(unusable)?,
            Listener::tcp(any).await.map_err(unusable)?,
            Listener::tls(any, certificate.server_config().map_err(unusable)?)
                .await
                .map_err(unusable)?,
        ];
        let users = vec![User::new("alice", Secret::Password(SecretString::from(PASSWORD)))];
        let config = Config {
            realm: "demo.regprobe".to_owned(),
            users,
            ..Config::default()
        };
        let registrar = Registrar::new(config, rand::random());
        Ok(Self {
            listeners,
            registrar,
            authority: Authority::save(&certificate.authority)?,
        })
    }

    /// In the order of [`Peer`].
    fn addresses(&self, silent: String) -> Vec<String> {
        self.listeners
            .iter()
            .map(|listener| listener.address().to_string())
            .chain([silent])
            .collect()
    }
}

/// The authority's certificate in a file, as `--ca-file` wants it; the file goes with this value.
struct Authority(PathBuf);

impl Authority {
    fn save(pem: &str) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("regprobe-demo-{:016x}.pem", rand::random::<u64>()));
        let mut file = std::fs::File::create_new(&path)?;
        std::io::Write::write_all(&mut file, pem.as_bytes())?;
        Ok(Self(path))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        // A small file with a public certificate in the directory for temporary files: not worth a word if it stays.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn play(addresses: &[String], authority: &Authority) -> Result<u8, Failure> {
    let mut as_expected = 0;
    for scene in &SCENES {
        let (line, plan) = scene.plan(addresses, authority)?;
        show(&format!(
            "{}\n$ {line}\n\n",
            style().paint(Tone::Strong, &format!("--- {}", scene.title))
        ))?;
        let probed = run::report(plan).await?;
        show(&(output::human::render(&probed.report, probed.interrupted, style()) + "\n"))?;
        if probed.interrupted {
            return Ok(exit::INTERRUPTED);
        }
        as_expected += usize::from(scene.ended_well(&probed.report));
    }
    show(&format!("{as_expected} of {} probes ended as expected.\n", SCENES.len()))?;
    Ok(if as_expected == SCENES.len() {
        exit::SUCCESS
    } else {
        exit::INTERNAL
    })
}

fn show(text: &str) -> Result<(), Failure> {
    Ok(output::print(text.as_bytes())?)
}

impl Scene {
    /// The command line, and what the program makes of it.
    fn plan(&self, addresses: &[String], authority: &Authority) -> Result<(String, Plan), Failure> {
        let address = addresses.get(self.peer as usize).expect("each peer has its address");
        let mut words = vec!["regprobe".to_owned(), "probe".to_owned(), format!("sip:alice@{address}")];
        words.extend(self.options.iter().map(ToString::to_string));
        if matches!(self.peer, Peer::Tls) {
            words.extend(["--ca-file".to_owned(), authority.0.display().to_string()]);
        }
        let line = format!("REGPROBE_PASSWORD={} {}", self.password, words.join(" "));
        let Command::Probe(args) = Cli::try_parse_from(words)?.command else {
            return Err(Failure::Usage("the demo only probes".to_owned()));
        };
        let mut plan = Plan::probe(
            &args,
            Surroundings {
                variable: false,
                terminal: false,
            },
        )?;
        plan.account.secret = Some(Secret::Password(SecretString::from(self.password)));
        Ok((line, plan))
    }

    fn ended_well(&self, report: &Report) -> bool {
        report.cause == self.cause && report.registered == self.cause.is_none()
    }
}
