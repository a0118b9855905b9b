//! Nonces: issued unpredictably, good for a while, each count of theirs usable once (RFC 7616 §3.3, §5.4, §5.5). Not the digest itself.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use rand::Rng;
use rand_chacha::ChaCha12Rng;

/// The nonces that were issued and are remembered. The oldest are forgotten first.
#[derive(Debug)]
pub(crate) struct Nonces {
    issued: BTreeMap<u128, Nonce>,
    order: VecDeque<u128>,
    lifetime: Duration,
    capacity: usize,
}

#[derive(Debug)]
struct Nonce {
    issued_at: Instant,
    highest_count: u32,
}

/// What a nonce that came back with a right digest is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// Issued here, young enough, and this count of it is new.
    Good,
    /// Not issued here, forgotten, or too old: ask again with `stale=true`.
    Stale,
    /// This count was used before: ask again as well, but somebody may be listening.
    Replayed,
}

impl Nonces {
    pub(crate) const fn new(lifetime: Duration, capacity: usize) -> Self {
        Self {
            issued: BTreeMap::new(),
            order: VecDeque::new(),
            lifetime,
            capacity,
        }
    }

    /// A new nonce: 128 random bits as 32 hexadecimal digits.
    pub(crate) fn issue(&mut self, now: Instant, random: &mut ChaCha12Rng) -> String {
        let nonce = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
        while self.order.len() >= self.capacity.max(1) {
            self.forget_oldest();
        }
        self.order.push_back(nonce);
        self.issued.insert(
            nonce,
            Nonce {
                issued_at: now,
                highest_count: 0,
            },
        );
        format!("{nonce:032x}")
    }

    /// Uses one count of a nonce; `None` for credentials without count, which may use a nonce as long as it lives.
    pub(crate) fn redeem(&mut self, now: Instant, nonce: &[u8], count: Option<u32>) -> Worth {
        let Some(known) = parse(nonce).and_then(|nonce| self.issued.get_mut(&nonce)) else {
            return Worth::Stale;
        };
        if now.saturating_duration_since(known.issued_at) >= self.lifetime {
            return Worth::Stale;
        }
        match count {
            Some(count) if count <= known.highest_count => Worth::Replayed,
            Some(count) => {
                known.highest_count = count;
                Worth::Good
            }
            None => Worth::Good,
        }
    }

    /// True for a nonce that was issued here and is young enough.
    pub(crate) fn is_live(&self, now: Instant, nonce: &[u8]) -> bool {
        let known = parse(nonce).and_then(|nonce| self.issued.get(&nonce));
        known.is_some_and(|known| now.saturating_duration_since(known.issued_at) < self.lifetime)
    }

    /// How many nonces are held.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.issued.len().max(self.order.len())
    }

    /// Drops the nonces that are too old.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(oldest) = self.order.front().and_then(|nonce| self.issued.get(nonce)) {
            if now.saturating_duration_since(oldest.issued_at) < self.lifetime {
                return;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.order.pop_front() {
            self.issued.remove(&oldest);
        }
    }
}

/// Only the exact text that was issued is the nonce.
fn parse(text: &[u8]) -> Option<u128> {
    let written = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    if text.len() != 32 || !text.iter().all(written) {
        return None;
    }
    u128::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::testing::start;

    const LIFETIME: Duration = Duration::from_secs(300);

    #[test]
    fn each_count_of_a_nonce_is_good_once_and_in_order() {
        let mut nonces = Nonces::new(LIFETIME, 10);
        let nonce = nonces.issue(start(), &mut ChaCha12Rng::from_seed([1; 32]));
        let mut redeem = |count| nonces.redeem(start(), nonce.as_bytes(), count);
        assert_eq!(redeem(Some(1)), Worth::Good);
        assert_eq!(redeem(Some(1)), Worth::Replayed);
        assert_eq!(redeem(Some(3)), Worth::Good);
        assert_eq!(redeem(Some(2)), Worth::Replayed);
        assert_eq!(redeem(Some(0)), Worth::Replayed);
        assert_eq!(redeem(None), Worth::Good);
    }

    #[test]
    fn old_and_foreign_nonces_are_stale() {
        let mut nonces = Nonces::new(LIFETIME, 10);
        let nonce = nonces.issue(start(), &mut ChaCha12Rng::from_seed([1; 32]));
        let foreign = ["", "x", &"f".repeat(32), &nonce.to_uppercase(), &format!("+{}", &nonce[1..])];
        for text in foreign {
            assert_eq!(nonces.redeem(start(), text.as_bytes(), Some(1)), Worth::Stale, "{text}");
        }
        assert_eq!(nonces.redeem(start() + LIFETIME, nonce.as_bytes(), Some(1)), Worth::Stale);
        nonces.expire(start() + LIFETIME);
        assert!(nonces.issued.is_empty() && nonces.order.is_empty());
    }

    #[test]
    fn the_oldest_nonce_makes_room() {
        let mut nonces = Nonces::new(LIFETIME, 2);
        let mut random = ChaCha12Rng::from_seed([1; 32]);
        let issued: Vec<_> = (0..3).map(|_| nonces.issue(start(), &mut random)).collect();
        let worth: Vec<_> = issued.iter().map(|nonce| nonces.redeem(start(), nonce.as_bytes(), None)).collect();
        assert_eq!(worth, [Worth::Stale, Worth::Good, Worth::Good]);
        assert_eq!(nonces.issued.len(), 2);
    }
}
