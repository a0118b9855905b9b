//! Text for people: safe to print, broken into lines of a readable width. No layout of whole reports.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// The width that text is broken at where nobody knows that of the reader's screen, in characters.
pub(crate) const WIDTH: usize = 100;
/// The widths of screens that text is fitted to.
const WIDTHS: RangeInclusive<usize> = 80..=120;

/// What [`fit_to`] has said.
static SCREEN: OnceLock<usize> = OnceLock::new();

/// Fits all text from now on to a terminal of so many columns. To be called once, before anything is written.
pub(crate) fn fit_to(columns: u16) {
    // A second call changes nothing.
    let _ = SCREEN.set(fitting(columns));
}

fn fitting(columns: u16) -> usize {
    usize::from(columns).clamp(*WIDTHS.start(), *WIDTHS.end())
}

/// The width that text is broken at, in characters.
pub(crate) fn width() -> usize {
    SCREEN.get().copied().unwrap_or(WIDTH)
}

/// Text from anywhere as it may stand on a terminal: one line, nothing that moves a cursor or hides.
///
/// Escaping what is already escaped changes nothing, so a field that the report has escaped stays as it is.
pub(crate) fn safe(text: &str) -> String {
    sip_message::printable(text.as_bytes())
}

/// Breaks running text at blanks; the first line starts with `first`, the others with as many blanks.
pub(crate) fn wrapped(first: &str, text: &str) -> String {
    wrapped_to(width(), first, text)
}

/// The same for a screen of this many columns.
pub(crate) fn wrapped_to(width: usize, first: &str, text: &str) -> String {
    let indent = " ".repeat(first.chars().count());
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split(' ') {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            lines.push_str(&line);
            lines.push('\n');
            line.clone_from(&indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines + &line + "\n"
}

/// Pads to a width in characters, with two blanks at least to what follows.
pub(crate) fn padded(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(blanks))
}

/// `1 other binding`, `2 other bindings`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_twice_is_escaping_once() {
        let once = safe("a\x1b[2J\u{202e}\r\nb");
        assert!(!once.contains(['\x1b', '\r', '\n', '\u{202e}']));
        assert_eq!(safe(&once), once);
    }

    #[test]
    fn lines_break_at_blanks_and_never_inside_a_word() {
        let long = "word ".repeat(60);
        let text = wrapped("  next  ", long.trim());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(text.lines().skip(1).all(|line| line.starts_with("        word")));
        let unbroken = "x".repeat(300);
        assert_eq!(wrapped("- ", &unbroken), format!("- {unbroken}\n"));
        assert_eq!(wrapped("- ", ""), "- \n");
    }

    #[test]
    fn screens_are_filled_but_not_to_a_width_that_nobody_can_read() {
        assert_eq!([40, 80, 93, 120, 300].map(fitting), [80, 80, 93, 120, 120]);
        assert_eq!(width(), WIDTH);
    }

    #[test]
    fn counts_take_their_plural() {
        assert_eq!(
            (counted(1, "binding").as_str(), counted(0, "binding").as_str()),
            ("1 binding", "0 bindings")
        );
        assert_eq!(padded("ab", 4), "ab  ");
    }
}
