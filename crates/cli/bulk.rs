//! `regprobe bulk`: probes every account of a list, each once, and removes its binding again. A list may be longer than memory, and
//! registrars are treated gently: each has a pace, a bound on what is under way, and an end to wrong passwords.

mod desk;
mod drive;
mod feed;
pub(crate) mod line;
mod pace;
mod past;
mod progress;
pub(crate) mod property;
mod show;
mod tally;
mod window;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use sip_net::{Driver, Network, Options};
use sip_registration::{Admission, Policy, Registrant};

use self::desk::Desk;
use self::drive::{Course, Questions, Run};
use self::feed::Feed;
use self::pace::Pace;
use self::past::Past;
use self::progress::Progress;
use self::show::Sink;
use self::window::{Limits, Window};
use crate::accounts::Reader;
use crate::args::bulk::{Bulk, BulkOutput, LimitArgs};
use crate::capture::{Capture, Volume};
use crate::failure::Failure;
use crate::run::{check_files, raise_descriptors, runtime};
use crate::secret::Surroundings;
use crate::values::Rate;
use crate::{exit, left_behind, output, plan, style};

/// Carries `regprobe bulk` out; the exit status.
///
/// # Errors
/// [`Failure`] when the command line or the list as a whole is wrong; then nothing was sent.
pub(crate) fn run(args: &Bulk, surroundings: Surroundings) -> Result<u8, Failure> {
    let mut options = plan::way_of_all(&args.accounts)?;
    check_files(&options.tls)?;
    let past = Past::read(args)?;
    let template = Reader::template(&args.accounts, surroundings)?;
    let feed = Feed::start(Reader::open(&args.accounts, template)?, &args.accounts.file)?;
    match args.output {
        // The exit status says something without the rest.
        BulkOutput::Human => {}
        BulkOutput::Jsonl | BulkOutput::Csv => output::ensure_open()?,
    }
    raise_descriptors();
    let capture = Capture::start(&args.capture, Volume::Many)?;
    options.tap = capture.as_ref().map(Capture::tap);
    let began = Instant::now();
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        let run = prepared(args, &options, surroundings, past, feed);
        let (run, trouble) = run.finish().await;
        conclude(run, args.output, began.elapsed(), trouble).await
    });
    // Somebody may still be asked a question.
    runtime.shutdown_background();
    capture.into_iter().for_each(Capture::finish);
    outcome
}

fn prepared(args: &Bulk, options: &Options, surroundings: Surroundings, past: Past, feed: Feed) -> Run {
    let limits = &args.limits;
    let policy = Policy {
        admission: admission(limits, options.keep),
        ..options.policy.clone()
    };
    let network = Network {
        local: options.local,
        favourite_port: options.favourite_port,
        tls: options.tls.clone(),
        dns: options.dns,
        timeout: policy.timeout,
        tap: options.tap.clone(),
    };
    let window = Limits {
        at_one: limits.registrar_jobs.get() as usize,
        in_all: MOST_UNDER_WAY,
        waiting: MOST_WAITING,
        wrong_passwords: limits.max_wrong_passwords,
    };
    let sink = Sink::new(args.output, style());
    Run {
        driver: Driver::new(Registrant::new(rand::random(), policy.clone()), network),
        feed,
        past,
        window: Window::new(window),
        pace: Pace::new(limits.rate.map_or(Duration::ZERO, Rate::interval), Instant::now()),
        desk: Desk::new(policy, options.keep, sink, Progress::of(&args.accounts.file)),
        keep: options.keep,
        asks: surroundings.terminal,
        fail_fast: limits.fail_fast.map(|most| u64::from(most.get())),
        under_way: BTreeMap::new(),
        questions: Questions::default(),
        course: Course::On,
    }
}

/// What each registrar is given.
fn admission(limits: &LimitArgs, keep: bool) -> Admission {
    // A row that registers takes two exchanges, unless its binding stays.
    let per_row = if keep { 1 } else { 2 };
    let interval = match (limits.registrar_rate, limits.rate) {
        (Some(exchanges), _) => exchanges.interval(),
        (None, Some(rows)) => rows.interval() / per_row,
        (None, None) => USUAL_INTERVAL,
    };
    let burst = LATE.as_nanos().checked_div(interval.as_nanos()).unwrap_or(1);
    Admission {
        interval,
        burst: NonZeroU32::new(u32::try_from(burst).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN),
        most_in_flight: Some(limits.registrar_jobs),
        jitter: Duration::ZERO,
    }
}

/// Says goodbye to the registrars, shows the summary and decides on the status. Where nobody reads the results any more, it ends quietly.
async fn conclude(run: Run, form: BulkOutput, took: Duration, trouble: std::io::Result<()>) -> Result<u8, Failure> {
    run.driver.close().await;
    run.desk.progress.end();
    let how = match run.course {
        Course::On => "",
        Course::FailedFast => ", ended by --fail-fast",
        Course::Ending { interrupted: true, .. } => ", interrupted",
        Course::Ending { interrupted: false, .. } => ", ended early",
    };
    let is_read = !matches!(run.course, Course::Ending { interrupted: false, .. });
    let summary = run.desk.tally.summary(&format!(" in {:.1} s{how}", took.as_secs_f64()));
    left_behind::tell(&run.desk.left);
    trouble?;
    match form {
        BulkOutput::Human => output::print(summary.as_bytes())?,
        BulkOutput::Jsonl | BulkOutput::Csv if is_read => output::tell(&summary),
        BulkOutput::Jsonl | BulkOutput::Csv => {}
    }
    if !run.feed.was_whole() {
        return Err(Failure::Internal(std::io::Error::other("the list could not be read to its end")));
    }
    Ok(match run.course {
        Course::Ending { interrupted: true, .. } => exit::INTERRUPTED,
        Course::On | Course::FailedFast | Course::Ending { .. } if run.desk.tally.is_good() => exit::SUCCESS,
        Course::On | Course::FailedFast | Course::Ending { .. } => exit::NOT_ALL,
    })
}

/// The most rows under way in all. Each takes some kilobytes.
const MOST_UNDER_WAY: usize = 4096;
/// The most rows that wait for their registrars: so far a list is read ahead of a slow one, so that others have their turn.
const MOST_WAITING: usize = 16_384;
/// The time between two exchanges at one registrar, unless the user says otherwise: 100 a second, which is 50 rows.
const USUAL_INTERVAL: Duration = Duration::from_millis(10);
/// How late an exchange may start without making the next ones later.
const LATE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::rate;

    fn limits(all: Option<&str>, one: Option<&str>) -> LimitArgs {
        LimitArgs {
            rate: all.map(|text| rate(text).unwrap()),
            registrar_rate: one.map(|text| rate(text).unwrap()),
            registrar_jobs: NonZeroU32::new(20).unwrap(),
            max_wrong_passwords: 5,
            fail_fast: None,
        }
    }

    #[test]
    fn a_registrar_gets_fifty_rows_a_second_or_what_the_user_says() {
        let interval = |all, one, keep| admission(&limits(all, one), keep).interval;
        assert_eq!(interval(None, None, false), Duration::from_millis(10));
        assert_eq!(interval(Some("500/s"), None, false), Duration::from_millis(1));
        assert_eq!(interval(Some("500/s"), None, true), Duration::from_millis(2));
        assert_eq!(interval(Some("500/s"), Some("10/s"), false), Duration::from_millis(100));
        assert_eq!(admission(&limits(None, Some("1000/s")), false).burst.get(), 20);
        assert_eq!(admission(&limits(None, Some("1/s")), false).burst.get(), 1);
    }
}
