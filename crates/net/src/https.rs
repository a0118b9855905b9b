//! TLS for clients of HTTP APIs: whom to trust, and what a failure means in words (RFC 9110 §4.3.4). Not for SIP, whose certificates may
//! name a domain in ways of its own: see `tls`. Writes no key log: what an API is asked holds its key.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, ClientConfig, Error as TlsError};

use crate::tls::{TlsOptionsError, certificates};
use crate::verifier::{Names, Trust, Witness};

/// A TLS client that speaks HTTP/1.1 and trusts the system's root certificates, which the first handshake reads, or those of a PEM
/// file, read here. A server's own certificate in that file is trusted without a chain, as `openssl req -x509` makes it.
///
/// # Errors
/// [`TlsOptionsError::File`] or [`TlsOptionsError::Roots`].
pub fn https_config(ca_file: Option<&Path>) -> Result<ClientConfig, TlsOptionsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chosen = ca_file.map(certificates).transpose()?;
    let is_chosen = chosen.is_some();
    let trust = Arc::new(Trust::new(chosen, Names::Web, Arc::clone(&provider)));
    if is_chosen {
        trust.load().map_err(TlsOptionsError::Roots)?;
    }
    let verifier = Arc::new(Witness::new(Some(trust), Arc::clone(&provider)));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsOptionsError::Roots(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What went wrong in TLS, in words, when that is what an error comes from; as the peer wrote it where it quotes, so escape it.
#[must_use]
pub fn https_failure(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<TlsError>() {
        return Some(words(error));
    }
    // An io::Error names as its source not what it holds, but the source of that.
    let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match held {
        Some(held) => https_failure(held),
        None => error.source().and_then(https_failure),
    }
}

fn words(error: &TlsError) -> String {
    match error {
        TlsError::InvalidCertificate(error) => certificate_words(error),
        TlsError::InvalidMessage(_) => format!("the peer does not answer in TLS: {error}"),
        TlsError::General(words) => words.clone(),
        error => error.to_string(),
    }
}

fn certificate_words(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired => "the certificate is expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => format!("the certificate is expired since {}", day(*not_after)),
        CertificateError::NotValidYet => "the certificate is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => format!("the certificate is not valid before {}", day(*not_before)),
        CertificateError::UnknownIssuer => "the certificate is untrusted: nobody who is trusted here vouches for it".to_owned(),
        CertificateError::NotValidForName => "the certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            format!("the certificate is for {}, not for {}", names(presented), expected.to_str())
        }
        CertificateError::Other(error) => format!("the certificate is untrusted: {error}"),
        error => format!("the certificate is refused: {error}"),
    }
}

/// What a certificate is for. webpki writes `DnsName("pbx.example.test")`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        inner.unwrap_or(name).trim_matches('"').to_owned()
    };
    match presented {
        [] => "no host".to_owned(),
        some => some.iter().take(NAMES).map(bare).collect::<Vec<_>>().join(", "),
    }
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%d").to_string()
}

/// How many names of a certificate are shown.
const NAMES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LabCertificate;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, SanType, date_time_ymd};
    use rustls::ServerConfig;
    use rustls::pki_types::ServerName;
    use std::path::PathBuf;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    /// A CA file of the test's own, gone with it.
    struct CaFile(PathBuf);

    impl CaFile {
        fn new(pem: &str) -> Self {
            let path = std::env::temp_dir().join(format!("sip-net-https-{:016x}.pem", rand::random::<u64>()));
            std::fs::write(&path, pem).unwrap();
            Self(path)
        }
    }

    impl Drop for CaFile {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    /// The protocol that both sides chose, or the words for why they could not.
    async fn connect(ca: &str, server: Arc<ServerConfig>, host: &'static str) -> Result<Option<Vec<u8>>, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = async {
            let (stream, _) = listener.accept().await.unwrap();
            TlsAcceptor::from(server).accept(stream).await.ok()
        };
        let config = https_config(Some(&CaFile::new(ca).0)).unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(host).unwrap();
        let (connected, _server) = tokio::join!(TlsConnector::from(Arc::new(config)).connect(name, stream), serving);
        let stream = connected.map_err(|error| https_failure(&error).unwrap())?;
        Ok(stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec))
    }

    fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> (String, Arc<ServerConfig>) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        (
            certificate.pem(),
            crate::server_config(vec![certificate.into()], key.into()).unwrap(),
        )
    }

    #[tokio::test]
    async fn the_authority_of_the_file_vouches_and_http_1_1_is_offered() {
        let lab = LabCertificate::issue(&["localhost", "127.0.0.1"]).unwrap();
        let mut server = Arc::unwrap_or_clone(lab.server_config().unwrap());
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        for host in ["localhost", "127.0.0.1"] {
            let chosen = connect(&lab.authority, Arc::new(server.clone()), host).await;
            assert_eq!(chosen, Ok(Some(b"http/1.1".to_vec())));
        }
    }

    #[tokio::test]
    async fn a_self_signed_certificate_in_the_file_is_trusted_for_its_names_and_while_it_is_valid() {
        let (pem, server) = self_signed(|_| {});
        assert_eq!(connect(&pem, Arc::clone(&server), "localhost").await, Ok(None));
        let failed = connect(&pem, Arc::clone(&server), "elsewhere.test").await.unwrap_err();
        assert_eq!(failed, "the certificate is for localhost, not for elsewhere.test");
        let failed = connect(&self_signed(|_| {}).0, server, "localhost").await.unwrap_err();
        assert!(failed.starts_with("the certificate is untrusted"), "{failed}");
        let (pem, server) = self_signed(|params| params.not_after = date_time_ymd(2001, 2, 3));
        let failed = connect(&pem, server, "localhost").await.unwrap_err();
        assert_eq!(failed, "the certificate is expired since 2001-02-03");
    }

    #[tokio::test]
    async fn the_ways_in_which_sip_names_a_domain_do_not_count() {
        for change in [
            |params: &mut CertificateParams| params.subject_alt_names = vec![SanType::URI("sip:localhost".try_into().unwrap())],
            |params: &mut CertificateParams| {
                params.subject_alt_names.clear();
                params.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
            },
        ] {
            let (pem, server) = self_signed(change);
            let failed = connect(&pem, server, "localhost").await.unwrap_err();
            assert!(failed.ends_with("not for localhost"), "{failed}");
        }
    }

    #[tokio::test]
    async fn every_cause_has_words_of_its_own() {
        let ours = LabCertificate::issue(&["localhost"]).unwrap();
        let strange = LabCertificate::issue(&["localhost"]).unwrap();
        let failed = connect(&ours.authority, strange.server_config().unwrap(), "localhost").await;
        assert!(failed.unwrap_err().contains("untrusted"));
        let moment = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let (time, not_after, not_before) = (moment(2_000_000_000), moment(981_158_400), moment(4_000_000_000));
        for (error, expected) in [
            (CertificateError::ExpiredContext { time, not_after }, "expired since 2001-02-03"),
            (
                CertificateError::NotValidYetContext { time, not_before },
                "not valid before 2096-10-02",
            ),
        ] {
            let wrapped = io::Error::other(io::Error::other(TlsError::InvalidCertificate(error)));
            let text = https_failure(&wrapped).unwrap();
            assert!(text.ends_with(expected), "{text}");
        }
        assert_eq!(https_failure(&io::Error::from(io::ErrorKind::ConnectionReset)), None);
    }

    #[test]
    fn a_file_that_vouches_for_nobody_is_refused_at_once() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let failed = |pem: &str| https_config(Some(&CaFile::new(pem).0)).unwrap_err().to_string();
        assert!(failed(broken).contains("can be read"), "{}", failed(broken));
        assert!(failed("canary").contains("no certificate in PEM form"));
        assert!(https_config(None).is_ok());
    }
}
