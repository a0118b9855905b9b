//! Colour, or none: only on a terminal, never with `NO_COLOR` (no-color.org) or a dumb terminal.

use std::ffi::OsStr;

/// Whether text gets colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Bare text.
    Plain,
    /// With ANSI colours.
    Colour,
}

/// What a piece of text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Success.
    Good,
    /// Failure.
    Bad,
    /// A warning.
    Doubtful,
    /// What matters less.
    Faint,
    /// A heading.
    Strong,
}

impl Style {
    /// Decides from the kind of standard output and the values of `NO_COLOR` and `TERM`.
    pub(crate) fn choose(terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> Self {
        let forbidden = no_color.is_some_and(|value| !value.is_empty()) || term == Some(OsStr::new("dumb"));
        if terminal && !forbidden { Self::Colour } else { Self::Plain }
    }

    /// The text in the colour of its tone.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\x1b[{}m{text}\x1b[0m", tone.code()),
        }
    }
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Doubtful => "33",
            Self::Faint => "2",
            Self::Strong => "1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_only_on_a_terminal_and_never_with_no_color() {
        let choose =
            |terminal, no_color: Option<&str>, term: Option<&str>| Style::choose(terminal, no_color.map(OsStr::new), term.map(OsStr::new));
        assert_eq!(choose(true, None, Some("xterm")), Style::Colour);
        assert_eq!(choose(true, Some(""), None), Style::Colour);
        assert_eq!(choose(true, Some("1"), Some("xterm")), Style::Plain);
        assert_eq!(choose(true, None, Some("dumb")), Style::Plain);
        assert_eq!(choose(false, None, Some("xterm")), Style::Plain);
    }

    #[test]
    fn plain_text_has_no_escapes() {
        assert_eq!(Style::Plain.paint(Tone::Bad, "x"), "x");
        assert_eq!(Style::Colour.paint(Tone::Bad, "x"), "\x1b[31mx\x1b[0m");
    }
}
