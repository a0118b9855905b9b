//! Scenes: a claim and what was seen, told step by step on a clock of their own, and the verdict on them.

mod contacts;
mod document;
mod evidence;
mod gallery;
mod grid;
mod properties;
mod series;
mod times;
mod words;

use std::time::Duration;

use sip_registration::Cause;

use super::{Outcome, Reason, Verdict, verdict};
use crate::{
    Answer, Claim, ClaimedContact, ClaimedTime, Expectation, HostPattern, Listing, Moment, Observation, Question, SeenBinding, Sight,
    SourceKind, Word,
};

/// Where every scene begins.
const ORIGIN: i64 = 1_780_000_000;
/// The provider's Contact in every scene.
pub(super) const GATEWAY: &str = "sip:gw-7@192.0.2.7:5080";
/// Somebody else's.
pub(super) const PHONE: &str = "sip:alice@198.51.100.9:5060";
/// The probe's own.
pub(super) const PROBE: &str = "sip:regprobe-1@203.0.113.4:5060";

/// A scene that is being told.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) claim: Claim,
    pub(super) observations: Vec<Observation>,
    pub(super) expectation: Expectation,
    now: Moment,
}

/// So many seconds after the origin.
pub(super) fn at(seconds: i64) -> Moment {
    Moment::from_unix(ORIGIN + seconds).expect("scenes are short")
}

impl Scene {
    /// Nothing was said and nothing seen yet. The provider's Contact is known by its address, and the registrar lists bindings.
    pub(super) fn of(source: SourceKind) -> Self {
        let mut expectation = Expectation::of(source);
        expectation.contact.hosts = vec![HostPattern::Address("192.0.2.7".parse().unwrap(), None)];
        expectation.listing = Listing::Lists;
        Self {
            claim: Claim {
                source,
                answers: Vec::new(),
            },
            observations: Vec::new(),
            expectation,
            now: at(0),
        }
    }

    /// Time passes.
    pub(super) fn after(mut self, seconds: u64) -> Self {
        self.now = self.now.after(Duration::from_secs(seconds));
        self
    }

    /// An exchange of one second.
    pub(super) fn sees(mut self, question: Question, sight: Sight) -> Self {
        let started_at = self.now;
        self = self.after(1);
        self.observations.push(Observation {
            started_at,
            ended_at: self.now,
            question,
            vantage: None,
            server: Some("192.0.2.1:5060".into()),
            product: None,
            own_contact: None,
            sight,
        });
        self
    }

    /// A fetch.
    pub(super) fn fetches(self, sight: Sight) -> Self {
        self.sees(Question::Fetch, sight)
    }

    /// An answer that took a second, of this word.
    pub(super) fn says(self, word: Word) -> Self {
        self.says_with(word, |_| {})
    }

    /// The same with more in it.
    pub(super) fn says_with(self, word: Word, with: impl FnOnce(&mut Answer)) -> Self {
        let source = self.claim.source;
        self.other_says(source, word, with)
    }

    /// An answer of any source.
    pub(super) fn other_says(mut self, source: SourceKind, word: Word, with: impl FnOnce(&mut Answer)) -> Self {
        let asked_at = self.now;
        self = self.after(1);
        let mut answer = Answer {
            word,
            ..Answer::blank(source, asked_at, self.now)
        };
        with(&mut answer);
        self.claim.answers.push(answer);
        self
    }

    /// Fetch, answer, fetch.
    pub(super) fn sandwich(self, sight: Sight, word: Word) -> Self {
        self.fetches(sight.clone()).says(word).fetches(sight)
    }

    /// The same twice, with more than any grace in between.
    pub(super) fn twice(self, sight: Sight, word: Word) -> Self {
        self.sandwich(sight.clone(), word.clone()).after(70).sandwich(sight, word)
    }

    pub(super) fn verdict(&self) -> Verdict {
        verdict(&self.claim, &self.observations, &self.expectation, self.now)
    }

    #[track_caller]
    pub(super) fn is(&self, reason: Reason) -> Verdict {
        let verdict = self.verdict();
        assert_eq!(verdict.reason.name(), reason.name(), "{verdict:#?}");
        assert_eq!(verdict.outcome, reason.outcome());
        verdict
    }
}

/// A 200 to a fetch, with these Contacts and the seconds that they have left.
pub(super) fn bound(contacts: &[(&str, u32)]) -> Sight {
    let binding = |(contact, seconds): &(&str, u32)| SeenBinding {
        contact: (*contact).to_owned(),
        expires_s: Some(*seconds),
        instance: None,
    };
    Sight::Bindings {
        bindings: contacts.iter().map(binding).collect(),
        challenged: true,
    }
}

pub(super) fn rejected(code: u16, authenticated: bool) -> Sight {
    Sight::Rejected {
        code,
        reason: phrase(code).into(),
        authenticated,
    }
}

const fn phrase(code: u16) -> &'static str {
    match code {
        302 => "Moved Temporarily",
        400 => "Missing Contact Header",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        503 => "Service Unavailable",
        _ => "Server Internal Error",
    }
}

pub(super) fn sick(code: u16) -> Sight {
    Sight::ServerError {
        code,
        reason: phrase(code).into(),
    }
}

pub(super) fn silent() -> Sight {
    Sight::Silent {
        cause: Cause::NoReply,
        detail: "No reply within 32 s".into(),
        answered: false,
    }
}

/// A registrar that is there, behind a certificate that nobody here knows.
pub(super) fn unusable() -> Sight {
    Sight::Silent {
        cause: Cause::CertificateUntrusted,
        detail: "The certificate's issuer is not trusted".into(),
        answered: false,
    }
}

/// A time with its zone, so many seconds after the origin.
pub(super) fn claimed(seconds: i64) -> Option<ClaimedTime> {
    Some(ClaimedTime {
        at: at(seconds),
        zone_known: true,
    })
}

pub(super) fn contact(user: Option<&str>, host: &str, port: Option<u16>) -> Option<ClaimedContact> {
    Some(ClaimedContact {
        user: user.map(str::to_owned),
        host: Some(host.to_owned()),
        port,
    })
}

pub(super) const fn is_agreement(verdict: &Verdict) -> bool {
    matches!(verdict.outcome, Outcome::Agree)
}
