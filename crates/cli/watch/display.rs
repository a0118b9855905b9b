//! Where a watch is seen: on a terminal, or as lines on standard output.

use std::io;
use std::time::Instant;

use super::model::Model;
use super::terminal::Screen;

/// Where a watch is seen.
pub(crate) enum Display {
    /// As a live table.
    Screen(Box<Screen>),
    /// As one line for each change.
    Lines,
    /// Nowhere: the terminal is gone, or given back.
    Nowhere,
}

impl Display {
    /// Fits what is looked at to the screen, if there is one.
    ///
    /// # Errors
    /// What the terminal says.
    pub(crate) fn fit(&self, model: &mut Model, now: Instant) -> io::Result<()> {
        match self {
            Self::Screen(screen) => screen.fit(model, now),
            Self::Lines | Self::Nowhere => Ok(()),
        }
    }

    /// Draws the model, if there is a screen.
    ///
    /// # Errors
    /// What the terminal says.
    pub(crate) fn draw(&mut self, model: &mut Model, now: Instant) -> io::Result<()> {
        match self {
            Self::Screen(screen) => screen.draw(model, now),
            Self::Lines | Self::Nowhere => Ok(()),
        }
    }

    /// Lets the screen be drawn from its first to its last cell the next time.
    ///
    /// # Errors
    /// What the terminal says.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        match self {
            Self::Screen(screen) => screen.clear(),
            Self::Lines | Self::Nowhere => Ok(()),
        }
    }

    /// Gives the terminal back.
    pub(crate) fn end(&mut self) {
        *self = Self::Nowhere;
    }
}
