//! Finding the targets of an exchange: what DNS is asked, and what is made of its answers. The plan itself is [`crate::locate`]'s.

use sip_message::OwnedUri;

use super::{Cause, Cx, Ending, Exchange, Goal, Known, Party, Step};
use crate::attempt::{Happening, TargetOutcome, TriedTarget};
use crate::locate::{Locate, LocateError, Target, TargetSource, Wish};
use crate::{DnsError, QueryId, Records, Transport};

/// What is wrong with targets of which none is reached by TLS.
const NOTHING_SECURE: &str = "the registrar was reached by TLS before, and no address with TLS is named any more";

impl Exchange {
    /// DNS answered one of our questions.
    pub(crate) fn handle_answer(
        &mut self,
        cx: &mut Cx<'_>,
        party: &mut Party<'_>,
        query: QueryId,
        token: u32,
        answer: Result<Records, DnsError>,
    ) -> Option<Ending> {
        match &mut self.step {
            Step::Locating { locate, first_query, .. } if query >= *first_query => locate.handle_answer(token, answer, cx.rng),
            Step::Locating { .. } | Step::Opening { .. } | Step::Waiting { .. } => return None,
        }
        self.go_on_locating(cx, party)
    }

    pub(super) fn go_on_locating(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>) -> Option<Ending> {
        let Step::Locating { locate, since, .. } = &mut self.step else {
            return None;
        };
        while let Some((token, question)) = locate.poll_question() {
            let _ = self.attempt.phases.dns.get_or_insert_default();
            cx.out.query(cx.key, token, question);
        }
        let outcome = locate.outcome()?.map(<[Target]>::to_vec);
        if let Some(dns) = &mut self.attempt.phases.dns {
            *dns += cx.now.saturating_duration_since(*since);
        }
        match outcome {
            Ok(mut targets) => {
                if self.redirected {
                    targets.iter_mut().for_each(|target| target.source = TargetSource::Redirect);
                }
                self.note_targets(cx, &targets);
                self.use_targets(cx, party, targets)
            }
            Err(error) => Some(self.fail_to_locate(cx, &error)),
        }
    }

    fn note_targets(&mut self, cx: &Cx<'_>, targets: &[Target]) {
        if self.attempt.phases.dns.is_some() {
            let all = targets.iter().map(|target| (target.endpoint.transport, target.endpoint.remote));
            self.attempt.step(cx.now, Happening::LookedUp(all.collect()));
        }
    }

    fn fail_to_locate(&mut self, cx: &Cx<'_>, error: &LocateError) -> Ending {
        let cause = match error {
            LocateError::NotFound { .. } | LocateError::Refused { .. } => Cause::DnsNotFound,
            LocateError::Failed { .. } => Cause::DnsFailed,
        };
        self.attempt.words = error.to_string();
        self.attempt.step(cx.now, Happening::NotLocated(error.to_string().into()));
        Ending::Failed(cause)
    }

    pub(super) fn use_targets(
        &mut self,
        cx: &mut Cx<'_>,
        party: &mut Party<'_>,
        targets: impl IntoIterator<Item = Target>,
    ) -> Option<Ending> {
        // DNS may name another transport today. Credentials that went by TLS, and calls to a binding made so, go by nothing less.
        let secured = self.goal != Goal::Locate && party.dialog.known.as_deref().is_some_and(Known::is_secured);
        let may_be_used = |target: &Target| !secured || target.endpoint.transport == Transport::Tls;
        let tried = targets.into_iter().filter(may_be_used).map(|target| TriedTarget {
            target,
            outcome: TargetOutcome::NotTried,
        });
        let before = self.attempt.targets.len();
        self.attempt.targets.extend(tried);
        if self.goal == Goal::Locate {
            return Some(Ending::Succeeded);
        }
        if secured && self.attempt.targets.len() == before {
            NOTHING_SECURE.clone_into(&mut self.attempt.words);
            self.attempt.step(cx.now, Happening::NotLocated(NOTHING_SECURE.into()));
            return Some(Ending::Failed(Cause::DnsNotFound));
        }
        self.open(cx, party)
    }
}

impl Step {
    /// A search for the targets of `next_hop`.
    pub(super) fn locate(cx: &Cx<'_>, next_hop: &OwnedUri, transport: Option<Transport>) -> Self {
        Self::Locating {
            locate: Box::new(Locate::new(&Wish {
                next_hop: next_hop.parts(),
                transport,
                families: cx.policy.families,
                overrides: &cx.policy.overrides,
            })),
            since: cx.now,
            first_query: cx.out.next_query(),
        }
    }
}
