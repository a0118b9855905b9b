//! What the keys do and what the columns mean.

use ratatui::text::Line;

use super::tone;
use crate::output::style::{Style, Tone};

/// The page.
pub(super) fn lines(style: Style) -> Vec<Line<'static>> {
    PAGE.lines()
        .map(|line| {
            if line.starts_with(' ') {
                Line::from(line)
            } else {
                Line::from(tone::span(style, Tone::Strong, line))
            }
        })
        .collect()
}

const PAGE: &str = "\
Keys
  ↑ ↓ j k PgUp PgDn Home End   select an account
  Enter    its last exchanges, the cause, and what to do
  /        show accounts with this text in their name, AOR, state or cause
  f        show only failing accounts, or all again
  r        refresh, or try again, now
  R        the same for all shown that are failing, but for those that wait for
           you: wrong passwords lock an account, so each of them needs its own r
  Esc      back; takes a filter off
  q        remove the bindings and leave, as Ctrl-C does; Ctrl-C again leaves at
           once, and says what may still be bound

Columns
  EXPIRES  until the binding ends
  TRIP     from the last request to its reply
  FOR      since when it is like this
  NEXT     until the next refresh or try; `now`: it is under way; `turn`: it
           waits for its turn (--rate); `you`: it waits for you and your r

  SIGHUP rereads the file: what is unchanged in it keeps its binding.";
