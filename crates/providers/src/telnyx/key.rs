//! What Telnyx knows a thing by, and the refusal of a value before it is sent.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::reading::integer;
use crate::text;

/// A value that would be refused, or would do something else than was meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", if field.is_empty() { String::new() } else { format!("{field}: ") }, self.unnamed())]
pub struct Invalid {
    /// Which field, as Telnyx names it: `external_uac_settings.username`. Empty where the problem says it.
    pub field: &'static str,
    /// What is wrong with it; never the value of a password.
    pub problem: String,
    /// What would be right.
    pub right: &'static str,
}

impl Invalid {
    /// What is wrong and what would be right, for those who name the field in their own way.
    #[must_use]
    pub fn unnamed(&self) -> String {
        format!("{}; write {}", self.problem, self.right)
    }
}

/// An id, a user name or a name: 1 to 256 bytes without control characters, and never a path of its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when an answer means this one. Case does not count: UUIDs come in both.
    pub(super) fn is(&self, answered: &Value) -> bool {
        match answered.as_str() {
            Some(answered) => self.0.eq_ignore_ascii_case(answered.trim()),
            None => integer(answered).is_some_and(|number| self.0 == number.to_string()),
        }
    }
}

impl FromStr for Key {
    type Err = Invalid;

    fn from_str(written: &str) -> Result<Self, Invalid> {
        const LONGEST: usize = 256;
        let written = written.trim();
        let wrong = |problem: String| Invalid {
            field: "id",
            problem,
            right: "the id or name as Telnyx shows it",
        };
        if written.is_empty() {
            return Err(wrong("it is empty".into()));
        }
        // An id of dots would become another path: RFC 3986 §5.2.4 removes them.
        if matches!(written, "." | "..") || written.len() > LONGEST || written.chars().any(char::is_control) {
            return Err(wrong(format!("{} is none", text::field(written))));
        }
        Ok(Self(written.to_owned()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::field(&self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_compared_as_it_came_and_not_as_it_is_shown() {
        let long = "KEY0123456789012345678".repeat(11);
        let key: Key = long.parse().unwrap();
        assert!(key.is(&json!(long)) && !key.is(&json!(format!("{long}x"))) && !key.is(&json!(null)));
        let key: Key = "1293384261075731499".parse().unwrap();
        assert!(key.is(&json!(1_293_384_261_075_731_499_i64)) && !key.is(&json!(7)));
        let key: Key = "7a".parse().unwrap();
        assert!(key.is(&json!(" 7A ")) && !key.is(&json!("7b")));
    }

    #[test]
    fn a_key_is_never_empty_and_never_a_path() {
        assert_eq!(" 1293384261075731499 ".parse::<Key>().unwrap().as_str(), "1293384261075731499");
        for wrong in ["", " ", ".", "..", "a\nb", &"x".repeat(257)] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong:?}");
        }
        assert_eq!(
            "".parse::<Key>().unwrap_err().to_string(),
            "id: it is empty; write the id or name as Telnyx shows it"
        );
    }
}
