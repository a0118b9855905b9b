//! Whether and when a call is repeated (RFC 9110 §9.2.2, §10.2.3; RFC 6585 §4). Pure: the clock and the dice are arguments.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{self, HeaderMap};

use super::failure::Failure;
use super::{ApiTrouble, RetryPolicy};
use crate::Moment;

/// How long to wait before the next attempt; `None` when there is to be none. `left` is what remains until the deadline, `per_mille`
/// how much of our own longest wait is taken.
pub(super) fn wait(
    policy: &RetryPolicy,
    failure: &Failure,
    attempts: u32,
    repeatable: bool,
    left: Duration,
    per_mille: u32,
) -> Option<Duration> {
    if attempts >= policy.attempts || !may_repeat(failure, repeatable) {
        return None;
    }
    let wait = match failure.retry_after {
        Some(asked) if asked > policy.asked_cap => return None,
        Some(asked) => asked,
        None => backoff(policy, attempts) / 1000 * per_mille.min(1000),
    };
    (wait < left).then_some(wait)
}

fn may_repeat(failure: &Failure, repeatable: bool) -> bool {
    // The request is at fault, and will be again. That of 408 took too long by itself.
    if matches!(failure.status, Some(400..=408 | 410..=428 | 430..=499)) {
        return false;
    }
    match failure.trouble {
        // Both say that nothing was done.
        ApiTrouble::RateLimited | ApiTrouble::Conflict => true,
        ApiTrouble::Unreachable | ApiTrouble::Timeout => repeatable || failure.unsent,
        // RFC 9110 §15.6.2: 501 is for ever.
        ApiTrouble::Server => repeatable && failure.status != Some(501),
        ApiTrouble::Tls
        | ApiTrouble::BadRequest
        | ApiTrouble::Unauthorized
        | ApiTrouble::Forbidden
        | ApiTrouble::NotFound
        | ApiTrouble::Gone
        | ApiTrouble::Unprocessable
        | ApiTrouble::Redirected
        | ApiTrouble::TooLarge
        | ApiTrouble::Contract
        | ApiTrouble::Other => false,
    }
}

/// The first wait, doubled for each attempt after the first.
fn backoff(policy: &RetryPolicy, attempts: u32) -> Duration {
    let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
    policy.base.saturating_mul(factor).min(policy.cap)
}

/// What the headers of an error ask to wait: `Retry-After`, and where the rate was too high `x-ratelimit-reset`.
pub(super) fn asked(headers: &HeaderMap, trouble: ApiTrouble, now: Moment) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let now = server_date(headers).unwrap_or(now);
    let reset = || text("x-ratelimit-reset").filter(|_| trouble == ApiTrouble::RateLimited);
    let until = |moment: Moment| moment.since(now).try_into().unwrap_or(Duration::ZERO);
    text(header::RETRY_AFTER.as_str())
        .and_then(|text| seconds(text).or_else(|| date(text).map(until)))
        .or_else(|| reset().and_then(seconds).map(|reset| as_duration(reset, now)))
}

/// `x-ratelimit-reset` is a duration; where it is too long to be one, it is a moment as others give it.
fn as_duration(reset: Duration, now: Moment) -> Duration {
    if reset < OLDEST_EPOCH {
        return reset;
    }
    let now = u64::try_from(now.timestamp().as_second()).unwrap_or(0);
    reset.saturating_sub(Duration::from_secs(now))
}

/// RFC 9110 §10.2.3: whole seconds. Some write a fraction, which is rounded up.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let more = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    // So many digits that they are no number are a long time.
    Some(Duration::from_secs(whole.parse().unwrap_or(u64::MAX).saturating_add(more)))
}

/// The Date header (RFC 9110 §6.6.1).
pub(super) fn server_date(headers: &HeaderMap) -> Option<Moment> {
    headers.get(header::DATE)?.to_str().ok().and_then(date)
}

/// RFC 9110 §5.6.7, IMF-fixdate: what RFC 5322 calls a date, in GMT. The two obsolete formats are not read.
fn date(text: &str) -> Option<Moment> {
    let time: Timestamp = DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    text.trim().ends_with("GMT").then(|| time.into())
}

/// 2001-09-09: what is more is no duration.
const OLDEST_EPOCH: Duration = Duration::from_secs(1_000_000_000);

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 3,
        base: Duration::from_millis(500),
        cap: Duration::from_secs(8),
        asked_cap: Duration::from_secs(60),
    };
    const LEFT: Duration = Duration::from_secs(30);

    fn failure(trouble: ApiTrouble) -> Failure {
        Failure::new(trouble, "")
    }

    fn asking(seconds: u64) -> Failure {
        Failure {
            retry_after: Some(Duration::from_secs(seconds)),
            ..failure(ApiTrouble::RateLimited)
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_the_dice_make_them_shorter() {
        let policy = RetryPolicy { attempts: 99, ..POLICY };
        let wait = |attempts, per_mille| wait(&policy, &failure(ApiTrouble::Server), attempts, true, LEFT, per_mille).unwrap();
        assert_eq!(
            [1, 2, 3, 4, 5, 40].map(|attempts| wait(attempts, 1000).as_millis()),
            [500, 1000, 2000, 4000, 8000, 8000]
        );
        assert_eq!(wait(2, 750), Duration::from_millis(750));
        let endless = RetryPolicy {
            base: Duration::MAX,
            cap: Duration::MAX,
            ..POLICY
        };
        let left = Duration::MAX;
        assert!(super::wait(&endless, &failure(ApiTrouble::Server), 1, true, left, 1000).is_some_and(|wait| wait > LEFT));
    }

    #[test]
    fn attempts_end_with_the_policy_and_with_the_deadline() {
        let server = failure(ApiTrouble::Server);
        assert_eq!(wait(&POLICY, &server, 3, true, LEFT, 1000), None);
        assert_eq!(wait(&RetryPolicy { attempts: 0, ..POLICY }, &server, 1, true, LEFT, 1000), None);
        assert_eq!(wait(&POLICY, &server, 1, true, Duration::from_millis(500), 1000), None);
        assert_eq!(wait(&POLICY, &server, 1, true, Duration::ZERO, 1000), None);
        assert!(wait(&POLICY, &server, 1, true, Duration::from_millis(501), 1000).is_some());
    }

    #[test]
    fn what_the_provider_asks_is_obeyed_or_given_up_at_once() {
        let wait = |asked| wait(&POLICY, &asking(asked), 1, false, LEFT, 1000);
        assert_eq!([0, 1, 29].map(wait), [0, 1, 29].map(|asked| Some(Duration::from_secs(asked))));
        assert_eq!((wait(30), wait(61), wait(999_999)), (None, None, None));
    }

    #[test]
    fn what_may_have_been_done_is_not_done_twice() {
        let again = |failure: &Failure, repeatable| wait(&POLICY, failure, 1, repeatable, LEFT, 1000).is_some();
        for trouble in ApiTrouble::ALL {
            let (safe, other) = (again(&failure(trouble), true), again(&failure(trouble), false));
            let expected = match trouble {
                ApiTrouble::RateLimited | ApiTrouble::Conflict => (true, true),
                ApiTrouble::Unreachable | ApiTrouble::Timeout | ApiTrouble::Server => (true, false),
                _ => (false, false),
            };
            assert_eq!((safe, other), expected, "{trouble:?}");
        }
        let refused = Failure {
            unsent: true,
            ..failure(ApiTrouble::Unreachable)
        };
        assert!(again(&refused, false));
        for trouble in ApiTrouble::ALL {
            let repeated: Vec<_> = (400..500)
                .filter(|&status| again(&failure(trouble).with_status(status), true))
                .collect();
            assert!(
                repeated.iter().all(|status| matches!(status, 409 | 429)),
                "{trouble:?}: {repeated:?}"
            );
        }
        assert!(!again(&failure(ApiTrouble::Server).with_status(501), true));
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_clock() {
        let now = Moment::from_unix(0).unwrap();
        let asked = |value: &str| {
            asked(
                &headers(&[("retry-after", value), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")]),
                ApiTrouble::Server,
                now,
            )
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!((asked("0"), asked(" 120 "), asked("1.5")), (seconds(0), seconds(120), seconds(2)));
        assert_eq!(asked("99999999999999999999999999"), seconds(u64::MAX));
        assert_eq!(asked("Sun, 06 Nov 1994 08:50:37 GMT"), seconds(60));
        assert_eq!(asked("Sun, 06 Nov 1994 08:00:00 GMT"), seconds(0));
        for strange in [
            "soon",
            "-1",
            "+1",
            "1s",
            "",
            ".5",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:50:37 -0800",
        ] {
            assert_eq!(asked(strange), None, "{strange}");
        }
    }

    #[test]
    fn the_rate_limits_reset_counts_only_where_the_rate_was_too_high() {
        let now = Moment::from_unix(1_780_401_551).unwrap();
        let asked = |pairs: &[_], trouble| asked(&headers(pairs), trouble, now).map(|asked| asked.as_secs());
        let reset = [("x-ratelimit-reset", "17")];
        assert_eq!(asked(&reset, ApiTrouble::RateLimited), Some(17));
        assert_eq!(asked(&reset, ApiTrouble::Server), None);
        assert_eq!(asked(&[("x-ratelimit-reset", "1780401560")], ApiTrouble::RateLimited), Some(9));
        assert_eq!(
            asked(&[("x-ratelimit-reset", "17"), ("retry-after", "3")], ApiTrouble::RateLimited),
            Some(3)
        );
    }

    #[test]
    fn a_servers_date_is_read_as_rfc_9110_writes_it() {
        let date = server_date(&headers(&[("date", "Tue, 02 Jun 2026 11:59:11 GMT")]));
        assert_eq!(date, Moment::from_unix(1_780_401_551));
        assert_eq!(server_date(&headers(&[("date", "2026-06-02T11:59:11Z")])), None);
        assert_eq!(server_date(&HeaderMap::new()), None);
    }
}
