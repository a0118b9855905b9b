//! Bytes of a message as they may be shown: on one line, escaped, and without what proves or is a secret. `sip-registration` says what
//! that is in the messages of a registration; here are, besides, the credentials of schemes that regprobe itself never sends.

use sip_message::{Credentials, Field, Inspection, Name, printable, unfold};
use sip_registration::redacted;

const REDACTED: &[u8] = b"[redacted]";
/// As many hexadecimal digits in a row may be a digest.
const DIGEST: usize = 32;

/// Text that is no header's value.
pub(super) fn text(bytes: &[u8]) -> String {
    printable(&redacted(&unfold(bytes)))
}

/// The first line. Where it is no start line, it may be a header, or a whole message in a line of a log.
pub(super) fn start_line(inspection: &Inspection<'_>) -> String {
    let shown = redacted(&unfold(inspection.start_line));
    printable(&if inspection.kind.is_none() {
        without_credentials(shown)
    } else {
        without_pasted_credentials(shown)
    })
}

/// The value of a field, on one line and without secrets, but not escaped.
pub(super) fn value(field: &Field<'_>) -> Vec<u8> {
    let value = unfold(field.value);
    let shown = redacted(&value);
    match field.name {
        Name::Authorization | Name::ProxyAuthorization => credentials(&value, shown),
        Name::Other if has_credentials(field.raw_name) => without_all_but_the_scheme(&value),
        // A line that is no header may be one that was broken.
        Name::Other if field.raw_name.is_empty() => without_credentials(shown),
        _ => without_pasted_credentials(shown),
    }
}

fn credentials(value: &[u8], shown: Vec<u8>) -> Vec<u8> {
    match Credentials::parse(value) {
        Ok(read) if read.is_digest() => shown,
        Err(_) if starts_with(value, b"Digest") => without_digests(&shown),
        Ok(_) | Err(_) => without_all_but_the_scheme(value),
    }
}

fn starts_with(value: &[u8], scheme: &[u8]) -> bool {
    value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// `Basic YWxpY2U6eA==` becomes `Basic [redacted]`.
fn without_all_but_the_scheme(value: &[u8]) -> Vec<u8> {
    let scheme = value.iter().position(u8::is_ascii_whitespace).unwrap_or(0);
    let blank: &[u8] = if scheme == 0 { b"" } else { b" " };
    [value.get(..scheme).unwrap_or_default(), blank, REDACTED].concat()
}

/// Names like `X-Authorization`.
fn has_credentials(name: &[u8]) -> bool {
    AUTHORIZATION.len() <= name.len()
        && name
            .windows(AUTHORIZATION.len())
            .any(|part| part.eq_ignore_ascii_case(AUTHORIZATION))
}

const AUTHORIZATION: &[u8] = b"authorization";

/// Without all that follows the name of a header with credentials.
fn without_credentials(line: Vec<u8>) -> Vec<u8> {
    without_what_follows(line, |_| true)
}

/// Without all that follows such a name and a colon: a line may hold others, when it was folded or its line ends were escaped.
fn without_pasted_credentials(line: Vec<u8>) -> Vec<u8> {
    without_what_follows(line, |rest| rest.trim_ascii_start().starts_with(b":"))
}

fn without_what_follows(line: Vec<u8>, is_meant: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut parts = line.windows(AUTHORIZATION.len()).enumerate();
    let end = parts.find_map(|(at, part)| {
        let end = at + AUTHORIZATION.len();
        let is_one = part.eq_ignore_ascii_case(AUTHORIZATION) && is_meant(line.get(end..)?);
        is_one.then_some(end)
    });
    match end {
        Some(end) => [line.get(..end).unwrap_or_default(), b" ", REDACTED].concat(),
        None => line,
    }
}

fn without_digests(value: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(value.len());
    for run in value.chunk_by(|left, right| left.is_ascii_hexdigit() == right.is_ascii_hexdigit()) {
        let is_digest = run.len() >= DIGEST && run.first().is_some_and(u8::is_ascii_hexdigit);
        shown.extend_from_slice(if is_digest { REDACTED } else { run });
    }
    shown
}

#[cfg(test)]
mod tests {
    use sip_message::{Message, inspect};

    use super::*;

    fn shown(line: &str) -> String {
        let bytes = format!("REGISTER sip:h SIP/2.0\r\n{line}\r\n\r\n");
        assert!(Message::parse(bytes.as_bytes()).is_ok());
        let inspection = inspect(bytes.as_bytes());
        let (_, field) = inspection.lines().next().unwrap();
        printable(&value(&field))
    }

    #[test]
    fn proofs_and_credentials_of_any_scheme_are_taken_out() {
        let digest = "0123456789abcdef0123456789abcdef";
        for (line, expected) in [
            (
                format!("Authorization: Digest a=b, response=\"{digest}\""),
                "Digest a=b, response=\"[redacted]\"".to_owned(),
            ),
            (
                format!("Authorization: Digest a=, response:{digest}"),
                "Digest a=, response:[redacted]".to_owned(),
            ),
            ("Authorization: Basic YWxpY2U6eA==".to_owned(), "Basic [redacted]".to_owned()),
            ("Proxy-Authorization: Bearer a.b.c".to_owned(), "Bearer [redacted]".to_owned()),
            ("Authorization: YWxpY2U6eA==".to_owned(), "[redacted]".to_owned()),
            ("X-Authorization: Basic YWxpY2U6eA==".to_owned(), "Basic [redacted]".to_owned()),
            ("Author ization Basic x".to_owned(), "Author ization Basic x".to_owned()),
            ("Authorization Basic YWxpY2U6eA==".to_owned(), "Authorization [redacted]".to_owned()),
            (
                "Subject: x\r\n Authorization: Basic YWxpY2U6eA==".to_owned(),
                "x Authorization [redacted]".to_owned(),
            ),
            ("Contact: <sip:a:secret@h>\r\n ;x".to_owned(), "<sip:a:***@h> ;x".to_owned()),
            ("Subject: \x1b[2J".to_owned(), "\\x1b[2J".to_owned()),
        ] {
            assert_eq!(shown(&line), expected, "{line}");
        }
    }

    #[test]
    fn a_first_line_that_is_none_shows_no_credentials() {
        for (line, expected) in [
            ("Authorization: Basic YWxpY2U6eA==", "Authorization [redacted]"),
            (
                "Nov 21 pbx kamailio[8]: Proxy-Authorization : Bearer a.b.c",
                "Nov 21 pbx kamailio[8]: Proxy-Authorization [redacted]",
            ),
            (
                "{\"sip\":\"REGISTER sip:h SIP/2.0\\r\\nauthorization: Basic YWxpY2U6eA==\"}",
                "{\"sip\":\"REGISTER sip:h SIP/2.0\\r\\nauthorization [redacted]",
            ),
            (
                "SIP/2.0 200 OK\\r\\nAuthorization: Basic YWxpY2U6eA==",
                "SIP/2.0 200 OK\\r\\nAuthorization [redacted]",
            ),
            (
                "SIP/2.0 407 Proxy Authorization Required",
                "SIP/2.0 407 Proxy Authorization Required",
            ),
            ("REGISTER sip:authorization@h SIP/2.0", "REGISTER sip:authorization@h SIP/2.0"),
        ] {
            for end in ["", "\r\n\r\n"] {
                assert_eq!(start_line(&inspect(format!("{line}{end}").as_bytes())), expected);
            }
        }
    }
}
