//! `--pcap` and `--hep`: what went over the wire, each message with what was decided about it, as evidence for other programs. Taken
//! from the drivers by a thread of its own, so that no exchange waits for a disk. Not for what is said about an exchange in the report.

mod frame;
mod hep;
mod pcapng;
mod sink;

use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use sip_net::{Tap, tap};

use self::hep::Collector;
use self::pcapng::Book;
use self::sink::Sink;
use crate::args::capture::CaptureArgs;
use crate::failure::Failure;
use crate::{output, secret};

/// A capture that runs.
#[derive(Debug)]
pub(crate) struct Capture {
    tap: Tap,
    ended: Receiver<Vec<String>>,
    /// What is to be said when the thread does not come to an end, which only the file can be guilty of.
    hung: String,
}

/// What to do when messages come faster than they can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Volume {
    /// Few come, and none is left out as long as the disk does not hang.
    Few,
    /// Many come, and none of them waits: what finds no room is left out and counted.
    Many,
}

impl Capture {
    /// Opens what the options name. `None` when they name nothing.
    ///
    /// # Errors
    /// [`Failure::Usage`], which names the option; nothing was sent then.
    pub(crate) fn start(args: &CaptureArgs, volume: Volume) -> Result<Option<Self>, Failure> {
        if args.pcap.is_none() && args.hep.is_none() {
            return if args.include_credentials { Err(without_aim()) } else { Ok(None) };
        }
        let collector = args.hep.as_deref().map(|place| Collector::open(place, args.hep_id)).transpose();
        let collector = collector.map_err(Failure::Usage)?;
        let book = args
            .pcap
            .as_deref()
            .map(|path| Book::create(path, args.include_credentials))
            .transpose();
        let book = book.map_err(Failure::Usage)?;
        if args.include_credentials {
            output::tell(&disclosure(args));
        }
        let (room, patience) = match volume {
            Volume::Few => (SMALL_ROOM, PATIENCE),
            Volume::Many => (LARGE_ROOM, Duration::ZERO),
        };
        let (tap, outlet) = tap(room, patience);
        let (sender, ended) = mpsc::channel();
        let sink = Sink::new(book, collector, args.include_credentials);
        let work = move || {
            // Nobody waits for it any more when it has taken too long.
            let _ = sender.send(sink.run(&outlet));
        };
        thread::Builder::new().name("capture".to_owned()).spawn(work)?;
        Ok(Some(Self {
            tap,
            ended,
            hung: hung(args),
        }))
    }

    /// Where drivers leave their messages.
    pub(crate) fn tap(&self) -> Tap {
        self.tap.clone()
    }

    /// Writes what has been handed over, and says what is missing. It changes nothing about the exit status.
    pub(crate) fn finish(self) {
        self.tap.close();
        let troubles = self.ended.recv_timeout(FINISH_WITHIN).unwrap_or_else(|_| vec![self.hung]);
        for trouble in troubles {
            output::tell(&format!("warning: {trouble}\n"));
        }
    }
}

fn without_aim() -> Failure {
    Failure::Usage("--include-credentials belongs to --pcap or --hep; add one of them, or leave it out".to_owned())
}

/// Said where secrets go out.
fn disclosure(args: &CaptureArgs) -> String {
    let file = args.pcap.as_deref().map(|path| format!("{} holds them", secret::shown(path)));
    let collector = args
        .hep
        .as_deref()
        .map(|place| format!("they go in clear to {}", sip_message::printable(place.as_bytes())));
    let places = [file, collector].into_iter().flatten().collect::<Vec<_>>().join(", and ");
    format!("warning: --include-credentials: passwords can be guessed from digests; {places}\n")
}

fn hung(args: &CaptureArgs) -> String {
    let file = args.pcap.as_deref().map(|path| format!(" {}", secret::shown(path)));
    format!(
        "--pcap{}: what takes the capture hangs, and its end is missing",
        file.unwrap_or_default()
    )
}

/// Bytes that may wait to be written, where few are expected.
const SMALL_ROOM: usize = 4 << 20;
/// The same for many registrations: some tens of thousands of messages.
const LARGE_ROOM: usize = 32 << 20;
/// How long an exchange may be held up by a disk that hangs, once.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the end of a run may be.
const FINISH_WITHIN: Duration = Duration::from_secs(2);
