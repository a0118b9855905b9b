//! One call of an API, as the provider's module words it. Not sent here.

use std::fmt::{self, Write as _};

use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;

/// One call. Its path is shown in errors; its query, its body and its token are not.
#[derive(Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Option<Value>,
    pub(super) bearer: Option<SecretString>,
    pub(super) key_in_body: Option<SecretString>,
    pub(super) repeatable: bool,
}

impl Request {
    /// `GET`.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// `POST`.
    #[must_use]
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// `PUT`.
    #[must_use]
    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// `PATCH`.
    #[must_use]
    pub fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    /// `DELETE`.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// With one more piece of the path, encoded here (RFC 3986 §3.3): an id with a slash or a question mark in it stays one piece.
    #[must_use]
    pub fn segment(mut self, segment: &str) -> Self {
        if !self.path.ends_with('/') {
            self.path.push('/');
        }
        self.path.push_str(&encoded(segment));
        self
    }

    /// With `name=value` in the query, encoded here.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// With `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(mut self, token: SecretString) -> Self {
        self.bearer = Some(token);
        self
    }

    /// With this key in its body, put there by the caller: no answer shows it, as none shows a bearer's token.
    #[must_use]
    pub fn key_in_body(mut self, key: SecretString) -> Self {
        self.key_in_body = Some(key);
        self
    }

    /// A call that changes nothing, or the same thing twice, so that it may be repeated whatever became of it: a `POST` of JSON-RPC
    /// that only reads. `GET`, `PUT` and `DELETE` are so anyway (RFC 9110 §9.2.2).
    #[must_use]
    pub const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            repeatable: method.is_idempotent(),
            method,
            path: path.into(),
            query: Vec::new(),
            body: None,
            bearer: None,
            key_in_body: None,
        }
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes everything");
        }
    }
    encoded
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_piece_of_the_path() {
        let path = |segment| Request::get("/uac_connections").segment(segment).path;
        assert_eq!(path("1293384261075731499"), "/uac_connections/1293384261075731499");
        assert_eq!(path("a/../b?c#d%e"), "/uac_connections/a%2F..%2Fb%3Fc%23d%25e");
        assert_eq!(path("ü"), "/uac_connections/%C3%BC");
        let deeper = Request::post("/agents/").segment("7").segment("sip-registration").path;
        assert_eq!(deeper, "/agents/7/sip-registration");
    }

    #[test]
    fn debug_shows_no_query_no_body_and_no_token() {
        let request = Request::post("/token")
            .query("key", "canary")
            .json(serde_json::json!({ "client_secret": "canary" }))
            .bearer("canary".to_owned().into());
        assert!(!format!("{request:?}").contains("canary"));
    }

    #[test]
    fn what_may_be_repeated_is_what_rfc_9110_calls_idempotent_and_what_says_so() {
        assert!(Request::get("").repeatable && Request::put("").repeatable && Request::delete("").repeatable);
        assert!(!Request::post("").repeatable && !Request::patch("").repeatable);
        assert!(Request::post("").repeatable().repeatable);
    }
}
