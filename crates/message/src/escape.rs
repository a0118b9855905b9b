//! Bytes from the wire as text that is safe on a terminal, in a log line and in a sentence. Not for JSON, which escapes itself.

use std::fmt::Write as _;

/// Shows bytes: printable UTF-8 stays, everything that could move a cursor, hide text or end a line is written as an escape.
///
/// Control characters become `\x1b`, bidirectional and invisible ones `\u{202e}`, bytes that are no UTF-8 `\xfc`.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push(&mut shown, character);
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

fn push(shown: &mut String, character: char) {
    let written = match character {
        '\0'..='\x1f' | '\x7f' => write!(shown, "\\x{:02x}", u32::from(character)),
        _ if is_hidden(character) => write!(shown, "\\u{{{:x}}}", u32::from(character)),
        _ => {
            shown.push(character);
            Ok(())
        }
    };
    // Writing to a String cannot fail.
    let _ = written;
}

/// C1 controls, line and paragraph separators, bidirectional marks, and what Unicode calls default ignorable: they are there, but
/// nobody sees them.
const fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_and_what_moves_a_terminal_is_escaped() {
        assert_eq!(printable("Grüße, 世界".as_bytes()), "Grüße, 世界");
        assert_eq!(printable(b"a\x1b[2Jb\r\n\0"), "a\\x1b[2Jb\\x0d\\x0a\\x00");
        assert_eq!(printable("x\u{202e}y\u{9b}".as_bytes()), "x\\u{202e}y\\u{9b}");
        assert_eq!(printable(b"\xfcber"), "\\xfcber");
        assert_eq!(
            printable("a\u{3164}\u{fe0f}\u{e0100}b".as_bytes()),
            "a\\u{3164}\\u{fe0f}\\u{e0100}b"
        );
    }
}
