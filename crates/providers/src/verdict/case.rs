//! The evidence in order: which look lies around which answer, and what the whole series says about the registrar. Pure.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use jiff::SignedDuration;

use super::Moment;
use super::clock::{Skew, comparable, seconds, signed};
use super::matching::{self, Marks, Owners, ROUNDING, ends_at, is_named, same_uri};
use super::row::Row;
use crate::{Answer, Claim, Expectation, Listing, Observation, Question, SeenBinding, Sight, SourceKind};

/// RFC 3261 §17.1.2.2: 64·T1, in which a REGISTER is answered or given up.
pub(super) const TIMER_F: SignedDuration = SignedDuration::from_secs(32);

/// The lifetime that is assumed where nobody names one, in seconds: the usual one (RFC 3261 §10.2).
const USUAL_LIFETIME: u32 = 3600;

/// A claim with all that was seen.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) claim: &'a Claim,
    pub(super) expectation: &'a Expectation,
    /// Everything that was seen, the oldest first.
    pub(super) observations: Vec<&'a Observation>,
    /// The source's own answers, the oldest first.
    pub(super) answers: Vec<&'a Answer>,
    /// What the looks of the verdict were taken from: the vantage of the first.
    pub(super) vantage: Option<&'a str>,
    own_contacts: Vec<&'a str>,
    servers: Vec<IpAddr>,
}

/// An answer and the looks before and after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sandwich<'a> {
    pub(super) answer: &'a Answer,
    pub(super) before: Option<&'a Observation>,
    pub(super) after: Option<&'a Observation>,
}

impl<'a> Sandwich<'a> {
    /// The looks that there are.
    pub(super) fn looks(&self) -> impl DoubleEndedIterator<Item = &'a Observation> + use<'a> {
        self.before.into_iter().chain(self.after)
    }

    /// The end of what this sandwich and all before it have seen.
    pub(super) fn ended_at(&self) -> Moment {
        self.after.map_or(self.answer.answered_at, |after| after.ended_at)
    }
}

impl<'a> Case<'a> {
    pub(super) fn new(claim: &'a Claim, observations: &'a [Observation], expectation: &'a Expectation) -> Self {
        let mut in_order: Vec<_> = observations.iter().collect();
        in_order.sort_by_key(|seen| (seen.started_at, seen.ended_at));
        let mut answers: Vec<_> = claim.own().collect();
        answers.sort_by_key(|answer| (answer.asked_at, answer.answered_at));
        Self {
            claim,
            expectation,
            vantage: in_order.iter().find(|seen| is_look(seen)).and_then(|seen| seen.vantage.as_deref()),
            own_contacts: in_order.iter().filter_map(|seen| seen.own_contact.as_deref()).collect(),
            servers: in_order.iter().filter_map(|seen| address(seen.server.as_deref()?)).collect(),
            observations: in_order,
            answers,
        }
    }

    /// The looks at the registrar's table from where most was looked.
    pub(super) fn looks(&self) -> impl DoubleEndedIterator<Item = &'a Observation> {
        self.observations.iter().copied().filter(|seen| is_look(seen) && self.is_here(seen))
    }

    fn is_here(&self, seen: &Observation) -> bool {
        seen.vantage.as_deref() == self.vantage
    }

    /// The looks at the registrar's table from anywhere else.
    pub(super) fn looks_from_elsewhere(&self) -> impl Iterator<Item = &'a Observation> {
        self.observations
            .iter()
            .copied()
            .filter(|seen| is_look(seen) && !self.is_here(seen))
    }

    /// The looks around an answer, none of them further away than the grace, and 64·T1 where that is longer: a slow API takes its time,
    /// and what was seen an hour ago lies around nothing.
    pub(super) fn sandwich(&self, answer: &'a Answer) -> Sandwich<'a> {
        let near = signed(self.expectation.grace).max(TIMER_F);
        // A report names its beginning to the millisecond, cut, so that a look may seem to begin before the answer that it followed.
        let answered = |look: &Observation| look.started_at.timestamp().as_millisecond() >= answer.answered_at.timestamp().as_millisecond();
        let is_before = |look: &Observation| look.ended_at <= answer.asked_at && answer.asked_at.since(look.ended_at) <= near;
        let is_after = |look: &Observation| answered(look) && look.started_at.since(answer.answered_at) <= near;
        let looks: Vec<_> = self.looks().collect();
        let before = looks.iter().rposition(|look| is_before(look));
        let later = before.map_or(&looks[..], |at| {
            looks.split_at(at).1.split_first().map_or(&[][..], |(_, later)| later)
        });
        Sandwich {
            answer,
            before: before.and_then(|at| looks.get(at).copied()),
            after: later.iter().copied().find(|look| is_after(look)),
        }
    }

    /// The marks by which the provider's binding is known when this answer is held against the wire. A state in which the source
    /// names no Contact does not unsay the one that it, or another source of the provider, named before.
    pub(super) fn marks<'b>(&'b self, answer: &'b Answer) -> Marks<'b> {
        let named = || {
            let known = self.claim.answers.iter().filter(|other| other.answered_at <= answer.answered_at);
            known.filter(|other| other.contact.is_some()).max_by_key(|other| other.answered_at)
        };
        Marks {
            role: self.claim.source.role(),
            pattern: &self.expectation.contact,
            claimed: answer.contact.as_ref().or_else(|| named()?.contact.as_ref()),
            aor_user: self.expectation.user.as_deref(),
            claimed_end: matching::claimed_end(answer),
            skew: Skew::of(answer, self.expectation),
            own: &self.own_contacts,
            servers: &self.servers,
        }
    }

    /// The user that the provider registers, when that is not the one that was asked for. The settings may name the user for digest
    /// besides, which the answer may give alone.
    pub(super) fn other_user<'b>(&'b self, answer: &'b Answer) -> Option<&'b str> {
        let asked = self.expectation.user.as_deref()?;
        let settings = &self.expectation.registered_users;
        let configured = |user: &str| settings.iter().any(|name| is_named(name, user));
        let in_settings = settings.first().filter(|_| !configured(asked));
        let in_answer = answer
            .username
            .as_ref()
            .filter(|claimed| !is_named(asked, claimed) && !configured(claimed));
        in_answer.or(in_settings).map(String::as_str)
    }

    /// Whether nothing listed means nothing bound. Engines that always list are known by their name.
    pub(super) fn lists(&self) -> bool {
        match self.expectation.listing {
            Listing::Lists => true,
            Listing::Hides => false,
            Listing::Undecided | Listing::Unknown => self
                .fetches()
                .any(|look| listed(look).is_some_and(|bindings| !bindings.is_empty()) || is_known(look)),
        }
    }

    /// A REGISTER of our own is always answered with our own Contact, so only a fetch shows whether others' are listed.
    fn fetches(&self) -> impl Iterator<Item = &'a Observation> {
        self.observations.iter().copied().filter(|seen| seen.question == Question::Fetch)
    }

    /// Whether a binding of these was seen to be refreshed between these moments: it has more time left than it would have by itself. A binding
    /// that always has the same time left is a fixed one, which nobody refreshes. Our own needs no proof.
    ///
    /// The seconds were counted at some moment between the request and the reply. A reply that got lost comes again as it was, so the
    /// latest moment for the earlier look and the earliest for the later one have to show it.
    pub(super) fn is_refreshed(&self, bindings: &[&SeenBinding], between: RangeInclusive<Moment>) -> bool {
        let seen: Vec<_> = self.looks().filter(|look| between.contains(&look.ended_at)).collect();
        bindings.iter().any(|binding| {
            let times: Vec<_> = seen
                .iter()
                .filter_map(|look| Some((*look, same_as(binding, look)?.expires_s?)))
                .collect();
            let rose = |(earlier, later): (&(&Observation, u32), &(&Observation, u32))| {
                let end = |at: Moment, left: u32| at.after(seconds(left).unsigned_abs());
                end(later.0.started_at, later.1).since(end(earlier.0.ended_at, earlier.1)) > ROUNDING && later.1 != earlier.1
            };
            self.own_contacts.iter().any(|own| same_uri(own, &binding.contact)) || times.iter().zip(times.iter().skip(1)).any(rose)
        })
    }

    /// The longest time that a binding of these was ever seen to have left, until `until`, in seconds.
    pub(super) fn longest_left(&self, bindings: &[&SeenBinding], until: Moment) -> Option<u32> {
        let looks = self.looks().filter(|look| look.ended_at <= until);
        looks
            .flat_map(|look| bindings.iter().filter_map(|binding| same_as(binding, look)?.expires_s))
            .max()
    }

    /// Whether the registrar is known to be alive while it keeps silent to a REGISTER from here: it answered OPTIONS, or a look from
    /// elsewhere.
    pub(super) fn is_alive(&self) -> bool {
        let mut here = self.observations.iter().filter(|seen| self.is_here(seen));
        here.any(|seen| matches!(seen.sight, Sight::Alive { .. })) || self.looks_from_elsewhere().any(|look| !is_silent(look))
    }

    /// Whether it is silent to others too.
    pub(super) fn is_silent_elsewhere(&self) -> bool {
        self.looks_from_elsewhere().any(is_silent) && self.looks_from_elsewhere().all(is_silent)
    }

    /// Since when the source says without a break that it is registering, until this answer. What is no answer does not break it.
    pub(super) fn in_progress_since(&self, answer: &Answer) -> Option<Moment> {
        let until_now = self.answers.iter().take_while(|other| other.answered_at <= answer.answered_at);
        until_now.fold(None, |since, other| match Row::of(other) {
            Row::InProgress => since.or(Some(other.answered_at)),
            Row::Nothing(_) => since,
            Row::Registered
            | Row::Unregistering
            | Row::WrongCredentials
            | Row::Timeout
            | Row::InternalError
            | Row::RegistrarError(_)
            | Row::Failed
            | Row::NotRegistered => None,
        })
    }

    /// Whether the source was registered so lately that what it is doing now can be a refresh.
    pub(super) fn was_registered(&self, answer: &Answer, bindings: &[&SeenBinding]) -> bool {
        let lifetime = self.lifetime(answer, bindings);
        let earlier = self.answers.iter().filter(|other| other.answered_at < answer.answered_at);
        let said_so = earlier
            .into_iter()
            .any(|other| Row::of(other) == Row::Registered && answer.answered_at.since(other.answered_at) <= seconds(lifetime));
        let by_its_end = comparable(answer.expires_at).is_some_and(|end| end > answer.answered_at);
        let refreshed = comparable(answer.refreshed_at).filter(|_| !shows_attempts(answer.source));
        said_so || by_its_end || refreshed.is_some_and(|at| answer.answered_at.since(at) <= seconds(lifetime))
    }

    /// The lifetime in seconds, as the source names it or named it before.
    pub(super) fn named_lifetime(&self, answer: &Answer) -> Option<u32> {
        answer
            .lifetime_s
            .or_else(|| self.answers.iter().rev().find_map(|other| other.lifetime_s))
    }

    /// The longest lifetime that may have been granted, in seconds. What a binding has left is never more than that and often less, so
    /// where nobody names it the usual one is allowed for.
    pub(super) fn lifetime(&self, answer: &Answer, bindings: &[&SeenBinding]) -> u32 {
        let longest = || self.longest_left(bindings, Moment::END).unwrap_or_default();
        self.named_lifetime(answer).unwrap_or_else(|| longest().max(USUAL_LIFETIME))
    }
}

/// Whether `refreshed_at` is when a REGISTER was sent, whatever came of it: OpenSIPS' `last_register_sent`, which Telzino passes on.
const fn shows_attempts(source: SourceKind) -> bool {
    match source {
        SourceKind::Opensips | SourceKind::Telzino => true,
        SourceKind::TelnyxUac
        | SourceKind::TelnyxUacStored
        | SourceKind::TelnyxTelephonyCredential
        | SourceKind::TelnyxCredentialConnection
        | SourceKind::TelnyxCredentialCheck
        | SourceKind::Bitrix24
        | SourceKind::Bitrix24Stored
        | SourceKind::Kamailio
        | SourceKind::Freeswitch
        | SourceKind::Asterisk => false,
    }
}

/// The address of a server, without its port.
fn address(server: &str) -> Option<IpAddr> {
    server.parse::<SocketAddr>().map(|server| server.ip()).ok()
}

/// A look shows the registrar's table, or why it does not. A refusal of our own Contact says nothing about the table.
fn is_look(seen: &Observation) -> bool {
    match seen.question {
        Question::Fetch => true,
        Question::Register | Question::Unregister => matches!(seen.sight, Sight::Bindings { .. }),
        Question::Ping | Question::Inbound => false,
    }
}

const fn is_silent(look: &Observation) -> bool {
    matches!(look.sight, Sight::Silent { .. })
}

/// What a look lists.
pub(super) fn listed(look: &Observation) -> Option<&[SeenBinding]> {
    match &look.sight {
        Sight::Bindings { bindings, .. } => Some(bindings),
        Sight::Challenged { .. }
        | Sight::Refused { .. }
        | Sight::Rejected { .. }
        | Sight::ServerError { .. }
        | Sight::Silent { .. }
        | Sight::Alive { .. }
        | Sight::Reached { .. }
        | Sight::NotReached { .. } => None,
    }
}

/// Products that list every binding of an AOR to whoever may read them. OpenSIPS is none of them: `only-request-contacts`.
fn is_known(look: &Observation) -> bool {
    const LISTING: [&str; 4] = ["kamailio", "asterisk", "freeswitch", "regprobe"];
    let product = look.product.as_deref().unwrap_or_default().trim_start().to_ascii_lowercase();
    LISTING.iter().any(|name| product.starts_with(name))
}

fn same_as<'b>(binding: &SeenBinding, look: &'b Observation) -> Option<&'b SeenBinding> {
    listed(look)?.iter().find(|other| same_uri(&other.contact, &binding.contact))
}

/// The bindings that the provider's marks fit, of both looks.
pub(super) fn expected<'a>(owners: [&Owners<'a>; 2]) -> Vec<&'a SeenBinding> {
    let both = owners.into_iter().filter_map(|owners| match owners {
        Owners::Expected(bindings) => Some(bindings.clone()),
        Owners::Others | Owners::Nobody | Owners::Unknown { .. } => None,
    });
    both.flatten().collect()
}

/// When the expected bindings of a look end.
pub(super) fn ends(bindings: &[&SeenBinding], look: &Observation) -> Vec<Moment> {
    bindings
        .iter()
        .filter_map(|binding| ends_at(same_as(binding, look)?, look.ended_at))
        .collect()
}
