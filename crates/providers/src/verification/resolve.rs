//! From what the API says and what the user says to the account that is probed, and to what is expected of it. Pure.

use sip_message::OwnedUri;
use sip_registration::locate::{Locate, LocateError, Wish};
use sip_registration::{Account, ContactPlan, Policy, Transport};

use super::check::{Check, CheckError, Inbound, Mode, Needed};
use crate::{Expectation, Settings, registrar_at, text};

/// What is checked before anybody is asked.
///
/// # Errors
/// [`CheckError::NothingOfOurs`].
pub(super) fn consented(check: &Check) -> Result<(), CheckError> {
    match (check.mode, check.inbound) {
        (Mode::Fetch, Some(Inbound::OurContact)) => Err(CheckError::NothingOfOurs),
        (Mode::Fetch, None | Some(Inbound::WhoeverIsBound)) | (Mode::Register { .. }, _) => Ok(()),
    }
}

/// The account to probe. The user's word goes before the API's.
///
/// # Errors
/// [`CheckError`] when neither says enough, or when no DNS could make good what is said.
pub(super) fn account(check: &Check, settings: &Settings) -> Result<Account, CheckError> {
    let given = &check.given;
    let missing = CheckError::Missing {
        needed: Needed::Aor,
        asked: check.source.kind(),
    };
    let aor = given.aor.clone().or_else(|| settings.aor.clone()).ok_or(missing)?;
    // Who names another registrar knows the way to it.
    let is_named = |named: &OwnedUri| {
        settings
            .registrar
            .as_ref()
            .is_some_and(|ours| named.parts().equivalent(&ours.parts()))
    };
    let proxy = settings
        .outbound_proxy
        .clone()
        .filter(|_| given.registrar.as_ref().is_none_or(is_named));
    let registrar = given.registrar.clone().or_else(|| settings.registrar.clone());
    let account = Account {
        registrar: registrar.unwrap_or_else(|| registrar_at(&aor)),
        outbound_proxy: given.outbound_proxy.clone().or(proxy),
        transport: transport(check, settings),
        target: None,
        auth_user: given.auth_user.as_deref().or(settings.auth_user.as_deref()).map(Into::into),
        secret: given.secret.clone(),
        challenges: given.challenges.clone(),
        contact: ContactPlan::Automatic { user: "regprobe".into() },
        advertise: given.advertise.clone(),
        instance: None,
        reg_id: None,
        expires: LIFETIME,
        user_agent: USER_AGENT.into(),
        aor,
    };
    let account = secured(account)?;
    reachable(check, account)
}

/// A word on two domains: a registrar of many may keep the user of the one apart from that of the other, and not every one does.
pub(super) fn other_domain(account: &Account, settings: &Settings) -> Option<String> {
    let registered = settings.aor.as_ref()?;
    let domain = |aor: &OwnedUri| aor.parts().host.to_string().to_ascii_lowercase();
    (domain(registered) != domain(&account.aor)).then(|| {
        let (looked_at, registered) = (text::field(account.aor.as_str()), text::field(registered.as_str()));
        format!("the probe looked at {looked_at}, and what is registered is {registered}: at some registrars these are two accounts")
    })
}

/// What the claim is held to.
pub(super) fn expectation(check: &Check, account: &Account, settings: &Settings) -> Expectation {
    let registered = settings.aor.as_ref().and_then(user_of);
    // Who is asked for by the name for digest is not taken for somebody else.
    let for_digest = settings.auth_user.as_deref().map(text::field).filter(|_| registered.is_some());
    Expectation {
        user: user_of(&account.aor),
        registered_users: registered.into_iter().chain(for_digest).collect(),
        contact: check.contact.clone(),
        listing: check.listing,
        same_secret: check.same_secret,
        grace: check.grace.unwrap_or_else(|| check.source.kind().grace()),
        previous: check.previous,
        ..Expectation::of(check.source.kind())
    }
}

/// The user part, escaped.
fn user_of(aor: &OwnedUri) -> Option<String> {
    aor.parts().user.map(|user| text::field(&String::from_utf8_lossy(user)))
}

/// The user's transport. The API's goes with the API's way only: a URI of the user's that names its transport is not overruled.
fn transport(check: &Check, settings: &Settings) -> Option<Transport> {
    let given = &check.given;
    let way = given.outbound_proxy.as_ref().or(given.registrar.as_ref());
    let named = way.is_some_and(|way| way.parts().transport().is_some() || way.parts().secure);
    given.transport.or_else(|| settings.transport.filter(|_| !named))
}

/// RFC 3261 §26.2.2: what is asked for with `sips:` goes by TLS on the first hop too.
fn secured(account: Account) -> Result<Account, CheckError> {
    if !(account.aor.parts().secure || account.registrar.parts().secure) {
        return Ok(account);
    }
    match account.transport {
        Some(transport @ (Transport::Udp | Transport::Tcp)) => Err(CheckError::Insecure { transport }),
        Some(Transport::Tls) | None => Ok(Account {
            transport: Some(Transport::Tls),
            ..account
        }),
    }
}

/// A URI that cannot be followed is found out before anything is sent.
fn reachable(check: &Check, account: Account) -> Result<Account, CheckError> {
    let (needed, next_hop) = match (&account.outbound_proxy, &check.given.registrar) {
        (Some(proxy), _) => (Needed::Proxy, proxy),
        (None, Some(_)) => (Needed::Registrar, &account.registrar),
        (None, None) => (Needed::Aor, &account.registrar),
    };
    let Policy { families, .. } = check.network.policy;
    let search = Locate::new(&Wish {
        next_hop: next_hop.parts(),
        transport: account.transport,
        families,
        overrides: &[],
    });
    match search.outcome() {
        Some(Err(LocateError::Refused { why })) => Err(CheckError::NextHop {
            needed,
            uri: text::field(next_hop.as_str()),
            why,
        }),
        Some(Err(LocateError::NotFound { .. } | LocateError::Failed { .. }) | Ok(_)) | None => Ok(account),
    }
}

/// The seconds that a Contact of our own asks for: short, so that one that could not be removed is soon gone, and not below what
/// registrars commonly grant at least.
pub(super) const LIFETIME: u32 = 60;
pub(super) const USER_AGENT: &str = concat!("regprobe/", env!("CARGO_PKG_VERSION"));
