//! A moment as evidence names it: UTC, to the millisecond, RFC 3339. Not a clock: only [`Moment::now`] reads one.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

/// A moment in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Timestamp);

impl Moment {
    /// The first moment that there is, in the year -9999.
    pub const BEGINNING: Self = Self(Timestamp::MIN);
    /// The last one, in the year 9999.
    pub const END: Self = Self(Timestamp::MAX);

    /// The system's time.
    #[must_use]
    pub fn now() -> Self {
        Self(Timestamp::now())
    }

    /// So many seconds after 1970-01-01T00:00:00Z; `None` outside the years -9999 to 9999.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Option<Self> {
        Timestamp::from_second(seconds).ok().map(Self)
    }

    /// The timestamp.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        self.0
    }

    /// From `earlier` to here; negative when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> SignedDuration {
        self.0.duration_since(earlier.0)
    }

    /// This much later; at the end of time that end.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration).unwrap_or(Timestamp::MAX))
    }
}

impl From<Timestamp> for Moment {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time", "description": "RFC 3339 in UTC, to the millisecond" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc_to_the_millisecond() {
        let moment = Moment::from_unix(1_780_401_551).unwrap();
        assert_eq!(moment.to_string(), "2026-06-02T11:59:11.000Z");
        assert_eq!(serde_json::to_string(&moment).unwrap(), "\"2026-06-02T11:59:11.000Z\"");
        let later = moment.after(Duration::from_millis(1500));
        assert_eq!(later.since(moment), SignedDuration::from_millis(1500));
        assert_eq!(moment.since(later), SignedDuration::from_millis(-1500));
    }

    #[test]
    fn no_duration_leads_out_of_time() {
        assert_eq!(Moment::from_unix(i64::MAX), None);
        let moment = Moment::from_unix(0).unwrap();
        assert!(moment.after(Duration::MAX) > moment);
    }
}
