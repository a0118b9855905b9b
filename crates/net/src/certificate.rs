//! What a server's certificate says: facts for the report, and the names that it is for (RFC 5922 §7.1). Not for trust: see `verifier`.

use std::net::IpAddr;

use sip_message::{Uri, printable};
use sip_registration::TlsFacts;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// A server's certificate.
pub(crate) struct Certificate<'a>(X509Certificate<'a>);

impl<'a> Certificate<'a> {
    /// `None` when the bytes are no certificate.
    pub(crate) fn read(der: &'a [u8]) -> Option<Self> {
        X509Certificate::from_der(der).ok().map(|(_, certificate)| Self(certificate))
    }

    /// The facts for the report; `now` in seconds since 1970-01-01 UTC. Version and cipher are for the caller to add.
    pub(crate) fn facts(&self, server_name: &str, now: i64) -> TlsFacts {
        let not_after = self.0.validity().not_after.timestamp();
        TlsFacts {
            version: String::new(),
            cipher: String::new(),
            server_name: server_name.to_owned(),
            subject: shown(&self.0.subject().to_string()),
            issuer: shown(&self.0.issuer().to_string()),
            not_after,
            days_left: not_after.saturating_sub(now).div_euclid(86_400),
            verified: false,
        }
    }

    /// True at a time when the certificate is valid, in seconds since 1970-01-01 UTC.
    pub(crate) fn is_valid_at(&self, now: i64) -> bool {
        let validity = self.0.validity();
        (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now)
    }

    /// True when subject and issuer are the same: nobody else vouches for it.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.0.subject().as_raw() == self.0.issuer().as_raw()
    }

    /// The names that the certificate is for, fit to be shown; the first [`NAMES`].
    pub(crate) fn names(&self) -> Vec<String> {
        let alternatives = self.alternatives().filter_map(|name| match name {
            GeneralName::DNSName(name) | GeneralName::URI(name) => Some(shown(name)),
            GeneralName::IPAddress(octets) => address(octets).map(|address| address.to_string()),
            _ => None,
        });
        let mut names: Vec<_> = alternatives.take(NAMES).collect();
        if !self.has_alternatives() {
            names.extend(self.common_names().map(shown).take(NAMES));
        }
        names
    }

    /// True when the certificate is for this domain in one of the two ways of SIP that TLS libraries do not know.
    pub(crate) fn is_for_sip_domain(&self, domain: &str) -> bool {
        // RFC 5922 §7.1: a subjectAltName URI of scheme sip without a user part is a SIP domain identity.
        self.alternatives().any(|name| matches!(name, GeneralName::URI(uri) if is_domain_uri(uri, domain)))
            // RFC 5922 §7.1: the Common Name counts only where there is no subjectAltName at all.
            || (!self.has_alternatives() && self.common_names().any(|name| name.eq_ignore_ascii_case(domain)))
    }

    fn has_alternatives(&self) -> bool {
        !matches!(self.0.subject_alternative_name(), Ok(None))
    }

    fn alternatives(&self) -> impl Iterator<Item = &GeneralName<'a>> {
        let extension = self.0.subject_alternative_name().ok().flatten();
        extension.into_iter().flat_map(|extension| &extension.value.general_names)
    }

    fn common_names(&self) -> impl Iterator<Item = &str> {
        self.0.subject().iter_common_name().filter_map(|name| name.as_str().ok())
    }
}

/// RFC 5922 §7.2: compared whole and without case; no wildcard.
fn is_domain_uri(uri: &str, domain: &str) -> bool {
    let Ok(Uri::Sip(uri)) = Uri::parse(uri.as_bytes()) else {
        return false;
    };
    !uri.secure && uri.user.is_none() && uri.host.to_string().eq_ignore_ascii_case(domain)
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

/// Text of a stranger, short and safe to print.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(TEXT).collect();
    printable(short.as_bytes())
}

/// How many names of a certificate are shown.
const NAMES: usize = 20;

/// How many characters of a name are shown.
const TEXT: usize = 256;
