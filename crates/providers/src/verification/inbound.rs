//! Is the Contact reachable: OPTIONS to the AOR, through the registrar, from another port than the one that is bound. An answer proves
//! that somebody is there; that it came to us is seen at our own Contact, or by our own mark in the answer.

use sip_registration::{Account, ContactPlan, Ending, Goal};

use super::report::{InboundOutcome, InboundTest};
use super::{Progress, Run, resolve};
use crate::{Observation, Question, Sight};

impl<P: FnMut(Progress), F: Future<Output = ()>> Run<'_, P, F> {
    /// While our own Contact is bound.
    pub(super) async fn try_our_contact(&mut self) {
        self.try_inbound().await;
    }

    /// With the user's word that whoever is bound may be asked. Not when the registrar does not even answer a fetch.
    pub(super) async fn try_whoever_is_bound(&mut self) {
        let answers = |seen: &Observation| matches!(seen.sight, Sight::Bindings { .. });
        if !self.open && self.observations.iter().any(answers) {
            self.try_inbound().await;
        }
    }

    async fn try_inbound(&mut self) {
        let Some(wire) = self.wire.as_mut().filter(|_| !self.stop.came()) else {
            return;
        };
        (self.progress)(Progress::Inbound);
        let caller = caller(wire.account());
        let mut beside = wire.beside(caller);
        let (exchange, heard) = wire.listening(beside.ask(Goal::Ping, &mut self.stop)).await;
        beside.close().await;
        if exchange.attempt.ending == Ending::Interrupted {
            return;
        }
        let registrar = self.observations.iter().rev().find_map(|seen| seen.product.clone());
        let seen = self.seen(Question::Inbound, &exchange);
        let arrived = heard.contains(&exchange.attempt.call_id.to_string()) || bears(&seen, &self.mark);
        let (test, seen) = judge(seen, arrived, registrar.as_deref());
        self.observations.extend(seen);
        self.inbound = Some(test);
    }
}

/// Who asks: the same user, at a Contact that is not bound.
fn caller(account: &Account) -> Account {
    Account {
        registrar: account.aor.clone(),
        contact: ContactPlan::Automatic { user: "regprobe".into() },
        instance: None,
        user_agent: resolve::USER_AGENT.into(),
        ..account.clone()
    }
}

/// True when the answer bears our own mark: a server between that makes a request of its own gives it another Call-ID, and may pass
/// the answer on all the same.
fn bears(seen: &Observation, mark: &str) -> bool {
    !mark.is_empty() && seen.product.as_ref().is_some_and(|product| product.contains(mark))
}

/// What came of it, and what the verdict can use of it: nothing, when it says nothing about who is bound.
fn judge(seen: Observation, arrived: bool, registrar: Option<&str>) -> (InboundTest, Option<Observation>) {
    let (code, words) = match &seen.sight {
        Sight::NotReached { code, detail } => (*code, detail.as_str()),
        Sight::Reached { code, .. } => (*code, ""),
        Sight::Bindings { .. }
        | Sight::Challenged { .. }
        | Sight::Refused { .. }
        | Sight::Rejected { .. }
        | Sight::ServerError { .. }
        | Sight::Silent { .. }
        | Sight::Alive { .. } => (None, ""),
    };
    let product = seen.product.clone().filter(|_| code.is_some());
    let outcome = match code {
        _ if arrived => InboundOutcome::Arrived,
        Some(200..=299) if product.is_some() && product.as_deref() == registrar => InboundOutcome::AnsweredByRegistrar,
        Some(404 | 408 | 410 | 430 | 480 | 503) | None => InboundOutcome::NotReached,
        Some(_) if matches!(seen.sight, Sight::Reached { .. }) => InboundOutcome::Answered,
        Some(_) => InboundOutcome::Refused,
    };
    let with = code.map_or_else(|| "no answer".to_owned(), |code| code.to_string());
    let detail = match outcome {
        InboundOutcome::Arrived => format!("OPTIONS to the AOR arrived at our own Contact and was answered with {with}"),
        InboundOutcome::Answered => format!("somebody at the AOR answered OPTIONS with {with}"),
        InboundOutcome::AnsweredByRegistrar => format!("the registrar answered OPTIONS to the AOR with {with} by itself"),
        InboundOutcome::Refused => format!("the registrar does not pass OPTIONS on: {with}"),
        InboundOutcome::NotReached => format!("OPTIONS to the AOR reached nobody: {with}; {words}"),
    };
    let usable = match outcome {
        InboundOutcome::Arrived => Some(seen.arrived()),
        InboundOutcome::Answered | InboundOutcome::NotReached => Some(seen),
        InboundOutcome::AnsweredByRegistrar | InboundOutcome::Refused => None,
    };
    let test = InboundTest {
        outcome,
        detail,
        code,
        product,
    };
    (test, usable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;

    fn seen(code: Option<u16>, product: &str) -> Observation {
        let sight = match code {
            Some(200..=299 | 486 | 603) => Sight::Reached {
                code,
                at_our_contact: false,
            },
            code => Sight::NotReached {
                code,
                detail: "why".to_owned(),
            },
        };
        let at = Moment::from_unix(0).unwrap();
        Observation {
            started_at: at,
            ended_at: at,
            question: Question::Inbound,
            vantage: None,
            server: None,
            product: Some(product.to_owned()),
            own_contact: None,
            sight,
        }
    }

    #[test]
    fn an_answer_says_who_was_reached() {
        for (code, product, arrived, outcome) in [
            (Some(200), "phone", false, InboundOutcome::Answered),
            (Some(486), "pbx", false, InboundOutcome::Answered),
            (Some(200), "pbx", false, InboundOutcome::AnsweredByRegistrar),
            (Some(200), "pbx", true, InboundOutcome::Arrived),
            (Some(404), "phone", true, InboundOutcome::Arrived),
            (None, "pbx", true, InboundOutcome::Arrived),
            (Some(404), "pbx", false, InboundOutcome::NotReached),
            (Some(480), "pbx", false, InboundOutcome::NotReached),
            (None, "pbx", false, InboundOutcome::NotReached),
            (Some(403), "pbx", false, InboundOutcome::Refused),
            (Some(405), "pbx", false, InboundOutcome::Refused),
            (Some(407), "pbx", false, InboundOutcome::Refused),
        ] {
            let (test, usable) = judge(seen(code, product), arrived, Some("pbx"));
            assert_eq!(test.outcome, outcome, "{code:?} {product}");
            assert_eq!((test.code, test.product.is_some()), (code, code.is_some()));
            let reached = usable.as_ref().map(|seen| matches!(seen.sight, Sight::Reached { .. }));
            let expected = match outcome {
                InboundOutcome::Arrived | InboundOutcome::Answered => Some(true),
                InboundOutcome::NotReached => Some(false),
                InboundOutcome::AnsweredByRegistrar | InboundOutcome::Refused => None,
            };
            assert_eq!(reached, expected, "{code:?} {product}");
        }
    }

    #[test]
    fn our_mark_is_known_wherever_it_comes_back() {
        assert!(bears(&seen(Some(200), "regprobe/0.1.0 (inbound 00ff)"), "00ff"));
        assert!(!bears(&seen(Some(200), "phone"), "00ff"));
        assert!(!bears(&seen(Some(200), "phone"), ""));
    }
}
