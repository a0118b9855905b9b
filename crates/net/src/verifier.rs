//! Whom to trust: system roots or a CA file, with SIP's own rules for names (RFC 5922) or the web's, and a witness that keeps the certificate for the
//! report whether it was accepted or not. Not for the words about a failure: see `tls`.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::certificate::Certificate;

/// The certificates that are trusted. Those of the system are read when they are needed first.
#[derive(Debug)]
pub(crate) struct Trust {
    /// The CA file's certificates; `None` for those of the system.
    chosen: Option<Vec<CertificateDer<'static>>>,
    names: Names,
    provider: Arc<CryptoProvider>,
    verifier: OnceLock<Result<Arc<WebPkiServerVerifier>, String>>,
}

/// Whose rules hold for the names in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// RFC 5922 §7: a `sip:` URI and a lone common name count as well.
    Sip,
    /// RFC 9110 §4.3.4: subjectAltName and nothing else.
    Web,
}

impl Trust {
    pub(crate) const fn new(chosen: Option<Vec<CertificateDer<'static>>>, names: Names, provider: Arc<CryptoProvider>) -> Self {
        Self {
            chosen,
            names,
            provider,
            verifier: OnceLock::new(),
        }
    }

    /// Reads the roots, unless that has been done.
    ///
    /// # Errors
    /// There is no usable root certificate; in words.
    pub(crate) fn load(&self) -> Result<&Arc<WebPkiServerVerifier>, String> {
        self.verifier.get_or_init(|| self.read()).as_ref().map_err(Clone::clone)
    }

    fn read(&self) -> Result<Arc<WebPkiServerVerifier>, String> {
        let roots = roots(self.chosen.as_deref())?;
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider));
        builder.build().map_err(|error| error.to_string())
    }

    fn verify(&self, shown: &Shown<'_>) -> Result<(), Error> {
        let verifier = self.load().map_err(Error::General)?;
        match verifier.verify_server_cert(shown.certificate, shown.intermediates, shown.name, shown.ocsp, shown.now) {
            Ok(_) => Ok(()),
            // webpki checks the name last, so chain and dates are good here.
            Err(error) if is_about_name(&error) => shown.is_for_name_by(self.names).then_some(()).ok_or(error),
            Err(Error::InvalidCertificate(CertificateError::Other(_))) if self.is_chosen(shown.certificate) => {
                shown.verify_without_chain(self.names)
            }
            // An authority of the same name with another key vouches for it, which is as good as nobody.
            Err(Error::InvalidCertificate(CertificateError::BadSignature)) => Err(CertificateError::UnknownIssuer.into()),
            Err(error) => Err(error),
        }
    }

    /// True when this very certificate is in the CA file. `openssl req -x509` makes self-signed server certificates that call
    /// themselves a CA, which webpki refuses in a server's place; who names the certificate itself needs no chain.
    fn is_chosen(&self, certificate: &CertificateDer<'_>) -> bool {
        self.chosen.as_ref().is_some_and(|chosen| chosen.contains(certificate))
    }
}

/// What a server showed.
struct Shown<'a> {
    certificate: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
    now: UnixTime,
}

impl Shown<'_> {
    /// True when the certificate is for the name in a way that TLS libraries do not know.
    fn is_for_name_by(&self, names: Names) -> bool {
        match (names, self.name) {
            (Names::Sip, ServerName::DnsName(name)) => {
                Certificate::read(self.certificate).is_some_and(|it| it.is_for_sip_domain(name.as_ref()))
            }
            _ => false,
        }
    }

    fn verify_without_chain(&self, names: Names) -> Result<(), Error> {
        let now = i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX);
        if !Certificate::read(self.certificate).is_some_and(|it| it.is_valid_at(now)) {
            return Err(CertificateError::Expired.into());
        }
        verify_server_name(&ParsedCertificate::try_from(self.certificate)?, self.name)
            .or_else(|error| self.is_for_name_by(names).then_some(()).ok_or(error))
    }
}

/// The roots to trust: those chosen, or the system's.
///
/// # Errors
/// There is no usable one; in words.
fn roots(chosen: Option<&[CertificateDer<'static>]>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let (_, unusable) = match chosen {
        Some(chosen) => roots.add_parsable_certificates(chosen.iter().cloned()),
        None => roots.add_parsable_certificates(system_roots()),
    };
    if !roots.is_empty() {
        return Ok(roots);
    }
    Err(match chosen {
        Some(_) => format!("none of the CA file's {unusable} certificates can be read"),
        None => "this system has no root certificates; name a CA file".to_owned(),
    })
}

/// The system's root certificates: its bundle, or where the environment (`SSL_CERT_FILE`, `SSL_CERT_DIR`) says.
fn system_roots() -> Vec<CertificateDer<'static>> {
    let chosen = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    let bundles = BUNDLES.iter().map(Path::new).filter(|_| !chosen);
    // The directory beside a bundle holds the same certificates again, a file each: reading them costs twice as long as a handshake.
    bundles
        .map(|bundle| rustls_native_certs::load_certs_from_paths(Some(bundle), None).certs)
        .find(|certificates| !certificates.is_empty())
        .unwrap_or_else(|| rustls_native_certs::load_native_certs().certs)
}

fn is_about_name(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })
    )
}

/// Verifies one handshake and remembers the certificate. With no trust it accepts everything, and then nothing counts as verified.
#[derive(Debug)]
pub(crate) struct Witness {
    trust: Option<Arc<Trust>>,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<CertificateDer<'static>>>,
}

impl Witness {
    pub(crate) const fn new(trust: Option<Arc<Trust>>, provider: Arc<CryptoProvider>) -> Self {
        Self {
            trust,
            provider,
            seen: Mutex::new(None),
        }
    }

    /// The server's certificate, if the handshake got that far.
    pub(crate) fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate.clone().into_owned());
        if let Some(trust) = &self.trust {
            trust.verify(&Shown {
                certificate,
                intermediates,
                name,
                ocsp,
                now,
            })?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Where distributions keep all root certificates in one file: Debian, Alpine and Arch; Fedora and its kin; SUSE; BSD.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
