//! One look: fetch, API, fetch. Besides, what is asked once: what other sources of the same provider say, and whether a registrar that
//! says nothing to us is there at all.

use std::time::Duration;

use sip_registration::{Cause, Ending, Goal};

use super::survey::servers;
use super::wire::Exchange;
use super::{Progress, Run};
use crate::{Moment, Question};

impl<P: FnMut(Progress), F: Future<Output = ()>> Run<'_, P, F> {
    /// Takes one sandwich.
    pub(super) async fn look(&mut self) {
        let mut first = None;
        if self.looks == 0 {
            if self.ask_others {
                self.corroborate().await;
            }
            first = self.survey().await;
        }
        self.looks += 1;
        if first.is_none() {
            first = self.fetch().await;
        }
        let is_claimed = self.refusal.is_none();
        self.ask_api().await;
        let last = match first {
            // A refusal is not provoked twice in one look: registrars lock out who knocks too often. And without a claim there is
            // nothing to look around.
            Some(first) if is_claimed && !is_refused(&first) => self.fetch().await,
            first => first,
        };
        if last.as_ref().is_some_and(wants_ping) && !self.observations.iter().any(|seen| seen.question == Question::Ping) {
            self.ping().await;
        }
    }

    /// The time to wait before the next look; `None` when there is to be none.
    pub(super) fn wait_for(&mut self) -> Option<Duration> {
        let now = Moment::now();
        let found = self.judge(now).contradiction?;
        let spoilt = self.self_test.as_ref().is_some_and(|test| !test.lost.is_empty());
        if self.looks >= self.check.looks || self.open || spoilt || self.stop.came() {
            return None;
        }
        let grace = found.wait(now);
        (self.progress)(Progress::Waiting {
            found: found.reason,
            grace,
        });
        Some(grace)
    }

    /// Waits; `None` when the user does not want to.
    pub(super) async fn idle(&mut self, time: Duration) -> Option<()> {
        // Time itself is what is waited for: a provider may take this long until its API shows what its registrar knows. A second look
        // before it would prove nothing, and nothing tells when it is over.
        let sleeping = tokio::time::sleep(time);
        match &mut self.wire {
            Some(wire) => self.stop.unless(wire.meanwhile(sleeping)).await,
            None => self.stop.unless(sleeping).await,
        }
    }

    /// Which bindings are there. `None` without a registrar, and when it was stopped.
    async fn fetch(&mut self) -> Option<Exchange> {
        let exchange = self.ask(Goal::Fetch, Progress::Fetching).await?;
        if self.servers.is_empty() {
            self.servers = servers(&exchange);
        }
        self.open |= exchange.is_open();
        self.keep(Question::Fetch, &exchange);
        Some(exchange)
    }

    async fn ping(&mut self) {
        if let Some(exchange) = self.ask(Goal::Ping, Progress::Pinging).await {
            self.keep(Question::Ping, &exchange);
        }
    }

    /// An exchange that came to its end. An open registrar is not asked.
    pub(super) async fn ask(&mut self, goal: Goal, progress: Progress) -> Option<Exchange> {
        let wire = self.wire.as_mut().filter(|_| !self.open && !self.stop.came())?;
        (self.progress)(progress);
        let exchange = wire.ask(goal, &mut self.stop).await;
        (exchange.attempt.ending != Ending::Interrupted).then_some(exchange)
    }

    /// A key that was refused once is not sent again, and an API that is down is not waited for again.
    async fn ask_api(&mut self) {
        if self.stop.came() {
            return;
        }
        if let Some(refusal) = self.refusal.take() {
            self.claim.answers.push(refusal);
            return;
        }
        (self.progress)(Progress::Asking(self.check.source.kind()));
        let asking = self.check.source.answer();
        let answer = match &mut self.wire {
            Some(wire) => self.stop.unless(wire.meanwhile(asking)).await,
            None => self.stop.unless(asking).await,
        };
        self.claim.answers.extend(answer);
    }

    async fn corroborate(&mut self) {
        let asking = self.check.source.corroborate();
        let answers = match &mut self.wire {
            Some(wire) => self.stop.unless(wire.meanwhile(asking)).await,
            None => self.stop.unless(asking).await,
        };
        self.claim.answers.extend(answers.into_iter().flatten());
    }
}

/// Credentials were sent and not taken.
pub(super) fn is_refused(exchange: &Exchange) -> bool {
    let refused = [Cause::WrongCredentials, Cause::RejectedWithoutChallenge, Cause::Forbidden];
    exchange.attempt.auth.credentials_sent && exchange.attempt.ending.cause().is_some_and(|cause| refused.contains(&cause))
}

/// Nothing was said, or only that we may not: is it the registrar, or is it us?
fn wants_ping(exchange: &Exchange) -> bool {
    exchange.attempt.ending.cause() == Some(Cause::Forbidden)
        || (exchange.attempt.ending.cause().is_some() && exchange.attempt.last_reply.is_none())
}
