//! Texts of a provider's as they may be kept and shown: escaped, cut, secrets removed. Pure.

use serde_json::{Map, Value};
use sip_message::printable;

mod redaction;

use redaction::redacted_text;

/// The longest text that is kept of one field, in bytes as it is shown.
const LONGEST_FIELD: usize = 240;
/// The longest raw answer that is kept, in bytes as it is shown.
const LONGEST_RAW: usize = 16 * 1024;
/// How much of a text is looked at for a field, in bytes: more than is left of it in any case.
const LONGEST_READ: usize = 8 * 1024;

/// A field as it may be shown: printable, 240 bytes at most, and what looks like a secret is `***`.
#[must_use]
pub(crate) fn field(text: &str) -> String {
    let shown = redacted_text(beginning(text, LONGEST_READ));
    // Before that too: the escape of a line end looks like the first letters of the word after it.
    let shown = redacted_text(&printable(shown.as_bytes()));
    if shown.len() <= LONGEST_FIELD {
        return shown;
    }
    // The cut may go through a `***`.
    redacted_text(&cut(&shown, LONGEST_FIELD))
}

/// A JSON answer as it may be kept: what a key says is secret is `***`, at any depth, and what looks like a secret in a text.
/// 16 KiB at most.
#[must_use]
pub(crate) fn raw(answer: &Value) -> String {
    cut(&printable(redacted(answer.clone()).to_string().as_bytes()), LONGEST_RAW)
}

/// A text that came where JSON should have, as it may be kept: printable, in one line, secrets removed, 16 KiB at most.
pub(crate) fn page(text: &str) -> String {
    // Long enough that the end of what is kept is not where a secret was cut in two.
    let shown = redacted_text(beginning(text, 4 * LONGEST_RAW));
    cut(&redacted_text(&printable(shown.as_bytes())), LONGEST_RAW)
}

/// The same answer without its secrets.
#[must_use]
pub(crate) fn redacted(answer: Value) -> Value {
    match answer {
        Value::Object(fields) => {
            let hide = |(name, value): (String, Value)| (name.clone(), redacted_field(&name, value));
            Value::Object(fields.into_iter().map(hide).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(redacted).collect()),
        Value::String(text) => redacted_text(&text).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => answer,
    }
}

/// The fields that are kept of an answer beside what was understood of it: printable and without secrets, names and values.
pub(crate) fn kept(fields: Map<String, Value>) -> Map<String, Value> {
    let shown = |(name, value): (String, Value)| (printable(name.as_bytes()), kept_value(redacted_field(&name, value)));
    fields.into_iter().map(shown).collect()
}

fn kept_value(value: Value) -> Value {
    match value {
        Value::Object(fields) => kept(fields).into(),
        Value::Array(items) => items.into_iter().map(kept_value).collect(),
        Value::String(text) => redacted_text(&printable(text.as_bytes())).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
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
/// Telzino's echo of what was put, `Md5Cred` of `AuthDetail`, FreeSWITCH's `a1-hash` and `reverse-auth-pass`, tokens. Of a full name such
/// as `sip.auth.key` each part counts.
pub(crate) fn is_secret(name: &str) -> bool {
    name.split('.').any(is_secret_part)
}

fn is_secret_part(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| name.contains(word))
        || name.split('_').any(|part| matches!(part, "ha1" | "ha1b" | "pwd" | "psk"))
        || matches!(&*name, "auth" | "pass")
        || name.ends_with("_pass")
}

const SECRET_WORDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "authorization",
    "cookie",
    "private_key",
    "md5_cred",
    "md5cred",
    "a1_hash",
];

fn cut(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    format!("{}…", beginning(text, longest.saturating_sub('…'.len_utf8())))
}

/// So many bytes, or as many less as it takes to end with a whole character.
fn beginning(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
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
        assert_eq!(long, format!("{}…", "ü".repeat(118)));
    }
    #[test]
    fn secrets_are_removed_from_texts_inside_of_answers() {
        let answer = json!({"error_description": "no such hook: https://portal/rest/1/canary/", "lines": ["Password: canary x\nA: b"]});
        assert_eq!(
            raw(&answer),
            r#"{"error_description":"no such hook: https://portal/rest/1/***/","lines":["Password: ***\nA: b"]}"#
        );
    }

    #[test]
    fn names_are_told_from_words_that_hold_them() {
        for secret in [
            "Md5Cred",
            "sip-password",
            "HA1",
            "auth_ha1b",
            "reverse-auth-pass",
            "X-Api-Key",
            "clientSecret",
            "Set-Cookie",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for open in [
            "sha1",
            "t38_passthrough_enabled",
            "author",
            "credential_type",
            "auth_username",
            "expires",
            "status",
        ] {
            assert!(!is_secret(open), "{open}");
        }
    }

    /// Texts of pieces that matter to the redaction, and of any others.
    fn texts() -> impl Strategy<Value = String> {
        let piece = select(vec![
            "password",
            "Secret",
            "token",
            "auth",
            "=",
            ":",
            ": ",
            "=>",
            "\"",
            "\\\"",
            "'",
            "<",
            ">",
            "\n",
            "\r\n",
            r"\x0a",
            "Bearer ",
            "Basic ",
            "/rest/1/",
            "abcd1234",
            "://",
            "@",
            "sip:",
            "KEY",
            "eyJ",
            ".",
            "***",
            "*",
            "…",
            " ",
            "null",
            "Authorization",
            "response",
            "ü",
        ]);
        vec(
            prop_oneof![4 => piece.prop_map(str::to_owned), 1 => ".{0,12}", 1 => "[a-f0-9]{32}", 1 => "\\PC{200,300}"],
            0..24,
        )
        .prop_map(|pieces| pieces.concat())
    }

    fn answers() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![texts().prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(Value::Null)];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let name = prop_oneof![select(vec!["password", "a", "access_token"]).prop_map(str::to_owned), texts()];
            prop_oneof![
                vec(inner.clone(), 0..6).prop_map(Value::from),
                vec((name, inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_field_is_short_and_printable_and_stays_what_it_is(text in texts()) {
            let shown = field(&text);
            prop_assert!(shown.len() <= LONGEST_FIELD);
            prop_assert_eq!(&printable(shown.as_bytes()), &shown);
            prop_assert_eq!(field(&shown), shown);
        }

        #[test]
        fn an_answer_is_short_and_printable_and_its_redaction_stays_what_it_is(answer in answers()) {
            let kept = raw(&answer);
            prop_assert!(kept.len() <= LONGEST_RAW);
            prop_assert_eq!(&printable(kept.as_bytes()), &kept);
            let once = redacted(answer);
            prop_assert_eq!(redacted(once.clone()), once);
        }

        #[test]
        fn no_secret_survives_whatever_stands_around_it(before in texts(), after in texts(), shape in 0..8_usize) {
            // Not within a word or a quotation that began before it.
            let (before, after) = (before.replace(['"', '\'', '\\'], " "), format!("\n{after}"));
            let secret = match shape {
                0 => "\nPassword: c4nary".to_owned(),
                1 => "\nauth_password=c4nary&x".to_owned(),
                2 => "\n\"clientSecret\" : \"c4nary\"".to_owned(),
                3 => "\n<ha1>c4nary</ha1>".to_owned(),
                4 => "\nBearer c4nary.c4nary".to_owned(),
                5 => "\nhttps://h/rest/1/c4nary/x".to_owned(),
                6 => "\nsip:alice:c4nary@h".to_owned(),
                _ => "\nKEY0123456789012345678c4nary".to_owned(),
            };
            let text = format!("{before}{secret}{after}");
            prop_assert!(!field(&text).contains("c4nary"), "{}", field(&text));
            let kept = raw(&json!([{ "a": text }]));
            prop_assert!(!kept.contains("c4nary"), "{}", kept);
        }
    }
}
