//! `regprobe watch`: keeps the accounts of a list registered, in the foreground, until somebody ends it. Shows how they stand as a live
//! table on a terminal, or as one JSON line for each change (docs/watch.md). What keeps them registered is `sip-registration`'s core.

mod display;
mod entry;
pub(crate) mod lines;
mod list;
mod model;
mod moment;
mod reconcile;
#[cfg(test)]
mod samples;
mod screen;
mod session;
mod signals;
mod terminal;

use std::env;
use std::io::{self, IsTerminal as _};
use std::num::NonZeroU32;
use std::sync::Arc;

use sip_net::Network;
use sip_net::fleet::Fleet;
use sip_registration::{Admission, Policy};

use self::display::Display;
use self::entry::Entry;
use self::list::List;
use self::model::Model;
use self::session::{Departure, Ended, Session, Terms};
use self::signals::Signals;
use self::terminal::Screen;
use crate::args::watch::{Watch, WatchOutput};
use crate::capture::{Capture, Volume};
use crate::failure::Failure;
use crate::run::{check_files, drive};
use crate::secret::Surroundings;
use crate::{exit, identity, left_behind, plan, style};

/// Keeps the accounts of a list registered until somebody ends it; the exit status.
///
/// # Errors
/// [`Failure`] when the list cannot be used, or when our own side cannot go on.
pub(crate) fn run(args: &Watch, surroundings: Surroundings) -> Result<u8, Failure> {
    let options = plan::way_of_all(&args.accounts)?;
    check_files(&options.tls)?;
    let list = List::new(&args.accounts, surroundings)?;
    let entries = list.read().map_err(Failure::Usage)?;
    let policy = Policy {
        maintain: true,
        retry_base: args.retry,
        keep_alive: args.keep_alives(),
        admission: Admission::paced(NonZeroU32::MIN, args.rate.interval()),
        ..options.policy
    };
    let capture = Capture::start(&args.capture, Volume::Many)?;
    let network = Network {
        local: options.local,
        // One binding in every run, also when an earlier one could not remove its own.
        favourite_port: entries.first().map(|entry| identity::favourite_port(&entry.account.aor)),
        tls: options.tls,
        dns: options.dns,
        timeout: policy.timeout,
        tap: capture.as_ref().map(Capture::tap),
    };
    let ended = drive(watch(args, &list, entries, policy, network));
    capture.into_iter().for_each(Capture::finish);
    let ended = ended??;
    left_behind::tell(&ended.left_behind);
    Ok(status(&ended))
}

async fn watch(args: &Watch, list: &List<'_>, entries: Vec<Entry>, policy: Policy, network: Network) -> Result<Ended, Failure> {
    // Whoever ends it from now on ends it in good manners.
    let signals = Signals::listen()?;
    let fleet = Fleet::start(args.shards, &policy, &network).map_err(io::Error::other)?;
    let terms = Terms {
        verbose: args.verbose,
        keep: args.accounts.binding.keep,
        pace: args.rate.interval(),
    };
    let is_screen = args.output == WatchOutput::Auto && is_for_people();
    let model = Model::new(list.name(), Arc::new(policy), if is_screen { MEMORY } else { 0 });
    let (display, inputs) = if is_screen {
        let (screen, inputs) = Screen::open(style())?;
        (Display::Screen(Box::new(screen)), Some(inputs))
    } else {
        (Display::Lines, None)
    };
    let session = Session::new(fleet, model, display, terms, || list.read_again());
    session.run(entries, signals, inputs).await
}

/// Whether standard output is a terminal that can show more than lines.
fn is_for_people() -> bool {
    io::stdout().is_terminal() && env::var_os("TERM").is_some_and(|term| term != "dumb")
}

fn status(ended: &Ended) -> u8 {
    match ended.departure {
        Departure::Interrupted => exit::INTERRUPTED,
        Departure::Asked if ended.left_behind.is_empty() => exit::SUCCESS,
        Departure::Asked => exit::LEFT_BEHIND,
    }
}

/// How many exchanges are remembered for the detail of accounts; some hundred megabytes at most.
const MEMORY: usize = 20_000;
