//! Every server of a registrar by itself: what is bound at one and not at the other is a cluster that does not replicate, where calls
//! arrive by luck. Looked at once, before the sandwich, which is then taken where most is bound.

use std::collections::BTreeSet;

use sip_registration::locate::Target;
use sip_registration::{Account, Ending, Goal};

use super::look::is_refused;
use super::wire::{Exchange, Wire};
use super::{Progress, Run};
use crate::{Observation, Question, Sight};

impl<P: FnMut(Progress), F: Future<Output = ()>> Run<'_, P, F> {
    /// Asks each server that the registrar's name leads to, and keeps to the first of those that list most. What must not be asked for
    /// twice comes back, as the first fetch of the sandwich: a refusal, and the answer of an open registrar.
    pub(super) async fn survey(&mut self) -> Option<Exchange> {
        if !self.check.network.every_target || self.stop.came() {
            return None;
        }
        let wire = self.wire.as_mut()?;
        let located = wire.ask(Goal::Locate, &mut self.stop).await;
        let account = wire.account().clone();
        let targets: Vec<_> = located.attempt.targets.into_iter().map(|tried| tried.target).collect();
        if targets.len() < 2 {
            return None;
        }
        let mut best: Option<(usize, Target)> = None;
        for target in targets {
            let exchange = self.look_at(account.clone(), target.clone()).await?;
            let node = self.seen(Question::Fetch, &exchange);
            self.open |= exchange.is_open();
            if self.open || is_refused(&exchange) {
                self.observations.push(node);
                return Some(exchange);
            }
            if let Some(contacts) = contacts(&node)
                && best.as_ref().is_none_or(|(most, _)| contacts.len() > *most)
            {
                best = Some((contacts.len(), target));
            }
            self.nodes.push(node);
        }
        if let (Some((_, target)), Some(wire)) = (best, &mut self.wire) {
            wire.keep_to(target);
        }
        None
    }

    /// One fetch at one server; `None` when it was stopped.
    async fn look_at(&mut self, account: Account, target: Target) -> Option<Exchange> {
        if self.stop.came() {
            return None;
        }
        (self.progress)(Progress::Fetching);
        let target = Some(target);
        let mut wire = Wire::new(Account { target, ..account }, &self.check.network);
        let exchange = wire.ask(Goal::Fetch, &mut self.stop).await;
        wire.close().await;
        (exchange.attempt.ending != Ending::Interrupted).then_some(exchange)
    }
}

/// What the servers differ in, in words; `None` when all that list anything list the same.
pub(super) fn differences(nodes: &[Observation]) -> Option<String> {
    let lists: Vec<_> = nodes.iter().filter_map(|node| Some((node, contacts(node)?))).collect();
    let (_, first) = lists.first()?;
    if lists.iter().all(|(_, list)| list == first) {
        return None;
    }
    let each = lists.iter().map(|(node, list)| {
        let contacts: Vec<_> = list.iter().copied().collect();
        let server = node.server.as_deref().unwrap_or("?");
        format!(
            "{server} lists {}",
            if contacts.is_empty() {
                "nothing".to_owned()
            } else {
                contacts.join(", ")
            }
        )
    });
    Some(format!("the registrar's servers differ: {}", each.collect::<Vec<_>>().join("; ")))
}

fn contacts(node: &Observation) -> Option<BTreeSet<&str>> {
    match &node.sight {
        Sight::Bindings { bindings, .. } => Some(bindings.iter().map(|binding| &*binding.contact).collect()),
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
