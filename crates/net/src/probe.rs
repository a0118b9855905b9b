//! The one-call API: one exchange of one account, its binding removed again, and the report. Not for registrations that are kept: they
//! live in a [`crate::Driver`].

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sip_registration::{Account, Attempt, Ending, Event, Evidence, Goal, Key, Policy, Registrant, RemovalEvidence, Report};

use crate::driver::{Driver, Network};
use crate::every_target;
use crate::tap::Tap;
use crate::tls::TlsOptions;

/// What to do, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the exchange is for.
    pub goal: Goal,
    /// Leaves the binding of [`Goal::Register`] in place.
    pub keep: bool,
    /// Looks the targets up and probes each of them by itself.
    pub every_target: bool,
    /// The rules, time limits among them.
    pub policy: Policy,
    /// The address to send from; port 0 is any port.
    pub local: Option<SocketAddr>,
    /// The UDP port to send from when `local` names none and this one is free: an automatic Contact is then the same in every run,
    /// and a binding that was left behind is replaced instead of joined by another.
    pub favourite_port: Option<u16>,
    /// TLS.
    pub tls: TlsOptions,
    /// The name server to ask instead of the system's.
    pub dns: Option<SocketAddr>,
    /// Where to leave what is sent and received, if somebody looks on.
    pub tap: Option<Tap>,
}

impl Default for Options {
    /// Registers within ten seconds and removes the binding again.
    fn default() -> Self {
        Self {
            goal: Goal::Register,
            keep: false,
            every_target: false,
            policy: Policy::one_shot(),
            local: None,
            favourite_port: None,
            tls: TlsOptions::default(),
            dns: None,
            tap: None,
        }
    }
}

/// The outcome of [`probe_until`].
#[derive(Debug, Clone)]
pub struct Probed {
    /// What happened.
    pub report: Report,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

/// Probes an account. Whatever happens is in the report; nothing is an error. See the [crate's documentation](crate) for an example.
///
/// Needs a tokio runtime with I/O and time.
pub async fn probe(account: Account, options: &Options) -> Report {
    probe_until(account, options, std::future::pending(), std::future::pending())
        .await
        .report
}

/// Probes an account until `shutdown` completes. What may be bound by then is removed first; that takes [`REMOVAL_AT_MOST`] at most, and
/// is given up once `hurry` completes. The report says what may be left.
pub async fn probe_until(
    account: Account,
    options: &Options,
    shutdown: impl Future<Output = ()>,
    hurry: impl Future<Output = ()>,
) -> Probed {
    tokio::pin!(shutdown);
    tokio::pin!(hurry);
    let mut stop = Stop {
        signal: shutdown,
        until: None,
        hurry,
        hurries: false,
    };
    let report = if options.every_target && account.target.is_none() {
        every_target::probe(account, options, &mut stop).await
    } else {
        probe_one(Arc::new(account), options, &mut stop).await.0
    };
    Probed {
        report,
        interrupted: stop.until.is_some(),
    }
}

/// The user's word to stop.
pub(crate) struct Stop<'a, F, H> {
    signal: Pin<&'a mut F>,
    /// Set when it came: when to give up cleaning up.
    pub(crate) until: Option<Instant>,
    /// The user's word to stop at once.
    hurry: Pin<&'a mut H>,
    /// Whether that has come.
    hurries: bool,
}

/// One exchange by a registrant of its own, the removal of its binding, and its report with the evidence behind it.
pub(crate) async fn probe_one<F: Future<Output = ()>, H: Future<Output = ()>>(
    account: Arc<Account>,
    options: &Options,
    stop: &mut Stop<'_, F, H>,
) -> (Report, Attempt) {
    let mut run = Run::new(Arc::clone(&account), options, stop);
    let started_at = Timestamp::now();
    let attempt = run.exchange(options.goal, None).await;
    let interrupted = attempt.ending == Ending::Interrupted;
    // A failed exchange may have bound us all the same; a kept binding is one that was confirmed.
    let bound = attempt.binding.is_some() || attempt.may_be_bound;
    let keep = options.keep && attempt.ending == Ending::Succeeded;
    // The removal shares the time of the whole, and has some of its own when nothing is left.
    let took = attempt.ended_at.saturating_duration_since(attempt.started_at);
    let left = options.policy.timeout.saturating_sub(took).max(REMOVAL_AT_LEAST);
    let removed = match options.goal {
        Goal::Register if bound && !keep => Some(run.exchange(Goal::Unregister, Some(left)).await),
        Goal::Register | Goal::Unregister | Goal::Clear | Goal::Fetch | Goal::Ping | Goal::Locate => None,
    };
    run.driver.close().await;
    let removal = match &removed {
        Some(removal) => RemovalEvidence::Tried(removal),
        None if options.keep && !interrupted => RemovalEvidence::Kept,
        None => RemovalEvidence::NotAttempted,
    };
    let report = Report::assemble(&Evidence {
        account: &account,
        policy: &options.policy,
        started_at,
        attempt: &attempt,
        removal,
    });
    (report, attempt)
}

struct Run<'a, 'b, F, H> {
    driver: Driver,
    key: Key,
    stop: &'a mut Stop<'b, F, H>,
}

impl<'a, 'b, F: Future<Output = ()>, H: Future<Output = ()>> Run<'a, 'b, F, H> {
    fn new(account: Arc<Account>, options: &Options, stop: &'a mut Stop<'b, F, H>) -> Self {
        let registrant = Registrant::new(rand::random(), options.policy.clone());
        let network = Network {
            local: options.local,
            favourite_port: options.favourite_port,
            tls: options.tls.clone(),
            dns: options.dns,
            timeout: options.policy.timeout,
            tap: options.tap.clone(),
        };
        let mut driver = Driver::new(registrant, network);
        let (registrant, now) = driver.registrant();
        let key = registrant.add(now, account);
        Self { driver, key, stop }
    }

    /// Runs one exchange to its end, or for as long as it may take. The user's word stops it at once, unless it is a removal, which
    /// then has to hurry; the second word stops that too.
    async fn exchange(&mut self, goal: Goal, within: Option<Duration>) -> Attempt {
        self.driver.order(self.key, goal);
        let limit = within.map(|within| Instant::now() + within);
        loop {
            let until = self.stop.until.into_iter().chain(limit).min();
            let interrupt = tokio::select! {
                biased;
                // First, so that nothing is sent when it has come already.
                () = self.stop.signal.as_mut(), if self.stop.until.is_none() => {
                    self.stop.until = Some(Instant::now() + REMOVAL_AT_MOST);
                    goal != Goal::Unregister
                }
                () = self.stop.hurry.as_mut(), if !self.stop.hurries => {
                    (self.stop.hurries, self.stop.until) = (true, Some(Instant::now()));
                    true
                }
                told = self.driver.next_before(until) => match told {
                    Some((_, Event::Attempt(attempt))) => return *attempt,
                    Some((_, Event::Changed(_) | Event::Request(_) | Event::Removed)) => false,
                    None => true,
                },
            };
            if interrupt {
                let (registrant, now) = self.driver.registrant();
                registrant.interrupt(now, self.key);
            }
        }
    }
}

/// How long the removal of a binding may take once the time for the whole is used up: with all that is beside it, less than a second.
const REMOVAL_AT_LEAST: Duration = Duration::from_millis(900);

/// How long the removal of a binding may take once the user wants to go.
pub const REMOVAL_AT_MOST: Duration = Duration::from_secs(2);
