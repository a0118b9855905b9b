//! Texts of the other side's that come again and again, such as a realm, a reason or a product: kept once, shared by all registrations.
//! Bounded, because whoever sends new ones for ever is remembered no better for it. Not for texts of one registration alone.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use crate::attempt::{LONGEST_SHOWN, shown};

/// The texts that came last. A text that is pushed out lives on where it is used.
#[derive(Debug)]
pub(crate) struct Texts {
    sets: Box<[Set]>,
    scratch: String,
}

/// Texts with like hashes, the one that was used last in front.
type Set = [Option<Arc<str>>; WAYS];

const SETS: usize = 64;
const WAYS: usize = 4;

impl Default for Texts {
    fn default() -> Self {
        Self {
            sets: vec![Set::default(); SETS].into(),
            scratch: String::new(),
        }
    }
}

impl Texts {
    /// Bytes from the wire as they are kept; see [`shown`].
    pub(crate) fn shown(&mut self, bytes: &[u8]) -> Arc<str> {
        let is_plain = bytes.len() <= LONGEST_SHOWN && is_plain(bytes);
        match str::from_utf8(bytes) {
            Ok(text) if is_plain => self.share(text),
            Ok(_) | Err(_) => self.share(&shown(bytes)),
        }
    }

    /// What formats itself.
    pub(crate) fn display(&mut self, value: impl Display) -> Arc<str> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        // Writing to a String cannot fail.
        let _ = write!(scratch, "{value}");
        let text = self.share(&scratch);
        self.scratch = scratch;
        text
    }

    /// The text that is equal to this one, new only when it did not come lately.
    pub(crate) fn share(&mut self, text: &str) -> Arc<str> {
        // FNV-1a. Who makes texts collide makes us forget them sooner, nothing else.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let place = usize::try_from((hash ^ (hash >> 32)) % SETS as u64).unwrap_or_default();
        let Some(set) = self.sets.get_mut(place) else {
            return text.into();
        };
        let known = set.iter().position(|known| known.as_deref() == Some(text));
        let [first, ..] = set;
        match (known, &first) {
            (Some(0), Some(first)) => Arc::clone(first),
            (Some(at), _) => {
                set.get_mut(..=at).unwrap_or_default().rotate_right(1);
                let [first, ..] = set;
                first.clone().unwrap_or_else(|| text.into())
            }
            (None, _) => {
                set.rotate_right(1);
                let [first, ..] = set;
                Arc::clone(first.insert(text.into()))
            }
        }
    }
}

/// Whether bytes are shown as they are: ASCII that can be seen, and spaces.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_equal_text_is_the_same_text() {
        let mut texts = Texts::default();
        let first = texts.shown(b"Unauthorized");
        assert!(Arc::ptr_eq(&first, &texts.share("Unauthorized")));
        assert!(Arc::ptr_eq(&first, &texts.display(format_args!("{}authorized", "Un"))));
        assert_eq!(&*texts.shown(b"\x1b[2J"), "\\x1b[2J");
    }

    #[test]
    fn a_flood_of_texts_is_not_kept() {
        let mut texts = Texts::default();
        let mut all: Vec<_> = (0..10_000).map(|number| texts.display(number)).collect();
        all.retain(|text| Arc::strong_count(text) > 1);
        assert_eq!(all.len(), SETS * WAYS);
    }

    proptest! {
        #[test]
        fn a_kept_text_reads_like_one_that_is_not(texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..40)) {
            let mut kept = Texts::default();
            for bytes in texts.iter().chain(&texts) {
                prop_assert_eq!(&*kept.shown(bytes), shown(bytes));
            }
        }
    }
}
