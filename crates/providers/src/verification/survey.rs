//! Every server of a registrar by itself: what is bound at one and not at the other is a cluster that does not replicate, where calls
//! arrive by luck. Looked at once: when that was asked for before the sandwich, which is then taken where most is bound; else before a
//! binding is called missing, so that no claim is false for being looked at in the wrong place.

use std::collections::BTreeSet;

use sip_registration::locate::Target;
use sip_registration::{Account, Ending, Goal};

use super::look::is_refused;
use super::wire::{Exchange, Wire};
use super::{Progress, Run};
use crate::verdict::shows_the_expected;
use crate::{Moment, Observation, Question, Reason, Sight};

impl<P: FnMut(Progress), F: Future<Output = ()>> Run<'_, P, F> {
    /// Asks each server that the registrar's name leads to, when the user wants that, and keeps to the first of those that list most.
    /// What must not be asked for twice comes back, as the first fetch of the sandwich: a refusal, and the answer of an open registrar.
    pub(super) async fn survey(&mut self) -> Option<Exchange> {
        if !self.check.network.every_target || self.stop.came() {
            return None;
        }
        let located = self.wire.as_mut()?.ask(Goal::Locate, &mut self.stop).await;
        self.servers = servers(&located);
        if let Some(exchange) = self.ask_each().await {
            // Not a server beside the others, but the one that is looked at.
            self.observations.extend(self.nodes.pop());
            return Some(exchange);
        }
        let listed = |at: &usize| self.nodes.get(*at).and_then(contacts).map(|contacts| contacts.len());
        let listing = (0..self.nodes.len()).filter(|at| listed(at).is_some());
        self.keep_to(listing.rev().max_by_key(listed));
        None
    }

    /// Before the provider's binding is called missing: asks each of several servers by itself, unless that was done, and keeps to one
    /// that shows the binding.
    pub(super) async fn look_elsewhere(&mut self) {
        let found = self.judge(Moment::now()).contradiction.map(|found| found.reason);
        if !matches!(found, Some(Reason::FalsePositiveUnbound | Reason::Displaced)) {
            return;
        }
        if self.nodes.is_empty() {
            self.ask_each().await;
        }
        let shows = |node: &Observation| shows_the_expected(&self.claim, node, &self.expectation);
        self.keep_to(self.nodes.iter().position(shows));
    }

    /// Asks the servers one after the other, if there are several. What must not be asked for at the next one comes back.
    async fn ask_each(&mut self) -> Option<Exchange> {
        if self.servers.len() < 2 {
            return None;
        }
        for target in self.servers.clone() {
            let exchange = self.look_at(target).await?;
            let node = self.seen(Question::Fetch, &exchange);
            self.nodes.push(node);
            self.open |= exchange.is_open();
            if self.open || is_refused(&exchange) {
                return Some(exchange);
            }
        }
        None
    }

    fn keep_to(&mut self, server: Option<usize>) {
        let target = server.and_then(|at| self.servers.get(at));
        if let (Some(target), Some(wire)) = (target, &mut self.wire) {
            wire.keep_to(target.clone());
        }
    }

    /// One fetch at one server; `None` when it was stopped.
    async fn look_at(&mut self, target: Target) -> Option<Exchange> {
        let account = self.wire.as_ref().filter(|_| !self.stop.came())?.account().clone();
        (self.progress)(Progress::Fetching);
        let target = Some(target.into());
        let mut wire = Wire::new(Account { target, ..account }, &self.check.network);
        let exchange = wire.ask(Goal::Fetch, &mut self.stop).await;
        wire.close().await;
        (exchange.attempt.ending != Ending::Interrupted).then_some(exchange)
    }
}

/// Where the registrar's name leads.
pub(super) fn servers(exchange: &Exchange) -> Vec<Target> {
    exchange.attempt.targets.iter().map(|tried| tried.target.clone()).collect()
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
