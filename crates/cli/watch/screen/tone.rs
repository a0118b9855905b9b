//! Colours of states, and none where colours are not wanted.

use std::borrow::Cow;

use ratatui::style::{Color, Modifier, Style as Look};
use ratatui::text::Span;
use sip_registration::State;

use crate::output::style::{Style, Tone};

/// What a state says.
pub(super) const fn of(state: State) -> Tone {
    match state {
        State::Registered => Tone::Good,
        State::NotRegistered => Tone::Faint,
        State::Registering | State::Authenticating | State::Unregistering | State::AuthenticatingUnregister => Tone::Doubtful,
        State::RegisterTimeout | State::InternalError | State::WrongCredentials | State::RegistrarError => Tone::Bad,
    }
}

/// How a tone looks.
pub(super) const fn look(style: Style, tone: Tone) -> Look {
    let plain = Look::new();
    match (style, tone) {
        (_, Tone::Strong) => plain.add_modifier(Modifier::BOLD),
        (Style::Plain, Tone::Good | Tone::Bad | Tone::Doubtful | Tone::Faint) => plain,
        (Style::Colour, Tone::Good) => plain.fg(Color::Green),
        (Style::Colour, Tone::Bad) => plain.fg(Color::Red),
        (Style::Colour, Tone::Doubtful) => plain.fg(Color::Yellow),
        (Style::Colour, Tone::Faint) => plain.add_modifier(Modifier::DIM),
    }
}

/// Text in its tone.
pub(super) fn span<'a>(style: Style, tone: Tone, text: impl Into<Cow<'a, str>>) -> Span<'a> {
    Span::styled(text, look(style, tone))
}
