//! Where ezk-sip-types 0.6 and we read an input differently.

use crate::opinion::Field::{Body, CSeq, CallId, Challenge, Contact, Expires, From, Message, Start, To, Via};
use crate::table::Peer::Ezk;
use crate::table::Right::{Either, Ours, Theirs};
use crate::table::{ADDRESSES, Disagreement};
use crate::traits as t;

#[rustfmt::skip] // Three lines a row: the input, its witness, the decision.
pub(crate) const ROWS: &[Disagreement] = &[
    Disagreement::of(Ezk, "empty lines before the message", t::keep_alives, &[Message])
        .shown(b"\r\n\r\nSIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n\r\n", "read", "unreadable")
        .decided("RFC 3261 §7.5", Ours),
    Disagreement::of(Ezk, "a head that is not UTF-8", t::not_utf_8, &[Message])
        .shown(b"SIP/2.0 403 f\xfcr Sie\r\nCSeq: 1 REGISTER\r\n\r\n", "read", "unreadable")
        .decided("RFC 3261 §7.2, §25.1 TEXT-UTF8char", Theirs("a refusal in Latin-1 is still a refusal: the probe has to report it")),
    Disagreement::of(Ezk, "a fold behind the start line", t::no_header, &[Message])
        .shown(b"SIP/2.0 200 OK\r\n fold\r\nCSeq: 1 REGISTER\r\n\r\n", "read", "unreadable")
        .decided("RFC 3261 §7.3.1", Either),
    Disagreement::of(Ezk, "a Request-URI of another scheme", t::other_scheme, &[Message])
        .shown(b"OPTIONS nobodyknows:opaque SIP/2.0\r\nCSeq: 8 OPTIONS\r\n\r\n", "read", "unreadable")
        .decided("RFC 4475 §3.3.2, RFC 3261 §8.2.2.1", Ours),
    Disagreement::of(Ezk, "brackets or spaces around the Request-URI", t::odd_request_line, &[Message])
        .shown(b"OPTIONS sip:remote@h SIP/2.0  \r\nCSeq: 8 OPTIONS\r\n\r\n", "read", "unreadable")
        .decided("RFC 4475 §3.1.2.7, §3.1.2.10", Either),
    Disagreement::of(Ezk, "a Request-URI with an IPv6 address without brackets, or with a colon too many", t::odd_ipv6, &[Message])
        .shown(b"REGISTER sip:2001:db8::10 SIP/2.0\r\nCSeq: 8 REGISTER\r\n\r\n", "read", "unreadable")
        .decided("RFC 5118 §4.2, §4.10", Theirs("without brackets it is invalid, and sent all the same; the third colon is to be forgiven")),
    Disagreement::of(Ezk, "a method that begins like a known one", t::other_method, &[CSeq, Start])
        .shown(b"SIP/2.0 200 OK\r\nCSeq: 8 REGISTERED\r\n\r\n", "8 REGISTERED", "8 REGISTER")
        .decided("RFC 3261 §7.1, §25.1 extension-method", Ours),
    Disagreement::of(Ezk, "a method in lower case", t::other_method, &[CSeq, Start])
        .shown(b"SIP/2.0 200 OK\r\nCSeq: 8 register\r\n\r\n", "8 register", "8 REGISTER")
        .decided("RFC 3261 §7.1", Ours),
    Disagreement::of(Ezk, "a CSeq without a space", t::no_space, &[CSeq])
        .shown(b"SIP/2.0 200 OK\r\nCSeq: 8REGISTER\r\n\r\n", "unreadable", "8 REGISTER")
        .decided("RFC 3261 §25.1 CSeq, LWS", Ours),
    Disagreement::of(Ezk, "an escaped sign in a token", t::percent, &[Via, From, To])
        .shown(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%66\r\n\r\n", "UDP h branch z9hG4bK%66 received - rport -", "UDP h branch z9hG4bKf received - rport -")
        .decided("RFC 4475 §3.1.1.5, RFC 3261 §25.1 token", Ours),
    Disagreement::of(Ezk, "a percent sign in a URI parameter, escaped", t::percent, ADDRESSES)
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h;n=%25%34%31>\r\n\r\n", "sip:a@h;n=%41", "sip:a@h;n=a")
        .decided("RFC 3261 §19.1.2", Ours),
    Disagreement::of(Ezk, "a Via whose port stands behind a space", t::spaces, &[Via])
        .shown(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h : 5060;branch=z9hG4bK1\r\n\r\n", "UDP h:5060 branch z9hG4bK1 received - rport -", "UDP h branch - received - rport -")
        .decided("RFC 3261 §25.1 sent-by, COLON", Ours),
    Disagreement::of(Ezk, "an escaped quote or backslash in a quoted name", t::escape, ADDRESSES)
        .shown(b"SIP/2.0 200 OK\r\nContact: \"a \\\"b\\\"\" <sip:a@h>\r\n\r\n", "sip:a@h", "unreadable")
        .decided("RFC 3261 §25.1 quoted-pair", Ours),
    Disagreement::of(Ezk, "a quote that never closes", t::unclosed, &[To, From, Contact])
        .shown(b"SIP/2.0 200 OK\r\nTo: \"Mr. User <sip:user@h>\r\n\r\n", "unreadable", "sip:user@h tag -")
        .decided("RFC 4475 §3.1.2.6", Ours),
    Disagreement::of(Ezk, "spaces between the brackets and the URI", t::spaces, &[To, From, Contact])
        .shown(b"SIP/2.0 200 OK\r\nTo: < sip:user@h >\r\n\r\n", "sip:user@h tag -", "unreadable")
        .decided("RFC 4475 §3.1.2.14", Either),
    Disagreement::of(Ezk, "an address of another scheme", t::other_scheme, &[To, From, Contact])
        .shown(b"SIP/2.0 200 OK\r\nTo: <tel:+491234>\r\n\r\n", "tel:+491234 tag -", "unreadable")
        .decided("RFC 4475 §3.3.4, RFC 3261 §20.39", Ours),
    Disagreement::of(Ezk, "an address with IPv6 without brackets", t::odd_ipv6, ADDRESSES)
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@2001:db8::9>\r\n\r\n", "sip:a@[2001:db8::9]", "unreadable")
        .decided("RFC 5118 §4.2", Theirs("invalid, and sent by real registrars; there is no other way to read it")),
    Disagreement::of(Ezk, "a parameter's name in upper case", t::upper_case, &[Contact, From, To, Via])
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h>;EXPIRES=60\r\n\r\n", "sip:a@h expires 60", "sip:a@h")
        .decided("RFC 3261 §7.3.1", Ours),
    Disagreement::of(Ezk, "a Contact that cannot be read, before others", t::unclosed, &[Contact])
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h;x, <sip:b@h>\r\nContact: <sip:c@h>\r\n\r\n", "unreadable | sip:b@h | sip:c@h", "sip:c@h")
        .decided("RFC 4475 §3.1.2.6", Either),
    Disagreement::of(Ezk, "a Contact of another scheme, before others", t::other_scheme, &[Contact])
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h>, <tel:+491>, <sip:b@h>\r\n\r\n", "sip:a@h | tel:+491 | sip:b@h", "sip:a@h")
        .decided("RFC 3261 §20.10", Ours),
    Disagreement::of(Ezk, "a Contact of *", t::star, &[Contact])
        .shown(b"SIP/2.0 200 OK\r\nContact: *\r\n\r\n", "*", "unreadable")
        .decided("RFC 3261 §10.2.2, §25.1 STAR", Ours),
    Disagreement::of(Ezk, "expires of more than 32 bits", t::too_large, &[Contact])
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h>;expires=4294967296\r\n\r\n", "sip:a@h expires 4294967295", "sip:a@h")
        .decided("RFC 4475 §3.1.2.4", Either),
    Disagreement::of(Ezk, "expires below zero", t::negative, &[Contact])
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h>;expires=-1\r\n\r\n", "sip:a@h expires 0", "sip:a@h")
        .decided("RFC 3261 §25.1 delta-seconds", Theirs("some registrars count on below zero when a binding has run out")),
    Disagreement::of(Ezk, "an Expires of more than 32 bits", t::too_large, &[Expires])
        .shown(b"SIP/2.0 200 OK\r\nExpires: 4294967296\r\n\r\n", "4294967295", "unreadable")
        .decided("RFC 4475 §3.1.2.4", Either),
    Disagreement::of(Ezk, "an Expires with something behind it", t::trailing, &[Expires])
        .shown(b"SIP/2.0 200 OK\r\nExpires: 60 ;x=y\r\n\r\n", "60", "unreadable")
        .decided("RFC 3261 §25.1 Expires", Either),
    Disagreement::of(Ezk, "a scheme that is not spelled Digest", t::other_spelling, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: DIGEST realm=\"r\", nonce=\"n\"\r\n\r\n", "realm r nonce n opaque - algorithm md5 qop  stale false", "DIGEST")
        .decided("RFC 3261 §7.3.1, RFC 7235 §2.1", Ours),
    Disagreement::of(Ezk, "a parameter of a challenge in upper case", t::upper_case, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest Realm=\"r\", NONCE=\"n\"\r\n\r\n", "realm r nonce n opaque - algorithm md5 qop  stale false", "unreadable")
        .decided("RFC 3261 §7.3.1", Ours),
    Disagreement::of(Ezk, "an escaped quote in a realm", t::escape, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"a \\\"b\\\"\", nonce=\"n\"\r\n\r\n", "realm a \\\"b\\\" nonce n opaque - algorithm md5 qop  stale false", "unreadable")
        .decided("RFC 3261 §25.1 quoted-pair", Ours),
    Disagreement::of(Ezk, "an empty realm or opaque", t::empty_quotes, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"\", nonce=\"n\"\r\n\r\n", "realm  nonce n opaque - algorithm md5 qop  stale false", "unreadable")
        .decided("RFC 3261 §25.1 quoted-string", Ours),
    Disagreement::of(Ezk, "a challenge that cannot be read, beside one that can", t::several_challenges, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n", "unreadable | realm r nonce n opaque - algorithm md5 qop  stale false", "realm r nonce n opaque - algorithm md5 qop  stale false")
        .decided("RFC 3261 §25.1 challenge", Either),
    Disagreement::of(Ezk, "a Content-Length that is no number", t::bad_length, &[Body])
        .shown(b"SIP/2.0 200 OK\r\nContent-Length: -1\r\n\r\nabc", "abc", "unreadable")
        .decided("RFC 4475 §3.1.2.3", Theirs("in a datagram the end is known all the same; a stream is closed by `Framer`")),
    Disagreement::of(Ezk, "a Call-ID over several lines", t::folded, &[CallId])
        .shown(b"SIP/2.0 200 OK\r\nCall-ID: a\r\n b\r\n\r\n", "a b", "a\\x0d\\x0a b")
        .decided("RFC 3261 §7.3.1", Ours),
];
