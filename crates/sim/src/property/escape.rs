//! What is shown of any bytes is harmless where it is shown, and what may not be shown is not in it.

use sip_message::{Credentials, printable};
use sip_registration::{redacted, redacted_message};

use super::draw::{Draw, PASSWORD, shows_password};

/// The bytes are shown as they are; and they are what somebody else put around a secret, which is taken out.
pub fn escape(bytes: &[u8]) {
    show(bytes);
    show(&redacted(bytes));
    if !shows_password(bytes) {
        let mut draw = Draw::new(bytes);
        proof(&mut draw);
        uri_password(&mut draw);
    }
}

/// Shows bytes: no control character, no mark that hides or turns text, plain text stays as it is, and showing it again changes nothing.
pub(super) fn show(bytes: &[u8]) {
    let shown = printable(bytes);
    assert!(!shown.contains(acts_on_its_reader), "{shown:?} is shown");
    let plain = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    assert!(!plain || shown.as_bytes() == bytes);
    assert_eq!(printable(shown.as_bytes()), shown, "what is shown is shown as something else");
    assert!(
        shown.len() <= bytes.len() * LONGEST_ESCAPE,
        "{} bytes of {}",
        shown.len(),
        bytes.len()
    );
}

/// Moves a cursor, ends a line, hides text or turns it around.
pub(super) fn acts_on_its_reader(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(character, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `\xff` for one byte.
const LONGEST_ESCAPE: usize = 4;

/// Credentials whose other parameters the other side chose: the proof is never in what is shown of them.
fn proof(draw: &mut Draw<'_>) {
    const NAMES: [&str; 5] = ["username", "realm", "nonce", "opaque", "uri"];
    let mut value = b"Digest ".to_vec();
    let at = draw.below(NAMES.len() + 1);
    for (place, name) in NAMES.iter().enumerate() {
        if place == at {
            value.extend_from_slice(format!("response=\"{PASSWORD}\", ").as_bytes());
        }
        value.extend_from_slice(format!("{name}=\"{}\", ", escaped(draw.bytes(24))).as_bytes());
    }
    if at == NAMES.len() {
        value.extend_from_slice(format!("response=\"{PASSWORD}\", ").as_bytes());
    }
    value.extend_from_slice(b"algorithm=MD5");
    let Ok(credentials) = Credentials::parse(&value) else { return };
    assert_eq!(credentials.param(b"response"), Some(PASSWORD.as_bytes()));
    assert!(
        !shows_password(&redacted(&value)),
        "the proof is shown: {}",
        printable(&redacted(&value))
    );
    amid_a_message(&value);
}

/// The same bytes in the head and in the body of a message: the password is in neither of what is shown of them, and the body is as long as
/// it was.
fn amid_a_message(bytes: &[u8]) {
    let message = [b"MESSAGE sip:h SIP/2.0\r\nSubject: ", bytes, b"\r\n\r\n", bytes].concat();
    let shown = redacted_message(&message);
    assert!(!shows_password(&shown), "the password is shown: {}", printable(&shown));
    let body = shown.len().checked_sub(bytes.len()).and_then(|start| shown.get(start..));
    let keeps = |body: &[u8]| body.iter().zip(bytes).all(|(is, was)| is == was || *is == b'*');
    assert!(body.is_some_and(keeps), "the body has changed: {}", printable(&shown));
}

/// What stands between quotes for these bytes.
fn escaped(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\\', "\\\\").replace('"', "\\\"")
}

/// A URI with a password, amid anything: the password is never in what is shown of it.
fn uri_password(draw: &mut Draw<'_>) {
    let scheme = draw.pick(&["sip", "sips", "SIP", "Sips"]);
    let user: String = draw.text(12).chars().filter(char::is_ascii_alphanumeric).collect();
    let before = draw.bytes(24);
    let text = [
        before,
        b" <",
        scheme.as_bytes(),
        b":",
        user.as_bytes(),
        b":",
        PASSWORD.as_bytes(),
        b"@h>",
        draw.rest(),
    ]
    .concat();
    assert!(
        !shows_password(&redacted(&text)),
        "the password is shown: {}",
        printable(&redacted(&text))
    );
    amid_a_message(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_its_reader_is_known() {
        assert!("\u{1b}\r\n\0\u{7f}\u{9b}\u{202e}\u{feff}\u{ad}".chars().all(acts_on_its_reader));
        assert!(!"añ日 \\\"<>".chars().any(acts_on_its_reader));
    }
}
