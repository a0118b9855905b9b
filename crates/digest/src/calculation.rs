//! The arithmetic of RFC 7616 §3.4 that client and server share: A1 of a session, A2, `response` and `rspauth`.

use zeroize::Zeroizing;

use crate::hash::{Hex, hash};
use crate::{Algorithm, Qop};

/// What goes into a digest beside the secret, each part exactly as it stands between the quotes on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calculation<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) nonce: &'a [u8],
    pub(crate) cnonce: &'a [u8],
    /// Eight hexadecimal digits.
    pub(crate) nonce_count: &'a [u8],
    pub(crate) qop: Option<Qop>,
    /// Empty for `rspauth`, whose A2 has no method (RFC 7616 §3.5).
    pub(crate) method: &'a [u8],
    pub(crate) uri: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Calculation<'_> {
    /// The digest from `H(username:realm:password)`.
    pub(crate) fn digest(&self, ha1: Zeroizing<Hex>) -> Hex {
        let key = self.key(ha1);
        let a2 = self.a2();
        match self.qop {
            // RFC 7616 §3.4.1: KD(H(A1), nonce:nc:cnonce:qop:H(A2)).
            Some(qop) => hash(
                self.algorithm,
                &[
                    key.as_bytes(),
                    self.nonce,
                    self.nonce_count,
                    self.cnonce,
                    qop.name().as_bytes(),
                    a2.as_bytes(),
                ],
            ),
            // RFC 2617 §3.2.2.1, for peers of RFC 2069: KD(H(A1), nonce:H(A2)).
            None => hash(self.algorithm, &[key.as_bytes(), self.nonce, a2.as_bytes()]),
        }
    }

    /// H(A1), RFC 7616 §3.4.2.
    ///
    /// We differ: for `-sess` the RFC keeps the first nonce and cnonce of a session even after `nextnonce`; peers without
    /// memory of sessions use those of the request at hand, and so do we. Both agree as long as a nonce keeps its cnonce.
    fn key(&self, ha1: Zeroizing<Hex>) -> Zeroizing<Hex> {
        if self.algorithm.is_session() {
            Zeroizing::new(hash(self.algorithm, &[ha1.as_bytes(), self.nonce, self.cnonce]))
        } else {
            ha1
        }
    }

    /// H(A2), RFC 7616 §3.4.3.
    fn a2(&self) -> Hex {
        match self.qop {
            Some(Qop::AuthInt) => {
                let body = hash(self.algorithm, &[self.body]);
                hash(self.algorithm, &[self.method, self.uri, body.as_bytes()])
            }
            Some(Qop::Auth) | None => hash(self.algorithm, &[self.method, self.uri]),
        }
    }
}

/// The nonce count as it is hashed and sent: eight lower-case hexadecimal digits (RFC 7616 §3.4).
pub(crate) fn count_digits(count: u32) -> [u8; 8] {
    let mut digits = [0; 8];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(count.to_be_bytes()) {
        pair.copy_from_slice(&[crate::hash::digit(byte >> 4), crate::hash::digit(byte & 15)]);
    }
    digits
}

/// The number of a nonce count; `None` unless it is eight hexadecimal digits.
pub(crate) fn parse_count(digits: &[u8]) -> Option<u32> {
    if digits.len() != 8 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_count_is_eight_lower_case_hexadecimal_digits() {
        assert_eq!(&count_digits(1), b"00000001");
        assert_eq!(&count_digits(16), b"00000010");
        assert_eq!(&count_digits(u32::MAX), b"ffffffff");
        assert_eq!(parse_count(b"0000001A"), Some(26));
        for wrong in [&b"1"[..], b"+0000001", b"0000000g", b"000000001", b""] {
            assert_eq!(parse_count(wrong), None);
        }
    }
}
