//! `H()` of RFC 7616 §3.1 with its result as hexadecimal digits in a fixed array, and the comparison that leaks no timing.

use md5::Md5;
use md5::digest::Digest;
use sha2::{Sha256, Sha512_256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize;

use crate::Algorithm;

/// A digest as lower-case hexadecimal digits.
#[derive(Clone)]
pub(crate) struct Hex {
    digits: [u8; LONGEST],
    length: usize,
}

/// The most digits that a digest has: 256 bits.
const LONGEST: usize = 64;

/// `H(part:part:...)` by the algorithm's hash; `-sess` makes no difference here.
pub(crate) fn hash(algorithm: Algorithm, parts: &[&[u8]]) -> Hex {
    match algorithm.plain() {
        Algorithm::Md5 | Algorithm::Md5Sess => digest::<Md5>(parts),
        Algorithm::Sha256 | Algorithm::Sha256Sess => digest::<Sha256>(parts),
        Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => digest::<Sha512_256>(parts),
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Hex {
    let mut state = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            state.update(b":");
        }
        state.update(part);
    }
    Hex::of(&state.finalize())
}

impl Hex {
    fn of(bytes: &[u8]) -> Self {
        let mut digits = [0; LONGEST];
        let mut length = 0;
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            length += 2;
        }
        Self { digits, length }
    }

    /// Digits that are there already, such as a stored HA1; at most 64 are taken.
    pub(crate) fn from_digits(text: &[u8]) -> Self {
        let mut digits = [0; LONGEST];
        let mut length = 0;
        for (place, digit) in digits.iter_mut().zip(text) {
            *place = *digit;
            length += 1;
        }
        Self { digits, length }
    }

    /// The digits.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }

    /// True when the peer gave the same digest, in any case of the digits. The time depends on the length alone.
    pub(crate) fn matches(&self, given: &[u8]) -> bool {
        let mut lower = Self::from_digits(given);
        lower.digits.make_ascii_lowercase();
        given.len() == self.length && lower.as_bytes().ct_eq(self.as_bytes()).into()
    }
}

impl Zeroize for Hex {
    fn zeroize(&mut self) {
        self.digits.zeroize();
    }
}

/// The digit for a number below 16.
pub(crate) const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_gives_its_standard_digest_of_the_empty_string() {
        let empty = |algorithm| String::from_utf8(hash(algorithm, &[b""]).as_bytes().to_vec()).unwrap();
        assert_eq!(empty(Algorithm::Md5), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(
            empty(Algorithm::Sha256),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            empty(Algorithm::Sha512_256),
            "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"
        );
    }

    #[test]
    fn parts_are_joined_by_colons() {
        for algorithm in Algorithm::ALL {
            let joined = hash(algorithm, &[b"a:b::c"]);
            assert_eq!(hash(algorithm, &[b"a", b"b", b"", b"c"]).as_bytes(), joined.as_bytes());
            assert_eq!(joined.as_bytes().len(), algorithm.digits());
        }
    }

    #[test]
    fn a_match_ignores_case_and_nothing_else() {
        let hex = hash(Algorithm::Md5, &[b""]);
        assert!(hex.matches(b"D41D8CD98F00B204E9800998ECF8427E"));
        assert!(!hex.matches(b"d41d8cd98f00b204e9800998ecf8427f"));
        assert!(!hex.matches(b"d41d8cd98f00b204e9800998ecf8427"));
        assert!(!hex.matches(b"d41d8cd98f00b204e9800998ecf8427e0"));
        assert!(!hex.matches(&[b'd'; 100]));
        assert!(!hex.matches(b""));
    }

    #[test]
    fn a_digest_can_be_wiped() {
        let mut hex = hash(Algorithm::Sha256, &[b"secret"]);
        hex.zeroize();
        assert_eq!(hex.as_bytes(), [0; 64]);
    }
}
