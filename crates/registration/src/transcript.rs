//! A message as text for a transcript: escaped line by line, secrets and proofs of them taken out. Not for reading it.

use sip_message::printable;

/// What stands where a secret stood.
const REDACTED: &[u8] = b"[redacted]";
/// The parameters that prove a secret (RFC 7616 §3.4, §3.5); a guess can be checked against them.
const PROOFS: [&[u8]; 2] = [b"response", b"rspauth"];
/// What stands where a URI held a secret, which leaves it a URI.
const HIDDEN: &[u8] = b"***";
/// The parameter that wakes a telephone (RFC 8599 §4): whoever knows it can.
const PUSH_TOKEN: [&[u8]; 1] = [b"pn-prid"];

/// The bytes of a message, or of a part of it, as they may be shown or kept: without the values of `response` and `rspauth`, the
/// passwords of SIP URIs and push tokens (RFC 8599 §4). Nothing is escaped. The length may change.
#[must_use]
pub fn redacted(message: &[u8]) -> Vec<u8> {
    without_uri_secrets(&replaced(message, REDACTED, |bytes| next_value(bytes, &PROOFS)))
}

/// The message with `response`, `rspauth` and the secrets of URIs redacted and everything escaped that could act on a terminal.
pub(crate) fn redacted_text(message: &[u8]) -> String {
    let lines: Vec<String> = redacted(message)
        .split(|byte| *byte == b'\n')
        .map(|line| printable(line.strip_suffix(b"\r").unwrap_or(line)))
        .collect();
    lines.join("\n")
}

/// A whole message like [`redacted`], but its body keeps its length, so that Content-Length stays true.
#[must_use]
pub fn redacted_message(message: &[u8]) -> Vec<u8> {
    let (head, body) = message.split_at(head_length(message));
    let mut shown = redacted(head);
    let mut body = body.to_vec();
    blank(&mut body, |bytes| next_value(bytes, &PROOFS));
    blank(&mut body, |bytes| next_value(bytes, &PUSH_TOKEN));
    blank(&mut body, next_password);
    shown.extend(body);
    shown
}

/// Where the body begins (RFC 3261 §7).
fn head_length(message: &[u8]) -> usize {
    let end = memchr::memchr_iter(b'\n', message).find_map(|at| {
        let rest = message.get(at + 1..)?;
        let blank = if rest.starts_with(b"\r\n") {
            2
        } else {
            usize::from(rest.starts_with(b"\n"))
        };
        (blank > 0).then_some(at + 1 + blank)
    });
    end.unwrap_or(message.len())
}

/// Writes stars over what is found.
fn blank(bytes: &mut [u8], find: impl Fn(&[u8]) -> Option<(usize, usize)>) {
    let mut from = 0;
    while let Some((start, end)) = bytes.get(from..).and_then(&find) {
        if let Some(secret) = bytes.get_mut(from + start..from + end) {
            secret.fill(b'*');
        }
        from += end;
    }
}

/// A URI as it may be shown: without its password and its push token, and escaped. It can still be compared with others.
pub(crate) fn shown_uri(uri: &[u8]) -> String {
    printable(&without_uri_secrets(uri))
}

fn without_uri_secrets(bytes: &[u8]) -> Vec<u8> {
    let without_tokens = replaced(bytes, HIDDEN, |bytes| next_value(bytes, &PUSH_TOKEN));
    replaced(&without_tokens, HIDDEN, next_password)
}

/// The bytes with something else where a secret is found, again and again behind the one before.
fn replaced(bytes: &[u8], by: &[u8], find: impl Fn(&[u8]) -> Option<(usize, usize)>) -> Vec<u8> {
    let mut shown = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((start, end)) = find(rest) {
        shown.extend_from_slice(rest.get(..start).unwrap_or_default());
        shown.extend_from_slice(by);
        rest = rest.get(end..).unwrap_or_default();
    }
    shown.extend_from_slice(rest);
    shown
}

/// The bounds of the first password in a SIP URI (RFC 3261 §19.1.1): behind the second colon, before the `@`; before the last one where
/// somebody did not escape those of the password.
fn next_password(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    memchr::memchr_iter(b'@', bytes).find_map(|at| {
        let before = bytes.get(from..at)?;
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'<' | b'>' | b'"');
        let start = from + before.iter().rposition(ends).map_or(0, |end| end + 1);
        from = at;
        let (scheme, userinfo) = split_at_colon(bytes.get(start..at)?)?;
        let (user, password) = split_at_colon(userinfo)?;
        let is_sip = ends_with_word(scheme, b"sip") || ends_with_word(scheme, b"sips");
        (is_sip && !password.is_empty() && password != HIDDEN).then(|| {
            let end = at + further_at(bytes.get(at + 1..).unwrap_or_default());
            (start + scheme.len() + user.len() + 2, end)
        })
    })
}

/// How far behind an `@` the last one before the host's end stands; 0 when there is none.
fn further_at(bytes: &[u8]) -> usize {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'<' | b'>' | b'"' | b';' | b'?' | b',');
    let end = bytes.iter().position(ends).unwrap_or(bytes.len());
    let last = bytes.get(..end).and_then(|host| memchr::memrchr(b'@', host));
    last.map_or(0, |last| last + 1)
}

fn split_at_colon(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, after) = bytes.split_at_checked(memchr::memchr(b':', bytes)?)?;
    Some((before, after.get(1..)?))
}

/// The bounds of the first value under one of these names, quotes left outside.
///
/// Where a quote opens the value is not known for sure: the other side may have put `response=` at the end of a quoted text of its own,
/// and then what looks like the value ends in the name before the true one, which belongs to it as well.
fn next_value(bytes: &[u8], names: &[&[u8]]) -> Option<(usize, usize)> {
    memchr::memchr_iter(b'=', bytes).find_map(|equals| {
        if !ends_with_name(bytes.get(..=equals)?, names) {
            return None;
        }
        let value = bytes.get(equals + 1..)?;
        let lead = value.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(value.len());
        let start = equals + 1 + lead;
        let ends = |byte: &u8| matches!(byte, b',' | b' ' | b'\t' | b'\r' | b'\n' | b';' | b'>' | b'?');
        if value.get(lead) == Some(&b'"') {
            let inside = bytes.get(start + 1..)?;
            let closes = |at: &usize| !inside.get(..*at).is_some_and(|inside| ends_with_name(inside, names));
            let end = memchr::memchr_iter(b'"', inside).find(closes).unwrap_or(inside.len());
            return Some((start + 1, start + 1 + end));
        }
        let tail = bytes.get(start..)?;
        Some((start, start + tail.iter().position(ends).unwrap_or(tail.len())))
    })
}

/// Whether a parameter of one of these names has just begun: `name =`.
fn ends_with_name(bytes: &[u8], names: &[&[u8]]) -> bool {
    let name = bytes.trim_ascii_end().strip_suffix(b"=").map(<[u8]>::trim_ascii_end);
    name.is_some_and(|name| names.iter().any(|wanted| ends_with_word(name, wanted)))
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
    fn a_head_ends_behind_its_empty_line() {
        assert_eq!(head_length(b"A: b\r\nC: d\r\n\r\nxy\n\nz"), 14);
        assert_eq!(head_length(b"A: b\n\nxy"), 6);
        assert_eq!(head_length(b"A: b\r\nC: d\r\n"), 12);
    }

    #[test]
    fn a_password_is_found_wherever_its_uri_begins() {
        for before in ["", "To: ", "To: <", "Contact: \"A: b\"<", "m: sip:x:***@h;a=\"b\", <", "X: y\r\n\t"] {
            let shown = redacted(format!("{before}sip:a:secret@h>").as_bytes());
            assert_eq!(String::from_utf8(shown).unwrap(), format!("{before}sip:a:***@h>"));
        }
    }

    #[test]
    fn other_words_that_end_alike_are_left() {
        assert_eq!(redacted_text(b"myresponse=1"), "myresponse=1");
    }

    #[test]
    fn a_text_of_the_other_side_that_ends_in_response_shows_no_proof() {
        for (message, shown) in [
            (
                "realm=\"x response=\", response=\"canary\", qop=auth",
                "realm=\"x response=\"[redacted]\", qop=auth",
            ),
            (
                "realm=\"rspauth= \", response=canary, a=\"b\"",
                "realm=\"rspauth= \"[redacted]\"b\"",
            ),
            ("a=\"response=\",response=\",response=\"canary\"", "a=\"response=\"[redacted]\""),
        ] {
            assert_eq!(redacted_text(message.as_bytes()), shown);
        }
    }

    #[test]
    fn the_secrets_of_uris_are_taken_out() {
        for (uri, shown) in [
            ("sip:alice:canary@h:5060;x=a:b@c", "sip:alice:***@h:5060;x=a:b@c"),
            ("sip:alice:can@ary@h:5060;x=a:b@c", "sip:alice:***@h:5060;x=a:b@c"),
            ("SIPS:a:canary@[2001:db8::1]", "SIPS:a:***@[2001:db8::1]"),
            (
                "sip:alice@h;pn-provider=apns;PN-PRID=canary;x",
                "sip:alice@h;pn-provider=apns;PN-PRID=***;x",
            ),
            ("sip:h:5060", "sip:h:5060"),
            ("sip:alice:@h", "sip:alice:@h"),
            ("sip:alice@h:5060?Subject=a:b@c", "sip:alice@h:5060?Subject=a:b@c"),
        ] {
            assert_eq!(shown_uri(uri.as_bytes()), shown);
            assert_eq!(shown_uri(shown.as_bytes()), shown);
            assert!(
                sip_message::SipUri::parse(shown.as_bytes()).is_ok() || uri == "sip:alice:@h",
                "{shown}"
            );
        }
        assert_eq!(
            redacted_text(b"SIP/2.0 200 OK\r\nContact: \"a:b@c\" <sip:alice:canary@h;pn-prid=canary>;expires=5, sip:bob:canary@h\r\n"),
            "SIP/2.0 200 OK\nContact: \"a:b@c\" <sip:alice:***@h;pn-prid=***>;expires=5, sip:bob:***@h\n"
        );
    }

    #[test]
    fn a_long_line_of_beginnings_is_read_in_one_pass() {
        // It would take hours if one of the passes began again for every beginning.
        for beginning in [
            "@",
            ":@",
            "sip:",
            "sip:a:b@",
            "pn-prid=",
            "response=",
            "response=\"",
            "response=,\"",
            "<",
            "=",
        ] {
            let line = beginning.repeat(60_000);
            assert!(redacted_text(line.as_bytes()).len() <= 4 * line.len());
        }
    }

    #[test]
    fn a_body_keeps_its_length_and_a_head_its_words() {
        let message = b"MESSAGE sip:a:canary@h SIP/2.0\r\nX: response=12\r\n\r\nsip:a:canary@h;pn-prid=canary response=0123";
        assert_eq!(
            redacted_message(message),
            b"MESSAGE sip:a:***@h SIP/2.0\r\nX: response=[redacted]\r\n\r\nsip:a:******@h;pn-prid=****** response=****"
        );
        assert_eq!(
            redacted_message(b"A: response=1\n\nrspauth=\"2\""),
            b"A: response=[redacted]\n\nrspauth=\"*\""
        );
        for beginning in ["@", "sip:a:b@", "pn-prid=", "response=", "\n\nresponse=", "\n\nsip:a:b@"] {
            let line = beginning.repeat(20_000);
            assert!(redacted_message(line.as_bytes()).len() <= 4 * line.len());
        }
    }

    proptest! {
        #[test]
        fn bodies_keep_their_length_and_lose_nothing_but_secrets(head: Vec<u8>, body in ".{0,200}") {
            let message = [&head[..], b"\r\n\r\n", body.as_bytes()].concat();
            let shown = redacted_message(&message);
            let body = &message[head_length(&message)..];
            prop_assert!(shown.len() >= body.len());
            let end = &shown[shown.len() - body.len()..];
            prop_assert!(body.iter().zip(end).all(|(was, is)| was == is || *is == b'*'));
        }

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
