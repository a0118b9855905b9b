//! Texts of a provider's as they may be kept and shown: escaped, cut, secrets removed. Pure.

use serde_json::Value;
use sip_message::printable;

/// The longest text that is kept of one field, in bytes as it came.
const LONGEST_FIELD: usize = 240;
/// The longest raw answer that is kept, in bytes.
const LONGEST_RAW: usize = 16 * 1024;

/// A field as it may be shown.
#[must_use]
pub fn field(text: &str) -> String {
    cut(text, LONGEST_FIELD)
}

/// A JSON answer as it may be kept: what a key says is secret is `***`, at any depth.
#[must_use]
pub fn raw(answer: &Value) -> String {
    cut(&redacted(answer.clone()).to_string(), LONGEST_RAW)
}

/// The same answer without its secrets.
#[must_use]
pub fn redacted(answer: Value) -> Value {
    match answer {
        Value::Object(fields) => {
            let hide = |(name, value): (String, Value)| (name.clone(), redacted_field(&name, value));
            Value::Object(fields.into_iter().map(hide).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(redacted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => answer,
    }
}

/// What a field of this name may show: `***` where the name says that it is secret.
pub(crate) fn redacted_field(name: &str, value: Value) -> Value {
    if is_secret(name) && !value.is_null() {
        "***".into()
    } else {
        redacted(value)
    }
}

/// True for the names under which the known APIs give out secrets: Kamailio's `auth_password` and `auth_ha1`, Bitrix24's `PASSWORD`,
/// Telzino's echo of what was put, `AuthDetail`, tokens.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret", "token", "ha1", "api_key", "apikey", "authorization"]
        .iter()
        .any(|word| name.contains(word))
        || matches!(&*name, "auth" | "pass" | "md5_cred" | "md5cred")
}

fn cut(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return printable(text.as_bytes());
    }
    let end = (0..=longest).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
    format!("{}…", printable(text.get(..end).unwrap_or_default().as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_removed_at_any_depth() {
        let answer = json!({"result": [{"l_uuid": "a", "auth_password": "canary", "auth_ha1": "canary"}],
            "PASSWORD": "canary", "access_token": "canary", "password": null, "auth": "canary"});
        let kept = raw(&answer);
        assert!(!kept.contains("canary"), "{kept}");
        assert!(kept.contains("\"l_uuid\":\"a\"") && kept.contains("\"password\":null"), "{kept}");
    }

    #[test]
    fn long_and_strange_text_is_cut_and_escaped() {
        assert_eq!(field("REGED"), "REGED");
        assert!(!field("\u{1b}[2J").contains('\u{1b}'));
        let long = field(&"ü".repeat(500));
        assert_eq!(long, format!("{}…", "ü".repeat(LONGEST_FIELD / 2)));
    }
}
