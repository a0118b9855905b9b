//! The Via branch as an address: it names the registration and the request, so that a reply finds both without a table
//! (RFC 3261 §8.1.1.7, §17.1.3). The second half is drawn at random and known to nobody else.

use sip_message::{Headers, Name, Value};

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
    /// Writes the branch as it goes out.
    pub(crate) fn write(self, value: &mut Value<'_>) {
        let digits = |number: u32| usize::try_from(number.checked_ilog2().unwrap_or_default() / 4 + 1).unwrap_or(8);
        let Key { index, generation } = self.key;
        value.text(COOKIE).hexadecimal(index.into(), digits(index));
        value.text(b"-").hexadecimal(generation.into(), digits(generation));
        value.text(b".").hexadecimal(self.nonce.into(), 16);
    }

    /// The branch of the topmost Via, if it is of our making. A Via that is broken elsewhere still counts.
    pub(crate) fn of(headers: &Headers<'_>) -> Option<Self> {
        Self::find(headers.first(Name::Via)?)
    }

    /// The first branch of our making anywhere in these bytes; for messages that cannot be read.
    pub(crate) fn find(bytes: &[u8]) -> Option<Self> {
        let opens = |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(COOKIE));
        let at = memchr::memchr_iter(b'z', bytes).find(opens)?;
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

/// At most sixteen hexadecimal digits and what follows them.
fn hexadecimal(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    let mut length = 0;
    for digit in bytes.iter().map_while(|byte| char::from(*byte).to_digit(16)) {
        number = number << 4 | u64::from(digit);
        length += 1;
        if length > 16 {
            return None;
        }
    }
    let rest = bytes.get(length..).filter(|_| length > 0)?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sip_message::Writer;

    use super::*;

    proptest! {
        #[test]
        fn a_branch_reads_back(index: u32, generation: u32, nonce: u64) {
            let branch = Branch { key: Key { index, generation }, nonce };
            let mut request = Vec::new();
            Writer::request(&mut request, b"M", b"u").header("Via", |via| {
                branch.write(via.text(b"SIP/2.0/UDP 127.0.0.1;rport;branch="));
                via.text(b";received=127.0.0.1");
            });
            prop_assert_eq!(Branch::find(&request), Some(branch));
            let text = format!("branch=z9hG4bK{index:x}-{generation:x}.{nonce:016x};");
            prop_assert!(String::from_utf8(request).unwrap().contains(&text));
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
