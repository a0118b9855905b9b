//! What a load is to do: from its arguments to accounts, policy and schedule. Pure: no file, no environment, no network.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sip_digest::Secret;
use sip_net::Network;
use sip_registration::locate::Target;
use sip_registration::{Account, ContactPlan, Policy};

use crate::args::load::Load;
use crate::args::{AccountArgs, ExchangeArgs};
use crate::failure::Failure;
use crate::identity;
use crate::load::schedule::{Schedule, Shape};
use crate::load::template::{AorTemplate, Template};
use crate::load::values::{Connections, Users};
use crate::plan;
use crate::values::Rate;

/// What happens to a registration when it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Its user registers again when its turn comes.
    Cycle,
    /// It is refreshed in time.
    KeepAlive,
    /// It is awaited: everybody comes at once.
    Storm,
}

/// One load.
#[derive(Debug)]
pub(crate) struct Job {
    /// What the user wrote for the AORs.
    pub(crate) aor: AorTemplate,
    /// Their numbers.
    pub(crate) users: Users,
    auth_user: Option<Name>,
    password: Password,
    /// What all accounts have in common.
    pub(crate) account: Account,
    /// By which rules.
    pub(crate) policy: Policy,
    /// Which way.
    pub(crate) network: Network,
    /// What happens to a registration.
    pub(crate) mode: Mode,
    /// When registrations are ordered.
    pub(crate) schedule: Schedule,
    rate: Rate,
    /// The most exchanges that may be open.
    pub(crate) open: NonZeroUsize,
    /// Over how many flows.
    pub(crate) connections: Connections,
    /// On how many threads.
    pub(crate) shards: NonZeroUsize,
    /// Whether the bindings stay.
    pub(crate) keep: bool,
    /// How many percent have to register.
    pub(crate) share: f64,
    /// The hosts that the user answers for.
    pub(crate) mine: Vec<String>,
    /// What jitter is drawn from.
    pub(crate) seed: u64,
}

/// The name for authentication of each user.
#[derive(Debug)]
enum Name {
    /// Everybody's.
    Same(Arc<str>),
    /// Each has its own.
    Each(Template),
}

impl Name {
    fn new(template: &Template) -> Self {
        if template.varies() {
            Self::Each(template.clone())
        } else {
            Self::Same(template.text(0).into())
        }
    }

    fn of(&self, number: u64) -> Arc<str> {
        match self {
            Self::Same(name) => Arc::clone(name),
            Self::Each(template) => template.text(number).into(),
        }
    }
}

/// The password of each user.
enum Password {
    /// There is none.
    None,
    /// Everybody's.
    Same(SecretString),
    /// Each has its own.
    Each(Template),
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Same(_) => "Same(redacted)",
            Self::Each(_) => "Each(redacted)",
        })
    }
}

impl Job {
    /// Plans a load; its passwords are still to be set.
    ///
    /// # Errors
    /// [`Failure`] for arguments that make no sense together.
    pub(crate) fn new(args: &Load, seed: u64) -> Result<Self, Failure> {
        let users = users(args)?;
        let (mut account, options) = plan::common(&account_args(args), &args.network, &args.tls, &exchange_args(args))?;
        account.expires = args.binding.expires;
        account.challenges = plan::challenge_rules(&args.credentials.challenges);
        let mode = mode(args);
        let connections = args.engine.connections.among(users.count());
        let open = match (args.amount.open, mode) {
            (Some(open), _) => open,
            (None, Mode::Storm) => NonZeroUsize::try_from(users.count()).unwrap_or(OPEN),
            (None, Mode::Cycle | Mode::KeepAlive) => OPEN,
        };
        Ok(Self {
            aor: args.aor.clone(),
            users,
            auth_user: args.credentials.auth_user.as_ref().map(Name::new),
            password: Password::None,
            account,
            policy: Policy {
                maintain: mode != Mode::Cycle,
                credentials_ahead: args.credentials.reuse_nonce,
                flows_per_target: connections,
                follow_redirects: false,
                ..options.policy
            },
            network: Network {
                local: options.local,
                favourite_port: None,
                tls: options.tls,
                dns: options.dns,
                timeout: args.amount.timeout,
                tap: None,
            },
            mode,
            schedule: schedule(args, mode, users),
            rate: args.amount.rate,
            open,
            connections: args.engine.connections,
            shards: shards(args, users, open),
            keep: args.binding.keep,
            share: args.amount.share,
            mine: args.registrar.this_registrar_is_mine.clone(),
            seed,
        })
    }

    /// Sets the password of all users, or the text from which each gets its own.
    pub(crate) fn set_password(&mut self, secret: Option<Secret>) {
        self.password = match secret {
            Some(Secret::Password(text)) => {
                let template = Template::parse(text.expose_secret());
                if template.varies() {
                    Password::Each(template)
                } else {
                    Password::Same(text)
                }
            }
            // An HA1 is one user's: no option gives one here.
            Some(Secret::Ha1(_)) | None => Password::None,
        };
    }

    /// Fixes the one address that everything goes to from now on: nobody is asked again what the name means.
    pub(crate) fn set_target(&mut self, target: Target) {
        self.account.transport = Some(target.endpoint.transport);
        self.account.target = Some(Arc::new(target));
    }

    /// How many users have something to do.
    pub(crate) fn needed(&self) -> u64 {
        u64::from(self.users.count().get()).min(self.schedule.total())
    }

    /// The account of the user at this place, counted from 0.
    pub(crate) fn account(&self, place: u64) -> Account {
        let number = self.users.number(place);
        let aor = self.aor.of(number);
        let secret = match &self.password {
            Password::None => None,
            Password::Same(password) => Some(Secret::Password(password.clone())),
            Password::Each(template) => Some(Secret::Password(SecretString::from(template.text(number)))),
        };
        Account {
            contact: ContactPlan::Automatic {
                user: identity::contact_user(&aor).into(),
            },
            aor,
            auth_user: self.auth_user.as_ref().map(|name| name.of(number)),
            secret,
            ..self.account.clone()
        }
    }

    /// How fast so many of a shard's users are removed: as fast as they came, and not slower than within the duration.
    pub(crate) fn removal_rate(&self, bound: u64) -> Rate {
        let seconds = self.schedule.duration().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let [bound, total] = [bound, self.schedule.total()].map(|count| count as f64);
        let came = match self.mode {
            Mode::Cycle => total / seconds,
            Mode::KeepAlive | Mode::Storm => self.rate.per_second(),
        };
        #[expect(clippy::cast_precision_loss, reason = "few")]
        let share = came / self.shards.get() as f64;
        Rate::of(share.max(bound / seconds))
    }

    /// The most exchanges that may be open in a shard, so that those of all shards add up to the whole.
    pub(crate) const fn open_in(&self, shard: usize) -> usize {
        let (open, shards) = (self.open.get(), self.shards.get());
        open / shards + (shard < open % shards) as usize
    }

    /// How many descriptors the flows need.
    pub(crate) fn descriptors(&self) -> u64 {
        u64::from(self.connections.among(self.users.count()).get()) + OTHER_DESCRIPTORS * self.shards.get() as u64
    }
}

/// The most exchanges that are open unless the user says otherwise.
const OPEN: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not zero");

/// Files, pipes and the like of one shard; generously.
const OTHER_DESCRIPTORS: u64 = 32;

/// The users of the range, which belongs to a place for its numbers.
fn users(args: &Load) -> Result<Users, Failure> {
    match (args.users, args.aor.varies()) {
        (Some(users), true) => Ok(users),
        (None, false) => Ok(Users::ONE),
        (Some(_), false) => Err(Failure::Usage(
            "--users: the AOR has no place for the number; write it as {n}, such as sip:user{n}@pbx.example.test".to_owned(),
        )),
        (None, true) => Err(Failure::Usage(
            "--users: it has to say which numbers {n} stands for, such as --users 1..1000".to_owned(),
        )),
    }
}

/// No more threads than users, who could not be shared among them, nor than exchanges that may be open.
fn shards(args: &Load, users: Users, open: NonZeroUsize) -> NonZeroUsize {
    let count = NonZeroUsize::try_from(users.count()).unwrap_or(NonZeroUsize::MIN);
    args.engine.shards.min(count).min(open)
}

fn account_args(args: &Load) -> AccountArgs {
    AccountArgs {
        aor: args.aor.sample().clone(),
        registrar: args.registrar.registrar.clone(),
        proxy: args.registrar.proxy.clone(),
    }
}

const fn exchange_args(args: &Load) -> ExchangeArgs {
    ExchangeArgs {
        timeout: args.amount.timeout,
        follow_redirects: false,
    }
}

const fn mode(args: &Load) -> Mode {
    match (args.amount.keep_alive, args.amount.storm) {
        (true, _) => Mode::KeepAlive,
        (false, true) => Mode::Storm,
        (false, false) => Mode::Cycle,
    }
}

fn schedule(args: &Load, mode: Mode, users: Users) -> Schedule {
    let amount = &args.amount;
    let each_once = u64::from(users.count().get());
    let (shape, most) = match (mode, &amount.ramp) {
        (Mode::Storm, _) => (Shape::AtOnce(amount.jitter.unwrap_or(Duration::ZERO)), each_once),
        (Mode::KeepAlive, _) => (Shape::Constant(amount.rate), each_once),
        (Mode::Cycle, Some(ramp)) => (ramp.clone(), u64::MAX),
        (Mode::Cycle, None) => (Shape::Constant(amount.rate), u64::MAX),
    };
    Schedule::new(shape, amount.duration, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::samples::{job, planned};

    fn refused(line: &str) -> String {
        planned(line).unwrap_err().to_string()
    }

    fn password(text: &str) -> Option<Secret> {
        Some(Secret::Password(SecretString::from(text)))
    }

    fn secret(job: &Job, place: u64) -> Option<String> {
        match job.account(place).secret {
            Some(Secret::Password(text)) => Some(text.expose_secret().to_owned()),
            Some(Secret::Ha1(_)) | None => None,
        }
    }

    #[test]
    fn the_shortest_line_is_bounded() {
        let job = job("alice@10.0.0.1");
        assert_eq!((job.schedule.total(), job.schedule.duration()), (1000, Duration::from_secs(10)));
        assert_eq!((job.needed(), job.open.get(), job.shards.get(), job.keep), (1, 10_000, 1, false));
        assert_eq!(
            (job.policy.maintain, job.policy.credentials_ahead, job.mode),
            (false, false, Mode::Cycle)
        );
        assert_eq!((job.account.expires, job.policy.timeout), (300, Duration::from_secs(10)));
        assert_eq!((job.policy.flows_per_target.get(), job.policy.follow_redirects), (1, false));
    }

    #[test]
    fn each_user_has_its_own_name_and_password() {
        let mut job = job("user{n:03}@10.0.0.1 --users 5..9 --auth-user a{n}");
        job.set_password(password("secret{n}"));
        let account = job.account(2);
        assert_eq!(account.aor.as_str(), "sip:user007@10.0.0.1");
        assert_eq!(account.registrar.as_str(), "sip:10.0.0.1");
        assert_eq!(account.contact, ContactPlan::Automatic { user: "user007".into() });
        assert_eq!(account.auth_user.as_deref(), Some("a7"));
        assert_eq!(secret(&job, 2).as_deref(), Some("secret7"));
        job.set_password(password("same{x}"));
        assert_eq!(secret(&job, 4).as_deref(), Some("same{x}"));
        job.set_password(None);
        assert_eq!(secret(&job, 0), None);
        assert!(!format!("{job:?}").contains("same"));
    }

    #[test]
    fn users_and_their_place_belong_together() {
        assert!(refused("alice@10.0.0.1 --users 5").contains("has no place for the number"));
        assert!(refused("user{n}@10.0.0.1").contains("--users 1..1000"));
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        for options in [
            "--storm --keep-alive",
            "--jitter 5s",
            "--ramp 1..2/s --rate 5/s",
            "--ramp 1..2/s --storm",
            "--ramp 1..2/s --keep-alive",
            "--follow-redirects",
            "--ha1-file x",
        ] {
            assert!(
                refused(&format!("u{{n}}@10.0.0.1 --users 5 {options}")).starts_with("error: "),
                "{options}"
            );
        }
        assert!(refused("sips:a@10.0.0.1 --transport udp").contains("TLS only"));
    }

    #[test]
    fn kept_and_awaited_registrations_are_made_once_and_maintained() {
        let kept = job("u{n}@10.0.0.1 --users 500 --keep-alive --rate 100/s --connections each --reuse-nonce --expires 60");
        assert_eq!((kept.schedule.total(), kept.needed(), kept.policy.maintain), (500, 500, true));
        assert_eq!((kept.policy.flows_per_target.get(), kept.policy.credentials_ahead), (500, true));
        let short = job("u{n}@10.0.0.1 --users 500 --keep-alive --rate 10/s --duration 5s");
        assert_eq!((short.schedule.total(), short.needed()), (50, 50));
        let storm = job("u{n}@10.0.0.1 --users 50000 --storm --jitter 2s");
        assert_eq!(
            (storm.schedule.total(), storm.open.get(), storm.policy.maintain),
            (50_000, 50_000, true)
        );
        assert_eq!(job("u{n}@10.0.0.1 --users 50000 --storm --open 70").open.get(), 70);
    }

    #[test]
    fn bindings_go_as_fast_as_they_came_and_within_the_duration() {
        let per_second = |line: &str, bound| job(line).removal_rate(bound).per_second();
        let is = |found: f64, expected: f64| (found - expected).abs() < 1e-6;
        assert!(is(per_second("u{n}@10.0.0.1 --users 100 --rate 50/s", 100), 50.0));
        assert!(is(per_second("u{n}@10.0.0.1 --users 100 --rate 50/s --shards 2", 50), 25.0));
        assert!(is(per_second("u{n}@10.0.0.1 --users 100 --ramp 10..30/s", 100), 20.0));
        assert!(is(per_second("u{n}@10.0.0.1 --users 20000 --storm", 20_000), 2000.0));
    }

    #[test]
    fn there_are_no_more_threads_than_users() {
        assert_eq!(job("u{n}@10.0.0.1 --users 3 --shards 8").shards.get(), 3);
    }

    #[test]
    fn the_open_exchanges_of_all_threads_are_no_more_than_the_bound() {
        let open = |words: &str| {
            let job = job(&format!("u{{n}}@10.0.0.1 --users 100 {words}"));
            (0..job.shards.get()).map(|shard| job.open_in(shard)).collect::<Vec<_>>()
        };
        assert_eq!(open("--shards 3 --open 10"), [4, 3, 3]);
        assert_eq!(open("--shards 8 --open 2"), [1, 1]);
    }
}
