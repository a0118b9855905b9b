//! `regprobe verify --all FILE`: every check of a file, several at a time. What is wrong with the file, or with a secret that it names,
//! is said before anything is sent. Results go to standard output as they come, talk goes to standard error.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;
use std::rc::Rc;

use regprobe_providers::{Check, CheckError, Outcome, Progress, Verification, verify};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, LocalSet};

use super::file::{self, Listed, Mistake};
use super::plan;
use crate::args::verify::{BatchOutput, Verify};
use crate::clients::Clients;
use crate::failure::Failure;
use crate::output::verify::{self as shown, Problem};
use crate::output::{self, json, text};
use crate::run::{runtime, until_twice};
use crate::secret::{self, Surroundings};
use crate::{exit, signals, style};

/// The largest file of checks that is read, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A check that was ready to be made.
struct Ready {
    /// Its name, or else whom it asks about what.
    name: String,
    check: Check,
    trace: bool,
}

/// Makes every check of a file; the exit status: 1 when a claim is false or outdated, else 3 when something could not be said, else 0.
///
/// # Errors
/// [`Failure::Usage`] with every mistake of the file.
pub(crate) fn run(path: &Path, args: &Verify, surroundings: Surroundings) -> Result<u8, Failure> {
    let checks = ready(path, surroundings)?;
    let (jobs, form) = (args.jobs, args.output);
    let runtime = runtime()?;
    let done = LocalSet::new().block_on(&runtime, until_twice(all(checks, jobs, form)));
    // A look-up of the system's that hangs is not waited for.
    runtime.shutdown_background();
    done?
}

/// Reads the file and everything that it names.
fn ready(path: &Path, surroundings: Surroundings) -> Result<Vec<Ready>, Failure> {
    let name = secret::shown(path);
    let text = read(path).map_err(|why| Failure::Usage(format!("--all {name}: {why}")))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let (listed, mut mistakes) = file::read(&text, folder);
    // Nobody is asked for the passwords of a list.
    let mut clients = Clients::new(Surroundings {
        terminal: false,
        ..surroundings
    });
    let mut ready = Vec::new();
    for Listed {
        name: check,
        line,
        provider,
    } in listed
    {
        let trace = plan::look(&provider).show.trace;
        match plan::check(&mut clients, &provider) {
            Ok(made) => {
                let own = || format!("{} {}", made.source.kind().provider(), made.source.object());
                ready.push(Ready {
                    name: check.clone().unwrap_or_else(own),
                    check: Check { name: check, ..made },
                    trace,
                });
            }
            Err(failures) => {
                let check = check.map(|check| format!("{}: ", text::safe(&check))).unwrap_or_default();
                mistakes.extend(failures.iter().map(|failure| Mistake {
                    line,
                    column: 1,
                    problem: format!("{check}{failure}"),
                }));
            }
        }
    }
    if mistakes.is_empty() {
        return Ok(ready);
    }
    mistakes.sort();
    let named = mistakes.iter().take(file::MOST_MISTAKES).map(|mistake| format!("{name}:{mistake}"));
    let more = (mistakes.len() >= file::MOST_MISTAKES).then(|| "there may be more mistakes than these".to_owned());
    Err(Failure::Usage(named.chain(more).collect::<Vec<_>>().join("\nerror: ")))
}

fn read(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err("is larger than 4 MiB; split it".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
        format!("line {line} is not UTF-8 text; save it as UTF-8")
    })
}

/// What has come so far.
#[derive(Default)]
struct Tally {
    outcomes: Vec<Outcome>,
    failed: usize,
    interrupted: bool,
    trouble: Option<io::Error>,
}

async fn all(checks: Vec<Ready>, jobs: usize, form: BatchOutput) -> Result<u8, Failure> {
    let total = checks.len();
    let (stop, stopped) = watch::channel(false);
    let stop = Rc::new(stop);
    let tally = Rc::new(RefCell::new(Tally::default()));
    let turns = Rc::new(Semaphore::new(jobs));
    let mut tasks = JoinSet::new();
    for ready in checks {
        let (turns, tally, stop, mut stopped) = (Rc::clone(&turns), Rc::clone(&tally), Rc::clone(&stop), stopped.clone());
        tasks.spawn_local(async move {
            let turn = turns.acquire().await;
            if turn.is_err() || *stopped.borrow() {
                tally.borrow_mut().interrupted = true;
                return;
            }
            let shutdown = async move {
                // The sender lives as long as the tasks do.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            let tell = |step| {
                if let Some(line) = told(&ready.name, &step) {
                    output::tell(&line);
                }
            };
            let done = verify(&ready.check, tell, shutdown).await;
            if !tally.borrow_mut().take(&ready, done, form, total) {
                // What nobody can read is not worth asking for.
                stop.send_replace(true);
            }
        });
    }
    tokio::select! {
        () = async { while tasks.join_next().await.is_some() {} } => {}
        () = signals::ended() => {
            stop.send_replace(true);
            while tasks.join_next().await.is_some() {}
        }
    }
    let tally = tally.take();
    output::tell(&shown::summary(&tally.outcomes, tally.failed, total));
    match tally.trouble {
        Some(error) => Err(error.into()),
        None => Ok(tally.status()),
    }
}

/// What is told of a check before its end: whom it has cost something, and to who looks on what it waits for.
fn told(name: &str, step: &Progress) -> Option<String> {
    let is_told = match step {
        Progress::Displaced(_) => true,
        Progress::Waiting { .. } => io::stderr().is_terminal(),
        Progress::Settings(_)
        | Progress::Fetching
        | Progress::Asking(_)
        | Progress::Pinging
        | Progress::Binding
        | Progress::Removing
        | Progress::Inbound => false,
    };
    // The count of those that are done may stand on this line, and is shorter.
    let start = if output::talks() { "\r" } else { "" };
    is_told.then(|| format!("{start}{}: {}\n", text::safe(name), text::safe(&step.to_string())))
}

impl Tally {
    /// Shows what came of a check and counts it; false when what is shown cannot be read any more.
    fn take(&mut self, ready: &Ready, done: Result<Verification, CheckError>, form: BatchOutput, total: usize) -> bool {
        let text = match done {
            Ok(mut verification) => {
                if !ready.trace {
                    verification.probes = None;
                }
                self.outcomes.push(verification.verdict.outcome);
                self.interrupted |= verification.interrupted;
                match form {
                    BatchOutput::Human => shown::line(&ready.name, &verification, style()),
                    BatchOutput::Json => json::render(&verification, false),
                }
            }
            Err(error) => {
                self.failed += 1;
                let problem = Problem::of(&ready.name, &ready.check, super::problem(&error));
                match form {
                    BatchOutput::Human => shown::not_made(&problem, style()),
                    BatchOutput::Json => json::render(&problem, false),
                }
            }
        };
        if output::talks() {
            output::tell(&format!("\r{} of {total} ", self.outcomes.len() + self.failed));
        }
        output::hand_over(text.as_bytes()).unwrap_or_else(|error| {
            self.trouble.get_or_insert(error);
            false
        })
    }

    fn status(&self) -> u8 {
        let has = |wanted: &[Outcome]| self.outcomes.iter().any(|outcome| wanted.contains(outcome));
        if self.interrupted {
            exit::INTERRUPTED
        } else if has(&[Outcome::Disagree, Outcome::Stale]) {
            Outcome::Disagree.exit_code()
        } else if has(&[Outcome::Inconclusive]) || self.failed > 0 {
            Outcome::Inconclusive.exit_code()
        } else {
            exit::SUCCESS
        }
    }
}
