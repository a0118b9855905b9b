//! How often something is to happen: `500/s`, `30/m`, `7200/h`, or a plain number a second. When each of it is due is the business of
//! who goes by the rate.

use std::fmt;
use std::time::Duration;

use super::ValueError;

/// So many a second; more than none, at most [`Rate::MOST`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Rate(f64);

impl Rate {
    /// The most a second; no machine comes near it.
    const MOST: f64 = 10_000_000.0;
    /// The fewest a second: one a day.
    const FEWEST: f64 = 1.0 / 86_400.0;

    /// So many a second, or as near to it as a rate can be.
    pub(crate) const fn of(per_second: f64) -> Self {
        Self(per_second.clamp(Self::FEWEST, Self::MOST))
    }

    /// How many a second.
    pub(crate) const fn per_second(self) -> f64 {
        self.0
    }

    /// From one to the next.
    pub(crate) fn interval(self) -> Duration {
        Duration::from_secs_f64(self.0.recip())
    }
}

/// The unit in which it is a whole number, the shortest first; of those that are none, a second.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find_map(|(unit, seconds)| {
            let count = self.0 * seconds;
            ((count - count.round()).abs() < 1e-6 && count >= 1.0).then(|| (count.round(), *unit))
        });
        match whole {
            Some((count, unit)) => write!(f, "{count:.0}/{unit}"),
            None => write!(f, "{:.3}/s", self.0),
        }
    }
}

/// Units and their seconds.
const UNITS: [(&str, f64); 4] = [("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// Reads `500/s`, `30/m`, `7200/h`, or a plain number a second; fractions are fine.
pub(crate) fn rate(text: &str) -> Result<Rate, ValueError> {
    const WRONG: ValueError = ValueError::Other("this is not a rate; write 500/s, 30/m, 7200/h, or plain numbers a second such as 500");
    let text = text.trim();
    let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
    let unit = match unit {
        "sec" => "s",
        "min" => "m",
        other => other,
    };
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(WRONG)?;
    if !count.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(WRONG);
    }
    let per_second = count.parse::<f64>().map_err(|_| WRONG)? / seconds;
    if !(Rate::FEWEST..=Rate::MOST).contains(&per_second) {
        return Err(ValueError::Other("a rate is at least one a day and at most 10000000 a second"));
    }
    Ok(Rate(per_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_with_and_without_units() {
        for (text, per_second, shown) in [
            ("500/s", 500.0, "500/s"),
            ("30/m", 0.5, "30/m"),
            ("20000", 20_000.0, "20000/s"),
            ("90/min", 1.5, "90/m"),
            ("0.5", 0.5, "30/m"),
            ("7200/h", 2.0, "2/s"),
            ("1/h", 1.0 / 3600.0, "1/h"),
            ("1/d", 1.0 / 86_400.0, "1/d"),
            (" 0.7213/s ", 0.7213, "0.721/s"),
        ] {
            let read = rate(text).unwrap();
            assert!((read.per_second() - per_second).abs() < 1e-9, "{text}");
            assert_eq!(read.to_string(), shown);
        }
        assert_eq!(
            (Rate::of(2.0).to_string(), Rate::of(0.0).to_string()),
            ("2/s".to_owned(), "1/d".to_owned())
        );
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in [
            "", "/s", "500/", "500/y", "0", "0/s", "-1", "inf", "NaN", "1e9", "20000000", "0.5/d", "1..2", "5 0", "1/s/s",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
