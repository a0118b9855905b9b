//! `regprobe load`: registrations at a rate against one's own registrar, and what they took. Plans, asks whether the host may be
//! loaded, runs the shards, shows the report. The core is `sip-registration`'s, its sockets and threads are `sip-net`'s.

mod book;
mod crew;
mod engine;
mod guard;
mod human;
mod job;
mod live;
pub(crate) mod report;
#[cfg(test)]
mod samples;
pub(crate) mod schedule;
mod tally;
mod target;
pub(crate) mod template;
mod usage;
pub(crate) mod values;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sip_net::fleet;

use crate::args::credentials::CredentialArgs;
use crate::args::load::{Load, LoadOutput};
use crate::failure::Failure;
use crate::output::{self, json};
use crate::run::{check_files, drive, password};
use crate::secret::{Source, Surroundings};
use crate::{exit, signals, style};

use engine::Done;
use job::Job;
use live::{Board, Wish};
use report::{Circumstances, LoadReport};
use tally::Tally;
use usage::Processor;

/// Carries `regprobe load` out; the exit status.
///
/// # Errors
/// [`Failure`] when it does not come to a report: nothing was sent then.
pub(crate) fn run(args: &Load, surroundings: Surroundings) -> Result<u8, Failure> {
    output::ensure_open()?;
    let mut job = Job::new(args, rand::random())?;
    check_files(&job.network.tls)?;
    make_room(job.descriptors())?;
    let target = drive(until_ended(target::find(&job)))???;
    let remote = target.endpoint.remote;
    job.set_target(target);
    job.set_password(password(&source(args, surroundings), "all users ({n} for the number)")?);
    let report = drive(load(Arc::new(job), remote))??;
    output::print(render(&report, args.output.output).as_bytes())?;
    Ok(status(&report))
}

/// Nothing has been sent yet: the first Ctrl-C ends it.
async fn until_ended<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::select! {
        done = work => Ok(done),
        () = signals::ended() => Err(Failure::Interrupted),
    }
}

/// Where the password comes from.
fn source(args: &Load, surroundings: Surroundings) -> Source {
    let credentials = CredentialArgs {
        auth_user: None,
        password_file: args.credentials.password_file.clone(),
        password_env: args.credentials.password_env.clone(),
        ha1_file: None,
        challenges: args.credentials.challenges.clone(),
    };
    Source::choose(&credentials, surroundings)
}

/// Raises the limit on open descriptors as far as the flows need.
///
/// # Errors
/// [`Failure::Usage`] when the system does not let it be raised so far.
fn make_room(needed: u64) -> Result<(), Failure> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(io::Error::from)?;
    if soft >= needed {
        return Ok(());
    }
    if hard < needed {
        return Err(Failure::Usage(format!(
            "--connections: that many need {needed} descriptors, and this system allows {hard} (`ulimit -Hn`); ask for fewer"
        )));
    }
    setrlimit(Resource::RLIMIT_NOFILE, needed, hard).map_err(io::Error::from)?;
    Ok(())
}

/// Runs all shards, while the user watches and may end it.
async fn load(job: Arc<Job>, remote: SocketAddr) -> Result<LoadReport, Failure> {
    let started_at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let board = Board::new(job.shards.get());
    let drive = {
        let (job, board) = (Arc::clone(&job), Arc::clone(&board));
        move |shard| engine::run(shard, Arc::clone(&job), Arc::clone(&board))
    };
    let done = tokio::select! {
        done = fleet::run(job.shards, &job.policy, &job.network, drive) => done,
        never = board.listen() => match never {},
        never = board.show() => match never {},
    };
    board.clear();
    let done = done.map_err(|error| Failure::Internal(io::Error::other(error)))?;
    let (tally, processor, drops) = joined(&job, done);
    let circumstances = Circumstances {
        target: remote,
        started_at,
        interrupted: board.wish() != Wish::GoOn,
        processor,
        peak_memory: usage::peak_memory(),
        drops,
    };
    Ok(LoadReport::assemble(&job, &tally, circumstances))
}

/// What all shards counted, what it cost, and the datagrams that were lost.
fn joined(job: &Job, done: Vec<Done>) -> (Tally, Processor, u64) {
    let mut tally = Tally::new(job.schedule.slices());
    let mut processor = Processor::default();
    let mut drops = BTreeMap::new();
    for shard in done {
        tally.join(shard.tally);
        processor = processor.join(shard.processor);
        // Each shard sees the sockets of all.
        for (socket, count) in shard.drops {
            let most: &mut u64 = drops.entry(socket).or_default();
            *most = count.max(*most);
        }
    }
    (tally, processor, drops.values().sum())
}

fn render(report: &LoadReport, form: LoadOutput) -> String {
    match form {
        LoadOutput::Human => human::render(report, style()),
        LoadOutput::Json => json::render(report, io::stdout().is_terminal()),
    }
}

/// As many registered as were wanted, or not; or the user ended it.
fn status(report: &LoadReport) -> u8 {
    if report.interrupted {
        exit::INTERRUPTED
    } else if report.succeeded() {
        exit::SUCCESS
    } else {
        exit::SOME_NOT
    }
}
