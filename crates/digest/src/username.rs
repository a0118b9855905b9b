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

/// The bytes of a `username*` value; `None` unless it is well-formed and in UTF-8 (RFC 5987 §3.2.1).
pub(crate) fn decode_extended(value: &[u8]) -> Option<Vec<u8>> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    if !charset.eq_ignore_ascii_case(b"UTF-8") {
        return None;
    }
    let mut name = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => name.push(nibble(bytes.next()?)? * 16 + nibble(bytes.next()?)?),
            _ if is_attribute(byte) => name.push(byte),
            _ => return None,
        }
    }
    std::str::from_utf8(&name).is_ok().then_some(name)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|number| u8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use sip_message::Writer;

    use super::*;
    use crate::challenge::tests::read;

    fn written(challenge: &str, username: &str) -> String {
        let mut out = Vec::new();
        let challenge = read(challenge.as_bytes()).unwrap();
        Writer::request(&mut out, b"M", b"u").header("A", |value| write(value, &challenge, username));
        String::from_utf8(out).unwrap().split_once("A: ").unwrap().1.trim_end().to_owned()
    }

    const PLAIN: &str = "Digest realm=\"r\", nonce=\"n\"";

    #[test]
    fn a_plain_name_is_quoted_and_escaped() {
        assert_eq!(written(PLAIN, "alice"), "username=\"alice\"");
        assert_eq!(written(PLAIN, r#"a"b\c"#), r#"username="a\"b\\c""#);
        assert_eq!(written(PLAIN, "Jäsøn"), "username=\"Jäsøn\"");
    }

    #[test]
    fn a_server_that_speaks_utf_8_gets_the_extended_form() {
        let challenge = format!("{PLAIN}, charset=UTF-8");
        assert_eq!(written(&challenge, "Jäsøn Doe"), "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe");
        assert_eq!(written(&challenge, "alice"), "username=\"alice\"");
    }

    #[test]
    fn control_characters_always_go_extended() {
        assert_eq!(written(PLAIN, "a\r\nEvil: 1\0"), "username*=UTF-8''a%0D%0AEvil%3A%201%00");
    }

    #[test]
    fn a_hashed_name_is_the_digest_of_name_and_realm() {
        let challenge = "Digest realm=\"api@example.org\", nonce=\"n\", algorithm=SHA-512-256, userhash=true, charset=UTF-8";
        assert_eq!(
            written(challenge, "Jäsøn Doe"),
            "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\""
        );
    }

    #[test]
    fn an_extended_name_decodes_or_is_refused() {
        let decode = |text: &str| decode_extended(text.as_bytes());
        assert_eq!(decode("utf-8'en'J%c3%A4s"), Some("Jäs".as_bytes().to_vec()));
        for wrong in [
            "",
            "UTF-8'",
            "UTF-8''%",
            "UTF-8''%4",
            "UTF-8''%zz",
            "UTF-8''a b",
            "UTF-8''a'b",
            "ISO-8859-1''%E4",
            "UTF-8''%E4",
        ] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
