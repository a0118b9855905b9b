//! What may be left at a registrar after some exchanges: folded over their evidence, without words. Not for what a registration holds
//! while it is kept: that is [`crate::Status`]'s.

use std::time::Instant;

use super::{Attempt, Ending, Notice};
use crate::Goal;

/// A binding of ours that the registrar may hold, confirmed or not.
///
/// A removal that is confirmed takes away what was bound before it. A REGISTER that was never answered may still be on its way, or be
/// carried out beside it: after a removal nothing is left of the CSeq by which a registrar could tell that it is old (RFC 3261 §10.3
/// item 7), so that it binds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    until: Option<Instant>,
    unanswered: Unanswered,
}

/// Whether a REGISTER was given up that the registrar has not answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Unanswered {
    /// All were answered.
    #[default]
    No,
    /// One without credentials, which binds only where nobody asks for any.
    Bare,
    /// One with credentials.
    Entitled,
}

impl Left {
    /// What is left after one more exchange.
    #[must_use]
    pub fn after(self, attempt: &Attempt) -> Self {
        match (attempt.goal, attempt.ending) {
            (Goal::Register, Ending::Succeeded) => Self {
                until: attempt.binding.as_ref().map(|bound| bound.valid_until),
                unanswered: Unanswered::No,
            },
            (Goal::Register, Ending::Failed(_) | Ending::Interrupted) => self.after_doubt(attempt),
            (Goal::Unregister | Goal::Clear, Ending::Succeeded) if self.is_overtaken_by(attempt) => self,
            (Goal::Unregister | Goal::Clear, Ending::Succeeded) => Self::default(),
            (Goal::Unregister | Goal::Clear, Ending::Failed(_) | Ending::Interrupted) => self,
            (Goal::Fetch | Goal::Ping | Goal::Locate, _) => self,
        }
    }

    /// Until when it may be there, as far as the registrar had got our requests by the end of the last exchange and granted no more than
    /// was asked; `None` when nothing can be left.
    #[must_use]
    pub const fn until(self) -> Option<Instant> {
        self.until
    }

    fn after_doubt(self, attempt: &Attempt) -> Self {
        let seconds = std::time::Duration::from_secs(attempt.asked_for.into());
        let perhaps = attempt.may_be_bound.then(|| attempt.ended_at + seconds);
        Self {
            until: self.until.max(perhaps),
            unanswered: match (attempt.unanswered, attempt.auth.credentials_sent) {
                (false, _) => self.unanswered,
                (true, false) if self.unanswered == Unanswered::No => Unanswered::Bare,
                (true, false) => self.unanswered,
                (true, true) => Unanswered::Entitled,
            },
        }
    }

    /// Whether this removal may have been done before a REGISTER that was sent earlier.
    fn is_overtaken_by(self, removal: &Attempt) -> bool {
        let has_come = removal.notices.contains(&Notice::LateReply);
        match self.unanswered {
            Unanswered::No => false,
            Unanswered::Bare => !has_come && !removal.auth.challenged,
            Unanswered::Entitled => !has_come,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::Cause;
    use crate::attempt::Bound;
    use crate::tests::origin;

    fn attempt(now: Instant, goal: Goal, ending: Ending) -> Attempt {
        Attempt {
            ending,
            asked_for: 60,
            ..Attempt::begin(now, goal)
        }
    }

    /// A REGISTER with credentials that was not answered when the user wanted to go.
    fn given_up(now: Instant) -> Attempt {
        let mut attempt = attempt(now, Goal::Register, Ending::Interrupted);
        (attempt.may_be_bound, attempt.unanswered, attempt.auth.credentials_sent) = (true, true, true);
        attempt
    }

    #[test]
    fn a_confirmed_removal_takes_away_what_was_confirmed() {
        let now = origin();
        let mut registered = attempt(now, Goal::Register, Ending::Succeeded);
        let valid_until = now + Duration::from_secs(30);
        registered.binding = Some(Bound {
            sent: Arc::from("sip:a@h"),
            stored: Arc::from("sip:a@h"),
            requested: 60,
            granted: 30,
            valid_until,
        });
        let left = Left::default().after(&registered);
        assert_eq!(left.until(), Some(valid_until));
        for ending in [Ending::Interrupted, Ending::Failed(Cause::NoReply)] {
            assert_eq!(left.after(&attempt(now, Goal::Unregister, ending)), left, "{ending:?}");
        }
        assert_eq!(left.after(&attempt(now, Goal::Unregister, Ending::Succeeded)).until(), None);
        assert_eq!(left.after(&attempt(now, Goal::Fetch, Ending::Succeeded)), left);
    }

    #[test]
    fn what_was_not_answered_may_come_after_its_removal() {
        let now = origin();
        let left = Left::default().after(&given_up(now));
        assert_eq!(left.until(), Some(now + Duration::from_secs(60)));
        let mut removal = attempt(now, Goal::Unregister, Ending::Succeeded);
        assert_eq!(left.after(&removal), left);
        removal.notice(Notice::LateReply);
        assert_eq!(left.after(&removal).until(), None, "its answer came before the removal's");
    }

    #[test]
    fn without_credentials_it_binds_nobody_where_they_are_asked_for() {
        let now = origin();
        let mut register = given_up(now);
        register.auth.credentials_sent = false;
        let left = Left::default().after(&register);
        let mut removal = attempt(now, Goal::Unregister, Ending::Succeeded);
        assert!(left.after(&removal).until().is_some(), "nobody was asked");
        removal.auth.challenged = true;
        assert_eq!(left.after(&removal).until(), None);
        let left = Left::default().after(&given_up(now)).after(&register);
        assert!(left.after(&removal).until().is_some(), "an earlier one had them");
    }

    #[test]
    fn a_registration_that_is_confirmed_replaces_all_doubt() {
        let now = origin();
        let registered = attempt(now, Goal::Register, Ending::Succeeded);
        let left = Left::default().after(&given_up(now)).after(&registered);
        assert_eq!(left.after(&attempt(now, Goal::Unregister, Ending::Succeeded)).until(), None);
    }
}
