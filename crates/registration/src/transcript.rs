//! A message as text for a transcript: escaped line by line, proofs of secrets taken out. Not for reading it.

use sip_message::printable;

/// What stands where a secret stood.
const REDACTED: &[u8] = b"[redacted]";
/// The parameters that prove a secret (RFC 7616 §3.4, §3.5); a guess can be checked against them.
const PROOFS: [&[u8]; 2] = [b"response", b"rspauth"];

/// The message with `response` and `rspauth` redacted and everything escaped that could act on a terminal.
pub(crate) fn redacted_text(message: &[u8]) -> String {
    let lines: Vec<String> = redacted(message)
        .split(|byte| *byte == b'\n')
        .map(|line| printable(line.strip_suffix(b"\r").unwrap_or(line)))
        .collect();
    lines.join("\n")
}

fn redacted(message: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(message.len());
    let mut rest = message;
    while let Some((start, end)) = next_proof(rest) {
        shown.extend_from_slice(rest.get(..start).unwrap_or_default());
        shown.extend_from_slice(REDACTED);
        rest = rest.get(end..).unwrap_or_default();
    }
    shown.extend_from_slice(rest);
    shown
}

/// The bounds of the first proof's value, quotes left outside.
fn next_proof(bytes: &[u8]) -> Option<(usize, usize)> {
    memchr::memchr_iter(b'=', bytes).find_map(|equals| {
        let name = bytes.get(..equals)?.trim_ascii_end();
        if !PROOFS.iter().any(|proof| ends_with_word(name, proof)) {
            return None;
        }
        let value = bytes.get(equals + 1..)?;
        let lead = value.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(value.len());
        let quoted = value.get(lead) == Some(&b'"');
        let start = equals + 1 + lead + usize::from(quoted);
        let tail = bytes.get(start..)?;
        let ends = |byte: &u8| {
            if quoted {
                *byte == b'"'
            } else {
                matches!(byte, b',' | b' ' | b'\t' | b'\r' | b'\n')
            }
        };
        Some((start, start + tail.iter().position(ends).unwrap_or(tail.len())))
    })
}

fn ends_with_word(name: &[u8], word: &[u8]) -> bool {
    let Some(at) = name.len().checked_sub(word.len()) else {
        return false;
    };
    let matches = name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(word));
    let bounded = at
        .checked_sub(1)
        .and_then(|before| name.get(before))
        .is_none_or(|byte| !byte.is_ascii_alphanumeric());
    matches && bounded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn proofs_are_taken_out_and_the_rest_stays() {
        let text = redacted_text(
            b"REGISTER sip:h SIP/2.0\r\nAuthorization: Digest username=\"a\", Response = \"0123\", qop=auth\r\nX: rspauth=4567\x1b\r\n\r\n",
        );
        assert_eq!(
            text,
            "REGISTER sip:h SIP/2.0\nAuthorization: Digest username=\"a\", Response = \"[redacted]\", qop=auth\nX: rspauth=[redacted]\n\n"
        );
    }

    #[test]
    fn other_words_that_end_alike_are_left() {
        assert_eq!(redacted_text(b"myresponse=1"), "myresponse=1");
    }

    proptest! {
        #[test]
        fn no_proof_survives(before in "[ -~]{0,40}", space in "[ \t]{0,2}", proof in "[0-9a-f]{32}") {
            let line = format!("{before},response{space}={space}\"{proof}\"");
            prop_assert!(!redacted_text(line.as_bytes()).contains(&proof));
        }

        #[test]
        fn arbitrary_bytes_are_never_a_panic(bytes: Vec<u8>) {
            let _ = redacted_text(&bytes);
        }
    }
}
