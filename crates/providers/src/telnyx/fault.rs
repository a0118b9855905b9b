//! Telnyx' error format: `{"errors":[{"code":"10009","title":"…","detail":"…","source":{"pointer":"/…"}}]}`.

use serde_json::Value;

use crate::reading::{identifier, text};
use crate::{ApiTrouble, Envelope};

/// The most errors of one answer that are told.
const MOST: usize = 4;

pub(super) fn envelope(body: &Value) -> Option<Envelope> {
    let errors = body.get("errors")?.as_array()?;
    let code = identifier(errors.first()?.get("code")?);
    let told: Vec<_> = errors.iter().take(MOST).map(told).collect();
    Some(Envelope {
        trouble: code.as_deref().and_then(trouble),
        code,
        detail: told.join("; "),
        ..Envelope::default()
    })
}

/// One error in a sentence, with the field that it points to (RFC 6901).
fn told(error: &Value) -> String {
    let part = |name| error.get(name).and_then(text);
    let words = match (part("title"), part("detail")) {
        (Some(title), Some(detail)) if title != detail => format!("{title}: {detail}"),
        (Some(words), _) | (None, Some(words)) => words,
        (None, None) => "no details".to_owned(),
    };
    let pointer = error.pointer("/source/pointer").and_then(text);
    match pointer.filter(|pointer| pointer != "/") {
        Some(pointer) => format!("{words} (at {pointer})"),
        None => words,
    }
}

/// What a code says beyond the HTTP status. The others, 10004 a missing parameter, 10005 not found, 10006 a wrong id and 10015 a bad
/// request, come with statuses that say more: 10015 with 400 and with 422.
fn trouble(code: &str) -> Option<ApiTrouble> {
    match code {
        "10007" => Some(ApiTrouble::Server),
        "10008" => Some(ApiTrouble::Timeout),
        "10009" => Some(ApiTrouble::Unauthorized),
        "10010" => Some(ApiTrouble::Forbidden),
        "10011" => Some(ApiTrouble::RateLimited),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_tells_title_detail_and_place() {
        let body = json!({"errors": [
            {"code": "10015", "title": "Bad Request", "detail": "is too short", "source": {"pointer": "/external_uac_settings/username"}},
            {"code": "10004", "detail": "is missing", "source": {"pointer": "/"}},
        ]});
        let envelope = envelope(&body).unwrap();
        assert_eq!(envelope.code.as_deref(), Some("10015"));
        assert_eq!(
            envelope.detail,
            "Bad Request: is too short (at /external_uac_settings/username); is missing"
        );
        assert_eq!(envelope.trouble, None);
    }

    #[test]
    fn a_code_names_its_trouble_where_the_status_may_not() {
        let of = |code: Value| envelope(&json!({"errors": [{"code": code, "title": "x"}]})).and_then(|it| it.trouble);
        assert_eq!(of(json!("10011")), Some(ApiTrouble::RateLimited));
        assert_eq!(of(json!(10009)), Some(ApiTrouble::Unauthorized));
        assert_eq!((of(json!("10005")), of(json!("20000"))), (None, None));
    }

    #[test]
    fn what_is_no_error_format_is_left_to_the_status() {
        for body in [
            json!({}),
            json!({"errors": []}),
            json!({"errors": "x"}),
            json!([]),
            json!({"errors": [1]}),
        ] {
            assert_eq!(envelope(&body), None, "{body}");
        }
    }
}
