//! The texts of arguments that only a load has, as values. Pure.

use std::num::{NonZeroU32, NonZeroUsize};

use sip_message::Host;

use crate::load::schedule::Shape;
use crate::values::{Rate, ValueError, rate};

/// The numbers of the users, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Users {
    first: u64,
    count: NonZeroU32,
}

impl Users {
    /// More do not fit into one machine.
    const MOST: u64 = 10_000_000;
    /// One user, whose number stands nowhere.
    pub(crate) const ONE: Self = Self {
        first: 1,
        count: NonZeroU32::MIN,
    };

    /// How many there are.
    pub(crate) const fn count(self) -> NonZeroU32 {
        self.count
    }

    /// The number of the user at this place, counted from 0.
    pub(crate) const fn number(self, place: u64) -> u64 {
        self.first + place
    }
}

/// Reads `1..100000`, or how many there are from 1 on.
pub(crate) fn users(text: &str) -> Result<Users, ValueError> {
    const WRONG: ValueError = ValueError::Other("these are no numbers of users; write 1..100000, or only how many: 100000");
    const MANY: ValueError = ValueError::Other("there are at least 1 and at most 10000000 users, the first before the last");
    let number = |text: &str| match text.trim() {
        digits if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse::<u64>().map_err(|_| MANY),
        _ => Err(WRONG),
    };
    let (first, last) = match text.split_once("..") {
        Some((first, last)) => (number(first)?, number(last.strip_prefix('=').unwrap_or(last))?),
        None => (1, number(text)?),
    };
    let count = last
        .checked_sub(first)
        .map(|more| more.saturating_add(1))
        .filter(|count| *count <= Users::MOST);
    let count = count.and_then(|count| u32::try_from(count).ok()).and_then(NonZeroU32::new);
    Ok(Users {
        first,
        count: count.ok_or(MANY)?,
    })
}

/// How many flows lead to the registrar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connections {
    /// So many, shared evenly.
    Count(NonZeroU32),
    /// One for each user.
    Each,
}

impl Connections {
    /// How many there are for so many users.
    pub(crate) fn among(self, users: NonZeroU32) -> NonZeroU32 {
        match self {
            Self::Count(count) => count.min(users),
            Self::Each => users,
        }
    }
}

/// Reads a number or `each`.
pub(crate) fn connections(text: &str) -> Result<Connections, ValueError> {
    if text == "each" {
        return Ok(Connections::Each);
    }
    let count = text.parse().map(Connections::Count);
    count.map_err(|_| ValueError::Other("this is neither a number from 1 on nor `each`, which is one connection for each user"))
}

/// Reads `100..5000/s` or `100,500,1000/s`; the unit behind the last holds for all that have none of their own.
pub(crate) fn ramp(text: &str) -> Result<Shape, ValueError> {
    const WRONG: ValueError = ValueError::Other("this is no ramp; write FROM..TO such as 100..5000/s, or steps such as 100,500,1000/s");
    let unit = text.rsplit_once('/').map_or("s", |(_, unit)| unit);
    let one = |text: &str| {
        if text.contains('/') {
            rate(text)
        } else {
            rate(&format!("{text}/{unit}"))
        }
    };
    if let Some((from, to)) = text.split_once("..") {
        return Ok(Shape::Linear(one(from)?, one(to)?));
    }
    let steps: Vec<Rate> = text.split(',').map(one).collect::<Result<_, _>>()?;
    if (2..=MOST_STEPS).contains(&steps.len()) {
        Ok(Shape::Steps(steps))
    } else {
        Err(WRONG)
    }
}

/// Each step has percentiles of its own.
const MOST_STEPS: usize = 100;

/// Reads how many exchanges may be open.
pub(crate) fn open(text: &str) -> Result<NonZeroUsize, ValueError> {
    let count = text.parse().ok().filter(|count: &NonZeroUsize| count.get() <= 10_000_000);
    count.ok_or(ValueError::Other("this is not a number from 1 to 10000000"))
}

/// Reads a number of shards.
pub(crate) fn shards(text: &str) -> Result<NonZeroUsize, ValueError> {
    let count = text.parse().ok().filter(|count: &NonZeroUsize| count.get() <= 256);
    count.ok_or(ValueError::Other("this is not a number from 1 to 256"))
}

/// Reads a share in percent, with or without its sign.
pub(crate) fn share(text: &str) -> Result<f64, ValueError> {
    let digits = text.trim().trim_end_matches('%').trim_end();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let share = digits.parse().ok().filter(|share| is_number && (0.0..=100.0).contains(share));
    share.ok_or(ValueError::Other("this is no share from 0 to 100 percent; write 99.9"))
}

/// Reads the host that is one's own: without scheme and port, which it holds for alike.
pub(crate) fn host(text: &str) -> Result<String, ValueError> {
    const WRONG: ValueError =
        ValueError::Other("this is no host; write its name or address alone, such as pbx.example.com or 198.51.100.7");
    Host::parse(text.as_bytes()).ok_or(WRONG)?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_a_range_or_how_many() {
        let read = |text: &str| users(text).map(|users| (users.number(0), users.count().get()));
        assert_eq!(read("1..100000"), Ok((1, 100_000)));
        assert_eq!(read("1000..=1999"), Ok((1000, 1000)));
        assert_eq!(read("5..5"), Ok((5, 1)));
        assert_eq!(read("0..9"), Ok((0, 10)));
        assert_eq!(read("300"), Ok((1, 300)));
        assert_eq!(read("18446744073709551615..18446744073709551615"), Ok((u64::MAX, 1)));
        for wrong in [
            "",
            "..",
            "1..",
            "..5",
            "5..1",
            "0",
            "1..10000001",
            "a..b",
            "-1..5",
            "1...5",
            "99999999999999999999",
        ] {
            assert!(users(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn connections_are_counted_or_one_for_each() {
        let many = NonZeroU32::new(500).unwrap();
        let among = |text: &str| connections(text).unwrap().among(many).get();
        assert_eq!((among("1"), among("40"), among("9999"), among("each")), (1, 40, 500, 500));
        for wrong in ["", "0", "-1", "all"] {
            assert!(connections(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_ramp_is_a_range_or_steps_with_one_unit_for_all() {
        let per = |text: &str| rate(text).unwrap();
        assert_eq!(ramp("100..5000/s"), Ok(Shape::Linear(per("100"), per("5000"))));
        assert_eq!(ramp("60/m..5/s"), Ok(Shape::Linear(per("1"), per("5"))));
        assert_eq!(ramp("60,120,30/m"), Ok(Shape::Steps(vec![per("1"), per("2"), per("0.5")])));
        for wrong in ["", "100", "1..", "0..5/s", "1,,2", "1..2..3", "1,2/x"] {
            assert!(ramp(wrong).is_err(), "{wrong}");
        }
        assert!(ramp(&["1"; MOST_STEPS].join(",")).is_ok() && ramp(&["1"; MOST_STEPS + 1].join(",")).is_err());
    }

    #[test]
    fn shares_hosts_and_limits_are_read() {
        assert_eq!((share("99.9"), share("100 %"), share("0%")), (Ok(99.9), Ok(100.0), Ok(0.0)));
        assert!(["", "%", "101", "-1", "NaN", "1e1"].iter().all(|wrong| share(wrong).is_err()));
        assert!(host("pbx.example.com").is_ok() && host("2001:db8::1").is_ok());
        assert!(["", "sip:h", "h:5060", "u@h", "*"].iter().all(|wrong| host(wrong).is_err()));
        assert!(open("0").is_err() && open("10000001").is_err() && open("5").is_ok());
        assert!(shards("0").is_err() && shards("257").is_err() && shards("2").is_ok());
    }
}
