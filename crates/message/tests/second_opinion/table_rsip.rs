//! Where rsip 0.4 and we read an input differently.

use crate::opinion::Field::{Body, CSeq, CallId, Challenge, Contact, Expires, From, Message, Start, To, Via};
use crate::table::Peer::Rsip;
use crate::table::Right::{Either, Ours, Theirs};
use crate::table::{ADDRESSES, Disagreement};
use crate::traits as t;

#[rustfmt::skip] // Three lines a row: the input, its witness, the decision.
pub(crate) const ROWS: &[Disagreement] = &[
    Disagreement::of(Rsip, "a compact name", t::compact_name, &[CallId, Via, From, To, Contact])
        .shown(b"SIP/2.0 200 OK\r\ni: c@h\r\n\r\n", "c@h", "absent")
        .decided("RFC 3261 §7.3.3", Ours),
    Disagreement::of(Rsip, "a header over several lines", t::folded, &[Message])
        .shown(b"SIP/2.0 200 OK\r\nCall-ID:\r\n c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 3261 §7.3.1", Ours),
    Disagreement::of(Rsip, "a space before the colon", t::space_before_colon, &[Message])
        .shown(b"SIP/2.0 200 OK\r\nCall-ID : c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 3261 §7.3.1", Ours),
    Disagreement::of(Rsip, "lines that end in LF alone", t::line_feeds, &[Message])
        .shown(b"SIP/2.0 200 OK\nCall-ID: c@h\n\n", "read", "unreadable")
        .decided("RFC 3261 §7", Theirs("every other parser takes them, and so do peers that write them")),
    Disagreement::of(Rsip, "empty lines before the message", t::keep_alives, &[Message])
        .shown(b"\r\n\r\nSIP/2.0 200 OK\r\nCall-ID: c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 3261 §7.5", Ours),
    Disagreement::of(Rsip, "a head that is not UTF-8", t::not_utf_8, &[Message])
        .shown(b"SIP/2.0 403 f\xfcr Sie\r\nCall-ID: c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 3261 §7.2, §25.1 TEXT-UTF8char", Theirs("a refusal in Latin-1 is still a refusal: the probe has to report it")),
    Disagreement::of(Rsip, "a line that is no header", t::no_header, &[Message])
        .shown(b"SIP/2.0 200 OK\r\nnothing\r\nCall-ID: c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 3261 §8.1.3.3, §16.3", Either),
    Disagreement::of(Rsip, "a status line without the space before its empty reason", t::bare_status, &[Message])
        .shown(b"SIP/2.0 404\r\nCall-ID: c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 3261 §7.2", Theirs("the code is what counts, and it is there")),
    Disagreement::of(Rsip, "a head that never ends", t::unfinished, &[Message])
        .shown(b"SIP/2.0 200 OK\r\nCall-ID: c@h\r\nExpires: 60\r\n", "unreadable", "read")
        .decided("RFC 3261 §7", Ours),
    Disagreement::of(Rsip, "a Request-URI with an IPv6 address", t::ipv6, &[Message])
        .shown(b"REGISTER sip:[2001:db8::10] SIP/2.0\r\nCall-ID: c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 5118 §4.1", Ours),
    Disagreement::of(Rsip, "a Request-URI of another scheme", t::other_scheme, &[Message, Start])
        .shown(b"OPTIONS nobodyknows:opaque SIP/2.0\r\nCall-ID: c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 4475 §3.3.2, RFC 3261 §8.2.2.1", Ours),
    Disagreement::of(Rsip, "a Request-URI with headers", t::uri_headers, &[Message])
        .shown(b"INVITE sip:u@h?Route=%3Csip:x%3E SIP/2.0\r\nCall-ID: c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 4475 §3.1.2.11", Either),
    Disagreement::of(Rsip, "spaces around the Request-URI", t::odd_request_line, &[Message])
        .shown(b"OPTIONS sip:u@h SIP/2.0  \r\nCall-ID: c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 4475 §3.1.2.9, §3.1.2.10", Either),
    Disagreement::of(Rsip, "a Request-URI in brackets", t::odd_request_line, &[Start])
        .shown(b"INVITE <sip:u@h> SIP/2.0\r\nCall-ID: c@h\r\n\r\n", "INVITE unreadable", "INVITE <sip:u@h>")
        .decided("RFC 4475 §3.1.2.7", Ours),
    Disagreement::of(Rsip, "a method that it does not know", t::other_method, &[Message])
        .shown(b"NEWMETHOD sip:u@h SIP/2.0\r\nCall-ID: c@h\r\n\r\n", "read", "unreadable")
        .decided("RFC 3261 §7.1, §25.1 extension-method", Ours),
    Disagreement::of(Rsip, "a CSeq with a method that it does not know", t::other_method, &[CSeq])
        .shown(b"SIP/2.0 200 OK\r\nCSeq: 1 NEWMETHOD\r\n\r\n", "1 NEWMETHOD", "unreadable")
        .decided("RFC 3261 §7.1, §25.1 extension-method", Ours),
    Disagreement::of(Rsip, "a tab for the space in CSeq", t::tab, &[CSeq])
        .shown(b"SIP/2.0 200 OK\r\nCSeq: 1\tREGISTER\r\n\r\n", "1 REGISTER", "unreadable")
        .decided("RFC 3261 §25.1 LWS", Ours),
    Disagreement::of(Rsip, "a Via with an IPv6 address", t::ipv6, &[Via])
        .shown(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bK1\r\n\r\n", "UDP [2001:db8::9]:5060 branch z9hG4bK1 received - rport -", "unreadable")
        .decided("RFC 5118 §4.1", Ours),
    Disagreement::of(Rsip, "a Via with a transport that it does not know", t::other_transport, &[Via])
        .shown(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UNKNOWN h;branch=z9hG4bK1\r\n\r\n", "UNKNOWN h branch z9hG4bK1 received - rport -", "unreadable")
        .decided("RFC 4475 §3.1.1.10", Ours),
    Disagreement::of(Rsip, "rport twice in a Via", t::rport_twice, &[Via])
        .shown(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;rport;rport=40112\r\n\r\n", "UDP h branch z9hG4bK1 received - rport -", "UDP h branch z9hG4bK1 received - rport 40112")
        .decided("RFC 3261 §7.3.1", Either),
    Disagreement::of(Rsip, "spaces between the parts of a Via", t::spaces, &[Via])
        .shown(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h ; branch = z9hG4bK1\r\n\r\n", "UDP h branch z9hG4bK1 received - rport -", "UDP h branch - received - rport -")
        .decided("RFC 3261 §25.1 SEMI, EQUAL", Ours),
    Disagreement::of(Rsip, "an address with an IPv6 address", t::ipv6, ADDRESSES)
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@[2001:db8::9]>\r\n\r\n", "sip:a@[2001:db8::9]", "unreadable")
        .decided("RFC 5118 §4.1", Ours),
    Disagreement::of(Rsip, "an address of another scheme", t::other_scheme, ADDRESSES)
        .shown(b"SIP/2.0 200 OK\r\nContact: <tel:+491234>\r\n\r\n", "tel:+491234", "unreadable")
        .decided("RFC 4475 §3.3.4, RFC 3261 §20.10", Ours),
    Disagreement::of(Rsip, "a quote that never closes", t::unclosed, &[To, From, Contact])
        .shown(b"SIP/2.0 200 OK\r\nTo: \"Mr. User <sip:user@h>\r\n\r\n", "unreadable", "sip:user@h tag -")
        .decided("RFC 4475 §3.1.2.6", Ours),
    Disagreement::of(Rsip, "a quoted name with a bracket, comma or escape", t::quoted, ADDRESSES)
        .shown(b"SIP/2.0 200 OK\r\nContact: \"B, <b>\" <sip:b@h>\r\n\r\n", "sip:b@h", "unreadable")
        .decided("RFC 3261 §25.1 quoted-string", Ours),
    Disagreement::of(Rsip, "spaces around the parts of an address", t::spaces, ADDRESSES)
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h> ; expires = 60\r\n\r\n", "sip:a@h expires 60", "unreadable")
        .decided("RFC 3261 §25.1 SEMI, EQUAL", Ours),
    Disagreement::of(Rsip, "several Contacts in one header", t::comma, &[Contact])
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h>, <sip:b@h>\r\n\r\n", "sip:a@h | sip:b@h", "unreadable")
        .decided("RFC 3261 §7.3.1", Ours),
    Disagreement::of(Rsip, "a parameter in quotes", t::quoted, ADDRESSES)
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h>;+sip.instance=\"<urn:uuid:1>\"\r\n\r\n", "sip:a@h", "unreadable")
        .decided("RFC 5626 §4.1, RFC 3261 §25.1 gen-value", Ours),
    Disagreement::of(Rsip, "an address with headers in its URI", t::uri_headers, ADDRESSES)
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h?x=y>\r\n\r\n", "sip:a@h", "sip:a@h?x=y")
        .decided("RFC 4475 §3.3.14", Ours),
    Disagreement::of(Rsip, "a URI parameter with a colon", t::colon_in_param, ADDRESSES)
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h;gr=urn:uuid:1>\r\n\r\n", "sip:a@h;gr=urn:uuid:1", "sip:a@h;gr=urn")
        .decided("RFC 3261 §25.1 paramchar, RFC 5627 §4", Ours),
    Disagreement::of(Rsip, "expires of more than 32 bits", t::too_large, &[Contact])
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h>;expires=4294967296\r\n\r\n", "sip:a@h expires 4294967295", "sip:a@h")
        .decided("RFC 4475 §3.1.2.4", Either),
    Disagreement::of(Rsip, "expires below zero", t::negative, &[Contact])
        .shown(b"SIP/2.0 200 OK\r\nContact: <sip:a@h>;expires=-1\r\n\r\n", "sip:a@h expires 0", "sip:a@h")
        .decided("RFC 3261 §25.1 delta-seconds", Theirs("some registrars count on below zero when a binding has run out")),
    Disagreement::of(Rsip, "an Expires of more than 32 bits", t::too_large, &[Expires])
        .shown(b"SIP/2.0 200 OK\r\nExpires: 4294967296\r\n\r\n", "4294967295", "unreadable")
        .decided("RFC 4475 §3.1.2.4", Either),
    Disagreement::of(Rsip, "an Expires with something behind it", t::trailing, &[Expires])
        .shown(b"SIP/2.0 200 OK\r\nExpires: 60 ;x=y\r\n\r\n", "60", "unreadable")
        .decided("RFC 3261 §25.1 Expires", Either),
    Disagreement::of(Rsip, "an algorithm of RFC 7616 or RFC 3310", t::modern_algorithm, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256\r\n\r\n", "realm r nonce n opaque - algorithm sha-256 qop  stale false", "unreadable")
        .decided("RFC 8760 §2.1", Ours),
    Disagreement::of(Rsip, "a list of qop", t::comma_in_qop, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth,auth-int\"\r\n\r\n", "realm r nonce n opaque - algorithm md5 qop auth,auth-int stale false", "unreadable")
        .decided("RFC 3261 §25.1 qop-options", Ours),
    Disagreement::of(Rsip, "another scheme than Digest", t::other_spelling, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: Basic realm=\"r\"\r\n\r\n", "Basic", "unreadable")
        .decided("RFC 3261 §25.1 other-challenge", Ours),
    Disagreement::of(Rsip, "an escaped quote in a realm", t::escape, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"a \\\"b\\\"\", nonce=\"n\"\r\n\r\n", "realm a \\\"b\\\" nonce n opaque - algorithm md5 qop  stale false", "unreadable")
        .decided("RFC 3261 §25.1 quoted-pair", Ours),
    Disagreement::of(Rsip, "spaces around the equals sign of a challenge", t::spaces, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm = \"r\" , nonce = \"n\"\r\n\r\n", "realm r nonce n opaque - algorithm md5 qop  stale false", "unreadable")
        .decided("RFC 3261 §25.1 EQUAL, COMMA", Ours),
    Disagreement::of(Rsip, "several challenges in one header", t::comma, &[Challenge])
        .shown(b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"1\", Digest realm=\"r\", nonce=\"2\"\r\n\r\n", "realm r nonce 1 opaque - algorithm md5 qop  stale false | realm r nonce 2 opaque - algorithm md5 qop  stale false", "realm r nonce 1 opaque - algorithm md5 qop  stale false")
        .decided("RFC 3261 §20.44, RFC 7235 §4.1", Either),
    Disagreement::of(Rsip, "bytes behind what Content-Length says", t::length_differs, &[Body])
        .shown(b"SIP/2.0 200 OK\r\nContent-Length: 1\r\n\r\nabc", "a", "abc")
        .decided("RFC 3261 §18.3", Ours),
];
