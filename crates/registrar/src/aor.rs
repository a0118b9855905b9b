//! Addresses of record in their canonical form (RFC 3261 §10.3 step 5): what bindings are kept under. Not for contacts.

use sip_message::{Host, SipUri, printable};

/// `user@host`, escapes resolved, host in lower case, port and parameters left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Aor {
    user: Vec<u8>,
    host: String,
}

impl Aor {
    /// The address of record that a To or a Request-URI names; `None` without a user.
    pub(crate) fn from_uri(uri: &SipUri<'_>) -> Option<Self> {
        Some(Self {
            user: unescape(uri.user.filter(|user| !user.is_empty())?),
            host: domain(&uri.host),
        })
    }

    /// Reads `sip:alice@example.test` or `alice@example.test`.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let bare = format!("sip:{text}");
        SipUri::parse(text.as_bytes())
            .or_else(|_| SipUri::parse(bare.as_bytes()))
            .ok()
            .and_then(|uri| Self::from_uri(&uri))
    }

    pub(crate) fn user(&self) -> &[u8] {
        &self.user
    }

    /// What it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.user.len() + self.host.len()
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

impl std::fmt::Display for Aor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sip:{}@{}", printable(&self.user), self.host)
    }
}

fn domain(host: &Host<'_>) -> String {
    host.to_string().to_ascii_lowercase()
}

/// Resolves `%41`; a `%` that opens no escape stays.
fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, tail)) = rest.split_first() {
        match (byte, hex_pair(tail)) {
            (b'%', Some((escaped, after))) => {
                plain.push(escaped);
                rest = after;
            }
            _ => {
                plain.push(*byte);
                rest = tail;
            }
        }
    }
    plain
}

/// The byte that two hexadecimal digits name, and what follows them.
pub(crate) fn hex_pair(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(2)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some((byte, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_case_port_and_parameters_do_not_matter() {
        let plain = Aor::from_text("alice@example.test").unwrap();
        assert_eq!(Aor::from_text("sip:%61lice@EXAMPLE.test:5070;transport=tcp"), Some(plain.clone()));
        assert_eq!(Aor::from_text("sips:alice@example.test"), Some(plain.clone()));
        assert_ne!(Aor::from_text("sip:Alice@example.test"), Some(plain.clone()));
        assert_eq!(plain.to_string(), "sip:alice@example.test");
    }

    #[test]
    fn an_address_without_user_is_none() {
        assert_eq!(Aor::from_text("sip:example.test"), None);
        assert_eq!(Aor::from_text("sip:@example.test"), None);
        assert_eq!(Aor::from_text(""), None);
    }

    #[test]
    fn a_percent_sign_that_opens_no_escape_stays() {
        assert_eq!(unescape(b"a%4g%"), b"a%4g%");
        assert_eq!(unescape(b"%e4%00"), [0xe4, 0]);
    }
}
