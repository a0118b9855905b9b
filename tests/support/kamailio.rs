//! Kamailio as the registrar of `example.test`, over UDP, TCP and TLS, configured by a `Setup`. `kamailio.cfg` beside this
//! file says who may register and what the others are answered.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::certificates::{Certificates, ServerCertificate};
use super::port::{self, LOOPBACK};
use super::process::{Process, start_until_ready};
use super::scratch::Scratch;
use super::sip_client::{SipClient, header};

/// The realm, and the domain of every account.
pub(crate) const REALM: &str = "example.test";
/// The password of every account.
pub(crate) const PASSWORD: &str = "secret";

/// How the registrar is to behave. The default is what a provider in good order does.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The digest algorithm of the one challenge that it sends.
    pub(crate) algorithm: Algorithm,
    /// The quality of protection that it offers.
    pub(crate) qop: Qop,
    /// Which status challenges.
    pub(crate) challenge: Challenge,
    /// How long a nonce lives.
    pub(crate) nonce: Nonce,
    /// Whether a 200 carries Authentication-Info with `rspauth`.
    pub(crate) authentication_info: bool,
    /// The shortest registration, in seconds.
    pub(crate) min_expires_s: u32,
    /// What happens to a request for a shorter one.
    pub(crate) too_brief: TooBrief,
    /// The longest registration, in seconds; longer requests are shortened.
    pub(crate) max_expires_s: u32,
    /// How many Contacts an AOR may have; a further one is answered 503.
    pub(crate) max_contacts: Option<u32>,
    /// What a further Contact does to those that are bound.
    pub(crate) save: Save,
    /// Whether it asks every binding every second whether it is still there, and soon drops those that do not answer.
    pub(crate) asks: bool,
    /// What the TLS listener shows.
    pub(crate) certificate: ServerCertificate,
    /// Whether the TLS listener demands a certificate of the client.
    pub(crate) demands_client_certificate: bool,
    /// Whether it also listens on `[::1]`, at the same ports.
    pub(crate) ipv6: bool,
}

/// The algorithms that Kamailio 5.6 has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RFC 2617's; the challenge names no algorithm.
    Md5,
    /// RFC 7616's.
    Sha256,
}

/// Kamailio 5.6 also offers `auth-int`, but leaves the body out of its own hash and so refuses every right answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Qop {
    /// The challenge has no `qop`: RFC 2069's digest.
    None,
    /// `qop="auth"`.
    Auth,
}

/// Who says that it wants credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// 401 with WWW-Authenticate.
    Registrar,
    /// 407 with Proxy-Authenticate.
    Proxy,
}

/// How long a nonce lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nonce {
    /// Good for any number of requests.
    Reusable,
    /// Every request needs a new one.
    OneTime,
    /// The first so many right answers of a Call-ID are refused with `stale=true`.
    StaleAnswers(u32),
}

/// What happens to a request for less than the shortest registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooBrief {
    /// Granted longer than asked, without a word.
    Raised,
    /// 423 with Min-Expires.
    Refused,
}

/// What a further Contact of an AOR does to those that are bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Save {
    /// It is added, up to `Setup::max_contacts`.
    Beside,
    /// It replaces them all: the last client wins, as at many providers.
    Alone,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Md5,
            qop: Qop::Auth,
            challenge: Challenge::Registrar,
            nonce: Nonce::Reusable,
            authentication_info: false,
            min_expires_s: 60,
            too_brief: TooBrief::Raised,
            max_expires_s: 3600,
            max_contacts: None,
            asks: false,
            save: Save::Beside,
            certificate: ServerCertificate::Valid,
            demands_client_certificate: false,
            ipv6: false,
        }
    }
}

/// A running Kamailio.
#[derive(Debug)]
pub(crate) struct Kamailio {
    process: Process,
    arguments: Vec<String>,
    certificates: Certificates,
    sip_port: u16,
    tls_port: u16,
    // Last: the directory goes after the program that writes into it.
    scratch: Scratch,
}

impl Kamailio {
    /// Starts it and returns as soon as it answers.
    pub(crate) fn start(setup: Setup) -> Self {
        start_until_ready(|| Self::try_start(&setup))
    }

    /// Where it listens for UDP.
    pub(crate) fn udp(&self) -> SocketAddr {
        SocketAddr::new(LOOPBACK, self.sip_port)
    }

    /// Where it listens for TCP: the same port as for UDP.
    pub(crate) fn tcp(&self) -> SocketAddr {
        self.udp()
    }

    /// Where it listens for TLS.
    pub(crate) fn tls(&self) -> SocketAddr {
        SocketAddr::new(LOOPBACK, self.tls_port)
    }

    /// The same listener on `[::1]`, with `Setup::ipv6`.
    pub(crate) fn on_ipv6(listener: SocketAddr) -> SocketAddr {
        SocketAddr::new(LOOPBACK_V6, listener.port())
    }

    /// The PEM file of the authority that a client is to trust.
    pub(crate) fn ca_file(&self) -> &Path {
        &self.certificates.authority
    }

    /// All certificates and keys, the client's among them.
    pub(crate) fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Ends it and starts it again at the same ports. Its bindings were in memory only, so none is left.
    pub(crate) fn restart(&mut self) {
        self.process.end();
        port::await_free(self.udp());
        port::await_free(self.tls());
        self.process = Process::start("kamailio", &self.arguments, &self.scratch);
        let (instance, address) = (self.scratch.name(), self.tcp());
        let ready = self.process.await_ready(|| answers_as(instance, address));
        ready.unwrap_or_else(|failure| panic!("it had started before: {failure}"));
    }

    /// Stops it where it is: requests still arrive, and nobody answers until `thaw`.
    pub(crate) fn freeze(&self) {
        self.process.freeze();
    }

    /// Lets it go on, and answer what has arrived meanwhile.
    pub(crate) fn thaw(&self) {
        self.process.thaw();
    }

    fn try_start(setup: &Setup) -> Result<Self, String> {
        let scratch = Scratch::new("kamailio");
        let certificates = Certificates::generate(setup.certificate, &scratch);
        let (sip_port, tls_port) = (port::free(LOOPBACK), port::free(LOOPBACK));
        let instance = scratch.name().to_owned();
        let mut arguments = fixed_arguments(&scratch);
        arguments.extend(listeners(setup, sip_port, tls_port));
        arguments.extend(definitions(setup, &certificates, &instance));
        let mut process = Process::start("kamailio", &arguments, &scratch);
        process.await_ready(|| answers_as(&instance, SocketAddr::new(LOOPBACK, sip_port)))?;
        Ok(Self {
            process,
            arguments,
            certificates,
            sip_port,
            tls_port,
            scratch,
        })
    }
}

/// Whether the process behind the port is the one that we have started, not one that took the port before it. Kamailio starts
/// its TCP processes last, so an answer by TCP says that all are there.
pub(crate) fn answers_as(instance: &str, address: SocketAddr) -> bool {
    options_by_tcp(address).is_ok_and(|reply| header(&reply, "Instance") == Some(instance))
}

fn options_by_tcp(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.write_all(SipClient::new(address).request("OPTIONS", "ready", 1).as_bytes())?;
    let mut reply = Vec::new();
    let mut buffer = [0; 4096];
    while !reply.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => break,
            length => reply.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// In the foreground, logging to stderr, with little memory and its runtime files in the scratch directory.
fn fixed_arguments(scratch: &Scratch) -> Vec<String> {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/kamailio.cfg");
    let directory = scratch.path().display().to_string();
    ["-DD", "-E", "-m", "32", "-M", "4", "-Y", &directory, "-f", config]
        .map(str::to_owned)
        .to_vec()
}

fn listeners(setup: &Setup, sip_port: u16, tls_port: u16) -> Vec<String> {
    let mut hosts = vec!["127.0.0.1"];
    if setup.ipv6 {
        hosts.push("[::1]");
    }
    let listen = |host| {
        [
            format!("udp:{host}:{sip_port}"),
            format!("tcp:{host}:{sip_port}"),
            format!("tls:{host}:{tls_port}"),
        ]
    };
    hosts
        .into_iter()
        .flat_map(listen)
        .flat_map(|listener| ["-l".to_owned(), listener])
        .collect()
}

/// The names that `kamailio.cfg` leaves open.
fn definitions(setup: &Setup, certificates: &Certificates, instance: &str) -> Vec<String> {
    let quoted = |text: &str| format!("\"{text}\"");
    let file = |path: &Path| quoted(&path.display().to_string());
    let flag = |on: bool| u8::from(on).to_string();
    let qop = match setup.qop {
        Qop::None => 0,
        Qop::Auth => CHALLENGE_WITH_QOP,
    };
    let algorithm = match setup.algorithm {
        Algorithm::Md5 => "",
        Algorithm::Sha256 => "SHA-256",
    };
    let save = match setup.save {
        Save::Beside => "0x00",
        Save::Alone => "0x04",
    };
    let stale_answers = match setup.nonce {
        Nonce::Reusable | Nonce::OneTime => 0,
        Nonce::StaleAnswers(count) => count,
    };
    let mut definitions = vec![
        format!("INSTANCE={}", quoted(&format!("Instance: {instance}\\r\\n"))),
        format!("CERTIFICATE={}", file(&certificates.server)),
        format!("PRIVATE_KEY={}", file(&certificates.server_key)),
        format!("CA_LIST={}", file(&certificates.authority)),
        format!("CLIENT_CERTIFICATE={}", flag(setup.demands_client_certificate)),
        format!("MIN_EXPIRES={}", setup.min_expires_s),
        format!("MIN_EXPIRES_MODE={}", flag(setup.too_brief == TooBrief::Refused)),
        format!("MAX_EXPIRES={}", setup.max_expires_s),
        format!("MAX_CONTACTS={}", setup.max_contacts.unwrap_or(0)),
        format!("SAVE_FLAGS={}", quoted(save)),
        format!("ALGORITHM={}", quoted(algorithm)),
        format!("AUTHENTICATION_INFO={}", flag(setup.authentication_info)),
        // Without one-time nonces all challenges of a second are alike, and a stale one must not come back.
        format!("ONE_TIME_NONCE={}", flag(setup.nonce != Nonce::Reusable)),
        format!("CHALLENGE={}", quoted(&qop.to_string())),
        format!("STALE_CHALLENGE={}", quoted(&(qop | CHALLENGE_STALE).to_string())),
        format!("STALE_ANSWERS={stale_answers}"),
    ];
    if setup.asks {
        definitions.push("ASKS=1".to_owned());
    }
    if setup.challenge == Challenge::Proxy {
        definitions.push("PROXY_CHALLENGE=1".to_owned());
    }
    definitions
        .into_iter()
        .flat_map(|definition| ["-A".to_owned(), definition])
        .collect()
}

const LOOPBACK_V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const ANSWER_WITHIN: Duration = Duration::from_millis(100);
// The flags of Kamailio's www_challenge() and proxy_challenge().
const CHALLENGE_WITH_QOP: u8 = 1;
const CHALLENGE_STALE: u8 = 16;
