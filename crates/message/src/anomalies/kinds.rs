//! The anomalies that [`crate::inspect`] tells apart and what is said about them. Not for finding them; the words themselves are in
//! `texts`.

use super::texts::{TEXTS, Text};

/// Something in a message that is not as it should be, or that a reader stumbles over. Each variant is documented by its name in
/// reports; [`Anomaly::meaning`] says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anomaly {
    /// `empty`
    Empty,
    /// `message_too_long`
    MessageTooLong,
    /// `start_line_malformed`
    StartLineMalformed,
    /// `sip_version_unknown`
    SipVersionUnknown,
    /// `head_unfinished`
    HeadUnfinished,
    /// `head_too_long`
    HeadTooLong,
    /// `too_many_headers`
    TooManyHeaders,
    /// `leading_line_ends`
    LeadingLineEnds,
    /// `bare_lf`
    BareLf,
    /// `bare_cr`
    BareCr,
    /// `folded`
    Folded,
    /// `fold_without_header`
    FoldWithoutHeader,
    /// `not_utf8`
    NotUtf8,
    /// `nul_byte`
    NulByte,
    /// `control_byte`
    ControlByte,
    /// `space_before_colon`
    SpaceBeforeColon,
    /// `no_colon`
    NoColon,
    /// `bad_header_name`
    BadHeaderName,
    /// `compact_form`
    CompactForm,
    /// `start_line_spacing`
    StartLineSpacing,
    /// `sip_version_case`
    SipVersionCase,
    /// `request_uri_malformed`
    RequestUriMalformed,
    /// `missing_header`
    MissingHeader,
    /// `duplicate_header`
    DuplicateHeader,
    /// `content_length_missing`
    ContentLengthMissing,
    /// `content_length_malformed`
    ContentLengthMalformed,
    /// `content_length_conflicting`
    ContentLengthConflicting,
    /// `content_length_too_large`
    ContentLengthTooLarge,
    /// `content_length_too_small`
    ContentLengthTooSmall,
    /// `trailing_line_ends`
    TrailingLineEnds,
    /// `content_type_missing`
    ContentTypeMissing,
    /// `via_protocol`
    ViaProtocol,
    /// `via_sent_by`
    ViaSentBy,
    /// `via_no_branch`
    ViaNoBranch,
    /// `via_no_cookie`
    ViaNoCookie,
    /// `cseq_malformed`
    CseqMalformed,
    /// `cseq_out_of_range`
    CseqOutOfRange,
    /// `cseq_method_mismatch`
    CseqMethodMismatch,
    /// `call_id_malformed`
    CallIdMalformed,
    /// `address_malformed`
    AddressMalformed,
    /// `uri_malformed`
    UriMalformed,
    /// `uri_needs_brackets`
    UriNeedsBrackets,
    /// `display_name_unquoted`
    DisplayNameUnquoted,
    /// `from_tag_missing`
    FromTagMissing,
    /// `to_tag_missing`
    ToTagMissing,
    /// `tag_empty`
    TagEmpty,
    /// `contact_star`
    ContactStar,
    /// `contact_expires_malformed`
    ContactExpiresMalformed,
    /// `contact_q_malformed`
    ContactQMalformed,
    /// `number_malformed`
    NumberMalformed,
    /// `number_out_of_range`
    NumberOutOfRange,
    /// `number_trailing`
    NumberTrailing,
    /// `date_not_gmt`
    DateNotGmt,
    /// `challenge_malformed`
    ChallengeMalformed,
    /// `challenge_incomplete`
    ChallengeIncomplete,
    /// `challenges_in_one_header`
    ChallengesInOneHeader,
    /// `credentials_malformed`
    CredentialsMalformed,
    /// `authentication_info_malformed`
    AuthenticationInfoMalformed,
    /// `warning_malformed`
    WarningMalformed,
    /// `reason_malformed`
    ReasonMalformed,
}

/// How much an anomaly weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// The message cannot be used: [`crate::Message::parse`] refuses it.
    Error,
    /// Against the RFC; the message is read all the same.
    Fault,
    /// Allowed, and worth knowing.
    Note,
}

impl Anomaly {
    /// All of them, the errors first.
    pub const ALL: [Self; TEXTS.len()] = {
        let mut all = [Self::Empty; TEXTS.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = TEXTS[at].anomaly;
            at += 1;
        }
        all
    };

    /// The name, which does not change between versions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.text().name
    }

    /// How much it weighs.
    #[must_use]
    pub const fn weight(self) -> Weight {
        self.text().weight
    }

    /// What it is, and what becomes of it: a sentence for people, without a full stop.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.text().meaning
    }

    /// Where the RFC says how it ought to be.
    #[must_use]
    pub const fn reference(self) -> &'static str {
        self.text().reference
    }

    /// The table has a row for each variant, in their order.
    const fn text(self) -> &'static Text {
        &TEXTS[self as usize]
    }
}

impl Weight {
    /// The name, which does not change between versions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Fault => "fault",
            Self::Note => "note",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants_and_complete() {
        for (at, text) in TEXTS.iter().enumerate() {
            assert_eq!(text.anomaly as usize, at, "{}", text.name);
        }
        assert_eq!(Anomaly::ALL.len(), Anomaly::ReasonMalformed as usize + 1);
    }

    #[test]
    fn names_are_different_words_and_sentences_have_a_paragraph() {
        let names: BTreeSet<_> = Anomaly::ALL.iter().map(|anomaly| anomaly.name()).collect();
        assert_eq!(names.len(), Anomaly::ALL.len());
        for anomaly in Anomaly::ALL {
            let name = anomaly.name();
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'8')),
                "{name}"
            );
            assert!(!anomaly.meaning().ends_with('.') && !anomaly.meaning().contains('|'), "{name}");
            assert!(anomaly.reference().starts_with("RFC "), "{name}");
        }
    }
}
