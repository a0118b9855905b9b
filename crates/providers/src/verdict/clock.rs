//! How far the provider's clock is from ours, by the Date header of its answer (RFC 9110 §6.6.1), and what times of the one are worth
//! beside times of the other. Pure.

use jiff::SignedDuration;

use super::Moment;
use crate::{Answer, ClaimedTime, Expectation};

/// Half of the second that a Date header is cut to.
const HALF_A_SECOND: SignedDuration = SignedDuration::from_millis(500);

/// The provider's clock beside ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Skew {
    /// By how much it is ahead; `None` when the answer has no Date.
    pub(super) ahead: Option<SignedDuration>,
    /// How far off that, or the clock itself, may be at most.
    uncertain: SignedDuration,
    /// From which difference on times are not compared.
    limit: SignedDuration,
}

impl Skew {
    /// By the Date of this answer. It was written at some moment between question and answer, and cut to the second.
    pub(super) fn of(answer: &Answer, expectation: &Expectation) -> Self {
        let limit = signed(expectation.skew_limit);
        let took = answer.answered_at.since(answer.asked_at).max(SignedDuration::ZERO);
        let Some(date) = answer.server_date else {
            return Self {
                ahead: None,
                uncertain: limit,
                limit,
            };
        };
        let written = date.since(answer.asked_at).saturating_add(HALF_A_SECOND);
        Self {
            ahead: Some(written.saturating_sub(took / 2)),
            uncertain: (took / 2).saturating_add(HALF_A_SECOND),
            limit,
        }
    }

    /// Whether the clocks are seen to differ so much that no time of the one is held against a time of the other.
    pub(super) fn is_too_much(self) -> bool {
        self.ahead
            .is_some_and(|ahead| magnitude(ahead).saturating_sub(self.uncertain) > self.limit)
    }

    /// How far two times of the two clocks may differ and still be the same.
    pub(super) fn tolerance(self) -> SignedDuration {
        magnitude(self.ahead.unwrap_or_default()).saturating_add(self.uncertain)
    }
}

/// A claimed moment that may be compared: a time without its zone may be 14 hours off.
pub(super) fn comparable(time: Option<ClaimedTime>) -> Option<Moment> {
    time.filter(|time| time.zone_known).map(|time| time.at)
}

/// The distance of two moments.
pub(super) fn apart(one: Moment, other: Moment) -> SignedDuration {
    magnitude(one.since(other))
}

/// A duration without its sign.
pub(super) fn magnitude(duration: SignedDuration) -> SignedDuration {
    if duration.is_negative() {
        duration.checked_neg().unwrap_or(SignedDuration::MAX)
    } else {
        duration
    }
}

/// As a signed one; at the end of what can be written that end.
pub(super) fn signed(duration: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// So many seconds.
pub(super) fn seconds(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceKind;

    fn answer(took_ms: i64, date: Option<i64>) -> Answer {
        let asked_at = Moment::from_unix(1_000).unwrap();
        let answered_at = asked_at.after(std::time::Duration::from_millis(took_ms.unsigned_abs()));
        Answer {
            server_date: date.and_then(Moment::from_unix),
            ..Answer::blank(SourceKind::Telzino, asked_at, answered_at)
        }
    }

    fn skew(took_ms: i64, date: Option<i64>) -> Skew {
        Skew::of(&answer(took_ms, date), &Expectation::of(SourceKind::Telzino))
    }

    #[test]
    fn a_date_of_the_same_second_shows_no_skew() {
        let skew = skew(1_000, Some(1_000));
        assert_eq!(skew.ahead, Some(SignedDuration::ZERO));
        assert_eq!(skew.tolerance(), SignedDuration::from_secs(1));
        assert!(!skew.is_too_much());
    }

    #[test]
    fn a_slow_answer_makes_the_difference_uncertain_and_not_large() {
        assert!(!skew(20_000, Some(1_015)).is_too_much());
        assert!(skew(200, Some(1_015)).is_too_much());
        assert!(skew(200, Some(985)).is_too_much());
        assert!(!skew(200, Some(1_005)).is_too_much());
    }

    #[test]
    fn without_a_date_the_limit_is_allowed_for() {
        let skew = skew(200, None);
        assert_eq!((skew.ahead, skew.is_too_much()), (None, false));
        assert_eq!(skew.tolerance(), SignedDuration::from_secs(5));
    }

    #[test]
    fn only_a_time_with_its_zone_is_compared() {
        let at = Moment::from_unix(0).unwrap();
        assert_eq!(comparable(Some(ClaimedTime { at, zone_known: false })), None);
        assert_eq!(comparable(Some(ClaimedTime { at, zone_known: true })), Some(at));
    }
}
