//! `regprobe registrar`: a lab PBX on the sockets of this machine, with one line for each exchange until Ctrl-C. The registrar
//! itself is `sip-registrar`'s, its sockets are `sip-net`'s. With `--stateless` it is a responder for load tests, which logs nothing.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use sip_digest::{Algorithm, Secret};
use sip_net::{LabCertificate, Listener, ListenerError, Responding};
use sip_registrar::{Config, Event, Registrar, Responder, User, WallClock};
use sip_registration::Transport;

use crate::args::Registrar as Args;
use crate::failure::Failure;
use crate::values::Listen;
use crate::{exit, output, run, secret, signals, values};

/// Serves until Ctrl-C.
///
/// # Errors
/// [`Failure::Usage`] when an account, a certificate or an address cannot be used.
pub(crate) fn serve(args: &Args) -> Result<u8, Failure> {
    if args.stateless {
        return respond(args);
    }
    let config = config(args, users(args)?);
    run::runtime()?.block_on(async {
        let listeners = open(args).await?;
        for listener in &listeners {
            announce(listener.transport(), listener.address());
        }
        let registrar = Registrar::new(config, rand::random());
        sip_net::serve(listeners, registrar, |event: Event| say(&event.to_string()), signals::ended()).await;
        Ok(exit::SUCCESS)
    })
}

/// `--stateless`: a responder on threads of its own.
fn respond(args: &Args) -> Result<u8, Failure> {
    let algorithm = match args.algorithm[..] {
        [] => Algorithm::Md5,
        [algorithm] => algorithm,
        [_, _, ..] => {
            return Err(Failure::Usage(
                "--stateless: it offers one algorithm; give --algorithm once".to_owned(),
            ));
        }
    };
    let responder = Responder::new(&args.realm, algorithm, args.max_expires.unwrap_or(Config::default().max_expires));
    let certificate = Certificate::of(args)?;
    let mut responding = Responding::new(args.threads);
    run::raise_descriptors();
    for &listen in &args.listen {
        let opened = certificate.respond(listen, &mut responding);
        announce(listen.transport, opened.map_err(|error| unusable(listen, &error))?);
    }
    let served = run::runtime()?.block_on(responding.run(responder, signals::ended()));
    served.map_err(|error| Failure::Usage(format!("--threads: {error}")))?;
    Ok(exit::SUCCESS)
}

fn announce(transport: Transport, address: SocketAddr) {
    say(&format!("listening on {}:{address}", transport.name()));
}

fn unusable(listen: Listen, error: &ListenerError) -> Failure {
    Failure::Usage(format!("--listen {}:{}: {error}", listen.transport.name(), listen.address))
}

/// One line of the log. A lab goes on when nobody can read it.
fn say(line: &str) {
    let _ = output::print(format!("{line}\n").as_bytes());
}

async fn open(args: &Args) -> Result<Vec<Listener>, Failure> {
    let certificate = Certificate::of(args)?;
    let mut listeners = Vec::new();
    for &listen in &args.listen {
        let opened = certificate.listen(listen).await;
        listeners.push(opened.map_err(|error| unusable(listen, &error))?);
    }
    Ok(listeners)
}

/// What TLS listeners show.
enum Certificate {
    /// There are none.
    Unneeded,
    /// The user's own files.
    Files(std::path::PathBuf, std::path::PathBuf),
    /// Made for this run.
    Issued(LabCertificate),
}

impl Certificate {
    fn of(args: &Args) -> Result<Self, Failure> {
        let secure: Vec<String> = args
            .listen
            .iter()
            .filter(|listen| listen.transport == Transport::Tls)
            .map(|listen| listen.address.ip().to_string())
            .collect();
        match (&args.cert, &args.key) {
            _ if secure.is_empty() && args.save_ca.is_some() => Err(Failure::Usage(
                "--save-ca: nothing listens for TLS; add --listen tls:127.0.0.1:5061, or leave it out".to_owned(),
            )),
            _ if secure.is_empty() => Ok(Self::Unneeded),
            (Some(certificate), Some(key)) => Ok(Self::Files(certificate.clone(), key.clone())),
            (Some(_) | None, _) => Self::issue(&secure, args.save_ca.as_deref()),
        }
    }

    fn issue(addresses: &[String], save_to: Option<&Path>) -> Result<Self, Failure> {
        let names: Vec<&str> = ["localhost"].into_iter().chain(addresses.iter().map(String::as_str)).collect();
        let issued = LabCertificate::issue(&names).map_err(|error| Failure::Usage(format!("--listen: {error}")))?;
        if let Some(path) = save_to {
            let saved = std::fs::write(path, &issued.authority);
            saved.map_err(|error| Failure::Usage(format!("--save-ca {}: {error}", secret::shown(path))))?;
        }
        Ok(Self::Issued(issued))
    }

    async fn listen(&self, listen: Listen) -> Result<Listener, ListenerError> {
        match (listen.transport, self) {
            (Transport::Udp, _) => Listener::udp(listen.address).await,
            (Transport::Tcp, _) => Listener::tcp(listen.address).await,
            (Transport::Tls, Self::Unneeded) => Err(no_certificate()),
            (Transport::Tls, Self::Files(certificate, key)) => {
                Listener::tls(listen.address, sip_net::server_config_from_files(certificate, key)?).await
            }
            (Transport::Tls, Self::Issued(issued)) => Listener::tls(listen.address, issued.server_config()?).await,
        }
    }

    fn respond(&self, listen: Listen, responding: &mut Responding) -> Result<SocketAddr, ListenerError> {
        match (listen.transport, self) {
            (Transport::Udp, _) => responding.udp(listen.address),
            (Transport::Tcp, _) => responding.tcp(listen.address),
            (Transport::Tls, Self::Unneeded) => Err(no_certificate()),
            (Transport::Tls, Self::Files(certificate, key)) => {
                responding.tls(listen.address, &sip_net::server_config_from_files(certificate, key)?)
            }
            (Transport::Tls, Self::Issued(issued)) => responding.tls(listen.address, &issued.server_config()?),
        }
    }
}

fn no_certificate() -> ListenerError {
    ListenerError::Tls("there is no certificate".to_owned())
}

/// The accounts of the options and of the file.
///
/// # Errors
/// [`Failure::Usage`] when there is none, or when the file cannot be used.
fn users(args: &Args) -> Result<Vec<User>, Failure> {
    let mut users = args.user.clone();
    if let Some(path) = &args.users_file {
        users.extend(read_users(path)?);
    }
    if users.is_empty() && !args.open {
        let text = "there is no account: give --user NAME:PASSWORD or --users-file PATH, or --open to ask nobody for credentials";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(users
        .into_iter()
        .map(|user| User::new(user.name, Secret::Password(user.password)))
        .collect())
}

fn read_users(path: &Path) -> Result<Vec<values::User>, Failure> {
    let refuse = |why: String| Failure::Usage(format!("--users-file {}: {why}", secret::shown(path)));
    let (bytes, warning) = secret::read_file(path).map_err(|flaw| refuse(flaw.to_string()))?;
    if let Some(warning) = warning {
        output::tell(&format!("warning: --users-file: {warning}\n"));
    }
    parse_users(&bytes).map_err(refuse)
}

/// One account a line; empty lines and those that begin with `#` are left out. An error names the line, never what is in it.
fn parse_users(bytes: &[u8]) -> Result<Vec<values::User>, String> {
    if bytes.len() > secret::LIMIT {
        return Err("it is longer than 1 MiB".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text; save it as UTF-8".to_owned())?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(at, line)| values::user(line).map_err(|error| format!("line {}: {error}", at + 1)))
        .collect()
}

/// The registrar that the options describe.
fn config(args: &Args, users: Vec<User>) -> Config {
    let default = Config::default();
    let algorithms = if args.algorithm.is_empty() {
        vec![Algorithm::Sha256, Algorithm::Md5]
    } else {
        args.algorithm.clone()
    };
    let min_expires = args.min_expires.unwrap_or(default.min_expires);
    Config {
        realm: args.realm.clone(),
        users,
        open: args.open,
        algorithms,
        min_expires,
        max_expires: args.max_expires.unwrap_or(default.max_expires).max(min_expires),
        max_contacts: args.max_contacts.unwrap_or(default.max_contacts),
        faults: args.fault.clone(),
        clock: wall_clock(),
        ..default
    }
}

/// What time it is, for the Date header.
fn wall_clock() -> Option<WallClock> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(WallClock {
        at: Instant::now(),
        unix_seconds: since.as_secs(),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    fn args(line: &str) -> Args {
        let words = ["regprobe", "registrar"].into_iter().chain(line.split_whitespace());
        let Command::Registrar(args) = Cli::try_parse_from(words).unwrap().command else {
            panic!("registrar")
        };
        *args
    }

    #[test]
    fn options_become_the_registrars_config() {
        let args = args("--user a:b --realm r --algorithm MD5 --min-expires 10 --max-expires 20 --max-contacts 1 --fault silence");
        let config = config(&args, users(&args).unwrap());
        assert_eq!(
            (config.realm.as_str(), config.algorithms, config.users.len()),
            ("r", vec![Algorithm::Md5], 1)
        );
        assert_eq!(
            (config.min_expires, config.max_expires, config.max_contacts, config.faults.len()),
            (10, 20, 1, 1)
        );
        assert!(!config.open);
    }

    #[test]
    fn a_lab_offers_the_stronger_algorithm_first_and_never_less_than_its_minimum() {
        let args = args("--open --min-expires 7200");
        let config = config(&args, users(&args).unwrap());
        assert_eq!(config.algorithms, [Algorithm::Sha256, Algorithm::Md5]);
        assert_eq!((config.min_expires, config.max_expires), (7200, 7200));
    }

    #[test]
    fn a_lab_without_accounts_has_to_be_open_on_purpose() {
        assert!(users(&args("")).unwrap_err().to_string().contains("--open"));
        assert!(users(&args("--open")).unwrap().is_empty());
    }

    #[test]
    fn users_stand_one_a_line_and_errors_name_the_line_only() {
        let users = parse_users(b"# lab\nalice:secret\n\nbob:a:b \n").unwrap();
        assert_eq!(users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["alice", "bob"]);
        let error = parse_users(b"alice:secret\ncanary\n").unwrap_err();
        assert!(error.starts_with("line 2: ") && !error.contains("canary"), "{error}");
        assert!(parse_users(b"a:\xff").is_err());
    }
}
