//! One account that is to be kept registered, and when two of them are the same or differ. Values only.

use std::sync::Arc;

use sip_digest::Secret;
use sip_registration::{Account, ContactPlan};

use crate::identity;
use crate::output::text::safe;

/// One account of the file.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The line of the file that it begins on.
    pub(crate) line: u64,
    /// Its name in the file, if it has one; safe to print.
    pub(crate) name: Option<String>,
    /// What to register.
    pub(crate) account: Arc<Account>,
}

/// What makes a binding one and the same at its registrar: two accounts that share it would overwrite each other.
///
/// RFC 3261 §10.3 knows bindings of an AOR by their Contact, RFC 5626 §6 by instance and reg-id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BindingKey(String);

/// How an account of a new file differs from that of the old one with the same binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    /// In nothing that a registrar sees or that we act on.
    Nothing,
    /// In what a refresh carries: credentials, the time to ask for, the product's name.
    Values,
    /// In the way to the registrar, on which what is bound depends.
    Way,
}

impl Entry {
    /// What people call it: its name, or else its AOR.
    pub(crate) fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| safe(self.account.aor.as_str()))
    }

    /// Which binding it makes.
    pub(crate) fn binding(&self) -> BindingKey {
        let account = &self.account;
        let contact = match &account.contact {
            ContactPlan::Automatic { user } => format!("automatic {user}"),
            ContactPlan::Fixed(uri) => format!("fixed {uri}"),
        };
        let reg_id = account.reg_id.map(|id| id.to_string()).unwrap_or_default();
        BindingKey(format!(
            "{}\n{}\n{contact}\n{}\n{reg_id}",
            identity::canonical(&account.aor),
            account.registrar.as_str().to_ascii_lowercase(),
            account.instance.as_deref().unwrap_or_default(),
        ))
    }

    /// How `new` differs, which makes the same binding.
    pub(crate) fn difference(&self, new: &Self) -> Difference {
        let (old, new) = (&self.account, &new.account);
        let same_way = old.outbound_proxy == new.outbound_proxy
            && old.transport == new.transport
            && old.target == new.target
            && old.advertise == new.advertise;
        let same_values = old.auth_user == new.auth_user
            && same_secret(old.secret.as_ref(), new.secret.as_ref())
            && old.challenges == new.challenges
            && old.expires == new.expires
            && old.user_agent == new.user_agent;
        match (same_way, same_values) {
            (false, _) => Difference::Way,
            (true, false) => Difference::Values,
            (true, true) => Difference::Nothing,
        }
    }
}

fn same_secret(old: Option<&Secret>, new: Option<&Secret>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => old.is_same(new),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::samples::{entry, with};

    #[test]
    fn the_same_binding_is_known_whatever_else_differs() {
        let alice = entry(1, "sip:alice@example.test");
        for same in [
            with(&alice, |account| account.expires = 60),
            with(&alice, |account| account.secret = Some(Secret::Password("x".into()))),
            entry(9, "sip:alice@EXAMPLE.test"),
        ] {
            assert_eq!(alice.binding(), same.binding(), "{same:?}");
        }
        for other in [
            entry(1, "sip:bob@example.test"),
            with(&alice, |account| account.registrar = "sip:other.test".parse().unwrap()),
            with(&alice, |account| {
                account.contact = ContactPlan::Fixed("sip:alice@192.0.2.7".parse().unwrap());
            }),
            with(&alice, |account| account.instance = Some("urn:uuid:1".into())),
            with(&alice, |account| account.reg_id = Some(std::num::NonZeroU32::MIN)),
        ] {
            assert_ne!(alice.binding(), other.binding(), "{other:?}");
        }
    }

    #[test]
    fn what_differs_decides_whether_the_binding_can_stay() {
        let alice = entry(1, "sip:alice@example.test");
        let difference = |change: fn(&mut Account)| alice.difference(&with(&alice, change));
        assert_eq!(difference(|_| {}), Difference::Nothing);
        assert_eq!(difference(|account| account.expires = 60), Difference::Values);
        assert_eq!(
            difference(|account| account.secret = Some(Secret::Password("x".into()))),
            Difference::Values
        );
        assert_eq!(
            difference(|account| account.transport = Some(sip_registration::Transport::Tcp)),
            Difference::Way
        );
        assert_eq!(
            difference(|account| account.outbound_proxy = Some("sip:edge".parse().unwrap())),
            Difference::Way
        );
    }
}
