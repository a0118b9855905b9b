//! Secrets inside of texts: `Password: x` of AMI, a webhook's code in a URL, a Bearer token in an error's explanation. Pure, and one
//! pass for each shape, each linear in the text. Better one harmless word too many than one secret too few.

use std::ops::Range;

use super::is_secret;

/// The text with `***` in the place of every secret that it shows by its form or by the name before it.
pub(crate) fn redacted_text(text: &str) -> String {
    SHAPES.iter().fold(text.to_owned(), |text, shape| replaced(&text, *shape))
}

/// Where the first secret of one shape is at or after an offset. The second text is the first one in lower case.
type Shape = fn(&str, &str, usize) -> Option<Range<usize>>;

const SHAPES: [Shape; 6] = [named_value, after_scheme, webhook_code, user_of_url, password_of_sip_uri, known_key];

fn replaced(text: &str, shape: Shape) -> String {
    let lower = text.to_ascii_lowercase();
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(secret) = shape(text, &lower, at) {
        kept.push_str(text.get(at..secret.start).unwrap_or_default());
        kept.push_str("***");
        at = secret.end;
    }
    kept.push_str(text.get(at..).unwrap_or_default());
    kept
}

/// `password=x`, `"auth_ha1": "x"`, `<secret>x</secret>`, `Secret: x y`.
fn named_value(text: &str, lower: &str, from: usize) -> Option<Range<usize>> {
    runs(text, from, is_name).find_map(|name| {
        let word = lower.get(name.clone())?;
        // RFC 7616 §3.4: the response to a challenge, in hexadecimal.
        if word == "response" {
            let digest = run(text, Value::opened(text, &name, word)?.start, |byte| byte.is_ascii_hexdigit());
            return (digest.len() >= 32).then_some(digest);
        }
        let value = is_secret(word).then(|| Value::opened(text, &name, word))??;
        let value = value.start..value.end(text);
        (!matches!(text.get(value.clone())?, "" | "***" | "null")).then_some(value)
    })
}

/// A value that begins after a name and a separator.
struct Value {
    start: usize,
    separator: char,
    quote: Option<char>,
    /// It goes on to the end of its line.
    is_line: bool,
}

impl Value {
    fn opened(text: &str, name: &Range<usize>, word: &str) -> Option<Self> {
        let rest = text.get(name.end..)?;
        let unquoted = rest.trim_start_matches(is_quote);
        let quoted_name = unquoted.len() < rest.len();
        let (separator, after) = separated(unquoted.trim_start_matches(' '))?;
        let before = text.get(..name.start)?;
        if separator == '>' && !before.ends_with('<') || separator == ':' && (before.ends_with('/') || after.starts_with("//")) {
            return None;
        }
        let value = after.trim_start_matches([' ', '\t']);
        let bare = value.trim_start_matches('\\');
        let quote = bare.chars().next().filter(|quote| matches!(quote, '"' | '\''));
        let value = quote.map_or(value, |quote| bare.strip_prefix(quote).unwrap_or_default());
        let whole_line = starts_line(before) || word.contains("authorization") || word.contains("cookie");
        Some(Self {
            start: text.len() - value.len(),
            separator,
            quote,
            is_line: separator == ':' && whole_line && !quoted_name,
        })
    }

    fn end(&self, text: &str) -> usize {
        let value = text.get(self.start..).unwrap_or_default();
        let length = match (self.quote, self.separator) {
            (Some(quote), _) => value.find(quote).map_or_else(
                || line(value),
                |end| value.get(..end).unwrap_or_default().trim_end_matches('\\').len(),
            ),
            (None, '>') => value.find('<').unwrap_or(value.len()),
            (None, _) if self.is_line => value.get(..line(value)).unwrap_or_default().trim_end().len(),
            (None, _) => value.find(ends_word).unwrap_or(value.len()),
        };
        self.start + length
    }
}

/// What stands between a name and its value, and what is after that.
fn separated(text: &str) -> Option<(char, &str)> {
    let separator = text.chars().next().filter(|first| matches!(first, '=' | ':' | '>'))?;
    let after = text.get(1..)?;
    Some((
        separator,
        if separator == '=' {
            after.strip_prefix('>').unwrap_or(after)
        } else {
            after
        },
    ))
}

/// `Bearer x`, `Basic x` (RFC 9110 §11.4), when it is no word of a language.
fn after_scheme(text: &str, lower: &str, from: usize) -> Option<Range<usize>> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    starts(lower, from, &["bearer ", "basic "]).find_map(|start| {
        let token = run(text, start, is_token);
        let shown = text.get(token.clone())?.trim_end_matches('.');
        let is_word = shown.bytes().all(|byte| byte.is_ascii_lowercase());
        (shown.len() >= 8 && !is_word).then(|| token.start..token.start + shown.len())
    })
}

/// Bitrix24: `/rest/USER/CODE/method`.
fn webhook_code(text: &str, lower: &str, from: usize) -> Option<Range<usize>> {
    starts(lower, from, &["rest/"]).find_map(|start| {
        let user = run(text, start, |byte| byte.is_ascii_digit());
        text.get(user.end..)?.strip_prefix('/').filter(|_| !user.is_empty())?;
        let code = run(text, user.end + 1, is_name);
        (code.len() >= 4).then_some(code)
    })
}

/// `https://user:password@host` (RFC 3986 §3.2.1).
fn user_of_url(text: &str, lower: &str, from: usize) -> Option<Range<usize>> {
    starts(lower, from, &["://"]).find_map(|start| {
        let authority = run(text, start, |byte| !byte.is_ascii_whitespace() && !b"/?#\"'<>\\".contains(&byte));
        let end = start + text.get(authority)?.rfind('@')?;
        (text.get(start..end)? != "***").then_some(start..end)
    })
}

/// `sip:user:password@host` (RFC 3261 §19.1.1).
fn password_of_sip_uri(text: &str, lower: &str, from: usize) -> Option<Range<usize>> {
    starts(lower, from, &["sip:", "sips:"]).find_map(|start| {
        let user = run(text, start, |byte| !byte.is_ascii_whitespace() && !b"@/?;\"'<>\\".contains(&byte));
        text.get(user.end..)?.strip_prefix('@')?;
        let password = start + text.get(user.clone())?.find(':')? + 1..user.end;
        (!password.is_empty() && text.get(password.clone())? != "***").then_some(password)
    })
}

/// Keys that show what they are: Telnyx' begin with `KEY`, signed tokens (RFC 7519) with the code of `{"`.
fn known_key(text: &str, _: &str, from: usize) -> Option<Range<usize>> {
    runs(text, from, |byte| is_name(byte) || byte == b'.').find(|run| {
        let shown = text.get(run.clone()).unwrap_or_default();
        let is_telnyx = shown.starts_with("KEY") && shown.bytes().any(|byte| byte.is_ascii_digit());
        shown.len() >= 20 && (is_telnyx || shown.starts_with("eyJ") && shown.contains('.'))
    })
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// A quote, or what quotes it inside of quotes.
const fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\'' | '\\')
}

fn ends_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '&' | ',' | ';' | '"' | '\'' | '<' | '>' | ')' | ']' | '}')
}

/// How long the first line is. An escaped end counts as well: the text may have been made printable.
fn line(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |at: &usize| {
        let rest = bytes.get(*at..).unwrap_or_default();
        rest.starts_with(b"\n") || rest.starts_with(b"\r") || rest.starts_with(br"\x0a") || rest.starts_with(br"\x0d")
    };
    (0..bytes.len()).find(ends).unwrap_or(bytes.len())
}

/// True when the next character is the first of a line, also of one inside of JSON.
fn starts_line(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t']);
    before.is_empty() || ["\n", "\r", r"\x0a", r"\x0d", r"\n", r"\r"].iter().any(|end| before.ends_with(end))
}

/// The ends of these words in a text, in the order of the text.
fn starts<'a>(text: &'a str, from: usize, words: &'a [&'static str]) -> impl Iterator<Item = usize> + 'a {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    (0..rest.len()).filter_map(move |at| {
        let here = rest.get(at..)?;
        words
            .iter()
            .find(|word| here.starts_with(word.as_bytes()))
            .map(|word| from + at + word.len())
    })
}

/// The bytes from here on that belong together, 512 at most.
fn run(text: &str, start: usize, belongs: impl Fn(u8) -> bool) -> Range<usize> {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let length = rest.iter().take(512).take_while(|byte| belongs(**byte)).count();
    start..start + length
}

/// All runs of ASCII characters that belong together.
fn runs<'a>(text: &'a str, from: usize, belongs: fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> + 'a {
    let bytes = text.as_bytes();
    let mut at = from;
    std::iter::from_fn(move || {
        let start = at + bytes.get(at..)?.iter().position(|byte| belongs(*byte))?;
        let length = bytes.get(start..)?.iter().take_while(|byte| belongs(**byte)).count();
        at = start + length;
        Some(start..at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_by_the_name_before_it() {
        for (text, expected) in [
            (
                "Event: AuthDetail\r\nPassword: a b\r\nMd5Cred: \r\nRealm: x",
                "Event: AuthDetail\r\nPassword: ***\r\nMd5Cred: \r\nRealm: x",
            ),
            (r"Secret: canary\x0d\x0aUser: alice", r"Secret: ***\x0d\x0aUser: alice"),
            ("login?user=a&auth_password=can%20ary&x=1", "login?user=a&auth_password=***&x=1"),
            (r#"{"PASSWORD":"canary","a":1}"#, r#"{"PASSWORD":"***","a":1}"#),
            (r#"{\"auth_ha1\": \"canary\", \"a\":1}"#, r#"{\"auth_ha1\": \"***\", \"a\":1}"#),
            (r#"{"token":null,"secret":canary,"a":1}"#, r#"{"token":null,"secret":***,"a":1}"#),
            (
                "<param><password>canary</password></param>",
                "<param><password>***</password></param>",
            ),
            (
                "['client_secret' => 'canary, canary', 'a' => 1]",
                "['client_secret' => '***', 'a' => 1]",
            ),
            ("wrong password: canary again", "wrong password: *** again"),
            ("got Authorization: Digest username=\"a\"\r\nX: y", "got Authorization: ***\r\nX: y"),
            (
                r#"username="a", response="0123456789abcdef0123456789abcdef", qop=auth"#,
                r#"username="a", response="***", qop=auth"#,
            ),
            ("password=\"canary", "password=\"***"),
        ] {
            assert_eq!(redacted_text(text), expected);
        }
    }

    #[test]
    fn a_secret_goes_by_its_own_form() {
        for (text, expected) in [
            ("sent Bearer KEY-canary.", "sent Bearer ***."),
            ("BASIC Y2FuYXJ5OmE=", "BASIC ***"),
            ("see https://portal/rest/1/canary0/profile", "see https://portal/rest/1/***/profile"),
            (
                "at https://alice:canary@host/x and http://canary@h",
                "at https://***@host/x and http://***@h",
            ),
            ("<sip:alice:canary@host>", "<sip:alice:***@host>"),
            ("key KEY0189A5CANARY_canary0 is gone", "key *** is gone"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "***"),
        ] {
            assert_eq!(redacted_text(text), expected);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "POST /oauth/token: HTTP 401, 10009: Authentication failed",
            "bearer authentication is required",
            "basic authentication failed.",
            "sip:alice@host:5060;transport=udp",
            "sip:10.0.0.1:5060",
            "https://host/rest/voximplant.sip.get and /rest/1/",
            "the password has expired",
            "expires=3600, registered: true, response=200",
            "KEYBOARD_LAYOUT_IS_UNKNOWN",
            "reg_id: 7, credential_type: uac_external_credential",
            "",
        ] {
            assert_eq!(redacted_text(text), text);
        }
    }

    #[test]
    fn a_long_text_of_beginnings_is_read_in_one_pass() {
        // Each would take hours if one of the passes began again for every beginning.
        for beginning in [
            "token ",
            "\ntoken:",
            "token=\"",
            "sip:",
            "://",
            "rest/1/",
            "bearer ",
            "token\\",
            "<token>",
            "eyJ",
            "token: ",
            "response=",
            "response: ",
            "password=***",
            "secret=null",
            "'token':'***",
        ] {
            let text = beginning.repeat(30_000);
            assert!(redacted_text(&text).len() <= 4 * text.len());
        }
    }
}
