//! TLS as a client: rustls with ring, the user's files, the handshake, and what a failure means (RFC 5922, RFC 3261 §26.3.1).
//! Nothing here falls back to plaintext.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, Error, KeyLogFile};
use sip_registration::{Closed, TlsFacts, TlsFailure};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate::Certificate;
use crate::line;
use crate::verifier::{Names, Trust, Witness};

/// How to use TLS. The default trusts the system's root certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// A PEM file with the certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// A PEM file with our own certificate and its intermediates.
    pub client_certificate: Option<PathBuf>,
    /// A PEM file with the key to it; the certificate's own file when `None`.
    pub client_key: Option<PathBuf>,
    /// The name or address to ask for and to verify instead of the URI's host.
    pub server_name: Option<String>,
    /// Accept whatever the server shows; the report then says that nothing was verified.
    pub insecure: bool,
}

/// Why TLS cannot be used as the options say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsOptionsError {
    /// A file cannot be read, or does not hold what it should.
    #[error("{}: {why}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why; never what stands in it.
        why: String,
    },
    /// Certificate and key do not belong together, or are of a kind that TLS cannot use.
    #[error("the client certificate cannot be used: {0}")]
    ClientCertificate(String),
    /// There is nobody to trust.
    #[error("{0}")]
    Roots(String),
    /// A key without its certificate.
    #[error("a client key without a client certificate")]
    KeyAlone,
    /// Neither a host name nor an address.
    #[error("{0:?} is no host name and no address that a certificate could be for")]
    ServerName(String),
}

impl TlsOptions {
    /// Reads every file that the options name, and nothing else: the system's roots wait until they are needed.
    ///
    /// # Errors
    /// See [`TlsOptionsError`].
    pub fn check(&self) -> Result<(), TlsOptionsError> {
        if let Some(name) = &self.server_name {
            server_name(name)?;
        }
        Prepared::read(self).map(drop)
    }
}

/// The client side of TLS for all flows of a driver. Reads its files at the first flow.
#[derive(Debug)]
pub(crate) struct TlsClient {
    options: TlsOptions,
    prepared: OnceLock<Result<Prepared, TlsOptionsError>>,
}

#[derive(Debug)]
struct Prepared {
    /// Complete but for the verifier, which is each connection's own.
    template: ClientConfig,
    provider: Arc<CryptoProvider>,
    /// `None` when everything is accepted.
    trust: Option<Arc<Trust>>,
}

impl TlsClient {
    pub(crate) const fn new(options: TlsOptions) -> Self {
        Self {
            options,
            prepared: OnceLock::new(),
        }
    }

    /// Reads the files, so that what is wrong with them shows before anything is sent.
    ///
    /// # Errors
    /// [`Closed::Local`].
    pub(crate) fn prepare(&self) -> Result<(), Closed> {
        self.prepared().map(drop)
    }

    /// TLS over an open connection, for the host of the URI unless the options name another one.
    ///
    /// # Errors
    /// [`Closed::Tls`] with what is known of the certificate, or [`Closed::Local`].
    pub(crate) async fn handshake(&self, host: &str, stream: TcpStream) -> Result<(TlsStream<TcpStream>, TlsFacts), Closed> {
        let prepared = self.prepared()?;
        let host = self.options.server_name.as_deref().unwrap_or(host);
        let name = server_name(host).map_err(|error| Closed::Tls(TlsFailure::Handshake(error.to_string()), None))?;
        let witness = Arc::new(Witness::new(prepared.trust.clone(), Arc::clone(&prepared.provider)));
        let mut config = prepared.template.clone();
        config.dangerous().set_certificate_verifier(Arc::clone(&witness) as _);
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        // The roots are read while the server thinks about our ClientHello.
        let loading = async { prepared.trust.as_ref().map_or(Ok(()), |trust| trust.load().map(drop)) };
        let (connected, loaded) = tokio::join!(biased; connecting, loading);
        loaded.map_err(Closed::Local)?;
        let certificate = witness.certificate();
        let facts = certificate
            .as_ref()
            .and_then(|der| Certificate::read(der))
            .map(|it| it.facts(host, now()));
        match (connected, facts) {
            (Ok(stream), Some(facts)) => {
                let facts = complete(facts, &stream, prepared.trust.is_some());
                Ok((stream, facts))
            }
            (Ok(_), None) => Err(Closed::Tls(
                TlsFailure::Handshake("the certificate cannot be read".to_owned()),
                None,
            )),
            // Nobody has said anything against TLS.
            (Err(error), _) if error.kind() == io::ErrorKind::TimedOut => Err(Closed::TimedOut),
            (Err(error), facts) => Err(Closed::Tls(failure(&error, certificate.as_ref()), facts)),
        }
    }

    fn prepared(&self) -> Result<&Prepared, Closed> {
        let prepared = self.prepared.get_or_init(|| Prepared::read(&self.options));
        prepared.as_ref().map_err(|error| Closed::Local(error.to_string()))
    }
}

impl Prepared {
    fn read(options: &TlsOptions) -> Result<Self, TlsOptionsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chosen = options.ca_file.as_deref().map(certificates).transpose()?;
        let trust = Arc::new(Trust::new(chosen, Names::Sip, Arc::clone(&provider)));
        let placeholder = Arc::new(Witness::new(Some(Arc::clone(&trust)), Arc::clone(&provider)));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsOptionsError::ClientCertificate(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(placeholder);
        let mut template = match (&options.client_certificate, &options.client_key) {
            (None, None) => builder.with_no_client_auth(),
            (None, Some(_)) => return Err(TlsOptionsError::KeyAlone),
            (Some(path), key) => builder
                .with_client_auth_cert(certificates(path)?, private_key(key.as_ref().unwrap_or(path))?)
                .map_err(|error| TlsOptionsError::ClientCertificate(error.to_string()))?,
        };
        // Every probe shows the whole handshake, and the certificate.
        template.resumption = Resumption::disabled();
        // Writes where SSLKEYLOGFILE says, and nowhere without it.
        template.key_log = Arc::new(KeyLogFile::new());
        Ok(Self {
            template,
            provider,
            trust: (!options.insecure).then_some(trust),
        })
    }
}

/// A name or address as TLS knows it: no brackets, no final dot.
fn server_name(host: &str) -> Result<ServerName<'static>, TlsOptionsError> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(ServerName::IpAddress(address.into()));
    }
    let name = bare.strip_suffix('.').unwrap_or(bare);
    ServerName::try_from(name.to_owned()).map_err(|_| TlsOptionsError::ServerName(host.to_owned()))
}

pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsOptionsError> {
    let failed = |why: String| TlsOptionsError::File {
        path: path.to_owned(),
        why,
    };
    let pem = pem_of(path).map_err(failed)?;
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if certificates.is_empty() => Err(failed("no certificate in PEM form".to_owned())),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(failed(pem_words(&error))),
    }
}

pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsOptionsError> {
    let failed = |why: String| TlsOptionsError::File {
        path: path.to_owned(),
        why,
    };
    let pem = pem_of(path).map_err(failed)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| failed(pem_words(&error)))
}

/// What stands in a file of certificates or keys, which may be any file and without end.
fn pem_of(path: &Path) -> Result<Vec<u8>, String> {
    let mut pem = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST_PEM + 1)
        .read_to_end(&mut pem)
        .map_err(|error| error.to_string())?;
    if pem.len() as u64 > LARGEST_PEM {
        return Err("larger than 4 MiB; no file of certificates is".to_owned());
    }
    Ok(pem)
}

/// The largest file of certificates that is read, in bytes: the authorities of a whole system take a twentieth of it.
const LARGEST_PEM: u64 = 4 * 1024 * 1024;

/// Why PEM cannot be read, without a word of what stands in the file.
fn pem_words(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error as Pem;
    match error {
        Pem::Io(error) => error.to_string(),
        Pem::NoItemsFound => "no unencrypted private key in PEM form".to_owned(),
        _ => "not a PEM file".to_owned(),
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The facts of a handshake that succeeded.
fn complete(facts: TlsFacts, stream: &TlsStream<TcpStream>, verified: bool) -> TlsFacts {
    let (_, session) = stream.get_ref();
    TlsFacts {
        version: session
            .protocol_version()
            .and_then(|version| version.as_str())
            .unwrap_or_default()
            .replace('_', "."),
        cipher: session
            .negotiated_cipher_suite()
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or_default()
            .to_owned(),
        verified,
        ..facts
    }
}

/// What an error on an open TLS connection means.
pub(crate) fn closed(error: &io::Error, facts: &TlsFacts) -> Closed {
    match tls_error(error) {
        // TLS 1.3: a server that does not like our certificate says so only after the handshake (RFC 8446 §4.4.2.4).
        Some(_) => Closed::Tls(failure(error, None), Some(facts.clone())),
        None => line::closed(error),
    }
}

fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())
}

/// What a failed handshake means, with the certificate that was shown.
fn failure(error: &io::Error, certificate: Option<&CertificateDer<'_>>) -> TlsFailure {
    let certificate = certificate.and_then(|der| Certificate::read(der));
    match tls_error(error) {
        Some(Error::InvalidCertificate(error)) => certificate_failure(error, certificate.as_ref()),
        Some(error @ Error::InvalidMessage(_)) => TlsFailure::Handshake(format!("the peer does not answer in TLS: {error}")),
        Some(error) => TlsFailure::Handshake(error.to_string()),
        None => TlsFailure::Handshake(match error.kind() {
            io::ErrorKind::UnexpectedEof => "the peer closed the connection during the handshake".to_owned(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "the peer reset the connection during the handshake".to_owned(),
            _ => error.to_string(),
        }),
    }
}

fn certificate_failure(error: &CertificateError, certificate: Option<&Certificate<'_>>) -> TlsFailure {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => TlsFailure::Expired,
        CertificateError::UnknownIssuer => TlsFailure::Untrusted,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFailure::NameMismatch(certificate.map(Certificate::names).unwrap_or_default())
        }
        // Self-signed and calling itself a CA, which is as much as no issuer.
        CertificateError::Other(_) if certificate.is_some_and(Certificate::is_self_issued) => TlsFailure::Untrusted,
        error => TlsFailure::Handshake(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::server_config;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
    use rustls::ServerConfig;
    use rustls::server::WebPkiClientVerifier;
    use std::io::Write as _;
    use std::net::{Shutdown, SocketAddr, TcpListener as StdListener};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    /// A directory of the test's own, gone with it.
    struct Directory(PathBuf);

    impl Directory {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("sip-net-tls-{:016x}", rand::random::<u64>()));
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            std::fs::write(&path, text).unwrap();
            path
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    struct Authority {
        params: CertificateParams,
        key: KeyPair,
        pem: String,
    }

    fn authority() -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { params, key, pem }
    }

    impl Authority {
        fn issue(&self, params: &CertificateParams) -> Arc<ServerConfig> {
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
            server_config(vec![certificate.into()], key.into()).unwrap()
        }
    }

    fn named(names: &[&str]) -> CertificateParams {
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "pbx");
        params
    }

    /// A server that takes one connection, says hello, and waits for the other side to go.
    async fn server(config: Arc<ServerConfig>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = TlsAcceptor::from(config).accept(stream).await {
                stream.write_all(b"hello").await.unwrap();
                let _ = stream.read(&mut [0; 16]).await;
            }
        });
        address
    }

    async fn connect(options: TlsOptions, host: &str, address: SocketAddr) -> Result<(TlsStream<TcpStream>, TlsFacts), Closed> {
        let stream = TcpStream::connect(address).await.unwrap();
        TlsClient::new(options).handshake(host, stream).await
    }

    fn trusting(directory: &Directory, pem: &str) -> TlsOptions {
        TlsOptions {
            ca_file: Some(directory.file("ca.pem", pem)),
            ..TlsOptions::default()
        }
    }

    #[tokio::test]
    async fn a_good_certificate_by_name_and_by_address_is_verified_and_described() {
        let (directory, authority) = (Directory::new(), authority());
        let config = authority.issue(&named(&["pbx.example.test", "127.0.0.1", "::1"]));
        for host in ["pbx.example.test", "PBX.example.test.", "127.0.0.1", "[::1]"] {
            let address = server(Arc::clone(&config)).await;
            let (mut stream, facts) = connect(trusting(&directory, &authority.pem), host, address).await.unwrap();
            let mut hello = [0; 5];
            stream.read_exact(&mut hello).await.unwrap();
            assert_eq!(&hello, b"hello");
            assert_eq!(
                (facts.version.as_str(), facts.verified, facts.server_name.as_str()),
                ("TLSv1.3", true, host)
            );
            assert!(facts.cipher.starts_with("TLS13_"), "{}", facts.cipher);
            assert_eq!((facts.subject.as_str(), facts.issuer.as_str()), ("CN=pbx", "CN=test authority"));
            assert_eq!(facts.days_left, (facts.not_after - now()).div_euclid(86_400));
        }
    }

    #[tokio::test]
    async fn an_unknown_issuer_is_untrusted_and_still_described() {
        let (directory, stranger) = (Directory::new(), authority());
        let address = server(stranger.issue(&named(&["localhost"]))).await;
        let failed = connect(trusting(&directory, &authority().pem), "localhost", address)
            .await
            .unwrap_err();
        let Closed::Tls(TlsFailure::Untrusted, Some(facts)) = failed else {
            panic!("{failed:?}")
        };
        assert_eq!((facts.issuer.as_str(), facts.verified), ("CN=test authority", false));
    }

    #[tokio::test]
    async fn a_certificate_that_is_over_or_not_yet_valid_is_expired() {
        let (directory, authority) = (Directory::new(), authority());
        for (from, until) in [(1990, 2001), (2100, 2101)] {
            let mut params = named(&["localhost"]);
            (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
            let address = server(authority.issue(&params)).await;
            let failed = connect(trusting(&directory, &authority.pem), "localhost", address)
                .await
                .unwrap_err();
            let Closed::Tls(TlsFailure::Expired, Some(facts)) = failed else {
                panic!("{failed:?}")
            };
            assert_eq!(facts.days_left < 0, until < 2026);
        }
    }

    #[tokio::test]
    async fn another_name_is_a_mismatch_that_lists_the_names_of_the_certificate() {
        let (directory, authority) = (Directory::new(), authority());
        let address = server(authority.issue(&named(&["pbx.example.test", "192.0.2.7"]))).await;
        let failed = connect(trusting(&directory, &authority.pem), "localhost", address)
            .await
            .unwrap_err();
        let Closed::Tls(TlsFailure::NameMismatch(names), Some(_)) = failed else {
            panic!("{failed:?}")
        };
        assert_eq!(names, ["pbx.example.test", "192.0.2.7"]);
    }

    #[tokio::test]
    async fn a_server_name_of_the_options_replaces_the_host() {
        let (directory, authority) = (Directory::new(), authority());
        let address = server(authority.issue(&named(&["pbx.example.test"]))).await;
        let options = TlsOptions {
            server_name: Some("pbx.example.test".to_owned()),
            ..trusting(&directory, &authority.pem)
        };
        let (_, facts) = connect(options, "127.0.0.1", address).await.unwrap();
        assert_eq!((facts.server_name.as_str(), facts.verified), ("pbx.example.test", true));
    }

    #[tokio::test]
    async fn a_sip_uri_and_a_lone_common_name_name_a_sip_domain_and_nothing_else() {
        let (directory, authority) = (Directory::new(), authority());
        let with_uri = |uri: &str| {
            let mut params = named(&["other.example.test"]);
            params.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
            params
        };
        for (params, accepted) in [
            (with_uri("sip:pbx"), true),
            (with_uri("SIP:PBX"), true),
            (with_uri("sip:alice@pbx"), false),
            (with_uri("https://pbx"), false),
            (named(&["other.example.test"]), false),
            (named(&[]), true),
        ] {
            let address = server(authority.issue(&params)).await;
            let outcome = connect(trusting(&directory, &authority.pem), "pbx", address).await;
            assert_eq!(outcome.is_ok(), accepted, "{:?} {outcome:?}", params.subject_alt_names);
        }
    }

    /// What `openssl req -x509` makes: self-signed, and calling itself a CA.
    fn self_signed(names: &[&str]) -> (String, Arc<ServerConfig>) {
        let mut params = named(names);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        (certificate.pem(), server_config(vec![certificate.into()], key.into()).unwrap())
    }

    #[tokio::test]
    async fn a_self_signed_certificate_is_trusted_when_it_is_in_the_ca_file_and_only_then() {
        let directory = Directory::new();
        let (pem, config) = self_signed(&["localhost"]);
        let address = server(Arc::clone(&config)).await;
        let (_, facts) = connect(trusting(&directory, &pem), "localhost", address).await.unwrap();
        assert!(facts.verified);
        let address = server(Arc::clone(&config)).await;
        let failed = connect(trusting(&directory, &pem), "elsewhere", address).await.unwrap_err();
        assert!(matches!(failed, Closed::Tls(TlsFailure::NameMismatch(_), _)), "{failed:?}");
        let address = server(config).await;
        let failed = connect(trusting(&directory, &authority().pem), "localhost", address)
            .await
            .unwrap_err();
        assert!(matches!(failed, Closed::Tls(TlsFailure::Untrusted, Some(_))), "{failed:?}");
    }

    #[tokio::test]
    async fn insecure_accepts_a_stranger_and_says_that_nothing_was_verified() {
        let (_, config) = self_signed(&["elsewhere"]);
        let address = server(config).await;
        let options = TlsOptions {
            insecure: true,
            ..TlsOptions::default()
        };
        let (_, facts) = connect(options, "localhost", address).await.unwrap();
        assert_eq!((facts.verified, facts.subject.as_str()), (false, "CN=pbx"));
    }

    /// A peer that reads what comes first and does something else than TLS.
    fn scripted(script: impl FnOnce(std::net::TcpStream) + Send + 'static) -> SocketAddr {
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            script(stream);
        });
        address
    }

    #[tokio::test]
    async fn a_plaintext_peer_one_that_hangs_up_and_one_that_resets_are_told_apart() {
        let plaintext = scripted(|mut stream| stream.write_all(b"SIP/2.0 400 Bad Request\r\n\r\n").unwrap());
        let hangs_up = scripted(|stream| stream.shutdown(Shutdown::Both).unwrap());
        let resets = scripted(|stream| socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap());
        for (address, words) in [(plaintext, "does not answer in TLS"), (hangs_up, "closed"), (resets, "reset")] {
            let failed = connect(
                TlsOptions {
                    insecure: true,
                    ..TlsOptions::default()
                },
                "localhost",
                address,
            )
            .await
            .unwrap_err();
            let Closed::Tls(TlsFailure::Handshake(text), None) = &failed else {
                panic!("{failed:?}")
            };
            assert!(text.contains(words), "{text}");
        }
    }

    #[tokio::test]
    async fn a_client_certificate_is_shown_and_its_refusal_is_a_tls_failure() {
        let (directory, authority) = (Directory::new(), authority());
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = named(&["localhost"])
            .signed_by(&key, &Issuer::from_params(&authority.params, &authority.key))
            .unwrap();
        let (pem, key_pem) = (certificate.pem(), key.serialize_pem());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = builder
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.into()], key.into())
            .unwrap();
        let config = Arc::new(config);

        let address = server(Arc::clone(&config)).await;
        let shown = TlsOptions {
            client_certificate: Some(directory.file("client.pem", &pem)),
            client_key: Some(directory.file("client.key", &key_pem)),
            ..trusting(&directory, &authority.pem)
        };
        let (mut stream, _) = connect(shown, "localhost", address).await.unwrap();
        stream.read_exact(&mut [0; 5]).await.unwrap();

        let address = server(config).await;
        let (mut stream, facts) = connect(trusting(&directory, &authority.pem), "localhost", address).await.unwrap();
        let error = stream.read(&mut [0; 5]).await.unwrap_err();
        let refused = closed(&error, &facts);
        assert!(
            matches!(&refused, Closed::Tls(TlsFailure::Handshake(text), Some(_)) if text.contains("CertificateRequired")),
            "{refused:?}"
        );
    }

    #[test]
    fn unusable_options_are_named_without_the_content_of_any_file() {
        let directory = Directory::new();
        let secret = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWNhbmFyeQ==\n-----END PRIVATE KEY-----\n";
        let (pem, _) = self_signed(&["localhost"]);
        let missing = Some(directory.0.join("missing.pem"));
        let none = Some(directory.file("empty.pem", "no certificate"));
        let (certificate, key) = (Some(directory.file("c.pem", &pem)), Some(directory.file("k.pem", secret)));
        let options = TlsOptions::default();
        for (options, words) in [
            (
                TlsOptions {
                    ca_file: missing,
                    ..options.clone()
                },
                "missing.pem",
            ),
            (
                TlsOptions {
                    ca_file: none,
                    ..options.clone()
                },
                "no certificate in PEM form",
            ),
            (
                TlsOptions {
                    client_key: key.clone(),
                    ..options.clone()
                },
                "without a client certificate",
            ),
            (
                TlsOptions {
                    client_certificate: certificate.clone(),
                    ..options.clone()
                },
                "no unencrypted private key",
            ),
            (
                TlsOptions {
                    client_certificate: certificate,
                    client_key: key,
                    ..options.clone()
                },
                "client certificate cannot be used",
            ),
            (
                TlsOptions {
                    server_name: Some("no name".to_owned()),
                    ..options.clone()
                },
                "\"no name\" is no host name",
            ),
        ] {
            let words_of_error = options.check().unwrap_err().to_string();
            assert!(words_of_error.contains(words), "{words_of_error}");
            assert!(!words_of_error.contains("canary") && !words_of_error.contains("c2Vj"));
        }
        assert_eq!(options.check(), Ok(()));
    }

    #[tokio::test]
    async fn a_ca_file_without_a_readable_certificate_is_our_own_fault() {
        let directory = Directory::new();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let (_, config) = self_signed(&["localhost"]);
        let failed = connect(trusting(&directory, broken), "localhost", server(config).await)
            .await
            .unwrap_err();
        assert!(
            matches!(&failed, Closed::Local(words) if words.contains("can be read")),
            "{failed:?}"
        );
    }
}
