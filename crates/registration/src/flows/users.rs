//! The registrations that use a flow, and the user parts that they asked to bind on it: few bytes each, and nothing allocated by who is
//! there already. User parts are kept as hashes; whoever looks for one asks the registration itself.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use crate::Key;

/// The users of one flow.
#[derive(Debug, Default)]
pub(super) struct Users {
    /// Those that sent on it last, or wait for it to open, each with what it claims.
    claims: BTreeMap<Key, Option<Claim>>,
    /// The same the other way round.
    by_claim: BTreeSet<(Claim, Key)>,
}

/// The hash of the user part of a Contact; that of no bytes for a Contact without one. Two user parts may have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim(NonZeroU32);

impl Claim {
    /// FNV-1a with 64 bits, folded. Who makes user parts collide has made the registrations of one flow slower to find, nothing else.
    pub(crate) fn of(user: impl Iterator<Item = u8>) -> Self {
        let hash = user.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let folded = hash ^ (hash >> 32);
        let [.., a, b, c, d] = folded.to_be_bytes();
        Self(NonZeroU32::new(u32::from_be_bytes([a, b, c, d])).unwrap_or(NonZeroU32::MIN))
    }
}

impl Users {
    /// Takes a registration in. Who is in already keeps its claim. True when it was not.
    pub(super) fn join(&mut self, key: Key) -> bool {
        let before = self.claims.len();
        self.claims.entry(key).or_default();
        self.claims.len() > before
    }

    /// True when it was there.
    pub(super) fn leave(&mut self, key: Key) -> bool {
        let left = self.claims.remove(&key);
        if let Some(Some(claim)) = left {
            self.by_claim.remove(&(claim, key));
        }
        left.is_some()
    }

    /// Notes what a user claims instead of what it claimed before.
    pub(super) fn claim(&mut self, key: Key, claim: Claim) {
        let Some(claimed) = self.claims.get_mut(&key).filter(|claimed| **claimed != Some(claim)) else {
            return;
        };
        if let Some(former) = claimed.replace(claim) {
            self.by_claim.remove(&(former, key));
        }
        self.by_claim.insert((claim, key));
    }

    /// Who claims this; without a claim, whoever claims anything.
    pub(super) fn claimants(&self, claim: Option<Claim>) -> impl Iterator<Item = Key> + '_ {
        let these = claim.map(|claim| self.by_claim.range((claim, Key::FIRST)..=(claim, Key::LAST)));
        let all = claim.is_none().then(|| self.claims.iter().filter(|(_, claim)| claim.is_some()));
        let these = these.into_iter().flatten().map(|(_, key)| *key);
        these.chain(all.into_iter().flatten().map(|(key, _)| *key))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.claims.keys().copied()
    }

    pub(super) fn into_keys(self) -> Vec<Key> {
        self.claims.into_keys().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.claims.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_holds_until_its_registration_leaves_or_claims_another() {
        let keys = [1, 2, u32::MAX].map(|index| Key { index, generation: index });
        let claim = |user: &str| Claim::of(user.bytes());
        let mut users = Users::default();
        for (key, user) in keys.into_iter().zip(["a", "b", "b"]) {
            users.join(key);
            users.claim(key, claim(user));
        }
        let claimants = |users: &Users, user: Option<&str>| users.claimants(user.map(claim)).collect::<Vec<_>>();
        assert_eq!(claimants(&users, Some("b")), keys[1..]);
        assert_eq!(claimants(&users, None), keys);
        users.join(keys[0]);
        assert_eq!(claimants(&users, Some("a")), keys[..1], "who is there already keeps its claim");
        users.claim(keys[0], claim("c"));
        assert!(claimants(&users, Some("a")).is_empty());
        assert_eq!(claimants(&users, Some("c")), keys[..1]);
        users.leave(keys[0]);
        users.claim(keys[0], claim("c"));
        assert!(claimants(&users, Some("c")).is_empty(), "who is not there claims nothing");
    }

    #[test]
    fn user_parts_hash_apart() {
        let claims: BTreeSet<Claim> = (0..10_000).map(|number| Claim::of(format!("user{number}").bytes())).collect();
        assert!(claims.len() > 9_990, "{}", claims.len());
    }
}
