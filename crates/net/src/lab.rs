//! Certificates for labs, demos and tests: a small authority and one server under it, made in memory. Not for production.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::listener::{ListenerError, server_config};

/// A server certificate with its key and the authority to trust, all in PEM form.
#[derive(Clone)]
pub struct LabCertificate {
    /// The authority's certificate: what a client names as its CA file.
    pub authority: String,
    /// The server's certificate.
    pub certificate: String,
    /// The server's private key.
    pub key: String,
}

impl std::fmt::Debug for LabCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LabCertificate")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl LabCertificate {
    /// Makes a certificate for these host names and addresses, good for [`LIFE`].
    ///
    /// # Errors
    /// [`ListenerError::Tls`] when a name is no host name.
    pub fn issue(names: &[&str]) -> Result<Self, ListenerError> {
        Self::issue_with(names).map_err(|error| ListenerError::Tls(error.to_string()))
    }

    fn issue_with(names: &[&str]) -> Result<Self, rcgen::Error> {
        let now = SystemTime::now();
        let (from, until) = ((now - BACKDATED).into(), (now + LIFE).into());
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "regprobe lab authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (authority.not_before, authority.not_after) = (from, until);
        let authority_key = KeyPair::generate()?;
        let authority_pem = authority.self_signed(&authority_key)?.pem();

        let mut server = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        server
            .distinguished_name
            .push(DnType::CommonName, names.first().copied().unwrap_or("regprobe lab"));
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (server.not_before, server.not_after) = (from, until);
        let key = KeyPair::generate()?;
        let certificate = server.signed_by(&key, &Issuer::from_params(&authority, &authority_key))?.pem();
        Ok(Self {
            authority: authority_pem,
            certificate,
            key: key.serialize_pem(),
        })
    }

    /// A server that shows this certificate.
    ///
    /// # Errors
    /// [`ListenerError::Tls`] when certificate and key do not belong together.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, ListenerError> {
        let unreadable = |error: rustls::pki_types::pem::Error| ListenerError::Tls(error.to_string());
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).map_err(unreadable)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(unreadable)?;
        server_config(vec![certificate], key)
    }
}

/// How long a lab certificate is good: 90 days.
pub const LIFE: Duration = Duration::from_secs(90 * 86_400);

/// For clients whose clock is behind ours.
const BACKDATED: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Certificate;

    #[test]
    fn names_and_addresses_are_in_the_certificate_and_the_key_is_not_in_debug() {
        let lab = LabCertificate::issue(&["localhost", "127.0.0.1", "::1"]).unwrap();
        let der = CertificateDer::from_pem_slice(lab.certificate.as_bytes()).unwrap();
        assert_eq!(Certificate::read(&der).unwrap().names(), ["localhost", "127.0.0.1", "::1"]);
        assert!(!format!("{lab:?}").contains("PRIVATE"));
        lab.server_config().unwrap();
    }

    #[test]
    fn two_labs_do_not_share_a_key() {
        let [one, other] = [(); 2].map(|()| LabCertificate::issue(&["localhost"]).unwrap());
        assert_ne!(one.key, other.key);
        assert!(LabCertificate { key: other.key, ..one }.server_config().is_err());
    }
}
