//! The progress bar on standard error, for whoever looks on: done, rate, registered, failed by cause, time left. Nothing when standard
//! error is no terminal.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::tally::Tally;
use crate::output;

/// A progress bar, or nothing.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For a list of accounts; counts its rows first, where that is cheap.
    pub(super) fn of(list: &Path) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = rows_of(list).map_or_else(ProgressBar::no_length, ProgressBar::new);
            let known = bar.length().is_some();
            let template = if known {
                "{bar:20} {pos}/{len}  {wide_msg}  {eta} left"
            } else {
                "{spinner} {pos}  {wide_msg}"
            };
            let style = ProgressStyle::with_template(template).expect("the template is right");
            bar.set_style(style.progress_chars("█▌░"));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar }
    }

    /// Shows where the run is.
    pub(super) fn show(&self, tally: &Tally) {
        if let Some(bar) = &self.bar {
            bar.set_position(tally.come());
            bar.set_message(format!("{:.0}/s  {}", bar.per_sec(), words(tally)));
        }
    }

    /// Writes something else, on lines of its own.
    pub(super) fn apart<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Makes room for a question on the terminal, or goes on after it.
    pub(super) fn pause(&self, paused: bool) {
        if let Some(bar) = &self.bar {
            if paused {
                bar.set_draw_target(ProgressDrawTarget::hidden());
                // What was drawn last would stay.
                output::tell("\r\x1b[2K");
            } else {
                bar.set_draw_target(ProgressDrawTarget::stderr());
            }
        }
    }

    /// Takes the bar off the terminal.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `1234 registered, 7 failed: 5 wrong_credentials, 2 no_reply`.
fn words(tally: &Tally) -> String {
    let mut reasons: Vec<_> = tally.by_reason.iter().collect();
    reasons.sort_by_key(|(why, count)| (std::cmp::Reverse(**count), **why));
    let named: Vec<String> = reasons
        .iter()
        .take(3)
        .map(|(why, count)| format!("{count} {}", why.name()))
        .collect();
    let failed: u64 = tally.by_reason.values().sum();
    let registered = format!("{} registered", tally.registered);
    if failed == 0 {
        registered
    } else {
        format!("{registered}, {failed} not: {}", named.join(", "))
    }
}

/// How many rows a file has, as far as its lines tell; `None` for what is no file. It is for the eye only: a quoted line end counts too.
fn rows_of(list: &Path) -> Option<u64> {
    let file = File::open(list)
        .ok()
        .filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()))?;
    let is_toml = list.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml"));
    let is_json = list
        .extension()
        .is_some_and(|end| end.to_string_lossy().to_ascii_lowercase().contains("json"));
    let mut lines = BufReader::with_capacity(64 * 1024, file);
    let (mut rows, mut starts_line) = (0_u64, true);
    loop {
        let buffer = lines.fill_buf().ok()?;
        if buffer.is_empty() {
            break;
        }
        for part in buffer.split_inclusive(|&byte| byte == b'\n') {
            let counts = if is_toml {
                part.starts_with(b"[[account]]")
            } else {
                !part.starts_with(b"#") && part.iter().any(|byte| !byte.is_ascii_whitespace())
            };
            rows += u64::from(starts_line && counts);
            starts_line = part.ends_with(b"\n");
        }
        let read = buffer.len();
        lines.consume(read);
    }
    Some(if is_toml || is_json { rows } else { rows.saturating_sub(1) })
}

/// How often the bar moves.
const TICK: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use sip_registration::Cause;

    use super::*;
    use crate::bulk::line::Why;

    #[test]
    fn the_rows_of_a_file_are_counted_by_its_lines() {
        let folder = std::env::temp_dir();
        for (end, text, rows) in [
            ("csv", "# c\naor\na@h\n\nb@h", 2),
            ("jsonl", "{}\n{}\n", 2),
            ("toml", "[defaults]\n[[account]]\naor = \"[[account]]\"\n[[account]]\n", 2),
            ("txt", "", 0),
        ] {
            let path = folder.join(format!("regprobe-count-{}.{end}", std::process::id()));
            std::fs::write(&path, text).unwrap();
            assert_eq!(rows_of(&path), Some(rows), "{text}");
            std::fs::remove_file(&path).unwrap();
        }
        assert_eq!(rows_of(Path::new("-")), None);
        assert_eq!(rows_of(&folder), None);
    }

    #[test]
    fn the_most_frequent_reasons_are_named() {
        let mut tally = Tally::default();
        assert_eq!(words(&tally), "0 registered");
        for why in [
            Cause::NoReply,
            Cause::Forbidden,
            Cause::NoReply,
            Cause::UnknownUser,
            Cause::Overloaded,
        ] {
            tally.take(None, Some(Why::Cause(why)), None);
        }
        assert_eq!(words(&tally), "0 registered, 5 not: 2 no_reply, 1 forbidden, 1 unknown_user");
    }
}
