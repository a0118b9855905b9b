//! The Via branch as an address: it names the registration and the request, so that a reply finds both without a table
//! (RFC 3261 §8.1.1.7, §17.1.3). The second half is drawn at random and known to nobody else.

use sip_message::{Headers, Name};

use crate::Key;

/// RFC 3261 §8.1.1.7: every branch of ours opens with this.
const COOKIE: &[u8] = b"z9hG4bK";

/// Which request of which registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) key: Key,
    pub(crate) nonce: u64,
}

impl Branch {
    /// The branch of the topmost Via, if it is of our making. A Via that is broken elsewhere still counts.
    pub(crate) fn of(headers: &Headers<'_>) -> Option<Self> {
        Self::find(headers.first(Name::Via)?)
    }

    /// The first branch of our making anywhere in these bytes; for messages that cannot be read.
    pub(crate) fn find(bytes: &[u8]) -> Option<Self> {
        let at = memchr::memmem::find(bytes, COOKIE)?;
        let (index, rest) = hexadecimal(bytes.get(at + COOKIE.len()..)?)?;
        let (generation, rest) = hexadecimal(rest.strip_prefix(b"-")?)?;
        let (nonce, _) = hexadecimal(rest.strip_prefix(b".")?)?;
        let key = Key {
            index: u32::try_from(index).ok()?,
            generation: u32::try_from(generation).ok()?,
        };
        Some(Self { key, nonce })
    }
}

impl std::fmt::Display for Branch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "z9hG4bK{:x}-{:x}.{:016x}", self.key.index, self.key.generation, self.nonce)
    }
}

/// At most sixteen hexadecimal digits and what follows them.
fn hexadecimal(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at_checked(end)?;
    Some((u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_branch_reads_back(index: u32, generation: u32, nonce: u64) {
            let branch = Branch { key: Key { index, generation }, nonce };
            let via = format!("SIP/2.0/UDP 127.0.0.1;rport;branch={branch};received=127.0.0.1");
            prop_assert_eq!(Branch::find(via.as_bytes()), Some(branch));
        }

        #[test]
        fn arbitrary_bytes_are_never_a_panic(bytes: Vec<u8>, tail in "z9hG4bK[0-9a-f.-]{0,60}") {
            let _ = Branch::find(&bytes);
            let _ = Branch::find(tail.as_bytes());
        }
    }

    #[test]
    fn somebody_elses_branch_is_not_ours() {
        assert_eq!(Branch::find(b"branch=z9hG4bKabcdef"), None);
        assert_eq!(Branch::find(b"branch=z9hG4bK1-1.fffffffffffffffff"), None);
    }
}
