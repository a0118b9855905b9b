//! JSON lines: one object for each account, one on each line. Streams.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::columns::{Column, Values};
use super::source::{LineError, Source};
use super::{Flaw, Place, unknown};

/// A list as JSON lines.
pub(super) struct Lines {
    source: Source,
    line: Vec<u8>,
    number: u64,
    broken: bool,
}

impl Lines {
    /// Reads from `source`.
    pub(super) const fn open(source: Source) -> Self {
        Self {
            source,
            line: Vec::new(),
            number: 0,
            broken: false,
        }
    }

    /// The next row into `values`: its line, or what is wrong with it.
    pub(super) fn next(&mut self, values: &mut Values) -> Option<Result<u64, Flaw>> {
        loop {
            if self.broken {
                return None;
            }
            self.number += 1;
            match self.source.line(&mut self.line) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(LineError::TooLong) => {
                    return Some(Err(Flaw::at(self.number, 1, "the line is longer than 1 MiB and was passed over")));
                }
                Err(LineError::Io(error)) => {
                    self.broken = true;
                    return Some(Err(Flaw::at(self.number, 1, format!("cannot be read any further: {error}"))));
                }
            }
            let mark = if self.number == 1 { "\u{feff}".as_bytes() } else { b"" };
            let object = self.line.strip_prefix(mark).unwrap_or(&self.line);
            if !object.trim_ascii().is_empty() {
                return Some(object_of(object, self.number, values).map(|()| self.number));
            }
        }
    }
}

fn object_of(object: &[u8], line: u64, values: &mut Values) -> Result<(), Flaw> {
    let wrong = |error: &serde_json::Error| Flaw::at(line, (error.column() as u64).max(1), without_place(&error.to_string()));
    let mut reading = serde_json::Deserializer::from_slice(object);
    let outcome = Object { values, line }.deserialize(&mut reading);
    outcome.and_then(|()| reading.end()).map_err(|error| wrong(&error))
}

/// Takes ` at line 1 column 7` off: the line of one object is always 1.
fn without_place(text: &str) -> String {
    text.rfind(" at line ").and_then(|at| text.get(..at)).unwrap_or(text).to_owned()
}

/// One object.
struct Object<'v> {
    values: &'v mut Values,
    line: u64,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the keys of an account, such as {\"aor\": \"alice@pbx.example.com\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // Nobody says where in the line a key stands once it is read; a flaw of its value names the key.
        let place = Place {
            line: self.line,
            column: 1,
        };
        while let Some(column) = map.next_key_seed(Key)? {
            let values = &mut *self.values;
            map.next_value_seed(Text { values, column, place })?;
        }
        Ok(())
    }
}

/// A key.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Column;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Column, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Column;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Column, E> {
        Column::named(key).ok_or_else(|| E::custom(unknown(key)))
    }
}

/// The value of a key.
struct Text<'v> {
    values: &'v mut Values,
    column: Column,
    place: Place,
}

impl Text<'_> {
    fn take<E: Error>(self, text: &str) -> Result<(), E> {
        if self.values.set(self.column, self.place, text) {
            Ok(())
        } else {
            Err(E::custom(format_args!("`{}` is said twice", self.column.name())))
        }
    }

    fn wrong<E: Error>(&self) -> E {
        E::custom(format_args!("`{}` is a text or a whole number", self.column.name()))
    }
}

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.take(text)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.take(&number.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    // What serde says by itself of the others would repeat the value, which may be a secret.
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Err(self.wrong())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Err(self.wrong())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Err(self.wrong())
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.wrong())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.wrong())
    }
}
