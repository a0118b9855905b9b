//! How a provider registers, as far as its API says so: what the probe needs to look at the same registration. Pure.

use std::fmt::Write as _;

use sip_message::OwnedUri;
use sip_registration::Transport;

/// The settings of a registration. What the source does not give is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// What people call it.
    pub name: Option<String>,
    /// Whether it is switched on.
    pub enabled: Option<bool>,
    /// The address-of-record that is registered.
    pub aor: Option<OwnedUri>,
    /// Where it is registered.
    pub registrar: Option<OwnedUri>,
    /// Through which server.
    pub outbound_proxy: Option<OwnedUri>,
    /// The transport.
    pub transport: Option<Transport>,
    /// The user name for digest, when it is not the AOR's user.
    pub auth_user: Option<String>,
    /// The seconds that are asked for.
    pub expires: Option<u32>,
    /// The Contact that is bound, or what is known of it.
    pub contact: Option<crate::ClaimedContact>,
}

/// The URI of a server as providers write it: with or without `sip:`, a port, or `<` and `>` around it. `None` when it is none.
#[must_use]
pub fn server_uri(text: &str) -> Option<OwnedUri> {
    let bare = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let text = bare.map_or(text, |(uri, _)| uri).trim();
    let uri: OwnedUri = text.parse().or_else(|_| format!("sip:{text}").parse()).ok()?;
    let parts = uri.parts();
    (parts.password.is_none() && parts.headers.is_empty()).then_some(uri)
}

/// The address-of-record of a user at a server: its domain, without the port that only says where to send (RFC 3261 §10.2).
#[must_use]
pub(crate) fn address_of_record(user: &str, server: &OwnedUri) -> Option<OwnedUri> {
    let parts = server.parts();
    let scheme = if parts.secure { "sips" } else { "sip" };
    format!("{scheme}:{}@{}", escaped(user), parts.host).parse().ok()
}

/// The server alone: host and port, without user and parameters (RFC 3261 §10.2: the domain of the location service).
#[must_use]
pub(crate) fn registrar_at(server: &OwnedUri) -> OwnedUri {
    let parts = server.parts();
    let scheme = if parts.secure { "sips" } else { "sip" };
    let port = parts.port.map_or_else(String::new, |port| format!(":{port}"));
    let uri = format!("{scheme}:{}{port}", parts.host);
    uri.parse().expect("the host and port of a URI make a URI")
}

/// The transport that a URI asks for.
#[must_use]
pub(crate) fn transport_of(server: &OwnedUri) -> Option<Transport> {
    let parts = server.parts();
    parts.transport().and_then(|name| transport_named(std::str::from_utf8(name).ok()?))
}

/// A transport by its name, in whatever case.
#[must_use]
pub fn transport_named(name: &str) -> Option<Transport> {
    let name = name.trim();
    [Transport::Udp, Transport::Tcp, Transport::Tls]
        .into_iter()
        .find(|transport| name.eq_ignore_ascii_case(transport.name()))
}

/// A user part with everything escaped that RFC 3261 §25.1 `user` does not take as it is.
fn escaped(user: &str) -> String {
    let mut written = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            written.push(byte.into());
        } else {
            write!(written, "%{byte:02X}").expect("a String takes everything");
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> String {
        server_uri(text).map_or_else(|| "none".into(), |uri| uri.to_string())
    }

    #[test]
    fn a_server_is_read_with_scheme_and_port_or_without() {
        assert_eq!(server("pbx.example.com"), "sip:pbx.example.com");
        assert_eq!(server(" pbx.example.com:5080 "), "sip:pbx.example.com:5080");
        assert_eq!(server("sips:pbx.example.com"), "sips:pbx.example.com");
        assert_eq!(server("192.0.2.1:5060;transport=tcp"), "sip:192.0.2.1:5060;transport=tcp");
        assert_eq!(server("<sip:pbx.example.com;lr>;q=1"), "sip:pbx.example.com;lr");
        for wrong in ["", "two words", "sip:user:secret@h", "sip:h?Subject=x"] {
            assert_eq!(server(wrong), "none", "{wrong}");
        }
    }

    #[test]
    fn an_address_of_record_has_neither_port_nor_parameters() {
        let server = server_uri("[2001:db8::1]:5080;transport=tls").unwrap();
        let aor = |user| address_of_record(user, &server).map(|uri| uri.to_string());
        assert_eq!(aor("alice").as_deref(), Some("sip:alice@[2001:db8::1]"));
        assert_eq!(aor("a@b c").as_deref(), Some("sip:a%40b%20c@[2001:db8::1]"));
        assert_eq!(registrar_at(&server).as_str(), "sip:[2001:db8::1]:5080");
        assert_eq!(transport_of(&server), Some(Transport::Tls));
        assert_eq!((transport_named(" UDP"), transport_named("sctp")), (Some(Transport::Udp), None));
    }
}
