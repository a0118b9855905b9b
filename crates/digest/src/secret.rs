//! What proves who the user is: a password, or the HA1 that was computed from it once (RFC 7616 §3.4.2). Never shown, wiped when dropped.

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::hash::{Hex, hash};
use crate::{Algorithm, AnswerError};

/// A password or a precomputed HA1.
#[derive(Debug, Clone)]
pub enum Secret {
    /// The password: answers every algorithm.
    Password(SecretString),
    /// `H(username:realm:password)`: answers only challenges of its own hash, and only for its own user and realm.
    Ha1(Ha1),
}

/// A precomputed HA1; made by [`Secret::ha1`].
#[derive(Debug, Clone)]
pub struct Ha1 {
    algorithm: Algorithm,
    hex: SecretString,
}

/// Why a text is no HA1. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretError {
    /// Not as many digits as the algorithm's digests have.
    #[error("HA1 for {algorithm} has {expected} hexadecimal digits, not {found} characters")]
    Length {
        /// The algorithm that it was to be for.
        algorithm: Algorithm,
        /// The digits of its digests.
        expected: usize,
        /// The characters found, in bytes.
        found: usize,
    },
    /// Upper-case digits: RFC 7616 hashes the lower-case ones, so the answer would be another.
    #[error("HA1 has upper-case digits, it is written in lower case")]
    Case,
    /// Something that is no hexadecimal digit.
    #[error("HA1 has a character that is no hexadecimal digit")]
    Alphabet,
}

impl Secret {
    /// Reads a precomputed HA1: lower-case hexadecimal digits, nothing around them. `-sess` in the algorithm makes no difference.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn ha1(algorithm: Algorithm, hex: &str) -> Result<Self, SecretError> {
        let algorithm = algorithm.plain();
        if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(SecretError::Alphabet);
        }
        if hex.len() != algorithm.digits() {
            return Err(SecretError::Length {
                algorithm,
                expected: algorithm.digits(),
                found: hex.len(),
            });
        }
        if hex.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(SecretError::Case);
        }
        Ok(Self::Ha1(Ha1 {
            algorithm,
            hex: SecretString::from(hex),
        }))
    }

    /// Whether both are the same password, or the same HA1. Takes no longer for secrets that are more alike.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let same = |one: &SecretString, other: &SecretString| {
            let (one, other) = (one.expose_secret().as_bytes(), other.expose_secret().as_bytes());
            bool::from(one.ct_eq(other))
        };
        match (self, other) {
            (Self::Password(one), Self::Password(other)) => same(one, other),
            (Self::Ha1(one), Self::Ha1(other)) => one.algorithm == other.algorithm && same(&one.hex, &other.hex),
            (Self::Password(_), Self::Ha1(_)) | (Self::Ha1(_), Self::Password(_)) => false,
        }
    }

    /// Whether this secret can answer a challenge of this algorithm.
    ///
    /// # Errors
    /// [`AnswerError::Ha1Algorithm`] for an HA1 of another hash.
    pub fn fits(&self, algorithm: Algorithm) -> Result<(), AnswerError> {
        match self {
            Self::Ha1(ha1) if ha1.algorithm != algorithm.plain() => Err(AnswerError::Ha1Algorithm {
                held: ha1.algorithm,
                asked: algorithm,
            }),
            Self::Ha1(_) | Self::Password(_) => Ok(()),
        }
    }

    /// `H(username:realm:password)` for the algorithm's hash.
    pub(crate) fn digits(&self, algorithm: Algorithm, username: &[u8], realm: &[u8]) -> Result<Zeroizing<Hex>, AnswerError> {
        self.fits(algorithm)?;
        Ok(Zeroizing::new(match self {
            Self::Password(password) => hash(algorithm, &[username, realm, password.expose_secret().as_bytes()]),
            Self::Ha1(ha1) => Hex::from_digits(ha1.hex.expose_secret().as_bytes()),
        }))
    }
}

impl Ha1 {
    /// The hash that it was computed with; never a `-sess` one.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "939e7578ed9e3c518a452acee763bce9";

    #[test]
    fn an_ha1_of_wrong_length_case_or_alphabet_is_refused() {
        assert!(Secret::ha1(Algorithm::Md5Sess, MD5).is_ok());
        let refused = |algorithm, text: &str| Secret::ha1(algorithm, text).unwrap_err();
        assert_eq!(refused(Algorithm::Md5, &MD5.to_uppercase()), SecretError::Case);
        assert_eq!(refused(Algorithm::Md5, &MD5.replace('9', "g")), SecretError::Alphabet);
        assert_eq!(refused(Algorithm::Md5, &format!("{MD5}\n")), SecretError::Alphabet);
        let length = SecretError::Length {
            algorithm: Algorithm::Sha256,
            expected: 64,
            found: 32,
        };
        assert_eq!(refused(Algorithm::Sha256Sess, MD5), length);
        assert!(refused(Algorithm::Md5, "").to_string().contains("32 hexadecimal digits"));
    }

    #[test]
    fn an_ha1_fits_only_its_own_hash() {
        let secret = Secret::ha1(Algorithm::Md5, MD5).unwrap();
        assert_eq!(secret.fits(Algorithm::Md5Sess), Ok(()));
        let error = AnswerError::Ha1Algorithm {
            held: Algorithm::Md5,
            asked: Algorithm::Sha256,
        };
        assert_eq!(secret.fits(Algorithm::Sha256), Err(error));
    }

    #[test]
    fn a_password_and_its_ha1_are_the_same_secret() {
        let password = Secret::Password("Circle Of Life".into());
        let digits = password.digits(Algorithm::Md5, b"Mufasa", b"testrealm@host.com").unwrap();
        assert_eq!(digits.as_bytes(), MD5.as_bytes());
    }

    #[test]
    fn the_same_secret_is_known_again_and_no_other() {
        let [one, other] = ["hunter2", "hunter3"].map(|text| Secret::Password(text.into()));
        let hash = Secret::ha1(Algorithm::Md5, MD5).unwrap();
        assert!(one.is_same(&one.clone()) && hash.is_same(&Secret::ha1(Algorithm::Md5Sess, MD5).unwrap()));
        assert!(!one.is_same(&other) && !one.is_same(&hash) && !hash.is_same(&one));
        let flipped = MD5.replace('9', "8");
        assert!(!hash.is_same(&Secret::ha1(Algorithm::Md5, &flipped).unwrap()));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!(
            "{:?}{:?}",
            Secret::Password("hunter2".into()),
            Secret::ha1(Algorithm::Md5, MD5).unwrap()
        );
        assert!(!shown.contains("hunter2") && !shown.contains(MD5), "{shown}");
    }
}
