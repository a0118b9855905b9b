//! The account of every test, and short time limits.

use std::time::Duration;

use sip_digest::Secret;
use sip_net::Options;
use sip_registration::{Account, ContactPlan, Policy};

/// alice with her right password, at this Request-URI.
pub(crate) fn alice(registrar: &str) -> Account {
    Account {
        aor: "sip:alice@example.test".parse().unwrap(),
        registrar: registrar.parse().unwrap(),
        outbound_proxy: None,
        transport: None,
        target: None,
        auth_user: None,
        secret: Some(Secret::Password("secret".into())),
        challenges: None,
        contact: ContactPlan::Automatic {
            user: "alice-probe".into(),
        },
        advertise: None,
        instance: None,
        reg_id: None,
        expires: 300,
        user_agent: "sip-net test".into(),
    }
}

/// A probe that may take this long.
pub(crate) fn within(timeout: Duration) -> Options {
    Options {
        policy: Policy {
            timeout,
            ..Policy::one_shot()
        },
        ..Options::default()
    }
}
