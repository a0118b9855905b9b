//! The disagreements: what the input is like, who differs in which fields, and the paragraph that decides. `docs/testing.md` shows it.

use crate::opinion::Field;
use crate::traits::Trait;
use crate::{table_ezk, table_rsip};

/// Who is asked beside us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    /// ezk-sip-types.
    Ezk,
    /// rsip.
    Rsip,
}

impl Peer {
    pub(crate) const ALL: [Self; 2] = [Self::Ezk, Self::Rsip];

    /// The crate's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ezk => "ezk-sip-types",
            Self::Rsip => "rsip",
        }
    }
}

/// Who is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// We are.
    Ours,
    /// The paragraph allows both, or leaves a malformed value to its reader.
    Either,
    /// The peer keeps closer to the letter. We differ on purpose: the reason.
    Theirs(&'static str),
}

/// A kind of input that we and a peer read differently.
pub(crate) struct Disagreement {
    /// Who reads it differently.
    pub(crate) peer: Peer,
    /// What the input is like, for people.
    pub(crate) input: &'static str,
    /// The same, for the test.
    pub(crate) found_by: Trait,
    /// The fields in which it shows, the witness's first.
    pub(crate) fields: &'static [Field],
    /// The smallest message that shows it.
    pub(crate) witness: &'static [u8],
    /// What we say of the first field there.
    pub(crate) ours: &'static str,
    /// What the peer says.
    pub(crate) theirs: &'static str,
    /// What decides.
    pub(crate) paragraph: &'static str,
    /// In whose favour.
    pub(crate) right: Right,
}

impl Disagreement {
    /// On what input, told by which trait, and in which fields.
    pub(crate) const fn of(peer: Peer, input: &'static str, found_by: Trait, fields: &'static [Field]) -> Self {
        Self {
            peer,
            input,
            found_by,
            fields,
            witness: b"",
            ours: "",
            theirs: "",
            paragraph: "",
            right: Right::Either,
        }
    }

    /// The smallest message that shows it, and what we and the peer say of it.
    pub(crate) const fn shown(self, witness: &'static [u8], ours: &'static str, theirs: &'static str) -> Self {
        Self {
            witness,
            ours,
            theirs,
            ..self
        }
    }

    /// The paragraph, and in whose favour.
    pub(crate) const fn decided(self, paragraph: &'static str, right: Right) -> Self {
        Self { paragraph, right, ..self }
    }
}

/// Every row, by peer.
pub(crate) fn all() -> impl Iterator<Item = &'static Disagreement> {
    table_ezk::ROWS.iter().chain(table_rsip::ROWS)
}

/// The fields that hold addresses.
pub(crate) const ADDRESSES: &[Field] = &[Field::Contact, Field::From, Field::To];
