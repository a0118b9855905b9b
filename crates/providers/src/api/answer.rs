//! An HTTP answer read whole: its limits, its JSON, and what an answer that is no success says (RFC 9110 §15).

use reqwest::header::{self, HeaderMap};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::failure::Failure;
use super::secrets::Secrets;
use super::{ApiTrouble, Envelope, Reply, retry};
use crate::{Moment, text};

/// What is known of a call before its answer comes.
pub(super) struct Reading<'a> {
    /// Reads the provider's own error format.
    pub(super) envelope: fn(&Value) -> Option<Envelope>,
    /// What is not repeated.
    pub(super) secrets: &'a Secrets,
    /// What was called.
    pub(super) host: &'a str,
}

impl Reading<'_> {
    /// Reads the answer to its end.
    ///
    /// # Errors
    /// Everything but 2xx with JSON in it, or 204 with nothing.
    pub(super) async fn read(&self, mut response: Response, asked_at: Moment) -> Result<Reply, Failure> {
        let status = response.status();
        let body = body(&mut response, self.host).await;
        let answered_at = Moment::now();
        if !status.is_success() {
            // The status says enough, whatever became of the text.
            return Err(self.refusal(status, response.headers(), &body.unwrap_or_default(), answered_at));
        }
        let failed = |failure: Failure| failure.with_status(status.as_u16());
        let body = json(status, response.headers(), &body.map_err(failed)?).map_err(failed)?;
        Ok(Reply {
            request: String::new(),
            status: status.as_u16(),
            body: self.secrets.removed_from_answer(body),
            server_date: retry::server_date(response.headers()),
            asked_at,
            answered_at,
        })
    }

    /// What an answer that is no success says.
    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8], now: Moment) -> Failure {
        let json = serde_json::from_slice::<Value>(without_mark(body)).ok();
        let envelope = json.as_ref().and_then(self.envelope).unwrap_or_default();
        let trouble = envelope.trouble.unwrap_or(ApiTrouble::of_status(status.as_u16()));
        let whole = |json| text::redacted(self.secrets.removed_from_refusal(json)).to_string();
        let said = [Some(envelope.detail), json.filter(says_something).map(whole), excerpt(body)];
        let said = said.into_iter().flatten().find(|words| !words.trim().is_empty());
        let reason = || status.canonical_reason().unwrap_or("no known status").to_owned();
        Failure {
            trouble,
            status: Some(status.as_u16()),
            code: envelope.code,
            detail: said.unwrap_or_else(reason),
            retry_after: retry::asked(headers, trouble, now).or(envelope.retry_after),
            body: None,
            unsent: false,
        }
    }
}

fn says_something(json: &Value) -> bool {
    match json {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// The bytes, as long as they are not too many.
async fn body(response: &mut Response, host: &str) -> Result<Vec<u8>, Failure> {
    let too_large = || Failure::new(ApiTrouble::TooLarge, format!("more than {} KiB", LARGEST_BODY / 1024));
    let encoding = response.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Failure::new(ApiTrouble::Contract, "compressed, which was not asked for"));
    }
    if response.content_length().is_some_and(|length| length > LARGEST_BODY as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of_network(error, host))? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a success holds. The type that it says it has is not asked: some send JSON as text.
fn json(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<Value, Failure> {
    if body.trim_ascii().is_empty() && matches!(status.as_u16(), 204 | 205) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(without_mark(body)).map_err(|error| {
        let kind = content_type(headers);
        let excerpt = excerpt(body);
        let whole = excerpt.is_some() && !body.trim_ascii().is_empty();
        let detail = match excerpt {
            Some(_) if !whole => "an empty answer instead of JSON".to_owned(),
            Some(words) if words.is_empty() => format!("no JSON but {kind} without a word to read"),
            Some(words) => format!("no JSON but {kind}: {words}"),
            None => format!("broken JSON: {error}"),
        };
        Failure {
            body: whole.then(|| String::from_utf8_lossy(body).into_owned()),
            ..Failure::new(ApiTrouble::Contract, detail)
        }
    })
}

/// The first words of an answer for people; `None` for broken JSON, in which anything may be secret.
fn excerpt(body: &[u8]) -> Option<String> {
    let body = without_mark(body).trim_ascii_start();
    let start = body.get(..EXCERPT).unwrap_or(body);
    (!matches!(start.first(), Some(b'{' | b'[' | b'"'))).then(|| words(&String::from_utf8_lossy(start)))
}

/// The text of HTML without its tags, scripts and styles, in one line.
fn words(html: &str) -> String {
    let mut words = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        words.push_str(before);
        words.push(' ');
        let lower = after.get(..6).unwrap_or(after).to_ascii_lowercase();
        let end = match &*lower {
            name if name.starts_with("script") => "</script>",
            name if name.starts_with("style") => "</style>",
            name if name.starts_with("!--") => "-->",
            _ => ">",
        };
        rest = find_ignoring_case(after, end)
            .and_then(|at| after.get(at + end.len()..))
            .unwrap_or_default();
    }
    words.push_str(rest);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn find_ignoring_case(text: &str, what: &str) -> Option<usize> {
    text.as_bytes()
        .windows(what.len())
        .position(|window| window.eq_ignore_ascii_case(what.as_bytes()))
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next()).map(str::trim);
    kind.filter(|kind| !kind.is_empty()).unwrap_or("something else").to_owned()
}

/// Without the mark that some put before UTF-8.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The most bytes that a body may have: 1 MiB.
const LARGEST_BODY: usize = 1024 * 1024;
/// How much of a text for people is looked at, in bytes.
const EXCERPT: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_told_by_its_words() {
        let html = "<!DOCTYPE html><html><head><title>502 Bad\nGateway</title><STYLE>p{}</STYLE><script>x<y</script></head>\
                    <body><!-- <b> --><h1>Sorry</h1></body></html>";
        assert_eq!(words(html), "502 Bad Gateway Sorry");
        assert_eq!(words("plain  text\r\n"), "plain text");
        assert_eq!(words("cut <a href='"), "cut");
        assert_eq!(words("<ü"), "");
    }

    #[test]
    fn broken_json_is_not_quoted() {
        for body in [r#"{"password":"canary"#, " [\"canary", "\"canary", "\u{feff}{\"a\":canary}"] {
            let failure = json(StatusCode::OK, &HeaderMap::new(), body.as_bytes()).unwrap_err();
            assert!(
                failure.detail.starts_with("broken JSON") && !failure.detail.contains("canary") && failure.body.is_none(),
                "{failure:?}"
            );
        }
    }

    #[test]
    fn json_is_read_after_a_mark_and_nothing_counts_where_nothing_is_to_come() {
        let read = |status, body: &str| json(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes());
        assert_eq!(read(200, "\u{feff} {} "), Ok(serde_json::json!({})));
        assert_eq!(read(204, ""), Ok(Value::Null));
        assert!(read(200, "").unwrap_err().detail.starts_with("an empty answer"));
        assert!(read(200, &"[".repeat(100_000)).is_err());
    }
}
