//! Status codes and the phrases that people expect beside them (RFC 3261 §7.2, §21, and the IANA registry).

/// A status code between 100 and 699.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

/// The first digit of a status code (RFC 3261 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusClass {
    /// 1xx: the request is being worked on.
    Provisional,
    /// 2xx: accepted.
    Success,
    /// 3xx: ask elsewhere.
    Redirection,
    /// 4xx: this request cannot be fulfilled here.
    ClientError,
    /// 5xx: this server failed.
    ServerError,
    /// 6xx: it cannot be fulfilled anywhere.
    GlobalFailure,
}

/// The codes that servers of ours give.
impl Status {
    /// 100 Trying.
    pub const TRYING: Self = Self(100);
    /// 200 OK.
    pub const OK: Self = Self(200);
    /// 302 Moved Temporarily.
    pub const MOVED_TEMPORARILY: Self = Self(302);
    /// 400 Bad Request.
    pub const BAD_REQUEST: Self = Self(400);
    /// 401 Unauthorized.
    pub const UNAUTHORIZED: Self = Self(401);
    /// 403 Forbidden.
    pub const FORBIDDEN: Self = Self(403);
    /// 404 Not Found.
    pub const NOT_FOUND: Self = Self(404);
    /// 405 Method Not Allowed.
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    /// 407 Proxy Authentication Required.
    pub const PROXY_AUTHENTICATION_REQUIRED: Self = Self(407);
    /// 416 Unsupported URI Scheme.
    pub const UNSUPPORTED_URI_SCHEME: Self = Self(416);
    /// 420 Bad Extension.
    pub const BAD_EXTENSION: Self = Self(420);
    /// 423 Interval Too Brief.
    pub const INTERVAL_TOO_BRIEF: Self = Self(423);
    /// 439 First Hop Lacks Outbound Support.
    pub const FIRST_HOP_LACKS_OUTBOUND: Self = Self(439);
    /// 480 Temporarily Unavailable.
    pub const TEMPORARILY_UNAVAILABLE: Self = Self(480);
    /// 481 Call/Transaction Does Not Exist.
    pub const NO_SUCH_DIALOG: Self = Self(481);
    /// 501 Not Implemented.
    pub const NOT_IMPLEMENTED: Self = Self(501);
    /// 503 Service Unavailable.
    pub const SERVICE_UNAVAILABLE: Self = Self(503);
}

impl Status {
    /// A status code, or `None` outside 100 to 699.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        if code >= 100 && code <= 699 { Some(Self(code)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The class that the first digit says.
    #[must_use]
    pub const fn class(self) -> StatusClass {
        match self.0 / 100 {
            1 => StatusClass::Provisional,
            2 => StatusClass::Success,
            3 => StatusClass::Redirection,
            4 => StatusClass::ClientError,
            5 => StatusClass::ServerError,
            _ => StatusClass::GlobalFailure,
        }
    }

    /// The usual reason phrase; `None` for a code that is seldom seen.
    #[must_use]
    pub const fn phrase(self) -> Option<&'static str> {
        Some(match self.0 {
            100 => "Trying",
            180 => "Ringing",
            183 => "Session Progress",
            200 => "OK",
            202 => "Accepted",
            300 => "Multiple Choices",
            301 => "Moved Permanently",
            302 => "Moved Temporarily",
            305 => "Use Proxy",
            400 => "Bad Request",
            401 => "Unauthorized",
            402 => "Payment Required",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            406 => "Not Acceptable",
            407 => "Proxy Authentication Required",
            408 => "Request Timeout",
            410 => "Gone",
            413 => "Request Entity Too Large",
            416 => "Unsupported URI Scheme",
            420 => "Bad Extension",
            421 => "Extension Required",
            423 => "Interval Too Brief",
            430 => "Flow Failed",
            439 => "First Hop Lacks Outbound Support",
            480 => "Temporarily Unavailable",
            481 => "Call/Transaction Does Not Exist",
            482 => "Loop Detected",
            483 => "Too Many Hops",
            486 => "Busy Here",
            488 => "Not Acceptable Here",
            494 => "Security Agreement Required",
            500 => "Server Internal Error",
            501 => "Not Implemented",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Server Time-out",
            505 => "Version Not Supported",
            513 => "Message Too Large",
            600 => "Busy Everywhere",
            603 => "Decline",
            604 => "Does Not Exist Anywhere",
            606 => "Not Acceptable",
            607 => "Unwanted",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_digit_says_the_class() {
        let class = |code| Status::new(code).map(Status::class);
        for (hundreds, expected) in (1..).zip([
            StatusClass::Provisional,
            StatusClass::Success,
            StatusClass::Redirection,
            StatusClass::ClientError,
            StatusClass::ServerError,
            StatusClass::GlobalFailure,
        ]) {
            assert_eq!(class(100 * hundreds), Some(expected));
            assert_eq!(class(100 * hundreds + 99), Some(expected));
        }
    }

    #[test]
    fn a_usual_code_has_a_phrase_and_beyond_the_classes_there_is_none() {
        assert_eq!(Status::NO_SUCH_DIALOG.phrase(), Some("Call/Transaction Does Not Exist"));
        assert_eq!(Status::new(299).map(Status::phrase), Some(None));
        assert_eq!((Status::new(99), Status::new(700)), (None, None));
    }
}
