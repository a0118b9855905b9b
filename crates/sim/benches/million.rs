//! A million registrations, registered within a minute and kept for an hour of virtual time, in one registrant and on one thread: what
//! it takes in processor time and memory. `cargo bench -p sip-sim --bench million [-- REGISTRATIONS]`. Exits 1 when one of them lapses.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use sip_registration::Policy;
use sip_sim::Multitude;

fn main() -> ExitCode {
    // cargo says `--bench` when it measures; when it only tests that the benchmark runs, a few are enough.
    let usual = if std::env::args().any(|argument| argument == "--bench") {
        1_000_000
    } else {
        1000
    };
    let registrations: u32 = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(usual);
    let (began_at, before) = (processor_time(), peak_kibibytes());
    let measured = || (processor_time() - began_at, peak_kibibytes());
    let mut lines = Multitude::new(1, registrations, Policy::default());
    let added = measured();
    lines.register_within(Duration::from_secs(60));
    let registered = measured();
    lines.run_for(Duration::from_secs(3600));
    let kept = measured();

    let tally = lines.tally();
    let each = |kibibytes: u64| (kibibytes - before) * 1024 / u64::from(registrations);
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| writeln!(out, "{line}").expect("standard output can be written to");
    for (what, (time, peak)) in [("added", added), ("registered", registered), ("kept for an hour", kept)] {
        let (seconds, mebibytes) = (time.as_secs_f64(), peak / 1024);
        say(format!(
            "{what:<18}{seconds:8.2} s of processor time, peak {mebibytes:5} MiB, {:5} bytes a registration",
            each(peak)
        ));
    }
    say(format!(
        "registered {}, refreshed {}, failed {}, lapsed {}",
        tally.registered, tally.refreshes, tally.failures, tally.lapses
    ));
    // The minutes of the first refreshes, but for the first and the last one.
    let minutes = tally.by_minute.get(31..54).unwrap_or_default();
    let (least, most) = (minutes.iter().min(), minutes.iter().max());
    say(format!(
        "refreshes a minute, from minute 31 to 54: {} to {}",
        least.unwrap_or(&0),
        most.unwrap_or(&0)
    ));
    let all_are_well = tally.registered == u64::from(registrations) && tally.failures == 0 && tally.lapses == 0;
    ExitCode::from(u8::from(!all_are_well))
}

/// What the only thread has computed so far; nothing where the system does not say.
fn processor_time() -> Duration {
    let statistics = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split_whitespace().next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// The most that the process has had in memory so far; 0 where the system does not say.
fn peak_kibibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
