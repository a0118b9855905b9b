//! Digest access authentication for SIP (RFC 7616, RFC 8760), client and server side, as pure functions.
