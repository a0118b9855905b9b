//! The secrets of one call, to be taken out of every text that the provider sends back. Not for secrets that we do not know: see `text`.

use std::cmp::Reverse;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::request::{Request, encoded};
use crate::text;

/// What no text from the provider may hold.
pub(super) struct Secrets {
    /// The token and the secret piece of the path.
    keys: Vec<SecretString>,
    /// What stands under a secret name in the body.
    sent: Vec<SecretString>,
}

impl Secrets {
    /// Those of this call.
    pub(super) fn of(request: &Request, path: Option<&SecretString>) -> Self {
        let (mut keys, mut sent) = (Vec::new(), Vec::new());
        for key in [&request.bearer, &request.key_in_body].into_iter().flatten() {
            add(&mut keys, key.expose_secret());
        }
        if let Some(path) = path.map(ExposeSecret::expose_secret) {
            add(&mut keys, path.trim_matches('/'));
            // Whoever quotes the path may quote its last piece only; `rest` and the number of a user are no secrets.
            path.split('/')
                .filter(|piece| piece.len() >= LONG)
                .for_each(|piece| add(&mut keys, piece));
        }
        if let Some(body) = &request.body {
            add_sent(&mut sent, body, false);
        }
        Self { keys, sent }
    }

    /// The text without any of them.
    pub(super) fn removed_from(&self, text: &str) -> String {
        let mut all: Vec<_> = self.keys.iter().chain(&self.sent).map(ExposeSecret::expose_secret).collect();
        // One that holds another one goes first.
        all.sort_by_key(|secret| Reverse(secret.len()));
        all.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// An answer without the keys. What was sent in a body may stand in it by right, and by chance.
    pub(super) fn removed_from_answer(&self, answer: Value) -> Value {
        cleaned(answer, &|text| self.keys_removed(text))
    }

    /// An error's JSON without any of them.
    pub(super) fn removed_from_refusal(&self, refusal: Value) -> Value {
        cleaned(refusal, &|text| self.removed_from(&text))
    }

    fn keys_removed(&self, text: String) -> String {
        let keys = self.keys.iter().map(ExposeSecret::expose_secret).filter(|key| key.len() >= LONG);
        keys.fold(text, |text, key| if text.contains(key) { text.replace(key, "***") } else { text })
    }
}

fn cleaned(value: Value, clean: &impl Fn(String) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(items) => items.into_iter().map(|item| cleaned(item, clean)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (clean(name), cleaned(value, clean)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// Adds a secret as it is and as URLs write it. One of three letters is in every other word.
fn add(secrets: &mut Vec<SecretString>, secret: &str) {
    if secret.len() < SHORTEST {
        return;
    }
    let encoded = encoded(secret);
    if encoded != secret {
        secrets.push(encoded.into());
    }
    secrets.push(secret.to_owned().into());
}

fn add_sent(secrets: &mut Vec<SecretString>, value: &Value, is_secret: bool) {
    match value {
        Value::String(text) if is_secret => add(secrets, text),
        Value::Array(items) => items.iter().for_each(|item| add_sent(secrets, item, is_secret)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| add_sent(secrets, value, is_secret || text::is_secret(name))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The shortest secret that is looked for, in bytes.
const SHORTEST: usize = 4;
/// The shortest that cannot well be anything else, in bytes.
const LONG: usize = 8;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_in_the_body_is_a_key() {
        let request = Request::post("")
            .json(json!({"auth": "key in body"}))
            .key_in_body("key in body".to_owned().into());
        let secrets = Secrets::of(&request, None);
        let answer = secrets.removed_from_answer(json!({"echo": ["key in body", "key%20in%20body"]}));
        assert_eq!(answer, json!({"echo": ["***", "***"]}));
    }

    fn secrets() -> Secrets {
        let body = json!({"name": "office", "auth": {"sip_password": "in body"}, "pin": "1234"});
        let request = Request::post("").bearer("t0ken".to_owned().into()).json(body);
        Secrets::of(&request, Some(&"/rest/1/code-of-webhook/".to_owned().into()))
    }

    #[test]
    fn token_path_and_body_are_removed_as_they_are_and_as_urls_write_them() {
        let text = "t0ken, /rest/1/code-of-webhook/x, rest%2F1%2Fcode-of-webhook, code-of-webhook, in body, in%20body; office, 1234, rest";
        let expected = "***, /***/x, ***, ***, ***, ***; office, 1234, rest";
        assert_eq!(secrets().removed_from(text), expected);
    }

    #[test]
    fn a_refusal_loses_all_of_them() {
        let refusal = json!({"t0ken": ["in body", {"in%20body": "office t0ken"}]});
        assert_eq!(
            secrets().removed_from_refusal(refusal),
            json!({"***": ["***", {"***": "office ***"}]})
        );
    }

    #[test]
    fn an_answer_loses_the_keys_and_keeps_the_rest() {
        let answer = json!({"url": ["https://portal/rest/1/code-of-webhook/"], "code-of-webhook": 1, "text": "in body", "id": "t0ken"});
        let expected = json!({"url": ["https://portal/***/"], "***": 1, "text": "in body", "id": "t0ken"});
        assert_eq!(secrets().removed_from_answer(answer), expected);
    }
}
