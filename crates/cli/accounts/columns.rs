//! The columns that an account can have, and the texts of one row by column. What the texts mean is `build`'s to say.

use super::{Flaw, Place};

/// What can be said of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Aor,
    Name,
    Registrar,
    Proxy,
    Transport,
    AuthUser,
    Password,
    PasswordFile,
    PasswordEnv,
    Ha1,
    Ha1File,
    Realm,
    MinDigest,
    Contact,
    Instance,
    RegId,
    Expires,
    Advertise,
}

/// How many columns there are.
const COUNT: usize = 18;

/// Options of the command line that hold for all accounts of a list.
pub(super) const OF_ALL: [&str; 13] = [
    "keep",
    "local",
    "ipv4",
    "ipv6",
    "dns",
    "resolve",
    "ca_file",
    "client_cert",
    "client_key",
    "tls_server_name",
    "insecure",
    "timeout",
    "follow_redirects",
];

impl Column {
    /// All of them, in the order of their discriminants.
    pub(super) const ALL: [Self; COUNT] = [
        Self::Aor,
        Self::Name,
        Self::Registrar,
        Self::Proxy,
        Self::Transport,
        Self::AuthUser,
        Self::Password,
        Self::PasswordFile,
        Self::PasswordEnv,
        Self::Ha1,
        Self::Ha1File,
        Self::Realm,
        Self::MinDigest,
        Self::Contact,
        Self::Instance,
        Self::RegId,
        Self::Expires,
        Self::Advertise,
    ];

    /// Those that say what to answer a challenge with; a row has one of them at most.
    pub(super) const SECRETS: [Self; 5] = [Self::Password, Self::PasswordFile, Self::PasswordEnv, Self::Ha1, Self::Ha1File];

    /// Its name in a header or as a key.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Aor => "aor",
            Self::Name => "name",
            Self::Registrar => "registrar",
            Self::Proxy => "proxy",
            Self::Transport => "transport",
            Self::AuthUser => "auth_user",
            Self::Password => "password",
            Self::PasswordFile => "password_file",
            Self::PasswordEnv => "password_env",
            Self::Ha1 => "ha1",
            Self::Ha1File => "ha1_file",
            Self::Realm => "realm",
            Self::MinDigest => "min_digest",
            Self::Contact => "contact",
            Self::Instance => "instance",
            Self::RegId => "reg_id",
            Self::Expires => "expires",
            Self::Advertise => "advertise",
        }
    }

    /// The column of this name, in any case and with `-` for `_`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = normal(name);
        Self::ALL.into_iter().find(|column| column.name() == name)
    }
}

/// A name as it is compared.
pub(super) fn normal(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace('-', "_")
}

/// The texts of one row. Their memory is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Values {
    cells: [Cell; COUNT],
}

#[derive(Debug, Default)]
struct Cell {
    text: String,
    /// `None` when the row does not have it.
    place: Option<Place>,
}

impl Values {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        for cell in &mut self.cells {
            cell.place = None;
        }
    }

    /// Takes a text in. An empty one says nothing. False when there was one already.
    pub(super) fn set(&mut self, column: Column, place: Place, text: &str) -> bool {
        let cell = &mut self.cells[column as usize];
        if cell.place.is_some() {
            return false;
        }
        if !text.is_empty() {
            cell.text.clear();
            cell.text.push_str(text);
            cell.place = Some(place);
        }
        true
    }

    /// What the row says.
    pub(super) fn text(&self, column: Column) -> Option<&str> {
        let cell = &self.cells[column as usize];
        cell.place.map(|_| cell.text.as_str())
    }

    /// A flaw of a column, or of the row that begins at `line`.
    pub(super) fn flaw(&self, line: u64, column: Option<Column>, problem: &str) -> Flaw {
        let place = column.and_then(|column| self.cells[column as usize].place);
        let name = column.map(|column| format!("{}: ", column.name())).unwrap_or_default();
        Flaw {
            place: place.unwrap_or(Place { line, column: 1 }),
            problem: format!("{name}{problem}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_its_name_and_its_place() {
        for (at, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, at);
            assert_eq!(Column::named(column.name()), Some(column));
            assert_eq!(Column::named(&column.name().replace('_', "-").to_uppercase()), Some(column));
        }
        assert_eq!(Column::named("bogus"), None);
    }

    #[test]
    fn a_text_is_taken_once_and_an_empty_one_says_nothing() {
        let place = Place { line: 1, column: 1 };
        let mut values = Values::default();
        assert!(values.set(Column::Aor, place, "") && values.text(Column::Aor).is_none());
        assert!(values.set(Column::Aor, place, "a@h") && !values.set(Column::Aor, place, "b@h"));
        assert_eq!(values.text(Column::Aor), Some("a@h"));
        values.clear();
        assert_eq!(values.text(Column::Aor), None);
    }
}
