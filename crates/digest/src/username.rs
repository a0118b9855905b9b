//! The user's name on the wire: quoted, hashed (`userhash`) or extended (`username*`), RFC 7616 §3.4.4 and RFC 5987 §3.2.

use sip_message::Value;

use crate::hash::{digit, hash};
use crate::{Algorithm, Challenge};

/// Writes `username=...` or `username*=...`. The `userhash=true` that belongs to a hashed name stands at the answer's end.
///
/// We differ: RFC 7616 wants `username*` for whatever HTTP's quoted string cannot hold. SIP's quoted string holds UTF-8 (RFC 3261
/// §25.1) and older registrars know nothing else, so the extended form is kept for servers that ask for `charset=UTF-8`, and for
/// control characters, which no header can hold.
pub(crate) fn write(value: &mut Value<'_>, challenge: &Challenge, username: &str) {
    if challenge.userhash() {
        let hashed = hashed(challenge.algorithm(), username, challenge.realm());
        value.text(b"username=\"").text(hashed.as_bytes()).text(b"\"");
    } else if username.chars().any(char::is_control) || (challenge.is_utf8() && !username.is_ascii()) {
        value.text(b"username*=UTF-8''");
        write_extended(value, username);
    } else {
        value.text(b"username=").quoted(username.as_bytes());
    }
}

/// `H(username:realm)`, RFC 7616 §3.4.4.
pub(crate) fn hashed(algorithm: Algorithm, username: &str, realm: &[u8]) -> crate::hash::Hex {
    hash(algorithm, &[username.as_bytes(), realm])
}

fn write_extended(value: &mut Value<'_>, username: &str) {
    for byte in username.bytes() {
        if is_attribute(byte) {
            value.text(&[byte]);
        } else {
            value.text(&[b'%', digit(byte >> 4).to_ascii_uppercase(), digit(byte & 15).to_ascii_uppercase()]);
        }
    }
}

/// `attr-char` of RFC 5987 §3.2.1.
const fn is_attribute(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}
