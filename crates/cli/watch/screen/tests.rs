//! Screens as they are stored, drawn on a terminal in memory. `REWRITE_SCREENS=1 cargo test -p regprobe --bin regprobe screen` writes
//! them anew; without it a difference fails.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::watch::model::{Press, Wish};
use crate::watch::moment::Moment;
use crate::watch::samples::{self, CHALLENGE, OK, entry, named, origin, took_part, with_password};

/// Six accounts that stand in every way there is.
fn office(origin: Moment) -> Model {
    let mut model = samples::model(100);
    let minute = Duration::from_secs(60);
    let desk = with_password(&named(2, "front desk", "sip:desk@example.test"));
    took_part(&mut model, desk, origin, &[CHALLENGE, OK], 40 * minute);
    let door = with_password(&entry(8, "sip:door@example.test"));
    took_part(&mut model, door, origin, &[CHALLENGE, CHALLENGE], minute);
    took_part(
        &mut model,
        entry(12, "sip:lift@example.test"),
        origin,
        &["503 Out of order"],
        minute,
    );
    took_part(
        &mut model,
        entry(16, "sip:a-very-long-name-indeed@example.test"),
        origin,
        &[OK],
        50 * minute,
    );
    took_part(&mut model, entry(20, "sip:cellar@example.test"), origin, &[], minute);
    model.add(entry(24, "sip:attic@example.test"), origin.at);
    model
}

fn drawn(model: &mut Model, (width, height): (u16, u16), now: Instant, style: Style) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    fit(model, width, height, now);
    terminal.draw(|frame| draw(frame, model, now, style)).unwrap();
    terminal
}

fn text(terminal: &Terminal<TestBackend>) -> String {
    let buffer = terminal.backend().buffer();
    let lines = (0..buffer.area.height).map(|y| {
        let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned() + "\n"
    });
    lines.collect()
}

/// Holds a screen against the stored one.
#[track_caller]
fn holds(name: &str, model: &mut Model, size: (u16, u16), now: Instant) {
    let shown = text(&drawn(model, size, now, Style::Plain));
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("crates/cli/watch/screen/stored")
        .join(format!("{name}.txt"));
    if env::var_os("REWRITE_SCREENS").is_some() {
        fs::write(&path, &shown).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(shown, stored, "{name} differs; REWRITE_SCREENS=1 writes it anew\n{shown}");
}

fn later(origin: Moment) -> Instant {
    origin.at + Duration::from_secs(90)
}

#[test]
fn a_small_terminal_has_room_for_all_that_matters() {
    let origin = origin();
    holds("list-80x24", &mut office(origin), (80, 24), later(origin));
}

#[test]
fn a_wide_terminal_shows_more_columns() {
    let origin = origin();
    holds("list-120x12", &mut office(origin), (120, 12), later(origin));
    holds("list-200x12", &mut office(origin), (200, 12), later(origin));
}

#[test]
fn the_detail_explains_what_is_wrong_and_what_to_do() {
    let origin = origin();
    let mut model = office(origin);
    model.press(Press::Down);
    assert_eq!(model.press(Press::Enter), Wish::Look);
    holds("detail-80x24", &mut model, (80, 24), later(origin));
    model.press(Press::End);
    holds("detail-end-80x10", &mut model, (80, 10), later(origin));
    model.press(Press::Escape);
    model.press(Press::Home);
    model.press(Press::Enter);
    holds("detail-registered-80x24", &mut model, (80, 24), later(origin));
}

#[test]
fn filters_leave_out_what_does_not_match() {
    let origin = origin();
    let mut model = office(origin);
    "/CELL".chars().for_each(|character| {
        model.press(Press::Character(character));
    });
    holds("filter-80x10", &mut model, (80, 10), later(origin));
    model.press(Press::Character('x'));
    model.press(Press::Enter);
    holds("filter-nothing-80x10", &mut model, (80, 10), later(origin));
    model.press(Press::Escape);
    model.press(Press::Character('f'));
    holds("failing-80x10", &mut model, (80, 10), later(origin));
}

#[test]
fn the_keys_are_explained_and_leaving_shows_its_progress() {
    let origin = origin();
    let mut model = office(origin);
    model.press(Press::Character('?'));
    holds("help-80x24", &mut model, (80, 24), later(origin));
    model.press(Press::Escape);
    let ids: Vec<_> = model.rows().map(|(id, _)| id).collect();
    model.leave(later(origin) + Duration::from_secs(10));
    ids.iter().take(4).for_each(|id| {
        model.remove(*id, later(origin));
    });
    holds("leaving-80x10", &mut model, (80, 10), later(origin));
}

#[test]
fn no_size_and_no_text_breaks_the_screen() {
    let origin = origin();
    let mut model = office(origin);
    let hostile = "\u{4e16}\u{754c}\x1b[2J\u{202e}".repeat(20);
    took_part(
        &mut model,
        named(30, &hostile, "sip:x@example.test"),
        origin,
        &["400 \u{1b}[31mB\u{fc}h\u{202e}"],
        Duration::ZERO,
    );
    for press in [Press::Escape, Press::Enter, Press::Character('?'), Press::End] {
        model.press(press);
        for size in [
            (1, 1),
            (2, 3),
            (7, 4),
            (20, 5),
            (80, 24),
            (109, 24),
            (110, 3),
            (169, 9),
            (170, 9),
            (500, 200),
        ] {
            let terminal = drawn(&mut model, size, later(origin), Style::Colour);
            let shown = text(&terminal);
            assert!(!shown.contains(['\x1b', '\u{202e}']), "{size:?}: {shown}");
        }
    }
}

#[test]
fn colours_are_those_of_the_states_and_only_where_they_are_wanted() {
    let origin = origin();
    let colours = |style| {
        let terminal = drawn(&mut office(origin), (80, 24), later(origin), style);
        let buffer = terminal.backend().buffer().clone();
        let state = |row: u16| buffer[(19, row)].fg;
        (state(3), state(4))
    };
    use ratatui::style::Color;
    assert_eq!(colours(Style::Colour), (Color::Green, Color::Red));
    assert_eq!(colours(Style::Plain), (Color::Reset, Color::Reset));
}
