//! `--every-target`: each target of the location plan (RFC 3263) probed by itself, and one report of them all. Not for failover, which
//! is the core's.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use sip_registration::{Account, Arrow, Attempt, Ending, Goal, LadderStep, Report, TargetReport};

use crate::probe::{Options, Stop, probe_one};

/// Looks up, then probes one target after the other. The report's state is that of the worst one.
pub(crate) async fn probe<F: Future<Output = ()>, H: Future<Output = ()>>(
    account: Account,
    options: &Options,
    stop: &mut Stop<'_, F, H>,
) -> Report {
    let look_up = Options {
        goal: Goal::Locate,
        ..options.clone()
    };
    let (mut located, attempt) = probe_one(Arc::new(account.clone()), &look_up, stop).await;
    located.goal = options.goal.name();
    if attempt.ending != Ending::Succeeded {
        return located;
    }
    let mut reports = Vec::new();
    for target in targets(&attempt) {
        if stop.until.is_some() {
            break;
        }
        let pinned = Account {
            target: Some(target.into()),
            ..account.clone()
        };
        let (report, own) = probe_one(Arc::new(pinned), options, stop).await;
        reports.push((own.started_at.saturating_duration_since(attempt.started_at), report));
    }
    merge(located, &reports)
}

fn targets(attempt: &Attempt) -> impl Iterator<Item = sip_registration::locate::Target> {
    attempt.targets.iter().map(|tried| tried.target.clone())
}

/// One report of many, each with the time from the beginning to its own. Counts and steps are those of all, everything else is the worst one's.
fn merge(located: Report, begun: &[(Duration, Report)]) -> Report {
    let reports = || begun.iter().map(|(_, report)| report);
    let good = reports().filter(|report| report.exit_code() == 0).count();
    // Among equally bad ones the first, which a phone would try first.
    let worst = reports()
        .rev()
        .max_by_key(|report| (report.exit_code() > 0, report.state_code))
        .cloned();
    let Some(mut merged) = worst else {
        return located;
    };
    let summary = format!("{good} of {} targets good", located.network.targets.len());
    merged.detail = match (&merged.network.server, merged.exit_code()) {
        (Some(server), 1..) => format!("{summary}; {server}: {}", merged.detail),
        (_, _) => summary,
    };
    merged.started_at = located.started_at;
    merged.requests = reports().map(|report| report.requests).sum();
    merged.retransmissions = reports().map(|report| report.retransmissions).sum();
    merged.may_be_bound_until = reports().filter_map(|report| report.may_be_bound_until).max();
    merged.phases_ms.dns = located.phases_ms.dns;
    merged.phases_ms.total =
        Some(located.phases_ms.total.unwrap_or(0.0) + reports().filter_map(|report| report.phases_ms.total).sum::<f64>());
    merged.findings.clear();
    for finding in reports().flat_map(|report| &report.findings) {
        if !merged.findings.contains(finding) {
            merged.findings.push(finding.clone());
        }
    }
    merged.findings.sort_by_key(|finding| Reverse(finding.severity));
    merged.network.targets = Vec::new();
    merged.ladder.clone_from(&located.ladder);
    merged.transcript.clone_from(&located.transcript);
    // Those that the user did not wait for stay as they were located.
    let mut places = located.network.targets.iter();
    for (after, report) in begun {
        append(&mut merged, report, after.as_secs_f64() * 1000.0, places.next());
    }
    merged.network.targets.extend(places.cloned());
    merged
}

/// Adds one target's own report, its steps counted from the beginning of them all.
fn append(merged: &mut Report, report: &Report, offset: f64, place: Option<&TargetReport>) {
    for target in &report.network.targets {
        merged.network.targets.push(TargetReport {
            source: place.map_or(target.source, |place| place.source),
            state_code: Some(report.state_code),
            phases_ms: Some(report.phases_ms.clone()),
            ..target.clone()
        });
        merged.ladder.push(LadderStep {
            at_ms: offset,
            arrow: Arrow::Local,
            what: format!("target {}", merged.network.targets.len()),
            note: format!("{} {}", target.transport, target.address),
        });
    }
    merged.ladder.extend(report.ladder.iter().map(|step| LadderStep {
        at_ms: step.at_ms + offset,
        ..step.clone()
    }));
    if let Some(transcript) = &mut merged.transcript {
        let entries = report.transcript.iter().flatten().cloned();
        transcript.extend(entries.map(|entry| sip_registration::TranscriptEntry {
            at_ms: entry.at_ms + offset,
            ..entry
        }));
    }
}
