//! The exchanges with one registrar: all over one driver, and after the first reply all at the target that gave it, so that what two
//! fetches show is the same server's table. No judgement of what they show.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use sip_net::{Driver, Network, REMOVAL_AT_MOST};
use sip_registration::locate::Target;
use sip_registration::{Account, Attempt, Ending, Event, Evidence, Goal, Key, Registrant, RemovalEvidence, Report, TargetOutcome};

use super::stop::Stop;
use crate::Moment;

/// One way to a registrar.
pub(super) struct Wire {
    driver: Driver,
    account: Arc<Account>,
    key: Key,
    options: sip_net::Options,
}

/// One exchange.
pub(super) struct Exchange {
    /// To the microsecond, because an API on the same machine answers within one of the report's milliseconds.
    pub(super) started_at: Moment,
    pub(super) report: Report,
    pub(super) attempt: Attempt,
}

impl Exchange {
    pub(super) fn ended_at(&self) -> Moment {
        let took = self.attempt.ended_at.saturating_duration_since(self.attempt.started_at);
        self.started_at.after(took)
    }

    /// True when a REGISTER without credentials got a 2xx: this registrar asks nobody who he is.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.attempt.ending, Ending::Succeeded) && !self.attempt.auth.challenged && !self.attempt.auth.credentials_sent
    }
}

impl Wire {
    /// A way for this account. Sends nothing.
    pub(super) fn new(account: Account, options: &sip_net::Options) -> Self {
        let network = Network {
            local: options.local,
            favourite_port: options.favourite_port,
            tls: options.tls.clone(),
            dns: options.dns,
            timeout: options.policy.timeout,
            tap: options.tap.clone(),
        };
        let mut driver = Driver::new(Registrant::new(rand::random(), options.policy.clone()), network);
        let account = Arc::new(account);
        let (registrant, now) = driver.registrant();
        let key = registrant.add(now, Arc::clone(&account));
        Self {
            driver,
            account,
            key,
            options: options.clone(),
        }
    }

    /// A second way to the same server, for another account, from another port.
    pub(super) fn beside(&self, account: Account) -> Self {
        let options = sip_net::Options {
            local: self.options.local.map(|local| SocketAddr::new(local.ip(), 0)),
            favourite_port: None,
            ..self.options.clone()
        };
        let target = self.account.target.clone();
        Self::new(Account { target, ..account }, &options)
    }

    /// The account, with the target that is kept to.
    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// One exchange, which the user's word stops.
    pub(super) async fn ask<F: Future<Output = ()>>(&mut self, goal: Goal, stop: &mut Stop<F>) -> Exchange {
        let exchange = self.exchange(goal, stop, None).await;
        self.keep_to_served(&exchange.attempt);
        exchange
    }

    /// Removes the binding of our own, whatever the user says meanwhile.
    pub(super) async fn remove<F: Future<Output = ()>>(&mut self, stop: &mut Stop<F>) -> Exchange {
        let limit = if stop.came() {
            REMOVAL_AT_MOST
        } else {
            self.options.policy.timeout
        };
        self.exchange(Goal::Unregister, stop, Some(Instant::now() + limit)).await
    }

    /// Keeps the flows moving while something else is waited for: closed connections are noticed, and who asks us is answered.
    pub(super) async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> T {
        self.listening(work).await.0
    }

    /// The same, and the Call-IDs of the OPTIONS that came for a Contact of ours meanwhile.
    pub(super) async fn listening<T>(&mut self, work: impl Future<Output = T>) -> (T, Vec<String>) {
        let mut heard = Vec::new();
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                (_, event) = self.driver.next() => match event {
                    Event::Request(request) if request.names_us && request.method == "OPTIONS" && heard.len() < MOST_HEARD => {
                        heard.push(request.call_id);
                    }
                    Event::Request(_) | Event::Attempt(_) | Event::Changed(_) | Event::Removed => {}
                },
                done = &mut work => return (done, heard),
            }
        }
    }

    /// Closes every flow.
    pub(super) async fn close(self) {
        self.driver.close().await;
    }

    async fn exchange<F: Future<Output = ()>>(&mut self, goal: Goal, stop: &mut Stop<F>, limit: Option<Instant>) -> Exchange {
        let started_at = Moment::now();
        self.driver.order(self.key, goal);
        let attempt = self.attempt(goal, stop, limit).await;
        let report = Report::assemble(&Evidence {
            account: &self.account,
            policy: &self.options.policy,
            started_at: started_at.timestamp(),
            attempt: &attempt,
            removal: RemovalEvidence::NotAttempted,
        });
        Exchange {
            started_at,
            report,
            attempt,
        }
    }

    /// A removal goes on after the user's word, and has to hurry then.
    async fn attempt<F: Future<Output = ()>>(&mut self, goal: Goal, stop: &mut Stop<F>, mut limit: Option<Instant>) -> Attempt {
        loop {
            let interrupt = tokio::select! {
                biased;
                told = self.driver.next_before(limit) => match told {
                    Some((key, Event::Attempt(attempt))) if key == self.key => return *attempt,
                    Some((_, Event::Attempt(_) | Event::Changed(_) | Event::Request(_) | Event::Removed)) => false,
                    None => true,
                },
                () = stop.wait() => {
                    let soon = Instant::now() + REMOVAL_AT_MOST;
                    limit = limit.map(|limit| limit.min(soon));
                    goal != Goal::Unregister
                }
            };
            if interrupt {
                let (registrant, now) = self.driver.registrant();
                registrant.interrupt(now, self.key);
            }
        }
    }

    /// The target that served is kept to from now on.
    fn keep_to_served(&mut self, attempt: &Attempt) {
        let served = attempt.targets.iter().rfind(|tried| tried.outcome == TargetOutcome::Served);
        if let Some(served) = served.filter(|_| self.account.target.is_none()) {
            self.keep_to(served.target.clone());
        }
    }

    /// Everything goes to this target from now on. A flow to it that is open stays so, and is shared.
    pub(super) fn keep_to(&mut self, target: Target) {
        self.account = Arc::new(Account {
            target: Some(target.into()),
            ..Account::clone(&self.account)
        });
        let (registrant, now) = self.driver.registrant();
        self.key = registrant.add(now, Arc::clone(&self.account));
    }
}

/// How many requests are kept; ours is among the first, or a flood of others is under way.
const MOST_HEARD: usize = 256;
