//! Which UAC connections a list is about: filters, order, size of a page. Wrong ones are refused before anything is sent. Pure.

use std::fmt;
use std::str::FromStr;

use super::Invalid;
use crate::{Request, text};

/// Which UAC connections, and in which order. The default is all of them, by Telnyx' order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UacQuery {
    name_contains: Option<String>,
    fqdn: Option<String>,
    outbound_voice_profile_id: Option<String>,
    sort: Option<Sort>,
    page_size: Option<u32>,
}

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By which field.
    pub by: SortField,
    /// From the last to the first.
    pub descending: bool,
}

/// The fields that a list can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortField {
    /// When the connection was made.
    CreatedAt,
    /// Its name.
    ConnectionName,
    /// Whether it is switched on.
    Active,
}

/// The most that Telnyx gives on a page.
const LARGEST_PAGE: u32 = 250;

impl UacQuery {
    /// Those with these characters in their name; case does not count.
    ///
    /// # Errors
    /// [`Invalid`] for fewer than three characters: Telnyx does not search for them.
    pub fn name_contains(mut self, part: &str) -> Result<Self, Invalid> {
        const SHORTEST: usize = 3;
        if part.chars().count() < SHORTEST {
            return Err(Invalid {
                field: "filter[connection_name][contains]",
                problem: format!("{} is too short", text::field(part)),
                right: "at least 3 characters of the name",
            });
        }
        self.name_contains = Some(part.to_owned());
        Ok(self)
    }

    /// The one with this FQDN, to the letter.
    #[must_use]
    pub fn fqdn(mut self, fqdn: &str) -> Self {
        self.fqdn = Some(fqdn.to_owned());
        self
    }

    /// Those with this outbound voice profile.
    #[must_use]
    pub fn outbound_voice_profile(mut self, id: &str) -> Self {
        self.outbound_voice_profile_id = Some(id.to_owned());
        self
    }

    /// In this order.
    #[must_use]
    pub const fn sorted(mut self, sort: Sort) -> Self {
        self.sort = Some(sort);
        self
    }

    /// So many at a time; 250 without it.
    ///
    /// # Errors
    /// [`Invalid`] outside 1 to 250.
    pub fn page_of(mut self, size: u32) -> Result<Self, Invalid> {
        if !(1..=LARGEST_PAGE).contains(&size) {
            return Err(Invalid {
                field: "page[size]",
                problem: format!("{size} is out of range"),
                right: "a number from 1 to 250",
            });
        }
        self.page_size = Some(size);
        Ok(self)
    }

    pub(super) fn page_size(&self) -> u32 {
        self.page_size.unwrap_or(LARGEST_PAGE)
    }

    pub(super) fn queried(&self, request: Request) -> Request {
        let filters = [
            ("filter[connection_name][contains]", self.name_contains.clone()),
            ("filter[fqdn]", self.fqdn.clone()),
            ("filter[outbound_voice_profile_id]", self.outbound_voice_profile_id.clone()),
            ("sort", self.sort.map(|sort| sort.to_string())),
        ];
        let given = filters.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.fold(request, |request, (name, value)| request.query(name, value))
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minus = if self.descending { "-" } else { "" };
        write!(f, "{minus}{}", self.by.name())
    }
}

impl SortField {
    const ALL: [Self; 3] = [Self::CreatedAt, Self::ConnectionName, Self::Active];

    const fn name(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::ConnectionName => "connection_name",
            Self::Active => "active",
        }
    }
}

impl FromStr for Sort {
    type Err = Invalid;

    fn from_str(written: &str) -> Result<Self, Invalid> {
        let (descending, name) = written.strip_prefix('-').map_or((false, written), |name| (true, name));
        let by = SortField::ALL.into_iter().find(|field| field.name() == name);
        let by = by.ok_or_else(|| Invalid {
            field: "sort",
            problem: format!("{} is no field to sort by", text::field(written)),
            right: "created_at, connection_name or active, with - in front for the other way round",
        })?;
        Ok(Self { by, descending })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_telnyx_would_refuse_is_refused_here() {
        let query = UacQuery::default();
        assert!(query.clone().name_contains("of").is_err() && query.clone().name_contains("off").is_ok());
        assert!(query.clone().page_of(0).is_err() && query.clone().page_of(251).is_err());
        assert_eq!((query.page_size(), query.page_of(2).unwrap().page_size()), (250, 2));
        let error = "size".parse::<Sort>().unwrap_err().to_string();
        assert!(error.starts_with("sort: size is no field to sort by; write created_at"), "{error}");
    }

    #[test]
    fn an_order_is_written_as_it_is_read() {
        for written in ["created_at", "-connection_name", "active"] {
            assert_eq!(written.parse::<Sort>().unwrap().to_string(), written);
        }
    }
}
