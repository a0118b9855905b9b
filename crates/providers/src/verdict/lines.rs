//! The fields of a claim, one by one, beside what the wire showed. A line is confirmed only by evidence of its own level: a state by
//! the binding, a time by the binding's time. Pure.

use super::case::{Case, ends, listed};
use super::clock::{Skew, apart, magnitude, seconds};
use super::column::Column;
use super::matching::{Likeness, ROUNDING, is_named};
use super::series::Settled;
use super::stale::{mismatch, shows_refreshes};
use super::words::{contacts, reply, seen};
use super::{Held, Level, Line, Moment, Outcome, Reason};
use crate::{About, ClaimedTime, Said, SeenBinding, Sight};
use sip_message::SipUri;

/// Every field of the answer that decided.
pub(super) fn lines(case: &Case<'_>, settled: &Settled<'_>, evidence: Level) -> Vec<Line> {
    let beside = Beside { case, settled, evidence };
    settled.sandwich.answer.said.iter().map(|said| beside.line(said)).collect()
}

/// What was seen, what becomes of the field, and by which rule.
type Judged = (String, Held, &'static str);

struct Beside<'a> {
    case: &'a Case<'a>,
    settled: &'a Settled<'a>,
    evidence: Level,
}

impl Beside<'_> {
    fn line(&self, said: &Said) -> Line {
        let (seen, standing, rule) = match said.about {
            About::State => self.state(),
            About::Response if matches!(&*said.value, "" | "null") => unproven("nothing", "nothing is said"),
            About::Response => self.response(),
            About::Expiry => self.expiry(),
            About::NextAction => self.next_action(),
            About::Refresh => self.refresh(),
            About::Update => self.update(),
            About::Lifetime => self.lifetime(),
            About::Contact => self.contact(),
            About::Username => self.username(),
            About::Transport => self.transport(&said.value),
            About::Enabled => unproven(
                "the wire does not show what is wanted",
                "no SIP message says whether a registration is wanted",
            ),
            About::Identity => unproven("nothing", "an object of the provider's has no name on the wire"),
            About::Other => unproven("nothing", "the wire has no word on it"),
        };
        Line {
            claim: said.field.clone(),
            said: said.value.clone(),
            about: said.about,
            seen,
            standing,
            rule: rule.to_owned(),
        }
    }

    /// Registered needs the expected binding; not registered needs a list without it, or the same refusal.
    fn state(&self) -> Judged {
        let settled = self.settled;
        let standing = match (settled.row.says_up(), settled.view.column.shows_bound()) {
            (Some(claimed), Some(shown)) if claimed == shown => Held::Confirmed,
            (Some(_), Some(_)) if matches!(settled.reason.outcome(), Outcome::Disagree | Outcome::Stale) => Held::Contradicted,
            (Some(false), None) if settled.reason.outcome() == Outcome::Agree && settled.is_shown() => Held::Confirmed,
            (_, Some(_)) if matches!(settled.reason, Reason::StuckInProgress | Reason::FalseNegativeBound) => Held::Contradicted,
            (_, Some(true)) if settled.reason == Reason::RefreshInProgress => Held::Confirmed,
            (Some(_) | None, Some(_) | None) => Held::Unproven,
        };
        (
            seen(settled),
            standing,
            "registered is the expected binding in the registrar's list (E3), before and after the answer",
        )
    }

    fn response(&self) -> Judged {
        const RULE: &str = "the provider's last reply beside the reply that the probe got";
        let claimed = self.settled.sandwich.answer.response.as_ref().map(|response| response.code);
        let look = self.settled.sandwich.looks().next_back();
        let got = look.and_then(|look| match &look.sight {
            Sight::Bindings { .. } => Some(200),
            Sight::Challenged { code } | Sight::Refused { code } | Sight::Rejected { code, .. } | Sight::ServerError { code, .. } => {
                Some(*code)
            }
            Sight::Silent { .. } | Sight::Alive { .. } | Sight::Reached { .. } | Sight::NotReached { .. } => None,
        });
        let standing = match (claimed, got) {
            // A 200 to the provider is what its binding comes from.
            (Some(200..=299), _) if self.settled.view.column == Column::Bound => Held::Confirmed,
            (Some(300..=699), Some(got)) if claimed == Some(got) => Held::Confirmed,
            (Some(300..=699), Some(_)) if self.settled.reason == Reason::ReasonMismatch => Held::Contradicted,
            (Some(_) | None, Some(_) | None) => Held::Unproven,
        };
        let seen = match (got, look) {
            (Some(_), _) => format!("{} to the probe", reply(look)),
            (None, Some(_)) => format!("no reply that the probe can use ({})", reply(look)),
            (None, None) => "nothing".to_owned(),
        };
        (seen, standing, RULE)
    }

    fn expiry(&self) -> Judged {
        const RULE: &str =
            "the end that is named beside the end by the binding's remaining seconds, ± the clocks' difference, 10 % or 30 s";
        let answer = self.settled.sandwich.answer;
        let Some((claimed, ends)) = self.comparable(answer.expires_at).zip(self.ends()) else {
            return (self.remaining(), Held::Unproven, RULE);
        };
        let allowed = mismatch(self.case, answer, &self.settled.view);
        let standing = if ends.iter().any(|end| apart(*end, claimed) <= allowed) {
            Held::Confirmed
        } else {
            Held::Contradicted
        };
        (self.remaining(), standing, RULE)
    }

    fn next_action(&self) -> Judged {
        const RULE: &str = "the next REGISTER has to come before the binding ends; when it comes is the provider's own business";
        let answer = self.settled.sandwich.answer;
        let too_late = self.comparable(answer.next_action_at).zip(self.ends()).is_some_and(|(next, ends)| {
            let allowed = mismatch(self.case, answer, &self.settled.view);
            ends.iter().all(|end| next.since(*end) > allowed)
        });
        (self.remaining(), if too_late { Held::Contradicted } else { Held::Unproven }, RULE)
    }

    /// The last refresh is the end less the lifetime, when what is left fits the lifetime that is named.
    fn refresh(&self) -> Judged {
        const RULE: &str = "the last refresh is the binding's end less its lifetime, ± the clocks' difference, 10 % or 30 s";
        let answer = self.settled.sandwich.answer;
        let lifetime = self.case.named_lifetime(answer);
        let Some((lifetime, ends)) = lifetime.zip(self.ends()) else {
            return ("nothing".to_owned(), Held::Unproven, RULE);
        };
        let at: Vec<_> = ends.iter().filter_map(|end| before(*end, lifetime)).collect();
        let allowed = mismatch(self.case, answer, &self.settled.view);
        let claimed = self.comparable(answer.refreshed_at).filter(|_| shows_refreshes(answer.source));
        let same = claimed.is_some_and(|claimed| at.iter().any(|at| apart(*at, claimed) <= allowed));
        let seen = at
            .last()
            .map_or_else(|| "nothing".to_owned(), |at| format!("refreshed at about {at}, with {lifetime} s"));
        (seen, if same { Held::Confirmed } else { Held::Unproven }, RULE)
    }

    fn update(&self) -> Judged {
        let answer = self.settled.sandwich.answer;
        let age = self
            .comparable(answer.updated_at)
            .map(|at| magnitude(answer.answered_at.since(at)).as_secs());
        let seen = age.map_or_else(|| "nothing".to_owned(), |age| format!("{age} s away from the time of the answer"));
        (seen, Held::Unproven, "the wire does not show when the provider looked")
    }

    fn lifetime(&self) -> Judged {
        const RULE: &str = "a binding never has more seconds left than it was granted";
        let until = self.settled.sandwich.ended_at();
        let longest = self
            .case
            .longest_left(&self.settled.view.expected, until)
            .filter(|_| self.evidence >= Level::E3);
        let standing = match self.settled.sandwich.answer.lifetime_s.zip(longest) {
            Some((claimed, longest)) if seconds(longest) > seconds(claimed).saturating_add(ROUNDING) => Held::Contradicted,
            // Nine tenths of it seen, and never more: the rest is the time since its refresh.
            Some((claimed, longest)) if longest >= claimed - claimed / 10 => Held::Confirmed,
            Some(_) | None => Held::Unproven,
        };
        let seen = longest.map_or_else(|| "nothing".to_owned(), |longest| format!("at most {longest} s left"));
        (seen, standing, RULE)
    }

    fn contact(&self) -> Judged {
        const RULE: &str = "the Contact that is named beside those that the registrar lists";
        let marks = self.case.marks(self.settled.sandwich.answer);
        let Some(listed) = self.listed() else {
            return ("nothing".to_owned(), Held::Unproven, RULE);
        };
        let likeness: Vec<_> = listed.iter().map(|binding| marks.likeness_to_claimed(binding)).collect();
        let standing = if likeness.contains(&Likeness::Same) {
            Held::Confirmed
        } else if self.settled.view.column == Column::Others
            && likeness
                .iter()
                .all(|likeness| matches!(likeness, Likeness::Other | Likeness::Elsewhere))
        {
            Held::Contradicted
        } else {
            Held::Unproven
        };
        let seen = if listed.is_empty() {
            "nothing is bound".to_owned()
        } else {
            format!("{} bound", contacts(&listed))
        };
        (seen, standing, RULE)
    }

    fn username(&self) -> Judged {
        const RULE: &str = "the user that is named beside the user that the probe asked for, whom the registrar accepted (E1)";
        let expected = self.case.expectation.user.as_deref();
        let standing = match (expected, self.settled.sandwich.answer.username.as_deref()) {
            (Some(expected), Some(claimed)) if is_named(expected, claimed) && self.evidence >= Level::E1 => Held::Confirmed,
            (Some(expected), Some(claimed)) if !is_named(expected, claimed) && self.settled.reason == Reason::IdentityMismatch => {
                Held::Contradicted
            }
            (Some(_) | None, Some(_) | None) => Held::Unproven,
        };
        let seen = expected.map_or_else(|| "nothing".to_owned(), |user| format!("the probe asked for {user}"));
        (seen, standing, RULE)
    }

    fn transport(&self, said: &str) -> Judged {
        const RULE: &str = "the transport parameter of the expected Contact";
        let transports: Vec<_> = self.settled.view.expected.iter().filter_map(|binding| transport(binding)).collect();
        let standing = match transports.last() {
            Some(transport) if transport.eq_ignore_ascii_case(said) => Held::Confirmed,
            // RFC 3261 §26.2.2: what came by TLS is often named tcp behind sips:, and a NAT helper may have put in its own.
            Some(_) | None => Held::Unproven,
        };
        let seen = transports
            .last()
            .map_or_else(|| "nothing".to_owned(), |transport| format!("transport={transport}"));
        (seen, standing, RULE)
    }

    /// A claimed time, unless its zone or the clocks forbid to compare it.
    fn comparable(&self, time: Option<ClaimedTime>) -> Option<Moment> {
        let skew = Skew::of(self.settled.sandwich.answer, self.case.expectation);
        super::clock::comparable(time).filter(|_| !skew.is_too_much())
    }

    /// The ends of the expected bindings; `None` without any, and when the last look does not show them any more.
    fn ends(&self) -> Option<Vec<Moment>> {
        let expected = Some(&self.settled.view.expected).filter(|_| self.evidence >= Level::E3)?;
        let ends: Vec<_> = self.settled.sandwich.looks().flat_map(|look| ends(expected, look)).collect();
        (!ends.is_empty()).then_some(ends)
    }

    fn remaining(&self) -> String {
        let last = self.ends().and_then(|ends| ends.last().copied());
        last.map_or_else(|| "nothing".to_owned(), |end| format!("the binding ends at {end}"))
    }

    fn listed(&self) -> Option<Vec<&SeenBinding>> {
        Some(self.settled.sandwich.looks().rev().find_map(listed)?.iter().collect())
    }
}

fn unproven(seen: &str, rule: &'static str) -> Judged {
    (seen.to_owned(), Held::Unproven, rule)
}

fn before(end: Moment, lifetime: u32) -> Option<Moment> {
    end.timestamp().checked_sub(seconds(lifetime)).ok().map(Moment::from)
}

fn transport(binding: &SeenBinding) -> Option<String> {
    let uri = SipUri::parse(binding.contact.as_bytes()).ok()?;
    uri.transport().map(|name| String::from_utf8_lossy(name).into_owned())
}
