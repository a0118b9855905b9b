//! Decisions out of bytes: the fuzzer's bytes decide what happens, and once they are used up every decision is zero.

/// Bytes that are used up by deciding.
#[derive(Debug)]
pub(crate) struct Draw<'a>(&'a [u8]);

/// Everybody's password: it must not be seen anywhere, unless the fuzzer put it there.
pub(crate) const PASSWORD: &str = "canary-password";

/// Whether the password is to be seen.
pub(crate) fn shows_password(bytes: &[u8]) -> bool {
    // Many times faster under a fuzzer than window by window: the standard library is not instrumented.
    String::from_utf8_lossy(bytes).contains(PASSWORD)
}

impl<'a> Draw<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *byte
    }

    /// A number below `limit`, which is at most 256; zero for no limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()).checked_rem(limit).unwrap_or(0)
    }

    /// True once in so many.
    pub(crate) fn once_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 1
    }

    pub(crate) fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub(crate) fn number(&mut self) -> u32 {
        // Mostly small, at times as large as can be.
        match self.byte() {
            0xff => u32::from(self.short()) << 16 | u32::from(self.short()),
            small @ 0..=0x7f => small.into(),
            0x80..=0xfe => self.short().into(),
        }
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = self.below(from.len());
        *from.get(index).expect("an index below the length of a list that is not empty")
    }

    /// At most `limit` bytes, at most 255.
    pub(crate) fn bytes(&mut self, limit: usize) -> &'a [u8] {
        let length = self.below(limit + 1).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    /// At most `limit` bytes of text.
    pub(crate) fn text(&mut self, limit: usize) -> String {
        String::from_utf8_lossy(self.bytes(limit)).into_owned()
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide_until_they_are_used_up() {
        let mut draw = Draw::new(&[5, 3, b'a', b'b', b'c', 0xff, 1, 2, 3, 4, 7]);
        assert_eq!(draw.below(4), 1);
        assert_eq!(draw.bytes(10), b"abc");
        assert_eq!(draw.number(), 0x0102_0304);
        assert_eq!(draw.pick(&[1, 2, 3]), 2);
        assert!(draw.is_empty());
        assert_eq!((draw.byte(), draw.short(), draw.number(), draw.text(9)), (0, 0, 0, String::new()));
    }
}
