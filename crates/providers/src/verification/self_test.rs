//! A Contact of our own at the registrar, in six steps: look first, decline when somebody else is bound and nobody allowed it, bind,
//! compare, remove only ours, look again and name every loss. It shows what the registrar does with a second Contact, and whether it
//! lists what is bound. It never tries to bring back what was lost: only its owner can.

use std::time::{Duration, Instant};

use sip_message::SipUri;
use sip_registration::{Account, ContactPlan, Ending, Goal, Removal};

use super::report::{SelfTest, SelfTestOutcome};
use super::wire::Exchange;
use super::{Inbound, Mode, Progress, Run, resolve};
use crate::{Listing, Question, SeenBinding, Sight};

/// When the test is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nobody is bound, or it will be declined: nobody can lose anything, and the verdict can use what it shows.
    Now,
    /// Somebody may lose a binding by it: after the last look, which would see no more than our own doing otherwise.
    Later,
    /// Not at all: nobody asked for it, or the registrar does not answer us.
    Never,
}

/// A name for our own Contact that nobody can guess.
pub(super) fn mark() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// The account with a Contact, an instance and a User-Agent of its own.
pub(super) fn marked(account: Account, mark: &str) -> Account {
    // RFC 9562 §5.4: a UUID of version 4.
    let bits = rand::random::<u128>() & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).expect("32 digits were written"));
    Account {
        contact: ContactPlan::Automatic { user: user(mark).into() },
        instance: Some(format!("urn:uuid:{}", parts.join("-")).into()),
        user_agent: format!("{} (inbound {mark})", resolve::USER_AGENT).into(),
        ..account
    }
}

fn user(mark: &str) -> String {
    format!("regprobe-{mark}")
}

impl<P: FnMut(Progress), F: Future<Output = ()>> Run<'_, P, F> {
    /// When our own Contact is to be bound, by what the last fetch showed.
    pub(super) fn turn(&self) -> Turn {
        let Mode::Register { allow_displacement } = self.check.mode else {
            return Turn::Never;
        };
        if self.open || self.stop.came() {
            return Turn::Never;
        }
        let fetched = self.observations.iter().rfind(|seen| seen.question == Question::Fetch);
        match fetched.map(|seen| &seen.sight) {
            Some(Sight::Bindings { bindings, .. }) if allow_displacement && !bindings.is_empty() => Turn::Later,
            Some(Sight::Bindings { .. }) => Turn::Now,
            Some(
                Sight::Challenged { .. }
                | Sight::Refused { .. }
                | Sight::Rejected { .. }
                | Sight::ServerError { .. }
                | Sight::Silent { .. }
                | Sight::Alive { .. }
                | Sight::Reached { .. }
                | Sight::NotReached { .. },
            )
            | None => Turn::Never,
        }
    }

    /// Makes the test, and keeps what the verdict can use of it.
    pub(super) async fn test_ourselves(&mut self) {
        let Some(test) = self.six_steps().await else { return };
        match test.lists_bindings {
            Some(true) => self.expectation.listing = Listing::Lists,
            Some(false) => self.expectation.listing = Listing::Hides,
            // The user may know more.
            None if test.was_tried() && self.expectation.listing == Listing::Unknown => self.expectation.listing = Listing::Undecided,
            None => {}
        }
        self.self_test = Some(test);
    }

    async fn six_steps(&mut self) -> Option<SelfTest> {
        let Mode::Register { allow_displacement } = self.check.mode else {
            return None;
        };
        let looked = self.ask(Goal::Fetch, Progress::Fetching).await?;
        self.open |= looked.is_open();
        if self.open || looked.attempt.ending != Ending::Succeeded {
            return None;
        }
        let mut test = SelfTest::begun(bindings(&looked));
        test.exchanges.push(self.seen(Question::Fetch, &looked));
        let mut granted = resolve::LIFETIME;
        if test.before.is_empty() || allow_displacement {
            granted = self.bind(&mut test, looked.attempt.ended_at).await.unwrap_or(granted);
        }
        test.conclude(self.stop.came(), granted);
        Some(test)
    }

    /// Binds, compares, removes, looks again. `since` is the moment of the first look. The seconds that were granted.
    async fn bind(&mut self, test: &mut SelfTest, since: Instant) -> Option<u32> {
        let wire = self.wire.as_mut()?;
        (self.progress)(Progress::Binding);
        let bound = wire.ask(Goal::Register, &mut self.stop).await;
        test.exchanges.push(self.seen(Question::Register, &bound));
        test.contact = bound.attempt.binding.as_ref().map(|bound| bound.stored.to_string());
        self.own_contact.clone_from(&test.contact);
        if bound.attempt.last_reply.as_ref().is_some_and(|reply| reply.code / 100 == 2) {
            test.during = bindings(&bound);
            test.displaced = missing(&test.before, &test.during, bound.attempt.ended_at.saturating_duration_since(since));
        }
        if !test.displaced.is_empty() {
            let contacts = test.displaced.iter().map(|binding| binding.contact.clone()).collect();
            (self.progress)(Progress::Displaced(contacts));
        }
        if test.contact.is_some() {
            self.look_while_bound(test).await;
        } else {
            test.detail.clone_from(&bound.report.detail);
        }
        if test.contact.is_some() || bound.attempt.may_be_bound {
            self.remove(test).await;
        }
        self.look_afterwards(test, since).await;
        bound.attempt.binding.map(|bound| bound.granted)
    }

    /// Whether the registrar lists what it has just bound, and whether that is reached.
    async fn look_while_bound(&mut self, test: &mut SelfTest) {
        if let Some(seen) = self.ask(Goal::Fetch, Progress::Fetching).await {
            test.exchanges.push(self.seen(Question::Fetch, &seen));
            if seen.attempt.ending == Ending::Succeeded {
                let (ours, others): (Vec<_>, Vec<_>) = bindings(&seen).into_iter().partition(|binding| self.is_ours(binding));
                test.lists_bindings = Some(!ours.is_empty());
                // A 200 to a REGISTER may list its own Contact alone.
                test.displaced.retain(|gone| !others.iter().any(|other| is_same(gone, other)));
                test.during = others;
            }
        }
        if self.check.inbound == Some(Inbound::OurContact) {
            self.try_our_contact().await;
        }
    }

    async fn remove(&mut self, test: &mut SelfTest) {
        let Some(wire) = &mut self.wire else { return };
        (self.progress)(Progress::Removing);
        let removed = wire.remove(&mut self.stop).await;
        test.exchanges.push(self.seen(Question::Unregister, &removed));
        test.removal = if removed.attempt.ending == Ending::Succeeded {
            // Its 200 lists what is left.
            test.after = Some(bindings(&removed));
            Removal::Confirmed
        } else {
            Removal::Unconfirmed
        };
    }

    async fn look_afterwards(&mut self, test: &mut SelfTest, since: Instant) {
        if let Some(seen) = self.ask(Goal::Fetch, Progress::Fetching).await {
            test.exchanges.push(self.seen(Question::Fetch, &seen));
            if seen.attempt.ending == Ending::Succeeded {
                test.after = Some(bindings(&seen));
            }
        }
        if let Some(after) = &test.after {
            test.lost = missing(&test.before, after, since.elapsed());
        }
    }

    fn is_ours(&self, binding: &SeenBinding) -> bool {
        let user = user(&self.mark);
        SipUri::parse(binding.contact.as_bytes()).is_ok_and(|uri| uri.user == Some(user.as_bytes()))
            || self.own_contact.as_ref() == Some(&binding.contact)
    }
}

impl SelfTest {
    fn begun(before: Vec<SeenBinding>) -> Self {
        Self {
            outcome: SelfTestOutcome::Declined,
            detail: String::new(),
            contact: None,
            during: Vec::new(),
            after: None,
            displaced: Vec::new(),
            lost: Vec::new(),
            removal: Removal::NotAttempted,
            // What lists others lists ours.
            lists_bindings: (!before.is_empty()).then_some(true),
            exchanges: Vec::new(),
            before,
        }
    }

    /// Whether a loss would have been seen: the registrar lists what is bound, and who was bound was looked for afterwards.
    fn is_seen_through(&self) -> bool {
        self.lists_bindings == Some(true) && (self.before.is_empty() || self.after.is_some())
    }

    /// Whether a Contact of our own was to be bound.
    fn was_tried(&self) -> bool {
        self.exchanges.iter().any(|seen| seen.question == Question::Register)
    }

    /// Says what came of it; `granted` is how long our own binding can last, in seconds.
    fn conclude(&mut self, stopped: bool, granted: u32) {
        let names = |bindings: &[SeenBinding]| bindings.iter().map(|binding| &*binding.contact).collect::<Vec<_>>().join(", ");
        (self.outcome, self.detail) = match (self.was_tried(), &self.contact) {
            (false, _) if stopped => (SelfTestOutcome::Interrupted, "stopped before anything was bound".to_owned()),
            (false, _) => (
                SelfTestOutcome::Declined,
                format!(
                    "not bound, because {} {} bound already; `--allow-displacement` goes on anyway",
                    names(&self.before),
                    if self.before.len() == 1 { "is" } else { "are" }
                ),
            ),
            (true, _) if !self.lost.is_empty() => (
                SelfTestOutcome::Displaced,
                format!(
                    "the registrar threw out {}, and only its owner can bring it back",
                    names(&self.lost)
                ),
            ),
            (true, _) if !self.displaced.is_empty() => (
                SelfTestOutcome::Displaced,
                format!("the registrar threw out {} for a moment", names(&self.displaced)),
            ),
            (true, _) if stopped => (SelfTestOutcome::Interrupted, "stopped half-way".to_owned()),
            (true, None) => (SelfTestOutcome::NotBound, std::mem::take(&mut self.detail)),
            (true, Some(contact)) if !self.is_seen_through() => (
                SelfTestOutcome::Unseen,
                format!("{contact} was bound; whether anybody lost a binding by it cannot be seen"),
            ),
            (true, Some(contact)) => (
                SelfTestOutcome::Harmless,
                format!("{contact} was bound, and nobody else lost anything"),
            ),
        };
        if self.removal == Removal::Unconfirmed {
            let end = format!("; our own binding may be left, and lapses by itself within {granted} s");
            self.detail.push_str(&end);
        }
    }
}

/// What an exchange listed.
fn bindings(exchange: &Exchange) -> Vec<SeenBinding> {
    let seen = exchange.report.other_bindings.iter().map(|binding| SeenBinding {
        contact: binding.contact.clone(),
        expires_s: binding.expires_s,
        instance: binding.instance.clone(),
    });
    seen.collect()
}

/// Those of `before` that are not there `now`, after this time, and did not lapse by themselves meanwhile.
fn missing(before: &[SeenBinding], now: &[SeenBinding], after: Duration) -> Vec<SeenBinding> {
    // Registrars round seconds as they like.
    let lapsed = |binding: &SeenBinding| binding.expires_s.is_some_and(|left| u64::from(left) <= after.as_secs() + 1);
    let gone = |binding: &&SeenBinding| !lapsed(binding) && !now.iter().any(|other| is_same(binding, other));
    before.iter().filter(gone).cloned().collect()
}

/// The same Contact, or the same device under another one (RFC 5626 §4.1).
fn is_same(one: &SeenBinding, other: &SeenBinding) -> bool {
    one.contact == other.contact || (one.instance.is_some() && one.instance == other.instance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(contact: &str, expires_s: u32) -> SeenBinding {
        SeenBinding {
            contact: contact.to_owned(),
            expires_s: Some(expires_s),
            instance: None,
        }
    }

    #[test]
    fn what_lapsed_by_itself_or_came_back_from_another_port_is_not_missing() {
        let device = |contact| SeenBinding {
            instance: Some("urn:uuid:a".to_owned()),
            ..binding(contact, 600)
        };
        let before = [binding("sip:a@h", 600), binding("sip:b@h", 6), device("sip:c@h:1")];
        let gone = |now: &[SeenBinding]| missing(&before, now, Duration::from_secs(5));
        assert_eq!(gone(&[device("sip:c@h:2")]), [binding("sip:a@h", 600)]);
        assert_eq!(gone(&before), []);
    }

    #[test]
    fn a_mark_makes_a_contact_an_instance_and_a_user_agent_of_its_own() {
        let account = || Account {
            aor: "sip:alice@example.test".parse().unwrap(),
            registrar: "sip:example.test".parse().unwrap(),
            outbound_proxy: None,
            transport: None,
            target: None,
            auth_user: None,
            secret: None,
            challenges: None,
            contact: ContactPlan::Automatic { user: "x".into() },
            advertise: None,
            instance: None,
            reg_id: None,
            expires: 60,
            user_agent: "".into(),
        };
        let mark = mark();
        let (one, other) = (marked(account(), &mark), marked(account(), &mark));
        assert_eq!(mark.len(), 16);
        assert_eq!(
            one.contact,
            ContactPlan::Automatic {
                user: format!("regprobe-{mark}").into()
            }
        );
        assert!(one.user_agent.ends_with(&format!(" (inbound {mark})")), "{}", one.user_agent);
        let uuid = one.instance.as_deref().unwrap().strip_prefix("urn:uuid:").unwrap().to_owned();
        assert_eq!((uuid.len(), uuid.as_bytes()[14]), (36, b'4'));
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert_ne!(one.instance, other.instance);
    }
}
