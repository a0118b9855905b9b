//! The live table: a function of the model, the moment and the size of the screen. It decides nothing and keeps nothing; keys are the
//! model's, the terminal itself is `terminal`'s.

mod detail;
mod help;
mod list;
mod span;
#[cfg(test)]
mod tests;
mod tone;

use std::time::Instant;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style as Look;
use ratatui::text::{Line, Span};
use sip_registration::State;

use super::model::{Mode, Model};
use crate::output::style::{Style, Tone};
use crate::output::text::counted;

/// Fits what is looked at to a screen of this size. To be called before [`draw`], and before a key is taken.
pub(crate) fn fit(model: &mut Model, width: u16, height: u16, now: Instant) {
    let body = usize::from(height.saturating_sub(HEADER + FOOTER));
    model.fit(body.saturating_sub(list::HEADING));
    if matches!(model.view.mode, Mode::Detail { .. }) {
        let lines = detail::lines(model, now, Style::Plain, usize::from(width)).len();
        model.fit_detail(lines, body);
    }
}

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, now: Instant, style: Style) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    let body = Rect {
        y: area.y + HEADER.min(area.height.saturating_sub(FOOTER)),
        height: area.height.saturating_sub(HEADER + FOOTER),
        ..area
    };
    put(buffer, area, 0, heading(model, style));
    put(buffer, area, 1, totals(model, area.width, style));
    match model.view.mode {
        Mode::List | Mode::Filter => list::draw(buffer, body, model, now, style),
        Mode::Detail { scrolled } => {
            let lines = detail::lines(model, now, style, usize::from(area.width));
            put_all(buffer, body, lines.into_iter().skip(scrolled));
        }
        Mode::Help => put_all(buffer, body, help::lines(style).into_iter()),
    }
    if area.height > FOOTER {
        put(buffer, area, area.height - FOOTER, remark(model, now, style));
        put(buffer, area, area.height - 1, keys(model, style));
    }
}

/// The lines above what the mode fills.
const HEADER: u16 = 2;
/// The lines below it.
const FOOTER: u16 = 2;

/// `regprobe watch · accounts.toml · 12 accounts · 1 waits for you`
fn heading(model: &Model, style: Style) -> Line<'static> {
    let mut text = format!(" · {} · {}", model.file(), counted(model.count(), "account"));
    let waiting = model.rows().filter(|(_, row)| row.waits_for_operator).count();
    if waiting > 0 {
        text += &format!(" · {waiting} {} for you", if waiting == 1 { "waits" } else { "wait" });
    }
    Line::from(vec![tone::span(style, Tone::Strong, "regprobe watch"), Span::raw(text)])
}

/// `10 REGISTERED · 1 REGISTERING · 1 WRONG_CREDENTIALS`, in shorter words where those do not fit.
fn totals(model: &Model, width: u16, style: Style) -> Line<'static> {
    let mut totals: Vec<(State, usize)> = model.totals().into_iter().collect();
    totals.sort_by_key(|(state, _)| *state != State::Registered);
    let line = |word: fn(State) -> &'static str| {
        let parts = totals.iter().enumerate().flat_map(|(at, (state, count))| {
            let gap = Span::raw(if at == 0 { "" } else { " · " });
            [gap, tone::span(style, tone::of(*state), format!("{count} {}", word(*state)))]
        });
        Line::from(parts.collect::<Vec<_>>())
    };
    let whole = line(list::word);
    if whole.width() <= usize::from(width) { whole } else { line(short) }
}

const fn short(state: State) -> &'static str {
    match state {
        State::NotRegistered => "NOT",
        State::Registering => "REGISTERING",
        State::Authenticating => "AUTHENTICATING",
        State::Registered => "REGISTERED",
        State::RegisterTimeout => "TIMEOUT",
        State::InternalError => "INTERNAL",
        State::WrongCredentials => "CREDENTIALS",
        State::RegistrarError => "REGISTRAR",
        State::Unregistering | State::AuthenticatingUnregister => "LEAVING",
    }
}

/// The line above the keys: the end, what was said last, or what is wrong with the selected account.
fn remark(model: &Model, now: Instant, style: Style) -> Line<'static> {
    if let Some(leaving) = model.leaving() {
        let left = model.count();
        let text = format!(
            "removing bindings: {} of {} done, {} at most; Ctrl-C leaves at once",
            leaving.of.saturating_sub(left),
            leaving.of,
            span::countdown(leaving.until.saturating_duration_since(now)),
        );
        return Line::from(tone::span(style, Tone::Doubtful, text));
    }
    if let Some(notice) = model.notice() {
        return Line::from(tone::span(style, Tone::Doubtful, notice.to_owned()));
    }
    let selected = model.selected().map(|(_, row)| row).filter(|_| model.view.mode != Mode::Help);
    let said = selected.and_then(|row| row.words.as_ref().map(|words| (row, words)));
    said.map_or_else(Line::default, |(row, words)| {
        let waits = if row.waits_for_operator {
            " waits for you, r tries again"
        } else {
            ""
        };
        Line::from(tone::span(
            style,
            Tone::Bad,
            format!("{}{waits}: {}", list::name(row), words.detail),
        ))
    })
}

fn keys(model: &Model, style: Style) -> Line<'static> {
    let text = match model.view.mode {
        Mode::Filter => return Line::from(format!("/{}▏ Enter keeps it, Esc clears it", model.view.filter)),
        Mode::Detail { .. } => "↑↓ scroll  r retry now  Esc back  ? help  q leave".to_owned(),
        Mode::Help => "any key goes back".to_owned(),
        Mode::List => {
            let filter = match model.view.filter.as_str() {
                "" => "/ filter".to_owned(),
                filter => format!("/ filter: {filter}"),
            };
            let failing = if model.view.only_failing { "f all" } else { "f failing" };
            format!("↑↓ select  Enter detail  {filter}  {failing}  r retry now  ? help  q leave")
        }
    };
    Line::from(tone::span(style, Tone::Faint, text))
}

fn put(buffer: &mut Buffer, area: Rect, below: u16, line: Line<'_>) {
    if below < area.height {
        buffer.set_line(area.x, area.y + below, &line, area.width);
    }
}

fn put_all<'a>(buffer: &mut Buffer, area: Rect, lines: impl Iterator<Item = Line<'a>>) {
    for (below, line) in (0..area.height).zip(lines) {
        put(buffer, area, below, line);
    }
}

/// Writes a cell of a table: text that is too long ends in `…`.
fn cell(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, width: u16, look: Look) {
    let (end, _) = buffer.set_stringn(x, y, text, usize::from(width), look);
    let is_whole = Span::raw(text).width() <= usize::from(width);
    if !is_whole && width > 0 {
        let last = (x + width - 1).min(end);
        buffer.set_stringn(last, y, "…", 1, look);
    }
}
