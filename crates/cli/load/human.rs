//! What a load measured, for people: one screen and a verdict.

use crate::load::report::{KeepAlive, LoadReport, Percentiles, RemovalReport, Storm};
use crate::output::style::{Style, Tone};
use crate::output::table::table;
use crate::output::text::{counted, safe, wrapped};

/// Writes the report.
pub(crate) fn render(report: &LoadReport, style: Style) -> String {
    let mut text = style.paint(
        Tone::Strong,
        &format!("{}  via {} {}", safe(&report.aor), report.transport, report.target),
    );
    text += "\n\n";
    text += &counts(report);
    text += &causes(report);
    text.push('\n');
    text += &latencies(report);
    if is_uneven(report) {
        text.push('\n');
        text += &parts(report);
    }
    if let Some(kept) = &report.keep_alive {
        text.push('\n');
        text += &keep_alive(kept);
    }
    if let Some(storm) = &report.storm {
        text.push('\n');
        text += &back(storm, report.users);
    }
    text.push('\n');
    text += &client(report);
    if let Some(removal) = &report.removal {
        text += &removed(removal);
    }
    text.push('\n');
    text + &verdict(report, style)
}

/// Whether the parts of the time say more than all of it: the rate changed, or something failed or had to be sent again.
fn is_uneven(report: &LoadReport) -> bool {
    let rates: Vec<_> = report.parts.iter().filter_map(|part| part.ordered_per_second).collect();
    let (least, most) = rates
        .iter()
        .fold((f64::MAX, 0.0_f64), |(least, most), &rate| (least.min(rate), most.max(rate)));
    rates.len() > 1 && (most > least * 1.1 || report.achieved.failed > 0 || report.retransmissions > 0)
}

/// One line: what it is, how many, and how many a second.
fn row(what: &str, count: u64, per_second: Option<f64>, note: &str) -> String {
    let rate = per_second.map(|rate| format!("{rate:.1}/s")).unwrap_or_default();
    let line = format!("  {what:<14}{count:>12}  {rate:>14}   {note}");
    line.trim_end().to_owned() + "\n"
}

fn counts(report: &LoadReport) -> String {
    let (offered, achieved) = (&report.offered, &report.achieved);
    let users = counted(report.users as usize, "user");
    let time = if report.interrupted {
        format!("{:.1} s of {:.1} s", report.took_s, report.duration_s)
    } else {
        format!("{:.1} s", report.duration_s)
    };
    let how = match report.mode {
        "keep_alive" => format!("{users}, each kept for the rest of {time}"),
        "storm" => format!("{users}, all at once"),
        _ => format!("{users}, for {time}"),
    };
    let mut text = row("offered", offered.registrations, offered.per_second, &how);
    if offered.held_back > 0 {
        text += &row("held back", offered.held_back, None, "ordered late, when somebody became free");
    }
    if offered.not_given > 0 {
        text += &row("not ordered", offered.not_given, None, "before the time was over");
    }
    text += &row("registered", achieved.registrations, achieved.per_second, "");
    text += &row("failed", achieved.failed, None, "");
    if achieved.unfinished > 0 {
        text += &row("unfinished", achieved.unfinished, None, "when the time was over");
    }
    text += &row("requests", report.requests, None, &format!("{} sent again", report.retransmissions));
    text
}

fn causes(report: &LoadReport) -> String {
    let mut text = String::new();
    for cause in &report.causes {
        let code = cause.sip_code.map(|code| format!("  ({code})")).unwrap_or_default();
        text += &format!("    {:>10}  {}{code}\n", cause.count, cause.cause);
    }
    if text.is_empty() {
        return text;
    }
    format!("\n  why they failed (regprobe explain WORD)\n{text}")
}

fn shown(millis: Option<f64>) -> String {
    match millis {
        None => "–".to_owned(),
        Some(millis) if millis < 10.0 => format!("{millis:.2}"),
        Some(millis) if millis < 100.0 => format!("{millis:.1}"),
        Some(millis) => format!("{millis:.0}"),
    }
}

fn latency_row(what: &str, latency: &Percentiles) -> [String; 6] {
    let Percentiles { p50, p90, p99, p999, max } = latency;
    [format!(" {what}"), shown(*p50), shown(*p90), shown(*p99), shown(*p999), shown(*max)]
}

fn latencies(report: &LoadReport) -> String {
    let rows = [
        latency_row("from when it was due", &report.latency_ms),
        latency_row("from when it was sent", &report.service_ms),
    ];
    table([" milliseconds", "p50", "p90", "p99", "p99.9", "max"], &rows)
}

fn parts(report: &LoadReport) -> String {
    let row = |part: &crate::load::report::Part| {
        [
            format!(" {:.1}–{:.1}", part.from_s, part.to_s),
            part.ordered_per_second.map(|rate| format!("{rate:.0}")).unwrap_or_default(),
            part.registered.to_string(),
            part.failed.to_string(),
            part.retransmissions.to_string(),
            shown(part.latency_ms.p50),
            shown(part.latency_ms.p99),
            shown(part.latency_ms.max),
        ]
    };
    let rows: Vec<_> = report.parts.iter().map(row).collect();
    table(
        [
            " seconds",
            "ordered/s",
            "registered",
            "failed",
            "sent again",
            "p50 ms",
            "p99 ms",
            "max ms",
        ],
        &rows,
    )
}

fn keep_alive(kept: &KeepAlive) -> String {
    let mut text = row("held", kept.held, None, "bindings that stood at the end");
    text += &row("lapsed", kept.lapses, None, "bindings that ran out before they were refreshed");
    text += &row("refreshes", kept.refreshes, None, &spread(kept));
    let windows: Vec<_> = kept.windows.iter().map(u64::to_string).collect();
    if !windows.is_empty() {
        text += &wrapped(&format!("  in {:.0}-s windows  ", kept.window_s), &windows.join(" "));
    }
    text + &table(
        [" milliseconds", "p50", "p90", "p99", "p99.9", "max"],
        &[latency_row("of a refresh", &kept.refresh_ms)],
    )
}

fn spread(kept: &KeepAlive) -> String {
    match kept.unevenness_percent {
        Some(percent) => format!("no steady window is further than {percent:.1} % from their mean"),
        None => "too short to say how evenly".to_owned(),
    }
}

fn back(storm: &Storm, users: u32) -> String {
    let when = |seconds: Option<f64>| seconds.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.2} s"));
    format!(
        "  back          {} of {users}, first tries within {:.1} s\n  50 % after    {}\n  90 % after    {}\n  all after     {}\n",
        storm.back,
        storm.jitter_s,
        when(storm.half_back_s),
        when(storm.most_back_s),
        when(storm.all_back_s),
    )
}

fn client(report: &LoadReport) -> String {
    let client = &report.client;
    let each = client
        .cpu_per_exchange_us
        .map(|each| format!(", {each:.1} µs an exchange"))
        .unwrap_or_default();
    let cpu = client.cpu_user_s + client.cpu_system_s;
    let mut text = format!(
        "  this client   {cpu:.2} s of processor time (user {:.2}, system {:.2}){each}\n",
        client.cpu_user_s, client.cpu_system_s
    );
    let memory = client
        .peak_memory_bytes
        .map(|bytes| format!("{} MiB of memory", bytes.div_ceil(1 << 20)));
    let drops = (client.receive_drops > 0).then(|| format!("{} datagrams lost at a full receive buffer of ours", client.receive_drops));
    let more: Vec<String> = memory.into_iter().chain(drops).collect();
    if !more.is_empty() {
        text += &format!("                {}\n", more.join("; "));
    }
    text
}

fn removed(removal: &RemovalReport) -> String {
    let mut text = format!(
        "{} of {} bindings removed in {:.1} s",
        removal.removed, removal.bound, removal.took_s
    );
    if removal.failed > 0 {
        text += &format!("; {} could not be removed", removal.failed);
    }
    if removal.left > 0 {
        text += &format!("; {} were left to run out", removal.left);
    }
    wrapped("  afterwards    ", &text)
}

fn verdict(report: &LoadReport, style: Style) -> String {
    let achieved = &report.achieved;
    let what = match report.mode {
        "keep_alive" => "stayed registered",
        "storm" => "are back",
        _ => "registered",
    };
    let share = format!("{} % {what}", trimmed(achieved.share_percent));
    let wanted = if achieved.wanted_percent < 100.0 || !report.succeeded() {
        format!(" ({} % were wanted)", trimmed(achieved.wanted_percent))
    } else {
        String::new()
    };
    let (tone, sign) = match (report.interrupted, report.succeeded()) {
        (true, _) => (Tone::Doubtful, "■ interrupted: "),
        (false, true) => (Tone::Good, "✔ "),
        (false, false) => (Tone::Bad, "✘ "),
    };
    style.paint(tone, &format!("{sign}{share}{wanted}")) + "\n"
}

/// `99.5` and `100`, not `100.000`.
fn trimmed(percent: f64) -> String {
    let text = format!("{percent:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sip_registration::Cause;

    use super::*;
    use crate::load::report::Circumstances;
    use crate::load::samples::job;
    use crate::load::tally::Tally;
    use crate::load::usage::Processor;

    fn text(line: &str, change: impl FnOnce(&mut Tally)) -> String {
        shown(line, false, change)
    }

    fn shown(line: &str, interrupted: bool, change: impl FnOnce(&mut Tally)) -> String {
        let job = job(line);
        let mut tally = Tally::new(job.schedule.slices());
        change(&mut tally);
        let circumstances = Circumstances {
            target: ([10, 0, 0, 1], 5060).into(),
            started_at: String::new(),
            interrupted,
            processor: Processor::default(),
            peak_memory: None,
            drops: 7,
        };
        let text = render(&LoadReport::assemble(&job, &tally, circumstances), Style::Plain);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        text
    }

    #[test]
    fn what_went_wrong_has_its_lines_and_what_did_not_has_none() {
        let quiet = text("u{n}@10.0.0.1 --users 2", |tally| {
            (tally.offered, tally.given, tally.registered) = (5, 5, 5);
        });
        for absent in [
            "held back",
            "not ordered",
            "unfinished",
            "why they failed",
            "ordered/s",
            "lapsed",
            "50 %",
        ] {
            assert!(!quiet.contains(absent), "{absent}: {quiet}");
        }
        assert!(quiet.ends_with("✔ 100 % registered\n"), "{quiet}");
        let loud = text("u{n}@10.0.0.1 --users 2 --share 90", |tally| {
            (tally.offered, tally.given, tally.held_back, tally.registered) = (10, 8, 3, 6);
            tally.failed(Cause::Rejected, Some(480));
            tally.unfinished = 1;
            tally.removal.bound = 9;
            tally.removal.failed = 4;
        });
        for part in [
            "held back",
            "not ordered",
            "unfinished",
            "         1  rejected  (480)\n",
            "7 datagrams",
            "4 could not be removed; 5 were left to run out",
            "✘ 60 % registered (90 % were wanted)\n",
        ] {
            assert!(loud.contains(part), "{part}: {loud}");
        }
    }

    #[test]
    fn a_load_that_was_interrupted_shows_only_the_time_that_it_had() {
        let cut = shown("u{n}@10.0.0.1 --users 9 --rate 1/s --duration 1m", true, |tally| {
            (tally.offered, tally.given, tally.registered) = (13, 13, 12);
            tally.took = Duration::from_secs(13);
            tally.failed(Cause::NoReply, None);
        });
        assert!(cut.contains("9 users, for 13.0 s of 60.0 s\n"), "{cut}");
        assert!(cut.contains("\n  12.0–13.0 ") && !cut.contains("\n  18.0–"), "{cut}");
    }

    #[test]
    fn kept_registrations_and_storms_have_their_own_lines() {
        let kept = text("u{n}@10.0.0.1 --users 2 --keep-alive", |tally| {
            tally.keeping.held = 2;
            (0..40).for_each(|window| tally.keeping.refreshed(Duration::from_secs(window * 10), Duration::from_millis(3)));
        });
        assert!(
            kept.contains("in 10-s windows  1 1 1") && kept.contains("✔ 100 % stayed registered"),
            "{kept}"
        );
        let storm = text("u{n}@10.0.0.1 --users 2 --storm", |tally| {
            tally.back.record(Duration::from_millis(1500))
        });
        assert!(
            storm.contains("50 % after    1.50 s") && storm.contains("all after     never") && storm.contains("✘ 50 % are back"),
            "{storm}"
        );
    }
}
