//! One account: how it stands, and its last exchanges with ladder, cause, explanation and what to do.

use std::time::Instant;

use ratatui::text::{Line, Span};
use sip_registration::{Arrow, Ending, LadderStep, Report, Word};

use super::{list, span, tone};
use crate::output::style::{Style, Tone};
use crate::output::text::{padded, safe, wrapped_to};
use crate::watch::model::{Model, Past, Row};

/// All of it, line by line; none when there is no account.
pub(super) fn lines(model: &Model, now: Instant, style: Style, width: usize) -> Vec<Line<'static>> {
    let Some((_, row)) = model.selected() else {
        return Vec::new();
    };
    let mut lines = standing(row, now, style);
    for past in &row.history {
        lines.push(Line::default());
        lines.extend(exchange(row, past, model, style, width));
    }
    if row.history.is_empty() {
        lines.extend([Line::default(), Line::from("no exchange is over yet")]);
    }
    lines
}

fn standing(row: &Row, now: Instant, style: Style) -> Vec<Line<'static>> {
    let account = &row.entry.account;
    let state = row.shown_state();
    let since = span::ago(now.saturating_duration_since(row.settled.since));
    let way = account
        .outbound_proxy
        .as_ref()
        .map(|proxy| format!(" via {proxy}"))
        .unwrap_or_default();
    let aor = row
        .entry
        .name
        .as_ref()
        .map(|_| format!(" {}", safe(account.aor.as_str())))
        .unwrap_or_default();
    let binding = match row.valid_until {
        Some(until) => format!("bound for {} more", span::countdown(until.saturating_duration_since(now))),
        None => "not bound".to_owned(),
    };
    let next = match (row.busy.is_some(), row.waits_for_operator, row.next_at) {
        (true, _, _) => "an exchange is under way".to_owned(),
        (false, true, _) => "waits for you: r tries again".to_owned(),
        (false, false, None) if row.waits_for_admission => "waits for its turn at the registrar".to_owned(),
        (false, false, Some(at)) => format!("next exchange in {}", span::countdown(at.saturating_duration_since(now))),
        (false, false, None) => "nothing more by itself".to_owned(),
    };
    vec![
        Line::from(vec![
            tone::span(style, Tone::Strong, row.entry.title()),
            Span::raw(format!(
                "{aor} at {}{} (line {})",
                safe(account.registrar.as_str()),
                safe(&way),
                row.entry.line
            )),
        ]),
        Line::from(vec![
            tone::span(style, tone::of(state), list::word(state)),
            Span::raw(format!(" for {since} · {binding} · {next}")),
        ]),
    ]
}

fn exchange(row: &Row, past: &Past, model: &Model, style: Style, width: usize) -> Vec<Line<'static>> {
    let report = row.report(past, model.policy());
    let way = match (report.transport, &report.network.server) {
        (Some(transport), Some(server)) => format!(" via {transport} {}", safe(server)),
        (_, _) => String::new(),
    };
    let title = format!("{} at {:.3}{way}", report.goal, past.started_at);
    let mut lines = vec![Line::from(tone::span(style, Tone::Strong, title))];
    lines.extend(report.ladder.iter().map(|step| ladder_line(step, style)));
    match past.attempt.ending {
        Ending::Succeeded => lines.push(Line::from(tone::span(style, Tone::Good, format!("  ✔ {}", safe(&report.detail))))),
        Ending::Interrupted => lines.push(Line::from(tone::span(style, Tone::Doubtful, "  ✗ interrupted"))),
        Ending::Failed(_) => lines.extend(failure(&report, style, width)),
    }
    lines
}

fn ladder_line(step: &LadderStep, style: Style) -> Line<'static> {
    let (arrow, tone) = match step.arrow {
        Arrow::Sent => ("→", Tone::Strong),
        Arrow::Received => ("←", Tone::Strong),
        Arrow::Local => ("·", Tone::Faint),
        Arrow::Failed => ("✗", Tone::Bad),
    };
    Line::from(vec![
        Span::raw(format!("{:8.1} ms  ", step.at_ms)),
        tone::span(style, tone, arrow),
        Span::raw(format!("  {}  {}", padded(&safe(&step.what), WHAT), safe(&step.note))),
    ])
}

/// The width of a step's name.
const WHAT: usize = 22;

fn failure(report: &Report, style: Style, width: usize) -> Vec<Line<'static>> {
    let Some(cause) = report.cause else { return Vec::new() };
    let explanation = Word::Cause(cause).explanation();
    let title = format!("  ✘ {} (state {}, {cause})", list::word(report.state), report.state_code);
    let mut text = wrapped_to(width, "  ", &safe(&report.detail));
    for (at, likely) in explanation.likely.iter().enumerate() {
        text += &wrapped_to(width, if at == 0 { "  likely  - " } else { "          - " }, likely);
    }
    text += &wrapped_to(width, "  next    ", &safe(report.advice.as_deref().unwrap_or(explanation.todo)));
    let body = text.lines().map(|line| Line::from(line.to_owned())).collect::<Vec<_>>();
    [Line::from(tone::span(style, Tone::Bad, title))].into_iter().chain(body).collect()
}
