//! Request methods (RFC 3261 §7.1). Names are case-sensitive; an unknown one keeps its bytes.

/// A request method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method<'a> {
    /// `REGISTER`
    Register,
    /// `OPTIONS`
    Options,
    /// `INVITE`
    Invite,
    /// `ACK`
    Ack,
    /// `BYE`
    Bye,
    /// `CANCEL`
    Cancel,
    /// `NOTIFY`
    Notify,
    /// Any other method, as its token.
    Other(&'a [u8]),
}

impl<'a> Method<'a> {
    /// The method named by these bytes.
    #[must_use]
    pub const fn from_bytes(name: &'a [u8]) -> Self {
        match name {
            b"REGISTER" => Self::Register,
            b"OPTIONS" => Self::Options,
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"NOTIFY" => Self::Notify,
            _ => Self::Other(name),
        }
    }

    /// The method's name on the wire.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Register => b"REGISTER",
            Self::Options => b"OPTIONS",
            Self::Invite => b"INVITE",
            Self::Ack => b"ACK",
            Self::Bye => b"BYE",
            Self::Cancel => b"CANCEL",
            Self::Notify => b"NOTIFY",
            Self::Other(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_sensitive_and_round_trip() {
        for name in [
            &b"REGISTER"[..],
            b"OPTIONS",
            b"INVITE",
            b"ACK",
            b"BYE",
            b"CANCEL",
            b"NOTIFY",
            b"register",
            b"FROBNICATE",
        ] {
            let method = Method::from_bytes(name);
            assert_eq!(method.as_bytes(), name);
            let is_unknown = matches!(name, b"register" | b"FROBNICATE");
            assert_eq!(matches!(method, Method::Other(_)), is_unknown, "{method:?}");
        }
    }
}
