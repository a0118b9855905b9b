//! From one reading of the file to the next: which accounts stay as they are, change, go and come. Pure.

use std::collections::btree_map::Entry as Place;
use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Difference, Entry};
use super::model::Id;

/// What a new reading of the file asks for.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The accounts of the new file in its order, each with what is to be done for it.
    pub(crate) wanted: Vec<(Change, Entry)>,
    /// The accounts that are not in it any more: their bindings are removed.
    pub(crate) gone: Vec<Id>,
}

/// What is to be done for one account of the new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It was not there before.
    Start,
    /// Nothing but its name may have changed: its binding stays, and nothing is sent.
    Stay(Id),
    /// Its binding stays the same one, and is registered anew with the new values.
    Renew(Id),
    /// What is bound changes: the old binding is removed first, then the new one is made.
    Replace(Id),
}

/// Compares what is kept with what a new reading of the file asks for. Neither holds two accounts with the same binding.
///
/// An account is the same one when it makes the same binding; among the others, when it has the same name.
pub(crate) fn reconcile(kept: &[(Id, Entry)], wanted: Vec<Entry>) -> Changes {
    let mut bindings: BTreeMap<_, _> = kept.iter().map(|(id, entry)| (entry.binding(), (*id, entry))).collect();
    let same: Vec<Option<(Id, &Entry)>> = wanted.iter().map(|entry| bindings.remove(&entry.binding())).collect();
    let unmatched: Vec<(Id, &Entry)> = bindings.into_values().collect();
    let with_names = unmatched.iter().filter_map(|(id, entry)| Some((entry.name.as_deref()?, *id)));
    let mut names: BTreeMap<&str, Id> = with_names.collect();
    let mut changes = Changes::default();
    for (entry, same) in wanted.into_iter().zip(same) {
        let mut renamed = || entry.name.as_deref().and_then(|name| names.remove(name));
        let change = match same {
            Some((id, old)) => changed(id, old.difference(&entry)),
            None => renamed().map_or(Change::Start, Change::Replace),
        };
        changes.wanted.push((change, entry));
    }
    let mut gone: BTreeSet<Id> = unmatched.iter().map(|(id, _)| *id).collect();
    for (change, _) in &changes.wanted {
        if let Change::Replace(id) = change {
            gone.remove(id);
        }
    }
    changes.gone = gone.into_iter().collect();
    changes
}

const fn changed(id: Id, difference: Difference) -> Change {
    match difference {
        Difference::Nothing => Change::Stay(id),
        Difference::Values => Change::Renew(id),
        Difference::Way => Change::Replace(id),
    }
}

/// The accounts that make the binding of an earlier one, in words that name both lines; the later one goes first.
pub(crate) fn duplicates(entries: &[Entry]) -> Vec<String> {
    let mut first = BTreeMap::new();
    let mut found = Vec::new();
    for entry in entries {
        match first.entry(entry.binding()) {
            Place::Vacant(free) => {
                free.insert(entry.line);
            }
            Place::Occupied(taken) => found.push(format!(
                "{}: {} is already on line {}, with the same registrar and Contact; leave one of the two out",
                entry.line,
                entry.title(),
                taken.get(),
            )),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::samples::{entry, named, with};

    fn kept(entries: &[&Entry]) -> Vec<(Id, Entry)> {
        (0..).map(Id::new).zip(entries.iter().copied().cloned()).collect()
    }

    fn changes(old: &[&Entry], new: &[&Entry]) -> (Vec<Change>, Vec<Id>) {
        let changes = reconcile(&kept(old), new.iter().copied().cloned().collect());
        (changes.wanted.into_iter().map(|(change, _)| change).collect(), changes.gone)
    }

    const ALICE: &str = "sip:alice@example.test";
    const BOB: &str = "sip:bob@example.test";

    #[test]
    fn the_same_file_in_another_order_changes_nothing() {
        let (alice, bob) = (entry(1, ALICE), entry(2, BOB));
        let (changes, gone) = changes(&[&alice, &bob], &[&bob, &alice]);
        assert_eq!(changes, [Change::Stay(Id::new(1)), Change::Stay(Id::new(0))]);
        assert!(gone.is_empty());
    }

    #[test]
    fn accounts_come_and_go() {
        let (alice, bob) = (entry(1, ALICE), entry(2, BOB));
        assert_eq!(changes(&[], &[&alice]), (vec![Change::Start], vec![]));
        assert_eq!(
            changes(&[&alice, &bob], &[&bob]),
            (vec![Change::Stay(Id::new(1))], vec![Id::new(0)])
        );
        assert_eq!(changes(&[&alice, &bob], &[]), (vec![], vec![Id::new(0), Id::new(1)]));
    }

    #[test]
    fn new_values_keep_the_binding_and_a_new_way_replaces_it() {
        let alice = entry(1, ALICE);
        let briefer = with(&alice, |account| account.expires = 60);
        let elsewhere = with(&alice, |account| account.outbound_proxy = Some("sip:edge".parse().unwrap()));
        assert_eq!(changes(&[&alice], &[&briefer]), (vec![Change::Renew(Id::new(0))], vec![]));
        assert_eq!(changes(&[&alice], &[&elsewhere]), (vec![Change::Replace(Id::new(0))], vec![]));
    }

    #[test]
    fn another_aor_under_the_same_name_replaces_and_a_new_name_alone_does_nothing() {
        let desk = named(1, "desk", ALICE);
        assert_eq!(
            changes(&[&desk], &[&named(1, "desk", BOB)]),
            (vec![Change::Replace(Id::new(0))], vec![])
        );
        assert_eq!(
            changes(&[&desk], &[&named(1, "door", ALICE)]),
            (vec![Change::Stay(Id::new(0))], vec![])
        );
        // Without a name it is another account.
        assert_eq!(
            changes(&[&entry(1, ALICE)], &[&entry(1, BOB)]),
            (vec![Change::Start], vec![Id::new(0)])
        );
        // The binding decides before the name does.
        assert_eq!(
            changes(&[&desk, &named(2, "door", BOB)], &[&named(1, "desk", BOB)]),
            (vec![Change::Stay(Id::new(1))], vec![Id::new(0)])
        );
    }

    /// Every list that can be made of these accounts.
    fn lists(of: &[Entry]) -> Vec<Vec<Entry>> {
        let all = (0..1_u32 << of.len()).map(|chosen| {
            let chosen = of.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1);
            chosen.map(|(_, entry)| entry.clone()).collect::<Vec<_>>()
        });
        all.filter(|list| duplicates(list).is_empty()).collect()
    }

    #[test]
    fn whatever_the_lists_each_account_is_dealt_with_once_and_nothing_is_touched_without_need() {
        let alice = named(1, "alice", ALICE);
        let elsewhere = with(&named(2, "alice", ALICE), |account| {
            account.transport = Some(sip_registration::Transport::Tcp)
        });
        let later = with(&entry(3, ALICE), |account| account.expires = 60);
        let lists = lists(&[
            alice,
            elsewhere,
            later,
            named(4, "alice", BOB),
            entry(5, BOB),
            named(6, "carol", "sip:carol@h"),
            entry(7, "sip:d@h"),
        ]);
        for (old, new) in lists.iter().flat_map(|old| lists.iter().map(move |new| (old, new))) {
            let old: Vec<(Id, Entry)> = (0..).map(Id::new).zip(old.iter().cloned()).collect();
            let changes = reconcile(&old, new.clone());
            let lines: Vec<u64> = changes.wanted.iter().map(|(_, entry)| entry.line).collect();
            assert_eq!(lines, new.iter().map(|entry| entry.line).collect::<Vec<_>>());
            let mut touched = changes.gone.clone();
            for (change, entry) in &changes.wanted {
                let id = match change {
                    Change::Start => continue,
                    Change::Stay(id) | Change::Renew(id) | Change::Replace(id) => *id,
                };
                touched.push(id);
                let (_, before) = old.iter().find(|(each, _)| *each == id).unwrap();
                let is_same = before.binding() == entry.binding();
                let expected = match before.difference(entry) {
                    Difference::Nothing if is_same => Change::Stay(id),
                    Difference::Values if is_same => Change::Renew(id),
                    Difference::Nothing | Difference::Values | Difference::Way => Change::Replace(id),
                };
                assert_eq!(*change, expected, "{before:?} {entry:?}");
            }
            touched.sort_unstable();
            assert_eq!(touched, old.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_duplicate_names_both_lines() {
        let list = [entry(3, ALICE), entry(7, BOB), named(9, "again", "sip:alice@EXAMPLE.test")];
        let found = duplicates(&list);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("9: again is already on line 3"), "{found:?}");
        assert!(duplicates(&list[..2]).is_empty());
    }
}
