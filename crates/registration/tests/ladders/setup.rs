//! The accounts and numbers of the scenarios. Addresses are those of RFC 5737 and RFC 3849, names those of RFC 2606.

use std::sync::Arc;

use sip_digest::Secret;
use sip_registration::{Account, ContactPlan, Policy, Transport};

/// What a scenario begins with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) account: Account,
    pub(crate) policy: Policy,
    pub(crate) seed: u8,
}

impl Setup {
    /// alice at a registrar known by its address: no look-up, UDP, one probe that does nothing by itself.
    pub(crate) fn probe() -> Self {
        Self {
            account: account("sip:192.0.2.10"),
            policy: Policy::one_shot(),
            seed: 7,
        }
    }

    /// The same, kept: refreshed and tried again by itself.
    pub(crate) fn kept() -> Self {
        Self {
            policy: Policy::default(),
            ..Self::probe()
        }
    }

    pub(crate) fn registrar(mut self, uri: &str) -> Self {
        self.account.registrar = uri.parse().unwrap();
        self
    }

    pub(crate) fn proxy(mut self, uri: &str) -> Self {
        self.account.outbound_proxy = Some(uri.parse().unwrap());
        self
    }

    pub(crate) fn transport(mut self, transport: Transport) -> Self {
        self.account.transport = Some(transport);
        self
    }

    pub(crate) fn secret(mut self, secret: Option<Secret>) -> Self {
        self.account.secret = secret;
        self
    }

    pub(crate) fn instance(mut self, reg_id: u32) -> Self {
        self.account.instance = Some(INSTANCE.into());
        self.account.reg_id = std::num::NonZeroU32::new(reg_id);
        self
    }

    pub(crate) fn follow_redirects(mut self) -> Self {
        self.policy.follow_redirects = true;
        self
    }

    pub(crate) fn account(mut self, change: impl FnOnce(&mut Account)) -> Self {
        change(&mut self.account);
        self
    }

    pub(crate) fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    pub(crate) fn shared_account(&self) -> Arc<Account> {
        Arc::new(self.account.clone())
    }
}

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const INSTANCE: &str = "urn:uuid:00000000-0000-1000-8000-000a95a0e128";

pub(crate) fn password(text: &str) -> Option<Secret> {
    Some(Secret::Password(text.to_owned().into()))
}

fn account(registrar: &str) -> Account {
    Account {
        aor: "sip:alice@example.test".parse().unwrap(),
        registrar: registrar.parse().unwrap(),
        outbound_proxy: None,
        transport: None,
        target: None,
        auth_user: None,
        secret: password(PASSWORD),
        challenges: None,
        contact: ContactPlan::Automatic { user: "alice".into() },
        advertise: None,
        instance: None,
        reg_id: None,
        expires: 3600,
        user_agent: "regprobe".into(),
    }
}
