//! The Date header (RFC 3261 §20.17): seconds since 1970 as an RFC 1123 date, always GMT. Not a calendar.

/// `Sat, 21 Nov 2026 11:50:07 GMT` for seconds since 1970-01-01 00:00:00 UTC; years end at 9999.
pub(crate) fn rfc1123(unix_seconds: u64) -> String {
    let seconds = unix_seconds.min(END_OF_9999);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let weekday = nth(&WEEKDAYS, days % 7);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

const END_OF_9999: u64 = 253_402_300_799;
/// 1970-01-01 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [(&str, u64); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

/// Year, month and day of the month of a day since 1970.
fn civil(mut days: u64) -> (u64, &'static str, u64) {
    let mut year = 1970;
    while days >= 365 + leap_day(year) {
        days -= 365 + leap_day(year);
        year += 1;
    }
    for (month, length) in MONTHS {
        let length = length + if month == "Feb" { leap_day(year) } else { 0 };
        if days < length {
            return (year, month, days + 1);
        }
        days -= length;
    }
    (year, "Dec", 31)
}

const fn leap_day(year: u64) -> u64 {
    if year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400) {
        1
    } else {
        0
    }
}

fn nth(names: &[&'static str; 7], index: u64) -> &'static str {
    usize::try_from(index)
        .ok()
        .and_then(|index| names.get(index))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_have_their_dates() {
        assert_eq!(rfc1123(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(rfc1123(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(rfc1123(1_795_261_807), "Sat, 21 Nov 2026 11:50:07 GMT");
        assert_eq!(rfc1123(4_107_542_399), "Sun, 28 Feb 2100 23:59:59 GMT");
        assert_eq!(rfc1123(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT");
        assert_eq!(rfc1123(u64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
