//! The list of accounts: one line each, in columns that use what room the screen has.

use std::time::Instant;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style as Look};
use sip_registration::State;

use super::{cell, span, tone};
use crate::output::style::{Style, Tone};
use crate::output::text::safe;
use crate::watch::model::{Model, Row};

/// The lines above the first account.
pub(super) const HEADING: usize = 1;

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Account,
    Aor,
    State,
    Cause,
    Sip,
    Reason,
    Expires,
    RoundTrip,
    Changed,
    Next,
}

/// Where columns are and how wide.
type Layout = Vec<(Column, u16, u16)>;

/// OpenSIPS' name of a state without its ending, which is the same for all.
pub(super) fn word(state: State) -> &'static str {
    state.name().strip_suffix("_STATE").unwrap_or(state.name())
}

/// What an account is called where there is little room.
pub(super) fn name(row: &Row) -> String {
    let title = row.entry.title();
    title.strip_prefix("sip:").map_or_else(|| title.clone(), ToOwned::to_owned)
}

/// Draws the heading and the accounts that are on the screen.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, now: Instant, style: Style) {
    let columns = layout(area.width);
    if area.height == 0 {
        return;
    }
    for &(column, x, width) in &columns {
        let text = placed(column, column.title().to_owned(), width);
        cell(buffer, (area.x + x, area.y), &text, width, tone::look(style, Tone::Faint));
    }
    let shown = model.shown();
    let selected = model.selected_place(&shown);
    let window = model.window(shown.len());
    let rows = shown.get(window.clone()).unwrap_or_default();
    for ((y, place), (_, row)) in (area.y + 1..area.bottom()).zip(window).zip(rows) {
        for &(column, x, width) in &columns {
            let (text, look) = column.content(row, now, style);
            cell(buffer, (area.x + x, y), &placed(column, text, width), width, look);
        }
        if selected == Some(place) {
            buffer.set_stringn(area.x, y, "▸", 1, Look::new());
            let line = Rect { y, height: 1, ..area };
            buffer.set_style(line, Look::new().add_modifier(Modifier::REVERSED));
        }
    }
    if shown.is_empty() {
        let text = if model.count() == 0 {
            "  there are no accounts"
        } else {
            "  no account is like that; Esc shows all"
        };
        cell(buffer, (area.x, area.y + 1), text, area.width, Look::new());
    }
}

/// Which columns there are on a screen of this width. The first cell of a line is for the mark of the selected account.
fn layout(width: u16) -> Layout {
    use Column::{Account, Aor, Cause, Changed, Expires, Next, Reason, RoundTrip, Sip, State};
    const NARROW: &[(Column, u16)] = &[
        (State, 17),
        (Cause, 13),
        (Sip, 3),
        (Expires, 7),
        (RoundTrip, 6),
        (Changed, 4),
        (Next, 5),
    ];
    const MEDIUM: &[(Column, u16)] = &[
        (State, 17),
        (Cause, 26),
        (Sip, 3),
        (Expires, 7),
        (RoundTrip, 6),
        (Changed, 7),
        (Next, 13),
    ];
    const WIDE: &[(Column, u16)] = &[
        (Aor, 34),
        (State, 25),
        (Cause, 26),
        (Sip, 3),
        (Reason, 20),
        (Expires, 7),
        (RoundTrip, 6),
        (Changed, 7),
        (Next, 13),
    ];
    let others = match width {
        0..110 => NARROW,
        110..170 => MEDIUM,
        _ => WIDE,
    };
    let taken: u16 = 1 + others.iter().map(|(_, width)| width + 1).sum::<u16>();
    let all = [(Account, width.saturating_sub(taken).max(8))]
        .into_iter()
        .chain(others.iter().copied());
    let mut x = 1;
    let placed = all.map(|(column, room)| {
        let at = x;
        x += room + 1;
        (column, at, room)
    });
    // Of what does not fit, nothing is shown.
    placed.filter(|(_, at, room)| at + room <= width).collect()
}

/// Numbers stand at the right of their column.
fn placed(column: Column, text: String, width: u16) -> String {
    if column.is_number() {
        format!("{text:>width$}", width = usize::from(width))
    } else {
        text
    }
}

impl Column {
    const fn title(self) -> &'static str {
        match self {
            Self::Account => "ACCOUNT",
            Self::Aor => "AOR",
            Self::State => "STATE",
            Self::Cause => "CAUSE",
            Self::Sip => "SIP",
            Self::Reason => "REASON",
            Self::Expires => "EXPIRES",
            Self::RoundTrip => "TRIP",
            Self::Changed => "FOR",
            Self::Next => "NEXT",
        }
    }

    const fn is_number(self) -> bool {
        match self {
            Self::Sip | Self::Expires | Self::RoundTrip | Self::Changed => true,
            Self::Account | Self::Aor | Self::State | Self::Cause | Self::Reason | Self::Next => false,
        }
    }

    fn content(self, row: &Row, now: Instant, style: Style) -> (String, Look) {
        let state = row.shown_state();
        let plain = |text: String| (text, Look::new());
        let reply = row.settled.reply.as_ref();
        match self {
            Self::Account => plain(name(row)),
            Self::Aor => plain(safe(row.entry.account.aor.as_str())),
            Self::State => (word(state).to_owned(), tone::look(style, tone::of(state))),
            Self::Cause => plain(row.shown_cause().map_or_else(String::new, |cause| cause.name().to_owned())),
            Self::Sip => plain(reply.map_or_else(String::new, |reply| reply.code.to_string())),
            Self::Reason => plain(reply.map_or_else(String::new, |reply| reply.reason.clone())),
            Self::Expires => match row.valid_until {
                Some(until) => (span::countdown(until.saturating_duration_since(now)), expiry_look(row, style)),
                None => plain(String::new()),
            },
            Self::RoundTrip => plain(row.round_trip.map_or_else(String::new, span::round_trip)),
            Self::Changed => plain(span::ago(now.saturating_duration_since(row.settled.since))),
            Self::Next => next(row, now, style),
        }
    }
}

/// A binding that outlives a failed refresh is about to go.
const fn expiry_look(row: &Row, style: Style) -> Look {
    if row.is_failing() {
        tone::look(style, Tone::Doubtful)
    } else {
        Look::new()
    }
}

fn next(row: &Row, now: Instant, style: Style) -> (String, Look) {
    let doubtful = tone::look(style, Tone::Doubtful);
    if row.busy.is_some() {
        ("now".to_owned(), doubtful)
    } else if row.waits_for_operator {
        ("you".to_owned(), doubtful)
    } else if row.waits_for_admission {
        ("turn".to_owned(), Look::new())
    } else {
        let next = row.next_at.map(|at| span::countdown(at.saturating_duration_since(now)));
        (next.unwrap_or_default(), Look::new())
    }
}
