//! Every server of a registrar by itself: what is bound at one and not at the other is a cluster that does not replicate, where calls
//! arrive by luck. Looked at once, before the sandwich, which is then taken where most is bound.

use std::collections::BTreeSet;

use sip_registration::locate::Target;
use sip_registration::{Account, Ending, Goal};

use super::look::is_refused;
use super::wire::Wire;
use super::{Progress, Run};
use crate::{Observation, Question, Sight};

impl<P: FnMut(Progress), F: Future<Output = ()>> Run<'_, P, F> {
    /// Asks each server that the registrar's name leads to, and keeps to the first of those that list most.
    pub(super) async fn survey(&mut self) {
        if !self.check.network.every_target || self.stop.came() {
            return;
        }
        let Some(wire) = &mut self.wire else { return };
        let located = wire.ask(Goal::Locate, &mut self.stop).await;
        let account = wire.account().clone();
        let targets: Vec<_> = located.attempt.targets.into_iter().map(|tried| tried.target).collect();
        if targets.len() < 2 {
            return;
        }
        let mut best: Option<(usize, Target)> = None;
        for target in targets {
            let Some(node) = self.look_at(account.clone(), target.clone()).await else {
                return;
            };
            if self.open {
                // Who asks nobody for credentials is not asked again, by whatever address.
                self.observations.push(node);
                return;
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
    }

    /// One fetch at one server; `None` when there are to be no more.
    async fn look_at(&mut self, account: Account, target: Target) -> Option<Observation> {
        if self.stop.came() {
            return None;
        }
        (self.progress)(Progress::Fetching);
        let target = Some(target);
        let mut wire = Wire::new(Account { target, ..account }, &self.check.network);
        let exchange = wire.ask(Goal::Fetch, &mut self.stop).await;
        wire.close().await;
        self.open |= exchange.is_open();
        // One refusal says it: a cluster has one list of passwords, and locks out who knocks too often.
        let goes_on = exchange.attempt.ending != Ending::Interrupted && !is_refused(&exchange);
        let node = self.seen(Question::Fetch, &exchange);
        goes_on.then_some(node)
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
