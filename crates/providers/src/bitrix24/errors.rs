//! Bitrix24's error format: `{"error": CODE, "error_description": TEXT}`, mostly with an HTTP status that says less than the code. Pure.

use std::time::Duration;

use serde_json::Value;

use crate::{ApiTrouble, Envelope, reading, text};

/// Reads an error. A body without one is none.
pub(super) fn envelope(body: &Value) -> Option<Envelope> {
    let code = match &body["error"] {
        Value::String(code) if !code.is_empty() => code.clone(),
        Value::Number(code) => code.to_string(),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(Envelope {
        trouble: meaning(&code),
        code: Some(text::field(&code)),
        detail: body["error_description"].as_str().unwrap_or_default().to_owned(),
        retry_after: until_reset(&body["time"]),
    })
}

/// How long a method stays shut after it took too much time: from when the answer was ready, by the portal's own clock.
fn until_reset(time: &Value) -> Option<Duration> {
    let reset = reading::moment(&time["operating_reset_at"])?;
    let ready = reading::moment(&time["date_finish"]).filter(|ready| ready.zone_known)?;
    Some(reset.at.since(ready.at).try_into().unwrap_or(Duration::ZERO))
}

/// What a code means, where it is known.
fn meaning(code: &str) -> Option<ApiTrouble> {
    Some(match code.to_ascii_uppercase().as_str() {
        "QUERY_LIMIT_EXCEEDED" | "OVERLOAD_LIMIT" | "OPERATION_TIME_LIMIT" => ApiTrouble::RateLimited,
        // Also what every failure between the portal and Voximplant becomes.
        "REG_ID_NOT_FOUND" | "ERROR_NOT_FOUND" => ApiTrouble::NotFound,
        "NO_AUTH_FOUND" | "EXPIRED_TOKEN" | "INVALID_TOKEN" => ApiTrouble::Unauthorized,
        "ACCESS_DENIED" | "INSUFFICIENT_SCOPE" | "INVALID_CREDENTIALS" | "USER_ACCESS_ERROR" => ApiTrouble::Forbidden,
        // The portal has no telephony, or there is no portal any more.
        "ERROR_METHOD_NOT_FOUND" | "PORTAL_DELETED" => ApiTrouble::Gone,
        "INVALID_REQUEST" | "CHECK_FIELDS_ERROR" => ApiTrouble::BadRequest,
        "INTERNAL_SERVER_ERROR" | "ERROR_UNEXPECTED_ANSWER" => ApiTrouble::Server,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_documented_code_has_its_meaning() {
        let trouble = |code: &str| envelope(&json!({"error": code, "error_description": "why"})).unwrap().trouble;
        for (code, meant) in [
            ("QUERY_LIMIT_EXCEEDED", ApiTrouble::RateLimited),
            ("OVERLOAD_LIMIT", ApiTrouble::RateLimited),
            ("OPERATION_TIME_LIMIT", ApiTrouble::RateLimited),
            ("REG_ID_NOT_FOUND", ApiTrouble::NotFound),
            ("ERROR_NOT_FOUND", ApiTrouble::NotFound),
            ("NO_AUTH_FOUND", ApiTrouble::Unauthorized),
            ("expired_token", ApiTrouble::Unauthorized),
            ("ACCESS_DENIED", ApiTrouble::Forbidden),
            ("insufficient_scope", ApiTrouble::Forbidden),
            ("INVALID_CREDENTIALS", ApiTrouble::Forbidden),
            ("user_access_error", ApiTrouble::Forbidden),
            ("PORTAL_DELETED", ApiTrouble::Gone),
            ("ERROR_METHOD_NOT_FOUND", ApiTrouble::Gone),
            ("INVALID_REQUEST", ApiTrouble::BadRequest),
            ("INTERNAL_SERVER_ERROR", ApiTrouble::Server),
        ] {
            assert_eq!(trouble(code), Some(meant), "{code}");
        }
        assert_eq!(trouble("SOMETHING_NEW"), None);
    }

    #[test]
    fn a_method_is_shut_until_its_reset_by_the_portals_clock() {
        let waits = |time: Value| {
            envelope(&json!({"error": "OPERATION_TIME_LIMIT", "time": time}))
                .unwrap()
                .retry_after
        };
        let time = |reset: Value| json!({"date_finish": "2026-03-12T16:54:04+01:00", "operating_reset_at": reset});
        assert_eq!(waits(time(json!(1_773_330_844 + 600))), Some(Duration::from_secs(600)));
        assert_eq!(waits(time(json!("1773330800"))), Some(Duration::ZERO));
        for odd in [
            time(json!(null)),
            time(json!(600)),
            json!({"operating_reset_at": 1_773_324_244}),
            json!({"date_finish": "2026-03-12T16:54:04", "operating_reset_at": 1_773_324_244}),
            json!(7),
        ] {
            assert_eq!(waits(odd.clone()), None, "{odd}");
        }
    }

    #[test]
    fn an_answer_without_an_error_is_no_error() {
        for body in [
            json!({"result": {}}),
            json!({"error": ""}),
            json!({"error": null}),
            json!({"error": {}}),
            json!([]),
            json!(null),
        ] {
            assert_eq!(envelope(&body), None, "{body}");
        }
        assert_eq!(envelope(&json!({"error": 7})).unwrap().code.as_deref(), Some("7"));
    }
}
