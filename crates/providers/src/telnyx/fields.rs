//! Taking an object of the API apart: the known fields by their kind, everything else kept as it came, printable and without secrets.

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::text;

/// Fields that have no place of their own in a type, secrets removed.
pub(super) type Other = Map<String, Value>;

/// An object whose fields are taken one by one.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of an object; of anything else none.
    pub(super) fn of(value: &Value) -> Self {
        Self(value.as_object().cloned().unwrap_or_default())
    }

    /// Takes a field that can be read so. One that cannot stays among the others.
    pub(super) fn take<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let read = read(self.0.get(name)?)?;
        self.0.remove(name);
        Some(read)
    }

    /// Takes a password. Masks such as `********` are none.
    pub(super) fn take_secret(&mut self, name: &str) -> Option<SecretString> {
        let secret = |value: &Value| value.as_str().map(str::to_owned);
        let secret = self.take(name, secret)?;
        let is_mask = secret.bytes().all(|byte| byte == b'*');
        (!is_mask).then(|| secret.into())
    }

    /// What is left, without what says nothing.
    pub(super) fn rest(self) -> Other {
        text::kept(self.0.into_iter().filter(|(_, value)| !value.is_null()).collect())
    }
}

/// `external_uac_settings` also by the name that a page of the documents made of it by replacing a word everywhere.
pub(super) fn external_name(name: &str) -> String {
    name.replace("external", "third-party")
}

/// The other way round.
pub(super) fn usual_name(name: &str) -> String {
    name.replace("third-party", "external")
}
