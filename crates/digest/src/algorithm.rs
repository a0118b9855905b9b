//! The algorithms (RFC 7616 §6.1, RFC 8760 §2.1) and qualities of protection (RFC 7616 §3.3) that are supported. Not the hashing itself.

use std::fmt;

/// A digest algorithm. A greater one is stronger: SHA-512-256 over SHA-256 over MD5, and of one hash the session variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `MD5`, also meant by a challenge that names no algorithm.
    Md5,
    /// `MD5-sess`.
    Md5Sess,
    /// `SHA-256`.
    Sha256,
    /// `SHA-256-sess`.
    Sha256Sess,
    /// `SHA-512-256`: SHA-512/256 of FIPS 180-4.
    Sha512_256,
    /// `SHA-512-256-sess`.
    Sha512_256Sess,
}

/// What a response protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qop {
    /// `auth`: method and URI.
    Auth,
    /// `auth-int`: the body as well.
    AuthInt,
}

impl Algorithm {
    /// Every algorithm, the weakest first.
    pub const ALL: [Self; 6] = [
        Self::Md5,
        Self::Md5Sess,
        Self::Sha256,
        Self::Sha256Sess,
        Self::Sha512_256,
        Self::Sha512_256Sess,
    ];

    /// The registered name, such as `SHA-256-sess`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
            Self::Sha512_256 => "SHA-512-256",
            Self::Sha512_256Sess => "SHA-512-256-sess",
        }
    }

    /// The algorithm of this name, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// True for the `-sess` variants, whose A1 mixes in nonce and cnonce (RFC 7616 §3.4.2).
    #[must_use]
    pub const fn is_session(self) -> bool {
        match self {
            Self::Md5Sess | Self::Sha256Sess | Self::Sha512_256Sess => true,
            Self::Md5 | Self::Sha256 | Self::Sha512_256 => false,
        }
    }

    /// The variant without `-sess`: the same hash, and so the same HA1.
    #[must_use]
    pub const fn plain(self) -> Self {
        match self {
            Self::Md5 | Self::Md5Sess => Self::Md5,
            Self::Sha256 | Self::Sha256Sess => Self::Sha256,
            Self::Sha512_256 | Self::Sha512_256Sess => Self::Sha512_256,
        }
    }

    /// How many hexadecimal digits its digests have: 32 or 64.
    #[must_use]
    pub const fn digits(self) -> usize {
        match self.plain() {
            Self::Md5 | Self::Md5Sess => 32,
            Self::Sha256 | Self::Sha256Sess | Self::Sha512_256 | Self::Sha512_256Sess => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Qop {
    /// The name on the wire: `auth` or `auth-int`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    /// The quality of protection of this name, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        [Self::Auth, Self::AuthInt]
            .into_iter()
            .find(|qop| qop.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Qop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_in_any_case() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.name().to_lowercase().as_bytes()), Some(algorithm));
            assert_eq!(algorithm.to_string(), algorithm.name());
            assert_eq!(algorithm.is_session(), algorithm.name().ends_with("-sess"));
        }
        assert_eq!(Algorithm::parse(b"SHA256"), None);
        assert_eq!(Algorithm::parse(b"AKAv1-MD5"), None);
        assert_eq!(Qop::parse(b"AUTH-int"), Some(Qop::AuthInt));
        assert_eq!(Qop::parse(b"auth-conf"), None);
        assert_eq!(
            (Qop::Auth.to_string(), Qop::AuthInt.to_string()),
            ("auth".into(), "auth-int".into())
        );
    }

    #[test]
    fn the_order_is_the_order_of_strength() {
        assert!(Algorithm::ALL.is_sorted());
        assert!(Algorithm::Md5Sess > Algorithm::Md5 && Algorithm::Sha256 > Algorithm::Md5Sess);
    }
}
