//! What is said about each anomaly: name, weight, one sentence, and the paragraph that decides. A table and nothing else.

use super::{Anomaly, Weight};

/// What there is to say about an anomaly.
pub(super) struct Text {
    pub(super) anomaly: Anomaly,
    pub(super) name: &'static str,
    pub(super) weight: Weight,
    pub(super) meaning: &'static str,
    pub(super) reference: &'static str,
}

const fn error(anomaly: Anomaly, name: &'static str, meaning: &'static str, reference: &'static str) -> Text {
    of(Weight::Error, anomaly, name, meaning, reference)
}

const fn fault(anomaly: Anomaly, name: &'static str, meaning: &'static str, reference: &'static str) -> Text {
    of(Weight::Fault, anomaly, name, meaning, reference)
}

const fn note(anomaly: Anomaly, name: &'static str, meaning: &'static str, reference: &'static str) -> Text {
    of(Weight::Note, anomaly, name, meaning, reference)
}

const fn of(weight: Weight, anomaly: Anomaly, name: &'static str, meaning: &'static str, reference: &'static str) -> Text {
    Text {
        anomaly,
        name,
        weight,
        meaning,
        reference,
    }
}

/// One row for each variant of [`Anomaly`], in their order.
pub(super) static TEXTS: [Text; 60] = [
    error(
        Anomaly::Empty,
        "empty",
        "there is nothing but white space: no message",
        "RFC 3261 §7",
    ),
    error(
        Anomaly::MessageTooLong,
        "message_too_long",
        "the message is longer than 64 KiB, which no datagram holds; it is not read",
        "RFC 3261 §18.1.1",
    ),
    error(
        Anomaly::StartLineMalformed,
        "start_line_malformed",
        "the first line is neither a request line (METHOD URI SIP/2.0) nor a status line (SIP/2.0 CODE REASON)",
        "RFC 3261 §7.1, §7.2",
    ),
    error(
        Anomaly::SipVersionUnknown,
        "sip_version_unknown",
        "the first line names another version than SIP/2.0",
        "RFC 3261 §7.1",
    ),
    error(
        Anomaly::HeadUnfinished,
        "head_unfinished",
        "no empty line ends the headers",
        "RFC 3261 §7",
    ),
    error(
        Anomaly::HeadTooLong,
        "head_too_long",
        "the start line and the headers are longer than 32 KiB; they are not read",
        "RFC 3261 §21.5.7",
    ),
    error(
        Anomaly::TooManyHeaders,
        "too_many_headers",
        "there are more than 256 headers; the message is not read",
        "RFC 3261 §21.5.7",
    ),
    note(
        Anomaly::LeadingLineEnds,
        "leading_line_ends",
        "line ends or blanks stand before the start line; they are skipped",
        "RFC 3261 §7.5",
    ),
    fault(
        Anomaly::BareLf,
        "bare_lf",
        "the line ends in LF without CR; it is read as a line end",
        "RFC 3261 §7",
    ),
    fault(
        Anomaly::BareCr,
        "bare_cr",
        "a CR without LF stands inside the line; it is read as a blank",
        "RFC 3261 §7",
    ),
    note(
        Anomaly::Folded,
        "folded",
        "the header goes on in the next line; the fold is read as one blank, and some servers do not know it",
        "RFC 3261 §7.3.1",
    ),
    fault(
        Anomaly::FoldWithoutHeader,
        "fold_without_header",
        "the first line behind the start line opens with a blank, as if it went on with a header; it is passed over",
        "RFC 3261 §7.3.1",
    ),
    fault(
        Anomaly::NotUtf8,
        "not_utf8",
        "the line holds bytes that are not UTF-8; they are kept as they are",
        "RFC 3261 §7.3.1",
    ),
    fault(
        Anomaly::NulByte,
        "nul_byte",
        "the line holds a NUL byte, where many programs stop reading",
        "RFC 3261 §25.1",
    ),
    fault(
        Anomaly::ControlByte,
        "control_byte",
        "the line holds control bytes, which no header may hold outside of an escape in a quoted string",
        "RFC 3261 §25.1",
    ),
    note(
        Anomaly::SpaceBeforeColon,
        "space_before_colon",
        "white space stands between the header's name and its colon; that is allowed, and some servers do not know it",
        "RFC 3261 §7.3.1",
    ),
    fault(
        Anomaly::NoColon,
        "no_colon",
        "the line has no colon, so it is no header; it is passed over",
        "RFC 3261 §7.3.1",
    ),
    fault(
        Anomaly::BadHeaderName,
        "bad_header_name",
        "what stands before the colon is no header name; the line is passed over",
        "RFC 3261 §25.1",
    ),
    note(
        Anomaly::CompactForm,
        "compact_form",
        "the header's name is in its compact form, which means the same as the long one",
        "RFC 3261 §7.3.3",
    ),
    fault(
        Anomaly::StartLineSpacing,
        "start_line_spacing",
        "the parts of the start line are not divided by one blank each, or blanks end it; it is read all the same",
        "RFC 3261 §7.1, §7.2",
    ),
    note(
        Anomaly::SipVersionCase,
        "sip_version_case",
        "the version is not written SIP/2.0, in capitals, as it has to be sent",
        "RFC 3261 §7.1",
    ),
    fault(
        Anomaly::RequestUriMalformed,
        "request_uri_malformed",
        "the Request-URI is no URI",
        "RFC 3261 §19.1.1",
    ),
    fault(
        Anomaly::MissingHeader,
        "missing_header",
        "a header is missing that every such message must have",
        "RFC 3261 §8.1.1, §8.2.6.2",
    ),
    fault(
        Anomaly::DuplicateHeader,
        "duplicate_header",
        "the header stands there again, although it may stand there only once; the first one counts",
        "RFC 3261 §7.3.1",
    ),
    note(
        Anomaly::ContentLengthMissing,
        "content_length_missing",
        "Content-Length is missing; a datagram may leave it out, on TCP and TLS nobody can tell where the message ends",
        "RFC 3261 §20.14",
    ),
    fault(
        Anomaly::ContentLengthMalformed,
        "content_length_malformed",
        "Content-Length is no number; a datagram's body is then all that follows, and a connection is closed",
        "RFC 3261 §20.14",
    ),
    fault(
        Anomaly::ContentLengthConflicting,
        "content_length_conflicting",
        "Content-Length is given several times with different values; for a datagram the first one counts, and a connection is closed",
        "RFC 3261 §20.14",
    ),
    fault(
        Anomaly::ContentLengthTooLarge,
        "content_length_too_large",
        "Content-Length says more bytes than there are; the body is cut short",
        "RFC 3261 §18.3",
    ),
    fault(
        Anomaly::ContentLengthTooSmall,
        "content_length_too_small",
        "bytes follow behind the body that Content-Length says; in a datagram they are left out",
        "RFC 3261 §18.3",
    ),
    note(
        Anomaly::TrailingLineEnds,
        "trailing_line_ends",
        "line ends follow behind the body; they are left out",
        "RFC 3261 §18.3",
    ),
    fault(
        Anomaly::ContentTypeMissing,
        "content_type_missing",
        "there is a body and no Content-Type that says what it is",
        "RFC 3261 §20.15",
    ),
    fault(
        Anomaly::ViaProtocol,
        "via_protocol",
        "a Via does not open with SIP/2.0/TRANSPORT",
        "RFC 3261 §20.42",
    ),
    fault(
        Anomaly::ViaSentBy,
        "via_sent_by",
        "a Via has no usable host and port behind the transport",
        "RFC 3261 §20.42",
    ),
    fault(
        Anomaly::ViaNoBranch,
        "via_no_branch",
        "a Via has no branch, so that replies match requests by older rules",
        "RFC 3261 §8.1.1.7",
    ),
    fault(
        Anomaly::ViaNoCookie,
        "via_no_cookie",
        "the branch of a Via does not open with z9hG4bK, so that it says nothing to servers of today",
        "RFC 3261 §8.1.1.7",
    ),
    fault(
        Anomaly::CseqMalformed,
        "cseq_malformed",
        "CSeq is not a number and a method",
        "RFC 3261 §20.16",
    ),
    fault(
        Anomaly::CseqOutOfRange,
        "cseq_out_of_range",
        "the number of CSeq is 2³¹ or more",
        "RFC 3261 §8.1.1.5",
    ),
    fault(
        Anomaly::CseqMethodMismatch,
        "cseq_method_mismatch",
        "CSeq names another method than the request line",
        "RFC 3261 §8.1.1.5",
    ),
    fault(
        Anomaly::CallIdMalformed,
        "call_id_malformed",
        "Call-ID is empty or not one word, or two words around an @",
        "RFC 3261 §25.1",
    ),
    fault(
        Anomaly::AddressMalformed,
        "address_malformed",
        "an address cannot be read: a quote or < that never closes, or no URI",
        "RFC 3261 §20.10",
    ),
    fault(
        Anomaly::UriMalformed,
        "uri_malformed",
        "the URI of an address is malformed",
        "RFC 3261 §19.1.1",
    ),
    fault(
        Anomaly::UriNeedsBrackets,
        "uri_needs_brackets",
        "a URI with a question mark or comma in it stands without < and >, so that it is anybody's guess where it ends",
        "RFC 3261 §20",
    ),
    fault(
        Anomaly::DisplayNameUnquoted,
        "display_name_unquoted",
        "a display name holds what only a quoted one may hold; it is taken as it stands",
        "RFC 3261 §25.1",
    ),
    fault(Anomaly::FromTagMissing, "from_tag_missing", "From has no tag", "RFC 3261 §8.1.1.3"),
    fault(
        Anomaly::ToTagMissing,
        "to_tag_missing",
        "To has no tag, which every response but 100 adds",
        "RFC 3261 §8.2.6.2",
    ),
    fault(
        Anomaly::TagEmpty,
        "tag_empty",
        "the tag is there and empty; it is read as none",
        "RFC 3261 §19.3",
    ),
    fault(
        Anomaly::ContactStar,
        "contact_star",
        "Contact is * beside another Contact, or elsewhere than in a REGISTER with Expires: 0",
        "RFC 3261 §10.2.2",
    ),
    fault(
        Anomaly::ContactExpiresMalformed,
        "contact_expires_malformed",
        "the expires of a Contact is no plain number below 2³²: quotes are passed over, less than zero counts as 0, more as the most, anything else as none",
        "RFC 3261 §20.10",
    ),
    fault(
        Anomaly::ContactQMalformed,
        "contact_q_malformed",
        "the q of a Contact is no number from 0 to 1 with up to three decimals",
        "RFC 3261 §25.1",
    ),
    fault(
        Anomaly::NumberMalformed,
        "number_malformed",
        "the value is no number; the header counts as unreadable",
        "RFC 3261 §25.1",
    ),
    fault(
        Anomaly::NumberOutOfRange,
        "number_out_of_range",
        "the number is larger than the header can have",
        "RFC 3261 §20.19, §20.22",
    ),
    fault(
        Anomaly::NumberTrailing,
        "number_trailing",
        "something follows the number; it is passed over",
        "RFC 3261 §25.1",
    ),
    fault(Anomaly::DateNotGmt, "date_not_gmt", "Date is not in GMT", "RFC 3261 §20.17"),
    fault(
        Anomaly::ChallengeMalformed,
        "challenge_malformed",
        "a challenge cannot be read: a parameter is malformed or given twice, or a quote never closes",
        "RFC 3261 §20.44",
    ),
    fault(
        Anomaly::ChallengeIncomplete,
        "challenge_incomplete",
        "a Digest challenge lacks its realm or nonce, so that it cannot be answered",
        "RFC 7616 §3.3",
    ),
    note(
        Anomaly::ChallengesInOneHeader,
        "challenges_in_one_header",
        "several challenges stand in one header; SIP wants one in each",
        "RFC 3261 §7.3.1",
    ),
    fault(
        Anomaly::CredentialsMalformed,
        "credentials_malformed",
        "credentials cannot be read: a parameter is malformed or given twice, or a quote never closes",
        "RFC 3261 §20.7",
    ),
    fault(
        Anomaly::AuthenticationInfoMalformed,
        "authentication_info_malformed",
        "Authentication-Info cannot be read",
        "RFC 7615 §3",
    ),
    fault(
        Anomaly::WarningMalformed,
        "warning_malformed",
        "a Warning is not a code of three digits, an agent and a quoted text",
        "RFC 3261 §20.43",
    ),
    fault(
        Anomaly::ReasonMalformed,
        "reason_malformed",
        "a Reason has no protocol",
        "RFC 3326 §2",
    ),
];
