//! Bitrix24's error format: `{"error": CODE, "error_description": TEXT}`, mostly with an HTTP status that says less than the code. Pure.

use serde_json::Value;

use crate::{ApiTrouble, Envelope, text};

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
        ..Envelope::default()
    })
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
