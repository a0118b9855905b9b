//! Tolerant readers of what providers write in their answers: numbers as strings, times of every kind, objects wrapped in `data`. Pure;
//! they read or say `None`, and never guess. What a field means is the decoders' to say.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde_json::Value;

use sip_message::{Host, SipUri};

use crate::{About, ClaimedContact, ClaimedResponse, ClaimedTime, Moment, Said, text};

/// What a time field turned out to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// A moment.
    At(ClaimedTime),
    /// A duration.
    Lasts(Duration),
}

/// A text with something in it, escaped and cut. Numbers and truth values are not texts.
#[must_use]
pub(crate) fn text(value: &Value) -> Option<String> {
    let words = value.as_str()?.trim();
    (!words.is_empty()).then(|| text::field(words))
}

/// A whole number, or a string with nothing but one in it.
#[must_use]
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(digits) => digits.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number of seconds, of retries, or a port: whole and not negative.
#[must_use]
pub(crate) fn count<N: TryFrom<i64>>(value: &Value) -> Option<N> {
    integer(value)
        .filter(|&number| number >= 0)
        .and_then(|number| number.try_into().ok())
}

/// An identifier: a text, or the number that some providers make of it.
#[must_use]
pub(crate) fn identifier(value: &Value) -> Option<String> {
    text(value).or_else(|| integer(value).map(|number| number.to_string()))
}

/// A truth value: `true`, `false`, and the `yes` and `no` of OpenSIPS and Telzino.
#[must_use]
pub(crate) fn yes_or_no(value: &Value) -> Option<bool> {
    match value.as_str().map(str::trim) {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => value.as_bool(),
    }
}

/// A time of any kind. Numbers are told apart by their size, whatever the documents say: from 1e14 on microseconds since 1970, from 1e11
/// milliseconds, from 1e9 seconds, below it a duration in seconds. Strings are such numbers, ISO 8601, or what `ctime` writes.
#[must_use]
pub(crate) fn time(value: &Value) -> Option<Time> {
    match integer(value) {
        Some(number) => time_of(number),
        None => moment_in(value.as_str()?.trim()).map(Time::At),
    }
}

/// A time that can only be a moment.
#[must_use]
pub(crate) fn moment(value: &Value) -> Option<ClaimedTime> {
    match time(value)? {
        Time::At(moment) => Some(moment),
        Time::Lasts(_) => None,
    }
}

/// A SIP reply such as `401 Unauthorized`: a status code of 100 to 699, a space, and at most 64 printable characters.
#[must_use]
pub(crate) fn sip_response(line: &str) -> Option<ClaimedResponse> {
    const LONGEST_REASON: usize = 64;
    let (code, reason) = line.split_once(' ')?;
    let is_code = code.len() == 3 && code.starts_with(|digit| matches!(digit, '1'..='6'));
    let is_reason = reason.len() <= LONGEST_REASON && reason.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !is_code || !is_reason {
        return None;
    }
    Some(ClaimedResponse {
        code: digits(code)?,
        reason: text::field(reason.trim()),
    })
}

/// A Contact such as `user@host`, `sip:user@host:5060` or `<sip:user@host>;expires=60`. Parameters are left out.
#[must_use]
pub(crate) fn contact(written: &str) -> Option<ClaimedContact> {
    let bare = written.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let bare = bare.map_or(written, |(uri, _)| uri).trim();
    let with_scheme = format!("sip:{bare}");
    let uri = SipUri::parse(bare.as_bytes())
        .or_else(|_| SipUri::parse(with_scheme.as_bytes()))
        .ok()
        .filter(|uri| uri.password.is_none())?;
    Some(ClaimedContact {
        user: uri.user.map(|user| text::field(&String::from_utf8_lossy(user))),
        host: Some(match uri.host {
            Host::Name(name) => text::field(name),
            Host::Address(address) => address.to_string(),
        }),
        port: uri.port,
    })
}

/// The object inside `{"data": {...}}`, also when it is wrapped twice; anything else as it is.
#[must_use]
pub(crate) fn unwrap_data(body: &Value) -> &Value {
    let once = inside(body);
    inside(once)
}

/// Collects the lines that an answer says, without its secrets.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    said: Vec<Said>,
}

impl Lines {
    /// The most lines that are kept of one answer.
    const MOST: usize = 64;

    /// Adds a field; a null or a secret as such, an object or a list as the JSON that it is.
    pub(crate) fn say(&mut self, field: &str, value: &Value, about: About) {
        if self.said.len() >= Self::MOST {
            return;
        }
        let kept = text::redacted_field(field, value.clone());
        let value = kept.as_str().map_or_else(|| text::field(&kept.to_string()), text::field);
        self.said.push(Said {
            field: text::field(field),
            value,
            about,
        });
    }

    /// Adds every field of an object and of the objects in it, named with the names above them. `about` hears the full name.
    pub(crate) fn say_all(&mut self, object: &Value, about: impl Fn(&str) -> About) {
        self.say_below("", object, &about);
    }

    /// The lines, in the order in which they were added.
    #[must_use]
    pub(crate) fn into_said(self) -> Vec<Said> {
        self.said
    }

    fn say_below(&mut self, above: &str, value: &Value, about: &impl Fn(&str) -> About) {
        match value {
            Value::Object(fields) if !fields.is_empty() && !text::is_secret(above) => {
                for (name, value) in fields.iter().take(Self::MOST) {
                    let dot = if above.is_empty() { "" } else { "." };
                    self.say_below(&format!("{above}{dot}{name}"), value, about);
                }
            }
            _ => self.say(above, value, about(above)),
        }
    }
}

fn inside(body: &Value) -> &Value {
    body.get("data").filter(|data| data.is_object()).unwrap_or(body)
}

fn time_of(number: i64) -> Option<Time> {
    let timestamp = match number {
        100_000_000_000_000.. => Timestamp::from_microsecond(number),
        100_000_000_000.. => Timestamp::from_millisecond(number),
        1_000_000_000.. => Timestamp::from_second(number),
        0.. => return Some(Time::Lasts(Duration::from_secs(number.unsigned_abs()))),
        ..0 => return None,
    };
    let at = Moment::from(timestamp.ok()?);
    Some(Time::At(ClaimedTime { at, zone_known: true }))
}

fn moment_in(words: &str) -> Option<ClaimedTime> {
    const LONGEST_TIME: usize = 64;
    if words.len() > LONGEST_TIME {
        return None;
    }
    if let Ok(timestamp) = words.parse::<Timestamp>() {
        return Some(ClaimedTime {
            at: timestamp.into(),
            zone_known: true,
        });
    }
    let civil = words.parse().ok().or_else(|| ctime(words))?;
    let at = TimeZone::UTC.to_timestamp(civil).ok()?.into();
    Some(ClaimedTime { at, zone_known: false })
}

/// `Tue Jun  2 11:59:11 2026`, as C's `ctime` writes it.
fn ctime(words: &str) -> Option<DateTime> {
    let words: Vec<_> = words.split_whitespace().collect();
    strtime::parse("%a %b %d %H:%M:%S %Y", words.join(" ")).ok()?.to_datetime().ok()
}

fn digits(code: &str) -> Option<u16> {
    code.bytes().all(|byte| byte.is_ascii_digit()).then(|| code.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(seconds: i64, zone_known: bool) -> Option<Time> {
        let at = Moment::from_unix(seconds).unwrap();
        Some(Time::At(ClaimedTime { at, zone_known }))
    }

    #[test]
    fn numbers_come_as_numbers_or_as_strings() {
        assert_eq!(integer(&json!(5505)), Some(5505));
        assert_eq!(integer(&json!(" 5505 ")), Some(5505));
        assert_eq!(
            (integer(&json!(5.5)), integer(&json!("soon")), integer(&json!(true))),
            (None, None, None)
        );
        assert_eq!(
            (count::<u16>(&json!(5060)), count::<u16>(&json!(70000)), count::<u32>(&json!(-1))),
            (Some(5060), None, None)
        );
        assert_eq!(
            (identifier(&json!(7)), identifier(&json!("a")), identifier(&json!(""))),
            (Some("7".into()), Some("a".into()), None)
        );
    }

    #[test]
    fn only_yes_no_and_truth_values_are_truth_values() {
        let all = [
            json!(true),
            json!("yes"),
            json!(false),
            json!("no"),
            json!("true"),
            json!(1),
            json!(null),
        ];
        let read: Vec<_> = all.iter().map(yes_or_no).collect();
        assert_eq!(read, [Some(true), Some(true), Some(false), Some(false), None, None, None]);
    }

    #[test]
    fn a_number_tells_its_unit_by_its_size() {
        assert_eq!(time(&json!(1_780_401_551)), at(1_780_401_551, true));
        assert_eq!(time(&json!("1780401551000")), at(1_780_401_551, true));
        let Some(Time::At(up)) = time(&json!(1_780_401_551_699_908_i64)) else {
            panic!("no moment")
        };
        assert_eq!(up.at.to_string(), "2026-06-02T11:59:11.699Z");
        assert_eq!(time(&json!(3600)), Some(Time::Lasts(Duration::from_secs(3600))));
        assert_eq!((time(&json!(-1)), time(&json!(i64::MAX)), moment(&json!(0))), (None, None, None));
    }

    #[test]
    fn a_time_without_a_zone_says_so() {
        assert_eq!(time(&json!("2026-06-02T11:59:11Z")), at(1_780_401_551, true));
        assert_eq!(time(&json!("2026-06-02T13:59:11+02:00")), at(1_780_401_551, true));
        assert_eq!(time(&json!("2026-06-02T11:59:11")), at(1_780_401_551, false));
        assert_eq!(time(&json!("2026-06-02 11:59:11")), at(1_780_401_551, false));
        assert_eq!(time(&json!("Tue Jun  2 11:59:11 2026")), at(1_780_401_551, false));
        assert_eq!((time(&json!("soon")), time(&json!("")), time(&json!({}))), (None, None, None));
    }

    #[test]
    fn only_what_looks_like_a_status_line_is_a_sip_reply() {
        let reply = |code, reason: &str| {
            Some(ClaimedResponse {
                code,
                reason: reason.into(),
            })
        };
        assert_eq!(sip_response("200 OK"), reply(200, "OK"));
        assert_eq!(sip_response("401 "), reply(401, ""));
        assert_eq!(sip_response("403 password=canary"), reply(403, "password=***"));
        for line in ["", "200", "000 No", "700 No", "2xx OK", "+20 OK", "200 caf\u{e9}", "200 \u{1b}[2J"] {
            assert_eq!(sip_response(line), None, "{line}");
        }
        assert_eq!(sip_response(&format!("200 {}", "x".repeat(65))), None);
    }

    #[test]
    fn a_contact_is_read_in_every_dress() {
        let read = |written| contact(written).map(|it| (it.user.unwrap_or_default(), it.host.unwrap_or_default(), it.port));
        let alice = |host: &str, port| Some(("alice".to_owned(), host.to_owned(), port));
        assert_eq!(read("alice@pbx.example.com"), alice("pbx.example.com", None));
        assert_eq!(
            read("<sip:alice@[2001:db8::1]:5080;ob>;expires=60"),
            alice("2001:db8::1", Some(5080))
        );
        assert_eq!(read("192.0.2.7:5060"), Some((String::new(), "192.0.2.7".into(), Some(5060))));
        assert_eq!((read(""), read("two words"), read("mailto:alice@example.com")), (None, None, None));
    }

    #[test]
    fn data_is_unwrapped_twice_and_no_further() {
        assert_eq!(unwrap_data(&json!({"data": {"data": {"a": 1}}})), &json!({"a": 1}));
        assert_eq!(unwrap_data(&json!({"a": 1})), &json!({"a": 1}));
        assert_eq!(unwrap_data(&json!({"data": [1]})), &json!({"data": [1]}));
        assert_eq!(unwrap_data(&json!({"data": {"data": {"data": {}}}})), &json!({"data": {}}));
    }

    #[test]
    fn what_was_said_is_flat_and_free_of_secrets() {
        let answer = json!({"a": {"b": "x", "password": "canary", "auth": {"key": "canary"}}, "c": null, "secrets": {"d": "canary"},
            "e": [], "f": true, "token.g": "canary"});
        let mut lines = Lines::default();
        lines.say_all(&answer, |name| if name == "a.b" { About::State } else { About::Other });
        let said = lines.into_said();
        let told: Vec<_> = said.iter().map(|said| (&*said.field, &*said.value)).collect();
        assert_eq!(
            told,
            [
                ("a.auth", "***"),
                ("a.b", "x"),
                ("a.password", "***"),
                ("c", "null"),
                ("e", "[]"),
                ("f", "true"),
                ("secrets", "***"),
                ("token.g", "***")
            ]
        );
        assert_eq!((said[0].about, said[1].about), (About::Other, About::State));
    }

    #[test]
    fn an_endless_answer_gives_a_bounded_number_of_lines() {
        let fields = (0..1000).map(|number| (format!("field{number}"), json!(number))).collect();
        let mut lines = Lines::default();
        lines.say_all(&Value::Object(fields), |_| About::Other);
        assert_eq!(lines.into_said().len(), Lines::MOST);
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_reader(words in "\\PC{0,80}", number: i64) {
            let _ = (time(&json!(words)), time(&json!(number)), sip_response(&words), integer(&json!(words)));
        }
    }
}
