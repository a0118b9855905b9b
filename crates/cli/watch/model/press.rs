//! What keys do. Pure: the terminal says which were pressed, the session carries out what they wish.

use super::{Id, Mode, Model};

/// A key, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Press {
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// A screen up.
    PageUp,
    /// A screen down.
    PageDown,
    /// To the first.
    Home,
    /// To the last.
    End,
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// Backspace.
    Backspace,
    /// Ctrl-C.
    Interrupt,
    /// A character.
    Character(char),
}

/// What a key wishes of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing but to be seen.
    Look,
    /// To refresh these accounts, or try them again, now.
    Try(Vec<Id>),
    /// To leave, after what is bound was removed.
    Leave,
    /// The same by Ctrl-C.
    Interrupt,
}

impl Model {
    /// Takes a key.
    pub(crate) fn press(&mut self, press: Press) -> Wish {
        if press == Press::Interrupt {
            return Wish::Interrupt;
        }
        match self.view.mode {
            Mode::List => self.press_in_list(press),
            Mode::Filter => self.press_in_filter(press),
            Mode::Detail { scrolled } => self.press_in_detail(press, scrolled),
            Mode::Help => {
                self.view.mode = Mode::List;
                Wish::Look
            }
        }
    }

    fn press_in_list(&mut self, press: Press) -> Wish {
        match press {
            Press::Enter if self.selected().is_some() => {
                self.view.selected = self.selected().map(|(id, _)| id);
                self.view.mode = Mode::Detail { scrolled: 0 };
            }
            // One thing less is left out with each press.
            Press::Escape if !self.view.filter.is_empty() => self.view.filter.clear(),
            Press::Escape => self.view.only_failing = false,
            Press::Character('/') => self.view.mode = Mode::Filter,
            Press::Character('f') => self.view.only_failing = !self.view.only_failing,
            Press::Character('r') => return Wish::Try(self.selected().map(|(id, _)| id).into_iter().collect()),
            Press::Character('R') => return Wish::Try(self.failing_by_themselves()),
            other => return self.press_anywhere(other),
        }
        self.fit(self.view.page);
        Wish::Look
    }

    fn press_in_filter(&mut self, press: Press) -> Wish {
        match press {
            Press::Character(character) => self.view.filter.push(character),
            Press::Backspace => {
                self.view.filter.pop();
            }
            Press::Enter => self.view.mode = Mode::List,
            Press::Escape => {
                self.view.filter.clear();
                self.view.mode = Mode::List;
            }
            other => return self.press_anywhere(other),
        }
        self.fit(self.view.page);
        Wish::Look
    }

    fn press_in_detail(&mut self, press: Press, scrolled: usize) -> Wish {
        let page = self.view.page.max(1);
        let scrolled = match press {
            Press::Up | Press::Character('k') => scrolled.saturating_sub(1),
            Press::Down | Press::Character('j') => scrolled.saturating_add(1),
            Press::PageUp => scrolled.saturating_sub(page),
            Press::PageDown => scrolled.saturating_add(page),
            Press::Home => 0,
            Press::End => usize::MAX,
            Press::Enter | Press::Escape | Press::Backspace => {
                self.view.mode = Mode::List;
                return Wish::Look;
            }
            Press::Character('r') => return Wish::Try(self.view.selected.into_iter().collect()),
            other => return self.press_anywhere(other),
        };
        self.view.mode = Mode::Detail { scrolled };
        Wish::Look
    }

    fn press_anywhere(&mut self, press: Press) -> Wish {
        let page = isize::try_from(self.view.page).unwrap_or(isize::MAX);
        match press {
            Press::Up | Press::Character('k') => self.step(-1),
            Press::Down | Press::Character('j') => self.step(1),
            Press::PageUp => self.step(-page),
            Press::PageDown => self.step(page),
            Press::Home => self.step(isize::MIN),
            Press::End => self.step(isize::MAX),
            Press::Character('?') => self.view.mode = Mode::Help,
            Press::Character('q') => return Wish::Leave,
            Press::Interrupt => return Wish::Interrupt,
            Press::Enter | Press::Escape | Press::Backspace | Press::Character(_) => {}
        }
        Wish::Look
    }

    /// Those of the shown accounts that have failed and would try again by themselves. Credentials that were refused are not among
    /// them: each is the operator's to decide, one by one, or the registrar locks the accounts.
    fn failing_by_themselves(&self) -> Vec<Id> {
        let failing = self
            .shown()
            .into_iter()
            .filter(|(_, row)| row.is_failing() && !row.waits_for_operator);
        failing.map(|(id, _)| id).collect()
    }
}
