//! Text with escapes and placeholders for replies that no writer would print. Deliberately without any check of what comes out.

use sip_message::Echo;

use crate::Peer;
use crate::aor::hex_pair;

/// Resolves `\r`, `\n`, `\t`, `\e`, `\0`, `\\` and `\x1b`. The error is the escape that is none of these.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'\\' {
            plain.push(*byte);
            continue;
        }
        let (letter, tail) = rest.split_first().ok_or("\\")?;
        rest = tail;
        plain.push(match letter {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'e' => 0x1b,
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let (escaped, tail) = hex_pair(rest).ok_or("\\x")?;
                rest = tail;
                escaped
            }
            other => return Err(format!("\\{}", other.escape_ascii())),
        });
    }
    Ok(plain)
}

/// Fills in `{name}` for every name in `values`; any other braces stay.
pub(crate) fn fill(template: &[u8], values: &[(&str, &[u8])]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(template.len());
    let mut rest = template;
    while let Some((byte, tail)) = rest.split_first() {
        let found = values.iter().find_map(|(name, value)| {
            let after = tail.strip_prefix(name.as_bytes())?.strip_prefix(b"}")?;
            Some((value, after))
        });
        match found {
            Some((value, after)) if *byte == b'{' => {
                filled.extend_from_slice(value);
                rest = after;
            }
            _ => {
                filled.push(*byte);
                rest = tail;
            }
        }
    }
    filled
}

/// The bytes of a scripted reply to `echo`'s request.
pub(crate) fn reply(template: &[u8], peer: Peer, echo: &Echo<'_>, tag: &str) -> Vec<u8> {
    let via = echo.vias(peer.source).collect::<Vec<_>>().join(&b", "[..]);
    let part = Option::unwrap_or_default;
    let (from, to, call_id, cseq) = (part(echo.from()), part(echo.to(tag)), part(echo.call_id()), part(echo.cseq()));
    let head = [
        &b"Via: "[..],
        &via,
        b"\r\nFrom: ",
        &from,
        b"\r\nTo: ",
        &to,
        b"\r\nCall-ID: ",
        &call_id,
        b"\r\nCSeq: ",
        &cseq,
        b"\r\n",
    ]
    .concat();
    let values: [(&str, &[u8]); 6] = [
        ("via", &via),
        ("from", &from),
        ("to", &to),
        ("call-id", &call_id),
        ("cseq", &cseq),
        ("head", &head),
    ];
    fill(template, &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_and_unknown_ones_named() {
        assert_eq!(unescape(r"a\r\n\t\e\0\\\xfFz").unwrap(), b"a\r\n\t\x1b\0\\\xffz");
        assert_eq!(unescape(r"\q"), Err("\\q".to_owned()));
        assert_eq!(unescape(r"\xg0"), Err("\\x".to_owned()));
        assert_eq!(unescape("\\"), Err("\\".to_owned()));
    }

    #[test]
    fn known_names_are_filled_in_once_and_the_rest_stays() {
        let filled = fill(b"{a}{b}{{a} {c} {a", &[("a", b"{b}"), ("b", b"2")]);
        assert_eq!(filled, b"{b}2{{b} {c} {a");
    }
}
