//! A certificate authority of the test's own, what it issues for `pbx.example.test`, and the ways in which a server's
//! certificate is wrong in the field. Written as PEM files, as every program wants them.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};

use super::scratch::Scratch;

/// The name for which the certificates are issued, beside `127.0.0.1` and `::1`.
pub(crate) const SERVER_NAME: &str = "pbx.example.test";

/// What the server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerCertificate {
    /// Issued by an intermediate of the authority, sent with it, valid for years.
    Valid,
    /// As `Valid`, but it ends in ten days.
    EndsSoon,
    /// It ended in 2001.
    Expired,
    /// It begins in 4000.
    NotYetValid,
    /// Issued for `other.example.test` only.
    WrongName,
    /// Issued by an authority that is not in the CA file.
    Untrusted,
    /// As `Valid`, but the server does not send the intermediate.
    WithoutIntermediate,
}

/// The files: an authority's certificate, a server's chain and key, a client's certificate and key.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    /// The root that a client is to trust.
    pub(crate) authority: PathBuf,
    /// The server's certificate and, as a rule, its intermediate.
    pub(crate) server: PathBuf,
    /// The server's private key.
    pub(crate) server_key: PathBuf,
    /// A client's certificate, issued by the same root.
    pub(crate) client: PathBuf,
    /// The client's private key.
    pub(crate) client_key: PathBuf,
}

impl Certificates {
    /// Writes a new set of files into the scratch directory.
    pub(crate) fn generate(kind: ServerCertificate, scratch: &Scratch) -> Self {
        let trusted = root("Test Root");
        let unknown = root("Unknown Root");
        let issuer = if kind == ServerCertificate::Untrusted { &unknown } else { &trusted };
        let intermediate = intermediate(issuer);
        let server = leaf(server_parameters(kind), &intermediate);
        let sent_with_it = if kind == ServerCertificate::WithoutIntermediate {
            String::new()
        } else {
            intermediate.pem()
        };
        let client = leaf(parameters("alice", &[]), &trusted);
        Self {
            authority: scratch.write("ca.pem", &trusted.pem()),
            server: scratch.write("server.pem", &(server.certificate + &sent_with_it)),
            server_key: scratch.write("server.key", &server.key),
            client: scratch.write("client.pem", &client.certificate),
            client_key: scratch.write("client.key", &client.key),
        }
    }
}

/// A leaf certificate and its private key, both as PEM.
struct Leaf {
    certificate: String,
    key: String,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn root(name: &str) -> Authority {
    CertifiedIssuer::self_signed(authority_parameters(name), new_key()).expect("the parameters are complete")
}

fn intermediate(root: &Authority) -> Authority {
    CertifiedIssuer::signed_by(authority_parameters("Test Intermediate"), new_key(), root).expect("the parameters are complete")
}

fn leaf(parameters: CertificateParams, issuer: &Authority) -> Leaf {
    let key = new_key();
    let certificate = parameters.signed_by(&key, issuer).expect("the parameters are complete");
    Leaf {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}

fn server_parameters(kind: ServerCertificate) -> CertificateParams {
    let mut parameters = match kind {
        ServerCertificate::WrongName => parameters("other.example.test", &["other.example.test"]),
        ServerCertificate::Valid
        | ServerCertificate::EndsSoon
        | ServerCertificate::Expired
        | ServerCertificate::NotYetValid
        | ServerCertificate::Untrusted
        | ServerCertificate::WithoutIntermediate => parameters(SERVER_NAME, &[SERVER_NAME, "127.0.0.1", "::1"]),
    };
    match kind {
        ServerCertificate::EndsSoon => parameters.not_after = (SystemTime::now() + TEN_DAYS).into(),
        ServerCertificate::Expired => parameters.not_after = date_time_ymd(2001, 1, 1),
        ServerCertificate::NotYetValid => parameters.not_before = date_time_ymd(4000, 1, 1),
        ServerCertificate::Valid | ServerCertificate::WrongName | ServerCertificate::Untrusted | ServerCertificate::WithoutIntermediate => {
        }
    }
    parameters
}

fn authority_parameters(name: &str) -> CertificateParams {
    let mut parameters = parameters(name, &[]);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn parameters(subject: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("the names are DNS names or addresses");
    parameters.distinguished_name.push(DnType::CommonName, subject);
    parameters.use_authority_key_identifier_extension = true;
    parameters
}

const TEN_DAYS: Duration = Duration::from_secs(10 * 24 * 60 * 60);
