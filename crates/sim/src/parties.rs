//! An account and a registrar that fit each other, to start a test from. Set what the test is about.

use sip_digest::Secret;
use sip_registrar::Config;
use sip_registration::{Account, ContactPlan};

/// What everybody's password is.
const PASSWORD: &str = "sesame";

/// The account of `user` in the domain `example.test`, at this registrar, asking for an hour.
///
/// # Panics
/// When user or registrar cannot stand in a URI.
#[must_use]
pub fn account(user: &str, registrar: &str) -> Account {
    Account {
        aor: format!("sip:{user}@example.test").parse().expect("the test's user fits into a URI"),
        registrar: registrar.parse().expect("the test's registrar is a URI"),
        outbound_proxy: None,
        transport: None,
        target: None,
        auth_user: None,
        secret: Some(Secret::Password(PASSWORD.into())),
        challenges: None,
        contact: ContactPlan::Automatic { user: user.into() },
        advertise: None,
        instance: None,
        reg_id: None,
        expires: 3600,
        user_agent: "sim".into(),
    }
}

/// A registrar that knows everybody in [`account`].
#[must_use]
pub fn registrar() -> Config {
    Config {
        realm: "example.test".to_owned(),
        any_user: Some(Secret::Password(PASSWORD.into())),
        ..Config::default()
    }
}
