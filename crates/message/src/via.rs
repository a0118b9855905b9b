//! The Via header (RFC 3261 §20.42, RFC 3581 for `rport`).

use thiserror::Error;

use crate::{Host, Params, lexer};

/// One Via element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via<'a> {
    /// The transport as it stands: `UDP`, `TCP`, `TLS`, ...
    pub transport: &'a [u8],
    /// The host of `sent-by`.
    pub host: Host<'a>,
    /// The port of `sent-by`.
    pub port: Option<u16>,
    /// The parameters.
    pub params: Params<'a>,
}

/// Why bytes are no Via.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ViaError {
    /// Not `SIP/2.0/transport` in front.
    #[error("Via has no SIP/2.0/transport")]
    Protocol,
    /// The host of `sent-by` is missing or malformed.
    #[error("Via has no usable sent-by")]
    SentBy,
}

impl<'a> Via<'a> {
    /// Reads one Via element; white space around the slashes is allowed, as the grammar says.
    ///
    /// # Errors
    /// See [`ViaError`].
    pub fn parse(element: &'a [u8]) -> Result<Self, ViaError> {
        let (name, rest) = lexer::split_once(element, b'/').ok_or(ViaError::Protocol)?;
        let (version, rest) = lexer::split_once(rest, b'/').ok_or(ViaError::Protocol)?;
        if !lexer::trim(name).eq_ignore_ascii_case(b"SIP") || lexer::trim(version) != b"2.0" {
            return Err(ViaError::Protocol);
        }
        let rest = lexer::trim(rest);
        let end = rest.iter().position(|byte| lexer::is_space(*byte)).ok_or(ViaError::SentBy)?;
        let (transport, rest) = rest.split_at_checked(end).ok_or(ViaError::Protocol)?;
        if !transport.iter().all(|byte| lexer::is_token(*byte)) {
            return Err(ViaError::Protocol);
        }
        let params_at = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let (sent_by, params) = rest.split_at_checked(params_at).ok_or(ViaError::SentBy)?;
        let (host, port) = Host::with_port(sent_by).ok_or(ViaError::SentBy)?;
        Ok(Self {
            transport,
            host,
            port,
            params: Params::new(params),
        })
    }

    /// The `branch`; an empty one is none.
    #[must_use]
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params.value("branch").filter(|branch| !branch.is_empty())
    }

    /// The `received` address; IPv6 with or without brackets.
    #[must_use]
    pub fn received(&self) -> Option<Host<'a>> {
        self.params.value("received").and_then(Host::parse)
    }

    /// The port in `rport`; `None` when it is absent, empty or no port.
    #[must_use]
    pub fn rport(&self) -> Option<u16> {
        self.params.number("rport")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_around_slashes_and_ipv6_are_read() {
        let via = Via::parse(b"SIP / 2.0 / UDP\r\n [2001:db8::9]:5060 ; branch=z9hG4bKx;rport=40112; received=2001:db8::9").unwrap();
        assert_eq!(via.transport, b"UDP");
        assert_eq!((via.host.to_string().as_str(), via.port), ("[2001:db8::9]", Some(5060)));
        assert_eq!(via.branch(), Some(&b"z9hG4bKx"[..]));
        assert_eq!(via.rport(), Some(40112));
        assert_eq!(via.received(), Some(via.host));
    }

    #[test]
    fn empty_received_and_junk_rport_are_nothing() {
        let via = Via::parse(b"SIP/2.0/TLS h;rport;received=;branch").unwrap();
        assert_eq!((via.received(), via.rport(), via.branch()), (None, None, None));
        assert_eq!(Via::parse(b"SIP/2.0/UDP h;rport=x").unwrap().rport(), None);
        assert_eq!(Via::parse(b"SIP/2.0/UDP h;branch=").unwrap().branch(), None);
    }

    #[test]
    fn malformed_vias_have_typed_errors() {
        assert_eq!(Via::parse(b"SIP/2.0"), Err(ViaError::Protocol));
        assert_eq!(Via::parse(b"HTTP/2.0/UDP h"), Err(ViaError::Protocol));
        assert_eq!(Via::parse(b"SIP/2.0/UDP"), Err(ViaError::SentBy));
        assert_eq!(Via::parse(b"SIP/2.0/UDP ;branch=x"), Err(ViaError::SentBy));
        assert_eq!(Via::parse(b"SIP/2.0/UDP;branch=x h"), Err(ViaError::Protocol));
        assert_eq!(Via::parse(b"SIP/2.0/UDP h:port"), Err(ViaError::SentBy));
    }
}
