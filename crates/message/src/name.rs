//! Header names: the ones we know, in any case and in compact form (RFC 3261 §7.3.3, §20). Unknown ones keep their bytes.

/// A header field name that some typed view reads; every other name is [`Name::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Name {
    /// `Allow`
    Allow,
    /// `Authentication-Info` (RFC 7615)
    AuthenticationInfo,
    /// `Authorization`
    Authorization,
    /// `Call-ID`, compact `i`
    CallId,
    /// `Contact`, compact `m`
    Contact,
    /// `Content-Length`, compact `l`
    ContentLength,
    /// `Content-Type`, compact `c`
    ContentType,
    /// `CSeq`
    CSeq,
    /// `Date`
    Date,
    /// `Error-Info`
    ErrorInfo,
    /// `Expires`
    Expires,
    /// `From`, compact `f`
    From,
    /// `Max-Forwards`
    MaxForwards,
    /// `Min-Expires`
    MinExpires,
    /// `Path` (RFC 3327)
    Path,
    /// `Proxy-Authenticate`
    ProxyAuthenticate,
    /// `Proxy-Authorization`
    ProxyAuthorization,
    /// `Reason` (RFC 3326)
    Reason,
    /// `Record-Route`
    RecordRoute,
    /// `Require`
    Require,
    /// `Retry-After`
    RetryAfter,
    /// `Route`
    Route,
    /// `Server`
    Server,
    /// `Service-Route` (RFC 3608)
    ServiceRoute,
    /// `Supported`, compact `k`
    Supported,
    /// `To`, compact `t`
    To,
    /// `Unsupported`
    Unsupported,
    /// `User-Agent`
    UserAgent,
    /// `Via`, compact `v`
    Via,
    /// `Warning`
    Warning,
    /// `WWW-Authenticate`
    WwwAuthenticate,
    /// Any other name; [`crate::Field::name`] has its bytes.
    Other,
}

impl Name {
    /// Recognises a name in any case, long or compact.
    #[must_use]
    pub fn from_bytes(name: &[u8]) -> Self {
        // The length and first letter pick at most a few candidates, so that a message costs one short comparison a header.
        let candidates: &[(&str, Self)] = match (name.len(), name.first().map(u8::to_ascii_lowercase)) {
            (1, Some(letter)) => return compact(letter),
            (2, _) => &[("To", Self::To)],
            (3, _) => &[("Via", Self::Via)],
            (4, Some(b'c')) => &[("CSeq", Self::CSeq)],
            (4, Some(b'f')) => &[("From", Self::From)],
            (4, Some(b'p')) => &[("Path", Self::Path)],
            (4, _) => &[("Date", Self::Date)],
            (5, Some(b'a')) => &[("Allow", Self::Allow)],
            (5, _) => &[("Route", Self::Route)],
            (6, Some(b'r')) => &[("Reason", Self::Reason)],
            (6, _) => &[("Server", Self::Server)],
            (7, Some(b'c')) => &[("Call-ID", Self::CallId), ("Contact", Self::Contact)],
            (7, Some(b'e')) => &[("Expires", Self::Expires)],
            (7, Some(b'w')) => &[("Warning", Self::Warning)],
            (7, _) => &[("Require", Self::Require)],
            (9, _) => &[("Supported", Self::Supported)],
            (10, Some(b'e')) => &[("Error-Info", Self::ErrorInfo)],
            (10, _) => &[("User-Agent", Self::UserAgent)],
            (11, Some(b'm')) => &[("Min-Expires", Self::MinExpires)],
            (11, Some(b'r')) => &[("Retry-After", Self::RetryAfter)],
            (11, _) => &[("Unsupported", Self::Unsupported)],
            (12, Some(b'c')) => &[("Content-Type", Self::ContentType)],
            (12, Some(b'm')) => &[("Max-Forwards", Self::MaxForwards)],
            (12, _) => &[("Record-Route", Self::RecordRoute)],
            (13, Some(b'a')) => &[("Authorization", Self::Authorization)],
            (13, _) => &[("Service-Route", Self::ServiceRoute)],
            (14, _) => &[("Content-Length", Self::ContentLength)],
            (16, _) => &[("WWW-Authenticate", Self::WwwAuthenticate)],
            (18, _) => &[("Proxy-Authenticate", Self::ProxyAuthenticate)],
            (19, Some(b'a')) => &[("Authentication-Info", Self::AuthenticationInfo)],
            (19, _) => &[("Proxy-Authorization", Self::ProxyAuthorization)],
            _ => &[],
        };
        candidates
            .iter()
            .find(|(text, _)| text.as_bytes().eq_ignore_ascii_case(name))
            .map_or(Self::Other, |(_, known)| *known)
    }
}

/// The compact forms of the headers that we read (RFC 3261 §7.3.3).
const fn compact(letter: u8) -> Name {
    match letter {
        b'c' => Name::ContentType,
        b'f' => Name::From,
        b'i' => Name::CallId,
        b'k' => Name::Supported,
        b'l' => Name::ContentLength,
        b'm' => Name::Contact,
        b't' => Name::To,
        b'v' => Name::Via,
        _ => Name::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_in_any_case() {
        for (text, name) in [
            ("aLLow", Name::Allow),
            ("AUTHENTICATION-INFO", Name::AuthenticationInfo),
            ("authorization", Name::Authorization),
            ("call-id", Name::CallId),
            ("contact", Name::Contact),
            ("content-length", Name::ContentLength),
            ("content-type", Name::ContentType),
            ("cseq", Name::CSeq),
            ("date", Name::Date),
            ("error-info", Name::ErrorInfo),
            ("expires", Name::Expires),
            ("from", Name::From),
            ("max-forwards", Name::MaxForwards),
            ("min-expires", Name::MinExpires),
            ("path", Name::Path),
            ("proxy-authenticate", Name::ProxyAuthenticate),
            ("proxy-authorization", Name::ProxyAuthorization),
            ("reason", Name::Reason),
            ("record-route", Name::RecordRoute),
            ("require", Name::Require),
            ("retry-after", Name::RetryAfter),
            ("route", Name::Route),
            ("server", Name::Server),
            ("service-route", Name::ServiceRoute),
            ("supported", Name::Supported),
            ("to", Name::To),
            ("unsupported", Name::Unsupported),
            ("user-agent", Name::UserAgent),
            ("via", Name::Via),
            ("warning", Name::Warning),
            ("www-authenticate", Name::WwwAuthenticate),
            ("c", Name::ContentType),
            ("f", Name::From),
            ("i", Name::CallId),
            ("k", Name::Supported),
            ("l", Name::ContentLength),
            ("m", Name::Contact),
            ("t", Name::To),
            ("v", Name::Via),
        ] {
            assert_eq!(Name::from_bytes(text.as_bytes()), name, "{text}");
            assert_eq!(Name::from_bytes(text.to_ascii_uppercase().as_bytes()), name, "{text}");
        }
    }

    #[test]
    fn compact_names_are_known_and_others_stay_other() {
        assert_eq!(Name::from_bytes(b"V"), Name::Via);
        assert_eq!(Name::from_bytes(b"m"), Name::Contact);
        assert_eq!(Name::from_bytes(b"z"), Name::Other);
        assert_eq!(Name::from_bytes(b"X-Contact"), Name::Other);
        assert_eq!(Name::from_bytes(b""), Name::Other);
    }
}
