//! Where a load goes: what the names mean, asked once, before anything is sent to a registrar.

use std::net::IpAddr;
use std::sync::Arc;

use sip_net::{Driver, Network};
use sip_registration::locate::Target;
use sip_registration::{Account, Attempt, Cause, Event, Goal, Policy, Registrant};

use crate::failure::Failure;
use crate::load::guard::{self, Reached};
use crate::load::job::Job;

/// Looks up every host that the load would reach, and gives the address that it goes to if all of them are allowed.
///
/// # Errors
/// [`Failure::Usage`] for a name that means nothing, and for a host that is not the user's own.
pub(crate) async fn find(job: &Job) -> Result<Target, Failure> {
    let account = &job.account;
    let next_hop = account.outbound_proxy.as_ref().unwrap_or(&account.registrar);
    let found = locate(account.clone(), job).await;
    let mut reached = vec![Reached::new(next_hop, addresses(&found))];
    if account.outbound_proxy.is_some() {
        // The proxy passes everything on to there.
        let behind = Account {
            outbound_proxy: None,
            transport: None,
            ..account.clone()
        };
        let found = locate(behind, job).await;
        if found.ending.cause() == Some(Cause::DnsFailed) {
            return Err(unknown("--registrar", &account.registrar.to_string(), &found));
        }
        reached.push(Reached::new(&account.registrar, addresses(&found)));
    }
    guard::check(&reached, &job.mine).map_err(|forbidden| Failure::Usage(forbidden.to_string()))?;
    let target = found.targets.first().map(|tried| tried.target.clone());
    target.ok_or_else(|| unknown("the load has no target", &next_hop.to_string(), &found))
}

fn addresses(found: &Attempt) -> Vec<IpAddr> {
    found.targets.iter().map(|tried| tried.target.endpoint.remote.ip()).collect()
}

fn unknown(what: &str, name: &str, found: &Attempt) -> Failure {
    let cause = found.ending.cause().map_or("not found", Cause::name);
    let words = if found.words.is_empty() {
        String::new()
    } else {
        format!(": {}", found.words)
    };
    Failure::Usage(format!(
        "{what}: {} cannot be looked up ({cause}{words}); nothing was sent",
        crate::output::text::safe(name)
    ))
}

/// One look-up; nothing is sent to what it finds.
async fn locate(account: Account, job: &Job) -> Attempt {
    let policy = Policy {
        maintain: false,
        ..job.policy.clone()
    };
    let network: Network = job.network.clone();
    let mut driver = Driver::new(Registrant::new(rand::random(), policy), network);
    let (registrant, now) = driver.registrant();
    let key = registrant.add(now, Arc::new(account));
    driver.order(key, Goal::Locate);
    loop {
        match driver.next().await.1 {
            Event::Attempt(attempt) => return *attempt,
            Event::Changed(_) | Event::Request(_) | Event::Removed => {}
        }
    }
}
