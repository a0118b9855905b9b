//! The terminal while the live table is on it: taken over, drawn to, and given back on every way out. What is drawn is `screen`'s.

use std::io::{self, BufWriter, Stdout, Write as _};
use std::panic;
use std::thread;
use std::time::Instant;

use nix::sys::termios::tcgetattr;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use tokio::sync::mpsc;

use super::model::{Model, Press};
use super::screen;
use crate::output::style::Style;

/// A terminal that is ours until it is dropped.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    style: Style,
}

/// What comes from a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// A key.
    Key(Press),
    /// It has another size.
    Resized,
}

impl Screen {
    /// Takes the terminal over. What comes from it goes into the channel, which ends when the terminal is gone.
    ///
    /// # Errors
    /// What the terminal says.
    pub(crate) fn open(style: Style) -> io::Result<(Self, mpsc::Receiver<Input>)> {
        give_back_in_a_panic();
        enable_raw_mode()?;
        let mut out = BufWriter::with_capacity(BUFFER, io::stdout());
        let terminal = execute!(out, EnterAlternateScreen).and_then(|()| Terminal::new(CrosstermBackend::new(out)));
        let terminal = terminal.inspect_err(|_| give_back())?;
        let mut screen = Self { terminal, style };
        screen.terminal.hide_cursor()?;
        let (tell, told) = mpsc::channel(KEYS);
        // It ends with the process: there is no way to wake it.
        thread::spawn(move || read(&tell));
        Ok((screen, told))
    }

    /// Draws the model as it is at this moment.
    ///
    /// # Errors
    /// What the terminal says, such as that it is gone.
    pub(crate) fn draw(&mut self, model: &mut Model, now: Instant) -> io::Result<()> {
        self.terminal.autoresize()?;
        self.fit(model, now)?;
        self.terminal.draw(|frame| screen::draw(frame, model, now, self.style))?;
        Ok(())
    }

    /// Forgets what is on the terminal, so that all of it is drawn the next time.
    ///
    /// # Errors
    /// What the terminal says.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        // `Terminal::clear` would ask the terminal for its cursor, whose answer the thread that reads keys takes.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Fits what is looked at to the terminal's size.
    ///
    /// # Errors
    /// What the terminal says.
    pub(crate) fn fit(&self, model: &mut Model, now: Instant) -> io::Result<()> {
        let size = self.terminal.size()?;
        screen::fit(model, size.width, size.height, now);
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // What is still buffered would come after the way back.
        let _ = self.terminal.backend_mut().flush();
        give_back();
    }
}

/// Whether the terminal is still there. One that was closed sends a SIGHUP, as does an operator.
pub(crate) fn is_there() -> bool {
    tcgetattr(io::stdout()).is_ok()
}

/// Leaves the terminal as it was. Nobody is left to hear that it cannot be done.
fn give_back() {
    let _ = disable_raw_mode();
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
}

/// A panic is told on a terminal that shows it, also where it ends the process at once.
fn give_back_in_a_panic() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        give_back();
        before(info);
    }));
}

fn read(tell: &mpsc::Sender<Input>) {
    while let Ok(event) = event::read() {
        let input = match event {
            Event::Key(key) => press(key).map(Input::Key),
            Event::Resize(_, _) => Some(Input::Resized),
            Event::FocusGained | Event::FocusLost | Event::Mouse(_) | Event::Paste(_) => None,
        };
        if input.is_some_and(|input| tell.blocking_send(input).is_err()) {
            return;
        }
    }
}

/// What a key of the terminal's means here.
fn press(key: KeyEvent) -> Option<Press> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if control => Some(Press::Interrupt),
        KeyCode::Char('h') if control => Some(Press::Backspace),
        KeyCode::Char(character) if !control && !key.modifiers.contains(KeyModifiers::ALT) => Some(Press::Character(character)),
        KeyCode::Up => Some(Press::Up),
        KeyCode::Down => Some(Press::Down),
        KeyCode::PageUp => Some(Press::PageUp),
        KeyCode::PageDown => Some(Press::PageDown),
        KeyCode::Home => Some(Press::Home),
        KeyCode::End => Some(Press::End),
        KeyCode::Enter => Some(Press::Enter),
        KeyCode::Esc => Some(Press::Escape),
        KeyCode::Backspace => Some(Press::Backspace),
        _ => None,
    }
}

/// In bytes: a full screen of a large terminal goes out in one write.
const BUFFER: usize = 64 * 1024;
/// How many keys may wait to be taken.
const KEYS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_they_say_and_control_is_not_a_letter() {
        let pressed = |code, modifiers| press(KeyEvent::new(code, modifiers));
        assert_eq!(pressed(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Press::Interrupt));
        assert_eq!(pressed(KeyCode::Char('c'), KeyModifiers::NONE), Some(Press::Character('c')));
        assert_eq!(pressed(KeyCode::Char('R'), KeyModifiers::SHIFT), Some(Press::Character('R')));
        assert_eq!(pressed(KeyCode::Char('r'), KeyModifiers::CONTROL), None);
        assert_eq!(pressed(KeyCode::F(1), KeyModifiers::NONE), None);
        let release = KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(press(release), None);
    }
}
