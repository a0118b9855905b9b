//! `regprobe demo`: a registrar of its own on free loopback ports, and the command lines that people would write against it. Each
//! goes the road of a real one, from the argument parser to the printed report; only the process around it is shared.

use std::path::PathBuf;

use clap::Parser as _;
use secrecy::SecretString;
use sip_digest::Secret;
use sip_net::{LabCertificate, Listener, ListenerError};
use sip_registrar::{Config, Fault, Registrar, User};
use sip_registration::{Cause, Report, Transport};
use tokio::sync::oneshot;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::style::Tone;
use crate::plan::Plan;
use crate::secret::Surroundings;
use crate::{exit, output, run, style};

/// One line of the demo.
struct Scene {
    act: &'static Act,
    transport: Transport,
}

/// What is shown over each transport.
struct Act {
    /// What it shows.
    title: &'static str,
    /// The password.
    password: &'static str,
    /// Whether the registrar says anything.
    answers: bool,
    /// How it has to end.
    cause: Option<Cause>,
}

/// What is known to everybody who reads this file: the demo's registrar listens on loopback, for seconds.
const PASSWORD: &str = "secret";

const ACTS: [Act; 3] = [
    Act {
        title: "The right password",
        password: PASSWORD,
        answers: true,
        cause: None,
    },
    Act {
        title: "A wrong password",
        password: "wrong",
        answers: true,
        cause: Some(Cause::WrongCredentials),
    },
    Act {
        title: "Nobody answers",
        password: PASSWORD,
        answers: false,
        cause: Some(Cause::NoReply),
    },
];

const TRANSPORTS: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

/// Runs every scene, prints its report, and succeeds if all ended as they should.
///
/// # Errors
/// [`Failure`] when loopback cannot be used.
pub(crate) fn run() -> Result<u8, Failure> {
    run::runtime()?.block_on(async {
        let certificate = LabCertificate::issue(&["127.0.0.1"]).map_err(unusable)?;
        let authority = Authority::save(&certificate.authority)?;
        let honest = Stage::build(&certificate, Vec::new()).await?;
        let silence = "silence".parse().expect("it stands in the table of faults");
        let silent = Stage::build(&certificate, vec![silence]).await?;
        let addresses = [honest.addresses(), silent.addresses()];
        let (honest_over, honest_end) = oneshot::channel::<()>();
        let (silent_over, silent_end) = oneshot::channel::<()>();
        let scenes = async {
            let done = play(&addresses, &authority).await;
            drop((honest_over, silent_over));
            done
        };
        let (_, _, done) = tokio::join!(honest.serve(honest_end), silent.serve(silent_end), scenes);
        done
    })
}

/// A registrar and where it listens, one listener for each of [`TRANSPORTS`].
struct Stage {
    listeners: Vec<Listener>,
    registrar: Registrar,
}

fn unusable(error: ListenerError) -> Failure {
    Failure::Internal(std::io::Error::other(error))
}

impl Stage {
    async fn build(certificate: &LabCertificate, faults: Vec<Fault>) -> Result<Self, Failure> {
        let any = ([127, 0, 0, 1], 0).into();
        let mut listeners = Vec::new();
        for transport in TRANSPORTS {
            let listener = match transport {
                Transport::Udp => Listener::udp(any).await,
                Transport::Tcp => Listener::tcp(any).await,
                Transport::Tls => Listener::tls(any, certificate.server_config().map_err(unusable)?).await,
            };
            listeners.push(listener.map_err(unusable)?);
        }
        let users = vec![User::new("alice", Secret::Password(SecretString::from(PASSWORD)))];
        let config = Config {
            realm: "demo.regprobe".to_owned(),
            users,
            faults,
            ..Config::default()
        };
        let registrar = Registrar::new(config, rand::random());
        Ok(Self { listeners, registrar })
    }

    /// In the order of [`TRANSPORTS`].
    fn addresses(&self) -> Vec<String> {
        self.listeners.iter().map(|listener| listener.address().to_string()).collect()
    }

    async fn serve(self, end: oneshot::Receiver<()>) -> Registrar {
        sip_net::serve(self.listeners, self.registrar, drop, async { drop(end.await) }).await
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

/// `addresses` are those of the honest registrar and those of the silent one.
async fn play(addresses: &[Vec<String>; 2], authority: &Authority) -> Result<u8, Failure> {
    let (mut played, mut as_expected) = (0, 0);
    for act in &ACTS {
        for transport in TRANSPORTS {
            let scene = Scene { act, transport };
            let (line, plan) = scene.plan(addresses, authority)?;
            let title = format!("--- {}, over {}", act.title, transport.via());
            show(&format!("{}\n$ {line}\n\n", style().paint(Tone::Strong, &title)))?;
            let probed = run::report(plan).await;
            show(&(output::human::render(&probed.report, probed.interrupted, style()) + "\n"))?;
            if probed.interrupted {
                return Ok(exit::INTERRUPTED);
            }
            played += 1;
            as_expected += usize::from(scene.ended_well(&probed.report));
        }
    }
    show(&format!("{as_expected} of {played} probes ended as expected.\n"))?;
    Ok(if as_expected == played { exit::SUCCESS } else { exit::INTERNAL })
}

fn show(text: &str) -> Result<(), Failure> {
    Ok(output::print(text.as_bytes())?)
}

impl Scene {
    /// The command line, and what the program makes of it.
    fn plan(&self, [honest, silent]: &[Vec<String>; 2], authority: &Authority) -> Result<(String, Plan), Failure> {
        let Act { password, answers, .. } = *self.act;
        let peers = if answers { honest } else { silent };
        let address = peers.get(self.transport as usize).expect("each transport has its listener");
        let mut words = vec!["regprobe".to_owned(), "probe".to_owned(), format!("sip:alice@{address}")];
        if self.transport != Transport::Udp {
            words.extend(["--transport".to_owned(), self.transport.name().to_owned()]);
        }
        if self.transport == Transport::Tls {
            words.extend(["--ca-file".to_owned(), authority.0.display().to_string()]);
        }
        if !answers {
            words.extend(["--timeout".to_owned(), "1s".to_owned()]);
        }
        let line = format!("REGPROBE_PASSWORD={password} {}", words.join(" "));
        let Command::Probe(args) = Cli::try_parse_from(words)?.command else {
            return Err(Failure::Usage("the demo only probes".to_owned()));
        };
        let mut plan = Plan::probe(
            &args,
            Surroundings {
                variable: |_| false,
                terminal: false,
            },
        )?;
        plan.account.secret = Some(Secret::Password(SecretString::from(password)));
        Ok((line, plan))
    }

    fn ended_well(&self, report: &Report) -> bool {
        report.cause == self.act.cause && report.registered == self.act.cause.is_none()
    }
}
