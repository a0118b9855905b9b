//! The faults of a configuration as a script that runs along with the requests: which ones take effect now. Not what they do.

use rand::Rng;
use rand_chacha::ChaCha12Rng;
use sip_message::{ChallengeSource, Request};

use crate::{Fault, FaultKind, Loss, When};

/// The faults with their counts.
#[derive(Debug)]
pub(crate) struct Script {
    rules: Vec<Rule>,
    /// The names of the faults that took effect since the last look.
    fired: Vec<&'static str>,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    seen: u32,
    fired: u32,
}

/// What a fault's conditions look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    method: &'a [u8],
    user: Option<&'a [u8]>,
    credentials: bool,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(request: &Request<'a>) -> Self {
        let to = request.headers.to().and_then(Result::ok).and_then(|to| to.uri().ok());
        let has = |source| request.headers.credentials(source).next().is_some();
        Self {
            method: request.method.as_bytes(),
            user: to.and_then(|uri| uri.sip().and_then(|uri| uri.user)),
            credentials: has(ChallengeSource::Www) || has(ChallengeSource::Proxy),
        }
    }
}

impl Script {
    pub(crate) fn new(faults: &[Fault]) -> Self {
        let rules = faults.iter().cloned().map(|fault| Rule { fault, seen: 0, fired: 0 });
        Self {
            rules: rules.collect(),
            fired: Vec::new(),
        }
    }

    /// The first fault of one place that takes effect now. `accept` has the last word: it is told how many requests fitted so far.
    pub(crate) fn first<T: Clone>(
        &mut self,
        facts: &Facts<'_>,
        pick: impl Fn(&FaultKind) -> Option<&T>,
        mut accept: impl FnMut(&T, u32) -> bool,
    ) -> Option<T> {
        for rule in &mut self.rules {
            let Some(fault) = pick(&rule.fault.kind) else {
                continue;
            };
            let Some(count) = rule.fault.when.counts(facts, &mut rule.seen, rule.fired) else {
                continue;
            };
            if accept(fault, count) {
                rule.fired += 1;
                self.fired.push(rule.fault.kind.name());
                return Some(fault.clone());
            }
        }
        None
    }

    /// All faults of one place that take effect now.
    pub(crate) fn all<T: Clone>(
        &mut self,
        facts: &Facts<'_>,
        pick: impl Fn(&FaultKind) -> Option<&T>,
        accept: impl Fn(&T) -> bool,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for rule in &mut self.rules {
            let Some(fault) = pick(&rule.fault.kind) else {
                continue;
            };
            if rule.fault.when.counts(facts, &mut rule.seen, rule.fired).is_some() && accept(fault) {
                rule.fired += 1;
                self.fired.push(rule.fault.kind.name());
                found.push(fault.clone());
            }
        }
        found
    }

    /// The names of the faults that took effect since the last call, for the log.
    pub(crate) fn take_fired(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.fired)
    }
}

impl When {
    /// Counts a request that fits. `None` when it does not, when it comes too early, or when the fault took effect often enough.
    fn counts(&self, facts: &Facts<'_>, seen: &mut u32, fired: u32) -> Option<u32> {
        let method = self.method.as_ref().is_none_or(|method| method.as_bytes() == facts.method);
        let user = self.user.as_ref().is_none_or(|user| Some(user.as_bytes()) == facts.user);
        let credentials = self.credentials.is_none_or(|wanted| wanted == facts.credentials);
        if !(method && user && credentials) {
            return None;
        }
        *seen = seen.saturating_add(1);
        let count = seen.checked_sub(self.after).filter(|count| *count > 0)?;
        self.times.is_none_or(|times| fired < times).then_some(count)
    }
}

impl Loss {
    /// Whether the message is lost that is the `count`-th, from 1.
    pub(crate) fn loses(self, count: u32, random: &mut ChaCha12Rng) -> bool {
        match self {
            Self::Nth(nth) => count == nth,
            Self::Of { lost, every } => (count - 1) % every.max(1) < lost,
            Self::Percent(percent) => random.next_u32() % 100 < u32::from(percent),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::{Alteration, Arrival};

    const REGISTER: Facts<'_> = Facts {
        method: b"REGISTER",
        user: Some(b"alice"),
        credentials: false,
    };

    fn arrival(kind: &FaultKind) -> Option<&Arrival> {
        if let FaultKind::Arrival(arrival) = kind {
            Some(arrival)
        } else {
            None
        }
    }

    fn fires(when: When, facts: &Facts<'_>, requests: usize) -> Vec<bool> {
        let fault = Fault::from(FaultKind::Arrival(Arrival::Silence)).when(when);
        let mut script = Script::new(&[FaultKind::Alteration(Alteration::HugeHeader(1)).into(), fault]);
        (0..requests).map(|_| script.first(facts, arrival, |_, _| true).is_some()).collect()
    }

    #[test]
    fn a_fault_lasts_for_ever_or_for_its_times() {
        assert_eq!(fires(When::default(), &REGISTER, 3), [true, true, true]);
        let when = When {
            after: 1,
            times: Some(2),
            ..When::default()
        };
        assert_eq!(fires(when, &REGISTER, 5), [false, true, true, false, false]);
    }

    #[test]
    fn a_fault_is_only_for_requests_that_fit() {
        let when = When {
            method: Some("REGISTER".to_owned()),
            user: Some("alice".to_owned()),
            credentials: Some(true),
            ..When::default()
        };
        let fitting = Facts {
            credentials: true,
            ..REGISTER
        };
        assert_eq!(fires(when.clone(), &fitting, 1), [true]);
        for other in [
            REGISTER,
            Facts { user: None, ..fitting },
            Facts {
                method: b"OPTIONS",
                ..fitting
            },
        ] {
            assert_eq!(fires(when.clone(), &other, 1), [false]);
        }
    }

    #[test]
    fn one_place_takes_the_first_another_all() {
        let faults: Vec<Fault> = [
            FaultKind::Arrival(Arrival::Silence),
            FaultKind::Arrival(Arrival::Close),
            FaultKind::Alteration(Alteration::HugeHeader(1)),
        ]
        .map(Fault::from)
        .to_vec();
        let mut script = Script::new(&faults);
        assert_eq!(script.first(&REGISTER, arrival, |_, _| true), Some(Arrival::Silence));
        assert_eq!(script.take_fired(), ["silence"]);
        assert_eq!(script.all(&REGISTER, arrival, |_| true), [Arrival::Silence, Arrival::Close]);
        assert_eq!(script.take_fired(), ["silence", "close"]);
        assert_eq!(script.take_fired(), [""; 0]);
    }

    #[test]
    fn losses_fall_where_they_should() {
        let mut random = ChaCha12Rng::from_seed([3; 32]);
        let mut losses = |loss: Loss| -> Vec<bool> { (1..=6).map(|count| loss.loses(count, &mut random)).collect() };
        assert_eq!(losses(Loss::Nth(2)), [false, true, false, false, false, false]);
        assert_eq!(losses(Loss::Of { lost: 1, every: 2 }), [true, false, true, false, true, false]);
        assert_eq!(losses(Loss::Of { lost: 2, every: 3 }), [true, true, false, true, true, false]);
        assert_eq!(losses(Loss::Percent(0)), [false; 6]);
        assert_eq!(losses(Loss::Percent(100)), [true; 6]);
        let lost = (1..=10_000).filter(|count| Loss::Percent(30).loses(*count, &mut random)).count();
        assert!((2_700..3_300).contains(&lost), "{lost}");
    }
}
